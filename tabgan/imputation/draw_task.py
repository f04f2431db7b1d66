"""The task of learning to draw: an energy score for the truth, and a discriminator for what the score does not see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Case, Players, Shared
from tabgan.core.energy import energy_score
from tabgan.imputation.masking import hint_rates

__all__ = ["DrawBatch", "DrawTask", "MaskedTruth"]


@dataclass(frozen=True)
class MaskedTruth:
    """Masked rows as draws are learnt from them, on the device.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows.
    observed, shown : Tensor of shape (n, n_columns)
        What training may look at, and what of that the drawer is shown.
    told : tuple of Tensor of shape (n, width)
        What all draws of a row share (`tabgan.imputation.stages.draws.Told`).
    deviations : Tensor of shape (2, n, width)
        Two of the copula's draws less its conditional means.
    """

    values: Tensor
    observed: Tensor
    shown: Tensor
    told: Any
    deviations: Tensor

    def take(self, rows: Tensor) -> MaskedTruth:
        """Some of the rows."""
        told = type(self.told)(*(part[rows] for part in self.told))
        return MaskedTruth(self.values[rows], self.observed[rows], self.shown[rows], told, self.deviations[:, rows])


@dataclass(frozen=True)
class DrawBatch:
    """Rows, a hint for the discriminator, and the draws once the drawer has made them.

    Parameters
    ----------
    rows : MaskedTruth
    hint, open_cells : Tensor of shape (n, n_columns)
        What the discriminator is told, and 1 where it has to judge.
    generator : torch.Generator
        Source of the noise, which follows when the drawer is at hand.
    drawn : Shared
        Draws, and the truth in scores.
    """

    rows: MaskedTruth
    hint: Tensor
    open_cells: Tensor
    generator: torch.Generator
    drawn: Shared[tuple[tuple[Tensor, ...], Tensor]] = field(default_factory=Shared)


class DrawTask:
    """Draw hidden cells of masked rows, and judge the draws.

    Parameters
    ----------
    rows : MaskedTruth
    scored : callable
        ``scored(values, generator) -> Tensor``: rows in normal scores. Tied values take a random place within their range of
        scores, so that neither the energy score nor the discriminator sees a grid in the data which draws, before they are decoded,
        do not have.
    column : LongTensor of shape (width,)
        The column of each slot.
    batch_size : int
        Rows per batch, drawn with replacement.
    hint_rate : float, default=0.9
        Share of cells about which the hint tells the discriminator the truth; it is judged on the others.

    Notes
    -----
    Players: ``drawer`` (`tabgan.imputation.stages.draws.Draws`) and ``discriminator``, which gets rows in normal scores and the hint.
    """

    def __init__(
        self,
        rows: MaskedTruth,
        scored: Callable[[Tensor, torch.Generator], Tensor],
        column: Tensor,
        *,
        batch_size: int,
        hint_rate: float = 0.9,
    ) -> None:
        self.rows = rows
        self.scored = scored
        self.column = column
        self.batch_size = batch_size
        self.hint_rate = hint_rate

    def batch(self, generator: torch.Generator) -> DrawBatch:
        """Draw rows, and make a hint. Deviations are symmetric about 0: every batch turns a row's two at random."""
        device, n = self.rows.values.device, len(self.rows.values)
        rows = self.rows.take(torch.randint(n, (self.batch_size,), generator=generator).to(device))
        hint, open_cells = hint_rates(rows.shown, generator, self.hint_rate)
        turned = torch.randint(0, 2, (2, len(rows.values), 1), generator=generator).to(rows.deviations) * 2 - 1
        rows = MaskedTruth(rows.values, rows.observed, rows.shown, rows.told, rows.deviations * turned)
        return DrawBatch(rows, hint, open_cells, generator)

    def energy(self, players: Players, batch: DrawBatch) -> Tensor:
        """Energy score of two draws on the cells hidden on purpose."""
        (first, second), truth = self._drawn(players, batch)
        hidden = (batch.rows.observed - batch.rows.shown)[:, self.column]
        return energy_score(first, second, truth, hidden)

    def discriminator_cases(self, players: Players, batch: DrawBatch) -> list[Case]:
        """One case: every open cell, with target "was it shown?"."""
        with torch.no_grad():
            completed = self._completed(players, batch)
        return [Case(players["discriminator"](completed, batch.hint), batch.rows.shown, batch.open_cells)]

    def generator_cases(self, players: Players, batch: DrawBatch) -> list[Case]:
        """Open cells that were drawn and ought to look shown."""
        drawn = batch.open_cells * (1 - batch.rows.shown)
        return [Case(players["discriminator"](self._completed(players, batch), batch.hint), 1.0, drawn)]

    def _completed(self, players: Players, batch: DrawBatch) -> Tensor:
        (first, *_), truth = self._drawn(players, batch)
        return torch.where(batch.rows.shown[:, self.column] > 0, truth, first)

    def _drawn(self, players: Players, batch: DrawBatch) -> tuple[tuple[Tensor, ...], Tensor]:
        """Draws and the truth in scores: two draws with gradients, or one without."""
        n_draws = 2 if torch.is_grad_enabled() else 1
        return batch.drawn.get(lambda: self._make(players, batch, n_draws))

    def _make(self, players: Players, batch: DrawBatch, n_draws: int) -> tuple[tuple[Tensor, ...], Tensor]:
        drawer: Any = players["drawer"]
        rows = batch.rows
        noise = drawer.noise(rows.deviations[:n_draws], batch.generator)
        # All draws in one pass: on networks this small the number of calls is what costs.
        told = type(rows.told)(*(part.repeat(n_draws, 1) for part in rows.told))
        draws = drawer(told, rows.shown.repeat(n_draws, 1), noise.flat(), relaxed=True).chunk(n_draws)
        return draws, self.scored(rows.values, batch.generator)
