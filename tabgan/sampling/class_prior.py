"""Latent draws that depend on the class asked for: class Gaussians of an autoencoder's codes, or draws near real rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Players
from tabgan.core.conditional import ConditionalTask
from tabgan.core.energy import energy_score
from tabgan.verdict import Verdict

__all__ = ["ClassPriorTask"]


class ClassPriorTask(ConditionalTask):
    """Conditional generation whose latent draw comes from the class asked for.

    Parameters
    ----------
    data, classes, batch_size, **settings
        See `tabgan.core.conditional.ConditionalTask`.
    class_prior : callable
        ``class_prior(rows, generator) -> noise``: latent draws for real rows of the classes asked for.
    neighbours : callable, default=None
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
        neighbours: Callable[[Tensor, torch.Generator], Tensor] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(data, classes, lambda n, generator: torch.zeros(n, 0), batch_size, **settings)
        self.class_prior = class_prior
        self.neighbours = neighbours

    def batch(self, generator: torch.Generator) -> Batch:
        """Real rows, and latent draws for fakes."""
        batch = super().batch(generator)
        rows = self.index.rows_of(batch.extras["fake_classes"].cpu(), generator)
        extras = batch.extras | {"fake_rows": rows, "generator": generator}
        if self.condition is not None:
            extras["fake_condition"] = self.condition[rows.to(self.data.device)]
        return replace(batch, noise=self.class_prior(rows, generator), extras=extras)

    def penalty_inputs(self, players: Players, batch: Batch) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The discriminator with the fakes' condition bound, real rows of the fakes' classes, and the fakes."""
        with torch.no_grad():
            fakes = self.fakes(players, batch)
        real = self.data[batch.extras["fake_rows"].to(self.data.device)]
        return lambda x: players["discriminator"](x, fakes.condition), real, fakes.rows

    def energy(self, players: Players, batch: Batch) -> Tensor:
        """Energy score of two draws per row against a real row near it (Gneiting and Raftery 2007, eq. 22)."""
        assert self.neighbours is not None
        generator, rows = batch.extras["generator"], batch.extras["fake_rows"]
        first = self.fakes(players, batch)
        second = players["generator"](self.class_prior(rows, generator), first.condition)
        truth = self.data[self.neighbours(rows, generator).to(self.data.device)]
        return energy_score(first.rows, second, truth, torch.ones_like(truth))
