"""Networks for encoded tables: the imputation generator with its closed-form base, and the per-cell discriminators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tabgan.networks.bases import ClosedFormBase
from tabgan.networks.blocks import PiecewiseLinearEncoding, ResidualBlock, blank_linear, init_linear
from tabgan.networks.neighbours import Neighbours
from tabgan.spans import Span, total_width

__all__ = ["BasedGenerator", "SpanHeads", "Start", "span_index"]


def span_index(spans: Sequence[Span]) -> Tensor:
    """LongTensor of shape (width,): which column each slot belongs to; ``mask[:, span_index]`` spreads cells over slots."""
    return torch.tensor([j for j, span in enumerate(spans) for _ in range(span.width)], dtype=torch.long)


class SpanHeads(nn.Module):
    """Turns raw outputs into table values: numbers stay, each categorical block becomes log-probabilities.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.

    Shape
    -----
    Input and output: (..., width).
    """

    column: Tensor
    is_categorical: Tensor

    def __init__(self, spans: Sequence[Span]) -> None:
        super().__init__()
        self.n_columns = len(spans)
        self.any_categorical = any(span.kind == "categorical" for span in spans)
        self.register_buffer("column", span_index(spans))
        slots = [span.kind == "categorical" for span in spans for _ in range(span.width)]
        self.register_buffer("is_categorical", torch.tensor(slots, dtype=torch.bool))

    def log_probabilities(self, raw: Tensor) -> Tensor:
        """Log-softmax within each categorical block; numeric slots as they are."""
        if not self.any_categorical:
            return raw
        index = self.column.expand(raw.shape)
        largest = raw.new_full((*raw.shape[:-1], self.n_columns), -torch.inf)
        largest = largest.scatter_reduce(-1, index, raw.detach(), "amax")
        shifted = raw - largest.gather(-1, index)
        sums = raw.new_zeros(largest.shape).scatter_add(-1, index, torch.where(self.is_categorical, shifted, 0).exp())
        return torch.where(self.is_categorical, shifted - sums.log().gather(-1, index), raw)

    def largest(self, raw: Tensor) -> Tensor:
        """One-hot of the largest slot of each categorical block (the first of equals); 0 in numeric slots."""
        index = self.column.expand(raw.shape)
        top = raw.new_full((*raw.shape[:-1], self.n_columns), -torch.inf).scatter_reduce(-1, index, raw, "amax")
        position = torch.arange(raw.shape[-1], device=raw.device).expand(raw.shape)
        ties = torch.where(raw == top.gather(-1, index), position, raw.shape[-1])
        first = torch.full_like(top, raw.shape[-1], dtype=torch.long).scatter_reduce(-1, index, ties, "amin")
        return ((position == first.gather(-1, index)) & self.is_categorical).to(raw)

    def values(self, raw: Tensor) -> Tensor:
        """Probabilities in categorical blocks, numbers elsewhere."""
        if not self.any_categorical:
            return raw
        logs = self.log_probabilities(raw)
        return torch.where(self.is_categorical, torch.where(self.is_categorical, logs, 0).exp(), logs)


class Start(NamedTuple):
    """What a generator knows of rows before its learned correction; each of shape (n, width)."""

    completed: Tensor
    """Rows filled by the base and the neighbours."""
    linear: Tensor
    """Rows filled by the base's first half alone."""
    rank: Tensor
    """Rows filled by its second half alone, numbers in normal scores."""
    step: Tensor
    """What the neighbours added to the base."""


class BasedGenerator(nn.Module):
    """Gaussian conditional mean, a step towards the nearest training rows, and a learned correction by weight-sharing members.

    The correction's last layer starts at zero, so before training the generator *is* its start: with weights
    kept only if they score better on held-out cells, it is never worse than that there.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    base : ClosedFormBase
        The closed-form part; its buffers are not trained.
    edges : Tensor of shape (n_numeric, n_bins + 1)
        Quantile edges of the numeric slots, in slot order.
    width : int, default=128
        Width of the correction network.
    n_blocks : int, default=2
        Residual blocks.
    n_members : int, default=4
        Ensemble members. They share all weights but a scaling and bias after the first layer, and the last layer.
    dropout : float, default=0.0
        Inside the residual blocks.
    neighbours : Neighbours, default=None
        The stored rows; its buffers are not trained with the correction.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    values: (n, width of the table), visible: (n, n_columns), noise: not used. Output of `members`: (n_members, n, width);
    of `forward`: (n, width), probabilities in categorical blocks.

    References
    ----------
    Members: Gorishniy et al. 2025, "TabM", section 3 (TabM-mini).
    """

    numeric_slots: Tensor

    def __init__(
        self,
        spans: Sequence[Span],
        base: ClosedFormBase,
        edges: Tensor,
        *,
        width: int = 128,
        n_blocks: int = 2,
        n_members: int = 4,
        dropout: float = 0.0,
        neighbours: Neighbours | None = None,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        d_table, n_columns = total_width(spans), len(spans)
        self.base = base
        self.neighbours = neighbours
        self.heads = SpanHeads(spans)
        numeric = [span.start for span in spans if span.kind == "numeric"]
        self.register_buffer("numeric_slots", torch.tensor(numeric, dtype=torch.long))
        self.encode = PiecewiseLinearEncoding(edges)
        d_in = 3 * d_table + n_columns + self.encode.d_out
        self.n_members = n_members
        self.scale = nn.Parameter(torch.empty(n_members, 1, width))
        self.input = blank_linear(d_in, width)
        self.input_bias = nn.Parameter(torch.zeros(n_members, 1, width))
        self.blocks = nn.Sequential(*[ResidualBlock(width, dropout=dropout) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.output = nn.Parameter(torch.zeros(n_members, width, d_table))
        self.output_bias = nn.Parameter(torch.zeros(n_members, 1, d_table))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer is zero."""
        init_linear(self, generator)
        signs = torch.randint(0, 2, self.scale.shape, generator=generator) * 2.0 - 1.0
        self.scale.copy_(signs if self.n_members > 1 else torch.ones_like(signs))
        self.output.zero_()
        self.output_bias.zero_()

    @torch.no_grad()
    def start(self, values: Tensor, visible: Tensor, rows: Tensor | None = None) -> Start:
        """What precedes the correction; ``rows`` names the training row that each row is, which must not answer for itself."""
        blended, linear, rank = self.base(values, visible[:, self.heads.column])
        if self.neighbours is None:
            return Start(blended, linear, rank, torch.zeros_like(blended))
        step = self.neighbours(blended, rank, visible, rows)
        return Start(blended + step, linear, rank, step)

    def features(self, start: Start, visible: Tensor) -> Tensor:
        """What the correction sees, of shape (n, d_in)."""
        numbers = start.completed[:, self.numeric_slots]
        seen = visible[:, self.heads.column[self.numeric_slots]]
        bins = self.encode(numbers) * seen.repeat_interleave(self.encode.left.shape[1], 1)
        return torch.cat([start.linear, start.rank, start.step, visible, bins], 1)

    def corrected(self, features: Tensor, completed: Tensor, *, parted: bool = False) -> Tensor:
        """Raw outputs of every member: numbers, and categorical logits.

        Parameters
        ----------
        features, completed : Tensor of shape (n, d_in) and (n, width)
        parted : bool, default=False
            Give each member its own n-th part of the rows, in order, instead of all of them: as good for training, at the cost of
            a single member.

        Returns
        -------
        Tensor of shape (n_members, n, width), or (n_members, n / n_members, width) if parted
        """
        hidden, started = self.input(features), self._start(completed)
        if parted:
            hidden, started = (part.view(self.n_members, -1, part.shape[-1]) for part in (hidden, started))
        # The widest layer is computed once; the members part after it.
        hidden = hidden * self.scale + self.input_bias
        return started + torch.baddbmm(self.output_bias, self.norm(self.blocks(hidden)), self.output)

    def members(self, values: Tensor, visible: Tensor, started: Start | None = None) -> Tensor:
        """Raw outputs of every member, as of `corrected`; ``started`` is `start`'s answer if it is known."""
        started = started or self.start(values, visible)
        return self.corrected(self.features(started, visible), started.completed)

    def forward(self, values: Tensor, visible: Tensor) -> Tensor:
        """Point estimate: mean over members of numbers and of probabilities."""
        return self.heads.values(self.members(values, visible)).mean(0)

    def _start(self, completed: Tensor) -> Tensor:
        if not self.heads.any_categorical:
            return completed
        # A linear fit of one-hot slots may leave [0, 1]; its logarithm must not.
        return torch.where(self.heads.is_categorical, completed.clamp(1e-3, 1.0).log(), completed)
