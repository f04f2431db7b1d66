"""Remedies against collapse: feature matching, unrolled discriminators, minibatch discrimination."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tabgan.core.callbacks import Callback
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.matching import FeatureMatchingLoss
from tabgan.core.phases import Phase
from tabgan.core.unrolled import UnrolledGeneratorLoss
from tabgan.images.networks.judge import Judge
from tabgan.images.recipes.classic import plain_networks
from tabgan.images.recipes.players import image_generator, image_trunk
from tabgan.images.recipes.recipe import (
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
from tabgan.networks.normalisation import MinibatchDiscrimination

__all__ = ["STABILISED"]


class _Moments(Callback):
    """The discriminator's optimiser, once there is a trainer: imagined steps start from its moments."""

    def on_fit_begin(self, trainer: Any, n_steps: int) -> None:
        """Remember the optimiser of the first phase."""
        self.optimizer = trainer.optimizers[0]

    def __call__(self) -> torch.optim.Optimizer:
        """The optimiser."""
        return self.optimizer


def _matching(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    task = make_task(data, settings)
    pair = pair_of("non-saturating", settings)
    plan = two_players(task, pair, judge_optimizer_of(settings), penalties=zero_centred(settings))
    loss = FeatureMatchingLoss(
        pair,
        task,
        weight=settings.feature_weight,
        adversarial_weight=settings.adversarial_weight,
    )
    plan.phases[1] = Phase("generator", loss, optimizer_of(settings))
    return plan


def _unrolled(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    judge_optimizer = judge_optimizer_of(settings)
    task = make_task(data, settings)
    plan = two_players(task, "non-saturating", judge_optimizer)
    moments = _Moments()
    loss = UnrolledGeneratorLoss(
        ADVERSARIAL_LOSSES["non-saturating"],
        task,
        n_unroll=settings.n_unroll,
        inner=judge_optimizer,
        moments=moments,
    )
    plan.phases[1] = Phase("generator", loss, optimizer_of(settings))
    plan.callbacks.append(moments)
    return plan


def _minibatch_networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    trunk = image_trunk(sizes, settings, generator)
    extra = MinibatchDiscrimination(trunk.d_features, settings.n_kernels, settings.d_kernel, generator=generator)
    return {
        "generator": image_generator(sizes, settings, generator),
        "discriminator": Judge(trunk, extra=extra, d_extra=trunk.d_features + settings.n_kernels, generator=generator),
    }


def _minibatch(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    return two_players(
        make_task(data, settings),
        pair_of("non-saturating", settings),
        optimizer_of(settings),
        judge_optimizer=judge_optimizer_of(settings),
        penalties=zero_centred(settings),
    )


_SETTINGS = TRAINING_SETTINGS | TWO_RATES | NETWORK_SETTINGS | STATISTICS_SETTINGS

STABILISED = [
    Recipe(
        "feature-matching",
        "the generator matches the mean of the discriminator's features instead of its verdict",
        "Salimans et al. 2016, section 3.1",
        plain_networks,
        _matching,
        _SETTINGS | REGULARISER_SETTINGS | {"n_steps": 2500, "feature_weight": 1.0, "adversarial_weight": 0.0},
        larger={"n_steps": 3000, "width": 16},
    ),
    Recipe(
        "unrolled",
        "the generator descends against the discriminator as it will be some steps from now",
        "Metz et al. 2017, eq. 4-7; K = 5, discriminator rate 1e-4 and generator rate 1e-3 as in the authors' demo",
        plain_networks,
        _unrolled,
        _SETTINGS | {"learning_rate": 1e-3, "discriminator_learning_rate": 1e-4, "n_unroll": 5},
        larger={"n_steps": 500, "width": 16},
    ),
    Recipe(
        "minibatch-discrimination",
        "the discriminator sees how near each image is to the rest of its batch",
        "Salimans et al. 2016, section 3.2",
        _minibatch_networks,
        _minibatch,
        _SETTINGS | REGULARISER_SETTINGS | {"n_steps": 2000, "n_kernels": 16, "d_kernel": 5},
        larger={"n_steps": 3000, "width": 16},
    ),
]
"""Recipes ``"feature-matching"``, ``"unrolled"`` and ``"minibatch-discrimination"``."""
