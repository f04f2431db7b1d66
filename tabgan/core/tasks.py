"""Tasks: which batches are drawn, and what the discriminator is asked about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Case, Players
from tabgan.verdict import Verdict

__all__ = ["Fakes", "GenerationTask", "normal_prior"]


def normal_prior(d_noise: int) -> Callable[[int, torch.Generator], Tensor]:
    """Standard normal latent draws of width ``d_noise``."""
    return lambda n, generator: torch.randn(n, d_noise, generator=generator)


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


class GenerationTask:
    """The plain two-player task: make rows like the data from noise, under a condition or without one.

    Parameters
    ----------
    data : Tensor of shape (n, ...)
        All rows, resident on the device.
    prior : callable
        ``prior(n, generator) -> Tensor``, the latent draw.
    batch_size : int
        Rows per batch, drawn with replacement.
    condition : Tensor of shape (n, ...), default=None
        Seen by both players, row by row.

    Notes
    -----
    The generator is called as ``generator(noise, condition)``, the discriminator as ``discriminator(x, condition)``. Fakes
    that wait in ``batch.extras["fakes"]`` are judged instead of new ones: replay pools and unrolling put them there.
    """

    def __init__(
        self,
        data: Tensor,
        prior: Callable[[int, torch.Generator], Tensor],
        batch_size: int,
        condition: Tensor | None = None,
    ) -> None:
        self.data = data
        self.prior = prior
        self.batch_size = batch_size
        self.condition = condition

    def batch(self, generator: torch.Generator) -> Batch:
        """Draw rows and noise."""
        rows = torch.randint(len(self.data), (self.batch_size,), generator=generator).to(self.data.device)
        noise = self.prior(self.batch_size, generator).to(self.data.device)
        condition = None if self.condition is None else self.condition[rows]
        return Batch(real=self.data[rows], noise=noise, condition=condition)

    def generate(self, players: Players, batch: Batch) -> Tensor:
        """Generated rows for the batch's noise and condition."""
        return players["generator"](batch.noise, batch.condition)

    def fakes(self, players: Players, batch: Batch) -> Fakes:
        """Generated rows with their condition; those that wait in the batch, if there are any."""
        if "fakes" in batch.extras:
            return batch.extras["fakes"]
        return Fakes(self.generate(players, batch), batch.condition)

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Real rows with target 1 and generated rows with target 0, in two separate passes (batch norm wants that)."""
        with torch.no_grad():
            fakes = self.fakes(players, batch)
        judge = players["discriminator"]
        return [
            Case(judge(batch.real, batch.condition), 1.0, data=batch.real),
            Case(judge(fakes.rows, fakes.condition), 0.0, data=fakes.rows),
        ]

    def generator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Generated rows that ought to pass for real."""
        fakes = self.fakes(players, batch)
        verdict = players["discriminator"](fakes.rows, fakes.condition)
        return [Case(verdict, 1.0, classes=fakes.classes, data=fakes.rows)]

    def penalty_inputs(self, players: Players, batch: Batch) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The discriminator with the condition bound, and both kinds of rows."""
        with torch.no_grad():
            fake = self.generate(players, batch)
        assert batch.real is not None
        return lambda x: players["discriminator"](x, batch.condition), batch.real, fake
