"""Moments of bootstrap samples: conditional means are regressions, and sets differ as estimates from other tables would."""

import numpy as np
import pytest
import torch

from tabgan.imputation.proper.moments import MomentSets, fit_moments


def correlated(n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return torch.from_numpy(np.column_stack([x, 2 * x + rng.normal(size=n), rng.normal(size=n)]))


def sets_of(rows, n_sets=40, n_rows=None, seed=1):
    rng = np.random.default_rng(seed)
    samples = [rng.integers(len(rows), size=len(rows)) for _ in range(n_sets)]
    return fit_moments(rows, torch.ones_like(rows), samples, n_rows or len(rows))


def test_the_mean_given_the_others_is_the_regression():
    rows = correlated()
    moments = sets_of(rows, 1)
    design = np.column_stack([np.ones(len(rows)), rows[:, [0, 2]]])
    beta = np.linalg.lstsq(design, rows[:, 1].numpy(), rcond=None)[0]
    np.testing.assert_allclose(moments.given_others(0, 1, rows), design @ beta, atol=0.03)


@pytest.mark.parametrize("times", [1, 4])
def test_sets_differ_by_the_standard_error_of_the_whole_table(times):
    rows = correlated(600)
    moments = sets_of(rows, 60, 600 * times)
    assert len(moments) == 60
    wanted = rows.std(0) / np.sqrt(600 * times)
    np.testing.assert_allclose(moments.mean[1:].std(0), wanted, rtol=0.3)
    slopes = moments.covariance[1:, 0, 1] / moments.covariance[1:, 0, 0]
    assert float(slopes.std()) == pytest.approx(1 / np.sqrt(600 * times), rel=0.3)


def test_no_further_samples_once_the_time_is_up():
    rows = correlated(100)
    moments = fit_moments(rows, torch.ones_like(rows), [np.arange(100)] * 3, 100, lambda: True)
    assert len(moments) == 0


def test_a_state_gives_the_same_sets_back():
    moments = sets_of(correlated(100), 2)
    again = MomentSets.from_state(moments.state(), 3)
    rows = correlated(10, 3)
    torch.testing.assert_close(again.given_others(2, 0, rows), moments.given_others(2, 0, rows))
    assert not torch.equal(moments.given_others(1, 0, rows), moments.given_others(2, 0, rows))


@pytest.mark.parametrize("times", [1, 4])
def test_spreads_around_the_mean_differ_as_standard_deviations_of_other_tables_would(times):
    moments = sets_of(correlated(600), 60, 600 * times)
    spread = moments.relative_spread[1:]
    np.testing.assert_allclose(spread.square().mean(0), 1.0)
    np.testing.assert_allclose(spread.std(0), 1 / np.sqrt(2 * 600 * times), rtol=0.35)
    # The first slot lies near what the second one says of it where the sets' correlation is high.
    correlation = moments.covariance[1:, 0, 1] ** 2 / (moments.covariance[1:, 0, 0] * moments.covariance[1:, 1, 1])
    left = (moments.covariance[1:, 0, 0] * (1 - correlation)).sqrt()
    assert np.corrcoef(left, spread[:, 0])[0, 1] > 0.9
