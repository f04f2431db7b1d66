"""Predictions pooled over m completed tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tabgan.exceptions import InvalidInputError
from tabgan.inference.analyses import check_m

__all__ = ["PooledPredictions", "pool_predictions"]


class PooledPredictions(NamedTuple):
    """What `pool_predictions` returns.

    Attributes
    ----------
    mean : ndarray
        Pooled prediction, in the shape of one array of predictions.
    between : ndarray
        Variance between the m predictions (``ddof=1``): what the missing values add to the uncertainty.
    """

    mean: np.ndarray
    between: np.ndarray


def pool_predictions(predictions: Sequence[Any]) -> PooledPredictions:
    """Average predictions of models that were fitted on, or applied to, m completed tables.

    Parameters
    ----------
    predictions : sequence of m >= 2 arrays of float of one shape
        Numbers or probabilities; average probabilities rather than labels.

    Returns
    -------
    PooledPredictions
        ``mean`` and ``between``.

    Raises
    ------
    InvalidInputError
        Fewer than two arrays, different shapes, or labels.

    References
    ----------
    Rubin 1987, equations 3.1.2 and 3.1.4.

    Examples
    --------
    >>> pool_predictions([[1.0, 2.0], [3.0, 2.0]])
    PooledPredictions(mean=array([2., 2.]), between=array([2., 0.]))
    """
    check_m(len(predictions))
    arrays = [np.asarray(array) for array in predictions]
    if len({array.shape for array in arrays}) > 1:
        raise InvalidInputError(f"predictions have shapes {[a.shape for a in arrays]}; they must be equal.")
    if not all(np.issubdtype(array.dtype, np.number) for array in arrays):
        raise InvalidInputError(
            "predictions hold labels; pool the probabilities of predict_proba and take their argmax."
        )
    stacked = np.stack(arrays).astype(float)
    return PooledPredictions(stacked.mean(axis=0), stacked.var(axis=0, ddof=1))
