"""`should_rebalance`: what to do about rare classes for one table and one estimator, which may be nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from sklearn.utils.validation import _num_samples

from tabgan.core.interrupts import ctrl_c_aborts
from tabgan.estimators.classes import warn_of_other_order
from tabgan.estimators.costs import check_costs, constant_cost, read_costs
from tabgan.estimators.cross_validation import fewest_groups, folds, group_folds, seeds_from
from tabgan.estimators.parameter_checks import JOBS, SEED, integer, number, optional
from tabgan.exceptions import InvalidInputError, InvalidParameterError, parameter_error
from tabgan.metrics.classification import EXPECTED_COST, LABEL_MEASURES, PROBABILITY_MEASURES
from tabgan.model_selection.candidates import CALIBRATED, DERIVED, NONE, all_candidates
from tabgan.model_selection.class_labels import class_labels, refuse_scalars
from tabgan.model_selection.fold_measures import Split, Task, calibrated_measures, tuned_measures
from tabgan.model_selection.rounds import run_rounds
from tabgan.model_selection.row_metadata import checked_groups
from tabgan.model_selection.weighing import RebalanceDecision, weighed

__all__ = ["RebalanceDecision", "should_rebalance"]


@ctrl_c_aborts()
def should_rebalance(
    X: Any,
    y: Any,
    estimator: Any,
    *,
    groups: Any = None,
    samplers: Any = None,
    other_settings: Any = None,
    costs: Any = None,
    scoring: str | Sequence[str] | None = None,
    cv: int = 5,
    n_repeats: int = 1,
    random_state: int | np.random.RandomState | None = None,
    tolerance: float = 0.01,
    max_time: float | None = None,
    n_jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> RebalanceDecision:
    """Compare ways to handle rare classes by cross-validation, and say which to use, which may be none.

    Compared are: nothing; nothing, with a tuned threshold; with calibrated probabilities; other settings of the same classifier;
    balanced class weights; balanced bagging; repeating rows; SMOTE; and samplers. Rows are resampled inside training folds only. A
    candidate that fails or cannot be tried is a row with the reason.

    Parameters
    ----------
    X : DataFrame (pandas, polars, ...), ndarray, sparse matrix or list of shape (n_samples, n_features)
        The table. Frames other than pandas' are handed on as pandas frames.
    y : array-like of shape (n_samples,)
        Class labels, two or more classes.
    estimator : classifier
        Or a pipeline that ends in one, with ``predict_proba`` or ``decision_function``. In a pipeline, samplers that take tables
        as they are (labels and gaps, by their tags) come first, others right before the classifier.
    groups : array-like of shape (n_samples,), default=None
        What each row belongs to, such as its patient or machine. Rows of a group are never in a training part and its held-out part
        at once, for rows of one group tell of each other what new groups will not.
    samplers : dict of str to sampler, list of samplers, or None, default=None
        What to compare beside the simple ways. None takes `BAGANOversampler` and `CGANSampler`; where F1 decides between two classes,
        also `BAGANOversampler` with a quarter and a tenth of the rows that balance asks for. An empty list takes nothing.
    other_settings : dict of str to dict, or None, default=None
        Other parameters of the classifier (of a pipeline, of its last step) to compare, by the name to show. None takes a few that
        matter where classes are rare (`tabgan.model_selection.learner_settings.SETTINGS`): learning rate and leaf size of boosted
        trees, leaf size of forests, shrinkage of logistic regression. An empty dict takes none.
    costs : dict, DataFrame, array-like of shape (n_classes, n_classes) or None, default=None
        What predictions cost, by (true class, predicted class), as in ``{("fraud", "fine"): 20, ("fine", "fraud"): 1}``; see
        `tabgan.estimators.costs.read_costs`. Every candidate but "none" is then judged with a threshold for these costs.
    scoring : str, list of str, or None, default=None
        Any of ``"average_precision"``, ``"roc_auc"``, ``"brier"`` (lower is better), ``"f1"``, ``"g_mean"``,
        ``"balanced_accuracy"`` and, with ``costs``, ``"expected_cost"`` per row (lower is better). The first decides. The first label
        measure among them, else expected cost or balanced accuracy, says whether moving the threshold pays. All are reported. None
        takes expected cost where there are ``costs``, and average precision where not.
    cv : int, default=5
        Stratified folds; fewer where the rarest class has fewer rows.
    n_repeats : int, default=1
        Rounds of cross-validation, with other folds.
    random_state : int, RandomState or None, default=None
        Of folds, and of every estimator and sampler whose own is None.
    tolerance : float, default=0.01
        Differences up to this are nothing, however sure. Of expected cost, it is a share of what the best prediction that is the
        same for all rows costs.
    max_time : float or None, default=None
        Seconds. What is under way is finished, so give or take the slowest fit. Candidates that cannot have all folds in time are
        compared on those they have, if 3 or more; "none" always gets 3.
    n_jobs : int or None, default=None
        Processes, as in scikit-learn.
    progress : callable, default=None
        Called as ``progress(done, total, what)`` after each fit and once at the end.

    Returns
    -------
    RebalanceDecision
        ``recommendation`` in words, ``best``, ``estimator`` ready to fit, and ``table``.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its range; names it and the value.
    InvalidInputError
        ``y`` has one class or gaps, holds numbers that are no classes, or a class of two has one row, or one group.

    Notes
    -----
    Labels are compared at 0.5 (the most probable class) and, for two classes, at a threshold tuned for each measure on the held-out
    predictions of the other folds. The positive class is the rarer one; for more classes measures are averaged
    one-vs-rest. Calibrated probabilities are those of `PriorCorrectedClassifier` without a sampler, scaled on the other folds.
    With ``costs`` and more than two classes, the class of least expected cost is predicted (Elkan 2001). Standard errors take
    the overlap of training parts into account (Nadeau and Bengio 2003: variance over folds times 1/k + n_test/n_train). A candidate is
    better if the mean difference to "none" on the same folds exceeds its standard error and ``tolerance``. Of the better ones, the
    simplest is used that is within half of ``tolerance`` of the highest. But where a threshold, calibration or other settings are
    better, too, then weights, bags and new rows have to better the best of these likewise. Where none is, a threshold or calibration
    is recommended if it betters the label measure likewise. Choosing the best of several flatters it slightly; the margin is the
    guard.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = make_classification(1000, weights=[0.9], class_sep=0.5, random_state=0)
    >>> found = should_rebalance(X, y, LogisticRegression(), samplers=[], random_state=0)
    >>> found.best
    'none, tuned threshold'
    >>> found.recommendation
    'keep the table, move the threshold to 0...: no candidate has a better average precision than none ...'
    """
    measures = _checked(estimator, scoring, costs, cv, n_repeats, random_state, tolerance, max_time, n_jobs, progress)
    labels = _checked_target(X, y)
    X = _as_pandas(X)
    classes, codes = np.unique(labels, return_inverse=True)
    counts = np.bincount(codes)
    if len(counts) < 2 or (len(counts) == 2 and counts.min() < 2):
        few = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        raise InvalidInputError(
            f"y has the class counts {few}; at least two classes are needed, and of two both twice."
        )
    matrix = None if costs is None else read_costs(costs, classes)
    positive = int(counts[1] <= counts[0]) if len(counts) == 2 else -1
    together = checked_groups(groups, len(labels))
    n_folds = max(2, min(cv, int(counts.min() if together is None else fewest_groups(codes, together))))
    seeds = seeds_from(random_state, n_repeats)
    parts = [_outer_folds(codes, n_folds, seed, together) for seed in seeds]
    fewest = min(int(np.bincount(codes[rows], minlength=len(counts)).min()) for rows, _ in chain(*parts))
    imbalance = float(counts.min() / counts.max()) if measures[0] == "f1" else None
    candidates = all_candidates(X, fewest, estimator, samplers, len(counts), other_settings, costs, imbalance)
    splits = [Split(*part, seeds[k], k) for k, of_round in enumerate(parts) for part in of_round]
    task = Task(X, labels, codes, classes, positive, matrix)
    tried = [candidate for candidate in candidates if candidate.model is not None and candidate.name not in DERIVED]
    results = run_rounds(tried, splits, task, n_jobs=n_jobs, max_time=max_time, progress=progress)
    by_name = {name: _with_tuned(task, splits, found) for name, found in results.items()}
    if any(candidate.name == CALIBRATED and candidate.model is not None for candidate in candidates):
        by_name[CALIBRATED] = _calibrated(task, splits, results[NONE], by_name[NONE])
    settings = {
        "scoring": measures,
        "cv": n_folds,
        "n_repeats": n_repeats,
        "groups": None if together is None else int(together.max()) + 1,
        "seeds": seeds,
        "tolerance": float(tolerance),
        "rows": len(labels),
        "classes": dict(zip(classes.tolist(), counts.tolist(), strict=True)),
        "positive": None if positive < 0 else classes.tolist()[positive],
        "test_share": 1 / (n_folds - 1),
        "costs": matrix,
        "constant_cost": None if matrix is None else constant_cost(counts, matrix),
        "max_time": max_time,
    }
    return weighed(candidates, by_name, settings)


def _with_tuned(task: Task, splits: list[Split], results: list[Any]) -> list[Any]:
    """Measures by fold with those at tuned thresholds; where a fold failed, the errors alone."""
    if any(one is not None and "error" in one for one in results):
        return [one for one in results if one is not None and "error" in one]
    tuned = tuned_measures(task, splits, results)
    return [
        None if one is None or more is None else {key: one[key] for key in one if key != "scores"} | more
        for one, more in zip(results, tuned, strict=True)
    ]


def _calibrated(task: Task, splits: list[Split], results: list[Any], none: list[Any]) -> list[Any]:
    """The same of calibrated probabilities, whose tuned labels are those of the probabilities before, as their order is."""
    if any(one is not None and "error" in one for one in results):
        return none
    found = calibrated_measures(task, splits, results)
    return [None if one is None or before is None else before | one for one, before in zip(found, none, strict=True)]


def _outer_folds(
    codes: np.ndarray, n_folds: int, seed: int, groups: np.ndarray | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stratified folds, of whole groups where there are any; a class of one row (of three or more) goes wherever it falls."""
    if groups is not None:
        return group_folds(codes, groups, n_folds, seed)
    counts = np.bincount(codes)
    return folds(np.where(counts[codes] < n_folds, counts.argmax(), codes), n_folds, seed)


def _as_pandas(X: Any) -> Any:
    """Frames of other kinds as pandas frames, which imbalanced-learn takes; anything else as it is."""
    if isinstance(X, pd.DataFrame) or hasattr(X, "nnz"):
        return X
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return np.asarray(X) if isinstance(X, list) else X
    columns = {}
    for name in frame.columns:
        column = frame[name]
        labelled = isinstance(column.dtype, nw.Categorical | nw.Enum)
        columns[name] = pd.Series(column.to_list()).astype("category") if labelled else pd.Series(column.to_numpy())
    return pd.DataFrame(columns)


def _checked_target(X: Any, y: Any) -> np.ndarray:
    labels = class_labels(y)
    refuse_scalars(X)
    if _num_samples(X) != len(labels):
        raise InvalidInputError(f"X has {_num_samples(X)} rows but y has {len(labels)} labels.")
    warn_of_other_order(X, y)
    return labels


def _checked(
    estimator: Any,
    scoring: Any,
    costs: Any,
    cv: Any,
    n_repeats: Any,
    random_state: Any,
    tolerance: Any,
    max_time: Any,
    n_jobs: Any,
    progress: Any,
) -> tuple[str, ...]:
    """Measures asked for, first to last."""
    for name, value, (holds, words) in (
        ("cv", cv, integer(2)),
        ("n_repeats", n_repeats, integer(1)),
        ("random_state", random_state, SEED),
        ("tolerance", tolerance, number(0)),
        ("max_time", max_time, optional(number(0, open_low=True))),
        ("n_jobs", n_jobs, JOBS),
        ("progress", progress, optional((callable, "a function"))),
    ):
        if not holds(value):
            raise parameter_error(name, value, words)
    scored = hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")
    if not hasattr(estimator, "fit") or not scored or isinstance(estimator, type):
        raise parameter_error("estimator", estimator, "a classifier object with predict_proba or decision_function")
    if costs is not None:
        check_costs(costs)
    known = (*PROBABILITY_MEASURES, *LABEL_MEASURES, *([EXPECTED_COST] if costs is not None else []))
    if scoring is None:
        return (EXPECTED_COST, "average_precision") if costs is not None else ("average_precision",)
    try:
        measures = (scoring,) if isinstance(scoring, str) else tuple(scoring)
    except TypeError:
        measures = ()
    if not measures or not all(isinstance(measure, str) and measure in known for measure in measures):
        needs = "" if costs is not None else f"; {EXPECTED_COST} needs costs"
        raise InvalidParameterError(
            f"scoring={scoring!r} is not valid; it must be one or more of {', '.join(known)}{needs}."
        )
    if not hasattr(estimator, "predict_proba") and measures[0] == "brier":
        raise InvalidParameterError(
            f"scoring={scoring!r} needs probabilities, which {type(estimator).__name__} does not give."
        )
    return measures
