"""Class labels: as plain values, in the order of the rows, and how many of each class ``sampling_strategy`` asks for."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd
from imblearn.utils import check_sampling_strategy

from tabgan._warnings import warn_caller
from tabgan.exceptions import InvalidParameterError

__all__ = ["plain_label", "wanted_counts", "warn_of_other_order"]

_NAMES = ("auto", "minority", "not minority", "not majority", "all")


def plain_label(label: Any) -> Any:
    """A numpy scalar as the Python object, or pandas time, that it equals; anything else as it is."""
    if isinstance(label, np.datetime64):
        return pd.Timestamp(label)
    if isinstance(label, np.timedelta64):
        return pd.Timedelta(label)
    return label.item() if isinstance(label, np.generic) else label


def wanted_counts(strategy: Any, labels: np.ndarray, what: str = "rows") -> dict[Any, int]:
    """Rows or images to make per label.

    Parameters
    ----------
    strategy : float, str, dict or callable
        As in imbalanced-learn.
    labels : ndarray of shape (n,)
        The class of each row.
    what : str, default="rows"
        What errors call them.

    Returns
    -------
    dict of label to int

    Raises
    ------
    InvalidParameterError
        It is none of these, or asks for what over-sampling cannot give.
    """
    if callable(strategy):
        strategy = strategy(labels)
        if not isinstance(strategy, Mapping):
            raise InvalidParameterError(
                f"sampling_strategy is a function that gave {strategy!r}; it must give a dict of labels to numbers of {what}."
            )
    if isinstance(strategy, Mapping):
        for label, n in strategy.items():
            if not isinstance(n, numbers.Real) or not float(n).is_integer():
                raise InvalidParameterError(
                    f"sampling_strategy asks for {n!r} {what} of class {plain_label(label)!r}; use a whole number."
                )
        strategy = {label: int(n) for label, n in strategy.items()}
    if isinstance(strategy, bool | np.bool_ | NoneType) or (isinstance(strategy, str) and strategy not in _NAMES):
        raise InvalidParameterError(
            f"sampling_strategy={strategy!r} is not valid; it must be one of {', '.join(map(repr, _NAMES))}, a ratio above 0 "
            f"and up to 1 for two classes, a dict of labels to numbers of {what}, or a function that gives one."
        )
    try:
        return check_sampling_strategy(strategy, labels, "over-sampling")
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise InvalidParameterError(f"sampling_strategy={str(strategy)[:100]}: {error}") from error


def warn_of_other_order(X: Any, y: Any) -> None:
    """Warn where pandas' index says that rows and labels belong together in another order than they come in."""
    if not isinstance(X, pd.DataFrame) or not isinstance(y, pd.Series | pd.DataFrame) or X.index.equals(y.index):
        return
    alike = len(X) == len(y) and X.index.is_unique and y.index.is_unique
    if alike and bool(X.index.isin(y.index).all()):
        warn_caller(
            "X and y have the same index in different orders, and rows are taken by position; if they belong together by the index, "
            "give y.loc[X.index]."
        )
