"""Rows with cells hidden on purpose and what the untrained generator says of them, made once and learnt from many times."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Players
from tabgan.core.drawing import DrawTask
from tabgan.core.masked import hide_cells, hint_rates, reconstruction_loss
from tabgan.imputation.retrieval import fit_blend
from tabgan.networks.draws import Drawer
from tabgan.networks.tabular import BasedGenerator, Start

__all__ = ["MaskedPool", "PoolTask", "PooledDrawTask"]

MOST_ROWS = 16_384
MOST_ASKED = 25_000
"""Cells for which neighbours are looked up; on a wide table this limits the rows."""


@dataclass(frozen=True)
class MaskedPool:
    """Masked training rows: closed form and neighbours are looked up once, not in every step.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows.
    observed, shown : Tensor of shape (n, n_columns)
        What training may look at, and what of that the generator is shown.
    started : Start
        The generator's start.
    """

    values: Tensor
    observed: Tensor
    shown: Tensor
    started: Start

    @classmethod
    @torch.no_grad()
    def draw(
        cls, module: BasedGenerator, values: Tensor, observed: Tensor, generator: torch.Generator, **mask_settings: Any
    ) -> MaskedPool:
        """Mask rows, every row equally often; also weighs the generator's neighbours by these cells, where it has any."""
        n, n_columns = observed.shape
        size = MOST_ROWS
        if module.neighbours is not None:
            size = min(max(int(3 * MOST_ASKED / n_columns), 1024), MOST_ROWS // 2)
        rows = torch.cat([torch.randperm(n, generator=generator) for _ in range(-(-size // n))])[:size]
        shown = hide_cells(observed[rows], generator, **mask_settings)
        values, observed = values[rows], observed[rows]
        column = module.heads.column
        blended, linear, rank = module.base(values, shown[:, column])
        step = torch.zeros_like(blended)
        if module.neighbours is not None:
            answers = module.neighbours.answers(blended, rank, shown, rows)
            fit_blend(module.neighbours, answers, values - blended, (observed - shown)[:, column])
            step = torch.einsum("nwk,kw->nw", answers, module.neighbours.blend)
        return cls(values, observed, shown, Start(blended + step, linear, rank, step))

    def to(self, device: torch.device) -> MaskedPool:
        """The same on a device."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        started = Start(*(part.to(device) for part in parts.pop("started")))
        return MaskedPool(**{name: part.to(device) for name, part in parts.items()}, started=started)


class PoolTask:
    """Learn to fill from a pool of masked rows; ensemble members share a batch, a part each.

    Parameters
    ----------
    pool : MaskedPool
    module : BasedGenerator
        Its encoding makes the features.
    batch_size : int
        Rows per step over all members, drawn with replacement.
    """

    def __init__(self, pool: MaskedPool, module: BasedGenerator, batch_size: int) -> None:
        self.pool = pool
        self.features = module.features(pool.started, pool.shown)
        self.hidden = pool.observed - pool.shown
        self.batch_size = max(batch_size // module.n_members, 1) * module.n_members

    def batch(self, generator: torch.Generator) -> Batch:
        """Draw masked rows: ``real`` the truth, ``condition`` features, ``target`` the start, ``weight`` hidden cells."""
        rows = torch.randint(len(self.features), (self.batch_size,), generator=generator).to(self.features.device)
        return Batch(
            real=self.pool.values[rows],
            condition=self.features[rows],
            target=self.pool.started.completed[rows],
            weight=self.hidden[rows],
        )

    def reconstruction(self, players: Players, batch: Batch) -> Tensor:
        """Squared error and cross-entropy on the cells hidden on purpose."""
        module: Any = players["generator"]
        heads = module.heads
        raw = heads.log_probabilities(module.corrected(batch.condition, batch.target, parted=True)).flatten(0, 1)
        assert batch.real is not None
        assert batch.weight is not None
        return reconstruction_loss(raw, batch.real, batch.weight, heads.column, heads.is_categorical)


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
        drawer: Drawer,
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
