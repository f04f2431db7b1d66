"""`GAINImputer` to and from plain data for a model file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tabgan.core.checkpoint import Stored, built_from, plain_value
from tabgan.estimators.saving import Savable
from tabgan.exceptions import ModelFileError
from tabgan.imputation.objectives import objective_from_state, objective_to_state
from tabgan.imputation.predicting import Predictor
from tabgan.imputation.scoring import tick
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.labels import with_labels_as_text, with_labels_from_text
from tabgan.tables.schema import TableSchema

__all__ = ["SavableImputer"]


class SavableImputer(Savable):
    """The part of `GAINImputer` that becomes a file and comes from one."""

    if TYPE_CHECKING:
        encoder_: TableEncoder
        schema_: TableSchema
        validation_scores_: pd.DataFrame
        had_missing_: tuple[bool, ...]
        n_rows_: int | None
        n_missing_: tuple[int, ...] | None
        n_features_in_: int
        n_iter_: int
        history_: list[dict[str, Any]]
        stop_reason_: str | None
        _model: Predictor
        get_params: Callable[..., dict[str, Any]]

    def _to_state(self) -> dict[str, Any]:
        scores = self.validation_scores_
        names = getattr(self, "feature_names_in_", None)
        return {
            "parameters": plain_value(with_labels_as_text(self.get_params(deep=False))),
            "encoder": self.encoder_.to_state(),
            "model": objective_to_state(self._model),
            "validation_scores": {
                "index": with_labels_as_text(list(scores.index)),
                "columns": {name: plain_value(list(scores[name])) for name in scores.columns},
                "times_in_days": True,
            },
            "had_gaps": list(self.had_missing_),
            "n_rows": self.n_rows_,
            "n_missing": None if self.n_missing_ is None else list(self.n_missing_),
            "n_features_in": self.n_features_in_,
            "feature_names_in": None if names is None else [str(name) for name in names],
        }

    @classmethod
    def _from_state(cls, state: Stored) -> Any:
        stored = state.pop("parameters")
        parameters = Stored(with_labels_from_text(stored), stored.where)
        imputer: Any = built_from(cls, parameters)
        imputer.encoder_ = TableEncoder.from_state(state.pop("encoder"))
        imputer.schema_ = imputer.encoder_.schema_
        model, spans = state.pop("model"), imputer.encoder_.spans_
        if model["spans"] != [[span.kind, span.start, span.stop] for span in spans]:
            raise ModelFileError("its model and its encoder are of different columns.")
        imputer._model = objective_from_state(model)
        scores = state.pop("validation_scores")
        index = pd.Index(with_labels_from_text(scores["index"]), tupleize_cols=False)
        imputer.validation_scores_ = pd.DataFrame(scores["columns"], index=index)
        if not scores.get("times_in_days"):  # earlier files count errors of times in ticks of the column
            ticks = {column.name: tick(column) for column in imputer.schema_.columns}
            for error in ("rmse", "rmse_mean"):
                imputer.validation_scores_[error] *= [ticks[name] for name in index]
        imputer.n_iter_ = imputer._model.n_steps
        imputer.history_ = imputer._model.history
        imputer.stop_reason_ = imputer._model.stop_reason
        imputer.had_missing_ = tuple(state.pop("had_gaps"))
        missing = state.pop("n_missing", None)
        imputer.n_missing_ = None if missing is None else tuple(missing)
        imputer.n_rows_ = state.pop("n_rows", None)
        imputer.n_features_in_ = state.pop("n_features_in")
        names = state.pop("feature_names_in")
        if names is not None:
            imputer.feature_names_in_ = np.asarray(names, dtype=object)
        return imputer
