"""One training run of an image recipe: the trainer, its callbacks, and what is left when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from tabgan._runtime import make_generator, threads
from tabgan.core.callbacks import Callback, NanGuard, WeightAverage
from tabgan.core.health import HealthWatch
from tabgan.core.trainer import Trainer
from tabgan.images.averages import settled
from tabgan.images.conditions import Conditions
from tabgan.images.recipes.recipe import Plan, Recipe, TrainingData

__all__ = ["Run", "Trained", "accepted", "make_images", "on_cpu", "train"]

_AT_ONCE = 512
"""Images made per forward pass."""


@dataclass(frozen=True)
class Run:
    """What is trained, on what, and how.

    Parameters
    ----------
    recipe : Recipe
    settings : dict
        All of its settings.
    data : TrainingData
        On the device.
    conditions : Conditions, default=None
        Those of the data.
    n_threads : int, default=None
        torch's CPU threads; None leaves the setting.
    """

    recipe: Recipe
    settings: dict[str, Any]
    data: TrainingData
    conditions: Conditions | None = None
    n_threads: int | None = None


@dataclass(frozen=True)
class Trained:
    """Networks on the CPU (averaged where the recipe averages), the state to go on from, and how training went."""

    players: dict[str, nn.Module]
    state: dict[str, Any]
    n_steps: int
    stop_reason: str | None
    history: list[dict[str, Any]]
    warnings: list[str]


def train(
    run: Run,
    players: dict[str, nn.Module],
    generator: torch.Generator,
    n_steps: int,
    *,
    saved: dict[str, Any] | None = None,
    passing: Callable[[dict[str, nn.Module]], list[Callback]],
) -> Trained:
    """Train ``n_steps`` steps.

    Parameters
    ----------
    run : Run
        What and how.
    players : dict of str to nn.Module
        The recipe's networks.
    generator : torch.Generator
        The one source of randomness.
    n_steps : int
        Trainer steps.
    saved : dict, default=None
        ``Trained.state`` of an earlier run to go on from.
    passing : callable
        ``passing(players) -> callbacks`` of this run alone, whose state belongs into no file; it is given the averaged players.
    """
    recipe, settings = run.recipe, SimpleNamespace(**run.settings)
    players = {name: player.to(run.data.images.device) for name, player in players.items()}
    plan = recipe.training(players, run.data, settings)
    averages = {}
    if settings.average is not None:
        averages = {name: WeightAverage(players[name], name, settings.average) for name in recipe.makers}
    watch = _watch(run, plan)
    lasting: list[Callback] = [*averages.values(), *plan.callbacks, watch, NanGuard()]
    trainer = Trainer(players, plan.phases, plan.task, generator=generator, callbacks=lasting)
    if saved is not None:
        trainer.load_state_dict(saved)
    trainer.callbacks = [*lasting, *passing(players | {name: part.module for name, part in averages.items()})]
    with threads(run.n_threads):
        trainer.fit(n_steps)
    trainer.callbacks = lasting
    state = on_cpu(trainer.state_dict())
    players = {name: player.cpu().eval() for name, player in players.items()}
    players |= {name: average.module.cpu() for name, average in averages.items()}
    if averages and run.data.sources is None:
        _settle(run, players)
    return Trained(players, state, trainer.step_count, trainer.stop_reason, trainer.history.rows, list(watch.warnings))


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


def on_cpu(value: Any) -> Any:
    """A copy of a state tree with its tensors on the CPU, cut off from the networks they came from."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: on_cpu(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(on_cpu(item) for item in value)
    return value


def _watch(run: Run, plan: Plan) -> HealthWatch:
    """Gradient norms and the discriminator's loss; collapse too, where one network makes images from the first step on."""
    late = any(phase.start for phase in plan.phases)
    if run.recipe.makers != ("generator",) or run.data.sources is not None or late:
        return HealthWatch()
    images, generator = run.data.images, make_generator(0)
    noise, groups = _probe(run, generator)
    inputs = [None if part is None else part.to(images.device) for part in (noise, _condition(run, groups))]
    shown = torch.randperm(len(images), generator=generator)[:128].to(images.device)
    classes = None if run.data.classes is None else run.data.classes.to(images.device)[shown]
    return HealthWatch(inputs=inputs, reference=images[shown], groups=groups, reference_groups=classes)


def _settle(run: Run, players: dict[str, nn.Module]) -> None:
    """Give averaged weights batch-norm statistics of their own, from a stream that training does not touch."""
    generator = make_generator(0)

    def make() -> Tensor:
        noise, groups = _probe(run, generator)
        return run.recipe.make(players, noise, _condition(run, groups))

    settled([players[name] for name in run.recipe.makers], make)


def _probe(run: Run, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Noise, and conditions by their number."""
    noise = torch.randn(128, run.settings["d_noise"], generator=generator)
    return noise, None if run.conditions is None else run.conditions.draw(128, generator)


def _condition(run: Run, groups: Tensor | None) -> Tensor | None:
    return None if run.conditions is None or groups is None else run.conditions.table[groups]
