"""Indicator columns that belong together: one of them is 1 in every row (one-hot), or at most one (with one level dropped)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tabgan.tables.columns import RawColumn, RowUniform

__all__ = ["IndicatorGroup", "find_indicator_groups", "keep_parents_indicators", "settle_fills"]

_FEWEST_ROWS = 20
"""Complete rows that have to agree."""
_FEWEST_MEETINGS = 10.0
"""Rows in which two of independent indicators would both be 1: fewer prove nothing."""


@dataclass(frozen=True)
class IndicatorGroup:
    """Columns of 0 and 1 that stand for one categorical column.

    Parameters
    ----------
    columns : tuple of int
        Positions in the table.
    always_one : bool
        One of them is 1 in every row; otherwise at most one.
    """

    columns: tuple[int, ...]
    always_one: bool

    def settled(self, likely: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Which indicators are 1.

        Parameters
        ----------
        likely : ndarray of float of shape (n, n_columns)
            How much speaks for each; where observed, its 0 or 1.
        observed : ndarray of bool of shape (n, n_columns)
            Which are known.

        Returns
        -------
        ndarray of float of shape (n, n_columns)
            The observed ones as they are. Of the others none is 1 where an observed one is, else the likeliest, if one has to be or
            more speaks for it than against it.
        """
        found = np.where(observed, likely, 0.0)
        open_rows = np.flatnonzero((found != 1).all(axis=1) & ~observed.all(axis=1))
        asked = np.where(observed[open_rows], -np.inf, likely[open_rows])
        best = asked.argmax(axis=1)
        wins = np.full(len(open_rows), True) if self.always_one else asked[np.arange(len(best)), best] >= 0.5
        found[open_rows[wins], best[wins]] = 1.0
        return found


def find_indicator_groups(columns: Sequence[RawColumn]) -> tuple[IndicatorGroup, ...]:
    """Groups of neighbouring columns of 0 and 1, never two of which are 1 in a row.

    Parameters
    ----------
    columns : sequence of RawColumn

    Returns
    -------
    tuple of IndicatorGroup
        Of at least two columns each, in order; no column is in two. A group may lack one level only if chance would have made two of
        its columns meet in ten rows or more.
    """
    groups: list[IndicatorGroup] = []
    first = 0
    while first < len(columns):
        found = _group_from(columns, first)
        if found is not None:
            groups.append(found)
        first = first + 1 if found is None else found.columns[-1] + 1
    return tuple(groups)


def _group_from(columns: Sequence[RawColumn], first: int) -> IndicatorGroup | None:
    members: list[int] = []
    ones: list[np.ndarray] = []
    total = np.zeros(len(columns[first].missing))
    complete = np.ones(len(total), dtype=bool)
    for j in range(first, len(columns)):
        mine = _ones(columns[j])
        if mine is None or any((mine & other).any() for other in ones):
            break
        members.append(j)
        ones.append(mine)
        total += mine
        complete &= ~columns[j].missing
        if len(members) > 1 and complete.sum() >= _FEWEST_ROWS and (total[complete] == 1).all():
            return IndicatorGroup(tuple(members), always_one=True)
    if len(members) < 2 or _meetings(columns, members, ones) < _FEWEST_MEETINGS:
        return None
    return IndicatorGroup(tuple(members), always_one=False)


def _ones(column: RawColumn) -> np.ndarray | None:
    """Where an indicator column is 1; None if it is no such column."""
    if column.family not in ("number", "boolean") or column.values.dtype.kind != "f":
        return None
    seen = column.values[~column.missing]
    if not len(seen) or not np.isin(seen, (0.0, 1.0)).all() or seen.min() == seen.max():
        return None
    return (column.values == 1.0) & ~column.missing


def _meetings(columns: Sequence[RawColumn], members: list[int], ones: list[np.ndarray]) -> float:
    """The least number of rows, over the members, in which one would meet another by chance."""
    shares = np.array([mine.sum() / max((~columns[j].missing).sum(), 1) for j, mine in zip(members, ones, strict=True)])
    rows = min(int((~columns[j].missing).sum()) for j in members)
    return float((rows * shares * (shares.sum() - shares)).min())


def settle_fills(
    groups: Sequence[IndicatorGroup],
    columns: Sequence[RawColumn],
    fills: dict[int, np.ndarray],
    likely: Callable[[int, np.ndarray], np.ndarray],
    uniform: RowUniform | None,
) -> None:
    """Let the fills of indicators agree with each other and with the observed ones, in place.

    Parameters
    ----------
    groups : sequence of IndicatorGroup
    columns : sequence of RawColumn
        Of the table to fill.
    fills : dict of int to ndarray
        By column, for its missing rows in order.
    likely : callable
        ``likely(j, rows) -> ndarray``: how much speaks for a 1 in these rows.
    uniform : callable or None
        Uniform numbers of the rows, which decide between equals; None takes the first one.
    """
    for group in groups:
        missing = np.column_stack([columns[j].missing for j in group.columns])
        rows = np.flatnonzero(missing.any(axis=1))
        if not len(rows) or any(columns[j].missing.any() and j not in fills for j in group.columns):
            continue
        known = ~missing[rows]
        scores = np.column_stack(
            [np.where(m, 0.0, columns[j].values[rows]) for j, m in zip(group.columns, ~known.T, strict=True)]
        )
        for k, j in enumerate(group.columns):
            scores[~known[:, k], k] = likely(j, rows[~known[:, k]])
        if uniform is not None:
            scores += 1e-6 * uniform(f"indicators from {group.columns[0]}", rows, scores.shape[1]) * ~known
        settled = group.settled(scores, known)
        for k, j in enumerate(group.columns):
            if (~known[:, k]).any():
                fills[j] = settled[~known[:, k], k]


def keep_parents_indicators(
    groups: Sequence[IndicatorGroup],
    cells: dict[int, np.ndarray],
    of_parents: Mapping[int, np.ndarray],
    missing: Mapping[int, np.ndarray],
    asked: Collection[int] = (),
) -> None:
    """Give synthetic rows whose indicators contradict each other those of their parents, in place.

    Parameters
    ----------
    groups : sequence of IndicatorGroup
    cells : dict of int to ndarray
        Synthetic columns.
    of_parents : mapping of int to ndarray
        The same cells of the rows that they started from.
    missing : mapping of int to ndarray of bool
        Which synthetic cells are missing.
    asked : collection of int
        Columns whose cells stay as they were asked for; what contradicts them is 0.
    """
    for group in groups:
        members = list(group.columns)
        gaps = np.column_stack([missing[j] for j in members])
        drawn = np.where(gaps, 0.0, np.column_stack([cells[j] for j in members]))
        fixed = np.array([j in asked for j in members])
        own = np.where(gaps, 0.0, np.nan_to_num(np.column_stack([of_parents[j] for j in members])))

        def wrong(found: np.ndarray, group: IndicatorGroup = group, gaps: np.ndarray = gaps) -> np.ndarray:
            total = found.sum(axis=1)
            return (total > 1) | ((total < 1) & ~gaps.any(axis=1) & group.always_one)

        drawn = np.where(wrong(drawn)[:, None] & ~fixed, own, drawn)
        drawn = np.where((wrong(drawn) & (drawn[:, fixed].sum(axis=1) == 1))[:, None] & ~fixed, 0.0, drawn)
        for k, j in enumerate(members):
            cells[j] = np.where(missing[j], cells[j], drawn[:, k])
