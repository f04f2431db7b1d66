"""Regression trees as flat tensors, that a model file can hold and a batch of rows can fall through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.compiled_trees import compiled_trees

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FEWEST_ROWS", "MOST_SLOTS", "Tree", "Trees", "flat_tree"]

FEWEST_ROWS = 30
"""Known cells of a column with fewer get no trees."""

MOST_SLOTS = 32
"""Slots that a split may choose from: wide tables look at a part of theirs, so that their trees take no longer."""


_TYPES = {
    "roots": torch.int64,
    "feature": torch.int16,
    "threshold": torch.float32,
    "target": torch.int32,
    "values": torch.float32,
    "missing_left": torch.bool,
}


class Tree(NamedTuple):
    """One regression tree, its nodes in depth-first order: a left child follows its parent."""

    feature: Tensor
    """Of shape (n_nodes,): the slot that a node asks, -1 in a leaf."""
    threshold: Tensor
    """Of shape (n_nodes,): a row goes left where its slot, in single precision, is at most that."""
    right: Tensor
    """Of shape (n_nodes,): the other child."""
    value: Tensor
    """Of shape (n_nodes, width of the target)."""
    missing_left: Tensor | None = None
    """Of shape (n_nodes,): whether a row goes left whose slot is NaN; None where it goes right."""


class Trees:
    """The trees of one column.

    Parameters
    ----------
    trees : sequence of Tree
        At least one, all of one target.

    Notes
    -----
    All rows fall at once, a level per step: O(rows * trees * depth) look-ups. Thresholds are rounded down to single precision, which
    sends every single-precision number the same way.
    """

    _STORED = ("width", "roots", "feature", "threshold", "target", "values", "missing_left")
    CELLS = 200_000
    """Rows times trees that fall at once."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self.width = trees[0].value.shape[1]
        sizes = torch.tensor([0, *(len(tree.feature) for tree in trees)]).cumsum(0)
        targets, values, n_values = [], [], 0
        for tree, offset in zip(trees, sizes[:-1], strict=True):
            leaves = tree.feature < 0
            places = n_values + self.width * (leaves.cumsum(0) - 1)
            targets.append(torch.where(leaves, places, tree.right + offset))
            values.append(tree.value[leaves].flatten().float())
            n_values += len(values[-1])
        self.roots = sizes[:-1]
        self.feature = torch.cat([tree.feature for tree in trees]).short()
        self.threshold = torch.cat([_rounded_down(tree.threshold) for tree in trees])
        self.target = torch.cat(targets).int()
        self.values = torch.cat(values)
        blind = [torch.zeros_like(tree.feature, dtype=torch.bool) for tree in trees]  # trees that never see NaN
        sides = [tree.missing_left for tree in trees]
        self.missing_left = torch.cat([b if s is None else s for b, s in zip(blind, sides, strict=True)])

    @classmethod
    def joined(cls, first: Trees, second: Trees) -> Self:
        """The trees of both, of one target."""
        trees, n_nodes, n_values = cls.__new__(cls), len(first.feature), len(first.values)
        trees.width = first.width
        for name in ("feature", "threshold", "values", "missing_left"):
            setattr(trees, name, torch.cat([getattr(first, name), getattr(second, name)]))
        trees.roots = torch.cat([first.roots, second.roots + n_nodes])
        moved = second.target + torch.where(second.feature < 0, n_values, n_nodes).int()
        trees.target = torch.cat([first.target, moved])
        return trees

    _compiled: list[Any] | None = None

    def __len__(self) -> int:
        return len(self.roots)

    def state(self) -> dict[str, Any]:
        """Plain tensors for a model file."""
        return {name: getattr(self, name) for name in self._STORED}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described.

        Raises
        ------
        ModelFileError
            These are no trees: a row would fall out of them, or never reach a leaf.
        """
        trees = cls.__new__(cls)
        for name in cls._STORED:
            setattr(trees, name, state[name])
        trees._check()
        return trees

    def _check(self) -> None:
        """What compiled trees rely on: they look up whatever place they are told."""
        n, width, types = len(self.feature), self.width, {name: getattr(self, name).dtype for name in self._STORED[1:]}
        shapes = {getattr(self, name).shape for name in ("feature", "threshold", "target", "missing_left")}
        nodes, leaf, target = torch.arange(n), self.feature < 0, self.target.long()
        ends = torch.cat([self.roots[1:], torch.tensor([n])])
        if (
            types != _TYPES
            or shapes != {(n,)}
            or self.roots.dim() != 1
            or self.values.dim() != 1
            or not isinstance(width, int)
            or width < 1
            or not len(self.roots)
            or self.roots[0] != 0
            or (ends <= self.roots).any()
            or n > torch.iinfo(torch.int32).max
        ):
            raise ModelFileError("its trees are damaged.")
        end = ends.repeat_interleave(ends - self.roots)  # of each node's tree
        falls = torch.where(leaf, target >= 0, (target > nodes + 1) & (target < end))
        if not falls.all() or leaf.sum() == 0 or (target[leaf] + width > len(self.values)).any():
            raise ModelFileError("its trees are damaged: a row would fall out of them.")

    def told(self, rows: Tensor, trees: Tensor) -> Tensor:
        """What some of the trees say of completed rows.

        Parameters
        ----------
        rows : Tensor of shape (n, width of the table)
        trees : LongTensor of shape (n, k)
            Numbers of the trees that each row asks.

        Returns
        -------
        Tensor of shape (n, k, width of the column)
        """
        leaves = self._compiled_leaves(rows, trees) if rows.device.type == "cpu" else self._leaves(rows.float(), trees)
        return self.values[leaves.unsqueeze(2) + torch.arange(self.width, device=rows.device)].to(rows)

    def mean(self, rows: Tensor) -> Tensor:
        """The mean of all trees, of shape (n, width of the column)."""
        if rows.device.type == "cpu":
            return self._compiled_mean(rows)
        trees = torch.arange(len(self), device=rows.device)
        parts = rows.split(max(self.CELLS // len(trees), 1))
        return torch.cat([self.told(part, trees.expand(len(part), -1)).mean(1) for part in parts])

    def _compiled_mean(self, rows: Tensor) -> Tensor:
        given = np.ascontiguousarray(rows.numpy(), dtype=np.float32)
        told = np.zeros((len(rows), self.width))
        first, values, slots = self.target.numpy(), self.values.numpy(), np.arange(self.width)
        for root, tree in zip(self.roots.numpy(), self._compiled_for(given.shape[1]), strict=True):
            told += values[first[root + tree.apply(given)][:, None] + slots]
        return torch.from_numpy(told / len(self)).to(rows)

    def _compiled_leaves(self, rows: Tensor, trees: Tensor) -> Tensor:
        """What `_leaves` returns."""
        given, compiled = np.ascontiguousarray(rows.numpy(), dtype=np.float32), self._compiled_for(rows.shape[1])
        asked, number = trees.numpy(), np.arange(len(rows))
        leaves = np.empty(asked.shape, dtype=np.int64)
        for k in range(asked.shape[1]):
            for tree in np.unique(asked[:, k]):
                asking = number[asked[:, k] == tree]
                leaves[asking, k] = self.roots[tree].item() + compiled[tree].apply(given[asking])
        return self.target[torch.from_numpy(leaves)].long()

    def _compiled_for(self, n_slots: int) -> list[Any]:
        if self._compiled is None:
            nodes = (self.roots, self.feature, self.threshold, self.target, self.missing_left)
            self._compiled = list(compiled_trees(n_slots, *(part.numpy() for part in nodes)))
        return self._compiled

    def __getstate__(self) -> dict[str, Any]:
        """Without the compiled trees, which are built again."""
        return self.__dict__ | {"_compiled": None}

    def _leaves(self, rows: Tensor, trees: Tensor) -> Tensor:
        """Where the leaves that each row falls into keep their values, of the shape of ``trees``."""
        node = self.roots[trees]
        feature, target = self.feature.long(), self.target.long()
        is_leaf = feature < 0
        # Nothing is at most NaN, so a row that is in a leaf stays there.
        threshold = torch.where(is_leaf, torch.nan, self.threshold)
        right = torch.where(is_leaf, torch.arange(len(feature), device=feature.device), target)
        feature = feature.clamp_min(0)
        if self.missing_left.any():
            # A number that is missing is the least where it goes left; elsewhere it stays NaN, which no threshold lets go left.
            feature = torch.where(self.missing_left, feature, feature + rows.shape[1])
            rows = torch.cat([rows.nan_to_num(-torch.inf, torch.inf, -torch.inf), rows], 1)
        numbers, shape = rows.reshape(-1), node.shape
        first = (torch.arange(len(rows), device=rows.device) * rows.shape[1]).repeat_interleave(shape[1])
        node = node.reshape(-1)
        while True:
            left = numbers[first + feature[node]] <= threshold[node]
            below = torch.where(left, node + 1, right[node])
            if torch.equal(below, node):
                return target[node].view(shape)
            node = below


def flat_tree(tree: Any, slots: np.ndarray) -> Tree:
    """scikit-learn's tree as tensors, its features as slots of the table.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
    slots : ndarray of int of shape (n_features,)
        The slot that each of its features is.
    """
    inner = tree.feature >= 0
    return Tree(
        torch.from_numpy(np.where(inner, slots[np.where(inner, tree.feature, 0)], -1)),
        torch.from_numpy(tree.threshold),
        torch.from_numpy(tree.children_right.astype(np.int64)),
        torch.from_numpy(tree.value[:, :, 0]),
    )


def _rounded_down(threshold: Tensor) -> Tensor:
    """The largest single-precision numbers not above the given ones."""
    single = threshold.float()
    return torch.where(single.double() > threshold, torch.nextafter(single, single.new_tensor(-torch.inf)), single)
