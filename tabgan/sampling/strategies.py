"""How many rows of each class ``sampling_strategy`` asks for."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from types import NoneType
from typing import Any

import numpy as np
from imblearn.utils import check_sampling_strategy

from tabgan.exceptions import InvalidParameterError
from tabgan.sampling.targets import Target, plain_label

__all__ = ["wanted_rows"]

_NAMES = ("auto", "minority", "not minority", "not majority", "all")


def wanted_rows(strategy: Any, target: Target) -> dict[Any, int]:
    """Rows to make per label.

    Parameters
    ----------
    strategy : float, str, dict or callable
        As in imbalanced-learn.
    target : Target
        The classes, and their rows.

    Returns
    -------
    dict of label to int

    Raises
    ------
    InvalidParameterError
        It is none of these, or asks for what over-sampling cannot give.
    """
    if callable(strategy):
        strategy = strategy(target.labels)
        if not isinstance(strategy, Mapping):
            raise InvalidParameterError(
                f"sampling_strategy is a function that gave {strategy!r}; it must give a dict of labels to numbers of rows."
            )
    if isinstance(strategy, Mapping):
        for label, n in strategy.items():
            if not isinstance(n, numbers.Real) or not float(n).is_integer():
                raise InvalidParameterError(
                    f"sampling_strategy asks for {n!r} rows of class {plain_label(label)!r}; use a whole number."
                )
        strategy = {label: int(n) for label, n in strategy.items()}
    if isinstance(strategy, bool | np.bool_ | NoneType) or (isinstance(strategy, str) and strategy not in _NAMES):
        raise InvalidParameterError(
            f"sampling_strategy={strategy!r} is not valid; it must be one of {', '.join(map(repr, _NAMES))}, a ratio above 0 "
            "and up to 1 for two classes, a dict of labels to numbers of rows, or a function that gives one."
        )
    try:
        return check_sampling_strategy(strategy, target.labels, "over-sampling")
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise InvalidParameterError(f"sampling_strategy={str(strategy)[:100]}: {error}") from error
