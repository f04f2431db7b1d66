"""Columns of cells that have types of their own, as JSON and workbooks hold them."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pandas as pd

from tabgan.cli.files.table_source import json_value, marker_of

__all__ = ["kinds_of", "typed_cells", "without_markers"]


def without_markers(cells: Sequence[Any], markers: Collection[str]) -> tuple[list[Any], Counter[str]]:
    """The cells with None for those that are written as a marker, and how often each marker was found."""
    found = [None if cell is None or not markers else marker_of(cell, markers) for cell in cells]
    counts = Counter(marker for marker in found if marker is not None)
    return [cell if marker is None else None for cell, marker in zip(cells, found, strict=True)], counts


def kinds_of(cells: Collection[Any]) -> set[type]:
    """Types of the cells that are not missing; `Wide` stands for whole numbers beyond 64 bits."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if int in kinds and any(type(cell) is int and abs(cell) >= 2**63 for cell in cells):
        kinds.add(Wide)
    return kinds


class Wide:
    """Whole numbers beyond 64 bits, among the kinds of cells."""


def typed_cells(cells: list[Any], kinds: Collection[type] | None = None) -> tuple[pd.Series, Callable[[Any], Any]]:
    """A column as the model wants it, and what makes a cell of one of its values.

    Parameters
    ----------
    cells : list
        Numbers, truth values, texts, dates or times; None where one is missing.
    kinds : collection of type, default=None
        What `kinds_of` says of all parts of the column; None has these cells alone.

    Returns
    -------
    values : pandas.Series
        Cells of mixed kinds stay what they are.
    render : callable
    """
    kinds = set(kinds_of(cells) if kinds is None else kinds)
    if kinds == {str}:
        return pd.Series(cells, dtype="str"), str
    if kinds == {bool}:
        return pd.Series(cells, dtype="boolean"), bool
    if kinds == {int}:
        return pd.Series(cells, dtype="Int64"), lambda value: round(float(value))
    if kinds and kinds <= {int, float, Wide}:
        numbers = [math.nan if cell is None else float(cell) for cell in cells]
        whole = float not in kinds
        return pd.Series(numbers, dtype="float64"), lambda value: round(float(value)) if whole else float(value)
    if kinds and kinds <= {datetime.date, datetime.datetime}:
        return pd.Series(pd.to_datetime(pd.Series(cells, dtype=object)), dtype="datetime64[us]"), pd.Timestamp
    if kinds and kinds <= {datetime.time, datetime.timedelta}:
        spans = [_span(cell) if isinstance(cell, datetime.time) else cell for cell in cells]
        return pd.Series(spans, dtype="timedelta64[us]"), pd.Timedelta
    series = pd.Series([None] * len(cells), dtype=object)
    series[:] = cells
    return series, json_value


def _span(time: datetime.time) -> datetime.timedelta:
    return datetime.datetime.combine(datetime.date.min, time) - datetime.datetime.combine(
        datetime.date.min, datetime.time()
    )
