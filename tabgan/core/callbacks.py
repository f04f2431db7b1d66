"""What happens around the loop: progress, averaged weights, early stopping, time budget, and a guard against NaN."""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tabgan.core.history import History
from tabgan.core.phases import Optimizer
from tabgan.exceptions import TrainingDivergedError

__all__ = [
    "AVERAGE_DECAY",
    "OUT_OF_TIME",
    "Callback",
    "EarlyStopping",
    "NanGuard",
    "Progress",
    "TimeBudget",
    "Training",
    "WeightAverage",
]

OUT_OF_TIME = "time budget used up"
"""Why a run ended at its deadline."""
AVERAGE_DECAY = 0.998
"""Weight of the old average of weights per step, unless a system wants another: a memory of some 500 steps."""


class Training(Protocol):
    """What callbacks see of the trainer; see `tabgan.core.trainer.Trainer`."""

    players: dict[str, nn.Module]
    optimizers: list[Optimizer]
    callbacks: list[Callback]
    history: History
    step_count: int
    learning_rate_factor: float

    def stop(self, reason: str) -> None:
        """End training after the current step; the first reason given is kept."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on exactly."""
        ...


class Callback:
    """Base class: every event does nothing. Events come in the order of the methods below."""

    def on_fit_begin(self, trainer: Training, n_steps: int) -> None:
        """Before the first step of a `Trainer.fit`."""

    def on_step_end(self, trainer: Training) -> None:
        """After every step; must not wait for the device."""

    def on_read(self, trainer: Training, row: dict[str, float], finite: bool) -> None:
        """After the losses were read; ``finite`` tells whether all are finite numbers."""

    def on_step_through(self, trainer: Training) -> None:
        """After every step and its reading, if there was one: from the state that is stored now, training goes on exactly."""

    def on_fit_end(self, trainer: Training) -> None:
        """After the last step, also when training was interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """The callback's own state for a checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""


class Progress(Callback):
    """A tqdm bar with the latest losses.

    Parameters
    ----------
    description : str
        Text before the bar.
    """

    def __init__(self, description: str) -> None:
        self.description = description
        self._bar: Any = None

    def on_fit_begin(self, trainer: Training, n_steps: int) -> None:
        """Open the bar, where there is something to show it on: services have no standard error."""
        if sys.stderr is None or sys.stderr.closed:
            return
        from tqdm.auto import tqdm

        self._bar = tqdm(total=n_steps, desc=self.description, unit="step", leave=False)

    def on_read(self, trainer: Training, row: dict[str, float], finite: bool) -> None:
        """Show the row."""
        if self._bar is not None:
            self._bar.set_postfix({name: f"{value:.3g}" for name, value in row.items()}, refresh=False)

    def on_step_end(self, trainer: Training) -> None:
        """Advance by one step."""
        if self._bar is not None:
            self._bar.update(1)

    def on_fit_end(self, trainer: Training) -> None:
        """Close the bar, also after an error."""
        if self._bar is not None:
            self._bar.close()


class WeightAverage(Callback):
    """Exponential moving average of a player's parameters and batch-norm statistics; other buffers are copied as they are.

    Parameters
    ----------
    player : nn.Module
        Where the average starts.
    name : str
        The player's name in the trainer.
    decay : float, default=0.998
        Weight of the old average per step. Early on it is ``(1 + t) / (10 + t)`` if that is smaller, so that the average
        does not remember the initial weights.

    Attributes
    ----------
    module : nn.Module
        A copy of the player that carries the average.

    Notes
    -----
    Averaged batch-norm statistics lag behind and belong to no single set of weights: call `refresh_statistics` once after
    training where the player has batch norm. Copied ones, as in many ports, belong to other weights altogether.
    """

    def __init__(self, player: nn.Module, name: str, decay: float = AVERAGE_DECAY) -> None:
        self.name = name
        self.decay = decay
        self.module = copy.deepcopy(player).requires_grad_(False).eval()
        self._updates = 0
        self._statistics = {
            f"{prefix}.{buffer}" if prefix else buffer
            for prefix, layer in player.named_modules()
            if isinstance(layer, _BatchNorm)
            for buffer in ("running_mean", "running_var")
            if getattr(layer, buffer) is not None
        }

    @torch.no_grad()
    def on_step_end(self, trainer: Training) -> None:
        """Move the average towards the current weights."""
        self._updates += 1
        decay = min(self.decay, (1 + self._updates) / (10 + self._updates))
        player = trainer.players[self.name]
        averaged: list[Tensor] = [p.detach() for p in self.module.parameters()]
        torch._foreach_lerp_(averaged, [p.detach() for p in player.parameters()], 1 - decay)
        theirs = dict(player.named_buffers())
        for name, mine in self.module.named_buffers():
            if name in self._statistics:
                mine.lerp_(theirs[name], 1 - decay)
            else:
                mine.copy_(theirs[name])

    @torch.no_grad()
    def refresh_statistics(self, run: Callable[[nn.Module], Any], n_passes: int = 20) -> None:
        """Measure the batch-norm statistics anew under the averaged weights.

        Parameters
        ----------
        run : callable
            ``run(module)`` passes one fresh batch through the module.
        n_passes : int, default=20
            Batches; every one counts alike. Without batch norm nothing is run.

        Notes
        -----
        For use after training: steps taken afterwards go on averaging from the measured values.
        """
        layers = [layer for layer in self.module.modules() if isinstance(layer, _BatchNorm)]
        layers = [layer for layer in layers if layer.track_running_stats]
        if not layers:
            return
        momenta = [layer.momentum for layer in layers]
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # torch's way to say: the plain mean over all batches so far
            layer.train()
        try:
            for _ in range(n_passes):
                run(self.module)
        finally:
            for layer, momentum in zip(layers, momenta, strict=True):
                layer.momentum = momentum
                layer.eval()

    def state_dict(self) -> dict[str, Any]:
        """The average and how many steps it has seen."""
        return {"module": self.module.state_dict(), "updates": self._updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.module.load_state_dict(state["module"])
        self._updates = state["updates"]


class EarlyStopping(Callback):
    """Score a module on held-out data, keep its best weights, stop when they get no better.

    Parameters
    ----------
    module : nn.Module
        What is scored and whose best weights are kept, usually `WeightAverage.module`.
    score : callable
        ``score(module) -> float``, lower is better.
    patience : int, default=10
        Stop after this many scorings in a row without an improvement.
    min_delta : float, default=0.0
        An improvement is a score below ``best * (1 - min_delta)``.
    every : int, default=100
        Steps between scorings.
    name : str, default="validation"
        Name in the history.

    Attributes
    ----------
    best_score : float
        The lowest score so far.
    best_step : int
        Its step; 0 when the untrained module was never beaten.
    """

    SETTLED = "no better"
    """How its reason to stop begins: training that ended so is done, not cut short."""

    def __init__(
        self,
        module: nn.Module,
        score: Callable[[nn.Module], float],
        *,
        patience: int = 10,
        min_delta: float = 0.0,
        every: int = 100,
        name: str = "validation",
    ) -> None:
        self.module = module
        self.score = score
        self.patience = patience
        self.min_delta = min_delta
        self.every = every
        self.name = name
        self.best_score = float("inf")
        self.best_step = 0
        self._best: dict[str, Tensor] = _copied(module)
        self._waited = 0

    def on_fit_begin(self, trainer: Training, n_steps: int) -> None:
        """Score the starting point: training must improve on it to count."""
        if trainer.step_count == 0:
            self._evaluate(trainer)

    def on_step_end(self, trainer: Training) -> None:
        """Score when it is time."""
        if trainer.step_count % self.every == 0:
            self._evaluate(trainer)
            if self._waited >= self.patience:
                trainer.stop(f"{self.SETTLED} {self.name} score in {self.patience} scorings")

    def restore_best(self) -> None:
        """Put the best weights into ``module``."""
        self.module.load_state_dict(self._best)

    def state_dict(self) -> dict[str, Any]:
        """Best weights, best score and patience used."""
        return {
            "best": self._best,
            "best_score": self.best_score,
            "best_step": self.best_step,
            "waited": self._waited,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._best = {name: value.clone() for name, value in state["best"].items()}
        self.best_score, self.best_step = state["best_score"], state["best_step"]
        self._waited = state["waited"]

    def _evaluate(self, trainer: Training) -> None:
        score = self.score(self.module)
        trainer.history.append(trainer.step_count, {self.name: score})
        improved = score < self.best_score - self.min_delta * abs(self.best_score) or self.best_score == float("inf")
        self._waited = 0 if improved else self._waited + 1
        if score < self.best_score:
            self.best_score, self.best_step = score, trainer.step_count
            self._best = _copied(self.module)


class TimeBudget(Callback):
    """Stop when the clock runs out; what was learnt so far is kept.

    Parameters
    ----------
    deadline : float
        A value of ``time.monotonic()``.
    """

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def on_step_end(self, trainer: Training) -> None:
        """Look at the clock."""
        if time.monotonic() >= self.deadline:
            trainer.stop(OUT_OF_TIME)


class NanGuard(Callback):
    """Go back to the last good state and halve the learning rates when a loss or a weight is not finite.

    Parameters
    ----------
    max_restarts : int, default=3
        How often before giving up.

    Raises
    ------
    TrainingDivergedError
        From `on_read`, when the restarts are used up.
    """

    def __init__(self, max_restarts: int = 3) -> None:
        self.max_restarts = max_restarts
        self.n_restarts = 0
        self._good: tuple[dict[str, Any], list[Any]] | None = None

    def on_fit_begin(self, trainer: Training, n_steps: int) -> None:
        """Remember the starting point."""
        self._remember(trainer)

    def on_read(self, trainer: Training, row: dict[str, float], finite: bool) -> None:
        """Remember a good state, or go back to one."""
        # A finite loss can have a gradient that is not: look at what it did to the weights, too.
        bad = [name for name, value in row.items() if not math.isfinite(value)]
        bad = bad or [f"{name} (weights)" for name, player in trainer.players.items() if not _is_finite(player)]
        if not bad:
            self._remember(trainer)
            return
        self.n_restarts += 1
        if self.n_restarts > self.max_restarts or self._good is None:
            raise TrainingDivergedError(
                f"losses {bad} are not finite at step {trainer.step_count}, after {self.max_restarts} restarts with a "
                "halved learning rate; lower learning_rate, or look for extreme values in the data."
            )
        players, optimizers = self._good
        for name, player in trainer.players.items():
            player.load_state_dict(players[name])
        for optimizer, state in zip(trainer.optimizers, optimizers, strict=True):
            optimizer.load_state_dict(copy.deepcopy(state))
        trainer.learning_rate_factor *= 0.5
        # An average that saw the bad steps would stay NaN for ever.
        for callback in trainer.callbacks:
            if isinstance(callback, WeightAverage):
                callback.module.load_state_dict(players[callback.name])

    def state_dict(self) -> dict[str, Any]:
        """The number of restarts used."""
        return {"n_restarts": self.n_restarts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.n_restarts = state["n_restarts"]

    def _remember(self, trainer: Training) -> None:
        players = {name: _copied(player) for name, player in trainer.players.items()}
        self._good = players, [copy.deepcopy(optimizer.state_dict()) for optimizer in trainer.optimizers]


def _is_finite(module: nn.Module) -> bool:
    return all(bool(value.isfinite().all()) for value in module.state_dict().values())


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
