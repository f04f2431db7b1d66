"""Whether two samples of rows come from the same distribution: energy distance and classifier two-sample test."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.rows import checked_rows, total_distance

__all__ = ["classifier_two_sample_auc", "energy_distance"]

Classifier = Literal["hist-gradient-boosting", "logistic", "knn"]
Statistic = Literal["v", "u"]


def energy_distance(
    a: Any,
    b: Any,
    *,
    statistic: Statistic = "v",
    max_rows: int | None = 3000,
    random_state: int | None = 0,
) -> float:
    """Squared energy distance between two samples: 0 if and only if they have the same distribution.

    Parameters
    ----------
    a, b : array of float of shape (n, d) and (m, d)
        Encoded rows, columns on a common scale (categories one-hot): distances are Euclidean.
    statistic : {"v", "u"}, default="v"
        ``"v"`` keeps the zero distances of rows to themselves: never negative, 0 for identical samples, but above 0 by about
        ``E|a - a'| / n + E|b - b'| / m`` where the distributions agree; compare it only at equal sizes. ``"u"`` leaves them out:
        unbiased for independent samples, so it may be negative.
    max_rows : int, default=3000
        A sample with more rows is cut to that many, without replacement; None takes all, in time quadratic in the rows.
    random_state : int, default=0
        Seed of the cut; None draws a fresh one. Samples of equal length are cut at the same rows, so paired rows stay paired.

    Returns
    -------
    float
        ``2 E|a - b| - E|a - a'| - E|b - b'|``. In one dimension its root is `scipy.stats.energy_distance` for ``"v"``.

    Raises
    ------
    InvalidInputError
        Not two-dimensional, different widths, NaN, or too few rows.
    InvalidParameterError
        Unknown ``statistic`` or ``max_rows`` below 2.

    References
    ----------
    Szekely and Rizzo 2013, "Energy statistics: a class of statistics based on distances", equations 5 and 6.1.

    Examples
    --------
    >>> energy_distance([[0.0], [0.0]], [[3.0], [3.0]])
    6.0
    """
    if statistic not in get_args(Statistic):
        raise InvalidParameterError(f"statistic={statistic!r} is not one of {list(get_args(Statistic))}.")
    first, second = _samples(a, b, max_rows, random_state)
    n, m = len(first), len(second)
    inner_n, inner_m = (n * n, m * m) if statistic == "v" else (n * (n - 1), m * (m - 1))
    within = total_distance(first, first) / inner_n + total_distance(second, second) / inner_m
    return float(2 * total_distance(first, second) / (n * m) - within)


def classifier_two_sample_auc(
    a: Any,
    b: Any,
    *,
    classifier: Classifier = "hist-gradient-boosting",
    n_splits: int = 5,
    paired: bool = False,
    max_rows: int | None = 3000,
    random_state: int | None = 0,
) -> float:
    """How well a classifier tells two samples apart: cross-validated area under the ROC curve.

    Parameters
    ----------
    a, b : array of float of shape (n, d) and (m, d)
        Encoded rows.
    classifier : {"hist-gradient-boosting", "logistic", "knn"}, default="hist-gradient-boosting"
        Boosted trees (100 of at most 15 leaves), logistic regression, or the nearest sqrt(n_train) neighbours; the last two on
        standardised columns.
    n_splits : int, default=5
        Folds; the result is the mean over held-out folds.
    paired : bool, default=False
        Whether row i of ``a`` and row i of ``b`` are the same row in two versions, such as a table and its imputation. Then both
        go into the same fold. If they did not, the classifier would meet the twin of a held-out row under the other label, and
        the AUC would fall, below 0.5 even, though the samples differ.
    max_rows : int, default=3000
        A sample with more rows is cut to that many; None takes all.
    random_state : int, default=0
        Seed of cut, folds and classifier; None draws a fresh one.

    Returns
    -------
    float in [0, 1]
        0.5: indistinguishable to this classifier; 1: told apart without error. Sampling error alone gives about
        ``0.5 ± sqrt((n + m) / (12 n m))``.

    Raises
    ------
    InvalidInputError
        As for `energy_distance`, different lengths although ``paired``, or fewer rows than folds.
    InvalidParameterError
        Unknown ``classifier``, ``n_splits`` below 2, or ``max_rows`` below 2.

    References
    ----------
    Lopez-Paz and Oquab 2017, "Revisiting Classifier Two-Sample Tests", with the AUC for their accuracy, which needs no threshold
    and no equal sizes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(100, 2)), rng.normal(5, 1, size=(100, 2))
    >>> round(classifier_two_sample_auc(a, b, classifier="logistic"), 2)
    1.0
    """
    if n_splits < 2:
        raise InvalidParameterError(f"n_splits={n_splits!r} must be at least 2.")
    rng = np.random.default_rng(random_state)
    seed = int(rng.integers(2**31))
    first, second = _samples(a, b, max_rows, seed)
    n, m = len(first), len(second)
    if paired and n != m:
        raise InvalidInputError(f"paired=True needs samples of equal length, got {n} and {m} rows.")
    if min(n, m) < n_splits:
        raise InvalidInputError(f"{min(n, m)} rows are too few for n_splits={n_splits}; pass more rows or fewer folds.")
    X, y = np.concatenate([first, second]), np.repeat([0, 1], [n, m])
    fold = np.empty(n + m, dtype=int)
    if paired:
        fold[:n] = fold[n:] = rng.permutation(n) % n_splits
    else:
        folds = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
        for k, (_, held_out) in enumerate(folds.split(X, y)):
            fold[held_out] = k
    areas = []
    for k in range(n_splits):
        train = fold != k
        model = _classifier(classifier, int(train.sum()), seed).fit(X[train], y[train])
        areas.append(roc_auc_score(y[~train], model.predict_proba(X[~train])[:, 1]))
    return float(np.mean(areas))


def _classifier(name: Classifier, n_train: int, seed: int) -> ClassifierMixin:
    if name == "hist-gradient-boosting":
        return HistGradientBoostingClassifier(max_leaf_nodes=15, early_stopping=False, random_state=seed)
    if name == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    if name == "knn":
        return make_pipeline(StandardScaler(), KNeighborsClassifier(max(1, int(np.sqrt(n_train)))))
    raise InvalidParameterError(f"classifier={name!r} is not one of {list(get_args(Classifier))}.")


def _samples(a: Any, b: Any, max_rows: int | None, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Check two samples and cut them to size; samples of equal length lose the same rows."""
    if max_rows is not None and max_rows < 2:
        raise InvalidParameterError(f"max_rows={max_rows!r} must be at least 2, or None to take all rows.")
    first, second = checked_rows(a=a, b=b)
    same_length, rng = len(first) == len(second), np.random.default_rng(seed)
    if max_rows is not None and len(first) > max_rows:
        rows = np.sort(rng.choice(len(first), max_rows, replace=False))
        first = first[rows]
        if same_length:
            second = second[rows]
    if max_rows is not None and len(second) > max_rows:
        second = second[np.sort(rng.choice(len(second), max_rows, replace=False))]
    return first, second
