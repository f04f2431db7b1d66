"""Wasserstein critics: clipped weights, or a penalised gradient."""

from __future__ import annotations

from typing import Any

from torch import nn

from tabgan.core.penalties import Penalty, WeightClip
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

__all__ = ["WASSERSTEIN"]


def _clipped(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    return two_players(
        make_task(data, settings),
        "wasserstein",
        optimizer_of(settings, name="rmsprop"),
        n_critic=settings.n_critic,
        after_step=[WeightClip(settings.clip)],
    )


def _penalised(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    return two_players(
        make_task(data, settings),
        "wasserstein",
        optimizer_of(settings),
        n_critic=settings.n_critic,
        penalties=[Penalty("gradient", settings.penalty_weight)],
    )


WASSERSTEIN = [
    Recipe(
        "wgan",
        "a critic of clipped weights, RMSProp, five critic steps",
        "Arjovsky, Chintala, Bottou 2017, algorithm 1; learning rate 5e-5 there",
        plain_networks,
        _clipped,
        TRAINING_SETTINGS
        | NETWORK_SETTINGS
        | STATISTICS_SETTINGS
        | {"learning_rate": 5e-4, "n_critic": 5, "clip": 0.01},
        larger={"n_steps": 1200, "width": 16},
        unused=("betas",),
    ),
    Recipe(
        "wgan-gp",
        "a critic whose gradient norm is held at 1 between real and generated images",
        "Gulrajani et al. 2017, algorithm 1; departure: learning rate 5e-4, n_critic 3, for small networks",
        plain_networks,
        _penalised,
        TRAINING_SETTINGS
        | NETWORK_SETTINGS
        | STATISTICS_SETTINGS
        | {
            "n_steps": 2000,
            "learning_rate": 5e-4,
            "betas": (0.0, 0.9),
            "n_critic": 3,
            "penalty_weight": 10.0,
            "average": 0.999,
        },
        larger=LARGER_SETTINGS | {"n_steps": 4000},
    ),
]
"""Recipes ``"wgan"`` and ``"wgan-gp"``."""
