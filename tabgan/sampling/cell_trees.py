"""Trees of a table's columns whose leaves hold cells to draw from, for rows of one class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.tree import DecisionTreeRegressor

from tabgan.networks.heads import span_index
from tabgan.sampling.equal_numbers import ROUNDING, equal_numbers
from tabgan.spans import Span
from tabgan.tables.encoder import TableEncoder

__all__ = ["MOST_ROWS", "CellTrees", "Redrawing", "slots_asked"]

MOST_ROWS = 8192
"""That trees are grown from."""

_OTHERS = 10  # rows of other classes for each row of the class
_LEAF = 5
_SHARE_OF_SLOTS, _MOST_SLOTS = 0.6, 24
_TREES = 2
_HIDDEN = -1e4  # far below every scaled number, so that a split can set missing cells apart


@dataclass(frozen=True)
class Redrawing:
    """How often cells are drawn again, and what is known of the columns.

    Parameters
    ----------
    n_sweeps : int, default=0
        Draws of each cell; 0 makes rows of no class.
    together : sequence of sequence of int, default=()
        Encoded columns that are drawn as one.
    scales : ndarray of float64 of shape (3, n_columns), default=None
        Of encoded columns of numbers, what a slot of 0 stands for, how much a step of 1 is, and what numbers are rounded to (0: to
        nothing); NaN of other columns. None knows of none.
    """

    n_sweeps: int = 0
    together: Sequence[Sequence[int]] = ()
    scales: np.ndarray | None = None

    @classmethod
    def of(cls, encoder: TableEncoder, n_sweeps: int) -> Redrawing:
        """For a table that was encoded so: indicators of one group are drawn together."""
        schema = encoder.schema_
        places = {j: place for place, j in enumerate(schema.encoded)}
        groups = [group.columns for group in schema.indicator_groups if set(group.columns) <= set(places)]
        scales = np.full((3, len(places)), np.nan)
        for j, place in places.items():
            known = schema.columns[j]
            if encoder.spans_[place].kind == "numeric" and known.family == "number":
                zero, one = encoder.unscaled(j, np.array([0.0, 1.0]))
                decimals = 0 if known.integer_dtype else known.decimals
                scales[:, place] = zero, one - zero, 0.0 if decimals is None else 10.0**-decimals
        return cls(n_sweeps, [[places[j] for j in columns] for columns in groups], scales)


@dataclass(frozen=True)
class _Unit:
    """Columns that are drawn together: one, or the indicators of one level each."""

    columns: np.ndarray
    slots: np.ndarray
    is_number: bool


@dataclass(frozen=True)
class _Tree:
    """Donors by leaf: ``donors[first[leaf] : first[leaf] + count[leaf]]``, numbers in ascending order of their cells."""

    apply: Any
    donors: np.ndarray
    first: np.ndarray
    count: np.ndarray
    steps: np.ndarray | None
    """Of each donor, how far the next one of its leaf is; 0 where one of the two values is repeated."""


class CellTrees:
    """Draws cells of rows of one class.

    Parameters
    ----------
    rows : ndarray of float32 of shape (n, width)
        Encoded rows of all classes; hidden slots are 0.
    visible : ndarray of bool of shape (n, n_columns)
        Which cells are observed.
    is_own : ndarray of bool of shape (n,)
        Which rows are of the class.
    spans : sequence of Span
        Layout of the slots.
    how : Redrawing, default=Redrawing()
        What is known of the columns.
    most_rows : int, default=8192
        To grow trees from.
    seed : int, default=0
        Which rows are taken, and how trees split.

    Notes
    -----
    Two trees per column, grown from rows of the class and up to ten times as many of other classes, told which is which: what
    columns have to do with each other mostly holds in all of them. Numbers are grown by their ranks, so that long tails do not lead
    the splits. A leaf has five rows or more, and a cell is that of any of them; of a number that no other row has, a point between it
    and the next larger one in the leaf, if that is not repeated either. So zeros, ties and whole thousands stay what they are, and
    nothing comes out that lies outside what real rows have. Where a number of the lending row equals that of another column (a bill
    that was paid in full), so does the number that is drawn.
    """

    def __init__(
        self,
        rows: np.ndarray,
        visible: np.ndarray,
        is_own: np.ndarray,
        spans: Sequence[Span],
        how: Redrawing = Redrawing(),
        *,
        most_rows: int = MOST_ROWS,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        own = rng.permutation(np.flatnonzero(is_own))[:most_rows]
        others = rng.permutation(np.flatnonzero(~is_own))[: min(most_rows - len(own), _OTHERS * len(own))]
        chosen = np.sort(np.concatenate([own, others]))
        self._column = span_index(spans).numpy()
        self._is_number = np.array([span.kind == "numeric" for span in spans])[self._column]
        self._lent, seen = rows[chosen], visible[chosen]
        given = self._given(self._lent, seen, is_own[chosen])
        self._slot = np.array([span.start for span in spans])
        self._scales = np.full((3, len(spans)), np.nan) if how.scales is None else how.scales
        self.units = _units(self._column, self._is_number, len(spans), how.together)
        self._equal = equal_numbers(self._scales[0] + self._lent[:, self._slot] * self._scales[1], seen)
        self._leads: dict[int, list[int]] = {}
        for k, leaders in self._equal.items():
            for j in np.unique(leaders[leaders >= 0]).tolist():
                self._leads.setdefault(j, []).append(k)
        self._trees = [self._grown(unit, given, seen[:, unit.columns].all(axis=1), rng) for unit in self.units]

    def _given(self, rows: np.ndarray, visible: np.ndarray, is_own: np.ndarray | bool) -> np.ndarray:
        """What trees are told: the rows, with missing numbers set apart, and whether they are of the class."""
        given = np.empty((len(rows), rows.shape[1] + 1), dtype=np.float32)
        given[:, :-1] = np.where(visible[:, self._column] | ~self._is_number, rows, np.float32(_HIDDEN))
        given[:, -1] = is_own
        return given

    def _grown(self, unit: _Unit, given: np.ndarray, seen: np.ndarray, rng: np.random.Generator) -> list[_Tree]:
        known = np.flatnonzero(seen)
        if not len(known):
            return []
        told, cells = given[known], self._lent[known][:, unit.slots]
        told[:, unit.slots] = 0.0  # a constant: no split asks for it
        wanted, order = cells, np.arange(len(known))
        if unit.is_number:
            order = np.argsort(cells[:, 0], kind="stable")
            _, place, counts = np.unique(cells[:, 0], return_inverse=True, return_counts=True)
            wanted = (np.cumsum(counts) - counts / 2)[place.reshape(-1), None] / len(known)
            is_single = counts[place.reshape(-1)] == 1
        grown = []
        for _ in range(_TREES):
            model = DecisionTreeRegressor(
                min_samples_leaf=_LEAF, max_features=slots_asked(given.shape[1]), random_state=int(rng.integers(2**31))
            ).fit(told, wanted)
            leaves = model.tree_.apply(told)
            by_leaf = order[np.argsort(leaves[order], kind="stable")]
            count = np.bincount(leaves, minlength=model.tree_.node_count)
            steps = None
            if unit.is_number:
                value, single, leaf = cells[by_leaf, 0], is_single[by_leaf], leaves[by_leaf]
                steps = np.zeros_like(value)
                free = (leaf[1:] == leaf[:-1]) & single[1:] & single[:-1]
                steps[:-1][free] = np.diff(value)[free]
            grown.append(_Tree(model.tree_.apply, known[by_leaf], np.cumsum(count) - count, count, steps))
        return grown

    def swept(self, rows: np.ndarray, visible: np.ndarray, held: np.ndarray, generator: torch.Generator) -> np.ndarray:
        """Rows whose visible cells were drawn again, column after column in random order.

        Parameters
        ----------
        rows : ndarray of float32 of shape (n, width)
            Encoded rows of the class.
        visible : ndarray of bool of shape (n, n_columns)
            Which of their cells are there; the others stay hidden.
        held : ndarray of bool of shape (n_columns,)
            Columns that stay as they are.
        generator : torch.Generator
            CPU generator.

        Returns
        -------
        ndarray of float32 of shape (n, width)
        """
        given = self._given(rows, visible, True)
        for k in torch.randperm(len(self.units), generator=generator).tolist():
            unit, trees = self.units[k], self._trees[k]
            places, between = torch.rand(2, len(rows), generator=generator, dtype=torch.float64).numpy()
            if held[unit.columns].any() or not trees:
                continue
            before = given[:, unit.slots[0]].copy()
            places = places * len(trees)
            which = np.minimum(places.astype(np.int64), len(trees) - 1)
            for number, tree in enumerate(trees):
                asking = np.flatnonzero((which == number) & visible[:, unit.columns].all(axis=1))
                leaf = tree.apply(given[asking])
                step = ((places[asking] - number) * tree.count[leaf]).astype(np.int64)
                place = tree.first[leaf] + np.minimum(step, tree.count[leaf] - 1)
                drawn = self._lent[tree.donors[place]][:, unit.slots]
                if tree.steps is not None:
                    drawn[:, 0] += self._rounded(int(unit.columns[0]), between[asking] * tree.steps[place])
                    self._set_equal(int(unit.columns[0]), tree.donors[place], drawn, given[asking], visible[asking])
                given[asking[:, None], unit.slots] = drawn
            if unit.is_number:
                self._take_along(int(unit.columns[0]), given, before, visible & ~held)
        return np.where(visible[:, self._column], given[:, :-1], np.float32(0.0))

    def _rounded(self, j: int, steps: np.ndarray) -> np.ndarray:
        """Steps in slots that lead from one number of column ``j`` as it is rounded to another."""
        _, unit, grid = self._scales[:, j]
        return (np.rint(steps * unit / grid) * grid / unit if grid > 0 else steps).astype(np.float32)

    def _in_own_units(self, j: int | np.ndarray, slots: np.ndarray) -> np.ndarray:
        return self._scales[0, j] + slots * self._scales[1, j]

    def _set_equal(self, j: int, donors: np.ndarray, drawn: np.ndarray, given: np.ndarray, visible: np.ndarray) -> None:
        """Numbers of column ``j`` whose lender's equals that of a column before become that of the row's, in place."""
        if j in self._equal:
            others = self._equal[j][donors]
            rows = np.flatnonzero((others >= 0) & visible[np.arange(len(others)), others])
            leaders = others[rows]
            numbers = self._in_own_units(leaders, given[rows, self._slot[leaders]])
            drawn[rows, 0] = (numbers - self._scales[0, j]) / self._scales[1, j]

    def _take_along(self, j: int, given: np.ndarray, before: np.ndarray, free: np.ndarray) -> None:
        """Numbers of columns that followed column ``j`` follow it to where it has been drawn, in place."""
        if j not in self._leads:
            return
        was, now = (self._in_own_units(j, slots) for slots in (before, given[:, self._slot[j]]))
        for k in self._leads[j]:
            follows = np.abs(self._in_own_units(k, given[:, self._slot[k]]) - was) <= ROUNDING * np.abs(was)
            rows = np.flatnonzero(follows & free[:, k] & free[:, j] & (now != was))
            given[rows, self._slot[k]] = (now[rows] - self._scales[0, k]) / self._scales[1, k]


def slots_asked(width: int) -> int:
    """How many slots a split chooses from."""
    return min(_MOST_SLOTS, int(np.ceil(_SHARE_OF_SLOTS * width)))


def _units(column: np.ndarray, is_number: np.ndarray, n_columns: int, together: Sequence[Sequence[int]]) -> list[_Unit]:
    grouped = {j for columns in together for j in columns}
    parts = [list(columns) for columns in together] + [[j] for j in range(n_columns) if j not in grouped]
    slots = [np.flatnonzero(np.isin(column, columns)) for columns in parts]
    return [_Unit(np.array(c), s, len(s) == 1 and bool(is_number[s[0]])) for c, s in zip(parts, slots, strict=True)]
