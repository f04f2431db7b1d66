"""Lining up a true and a filled table, column by column: what all scores of fills read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from numbers import Real
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from pandas.api import types

from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["HiddenColumn", "Scale", "as_frame", "as_mask", "hidden_columns", "is_numeric", "spread", "to_numbers"]

Scale = Literal["std", "range"]


class HiddenColumn(NamedTuple):
    """The hidden cells of one column.

    Attributes
    ----------
    name : hashable
        Column label; the position for arrays.
    numeric : bool
        Whether distances between values mean something (numbers, dates, durations).
    truth, filled : ndarray of shape (n_hidden,)
        Float where ``numeric``, object otherwise.
    known : ndarray
        All known values of the true column: what the scale is read from.
    """

    name: Hashable
    numeric: bool
    truth: np.ndarray
    filled: np.ndarray
    known: np.ndarray


def as_frame(table: Any, name: str, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """Turn a table into a DataFrame, with the columns of ``like`` in their order.

    Parameters
    ----------
    table : DataFrame or array of shape (n_rows, n_columns)
        An array takes its labels from ``like``.
    name : str
        What to call it in errors.
    like : DataFrame, default=None
        The table that it must fit.

    Returns
    -------
    pandas.DataFrame
        A view where possible; never the user's own object changed.

    Raises
    ------
    InvalidInputError
        Not two-dimensional, or another shape, other columns or another row index than ``like``.
    """
    if isinstance(table, pd.DataFrame):
        frame = table
    else:
        array = np.asarray(table)
        if array.ndim != 2:
            raise InvalidInputError(f"{name} has {array.ndim} dimensions; pass a DataFrame or a two-dimensional array.")
        frame = pd.DataFrame(array)
        if like is not None and frame.shape == like.shape:
            frame.columns, frame.index = like.columns, like.index
    if not frame.columns.is_unique:
        raise InvalidInputError(f"{name} has repeated column names; rename them.")
    if like is None:
        return frame
    if frame.shape != like.shape:
        raise InvalidInputError(f"{name} has shape {frame.shape}, the true table {like.shape}; they must be equal.")
    if set(frame.columns) != set(like.columns):
        odd = sorted(map(str, set(frame.columns) ^ set(like.columns)))
        raise InvalidInputError(f"{name} has other columns than the true table: {odd}; use the same names in both.")
    if not frame.index.equals(like.index):
        raise InvalidInputError(f"{name} has another row index than the true table; align the rows or reset both.")
    return frame[list(like.columns)]


def as_mask(hidden: Any, like: pd.DataFrame) -> np.ndarray:
    """Read a mask of hidden cells.

    Returns
    -------
    ndarray of bool of shape (n_rows, n_columns)
        In the column order of ``like``.

    Raises
    ------
    InvalidInputError
        Not boolean, or of another shape than ``like``.
    """
    frame = as_frame(hidden, "hidden", like)
    if not all(types.is_bool_dtype(dtype) for dtype in frame.dtypes):
        raise InvalidInputError("hidden must be boolean, True where a known cell was hidden; use .astype(bool).")
    return frame.to_numpy(dtype=bool)


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers, dates or durations; booleans count as categories."""
    if types.is_bool_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype):
        return False
    if types.is_numeric_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype):
        return True
    if types.is_timedelta64_dtype(column.dtype):
        return True
    if types.is_object_dtype(column.dtype):
        values = column.dropna()
        return len(values) > 0 and all(isinstance(v, Real) and not isinstance(v, bool | np.bool_) for v in values)
    return False


def to_numbers(column: pd.Series, name: str) -> np.ndarray:
    """Read numbers as floats, dates and durations as nanoseconds; missing cells become NaN.

    Raises
    ------
    InvalidInputError
        Cells that are no numbers; ``name`` says whose.
    """
    missing = column.isna().to_numpy()
    try:
        if types.is_datetime64_any_dtype(column.dtype):
            naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
            numbers = naive.astype("datetime64[ns]").astype("int64").to_numpy(dtype=float)
        elif types.is_timedelta64_dtype(column.dtype):
            numbers = column.astype("timedelta64[ns]").astype("int64").to_numpy(dtype=float)
        else:
            numbers = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"Column {column.name!r} of {name} is to be numeric, but: {error}.") from error
    return np.where(missing, np.nan, numbers)


def hidden_columns(
    truth: Any, filled: Any, hidden: Any, *, categorical: Sequence[Hashable] = (), filled_name: str = "filled"
) -> Iterator[HiddenColumn]:
    """Go through the columns that have hidden cells.

    Parameters
    ----------
    truth, filled : DataFrame or array of shape (n_rows, n_columns)
        The complete table and the one whose hidden cells were filled.
    hidden : DataFrame or array of bool of shape (n_rows, n_columns)
        True where a known cell was hidden.
    categorical : sequence of hashable, default=()
        Columns (positions for arrays) to treat as categories whatever their type, such as integer codes.
    filled_name : str, default="filled"
        What to call ``filled`` in errors.

    Yields
    ------
    HiddenColumn
        In table order.

    Raises
    ------
    InvalidInputError
        Tables that do not fit, or hidden cells that are missing in either table.
    InvalidParameterError
        A name in ``categorical`` that is no column.
    """
    true_frame = as_frame(truth, "truth")
    filled_frame = as_frame(filled, filled_name, true_frame)
    mask = as_mask(hidden, true_frame)
    unknown = [name for name in categorical if name not in true_frame.columns]
    if unknown:
        raise InvalidParameterError(f"categorical names {unknown}, which are no columns of the true table.")
    for j, name in enumerate(true_frame.columns):
        cells = mask[:, j]
        if not cells.any():
            continue
        for frame, whose in ((true_frame, "truth"), (filled_frame, filled_name)):
            n_missing = int(frame[name][cells].isna().sum())
            if n_missing:
                raise InvalidInputError(
                    f"{n_missing} hidden cells of column {name!r} are missing in {whose}; "
                    "hide only known cells, and fill every hidden one before scoring."
                )
        column, guess = true_frame[name], filled_frame[name]
        if name not in categorical and is_numeric(column):
            numbers = to_numbers(column, "truth")
            yield HiddenColumn(
                name, True, numbers[cells], to_numbers(guess[cells], filled_name), numbers[~np.isnan(numbers)]
            )
        else:
            objects = column.astype(object)
            yield HiddenColumn(
                name,
                False,
                objects[cells].to_numpy(),
                guess[cells].astype(object).to_numpy(),
                objects.dropna().to_numpy(),
            )


def spread(known: np.ndarray, scale: Scale | None) -> float:
    """The unit of a numeric column: its standard deviation (``ddof=0``), its range, or 1; 1 for a constant column.

    Raises
    ------
    InvalidParameterError
        An unknown ``scale``.
    """
    if scale is None:
        return 1.0
    if scale not in get_args(Scale):
        raise InvalidParameterError(f"scale={scale!r} is not one of {[*get_args(Scale), None]}.")
    unit = float(np.std(known) if scale == "std" else np.ptp(known))
    return unit if unit > 0 else 1.0
