"""Generators of whole encoded rows: from noise, from a code, or from a draw near a real row that they correct."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from tabgan.networks.blocks import ResidualBlock, blank_linear, init_linear
from tabgan.networks.conditioning import ConditionalMLPGenerator
from tabgan.networks.heads import SpanHeads
from tabgan.spans import Span, total_width

__all__ = ["GumbelHeads", "RowCorrector", "RowMaker"]

_TEMPERATURE = 0.66  # Engelmann and Lessmann 2021
_OTHER_LEVELS = 0.02  # odds that the corrector's starting point gives to a column's other levels together


class GumbelHeads(nn.Module):
    """Raw outputs to table values: numbers stay, each categorical block becomes a relaxed or a hard one-hot draw.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    temperature : float, default=0.66
        Of the relaxed draws in training; in evaluation draws are hard.

    Shape
    -----
    raw, gumbel: (n, width). Output: (n, width). ``gumbel`` holds standard Gumbel noise, or zeros for the most likely level.

    References
    ----------
    Jang, Gu, Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", eq. 2.
    """

    def __init__(self, spans: Sequence[Span], temperature: float = _TEMPERATURE) -> None:
        super().__init__()
        self.heads = SpanHeads(spans)
        self.temperature = temperature

    def forward(self, raw: Tensor, gumbel: Tensor) -> Tensor:
        """Values."""
        if not self.heads.any_categorical:
            return raw
        noisy = torch.where(self.heads.is_categorical, raw + gumbel, raw)
        if not self.training:
            return torch.where(self.heads.is_categorical, self.heads.largest(noisy), raw)
        return self.heads.values(torch.where(self.heads.is_categorical, noisy / self.temperature, raw))


class RowMaker(nn.Module):
    """Rows from noise or a code, under a condition.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    d_noise, d_condition : int
        Widths.
    width, n_blocks : int
        Of the network.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: (n, d_noise + 2 * total width): latent draw, Gumbel noise, visible slots. condition: (n, d_condition). Output: (n,
    total width), 0 where not visible.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        d_noise: int,
        d_condition: int,
        *,
        width: int = 128,
        n_blocks: int = 2,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        slots = total_width(spans)
        self.widths = [d_noise, slots, slots]
        self.maker = ConditionalMLPGenerator(d_noise, d_condition, slots, width, n_blocks, generator=generator)
        self.heads = GumbelHeads(spans)

    def forward(self, noise: Tensor, condition: Tensor | None) -> Tensor:
        """Generated rows."""
        latent, gumbel, visible = noise.split(self.widths, dim=1)
        return self.heads(self.maker(latent, condition), gumbel) * visible


class RowCorrector(nn.Module):
    """A draw near a real row, plus a learned correction that starts at zero.

    Before training it gives back the draw (levels change in 2 % of the cells), so with weights kept only where they score
    better it is not worse than its start.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    d_noise, d_condition : int
        Widths.
    width, n_blocks : int
        Of the network.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: (n, d_noise + 3 * total width): latent draw, Gumbel noise, the drawn row, and 1 for slots that may move. condition:
    (n, d_condition). Output: (n, total width).
    """

    others: Tensor

    def __init__(
        self,
        spans: Sequence[Span],
        d_noise: int,
        d_condition: int,
        *,
        width: int = 128,
        n_blocks: int = 2,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        slots = total_width(spans)
        self.widths = [d_noise, slots, slots, slots]
        self.heads = GumbelHeads(spans)
        self.first = blank_linear(d_noise + slots + d_condition, width)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.last = blank_linear(width, slots)
        init_linear(self, generator)
        nn.init.zeros_(self.last.weight)
        others = [_OTHER_LEVELS / max(span.width - 1, 1) for span in spans for _ in range(span.width)]
        self.register_buffer("others", torch.tensor(others), persistent=False)

    def forward(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Corrected rows."""
        latent, gumbel, seed, movable = noise.split(self.widths, dim=1)
        hidden = self.blocks(self.first(torch.cat([latent, seed, condition], 1)))
        correction = self.last(relu(self.norm(hidden)))
        is_level = self.heads.heads.is_categorical
        start = torch.where(is_level, (seed + self.others).log(), seed)
        made = self.heads(start + correction, gumbel)
        return torch.where(movable > 0, made, seed)
