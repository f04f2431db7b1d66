"""`BAGANOversampler` and `CGANSampler` to and from plain data for a model file."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import narwhals as nw
import numpy as np
import scipy.sparse

from tabgan._runtime import make_generator
from tabgan.core.checkpoint import plain_value
from tabgan.exceptions import InvalidInputError
from tabgan.sampling.adversarial import SamplerSettings, build_network
from tabgan.sampling.base import _unchanged
from tabgan.sampling.fitted import FittedSampler
from tabgan.sampling.gate import GateDecision
from tabgan.sampling.maker import ClassMaker
from tabgan.sampling.seeds import ClassSeeds
from tabgan.sampling.targets import Target, read_target
from tabgan.tables.encoder import EncodedTable, TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.labels import label_from_json, label_to_json
from tabgan.tables.rules import Rules
from tabgan.tables.stored import container_from_state, container_to_state

if TYPE_CHECKING:
    from tabgan.sampling.base import TabularSampler

__all__ = ["from_state", "to_state"]

Sampler = TypeVar("Sampler", bound="TabularSampler")

_SPARSE = {
    f"{layout}_{kind}": getattr(scipy.sparse, f"{layout}_{kind}")
    for layout in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for kind in ("array", "matrix")
}


def to_state(sampler: TabularSampler) -> dict[str, Any]:
    """Parameters, training table, weights and history of a fitted sampler.

    Parameters
    ----------
    sampler : BAGANOversampler or CGANSampler
        Fitted.

    Returns
    -------
    dict
        What `tabgan.core.checkpoint.write_model_file` takes.

    Raises
    ------
    InvalidInputError
        ``sampling_strategy`` is a function, or a label, a column name or a dtype cannot be stored.
    """
    if callable(sampler.sampling_strategy):
        raise InvalidInputError(
            "sampling_strategy is a function, which a model file cannot hold; before saving, "
            "set_params(sampling_strategy=sampler.sampling_strategy_) or another value that is no function."
        )
    fitted = sampler._fitted
    maker = fitted.maker
    return {
        "parameters": {name: plain_value(value) for name, value in sampler.get_params(deep=False).items()},
        "settings": asdict(fitted.settings),
        # All rows of the table, through the way by which made rows leave it: in the user's own dtypes.
        "table": container_to_state(fitted.table.with_rows(np.arange(fitted.table.n_rows), {}, only=True)),
        "container": _container_name(sampler._restore),
        "target": container_to_state(_storable_target(fitted.target)),
        "encoder": fitted.encoder.to_state(),
        "rules": fitted.rules.to_state(),
        "n_classes": maker.seeds.n_classes,
        "seeds": maker.seeds.state_dict(),
        "start": maker.start,
        "d_noise": maker.d_noise,
        "gaussians": [maker.mean, maker.factor],
        "network": None if maker.network is None else maker.network.state_dict(),
        "condition_slots": fitted.condition_slots.tolist(),
        "methods": list(fitted.methods),
        "sampling_seed": int(fitted.sampling_seed),
        "history": plain_value(fitted.history),
        "n_steps": int(fitted.n_steps),
        "stop_reason": fitted.stop_reason,
        "warnings": list(fitted.warnings),
        "gate": None if fitted.gate is None else fitted.gate.to_dict(),
        "sampling_strategy": [
            [label_to_json(label), int(count)] for label, count in sampler.sampling_strategy_.items()
        ],
        "draws": sampler._draws,
        "n_features_in": int(sampler.n_features_in_),
        "feature_names_in": [str(name) for name in sampler.feature_names_in_]
        if hasattr(sampler, "feature_names_in_")
        else None,
    }


def from_state(cls: type[Sampler], state: dict[str, Any]) -> Sampler:
    """Rebuild what `to_state` described.

    Parameters
    ----------
    cls : type
        `BAGANOversampler` or `CGANSampler`.
    state : dict

    Returns
    -------
    BAGANOversampler or CGANSampler
        With pandas frames and series where it was fitted on frames and series of any kind; arrays, lists and sparse matrices
        stay what they were.

    Raises
    ------
    KeyError, TypeError, ValueError, RuntimeError, IndexError
        Something is absent or does not fit.
    """
    sampler = cls(**state["parameters"])
    table = read_table(container_from_state(state["table"]), missing_values=sampler.missing_values)  # type: ignore[attr-defined]
    target = read_target(container_from_state(state["target"]), table.n_rows)
    encoder = TableEncoder.from_state(state["encoder"])
    settings = SamplerSettings(**state["settings"])
    seeds = ClassSeeds.from_buffers(state["n_classes"], state["seeds"])
    slots = np.array(state["condition_slots"], dtype=np.int64)
    network = None
    if state["network"] is not None:
        network = build_network(encoder.spans_, settings, seeds.n_classes + len(slots), make_generator(0))
        network.load_state_dict(state["network"])
        network.eval()
    maker = ClassMaker(seeds, network, encoder.spans_, state["start"], state["d_noise"])
    maker.set_gaussians(*state["gaussians"])
    sampler._fitted = FittedSampler(
        table=table,
        target=target,
        encoder=encoder,
        # The seeds' rows are the encoded table: taken over, so that no rounding of another machine comes in between.
        encoded=EncodedTable(seeds.rows.numpy(), seeds.visible.numpy().astype(bool)),
        maker=maker,
        condition_slots=slots,
        rules=Rules.from_state(state["rules"]),
        settings=settings,
        methods=list(state["methods"]),
        sampling_seed=state["sampling_seed"],
        history=state["history"],
        n_steps=state["n_steps"],
        stop_reason=state["stop_reason"],
        warnings=state["warnings"],
        gate=None if state["gate"] is None else GateDecision.from_dict(state["gate"]),
    )
    sampler._restore = _restorer_named(state["container"])
    sampler._draws = state["draws"]
    sampler.schema_ = encoder.schema_
    sampler.sampling_strategy_ = {label_from_json(label): count for label, count in state["sampling_strategy"]}
    sampler.classes_ = target.classes
    sampler.methods_ = dict(zip(target.classes.tolist(), sampler._fitted.methods, strict=True))
    sampler.history_ = sampler._fitted.history
    sampler.n_iter_ = sampler._fitted.n_steps
    sampler.stop_reason_ = sampler._fitted.stop_reason
    sampler.gate_ = sampler._fitted.gate
    sampler.n_features_in_ = state["n_features_in"]
    if state["feature_names_in"] is not None:
        sampler.feature_names_in_ = np.asarray(state["feature_names_in"], dtype=object)
    return sampler


def _storable_target(target: Target) -> Any:
    """The user's own object where made labels come back in one like it, else an array of what it held."""
    given = target.container
    frame = nw.from_native(given, pass_through=True, allow_series=True)
    if isinstance(given, list | np.ndarray) or isinstance(frame, nw.Series | nw.DataFrame):
        return given
    return given.toarray() if scipy.sparse.issparse(given) else np.asarray(given)


def _container_name(restore: Any) -> str:
    if restore is np.ndarray.tolist:
        return "list"
    return getattr(restore, "__name__", "") if restore in _SPARSE.values() else "table"


def _restorer_named(name: str) -> Any:
    if name == "list":
        return np.ndarray.tolist
    return _unchanged if name == "table" else _SPARSE[name]
