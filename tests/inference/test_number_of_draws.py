"""How many imputations are enough: Monte Carlo error, the two-stage number, and results by the number of draws."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tabgan import pool
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.inference.number_of_draws import monte_carlo_error, n_draws_needed, pool_by_number_of_draws
from tabgan.inference.pooling import pool_scalars


def analyses(m: int, between: float, seed: int = 0, within: float = 1.0):
    rng = np.random.default_rng(seed)
    return [(float(e), within) for e in rng.normal(0, between**0.5, m)]


def test_the_monte_carlo_error_is_the_spread_over_other_sets_of_draws():
    estimates = [pool(analyses(10, 2.0, seed)).estimate[0] for seed in range(300)]
    errors = [monte_carlo_error(pool(analyses(10, 2.0, seed)))[0] for seed in range(300)]
    assert np.mean(np.square(errors)) ** 0.5 == pytest.approx(np.std(estimates), rel=0.15)
    assert monte_carlo_error(pool_scalars([1.0, 3.0], [1.0, 1.0])) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("fmi", "m", "cv", "alpha"), [(0.1, 20, 0.05, 0.05), (0.5, 20, 0.05, 0.05), (0.5, 5, 0.1, 0.2)]
)
def test_the_number_needed_is_von_hippels(fmi, m, cv, alpha):
    """By the formula of R's howManyImputations, with ``plogis`` and ``qlogis`` written out."""
    pooled = pool_scalars([[1.0]] * (m - 1) + [[2.0]], [[1.0]] * m)
    object.__setattr__(pooled, "fmi", np.array([fmi]))
    odds = fmi / (1 - fmi) * np.exp(norm.ppf(1 - alpha / 2) * (2 / m) ** 0.5)
    expected = np.ceil(1 + 0.5 * (odds / (1 + odds) / cv) ** 2)
    assert n_draws_needed(pooled, precision=cv, confidence=1 - alpha) == [expected]


def test_with_as_many_draws_as_needed_standard_errors_hold_still():
    pilot = pool(analyses(20, 0.5))
    needed = int(n_draws_needed(pilot)[0])
    errors = [pool(analyses(needed, 0.5, seed)).standard_error[0] for seed in range(200)]
    assert np.std(errors) / np.mean(errors) < 0.055
    assert needed < 200


def test_nothing_missing_needs_two_draws_and_everything_is_finite():
    alike = pool_scalars([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]], np.full((3, 2), 1e-12))
    assert n_draws_needed(alike).tolist() == [2, 201]


def test_results_by_the_number_of_draws_end_at_those_of_all():
    rng = np.random.default_rng(0)
    tables = [pd.DataFrame({"x": rng.normal(size=50), "z": rng.normal(size=50)}) for _ in range(6)]

    def fit(table):
        return table.mean(), table.var() / len(table)

    whole = pool_by_number_of_draws(fit, tables, parameters=["z"], confidence=0.9, n_complete_df=49)
    assert [one.m for one in whole] == [2, 3, 4, 5, 6]
    for k, one in enumerate(whole, 2):
        alone = pool(fit, tables[:k], parameters=["z"], confidence=0.9, n_complete_df=49)
        pd.testing.assert_frame_equal(one.to_frame(), alone.to_frame())


def test_what_cannot_be_asked():
    with pytest.raises(InvalidInputError, match="m=1"):
        pool_by_number_of_draws([(1.0, 1.0)])
    pooled = pool_scalars([1.0, 2.0], [1.0, 1.0])
    with pytest.raises(InvalidParameterError, match="precision=0"):
        n_draws_needed(pooled, precision=0)
    with pytest.raises(InvalidParameterError, match="confidence=1"):
        n_draws_needed(pooled, confidence=1)
