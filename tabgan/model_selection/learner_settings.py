"""Other settings of well-known classifiers that matter where classes are rare: slower learning, larger leaves, more shrinkage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from tabgan.exceptions import InvalidParameterError, parameter_error

__all__ = ["SETTINGS", "other_settings"]

_LEAVES = ({"min_samples_leaf": 5}, {"min_samples_leaf": 25})
_SHRINKAGE = ({"C": 0.01}, {"C": 0.1}, {"C": 10.0})

SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "HistGradientBoostingClassifier": (
        {"learning_rate": 0.02},
        {"min_samples_leaf": 200},
        {"learning_rate": 0.02, "min_samples_leaf": 200},
        # Early stopping holds out a tenth of the rows; that of 150 positives is 15, by which nothing can be stopped rightly.
        {"learning_rate": 0.02, "min_samples_leaf": 200, "max_iter": 300, "early_stopping": False},
    ),
    "GradientBoostingClassifier": (
        {"learning_rate": 0.02},
        {"min_samples_leaf": 50},
        {"learning_rate": 0.02, "min_samples_leaf": 50},
    ),
    "LGBMClassifier": (
        {"learning_rate": 0.02},
        {"min_child_samples": 200},
        {"learning_rate": 0.02, "min_child_samples": 200},
    ),
    "XGBClassifier": (
        {"learning_rate": 0.05},
        {"max_delta_step": 1},
        {"learning_rate": 0.05, "max_delta_step": 1},
    ),
    "RandomForestClassifier": _LEAVES,
    "ExtraTreesClassifier": _LEAVES,
    "DecisionTreeClassifier": ({"min_samples_leaf": 20}, {"min_samples_leaf": 100}),
    "LogisticRegression": _SHRINKAGE,
    "LinearSVC": _SHRINKAGE,
    "SVC": _SHRINKAGE,
    "KNeighborsClassifier": ({"n_neighbors": 25}, {"n_neighbors": 100}),
}
"""By the classifier's class name, so that none has to be imported. Boosting with its defaults fits few positives within some steps
and then only its own errors; a leaf of so many rows cannot hold a single one."""


def other_settings(estimator: Any, given: Any) -> dict[str, Any]:
    """Copies of a classifier, or of a pipeline that ends in one, with other settings.

    Parameters
    ----------
    estimator : classifier or pipeline
    given : dict of str to dict, or None
        Parameters by the name to show; of a pipeline, those of its last step. None takes what `SETTINGS` has for the classifier,
        leaving out what is already set.

    Returns
    -------
    dict of str to estimator
        Unfitted; empty where nothing is known.

    Raises
    ------
    InvalidParameterError
        ``given`` is no such dict, or names a parameter that the classifier does not have.
    """
    name, last = estimator.steps[-1] if isinstance(estimator, Pipeline) else ("", estimator)
    prefix = f"{name}__" if name else ""
    known = last.get_params(deep=False) if hasattr(last, "get_params") else {}
    if given is None:
        kinds = [kind.__name__ for kind in type(last).__mro__]
        found = next((SETTINGS[kind] for kind in kinds if kind in SETTINGS), ())
        fitting = [one for one in found if one.keys() <= known.keys()]
        changed = [{key: value for key, value in one.items() if known[key] != value} for one in fitting]
        named = {", ".join(f"{key}={value}" for key, value in one.items()): one for one in changed if one}
    else:
        named = _checked(given, known, type(last).__name__)
    return {
        shown: clone(estimator).set_params(**{f"{prefix}{key}": value for key, value in one.items()})
        for shown, one in named.items()
    }


def _checked(given: Any, known: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    if not isinstance(given, Mapping) or not all(isinstance(one, Mapping) and one for one in given.values()):
        raise parameter_error("other_settings", given, "None or a dict of names to dicts of parameters")
    for one in given.values():
        unknown = [key for key in one if key not in known]
        if unknown:
            raise InvalidParameterError(
                f"other_settings names the parameter {unknown[0]!r}, which {kind} does not have; it has {', '.join(known)}."
            )
    return {str(shown): dict(one) for shown, one in given.items()}
