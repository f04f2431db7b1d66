"""A generator without an adversary as players, phases and a task of the common `Trainer`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback
from tabgan.core.cases import Players
from tabgan.core.phases import OptimizerSpec, Phase, Task, Term, TermLoss
from tabgan.core.tasks import GenerationBatch, GenerationTask
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["ADAM", "OnePlayer", "checked_data", "one_player"]

ADAM = OptimizerSpec(learning_rate=1e-3, betas=(0.9, 0.999))
"""Maximum likelihood needs no low momentum, unlike a game of two players."""


@dataclass
class OnePlayer:
    """What every recipe of `tabgan.images.generators` returns.

    Parameters
    ----------
    model : nn.Module
        The player; it has ``sample(n, generator) -> Tensor of shape (n, ...)``.
    phases : list of Phase
        As a rule one.
    task : Task
        Source of its batches.
    name : str, default="generator"
        The player's name.
    """

    model: Any
    phases: list[Phase[Any]]
    task: Task[Any]
    name: str = "generator"

    @property
    def players(self) -> dict[str, nn.Module]:
        """The only player by its name."""
        return {self.name: self.model}

    def train(
        self, n_steps: int, generator: torch.Generator, *, callbacks: Sequence[Callback] = (), read_every: int = 50
    ) -> Trainer[Any]:
        """Train for ``n_steps`` and return the trainer, which can go on, be saved and be resumed.

        Parameters
        ----------
        n_steps : int
            Updates.
        generator : torch.Generator
            CPU generator of the batches.
        callbacks : sequence of Callback, default=()
            Handed to `tabgan.core.trainer.Trainer`.
        read_every : int, default=50
            Steps between readings of the loss.
        """
        trainer = Trainer(
            self.players, self.phases, self.task, generator=generator, callbacks=callbacks, read_every=read_every
        )
        trainer.fit(n_steps)
        return trainer


def one_player(
    model: nn.Module,
    data: Tensor,
    loss: Callable[[Any, GenerationBatch], Tensor],
    *,
    prior: Callable[[int, torch.Generator], Tensor],
    batch_size: int,
    optimizer: OptimizerSpec = ADAM,
    schedule: Callable[[int], float] | None = None,
    name: str = "loss",
) -> OnePlayer:
    """One phase that minimises ``loss(model, batch)`` over batches of data and noise.

    Parameters
    ----------
    model : nn.Module
        What is trained.
    data : Tensor of shape (n, ...)
        All rows.
    loss : callable
        ``loss(model, batch) -> Tensor of shape ()``; its randomness comes in ``batch.noise``.
    prior : callable
        ``prior(n, generator) -> Tensor of shape (n, ...)``: that noise.
    batch_size : int
        Rows per step, drawn with replacement.
    optimizer : OptimizerSpec, default=ADAM
        Adam with learning rate 1e-3 and betas (0.9, 0.999).
    schedule : callable, default=None
        Factor on the learning rate by step.
    name : str, default="loss"
        The loss's name in the history.
    """
    if batch_size < 1:
        raise InvalidParameterError(f"batch_size={batch_size!r} must be at least 1.")

    def term(players: Players, batch: GenerationBatch) -> Tensor:
        return loss(players["generator"], batch)

    phase = Phase("generator", TermLoss([Term(name, term)]), optimizer, schedule=schedule)
    return OnePlayer(model, [phase], GenerationTask(data, prior, batch_size))


def checked_data(data: Tensor, *, low: float | None = None, high: float | None = None) -> Tensor:
    """Floating rows inside a range.

    Parameters
    ----------
    data : Tensor of shape (n, ...)
        At least one row.
    low, high : float, default=None
        Least and largest value allowed.

    Raises
    ------
    InvalidInputError
        No rows, one dimension only, whole numbers, non-finite values, or values outside the range.
    """
    if data.dim() < 2 or not len(data):
        raise InvalidInputError(f"data has shape {tuple(data.shape)}; pass rows or images, one at least.")
    if not data.is_floating_point():
        raise InvalidInputError(f"data has dtype {data.dtype}; pass floating-point numbers.")
    if not data.isfinite().all():
        raise InvalidInputError("data contains NaN or infinite values.")
    least, largest = data.min().item(), data.max().item()
    if (low is not None and least < low) or (high is not None and largest > high):
        raise InvalidInputError(f"data lies in [{least:g}, {largest:g}]; this generator takes [{low}, {high}].")
    return data
