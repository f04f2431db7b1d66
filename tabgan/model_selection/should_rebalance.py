"""`should_rebalance`: whether resampling helps an estimator on a table, against nothing, a threshold and class weights."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from tabgan.core.interrupts import ctrl_c_aborts
from tabgan.estimators.cross_validation import aligned_probabilities, fold_scores, folds, seeded_copy, seeds_from
from tabgan.estimators.parameter_checks import SEED, integer, number
from tabgan.exceptions import InvalidInputError, InvalidParameterError, parameter_error
from tabgan.metrics.classification import LABEL_MEASURES, PROBABILITY_MEASURES, best_threshold, label_scores
from tabgan.model_selection.candidates import THRESHOLD, Candidate, all_candidates
from tabgan.model_selection.class_labels import class_labels, refuse_scalars
from tabgan.model_selection.weighing import RebalanceDecision, weighed

__all__ = ["RebalanceDecision", "should_rebalance"]

_INNER_FOLDS = 3


@ctrl_c_aborts()
def should_rebalance(
    X: Any,
    y: Any,
    estimator: Any,
    *,
    samplers: Any = None,
    scoring: str | Sequence[str] = "average_precision",
    cv: int = 5,
    n_repeats: int = 1,
    random_state: int | np.random.RandomState | None = None,
    tolerance: float = 0.01,
    n_jobs: int | None = None,
) -> RebalanceDecision:
    """Compare ways to handle rare classes by cross-validation, and say which to use, which may be none.

    Compared are: nothing; nothing, with a tuned threshold; balanced class weights; repeating rows; SMOTE; and samplers. Rows are
    resampled inside training folds only. A candidate that fails or cannot be tried is a row with the reason.

    Parameters
    ----------
    X : DataFrame (pandas, polars, ...), ndarray, sparse matrix or list of shape (n_samples, n_features)
        The table. Frames other than pandas' are handed on as pandas frames.
    y : array-like of shape (n_samples,)
        Class labels, two or more classes.
    estimator : classifier
        Or a pipeline that ends in one, with ``predict_proba`` or ``decision_function``. In a pipeline, samplers that take tables
        as they are (labels and gaps, by their tags) come first, others right before the classifier.
    samplers : dict of str to sampler, list of samplers, or None, default=None
        What to compare beside the simple ways. None takes `BAGANOversampler` and `CGANSampler`; an empty list nothing.
    scoring : str or list of str, default="average_precision"
        Any of ``"average_precision"``, ``"roc_auc"``, ``"brier"`` (lower is better), ``"f1"``, ``"g_mean"``,
        ``"balanced_accuracy"``. The first decides. The first label measure among them, else balanced accuracy, says whether
        moving the threshold pays. All are reported.
    cv : int, default=5
        Stratified folds; fewer where the rarest class has fewer rows.
    n_repeats : int, default=1
        Rounds of cross-validation, with other folds.
    random_state : int, RandomState or None, default=None
        Of folds, and of every estimator and sampler whose own is None.
    tolerance : float, default=0.01
        Differences up to this are nothing, however sure.
    n_jobs : int or None, default=None
        Processes, as in scikit-learn.

    Returns
    -------
    RebalanceDecision
        ``recommendation`` in words, ``best``, ``estimator`` ready to fit, and ``table``.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its range; names it and the value.
    InvalidInputError
        ``y`` has one class or gaps, holds numbers that are no classes, or a class of two has one row.

    Notes
    -----
    Labels are compared at 0.5 (the most probable class) and, for two classes, at a threshold tuned for each measure on held-out
    predictions of 3 folds inside the training part. The positive class is the rarer one; for more classes measures are averaged
    one-vs-rest. Standard errors take the overlap of training parts into account (Nadeau and Bengio 2003: variance over folds times
    1/k + n_test/n_train). A candidate is better if the mean difference to "none" on the same folds exceeds its standard error and
    ``tolerance``. Of the better ones, the simplest is used that the highest does not beat by the same rule. Where
    none is, a threshold is recommended if it betters the label measure likewise. Choosing the best of several flatters it
    slightly; the margin is the guard.

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
    measures = _checked(estimator, scoring, cv, n_repeats, random_state, tolerance)
    labels = _checked_target(X, y)
    X = _as_pandas(X)
    classes, codes = np.unique(labels, return_inverse=True)
    counts = np.bincount(codes)
    if len(counts) < 2 or (len(counts) == 2 and counts.min() < 2):
        few = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        raise InvalidInputError(
            f"y has the class counts {few}; at least two classes are needed, and of two both twice."
        )
    positive = int(counts[1] <= counts[0]) if len(counts) == 2 else -1
    n_folds = max(2, min(cv, int(counts.min())))
    candidates = all_candidates(X, _fewest(int(counts.min()), n_folds), estimator, samplers, len(counts))
    seeds = seeds_from(random_state, n_repeats)
    splits = [(part, seed) for seed in seeds for part in _outer_folds(codes, n_folds, seed)]
    tried = [candidate for candidate in candidates if candidate.model is not None and candidate.name != THRESHOLD]
    results = Parallel(n_jobs=n_jobs)(
        delayed(_try)(candidate, X, labels, codes, classes, positive, part, seed)
        for candidate in tried
        for part, seed in splits
    )
    by_name = {candidate.name: results[k * len(splits) : (k + 1) * len(splits)] for k, candidate in enumerate(tried)}
    settings = {
        "scoring": measures,
        "cv": n_folds,
        "n_repeats": n_repeats,
        "seeds": seeds,
        "tolerance": float(tolerance),
        "rows": len(labels),
        "classes": dict(zip(classes.tolist(), counts.tolist(), strict=True)),
        "positive": None if positive < 0 else classes.tolist()[positive],
        "test_share": 1 / (n_folds - 1),
    }
    return weighed(candidates, by_name, settings)


def _try(
    candidate: Candidate,
    X: Any,
    labels: np.ndarray,
    codes: np.ndarray,
    classes: np.ndarray,
    positive: int,
    part: tuple[np.ndarray, np.ndarray],
    seed: int,
) -> dict[str, Any]:
    """Measures of one candidate on one fold, or its error."""
    training, test = part
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores, predicted, calibrated = _predictions(candidate, X, labels, classes, training, test, seed)
            event = max(positive, 0)
            found: dict[str, Any] = dict(
                fold_scores(codes[test], scores, predicted, positive=event, calibrated=calibrated)
            )
            if positive >= 0:
                held_out = _held_out(candidate, X, labels, codes, classes, training, positive, seed)
                found |= _at_tuned(codes, training, test, held_out, scores[:, positive], positive)
    except Exception as error:
        text = (str(error).strip() or "no message").splitlines()[0]
        return {"error": f"{type(error).__name__}: {text}"}
    return found | {"seconds": time.perf_counter() - started}


def _predictions(
    candidate: Candidate,
    X: Any,
    labels: np.ndarray,
    classes: np.ndarray,
    training: np.ndarray,
    test: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Scores (n_test, n_classes) in the order of ``classes``, predicted class numbers, and whether scores are probabilities."""
    model = candidate.fit(seeded_copy(candidate.model, seed), _safe_indexing(X, training), labels[training])
    rows = _safe_indexing(X, test)
    predicted = np.searchsorted(classes, model.predict(rows))
    if hasattr(model, "predict_proba"):
        return aligned_probabilities(model, rows, classes), predicted, True
    raw = np.asarray(model.decision_function(rows), dtype=np.float64)
    if raw.ndim == 1:
        raw = np.column_stack([-raw, raw])
    scores = np.full((len(test), len(classes)), raw.min() - 1)
    scores[:, np.searchsorted(classes, model.classes_)] = raw
    return scores, predicted, False


def _held_out(
    candidate: Candidate,
    X: Any,
    labels: np.ndarray,
    codes: np.ndarray,
    classes: np.ndarray,
    training: np.ndarray,
    positive: int,
    seed: int,
) -> np.ndarray | None:
    """Scores of the positive class for the training rows, each from a model that has not seen the row."""
    inner = folds(codes[training], _INNER_FOLDS, seed)
    scores = np.empty(len(training))
    for some, rest in inner:
        found, _, _ = _predictions(candidate, X, labels, classes, training[some], training[rest], seed)
        scores[rest] = found[:, positive]
    return scores if inner else None


def _at_tuned(
    codes: np.ndarray,
    training: np.ndarray,
    test: np.ndarray,
    held_out: np.ndarray | None,
    scores: np.ndarray,
    positive: int,
) -> dict[str, float]:
    """Each label measure at the threshold tuned for it, and the thresholds."""
    if held_out is None:
        return {f"{measure}_{what}": np.nan for measure in LABEL_MEASURES for what in ("tuned", "threshold")}
    found = {}
    for measure in LABEL_MEASURES:
        threshold = best_threshold(codes[training] == positive, held_out, measure)
        predicted = np.where(scores >= threshold, positive, 1 - positive)
        found[f"{measure}_threshold"] = threshold
        found[f"{measure}_tuned"] = label_scores(codes[test], predicted, 2, positive=positive)[measure]
    return found


def _outer_folds(codes: np.ndarray, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stratified folds; a class of one row (of three or more classes) goes wherever it falls."""
    counts = np.bincount(codes)
    return folds(np.where(counts[codes] < n_folds, counts.argmax(), codes), n_folds, seed)


def _fewest(count: int, n_folds: int) -> int:
    """Rows that a class of ``count`` keeps at least in the smallest training part of the inner folds."""
    outer = count - -(-count // n_folds)
    inner = min(_INNER_FOLDS, outer)
    return outer - -(-outer // inner) if inner >= 2 else outer


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
    return labels


def _checked(
    estimator: Any, scoring: Any, cv: Any, n_repeats: Any, random_state: Any, tolerance: Any
) -> tuple[str, ...]:
    """Measures asked for, first to last."""
    for name, value, (holds, words) in (
        ("cv", cv, integer(2)),
        ("n_repeats", n_repeats, integer(1)),
        ("random_state", random_state, SEED),
        ("tolerance", tolerance, number(0)),
    ):
        if not holds(value):
            raise parameter_error(name, value, words)
    scored = hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")
    if not hasattr(estimator, "fit") or not scored or isinstance(estimator, type):
        raise parameter_error("estimator", estimator, "a classifier object with predict_proba or decision_function")
    known = (*PROBABILITY_MEASURES, *LABEL_MEASURES)
    try:
        measures = (scoring,) if isinstance(scoring, str) else tuple(scoring)
    except TypeError:
        measures = ()
    if not measures or not all(isinstance(measure, str) and measure in known for measure in measures):
        raise InvalidParameterError(f"scoring={scoring!r} is not valid; it must be one or more of {', '.join(known)}.")
    if not hasattr(estimator, "predict_proba") and measures[0] == "brier":
        raise InvalidParameterError(
            f"scoring={scoring!r} needs probabilities, which {type(estimator).__name__} does not give."
        )
    return measures
