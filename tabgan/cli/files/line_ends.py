"""Delimiters without cells: those that end every row but not the header, and rows of nothing else at the end of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabgan.cli.files.delimited import DelimitedText

__all__ = ["absorb_empty_rows", "absorb_last_delimiters"]

_FEWEST_CELLS = 6
"""So many empty cells at the end are no chance."""


def absorb_last_delimiters(parsed: DelimitedText) -> None:
    """Take a delimiter at the end of every row, where the header has none, for part of the line end."""
    width = len(parsed.names)
    if parsed.delimiter == " " or any(len(record) != width + 1 or record[-1].strip() for record in parsed.records):
        return
    for k, record in enumerate(parsed.records):
        parsed.ends[k] = parsed.delimiter + record.pop() + parsed.ends[k]


def absorb_empty_rows(parsed: DelimitedText) -> int:
    """Take rows without any cell at the end of a text for blank lines: nothing is known of them.

    Parameters
    ----------
    parsed : DelimitedText

    Returns
    -------
    int
        How many there were; 0 where they may be rows by chance, or all rows are so.
    """
    n = 0
    while n < len(parsed.records) and _is_empty(parsed.records[-1 - n]):
        n += 1
    first = len(parsed.records) - n
    if first == 0 or len(parsed.names) < 2 or n * len(parsed.names) < _FEWEST_CELLS:
        return 0
    joint = "" if parsed.delimiter == " " else parsed.delimiter
    tail = [joint.join(parsed.records[k]) + parsed.ends[k] for k in range(first, len(parsed.records))]
    del parsed.records[first:], parsed.ends[first:], parsed.lines[first:]
    parsed.ends[-1] += "".join(tail)
    return n


def _is_empty(record: Sequence[str]) -> bool:
    return all(raw.strip() in ("", '""') for raw in record)
