"""Copies of estimators that repeat, and cross-validation folds that suit rare classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from tabgan.parameter_rules import seed_of

__all__ = ["folds", "seeded_copy", "seeds_from"]


def seeds_from(random_state: Any, n: int) -> list[int]:
    """``n`` independent seeds below 2**32; fresh ones for None."""
    return [int(word) for word in np.random.SeedSequence(seed_of(random_state)).generate_state(n)]


def seeded_copy(estimator: Any, seed: int) -> Any:
    """Unfitted copy in which each ``random_state`` that was None, at any depth, is ``seed``."""
    fresh = clone(estimator)
    unset = [
        name
        for name, value in fresh.get_params(deep=True).items()
        if value is None and name.split("__")[-1] == "random_state"
    ]
    return fresh.set_params(**dict.fromkeys(unset, seed))


def folds(codes: np.ndarray, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Shuffled stratified folds, as many as the rarest class has rows where that is fewer; none if it has but one.

    Parameters
    ----------
    codes : ndarray of int of shape (n,)
        Class numbers.
    n_folds : int
        Folds wanted, at least 2.
    seed : int

    Returns
    -------
    list of (training rows, held-out rows)
    """
    counts = np.bincount(codes)
    n_folds = min(n_folds, int(counts[counts > 0].min()))
    if n_folds < 2:
        return []
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(codes)), codes))
