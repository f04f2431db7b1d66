"""`find_rules`: which rules a table obeys in every row, with more evidence than chance gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tabgan.exceptions import parameter_error
from tabgan.tables.columns import Table
from tabgan.tables.find_sums import find_sums
from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.pair_rules import DecidesRule, LineRule, OrderRule, deviates
from tabgan.tables.rule_search import EXPECTED_VIOLATIONS, FEWEST_ROWS, RuleSearch, level_counts
from tabgan.tables.rule_set import Rule, Rules
from tabgan.tables.schema import TableSchema, infer_schema
from tabgan.tables.sums import SumRule, is_tight

__all__ = ["DecidesRule", "LineRule", "OrderRule", "Rule", "Rules", "SumRule", "find_rules"]

Edge = tuple[int, int]


@np.errstate(over="ignore", invalid="ignore")  # a line that leaves what a number can hold is none
def find_rules(
    table: Table, *, max_columns: int = 60, schema: TableSchema | None = None, amounts_only: bool = False
) -> Rules:
    """Find the rules that every row of a table obeys.

    *Order*: ``x <= y``, or ``x < y`` where no row has both equal; numbers with numbers and times with times of the same kind and
    unit. *Decides*: every level of one column goes with one value of another (city and country); levels are at most half as many
    as rows. *Line*: ``y = c x + d`` to a relative 1e-9, or a constant shift between times. *Sum*: one column from two or three
    others likewise (`tabgan.tables.find_sums`). Rows where a cell is missing say nothing.

    A rule needs evidence: 20 rows with both cells, and at least 10 of them that would be expected to break it if the columns were
    independent with the same values (so bounds that do not overlap, or a rare level that happens to fit, give no rule). The set is
    minimal: what follows from other rules through a column without gaps is left out, of columns that decide each other the
    first counts as the cause, and columns on one line all follow the one with the coarsest grid.

    Parameters
    ----------
    table : Table
        From `read_table`.
    max_columns : int, default=60
        Only so many columns are looked at, the first ones that vary.
    schema : TableSchema, default=None
        What the columns are; None infers it.
    amounts_only : bool, default=False
        Leave out what one column decides of another.

    Returns
    -------
    Rules

    Raises
    ------
    InvalidParameterError
        ``max_columns`` is not an integer >= 1.

    Notes
    -----
    Candidates come from 1,000 rows drawn with a fixed seed and are then confirmed on all rows. Rows that repeat an earlier row in
    full are left out where a column of numbers or times is nearly a key: copies of rows make every pair of columns look like a
    rule. Found rules hold in the table, not in the world; print them.

    Examples
    --------
    >>> import pandas as pd
    >>> from tabgan.tables.frames import read_table
    >>> rng = np.random.default_rng(0)
    >>> city = rng.integers(0, 6, size=200)
    >>> paid = rng.gamma(2.0, size=200)
    >>> frame = pd.DataFrame({"city": [f"c{k}" for k in city], "country": city // 2, "paid": paid})
    >>> frame["owed"] = frame["paid"] + rng.gamma(1.0, size=200)
    >>> print(find_rules(read_table(frame)))
    `city` decides `country`
    `paid` < `owed`
    """
    if not isinstance(max_columns, int | np.integer) or isinstance(max_columns, bool) or max_columns < 1:
        raise parameter_error("max_columns", max_columns, "an integer >= 1")
    schema = infer_schema(table) if schema is None else schema
    search = RuleSearch({j: table.columns[j] for j in schema.encoded[:max_columns]}, schema.columns)
    lines, followers = _lines(search, schema.columns)
    decides = () if amounts_only else _decides(search, followers)
    indicators = {j for group in schema.indicator_groups for j in group.columns}
    sums = find_sums(search, skipped=indicators | set(followers))
    return Rules(tuple(table.names), _orders(search, lines, decides, followers), decides, tuple(lines), sums)


def _lines(search: RuleSearch, schema: Sequence[ColumnSchema]) -> tuple[list[LineRule], dict[int, int]]:
    """Lines from each group's coarsest column to the others, and for every follower its root."""
    rules: list[LineRule] = []
    root_of: dict[int, int] = {}
    steps = {j: _grid_steps(schema[j]) for j in search.columns}
    for cause in sorted(search.columns, key=lambda j: (steps[j], j)):
        if cause in root_of:
            continue
        for effect in search.columns:
            if effect == cause or effect in root_of or effect in root_of.values():
                continue
            if (steps[effect], effect) < (steps[cause], cause) or not search.comparable(cause, effect):
                continue
            rule = _line(search, cause, effect, schema[effect].decimals)
            if rule is not None and (_is_same(rule) or not (schema[cause].written or schema[effect].written)):
                rules.append(rule)
                root_of[effect] = cause
    return sorted(rules, key=lambda rule: rule.columns), root_of


def _is_same(rule: LineRule) -> bool:
    """Whether one column repeats the other; of dates written as numbers, where days are no even steps, all that a line can say."""
    return (rule.slope, rule.intercept) == (1.0, 0.0)


def _grid_steps(known: ColumnSchema) -> float:
    """How many values the column's range has room for: of two columns on a line, all values of the coarser reach the other."""
    if known.lower is None or known.upper is None:
        return np.inf
    width = float(known.upper) - float(known.lower)
    if known.kind in ("datetime", "timedelta"):
        return width
    return np.inf if known.decimals is None else width * 10.0**known.decimals


def _line(search: RuleSearch, cause: int, effect: int, decimals: int | None) -> LineRule | None:
    rows = search.sample[search.observed[cause][search.sample] & search.observed[effect][search.sample]]
    if not _on_line(search, cause, effect, rows, decimals):
        return None
    rows = search.shared(cause, effect)
    line = _on_line(search, cause, effect, rows, decimals)
    counts = level_counts(search.codes[cause][rows])
    if line is None or len(rows) < FEWEST_ROWS or len(counts) < 3:
        return None
    if len(rows) * (1 - ((counts / len(rows)) ** 2).sum()) < EXPECTED_VIOLATIONS:
        return None
    slope, intercept = line
    return LineRule(cause, effect, slope, intercept, decimals, search.columns[cause].unit)


def _on_line(
    search: RuleSearch, cause: int, effect: int, rows: np.ndarray, decimals: int | None
) -> tuple[float, float] | None:
    """Slope and intercept through all ``rows``; None where there are none."""
    if not len(rows):
        return None
    x, y = search.values[cause][rows], search.values[effect][rows]
    if search.columns[cause].unit is not None:
        shift = int(y[0]) - int(x[0])
        return (1.0, shift) if (y - x == shift).all() else None
    low, high = int(np.argmin(x)), int(np.argmax(x))
    if x[low] == x[high] or y[low] == y[high]:
        return None
    slope = float((y[high] - y[low]) / (x[high] - x[low]))
    intercept = float(y[low] - slope * x[low])
    # 1.8 and 32, where the division says 1.7999999999999998, so that results lie on the effect's decimals.
    short = float(f"{slope:.12g}")
    for candidate in ((short, round(float(y[low] - short * x[low]), 9)), (slope, intercept)):
        if not np.isfinite(candidate).all() or deviates(x, y, *candidate, decimals).any():
            continue
        if is_tight(candidate[0] * x + candidate[1] - y, y):
            return candidate
    return None


def _decides(search: RuleSearch, followers: dict[int, int]) -> tuple[DecidesRule, ...]:
    """What decides what, less what follows from the rest."""
    found: list[Edge] = []
    # A follower of a line takes part through its root, unless the root has gaps.
    skipped = {j for j, root in followers.items() if root in search.complete}
    for cause in search.columns:
        if cause in skipped:
            continue
        for effect in search.columns:
            if effect != cause and effect not in skipped and not _same_line(cause, effect, followers):
                if (effect, cause) in found and effect < cause:
                    continue
                if _decided(search, cause, effect):
                    found.append((cause, effect))
    kept = _reduced(found, search.complete)
    return tuple(_pairs(search, cause, effect) for cause, effect in kept)


def _same_line(first: int, second: int, followers: dict[int, int]) -> bool:
    return followers.get(first, first) == followers.get(second, second)


def _decided(search: RuleSearch, cause: int, effect: int) -> bool:
    a, b = search.codes[cause], search.codes[effect]
    n_seen = search.n_rows - search.n_missing[cause]
    if 2 * (search.n_levels[cause] - search.n_missing[effect]) > n_seen:  # as `_has_evidence` would find in time
        return False
    if not _single_valued(a[search.sample], b[search.sample]) or not _single_valued(a, b):
        return False
    rows = search.shared(cause, effect)
    return _has_evidence(a[rows], b[rows])


def _single_valued(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether rows with the same code in ``a`` have the same in ``b``; -1 says nothing."""
    both = (a >= 0) & (b >= 0)
    a, b = a[both], b[both]
    last = np.empty(int(a.max(initial=0)) + 1, dtype=b.dtype)
    last[a] = b
    return bool((last[a] == b).all())


def _has_evidence(a: np.ndarray, b: np.ndarray) -> bool:
    """Rows beyond each level's first, times the chance that they would differ from it under independence."""
    if len(a) < FEWEST_ROWS:
        return False
    n_levels, shares = len(level_counts(a)), level_counts(b) / len(b)
    differing = (len(a) - n_levels) * (1 - (shares**2).sum())
    return bool(2 * n_levels <= len(a) and differing >= EXPECTED_VIOLATIONS)


def _pairs(search: RuleSearch, cause: int, effect: int) -> DecidesRule:
    rows = search.shared(cause, effect)
    _, first = np.unique(search.codes[cause][rows], return_index=True)
    first = rows[np.sort(first)]
    return DecidesRule(
        cause, effect, tuple(search.values[cause][first].tolist()), tuple(search.values[effect][first].tolist())
    )


def _orders(
    search: RuleSearch, lines: Iterable[LineRule], decides: Iterable[DecidesRule], followers: dict[int, int]
) -> tuple[OrderRule, ...]:
    """All orders that hold, less what follows from the rest and what lines and pairs of levels say already."""
    twins = {rule.effect for rule in lines if rule.slope == 1 and rule.intercept == 0 and rule.cause in search.complete}
    found: list[Edge] = []
    for low in search.columns:
        for high in search.columns:
            if low == high or not search.comparable(low, high) or _same_line(low, high, followers):
                continue
            if not {low, high} & twins and _ordered(search, low, high):
                found.append((low, high))
    known = {(rule.cause, rule.effect) for rule in decides}
    return tuple(
        OrderRule(low, high, strict=_never_equal(search, low, high))
        for low, high in _reduced(found, search.complete)
        if not _reaches(low, high, known, search.complete) and not _reaches(high, low, known, search.complete)
    )


def _ordered(search: RuleSearch, low: int, high: int) -> bool:
    sample = search.sample
    seen = search.observed[low][sample] & search.observed[high][sample]
    small, large = search.values[low][sample][seen], search.values[high][sample][seen]
    if (small > large).any():
        return False
    rows = search.shared(low, high)
    if len(rows) < FEWEST_ROWS or (search.values[low][rows] > search.values[high][rows]).any():
        return False
    if not len(small):
        small, large = search.values[low][rows], search.values[high][rows]
    chance = np.searchsorted(np.sort(large), small, side="left").sum() / (len(small) * len(large))
    return bool(len(rows) * chance >= EXPECTED_VIOLATIONS)


def _never_equal(search: RuleSearch, low: int, high: int) -> bool:
    rows = search.shared(low, high)
    return not (search.values[low][rows] == search.values[high][rows]).any()


def _reduced(edges: list[Edge], complete: set[int]) -> list[Edge]:
    """Drop each edge that a path of the others stands for; only columns without gaps carry a path."""
    kept = set(edges)
    for start, end in sorted(edges, key=lambda edge: (abs(edge[1] - edge[0]), edge), reverse=True):
        if _reaches(start, end, kept - {(start, end)}, complete):
            kept.discard((start, end))
    return sorted(kept)


def _reaches(start: int, end: int, edges: set[Edge], complete: set[int]) -> bool:
    onward: dict[int, list[int]] = {}
    for first, second in edges:
        onward.setdefault(first, []).append(second)
    waiting, seen = [start], {start}
    while waiting:
        here = waiting.pop()
        for there in onward.get(here, []):
            if there == end:
                return True
            if there in complete and there not in seen:
                seen.add(there)
                waiting.append(there)
    return False
