"""One line on a terminal that says what the command is at, overwritten by the next one and gone at the end."""

from __future__ import annotations

import sys
import time

from tabgan.cli.errors import printable

__all__ = ["Progress", "StatusLine"]


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


class Progress:
    """How far a command has come through the rows of a table, how fast it is, and how long it will take.

    Parameters
    ----------
    status : StatusLine
    what : str
        What is being done.
    n_rows : int
        Of the table.
    n_before : int, default=0
        Rows that were done before.
    """

    def __init__(self, status: StatusLine, what: str, n_rows: int, n_before: int = 0) -> None:
        self._status, self._what, self._n_rows = status, what, n_rows
        self._n_before = self._n_done = n_before
        self._began = time.monotonic()

    def add(self, n: int) -> None:
        """So many more rows are done."""
        self._n_done += n
        self._status(self.text(time.monotonic() - self._began))

    def text(self, seconds: float) -> str:
        """What to say after so many seconds.

        Examples
        --------
        >>> progress = Progress(StatusLine(False), "filling", 1000)
        >>> progress.add(250)
        >>> progress.text(5.0)
        'filling: 250 of 1,000 rows, 50 rows/s, 0:15 left'
        """
        text = f"{self._what}: {self._n_done:,} of {self._n_rows:,} rows"
        n = self._n_done - self._n_before
        if n <= 0 or seconds <= 0:
            return text
        left = round((self._n_rows - self._n_done) * seconds / n)
        hours, rest = divmod(left, 3600)
        clock = f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
        return f"{text}, {n / seconds:,.0f} rows/s, {clock} left"
