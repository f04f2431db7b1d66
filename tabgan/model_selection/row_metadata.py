"""What comes with rows beside features and label: weights, and the groups that must not be torn apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import sklearn
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import has_fit_parameter

from tabgan.exceptions import InvalidInputError

__all__ = ["checked_groups", "checked_weights", "routing_is_on", "takes_weights", "weights_after"]


def checked_weights(sample_weight: Any, codes: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
    """Read weights of rows.

    Parameters
    ----------
    sample_weight : array-like of shape (n,) or None
    codes : ndarray of int of shape (n,)
        Class numbers of the rows.
    classes : ndarray of shape (n_classes,)
        Their labels.

    Returns
    -------
    ndarray of float64 of shape (n,) or None

    Raises
    ------
    InvalidInputError
        They are no numbers >= 0, one per row, or a class has no weight at all.
    """
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError("sample_weight holds no numbers; give one weight per row.") from error
    if weights.ndim == 0:
        weights = np.full(len(codes), float(weights))
    if weights.shape != codes.shape:
        raise InvalidInputError(f"sample_weight has shape {weights.shape}, but y has {len(codes)} labels.")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise InvalidInputError("sample_weight has negative, missing or infinite values; weights are numbers >= 0.")
    if not weights.any():
        raise InvalidInputError("sample_weight is zero for every row; weights say how much rows count.")
    bare = np.bincount(codes, weights) == 0
    if bare.any():
        raise InvalidInputError(
            f"sample_weight is 0 for every row of the class(es) {classes[bare].tolist()}; leave these rows out."
        )
    return weights


def checked_groups(groups: Any, n_rows: int) -> np.ndarray | None:
    """Read the groups of rows, as numbers from 0 on.

    Raises
    ------
    InvalidInputError
        There is not one per row, one is missing, or all rows are of one group.
    """
    if groups is None:
        return None
    values = np.asarray(groups, dtype=object)
    if values.shape != (n_rows,):
        raise InvalidInputError(f"groups has shape {values.shape}, but X has {n_rows} rows; give one group per row.")
    codes, names = pd.factorize(values)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise InvalidInputError(f"groups has no value in row {row}; give such rows groups of their own.")
    if len(names) < 2:
        raise InvalidInputError("groups names one group only; at least two are needed to hold one out.")
    return codes


def routing_is_on() -> bool:
    """Whether scikit-learn's metadata routing was switched on."""
    return bool(sklearn.get_config()["enable_metadata_routing"])


def takes_weights(model: Any) -> bool:
    """Whether the ``estimator`` of a meta-estimator that was given weights gets them too.

    Raises
    ------
    InvalidInputError
        Without metadata routing: its ``fit`` takes none.
    sklearn.exceptions.UnsetMetadataPassedError
        With it: the estimator says neither that it wants them nor that it does not.
    """
    if routing_is_on():
        return "sample_weight" in process_routing(model, "fit", sample_weight=True).estimator.fit
    if not has_fit_parameter(model.estimator, "sample_weight"):
        raise InvalidInputError(
            f"sample_weight: the fit of {type(model.estimator).__name__} takes none. For a pipeline, call "
            "sklearn.set_config(enable_metadata_routing=True) and set_fit_request(sample_weight=True) on its classifier."
        )
    return True


def weights_after(sampler: Any, labels: np.ndarray, weights: np.ndarray, resampled: np.ndarray) -> np.ndarray:
    """Weights of the rows that a sampler gave: those of the rows that they are, and for synthetic rows the mean of their class.

    Parameters
    ----------
    sampler : sampler
        After ``fit_resample``.
    labels, weights : ndarray of shape (n,)
        What went in.
    resampled : ndarray of shape (n_resampled,)
        The labels that came out.

    Returns
    -------
    ndarray of float64 of shape (n_resampled,)
    """
    rows = getattr(sampler, "sample_indices_", None)
    if rows is not None and len(rows) == len(resampled):
        return weights[np.asarray(rows)]
    classes, codes = np.unique(labels, return_inverse=True)
    means = np.bincount(codes, weights) / np.bincount(codes)
    found = means[np.searchsorted(classes, resampled)]
    n = len(labels)
    if len(resampled) >= n and (resampled[:n] == labels).all():
        found[:n] = weights
    return found
