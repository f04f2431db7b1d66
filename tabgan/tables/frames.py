"""``read_table``: any table a user has, as one interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.tables.arrays import ArrayTable
from tabgan.tables.columns import Family, RawColumn, Table
from tabgan.tables.markers import Markers
from tabgan.tables.narwhals_frames import NarwhalsTable
from tabgan.tables.pandas_frames import PandasTable

__all__ = ["ArrayTable", "Family", "NarwhalsTable", "PandasTable", "RawColumn", "Table", "read_table"]


def read_table(X: Any, *, missing_values: Any = np.nan) -> Table:
    """Read a user's table.

    Parameters
    ----------
    X : pandas.DataFrame, polars.DataFrame, pyarrow.Table, array-like of shape (n_rows, n_columns), ...
        The table: any eager frame that narwhals knows, a 2-D array, or a list of lists. Never modified. nan, None,
        pd.NA, NaT, polars null and nan, and masked entries of numpy masked arrays are missing.
    missing_values : scalar or list of scalars, default=nan
        What else stands for a missing cell, such as ``-999`` or ``["?", ""]``.

    Returns
    -------
    Table
        The columns, and a way to get a filled copy of ``X`` back.

    Raises
    ------
    InvalidInputError
        ``X`` is lazy or without rows or columns, names repeat, or a column cannot be used.
    InvalidParameterError
        ``missing_values`` holds something that no cell can be compared with.
    ValueError
        Scikit-learn's own messages for arrays of a wrong shape or kind.
    """
    markers = Markers(missing_values)
    if isinstance(X, pd.DataFrame):
        _check_frame(X.shape, list(X.columns))
        return PandasTable(X, markers)
    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        raise InvalidInputError(f"X is lazy ({type(X).__module__}.{type(X).__name__}); pass X.collect() instead.")
    if isinstance(frame, nw.DataFrame):
        _check_frame(frame.shape, list(frame.columns))
        return NarwhalsTable(frame, markers, wrapped=isinstance(X, nw.DataFrame))
    return ArrayTable(X, markers)


def _check_frame(shape: tuple[int, ...], names: Sequence) -> None:
    """Refuse empty frames in scikit-learn's words, and repeated names."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InvalidInputError(f"column names must be unique, but {repeated} appear more than once; rename them.")
    if shape[1] == 0:
        raise InvalidInputError(f"Found array with 0 feature(s) (shape={shape}) while a minimum of 1 is required.")
    if shape[0] == 0:
        raise InvalidInputError(f"Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is required.")
