"""Log odds of levels: logistic regressions of all rows and of bootstrap samples."""

import numpy as np
import pytest
import torch

from tabgan.imputation.proper.level_odds import LevelOdds, fit_level_odds

SLOTS = np.array([0, 1])


def rows_of(slopes, n=3000, seed=0):
    """Rows of two numbers and a slot that must not be looked at; levels with these slopes of the first number."""
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(n, 3)) * [2.0, 1.0, 1.0] + [3.0, 0.0, 0.0]
    scores = seen[:, :1] * np.asarray(slopes)
    levels = (scores + rng.gumbel(size=scores.shape)).argmax(1)
    return seen, levels, rng


def fitted(slopes, n_samples=0, n_rows=None, n=2000):
    seen, levels, rng = rows_of(slopes, n)
    whole = seen, levels, np.arange(n)
    samples = [(seen, levels, rng.integers(n, size=n)) for _ in range(n_samples)]
    return fit_level_odds(whole, samples, SLOTS, len(slopes), n_rows or n), seen


@pytest.mark.parametrize("slopes", [[0.0, 0.8], [0.0, 0.5, -0.5]])
def test_log_odds_are_those_that_made_the_levels(slopes):
    odds, _ = fitted(slopes)
    weights = odds.weights[0, :, 0]
    np.testing.assert_allclose((weights - weights[0])[1:], slopes[1:], atol=0.12)
    assert (odds.weights[:, :, 2] == 0).all()


def test_what_is_given_are_log_probabilities():
    odds, seen = fitted([0.0, 0.8, 0.1])
    logs = odds(torch.from_numpy(seen[:5]), 0)
    torch.testing.assert_close(logs.exp().sum(1), torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize("times", [1, 9])
def test_samples_differ_by_the_standard_error_of_the_whole_table(times):
    odds, seen = fitted([0.0, 0.3], n_samples=40, n_rows=1000 * times, n=1000)
    slopes = odds.weights[1:, 1, 0] - odds.weights[1:, 0, 0]
    design = np.column_stack([np.ones(1000), seen[:, :2]])
    share = odds(torch.from_numpy(seen), 0).exp()[:, 1].numpy()
    error = np.sqrt(np.linalg.inv((design * (share * (1 - share))[:, None]).T @ design)[1, 1])
    assert float(slopes.std()) == pytest.approx(error / np.sqrt(times), rel=0.35)


def test_fits_take_turns_and_the_first_is_that_of_all_rows():
    odds, seen = fitted([0.0, 0.3], n_samples=2)
    rows = torch.from_numpy(seen[:5])
    torch.testing.assert_close(odds(rows, 1), odds(rows, 3))
    assert not torch.allclose(odds(rows, 1), odds(rows, 2))
    assert not torch.allclose(odds(rows, 0), odds(rows, 1))
    torch.testing.assert_close(LevelOdds.from_state(odds.state(), 2, 3)(rows, 2), odds(rows, 2))


def test_a_level_that_a_sample_does_not_hold_is_all_but_impossible():
    seen, levels, _ = rows_of([0.0, 0.5, -0.5], 200)
    without = np.flatnonzero(levels != 2)
    odds = fit_level_odds((seen, levels, np.arange(200)), [(seen, levels, without)], SLOTS, 3, 200)
    assert (odds(torch.from_numpy(seen), 1)[:, 2] < -5).all()
    assert (odds(torch.from_numpy(seen), 0)[:, 2] > -5).any()


def test_a_sample_of_one_level_gives_that_level():
    seen, levels, _ = rows_of([0.0, 0.5], 200)
    odds = fit_level_odds((seen, levels, np.arange(200)), [(seen, levels, np.flatnonzero(levels == 1))], SLOTS, 2, 200)
    assert (odds(torch.from_numpy(seen), 1).argmax(1) == 1).all()
