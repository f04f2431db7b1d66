"""Where the records of a text begin, found block by block in constant memory, so that any of them can be read alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from tabgan.exceptions import InvalidInputError

__all__ = ["Cutting", "record_starts"]

_BLOCK = 1 << 22
_MOST = 1 << 28
"""Bytes of one record."""


@dataclass(frozen=True)
class Cutting:
    """What stands between records and cells.

    Parameters
    ----------
    newline : bytes
        The last byte of a line's end.
    delimiter : bytes or None
        One byte; None where quotes mean nothing, so that every line is a record.
    comment : bytes, default=b""
        Lines that begin so are no records.
    blanks : bytes, default=b" "
        Lines of nothing else are no records.
    """

    newline: bytes
    delimiter: bytes | None
    comment: bytes = b""
    blanks: bytes = b" "

    def is_record(self, line: bytes) -> bool:
        """Whether a line, with its end, holds more than blanks or a comment."""
        body = line.rstrip(b"\r\n").strip(self.blanks)
        return bool(body) and not (self.comment and body.startswith(self.comment))

    def pattern(self) -> re.Pattern[bytes]:
        """A record with quotes: no quote follows one that closes, so that a cut text matches as the whole one does."""
        assert self.delimiter is not None
        mark = re.escape(self.delimiter)
        cell = rb' *"[^"]*(?:""[^"]*)*"(?!")[^%b\r\n]*|(?! *")[^%b\r\n]*' % (mark, mark)
        return re.compile(rb"(?:%b)(?:%b(?:%b))*" % (cell, mark, cell))


def record_starts(stream: BinaryIO, at: int, line: int, cutting: Cutting, source: str) -> Iterator[tuple[int, int]]:
    """Place and line of each record from a byte on.

    Parameters
    ----------
    stream : binary stream
        Of the whole file.
    at : int
        The byte to begin at, the first one of a line.
    line : int
        Number of that line.
    cutting : Cutting
    source : str
        For messages.

    Yields
    ------
    start, line : int
        First byte of a record, and number of the line it begins in.

    Raises
    ------
    InvalidInputError
        A quote never closes.
    """
    stream.seek(at)
    pattern = cutting.pattern() if cutting.delimiter is not None else None
    block, size, ended = b"", _BLOCK, False
    while not ended:
        piece = stream.read(size)
        ended = not piece
        block += piece
        stop = len(block) if ended else block.rfind(cutting.newline) + 1
        lines = _Lines(block[:stop], cutting)
        open_line = lines.join_quoted(pattern) if pattern is not None else None
        if open_line is not None and (ended or len(block) > _MOST):
            raise InvalidInputError(
                f"{source}, line {line + open_line}: a quote opens here and never closes; close it, or double the quotes inside of a "
                'quoted cell ("").'
            )
        n_lines = len(lines.starts) if open_line is None else open_line
        for k in np.flatnonzero(lines.begins[:n_lines]).tolist():
            yield at + int(lines.starts[k]), line + k
        used = stop if open_line is None else int(lines.starts[open_line])
        at, line, block = at + used, line + n_lines, block[used:]
        size = _BLOCK if used else 2 * size


class _Lines:
    """The lines of a block, and which of them begin a record."""

    def __init__(self, block: bytes, cutting: Cutting) -> None:
        self._block = block
        letters = np.frombuffer(block, dtype=np.uint8)
        self._stops = np.flatnonzero(letters == cutting.newline[0]) + 1
        if len(block) and (not len(self._stops) or self._stops[-1] < len(block)):
            self._stops = np.append(self._stops, len(block))
        self.starts = np.concatenate([[0], self._stops[:-1]]).astype(np.int64) if len(block) else np.zeros(0, np.int64)
        first = letters[self.starts]
        doubtful = set(b"\r\n" + cutting.blanks + cutting.comment[:1])
        self.begins = ~np.isin(first, list(doubtful))
        for k in np.flatnonzero(~self.begins).tolist():
            self.begins[k] = cutting.is_record(block[self.starts[k] : self._stops[k]])

    def join_quoted(self, pattern: re.Pattern[bytes]) -> int | None:
        """Let lines within quotes begin no record; the line with a quote that the block does not close, None without one."""
        quotes = np.flatnonzero(np.frombuffer(self._block, dtype=np.uint8) == ord('"'))
        inside = -1
        for k in np.unique(np.searchsorted(self._stops, quotes, side="right")).tolist():
            if k <= inside or not self.begins[k]:
                continue
            found = pattern.match(self._block, int(self.starts[k]))
            if found is None or self._cut_short(found.end()):
                return k
            inside = int(np.searchsorted(self._stops, found.end(), side="right"))
            inside = min(inside, len(self.starts) - 1)
            self.begins[k + 1 : inside + 1] = False
        return None

    def _cut_short(self, stop: int) -> bool:
        """Whether a record was matched to a place where none ends: its last cell opens a quote."""
        return stop < len(self._block) and self._block[stop : stop + 1] not in (b"\r", b"\n")
