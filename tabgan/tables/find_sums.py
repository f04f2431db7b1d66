"""`find_sums`: exact linear relations of two to four columns of numbers and times, with more evidence than chance gives."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from tabgan.tables.rule_search import EXPECTED_VIOLATIONS, FEWEST_ROWS, RuleSearch, level_counts
from tabgan.tables.sums import SumRule, error_allowed, is_tight, ticks_of
from tabgan.tables.written_times import WRITTEN

__all__ = ["find_sums"]

_MOST_COLUMNS = {2: 40, 3: 40, 4: 24}
"""By the size of a combination, among columns of which any may take part in a relation."""
_MOST_ROWS = 96
"""Of the sample, from which candidates come."""
_MOST_CANDIDATES = 2000
_SINGULAR = 1e-11
_FLAT = 1e-7
_TAME = (1e-100, 1e100)
_AT_ONCE = 4096
_SPARE_ROWS = 5
"""Different combinations of the causes' values beyond as many as any weights could be fitted to."""
_SHARE_OF_RAREST = 0.1
_DIGITS = (1, 2, 3, 4, 6, 9, 12)


def find_sums(search: RuleSearch, skipped: Collection[int] = ()) -> tuple[SumRule, ...]:
    """Find columns that are a constant and the weighted sum of two or three others in every row.

    Among dates written as whole numbers also of one other, since no line through the numbers says it.

    Parameters
    ----------
    search : RuleSearch
        The table.
    skipped : collection of int
        Columns that follow from one other already, or belong to one-hot groups.

    Returns
    -------
    tuple of SumRule
        None follows from the others. Evidence: 20 rows with all cells, five different rows more than weights could be fitted to, and
        ten rows that would break the rule if its effect were independent of the causes.

    Notes
    -----
    Every combination of up to four columns is tried on at most 96 rows: their moments are singular if a relation holds. Only columns
    that take part in some relation of any size are combined, where enough rows are complete to tell; in fours at most the first 24,
    else 40. The most singular ones are solved by least squares on up to 1,000 rows, weights are taken with as few digits as they
    need, and all rows must agree by `error_allowed`. The effect is a time where one takes part, else the column to which the others
    always give a value that it can hold, by weights of the fewest digits and signs.
    """
    units = {unit for j in search.columns if (unit := _unit_of(search, j)) is not None}
    found: list[SumRule] = []
    for unit in sorted(units) or (None,):
        columns = _Amounts(search, skipped, unit)
        mine = [rule for rule in found if set(rule.columns) <= set(columns.order)]
        for size in (2, 3, 4):
            smaller = [set(rule.columns) for rule in mine]
            chosen = [one for one in columns.singular(size) if not any(known <= set(one) for known in smaller)]
            relations = [rule for one in chosen if (rule := columns.relation(one)) is not None]
            for rule in sorted(relations, key=columns.awkwardness):  # of those that say the same together, the plainest
                if columns.is_new(rule, mine):
                    mine.append(rule)
        found = list(dict.fromkeys([*found, *mine]))
    return tuple(sorted(found, key=lambda rule: rule.columns))


def _unit_of(search: RuleSearch, j: int) -> tuple[str, bool] | None:
    """Times of the same one can be added up: unit, and whether the time zone is none."""
    column, written = search.columns[j], search.schema[j].written
    if written is not None:
        return WRITTEN[written].unit, True
    return None if column.unit is None else (column.unit, column.timezone is None)


class _Amounts:
    """Columns that can be added up, standardised on the sample: numbers, and times of one unit."""

    def __init__(self, search: RuleSearch, skipped: Collection[int], unit: tuple[str, bool] | None) -> None:
        self.search = search
        self.ticks: dict[int, np.ndarray] = {}
        for j in search.columns:
            mine = _unit_of(search, j)
            same = (
                mine is None or mine == unit or (search.schema[j].family == "timedelta" and mine[0] == (unit or "")[0])
            )
            if j not in skipped and same and self._may_take_part(j):
                self.ticks[j] = ticks_of(search.values[j], search.schema[j].written)
        self.order = list(self.ticks)
        rows = search.sample[:_MOST_ROWS]
        self._seen = np.zeros((len(rows), len(self.order)))
        self._scaled = np.zeros((len(rows), len(self.order)))
        for place, j in enumerate(self.order):
            seen = search.observed[j][rows]
            numbers = self._numbers(j, rows)
            spread = numbers[seen].std() if seen.any() else 0.0
            self._seen[:, place] = seen
            self._scaled[seen, place] = (numbers[seen] - numbers[seen].mean()) / (spread or 1.0)
        self._suspects = self._dependent()

    def _dependent(self) -> list[int]:
        """Places of the columns that take part in some relation of any size; all of them where too few rows are complete to say."""
        rows = self.search.sample[
            np.logical_and.reduce([self.search.observed[j][self.search.sample] for j in self.order] or [False])
        ]
        everything = list(range(len(self.order)))
        if len(rows) < 2 * len(self.order) + 10:
            return everything
        cells = np.column_stack([self._numbers(j, rows) for j in self.order])
        spreads = cells.std(axis=0)
        cells = np.column_stack(
            [(cells - cells.mean(axis=0)) / np.where(spreads > 0, spreads, 1.0), np.ones(len(rows))]
        )
        sizes, directions = np.linalg.svd(cells, full_matrices=False)[1:]
        flat = np.abs(directions[sizes < _FLAT * sizes[0]])
        return [place for place in everything if (flat[:, place] > _FLAT).any()]

    def _may_take_part(self, j: int) -> bool:
        known, values = self.search.schema[j], self.search.values[j]
        if known.kind in ("categorical", "ordinal") or known.family not in ("number", "datetime", "timedelta"):
            return False
        if known.family == "number" and values.dtype.kind != "f":
            return False  # beyond what float64 adds up exactly
        largest = float(np.abs(values[self.search.observed[j]].astype(np.float64)).max())
        if not _TAME[0] < largest < _TAME[1]:
            return False  # squares of these are none
        counts = level_counts(self.search.codes[j][self.search.observed[j]])
        return len(counts) > 2 or counts.min() >= _SHARE_OF_RAREST * counts.sum()

    def is_time(self, j: int) -> bool:
        return self.ticks[j].dtype.kind == "i"

    def is_moment(self, j: int) -> bool:
        """Whether it is a time that can only be shifted, not added to another."""
        return self.search.schema[j].kind == "datetime"

    def _numbers(self, j: int, rows: np.ndarray) -> np.ndarray:
        """Ticks as floats, from where the column's own begin."""
        ticks = self.ticks[j]
        return (ticks[rows] - (ticks[self.search.observed[j]].min() if self.is_time(j) else 0)).astype(np.float64)

    def singular(self, size: int) -> Iterator[tuple[int, ...]]:
        """Combinations of so many columns whose moments with a constant are singular, the most singular first."""
        suspects = self._suspects[: _MOST_COLUMNS[size]]
        places = [chosen for chosen in combinations(suspects, size) if size > 2 or self._written(chosen)]
        found: list[tuple[float, tuple[int, ...]]] = []
        for start in range(0, len(places), _AT_ONCE):
            chosen = np.array(places[start : start + _AT_ONCE])
            both = self._seen[:, chosen].prod(axis=2)
            cells = np.concatenate([self._scaled[:, chosen], np.ones((*both.shape, 1))], axis=2) * both[:, :, None]
            moments = cells.transpose(1, 2, 0) @ cells.transpose(1, 0, 2)
            sizes = np.sqrt(np.einsum("kii->ki", moments)).clip(1e-12)
            determinants = np.linalg.det(moments / sizes[:, :, None] / sizes[:, None, :])
            usable = (np.abs(determinants) < _SINGULAR) & (both.sum(axis=0) > size + 1)
            found += [(abs(determinants[k]), tuple(chosen[k])) for k in np.flatnonzero(usable)]
        found.sort()
        for _, best in found[:_MOST_CANDIDATES]:
            yield tuple(self.order[place] for place in best)

    def _written(self, places: tuple[int, ...]) -> bool:
        return all(self.search.schema[self.order[place]].written is not None for place in places)

    def relation(self, chosen: tuple[int, ...]) -> SumRule | None:
        """The relation that these columns obey in all rows; None where there is none, or no evidence."""
        rows = np.flatnonzero(np.logical_and.reduce([self.search.observed[j] for j in chosen]))
        sample = self.search.sample[np.isin(self.search.sample, rows)]
        if len(rows) < FEWEST_ROWS or len(sample) <= len(chosen) + 1:
            return None
        rules = []
        for effect in chosen:
            if self._may_be_effect(effect, chosen):
                rules.append(self._solved(effect, tuple(j for j in chosen if j != effect), sample, rows))
        ranked = sorted((self.awkwardness(rule), k) for k, rule in enumerate(rules) if rule is not None)
        rule = rules[ranked[0][1]] if ranked else None
        return rule if rule is not None and self._has_evidence(rule, rows) else None

    def _may_be_effect(self, j: int, chosen: tuple[int, ...]) -> bool:
        if self.search.schema[j].kind in ("boolean", "coded"):
            return False
        moments = [one for one in chosen if self.is_moment(one)]
        times = [one for one in chosen if self.is_time(one)]
        return j in (moments or times or chosen)

    def _solved(self, effect: int, causes: tuple[int, ...], sample: np.ndarray, rows: np.ndarray) -> SumRule | None:
        design = np.column_stack([*(self._numbers(j, sample) for j in causes), np.ones(len(sample))])
        wanted = self._numbers(effect, sample)
        sizes = np.abs(design).max(axis=0)
        if not sizes.all() or not np.ptp(wanted):
            return None
        fit = np.linalg.lstsq(design / sizes, wanted, rcond=None)
        if fit[2] < design.shape[1]:
            return None
        weights = fit[0] / sizes
        scale = max(float(np.abs(wanted).max()), float(np.abs(weights * sizes).max()))
        if np.abs(design @ weights - wanted).max() > 1e-7 * scale:
            return None
        spreads = np.ptp(design[:, :-1], axis=0) * np.abs(weights[:-1])
        if (spreads < 1e-6 * np.ptp(wanted)).any():
            return None
        return self._exact(effect, causes, weights[:-1], rows)

    def _exact(self, effect: int, causes: tuple[int, ...], weights: np.ndarray, rows: np.ndarray) -> SumRule | None:
        """The rule with weights of as few digits as all rows allow."""
        schema, is_time = self.search.schema, self.is_time(effect)
        moments = [w for j, w in zip(causes, weights, strict=True) if self.is_moment(j)]
        if moments and abs(sum(moments) - self.is_moment(effect)) > 1e-6:
            return None  # dates cannot be added, only compared
        ticks = {j: self.ticks[j][rows] for j in (effect, *causes)}
        ways = tuple(schema[j].written for j in (effect, *causes))
        for digits in _DIGITS:
            short = tuple(float(f"{w:.{digits}g}") for w in weights)
            if is_time:
                short = tuple(float(round(w)) for w in short)
                if not all(short) or any(abs(w) != 1 for j, w in zip(causes, short, strict=True) if self.is_time(j)):
                    continue
            rule = SumRule(
                effect,
                causes,
                short,
                0,
                ticks[effect].min().item(),
                ticks[effect].max().item(),
                None if is_time else schema[effect].decimals,
                self._unit(effect) if is_time else None,
                ways if any(ways) else (),
            )
            rule = self._with_constant(rule, ticks)
            if (
                rule.holds(ticks).all()
                and is_tight(rule.total(ticks) - ticks[effect], ticks[effect])
                and not rule.violated({j: self.search.values[j][rows] for j in rule.columns}).any()
            ):
                return rule
        return None

    def _unit(self, j: int) -> str:
        written = self.search.schema[j].written
        return WRITTEN[written].unit if written is not None else str(self.search.columns[j].unit)

    @staticmethod
    def _with_constant(rule: SumRule, ticks: dict[int, np.ndarray]) -> SumRule:
        left = ticks[rule.effect] - replace(rule, decimals=None).total(ticks)
        if rule.unit is not None:
            return replace(rule, constant=int(left[0]))
        middle = float(np.median(left))
        largest = max(float(np.abs(ticks[j]).max()) for j in rule.columns)
        decimals = 9 if rule.decimals is None else min(rule.decimals + 3, 9)
        constant = 0.0 if abs(middle) <= error_allowed(largest, rule.decimals) else round(middle, decimals)
        return replace(rule, constant=constant)

    def awkwardness(self, rule: SumRule) -> tuple[float, ...]:
        """Less is better: causes that need not give a value of the effect's column, digits, signs."""
        digits = max(len(f"{abs(w):.12g}") for w in (*rule.weights, rule.constant)) if rule.unit is None else 0
        return self._off_grid(rule), digits, sum(w < 0 for w in rule.weights), -rule.effect

    def _off_grid(self, rule: SumRule) -> int:
        """Causes whose values need not give a value that the effect's column can hold."""
        finest = rule.decimals
        if rule.unit is not None or finest is None:
            return 0
        decimals = [self.search.schema[j].decimals for j in rule.causes]
        steps = [None if d is None else w * 10.0 ** (finest - d) for d, w in zip(decimals, rule.weights, strict=True)]
        return sum(step is None or abs(step - round(step)) > 1e-6 for step in steps)

    def _has_evidence(self, rule: SumRule, rows: np.ndarray) -> bool:
        if all(self.search.schema[j].kind == "boolean" for j in rule.columns):
            return False
        causes = np.column_stack([self.search.codes[j][rows] for j in rule.causes])
        n_parameters = len(rule.causes) + 1
        counts = level_counts(self.search.codes[rule.effect][rows])
        broken = (len(rows) - n_parameters) * (1 - ((counts / len(rows)) ** 2).sum())
        distinct = len(np.unique(causes, axis=0))
        return bool(len(counts) > 2 and distinct >= n_parameters + _SPARE_ROWS and broken >= EXPECTED_VIOLATIONS)

    def _spread(self, j: int) -> float:
        return float(np.ptp(self._numbers(j, np.flatnonzero(self.search.observed[j]))))

    def is_new(self, rule: SumRule, found: list[SumRule]) -> bool:
        """Whether it does not follow from those that were found."""
        vectors = np.zeros((len(found) + 1, len(self.order)))
        for k, one in enumerate([*found, rule]):
            for j, weight in zip(one.columns, (-1.0, *one.weights), strict=True):
                vectors[k, self.order.index(j)] = weight * self._spread(j)
        vectors /= np.abs(vectors).max(axis=1, keepdims=True)
        return bool(np.linalg.matrix_rank(vectors, tol=1e-6) == len(vectors))
