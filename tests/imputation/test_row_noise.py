"""Noise that belongs to rows: the same in any batching, independent between rows, draws and purposes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from tabgan.imputation.row_noise import RowNoise, keys_of_rows

KEYS = np.arange(200, dtype=np.uint64)


@given(st.lists(st.integers(0, 199), min_size=1, max_size=30), st.integers(0, 2**31 - 1))
@settings(max_examples=20)
def test_rows_alone_and_in_any_order_get_what_they_get_in_the_whole(chosen, seed):
    noise = RowNoise(KEYS, seed, 3)
    np.testing.assert_array_equal(noise.take(chosen).uniform("a", 4), noise.uniform("a", 4)[:, chosen])


def test_further_draws_and_numbers_leave_the_first_as_they_are():
    few, many = RowNoise(KEYS, 5, 2), RowNoise(KEYS, 5, 7)
    np.testing.assert_array_equal(few.uniform("a", 3), many.uniform("a", 9)[:2, :, :3])
    assert few.orders("order", 6) == many.orders("order", 6)[:2]


def test_numbers_are_uniform_and_normal():
    noise = RowNoise(KEYS, 0, 50)
    uniform, normal = noise.uniform("a", 3).numpy(), noise.normal("a", 3).numpy()
    assert uniform.min() > 0
    assert uniform.max() < 1
    assert kstest(uniform.ravel(), "uniform").pvalue > 1e-3
    assert kstest(normal.ravel(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["draws", "rows", "numbers"])
def test_neighbours_are_independent(axis):
    normal = RowNoise(KEYS, 0, 40).normal("a", 5).numpy()
    first, second = (np.delete(normal, end, axis=axis).ravel() for end in (-1, 0))
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(len(first))


def test_seeds_and_purposes_have_numbers_of_their_own():
    noise = RowNoise(KEYS, 0, 2)
    for other in (noise.normal("b", 3), RowNoise(KEYS, 1, 2).normal("a", 3)):
        assert abs(np.corrcoef(noise.normal("a", 3).numpy().ravel(), other.numpy().ravel())[0, 1]) < 0.12


def test_orders_are_orders_and_differ():
    orders = RowNoise(KEYS, 0, 20).orders("order", 5)
    assert all(sorted(order) == list(range(5)) for order in orders)
    assert len({tuple(order) for order in orders}) > 5


def rows(n=6, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def test_keys_depend_on_what_is_visible_alone():
    values, mask = rows(), np.ones((6, 3), bool)
    mask[:, 1] = False
    hidden = values.copy()
    hidden[:, 1] = np.nan
    np.testing.assert_array_equal(keys_of_rows(values, mask), keys_of_rows(hidden, mask))
    assert not set(keys_of_rows(values, mask)) & set(keys_of_rows(values, ~mask))
    shown = values.copy()
    shown[:, 0] += 1
    assert not set(keys_of_rows(values, mask)) & set(keys_of_rows(shown, mask))


def test_which_cells_are_hidden_counts_not_only_how_many():
    values, mask = np.zeros((2, 2), np.float32), np.array([[True, False], [False, True]])
    assert len(set(keys_of_rows(values, mask))) == 2


def test_minus_zero_is_zero():
    mask = np.ones((1, 1), bool)
    zero, minus = (keys_of_rows(np.array([[number]], np.float32), mask) for number in (0.0, -0.0))
    np.testing.assert_array_equal(zero, minus)


def test_equal_rows_differ_by_how_many_stand_before_them():
    values, mask = np.repeat(rows(2), [3, 1], axis=0), np.ones((4, 3), bool)
    keys = keys_of_rows(values, mask)
    assert len(set(keys)) == 4
    np.testing.assert_array_equal(keys_of_rows(values[2:], mask[2:]), keys[[0, 3]])


@pytest.mark.parametrize(
    "given_keys", [[1, 2, 3, 4], list("abcd"), pd.date_range("2020-01-01", periods=4), pd.RangeIndex(4)]
)
def test_given_keys_tell_equal_rows_of_two_calls_apart(given_keys):
    values, mask = np.repeat(rows(1), 4, axis=0), np.ones((4, 3), bool)
    keys = keys_of_rows(values, mask, given_keys)
    alone = [keys_of_rows(values[:1], mask[:1], given_keys[k : k + 1])[0] for k in range(4)]
    assert len(set(keys)) == 4
    np.testing.assert_array_equal(keys, alone)
