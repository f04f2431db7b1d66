"""Draws of hidden cells as real cells: a row's cell is taken from a training row that falls into the same leaf of a tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from sklearn.tree import ExtraTreeRegressor
from sklearn.utils.parallel import Parallel, delayed
from torch import Tensor

from tabgan.imputation.stages.forests import FEWEST_ROWS, MOST_SLOTS
from tabgan.imputation.trees import Forests, Tree, flat_tree
from tabgan.spans import Span, total_width

__all__ = ["DonorStep", "grow_donors"]


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


MOST_ROWS = 4096
"""Rows that can be donors, drawn at random if there are more."""


_SHARE_OF_SLOTS = 0.6
"""That a split may choose from, so that trees differ."""


def grow_donors(
    values: np.ndarray,
    mask: np.ndarray,
    draw: Callable[[np.ndarray, np.ndarray, int], np.ndarray],
    spans: Sequence[Span],
    *,
    n_trees: int,
    seed: int,
) -> DonorStep:
    """Grow trees for every numeric column from its observed cells, each tree with its own draw of the other columns' hidden cells.

    Parameters
    ----------
    values : ndarray of shape (n, width)
        Encoded rows.
    mask : ndarray of shape (n, n_columns)
        True where observed.
    draw : callable
        From rows, mask and a number of draws to the draws, of shape (n_draws, n, width).
    spans : sequence of Span
        Layout of the slots.
    n_trees : int
        Per column.
    seed : int

    Notes
    -----
    Levels are left to the network and its forests: leaves of single rows know less well how likely each level is (the log-loss of
    twenty draws rose on diamonds from 1.73 to 1.97, and on abalone from .89 to .92).
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(values))[:MOST_ROWS]
    values, mask = values[rows], mask[rows]
    completed = draw(values, mask, n_trees).astype(np.float32)
    forests: list[list[Tree]] = [[] for _ in spans]
    for j, span in enumerate(spans):
        known = np.flatnonzero(mask[:, j])
        if span.kind != "numeric" or len(known) < FEWEST_ROWS or len(spans) == 1:
            continue
        outside = np.delete(np.arange(total_width(spans)), span.start)
        truth = values[known, span.start].astype(np.float64)
        forests[j] = Parallel(prefer="threads")(
            delayed(_tree)(drawn[np.ix_(known, outside)], truth, outside, rng.spawn(1)[0]) for drawn in completed
        )
    return DonorStep(spans, forests)


def _tree(seen: np.ndarray, truth: np.ndarray, slots: np.ndarray, rng: np.random.Generator) -> Tree:
    n_slots = min(math.ceil(_SHARE_OF_SLOTS * len(slots)), MOST_SLOTS)
    model = ExtraTreeRegressor(max_features=n_slots, random_state=int(rng.integers(2**31))).fit(seen, truth)
    # Rows that are alike in all other columns share a leaf: one of them speaks for it, not their mean.
    order = rng.permutation(len(truth))
    value = np.zeros((model.tree_.node_count, 1))
    value[model.apply(seen[order]), 0] = truth[order]
    return flat_tree(model.tree_, slots)._replace(value=torch.from_numpy(value))
