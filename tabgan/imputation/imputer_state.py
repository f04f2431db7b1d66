"""`GAINImputer` to and from plain data for a model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tabgan.core.checkpoint import plain_value
from tabgan.imputation.objectives import objective_from_state, objective_to_state
from tabgan.tables.encoder import TableEncoder

if TYPE_CHECKING:
    from tabgan.imputation.gain import GAINImputer

__all__ = ["from_state", "to_state"]


def to_state(imputer: GAINImputer) -> dict[str, Any]:
    """Parameters, columns, weights and scores of a fitted imputer."""
    scores = imputer.validation_scores_
    return {
        "parameters": {name: plain_value(value) for name, value in imputer.get_params(deep=False).items()},
        "encoder": imputer.encoder_.to_state(),
        "model": objective_to_state(imputer._model),
        "validation_scores": {
            "index": [plain_value(name) for name in scores.index],
            "columns": {name: [plain_value(value) for value in scores[name]] for name in scores.columns},
        },
        "had_gaps": list(imputer.had_gaps_),
        "n_features_in": imputer.n_features_in_,
        "feature_names_in": [str(n) for n in imputer.feature_names_in_]
        if hasattr(imputer, "feature_names_in_")
        else None,
    }


def from_state(cls: type[GAINImputer], state: dict[str, Any]) -> GAINImputer:
    """Rebuild what `to_state` described."""
    imputer = cls(**state["parameters"])
    imputer.encoder_ = TableEncoder.from_state(state["encoder"])
    imputer.schema_ = imputer.encoder_.schema_
    imputer._model = objective_from_state(state["model"])
    scores = state["validation_scores"]
    imputer.validation_scores_ = pd.DataFrame(scores["columns"], index=scores["index"])
    imputer.n_iter_ = imputer._model.n_steps
    imputer.history_ = imputer._model.history
    imputer.stop_reason_ = imputer._model.stop_reason
    imputer.had_gaps_ = tuple(state["had_gaps"])
    imputer.n_features_in_ = state["n_features_in"]
    if state["feature_names_in"] is not None:
        imputer.feature_names_in_ = np.asarray(state["feature_names_in"], dtype=object)
    return imputer
