"""What a table always obeys, together: read, stored, and kept in rows made from it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabgan.exceptions import InvalidInputError
from tabgan.tables.columns import blank_labels
from tabgan.tables.labels import label_from_json, label_to_json
from tabgan.tables.pair_rules import DecidesRule, LineRule, OrderRule
from tabgan.tables.sums import SumRule

__all__ = ["Rule", "Rules"]

_NO_TIME = np.iinfo(np.int64).min

Cells = Mapping[int, np.ndarray]

Rule = OrderRule | DecidesRule | LineRule | SumRule


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
    sums : tuple of SumRule, default=()

    Notes
    -----
    A missing cell takes part in no rule. Cells of numbers are missing where they are nan, labels where they are None, times where
    they are ``numpy.iinfo("int64").min``; a mask may say more (`RawColumn.values` of times is 0 where they are missing).
    """

    names: tuple[Hashable, ...]
    orders: tuple[OrderRule, ...] = ()
    decides: tuple[DecidesRule, ...] = ()
    lines: tuple[LineRule, ...] = ()
    sums: tuple[SumRule, ...] = ()

    def __iter__(self) -> Iterator[Rule]:
        yield from self.lines
        yield from self.sums
        yield from self.decides
        yield from self.orders

    def __len__(self) -> int:
        return len(self.orders) + len(self.decides) + len(self.lines) + len(self.sums)

    def __str__(self) -> str:
        return "\n".join(self.words()) if len(self) else "no rules"

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of the columns that some rule names, ascending."""
        return tuple(sorted({j for rule in self for j in rule.columns}))

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
        """Change synthetic rows, as little as the rules allow, so that none breaks a rule.

        First what one column decides or computes is set from its cause, causes before effects. Where a rule is still broken
        (an order, a level never seen, a value off the effect's decimals or range, two causes at odds) all its columns take the values
        of the row's parent, and so on for the rules that this breaks. The parent obeys every rule, so this ends, at the latest with
        all connected columns from the parent; no row is rejected.

        Parameters
        ----------
        values : dict of int to ndarray of shape (n,)
            Made cells by column position, as in `RawColumn.values`. Never modified.
        parents : dict of int to ndarray of shape (n,)
            For each synthetic row the cells of a row of the table that the rules come from.
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
                if np.logical_and.reduce([taken[j][rows] for j in rule.columns]).any():
                    raise InvalidInputError(
                        f"the rule {rule.words(self.names)} is broken by rows of parents; they must be rows of the table in "
                        "which the rules were found."
                    )
                for j in rule.columns:
                    held[j][rows], gaps[j][rows], taken[j][rows] = origin[j][rows], origin_gaps[j][rows], True
        repaired = dict(values)
        for j in wanted:
            lost = taken[j] & gaps[j]
            if lost.any():
                held[j][lost] = _blank(held[j].dtype)
            repaired[j] = held[j]
        return repaired

    def _within(self, held: Cells) -> list[Rule]:
        """The rules all of whose columns are there."""
        return [rule for rule in self if all(j in held for j in rule.columns)]

    def to_state(self) -> dict[str, Any]:
        """The rules in strict JSON types."""
        return {
            "names": [label_to_json(name) for name in self.names],
            "orders": [[rule.low, rule.high, rule.strict] for rule in self.orders],
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
            "sums": [
                {
                    "effect": rule.effect,
                    "causes": list(rule.causes),
                    "weights": list(map(label_to_json, rule.weights)),
                    "constant": label_to_json(rule.constant),
                    "range": [label_to_json(rule.lower), label_to_json(rule.upper)],
                    "decimals": rule.decimals,
                    "unit": rule.unit,
                    "written": list(rule.written),
                }
                for rule in self.sums
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
                tuple(OrderRule(int(low), int(high), *strict) for low, high, *strict in state["orders"]),
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
                tuple(_sum_from_state(stored) for stored in state.get("sums", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"these are not stored rules ({error!r}); the file is damaged.") from error


def _sum_from_state(stored: Mapping[str, Any]) -> SumRule:
    lower, upper = map(label_from_json, stored["range"])
    return SumRule(
        int(stored["effect"]),
        tuple(map(int, stored["causes"])),
        tuple(map(label_from_json, stored["weights"])),
        label_from_json(stored["constant"]),
        lower,
        upper,
        decimals=stored["decimals"],
        unit=stored["unit"],
        written=tuple(stored["written"]),
    )


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


def _fails(rule: Rule, held: Cells, gaps: Cells) -> np.ndarray:
    return rule.violated(held) & ~np.logical_or.reduce([gaps[j] for j in rule.columns])


def _follow(rule: LineRule | DecidesRule | SumRule, held: dict[int, np.ndarray], gaps: Cells) -> None:
    """Write what the cause calls for into the effect, where the rule fails and the cause's level is known."""
    rows = _fails(rule, held, gaps)
    if rows.any():
        result, known = rule.computed(held)
        rows &= known
        held[rule.effect][rows] = result[rows]


def _causes_first(rules: list[LineRule | DecidesRule | SumRule]) -> list[LineRule | DecidesRule | SumRule]:
    """The rules in an order that respects chains; rules in a ring come as they are."""
    left, ordered = list(rules), []
    while left:
        effects = {rule.effect for rule in left}
        ready = [rule for rule in left if effects.isdisjoint(rule.causes)] or left[:1]
        ordered += ready
        left = [rule for rule in left if not any(rule is one for one in ready)]
    return ordered


def _blank(dtype: np.dtype) -> Any:
    return None if dtype.kind == "O" else _NO_TIME if dtype.kind == "i" else np.nan
