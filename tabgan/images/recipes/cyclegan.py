"""CycleGAN: two generators and two discriminators between two domains without pairs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, Phase, Term
from tabgan.exceptions import InvalidParameterError
from tabgan.images.networks.patch import PatchDiscriminator, n_patch_layers
from tabgan.images.networks.resnet import ResnetGenerator
from tabgan.images.recipes.recipe import TRAINING_SETTINGS, Plan, Recipe, Sizes, TrainingData, optimizer_of
from tabgan.images.translation_tasks import CycleTask

__all__ = ["CYCLEGAN"]


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    assert sizes.source is not None
    channels_a, channels_b = sizes.source[0], sizes.shape[0]
    if settings.identity_weight and channels_a != channels_b:
        raise InvalidParameterError(
            f"identity_weight={settings.identity_weight} needs equal channels, but images have {channels_a} and targets "
            f"{channels_b}; set identity_weight to 0."
        )

    def translator(channels_in: int, channels: int) -> nn.Module:
        return ResnetGenerator(
            channels_in,
            channels,
            *sizes.shape[1:],
            width=settings.width,
            n_down=settings.n_down,
            n_blocks=settings.n_blocks,
            generator=generator,
        )

    def judge(channels: int) -> nn.Module:
        return PatchDiscriminator(
            channels,
            width=settings.width,
            n_layers=n_patch_layers(settings.n_patch_layers, *sizes.shape[1:]),
            instance_norm=True,
            generator=generator,
        )

    return {
        "generator": translator(channels_a, channels_b),
        "generator_back": translator(channels_b, channels_a),
        "discriminator": judge(channels_b),
        "discriminator_back": judge(channels_a),
    }


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    assert data.sources is not None
    task = CycleTask(data.sources, data.images, settings.batch_size, capacity=settings.pool)
    loss = ADVERSARIAL_LOSSES["lsgan"]
    terms = [Term("cycle", task.cycle, settings.cycle_weight)]
    if settings.identity_weight:
        terms.append(Term("identity", task.identity, settings.identity_weight * settings.cycle_weight))
    flat = settings.n_flat_steps or settings.n_steps / 2
    decay = settings.n_decay_steps or settings.n_steps / 2

    def schedule(step: int) -> float:
        """Flat, then linear to 0; steps beyond the plan keep a tenth of the rate."""
        return 0.1 if step >= flat + decay else min(1.0, 1 - (step - flat) / decay)

    optimizer = optimizer_of(settings)
    phases = [
        Phase(("generator", "generator_back"), GeneratorLoss(loss, task, terms=terms), optimizer, schedule=schedule),
        Phase(("discriminator", "discriminator_back"), DiscriminatorLoss(loss, task), optimizer, schedule=schedule),
    ]
    return Plan(task, phases)


def _make(players: Any, noise: Tensor | None, source: Tensor | None) -> Tensor:
    return players["generator"](noise, source)


def _make_back(players: Any, noise: Tensor | None, source: Tensor | None) -> Tensor:
    return players["generator_back"](noise, source)


CYCLEGAN = Recipe(
    "cyclegan",
    "translation between two domains without pairs: least squares, cycle and identity terms, image pools",
    "Zhu et al. 2017, eq. 3 and section 4; the weights and the pool of the authors' code",
    _networks,
    _training,
    TRAINING_SETTINGS
    | {
        "batch_size": 8,
        "width": 16,
        "n_down": 1,
        "n_blocks": 3,
        "n_patch_layers": None,
        "cycle_weight": 10.0,
        "identity_weight": 0.5,
        "pool": 50,
        "n_flat_steps": None,
        "n_decay_steps": None,
    },
    needs="domains",
    makers=("generator", "generator_back"),
    make=_make,
    make_back=_make_back,
    unused=("d_noise",),
)
"""Recipe ``"cyclegan"``: ``transform`` goes from ``images`` to ``targets``, with ``reverse=True`` back.

The rate is flat for ``n_flat_steps``, then falls for ``n_decay_steps``; None is half of ``n_steps`` each.
"""
