"""The classifiers that a rebalanced table is judged by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

__all__ = ["CLASSIFIERS", "probabilities", "short_name"]

CLASSIFIERS: dict[str, Callable[[int], Any]] = {
    "logistic": lambda seed: LogisticRegression(max_iter=300),
    "kNN": lambda seed: KNeighborsClassifier(5),
    "forest": lambda seed: RandomForestClassifier(100, n_jobs=1, random_state=seed),
    "boosting": lambda seed: HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=seed),
    "MLP": lambda seed: MLPClassifier((32,), max_iter=40, batch_size=128, learning_rate_init=5e-3, random_state=seed),
    # ConvGeN's testers.py: C=1e5 and weight 1.3 for the minority, 10 neighbours, scikit-learn's defaults.
    "convgen logistic": lambda seed: LogisticRegression(C=1e5, max_iter=10000, class_weight={0: 1, 1: 1.3}),
    "convgen kNN": lambda seed: KNeighborsClassifier(10),
    "convgen boosting": lambda seed: GradientBoostingClassifier(random_state=seed),
}
"""Factories by name, from a seed."""


def short_name(classifier: str) -> str:
    """A name without the protocol it belongs to."""
    return classifier.removeprefix("convgen ")


def probabilities(
    name: str,
    train: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    n_classes: int,
    seed: int,
    *,
    weighted: bool = False,
    bagged: bool = False,
) -> np.ndarray:
    """Class probabilities of test rows, shape (n, n_classes).

    ``weighted`` gives each class the same total weight (a nearest-neighbour vote is divided by its class's frequency instead);
    ``bagged`` fits imbalanced-learn's balanced bagging of ten on top.
    """
    model = CLASSIFIERS[name](seed)
    if bagged:
        from imblearn.ensemble import BalancedBaggingClassifier

        if isinstance(model, RandomForestClassifier):
            model.set_params(n_estimators=10)  # ten bags of ten trees
        model = BalancedBaggingClassifier(model, n_estimators=10, random_state=seed)
    counts = np.bincount(y, minlength=n_classes)
    votes_only = weighted and isinstance(model, KNeighborsClassifier)
    if weighted and not votes_only:
        model.fit(train, y, sample_weight=(len(y) / (np.count_nonzero(counts) * counts))[y])
    else:
        model.fit(train, y)
    found = np.zeros((len(test), n_classes))
    found[:, model.classes_] = model.predict_proba(test)
    if votes_only:
        found = found / np.maximum(counts, 1)
        found /= found.sum(axis=1, keepdims=True)
    return found
