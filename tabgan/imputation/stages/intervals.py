"""Intervals from draws, calibrated on held-out cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tabgan._runtime import make_generator
from tabgan.imputation.stages.draws import Drawer, draw_scores
from tabgan.spans import Span

__all__ = ["Calibration"]


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
