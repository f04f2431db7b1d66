"""Fills of a fitted column as a table at hand takes them."""

from __future__ import annotations

import numpy as np

from tabgan.tables.cells import fill_cells
from tabgan.tables.columns import RawColumn
from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.slots import in_unit

__all__ = ["for_column", "repeated"]


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


def for_column(fill: np.ndarray, known: ColumnSchema, column: RawColumn) -> np.ndarray:
    """Turn fills of a fitted column into fills of the table at hand, whose unit or family may differ."""
    if column.dtype.lower() == "object" or (column.all_missing and known.family != column.family):
        # The schema says what comes back, not the cells that this table happens to hold.
        return fill_cells(known.like(fill), fill)
    if column.family in ("datetime", "timedelta"):
        return in_unit(fill, known.unit, column.unit)
    return fill
