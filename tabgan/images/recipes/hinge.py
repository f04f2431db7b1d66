"""Hinge loss with a spectrally normalised discriminator (SNGAN), and the projection discriminator that stands on it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tabgan.images.networks.judge import Judge
from tabgan.images.recipes.players import image_generator, image_trunk
from tabgan.images.recipes.recipe import (
    NETWORK_SETTINGS,
    REGULARISER_SETTINGS,
    STATISTICS_SETTINGS,
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
from tabgan.networks.normalisation import with_spectral_norm

__all__ = ["HINGE"]


def _spectral(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    judge = Judge(image_trunk(sizes, settings, generator), generator=generator)
    return {
        "generator": image_generator(sizes, settings, generator),
        "discriminator": with_spectral_norm(judge, generator),
    }


def _projection(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    trunk = image_trunk(sizes, settings, generator, conditional=False)
    judge = Judge(trunk, projection=sizes.d_condition, generator=generator)
    return {
        "generator": image_generator(sizes, settings, generator, conditional_norm=settings.conditional_norm),
        "discriminator": with_spectral_norm(judge, generator),
    }


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    return two_players(
        make_task(data, settings),
        pair_of("hinge", settings),
        optimizer_of(settings),
        n_critic=settings.n_critic,
        penalties=zero_centred(settings),
    )


_SETTINGS = (
    TRAINING_SETTINGS
    | NETWORK_SETTINGS
    | REGULARISER_SETTINGS
    | {"n_steps": 1000, "betas": (0.0, 0.9), "learning_rate": 5e-4, "n_critic": 3}
)
_LARGER = {"n_steps": 2000, "width": 16}

HINGE = [
    Recipe(
        "sngan",
        "hinge loss, every discriminator layer divided by its largest singular value",
        "Miyato et al. 2018, eq. 16-17; n_critic 5 and learning rate 2e-4 there",
        _spectral,
        _training,
        _SETTINGS | STATISTICS_SETTINGS,
        larger=_LARGER,
    ),
    Recipe(
        "projection",
        "the condition enters as an inner product with the discriminator's features",
        "Miyato and Koyama 2018, eq. 8; the condition is put beside the noise unless conditional_norm; n_critic 5, rate 2e-4 there",
        _projection,
        _training,
        _SETTINGS | {"conditional_norm": False},
        needs="labels",
        larger=_LARGER,
    ),
]
"""Recipes ``"sngan"`` and ``"projection"``; ``conditional_norm`` lets the condition into the generator by batch norm in every layer,
as the paper has it. Off by default: on digits it doubles the Frechet distance, though more samples are of the asked class."""
