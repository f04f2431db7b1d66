"""Two-dimensional numpy arrays, array-likes and lists of lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array

from tabgan.exceptions import InvalidInputError
from tabgan.tables.cells import fill_cells, read_cells
from tabgan.tables.columns import (
    RawColumn,
    Table,
    as_floats,
    boolean_column,
    float_numbers,
    label_column,
    number_column,
    time_column,
    unsupported_dtype,
    whole_column,
    whole_numbers,
)
from tabgan.tables.markers import Markers

__all__ = ["ArrayTable"]


class ArrayTable(Table):
    """A 2-D array whose columns go by position.

    Parameters
    ----------
    data : array-like of shape (n_rows, n_columns)
        Array, masked array, list of lists, or anything with ``__array__``. Never modified.
    markers : Markers
        What stands for missing besides nan and its kin.

    Raises
    ------
    ValueError
        Scikit-learn's own messages for sparse, complex, 1-D, 3-D and empty data.
    InvalidInputError
        The array has a dtype without a model column, or an infinite cell.
    """

    has_names = False

    def __init__(self, data: Any, markers: Markers) -> None:
        self._masked = isinstance(data, np.ma.MaskedArray)
        self._markers = markers
        hidden = np.ma.getmaskarray(data) if self._masked else None
        self.listed = isinstance(data, list | tuple)
        if self.listed:
            data = _listed(data)
        if hasattr(data, "detach"):  # a torch tensor, whose gradients are no concern of ours
            data = data.detach().cpu()
        plain = np.ma.getdata(data) if self._masked else data
        try:
            self._array = check_array(plain, dtype=None, ensure_all_finite=False, input_name="X")
        except ValueError as error:
            raise InvalidInputError(f"X is no table: {error}") from error
        if hidden is not None and hidden.shape != self._array.shape:
            hidden = None
        self._hidden = hidden
        columns = [
            _read(self._array[:, j], j, None if hidden is None else hidden[:, j], markers)
            for j in range(self._array.shape[1])
        ]
        super().__init__(columns, self._array.shape[0])

    def _taken(self, rows: np.ndarray) -> ArrayTable:
        taken = self._array[rows]
        return ArrayTable(
            taken if self._hidden is None else np.ma.MaskedArray(taken, self._hidden[rows]), self._markers
        )

    def _filled(self, fills: dict[int, tuple[np.ndarray, np.ndarray]], keep: list[int]) -> np.ndarray:
        out = self._array.copy()
        hidden = None if self._hidden is None else self._hidden.copy()
        for j, (rows, values) in fills.items():
            column = self.columns[j]
            native = self._native(column, values)
            if out.dtype != native.dtype:
                alike = native.dtype.kind in "US" or native.dtype.kind == out.dtype.kind
                wider = np.promote_types(out.dtype, native.dtype) if alike else native.dtype
                out = out.astype(wider)
            out[rows, j] = native
            if hidden is not None:
                hidden[rows, j] = False
        out = out if keep == list(range(self.n_columns)) else out[:, keep]
        if not self._masked:
            return out
        return np.ma.MaskedArray(out, mask=False if hidden is None else hidden[:, keep])

    def _native(self, column: RawColumn, values: np.ndarray) -> np.ndarray:
        """Return fills in the array's dtype; a wider dtype where that one cannot hold them."""
        dtype = self._array.dtype
        if dtype.kind == "O":
            return fill_cells(column, values)
        if dtype.kind in "US":
            texts = values.astype(dtype.kind)
            return texts.astype(np.promote_types(texts.dtype, dtype))
        if dtype.kind in "VT":
            return values.astype(dtype)
        if values.dtype == object:
            try:
                values = as_floats(values)
            except (TypeError, ValueError):
                if not column.all_missing and not self.listed:
                    raise InvalidInputError(
                        f"column {column.name!r} of dtype {column.dtype} cannot hold its fills."
                    ) from None
                return values
            if dtype.kind in "biu" and column.all_missing:
                return values  # what fit saw has no place in this dtype
        if dtype.kind in "mM":
            return values.astype(np.int64).astype(f"{dtype.kind}8[{column.unit}]").astype(dtype)
        if dtype.kind == "b":
            return values >= 0.5
        if dtype.kind == "f":
            return float_numbers(values, dtype)
        return whole_numbers(values, dtype) if dtype.kind in "iu" else values.astype(dtype)


def _listed(data: Any) -> Any:
    """Array of a list of lists whose cells keep their types: numpy alone would turn 1.5 beside "a" into text."""
    try:
        array = np.asarray(data)
    except ValueError:
        return np.array(data, dtype=object) if _is_rectangle(data) else data
    if array.dtype.kind in "USO" and _is_rectangle(data):
        cells = np.array(data, dtype=object)
        texts = all(isinstance(cell, str) for cell in cells.ravel())
        return array if texts and array.dtype.kind == "U" else cells
    if array.dtype.kind == "f" and _is_rectangle(data) and any(isinstance(cell, bool) for row in data for cell in row):
        return np.array(data, dtype=object)
    return array


def _is_rectangle(data: Any) -> bool:
    """Whether ``data`` is a non-empty list of equally long lists of scalars."""
    if not data or not all(isinstance(row, list | tuple) for row in data):
        return False
    return len({len(row) for row in data}) == 1 and np.array(data, dtype=object).ndim == 2


def _read(cells: np.ndarray, name: int, hidden: np.ndarray | None, markers: Markers) -> RawColumn:
    text = str(cells.dtype)
    kind = cells.dtype.kind
    missing = np.zeros(cells.shape, dtype=bool) if hidden is None else hidden.copy()
    if kind in "iu":
        return whole_column(name, text, cells.astype(np.uint64 if kind == "u" else np.int64), missing, markers)
    if kind == "f":
        values = cells.astype(np.float64)
        values[missing] = np.nan
        return number_column(name, text, values, markers)
    if kind == "b":
        values = cells.astype(np.float64)
        values[missing] = np.nan
        return boolean_column(name, text, values, markers)
    if kind in "mM":
        times = cells.copy()
        times[missing] = "NaT"
        return time_column(name, text, times, markers)
    if kind in "UST":
        labels = cells.astype(object)
        missing |= np.asarray(pd.isna(labels), dtype=bool)
        return label_column(name, text, labels, missing, markers)
    if kind == "O":
        labels = cells.copy()
        labels[missing] = None
        return read_cells(name, text, labels, markers)
    raise unsupported_dtype(name, text, "give a plain 2-D array of numbers, bools or objects")
