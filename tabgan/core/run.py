"""One way to train for every family: what a run is given, the callbacks that all runs share, and what is left when one ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback, EarlyStopping, NanGuard, Progress, TimeBudget, Training, WeightAverage
from tabgan.core.cases import BatchT
from tabgan.core.following import Followed, Follower
from tabgan.core.health import HealthWatch
from tabgan.core.interrupts import interrupted
from tabgan.core.phases import Phase, Task
from tabgan.core.trainer import Trainer

__all__ = ["Checkpoints", "Run", "Stopping", "Trained", "deadline_after", "run_callbacks", "train"]


@dataclass(frozen=True)
class Run:
    """How to run, apart from what.

    Parameters
    ----------
    generator : torch.Generator
        A CPU generator: the one source of randomness.
    device : torch.device
        Where to train.
    deadline : float or None
        A value of ``time.monotonic()`` after which training stops.
    verbose : bool
        Show a progress bar.
    max_time : float, default=None
        Seconds that the deadline leaves; None if there is none, or it is nobody's to give again.
    follower : Follower, default=None
        Who is told of stages and training, and may end them.
    compute_type : torch.dtype, default=None
        What networks compute in; None is what their weights are in. See `tabgan.core.precision`.
    """

    generator: torch.Generator
    device: torch.device
    deadline: float | None
    verbose: bool
    max_time: float | None = None
    follower: Follower | None = None
    compute_type: torch.dtype | None = None

    @property
    def time_is_up(self) -> bool:
        """Whether the deadline has passed, or Ctrl-C or the follower asked for an end."""
        asked = interrupted() or (self.follower is not None and self.follower.stopped)
        return asked or (self.deadline is not None and time.monotonic() > self.deadline)

    def again(self) -> Run:
        """The same with as much time once more, from now on, and nobody to follow it."""
        return replace(self, deadline=deadline_after(self.max_time), follower=None)


@dataclass(frozen=True)
class Stopping:
    """Early stopping as data; see `tabgan.core.callbacks.EarlyStopping`.

    Parameters
    ----------
    player : str
        Who is scored: with its averaged weights, where `train` averages them.
    score : callable
        ``score(module) -> float``, lower is better; the module is on the run's device.
    patience : int, default=10
        Stop after this many scorings in a row without an improvement.
    min_delta : float, default=0.0
        An improvement is a score below ``best * (1 - min_delta)``.
    every : int, default=50
        Steps between scorings.
    """

    player: str
    score: Callable[[Any], float]
    patience: int = 10
    min_delta: float = 0.0
    every: int = 50


@dataclass(frozen=True)
class Checkpoints:
    """When to keep what training has come to, for a run that may be killed.

    Parameters
    ----------
    every : int
        Steps between two of them.
    save : callable
        ``save(state, players)`` is given what `Trained.state` and `Trained.players` would hold; players stay where they are trained.
    """

    every: int
    save: Callable[[dict[str, Any], dict[str, nn.Module]], None]


@dataclass(frozen=True)
class Trained:
    """What training leaves.

    Parameters
    ----------
    players : dict of str to nn.Module
        On the CPU, in evaluation mode; with averaged weights where they were asked for, and the best ones of early stopping.
    history : list of dict
        Losses and scores by step.
    n_steps : int
        Steps done, those of the run that was gone on from included.
    stop_reason : str or None
        Why training ended before its budget.
    warnings : list of str
        What the health watch saw, in plain words; empty without one.
    best_step : int, default=None
        The step whose weights early stopping kept, 0 when the start was never beaten; None without early stopping.
    state : dict, default=None
        All that another `train` needs to go on exactly, on the CPU; only if it was asked for.
    """

    players: dict[str, nn.Module]
    history: list[dict[str, Any]]
    n_steps: int
    stop_reason: str | None
    warnings: list[str] = field(default_factory=list)
    best_step: int | None = None
    state: dict[str, Any] | None = None


def train(
    players: Mapping[str, nn.Module],
    phases: Sequence[Phase[BatchT]],
    task: Task[BatchT],
    run: Run,
    n_steps: int,
    *,
    description: str,
    averages: Mapping[str, float] | None = None,
    stopping: Stopping | None = None,
    callbacks: Sequence[Callback] = (),
    watch: HealthWatch | None = None,
    passing: Callable[[dict[str, nn.Module]], Sequence[Callback]] | None = None,
    read_every: int = 50,
    checkpoints: Checkpoints | None = None,
    accumulate: int = 1,
    saved: dict[str, Any] | None = None,
    keep_state: bool = False,
) -> Trained:
    """Train players, guarded against NaN and within the run's time budget.

    Parameters
    ----------
    players : mapping of str to nn.Module
        The networks; moved to the run's device, and changed.
    phases : sequence of Phase
        Run in this order in every step.
    task : Task
        Source of batches.
    run : Run
        Randomness, device, deadline, progress bar.
    n_steps : int
        Further steps.
    description : str
        Text before the progress bar.
    averages : mapping of str to float, default=None
        Players whose weights are averaged, and the decay of each (as a rule `tabgan.core.callbacks.AVERAGE_DECAY`).
    stopping : Stopping, default=None
        Score a player on held-out data, and keep its best weights.
    callbacks : sequence of Callback, default=()
        Further ones, whose state is part of ``Trained.state``.
    watch : HealthWatch, default=None
        Its warnings become ``Trained.warnings``.
    passing : callable, default=None
        ``passing(players) -> callbacks`` of this run alone, whose state belongs into no file. It is given the players that
        ``Trained.players`` will hold, where they are trained.
    read_every : int, default=50
        Steps between two readings of the losses.
    checkpoints : Checkpoints, default=None
        Called after every so many steps.
    accumulate : int, default=1
        Batches per update.
    saved : dict, default=None
        ``Trained.state`` of an earlier run with the same parts, to go on from.
    keep_state : bool, default=False
        Whether to fill ``Trained.state``.

    Returns
    -------
    Trained

    Raises
    ------
    TrainingDivergedError
        Losses or weights were not finite again and again.

    Notes
    -----
    Callbacks are called, and their states stored, in this order: averages, early stopping, ``callbacks``, the health watch, the
    guard against NaN; then what leaves no state: time budget, progress bar, follower, ``passing``.
    """
    moved = {name: player.to(run.device) for name, player in players.items()}
    averaged = {name: WeightAverage(moved[name], name, decay) for name, decay in (averages or {}).items()}
    kept = moved | {name: average.module for name, average in averaged.items()}
    early = None
    if stopping is not None:
        early = EarlyStopping(
            kept[stopping.player],
            stopping.score,
            patience=stopping.patience,
            min_delta=stopping.min_delta,
            every=stopping.every,
        )
    optional = [part for part in (early, *callbacks, watch) if part is not None]
    lasting: list[Callback] = [*averaged.values(), *optional, NanGuard()]
    trainer = Trainer(
        moved,
        phases,
        task,
        generator=run.generator,
        callbacks=lasting,
        read_every=read_every,
        accumulate=accumulate,
        compute_type=run.compute_type,
    )
    if saved is not None:
        trainer.load_state_dict(saved)
    trainer.callbacks = [*lasting, *run_callbacks(run, description), *(passing(kept) if passing else ())]
    if checkpoints is not None:
        trainer.callbacks.append(_Keeping(checkpoints, lasting, kept))
    trainer.fit(n_steps)
    trainer.callbacks = lasting
    state = _on_cpu(trainer.state_dict()) if keep_state else None  # before the best weights replace the last ones
    if early is not None:
        early.restore_best()
    return Trained(
        players={name: player.cpu().eval() for name, player in kept.items()},
        history=trainer.history.rows,
        n_steps=trainer.step_count,
        stop_reason=trainer.stop_reason,
        warnings=[] if watch is None else list(watch.warnings),
        best_step=None if early is None else early.best_step,
        state=state,
    )


def run_callbacks(run: Run, description: str) -> list[Callback]:
    """What every run has: its time budget, a progress bar if one was asked for, and its follower."""
    callbacks: list[Callback] = []
    if run.deadline is not None:
        callbacks.append(TimeBudget(run.deadline))
    if run.verbose:
        callbacks.append(Progress(description))
    if run.follower is not None:
        callbacks.append(Followed(run.follower, description))
    return callbacks


def deadline_after(max_time: float | None) -> float | None:
    """The clock value at which a budget of ``max_time`` seconds that starts now is used up."""
    return None if max_time is None else time.monotonic() + max_time


class _Keeping(Callback):
    """Hand out a state that holds what a `Trained.state` holds: that of the lasting callbacks alone."""

    def __init__(self, checkpoints: Checkpoints, lasting: list[Callback], players: dict[str, nn.Module]) -> None:
        self.checkpoints, self.lasting, self.players = checkpoints, lasting, players

    def on_step_through(self, trainer: Training) -> None:
        if trainer.step_count % self.checkpoints.every:
            return
        everybody, trainer.callbacks = trainer.callbacks, self.lasting
        try:
            state = _on_cpu(trainer.state_dict())
        finally:
            trainer.callbacks = everybody
        self.checkpoints.save(state, self.players)


def _on_cpu(value: Any) -> Any:
    """A copy of a state tree with its tensors on the CPU, cut off from the networks they came from."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: _on_cpu(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_on_cpu(item) for item in value)
    return value
