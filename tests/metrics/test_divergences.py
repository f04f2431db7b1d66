"""Divergences: closed forms, disjoint supports, scipy and the assignment problem as oracles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics import (
    earth_movers_distance,
    js_divergence,
    kl_divergence,
    mmd_squared,
    shared_histograms,
    sinkhorn_distance,
    sliced_wasserstein,
)


def normal(n, d, seed):
    return np.random.default_rng(seed).normal(size=(n, d))


def exact_cost(a, b, order):
    cost = cdist(a, b) ** order
    return cost[linear_sum_assignment(cost)].mean()


def test_kl_and_js_of_two_coins():
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert kl_divergence(p, q) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    m = (p + q) / 2
    assert js_divergence(p, q) == pytest.approx((kl_divergence(p, m) + kl_divergence(q, m)) / 2)
    assert kl_divergence([2, 2], [1, 3]) == kl_divergence(p, q)  # counts will do


def test_disjoint_supports_however_far_apart():
    a = normal(500, 1, 0)[:, 0]
    for shift in (20.0, 2000.0):
        p, q = shared_histograms(a, a + shift, bins=30)
        assert kl_divergence(p, q) == np.inf
        assert js_divergence(p, q) == pytest.approx(np.log(2))
        assert earth_movers_distance(a, a + shift) == pytest.approx(shift)  # the one that still grows


def test_kl_is_zero_for_equal_and_asymmetric():
    assert kl_divergence([1, 2, 0], [2, 4, 0]) == 0
    assert js_divergence([1, 2], [2, 4]) == 0
    assert kl_divergence([1, 0], [1, 1]) == pytest.approx(np.log(2))
    assert kl_divergence([1, 1], [1, 0]) == np.inf


def test_histograms_cover_both_samples():
    p, q = shared_histograms(normal(50, 2, 1), normal(70, 2, 2) + 3, bins=6)
    assert p.shape == q.shape == (6, 6)
    assert (p.sum(), q.sum()) == (50, 70)
    p, q = shared_histograms(np.ones(5), np.ones(3), bins=4)  # a range of width 0
    assert (p.sum(), q.sum()) == (5, 3)


@settings(max_examples=40)
@given(
    st.lists(st.integers(-50, 50), min_size=2, max_size=12),
    st.lists(st.integers(-50, 50), min_size=2, max_size=12),
)
def test_earth_movers_against_scipy(a, b):
    found = earth_movers_distance(np.array(a, float), np.array(b, float))
    assert found == pytest.approx(stats.wasserstein_distance(a, b))
    assert found == pytest.approx(earth_movers_distance(np.array(b, float), np.array(a, float)))


def test_earth_movers_of_higher_order():
    a, b = normal(40, 1, 3), normal(40, 1, 4) * 3
    assert earth_movers_distance(a[:, 0], b[:, 0], order=2) ** 2 == pytest.approx(exact_cost(a, b, 2))
    # every row repeated: the same distribution in another number of rows
    assert earth_movers_distance(np.repeat(a[:, 0], 3), b[:, 0], order=2) ** 2 == pytest.approx(exact_cost(a, b, 2))


def test_sliced_wasserstein_of_a_shift():
    a, shift = normal(200, 3, 5), np.array([1.0, 2.0, 2.0])
    # W of a projection is |t . u| exactly, and E (t . u)^2 = |t|^2 / d on the sphere
    assert sliced_wasserstein(a, a + shift, n_projections=4000) ** 2 == pytest.approx(9 / 3, rel=0.05)
    assert sliced_wasserstein(a, a[::-1]) == pytest.approx(0, abs=1e-12)
    assert sliced_wasserstein(a[:, :1], a[:, :1] + 2, n_projections=3) == pytest.approx(2)


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_sinkhorn_lies_just_above_the_exact_distance(order):
    a, b = normal(60, 4, 6), normal(60, 4, 7) + 0.7
    exact = exact_cost(a, b, order) ** (1 / order)
    found = sinkhorn_distance(a, b, order=order, epsilon=0.005)
    assert exact - 1e-9 <= found < 1.02 * exact
    assert found < sinkhorn_distance(a, b, order=order, epsilon=0.5)


def test_sinkhorn_of_unequal_sizes_and_a_shift():
    a = normal(40, 2, 8)
    b = a + np.array([3, 4])
    assert 5 <= sinkhorn_distance(np.repeat(a, 2, axis=0), b, order=2, epsilon=0.005) < 5.02


def test_debiased_sinkhorn_is_zero_on_equal_samples():
    a = normal(50, 3, 9)
    assert sinkhorn_distance(a, a[::-1], epsilon=0.3) > 0.1
    assert sinkhorn_distance(a, a[::-1], epsilon=0.3, debiased=True) == pytest.approx(0, abs=1e-2)
    assert sinkhorn_distance(a, a + 1, epsilon=0.3, debiased=True) > 0.5


def test_sinkhorn_says_when_it_did_not_converge():
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        sinkhorn_distance(normal(30, 2, 10), normal(30, 2, 11) + 1, epsilon=1e-4, max_iter=1)


def test_mmd_of_gaussians_against_the_closed_form():
    # Bandwidth s, X ~ N(0, I), Y ~ N(t, I): E k(X, X') = (s^2 / (s^2 + 2))^(d/2), and
    # E k(X, Y) is that times exp(-t^2 / (2 (s^2 + 2))).
    d, s, t = 2, 1.5, 1.0
    same = (s**2 / (s**2 + 2)) ** (d / 2)
    expected = 2 * same * (1 - np.exp(-(t**2) / (2 * (s**2 + 2))))
    found = [
        mmd_squared(normal(150, d, seed), normal(150, d, seed + 999) + np.array([t, 0]), bandwidths=[s])
        for seed in range(60)
    ]
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / np.sqrt(60)
    assert np.std(found) / np.sqrt(60) < 0.05 * expected


def test_mmd_is_unbiased():
    values = np.array([mmd_squared(normal(15, 2, s), normal(20, 2, s + 999), bandwidths=[1.0]) for s in range(300)])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(300)
    assert values.min() < 0


def test_mmd_mixture_is_the_mean_of_its_kernels():
    a, b = normal(30, 2, 14), normal(30, 2, 15) + 1
    single = [mmd_squared(a, b, bandwidths=[s]) for s in (0.5, 2.0)]
    assert mmd_squared(a, b, bandwidths=[0.5, 2.0]) == pytest.approx(np.mean(single))
    assert mmd_squared(a, b) > 0.05


def test_refusals():
    a = normal(6, 2, 16)
    with pytest.raises(InvalidInputError, match="same cells"):
        kl_divergence([1, 2], [1, 2, 3])
    with pytest.raises(InvalidInputError, match="q must"):
        js_divergence([1, 2], [0, 0])
    with pytest.raises(InvalidInputError, match="p must"):
        kl_divergence([1, -2], [1, 2])
    with pytest.raises(InvalidParameterError, match="bins"):
        shared_histograms(a, a, bins=0)
    with pytest.raises(InvalidInputError, match="4 columns"):
        shared_histograms(normal(6, 4, 0), normal(6, 4, 1))
    with pytest.raises(InvalidInputError, match="vectors"):
        earth_movers_distance(a, a)
    with pytest.raises(InvalidParameterError, match="order"):
        sliced_wasserstein(a, a, order=0.5)
    with pytest.raises(InvalidParameterError, match="n_projections"):
        sliced_wasserstein(a, a, n_projections=0)
    with pytest.raises(InvalidParameterError, match="epsilon"):
        sinkhorn_distance(a, a, epsilon=0)
    with pytest.raises(InvalidParameterError, match="bandwidths"):
        mmd_squared(a, a, bandwidths=[0.0])
