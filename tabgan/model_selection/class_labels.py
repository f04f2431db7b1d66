"""What meta-classifiers are given: labels of classes as scikit-learn's classifiers take them, and rows of any container."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from tabgan.exceptions import InvalidInputError

__all__ = ["check_shape", "class_labels", "refuse_scalars", "rows_and_labels"]


def class_labels(y: Any) -> np.ndarray:
    """Read class labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    InvalidInputError
        Labels are missing, no classes, of a type that scikit-learn does not know (tuples, bytes, dates, decimals), or ``y`` is not
        one column.
    """
    try:
        labels = column_or_1d(y, warn=True)
        if bool(pd.isna(labels).any()):
            raise InvalidInputError("y has missing labels; leave these rows out.")
        if labels.dtype.kind == "c":
            raise InvalidInputError("y is complex; it must hold class labels.")
        check_classification_targets(labels)
        np.unique(labels)
    except InvalidInputError:
        raise
    except Exception as error:  # of whatever made up y
        raise InvalidInputError(
            f"y holds no class labels that scikit-learn's classifiers take ({error}); it must be one column of texts, numbers or "
            "truth values, all of one type."
        ) from error
    return labels


def refuse_scalars(X: Any) -> None:
    """Refuse what holds no rows.

    Raises
    ------
    InvalidInputError
        ``X`` is None, a text, a single number, or a dict.
    """
    shapeless = X is None or isinstance(X, str | bytes | dict | Number)
    if getattr(X, "shape", () if shapeless else None) == ():
        raise InvalidInputError(f"X is a {type(X).__name__}; it must be a table, one row per label.")


def check_shape(X: Any) -> None:
    """Refuse what is no table, in scikit-learn's words; the rest is for the members of a meta-classifier to check.

    Raises
    ------
    InvalidInputError
        ``X`` holds no rows, no columns, or is no table.
    """
    refuse_scalars(X)
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) == 1:
        raise InvalidInputError("X: Expected 2D array, got 1D array instead. Reshape your data: a row per sample.")
    if shape is not None and len(shape) == 2 and 0 in shape:
        what = "sample(s)" if shape[0] == 0 else "feature(s)"
        raise InvalidInputError(
            f"X: Found array with 0 {what} (shape={tuple(shape)}) while a minimum of 1 is required."
        )


def rows_and_labels(model: Any, X: Any, y: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """What a meta-classifier is fitted on, checked; it notes the columns and ``classes_``.

    Parameters
    ----------
    model : classifier
        Gets ``classes_``, ``n_features_in_`` and ``feature_names_in_``.
    X : array-like or DataFrame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)

    Returns
    -------
    X : container of shape (n_samples, n_features)
        Of the kind given.
    labels : ndarray of shape (n_samples,)
    codes : ndarray of int of shape (n_samples,)
        Their positions in ``classes_``.

    Raises
    ------
    InvalidInputError
        There is no table, a column name repeats, or ``y`` holds no labels of at least two classes.
    """
    if y is None:
        raise InvalidInputError(f"{type(model).__name__} requires y to be passed, but the target y is None.")
    check_shape(X)
    names = getattr(X, "columns", None)
    if names is not None and len(set(names)) < len(names):
        raise InvalidInputError("X repeats column names; rename these columns.")
    validate_data(model, X, skip_check_array=True)
    X, labels = indexable(X, class_labels(y))
    model.classes_, codes = np.unique(labels, return_inverse=True)
    if len(model.classes_) < 2:
        raise InvalidInputError(f"y holds one class only, {model.classes_[0]!r}; a classifier needs two or more.")
    return X, labels, codes
