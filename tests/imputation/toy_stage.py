"""A stage and two candidates that the library does not have: all there is to write, each worth an entry in a tuple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tabgan.imputation.learning import Learning
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages.stage import Candidate, Completion, FittedStage, Rows, Seen, Stage, Trail
from tabgan.spans import Span

__all__ = ["FROM_GAPS", "FROM_PREDICTION", "STAGE", "Nearest"]


@dataclass(frozen=True)
class NearestSettings:
    """Of the toy stage."""

    most_values: int = 500


class Nearest(FittedStage):
    """Moves every filled and every drawn number to the nearest one that was observed."""

    def __init__(self, spans: Sequence[Span], values: Mapping[int, Tensor]) -> None:
        self.spans = tuple(spans)
        self.values = dict(values)

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """Hidden numbers, moved."""
        assert before is not None
        return replace(before, completed=self._moved(before.completed, rows.visible))

    def draw(self, trail: Trail, drawn: Tensor | None, noise: RowNoise) -> Tensor | None:
        """Drawn numbers, moved."""
        return None if drawn is None else torch.stack([self._moved(one, trail.rows.visible) for one in drawn])

    def refit(self, learning: Learning) -> Nearest:
        """With what was held out."""
        return fit(learning)

    def state(self) -> dict[str, Any]:
        """The numbers."""
        return {"values": self.values}

    def _moved(self, filled: Tensor, visible: Tensor) -> Tensor:
        moved = filled.clone()
        for j, known in self.values.items():
            asking, slot = visible[:, j] <= 0, self.spans[j].start
            nearest = (filled[asking, slot, None] - known.to(filled)).abs().argmin(1)
            moved[asking, slot] = known.to(filled)[nearest]
        return moved


def fit(learning: Learning) -> Nearest:
    """Note the observed numbers."""
    most, spans = learning.settings(NearestSettings).most_values, learning.spans
    known = {
        j: learning.values[learning.visible[:, j] > 0, span.start].unique()[:most]
        for j, span in enumerate(spans)
        if span.kind == "numeric"
    }
    return Nearest(spans, known)


STAGE = Stage("nearest", NearestSettings, fit, lambda state, spans, given: Nearest(spans, state["values"]))


@dataclass(frozen=True)
class NoSettings:
    """The toy candidates have none."""


@dataclass(frozen=True)
class LinearInGaps:
    """A least-squares fit to which cells of the row are missing."""

    coefficients: Tensor

    def __call__(self, seen: Seen) -> Tensor:
        """Of shape (n, width of the column)."""
        return _gaps(seen) @ self.coefficients

    def state(self) -> dict[str, Any]:
        """The coefficients."""
        return {"coefficients": self.coefficients}


def _gaps(seen: Seen) -> Tensor:
    assert seen.gaps is not None
    missing = 1 - seen.gaps.visible
    return torch.cat([missing, torch.ones_like(missing[:, :1])], 1)


def fit_gaps(seen: Seen, truth: Tensor, j: int, learning: Learning, *, judged: object) -> LinearInGaps:
    """The column's own gap is blotted out: it is never there in training, and always in use."""
    features = _gaps(seen)
    coefficients = torch.linalg.lstsq(features, truth, driver="gelsd").solution
    coefficients[j] = 0
    return LinearInGaps(coefficients)


FROM_GAPS = Candidate(
    "gaps", NoSettings, frozenset({"gaps"}), fit_gaps, lambda state: LinearInGaps(state["coefficients"])
)


@dataclass(frozen=True)
class Steps:
    """Means of the truth between quantiles of what the closed form says."""

    slot: int
    edges: Tensor
    means: Tensor

    def __call__(self, seen: Seen) -> Tensor:
        """Of shape (n, width of the column)."""
        assert seen.prediction is not None
        return self.means[torch.bucketize(seen.prediction[:, self.slot].contiguous(), self.edges)]

    def state(self) -> dict[str, Any]:
        """All of it."""
        return vars(self)


def fit_steps(seen: Seen, truth: Tensor, j: int, learning: Learning, *, judged: object) -> Steps | None:
    """For numbers only."""
    span = learning.spans[j]
    if span.kind != "numeric" or len(truth) < 40:
        return None
    assert seen.prediction is not None
    said = seen.prediction[:, span.start].contiguous()
    edges = torch.quantile(said, torch.linspace(0, 1, 11, dtype=said.dtype)[1:-1])
    where = torch.bucketize(said, edges)
    means = torch.stack([truth[where == k].mean(0) if (where == k).any() else truth.mean(0) for k in range(10)])
    return Steps(span.start, edges, means)


FROM_PREDICTION = Candidate(
    "steps", NoSettings, frozenset({"prediction"}), fit_steps, lambda state: Steps(**state), {"numeric": 0.2}
)
