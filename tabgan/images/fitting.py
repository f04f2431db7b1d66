"""One training run of an image recipe: its plan, what watches over it, and batch-norm statistics for averaged weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from tabgan._runtime import make_generator, own_torch
from tabgan.core.callbacks import Callback
from tabgan.core.health import HealthWatch
from tabgan.core.run import Checkpoints, Run, Trained, train
from tabgan.images.averages import settled
from tabgan.images.conditions import Conditions
from tabgan.images.recipes.recipe import Plan, Recipe, TrainingData

__all__ = ["Setup", "accepted", "make_images", "train_recipe"]

_AT_ONCE = 512
"""Images made per forward pass."""


@dataclass(frozen=True)
class Setup:
    """What is trained, and on what.

    Parameters
    ----------
    recipe : Recipe
    settings : dict
        All of its settings.
    data : TrainingData
        On the device.
    conditions : Conditions, default=None
        Those of the data.
    """

    recipe: Recipe
    settings: dict[str, Any]
    data: TrainingData
    conditions: Conditions | None = None


def train_recipe(
    setup: Setup,
    players: dict[str, nn.Module],
    run: Run,
    n_steps: int,
    *,
    n_threads: int | None = None,
    saved: dict[str, Any] | None = None,
    passing: Callable[[dict[str, nn.Module]], Sequence[Callback]],
    checkpoints: Checkpoints | None = None,
) -> Trained:
    """Train ``n_steps`` steps.

    Parameters
    ----------
    setup : Setup
        What, and on what.
    players : dict of str to nn.Module
        The recipe's networks.
    run : Run
        Randomness, device, deadline, progress bar.
    n_steps : int
        Trainer steps.
    n_threads : int, default=None
        torch's CPU threads meanwhile; None leaves the setting.
    saved, passing, checkpoints
        See `tabgan.core.run.train`.

    Returns
    -------
    Trained
        With the state to go on from; networks are averaged where the recipe averages.
    """
    recipe, settings = setup.recipe, SimpleNamespace(**setup.settings)
    players = {name: player.to(run.device) for name, player in players.items()}
    plan = recipe.training(players, setup.data, settings)
    averages = {} if settings.average is None else dict.fromkeys(recipe.makers, settings.average)
    watch = _watch(setup, plan)
    with own_torch(n_threads):
        trained = train(
            players,
            plan.phases,
            plan.task,
            run,
            n_steps,
            description=f"ImageGAN ({recipe.name})",
            averages=averages,
            callbacks=plan.callbacks,
            watch=watch,
            passing=passing,
            checkpoints=checkpoints,
            accumulate=settings.accumulate,
            saved=saved,
            keep_state=True,
        )
    if averages and setup.data.sources is None:
        _settle(setup, trained.players)
    return trained


@torch.no_grad()
def make_images(
    recipe: Recipe,
    players: dict[str, Any],
    noise: Tensor | None,
    condition: Tensor | None,
    *,
    reverse: bool = False,
) -> Tensor:
    """Images in evaluation mode, piece by piece, on the CPU; networks are left in the mode they were in."""
    makers = [players[name] for name in recipe.makers]
    modes = [maker.training for maker in makers]
    device = next(makers[0].parameters()).device
    make: Any = recipe.make_back if reverse else recipe.make
    given = condition if noise is None else noise
    assert given is not None
    pieces = []
    for maker in makers:
        maker.eval()
    for start in range(0, len(given), _AT_ONCE):
        here = slice(start, start + _AT_ONCE)
        part = [None if value is None else value[here].to(device) for value in (noise, condition)]
        pieces.append(make(players, *part).cpu())
    for maker, mode in zip(makers, modes, strict=True):
        maker.train(mode)
    return torch.cat(pieces)


@torch.no_grad()
def accepted(recipe: Recipe, players: dict[str, Any], images: Tensor, condition: Tensor | None) -> Tensor:
    """Which images the recipe gives out, shape (n,); networks are in evaluation mode and on the CPU, as after training."""
    if recipe.accepts is None or condition is None:
        return torch.ones(len(images), dtype=torch.bool)
    pieces = zip(images.split(_AT_ONCE), condition.split(_AT_ONCE), strict=True)
    return torch.cat([recipe.accepts(players, *piece) for piece in pieces])


def _watch(setup: Setup, plan: Plan[Any]) -> HealthWatch:
    """Gradient norms and the discriminator's loss; collapse too, where one network makes images from the first step on."""
    late = any(phase.start for phase in plan.phases) or not setup.recipe.watched
    if setup.recipe.makers != ("generator",) or setup.data.sources is not None or late:
        return HealthWatch()
    images, generator = setup.data.images, make_generator(0)
    noise, groups = _probe(setup, generator)
    inputs = [None if part is None else part.to(images.device) for part in (noise, _condition(setup, groups))]
    shown = torch.randperm(len(images), generator=generator)[:128].to(images.device)
    classes = None if setup.data.classes is None else setup.data.classes.to(images.device)[shown]
    return HealthWatch(inputs=inputs, reference=images[shown], groups=groups, reference_groups=classes)


def _settle(setup: Setup, players: dict[str, nn.Module]) -> None:
    """Give averaged weights batch-norm statistics of their own, from a stream that training does not touch."""
    generator = make_generator(0)

    def make() -> Tensor:
        noise, groups = _probe(setup, generator)
        return setup.recipe.make(players, noise, _condition(setup, groups))

    settled([players[name] for name in setup.recipe.makers], make)


def _probe(setup: Setup, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Noise, and conditions by their number."""
    noise = torch.randn(128, setup.settings["d_noise"], generator=generator)
    return noise, None if setup.conditions is None else setup.conditions.draw(128, generator)


def _condition(setup: Setup, groups: Tensor | None) -> Tensor | None:
    return None if setup.conditions is None or groups is None else setup.conditions.table[groups]
