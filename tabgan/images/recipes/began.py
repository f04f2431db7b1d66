"""BEGAN: the discriminator is an autoencoder, a controller balances its two errors, and codes of generated images keep apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.cases import Case
from tabgan.core.losses import BeganLoss
from tabgan.images.networks.encoder_decoder import AutoencoderDiscriminator
from tabgan.images.recipes.players import image_generator, image_trunk
from tabgan.images.recipes.recipe import (
    LARGER_SETTINGS,
    NETWORK_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    make_task,
    optimizer_of,
    two_players,
)

__all__ = ["BEGAN", "pulling_away"]


def pulling_away(codes: Tensor) -> Tensor:
    """Mean squared cosine between the codes of two images of a batch: 0 if all are orthogonal, 1 if they have one direction.

    Parameters
    ----------
    codes : Tensor of shape (n, d), n >= 2
        Codes of generated images.

    Returns
    -------
    Tensor of shape ()

    References
    ----------
    Zhao, Mathieu, LeCun 2017, "Energy-based Generative Adversarial Networks", eq. 4.
    """
    directions = nn.functional.normalize(codes, dim=1)
    n = len(codes)
    return ((directions @ directions.T).square().sum() - n) / (n * (n - 1))


class _ApartLoss(BeganLoss):
    """BEGAN's pair, with the pulling-away term on the generator's side; the controller does not see it."""

    def __init__(self, balance: float, rate: float, pull_weight: float) -> None:
        super().__init__(balance, rate)
        self.pull_weight = pull_weight

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        loss = super().generator_loss(cases)
        if not self.pull_weight:
            return loss
        return loss + self.pull_weight * torch.stack([pulling_away(_codes(case)) for case in cases]).mean()


def _codes(case: Case) -> Tensor:
    assert case.verdict.features is not None
    return case.verdict.features


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    decoder = image_generator(sizes, settings, generator, batch_norm=False, d_noise=settings.d_code)
    trunk = image_trunk(sizes, settings, generator)
    return {
        "generator": image_generator(sizes, settings, generator),
        "discriminator": AutoencoderDiscriminator(trunk, decoder, settings.d_code, generator=generator),
    }


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    loss = _ApartLoss(settings.balance, settings.balance_rate, settings.pull_weight)
    return two_players(make_task(data, settings), loss, optimizer_of(settings))


BEGAN = Recipe(
    "began",
    "autoencoder discriminator with the balance k_t",
    "Berthelot et al. 2017, section 3; departures, without which small images collapse to one shape: balance 1 and rate 0.1 (0.5 "
    "and 0.001 there), a narrow code, batch norm in the generator, EBGAN's pulling-away term; learning rate 5e-4 (1e-4 there)",
    _networks,
    _training,
    TRAINING_SETTINGS
    | NETWORK_SETTINGS
    | {"n_steps": 3000, "learning_rate": 5e-4, "balance": 1.0, "balance_rate": 0.1, "d_code": 4, "pull_weight": 0.03},
    larger=LARGER_SETTINGS | {"n_steps": 8000},
    scores=False,
)
"""Recipe ``"began"``; ``pull_weight`` 0 leaves out what is not in the paper.

Without that term nothing tells the generator to vary: one shape whose error is ``balance`` times that of real images satisfies the
controller with k_t near 0. The decoder gets the condition, and the code is narrow: only an image of the right class is restored well.
"""
