"""A bar over the stages of a fit, which names the one at work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tabgan.core.following import Follower

__all__ = ["stage_bar"]

_FORM = "{desc} |{bar}| {n_fmt}/{total_fmt} [{elapsed}]"
"""Without the time that is left: stages take unlike times."""


@contextmanager
def stage_bar(shown: bool, n_stages: int, follower: Follower | None = None) -> Iterator[Callable[[str], None]]:
    """Show on standard error how far a fit is, and tell its follower.

    Parameters
    ----------
    shown : bool
        False shows nothing.
    n_stages : int
        How many there are.
    follower : Follower, default=None
        Told of each stage, shown or not.

    Yields
    ------
    callable
        ``entering(name)`` says that the stage before is done and which one begins. Bars of training stand below it.
    """
    tell: Callable[[str], None] = (lambda name: None) if follower is None else follower.enter
    if not shown or sys.stderr is None or sys.stderr.closed:
        yield tell
        return
    from tqdm.auto import tqdm

    with tqdm(total=n_stages, leave=False, bar_format=_FORM) as bar:
        begun = 0

        def entering(name: str) -> None:
            nonlocal begun
            bar.update(min(begun, 1))
            begun += 1
            bar.set_description(name)
            tell(name)

        yield entering
