"""Trees whose leaves hold training cells to draw from, one tree per bootstrap sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.tree import ExtraTreeRegressor
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.trees import MOST_SLOTS, Trees, flat_tree

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["LEAF_SIZES", "DonorTrees", "Sample", "choose_leaf_size", "grow_donor_trees"]

LEAF_SIZES = (5, 15, 50, 0)
"""Fewest cells of a leaf, to choose among; 0 is a single leaf of all."""

_SHARE_OF_SLOTS = 0.6
"""That a split may choose from, so that trees differ."""
_N_PAIRS = 16
"""Pairs of donors per cell, to score a leaf by."""

Sample = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Completed rows of shape (n, width), the cells to draw of shape (n,), and the numbers of the rows in the bootstrap sample."""


class DonorTrees:
    """Trees of one column.

    Parameters
    ----------
    trees : Trees
        Their values are numbers of leaves.
    first : LongTensor of shape (n_leaves + 1,)
        Where each leaf's cells begin among the members.
    members : Tensor of shape (n_members,)
        The cells, float64.
    """

    def __init__(self, trees: Trees, first: Tensor, members: Tensor) -> None:
        self.trees = trees
        self.first = first
        self.members = members

    def __len__(self) -> int:
        return len(self.trees)

    def drawn(self, rows: Tensor, tree: int, uniform: Tensor) -> Tensor:
        """One cell per row, from the leaf that it falls into.

        Parameters
        ----------
        rows : Tensor of shape (n, width of the table)
            Completed.
        tree : int
        uniform : Tensor of shape (n,)
            Within [0, 1): which of the leaf's cells.
        """
        asked = torch.full((len(rows), 1), tree, dtype=torch.long)
        leaf = self.trees.told(rows, asked)[:, 0, 0].long()
        first, last = self.first[leaf], self.first[leaf + 1]
        return self.members[torch.minimum(first + (uniform * (last - first)).long(), last - 1)]

    def state(self) -> dict[str, Any]:
        """Plain tensors for a model file."""
        return {"trees": self.trees.state(), "first": self.first, "members": self.members}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described; ModelFileError if a leaf names cells that are not there."""
        trees, first, members = Trees.from_state(state["trees"]), state["first"], state["members"]
        leaves = trees.values
        whole = first.dtype == torch.int64 and first.dim() == members.dim() == 1 and len(first) > 1
        if (
            not whole
            or first[0] != 0
            or (first.diff() < 1).any()
            or first[-1] != len(members)
            or not ((leaves >= 0) & (leaves < len(first) - 1)).all()
        ):
            raise ModelFileError("its donors are damaged: a leaf has cells that are not there.")
        return cls(trees, first, members)


def grow_donor_trees(
    samples: Sequence[Sample], slots: np.ndarray, leaf_size: int, rng: np.random.Generator
) -> DonorTrees:
    """A tree per bootstrap sample.

    Parameters
    ----------
    samples : sequence of Sample
    slots : ndarray of int
        The slots to look at.
    leaf_size : int
        Fewest cells of a leaf; 0 for a single leaf.
    rng : numpy.random.Generator
    """
    grown, first, members, n_leaves, n_members = [], [0], [], 0, 0
    for seen, cells, chosen in samples:
        order = rng.permutation(chosen)
        model, leaves = _grown(seen[order], cells[order], slots, leaf_size, rng)
        kept, where, counts = np.unique(leaves, return_inverse=True, return_counts=True)
        value = np.zeros((model.tree_.node_count, 1))
        value[kept, 0] = n_leaves + np.arange(len(kept))
        grown.append(flat_tree(model.tree_, slots)._replace(value=torch.from_numpy(value)))
        members.append(cells[order][np.argsort(where, kind="stable")])
        first += (n_members + np.cumsum(counts)).tolist()
        n_leaves, n_members = n_leaves + len(kept), n_members + len(order)
    return DonorTrees(Trees(grown), torch.tensor(first), torch.from_numpy(np.concatenate(members)))


def choose_leaf_size(samples: Sequence[Sample], slots: np.ndarray, rng: np.random.Generator) -> int:
    """The size of leaves whose cells tell the distribution of cells outside the bootstrap samples best.

    By the continuous ranked probability score of the leaves' cells. Smaller leaves have to be better by their standard error: they
    draw from fewer cells, so that draws vary more from table to table.
    """
    scores = {}
    for leaf_size in LEAF_SIZES:
        parts = []
        for seen, cells, chosen in samples:
            outside = np.setdiff1d(np.arange(len(cells)), chosen)
            if not len(outside) or 2 * leaf_size > len(chosen):
                return 0
            model, leaves = _grown(seen[chosen], cells[chosen], slots, leaf_size, rng)
            order = np.argsort(leaves, kind="stable")
            ordered, kept = cells[chosen][order], leaves[order]
            asked = model.apply(seen[outside][:, slots].astype(np.float32))
            low, high = np.searchsorted(kept, asked), np.searchsorted(kept, asked, side="right")
            counts = (high - low)[:, None]
            one = (rng.random((len(outside), _N_PAIRS)) * counts).astype(int)
            two = (one + 1 + (rng.random(one.shape) * (counts - 1)).astype(int)) % counts  # another one of the leaf
            one, two = (ordered[low[:, None] + which] for which in (one, two))
            truth = cells[outside][:, None]
            parts.append(((np.abs(one - truth) + np.abs(two - truth) - np.abs(one - two)) / 2).mean(1))
        scores[leaf_size] = np.concatenate(parts)
    best = min(scores, key=lambda size: scores[size].mean())
    n_distinct = len(samples[0][1])
    for size in sorted(scores, key=lambda size: -(size or math.inf)):
        worse = scores[size] - scores[best]
        if worse.mean() <= worse.std() / math.sqrt(min(n_distinct, len(worse))):
            return size
    return best


def _grown(
    seen: np.ndarray, cells: np.ndarray, slots: np.ndarray, leaf_size: int, rng: np.random.Generator
) -> tuple[ExtraTreeRegressor, np.ndarray]:
    """A tree, and the leaf of each row."""
    model = ExtraTreeRegressor(
        max_features=min(math.ceil(_SHARE_OF_SLOTS * len(slots)), MOST_SLOTS),
        min_samples_leaf=max(leaf_size, 1),
        max_depth=None if leaf_size else 1,
        min_impurity_decrease=0.0 if leaf_size else 1e300,
        random_state=int(rng.integers(2**31)),
    )
    given = seen[:, slots].astype(np.float32)
    model.fit(given, cells)
    return model, model.apply(given)
