"""Rows with cells hidden on purpose and what the untrained generator says of them, made once and learnt from many times."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Players
from tabgan.imputation.masking import hide_cells, reconstruction_loss
from tabgan.imputation.stages.neighbours import fit_blend
from tabgan.imputation.stages.stage import Start

__all__ = ["MaskedPool", "PoolTask"]

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
        cls, module: Any, values: Tensor, observed: Tensor, generator: torch.Generator, **mask_settings: Any
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

    def __init__(self, pool: MaskedPool, module: Any, batch_size: int) -> None:
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
