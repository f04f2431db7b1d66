"""Rows of tables that hold labels only: some cells of a real row are drawn again, one after the other, given all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tabgan.sampling.nearest import some
from tabgan.sampling.seeds import ClassSeeds
from tabgan.spans import Span

__all__ = ["LevelChain"]

_HIDDEN = 0.5
_SWEEPS = 2
_REDRAWS = 4  # more of them find more new rows of a small class, until these outweigh its real ones
_SHRINKAGE = 1.0
_MOST_COLUMNS = 200  # a tree per column that reads all others: beyond, neighbours' cells are quicker
_HIDDEN_CELL = -1


@dataclass(frozen=True)
class _Conditional:
    """How often each level of a column occurs, by the leaf of a tree that reads the other columns."""

    tree: object
    shares: np.ndarray


class LevelChain:
    """Draws rows of a class from conditional distributions of each column given all others.

    Parameters
    ----------
    seeds : ClassSeeds
        The table, encoded.
    spans : sequence of Span
        Layout of the slots, all categorical.

    Notes
    -----
    A row starts as a real row of its class. Half of its cells are hidden and drawn, in random order and twice over, from what a
    decision tree grown on the rows of the class says of the column given all other cells. The shares in a leaf are shrunk
    towards those of the node above, and so on up to the class's own shares, so that combinations which the class never had
    come about where fewer columns make them plausible. A row that equals one of another class only, or lands nearer to
    another class's rows (``focus``), is drawn again, up to four times; so is one that equals a row of its class, but for as large
    a share as real rows equal each other. Gaps stay where the real row has them.

    References
    ----------
    Reiter 2005, "Using CART to generate partially synthetic public use microdata"; Agarwal et al. 2022, "Hierarchical shrinkage".
    """

    def __init__(self, seeds: ClassSeeds, spans: Sequence[Span]) -> None:
        self._seeds, self._spans = seeds, tuple(spans)
        self._table: np.ndarray | None = None
        self._trees: dict[int, list[_Conditional | None]] = {}
        self._known: dict[int, tuple[np.ndarray, np.ndarray, float]] = {}

    @staticmethod
    def suits(spans: Sequence[Span]) -> bool:
        """Whether all columns hold labels, and not too many of them."""
        return 1 < len(spans) <= _MOST_COLUMNS and all(span.kind == "categorical" for span in spans)

    def draw(self, parents: Tensor, generator: torch.Generator, *, focus: float, fixed: Sequence[int] = ()) -> Tensor:
        """One row near each parent row.

        Parameters
        ----------
        parents : LongTensor of shape (n,)
            Row numbers.
        generator : torch.Generator
            CPU generator.
        focus : float
            Above 0, rows that are nearer to another class's rows than to any of their own are drawn in.
        fixed : sequence of int, default=()
            Columns whose cells stay the parents'.

        Returns
        -------
        Tensor of shape (n, width)
            Encoded rows; slots that are hidden in the parent are 0.
        """
        rng = np.random.default_rng(int(torch.randint(2**31 - 1, (), generator=generator)))
        own = self._codes()[parents.numpy()]
        classes = self._seeds.classes[parents].numpy()
        drawn = self._redrawn(own, classes, fixed, rng)
        may_repeat = rng.random(len(own))
        again = np.arange(len(own))
        for _ in range(_REDRAWS):
            unwanted = self._unwanted(drawn[again], classes[again], may_repeat[again])
            if focus:
                mine = torch.from_numpy(classes[again])
                unwanted |= self._seeds.borders.strays(self._slots(drawn[again]), mine).numpy()
            again = again[unwanted]
            if not len(again):
                break
            drawn[again] = self._redrawn(own[again], classes[again], fixed, rng)
        values = self._slots(drawn)
        if focus and len(again):  # the others were looked at, and stay where they are
            left = torch.from_numpy(again)
            values[left] = self._seeds.drawn_in(values[left], parents[left], generator)
            drawn = np.where(own == _HIDDEN_CELL, own, self._levels(values.numpy()))
        foreign = torch.from_numpy(self._unwanted(drawn, classes, np.zeros(len(own))))
        values[foreign] = self._seeds.rows[parents[foreign]]
        return values

    def _codes(self) -> np.ndarray:
        """The table as level numbers, -1 in hidden cells; array of int of shape (n_rows, n_columns)."""
        if self._table is None:
            rows, seen = self._seeds.rows.numpy(), self._seeds.visible.numpy() > 0
            self._table = np.where(seen, self._levels(rows), _HIDDEN_CELL)
        return self._table

    def _levels(self, values: np.ndarray) -> np.ndarray:
        return np.column_stack([values[:, span.start : span.stop].argmax(1) for span in self._spans])

    def _slots(self, codes: np.ndarray) -> Tensor:
        values = torch.zeros(len(codes), self._spans[-1].stop)
        for j, span in enumerate(self._spans):
            seen = np.flatnonzero(codes[:, j] != _HIDDEN_CELL)
            values[torch.from_numpy(seen), torch.from_numpy(span.start + codes[seen, j])] = 1.0
        return values

    def _redrawn(
        self, own: np.ndarray, classes: np.ndarray, fixed: Sequence[int], rng: np.random.Generator
    ) -> np.ndarray:
        """Rows in which half of the cells are drawn again."""
        drawn = own.copy()
        hidden = (rng.random(own.shape) < _HIDDEN) & (own != _HIDDEN_CELL)
        hidden[:, list(fixed)] = False
        for index in np.unique(classes).tolist():
            mine = np.flatnonzero(classes == index)
            rows = drawn[mine]
            trees = self._conditionals(index)
            for j in np.concatenate([rng.permutation(rows.shape[1]) for _ in range(_SWEEPS)]).tolist():
                asked, conditional = np.flatnonzero(hidden[mine, j]), trees[j]
                if len(asked) and conditional is not None:
                    shares = conditional.shares[_leaves(conditional, _others(rows[asked], j))].cumsum(1)
                    at = rng.random((len(asked), 1)) * shares[:, -1:]
                    rows[asked, j] = (at >= shares).sum(1).clip(max=shares.shape[1] - 1)
            drawn[mine] = rows
        return drawn

    def _conditionals(self, index: int) -> list[_Conditional | None]:
        """A tree per column, None where the class has one level or none there; the same ones at every call and after loading."""
        if index not in self._trees:
            rows = self._codes()[some((self._seeds.classes == index).nonzero()[:, 0]).numpy()]
            widths = [span.width for span in self._spans]
            self._trees[index] = [_conditional(rows, j, width) for j, width in enumerate(widths)]
        return self._trees[index]

    def _unwanted(self, drawn: np.ndarray, classes: np.ndarray, may_repeat: np.ndarray) -> np.ndarray:
        """Rows that equal one of another class only, or one of their own where ``may_repeat`` is not below its share of repeats."""
        keys = _keys(drawn)
        unwanted = np.zeros(len(drawn), dtype=bool)
        for index in np.unique(classes).tolist():
            own, foreign, repeats = self._rows_of(index)
            mine = np.flatnonzero(classes == index)
            copies = np.isin(keys[mine], own) & (may_repeat[mine] >= repeats)
            unwanted[mine] = copies | np.isin(keys[mine], foreign)
        return unwanted

    def _rows_of(self, index: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Keys of a class's rows, of other classes' rows that it has none of, and the share of its rows that equal another."""
        if index not in self._known:
            of_class = (self._seeds.classes == index).numpy()
            own, counts = np.unique(_keys(self._codes()[of_class]), return_counts=True)
            foreign = np.setdiff1d(_keys(self._codes()[~of_class]), own)
            self._known[index] = own, foreign, float(counts[counts > 1].sum() / counts.sum())
        return self._known[index]


def _keys(rows: np.ndarray) -> np.ndarray:
    """A 64-bit number per row: equal for equal rows, and for others by a chance that no table is large enough for."""
    factors = np.random.default_rng(0).integers(-(2**62), 2**62, size=rows.shape[1], dtype=np.int64)
    keys: np.ndarray = (rows.astype(np.int64) * factors).sum(1)
    return keys


def _others(rows: np.ndarray, j: int) -> np.ndarray:
    return np.delete(rows, j, axis=1).astype(np.float32)


def _leaves(conditional: _Conditional, others: np.ndarray) -> np.ndarray:
    leaves: np.ndarray = conditional.tree.apply(others)  # type: ignore[attr-defined]
    return leaves


def _conditional(rows: np.ndarray, j: int, width: int) -> _Conditional | None:
    from sklearn.tree import DecisionTreeClassifier

    rows = rows[rows[:, j] != _HIDDEN_CELL]
    if len(np.unique(rows[:, j])) < 2:
        return None
    tree = DecisionTreeClassifier(criterion="entropy", random_state=j).fit(_others(rows, j), rows[:, j])
    nodes = tree.tree_
    shares = np.zeros((nodes.node_count, width))
    shares[:, tree.classes_] = nodes.value[:, 0] / nodes.value[:, 0].sum(1, keepdims=True)
    counts = nodes.n_node_samples[:, None]
    for node in range(nodes.node_count):  # a node stands before its children
        for child in (nodes.children_left[node], nodes.children_right[node]):
            if child >= 0:
                n = counts[child]
                shares[child] = (n * shares[child] + _SHRINKAGE * shares[node]) / (n + _SHRINKAGE)
    return _Conditional(tree, shares)
