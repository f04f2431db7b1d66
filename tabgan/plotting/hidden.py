"""Known cells hidden on purpose and filled again: the truth that prediction and calibration plots stand on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from sklearn.base import clone

from tabgan.core.interrupts import ctrl_c_aborts
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.model_selection.working_table import working_table
from tabgan.plotting.views import check_has, completed_by, label_columns
from tabgan.tables.amputation import MECHANISMS, Mechanism
from tabgan.tables.frames import read_table
from tabgan.tables.schema import TableSchema

__all__ = ["HiddenCheck", "hide_and_fill", "rows_of", "without_cells"]


@dataclass(frozen=True)
class HiddenCheck:
    """Hidden cells, their truth, and what an imputer made of them.

    Parameters
    ----------
    imputer : estimator
        Fitted without the hidden cells.
    X : table
        With the cells hidden.
    truth, filled : pandas.DataFrame of shape (n_samples, n_columns)
        As `tabgan.plotting.views.view` gives them; columns of times are left out.
    hidden : pandas.DataFrame of bool
        Of the same shape and names.
    names : dict of str to object
        The table's own name of each column.
    gappy : frozenset of str
        Columns that had gaps before any cell was hidden.
    """

    imputer: Any
    X: Any
    truth: pd.DataFrame
    filled: pd.DataFrame
    hidden: pd.DataFrame
    names: dict[str, Any]
    gappy: frozenset[str]
    _ends: dict[float, tuple[pd.DataFrame, pd.DataFrame]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def intervals(self, coverages: Sequence[float]) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
        """Ends of the imputer's intervals, named as `truth` is.

        Raises
        ------
        InvalidInputError
            The imputer has no ``predict_interval``.
        """
        if not hasattr(self.imputer, "predict_interval"):
            raise InvalidInputError(f"{type(self.imputer).__name__} has no predict_interval; GAINImputer has one.")
        # The displays of one report ask for the same ones, and they take a while.
        new = [coverage for coverage in coverages if coverage not in self._ends]
        if new:
            texts = {name: text for text, name in self.names.items()}
            for coverage, pair in zip(new, self.imputer.predict_interval(self.X, new), strict=True):
                lower, upper = (ends.rename(columns=texts).reset_index(drop=True) for ends in pair)
                self._ends[coverage] = lower, upper
        return [self._ends[coverage] for coverage in coverages]


@ctrl_c_aborts()
def hide_and_fill(
    imputer: Any,
    X: Any,
    *,
    rate: float = 0.2,
    mechanism: Mechanism = "mcar",
    refit: bool = True,
    max_rows: int | None = 2000,
    random_state: int = 0,
) -> HiddenCheck:
    """Hide known cells of a table, and let an imputer fill them.

    Parameters
    ----------
    imputer : estimator
        A `tabgan.GAINImputer` or any other. Left as it is.
    X : DataFrame (pandas, polars, ...), ndarray or list of shape (n_samples, n_features)
        The table, with or without gaps.
    rate : float in (0, 1), default=0.2
        Share of the known cells to hide.
    mechanism : str, default="mcar"
        See `tabgan.ampute`.
    refit : bool, default=True
        Fit a clone on the table with the cells hidden. An imputer that saw them in training would be flattered, so use False
        only for rows that were not in ``fit``.
    max_rows : int, default=2000
        Larger tables are cut to this many rows, drawn at random. None uses all.
    random_state : int, default=0
        Of rows and hidden cells.

    Returns
    -------
    HiddenCheck

    Raises
    ------
    InvalidParameterError, InvalidInputError
        A parameter is outside its range, or there is nothing to hide.
    """
    for method in ("fit", "transform"):
        check_has("imputer", imputer, method, "an imputer")
    if mechanism not in MECHANISMS:
        raise InvalidParameterError(f"mechanism={mechanism!r} is not one of {list(MECHANISMS)}.")
    if not isinstance(rate, (int, float)) or not 0 < rate < 1:
        raise InvalidParameterError(f"rate={rate!r} must lie between 0 and 1, both excluded.")
    schema = getattr(imputer, "schema_", None)
    markers = getattr(imputer, "missing_values", np.nan)
    labels = label_columns(schema) if isinstance(schema, TableSchema) else None
    table = read_table(X, missing_values=markers)
    if max_rows is not None and table.n_rows > max_rows:
        rows = np.sort(np.random.default_rng(random_state).choice(table.n_rows, max_rows, replace=False))
        X = rows_of(X, rows)
        table = read_table(X, missing_values=markers)
    working = working_table(X, labels, markers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without a single value has no mean
        hidden = working.hidden_cells(mechanism, rate, random_state)
    gappy = without_cells(X, hidden)
    if refit:
        imputer = clone(imputer).fit(gappy)
    filled, _ = completed_by(imputer, gappy)
    times = {
        text
        for text, column in zip(working.frame.columns, table.columns, strict=True)
        if column.family in ("datetime", "timedelta")
    }
    kept = [name for name in working.frame.columns if name in filled.columns and name not in times]
    names = dict(zip(working.frame.columns, table.names, strict=True))
    mask = pd.DataFrame(hidden, columns=working.frame.columns)[kept]
    had_gaps = frozenset(name for name in kept if working.frame[name].isna().any())
    return HiddenCheck(imputer, gappy, working.frame[kept], filled[kept], mask, names, had_gaps)


def without_cells(X: Any, hidden: np.ndarray) -> Any:
    """A copy of a table, in its own container, with further gaps.

    Parameters
    ----------
    X : DataFrame, ndarray or list of shape (n_samples, n_features)
        Not changed. Integers and booleans of pandas become nullable ones, those of arrays floats.
    hidden : ndarray of bool of shape (n_samples, n_features)
        Cells to empty.
    """
    if isinstance(X, pd.DataFrame):
        result = X.copy()
        for j in map(int, np.flatnonzero(hidden.any(axis=0))):
            column = X.iloc[:, j]
            kind = column.dtype
            if isinstance(kind, np.dtype) and kind.kind in "iu":
                column = column.astype(kind.name.replace("uint", "UInt").replace("int", "Int"))
            elif isinstance(kind, np.dtype) and kind.kind == "b":
                column = column.astype("boolean")
            result.isetitem(j, column.mask(hidden[:, j]))
        return result
    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        columns = []
        for k, name in enumerate(frame.columns):
            cells = [None if gone else cell for cell, gone in zip(frame[name].to_list(), hidden[:, k], strict=True)]
            columns.append(nw.new_series(name, cells, dtype=frame[name].dtype, backend=frame.implementation))
        return frame.with_columns(*columns).to_native()
    array = np.asarray(X)
    array = array.astype(float if array.dtype.kind in "biuf" else object)
    array[hidden] = np.nan if array.dtype == float else None
    return array


def rows_of(X: Any, rows: np.ndarray) -> Any:
    """Chosen rows of a table, in its own container."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[rows]
    frame = nw.from_native(X, pass_through=True)
    return frame[rows.tolist()].to_native() if isinstance(frame, nw.DataFrame) else np.asarray(X)[rows]
