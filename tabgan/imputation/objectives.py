"""What ``objective=`` may be: the chain of stages, in order, or GAIN as published.

A new stage is a file in `tabgan.imputation.stages` and an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tabgan.core.checkpoint import Stored
from tabgan.core.run import Run
from tabgan.imputation.chain import Chain, n_tasks
from tabgan.imputation.predicting import Predictor
from tabgan.imputation.published import PublishedGain
from tabgan.imputation.stages import (
    blend,
    boosting,
    closed_form,
    correction,
    donors,
    draws,
    forests,
    intervals,
    near_duplicates,
    neighbours,
    network,
)
from tabgan.imputation.stages.stage import Candidate, Stage, proposed_by
from tabgan.spans import Span

__all__ = [
    "CANDIDATES",
    "FIRST_CANDIDATES",
    "MOST_TASKS",
    "OBJECTIVES",
    "STAGES",
    "fit_objective",
    "objective_from_state",
    "objective_to_state",
]

FIRST_CANDIDATES: tuple[Candidate, ...] = (
    proposed_by(network.NAME, {"numeric": 0.6, "categorical": 0.8}),
    boosting.CANDIDATE,
    boosting.CANDIDATE_IN_TURN,
)
"""What reads rows as they are: weighed first, column by column."""

CANDIDATES: tuple[Candidate, ...] = (forests.CANDIDATE,)
"""What reads completed rows, and so profits from all that was weighed first."""

STAGES: tuple[Stage, ...] = (
    closed_form.STAGE,
    neighbours.STAGE,
    correction.STAGE,
    network.STAGE,
    blend.stage_of("first blend", FIRST_CANDIDATES),
    near_duplicates.STAGE,
    blend.stage_of("blend", CANDIDATES),
    blend.stage_of("second round", (forests.CANDIDATE_AGAIN,)),
    draws.STAGE,
    donors.STAGE,
    intervals.STAGE,
)
"""The stages of ``objective="remask"``, in order."""

OBJECTIVES = ("remask", "paper")

MOST_TASKS = {"remask": n_tasks(STAGES), "paper": 1}
"""How often a follower is told at most of what `fit_objective` is at, by objective."""


def fit_objective(
    objective: str,
    values: np.ndarray,
    training: np.ndarray,
    validation: np.ndarray,
    spans: Sequence[Span],
    given: Mapping[str, Any],
    run: Run,
    start: Predictor | None = None,
) -> Predictor:
    """Train the model of an objective; the parameters are those of `Chain.fit`; ``start`` is of the same objective."""
    if objective == "paper":
        assert isinstance(start, PublishedGain | None)
        return PublishedGain.fit(values, training, validation, spans, given, run, start)
    assert isinstance(start, Chain | None)
    return Chain.fit(values, training, validation, spans, STAGES, given, run, start)


def objective_to_state(model: Predictor) -> dict[str, Any]:
    """Plain data for a model file, with the name of the objective."""
    return {"objective": model.objective, **model.to_state()}


def objective_from_state(state: Stored) -> Predictor:
    """Rebuild what `objective_to_state` described."""
    published = state.pop("objective") == "paper"
    model: Predictor = PublishedGain.from_state(state) if published else Chain.from_state(state, STAGES)
    state.refuse(set(state))
    return model
