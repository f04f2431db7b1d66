"""StackGAN: a first stage at half the size, then a second stage that refines it, both under an augmented condition."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from tabgan.core.cases import Players
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, Phase, Term
from tabgan.core.tasks import GeneratingTask
from tabgan.exceptions import InvalidParameterError
from tabgan.images.networks.judge import Judge
from tabgan.images.networks.stages import AugmentedGenerator, ConditioningAugmentation, Refiner
from tabgan.images.recipes.players import image_generator, image_trunk
from tabgan.images.recipes.recipe import (
    NETWORK_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    make_task,
    optimizer_of,
)
from tabgan.images.translation_tasks import StageTask

__all__ = ["STACKGAN"]


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    channels, height, width = sizes.shape
    if height % 2 or width % 2:
        raise InvalidParameterError(
            f"recipe 'stackgan' halves images, but they have {height} x {width} pixels; pad them."
        )
    if settings.d_code >= settings.d_noise:
        raise InvalidParameterError(
            f"d_noise={settings.d_noise} must be above settings['d_code']={settings.d_code}, the part of it that draws conditions; "
            "raise d_noise, or lower d_code."
        )
    small = Sizes((channels, height // 2, width // 2), sizes.d_condition)
    code, d_code = Sizes(small.shape, settings.d_code), settings.d_code
    first = image_generator(code, settings, generator, d_noise=settings.d_noise - d_code)
    augmentations = [ConditioningAugmentation(sizes.d_condition, d_code, generator=generator) for _ in range(2)]
    return {
        "generator": AugmentedGenerator(first, augmentations[0], d_code),
        "discriminator": Judge(image_trunk(small, settings, generator), generator=generator),
        "refiner": Refiner(channels, d_code, augmentations[1], width=settings.refiner_width, generator=generator),
        "discriminator_fine": Judge(image_trunk(sizes, settings, generator), generator=generator),
    }


def _small(players: Players, noise: Tensor, condition: Tensor | None) -> Tensor:
    return players["generator"](noise, condition)


def _full(d_code: int, players: Players, noise: Tensor, condition: Tensor | None) -> Tensor:
    return players["refiner"](noise[:, -d_code:], condition, players["generator"](noise, condition))


def _make(players: Players, noise: Tensor, condition: Tensor | None) -> Tensor:
    first: Any = players["generator"]
    return _full(first.d_code, players, noise, condition)


def _divergence(task: GeneratingTask[Any], player: str) -> Callable[[Players, Any], Tensor]:
    """How far the conditions that a stage draws lie from those that it was given."""

    def divergence(players: Players, batch: Any) -> Tensor:
        maker: Any = players[player]
        return maker.augmentation.divergence(task.drawn(batch).fake_condition)

    return divergence


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    task = make_task(data, settings)
    loss = ADVERSARIAL_LOSSES["non-saturating"]
    switch = settings.n_first_steps or settings.n_steps // 2
    stages = [
        (StageTask(task, _small, "discriminator", lambda real: avg_pool2d(real, 2)), "generator", 0, switch),
        (
            StageTask(task, partial(_full, settings.d_code), "discriminator_fine", lambda real: real),
            "refiner",
            switch,
            None,
        ),
    ]
    phases = []
    for stage, maker, start, stop in stages:
        terms = [Term(f"{maker}/augmentation", _divergence(task, maker), settings.augmentation_weight)]
        judged = DiscriminatorLoss(loss, stage, name=stage.judge)
        made = GeneratorLoss(loss, stage, terms=terms, name=maker)
        phases.append(Phase(stage.judge, judged, optimizer_of(settings), start=start, stop=stop))
        phases.append(Phase(maker, made, optimizer_of(settings), start=start, stop=stop))
    return Plan(task, phases)


STACKGAN = Recipe(
    "stackgan",
    "half size first, then a second stage that refines; the condition is drawn near itself",
    "Zhang et al. 2017, eq. 3-6; departure: KL weight 0.02 instead of 1, which made small networks drop the condition",
    _networks,
    _training,
    TRAINING_SETTINGS
    | NETWORK_SETTINGS
    | {
        "n_steps": 3500,
        "n_first_steps": 2000,
        "learning_rate": 5e-4,
        "d_code": 8,
        "augmentation_weight": 0.02,
        "refiner_width": 32,
    },
    needs="labels",
    makers=("generator", "refiner"),
    make=_make,
    halves=True,
    larger={"n_steps": 800, "n_first_steps": 400, "width": 16},
)
"""Recipe ``"stackgan"``; ``n_first_steps`` None is half of ``n_steps``."""
