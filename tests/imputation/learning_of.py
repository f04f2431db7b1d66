"""What stages are fitted from, built from a small table by hand, and stages that stand in for those before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabgan.core.run import Run
from tabgan.imputation.learning import Learning
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages import closed_form
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows
from tabgan.networks.heads import span_index
from tabgan.spans import Span

__all__ = ["AsTheyAre", "Blanks", "completion_of", "learning_of", "noise_of", "run_of", "some_held_out", "table_of"]


def run_of(deadline: float | None = None, seed: int = 0) -> Run:
    """A quiet run on the CPU."""
    return Run(torch.Generator().manual_seed(seed), torch.device("cpu"), deadline, verbose=False)


def noise_of(n_rows: int, n_draws: int = 1, seed: int = 0) -> RowNoise:
    """Of rows that all differ."""
    return RowNoise(np.arange(n_rows, dtype=np.uint64), seed, n_draws)


def table_of(spans: Sequence[Span], n: int, seed: int = 0) -> Tensor:
    """Rows of any layout that depend on one factor: numbers, and levels by its size."""
    draw = torch.Generator().manual_seed(seed)
    factor = torch.randn(n, generator=draw)
    parts = []
    for span in spans:
        own = factor + 0.4 * torch.randn(n, generator=draw)
        if span.kind == "numeric":
            parts.append(own[:, None])
        else:
            levels = torch.bucketize(own, torch.linspace(-1, 1, span.width + 1)[1:-1].contiguous())
            parts.append(torch.nn.functional.one_hot(levels, span.width).float())
    return torch.cat(parts, 1)


def some_held_out(visible: Tensor, share: float = 0.1, seed: int = 0) -> Tensor:
    """1 in a share of the visible cells."""
    return (torch.rand(visible.shape, generator=torch.Generator().manual_seed(seed)) < share).to(visible) * visible


def learning_of(
    values: Tensor,
    spans: Sequence[Span],
    visible: Tensor | None = None,
    held_out: Tensor | None = None,
    *,
    stages: Sequence[FittedStage] = (),
    earlier: Sequence[FittedStage] = (),
    with_closed_form: bool = False,
    deadline: float | None = None,
    seed: int = 0,
    **given: Any,
) -> Learning:
    """A pass of fitting over a table.

    Parameters
    ----------
    values : Tensor of shape (n, width)
    spans : sequence of Span
    visible, held_out : Tensor of shape (n, n_columns), default=None
        Disjoint; None shows and holds out every cell and none.
    stages : sequence of FittedStage, default=()
        Fitted before.
    earlier : sequence of FittedStage, default=()
        To go on from.
    with_closed_form : bool, default=False
        Fit that stage, after ``stages``.
    deadline : float, default=None
        On the monotonic clock.
    seed : int, default=0
    **given
        Settings by name.
    """
    visible = torch.ones(len(values), len(spans)) if visible is None else visible.float()
    held_out = torch.zeros_like(visible) if held_out is None else held_out.float()
    values = torch.where(visible[:, span_index(spans)] + held_out[:, span_index(spans)] > 0, values, 0.0).float()
    learning = Learning(values, visible, held_out, spans, run_of(deadline), given, seed=seed, earlier=earlier)
    learning.stages += stages
    if with_closed_form:
        learning.stages.append(closed_form.fit(learning))
    return learning


def completion_of(values: Tensor) -> Completion:
    """A completion in which all agree."""
    return Completion(values, values, values, values, torch.zeros_like(values))


class Blanks(FittedStage):
    """A first stage that leaves 0 in gaps."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.column = span_index(spans)

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """0 where hidden."""
        return completion_of(torch.where(rows.visible[:, self.column] > 0, rows.values, 0.0))


class AsTheyAre(FittedStage):
    """A first stage that knows the truth: whatever the rows hold in hidden cells."""

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """The rows' values."""
        return completion_of(rows.values)
