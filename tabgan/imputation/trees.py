"""Regression trees as flat tensors, that a model file can hold and a batch of rows can fall through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from tabgan.spans import Span

if TYPE_CHECKING:
    from typing_extensions import Self
import numpy as np

__all__ = ["Forests", "Tree", "flat_tree", "turns"]


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


class Forests(nn.Module):
    """Trees per column, that see the completed slots of all *other* columns.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    forests : sequence of list of Tree
        Per column; an empty list for none.

    Notes
    -----
    All rows fall at once, a level per step: O(rows * trees * depth) look-ups. Thresholds are rounded down to single precision, which
    sends every single-precision number the same way.
    """

    roots: Tensor
    first_tree: Tensor
    feature: Tensor
    threshold: Tensor
    target: Tensor
    values: Tensor

    def __init__(self, spans: Sequence[Span], forests: Sequence[Sequence[Tree]]) -> None:
        super().__init__()
        self.spans = tuple(spans)
        trees = [tree for forest in forests for tree in forest]
        sizes = torch.tensor([0, *(len(tree.feature) for tree in trees)]).cumsum(0)
        counts = torch.tensor([0, *(len(forest) for forest in forests)]).cumsum(0)
        targets, values, n_values = [], [], 0
        for tree, offset in zip(trees, sizes[:-1], strict=True):
            leaves = tree.feature < 0
            width = tree.value.shape[1]
            places = n_values + width * (leaves.cumsum(0) - 1)
            targets.append(torch.where(leaves, places, tree.right + offset))
            values.append(tree.value[leaves].flatten().float())
            n_values += len(values[-1])
        empty = torch.zeros(0)
        for name, tensor in (
            ("roots", sizes[:-1]),
            ("first_tree", counts),
            ("feature", torch.cat([empty, *(tree.feature for tree in trees)]).short()),
            ("threshold", torch.cat([empty, *(_rounded_down(tree.threshold) for tree in trees)])),
            ("target", torch.cat([empty.long(), *targets]).int()),
            ("values", torch.cat([empty, *values])),
        ):
            self.register_buffer(name, tensor)

    @classmethod
    def stored(cls, spans: Sequence[Span], state: dict[str, Tensor]) -> Self:
        """The module that a state was taken from."""
        module = cls(spans, [[] for _ in spans])
        for name, tensor in state.items():
            setattr(module, name, tensor)
        return module

    def n_trees(self, j: int) -> int:
        """How many trees column ``j`` has."""
        return int(self.first_tree[j + 1] - self.first_tree[j])

    def told(self, rows: Tensor, j: int, trees: Tensor) -> Tensor:
        """What column ``j``'s trees say of completed rows.

        Parameters
        ----------
        rows : Tensor of shape (n, width)
        j : int
        trees : LongTensor of shape (n, k)
            Numbers of the trees that each row asks, from 0.

        Returns
        -------
        Tensor of shape (n, k, width of the column)
        """
        roots = self.roots[self.first_tree[j] : self.first_tree[j + 1]]
        rest = self.roots[self.first_tree[j + 1] :]
        nodes = slice(int(roots[0]), int(rest[0]) if len(rest) else len(self.feature))
        offsets = torch.arange(self.spans[j].width, device=rows.device)
        leaves = self._leaves(rows.float(), roots[trees] - nodes.start, nodes)
        return self.values[leaves.unsqueeze(2) + offsets].to(rows)

    def _leaves(self, rows: Tensor, node: Tensor, nodes: slice) -> Tensor:
        """Where each row's leaves keep their values, of the shape of ``node``, the nodes to fall from."""
        feature, target = self.feature[nodes].int(), self.target[nodes].long()
        here = torch.arange(len(feature), device=feature.device)
        is_leaf = feature < 0
        # Nothing is at most NaN, so a row that is in a leaf stays there.
        threshold = torch.where(is_leaf, torch.nan, self.threshold[nodes])
        right = torch.where(is_leaf, here, target - nodes.start)
        feature = feature.clamp_min(0)
        numbers, shape = rows.reshape(-1), node.shape
        first = (torch.arange(len(rows), device=rows.device) * rows.shape[1]).repeat_interleave(shape[1])
        node = node.reshape(-1)
        while True:
            left = numbers[first + feature[node]] <= threshold[node]
            below = torch.where(left, node + 1, right[node])
            if torch.equal(below, node):
                return target[node].view(shape)
            node = below


def turns(spans: Sequence[Span]) -> list[int]:
    """The order of the columns' turns."""
    return sorted(range(len(spans)), key=lambda j: spans[j].kind == "categorical")


def _rounded_down(threshold: Tensor) -> Tensor:
    """The largest single-precision numbers not above the given ones."""
    single = threshold.float()
    return torch.where(single.double() > threshold, torch.nextafter(single, single.new_tensor(-torch.inf)), single)


def flat_tree(tree: object, slots: np.ndarray) -> Tree:
    """scikit-learn's tree as tensors, its features as slots of the table."""
    feature = tree.feature  # type: ignore[attr-defined]
    inner = feature >= 0
    return Tree(
        torch.from_numpy(np.where(inner, slots[np.where(inner, feature, 0)], -1)),
        torch.from_numpy(tree.threshold),  # type: ignore[attr-defined]
        torch.from_numpy(tree.children_right.astype(np.int64)),  # type: ignore[attr-defined]
        torch.from_numpy(tree.value[:, :, 0]),  # type: ignore[attr-defined]
    )
