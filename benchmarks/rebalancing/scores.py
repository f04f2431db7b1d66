"""The package's own measures under the benchmark's names, with log-loss, Matthews correlation and the repair of class shares."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import log_loss

from tabgan.metrics import classification as scores
from tabgan.model_selection.prior_correction import correct_prior

__all__ = ["LABEL_MEASURES", "MEASURES", "best_thresholds", "label_scores", "probability_scores", "repaired"]

LABEL_MEASURES = (*scores.LABEL_MEASURES, "mcc")
MEASURES = ("auprc", "roc_auc", "brier", "log_loss", "brier_repaired", "log_loss_repaired", *LABEL_MEASURES)
"""Larger is better except for Brier scores and log-losses."""

label_scores = scores.label_scores


def probability_scores(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Ranking (macro one-vs-rest for more than two classes) and probability measures.

    Parameters
    ----------
    y : ndarray of int of shape (n,)
    p : ndarray of float of shape (n, n_classes)
    """
    clipped = np.clip(p, 1e-6, 1)
    clipped /= clipped.sum(axis=1, keepdims=True)
    found = scores.probability_scores(y, p)
    found["auprc"] = found.pop("average_precision")
    return found | {"log_loss": float(log_loss(y, clipped, labels=np.arange(p.shape[1])))}


def repaired(p: np.ndarray, trained_on: np.ndarray, truly: np.ndarray) -> np.ndarray:
    """Probabilities after the shift back from the class shares trained on to the true ones; no certainty, which nothing can move."""
    return correct_prior(np.clip(p, 1e-6, 1), np.maximum(trained_on, 1e-12), truly)


def best_thresholds(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """For two classes, the threshold on class 1 that is best for each label measure.

    Parameters
    ----------
    y : ndarray of int of shape (n,)
    p : ndarray of float of shape (n,)
        Held-out probabilities of class 1.
    """
    return {measure: scores.best_threshold(y == 1, p, measure) for measure in LABEL_MEASURES}
