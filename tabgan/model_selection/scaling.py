"""Probabilities brought into line with rows that the model did not see: one slope, and an offset per class, on the log scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

__all__ = ["Scaling", "fit_scaling"]

_LEAST = 1e-3
_LEAST_OF_SHARE = 0.1
_LEAST_SLOPE = 0.01
_STRENGTH = 1.0


@dataclass(frozen=True)
class Scaling:
    """What probabilities are multiplied by on the log scale, and what is added.

    Parameters
    ----------
    slope : float
        Below 1 where the model is too sure of itself, above where too unsure; > 0, so that of two classes no order changes.
    offsets : ndarray of float64 of shape (n_classes,)
        Added to each class, above 0 for one that is predicted too rarely.
    least : float, default=0.001
        Probabilities below this count as this.
    """

    slope: float
    offsets: np.ndarray
    least: float = _LEAST

    def applied(self, probabilities: np.ndarray) -> np.ndarray:
        """Scaled probabilities, of the same shape (n, n_classes); rows sum to 1, none is 0."""
        return softmax(self.slope * _logs(probabilities, self.least) + self.offsets, axis=1)


def fit_scaling(
    probabilities: np.ndarray, codes: np.ndarray, least: float | None = None, weights: np.ndarray | None = None
) -> Scaling:
    """Learn a scaling from held-out probabilities.

    Parameters
    ----------
    probabilities : ndarray of float of shape (n, n_classes)
        Of rows that the model was not trained on.
    codes : ndarray of int of shape (n,)
        Their classes.
    least : float, default=None
        What probabilities below it count as; None goes by the share of the rarest class, see the notes.
    weights : ndarray of float of shape (n,), default=None
        How much each row counts, relative to the others; None: all alike.

    Returns
    -------
    Scaling

    Notes
    -----
    Platt (1999) for two classes, with the log of the odds as his score; for more, the vector scaling of Guo et al. (2017), with one
    slope for all classes. The log-likelihood is penalised by half the squared distance from slope 1 and offsets 0, so that a
    few rows move little (Platt softens the targets instead, to the same end). Probabilities below 0.001 count as that, since
    five neighbours that agree are no certainty; where a class's share is below 0.01, those below a tenth of it, since rows
    that differ by less than that are most of such a table, and their order must last.
    """
    n_classes = probabilities.shape[1]
    scale = np.ones(len(codes)) if weights is None else weights * (len(codes) / weights.sum())
    counts = np.bincount(codes, scale, minlength=n_classes)
    if least is None:
        least = min(_LEAST, _LEAST_OF_SHARE * float(counts[counts > 0].min()) / len(codes))
    logs = _logs(probabilities, least)
    truth = np.eye(n_classes)[codes]
    each = scale[:, None]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        found = log_softmax(theta[0] * logs + theta[1:], axis=1)
        off = (np.exp(found) - truth) * each
        away = theta - start
        gradient = np.concatenate([[(off * logs).sum()], off.sum(axis=0)])
        return float(_STRENGTH * away @ away / 2 - (truth * found * each).sum()), gradient + _STRENGTH * away

    start = np.concatenate([[1.0], np.zeros(n_classes)])
    bounds = [(_LEAST_SLOPE, None), *[(None, None)] * n_classes]
    theta = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Scaling(float(theta[0]), theta[1:], least)


def _logs(probabilities: np.ndarray, least: float) -> np.ndarray:
    p = np.clip(np.asarray(probabilities, dtype=np.float64), least, 1.0)
    return np.log(p / p.sum(axis=1, keepdims=True))
