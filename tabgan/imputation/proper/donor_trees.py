"""Trees whose leaves hold training cells to draw from, one tree per bootstrap sample."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor
from sklearn.utils.parallel import Parallel, delayed
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.trees import MOST_SLOTS, Trees, flat_tree

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DONATIONS", "Donation", "DonorTrees", "Sample", "choose_donors", "grow_donor_trees"]

_SHARE_OF_SLOTS = 0.6
"""That a split may choose from, so that trees differ."""
_N_DRAWS = 16
"""Per cell and tree, to score trees by."""

Sample = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Completed rows of shape (n, width), the cells to draw of shape (n,), and the numbers of the rows in the bootstrap sample."""


class Donation(NamedTuple):
    """What leaves hold."""

    by_value: bool
    """Values of cells, or what a mean leaves of them."""
    leaf_size: int
    """Fewest cells of a leaf; 0 is a single leaf of all."""


DONATIONS = tuple(
    Donation(by_value, leaf_size)
    for leaf_size, kinds in ((0, (False,)), (50, (False,)), (15, (False, True)), (5, (False, True)), (1, (False, True)))
    for by_value in kinds
)
"""To choose among, the simplest first."""


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

    def drawn(self, rows: Tensor, tree: int | None, uniform: Tensor) -> Tensor:
        """One cell per row, from the leaf that it falls into.

        Parameters
        ----------
        rows : Tensor of shape (n, width of the table)
            Completed.
        tree : int or None
            None draws one per row: leaves of a single cell would give equal rows equal cells.
        uniform : Tensor of shape (n,)
            Within [0, 1): which of the leaf's cells.
        """
        if tree is None:
            asked = (uniform * len(self)).long().clamp(max=len(self) - 1)
            uniform = uniform * len(self) - asked
        else:
            asked = torch.full((len(rows),), tree, dtype=torch.long)
        leaf = self.trees.told(rows, asked[:, None])[:, 0, 0].long()
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
    samples: Sequence[Sample], slots: np.ndarray, donation: Donation, rng: np.random.Generator
) -> DonorTrees:
    """A tree per draw of the rows, each of all cells.

    Parameters
    ----------
    samples : sequence of Sample
        Which rows are in the bootstrap samples does not matter here.
    slots : ndarray of int
        The slots to look at.
    donation : Donation
    rng : numpy.random.Generator

    Notes
    -----
    Trees differ by the draws of the others' cells and by their splits. How a leaf of several values is distributed is uncertain, too:
    each holds a bootstrap sample of its cells (approximate Bayesian bootstrap, Rubin and Schenker 1986). Residuals are not drawn
    again: how uncertain their mean and their scale are, the parameters say.
    """
    fitted = Parallel(prefer="threads")(
        delayed(_grown)(seen, cells, slots, donation.leaf_size, own)
        for (seen, cells, _), own in zip(samples, rng.spawn(len(samples)), strict=True)
    )
    grown, first, members, n_leaves, n_members = [], [0], [], 0, 0
    for (_, cells, _), (model, leaves) in zip(samples, fitted, strict=True):
        kept, where, counts = np.unique(leaves, return_inverse=True, return_counts=True)
        value = np.zeros((model.tree_.node_count, 1))
        value[kept, 0] = n_leaves + np.arange(len(kept))
        grown.append(flat_tree(model.tree_, slots)._replace(value=torch.from_numpy(value)))
        held = cells[np.argsort(where, kind="stable")]
        if donation.by_value:
            begins = np.repeat(np.cumsum(counts) - counts, counts)
            held = held[begins + (rng.random(len(held)) * np.repeat(counts, counts)).astype(int)]
        members.append(held)
        first += (n_members + np.cumsum(counts)).tolist()
        n_leaves, n_members = n_leaves + len(kept), n_members + len(held)
    return DonorTrees(Trees(grown), torch.tensor(first), torch.from_numpy(np.concatenate(members)))


def choose_donors(
    residuals: Sequence[Sample] | None, values: Sequence[Sample], slots: np.ndarray, rng: np.random.Generator
) -> Donation:
    """What leaves should hold, residuals of a mean or values, and how many of them at least.

    By the continuous ranked probability score of draws by several trees, for cells outside their bootstrap samples. Of what is within
    a standard error of the best the simplest is taken: it varies least from table to table. Of values alone the best is.

    Parameters
    ----------
    residuals, values : sequence of Sample
        Of the same rows, on one scale; without residuals values are taken in any case.
    slots : ndarray of int
        The slots to look at.
    rng : numpy.random.Generator
    """
    if len(values) < 2:  # nothing to compare
        return Donation(residuals is None, 0)
    scores: dict[Donation, np.ndarray] = {}
    for donation in DONATIONS:
        samples = values if donation.by_value else residuals
        if samples is None:
            continue
        if min(len(chosen) for *_, chosen in samples) < 2 * donation.leaf_size:
            continue
        score = _score(samples, slots, donation.leaf_size, rng)
        if np.isfinite(score).any():  # of few cells, every one may be known to all trees but one
            scores[donation] = score
    if not scores:
        return Donation(residuals is None, 0)
    best, tolerance = min(scores.values(), key=np.nanmean), 0.0 if residuals is None else 1.0
    for donation, score in scores.items():
        worse = (score - best)[np.isfinite(score)]
        if worse.mean() <= tolerance * worse.std() / math.sqrt(max(len(worse), 1)):
            return donation
    raise AssertionError("the best one is within its own error")


def _score(samples: Sequence[Sample], slots: np.ndarray, leaf_size: int, rng: np.random.Generator) -> np.ndarray:
    """Of each cell that two trees do not know; NaN elsewhere."""
    errors = np.full((len(samples), len(samples[0][1]), _N_DRAWS), np.nan)
    for k, (seen, cells, chosen) in enumerate(samples):
        outside = np.setdiff1d(np.arange(len(cells)), chosen)
        if not len(outside):
            continue
        model, leaves = _grown(seen[chosen], cells[chosen], slots, leaf_size, rng)
        order = np.argsort(leaves, kind="stable")
        ordered, kept = cells[chosen][order], leaves[order]
        asked = model.apply(seen[outside][:, slots].astype(np.float32))
        low, high = np.searchsorted(kept, asked), np.searchsorted(kept, asked, side="right")
        which = low[:, None] + (rng.random((len(outside), _N_DRAWS)) * (high - low)[:, None]).astype(int)
        errors[k, outside] = ordered[which] - cells[outside, None]
    pairs = [(np.abs(one) + np.abs(two) - np.abs(one - two)) / 2 for one, two in itertools.combinations(errors, 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # cells that all trees but one know
        return np.nanmean(np.concatenate(pairs, axis=1), axis=1)


def _grown(
    seen: np.ndarray, cells: np.ndarray, slots: np.ndarray, leaf_size: int, rng: np.random.Generator
) -> tuple[DecisionTreeRegressor, np.ndarray]:
    """A tree, and the leaf of each row."""
    # Leaves of single cells differ by random splits; those of several are cut where cells differ.
    kind = ExtraTreeRegressor if leaf_size == 1 else DecisionTreeRegressor
    model = kind(
        max_features=min(math.ceil(_SHARE_OF_SLOTS * len(slots)), MOST_SLOTS),
        min_samples_leaf=max(leaf_size, 1),
        max_depth=None if leaf_size else 1,
        min_impurity_decrease=0.0 if leaf_size else 1e300,
        random_state=int(rng.integers(2**31)),
    )
    given = seen[:, slots].astype(np.float32)
    model.fit(given, cells)
    return model, model.apply(given)
