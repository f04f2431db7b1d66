"""Fills that keep the rules of the table: orders, lines and sums, as far as observed cells let them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import permutations

import numpy as np

from tabgan.tables.columns import RawColumn
from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.pair_rules import LineRule, OrderRule
from tabgan.tables.rule_set import Rules
from tabgan.tables.slots import in_unit
from tabgan.tables.sums import SumRule
from tabgan.tables.value_grids import Grid

__all__ = ["keep_rules", "lean_of_orders"]

_MOST_STEPS = 100
_LARGEST = np.finfo(np.float64).max


def keep_rules(
    rules: Rules,
    schema: Sequence[ColumnSchema],
    columns: Sequence[RawColumn],
    fills: dict[int, np.ndarray],
    *,
    rounded: bool = True,
    settled: Collection[int] = (),
) -> None:
    """Change fills, as little as the rules allow, so that no completed row breaks an order, a line or a sum; in place.

    Where one cell of a line or sum is missing, its fill is what the others call for. Where several are, each moves by its share of
    what is left over, within its range. A fill that an order forbids becomes the nearest value that it allows. Rules come before
    the observed range, but not before the sign: where only a sign that a column of numbers or durations never had would keep a rule,
    the fill is the nearest observed value. Observed cells that contradict a rule stay as they are, and so does a fill that no value
    of its column can mend.

    Parameters
    ----------
    rules : Rules
        Of the table seen in ``fit``; what one column decides of another is passed over.
    schema : sequence of ColumnSchema
        Of its columns.
    columns : sequence of RawColumn
        Of the table to fill.
    fills : dict of int to ndarray
        By column, for its missing rows in order, in the representation and unit of the fitted column.
    rounded : bool, default=True
        Fills look like observed values.
    settled : collection of int, default=()
        Columns whose fills stay: one-hot groups come before orders.
    """
    held = _held(schema, columns)
    sums: list[SumRule] = [*(_as_sum(rule, schema) for rule in rules.lines), *rules.sums]
    sums = [rule for rule in sums if _can_be_kept(rule.columns, held, fills)]
    # Those that only some values can satisfy choose first.
    sums.sort(key=lambda rule: rule.unit is not None or all(abs(w) == 1 for w in rule.weights))
    orders = [rule for rule in rules.orders if _can_be_kept(rule.columns, held, fills)]
    named = sorted({j for rule in sums for j in rule.columns} | {j for order in orders for j in order.columns})
    if not named:
        return
    rows = np.flatnonzero(np.logical_or.reduce([held[j] for j in named]))
    cells = _Cells(named, rows, schema, columns, fills, rounded)
    for j in cells.known.keys() & set(settled):
        cells.known[j][:] = True
    _keep_orders(orders, cells)
    cells.ends = _room(orders, cells, up=True), _room(orders, cells, up=False)
    _keep_sums(sums, cells)
    for rule in sums:
        for j in rule.columns:
            cells.known[j][:] = True  # what orders still move must not break them again
    _keep_orders(orders, cells)
    cells.write_into(fills, columns)


def lean_of_orders(
    rules: Rules,
    schema: Sequence[ColumnSchema],
    columns: Sequence[RawColumn],
    fills: Mapping[int, np.ndarray],
    indicators: Collection[int],
) -> dict[int, np.ndarray]:
    """What observed cells say of missing indicators through orders: ``low <= x`` forbids a 1 where ``x`` is known to be 0.

    Parameters
    ----------
    rules, schema, columns, fills
        See `keep_rules`.
    indicators : collection of int
        Columns of 0 and 1.

    Returns
    -------
    dict of int to ndarray of float of shape (n,)
        For the indicators that orders name: -1 where they leave no room for a 1, 1 where they leave none for a 0, else 0.
    """
    held = _held(schema, columns)
    orders = [rule for rule in rules.orders if _can_be_kept(rule.columns, held, fills)]
    named = sorted({j for order in orders for j in order.columns})
    if set(named).isdisjoint(indicators):
        return {}
    rows = np.flatnonzero(np.logical_or.reduce([held[j] for j in named]))
    cells = _Cells(named, rows, schema, columns, fills, rounded=True)
    least, most = _room(orders, cells, up=True), _room(orders, cells, up=False)
    found = {}
    for j in set(named) & set(indicators):
        found[j] = np.zeros(len(columns[j].missing))
        found[j][rows] = (least[j] > 0) * 1.0 - (most[j] < 1)
    return found


def _held(schema: Sequence[ColumnSchema], columns: Sequence[RawColumn]) -> dict[int, np.ndarray]:
    """Missing masks; whole numbers beyond what float64 tells apart are left out, and stay as the encoder decoded them."""
    return {j: column.missing for j, column in enumerate(columns) if not _is_beyond_floats(schema[j])}


def _is_beyond_floats(known: ColumnSchema) -> bool:
    return known.family == "number" and any(isinstance(value, int) for value in (known.lower, *known.levels))


def _can_be_kept(members: Sequence[int], missing: Mapping[int, np.ndarray], fills: Mapping[int, np.ndarray]) -> bool:
    if not all(j in missing for j in members):
        return False
    return any(missing[j].any() for j in members) and all(j in fills or not missing[j].any() for j in members)


def _as_sum(rule: LineRule, schema: Sequence[ColumnSchema]) -> SumRule:
    effect = schema[rule.effect]
    grid = Grid(effect, rounded=True)
    return SumRule(
        rule.effect,
        (rule.cause,),
        (rule.slope,),
        rule.intercept,
        grid.lower,
        grid.upper,
        rule.decimals,
        rule.unit,
        (effect.written, schema[rule.cause].written) if effect.written else (),
    )


class _Cells:
    """Rows with gaps, in ticks, and which cells are settled."""

    def __init__(
        self,
        named: Sequence[int],
        rows: np.ndarray,
        schema: Sequence[ColumnSchema],
        columns: Sequence[RawColumn],
        fills: Mapping[int, np.ndarray],
        rounded: bool,
    ) -> None:
        self.rows = rows
        self.ends: tuple[dict[int, np.ndarray], dict[int, np.ndarray]] = {}, {}
        self.grids = {j: Grid(schema[j], rounded) for j in named}
        self.ticks: dict[int, np.ndarray] = {}
        self.known: dict[int, np.ndarray] = {}
        for j in named:
            column, known = columns[j], schema[j]
            own = (
                in_unit(column.values, column.unit, known.unit)
                if not column.all_missing
                else np.zeros(len(column.missing))
            )
            values = own.astype(np.float64 if known.family in ("number", "boolean") else np.int64)
            if column.missing.any():
                values[column.missing] = fills[j]
            self.ticks[j] = self.grids[j].ticks(values[rows])
            self.known[j] = ~column.missing[rows]

    def write_into(self, fills: dict[int, np.ndarray], columns: Sequence[RawColumn]) -> None:
        """Put the fills back where they came from."""
        for j, ticks in self.ticks.items():
            missing = columns[j].missing
            if missing.any():
                fills[j] = self.grids[j].values(self.grids[j].of_seen_sign(ticks))[missing[self.rows]]

    def within(self, j: int, rows: np.ndarray, ticks: np.ndarray) -> np.ndarray:
        """Values of the column in its range, and where orders let them be."""
        nearest, (least, most) = self.grids[j].nearest(ticks), self.ends
        return np.maximum(np.minimum(nearest, most[j][rows]), np.minimum(least[j], most[j])[rows])

    def at(self, rows: np.ndarray, members: Sequence[int]) -> dict[int, np.ndarray]:
        return {j: self.ticks[j][rows] for j in members}


def _keep_orders(orders: Sequence[OrderRule], cells: _Cells) -> None:
    """First nothing missing is left above what is known higher up in a chain, then each is raised above what lies below it."""
    ticks, known, grids = cells.ticks, cells.known, cells.grids
    named = sorted({j for rule in orders for j in rule.columns})
    if not any((rule.violated(ticks) & ~(known[rule.low] & known[rule.high])).any() for rule in orders):
        return
    most = _room(orders, cells, up=False)
    for rule in orders:
        low, high = ticks[rule.low], ticks[rule.high]
        rows = np.flatnonzero(rule.violated(ticks) & ~known[rule.low] & ~known[rule.high])
        middle = _like(low, high[rows] + (low[rows] - high[rows]) / 2)
        low[rows] = np.maximum(grids[rule.low].beyond(middle, up=False, strict=False), grids[rule.low].lower)
    for j in named:
        ticks[j] = np.minimum(ticks[j], most[j])
    for _ in orders:
        for rule in orders:
            least = grids[rule.high].beyond(ticks[rule.low], up=True, strict=rule.strict)
            ticks[rule.high] = np.where(known[rule.high], ticks[rule.high], np.maximum(ticks[rule.high], least))


def _room(orders: Sequence[OrderRule], cells: _Cells, *, up: bool) -> dict[int, np.ndarray]:
    """How low (``up``) or how high each cell can be for the sake of the known ones beyond it, and of its column's range.

    Parameters
    ----------
    orders : sequence of OrderRule
    cells : _Cells
    up : bool
        Lower ends, which known cells below push up; else upper ends.
    """
    known, grids, stricter = cells.known, cells.grids, np.maximum if up else np.minimum
    ends = {j: grid.lower if up else grid.upper for j, grid in grids.items()}
    found = {j: np.where(known[j], ticks, ends[j]) for j, ticks in cells.ticks.items()}
    for _ in orders:
        for rule in orders:
            pushed, by = (rule.high, rule.low) if up else (rule.low, rule.high)
            room = grids[pushed].beyond(found[by], up=up, strict=rule.strict)
            found[pushed] = np.where(known[pushed], found[pushed], stricter(found[pushed], room))
    return found


def _like(ticks: np.ndarray, moved: np.ndarray) -> np.ndarray:
    return np.rint(moved).astype(np.int64) if ticks.dtype.kind == "i" else moved


def _keep_sums(sums: Sequence[SumRule], cells: _Cells) -> None:
    """First what follows from known cells, over and over; then one sum in which several are missing, and so on."""
    progress, ends = bool(sums), cells.ends
    while progress:
        cells.ends = _room_of_sums(sums, ends, cells)
        progress = sum(_solve_single(rule, cells) for rule in sums) > 0
        progress = progress or _solve_jointly(sums, cells)
        progress = progress or any(
            _share_out(rule, sums, cells) for rule in sums
        )  # the first that has something to share out


@np.errstate(all="ignore")  # of huge numbers no bound is found
def _room_of_sums(
    sums: Sequence[SumRule], ends: tuple[dict[int, np.ndarray], dict[int, np.ndarray]], cells: _Cells
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Lower and upper ends of the missing numbers that leave room for the others of their sums within their ranges."""
    least, most = dict(ends[0]), dict(ends[1])
    for rule in [rule for rule in sums if rule.unit is None] * 2:
        low = {j: np.where(cells.known[j], cells.ticks[j], least[j]) for j in rule.columns}
        high = {j: np.where(cells.known[j], cells.ticks[j], most[j]) for j in rule.columns}
        factors = {j: _factor(rule, j) for j in rule.columns}
        smallest = {j: np.minimum(f * low[j], f * high[j]) for j, f in factors.items()}
        largest = {j: np.maximum(f * low[j], f * high[j]) for j, f in factors.items()}
        for j in rule.columns:
            others = [k for k in rule.columns if k != j]
            sizes = [np.sum([part[k] for k in others], axis=0) for part in (smallest, largest)]
            found = np.sort([(rule.constant - size) / factors[j] for size in sizes], axis=0)
            slack = 1e-9 * np.abs(found).max(axis=0)
            down = cells.grids[j].beyond(found[0] - slack, up=True, strict=False)
            up = cells.grids[j].beyond(found[1] + slack, up=False, strict=False)
            fits = ~cells.known[j] & (np.maximum(down, least[j]) <= np.minimum(up, most[j]))
            least[j] = np.where(fits, np.maximum(down, least[j]), least[j])
            most[j] = np.where(fits, np.minimum(up, most[j]), most[j])
    return least, most


def _n_open(rule: SumRule, cells: _Cells) -> np.ndarray:
    return np.sum([~cells.known[j] for j in rule.columns], axis=0)


def _solve_single(rule: SumRule, cells: _Cells) -> bool:
    """Fill the only missing cell of a sum; whether there was one."""
    single = _n_open(rule, cells) == 1
    for j in rule.columns:
        rows = np.flatnonzero(single & ~cells.known[j])
        if len(rows):
            solved = rule.solved(j, cells.at(rows, rule.columns))
            cells.ticks[j][rows] = cells.grids[j].holding(solved)
            cells.known[j][rows] = True
    return bool(single.any())


def _solve_jointly(sums: Sequence[SumRule], cells: _Cells) -> bool:
    """Fill numbers that several sums determine together, though none of them alone; whether there were any."""
    several = np.column_stack([_n_open(rule, cells) > 1 for rule in sums])
    named = sorted({j for rule in sums for j in rule.columns if cells.ticks[j].dtype.kind == "f"})
    rows = np.flatnonzero(several.sum(axis=1) > 1)
    if not len(rows) or not named:
        return False
    patterns = np.column_stack([several[rows], *(~cells.known[j][rows] for j in named)])
    solved = False
    for pattern in np.unique(patterns, axis=0):
        mine = rows[(patterns == pattern).all(axis=1)]
        chosen = [rule for rule, is_open in zip(sums, pattern, strict=False) if is_open and rule.unit is None]
        open_ones = [j for j, is_open in zip(named, pattern[len(sums) :], strict=True) if is_open]
        open_ones = [j for j in open_ones if any(j in rule.columns for rule in chosen)]
        factors = np.array([[_factor(rule, j) for j in open_ones] for rule in chosen])
        if len(chosen) < 2 or not factors.size:
            continue
        ticks = {j: np.where(cells.known[j][mine], cells.ticks[j][mine], 0.0) for rule in chosen for j in rule.columns}
        wanted = np.stack([rule.solved(rule.effect, ticks) - ticks[rule.effect] for rule in chosen])
        sizes, directions = np.linalg.svd(factors)[1:]
        rank = int((sizes > 1e-9 * sizes[0]).sum())
        free = np.abs(directions[rank:]).max(axis=0, initial=0.0) > 1e-9
        found = np.linalg.lstsq(factors, wanted, rcond=None)[0]
        for j, values in [(j, found[k]) for k, j in enumerate(open_ones) if not free[k]]:
            cells.ticks[j][mine] = cells.grids[j].holding(values)
            cells.known[j][mine] = True
            solved = True
    return solved


def _factor(rule: SumRule, column: int) -> float:
    """With which a column counts in effect less causes."""
    if column == rule.effect:
        return 1.0
    return -rule.weights[rule.causes.index(column)] if column in rule.causes else 0.0


def _share_out(rule: SumRule, sums: Sequence[SumRule], cells: _Cells) -> bool:
    """Move the missing cells of a sum until it holds; whether there were any.

    Where another sum waits for some of them too, one of these is settled alone: it leaves a solution for all.
    """
    several = _n_open(rule, cells) > 1
    if not several.any():
        return False
    others = {j: np.zeros(len(several), dtype=bool) for j in rule.columns}
    for other in sums:
        waiting = _n_open(other, cells) > 1
        for j in set(other.columns) & set(rule.columns) if other is not rule else ():
            others[j] |= waiting & ~cells.known[j]
    # Without its effect to make up for the rest, a sum of odd weights has few solutions in whole numbers: look for one at once.
    awkward = (rule.unit is None and any(abs(w) != 1 for w in rule.weights)) & cells.known[rule.effect]
    open_cells = np.column_stack([~cells.known[j] for j in rule.columns])
    shared = np.column_stack([others[j] & ~awkward for j in rule.columns])
    patterns = np.column_stack([open_cells, shared])
    for pattern in np.unique(patterns[several], axis=0):
        rows = np.flatnonzero(several & (patterns == pattern).all(axis=1))
        is_open, is_shared = pattern[: len(rule.columns)], pattern[len(rule.columns) :]
        movable = [j for j, one in zip(rule.columns, is_open, strict=True) if one]
        _settle(movable, rule, rows, cells)
        settled = [j for j, one in zip(rule.columns, is_shared, strict=True) if one][-1:] or movable
        for j in settled:
            cells.known[j][rows] = True
    return True


def _search(
    movable: list[int], rule: SumRule, at: np.ndarray, ticks: dict[int, np.ndarray], cells: _Cells, within: bool
) -> None:
    """Of pairs of whole numbers only some add up: step one up and down until the other is whole too, ``within`` ranges or not."""
    for first, second in permutations(movable, 2):
        of_first = cells.grids[first]
        up = down = ticks[first].copy()
        for _ in range(_MOST_STEPS):
            rows = np.flatnonzero(~rule.holds(ticks))
            if not len(rows) or of_first.is_free:
                break
            up, down = (of_first.beyond(one, up=way, strict=True) for one, way in ((up, True), (down, False)))
            for tried in (up, down):
                mine = {j: ticks[j][rows] for j in rule.columns}
                mine[first] = cells.within(first, at[rows], tried[rows]) if within else tried[rows]
                solved = rule.solved(second, mine)
                mine[second] = cells.within(second, at[rows], solved) if within else cells.grids[second].nearest(solved)
                fits = rule.holds(mine)
                for j in (first, second):
                    ticks[j][rows[fits]] = mine[j][fits]
                rows = rows[~fits]


def _settle(movable: list[int], rule: SumRule, rows: np.ndarray, cells: _Cells) -> None:
    """Move each by its share of what is left over, then let one after the other take the rest, within ranges if they allow it."""
    ticks = cells.at(rows, rule.columns)
    factors = {j: _factor(rule, j) for j in rule.columns}
    halves = {j: abs(factors[j]) * (float(cells.grids[j].upper) / 2 - float(cells.grids[j].lower) / 2) for j in movable}
    widest = min(max(halves.values()), _LARGEST) or 1.0  # squares of the widths themselves may be infinite
    widths = {j: min(half, _LARGEST) / widest for j, half in halves.items()}
    total = sum(width**2 for width in widths.values()) or 1.0
    left = (ticks[rule.effect] - rule.total(ticks)).astype(np.float64)
    for j in movable:
        moved = ticks[j] - _like(ticks[j], left * widths[j] ** 2 / total / factors[j])
        ticks[j] = _like(ticks[j], cells.within(j, rows, moved))
    # A cell that may hold few values goes first: the others can make up for it.
    ordered = sorted(movable, key=lambda j: (not len(cells.grids[j].listed), widths[j], j == rule.effect))
    for j in ordered:
        ticks[j] = np.where(rule.holds(ticks), ticks[j], cells.within(j, rows, rule.solved(j, ticks)))
    for within in (True, False):
        _search(movable, rule, rows, ticks, cells, within)
    for j in reversed(ordered):
        ticks[j] = np.where(rule.holds(ticks), ticks[j], cells.grids[j].nearest(rule.solved(j, ticks)))
    for j in movable:
        cells.ticks[j][rows] = ticks[j]
