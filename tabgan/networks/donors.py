"""Draws of hidden cells as real cells: a row's cell is taken from a training row that falls into the same leaf of a tree."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.networks.forests import Forests

__all__ = ["DonorStep"]


class DonorStep(Forests):
    """Replaces the drawn cells of completed rows by cells of training rows that trees take for alike.

    Leaves hold one real cell each, and a row asks one tree, drawn at random, so that the answers to many draws spread as the column
    does given the others: ties, bounds, gaps and relations between columns come with the cells. Columns take turns in random
    order and see the donors' cells of the others: two sweeps of a Gibbs sampler that begins at a joint draw.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    forests : sequence of list of Tree
        Per column, leaves of one row each; an empty list leaves the column's draws as they are.

    Shape
    -----
    drawn: (n, width), visible: (n, n_columns). Output: (n, width), visible cells as they came.

    References
    ----------
    Doove, van Buuren, Dusseldorp 2014, "Recursive partitioning for missing data imputation in the presence of interaction effects"
    (``mice``'s method ``rf``), with extremely randomised trees grown to single rows, and two sweeps.
    """

    SWEEPS = 2

    @torch.no_grad()
    def forward(self, drawn: Tensor, visible: Tensor, generator: torch.Generator) -> Tensor:
        """Completed rows with donors' cells; ``generator`` (CPU) orders the columns and chooses the trees."""
        drawn = drawn.clone()
        for _ in range(self.SWEEPS):
            for j in torch.randperm(len(self.spans), generator=generator).tolist():
                rows = (visible[:, j] <= 0).nonzero()[:, 0]
                if len(rows) and self.n_trees(j):
                    trees = torch.randint(self.n_trees(j), (len(rows), 1), generator=generator).to(drawn.device)
                    drawn[rows, self.spans[j].start : self.spans[j].stop] = self.told(drawn[rows], j, trees)[:, 0]
        return drawn
