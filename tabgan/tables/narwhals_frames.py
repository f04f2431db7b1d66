"""Polars data frames, pyarrow tables and whatever other eager frame narwhals knows."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import narwhals as nw
import numpy as np

from tabgan.exceptions import InvalidInputError
from tabgan.tables.arrow_types import as_decimals, dictionary_of, filled_dictionary, has_null_label, is_supported_arrow
from tabgan.tables.cells import fill_cells, has_no_place, read_cells
from tabgan.tables.columns import (
    RawColumn,
    Table,
    as_floats,
    boolean_column,
    label_column,
    number_column,
    time_column,
    unsupported_dtype,
    whole_column,
    whole_numbers,
)
from tabgan.tables.markers import Markers

__all__ = ["NarwhalsTable"]


class NarwhalsTable(Table):
    """An eager frame that narwhals understands.

    Parameters
    ----------
    frame : narwhals.DataFrame
        Wraps the user's frame, which is never modified.
    markers : Markers
        What stands for missing besides null and nan.
    wrapped : bool, default=False
        The user's own object was the narwhals frame, so fills come back as one.

    Raises
    ------
    InvalidInputError
        A column has a dtype without a model column (list, struct, time, binary, ...) or an infinite cell.
    """

    def __init__(self, frame: nw.DataFrame, markers: Markers, *, wrapped: bool = False) -> None:
        self._frame = frame
        self._wrapped = wrapped
        self._markers = markers
        super().__init__([_read(frame[name], name, markers) for name in frame.columns], len(frame))

    def _taken(self, rows: np.ndarray) -> NarwhalsTable:
        return NarwhalsTable(self._frame[rows.tolist()], self._markers, wrapped=self._wrapped)

    def _filled(self, fills: dict[int, tuple[np.ndarray, np.ndarray]], keep: list[int]) -> Any:
        frame = self._frame
        new = [_fill(frame[str(self.names[j])], self.columns[j], *fills[j]) for j in fills]
        if new:
            frame = frame.with_columns(*new)
        if keep != list(range(self.n_columns)):
            frame = frame.select([str(self.names[j]) for j in keep])
        if self._wrapped:
            return frame
        native = frame.to_native()
        # Some frames can be changed in place, so a caller must not get the very object that came in.
        return native.clone() if frame.implementation.is_polars() and not new else native


def _read(series: nw.Series, name: Hashable, markers: Markers) -> RawColumn:
    if series.implementation.is_pyarrow():
        _check_arrow(series.to_native(), name)
    dtype = series.dtype
    text = str(dtype)
    if text in ("Int128", "UInt128"):
        raise unsupported_dtype(name, text, "cast it to Int64, or to text if 64 bits do not hold it, or drop it")
    if dtype.is_integer():
        missing = np.array(series.is_null().to_numpy(), dtype=bool)
        whole = np.array(series.fill_null(0).to_numpy())
        wide = np.uint64 if whole.dtype.kind == "u" else np.int64
        return whole_column(name, text, whole.astype(wide), missing, markers)
    if dtype.is_float():
        return number_column(name, text, series.fill_null(float("nan")).to_numpy().astype(np.float64), markers)
    if dtype.is_decimal():
        values = np.array([np.nan if cell is None else float(cell) for cell in series.to_list()], dtype=np.float64)
        return number_column(name, text, values, markers)
    if dtype == nw.Boolean:
        missing = series.is_null().to_numpy()
        values = series.fill_null(False).to_numpy().astype(np.float64)
        values[missing] = np.nan
        return boolean_column(name, text, values, markers)
    if isinstance(dtype, nw.Datetime | nw.Date | nw.Duration):
        times = series.to_numpy()
        if times.dtype.kind not in "mM":  # a column of nulls only may come as objects
            unit = "D" if isinstance(dtype, nw.Date) else dtype.time_unit
            times = np.full(len(series), "NaT", dtype=f"{'m' if isinstance(dtype, nw.Duration) else 'M'}8[{unit}]")
        return time_column(name, text, times, markers, timezone=getattr(dtype, "time_zone", None))
    if dtype == nw.Object:
        return read_cells(name, text, _objects(series.to_list()), markers)
    if dtype in (nw.String, nw.Categorical, nw.Enum) or series.null_count() == len(series):
        labels = _objects(series.to_list())
        missing = np.asarray(series.is_null().to_numpy(), dtype=bool).copy()
        categories = _declared_categories(series)
        return label_column(
            name,
            text,
            labels,
            missing,
            markers,
            categories=categories,
            ordered=isinstance(dtype, nw.Enum),
            family="category" if dtype in (nw.Categorical, nw.Enum) else "text",
        )
    raise unsupported_dtype(name, text, "convert it to numbers, labels or datetimes, or drop it")


def _check_arrow(native: Any, name: Hashable) -> None:
    # A dictionary is filled by its codes, whatever simple values these stand for.
    labels = getattr(native.type, "value_type", None) if str(native.type).startswith("dictionary<") else None
    if not is_supported_arrow(native.type if labels is None else labels):
        raise unsupported_dtype(name, str(native.type), "convert it to numbers, labels or datetimes, or drop it")
    if labels is not None and has_null_label(native.chunks):
        raise unsupported_dtype(
            name, str(native.type), "its dictionary holds a null: cast it to the type of its values"
        )


def _declared_categories(series: nw.Series) -> list | None:
    """Categories a column may hold; None when any label fits (strings, and polars' open Categorical)."""
    if isinstance(series.dtype, nw.Enum):
        return list(series.dtype.categories)
    if series.dtype == nw.Categorical and series.implementation.is_pyarrow():
        return dictionary_of(series.to_native()).dictionary.to_pylist()
    return None


def _objects(cells: list) -> np.ndarray:
    out = np.empty(len(cells), dtype=object)
    out[:] = cells
    return out


def _fill(series: nw.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> nw.Series:
    """Write ``values`` at ``rows``; a column without observed cells may change its dtype to hold them."""
    if has_no_place(column, values):
        return _retyped(series, column, rows, values)
    try:
        if series.dtype == nw.Categorical and series.implementation.is_pyarrow():
            filled = filled_dictionary(series.to_native(), rows, values)
            return nw.from_native(filled, series_only=True).alias(series.name)
        if isinstance(series.dtype, nw.Decimal) and series.implementation.is_pyarrow():
            return _fill_arrow_decimals(series, rows, values)
        if series.dtype == nw.Object:
            return _fill_objects(series, column, rows, values)
        return _fill_native(series, column, rows, values)
    except Exception as error:  # every backend has its own error types
        if not column.all_missing:
            raise InvalidInputError(
                f"column {column.name!r} of dtype {column.dtype} cannot hold its fills: {error}"
            ) from error
    return _retyped(series, column, rows, values)


def _retyped(series: nw.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> nw.Series:
    """Build a column of the dtype that the backend infers from the fills."""
    cells: list[Any] = [None] * len(series)
    for row, cell in zip(rows, fill_cells(column, values), strict=True):
        cells[row] = cell
    return nw.new_series(series.name, cells, backend=series.implementation)


def _fill_native(series: nw.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> nw.Series:
    untouched = np.ones(len(series), dtype=bool)
    untouched[rows] = False
    full = _full_column(series, column, rows, values)
    too_wide = series.dtype == nw.Float32 and np.abs(as_floats(values)).max(initial=0.0) > np.finfo(np.float32).max
    if too_wide or (column.integer_dtype and full.dtype != series.dtype):  # fills need more bits than this dtype has
        series = series.cast(full.dtype)
    replacement = _cast_like(full, series)
    backend = series.implementation
    return series.zip_with(nw.new_series("untouched", untouched, nw.Boolean(), backend=backend), replacement)


def _full_column(series: nw.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> nw.Series:
    """Series as long as the column with the fills at ``rows`` and anything elsewhere."""
    backend = series.implementation
    dtype = series.dtype
    if isinstance(dtype, nw.Decimal):
        own = series.to_native().dtype  # narwhals' own Decimal tells its scale in late versions only
        decimals: list[Any] = [None] * len(series)
        for row, value in zip(rows, as_decimals(as_floats(values), own), strict=True):
            decimals[row] = value
        return nw.new_series(series.name, decimals, backend=backend)
    if column.family in ("number", "boolean"):
        if column.integer_dtype:
            whole = whole_numbers(
                values if values.dtype.kind in "iu" else as_floats(values), np.dtype(str(dtype).lower())
            )
            full: np.ndarray = np.zeros(len(series), dtype=whole.dtype)
            full[rows] = whole
            return nw.new_series(series.name, full, backend=backend)
        full = np.zeros(len(series), dtype=np.float64)
        full[rows] = as_floats(values)
        return nw.new_series(series.name, full >= 0.5 if column.family == "boolean" else full, backend=backend)
    if column.family in ("datetime", "timedelta"):
        if values.dtype.kind != "i":
            raise TypeError(f"times come as int64, not as {values.dtype}")
        counts = np.zeros(len(series), dtype=np.int64)
        counts[rows] = values
        times = nw.new_series(
            series.name,
            counts.astype(f"{'M' if column.family == 'datetime' else 'm'}8[{column.unit}]"),
            backend=backend,
        )
        if column.timezone is None:
            return times
        return times.dt.replace_time_zone("UTC").dt.convert_time_zone(column.timezone)
    if series.dtype == nw.String and not all(isinstance(value, str) for value in values):
        raise TypeError("only text can fill a column of text")
    cells: list[Any] = [None] * len(series)
    for row, label in zip(rows, values, strict=True):
        cells[row] = label
    return nw.new_series(series.name, cells, backend=backend)


def _cast_like(replacement: nw.Series, series: nw.Series) -> nw.Series:
    """Cast to the exact native type, which is finer than narwhals' (large strings, dictionary indices)."""
    native, target = replacement.to_native(), series.to_native()
    if series.implementation.is_pyarrow():
        return nw.from_native(native.cast(target.type), series_only=True)
    if series.implementation.is_polars():
        return nw.from_native(native.cast(target.dtype), series_only=True)
    return replacement.cast(series.dtype)


def _fill_objects(series: nw.Series, column: RawColumn, rows: np.ndarray, values: np.ndarray) -> nw.Series:
    cells = _objects(series.to_list())
    cells[rows] = fill_cells(column, values)
    native = series.to_native()
    # Only polars has object columns, and only its own constructor makes them.
    return nw.from_native(type(native)(series.name, cells.tolist(), dtype=native.dtype), series_only=True)


def _fill_arrow_decimals(series: nw.Series, rows: np.ndarray, values: np.ndarray) -> nw.Series:
    """From cells: merged by Arrow, decimals of few digits would become wider ones."""
    native = series.to_native()
    cells = _objects(native.to_pylist())
    cells[rows] = as_decimals(as_floats(values), native.type)
    arrow = nw.dependencies.get_pyarrow()
    filled = arrow.chunked_array([arrow.array(cells.tolist(), type=native.type)])
    return nw.from_native(filled, series_only=True).alias(series.name)
