"""Delimiters without cells: those that end every row but not the header, and rows of nothing else at the end of a text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["absorb_empty_rows", "absorb_last_delimiters"]

_FEWEST_CELLS = 6
"""So many empty cells at the end are no chance."""


def absorb_last_delimiters(width: int, records: list[list[str]], ends: list[str], delimiter: str) -> None:
    """Take a delimiter at the end of every row, where the header of so many names has none, for part of the line end."""
    if delimiter == " " or any(len(record) != width + 1 or record[-1].strip() for record in records):
        return
    for k, record in enumerate(records):
        ends[k] = delimiter + record.pop() + ends[k]


def absorb_empty_rows(records: list[list[str]], ends: list[str], delimiter: str) -> int:
    """Take rows without any cell at the end of a text for blank lines: nothing is known of them.

    Parameters
    ----------
    records : list of list of str
        Raw cells; those rows are taken out.
    ends : list of str
        What follows each record; the last one is then followed by these rows.
    delimiter : str

    Returns
    -------
    int
        How many there were; 0 where they may be rows by chance, or all rows are so.
    """
    n = 0
    while n < len(records) and _is_empty(records[-1 - n]):
        n += 1
    first = len(records) - n
    if first == 0 or len(records[0]) < 2 or n * len(records[0]) < _FEWEST_CELLS:
        return 0
    joint = "" if delimiter == " " else delimiter
    tail = [joint.join(record) + end for record, end in zip(records[first:], ends[first:], strict=True)]
    del records[first:], ends[first:]
    ends[-1] += "".join(tail)
    return n


def _is_empty(record: Sequence[str]) -> bool:
    return all(raw.strip() in ("", '""') for raw in record)
