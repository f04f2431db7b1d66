"""Columns that hold the same number in part of the rows, such as a bill and what was paid of it."""

from __future__ import annotations

import itertools

import numpy as np

__all__ = ["ROUNDING", "equal_numbers"]

_FEWEST, _LEAST_SHARE, _LARGEST_TIE = 10, 0.01, 0.005
_MOST_COMPARED = 100  # columns
ROUNDING = 2e-6
"""Of numbers that come from slots in single precision."""


def equal_numbers(numbers: np.ndarray, seen: np.ndarray) -> dict[int, np.ndarray]:
    """Per column of numbers, of each row a column before it that holds the same number, -1 where there is none.

    Parameters
    ----------
    numbers : ndarray of float64 of shape (n, n_columns)
        In units that can be compared; NaN in columns without any.
    seen : ndarray of bool of shape (n, n_columns)
        Which cells are observed.

    Returns
    -------
    dict of int to ndarray of int of shape (n,)
        By column, of those that equal one before them in a hundredth of the rows or more. What makes up more than half a per cent of
        a column, such as zeros, does not count. Of several columns it is the one that is equal most often.
    """
    columns = np.flatnonzero(np.isfinite(numbers).all(axis=0))[:_MOST_COMPARED]
    scale = np.abs(numbers).max(axis=0, initial=0.0)
    rare = np.zeros(numbers.shape, dtype=bool)
    for j in columns:
        _, place, counts = np.unique(numbers[:, j], return_inverse=True, return_counts=True)
        rare[:, j] = (counts <= max(3, _LARGEST_TIE * len(numbers)))[place.reshape(-1)] & seen[:, j]
    found: dict[int, np.ndarray] = {}
    best: dict[int, np.ndarray] = {}
    for j, k in itertools.combinations(columns.tolist(), 2):
        same = np.abs(numbers[:, j] - numbers[:, k]) <= ROUNDING * max(scale[j], scale[k])
        rows = same & rare[:, k] & seen[:, j]
        share = rows.sum()
        if share >= max(_FEWEST, _LEAST_SHARE * len(numbers)):
            found.setdefault(k, np.full(len(numbers), -1))
            better = rows & (share > best.setdefault(k, np.zeros(len(numbers))))
            found[k][better], best[k][better] = j, share
    return found
