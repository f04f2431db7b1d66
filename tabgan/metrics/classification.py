"""What predicted probabilities and labels are worth where classes are rare, and the threshold that suits a label measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

__all__ = [
    "EXPECTED_COST",
    "LABEL_MEASURES",
    "PROBABILITY_MEASURES",
    "best_threshold",
    "expected_cost",
    "label_scores",
    "probability_scores",
]

PROBABILITY_MEASURES = ("average_precision", "roc_auc", "brier")
LABEL_MEASURES = ("f1", "g_mean", "balanced_accuracy")
EXPECTED_COST = "expected_cost"
"""A measure of labels as well, but one that needs costs; lower is better."""


def probability_scores(
    y: np.ndarray,
    scores: np.ndarray,
    *,
    positive: int = 1,
    calibrated: bool = True,
    measures: Sequence[str] = PROBABILITY_MEASURES,
) -> dict[str, float]:
    """Area under the precision-recall and ROC curves, and the Brier score.

    Parameters
    ----------
    y : ndarray of int of shape (n,)
        Class numbers.
    scores : ndarray of float of shape (n, n_classes)
        Probabilities, or any scores that grow with them.
    positive : int, default=1
        The class that counts as the event if there are two; of more classes each is told from the rest, and those that occur in
        ``y``, but not alone, are averaged.
    calibrated : bool, default=True
        False for scores that are no probabilities, whose Brier score is nan.
    measures : sequence of str, default=PROBABILITY_MEASURES
        Which of them to take.

    Returns
    -------
    dict of str to float
        ``average_precision``, ``roc_auc`` and ``brier``, which is half the squared error summed over classes: of two classes the
        usual mean of (p - y)^2. nan where ``y`` has one class only.
    """
    truth = np.eye(scores.shape[1])[y]
    events = [positive] if scores.shape[1] == 2 else range(scores.shape[1])
    told = [c for c in events if 0 < truth[:, c].sum() < len(y)]

    def mean_of(score: object) -> float:
        return float(np.mean([score(truth[:, c], scores[:, c]) for c in told])) if told else np.nan  # type: ignore[operator]

    of: dict[str, Callable[[], float]] = {
        "average_precision": lambda: mean_of(average_precision_score),
        "roc_auc": lambda: mean_of(roc_auc_score),
        "brier": lambda: float(((scores - truth) ** 2).sum(axis=1).mean() / 2) if calibrated else np.nan,
    }
    return {measure: of[measure]() for measure in measures}


def label_scores(y: np.ndarray, predicted: np.ndarray, n_classes: int, *, positive: int = 1) -> dict[str, float]:
    """F1, geometric mean of the recalls, balanced accuracy and Matthews correlation.

    Parameters
    ----------
    y, predicted : ndarray of int of shape (n,)
        True and predicted class numbers.
    n_classes : int
    positive : int, default=1
        Class whose F1 is meant if there are two; of more classes the F1 of those that occur are averaged.

    Returns
    -------
    dict of str to float
        ``f1``, ``g_mean`` and ``balanced_accuracy``, the latter two over the classes that occur in ``y``, and ``mcc``: 0 where
        one class only is there, or predicted (Gorodkin 2004 for more than two).
    """
    table = np.zeros((n_classes, n_classes))
    np.add.at(table, (y, predicted), 1)
    hits, true, claimed = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    present = true > 0
    recalls = hits[present] / true[present]
    f1 = 2 * hits / np.maximum(true + claimed, 1)
    n = table.sum()
    spread = np.sqrt((n**2 - (true**2).sum()) * (n**2 - (claimed**2).sum()))
    return {
        "f1": float(f1[positive] if n_classes == 2 else f1[present | (claimed > 0)].mean()),
        "g_mean": float(np.prod(recalls) ** (1 / len(recalls))),
        "balanced_accuracy": float(recalls.mean()),
        "mcc": float((hits.sum() * n - (true * claimed).sum()) / spread) if spread > 0 else 0.0,
    }


def expected_cost(y: np.ndarray, predicted: np.ndarray, costs: np.ndarray) -> float:
    """Mean cost of predictions.

    Parameters
    ----------
    y, predicted : ndarray of int of shape (n,)
        True and predicted class numbers.
    costs : ndarray of float of shape (n_classes, n_classes)
        True class by predicted class.
    """
    return float(costs[y, predicted].mean())


def best_threshold(
    event: np.ndarray,
    score: np.ndarray,
    measure: str,
    *,
    miss: float = 1.0,
    alarm: float = 1.0,
    weights: Any = None,
) -> float:
    """Threshold at which calling every row with ``score >= threshold`` an event is best.

    Parameters
    ----------
    event : ndarray of bool of shape (n,)
        Which rows are events; some are, some are not.
    score : ndarray of float of shape (n,)
        Held-out probabilities or scores.
    measure : {"f1", "g_mean", "balanced_accuracy", "mcc", "expected_cost"}
        What is best; of equals, the highest threshold.
    miss, alarm : float, default=1.0
        For ``"expected_cost"``: what a missed event costs, and what a false alarm, beyond being right.
    weights : ndarray of float of shape (n,), default=None
        How much each row counts; None: all alike.

    Returns
    -------
    float
        Halfway between two neighbouring scores, or the smallest score; above all scores where any alarm costs more than it saves.
    """
    order = np.argsort(-score, kind="stable")
    each = np.ones(len(event)) if weights is None else weights
    ranked, hits, rows = score[order], np.cumsum((event * each)[order]), np.cumsum(each[order])
    last = np.flatnonzero(np.append(np.diff(ranked) < 0, True))  # of equal scores all or none are claimed
    claimed, found = rows[last], hits[last]
    n_events, n_others = float(each[event].sum()), float(each[~event].sum())
    recall, specificity = found / n_events, 1 - (claimed - found) / n_others
    if measure == "f1":
        worth = 2 * found / (claimed + n_events)
    elif measure == "mcc":
        n = n_events + n_others
        spread = np.sqrt(claimed * (n - claimed) * n_events * n_others)
        worth = np.where(spread > 0, (found * n - claimed * n_events) / np.maximum(spread, 1e-12), 0.0)
    elif measure == EXPECTED_COST:
        worth = found * miss - (claimed - found) * alarm
        if worth.max() <= 0:
            return float(np.nextafter(ranked[0], np.inf))
    else:
        worth = recall * specificity if measure == "g_mean" else recall + specificity
    at = last[int(np.argmax(worth))]
    if at + 1 == len(ranked):
        return float(ranked[at])
    halfway = float(ranked[at] / 2 + ranked[at + 1] / 2)
    return halfway if halfway > ranked[at + 1] else float(ranked[at])
