"""Amounts by which fills are moved: how they are read, and what a column of each kind makes of them."""

import numpy as np
import pandas as pd
import pytest

from tabgan.exceptions import InvalidParameterError
from tabgan.tables.deltas import moved_fills, read_deltas
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema


def moved(values, fills, amount, *, kind=None, rounded=True):
    """Fills of a column like ``values``, moved."""
    table = read_table(pd.DataFrame({"x": values}))
    schema = infer_schema(table, column_kinds=kind and {"x": kind})
    by = read_deltas({"x": amount}, table, schema)[0]
    return moved_fills(np.asarray(fills), by, schema.columns[0], rounded=rounded).tolist()


@pytest.mark.parametrize(
    ("values", "fills", "amount", "expected"),
    [
        ([1.1234567, 2.5, 3.7], [2.0, 3.0], 0.25, [2.25, 3.25]),
        ([1.1234567, 2.5, 3.7], [2.0, 3.0], -2.5, [0.0, 0.5]),  # never negative
        ([-1.1234567, -2.5, -3.7], [-2.0, -3.0], 2.5, [0.0, -0.5]),  # never positive
        ([-1.1234567, 2.5, 3.7], [2.0, 3.0], -2.5, [-0.5, 0.5]),
        ([0.1234567, 0.5, 0.7], [0.2, 0.9], 0.5, [0.7, 1.0]),  # a share stays one
        ([1.25, 2.5, 3.75], [1.25, 2.5], 0.333, [1.58, 2.83]),
        ([10.0, 20.0, 33.0], [10.0, 33.0], 1.4, [11.0, 34.0]),
    ],
)
def test_numbers(values, fills, amount, expected):
    np.testing.assert_allclose(moved(values, fills, amount), expected, atol=1e-12)


def test_numbers_that_need_not_look_observed():
    assert moved([10.0, 20.0, 33.0], [10.0], 1.4, rounded=False) == [11.4]
    assert moved(np.array([10, 20, 33]), [10.0], 1.4, rounded=False) == [11.0]  # an integer dtype


def test_codes_move_to_the_nearest_that_occur():
    values = np.repeat([1.0, 2.0, 5.0, 8.0], 30)
    assert moved(values, [1.0, 2.0, 8.0], 2.4, kind="coded") == [2.0, 5.0, 8.0]


@pytest.mark.parametrize(
    ("dtype", "ends"), [("int64", (-(2**63), 2**63 - 1)), ("uint64", (0, 2**64 - 1))], ids=["signed", "unsigned"]
)
def test_whole_numbers_beyond_floats_move_to_the_last_digit(dtype, ends):
    low, high = ends[0] + 10 if ends[0] else 2**63, ends[1] - 10
    values = np.array([low, high - 5, high], dtype=dtype)
    assert moved(values, values, 3) == [low + 3, high - 2, high + 3]
    assert moved(values, values, 50)[-1] == ends[1]
    assert moved(values, values, -50.0)[0] == (ends[0] or 2**63 - 50)


def test_times_move_in_the_steps_of_their_column():
    days = pd.to_datetime(["2024-01-01", "2024-01-03", "2024-02-01"])
    ticks = days.astype(np.int64).to_numpy()
    day = int(np.gcd.reduce(np.diff(ticks)))
    assert moved(days, ticks, pd.Timedelta(days=2, hours=5)) == (ticks + 2 * day).tolist()
    far = moved(days, ticks, pd.Timedelta(days=106_000)) if days.unit == "ns" else None
    assert far is None or max(far) <= 2**63 - 1


def test_durations_keep_their_sign():
    waits = pd.to_timedelta([0, 5, 60], unit="min")
    ticks = waits.astype(np.int64).to_numpy()
    assert moved(waits, ticks, pd.Timedelta(minutes=-10)) == [0, 0, ticks[2] // 60 * 50]
    assert moved(-waits, -ticks, pd.Timedelta(minutes=10)) == [0, 0, -ticks[2] // 60 * 50]
    mixed = waits - pd.Timedelta(minutes=5)
    shifted = moved(mixed, mixed.astype(np.int64).to_numpy(), pd.Timedelta(minutes=-10))
    assert shifted == (mixed - pd.Timedelta(minutes=10)).astype(np.int64).tolist()


def test_written_times_stay_times():
    dates = np.array([20240131, 20240228, 20231231, 20240115] * 5, dtype=float)
    assert moved(dates, [20240228.0, 20231231.0], pd.Timedelta(days=2), kind="datetime") == [20240301.0, 20240102.0]
    clock = np.array([1, 2359, 1215, 559], dtype=float)
    assert moved(clock, [2359.0, 559.0], pd.Timedelta(minutes=2), kind="datetime") == [2359.0, 601.0]
    months = np.array([202401, 202402, 202312], dtype=float)
    with pytest.raises(InvalidParameterError, match="counts months"):
        moved(months, months, pd.Timedelta(days=31), kind="datetime")
