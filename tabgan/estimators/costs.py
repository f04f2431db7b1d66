"""What errors cost, class by class, and the decision of least expected cost that follows from probabilities."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidParameterError, parameter_error

__all__ = ["check_costs", "constant_cost", "cost_threshold", "least_costly", "read_costs"]

_EXPECTED = "None, a dict of (true class, predicted class) to cost, or a square matrix, a row per true class"


def check_costs(costs: Any) -> None:
    """Refuse what can be no costs, whatever the classes are.

    Raises
    ------
    InvalidParameterError
        ``costs`` is neither a mapping of pairs nor a square table of numbers.
    """
    if isinstance(costs, pd.DataFrame):
        if not (costs.index.is_unique and costs.columns.is_unique):
            raise InvalidParameterError("costs names a class twice in its index or columns; name each once.")
        return
    if isinstance(costs, Mapping):
        wrong = [key for key in costs if not (isinstance(key, tuple) and len(key) == 2)]
        if wrong or not costs:
            raise parameter_error("costs", costs, _EXPECTED)
        return
    found = _matrix(costs)
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise parameter_error("costs", costs, _EXPECTED)


def read_costs(costs: Any, classes: np.ndarray) -> np.ndarray:
    """Costs as a matrix in the order of the classes.

    Parameters
    ----------
    costs : dict, DataFrame or array-like of shape (n_classes, n_classes)
        By (true class, predicted class). A dict names every pair of two different classes; of a pair of the same class, which is a
        right prediction, the cost is 0 if it is not named. A frame has the true classes as its index and the predicted ones as its
        columns; a matrix has both in sorted order.
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    ndarray of float64 of shape (n_classes, n_classes)

    Raises
    ------
    InvalidParameterError
        Names the pair: a cost is negative, not finite or no number; a class is unknown; a pair is missing; the shape is wrong;
        being right costs as much as being wrong, or more.

    Notes
    -----
    That every error costs more than being right is Elkan's (2001) reasonableness condition, for each true class: without it one
    class would always, or never, be predicted, whatever the probabilities are.
    """
    check_costs(costs)
    labels = classes.tolist()
    if isinstance(costs, pd.DataFrame):
        named = {(true, said): costs.iloc[i, j] for i, true in enumerate(costs.index) for j, said in enumerate(costs)}
        found = _by_name(named, labels)
    elif isinstance(costs, Mapping):
        found = _by_name(costs, labels)
    else:
        found = _matrix(costs)
        if found.shape != (len(labels), len(labels)):
            raise InvalidParameterError(
                f"costs has shape {found.shape}, but y has the classes {_listed(labels)}: it must be "
                f"{(len(labels), len(labels))}, a row per true class and a column per predicted one."
            )
        for i, true in enumerate(labels):
            for j, said in enumerate(labels):
                _check_cost(found[i, j], (true, said))
    for i, true in enumerate(labels):
        for j, said in enumerate(labels):
            if i != j and found[i, i] >= found[i, j]:
                raise InvalidParameterError(
                    f"costs has {found[i, i]:g} for {(true, true)!r}, which is right, and {found[i, j]:g} for {(true, said)!r}, "
                    "which is an error; an error must cost more than being right."
                )
    return found


def cost_threshold(costs: np.ndarray, event: int) -> float:
    """Probability of the event from which on predicting it costs no more than predicting the other of two classes.

    Parameters
    ----------
    costs : ndarray of float of shape (2, 2)
        True class by predicted class.
    event : int
        0 or 1.

    Returns
    -------
    float
        In (0, 1): Elkan (2001), equation 2.

    Examples
    --------
    >>> cost_threshold(np.array([[0.0, 1.0], [19.0, 0.0]]), 1)
    0.05
    """
    other = 1 - event
    alarm = costs[other, event] - costs[other, other]
    miss = costs[event, other] - costs[event, event]
    return float(alarm / (alarm + miss))


def least_costly(probabilities: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Class of least expected cost for each row (Elkan 2001, equation 1), the first of equals.

    Parameters
    ----------
    probabilities : ndarray of float of shape (n, n_classes)
    costs : ndarray of float of shape (n_classes, n_classes)

    Returns
    -------
    ndarray of int of shape (n,)
    """
    return (probabilities @ costs).argmin(axis=1)


def constant_cost(counts: np.ndarray, costs: np.ndarray) -> float:
    """Cost per row of the best prediction that is the same for all rows: what a classifier has to undercut."""
    return float((counts / counts.sum() @ costs).min())


def _by_name(named: Mapping[Any, Any], labels: list[Any]) -> np.ndarray:
    place = {label: index for index, label in enumerate(labels)}
    found = np.full((len(labels), len(labels)), np.nan)
    np.fill_diagonal(found, 0.0)
    for pair, cost in named.items():
        for label in pair:
            try:
                known = label in place
            except Exception:  # of what cannot be looked up
                known = False
            if not known:
                raise InvalidParameterError(f"costs names the class {label!r}; y has the classes {_listed(labels)}.")
        _check_cost(cost, pair)
        found[place[pair[0]], place[pair[1]]] = cost
    missing = [(labels[i], labels[j]) for i, j in np.argwhere(np.isnan(found)).tolist()]
    if missing:
        raise InvalidParameterError(
            f"costs says nothing of {_listed(missing)}, (true class, predicted class); name every pair of two classes."
        )
    return found


def _check_cost(cost: Any, pair: Any) -> None:
    fine = isinstance(cost, Real) and not isinstance(cost, bool | np.bool_)
    if not fine or not 0 <= cost <= sys.float_info.max:  # a comparison with NaN is False
        raise InvalidParameterError(f"costs has {cost!r} for {pair!r}; a cost must be a finite number >= 0.")


def _matrix(costs: Any) -> np.ndarray:
    try:
        if np.asarray(costs).dtype.kind not in "iuf":
            raise TypeError("no numbers")
        return np.asarray(costs, dtype=np.float64)
    except Exception as error:  # of whatever it is
        raise parameter_error("costs", costs, _EXPECTED) from error


def _listed(items: list[Any]) -> str:
    return ", ".join(map(repr, items[:8])) + (f" and {len(items) - 8} more" if len(items) > 8 else "")
