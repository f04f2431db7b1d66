"""What a candidate is worth on held-out rows: plainly, at thresholds tuned on the other folds, and with repaired probabilities."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from tabgan.estimators.costs import cost_threshold, least_costly
from tabgan.estimators.cross_validation import aligned_probabilities, fold_scores, seeded_copy
from tabgan.metrics.classification import EXPECTED_COST, LABEL_MEASURES, best_threshold, expected_cost, label_scores
from tabgan.model_selection.candidates import NONE, Candidate
from tabgan.model_selection.scaling import fit_scaling

__all__ = ["Split", "Task", "calibrated_measures", "tuned_measures"]

Results = Sequence[dict[str, Any] | None]


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to judge by, with the seed and the number of their round of folds."""

    training: np.ndarray
    test: np.ndarray
    seed: int
    repeat: int


@dataclass(frozen=True)
class Task:
    """The table and what is asked of it.

    Parameters
    ----------
    X : container of shape (n, n_columns)
    labels : ndarray of shape (n,)
    codes : ndarray of int of shape (n,)
        Class numbers.
    classes : ndarray of shape (n_classes,)
        Sorted.
    positive : int
        The event of two classes; -1 for more.
    costs : ndarray of float of shape (n_classes, n_classes) or None
    """

    X: Any
    labels: np.ndarray
    codes: np.ndarray
    classes: np.ndarray
    positive: int
    costs: np.ndarray | None = None

    def __call__(self, candidate: Candidate, split: Split) -> dict[str, Any]:
        """Train a candidate on a fold and measure it on the rest.

        Returns
        -------
        dict
            Measures, ``seconds`` and ``scores`` of shape (n_test, n_classes), or None where nobody needs them; or ``error``.
        """
        started = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scores, predicted, calibrated = self._predictions(candidate, split)
        except Exception as error:
            text = (str(error).strip() or "no message").splitlines()[0]
            return {"error": f"{type(error).__name__}: {text}", "seconds": time.perf_counter() - started}
        found = self.measures(split, scores, predicted, calibrated)
        if self.costs is not None and self.positive < 0 and calibrated:
            found[f"{EXPECTED_COST}_tuned"] = self._cost(split, least_costly(scores, self.costs))
        kept = (
            scores if self.positive >= 0 or candidate.name == NONE else None
        )  # of many classes they would fill the memory
        return found | {"scores": kept, "seconds": time.perf_counter() - started}

    def measures(self, split: Split, scores: np.ndarray, predicted: np.ndarray, calibrated: bool) -> dict[str, Any]:
        """All measures on the held-out rows."""
        truth, event = self.codes[split.test], max(self.positive, 0)
        found: dict[str, Any] = dict(fold_scores(truth, scores, predicted, positive=event, calibrated=calibrated))
        return found if self.costs is None else found | {EXPECTED_COST: self._cost(split, predicted)}

    def _cost(self, split: Split, predicted: np.ndarray) -> float:
        assert self.costs is not None
        return expected_cost(self.codes[split.test], predicted, self.costs)

    def _predictions(self, candidate: Candidate, split: Split) -> tuple[np.ndarray, np.ndarray, bool]:
        """Scores in the order of the classes, predicted class numbers, and whether scores are probabilities."""
        rows, labels = _safe_indexing(self.X, split.training), self.labels[split.training]
        model = candidate.fit(seeded_copy(candidate.model, split.seed), rows, labels)
        rows = _safe_indexing(self.X, split.test)
        predicted = np.searchsorted(self.classes, model.predict(rows))
        if hasattr(model, "predict_proba"):
            return aligned_probabilities(model, rows, self.classes), predicted, True
        raw = np.asarray(model.decision_function(rows), dtype=np.float64)
        if raw.ndim == 1:
            raw = np.column_stack([-raw, raw])
        scores = np.full((len(split.test), len(self.classes)), raw.min() - 1)
        scores[:, np.searchsorted(self.classes, model.classes_)] = raw
        return scores, predicted, False


def tuned_measures(task: Task, splits: Sequence[Split], results: Results) -> list[dict[str, float] | None]:
    """Each label measure at the threshold that is best for it on the other folds, and the thresholds; of two classes.

    Returns
    -------
    list
        A dict per fold; None where there is no result.
    """
    measures = [*LABEL_MEASURES, *([EXPECTED_COST] if task.costs is not None else [])]
    extra = {} if task.costs is None else _beyond_right(task.costs, task.positive)
    found: list[dict[str, float] | None] = []
    for split, result, others in _with_others(splits, results):
        if result is None or task.positive < 0:
            found.append(None if result is None else {})
            continue
        if not others:
            found.append({f"{measure}_{what}": np.nan for measure in measures for what in ("tuned", "threshold")})
            continue
        events = np.concatenate([task.codes[other.test] == task.positive for other, _ in others])
        scores = np.concatenate([their["scores"][:, task.positive] for _, their in others])
        truth, own, line = task.codes[split.test], result["scores"][:, task.positive], {}
        for measure in measures:
            threshold = best_threshold(events, scores, measure, **extra)
            predicted = np.where(own >= threshold, task.positive, 1 - task.positive)
            line[f"{measure}_threshold"] = threshold
            if measure == EXPECTED_COST:
                line[f"{measure}_tuned"] = expected_cost(truth, predicted, task.costs)  # type: ignore[arg-type]
            else:
                line[f"{measure}_tuned"] = label_scores(truth, predicted, 2, positive=task.positive)[measure]
        found.append(line)
    return found


def calibrated_measures(task: Task, splits: Sequence[Split], results: Results) -> list[dict[str, Any] | None]:
    """The measures that probabilities have once they are scaled by what the other folds say, as `PriorCorrectedClassifier` does.

    Returns
    -------
    list
        A dict per fold; None where there is no result, or no other fold.
    """
    found: list[dict[str, Any] | None] = []
    for split, result, others in _with_others(splits, results):
        if result is None or not others:
            found.append(None)
            continue
        started = time.perf_counter()
        codes = np.concatenate([task.codes[other.test] for other, _ in others])
        scaling = fit_scaling(np.concatenate([their["scores"] for _, their in others]), codes)
        p = scaling.applied(result["scores"])
        predicted = p.argmax(axis=1) if task.costs is None else least_costly(p, task.costs)
        line = task.measures(split, p, predicted, True)
        if task.costs is not None and task.positive >= 0:
            line[f"{EXPECTED_COST}_threshold"] = cost_threshold(task.costs, task.positive)
        found.append(line | {"seconds": result["seconds"] + time.perf_counter() - started})
    return found


def _with_others(splits: Sequence[Split], results: Results) -> list[Any]:
    """Each fold with its result and those of the other folds of its round."""
    pairs = list(zip(splits, results, strict=True))
    return [
        (
            split,
            result,
            [
                (other, their)
                for other, their in pairs
                if other is not split and other.repeat == split.repeat and their is not None and "error" not in their
            ],
        )
        for split, result in pairs
    ]


def _beyond_right(costs: np.ndarray, event: int) -> dict[str, float]:
    other = 1 - event
    return {
        "miss": float(costs[event, other] - costs[event, event]),
        "alarm": float(costs[other, event] - costs[other, other]),
    }
