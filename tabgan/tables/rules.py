"""`find_rules`: which pairwise rules a table obeys in every row, with more evidence than chance gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from tabgan.exceptions import parameter_error
from tabgan.tables.columns import RawColumn, Table
from tabgan.tables.pair_rules import DecidesRule, LineRule, OrderRule, PairRule, Rules, deviates
from tabgan.tables.schema import ColumnSchema, infer_schema

__all__ = ["DecidesRule", "LineRule", "OrderRule", "PairRule", "Rules", "find_rules"]

_FEWEST_ROWS = 20
_EXPECTED_VIOLATIONS = 10.0
"""If columns were independent, a rule would be broken this often or more: it then holds by chance with e**-10 or less."""

_SAMPLE = 1000
_NEAR_KEY_LEVELS = 50

Edge = tuple[int, int]


@np.errstate(over="ignore", invalid="ignore")  # a line that leaves what a number can hold is none
def find_rules(table: Table, *, max_columns: int = 60) -> Rules:
    """Find the pairwise rules that every row of a table obeys.

    *Order*: ``x <= y``, numbers with numbers and times with times of the same kind and unit. *Decides*: every level of one column
    goes with one value of another (city and country); levels are at most half as many as rows. *Line*: ``y = c x + d`` to a
    relative 1e-9, or a constant shift between times. Rows where either cell is missing say nothing.

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
    >>> from tabgan.tables.frames import read_table
    >>> rng = np.random.default_rng(0)
    >>> city = rng.integers(0, 6, size=200)
    >>> paid = rng.gamma(2.0, size=200)
    >>> frame = pd.DataFrame({"city": [f"c{k}" for k in city], "country": city // 2, "paid": paid})
    >>> frame["owed"] = frame["paid"] + rng.gamma(1.0, size=200)
    >>> print(find_rules(read_table(frame)))
    `city` decides `country`
    `paid` <= `owed`
    """
    if not isinstance(max_columns, int | np.integer) or isinstance(max_columns, bool) or max_columns < 1:
        raise parameter_error("max_columns", max_columns, "an integer >= 1")
    schema = infer_schema(table).columns
    varying = [j for j, known in enumerate(schema) if known.kind not in ("empty", "constant")][:max_columns]
    search = _Search({j: table.columns[j] for j in varying})
    lines, followers = _lines(search, schema)
    decides = _decides(search, followers)
    return Rules(tuple(table.names), _orders(search, lines, decides, followers), decides, tuple(lines))


class _Search:
    """The columns' distinct rows as codes and values, and a sample of them."""

    def __init__(self, columns: dict[int, RawColumn]) -> None:
        self.columns = columns
        codes = {j: np.where(column.missing, -1, pd.factorize(column.values)[0]) for j, column in columns.items()}
        rows = _rows_to_read(codes, columns)
        self.codes = {j: code[rows] for j, code in codes.items()}
        self.observed = {j: code >= 0 for j, code in self.codes.items()}
        self.values = {j: column.values[rows] for j, column in columns.items()}
        self.n_rows = len(rows)
        drawn = np.random.default_rng(0).choice(self.n_rows, size=min(_SAMPLE, self.n_rows), replace=False)
        self.sample = np.sort(drawn)
        self.complete = {j for j in columns if self.observed[j].all()}

    def shared(self, first: int, second: int) -> np.ndarray:
        """Rows where both columns are observed."""
        return np.flatnonzero(self.observed[first] & self.observed[second])

    def comparable(self, first: int, second: int) -> bool:
        """Whether values of the two columns can be told larger and smaller."""
        a, b = self.columns[first], self.columns[second]
        if a.family != b.family or a.family not in ("number", "datetime", "timedelta"):
            return False
        return a.unit == b.unit and (a.timezone is None) == (b.timezone is None)


def _rows_to_read(codes: dict[int, np.ndarray], columns: dict[int, RawColumn]) -> np.ndarray:
    """All rows, or without repeats of whole rows where some numbers or times are nearly a key of the others."""
    if not codes:
        return np.zeros(0, dtype=int)
    repeats = pd.DataFrame(codes).duplicated().to_numpy()
    distinct = np.flatnonzero(~repeats)
    for j, column in columns.items():
        n_levels = int(codes[j].max()) + 1
        keyed = column.family in ("number", "datetime", "timedelta") and n_levels > _NEAR_KEY_LEVELS
        if keyed and 2 * n_levels > len(distinct):
            return distinct
    return np.arange(len(repeats))


def _lines(search: _Search, schema: Sequence[ColumnSchema]) -> tuple[list[LineRule], dict[int, int]]:
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
    return sorted(rules, key=lambda rule: rule.pair), root_of


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


def _line(search: _Search, cause: int, effect: int, decimals: int | None) -> LineRule | None:
    rows = search.sample[search.observed[cause][search.sample] & search.observed[effect][search.sample]]
    if not _on_line(search, cause, effect, rows):
        return None
    rows = search.shared(cause, effect)
    line = _on_line(search, cause, effect, rows)
    counts = _level_counts(search.codes[cause][rows])
    if line is None or len(rows) < _FEWEST_ROWS or len(counts) < 3:
        return None
    if len(rows) * (1 - ((counts / len(rows)) ** 2).sum()) < _EXPECTED_VIOLATIONS:
        return None
    slope, intercept = line
    return LineRule(cause, effect, slope, intercept, decimals, search.columns[cause].unit)


def _on_line(search: _Search, cause: int, effect: int, rows: np.ndarray) -> tuple[float, float] | None:
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
        if np.isfinite(candidate).all() and not deviates(x, y, *candidate).any():
            return candidate
    return None


def _decides(search: _Search, followers: dict[int, int]) -> tuple[DecidesRule, ...]:
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


def _decided(search: _Search, cause: int, effect: int) -> bool:
    a, b = search.codes[cause], search.codes[effect]
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
    if len(a) < _FEWEST_ROWS:
        return False
    n_levels, shares = len(_level_counts(a)), _level_counts(b) / len(b)
    differing = (len(a) - n_levels) * (1 - (shares**2).sum())
    return bool(2 * n_levels <= len(a) and differing >= _EXPECTED_VIOLATIONS)


def _level_counts(codes: np.ndarray) -> np.ndarray:
    counts = np.bincount(codes)
    return counts[counts > 0]


def _pairs(search: _Search, cause: int, effect: int) -> DecidesRule:
    rows = search.shared(cause, effect)
    _, first = np.unique(search.codes[cause][rows], return_index=True)
    first = rows[np.sort(first)]
    return DecidesRule(
        cause, effect, tuple(search.values[cause][first].tolist()), tuple(search.values[effect][first].tolist())
    )


def _orders(
    search: _Search, lines: Iterable[LineRule], decides: Iterable[DecidesRule], followers: dict[int, int]
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
    known = {rule.pair for rule in decides}
    return tuple(
        OrderRule(low, high)
        for low, high in _reduced(found, search.complete)
        if not _reaches(low, high, known, search.complete) and not _reaches(high, low, known, search.complete)
    )


def _ordered(search: _Search, low: int, high: int) -> bool:
    sample = search.sample
    seen = search.observed[low][sample] & search.observed[high][sample]
    small, large = search.values[low][sample][seen], search.values[high][sample][seen]
    if (small > large).any():
        return False
    rows = search.shared(low, high)
    if len(rows) < _FEWEST_ROWS or (search.values[low][rows] > search.values[high][rows]).any():
        return False
    if not len(small):
        small, large = search.values[low][rows], search.values[high][rows]
    chance = np.searchsorted(np.sort(large), small, side="left").sum() / (len(small) * len(large))
    return bool(len(rows) * chance >= _EXPECTED_VIOLATIONS)


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
