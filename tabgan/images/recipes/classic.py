"""The two-player losses without a penalty: minimax, non-saturating, least squares."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tabgan.images.networks.judge import Judge
from tabgan.images.recipes.players import image_generator, image_trunk
from tabgan.images.recipes.recipe import (
    LARGER_SETTINGS,
    NETWORK_SETTINGS,
    REGULARISER_SETTINGS,
    STATISTICS_SETTINGS,
    TRAINING_SETTINGS,
    TWO_RATES,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    judge_optimizer_of,
    make_task,
    optimizer_of,
    pair_of,
    two_players,
    zero_centred,
)

__all__ = ["CLASSIC", "plain_networks"]


def plain_networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    """Generator with batch norm, discriminator without; both see the condition if there is one."""
    return {
        "generator": image_generator(sizes, settings, generator),
        "discriminator": Judge(image_trunk(sizes, settings, generator), generator=generator),
    }


def _training(loss: str) -> Any:
    def training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
        return two_players(
            make_task(data, settings),
            pair_of(loss, settings),
            optimizer_of(settings),
            judge_optimizer=judge_optimizer_of(settings),
            penalties=zero_centred(settings),
        )

    return training


_SETTINGS = (
    TRAINING_SETTINGS | TWO_RATES | NETWORK_SETTINGS | STATISTICS_SETTINGS | REGULARISER_SETTINGS | {"n_steps": 3000}
)
_LARGER = LARGER_SETTINGS | {"n_steps": 5000}

CLASSIC = [
    Recipe(
        "minimax",
        "the original game; the generator's gradient vanishes when the discriminator wins",
        "Goodfellow et al. 2014, eq. 1",
        plain_networks,
        _training("minimax"),
        _SETTINGS,
        larger=_LARGER,
    ),
    Recipe(
        "non-saturating",
        "the usual generator loss, -log D(G(z))",
        "Goodfellow et al. 2014, section 3",
        plain_networks,
        _training("non-saturating"),
        _SETTINGS,
        larger=_LARGER,
    ),
    Recipe(
        "lsgan",
        "least squares instead of the logarithm, a = 0, b = c = 1",
        "Mao et al. 2017, eq. 9",
        plain_networks,
        _training("lsgan"),
        _SETTINGS,
        larger={"n_steps": 4000, "width": 16},
    ),
]
"""Recipes ``"minimax"``, ``"non-saturating"``, ``"lsgan"``."""
