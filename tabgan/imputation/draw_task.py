"""The task of learning to draw: an energy score for the truth, and a discriminator for what the score does not see."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Case, Players
from tabgan.core.energy import energy_score
from tabgan.imputation.masked_rows import MaskedPool
from tabgan.imputation.masking import hide_cells, hint_rates

__all__ = ["DrawTask", "PooledDrawTask"]


class DrawTask:
    """Hide cells on purpose, draw them twice, and judge the draws.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows.
    visible : Tensor of shape (n, n_columns)
        1 where training may look.
    column : LongTensor of shape (width,)
        The column of each slot.
    batch_size : int
        Rows per batch, drawn with replacement.
    hint_rate : float, default=0.9
        Share of cells about which the hint tells the discriminator the truth; it is judged on the others.
    mask_settings
        See `tabgan.imputation.masking.hide_cells`.

    Notes
    -----
    Players: ``drawer`` (`tabgan.imputation.stages.draws.Drawer`) and ``discriminator``, which gets rows in normal scores and the
    hint. Tied values take a random place within their range of scores, so that neither the score nor the discriminator sees a grid
    in the data which draws, before they are decoded, do not have.
    """

    def __init__(
        self,
        values: Tensor,
        visible: Tensor,
        column: Tensor,
        *,
        batch_size: int,
        hint_rate: float = 0.9,
        **mask_settings: Any,
    ) -> None:
        self.values = values
        self.visible = visible
        self.column = column
        self.batch_size = batch_size
        self.hint_rate = hint_rate
        self.mask_settings = mask_settings

    def batch(self, generator: torch.Generator) -> Batch:
        """Draw rows, hide cells, and make a hint; the noise follows when the drawer is at hand."""
        rows = torch.randint(len(self.values), (self.batch_size,), generator=generator).to(self.values.device)
        observed = self.visible[rows]
        shown = hide_cells(observed, generator, **self.mask_settings)
        hint, open_cells = hint_rates(shown, generator, self.hint_rate)
        return Batch(
            real=self.values[rows],
            condition=hint,
            target=shown,
            weight=open_cells,
            extras={"observed": observed, "generator": generator},
        )

    def energy(self, players: Players, batch: Batch) -> Tensor:
        """Energy score of two draws on the cells hidden on purpose."""
        (first, second), truth = self._drawn(players, batch)
        assert batch.target is not None
        hidden = (batch.extras["observed"] - batch.target)[:, self.column]
        return energy_score(first, second, truth, hidden)

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """One case: every open cell, with target "was it shown?"."""
        with torch.no_grad():
            completed = self._completed(players, batch)
        assert batch.target is not None
        return [Case(players["discriminator"](completed, batch.condition), batch.target, batch.weight)]

    def generator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Open cells that were drawn and ought to look shown."""
        assert batch.target is not None
        assert batch.weight is not None
        drawn = batch.weight * (1 - batch.target)
        return [Case(players["discriminator"](self._completed(players, batch), batch.condition), 1.0, drawn)]

    def _completed(self, players: Players, batch: Batch) -> Tensor:
        (first, *_), truth = self._drawn(players, batch)
        assert batch.target is not None
        return torch.where(batch.target[:, self.column] > 0, truth, first)

    def _drawn(self, players: Players, batch: Batch) -> tuple[tuple[Tensor, ...], Tensor]:
        """Draws and the truth in scores, kept in the batch, whose terms share them: two with gradients, one without."""
        key, n_draws = ("drawn", 2) if torch.is_grad_enabled() else ("drawn without gradient", 1)
        if key not in batch.extras:
            drawer: Any = players["drawer"]
            generator, values, shown = batch.extras["generator"], batch.real, batch.target
            assert values is not None
            assert shown is not None
            context = batch.extras.get("context") or drawer.context(values, shown)
            # All draws in one pass: on networks this small the number of calls is what costs.
            repeated = [part.repeat(n_draws, 1) for part in context]
            known = batch.extras.get("deviations")
            noise = drawer.noise(shown, n_draws, generator, None if known is None else known[:n_draws])
            draws = drawer(tuple(repeated), shown.repeat(n_draws, 1), noise.flat(), relaxed=True).chunk(n_draws)
            base = drawer.point.base
            within = torch.rand(len(values), len(base.numeric_slots), generator=generator).to(values)
            batch.extras[key] = (draws, base.scored(values, within))
        return batch.extras[key]


class PooledDrawTask(DrawTask):
    """`DrawTask` over a pool, for which the point estimate and two of the copula's draws are computed once.

    Parameters
    ----------
    pool : MaskedPool
    drawer : Drawer
        Supplies the point estimates.
    column : LongTensor of shape (width,)
        The column of each slot.
    generator : torch.Generator
        Source of the copula's draws. Deviations are symmetric about 0, so that every batch turns a row's two at random.
    batch_size, hint_rate
        See `DrawTask`.
    """

    def __init__(
        self,
        pool: MaskedPool,
        drawer: Any,
        column: Tensor,
        generator: torch.Generator,
        *,
        batch_size: int,
        hint_rate: float,
    ) -> None:
        super().__init__(pool.values, pool.observed, column, batch_size=batch_size, hint_rate=hint_rate)
        self.pool = pool
        self.context = drawer.context(pool.values, pool.shown, pool.started)
        self.deviations = drawer.deviations(pool.shown, 2, generator)

    def batch(self, generator: torch.Generator) -> Batch:
        """Draw masked rows, and make a hint."""
        rows = torch.randint(len(self.values), (self.batch_size,), generator=generator).to(self.values.device)
        shown = self.pool.shown[rows]
        hint, open_cells = hint_rates(shown, generator, self.hint_rate)
        turned = torch.randint(0, 2, (2, len(rows), 1), generator=generator).to(self.deviations) * 2 - 1
        return Batch(
            real=self.values[rows],
            condition=hint,
            target=shown,
            weight=open_cells,
            extras={
                "observed": self.visible[rows],
                "generator": generator,
                "context": tuple(part[rows] for part in self.context),
                "deviations": self.deviations[:, rows] * turned,
            },
        )
