"""`BAGANOversampler` and `CGANSampler` to and from plain data for a model file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import pandas as pd
import scipy.sparse

from tabgan._runtime import make_generator
from tabgan.core.checkpoint import Stored, built_from, plain_value
from tabgan.core.trust import load_weights
from tabgan.estimators.saving import Savable
from tabgan.exceptions import InvalidInputError, ModelFileError
from tabgan.sampling.adversarial import SamplerSettings, build_network
from tabgan.sampling.cell_trees import Redrawing
from tabgan.sampling.fitted import FittedSampler
from tabgan.sampling.gate import GateDecision
from tabgan.sampling.maker import ClassMaker
from tabgan.sampling.restoring import Restorer, restorer_named, restorer_to_name
from tabgan.sampling.seeds import ClassSeeds
from tabgan.sampling.targets import Target, read_target
from tabgan.tables.encoder import EncodedTable, TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.labels import label_from_json, label_to_json, with_labels_as_text, with_labels_from_text
from tabgan.tables.rules import Rules
from tabgan.tables.stored import container_from_state, container_to_state

__all__ = ["SavableSampler"]


class SavableSampler(Savable):
    """The part of samplers that becomes a file and comes from one."""

    if TYPE_CHECKING:
        sampling_strategy: Any
        sampling_strategy_: dict[Any, int]
        n_features_in_: int
        get_params: Callable[..., dict[str, Any]]
        _fitted: FittedSampler
        _restore: Restorer
        _draws: int
        _hold: Callable[[FittedSampler], None]

    def _to_state(self) -> dict[str, Any]:
        if callable(self.sampling_strategy):
            raise InvalidInputError(
                "sampling_strategy is a function, which a model file cannot hold; before saving, "
                "set_params(sampling_strategy=sampler.sampling_strategy_) or another value that is no function."
            )
        names = getattr(self, "feature_names_in_", None)
        parameters = self.get_params(deep=False)
        if isinstance(parameters["costs"], pd.DataFrame):
            parameters["costs"] = {
                (true, said): float(cost)
                for said, column in parameters["costs"].items()
                for true, cost in column.items()
            }
        wanted = self.sampling_strategy_.items()
        return {
            "parameters": plain_value(with_labels_as_text(parameters)),
            "container": restorer_to_name(self._restore),
            **_fitted_to_state(self._fitted),
            "sampling_strategy": [[label_to_json(label), int(count)] for label, count in wanted],
            "draws": self._draws,
            "n_features_in": int(self.n_features_in_),
            "feature_names_in": None if names is None else [str(name) for name in names],
        }

    @classmethod
    def _from_state(cls, state: Stored) -> Any:
        stored = state.pop("parameters")
        parameters = Stored(with_labels_from_text(stored), stored.where)
        sampler: Any = built_from(cls, parameters)
        fitted = _fitted_from_state(state, sampler.missing_values)
        sampler._hold(fitted)
        sampler._restore = restorer_named(state.pop("container"))
        sampler._draws = state.pop("draws")
        sampler.sampling_strategy_ = {label_from_json(label): n for label, n in state.pop("sampling_strategy")}
        sampler.n_features_in_ = state.pop("n_features_in")
        names = state.pop("feature_names_in")
        if names is not None:
            sampler.feature_names_in_ = np.asarray(names, dtype=object)
        return sampler


def _fitted_to_state(fitted: FittedSampler) -> dict[str, Any]:
    maker = fitted.maker
    return {
        "settings": asdict(fitted.settings),
        # All rows of the table, through the way by which synthetic rows leave it: in the user's own dtypes.
        "table": container_to_state(fitted.table.with_rows(np.arange(fitted.table.n_rows), {}, only=True)),
        "target": container_to_state(_storable_target(fitted.target)),
        "encoder": fitted.encoder.to_state(),
        "rules": fitted.rules.to_state(),
        "n_classes": maker.seeds.n_classes,
        "seeds": maker.seeds.state_dict(),
        "start": maker.start,
        "d_noise": maker.d_noise,
        "gaussians": {"mean": maker.mean, "factor": maker.factor},
        "network": None if maker.network is None else maker.network.state_dict(),
        "condition_slots": fitted.condition_slots.tolist(),
        "methods": list(fitted.methods),
        "sampling_seed": int(fitted.sampling_seed),
        "history": plain_value(fitted.history),
        "n_steps": int(fitted.n_steps),
        "stop_reason": fitted.stop_reason,
        "warnings": list(fitted.warnings),
        "gate": None if fitted.gate is None else fitted.gate.to_dict(),
    }


def _fitted_from_state(state: Stored, missing_values: Any) -> FittedSampler:
    table = read_table(container_from_state(state.pop("table")), missing_values=missing_values)
    encoder = TableEncoder.from_state(state.pop("encoder"))
    settings = built_from(SamplerSettings, state.pop("settings"))
    seeds = ClassSeeds.from_buffers(state.pop("n_classes"), state.pop("seeds"), encoder.spans_)
    slots = np.array(state.pop("condition_slots"), dtype=np.int64)
    weights, gate = state.pop("network"), state.pop("gate")
    network = None
    if weights is not None:
        network = build_network(encoder.spans_, settings, seeds.n_classes + len(slots), make_generator(0))
        load_weights(network, weights)
        network.eval()
    if len(seeds.rows) != table.n_rows:
        raise ModelFileError(f"its table has {table.n_rows} rows, and its encoded rows are {len(seeds.rows)}.")
    start, d_noise = state.pop("start"), state.pop("d_noise")
    # Trees are grown from the rows again, when they are first needed.
    redrawing = Redrawing.of(encoder, settings.redraws)
    maker = ClassMaker(seeds, network, encoder.spans_, start, d_noise, redrawing)
    gaussians = state.pop("gaussians")
    maker.set_gaussians(gaussians["mean"], gaussians["factor"])
    return FittedSampler(
        table=table,
        target=read_target(container_from_state(state.pop("target")), table.n_rows),
        encoder=encoder,
        # The seeds' rows are the encoded table: taken over, so that no rounding of another machine comes in between.
        encoded=EncodedTable(seeds.rows.numpy(), seeds.visible.numpy().astype(bool)),
        maker=maker,
        condition_slots=slots,
        rules=Rules.from_state(state.pop("rules")),
        settings=settings,
        methods=list(state.pop("methods")),
        sampling_seed=state.pop("sampling_seed"),
        history=state.pop("history"),
        n_steps=state.pop("n_steps"),
        stop_reason=state.pop("stop_reason"),
        warnings=state.pop("warnings"),
        gate=None if gate is None else GateDecision.from_dict(gate),
    )


def _storable_target(target: Target) -> Any:
    """The user's own object where made labels come back in one like it, else an array of what it held."""
    given = target.container
    frame = nw.from_native(given, pass_through=True, allow_series=True)
    if isinstance(given, list | np.ndarray) or isinstance(frame, nw.Series | nw.DataFrame):
        return given
    return given.toarray() if scipy.sparse.issparse(given) else np.asarray(given)
