"""Numbers as normal scores of their ranks, and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["NormalScores"]


class NormalScores(nn.Module):
    """Map numbers to normal scores of their rank and back, column by column, by linear interpolation between quantiles.

    Parameters
    ----------
    quantiles : Tensor of shape (n_features, n_knots)
        Non-decreasing values per feature, at the normal scores of `grid`.

    Notes
    -----
    Tied values (zero-inflated columns) map to the middle of their range of scores; values outside the knots to the end
    scores. The knots are spaced evenly in scores, so that tails are resolved.

    Shape
    -----
    Input and output: (n, n_features).
    """

    N_KNOTS = 193
    LARGEST = 3.2

    quantiles: Tensor

    def __init__(self, quantiles: Tensor) -> None:
        super().__init__()
        self.register_buffer("quantiles", quantiles)

    @classmethod
    def grid(cls) -> Tensor:
        """The scores of the knots."""
        return torch.linspace(-cls.LARGEST, cls.LARGEST, cls.N_KNOTS, dtype=torch.float64)

    def forward(self, values: Tensor, within_ties: Tensor | None = None) -> Tensor:
        """Scores of values; tied values take the middle of their range of scores, or the share ``within_ties`` of it."""
        rows = values.T.contiguous()
        low, high = (self._position(rows, right) for right in (False, True))
        place = (low + high) / 2 if within_ties is None else torch.lerp(low, high, within_ties.T)
        return (place * (2 * self.LARGEST / (self.N_KNOTS - 1)) - self.LARGEST).T

    def inverse(self, scores: Tensor) -> Tensor:
        """Values of scores."""
        step = 2 * self.LARGEST / (self.N_KNOTS - 1)
        place = ((scores + self.LARGEST) / step).clamp(0, self.N_KNOTS - 1).T
        below = place.detach().floor().long().clamp(max=self.N_KNOTS - 2)
        left, right = self.quantiles.gather(1, below), self.quantiles.gather(1, below + 1)
        return (left + (place - below) * (right - left)).T

    def largest_ties(self) -> Tensor:
        """Share of each feature's cells that one value makes up, of shape (n_features,), as far as the knots tell."""
        masses = torch.special.ndtr(self.grid()).diff().to(self.quantiles)
        shares = [self.quantiles.new_zeros(())] * len(self.quantiles)
        for j, knots in enumerate(self.quantiles):
            _, group = torch.unique_consecutive(knots, return_inverse=True)
            tied = group[1:] == group[:-1]
            shares[j] = masses.new_zeros(len(knots)).index_add_(0, group[1:][tied], masses[tied]).max()
        return torch.stack(shares) if shares else self.quantiles.new_zeros(0)

    def _position(self, rows: Tensor, right: bool) -> Tensor:
        """Fractional knot index of each value; at ties the first (or last) knot of that value."""
        above = torch.searchsorted(self.quantiles, rows, right=right).clamp(1, self.N_KNOTS - 1)
        left, upper = self.quantiles.gather(1, above - 1), self.quantiles.gather(1, above)
        gap = upper - left
        share = torch.where(gap > 0, (rows - left) / torch.where(gap > 0, gap, 1.0), float(right))
        return above - 1 + share.clamp(0, 1)
