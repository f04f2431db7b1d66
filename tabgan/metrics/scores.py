"""Proper scores of draws: CRPS per cell and energy score per row."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["crps", "energy_score"]


def energy_score(truth: Any, draws: Any, *, beta: float = 1.0) -> np.ndarray:
    """Energy score of draws against the truth, row by row; lower is better.

    Its mean over many rows is smallest for draws from the true conditional distribution: neither the conditional mean repeated
    nor draws that are too wide or too narrow do better. It ranks imputers by their draws, where RMSE ranks them by their means.

    Parameters
    ----------
    truth : array of float of shape (n, d)
        What happened. Put columns on a common scale first; a single column may be given as shape (n,) with draws (n_draws, n).
    draws : array of float of shape (n_draws, n, d)
        At least two draws for every row.
    beta : float in (0, 2), default=1.0
        Exponent of the distances.

    Returns
    -------
    ndarray of float of shape (n,)
        ``mean_i |x_i - y|^beta - 1/2 mean_{i != j} |x_i - x_j|^beta``. A single row may score below 0, as the second term is
        estimated without bias.

    Raises
    ------
    InvalidInputError
        Shapes that do not fit, or NaN.
    InvalidParameterError
        ``beta`` outside (0, 2).

    References
    ----------
    Gneiting and Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and Estimation", equation 22, with the sign changed.
    Ferro 2014, "Fair scores for ensemble forecasts", on why the second term leaves out the pairs i = j.

    Examples
    --------
    >>> energy_score([[0.0, 0.0]], [[[3.0, 4.0]], [[0.0, 0.0]]])
    array([0.])
    """
    if not 0 < beta < 2:
        raise InvalidParameterError(f"beta={beta!r} must lie between 0 and 2, both excluded.")
    y, x = _checked(truth, draws)
    if y.ndim == 1:
        y, x = y[:, None], x[:, :, None]
    if y.ndim != 2:
        raise InvalidInputError(
            f"truth has {y.ndim} dimensions; the energy score takes (n, d) and draws (n_draws, n, d)."
        )
    if np.isnan(y).any() or np.isnan(x).any():
        raise InvalidInputError("truth or draws contain NaN; score only rows whose values are all known.")
    n_draws = len(x)
    miss = (np.linalg.norm(x - y, axis=-1) ** beta).mean(axis=0)
    apart = np.zeros(len(y))
    for i in range(1, n_draws):
        apart += (np.linalg.norm(x[i:] - x[:-i], axis=-1) ** beta).sum(axis=0)
    return miss - apart / (n_draws * (n_draws - 1))


def crps(truth: Any, draws: Any) -> np.ndarray:
    """Continuous ranked probability score of draws against the truth, cell by cell; lower is better.

    Parameters
    ----------
    truth : array of float of shape (...)
        What happened, in any shape. NaN gives NaN.
    draws : array of float of shape (n_draws, ...)
        At least two draws for every cell.

    Returns
    -------
    ndarray of float of shape (...)
        ``mean_i |x_i - y| - 1/2 mean_{i != j} |x_i - x_j|`` in the unit of the column; the second term is estimated without bias,
        so the expectation does not depend on the number of draws. For draws that are all equal, the absolute error.

    Raises
    ------
    InvalidInputError
        Shapes that do not fit, or fewer than two draws.

    References
    ----------
    Gneiting and Raftery 2007, equation 21, with the sign changed. Ferro 2014, "Fair scores for ensemble forecasts".

    Examples
    --------
    >>> crps([0.0, 5.0], [[1.0, 5.0], [3.0, 5.0]])
    array([1., 0.])
    """
    y, x = _checked(truth, draws)
    n_draws = len(x)
    ordered = np.sort(x, axis=0)
    # sum_{i<j} |x_i - x_j| = sum_k (2k - m + 1) x_(k), k = 0..m-1: no pairs need to be formed.
    ranks = (2 * np.arange(n_draws) - n_draws + 1).astype(float)
    apart = np.tensordot(ranks, ordered, axes=1)
    return np.abs(x - y).mean(axis=0) - apart / (n_draws * (n_draws - 1))


def _checked(truth: Any, draws: Any) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.asarray(truth, dtype=float), np.asarray(draws, dtype=float)
    if x.shape[1:] != y.shape or x.ndim != y.ndim + 1:
        raise InvalidInputError(
            f"draws have shape {x.shape}; for truth of shape {y.shape} it must be (n_draws, *{y.shape})."
        )
    if len(x) < 2:
        raise InvalidInputError(f"{len(x)} draws per cell are too few for a score of draws; pass at least 2.")
    return y, x
