"""Weights in place of rows: shares of classes, rows among their own, and every kind of table."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from tabgan import neighbourhood_weights
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tests.conftest import make_mixed


def two_groups():
    """Rare rows of which twenty stand apart, and four among a hundred others."""
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(20, 2)) + 9, rng.normal(size=(4, 2)), rng.normal(size=(100, 2))])
    return X, np.array(["rare"] * 24 + ["common"] * 100)


@pytest.mark.parametrize(
    ("balance", "rare", "common"), [(1.0, 124 / 48, 0.62), (0.0, 1.0, 1.0), (0.5, (124 / 48) ** 0.5, 0.62**0.5)]
)
@pytest.mark.parametrize("focus", [0.0, 0.9])
def test_the_mean_weight_of_a_class_is_what_balance_says(balance, rare, common, focus):
    X, y = two_groups()
    weights = neighbourhood_weights(X, y, focus=focus, balance=balance)
    assert weights[y == "rare"].mean() == pytest.approx(rare)
    np.testing.assert_allclose(weights[y == "common"], common)


def test_rows_among_their_own_weigh_more():
    X, y = two_groups()
    even = neighbourhood_weights(X, y, focus=0.0)
    assert np.ptp(even[:24]) == 0
    found = neighbourhood_weights(X, y, focus=0.9)
    assert found[:20].min() > even[0] > 2 * found[20:24].max()
    full = neighbourhood_weights(X, y, focus=1.0)
    np.testing.assert_allclose(full[20:24], 0, atol=0.4)
    shares = np.array([10] * 20 + [0] * 4)
    np.testing.assert_allclose(full[:20], 124 / 48 * 10 / shares.mean(), rtol=0.1)


def test_focus_is_a_mixture():
    X, y = two_groups()
    none, half, full = (neighbourhood_weights(X, y, focus=focus) for focus in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half, (none + full) / 2)


def test_a_class_that_is_nowhere_among_its_own_weighs_evenly():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    weights = neighbourhood_weights(X, np.arange(60) < 1, focus=1.0)
    assert weights[0] == pytest.approx(30)


def test_three_classes_but_the_largest_are_looked_around():
    X, y = two_groups()
    y = np.where(np.arange(124) >= 84, "third", y)
    weights = neighbourhood_weights(X, y)
    assert np.ptp(weights[y == "common"]) == 0
    assert np.ptp(weights[y == "third"]) > 0
    for label in ("rare", "common", "third"):
        assert weights[y == label].sum() == pytest.approx(124 / 3)


def test_containers_and_mixed_tables():
    X, y = two_groups()
    expected = neighbourhood_weights(X, y)
    for given in (pd.DataFrame(X, columns=["a", "b"]), X.tolist(), scipy.sparse.csr_matrix(X)):
        np.testing.assert_allclose(neighbourhood_weights(given, y), expected)
    mixed = make_mixed(120)
    weights = neighbourhood_weights(mixed, np.arange(120) < 30)
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
    named = pd.DataFrame(X, columns=["a", "b"]).assign(id=np.arange(124))
    np.testing.assert_allclose(neighbourhood_weights(named, y), expected, err_msg="names of rows are no distance")


def test_a_table_without_anything_to_compare():
    weights = neighbourhood_weights(np.ones((20, 2)), np.arange(20) < 5)
    np.testing.assert_allclose(weights, np.where(np.arange(20) < 5, 2.0, 2 / 3))


@pytest.mark.parametrize("parameters", [{"focus": -0.1}, {"focus": 1.1}, {"balance": 2}, {"balance": "all"}])
def test_mistakes_are_named(parameters):
    name, value = next(iter(parameters.items()))
    with pytest.raises(InvalidParameterError, match=f"{name}={value!r} is not valid"):
        neighbourhood_weights(*two_groups(), **parameters)


def test_lengths_have_to_agree():
    X, y = two_groups()
    with pytest.raises(InvalidInputError):
        neighbourhood_weights(X, y[:-1])
