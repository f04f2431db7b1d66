"""BEGAN: the discriminator is an autoencoder, and a controller balances its two errors."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tabgan.core.losses import BeganLoss
from tabgan.images.networks.autoencoder import AutoencoderDiscriminator
from tabgan.images.recipes.base import (
    NETWORK_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    image_generator,
    image_trunk,
    make_task,
    optimizer_of,
    two_players,
)

__all__ = ["BEGAN"]


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    # The condition enters the encoder alone: a decoder that knew the class would restore class averages.
    decoder = image_generator(
        Sizes(sizes.shape), settings, generator, batch_norm=False, d_noise=settings.d_code or settings.d_noise
    )
    return {
        "generator": image_generator(sizes, settings, generator, batch_norm=False),
        "discriminator": AutoencoderDiscriminator(
            image_trunk(sizes, settings, generator),
            decoder,
            settings.d_code or settings.d_noise,
            generator=generator,
        ),
    }


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan:
    return two_players(
        make_task(data, settings), BeganLoss(settings.balance, settings.balance_rate), optimizer_of(settings)
    )


BEGAN = Recipe(
    "began",
    "autoencoder discriminator with the balance k_t",
    "Berthelot et al. 2017, section 3; learning rate 1e-4 there, 5e-4 here for small networks",
    _networks,
    _training,
    TRAINING_SETTINGS
    | NETWORK_SETTINGS
    | {"learning_rate": 5e-4, "balance": 0.5, "balance_rate": 1e-3, "d_code": None},
)
"""Recipe ``"began"``; ``d_code`` None is ``d_noise``."""
