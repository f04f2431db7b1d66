"""One column of a user's table in a container-free form, and the ``Table`` interface around a list of them."""

from __future__ import annotations

import abc
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.tables.markers import Markers

__all__ = [
    "EXACT",
    "Family",
    "RawColumn",
    "RowUniform",
    "Table",
    "as_floats",
    "blank_labels",
    "boolean_column",
    "label_column",
    "number_column",
    "time_column",
    "times_as_index",
    "unsupported_dtype",
    "whole_column",
    "whole_numbers",
]

RowUniform = Callable[[str, np.ndarray, int], np.ndarray]
"""``uniform(name, rows, size)``: numbers within [0, 1) of shape (n_rows, size) for the rows of these numbers, for one purpose."""

EXACT = 2**53
"""Beyond it float64 does not hold every whole number."""

Family = Literal["number", "boolean", "text", "category", "datetime", "timedelta"]


@dataclass(frozen=True)
class RawColumn:
    """A column as plain numpy arrays.

    Parameters
    ----------
    name : Hashable
        Column name; the integer position in an array without names.
    dtype : str
        Native dtype as text, for messages.
    family : {"number", "boolean", "text", "category", "datetime", "timedelta"}
        What the cells are.
    values : ndarray of shape (n,)
        ``"number"``: float64 with nan where missing; whole numbers beyond 2**53, which float64 cannot tell apart: int64 or uint64 with
        0 where missing. ``"boolean"``: float64 0/1 with nan where missing. ``"text"`` and
        ``"category"``: object array of labels with None where missing. ``"datetime"`` and ``"timedelta"``: int64 in
        the column's own ``unit`` with 0 where missing (datetimes with a time zone count in UTC).
    missing : ndarray of bool of shape (n,)
        True where the cell is missing.
    integer_dtype : bool, default=False
        The native dtype holds integers only, so fills must be whole.
    categories : tuple or None, default=None
        Declared categories in order (less those that mark missing cells), or None.
    ordered : bool, default=False
        The declared categories have an order.
    unit : str or None, default=None
        ``"D"``, ``"s"``, ``"ms"``, ``"us"`` or ``"ns"`` for datetimes and timedeltas.
    timezone : str or None, default=None
        Time zone of a datetime column that has one.
    cell_type : str or None, default=None
        Of a column of Python objects: the name of their type where it makes a difference (``"int"``, ``"Decimal"``, ``"date"``, ...).
    """

    name: Hashable
    dtype: str
    family: Family
    values: np.ndarray
    missing: np.ndarray
    integer_dtype: bool = False
    categories: tuple | None = None
    ordered: bool = False
    unit: str | None = None
    timezone: str | None = None
    cell_type: str | None = None

    @property
    def all_missing(self) -> bool:
        """Whether no cell is observed."""
        return bool(self.missing.all())


class Table(abc.ABC):
    """A user's table, read column by column, that can give back a filled copy of itself.

    Parameters
    ----------
    columns : list of RawColumn
        The columns, in the table's order.
    n_rows : int
        Number of rows.

    Attributes
    ----------
    names : list of Hashable
        Column names in order; ``0..n_columns-1`` for arrays.
    has_names : bool
        False for arrays, whose columns go by position.
    listed : bool
        True for lists of lists: the type of their cells is what the rows at hand happen to hold.
    """

    has_names: bool = True
    listed: bool = False

    def __init__(self, columns: list[RawColumn], n_rows: int) -> None:
        self.columns = columns
        self.names: list[Hashable] = [column.name for column in columns]
        self.n_rows = n_rows
        self.n_columns = len(columns)

    def filled(self, fills: dict[int, np.ndarray], keep: Sequence[int] | None = None) -> Any:
        """Copy of the user's table with missing cells filled; everything observed comes back bit for bit.

        Parameters
        ----------
        fills : dict of int to ndarray
            ``fills[j]`` holds the values for exactly the missing rows of column ``j``, in row order, in the
            representation of ``RawColumn.values``. None and nan (and the int64 NaT value for times) leave a cell
            missing. A column without any observed cell also takes an object array of Python values of any family;
            its dtype then follows the fills if it cannot hold them.
        keep : sequence of int, default=None
            Positions of the columns to return, in that order; None returns all.

        Returns
        -------
        container
            Same kind as the input; a list of lists gives an ndarray. The input is never modified.

        Raises
        ------
        InvalidInputError
            A fill has the wrong length, or the column's dtype cannot hold it.
        """
        wanted = list(range(self.n_columns)) if keep is None else [int(j) for j in keep]
        kept = set(wanted)
        active: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for j, fill in fills.items():
            column = self.columns[j]
            rows = np.flatnonzero(column.missing)
            fill = np.asarray(fill)
            if fill.shape != rows.shape:
                raise InvalidInputError(
                    f"column {column.name!r} has {rows.size} missing cells but fills of shape {fill.shape} came."
                )
            given = ~blank_labels(fill, times=column.family in ("datetime", "timedelta"))
            if j in kept and given.any():
                active[j] = (rows[given], fill[given])
        return self._filled(active, wanted)

    def with_rows(
        self, parents: np.ndarray, cells: dict[int, tuple[np.ndarray, np.ndarray]], *, only: bool = False
    ) -> Any:
        """Copy of the user's table with further rows at its end, each the copy of a row with some cells overwritten.

        Parameters
        ----------
        parents : ndarray of int of shape (n_new,)
            Which row of the table each new row starts as.
        cells : dict of int to (rows, values)
            ``cells[j] = (rows, values)``: positions among the new rows, and what column ``j`` holds there, in the
            representation of ``RawColumn.values``.
        only : bool, default=False
            Leave the table's own rows out.

        Returns
        -------
        container
            Same kind as the input, with the dtypes of the input; pandas frames are numbered anew. Every original row comes
            back bit for bit.

        Raises
        ------
        InvalidInputError
            A column's dtype cannot hold a value.
        """
        own = np.arange(0 if only else self.n_rows)
        longer = self._taken(np.concatenate([own, np.asarray(parents, dtype=np.int64)]))
        shifted = {j: (np.asarray(rows) + len(own), values) for j, (rows, values) in cells.items() if len(rows)}
        return longer._filled(shifted, list(range(self.n_columns)))

    @abc.abstractmethod
    def _taken(self, rows: np.ndarray) -> Table:
        """A table of the given rows, in that order, of the same container."""

    @abc.abstractmethod
    def _filled(self, fills: dict[int, tuple[np.ndarray, np.ndarray]], keep: list[int]) -> Any:
        """Return columns ``keep`` with ``fills[j] = (rows, values)`` written into column ``j``."""


def blank_labels(values: np.ndarray, *, times: bool = True) -> np.ndarray:
    """Find where a fill says "leave missing": None, nan, pd.NA, NaT, or, of times, NaT's int64 value."""
    if values.dtype.kind == "i" and times:
        return values == np.iinfo(np.int64).min
    return np.asarray(pd.isna(values), dtype=bool)


def number_column(
    name: Hashable, dtype: str, values: np.ndarray, markers: Markers, *, integer_dtype: bool = False
) -> RawColumn:
    """Column of real numbers; ``values`` is an owned float64 array, nan where missing.

    Raises
    ------
    InvalidInputError
        An observed cell is infinite.
    """
    values[markers.match_numbers(values)] = np.nan
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise InvalidInputError(
            f"column {name!r} has {values[row]} in row {row} (Input X contains infinity or a value too large); "
            "replace it, or mark it as missing with missing_values."
        )
    return RawColumn(name, dtype, "number", values, np.isnan(values), integer_dtype)


def whole_column(name: Hashable, dtype: str, values: np.ndarray, missing: np.ndarray, markers: Markers) -> RawColumn:
    """Column of an integer dtype; ``values`` is an owned array of int64 or uint64, whatever where ``missing``, an owned mask."""
    missing |= markers.match_whole(values)
    values[missing] = 0
    if (values.max(initial=0) <= EXACT) and (values.min(initial=0) >= -EXACT):
        numbers = values.astype(np.float64)
        numbers[missing] = np.nan
        return RawColumn(name, dtype, "number", numbers, missing, integer_dtype=True)
    return RawColumn(name, dtype, "number", values, missing, integer_dtype=True)


def boolean_column(name: Hashable, dtype: str, values: np.ndarray, markers: Markers) -> RawColumn:
    """Column of truth values; ``values`` is an owned float64 array of 0, 1 and nan."""
    values[markers.match_booleans(values)] = np.nan
    return RawColumn(name, dtype, "boolean", values, np.isnan(values))


def label_column(
    name: Hashable,
    dtype: str,
    labels: np.ndarray,
    missing: np.ndarray,
    markers: Markers,
    *,
    categories: Sequence | None = None,
    ordered: bool = False,
    family: Family = "text",
) -> RawColumn:
    """Column of labels; ``labels`` is an owned object array of hashable cells, ``missing`` an owned mask."""
    missing |= markers.match_labels(labels)
    labels[missing] = None
    declared = None
    if categories is not None:
        listed = np.empty(len(categories), dtype=object)
        listed[:] = list(categories)
        declared = tuple(listed[~markers.match_labels(listed)])
    return RawColumn(name, dtype, family, labels, missing, categories=declared, ordered=ordered)


def time_column(
    name: Hashable, dtype: str, times: np.ndarray, markers: Markers, *, timezone: str | None = None
) -> RawColumn:
    """Column of datetimes or timedeltas from a numpy array of either kind (UTC when ``timezone`` is given).

    Raises
    ------
    InvalidInputError
        The unit is longer than a day (months, years), so that it is no fixed span of time.
    """
    family: Family = "datetime" if times.dtype.kind == "M" else "timedelta"
    unit, step = np.datetime_data(times.dtype)
    if unit not in ("D", "s", "ms", "us", "ns") or step != 1:
        if unit not in ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns"):
            raise InvalidInputError(f"column {name!r} has dtype {dtype}, which is not supported; convert it to 'ns'.")
        unit = "s"
        times = times.astype(f"{times.dtype.kind}8[s]")
    missing = np.isnat(times)
    values = times.astype(np.int64)
    missing |= markers.match_times(values, missing, family, unit)
    values[missing] = 0
    return RawColumn(name, dtype, family, values, missing, unit=unit, timezone=timezone)


def times_as_index(values: np.ndarray, column: RawColumn) -> pd.DatetimeIndex | pd.TimedeltaIndex:
    """Pandas index of the int64 times of ``column``, in its unit (days become seconds) and time zone."""
    if column.family == "timedelta":
        return pd.TimedeltaIndex(_with_pandas_unit(values.astype(f"m8[{column.unit}]")))
    index = pd.DatetimeIndex(_with_pandas_unit(values.astype(f"M8[{column.unit}]")))
    return index if column.timezone is None else index.tz_localize("UTC").tz_convert(column.timezone)


def _with_pandas_unit(times: np.ndarray) -> np.ndarray:
    """Return times in days as seconds, which is pandas' longest unit; others as they are."""
    return times.astype(f"{times.dtype.kind}8[s]") if np.datetime_data(times.dtype)[0] == "D" else times


def as_floats(values: np.ndarray) -> np.ndarray:
    """Float64 copy of fills; digits in text stay text.

    Raises
    ------
    TypeError
        A fill is no number.
    """
    if values.dtype.kind not in "biuf" and any(isinstance(value, str | bytes) for value in values):
        raise TypeError("text cannot fill a column of numbers")
    return values.astype(np.float64)


def whole_numbers(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """``values`` rounded, in the integer ``dtype``, or in a wider one where that cannot hold them."""
    if values.dtype.kind not in "iu":
        limits = np.iinfo(np.uint64 if dtype.kind == "u" else np.int64)
        largest = np.nextafter(float(limits.max), 0.0)
        values = np.clip(np.rint(values.astype(np.float64)), float(limits.min), largest).astype(limits.dtype)
    lowest, highest = int(values.min(initial=0)), int(values.max(initial=0))
    wider = [np.dtype(f"{dtype.kind}{size}") for size in (2, 4, 8) if size > dtype.itemsize]
    for wide in (dtype, *wider, np.dtype(np.int64), np.dtype(np.uint64)):
        limits = np.iinfo(wide)
        if limits.min <= lowest and highest <= limits.max:
            return values.astype(wide)
    return values


def float_numbers(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """``values`` in a float ``dtype``, or as float64 where some would become infinite in it."""
    numbers = values.astype(np.float64)
    largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)
    return numbers if largest > np.finfo(dtype).max else numbers.astype(dtype)


def unsupported_dtype(name: Hashable, dtype: str, advice: str) -> InvalidInputError:
    """Error for a column of a dtype that no model column stands for."""
    return InvalidInputError(f"column {name!r} has dtype {dtype}, which is not supported; {advice}.")
