"""One line on a terminal that says what the command is at, overwritten by the next one and gone at the end."""

from __future__ import annotations

import sys

from tabgan.cli.errors import printable

__all__ = ["StatusLine"]


class StatusLine:
    """What a command is at.

    Parameters
    ----------
    shown : bool
        False writes nothing: with ``--quiet``, and where standard error is no terminal.
    """

    def __init__(self, shown: bool) -> None:
        self.shown = shown

    def __call__(self, text: str) -> None:
        """Put a text in the place of the last one; ``""`` leaves an empty line."""
        if self.shown:
            sys.stderr.write(f"\r\x1b[K{printable(text)}")
            sys.stderr.flush()
