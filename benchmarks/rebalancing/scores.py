"""What predicted probabilities are worth: ranking, probability and label measures, at 0.5 and at thresholds tuned on other rows."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

__all__ = ["LABEL_MEASURES", "MEASURES", "best_thresholds", "label_scores", "probability_scores", "repaired"]

LABEL_MEASURES = ("f1", "g_mean", "balanced_accuracy", "mcc")
MEASURES = ("auprc", "roc_auc", "brier", "log_loss", "brier_repaired", "log_loss_repaired", *LABEL_MEASURES)
"""Larger is better except for Brier scores and log-losses."""


def probability_scores(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Ranking (macro one-vs-rest for more than two classes) and probability measures.

    Parameters
    ----------
    y : ndarray of int of shape (n,)
    p : ndarray of float of shape (n, n_classes)
    """
    truth = np.eye(p.shape[1])[y]
    ranked = [1] if p.shape[1] == 2 else [c for c in range(p.shape[1]) if 0 < truth[:, c].sum() < len(y)]
    clipped = np.clip(p, 1e-6, 1)
    clipped /= clipped.sum(axis=1, keepdims=True)
    return {
        "auprc": float(np.mean([average_precision_score(truth[:, c], p[:, c]) for c in ranked])),
        "roc_auc": float(np.mean([roc_auc_score(truth[:, c], p[:, c]) for c in ranked])),
        "brier": float(((p - truth) ** 2).sum(axis=1).mean() / 2),  # of two classes the usual (p - y)^2
        "log_loss": float(log_loss(y, clipped, labels=np.arange(p.shape[1]))),
    }


def repaired(p: np.ndarray, trained_on: np.ndarray, truly: np.ndarray) -> np.ndarray:
    """Probabilities after the shift back from the class shares trained on to the true ones (Elkan 2001, theorem 2)."""
    shifted = np.clip(p, 1e-6, 1) * (truly / np.maximum(trained_on, 1e-12))
    return shifted / shifted.sum(axis=1, keepdims=True)


def label_scores(y: np.ndarray, predicted: np.ndarray, n_classes: int) -> dict[str, float]:
    """F1 of class 1 (macro for more than two), G-mean of recalls, balanced accuracy, Matthews correlation."""
    table = np.zeros((n_classes, n_classes))
    np.add.at(table, (y, predicted), 1)
    hits, true, claimed = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    present = true > 0
    recalls = hits[present] / true[present]
    f1 = 2 * hits / np.maximum(true + claimed, 1)
    n = table.sum()
    spread = np.sqrt((n**2 - (true**2).sum()) * (n**2 - (claimed**2).sum()))
    return {
        "f1": float(f1[1] if n_classes == 2 else f1[present | (claimed > 0)].mean()),
        "g_mean": float(np.prod(recalls) ** (1 / len(recalls))),
        "balanced_accuracy": float(recalls.mean()),
        "mcc": float((hits.sum() * n - (true * claimed).sum()) / spread) if spread > 0 else 0.0,
    }


def best_thresholds(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """For two classes, the threshold on class 1 that is best for each label measure, halfway between two predictions.

    Parameters
    ----------
    y : ndarray of int of shape (n,)
    p : ndarray of float of shape (n,)
        Held-out probabilities of class 1.
    """
    order = np.argsort(-p, kind="stable")
    ranked, hits = p[order], np.cumsum(y[order])
    last = np.flatnonzero(np.append(np.diff(ranked) < 0, True))  # of equal predictions all or none are claimed
    claimed, tp = last + 1.0, hits[last].astype(float)
    positives, n = float(y.sum()), float(len(y))
    fp = claimed - tp
    recall, specificity = tp / positives, 1 - fp / (n - positives)
    spread = np.sqrt(claimed * (n - claimed) * positives * (n - positives))
    found = {
        "f1": 2 * tp / (claimed + positives),
        "g_mean": np.sqrt(recall * specificity),
        "balanced_accuracy": (recall + specificity) / 2,
        "mcc": np.where(spread > 0, (tp * n - claimed * positives) / np.maximum(spread, 1e-12), 0.0),
    }
    edges = np.append(ranked, 0.0)
    return {
        name: float((edges[last[k]] + edges[last[k] + 1]) / 2)
        for name, k in ((name, int(np.argmax(v))) for name, v in found.items())
    }
