"""Labels of classes as scikit-learn's classifiers take them."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from tabgan.exceptions import InvalidInputError

__all__ = ["class_labels", "refuse_scalars"]


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
