"""A sample of the rows of a table that is larger than memory: the same whatever pieces the table comes in, and in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tabgan._warnings import warn_caller
from tabgan.engines.batches import joined, taken
from tabgan.exceptions import InvalidInputError, RepeatedKeysWarning
from tabgan.tables.columns import RawColumn
from tabgan.tables.frames import Table, read_table

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["RowSample"]

PER_COLUMN = 200
"""Rows with a known cell, and rows with a missing one, that are kept for each column."""
MOST_LEVELS, PER_LEVEL = 200, 5
"""Values of a column that are looked after, and rows that are kept for each; also for each end, and each number of decimals."""
_DECIMALS = 7
_UNITS = {"ns": (10**3, 10**6, 10**9), "us": (10**3, 10**6), "ms": (10**3,), "s": (), "D": ()}
_SPANS = (60, 3600, 86400)


class RowSample:
    """The rows of smallest priority, a hash of the seed and the row's key; and of each stratum those of smallest priority.

    A stratum is what a model has to have seen: a level, an end of a column, a number of decimals, a known or a missing cell. So what
    is rare in the table is in the sample, and ranges are those of all rows. Of a sample of samples the same rows are kept as
    of all rows at once: samples of parts of a table can be merged in any order.

    Parameters
    ----------
    n_rows : int
        Rows of smallest priority; strata add some hundred more per column at most.
    seed : int
    missing_values : scalar or list of scalars, default=nan
        See `tabgan.GAINImputer`.

    References
    ----------
    Cohen and Kaplan 2007, "Summarizing data using bottom-k sketches".
    """

    def __init__(self, n_rows: int, seed: int, missing_values: Any = np.nan) -> None:
        self.n_rows = n_rows
        self.n_seen = 0
        self._word = np.uint64(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
        self._missing_values = missing_values
        self._batches: list[Any] = []
        self._priorities: list[np.ndarray] = []
        self._names: list[str | Callable[[int], str]] = []

    def add(self, batch: Any, keys: np.ndarray, name: str | Callable[[int], str] = "") -> None:
        """Rows of a table, their keys, of shape (n,), uint64, and what errors are to call them, or the row of a number among them.

        Raises
        ------
        InvalidInputError
            A cell cannot be learnt from, in these rows or in those added before; it is named, with its row among those added with it.
        """
        self.n_seen += len(keys)
        self._keep(batch, pd.util.hash_array(keys ^ self._word, categorize=False), name)

    def merge(self, other: Self) -> None:
        """The sample of another part of the table, with the same seed and size."""
        for batch, priorities in zip(other._batches, other._priorities, strict=True):
            self._keep(batch, priorities)
        self.n_seen += other.n_seen

    def kept(self) -> tuple[Any, np.ndarray]:
        """The rows of the sample, in no order, and their priorities: what `add_kept` takes in another process."""
        self._thin_out()
        return self._batches[0], self._priorities[0]

    def add_kept(self, batch: Any, priorities: np.ndarray, n_seen: int) -> None:
        """What `kept` gave of another part of the table, of ``n_seen`` rows."""
        self._keep(batch, priorities)
        self.n_seen += n_seen

    def table(self) -> Any:
        """The sampled rows, by priority."""
        self._thin_out()
        order = np.argsort(self._priorities[0], kind="stable")
        ordered = self._priorities[0][order]
        n_alike = int((ordered[1:] == ordered[:-1]).sum())
        if n_alike:
            warn_caller(
                f"{n_alike:,} of {len(ordered):,} rows that were sampled have the keys of another one. Draws of such rows are "
                "alike, and which of them are sampled may depend on their order: let keys name columns that tell all rows apart.",
                RepeatedKeysWarning,
            )
        return taken(self._batches[0], order)

    def _keep(self, batch: Any, priorities: np.ndarray, name: str | Callable[[int], str] = "") -> None:
        self._batches.append(batch)
        self._priorities.append(priorities)
        self._names.append(name)
        if sum(map(len, self._priorities[1:])) > self.n_rows:
            self._thin_out()

    def _thin_out(self) -> None:
        whole, priorities = joined(self._batches), np.concatenate(self._priorities)
        try:
            table = read_table(whole, missing_values=self._missing_values)
        except InvalidInputError:
            self._check_each()
            raise
        rows = chosen_rows(table, priorities, self.n_rows)
        self._batches, self._priorities, self._names = [taken(whole, rows)], [priorities[rows]], [""]

    def _check_each(self) -> None:
        """Raise what is wrong with a single batch."""
        for batch, name in zip(self._batches, self._names, strict=True):
            try:
                read_table(batch, missing_values=self._missing_values)
            except InvalidInputError as error:
                found = name if isinstance(name, str) else name(self._first_bad(batch))
                raise type(error)(f"{found}: {error}" if found else str(error)) from error

    def _first_bad(self, batch: Any) -> int:
        """Number of the first row that cannot be learnt from, by halving."""
        first, last = 0, len(batch)
        while last - first > 1:
            middle = (first + last) // 2
            try:
                read_table(taken(batch, np.arange(first, middle)), missing_values=self._missing_values)
                first = middle
            except InvalidInputError:
                last = middle
        return first


def chosen_rows(table: Table, priorities: np.ndarray, n_rows: int) -> np.ndarray:
    """Numbers of the rows that a sample keeps, in ascending order."""
    order = np.argsort(priorities, kind="stable")
    chosen = np.zeros(table.n_rows, dtype=bool)
    chosen[order[:n_rows]] = True
    for column in table.columns:
        missing = column.missing[order]
        chosen[order[missing][:PER_COLUMN]] = True
        known = order[~missing]
        chosen[known[:PER_COLUMN]] = True
        for strata in _strata(column, column.values[known]):
            chosen[known[_first_of_each(strata)]] = True
    return np.flatnonzero(chosen)


def _first_of_each(strata: np.ndarray) -> np.ndarray:
    """Places of the first `PER_LEVEL` of each stratum; those of number -1 belong to none."""
    order = np.argsort(strata, kind="stable")
    ordered = strata[order]
    rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    return order[(rank < PER_LEVEL) & (ordered >= 0)]


def _strata(column: RawColumn, values: np.ndarray) -> list[np.ndarray]:
    """Stratum of each known cell, -1 for none, in several ways."""
    if not len(values):
        return []
    found = [_levels(values)]
    if column.family in ("number", "datetime", "timedelta"):
        found.append(np.where(values == values.min(), 0, np.where(values == values.max(), 1, -1)))
    if column.family == "number" and values.dtype.kind == "f":
        found.append(_decimals(values))
    if column.family in ("datetime", "timedelta"):
        found.append(_coarseness(values, str(column.unit)))
    return found


def _levels(values: np.ndarray) -> np.ndarray:
    """Numbers of values, of the `MOST_LEVELS` whose hashes are smallest: which these are needs no knowledge of the others."""
    codes, levels = pd.factorize(values)
    if len(levels) <= MOST_LEVELS:
        return codes
    plain = levels if levels.dtype.kind in "iuf" else np.array([f"{type(x).__name__} {x!r}" for x in levels], object)
    hashes = pd.util.hash_array(plain, categorize=False)
    kept = np.full(len(levels), -1)
    kept[np.argsort(hashes, kind="stable")[:MOST_LEVELS]] = np.arange(MOST_LEVELS)
    return kept[codes]


def _decimals(values: np.ndarray) -> np.ndarray:
    """Decimals that a number needs, `_DECIMALS` where more."""
    needed = np.full(len(values), _DECIMALS)
    for decimals in reversed(range(_DECIMALS)):
        needed[np.round(values, decimals) == values] = decimals
    return needed


def _coarseness(ticks: np.ndarray, unit: str) -> np.ndarray:
    """How many of the longer units divide a time."""
    steps = list(_UNITS[unit])
    if unit != "D":
        second = steps[-1] if steps else 1
        steps += [second * span for span in _SPANS]
    return sum((ticks % step == 0).astype(int) for step in steps) if steps else np.zeros(len(ticks), dtype=int)
