"""Scaling of probabilities: what it must find, and what it must leave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit, softmax

from tabgan.model_selection.scaling import Scaling, fit_scaling


def drawn(n, slope, offset, seed=0):
    """Probabilities of two classes whose truth has another slope and offset, and classes drawn from the truth."""
    rng = np.random.default_rng(seed)
    told = expit(rng.normal(-1, 1.5, n))
    codes = (rng.random(n) < expit(slope * logit(told) + offset)).astype(int)
    return np.column_stack([1 - told, told]), codes


@pytest.mark.parametrize(("slope", "offset"), [(0.4, -0.5), (1.0, 0.0), (1.6, 1.0)])
def test_a_known_distortion_is_found(slope, offset):
    p, codes = drawn(20_000, slope, offset)
    found = fit_scaling(p, codes)
    assert found.slope == pytest.approx(slope, abs=0.08)
    assert found.offsets[1] - found.offsets[0] == pytest.approx(offset, abs=0.1)
    assert found.applied(p)[:, 1].mean() == pytest.approx(codes.mean(), abs=1e-3)


def test_few_rows_change_little():
    moved = []
    for n in (1, 4, 400):
        p = np.tile([0.7, 0.3], (n, 1))
        moved.append(fit_scaling(p, np.ones(n, int)).applied(p)[0, 1])
    assert 0.3 < moved[0] < 0.6 < moved[1] < 0.9 < moved[2]


def test_classes_that_are_told_apart_perfectly_stay_finite():
    p = np.eye(3)[np.arange(30) % 3]
    found = fit_scaling(p, np.arange(30) % 3)
    assert np.isfinite(found.offsets).all()
    assert 1 <= found.slope < 3
    assert found.applied(p).max() < 1


def test_three_classes_get_their_shares_back():
    rng = np.random.default_rng(0)
    truth = softmax(rng.normal(0, 2, (6000, 3)), axis=1)
    codes = np.array([rng.choice(3, p=row) for row in truth])
    distorted = truth**0.5 * [4, 1, 0.5]
    distorted /= distorted.sum(axis=1, keepdims=True)
    mended = fit_scaling(distorted, codes).applied(distorted)
    np.testing.assert_allclose(mended.mean(axis=0), np.bincount(codes) / 6000, atol=0.002)
    assert np.abs(mended - truth).mean() < 0.1 * np.abs(distorted - truth).mean()


@given(st.floats(0.01, 5), st.floats(-3, 3), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_rows_sum_to_one_in_the_same_order(slope, offset, events):
    p = np.column_stack([1 - np.array(events), events])
    found = Scaling(slope, np.array([0.0, offset])).applied(p)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found > 0).all()
    order = np.argsort(events)
    assert (np.diff(found[order, 1]) >= -1e-12).all()
