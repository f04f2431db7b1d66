"""scikit-learn's own estimator checks, in full, and its order and subset checks again with missing cells."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tabgan import GAINImputer

QUICK = {"n_steps": 20, "draw_steps": 5, "width": 16, "n_blocks": 1, "n_members": 2, "random_state": 0}

# Check name -> why it cannot pass. Strict: a check that starts to pass must leave this list.
EXPECTED_FAILED: dict[str, str] = {}


@parametrize_with_checks(
    [GAINImputer(**QUICK), GAINImputer.paper(**QUICK)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILED,
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def incomplete():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(60, 4))
    data[:, 2] += data[:, 0]
    data[rng.random(data.shape) < 0.3] = np.nan
    return data


@pytest.mark.parametrize("imputer", [GAINImputer(**QUICK), GAINImputer.paper(**QUICK)], ids=["remask", "paper"])
def test_a_row_is_filled_the_same_whatever_stands_beside_it(imputer, incomplete):
    whole = imputer.fit(incomplete).transform(incomplete)
    order = np.random.default_rng(1).permutation(len(incomplete))
    np.testing.assert_allclose(imputer.transform(incomplete[order]), whole[order], rtol=1e-12, atol=1e-12)
    by_row = np.vstack([imputer.transform(incomplete[[i]]) for i in range(len(incomplete))])
    np.testing.assert_allclose(by_row, whole, rtol=1e-12, atol=1e-12)
    for n_chunks in (2, 7):
        by_chunk = np.vstack([imputer.transform(part) for part in np.array_split(incomplete, n_chunks)])
        np.testing.assert_allclose(by_chunk, whole, rtol=1e-12, atol=1e-12)
