"""R3GAN: every image against one of the other kind, gradients held at 0 on both, networks without normalisation."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tabgan.core.penalties import CasePenalty
from tabgan.core.relativistic import RelativisticLoss
from tabgan.images.networks.judge import Judge
from tabgan.images.networks.unnormalised import UnnormalisedGenerator, UnnormalisedTrunk
from tabgan.images.recipes.recipe import (
    TASK_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    make_task,
    optimizer_of,
    two_players,
)

__all__ = ["R3GAN"]


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    options: dict[str, Any] = {name: getattr(settings, name) for name in ("width", "n_blocks", "expansion")}
    maker = UnnormalisedGenerator(sizes.shape, settings.d_noise, sizes.d_condition, **options, generator=generator)
    trunk = UnnormalisedTrunk(sizes.shape, **options, generator=generator)
    judge = Judge(trunk, projection=sizes.d_condition, generator=generator)
    return {"generator": maker, "discriminator": judge}


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    penalties = [CasePenalty(name, settings.penalty_weight) for name in ("r1", "r2")]
    task = make_task(data, settings, paired=True)
    return two_players(task, RelativisticLoss(), optimizer_of(settings), penalties=penalties)


R3GAN = Recipe(
    "r3gan",
    "relativistic pairs, R1 and R2, residual networks without normalisation",
    "Huang et al. 2024 (arXiv 2501.05441), eq. 2 and section 4; departures: one block per size, halved by averaging, tanh at the end, "
    "no schedules, pairs are of one class, weights averaged",
    _networks,
    _training,
    TRAINING_SETTINGS
    | TASK_SETTINGS
    | {
        "n_steps": 3000,
        "d_noise": 64,
        "learning_rate": 1e-3,
        "betas": (0.0, 0.99),
        "average": 0.999,
        "width": 16,
        "n_blocks": 1,
        "expansion": 2,
        "penalty_weight": 1.0,
    },
)
"""Recipe ``"r3gan"``."""
