"""Intervals from draws, calibrated on held-out cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tabgan.imputation.learning import Learning
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.draws import Draws
from tabgan.imputation.stages.stage import FittedStage, NoSettings, Rows, Stage, Trail
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["STAGE", "Intervals"]

N_DRAWS = 40
_DRAWN_AT_ONCE = 4e6
MOST_CELLS = 2000
"""Held-out cells that are drawn for."""
_CELLS_IN_HASTE = 200
FEW = 30
"""Residuals of a column that are too few to speak for it."""
MOST = 1000
"""Residuals that are kept per column, about."""


@dataclass(frozen=True)
class Intervals(FittedStage):
    """How far truths lie from their draws' mean, in the draws' standard deviations, per column.

    Parameters
    ----------
    spans : tuple of Span
        Layout of the slots.
    residuals : tuple of tuple of float
        Sorted ``|score of the truth - mean of draws| / standard deviation of draws`` on held-out cells, per encoded column; of a
        tied value the nearest of its scores counts. Empty for categorical columns.

    Notes
    -----
    Split-conformal intervals with a local scale: ``mean +- q * sd`` with q the ``ceil((n + 1) * coverage)``-th smallest residual,
    formed in normal scores and decoded, so that they follow a column's tails and bounds. Each held-out cell is hidden alone: with
    the others of its row it would be harder to guess than a missing cell is, and intervals too wide.

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018, "Distribution-Free Predictive Inference for Regression", section 5.2.
    """

    spans: tuple[Span, ...]
    residuals: tuple[tuple[float, ...], ...]

    def factor(self, j: int, coverage: float) -> float:
        """Half-width of column ``j``'s interval in standard deviations of its draws."""
        own = np.asarray(self.residuals[j])
        if len(own) < FEW:  # too few to say: borrow from all columns
            own = np.sort(np.concatenate([np.asarray(r) for r in self.residuals]) if self.residuals else own)
        if not len(own):
            return float(torch.special.ndtri(torch.tensor(0.5 + coverage / 2)))
        rank = int(np.ceil((len(own) + 1) * coverage))
        return float(own[min(rank, len(own)) - 1])

    @torch.no_grad()
    def intervals(self, trail: Trail, coverages: Sequence[float], noise: RowNoise) -> list[tuple[Tensor, Tensor]]:
        """Lower and upper ends per coverage, of shape (n, width) each; numeric slots count."""
        factors = torch.zeros(len(coverages), total_width(self.spans), dtype=torch.float64)
        for j, span in enumerate(self.spans):
            if span.kind == "numeric":
                factors[:, span.start] = torch.tensor([self.factor(j, coverage) for coverage in coverages])
        closed_form, (mean, spread) = trail.stage(ClosedForm), _centre_and_spread(trail, noise)
        ends = []
        for factor in factors:
            low, high = (closed_form.unscored(mean + sign * factor * spread) for sign in (-1, 1))
            # Slots are single precision: without a hair's breadth an end that falls on a tied value would miss it.
            ends.append((low - 1e-6 * (1 + low.abs()), high + 1e-6 * (1 + high.abs())))
        return ends

    def state(self) -> dict[str, Any]:
        """The residuals."""
        return {"residuals": self.residuals}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        return cls(tuple(spans), state["residuals"])


@torch.no_grad()
def fit(learning: Learning) -> Intervals:
    """Residuals on held-out cells, of a part of their rows."""
    spans = learning.spans
    if not len(learning.judged.rows):
        return Intervals(spans, tuple(() for _ in spans))
    rows, asked = _each_alone(learning, _CELLS_IN_HASTE if learning.run.time_is_up else MOST_CELLS)
    if not len(rows):  # a table of labels alone has no number to hide
        return Intervals(spans, tuple(() for _ in spans))
    trail = Trail(rows, learning.stages)
    assert rows.numbers is not None
    mean, spread = _centre_and_spread(trail, RowNoise(rows.numbers.numpy().astype(np.uint64), learning.seed, 1))
    # An interval holds a tied value wherever it reaches into the range of its scores.
    ends = torch.tensor([0.0, 1.0]).to(rows.values).reshape(2, 1, 1)
    lowest, highest = (trail.stage(ClosedForm).scored(rows.values, end) for end in ends)
    distance = (torch.maximum(lowest - mean, mean - highest).clamp_min(0) / spread.clamp_min(1e-6)).numpy()
    residuals = []
    for j, span in enumerate(spans):
        found = np.sort(distance[(asked == j).numpy(), span.start])
        residuals.append(tuple(float(r) for r in found[:: max(len(found) // MOST, 1)]))
    return Intervals(spans, tuple(residuals))


def _each_alone(learning: Learning, most: int) -> tuple[Rows, Tensor]:
    """A row for each of so many held-out numbers, which alone is hidden beside the row's own gaps; and the column it is of."""
    judged, cells = learning.judged.rows, learning.judged_cells
    numeric = torch.tensor([span.kind == "numeric" for span in learning.spans])
    held_out, column = (cells * numeric > 0).nonzero(as_tuple=True)
    chosen = torch.randperm(len(held_out), generator=learning.generator("held-out numbers"))[:most]
    held_out, column = held_out[chosen], column[chosen]
    rows = judged.take(held_out)
    visible = rows.visible + cells[held_out].to(rows.visible)
    visible[torch.arange(len(column)), column] = 0
    return replace(rows, visible=visible), column


def _centre_and_spread(trail: Trail, noise: RowNoise) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of draws in normal scores, of some rows at a time: draws are many numbers."""
    width = trail.rows.values.shape[1]
    parts = []
    for some in torch.arange(len(trail.rows)).split(max(int(_DRAWN_AT_ONCE / (N_DRAWS * width)), 16)):
        part = trail.take(some)
        draws = part.stage(Draws).scores(part, RowNoise(noise.keys[some.numpy()], noise.seed, N_DRAWS))
        parts.append((draws.mean(0), draws.std(0)))
    mean, spread = zip(*parts, strict=True)
    return torch.cat(mean), torch.cat(spread)


STAGE = Stage("intervals", NoSettings, fit, Intervals.from_state, waits=False)
