"""Numbers and dates that stand for "missing" in other programs: -999, 9999, 1900-01-01, a zero where nothing can be zero."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tabgan.checks.findings import Finding, shown_number
from tabgan.tables.columns import RawColumn, Table, times_as_index
from tabgan.tables.kinds import ColumnSchema

__all__ = ["find_sentinels"]

_FORM = re.compile(r"-?(9{2,}|8{3,}|7{3,}|12345+\d*)|-[1-9]|-?32767|-32768|65535|-?2147483647|-2147483648")
_FEWEST_ROWS = 20
_FEWEST_OTHERS = 10
_FEWEST_CELLS = 3
_FEWEST_ZEROS = 5
_PILE = 5.0
"""A pile holds this many times the cells of any of its ten nearest values."""
_SPREADS = 3.5
"""A zero lies this many robust standard deviations below the middle of the others."""
_GAP = 0.25
"""Of the middle of the others, that lies empty above such a zero."""
_DATES = frozenset(
    "0001-01-01 1111-11-11 1800-01-01 1899-12-30 1899-12-31 1900-01-01 1901-01-01 1970-01-01 2099-12-31 2999-12-31 9999-12-31".split()
)


def find_sentinels(table: Table, schema: Sequence[ColumnSchema]) -> list[Finding]:
    """Find the lowest and highest values that look like a marker of missing cells.

    Parameters
    ----------
    table : Table
    schema : sequence of ColumnSchema
        Of its columns, as inferred.

    Returns
    -------
    list of Finding
        One for each such value of a column.
    """
    found = []
    for column, known in zip(table.columns, schema, strict=True):
        if known.kind in ("integer", "decimal", "continuous", "coded"):
            found += [_number(column, *one) for one in _sentinel_numbers(column)]
        elif known.kind == "datetime" and column.family == "datetime":
            found += [_date(column, *one) for one in _sentinel_dates(column)]
    return found


def _values(column: RawColumn) -> tuple[np.ndarray, np.ndarray]:
    return np.unique(column.values[~column.missing], return_counts=True)


def _sentinel_numbers(column: RawColumn) -> list[tuple[float, int, float, float]]:
    """Value, its cells, and the range of the others."""
    values, counts = _values(column)
    if counts.sum() < _FEWEST_ROWS:
        return []
    found = []
    for at_end in (False, True):
        kept_values, kept_counts = values, counts
        while len(kept_values) > 3 and _is_sentinel(kept_values, kept_counts, at_end):
            place = len(kept_values) - 1 if at_end else 0
            one, n = float(kept_values[place]), int(kept_counts[place])
            kept_values, kept_counts = np.delete(kept_values, place), np.delete(kept_counts, place)
            found.append((one, n))
        values, counts = kept_values, kept_counts
    return [(one, n, float(values[0]), float(values[-1])) for one, n in found]


def _is_sentinel(values: np.ndarray, counts: np.ndarray, at_end: bool) -> bool:
    place, nearest = (-1, -2) if at_end else (0, 1)
    value, n = float(values[place]), int(counts[place])
    others = np.delete(values, place)
    other_counts = np.delete(counts, place)
    if value == 0:
        return not at_end and _is_empty_zero(others, other_counts, n)
    if not _FORM.fullmatch(shown_number(value)):
        return False
    gap, width = abs(value - float(values[nearest])), float(others.max() - others.min())
    if gap > width and abs(value) >= 99:
        return True
    if n < _FEWEST_CELLS or len(others) < _FEWEST_OTHERS:
        return False
    if value < 0 and others.min() >= 0:
        return True
    near = other_counts[-10:] if at_end else other_counts[:10]
    return gap > np.diff(others[-10:] if at_end else others[:10]).max() and n >= _PILE * near.max()


def _is_empty_zero(others: np.ndarray, counts: np.ndarray, n: int) -> bool:
    """Whether zeros lie far below a heap of positive numbers that ends long before zero."""
    if n < _FEWEST_ZEROS or len(others) < _FEWEST_OTHERS or others.min() <= 0 or n >= counts.sum():
        return False
    cells = np.repeat(others, counts)
    middle = float(np.median(cells))
    spread = 1.4826 * float(np.median(np.abs(cells - middle)))
    return middle >= _SPREADS * spread and float(others.min()) >= _GAP * middle


def _number(column: RawColumn, value: float, n: int, low: float, high: float) -> Finding:
    whole = int(value) if value.is_integer() else value
    found = _found(column, shown_number(value), n, shown_number(low), shown_number(high))
    if not value:  # zeros of other columns are zeros
        return replace(found, advice="if it means missing, put nan in these cells", value=whole)
    return replace(
        found,
        advice=f"if it means missing, say missing_values=[{shown_number(value)}]",
        parameters={"missing_values": [whole]},
        value=whole,
    )


def _found(column: RawColumn, shown: str, n: int, low: str, high: str) -> Finding:
    name = str(column.name)
    mark = f"{name}={shown}"
    return Finding(
        "sentinel",
        (column.name,),
        f"column {name!r} holds {shown} in {n} cells, all others lie from {low} to {high}",
        option=f"if it means missing, add --missing {mark!r}",
        flags=("--missing", mark),
    )


def _sentinel_dates(column: RawColumn) -> list[tuple[str, int, str, str]]:
    values, counts = _values(column)
    if counts.sum() < _FEWEST_ROWS or len(values) < 4:
        return []
    days = [str(day)[:10] for day in times_as_index(values[[0, -1]], column).tz_localize(None)]
    found = []
    for at_end, place, nearest in ((False, 0, 1), (True, -1, -2)):
        others, other_counts = np.delete(values, place), np.delete(counts, place)
        gap, width = abs(int(values[place]) - int(values[nearest])), int(others.max()) - int(others.min())
        far = gap > width
        piled = counts[place] >= max(_PILE * other_counts.max(), _FEWEST_CELLS)
        if days[at_end] in _DATES and (far or piled):
            low, high = (str(day)[:10] for day in times_as_index(others[[0, -1]], column).tz_localize(None))
            found.append((days[at_end], int(counts[place]), low, high))
    return found


def _date(column: RawColumn, day: str, n: int, low: str, high: str) -> Finding:
    return replace(
        _found(column, day, n, low, high),
        advice=f"if it means missing, say missing_values=[pd.Timestamp({day!r})]",
        parameters={"missing_values": [pd.Timestamp(day)]},
        value=pd.Timestamp(day),
    )
