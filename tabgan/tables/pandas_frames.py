"""Pandas data frames with numpy, nullable, Arrow-backed, categorical and sparse columns."""

from __future__ import annotations

import datetime
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.tables.arrow_types import as_decimals, filled_dictionary, has_null_label, is_supported_arrow
from tabgan.tables.cells import fill_cells, has_no_place, read_cells
from tabgan.tables.columns import (
    RawColumn,
    Table,
    as_floats,
    boolean_column,
    float_numbers,
    label_column,
    number_column,
    time_column,
    times_as_index,
    unsupported_dtype,
    whole_column,
    whole_numbers,
)
from tabgan.tables.markers import Markers

__all__ = ["PandasTable"]


class PandasTable(Table):
    """A ``pandas.DataFrame``.

    Parameters
    ----------
    frame : pandas.DataFrame
        Kept by reference and never modified.
    markers : Markers
        What stands for missing besides nan and its kin.

    Raises
    ------
    InvalidInputError
        A column has a dtype without a model column (complex, period, interval, list, ...) or an infinite cell.
    """

    def __init__(self, frame: pd.DataFrame, markers: Markers) -> None:
        self._frame = frame
        self._markers = markers
        columns = [_read(frame.iloc[:, j], name, markers) for j, name in enumerate(frame.columns)]
        super().__init__(columns, len(frame))

    def _taken(self, rows: np.ndarray) -> PandasTable:
        return PandasTable(self._frame.iloc[rows].reset_index(drop=True), self._markers)

    def _filled(self, fills: dict[int, tuple[np.ndarray, np.ndarray]], keep: list[int]) -> pd.DataFrame:
        everything = keep == list(range(self.n_columns))
        out = self._frame.copy() if everything else self._frame.iloc[:, keep].copy()
        for position, j in enumerate(keep):
            if j in fills:
                filled = _fill(self._frame.iloc[:, j], self.columns[j], *fills[j])
                out.isetitem(position, filled.set_axis(out.index))
        return out


def _read(series: pd.Series, name: Hashable, markers: Markers, dtype_text: str | None = None) -> RawColumn:
    dtype = series.dtype
    text = dtype_text or str(dtype)
    if isinstance(dtype, pd.SparseDtype):
        return _read(series.sparse.to_dense(), name, markers, text)
    if isinstance(dtype, pd.CategoricalDtype):
        return _read_category(series, name, text, markers)
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype):
        raise unsupported_dtype(name, text, "convert it to timestamps, numbers or labels, or drop it")
    if isinstance(dtype, pd.ArrowDtype):
        _check_arrow(series, name, text)
    kind = getattr(dtype, "kind", "O")
    if kind == "c":
        raise InvalidInputError(f"Complex data not supported: column {name!r} has dtype {text}; split or drop it.")
    arrow = _arrow_type(dtype)
    if kind in "iu":
        missing = series.isna().to_numpy(dtype=bool, copy=True)
        whole = (
            series.to_numpy(dtype=np.uint64 if kind == "u" else np.int64, na_value=0)
            if missing.any()
            else series.to_numpy()
        )
        return whole_column(name, text, np.array(whole, dtype=np.uint64 if kind == "u" else np.int64), missing, markers)
    if kind == "f" or arrow.startswith("decimal"):
        values = np.array(series.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, copy=True)
        return number_column(name, text, values, markers)
    if kind == "b":
        return boolean_column(name, text, np.array(series.to_numpy(dtype=np.float64, na_value=np.nan)), markers)
    if kind == "M":
        index = pd.DatetimeIndex(series)
        timezone = None if index.tz is None else str(index.tz)
        times = (index if timezone is None else index.tz_convert("UTC").tz_localize(None)).to_numpy()
        times = times.astype("M8[D]") if arrow.startswith("date") else times
        return time_column(name, text, times, markers, timezone=timezone)
    if kind == "m":
        return time_column(name, text, pd.TimedeltaIndex(series).to_numpy(), markers)
    cells = series.to_numpy(dtype=object)
    if isinstance(dtype, pd.StringDtype) or arrow:
        return label_column(name, text, cells.copy(), series.isna().to_numpy(copy=True), markers)
    return read_cells(name, text, cells, markers)


def _check_arrow(series: pd.Series, name: Hashable, text: str) -> None:
    kind = series.dtype.pyarrow_dtype
    if not is_supported_arrow(kind):
        raise unsupported_dtype(name, text, "convert it to numbers or labels, or drop it")
    if str(kind).startswith("dictionary<") and has_null_label(series.array.__arrow_array__().chunks):
        raise unsupported_dtype(name, text, "its dictionary holds a null: cast it to the type of its values")


def _read_category(series: pd.Series, name: Hashable, text: str, markers: Markers) -> RawColumn:
    categories = np.empty(len(series.cat.categories), dtype=object)
    categories[:] = list(series.cat.categories)
    codes = series.cat.codes.to_numpy()
    labels = np.full(len(codes), None, dtype=object)
    observed = codes >= 0
    labels[observed] = categories[codes[observed]]
    return label_column(
        name,
        text,
        labels,
        ~observed,
        markers,
        categories=categories.tolist(),
        ordered=bool(series.cat.ordered),
        family="category",
    )


def _arrow_type(dtype: Any) -> str:
    """Arrow's own name of an Arrow-backed dtype, else an empty string."""
    return str(dtype.pyarrow_dtype) if isinstance(dtype, pd.ArrowDtype) else ""


def _fill(series: pd.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> pd.Series:
    """Write ``values`` at ``rows``; a column without observed cells may change its dtype to hold them."""
    dtype = series.dtype
    if has_no_place(column, values):
        return _retyped(series, column, rows, values)
    try:
        if isinstance(dtype, pd.SparseDtype):
            dense = _fill(series.sparse.to_dense(), column, rows, values)
            return pd.Series(pd.arrays.SparseArray(dense.to_numpy(), dtype=dtype), name=series.name)
        if isinstance(dtype, np.dtype):
            array = series.to_numpy(copy=True)
            native = _numpy_fill(array, column, values)
            if array.dtype.kind in "iuf" and native.dtype != dtype:
                array, dtype = array.astype(native.dtype), native.dtype
            array[rows] = native
            return pd.Series(array, dtype=dtype, name=series.name)
        return pd.Series(_extension_fill(series, column, rows, values), name=series.name)
    except (TypeError, ValueError, ArithmeticError, NotImplementedError) as error:
        if column.all_missing:
            return _retyped(series, column, rows, values)
        raise InvalidInputError(
            f"column {column.name!r} of dtype {column.dtype} cannot hold its fills: {error}"
        ) from error


def _numpy_fill(array: np.ndarray, column: RawColumn, values: np.ndarray) -> np.ndarray:
    kind = array.dtype.kind
    if kind == "O":
        return fill_cells(column, values)
    if kind in "mM":
        return _checked_times(values).astype(array.dtype)
    if kind in "iu":
        return whole_numbers(values if values.dtype.kind in "iu" else as_floats(values), array.dtype)
    numbers = as_floats(values)
    return (
        float_numbers(numbers, array.dtype)
        if kind == "f"
        else numbers >= 0.5
        if kind == "b"
        else numbers.astype(array.dtype)
    )


def _extension_fill(series: pd.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> Any:
    dtype: Any = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        known = set(dtype.categories)
        further = [label for label in dict.fromkeys(values) if label not in known]
        if further and dtype.ordered:
            raise ValueError(f"{further[0]!r} is not among its ordered categories; give the column all that fit saw")
        extended = series.cat.add_categories(further) if further else series
        codes = extended.cat.codes.to_numpy(dtype=np.int64, copy=True)
        codes[rows] = extended.cat.categories.get_indexer(list(values))
        return pd.Categorical.from_codes(codes, dtype=extended.dtype)
    if _arrow_type(dtype).startswith("dictionary"):  # pandas, writing into one, would fill its gaps as well
        return type(series.array)(filled_dictionary(series.array.__arrow_array__(), rows, values))
    native = _extension_values(dtype, column, values)
    array = (series if native.dtype == dtype else series.astype(native.dtype)).array.copy()
    array[rows] = native
    return array


def _extension_values(dtype: Any, column: RawColumn, values: np.ndarray) -> Any:
    arrow = _arrow_type(dtype)
    if column.family == "boolean":
        return pd.array(as_floats(values) >= 0.5, dtype=dtype)
    if arrow.startswith("decimal"):
        return pd.array(as_decimals(as_floats(values), dtype.pyarrow_dtype), dtype=dtype)
    if column.family == "number":
        native = np.dtype(dtype.numpy_dtype)
        if column.integer_dtype:
            whole = whole_numbers(values if values.dtype.kind in "iu" else as_floats(values), native)
            return pd.array(whole, dtype=dtype if whole.dtype == native else _wider(dtype, whole.dtype))
        numbers = float_numbers(as_floats(values), native)
        return pd.array(numbers, dtype=dtype if numbers.dtype == native else _wider(dtype, numbers.dtype))
    if column.family in ("datetime", "timedelta"):
        index = times_as_index(_checked_times(values), column)
        if arrow.startswith("date"):
            return pd.array([datetime.date.fromisoformat(str(day)) for day in index.to_numpy().astype("M8[D]")], dtype)
        return pd.array(index, dtype=dtype)
    texts = isinstance(dtype, pd.StringDtype) or arrow in ("string", "large_string", "string_view")
    if texts and not all(isinstance(value, str) for value in values):
        raise TypeError("only text can fill a column of text")
    return pd.array(values.tolist(), dtype=dtype)


def _wider(dtype: Any, native: np.dtype) -> Any:
    """The extension dtype of the same kind for numbers of a wider numpy dtype."""
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow

        return pd.ArrowDtype(pyarrow.from_numpy_dtype(native))
    return pd.array([], dtype=str(native).replace("i", "I").replace("u", "U").replace("f", "F")).dtype


def _checked_times(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "i":
        raise TypeError(f"times come as int64, not as {values.dtype}")
    return values


def _retyped(series: pd.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> pd.Series:
    """Build a column of the dtype that pandas infers from the fills."""
    cells: list[Any] = [None] * len(series)
    for row, cell in zip(rows, fill_cells(column, values), strict=True):
        cells[row] = cell
    if column.family == "category":
        return pd.Series(pd.Categorical(cells, ordered=column.ordered), name=series.name)
    return pd.Series(cells, name=series.name)
