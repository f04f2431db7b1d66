"""Latent draws that depend on the class asked for: class Gaussians of an autoencoder's codes, or draws near real rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Case, Players
from tabgan.core.conditional import ConditionalBatch, ConditionalTask
from tabgan.core.energy import energy_score
from tabgan.core.tasks import Fakes
from tabgan.verdict import Verdict

__all__ = ["ClassPriorBatch", "ClassPriorTask"]


@dataclass
class ClassPriorBatch:
    """Rows and what the fakes are asked for, and the real rows that their latent draws were made for.

    Parameters
    ----------
    inner : ConditionalBatch
        Real rows, and noise and conditions of the fakes.
    fake_rows : LongTensor of shape (n,)
        A real row of each fake's class.
    generator : torch.Generator
        Of further draws for these rows.
    """

    inner: ConditionalBatch
    fake_rows: Tensor
    generator: torch.Generator


class ClassPriorTask:
    """Conditional generation whose latent draw comes from the class asked for.

    Parameters
    ----------
    data, classes, batch_size, **settings
        See `tabgan.core.conditional.ConditionalTask`, which is inside.
    class_prior : callable
        ``class_prior(rows, generator) -> noise``: latent draws for real rows of the classes asked for.
    neighbours : callable
        ``neighbours(rows, generator) -> rows``: real rows that a draw for the given ones might have been; for `energy`.

    Notes
    -----
    As BAGAN has it (Mariani et al. 2018, section 3.2): what a class looks like is in its latent distribution. Departure: the
    distribution may be conditional on a row of the class.
    """

    def __init__(
        self,
        data: Tensor,
        classes: Tensor,
        class_prior: Callable[[Tensor, torch.Generator], Tensor],
        batch_size: int,
        *,
        neighbours: Callable[[Tensor, torch.Generator], Tensor],
        **settings: Any,
    ) -> None:
        self.inner = ConditionalTask(data, classes, lambda n, generator: torch.zeros(n, 0), batch_size, **settings)
        self.class_prior = class_prior
        self.neighbours = neighbours

    def batch(self, generator: torch.Generator) -> ClassPriorBatch:
        """Real rows, and latent draws for fakes."""
        task = self.inner
        batch = task.batch(generator)
        rows = task.index.rows_of(batch.fake_classes.cpu(), generator)
        condition = task.condition[rows.to(task.data.device)]
        batch = replace(batch, noise=self.class_prior(rows, generator), fake_condition=condition)
        return ClassPriorBatch(batch, rows, generator)

    def fakes(self, players: Players, batch: ClassPriorBatch) -> Fakes:
        """Generated rows with the conditions and classes asked for, shared by the terms of one step."""
        return self.inner.fakes(players, batch.inner)

    def discriminator_cases(self, players: Players, batch: ClassPriorBatch) -> Sequence[Case]:
        """Real rows, generated rows and, if asked for, real rows under a wrong condition."""
        return self.inner.discriminator_cases(players, batch.inner)

    def generator_cases(self, players: Players, batch: ClassPriorBatch) -> Sequence[Case]:
        """Generated rows that ought to pass for real rows of their class."""
        return self.inner.generator_cases(players, batch.inner)

    def penalty_inputs(
        self, players: Players, batch: ClassPriorBatch
    ) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The discriminator with the fakes' condition bound, real rows of the fakes' classes, and the fakes."""
        with torch.no_grad():
            fakes = self.fakes(players, batch)
        return lambda x: players["discriminator"](x, fakes.condition), self._rows(batch.fake_rows), fakes.rows

    def energy(self, players: Players, batch: ClassPriorBatch) -> Tensor:
        """Energy score of two draws per row against a real row near it (Gneiting and Raftery 2007, eq. 22)."""
        generator, rows = batch.generator, batch.fake_rows
        first = self.fakes(players, batch)
        second = players["generator"](self.class_prior(rows, generator), first.condition)
        truth = self._rows(self.neighbours(rows, generator))
        return energy_score(first.rows, second, truth, torch.ones_like(truth))

    def _rows(self, rows: Tensor) -> Tensor:
        return self.inner.data[rows.to(self.inner.data.device)]
