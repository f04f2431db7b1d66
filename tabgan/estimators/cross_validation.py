"""What every cross-validation here shares: probabilities in the classes' order, all measures of a fold, and how sure a mean is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student_t
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils.validation import _num_samples

from tabgan.estimators.parameter_checks import seed_of
from tabgan.exceptions import InvalidInputError
from tabgan.metrics.classification import PROBABILITY_MEASURES, label_scores, probability_scores

__all__ = [
    "aligned_probabilities",
    "corrected_mean",
    "errors_needed",
    "fewest_groups",
    "fold_scores",
    "folds",
    "group_folds",
    "seeded_copy",
    "seeds_from",
]

_WAYS = 20
"""Groups are drawn into folds anew so often at most, until every part has all classes."""


def aligned_probabilities(model: Any, X: Any, classes: np.ndarray) -> np.ndarray:
    """Probabilities in the order of ``classes``, 0 for those that the model was not trained on.

    Parameters
    ----------
    model : fitted classifier
        With ``predict_proba`` and ``classes_``.
    X : container of shape (n, n_features)
    classes : ndarray of shape (n_classes,)
        Sorted, the model's among them.

    Returns
    -------
    ndarray of float64 of shape (n, n_classes)
    """
    found = model.predict_proba(X)
    out = np.zeros((_num_samples(found), len(classes)))
    out[:, np.searchsorted(classes, model.classes_)] = found
    return out


def fold_scores(
    codes: np.ndarray,
    scores: np.ndarray,
    predicted: np.ndarray,
    *,
    positive: int,
    calibrated: bool = True,
    measures: Sequence[str] = PROBABILITY_MEASURES,
) -> dict[str, float]:
    """Every measure of `tabgan.metrics.classification` on the held-out rows of a fold.

    Parameters
    ----------
    codes, predicted : ndarray of int of shape (n,)
        True and predicted class numbers.
    scores : ndarray of float of shape (n, n_classes)
        Probabilities, or any scores that grow with them.
    positive : int
        The event of two classes.
    calibrated : bool, default=True
        Whether scores are probabilities.
    measures : sequence of str, default=PROBABILITY_MEASURES
        Which of the probabilities' measures to take, as they cost most of the time; those of labels always are.

    Returns
    -------
    dict of str to float
    """
    found = probability_scores(codes, scores, positive=positive, calibrated=calibrated, measures=measures)
    return found | label_scores(codes, predicted, scores.shape[1], positive=positive)


def corrected_mean(values: np.ndarray, test_share: float) -> tuple[float, float]:
    """Mean over folds and its standard error; nan are left out.

    Parameters
    ----------
    values : ndarray of float of shape (n_folds,)
        A measure, or a difference of two methods on the same folds.
    test_share : float
        Held-out rows per training row: 1 / (k - 1) for k folds.

    Returns
    -------
    mean, standard error : float
        nan where there is nothing, or one value, to tell it from.

    Notes
    -----
    Nadeau and Bengio (2003), equation 9: folds share training rows, so their variance is multiplied by 1/n + ``test_share`` and
    not by 1/n. More rounds of folds therefore never bring the error below its half of one fold's spread at three folds.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return np.nan, np.nan
    spread = float(values.std(ddof=1)) if len(values) > 1 else np.nan
    return float(values.mean()), spread * float(np.sqrt(1 / len(values) + test_share))


def errors_needed(level: float, n_tests: int, n_folds: int) -> float:
    """Standard errors by which the best of several differences must exceed 0 to be called a gain.

    Parameters
    ----------
    level : float
        Chance, over all tests, of calling one a gain where none is; in (0, 1).
    n_tests : int
        Differences looked at; the level is shared among them (Bonferroni).
    n_folds : int
        Folds that a difference is a mean of, at least 2.

    Returns
    -------
    float
        The one-sided quantile of Student's t with ``n_folds - 1`` degrees of freedom.
    """
    return float(student_t.ppf(1 - level / n_tests, n_folds - 1))


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


def fewest_groups(codes: np.ndarray, groups: np.ndarray) -> int:
    """In how many groups the class is that is in the fewest.

    Raises
    ------
    InvalidInputError
        It is one: held out, there is nothing to learn that class from.
    """
    pairs = np.unique(np.column_stack([codes, groups]), axis=0)
    fewest = int(np.bincount(pairs[:, 0]).min())
    if fewest < 2:
        raise InvalidInputError(
            "groups: a class is in one group only; it needs two, one to learn from and one to hold out."
        )
    return fewest


def group_folds(codes: np.ndarray, groups: np.ndarray, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Shuffled folds of whole groups, with classes shared out as evenly as groups allow.

    Parameters
    ----------
    codes, groups : ndarray of int of shape (n,)
        Class and group of each row.
    n_folds : int
        At most `fewest_groups`.
    seed : int

    Returns
    -------
    list of (training rows, held-out rows)

    Raises
    ------
    InvalidInputError
        In each of several ways to draw them, some part lacks a class.
    """
    n_classes = int(codes.max()) + 1
    for attempt in range(_WAYS):
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=(seed + attempt) % 2**32)
        found = list(splitter.split(np.zeros(len(codes)), codes, groups))
        if all(len(np.unique(codes[rows])) == n_classes for part in found for rows in part):
            return found
    raise InvalidInputError(
        f"groups: no {n_folds} folds of whole groups were found in which every part has all classes; use a smaller cv."
    )
