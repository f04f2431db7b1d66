"""Fills moved by an amount that the user gives: delta adjustment, for values that are missing because of what they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import isfinite
from numbers import Real
from typing import Any, cast

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidParameterError
from tabgan.tables.columns import Table
from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.schema import TableSchema, column_position
from tabgan.tables.slots import natural_ends
from tabgan.tables.written_times import WRITTEN

__all__ = ["moved_fills", "read_deltas"]

_NUMBERS = ("continuous", "integer", "decimal", "coded")
_TIMES = ("datetime", "timedelta")


def read_deltas(delta: Any, table: Table, schema: TableSchema) -> dict[int, float | int]:
    """Check what is to be added to imputed values.

    Parameters
    ----------
    delta : mapping or None
        By name or position of a column: a number in its units, or a timedelta for dates and durations.
    table : Table
        With the columns of ``schema``.
    schema : TableSchema

    Returns
    -------
    dict of int to float or int
        By position. Numbers as floats, or as ints for a column of whole numbers beyond 2**53; of times the number of their units, of
        written times that of their steps.

    Raises
    ------
    InvalidParameterError
        It is no mapping, names no column, names a column that holds no numbers or times or does not vary, or a value is no finite
        number or time span.
    """
    if delta is None:
        return {}
    if not isinstance(delta, Mapping):
        raise InvalidParameterError(
            f"delta={delta!r} must be a dict of column names (or positions) to what is added to their imputed values, as in "
            "{'income': -5000}."
        )
    found = {}
    for key, amount in delta.items():
        j = column_position(table, key, "delta")
        if j in found:
            raise InvalidParameterError(f"delta names column {table.names[j]!r} twice, by name and by position.")
        found[j] = _amount(key, amount, schema.columns[j])
    return found


def _amount(key: Any, amount: Any, known: ColumnSchema) -> float | int:
    head = f"delta[{key!r}]={amount!r}"
    if known.kind in _TIMES:
        return _units(head, amount, known)
    if known.kind not in _NUMBERS:
        why = "held one value or none in fit" if known.kind in ("constant", "empty") else f"is {known.kind}"
        raise InvalidParameterError(
            f"{head} is not valid: column {known.name!r} {why}, and only numbers, dates and durations can be moved by an amount."
        )
    if not isinstance(amount, Real) or isinstance(amount, bool | np.timedelta64) or not isfinite(amount):
        raise InvalidParameterError(
            f"{head} is not valid for column {known.name!r}; it must be a finite number, in units of the column."
        )
    return round(float(amount)) if isinstance(known.lower, int) else float(amount)


def _units(head: str, amount: Any, known: ColumnSchema) -> int:
    """A time span in the column's units."""
    if not isinstance(amount, (timedelta, np.timedelta64)) or pd.isna(amount):
        raise InvalidParameterError(
            f"{head} is not valid for column {known.name!r}, which holds times; it must be a timedelta, such as "
            "pandas.Timedelta(days=3)."
        )
    unit = WRITTEN[known.written].unit if known.written else cast(str, known.unit)
    if unit == "M":
        raise InvalidParameterError(
            f"{head} is not valid: column {known.name!r} counts months, which are no fixed time; convert it to dates first."
        )
    return round(pd.Timedelta(amount) / pd.Timedelta(1, unit))


def moved_fills(fills: np.ndarray, by: float | int, known: ColumnSchema, *, rounded: bool) -> np.ndarray:
    """Fills of a column, moved.

    Parameters
    ----------
    fills : ndarray of shape (n,)
        In the representation and unit of the fitted column.
    by : float or int
        As `read_deltas` gives it.
    known : ColumnSchema
    rounded : bool
        Fills look like observed values.

    Returns
    -------
    ndarray of shape (n,)
        With the decimals, steps or listed values of the column. They may leave the observed range by as much as they are moved, but
        not their sign, nor [0, 1] if that is where all observed numbers are.
    """
    if known.kind in _TIMES:
        return _moved_times(fills, int(by), known, rounded)
    lower, upper = cast(float, known.lower), cast(float, known.upper)
    least, most = natural_ends(lower, upper)
    if known.kind == "coded" and (rounded or known.integer_dtype):
        listed = np.array(known.levels)
        wanted = np.array([value + by for value in fills.tolist()])
        return listed[np.searchsorted((listed[1:] + listed[:-1]) / 2, wanted)]
    if isinstance(known.lower, int):  # beyond what float64 tells apart
        limits = np.iinfo(fills.dtype)
        ends = [max(limits.min, 0) if least == 0 else limits.min, 0 if most == 0 else limits.max]
        return np.array([min(max(value + int(by), ends[0]), ends[1]) for value in fills.tolist()], dtype=fills.dtype)
    numbers = np.clip(fills + by, least, most)
    if known.decimals is not None and rounded:
        return np.clip(np.round(numbers, known.decimals), least, most)
    return np.rint(numbers) if known.integer_dtype else numbers


def _moved_times(fills: np.ndarray, by: int, known: ColumnSchema, rounded: bool) -> np.ndarray:
    written = None if known.written is None else WRITTEN[known.written]
    step = (known.granularity or 1) if rounded else 1
    by = round(by / step) * step
    if written is None:
        ticks, least, most = fills, -(2**63) + 1, 2**63 - 1
        if known.kind == "timedelta":
            least, most = (0 if cast(int, known.lower) >= 0 else least), (0 if cast(int, known.upper) <= 0 else most)
    else:
        ticks = written.ticks(fills)[0]
        least, most = written.ticks(np.array([written.lowest, written.highest]))[0].tolist()
    moved = np.array([min(max(tick + by, least), most) for tick in ticks.tolist()], dtype=np.int64)
    return moved if written is None else written.values(moved)
