"""Tasks: which batches are drawn, and what the discriminator is asked about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from tabgan.core.cases import BatchT, Case, Players, Shared
from tabgan.core.phases import PenalizedTask
from tabgan.verdict import Verdict

__all__ = ["Fakes", "Generating", "GeneratingTask", "GenerationBatch", "GenerationTask", "Rows", "normal_prior"]


def normal_prior(d_noise: int) -> Callable[[int, torch.Generator], Tensor]:
    """Standard normal latent draws of width ``d_noise``."""
    return lambda n, generator: torch.randn(n, d_noise, generator=generator)


class Rows(Protocol):
    """What batches are drawn from: a tensor, or what gives tensors for numbers of rows."""

    @property
    def device(self) -> torch.device:
        """Where rows are given out."""
        ...

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, rows: Any) -> Tensor:
        """Those of the given numbers."""
        ...


@dataclass(frozen=True)
class Fakes:
    """Generated rows and what they were generated for.

    Parameters
    ----------
    rows : Tensor of shape (n, ...)
        What the generator made.
    condition : Tensor of shape (n, ...), default=None
        The condition it was given.
    classes : LongTensor of shape (n,), default=None
        The class it was asked for.
    """

    rows: Tensor
    condition: Tensor | None = None
    classes: Tensor | None = None


@dataclass(kw_only=True)
class GenerationBatch:
    """Rows of the data, and noise to make others from.

    Parameters
    ----------
    real : Tensor of shape (n, ...)
        Rows of the data.
    noise : Tensor of shape (n, ...)
        The latent draw of this step.
    condition : Tensor of shape (n, ...), default=None
        What both players see of the real rows.
    fake_condition : Tensor of shape (n, ...), default=None
        What both players see of the fakes.
    fakes : Fakes, default=None
        Fakes to judge in the place of new ones; see `GeneratingTask.showing`.
    made : Shared of Fakes
        The generator's forward pass.
    """

    real: Tensor
    noise: Tensor
    condition: Tensor | None = None
    fake_condition: Tensor | None = None
    fakes: Fakes | None = None
    made: Shared[Fakes] = field(default_factory=Shared)


class GeneratingTask(PenalizedTask[BatchT], Protocol[BatchT]):
    """A task whose generator makes whole rows, which others may take, keep, and give back to be judged."""

    def fakes(self, players: Players, batch: BatchT) -> Fakes:
        """The batch's fakes: those that were given to it, or else new ones."""
        ...

    def showing(self, batch: BatchT, *, real: Tensor | None = None, fakes: Fakes | None = None) -> BatchT:
        """The same batch with other real rows, or with fakes to judge; None leaves what is there."""
        ...

    def drawn(self, batch: BatchT) -> GenerationBatch:
        """What was drawn from the data: the batch itself, or the one inside what wrappers make of it."""
        ...


GenerationT = TypeVar("GenerationT", bound=GenerationBatch)


class Generating(Generic[GenerationT]):
    """Base of tasks that make rows from noise; subclasses draw the batches, and may change what is asked about them.

    The generator is called as ``generator(noise, condition)``, the discriminator as ``discriminator(x, condition)``.
    """

    paired = False
    """Whether both phases have cases of both kinds of rows, the kind that ought to win first, for losses that compare pairs; the
    discriminator's rows then require a gradient, for `tabgan.core.penalties.CasePenalty`."""

    def drawn(self, batch: GenerationT) -> GenerationT:
        """The batch itself."""
        return batch

    def showing(self, batch: GenerationT, *, real: Tensor | None = None, fakes: Fakes | None = None) -> GenerationT:
        """The same batch with other real rows, or with fakes to judge; None leaves what is there."""
        return dataclasses.replace(
            batch, real=batch.real if real is None else real, fakes=batch.fakes if fakes is None else fakes
        )

    def generate(self, players: Players, batch: GenerationT) -> Tensor:
        """Generated rows for the batch's noise, under the real rows' condition."""
        return players["generator"](batch.noise, batch.condition)

    def fakes(self, players: Players, batch: GenerationT) -> Fakes:
        """Generated rows with their condition; those that were given to the batch, if there are any."""
        return batch.fakes or batch.made.get(lambda: Fakes(self.generate(players, batch), batch.condition))

    def discriminator_cases(self, players: Players, batch: GenerationT) -> list[Case]:
        """Real rows with target 1 and generated rows with target 0, in two separate passes (batch norm wants that)."""
        with torch.no_grad():
            fakes = self.fakes(players, batch)
        judge = players["discriminator"]
        real, made = self._judged(batch.real), self._judged(fakes.rows)
        return [
            Case(judge(real, batch.condition), 1.0, data=real),
            Case(judge(made, fakes.condition), 0.0, data=made),
        ]

    def generator_cases(self, players: Players, batch: GenerationT) -> Sequence[Case]:
        """Generated rows that ought to pass for real."""
        fakes = self.fakes(players, batch)
        verdict = players["discriminator"](fakes.rows, fakes.condition)
        cases = [Case(verdict, 1.0, classes=fakes.classes, data=fakes.rows)]
        if self.paired:
            with torch.no_grad():
                cases.append(Case(players["discriminator"](batch.real, batch.condition), 0.0, data=batch.real))
        return cases

    def penalty_inputs(
        self, players: Players, batch: GenerationT
    ) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The discriminator with the real rows' condition bound, and both kinds of rows under it.

        Without a condition, generated rows are those that the discriminator has just judged: the same noise would give them again.
        """
        with torch.no_grad():
            fake = self.fakes(players, batch).rows if batch.condition is None else self.generate(players, batch)
        return lambda x: players["discriminator"](x, batch.condition), batch.real, fake

    def _judged(self, rows: Tensor) -> Tensor:
        return rows.detach().requires_grad_() if self.paired else rows


class GenerationTask(Generating[GenerationBatch]):
    """The plain two-player task: make rows like the data from noise, under a condition or without one.

    Parameters
    ----------
    data : Tensor of shape (n, ...), or other Rows
        All rows.
    prior : callable
        ``prior(n, generator) -> Tensor``, the latent draw.
    batch_size : int
        Rows per batch, drawn with replacement.
    condition : Tensor of shape (n, ...), or other Rows, default=None
        Seen by both players, row by row; fakes are made under the conditions of the batch's real rows.
    paired : bool, default=False
        See `Generating.paired`.
    """

    def __init__(
        self,
        data: Rows,
        prior: Callable[[int, torch.Generator], Tensor],
        batch_size: int,
        condition: Rows | None = None,
        *,
        paired: bool = False,
    ) -> None:
        self.paired = paired
        self.data = data
        self.prior = prior
        self.batch_size = batch_size
        self.condition = condition

    def batch(self, generator: torch.Generator) -> GenerationBatch:
        """Draw rows and noise."""
        rows = torch.randint(len(self.data), (self.batch_size,), generator=generator).to(self.data.device)
        noise = self.prior(self.batch_size, generator).to(self.data.device)
        condition = None if self.condition is None else self.condition[rows]
        return GenerationBatch(real=self.data[rows], noise=noise, condition=condition, fake_condition=condition)
