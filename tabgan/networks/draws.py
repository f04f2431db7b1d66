"""Draws from the distribution of hidden cells: a copula draw in normal scores, bent by a learned correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.networks.blocks import ResidualBlock, blank_linear, init_linear
from tabgan.networks.tabular import BasedGenerator, Start

__all__ = ["Drawer", "Noise"]

LARGEST_TIE = 0.2


@dataclass(frozen=True)
class Noise:
    """All the randomness of draws, so that a draw is a function of its inputs.

    Parameters
    ----------
    deviation : Tensor of shape (n_draws, n, width)
        From the copula's conditional mean, in normal scores; 0 on visible slots.
    latent : Tensor of shape (n_draws, n, d_latent)
        Standard normal, for the correction.
    levels : Tensor of shape (n_draws, n, width)
        Standard Gumbel, for the choice among the levels of a category.
    """

    deviation: Tensor
    latent: Tensor
    levels: Tensor

    def __getitem__(self, k: int) -> Noise:
        """That of draw ``k``, without the first dimension."""
        return Noise(self.deviation[k], self.latent[k], self.levels[k])

    def flat(self) -> Noise:
        """Draws below each other, as rows."""
        return Noise(self.deviation.flatten(0, 1), self.latent.flatten(0, 1), self.levels.flatten(0, 1))


class Drawer(nn.Module):
    """Draws of hidden cells given the visible ones.

    Numbers are drawn as normal scores: a centre and a deviation with the copula's conditional covariance (by conditioning an
    unconditional draw, Matheron's rule), scaled and shifted by a network that sees the point estimate and latent noise. The
    centre lies between the copula's conditional mean and the point estimate, where least squares puts it column by column
    (`fit_centre`). Decoded through the columns' quantiles, draws keep zeros, bounds and tails of a column by construction. Before
    training they *are* the copula's draws. Categories are drawn from the point estimate's probabilities, tilted by the same
    network.

    Parameters
    ----------
    point : BasedGenerator
        The trained point estimate; its weights stay as they are.
    width : int, default=128
        Width of the network.
    n_blocks : int, default=2
        Residual blocks.
    d_latent : int, default=16
        Latent noise per row.
    temperature : float, default=0.5
        Of the relaxed choice of levels in training (Gumbel-softmax, Jang et al. 2017).
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    values: (n, width of the table), visible: (n, n_columns). Output: (n, width of the table): scores, and one-hot blocks.
    """

    lean: Tensor
    spread: Tensor

    def __init__(
        self,
        point: BasedGenerator,
        *,
        width: int = 128,
        n_blocks: int = 2,
        d_latent: int = 16,
        temperature: float = 0.5,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.point = point.requires_grad_(False)
        d_table = len(point.heads.column)
        self.d_latent = d_latent
        self.temperature = temperature
        self.input = blank_linear(3 * d_table + point.heads.n_columns + d_latent, width)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.output = blank_linear(width, 2 * d_table)
        self.register_buffer("lean", torch.zeros(d_table))
        self.register_buffer("spread", torch.ones(d_table))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer is zero."""
        for part in (self.input, self.blocks):
            init_linear(part, generator)
        self.output.weight.zero_()
        self.output.bias.zero_()

    def noise(
        self, visible: Tensor, n_draws: int, generator: torch.Generator, deviation: Tensor | None = None
    ) -> Noise:
        """Noise for rows with these visible cells, from a CPU generator; ``deviation`` spares its computation."""
        like, n = self.output.weight, len(visible)
        if deviation is None:
            deviation = self.deviations(visible, n_draws, generator)
        latent = torch.randn(n_draws, n, self.d_latent, generator=generator).to(like)
        uniform = torch.rand(n_draws, n, len(self.point.heads.column), generator=generator).clamp(1e-6, 1 - 1e-6)
        return Noise(deviation, latent, -(-uniform.log()).log().to(like))

    @torch.no_grad()
    def deviations(self, visible: Tensor, n_draws: int, generator: torch.Generator) -> Tensor:
        """Draws from the copula less its conditional mean, of shape (n_draws, n, width)."""
        rank: Any = self.point.base.rank
        noise = torch.randn(n_draws, len(visible), rank.d_noise, generator=generator).to(self.output.weight)
        return rank.deviations(noise, visible[:, self.point.heads.column])

    @torch.no_grad()
    def context(self, values: Tensor, visible: Tensor, started: Start | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """What all draws of a row share: copula means in scores, raw point estimates, and the scored point estimates."""
        heads, base = self.point.heads, self.point.base
        shown = visible[:, heads.column]
        values = torch.where(shown > 0, values, 0.0)
        started = started or self.point.start(values, visible)
        means = started.rank
        raw = heads.log_probabilities(self.point.members(values, visible, started))
        raw = torch.where(heads.is_categorical, raw.logsumexp(0) - _log(len(raw)), raw.mean(0))
        return means, raw, base.scored(torch.where(heads.is_categorical, raw, torch.where(shown > 0, values, raw)))

    @torch.no_grad()
    def fit_centre(self, context: tuple[Tensor, Tensor, Tensor], truth: Tensor, hidden: Tensor, noise: Noise) -> None:
        """Put draws between the copula's mean and the point estimate, and scale them to what is left, by least squares.

        Columns in which one value makes up a fifth of the cells keep the copula's draws: scores jump where a tie ends.

        Parameters
        ----------
        context : tuple of Tensor
            From `context`.
        truth : Tensor of shape (n, width)
            The rows in normal scores.
        hidden : Tensor of shape (n, width)
            1 where a slot was hidden on purpose.
        noise : Noise
            Of one draw.
        """
        means, _, scored_point = context
        step, wanted = (scored_point - means) * hidden, (truth - means) * hidden
        few = 20 / (hidden.sum(0) + 20)
        lean = (step * wanted).sum(0) / step.square().sum(0).clamp_min(1e-9)
        usable = torch.ones_like(lean)
        base = self.point.base
        usable[base.numeric_slots] = (base.scores.largest_ties() < LARGEST_TIE).to(lean)
        self.lean.copy_(usable * (1 - few) * lean.clamp(0, 1))
        deviation = noise.deviation * hidden
        left = (wanted - self.lean * step).square().sum(0) / deviation.square().sum(0).clamp_min(1e-9)
        self.spread.copy_(torch.where(usable > 0, (few + (1 - few) * left).sqrt().clamp(0.1, 2.0), 1.0))

    def forward(
        self, context: tuple[Tensor, Tensor, Tensor], visible: Tensor, noise: Noise, *, relaxed: bool = False
    ) -> Tensor:
        """One draw per row: scores and one-hot blocks; ``relaxed`` lets gradients through the choice of levels."""
        means, raw, scored_point = context
        heads, deviation = self.point.heads, noise.deviation
        hidden = self.input(torch.cat([means, scored_point, deviation, visible, noise.latent], 1))
        shift, log_scale = self.output(self.norm(self.blocks(hidden))).chunk(2, 1)
        centre = torch.lerp(means, scored_point, self.lean)
        numbers = centre + deviation * self.spread * log_scale.clamp(-4, 2).exp() + shift
        if not heads.any_categorical:
            return numbers
        tilted = raw + shift + noise.levels
        blank = torch.where(heads.is_categorical, tilted / self.temperature, 0.0)
        soft = heads.log_probabilities(blank)
        soft = torch.where(heads.is_categorical, soft, 0.0).exp()
        hard = heads.largest(torch.where(heads.is_categorical, tilted, 0.0))
        levels = hard + soft - soft.detach() if relaxed else hard
        return torch.where(heads.is_categorical, levels, numbers)


def _log(n: int) -> float:
    return float(torch.tensor(float(n)).log())
