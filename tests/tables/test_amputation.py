"""Amputation: exact rates, the mechanisms' signatures, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.exceptions import InvalidParameterError
from tabgan.tables.amputation import MECHANISMS, ampute

DRAWN = [mechanism for mechanism in MECHANISMS if mechanism != "copy"]


def normal(n=3000, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@settings(max_examples=40)
@given(st.sampled_from(DRAWN), st.floats(0.01, 0.5), st.integers(0, 1000), st.integers(30, 80), st.integers(3, 9))
def test_rate_is_exact_and_only_observed_cells_are_hidden(mechanism, rate, seed, n, d):
    X = normal(n, d, seed)
    observed = np.random.default_rng(seed).random(X.shape) < 0.9
    hidden = ampute(X, rate, mechanism=mechanism, random_state=seed, observed=observed)
    assert not (hidden & ~observed).any()
    assert abs(hidden.sum() - rate * observed.sum()) <= 0.5 + 1e-9
    has_cells = observed.any(axis=1)
    assert (observed & ~hidden).any(axis=1)[has_cells].all(), "no row loses all it has"
    np.testing.assert_array_equal(hidden, ampute(X, rate, mechanism=mechanism, random_state=seed, observed=observed))


def test_mcar_does_not_look_at_values():
    X = normal()
    hidden = ampute(X, 0.3, random_state=0)
    assert abs(X[hidden].mean()) < 0.05
    np.testing.assert_allclose(hidden.mean(axis=0), 0.3, atol=0.03)


def test_mar_hides_by_other_columns_and_keeps_some_complete():
    X = normal()
    hidden = ampute(X, 0.3, mechanism="mar", random_state=0)
    complete = ~hidden.any(axis=0)
    assert complete.sum() == 1
    masked = np.flatnonzero(~complete)
    gaps = [abs(np.corrcoef(X[:, complete][:, 0], hidden[:, j])[0, 1]) for j in masked]
    own = [abs(np.corrcoef(X[:, j], hidden[:, j])[0, 1]) for j in masked]
    assert min(gaps) > 0.2
    assert max(own) < 0.06


@pytest.mark.parametrize("mechanism", ["mnar", "mnar-quantile"])
def test_mnar_hides_by_the_value_itself(mechanism):
    X = normal()
    hidden = ampute(X, 0.3, mechanism=mechanism, random_state=0)
    own = [abs(np.corrcoef(X[:, j], hidden[:, j])[0, 1]) for j in range(X.shape[1])]
    assert min(own) > 0.15


def test_blocks_are_runs_of_columns():
    hidden = ampute(normal(d=9), 0.25, mechanism="block", random_state=0)
    together = np.mean([np.corrcoef(hidden[:, j], hidden[:, j + 1])[0, 1] for j in range(8)])
    assert together > 0.3


def test_copied_patterns_are_the_donors():
    X = normal(500, 4)
    donors = np.array([[True, True, False, False], [False, False, False, True]])
    hidden = ampute(X, mechanism="copy", random_state=0, donors=donors)
    assert {tuple(row) for row in hidden} == {tuple(row) for row in donors}
    with pytest.raises(InvalidParameterError, match="donor"):
        ampute(X, mechanism="copy", random_state=0)


@pytest.mark.parametrize(
    ("keywords", "words"), [({"rate": 0.0}, "rate=0.0"), ({"mechanism": "nmar"}, "mechanism='nmar'")]
)
def test_bad_parameters(keywords, words):
    with pytest.raises(InvalidParameterError, match=words):
        ampute(normal(10, 2), **keywords)
