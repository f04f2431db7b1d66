"""CRPS and energy score: closed forms, unbiasedness, and that the truth scores best."""

import numpy as np
import pytest
from scipy.stats import norm

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics import crps, energy_score


def test_crps_of_a_gaussian():
    # Gneiting and Raftery 2007, section 4.2: sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))
    rng = np.random.default_rng(0)
    y, sigma = np.array([-2.0, 0.0, 0.7, 3.0]), 1.5
    draws = rng.normal(0, sigma, size=(40_000, 4))
    z = y / sigma
    expected = sigma * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert crps(y, draws) == pytest.approx(expected, abs=0.03)


def test_crps_equals_the_sum_over_pairs():
    rng = np.random.default_rng(1)
    y, x = rng.normal(size=(4, 3)), rng.normal(size=(6, 4, 3))
    pairs = [np.abs(x[i] - x[j]) for i in range(6) for j in range(6) if i != j]
    assert crps(y, x) == pytest.approx(np.abs(x - y).mean(axis=0) - np.mean(pairs, axis=0) / 2)


def test_crps_does_not_depend_on_the_number_of_draws():
    rng = np.random.default_rng(2)
    y = rng.normal(size=40_000)
    few, many = (crps(y, rng.normal(size=(m, 40_000))).mean() for m in (2, 20))
    assert few == pytest.approx(many, abs=0.015)
    assert many == pytest.approx(1 / np.sqrt(np.pi), abs=0.01)  # E|X - Y| - E|X - X'| / 2 with E|X - X'| = 2 / sqrt(pi)


def test_energy_score_in_one_column_is_the_crps():
    rng = np.random.default_rng(3)
    y, x = rng.normal(size=9), rng.normal(size=(5, 9))
    assert energy_score(y, x) == pytest.approx(crps(y, x))
    assert energy_score(y[:, None], x[:, :, None]) == pytest.approx(crps(y, x))


def test_energy_score_equals_the_sum_over_pairs():
    rng = np.random.default_rng(4)
    y, x = rng.normal(size=(7, 3)), rng.normal(size=(5, 7, 3))
    miss = np.mean([np.linalg.norm(a - y, axis=1) ** 1.5 for a in x], axis=0)
    apart = np.mean([np.linalg.norm(x[i] - x[j], axis=1) ** 1.5 for i in range(5) for j in range(5) if i != j], axis=0)
    assert energy_score(y, x, beta=1.5) == pytest.approx(miss - apart / 2)


def test_the_true_distribution_scores_best():
    rng = np.random.default_rng(5)
    n, chol = 4000, np.linalg.cholesky([[1.0, 0.8], [0.8, 1.0]])
    y = rng.normal(size=(n, 2)) @ chol.T
    noise = rng.normal(size=(10, n, 2))
    right = energy_score(y, noise @ chol.T).mean()
    assert right < energy_score(y, noise @ chol.T + 0.5).mean()  # shifted
    assert right < energy_score(y, 0.5 * noise @ chol.T).mean()  # too narrow
    assert right < energy_score(y, 2 * noise @ chol.T).mean()  # too wide
    assert right < energy_score(y, noise).mean()  # right margins, no dependence
    assert right < energy_score(y, np.zeros((2, n, 2))).mean()  # the mean, which is best by RMSE


def test_missing_truth_gives_a_missing_crps():
    assert np.isnan(crps([np.nan], [[0.0], [1.0]])).all()


def test_refusals():
    with pytest.raises(InvalidInputError, match="at least 2"):
        crps([0.0], [[1.0]])
    with pytest.raises(InvalidInputError, match="shape"):
        crps([0.0, 1.0], [[1.0], [2.0]])
    with pytest.raises(InvalidInputError, match="NaN"):
        energy_score([[np.nan]], [[[1.0]], [[2.0]]])
    with pytest.raises(InvalidParameterError, match="beta"):
        energy_score([[0.0]], [[[1.0]], [[2.0]]], beta=2)
