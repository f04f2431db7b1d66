"""Columns of Python objects: what family their cells have, and fills in the cells' own Python types."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Hashable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.tables.columns import (
    EXACT,
    RawColumn,
    boolean_column,
    label_column,
    number_column,
    time_column,
    times_as_index,
    whole_column,
)
from tabgan.tables.markers import Markers

__all__ = ["fill_cells", "has_no_place", "read_cells"]

_CONTAINERS = (list, dict, set, np.ndarray, pd.Series, pd.DataFrame, pd.Index)
_ALWAYS_HASHABLE = (str, bytes, int, float, bool, np.generic, Decimal, datetime.date, datetime.timedelta, type(None))


def read_cells(name: Hashable, dtype: str, cells: np.ndarray, markers: Markers) -> RawColumn:
    """Column from an object array, which is not modified.

    All observed cells bool: ``"boolean"``; all real numbers: ``"number"``; all dates or datetimes with one time zone
    or none: ``"datetime"``; all timedeltas: ``"timedelta"``; else ``"text"``, whose labels are the very cells, with
    ``repr(cell)`` standing in for unhashable ones. A column without observed cells is text.

    Raises
    ------
    InvalidInputError
        A cell is complex, infinite, or holds several values (a list, a dictionary, a set, an array, a frame);
        tuples are labels.
    """
    # pandas raises at a signalling NaN instead of telling that it is one.
    signals = np.array([isinstance(cell, Decimal) and cell.is_snan() for cell in cells], dtype=bool)
    quiet = cells.copy()
    quiet[signals] = None
    missing: np.ndarray = np.asarray(pd.isna(quiet), dtype=bool)
    if not missing.any() and not len(cells):
        return label_column(name, dtype, cells.copy(), missing, markers)
    _refuse_containers(name, cells, missing)
    kinds = set(map(type, cells[~missing]))
    if any(issubclass(kind, complex | np.complexfloating) for kind in kinds):
        raise InvalidInputError(f"Complex data not supported: column {name!r} has complex cells; split or drop it.")
    labels = cells.copy()
    if not all(issubclass(kind, _ALWAYS_HASHABLE) for kind in kinds):
        for row in np.flatnonzero(~missing):
            labels[row] = _hashable(labels[row])
        return label_column(name, dtype, labels, missing, markers)
    # Markers go first: a column of numbers with "?" cells is a column of numbers.
    missing |= markers.match_labels(labels)
    kinds = set(map(type, cells[~missing]))
    column = _of_kinds(name, dtype, cells, labels, missing, markers, kinds)
    return replace(column, cell_type=_cell_type(kinds)) if kinds else column


def _of_kinds(
    name: Hashable,
    dtype: str,
    cells: np.ndarray,
    labels: np.ndarray,
    missing: np.ndarray,
    markers: Markers,
    kinds: set[type],
) -> RawColumn:
    """The column by the Python types of its observed cells."""
    if kinds and all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return boolean_column(name, dtype, _as_floats(cells, missing), markers)
    if kinds and all(issubclass(kind, numbers.Real | Decimal) for kind in kinds) and not kinds & {bool, np.bool_}:
        whole = _as_whole(cells, missing) if all(issubclass(kind, numbers.Integral) for kind in kinds) else None
        if whole is not None:
            return replace(whole_column(name, dtype, whole, missing, markers), integer_dtype=False)
        values = _as_floats(cells, missing)
        if all(issubclass(kind, numbers.Integral) for kind in kinds):
            _refuse_alike(name, cells[~missing], values[~missing])
        return number_column(name, dtype, values, markers)
    if kinds and all(issubclass(kind, datetime.date | np.datetime64) for kind in kinds):
        times, timezone = _as_datetimes(cells, missing, kinds)
        if times is not None:
            return time_column(name, dtype, times, markers, timezone=timezone)
    if kinds and all(issubclass(kind, datetime.timedelta | np.timedelta64) for kind in kinds):
        spans = _as_timedeltas(cells, missing)
        if spans is not None:
            return time_column(name, dtype, spans, markers)
    return label_column(name, dtype, labels, missing, markers)


def fill_cells(column: RawColumn, values: np.ndarray) -> np.ndarray:
    """Turn fills of a column of objects into Python objects of the type that its cells have.

    Parameters
    ----------
    column : RawColumn
        Of the fills' family, unit and time zone; its ``cell_type`` says what comes back.
    values : ndarray
        Fills in the representation of ``column.values``.

    Returns
    -------
    ndarray of object
        One cell per fill.
    """
    out = np.empty(len(values), dtype=object)
    out[:] = list(_as_python(column, values))
    return out


def has_no_place(column: RawColumn, values: np.ndarray) -> bool:
    """Whether fills are Python objects for a column without any observed cell whose dtype is for something else."""
    apart = values.dtype == object and column.family not in ("text", "category")
    return apart and column.all_missing and column.dtype.lower() != "object"


def _as_python(column: RawColumn, values: np.ndarray) -> Any:
    if values.dtype == object or column.family in ("text", "category"):
        return values.tolist()
    if column.family == "boolean":
        return (values >= 0.5).tolist()
    if column.family == "number":
        if values.dtype.kind in "iu":
            return values.tolist()
        if column.cell_type == "int" and (values == np.rint(values)).all():
            return [int(value) for value in values]
        if column.cell_type == "Decimal":
            return [Decimal(repr(float(value))) for value in values]
        return values.astype(np.float64).tolist()
    if column.cell_type in ("datetime64", "timedelta64"):
        return list(values.astype(f"{'M' if column.family == 'datetime' else 'm'}8[{column.unit}]"))
    index: Any = times_as_index(values, column)
    if column.cell_type == "timedelta":
        return index.to_pytimedelta().tolist()
    if column.cell_type in ("date", "datetime"):
        moments = index.to_pydatetime().tolist()
        return moments if column.cell_type == "datetime" else [moment.date() for moment in moments]
    return list(index)


def _cell_type(kinds: set[type]) -> str | None:
    """What Python type stands for these: that of whole numbers is int, of several kinds of times pandas' own."""
    if all(issubclass(kind, numbers.Integral) for kind in kinds):
        return "int"
    if datetime.date in kinds and len(kinds) > 1:  # every datetime is a date as well
        return None
    for name, kind in (
        ("Decimal", Decimal),
        ("datetime64", np.datetime64),
        ("timedelta64", np.timedelta64),
        ("Timestamp", pd.Timestamp),
        ("Timedelta", pd.Timedelta),
        ("datetime", datetime.datetime),
        ("timedelta", datetime.timedelta),
        ("date", datetime.date),
    ):
        if all(issubclass(one, kind) for one in kinds):
            return name
    return None


def _refuse_containers(name: Hashable, cells: np.ndarray, missing: np.ndarray) -> None:
    """A cell that holds several values has no place in a table of single ones, and its text would be no value at all."""
    if not any(issubclass(kind, _CONTAINERS) for kind in set(map(type, cells[~missing]))):
        return
    row = next(row for row in np.flatnonzero(~missing) if isinstance(cells[row], _CONTAINERS))
    raise InvalidInputError(
        f"column {name!r} has a {type(cells[row]).__name__} in row {row}: {str(cells[row])[:40]}; a cell must hold a single value. "
        "Give each part a column of its own, turn the cells into text, or drop the column."
    )


def _refuse_alike(name: Hashable, cells: np.ndarray, values: np.ndarray) -> None:
    """Different whole numbers of more than 64 bits, such as of parcels, may be one as floats; a fill would be none of them."""
    if np.abs(values).max() <= EXACT or len(np.unique(values)) == len(set(cells)) or np.isinf(values).any():
        return
    longest = max(cells, key=abs)
    raise InvalidInputError(
        f"column {name!r} holds whole numbers of more than 64 bits, such as {str(longest)[:40]}, that float64 does not tell apart; "
        "turn the cells into text, or drop the column."
    )


def _hashable(cell: Any) -> Any:
    """Return the cell itself, or its ``repr`` when it cannot be hashed."""
    try:
        hash(cell)
    except TypeError:
        return repr(cell)
    return cell


def _as_whole(cells: np.ndarray, missing: np.ndarray) -> np.ndarray | None:
    """Whole numbers beyond 2**53 in 64 bits; None where float64 does for them, or 64 bits do not."""
    observed = [int(cell) for cell in cells[~missing]]
    if max(observed) <= EXACT and min(observed) >= -EXACT:
        return None
    for dtype in (np.int64, np.uint64):
        limits = np.iinfo(dtype)
        if limits.min <= min(observed) and max(observed) <= limits.max:
            whole: np.ndarray = np.zeros(len(cells), dtype=dtype)
            whole[~missing] = np.array(observed, dtype=dtype)
            return whole
    return None


def _as_floats(cells: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Float64 array of number cells, nan where missing; integers beyond float64 become inf."""
    values = np.full(len(cells), np.nan)
    try:
        values[~missing] = cells[~missing].astype(np.float64)
    except OverflowError:
        values[~missing] = [_as_float(cell) for cell in cells[~missing]]
    return values


def _as_float(cell: Any) -> float:
    try:
        return float(cell)
    except OverflowError:
        return np.inf if cell > 0 else -np.inf


def _as_datetimes(cells: np.ndarray, missing: np.ndarray, kinds: set[type]) -> tuple[np.ndarray | None, str | None]:
    """Numpy datetimes (UTC if zoned) and the zone's name; None where zones are mixed or a date is out of range."""
    observed = cells[~missing]
    zones = {getattr(cell, "tzinfo", None) for cell in observed}
    if len({str(zone) for zone in zones}) > 1:
        return None, None
    zone = zones.pop()
    try:
        if kinds == {datetime.date}:
            return _spread(observed.astype("M8[D]"), missing), None
        if zone is None:
            return _spread(pd.DatetimeIndex(list(observed)).to_numpy(), missing), None
        index = pd.DatetimeIndex(list(observed)).tz_convert("UTC")
        index.tz_convert(str(zone))
    except (ValueError, TypeError, OverflowError, KeyError):
        return None, None
    return _spread(index.tz_localize(None).to_numpy(), missing), str(zone)


def _as_timedeltas(cells: np.ndarray, missing: np.ndarray) -> np.ndarray | None:
    """Numpy timedeltas; None where one is longer than pandas can count."""
    try:
        return _spread(pd.TimedeltaIndex(list(cells[~missing])).to_numpy(), missing)
    except (ValueError, OverflowError):
        return None


def _spread(observed: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Put times at the observed rows and NaT elsewhere."""
    times = np.full(len(missing), "NaT", dtype=observed.dtype)
    times[~missing] = observed
    return times
