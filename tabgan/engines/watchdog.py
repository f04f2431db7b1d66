"""A hang becomes an error: waiting for results, for so long and no longer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tabgan.exceptions import StalledError, parameter_error

__all__ = ["check_timeout", "watched"]

T = TypeVar("T")


def check_timeout(timeout: float | None) -> None:
    """Refuse what is neither None nor a number above 0."""
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0):
        raise parameter_error("timeout", timeout, "None or a number of seconds > 0")


def watched(items: Iterable[T], timeout: float | None, what: str) -> Iterator[T]:
    """The items, each waited for no longer than ``timeout`` seconds.

    Parameters
    ----------
    items : iterable
        Read in a thread.
    timeout : float or None
        None waits for ever.
    what : str
        What is waited for, for the message.

    Raises
    ------
    StalledError
        No item came in time. The thread stays where it hangs.
    """
    if timeout is None:
        yield from items
        return
    results: queue.SimpleQueue[tuple[str, object]] = queue.SimpleQueue()

    def read() -> None:
        try:
            for item in items:
                results.put(("item", item))
            results.put(("end", None))
        except BaseException as error:
            results.put(("error", error))

    threading.Thread(target=read, daemon=True, name=f"tabgan {what}").start()
    while True:
        try:
            kind, result = results.get(timeout=timeout)
        except queue.Empty:
            raise StalledError(
                f"{what}: nothing came for {timeout:g} s. Either a block takes longer (raise timeout, or make blocks smaller), or the "
                "engine hangs: look for lost workers and missing resources, then run it again."
            ) from None
        if kind == "end":
            return
        if kind == "error":
            assert isinstance(result, BaseException)
            raise result
        yield result  # type: ignore[misc]
