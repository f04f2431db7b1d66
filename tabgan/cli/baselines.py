"""The usual ways to fill gaps, for the demo's comparison: mean or mode, nearest neighbours, chained equations."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

__all__ = ["BASELINES"]


def _mean_or_mode(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers by the column mean, labels by the most frequent one."""
    fills = {
        name: column.mean() if pd.api.types.is_numeric_dtype(column) else column.mode().iloc[0]
        for name, column in table.items()
    }
    return table.astype(dict.fromkeys(table.select_dtypes("number").columns, float)).fillna(fills)


def _knn(table: pd.DataFrame) -> pd.DataFrame:
    from sklearn.impute import KNNImputer

    return _through_numbers(table, KNNImputer(n_neighbors=5).fit_transform, dropped=0)


def _mice(table: pd.DataFrame) -> pd.DataFrame:
    """Chained linear regressions; one level per column has no slot.

    With all slots, each would be exactly one minus the others, which are missing in the same cells: every gap would
    keep the column's mean, its mode after decoding.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _through_numbers(table, IterativeImputer(random_state=0).fit_transform, dropped=1)


def _through_numbers(table: pd.DataFrame, impute: Callable[[np.ndarray], np.ndarray], dropped: int) -> pd.DataFrame:
    """Impute a matrix of standardised numbers and one-hot labels (all slots of a gap hidden); the largest slot wins.

    The last ``dropped`` levels have no slot of their own: they get what the others leave of 1.
    """
    blocks: list[np.ndarray] = []
    restore: list[tuple] = []
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column):
            mean, spread = column.mean(), column.std(ddof=0) or 1.0
            blocks.append(((column - mean) / spread).to_numpy(float)[:, None])
            restore.append((name, None, mean, spread))
        else:
            codes, labels = pd.factorize(column, sort=True)
            onehot = np.eye(len(labels))[codes]
            onehot[codes < 0] = np.nan
            blocks.append(onehot[:, : len(labels) - dropped])
            restore.append((name, np.asarray(labels, dtype=object), 0.0, 1.0))
    matrix = impute(np.hstack(blocks))
    filled, start = {}, 0
    for name, labels, mean, spread in restore:
        width = 1 if labels is None else len(labels) - dropped
        slots = matrix[:, start : start + width]
        if labels is not None and dropped:
            slots = np.hstack([slots, 1.0 - slots.sum(axis=1, keepdims=True)])
        filled[name] = slots[:, 0] * spread + mean if labels is None else labels[slots.argmax(axis=1)]
        start += width
    return pd.DataFrame(filled, index=table.index)


BASELINES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "mean / mode": _mean_or_mode,
    "kNN (5 neighbours)": _knn,
    "MICE (IterativeImputer)": _mice,
}
"""Functions that take a table with gaps and return it filled, by the name to show."""
