"""Training the drawer on top of a point estimate, and the calibration of its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tabgan._runtime import make_generator
from tabgan.core.callbacks import Callback, NanGuard, WeightAverage
from tabgan.core.history import History
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase, Term, cosine_schedule
from tabgan.core.run import Run, run_callbacks
from tabgan.core.trainer import Trainer
from tabgan.imputation.pool import MaskedPool, PooledDrawTask
from tabgan.imputation.training import RemaskSettings
from tabgan.networks.draws import Drawer
from tabgan.networks.forests import ForestStep
from tabgan.networks.gain import CellDiscriminator
from tabgan.networks.tabular import BasedGenerator, Start, span_index
from tabgan.spans import Span, total_width

__all__ = ["Calibration", "draw_scores", "train_drawer"]


def train_drawer(
    point: BasedGenerator,
    pool: MaskedPool | None,
    spans: Sequence[Span],
    settings: RemaskSettings,
    run: Run,
) -> tuple[Drawer, History]:
    """Train draws of hidden cells: energy score, plus a hint-driven discriminator per cell.

    Parameters
    ----------
    point : BasedGenerator
        The trained point estimate, not changed.
    pool : MaskedPool or None
        The rows that the point estimate learnt from; without any, the copula's draws stand.
    spans, settings, run
        Layout, what, how.

    Returns
    -------
    drawer : Drawer
        Averaged weights, float64, on the CPU.
    history : History
    """
    # Pool and point estimate are given: the stored rows need be neither averaged nor copied in every step.
    neighbours, point.neighbours = point.neighbours, None
    module: Any = Drawer(point, width=settings.width, generator=run.generator).float().to(run.device)
    history = History()
    if pool is not None:
        _fit_centre(module, pool.to(run.device), run)
    if settings.draw_steps and pool is not None:
        task = PooledDrawTask(
            pool.to(run.device),
            module,
            span_index(spans).to(run.device),
            run.generator,
            batch_size=min(settings.batch_size, 128),
            hint_rate=settings.hint_rate,
        )
        loss = ADVERSARIAL_LOSSES["non-saturating"]
        weight = settings.adversarial_weight
        players: dict[str, nn.Module] = {"drawer": module}
        phases = []
        if weight:
            players["discriminator"] = CellDiscriminator(
                total_width(spans), len(spans), hidden=settings.width, generator=run.generator
            ).to(run.device)
            optimizer = OptimizerSpec("adam", 1e-3, (0.5, 0.99))
            phases.append(Phase("discriminator", DiscriminatorLoss(loss, task), optimizer, every=2))
        phases.append(
            Phase(
                "drawer",
                GeneratorLoss(loss, task, weight=weight, terms=[Term("energy", task.energy)]),
                OptimizerSpec("adam", 1e-3, (0.9, 0.99)),
                schedule=cosine_schedule(settings.draw_steps),
                max_grad_norm=1.0,
            )
        )
        average = WeightAverage(module, "drawer", 0.99)
        callbacks: list[Callback] = [average, NanGuard(), *run_callbacks(run, "GAINImputer (draws)")]
        trainer = Trainer(players, phases, task, generator=run.generator, callbacks=callbacks)
        history = trainer.fit(settings.draw_steps)
        module = average.module
    module.point.neighbours = neighbours
    return module.cpu().double().eval(), history


def _fit_centre(module: Drawer, pool: MaskedPool, run: Run) -> None:
    """Where draws begin, from at most 4,000 of the pool's rows."""
    rows = torch.randperm(len(pool.values), generator=run.generator)[:4000].to(pool.values.device)
    values, shown = pool.values[rows], pool.shown[rows]
    base, column = module.point.base, module.point.heads.column
    within = torch.rand(len(rows), len(base.numeric_slots), generator=run.generator).to(values)
    context = module.context(values, shown, Start(*(part[rows] for part in pool.started)))
    hidden = (pool.observed[rows] - shown)[:, column]
    module.fit_centre(context, base.scored(values, within), hidden, module.noise(shown, 1, run.generator)[0])


@torch.no_grad()
def draw_scores(
    drawer: Drawer,
    values: Tensor,
    shown: Tensor,
    n_draws: int,
    generator: torch.Generator,
    forests: ForestStep | None = None,
) -> Tensor:
    """Draws in normal scores and one-hot blocks, of shape (n_draws, n, width).

    Levels are drawn from the probabilities that ``forests`` leave. Numbers are not moved: at ties a small step of a point estimate is
    a large one in scores, which made draws worse on tables with zeros (measured on ecoli and pima).
    """
    means, raw, scored_point = drawer.context(values, shown)
    heads = drawer.point.heads
    if forests is not None and heads.any_categorical:
        hidden = shown[:, heads.column] <= 0
        moved = forests(torch.where(hidden, heads.values(raw), values), shown)
        raw = torch.where(heads.is_categorical & hidden, moved.clamp_min(1e-6).log(), raw)
    context = means, raw, scored_point
    noise = drawer.noise(shown, n_draws, generator)
    return torch.stack([drawer(context, shown, noise[k]) for k in range(n_draws)])


@dataclass(frozen=True)
class Calibration:
    """How far truths lie from their draws' mean, in the draws' standard deviations, per column.

    Parameters
    ----------
    residuals : tuple of tuple of float
        Sorted ``|score of the truth - mean of draws| / standard deviation of draws`` on held-out cells, per encoded column; empty
        for categorical columns.

    Notes
    -----
    Split-conformal intervals with a local scale: ``mean +- q * sd`` with q the ``ceil((n + 1) * coverage)``-th smallest residual,
    formed in normal scores and decoded, so that they follow a column's tails and bounds.

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018, "Distribution-Free Predictive Inference for Regression", section 5.2.
    """

    residuals: tuple[tuple[float, ...], ...]

    N_DRAWS = 40
    FEW = 30
    MOST = 1000

    @classmethod
    @torch.no_grad()
    def measure(
        cls, drawer: Drawer, values: Tensor, training: Tensor, validation: Tensor, spans: Sequence[Span], seed: int
    ) -> Calibration:
        """Residuals of at most 2,000 rows with held-out cells."""
        generator = make_generator(seed)
        rows = validation.sum(1).nonzero()[:, 0]
        rows = rows[torch.randperm(len(rows), generator=generator)[:2000]]
        if not len(rows):
            return cls(tuple(() for _ in spans))
        values, training, validation = values[rows].double(), training[rows].double(), validation[rows]
        draws = draw_scores(drawer, values, training, cls.N_DRAWS, generator)
        mean, spread = draws.mean(0), draws.std(0).clamp_min(1e-6)
        distance = ((drawer.point.base.scored(values) - mean) / spread).abs().numpy()
        residuals = []
        for j, span in enumerate(spans):
            cells = validation[:, j].numpy() > 0
            found = np.sort(distance[cells, span.start]) if span.kind == "numeric" else np.empty(0)
            residuals.append(tuple(float(r) for r in found[:: max(len(found) // cls.MOST, 1)]))
        return cls(tuple(residuals))

    def factor(self, j: int, coverage: float) -> float:
        """Half-width of column ``j``'s interval in standard deviations of its draws."""
        own = np.asarray(self.residuals[j])
        if len(own) < self.FEW:  # too few to say: borrow from all columns
            own = np.sort(np.concatenate([np.asarray(r) for r in self.residuals]) if self.residuals else own)
        if not len(own):
            return float(torch.special.ndtri(torch.tensor(0.5 + coverage / 2)))
        rank = int(np.ceil((len(own) + 1) * coverage))
        return float(own[min(rank, len(own)) - 1])
