"""Flat trees as scikit-learn's compiled ones, through which rows on the CPU fall several times as fast as by look-ups of tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.tree._tree import NODE_DTYPE, Tree

from tabgan.exceptions import ModelFileError

__all__ = ["compiled_trees"]


def compiled_trees(
    n_slots: int,
    roots: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    right: np.ndarray,
    missing_left: np.ndarray,
) -> Iterator[Any]:
    """One compiled tree per root, whose ``apply(rows)`` gives numbers of leaves, counted from the root.

    Parameters
    ----------
    n_slots : int
        Width of the rows, which are C-contiguous, single precision; NaN where missing.
    roots : ndarray of int of shape (n_trees,)
        The first node of each tree; its nodes follow in depth-first order, a left child after its parent.
    feature, threshold, right, missing_left : ndarray of shape (n_nodes,)
        As in `tabgan.imputation.trees.Tree`, numbers of nodes over all trees.

    Yields
    ------
    sklearn.tree._tree.Tree
    """
    if feature.max(initial=-1) >= n_slots:
        raise ModelFileError(f"a tree of the model asks for slot {feature.max()} of {n_slots}: the file is damaged.")
    ends = [*roots[1:], len(feature)]
    for root, end in zip(roots, ends, strict=True):
        own = slice(root, end)
        leaf, places = feature[own] < 0, np.arange(end - root)
        nodes = np.zeros(end - root, dtype=NODE_DTYPE)
        nodes["left_child"] = np.where(leaf, -1, places + 1)
        nodes["right_child"] = np.where(leaf, -1, right[own] - root)
        nodes["feature"] = np.where(leaf, -2, feature[own])
        nodes["threshold"] = threshold[own]
        nodes["missing_go_to_left"] = missing_left[own]
        tree = Tree(n_slots, np.ones(1, dtype=np.intp), 1)
        tree.__setstate__(
            {"max_depth": 1, "node_count": len(nodes), "nodes": nodes, "values": np.zeros((len(nodes), 1, 1))}
        )
        yield tree
