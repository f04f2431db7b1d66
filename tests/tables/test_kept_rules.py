"""Fills moved by hand: orders up and down, sums shared out within ranges, and the next value that a column can hold."""

import numpy as np
import pandas as pd
import pytest

from tabgan.tables.frames import read_table
from tabgan.tables.kept_rules import keep_rules
from tabgan.tables.kinds import infer_column
from tabgan.tables.rules import LineRule, OrderRule, Rules, SumRule
from tabgan.tables.schema import infer_schema
from tabgan.tables.value_grids import Grid


def kept(rules: Rules, frame: pd.DataFrame, rows: pd.DataFrame, fills: dict, **options) -> list:
    """The rows of the first gap as completed, after the rules."""
    schema = infer_schema(read_table(frame)).columns
    columns = read_table(rows).columns
    fills = {j: np.asarray(values) for j, values in fills.items()}
    keep_rules(rules, schema, columns, fills, **options)
    done = []
    for j, column in enumerate(columns):
        values = column.values.copy()
        if column.missing.any():
            values = values.astype(np.result_type(values, fills[j]))
            values[column.missing] = fills[j]
        done.append(values.tolist())
    return done


WHOLE = pd.DataFrame({"x": np.arange(50), "y": np.arange(50) + 1, "z": 2 * np.arange(50) + 1})


def rows(**cells) -> pd.DataFrame:
    return pd.DataFrame({name: np.array(values, dtype=float) for name, values in cells.items()})


NONE = np.nan


def test_orders_move_what_is_missing():
    rules = Rules(("x", "y", "z"), orders=(OrderRule(0, 1, strict=True),))
    table = rows(x=[5, NONE, NONE, 9, 5], y=[NONE, 5, NONE, 3, NONE], z=[1, 1, 1, 1, 1])
    done = kept(rules, WHOLE, table, {0: [8.0, 20.0], 1: [5.0, 11.0, 8.0]})
    assert done[0] == [5, 4, 15, 9, 5]  # observed cells that contradict each other stay
    assert done[1] == [6, 5, 16, 3, 8]
    assert kept(Rules(("x", "y", "z"), orders=(OrderRule(0, 1),)), WHOLE, table[:1], {1: [2.0]})[1] == [5]


def test_a_chain_of_orders_holds():
    rules = Rules(("x", "y", "z"), orders=(OrderRule(0, 1, strict=True), OrderRule(1, 2, strict=True)))
    done = kept(rules, WHOLE, rows(x=[5, NONE], y=[NONE, NONE], z=[NONE, 7]), {0: [30.0], 1: [3.0, 20.0], 2: [2.0]})
    assert all(a < b < c for a, b, c in zip(*done, strict=True))


def test_a_sum_is_solved_for_one_and_shared_out_among_several():
    rules = Rules(("x", "y", "z"), sums=(SumRule(2, (0, 1), (1.0, 1.0), 0.0, 1.0, 99.0, decimals=0),))
    table = rows(x=[5, NONE, NONE, NONE, NONE], y=[NONE, 5, NONE, NONE, NONE], z=[60, 7, 9, NONE, 98])
    done = kept(rules, WHOLE, table, {0: [1.0, 9.0, 4.0, 0.0], 1: [1.0, 10.0, 6.0, 1.0], 2: [22.0]})
    assert done[1][0] == 55  # certain, though beyond what was seen
    assert done[0][1] == 2
    assert done[0][2] + done[1][2] == 9
    assert abs(done[0][2] - 4) <= 1  # both gave way
    assert done[0][3] + done[1][3] == done[2][3]
    assert (done[0][3] > 4) & (done[1][3] > 6) & (done[2][3] < 22)
    assert done[0][4] + done[1][4] == 98
    assert done[0][4] <= 49
    assert done[1][4] <= 50


def test_whole_numbers_of_odd_weights_are_looked_for():
    rules = Rules(("x", "y", "z"), sums=(SumRule(2, (0, 1), (3.0, 5.0), 0.0, 1.0, 99.0, decimals=0),))
    for z in range(20, 90):
        done = kept(rules, WHOLE, rows(x=[NONE], y=[NONE], z=[z]), {0: [7.0], 1: [9.0]})
        assert 3 * done[0][0] + 5 * done[1][0] == z
        assert done[0][0] == int(done[0][0]) >= 0


def test_sums_that_share_columns_are_solved_together():
    names = ("x", "y", "z")
    both = (
        SumRule(2, (0, 1), (1.0, 1.0), 0.0, 0.0, 99.0, decimals=0),
        SumRule(1, (0,), (2.0,), 1.0, 0.0, 99.0, decimals=0),
    )
    done = kept(Rules(names, sums=both), WHOLE, rows(x=[NONE], y=[NONE], z=[31]), {0: [3.0], 1: [3.0]})
    assert [values[0] for values in done] == [10, 21, 31]
    line = (LineRule(0, 1, 2.0, 1.0, decimals=0),)
    done = kept(Rules(names, lines=line), WHOLE, rows(x=[NONE, 4], y=[9, NONE], z=[0, 0]), {0: [1.0], 1: [1.0]})
    assert done[:2] == [[4, 4], [9, 9]]


def test_raw_fills_stay_raw():
    rules = Rules(("x", "y", "z"), sums=(SumRule(2, (0, 1), (1.0, 1.0), 0.0, 1.0, 99.0),))
    frame = WHOLE.astype(float)
    done = kept(rules, frame, rows(x=[NONE], y=[NONE], z=[9]), {0: [2.25], 1: [3.5]}, rounded=False)
    assert done[0][0] + done[1][0] == pytest.approx(9, abs=1e-9)
    assert done[0][0] != round(done[0][0])


def test_rules_of_columns_that_are_not_filled_are_passed_over():
    rules = Rules(("x", "y", "z"), orders=(OrderRule(0, 1, strict=True),))
    assert kept(rules, WHOLE, rows(x=[5, 6], y=[9, 9], z=[NONE, 1]), {2: [4.0]})[2] == [4, 1]
    keep_rules(rules, infer_schema(read_table(WHOLE)).columns, read_table(rows(x=[NONE], y=[2], z=[1])).columns, {})


def grid_of(values, rounded=True) -> Grid:
    return Grid(infer_column(read_table(pd.DataFrame({"x": values})).columns[0]), rounded)


@pytest.mark.parametrize(
    ("values", "at", "up", "strictly_up", "down", "strictly_down"),
    [
        (np.arange(50), [3.0, 3.4], [3, 4], [4, 4], [3, 3], [2, 3]),
        (np.arange(50) / 20, [0.3, 0.333], [0.3, 0.34], [0.31, 0.34], [0.3, 0.33], [0.29, 0.33]),
        (np.repeat([10, 20, 40], 20), [20.0, 25.0], [20, 40], [40, 40], [20, 20], [10, 20]),
        (np.repeat([10, 20, 40], 20), [9.0, 50.0], [10, 40], [10, 40], [10, 40], [10, 40]),
    ],
)
def test_next_numbers(values, at, up, strictly_up, down, strictly_down):
    grid = grid_of(values)
    at = np.array(at)
    assert grid.beyond(at, up=True, strict=False).tolist() == pytest.approx(up)
    assert grid.beyond(at, up=True, strict=True).tolist() == pytest.approx(strictly_up)
    assert grid.beyond(at, up=False, strict=False).tolist() == pytest.approx(down)
    assert grid.beyond(at, up=False, strict=True).tolist() == pytest.approx(strictly_down)


def test_next_times_keep_their_steps():
    weeks = pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * np.arange(30), unit="D")
    grid = grid_of(weeks)
    step = 7 * pd.Timedelta(1, "D") // pd.Timedelta(1, weeks.unit)
    at = np.array([grid.lower + step, grid.lower + step + 1])
    for up, strict, wanted in (
        (True, False, [1, 2]),
        (True, True, [2, 2]),
        (False, False, [1, 1]),
        (False, True, [0, 1]),
    ):
        assert ((grid.beyond(at, up=up, strict=strict) - grid.lower) / step).tolist() == wanted
    assert grid.nearest(at + step // 3).tolist() == [at[0], at[0]]


def test_free_numbers_have_a_next_one_too():
    grid = grid_of(np.random.default_rng(0).normal(size=50))
    assert grid.is_free
    assert grid.beyond(np.array([0.5]), up=True, strict=True)[0] == np.nextafter(0.5, 1)
    assert grid.beyond(np.array([0.5]), up=False, strict=False)[0] == 0.5


def test_whole_numbers_beyond_floats_are_left_alone():
    big = pd.DataFrame({"x": 2**60 + np.arange(50), "y": 2**60 + 1 + np.arange(50)})
    gap = pd.DataFrame({"x": pd.array([2**60 + 7], dtype="Int64"), "y": pd.array([None], dtype="Int64")})
    rules = Rules(("x", "y"), orders=(OrderRule(0, 1, strict=True),))
    fills = {1: np.array([2**60 + 3])}
    keep_rules(rules, infer_schema(read_table(big)).columns, read_table(gap).columns, fills)
    assert fills[1].tolist() == [2**60 + 3]


def test_a_sum_leaves_the_orders_of_its_columns_alone():
    """The parts share what is left over, but `x` must stay below a known `w`."""
    frame = WHOLE.assign(w=np.arange(50) + 2)
    rules = Rules(
        ("x", "y", "z", "w"),
        orders=(OrderRule(0, 3, strict=True),),
        sums=(SumRule(2, (0, 1), (1.0, 1.0), 0.0, 1.0, 99.0, decimals=0),),
    )
    done = kept(
        rules, frame, rows(x=[NONE, NONE], y=[NONE, NONE], z=[20, 60], w=[10, 12]), {0: [15.0, 9.0], 1: [5.0, 9.0]}
    )
    assert np.add(done[0], done[1]).tolist() == [20, 60]
    assert done[0][0] < 10
    assert done[0][1] < 12
