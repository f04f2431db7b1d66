"""DCGAN: convolutions throughout, batch norm in both players, weights from N(0, 0.02)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tabgan.images.networks.convolutions import ConvGenerator, ConvTrunk
from tabgan.images.networks.judge import Judge
from tabgan.images.networks.layers import initialise_normal
from tabgan.images.recipes.players import with_statistics
from tabgan.images.recipes.recipe import (
    LARGER_SETTINGS,
    REGULARISER_SETTINGS,
    STATISTICS_SETTINGS,
    TASK_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    make_task,
    optimizer_of,
    pair_of,
    two_players,
    zero_centred,
)

__all__ = ["DCGAN"]


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    maker = ConvGenerator(sizes.shape, settings.d_noise, sizes.d_condition, width=settings.width, generator=generator)
    trunk = ConvTrunk(sizes.shape, sizes.d_condition, width=settings.width, batch_norm=True, generator=generator)
    judge = Judge(trunk, generator=generator)
    initialise_normal(judge, generator)
    return {"generator": with_statistics(maker, sizes, settings, generator), "discriminator": judge}


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    task = make_task(data, settings)
    loss = pair_of("non-saturating", settings)
    return two_players(task, loss, optimizer_of(settings), penalties=zero_centred(settings))


DCGAN = Recipe(
    "dcgan",
    "strided convolutions, batch norm in both players (not on G's output nor D's input), 8 to 64 pixels",
    "Radford, Metz, Chintala 2016, section 3; departures for larger images: learning rate 5e-4, averaged weights",
    _networks,
    _training,
    TRAINING_SETTINGS
    | TASK_SETTINGS
    | STATISTICS_SETTINGS
    | REGULARISER_SETTINGS
    | {"n_steps": 1200, "width": 32, "d_noise": 100},
    larger=LARGER_SETTINGS | {"n_steps": 3000},
)
"""Recipe ``"dcgan"``."""
