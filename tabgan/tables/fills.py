"""Fills of a fitted column as a table at hand takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from tabgan.tables.cells import fill_cells
from tabgan.tables.columns import RawColumn, RowUniform
from tabgan.tables.indicator_groups import settle_fills
from tabgan.tables.kept_rules import keep_rules, lean_of_orders
from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.schema import TableSchema
from tabgan.tables.slots import in_unit

__all__ = ["for_column", "is_whole", "keep_what_holds", "repeated"]

_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")


def repeated(known: ColumnSchema, size: int) -> np.ndarray:
    """``size`` copies of a constant column's value in the representation of its family."""
    if known.family in ("number", "boolean"):
        whole = isinstance(known.constant, int) and not isinstance(known.constant, bool)
        return np.array([known.constant] * size) if whole else np.full(size, known.constant, dtype=np.float64)
    if known.family in ("datetime", "timedelta"):
        return np.full(size, known.constant, dtype=np.int64)
    fill = np.empty(size, dtype=object)
    fill[:] = [known.constant] * size
    return fill


def keep_what_holds(
    schema: TableSchema,
    columns: Sequence[RawColumn],
    fills: dict[int, np.ndarray],
    likely: Callable[[int, np.ndarray], np.ndarray],
    uniform: RowUniform | None,
    *,
    rounded: bool,
) -> None:
    """Let fills keep one-hot groups and, where these allow it, rules, in place; see `settle_fills` and `keep_rules`."""
    indicators = [j for group in schema.indicator_groups for j in group.columns]
    rules = schema.rules
    lean = {} if rules is None else lean_of_orders(rules, schema.columns, columns, fills, indicators)

    def leaning(j: int, rows: np.ndarray) -> np.ndarray:
        return likely(j, rows) + (10.0 * lean[j][rows] if j in lean else 0.0)

    settle_fills(schema.indicator_groups, columns, fills, leaning, uniform)
    if rules is not None:
        keep_rules(rules, schema.columns, columns, fills, rounded=rounded, settled=indicators)


def for_column(fill: np.ndarray, known: ColumnSchema, column: RawColumn) -> np.ndarray:
    """Turn fills of a fitted column into fills of the table at hand, whose unit or family may differ.

    Where a column has no observed cell and its dtype has no place for what ``fit`` saw, these are Python objects, which the table
    takes for a dtype that has.
    """
    if column.dtype.lower() == "object" or (column.all_missing and not _has_place(column, known)):
        # The schema says what comes back, not the cells that this table happens to hold.
        return fill_cells(known.like(fill), fill)
    if column.family in ("datetime", "timedelta"):
        return in_unit(fill, known.unit, column.unit)
    return fill


def _has_place(column: RawColumn, known: ColumnSchema) -> bool:
    """Whether the dtype of a column without any observed cell can hold whatever ``fit`` saw."""
    if known.family != column.family:
        return {known.family, column.family} == {"text", "category"}
    if known.family == "number":
        if "decimal" in column.dtype.lower() and "decimal" not in known.dtype.lower():
            return False
        return (is_whole(known) if column.integer_dtype else not isinstance(known.lower, int)) and _spans(column, known)
    if known.family == "datetime" and (known.timezone is None) != (column.timezone is None):
        return False
    if known.unit is not None and column.unit is not None:
        return _UNITS.index(column.unit) >= _UNITS.index(known.unit)
    return True


def _spans(column: RawColumn, known: ColumnSchema) -> bool:
    """Whether the range of numbers seen in ``fit`` lies within that of a column's dtype."""
    text = column.dtype.lower().replace("halffloat", "float16")
    named = re.match(r"u?int\d+|float\d+", text)
    seen = [value for value in (known.lower, known.upper, known.constant, *known.levels) if value is not None]
    if named is None or not seen:
        return True
    dtype = np.dtype(named[0])
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    return bool(limits.min <= min(seen) and max(seen) <= limits.max)


def is_whole(known: ColumnSchema) -> bool:
    """Whether all numbers of a column are whole."""
    if known.integer_dtype or known.decimals == 0:
        return True
    values = known.levels or (() if known.constant is None else (known.constant,))
    return bool(values) and all(float(value).is_integer() for value in values)
