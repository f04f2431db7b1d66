"""The probability that a cell of a column is missing, given the row's other columns."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from tabgan.plotting.views import CompletedView, is_number

__all__ = ["Propensity", "missing_propensity", "with_propensities"]

_FEWEST = 10
"""Missing cells, and observed ones, of a column whose gaps are to be foretold."""
_MOST_ROWS = 3000
_MOST_DRAWS = 5
_MOST_SLOTS = 60
"""Beyond this, one draw has to do."""
_MOST_LEVELS = 10
_N_FOLDS = 5


@dataclass(frozen=True)
class Propensity:
    """How likely the cells of a column are to be missing.

    Parameters
    ----------
    rows : ndarray of int
        Rows that were looked at: all, or some of a long table.
    shares : ndarray of float of the same shape
        Probability of each, given the row's other columns.
    auc : float
        Area under the ROC curve: .5 where the others do not tell missing from observed cells.
    """

    rows: np.ndarray
    shares: np.ndarray
    auc: float


def missing_propensity(tables: Sequence[CompletedView], name: str, random_state: int = 0) -> Propensity | None:
    """Estimate the probability that a column is missing, given the others.

    Parameters
    ----------
    tables : sequence of CompletedView
        Draws.
    name : str
        The column.
    random_state : int, default=0
        Of folds, and of rows of a long table.

    Returns
    -------
    Propensity or None
        By logistic regression on ranks of numbers, their squares, and levels, of rows that it was not fitted on, averaged over up to
        5 draws (van Buuren 2018, section 6.6). None where fewer than 10 cells are missing, or observed.
    """
    filled, gaps = tables[0]
    gap = gaps[name].to_numpy()
    if min(gap.sum(), (~gap).sum()) < _FEWEST or filled.shape[1] < 2:
        return None
    rows = np.arange(len(gap))
    if len(rows) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(random_state).choice(rows, _MOST_ROWS, replace=False))
        if min(gap[rows].sum(), (~gap[rows]).sum()) < _FEWEST:
            return None
    folds = StratifiedKFold(_N_FOLDS, shuffle=True, random_state=random_state)
    found = []
    for table, _ in tables[:_MOST_DRAWS]:
        design = _design(table.drop(columns=name).iloc[rows])
        model = LogisticRegression(max_iter=200)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a picture needs no last digit
            told = cross_val_predict(model, design, gap[rows], cv=folds, method="predict_proba")
        found.append(told[:, 1])
        if design.shape[1] > _MOST_SLOTS:
            break
    shares = np.mean(found, axis=0)
    return Propensity(rows, shares, float(roc_auc_score(gap[rows], shares)))


def with_propensities(tables: Sequence[CompletedView], max_columns: int) -> tuple[dict[str, Propensity], int]:
    """Propensities of the columns with the most gaps, and how many columns there are."""
    if not tables:
        return {}, 0
    filled, gaps = tables[0]
    counts = gaps.sum().sort_values(ascending=False, kind="stable")
    enough = (counts >= _FEWEST) & (len(gaps) - counts >= _FEWEST) & (filled.shape[1] > 1)
    wanted = list(counts.index[enough])
    wanted = [name for name in wanted if not any(table[name].isna().any() for table, _ in tables)]
    found = {name: missing_propensity(tables, name) for name in wanted[:max_columns]}
    return {name: one for name, one in found.items() if one is not None}, len(wanted)


def _design(table: pd.DataFrame) -> np.ndarray:
    """Numbers by their ranks, labels by their levels; what is not known by 0."""
    parts = [np.zeros((len(table), 1))]
    for _, column in table.items():
        if is_number(column):
            known = column.notna().to_numpy()
            ranks = np.zeros(len(column))
            ranks[known] = rankdata(column[known]) / max(known.sum(), 1) - 0.5
            # Where both ends are missing, a square tells; scaled like ranks.
            parts.append(np.column_stack([np.sqrt(12) * ranks, np.sqrt(180) * (ranks**2 - 1 / 12) * known]))
        else:
            levels = column.value_counts().index[:_MOST_LEVELS]
            parts.append((column.to_numpy()[:, np.newaxis] == levels.to_numpy()).astype(float))
    return np.hstack(parts)
