"""DRAGAN: the discriminator's gradient norm is held at 1 around real images."""

from __future__ import annotations

from typing import Any

from torch import nn

from tabgan.core.penalties import Penalty
from tabgan.images.recipes.classic import plain_networks
from tabgan.images.recipes.recipe import (
    LARGER_SETTINGS,
    NETWORK_SETTINGS,
    STATISTICS_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    TrainingData,
    make_task,
    optimizer_of,
    two_players,
)

__all__ = ["DRAGAN"]


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    return two_players(
        make_task(data, settings),
        "non-saturating",
        optimizer_of(settings),
        penalties=[Penalty(f"dragan-{settings.penalty_noise}", settings.penalty_weight)],
    )


DRAGAN = Recipe(
    "dragan",
    "non-saturating loss, gradient penalty near the data",
    "Kodali et al. 2017, algorithm 1, with the noise of the authors' notebook; gaussian is the other reading",
    plain_networks,
    _training,
    TRAINING_SETTINGS
    | NETWORK_SETTINGS
    | STATISTICS_SETTINGS
    | {"n_steps": 2000, "betas": (0.5, 0.9), "penalty_weight": 10.0, "penalty_noise": "uniform"},
    larger=LARGER_SETTINGS | {"n_steps": 4000},
)
"""Recipe ``"dragan"``; ``penalty_noise`` is ``"uniform"`` or ``"gaussian"``."""
