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
_MOST_APART = 60
_LARGEST_SHARE_OF_NONE = 0.05
"""Of the rows, as far as those with gaps tell: more of them, and a level was dropped."""
_EM_STEPS = 100


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
    """Groups of columns of 0 and 1, never two of which are 1 in a row.

    Parameters
    ----------
    columns : sequence of RawColumn

    Returns
    -------
    tuple of IndicatorGroup
        Of at least two columns each, in order; no column is in two. A group may lack one level only if chance would have made two of
        its columns meet in ten rows or more.

    Notes
    -----
    Neighbours come first, then columns that others stand between (at most the first 60 of them), in both passes those of which one is
    always 1 before the rest. Columns that are always 0, such as a level that no row has, are passed over.
    """
    found = {j: ones for j, column in enumerate(columns) if (ones := _ones(column)) is not None}
    missing = {j: columns[j].missing for j in found}
    never = {j for j, ones in found.items() if not ones.any()}
    left = [j for j in found if j not in never]
    groups: list[IndicatorGroup] = []
    for always_one in (True, False):
        for apart in (False, True):
            k = 0
            while k < len(left) and (not apart or len(left) <= _MOST_APART):
                members = _members_from(left[k:], found, missing, never, apart, always_one)
                if members is not None:
                    groups.append(IndicatorGroup(members, always_one))
                    left = [j for j in left if j not in members]
                else:
                    k += 1
    return tuple(sorted(groups, key=lambda group: group.columns))


def _members_from(
    left: Sequence[int],
    found: Mapping[int, np.ndarray],
    missing: Mapping[int, np.ndarray],
    never: Collection[int],
    apart: bool,
    always_one: bool,
) -> tuple[int, ...] | None:
    """The group that begins with the first of the columns that are left, if there is one."""
    members = [left[0]]
    total, complete = found[left[0]].copy(), ~missing[left[0]]
    for j in left[1:]:
        between = set(range(members[-1] + 1, j)) - set(never)
        if not apart and (between or (total & found[j]).any()):
            break
        if (total & found[j]).any():
            continue
        members.append(j)
        total |= found[j]
        complete &= ~missing[j]
        if always_one and complete.sum() >= _FEWEST_ROWS and total[complete].all():
            return tuple(members)
    if len(members) < 2:
        return None
    ones, gaps = np.column_stack([found[j] for j in members]), np.column_stack([missing[j] for j in members])
    if _meetings(ones, gaps) < _FEWEST_MEETINGS:
        return None
    if always_one:  # too few rows are complete: those with gaps have to tell
        few = complete.sum() < _FEWEST_ROWS and total[complete].all()
        return tuple(members) if few and _share_of_none(ones, gaps) < _LARGEST_SHARE_OF_NONE else None
    return tuple(members)


def _ones(column: RawColumn) -> np.ndarray | None:
    """Where an indicator column is 1; None if it is no such column."""
    if column.family not in ("number", "boolean") or column.values.dtype.kind != "f":
        return None
    seen = column.values[~column.missing]
    if not len(seen) or not np.isin(seen, (0.0, 1.0)).all() or seen.min() == 1.0:
        return None
    return (column.values == 1.0) & ~column.missing


def _meetings(ones: np.ndarray, gaps: np.ndarray) -> float:
    """The least number of rows, over the members, in which one would meet another by chance."""
    known = (~gaps).sum(axis=0)
    shares = ones.sum(axis=0) / np.maximum(known, 1)
    return float((known.min() * shares * (shares.sum() - shares)).min())


def _share_of_none(ones: np.ndarray, gaps: np.ndarray) -> float:
    """The likeliest share of rows in which no member is 1, where gaps do not depend on what they hide (by EM)."""
    rows = len(ones)
    possible = np.column_stack([ones | (gaps & ~ones.any(axis=1, keepdims=True)), ~ones.any(axis=1)])
    shares = np.full(possible.shape[1], 1.0 / possible.shape[1])
    for _ in range(_EM_STEPS):
        expected = possible * shares
        shares = (expected / expected.sum(axis=1, keepdims=True)).sum(axis=0) / rows
    return float(shares[-1])


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
