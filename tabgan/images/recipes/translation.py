"""Image to image with known targets: pix2pix, and the regressions that it is compared with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, Phase, Term, TermLoss
from tabgan.images.networks.patch import PatchDiscriminator, n_patch_layers
from tabgan.images.networks.unet import UNet
from tabgan.images.recipes.recipe import TRAINING_SETTINGS, Plan, Recipe, Sizes, TrainingData, optimizer_of
from tabgan.images.translation_tasks import PairTask

__all__ = ["TRANSLATION"]


def _generator(sizes: Sizes, settings: Any, generator: torch.Generator) -> UNet:
    assert sizes.source is not None
    return UNet(sizes.shape, sizes.source[0], width=settings.width, n_dropout=settings.n_dropout, generator=generator)


def _pair(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    assert sizes.source is not None
    return {
        "generator": _generator(sizes, settings, generator),
        "discriminator": PatchDiscriminator(
            sizes.shape[0] + sizes.source[0],
            width=settings.width,
            n_layers=n_patch_layers(settings.n_patch_layers, *sizes.shape[1:]),
            generator=generator,
        ),
    }


def _alone(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    return {"generator": _generator(sizes, settings, generator)}


def _d_noise(players: dict[str, nn.Module], settings: Any) -> int:
    maker: Any = players["generator"]
    return max(maker.d_noise, 1)


def _adversarial(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    task = _task(data, settings)
    loss = ADVERSARIAL_LOSSES["non-saturating"]
    terms = [Term("l1", task.absolute_error, settings.l1_weight)] if settings.l1_weight else []
    optimizer = optimizer_of(settings)
    phases = [
        Phase("discriminator", DiscriminatorLoss(loss, task), optimizer),
        Phase("generator", GeneratorLoss(loss, task, terms=terms), optimizer),
    ]
    return Plan(task, phases)


def _regression(error: str) -> Any:
    def training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
        task = _task(data, settings)
        loss = TermLoss([Term(error, getattr(task, error))])
        return Plan(task, [Phase("generator", loss, optimizer_of(settings))])

    return training


def _task(data: TrainingData, settings: Any) -> PairTask:
    assert data.sources is not None
    return PairTask(data.images, data.sources, settings.batch_size, settings.d_noise)


def _make(players: Any, noise: Tensor | None, source: Tensor | None) -> Tensor:
    return players["generator"](noise, source)


_SETTINGS = TRAINING_SETTINGS | {"batch_size": 16, "width": 32, "n_dropout": 2}

TRANSLATION = [
    Recipe(
        "pix2pix",
        "U-Net against a patch discriminator that sees both images, plus L1",
        "Isola et al. 2017, eq. 4; dropout is steered by the noise, batches of 16 instead of 1",
        _pair,
        _adversarial,
        _SETTINGS | {"l1_weight": 100.0, "n_patch_layers": None},
        needs="pairs",
        make=_make,
        d_noise=_d_noise,
        unused=("d_noise",),
    ),
    Recipe(
        "supervised-l1",
        "the same U-Net as a plain regression on the absolute error: blurred towards the median",
        "Isola et al. 2017, table 1, row L1",
        _alone,
        _regression("absolute_error"),
        _SETTINGS | {"n_dropout": 0},
        needs="pairs",
        make=_make,
        d_noise=_d_noise,
        unused=("d_noise",),
    ),
    Recipe(
        "supervised-l2",
        "the same U-Net as a plain regression on the squared error: blurred towards the mean",
        "Isola et al. 2017, section 3.1",
        _alone,
        _regression("squared_error"),
        _SETTINGS | {"n_dropout": 0},
        needs="pairs",
        make=_make,
        d_noise=_d_noise,
        unused=("d_noise",),
    ),
]
"""Recipes ``"pix2pix"``, ``"supervised-l1"`` and ``"supervised-l2"``."""
