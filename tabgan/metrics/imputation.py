"""Scores of fills against hidden truth: error of points, of column distributions, and of intervals."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from tabgan.exceptions import InvalidInputError
from tabgan.metrics.paired_columns import HiddenColumn, Scale, hidden_columns, spread

__all__ = ["Coverage", "coverage", "error_rate", "mean_wasserstein", "rmse", "wasserstein"]


def rmse(
    truth: Any,
    filled: Any,
    hidden: Any,
    *,
    scale: Scale | None = "std",
    categorical: Sequence[Hashable] = (),
) -> float:
    """Root mean squared error of the hidden numeric cells.

    Parameters
    ----------
    truth : DataFrame or array of shape (n_rows, n_columns)
        The table before cells were hidden.
    filled : DataFrame or array of shape (n_rows, n_columns)
        The table after imputation.
    hidden : DataFrame or array of bool of shape (n_rows, n_columns)
        True where a known cell was hidden.
    scale : {"std", "range", None}, default="std"
        Unit of each column's errors: its standard deviation or its range over all known true cells, or none. A constant column
        keeps its own unit.
    categorical : sequence of hashable, default=()
        Columns (positions for arrays) that are categories whatever their type; they are left out.

    Returns
    -------
    float in [0, inf)
        Over all hidden numeric cells at once; NaN where there is none.

    Raises
    ------
    InvalidInputError
        Tables that do not fit, or hidden cells that are missing.
    InvalidParameterError
        Unknown ``scale`` or column.

    References
    ----------
    With ``scale="range"`` on complete tables the measure of Yoon et al. 2018, "GAIN", section 5.

    Examples
    --------
    >>> truth = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> hidden = np.array([[True, False], [False, False], [False, True]])
    >>> rmse(truth, truth + 1, hidden, scale="range")
    0.25
    """
    squares = [
        ((column.filled - column.truth) / spread(column.known, scale)) ** 2
        for column in hidden_columns(truth, filled, hidden, categorical=categorical)
        if column.numeric
    ]
    return float(np.sqrt(np.mean(np.concatenate(squares)))) if squares else float("nan")


def error_rate(truth: Any, filled: Any, hidden: Any, *, categorical: Sequence[Hashable] = ()) -> float:
    """Share of hidden categorical cells that were filled with another category (PFC).

    Parameters
    ----------
    truth, filled, hidden
        As for `rmse`.
    categorical : sequence of hashable, default=()
        Columns (positions for arrays) that are categories whatever their type. Strings, booleans and pandas categories always
        are.

    Returns
    -------
    float in [0, 1]
        Over all hidden categorical cells at once; NaN where there is none.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        As for `rmse`.

    References
    ----------
    Stekhoven and Buehlmann 2012, "MissForest", section 3 (proportion of falsely classified entries).

    Examples
    --------
    >>> truth = pd.DataFrame({"colour": ["red", "blue", "red", "blue"]})
    >>> error_rate(truth, truth.replace("blue", "red"), truth.notna())
    0.5
    """
    wrong = [
        np.asarray(column.truth != column.filled, dtype=bool)
        for column in hidden_columns(truth, filled, hidden, categorical=categorical)
        if not column.numeric
    ]
    return float(np.mean(np.concatenate(wrong))) if wrong else float("nan")


def wasserstein(
    truth: Any,
    filled: Any,
    hidden: Any,
    *,
    scale: Scale | None = "std",
    categorical: Sequence[Hashable] = (),
) -> pd.Series:
    """How far each column's filled values are, as a distribution, from the true values of the same cells.

    Cells are not paired: this asks whether the fills look like the truth, where `rmse` asks whether they hit it. The column mean
    scores badly here and a good draw well.

    Parameters
    ----------
    truth, filled, hidden
        As for `rmse`.
    scale : {"std", "range", None}, default="std"
        Unit of each numeric column's distance; see `rmse`.
    categorical : sequence of hashable, default=()
        Columns (positions for arrays) that are categories whatever their type.

    Returns
    -------
    pandas.Series of float
        Indexed by the columns that have hidden cells. Numeric: the exact 1-Wasserstein distance between the two empirical
        distributions, the area between their distribution functions, in [0, inf). Categorical: the total variation distance,
        half the summed absolute difference of shares, in [0, 1].

    Raises
    ------
    InvalidInputError, InvalidParameterError
        As for `rmse`.

    Examples
    --------
    >>> truth = pd.DataFrame({"x": [0.0, 1.0, 2.0], "c": ["a", "a", "b"]})
    >>> filled = pd.DataFrame({"x": [3.0, 2.0, 1.0], "c": ["b", "a", "b"]})
    >>> wasserstein(truth, filled, truth.notna(), scale="range").round(3).to_dict()
    {'x': 0.5, 'c': 0.333}
    """
    distances = {
        column.name: (
            wasserstein_distance(column.truth, column.filled) / spread(column.known, scale)
            if column.numeric
            else _total_variation(column)
        )
        for column in hidden_columns(truth, filled, hidden, categorical=categorical)
    }
    return pd.Series(distances, dtype=float, name="wasserstein")


def mean_wasserstein(
    truth: Any,
    filled: Any,
    hidden: Any,
    *,
    scale: Scale | None = "std",
    categorical: Sequence[Hashable] = (),
) -> float:
    """Mean of `wasserstein` over the numeric columns with hidden cells.

    Parameters
    ----------
    truth, filled, hidden
        As for `wasserstein`.
    scale : {"std", "range", None}, default="std"
        As for `wasserstein`.
    categorical : sequence of hashable, default=()
        As for `wasserstein`.

    Returns
    -------
    float in [0, inf)
        NaN where no numeric cell is hidden. Categorical columns are left out, since their distance has another unit.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        As for `rmse`.

    Examples
    --------
    >>> truth = np.array([[0.0], [1.0], [2.0]])
    >>> mean_wasserstein(truth, truth[::-1], np.ones((3, 1), dtype=bool))
    0.0
    """
    distances = wasserstein(truth, filled, hidden, scale=scale, categorical=categorical)
    numeric = [c.name for c in hidden_columns(truth, filled, hidden, categorical=categorical) if c.numeric]
    return float(distances[numeric].mean()) if numeric else float("nan")


class Coverage(NamedTuple):
    """What `coverage` returns.

    Attributes
    ----------
    share : float in [0, 1]
        Share of hidden numeric cells whose true value lies inside its interval, ends included.
    width : float in [0, inf)
        Mean width of these intervals in column standard deviations.
    n_cells : int
        Number of cells looked at.
    """

    share: float
    width: float
    n_cells: int


def coverage(
    truth: Any,
    lower: Any,
    upper: Any,
    hidden: Any,
    *,
    scale: Scale | None = "std",
    categorical: Sequence[Hashable] = (),
) -> Coverage:
    """Share of hidden numeric cells inside their interval, and how wide the intervals are.

    Parameters
    ----------
    truth : DataFrame or array of shape (n_rows, n_columns)
        The table before cells were hidden.
    lower, upper : DataFrame or array of shape (n_rows, n_columns)
        Ends of the intervals; read only at hidden numeric cells.
    hidden : DataFrame or array of bool of shape (n_rows, n_columns)
        True where a known cell was hidden.
    scale : {"std", "range", None}, default="std"
        Unit of the widths; see `rmse`.
    categorical : sequence of hashable, default=()
        Columns (positions for arrays) that are categories whatever their type; they are left out.

    Returns
    -------
    Coverage
        ``share``, ``width`` and ``n_cells``, over all hidden numeric cells at once; NaN, NaN and 0 where there is none. Compare
        widths only between methods of like coverage.

    Raises
    ------
    InvalidInputError
        As for `rmse`, or a lower end above its upper end.
    InvalidParameterError
        Unknown ``scale`` or column.

    Examples
    --------
    >>> truth = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> result = coverage(truth, truth * 0, truth * 0 + 2, np.ones((4, 1), dtype=bool), scale=None)
    >>> result.share, result.width
    (0.75, 2.0)
    """
    inside: list[np.ndarray] = []
    widths: list[np.ndarray] = []
    lows = hidden_columns(truth, lower, hidden, categorical=categorical, filled_name="lower")
    highs = hidden_columns(truth, upper, hidden, categorical=categorical, filled_name="upper")
    for low, high in zip(lows, highs, strict=True):
        if not low.numeric:
            continue
        n_crossed = int((low.filled > high.filled).sum())
        if n_crossed:
            raise InvalidInputError(
                f"lower lies above upper in {n_crossed} hidden cells of column {low.name!r}; swap the two tables."
            )
        inside.append((low.filled <= low.truth) & (low.truth <= high.filled))
        widths.append((high.filled - low.filled) / spread(low.known, scale))
    if not inside:
        return Coverage(float("nan"), float("nan"), 0)
    hits = np.concatenate(inside)
    return Coverage(float(hits.mean()), float(np.concatenate(widths).mean()), len(hits))


def _total_variation(column: HiddenColumn) -> float:
    true, guess = (pd.Series(v, dtype=object).value_counts(normalize=True) for v in (column.truth, column.filled))
    return float(true.sub(guess, fill_value=0.0).abs().sum() / 2)
