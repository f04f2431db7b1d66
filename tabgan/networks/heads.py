"""From raw outputs to table values: numbers, and log-probabilities within each block of levels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tabgan.spans import Span

__all__ = ["SpanHeads", "span_index"]


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
