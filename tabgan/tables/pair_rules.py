"""Pairwise rules that a table always obeys (order, one column deciding another, straight lines), kept in rows made from it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.tables.columns import blank_labels
from tabgan.tables.labels import label_from_json, label_to_json

__all__ = ["LINE_TOLERANCE", "DecidesRule", "LineRule", "OrderRule", "PairRule", "Rules", "deviates"]

LINE_TOLERANCE = 1e-9
"""A line holds where its error is at most this share of the largest of its terms."""

_NO_TIME = np.iinfo(np.int64).min

Cells = Mapping[int, np.ndarray]


@dataclass(frozen=True)
class OrderRule:
    """Column ``low`` is never larger than column ``high``.

    Parameters
    ----------
    low, high : int
        Positions of two columns of numbers, or of times of the same family and unit.
    """

    low: int
    high: int
    kind: ClassVar[str] = "order"

    @property
    def pair(self) -> tuple[int, int]:
        """Positions of both columns."""
        return self.low, self.high

    def violated(self, values: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the rule fails, were no cell missing."""
        return values[self.low] > values[self.high]

    def words(self, names: tuple) -> str:
        """The rule as a user would write it."""
        return f"`{names[self.low]}` <= `{names[self.high]}`"


@dataclass(frozen=True)
class DecidesRule:
    """Every level of column ``cause`` goes with one value of column ``effect``.

    Parameters
    ----------
    cause, effect : int
        Positions of the columns.
    levels : tuple
        The levels of ``cause``, as in `RawColumn.values`.
    results : tuple
        The value of ``effect`` for each of them.
    """

    cause: int
    effect: int
    levels: tuple
    results: tuple
    kind: ClassVar[str] = "decides"

    @property
    def pair(self) -> tuple[int, int]:
        """Positions of both columns."""
        return self.cause, self.effect

    def computed(self, values: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Effect that the cause calls for, and where the cause's level is known; both of shape (n,)."""
        made, effect = values[self.cause], values[self.effect]
        index = pd.Index(_as_array(self.levels, made.dtype), dtype=made.dtype, tupleize_cols=False)
        at = index.get_indexer(pd.Index(made, dtype=made.dtype, tupleize_cols=False))
        return _as_array(self.results, effect.dtype)[at], at >= 0

    def violated(self, values: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the rule fails, were no cell missing; a level never seen fails."""
        expected, known = self.computed(values)
        return ~known | (expected != values[self.effect]).astype(bool)

    def words(self, names: tuple) -> str:
        """The rule as a user would write it."""
        return f"`{names[self.cause]}` decides `{names[self.effect]}`"


@dataclass(frozen=True)
class LineRule:
    """Column ``effect`` is ``slope * cause + intercept``, to `LINE_TOLERANCE`.

    Parameters
    ----------
    cause, effect : int
        Positions of the columns.
    slope : float
        Not zero; 1 for times.
    intercept : float or int
        Whole ticks of ``unit`` for times.
    decimals : int or None, default=None
        Decimals of the effect's column, to which it is rounded.
    unit : str or None, default=None
        Unit of both columns if they hold times; the line is then a shift, exact in integers.
    """

    cause: int
    effect: int
    slope: float
    intercept: float
    decimals: int | None = None
    unit: str | None = None
    kind: ClassVar[str] = "line"

    @property
    def pair(self) -> tuple[int, int]:
        """Positions of both columns."""
        return self.cause, self.effect

    def computed(self, values: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Effect on the line, and True; both of shape (n,)."""
        made = values[self.cause]
        known = np.ones(len(made), dtype=bool)
        if self.unit is not None:
            return made + np.int64(self.intercept), known
        line = self.slope * made + self.intercept
        return (line if self.decimals is None else np.round(line, self.decimals)), known

    def violated(self, values: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the rule fails, were no cell missing."""
        made, effect = values[self.cause], values[self.effect]
        if self.unit is not None:
            return made + np.int64(self.intercept) != effect
        return deviates(made, effect, self.slope, self.intercept)

    def words(self, names: tuple) -> str:
        """The rule as a user would write it."""
        left, right = f"`{names[self.effect]}` =", f"`{names[self.cause]}`"
        if self.unit is not None:
            shift = pd.Timedelta(abs(int(self.intercept)), self.unit)
            return f"{left} {right}" + (f" {'+' if self.intercept > 0 else '-'} {shift}" if self.intercept else "")
        scaled = right if self.slope == 1 else f"-{right}" if self.slope == -1 else f"{self.slope:.12g} {right}"
        sign = "+" if self.intercept > 0 else "-"
        return f"{left} {scaled}" + (f" {sign} {abs(self.intercept):.12g}" if self.intercept else "")


PairRule = OrderRule | DecidesRule | LineRule


@dataclass(frozen=True)
class Rules:
    """What `find_rules` found: plain data that can be read, stored, checked and restored.

    Parameters
    ----------
    names : tuple of Hashable
        Column names of the table, in order.
    orders : tuple of OrderRule, default=()
    decides : tuple of DecidesRule, default=()
    lines : tuple of LineRule, default=()

    Notes
    -----
    A missing cell takes part in no rule. Cells of numbers are missing where they are nan, labels where they are None, times where
    they are ``numpy.iinfo("int64").min``; a mask may say more (`RawColumn.values` of times is 0 where they are missing).
    """

    names: tuple[Hashable, ...]
    orders: tuple[OrderRule, ...] = ()
    decides: tuple[DecidesRule, ...] = ()
    lines: tuple[LineRule, ...] = ()

    def __iter__(self) -> Iterator[PairRule]:
        yield from self.lines
        yield from self.decides
        yield from self.orders

    def __len__(self) -> int:
        return len(self.orders) + len(self.decides) + len(self.lines)

    def __str__(self) -> str:
        return "\n".join(self.words()) if len(self) else "no rules"

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of the columns that some rule names, ascending."""
        return tuple(sorted({j for rule in self for j in rule.pair}))

    def words(self) -> list[str]:
        """Each rule as text, such as ```start` <= `end``` or ```city` decides `country```."""
        return [rule.words(self.names) for rule in self]

    def broken(self, values: Cells, missing: Cells | None = None) -> np.ndarray:
        """Find the rows that break a rule.

        Parameters
        ----------
        values : dict of int to ndarray of shape (n,)
            Cells by column position, as in `RawColumn.values`. Rules that name a column which is not there are passed over.
        missing : dict of int to ndarray of bool of shape (n,), default=None
            Further missing cells.

        Returns
        -------
        ndarray of bool of shape (n,)
        """
        held, gaps = _gathered(self.columns, values, missing)
        fails = [_fails(rule, held, gaps) for rule in self._within(held)]
        return np.logical_or.reduce([np.zeros(_n_rows(values), dtype=bool), *fails])

    def repair(
        self,
        values: Cells,
        parents: Cells,
        missing: Cells | None = None,
        parents_missing: Cells | None = None,
    ) -> dict[int, np.ndarray]:
        """Change made rows, as little as the rules allow, so that none breaks a rule.

        First what one column decides or computes is set from its cause, causes before effects. Where a rule is still broken
        (an order, a level never seen, a value off the effect's decimals, two causes at odds) both its columns take the values of
        the row's parent, and so on for the rules that this breaks. The parent obeys every rule, so this ends, at the latest with
        all connected columns from the parent; no row is rejected.

        Parameters
        ----------
        values : dict of int to ndarray of shape (n,)
            Made cells by column position, as in `RawColumn.values`. Never modified.
        parents : dict of int to ndarray of shape (n,)
            For each made row the cells of a row of the table that the rules come from.
        missing, parents_missing : dict of int to ndarray of bool of shape (n,), default=None
            Further missing cells of each.

        Returns
        -------
        dict of int to ndarray of shape (n,)
            All of ``values``, repaired. A cell taken from a parent that misses it is missing: nan, None or, among times,
            ``numpy.iinfo("int64").min``; cells that were missing keep what they held.

        Raises
        ------
        InvalidInputError
            A parent is absent or breaks a rule itself.
        """
        wanted = [j for j in self.columns if j in values]
        absent = [self.names[j] for j in wanted if j not in parents]
        if absent:
            raise InvalidInputError(f"parents lacks the columns {absent}; hand in all columns that values holds.")
        held, gaps = _gathered(wanted, values, missing)
        held = {j: cells.copy() for j, cells in held.items()}
        origin, origin_gaps = _gathered(wanted, parents, parents_missing)
        rules = self._within(held)
        for cause in _causes_first([rule for rule in rules if not isinstance(rule, OrderRule)]):
            _follow(cause, held, gaps)
        taken = {j: np.zeros(_n_rows(values), dtype=bool) for j in wanted}
        changed = True
        while changed:
            changed = False
            for rule in rules:
                rows = np.flatnonzero(_fails(rule, held, gaps))
                if not rows.size:
                    continue
                changed = True
                first, second = rule.pair
                if (taken[first] & taken[second])[rows].any():
                    raise InvalidInputError(
                        f"the rule {rule.words(self.names)} is broken by rows of parents; they must be rows of the table in "
                        "which the rules were found."
                    )
                for j in rule.pair:
                    held[j][rows], gaps[j][rows], taken[j][rows] = origin[j][rows], origin_gaps[j][rows], True
        repaired = dict(values)
        for j in wanted:
            lost = taken[j] & gaps[j]
            if lost.any():
                held[j][lost] = _blank(held[j].dtype)
            repaired[j] = held[j]
        return repaired

    def _within(self, held: Cells) -> list[PairRule]:
        """The rules both of whose columns are there."""
        return [rule for rule in self if all(j in held for j in rule.pair)]

    def to_state(self) -> dict[str, Any]:
        """The rules in strict JSON types."""
        return {
            "names": [label_to_json(name) for name in self.names],
            "orders": [[rule.low, rule.high] for rule in self.orders],
            "decides": [
                [rule.cause, rule.effect, list(map(label_to_json, rule.levels)), list(map(label_to_json, rule.results))]
                for rule in self.decides
            ],
            "lines": [
                [
                    rule.cause,
                    rule.effect,
                    label_to_json(rule.slope),
                    label_to_json(rule.intercept),
                    rule.decimals,
                    rule.unit,
                ]
                for rule in self.lines
            ],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Rules:
        """Rules from what `to_state` gave.

        Raises
        ------
        InvalidInputError
            Something is absent or of another type.
        """
        try:
            return cls(
                tuple(label_from_json(name) for name in state["names"]),
                tuple(OrderRule(int(low), int(high)) for low, high in state["orders"]),
                tuple(
                    DecidesRule(
                        int(cause),
                        int(effect),
                        tuple(map(label_from_json, levels)),
                        tuple(map(label_from_json, results)),
                    )
                    for cause, effect, levels, results in state["decides"]
                ),
                tuple(
                    LineRule(
                        int(cause), int(effect), label_from_json(slope), label_from_json(intercept), decimals, unit
                    )
                    for cause, effect, slope, intercept, decimals, unit in state["lines"]
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"these are not stored rules ({error!r}); the file is damaged.") from error


def deviates(cause: np.ndarray, effect: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Where ``effect`` is not on a line, to `LINE_TOLERANCE`; boolean array of shape (n,)."""
    scaled = slope * cause
    size = np.maximum(np.maximum(np.abs(scaled), np.abs(effect)), abs(intercept))
    return np.abs(effect - scaled - intercept) > LINE_TOLERANCE * size


def _n_rows(values: Cells) -> int:
    return len(next(iter(values.values()))) if values else 0


def _gathered(
    columns: Any, values: Cells, missing: Cells | None
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Cells and complete missing masks of the columns that are there."""
    held = {j: np.asarray(values[j]) for j in columns if j in values}
    gaps = {j: blank_labels(cells) for j, cells in held.items()}
    for j in gaps:
        if missing is not None and j in missing:
            gaps[j] = gaps[j] | missing[j]
    return held, gaps


def _fails(rule: PairRule, held: Cells, gaps: Cells) -> np.ndarray:
    return rule.violated(held) & ~gaps[rule.pair[0]] & ~gaps[rule.pair[1]]


def _follow(rule: LineRule | DecidesRule, held: dict[int, np.ndarray], gaps: Cells) -> None:
    """Write what the cause calls for into the effect, where the rule fails and the cause's level is known."""
    rows = _fails(rule, held, gaps)
    if rows.any():
        result, known = rule.computed(held)
        rows &= known
        held[rule.effect][rows] = result[rows]


def _causes_first(rules: list[LineRule | DecidesRule]) -> list[LineRule | DecidesRule]:
    """The rules in an order that respects chains; rules in a ring come as they are."""
    left, ordered = list(rules), []
    while left:
        effects = {rule.effect for rule in left}
        ready = [rule for rule in left if rule.cause not in effects] or left[:1]
        ordered += ready
        left = [rule for rule in left if not any(rule is one for one in ready)]
    return ordered


def _as_array(labels: tuple, dtype: np.dtype) -> np.ndarray:
    out = np.empty(len(labels), dtype=object)
    out[:] = labels  # of tuples np.array would make a second dimension
    return out.astype(dtype)


def _blank(dtype: np.dtype) -> Any:
    return None if dtype.kind == "O" else _NO_TIME if dtype.kind == "i" else np.nan
