"""Energy distance and classifier two-sample AUC: closed forms, scipy as oracle, known answers."""

import numpy as np
import pytest
from scipy import stats

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics import classifier_two_sample_auc, energy_distance


def test_energy_distance_against_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=70), rng.exponential(size=90)
    assert energy_distance(a[:, None], b[:, None]) == pytest.approx(stats.energy_distance(a, b) ** 2)


def test_energy_distance_of_identical_samples_is_zero():
    a = np.random.default_rng(1).normal(size=(1200, 3))
    assert energy_distance(a, a[::-1]) == pytest.approx(0, abs=1e-10)


def test_energy_distance_grows_with_the_shift():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(400, 2)), rng.normal(size=(400, 2))
    distances = [energy_distance(a, b + np.array([shift, 0])) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert np.all(np.diff(distances) > 0)


def test_energy_distance_of_shifted_gaussians():
    # a - b is N(-d, 2): the mean of its absolute value is that of a folded normal with sd sqrt(2)
    rng = np.random.default_rng(3)
    n, d, s = 3000, 1.0, np.sqrt(2)
    folded = s * np.sqrt(2 / np.pi) * np.exp(-(d**2) / (2 * s**2)) + d * (1 - 2 * stats.norm.cdf(-d / s))
    expected = 2 * folded - 2 * s * np.sqrt(2 / np.pi)
    a, b = rng.normal(size=(n, 1)), rng.normal(d, 1, size=(n, 1))
    assert energy_distance(a, b) == pytest.approx(expected, abs=0.05)


def test_u_statistic_has_no_bias_where_v_has():
    rng = np.random.default_rng(4)
    pairs = [(rng.normal(size=(10, 2)), rng.normal(size=(10, 2))) for _ in range(300)]
    u = np.array([energy_distance(a, b, statistic="u") for a, b in pairs])
    v = np.array([energy_distance(a, b) for a, b in pairs])
    assert abs(u.mean()) < 4 * u.std() / np.sqrt(300)
    # 2 E|a - a'| / n with E|a - a'| = sqrt(pi) for two standard normal columns
    assert v.mean() == pytest.approx(2 * np.sqrt(np.pi) / 10, rel=0.1)


def test_large_samples_are_cut_with_a_seed():
    rng = np.random.default_rng(5)
    a = rng.normal(size=(500, 2))
    b = a + 0.1
    assert energy_distance(a, b, max_rows=100) == energy_distance(a, b, max_rows=100)
    assert energy_distance(a, b, max_rows=100) != energy_distance(a, b, max_rows=100, random_state=1)
    assert energy_distance(a, a, max_rows=100) == pytest.approx(0, abs=1e-10)  # rows stay paired


@pytest.mark.parametrize("classifier", ["hist-gradient-boosting", "logistic", "knn"])
def test_c2st_separates_what_differs_and_nothing_else(classifier):
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(300, 2)), rng.normal(size=(300, 2))
    assert classifier_two_sample_auc(a, b, classifier=classifier) == pytest.approx(0.5, abs=0.1)
    assert classifier_two_sample_auc(a, b + 2.5, classifier=classifier) > 0.9


def test_c2st_finds_a_lost_dependence():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(400, 1))
    a = np.hstack([x, x + 0.1 * rng.normal(size=x.shape)])
    b = np.hstack([a[:, :1], rng.permutation(a[:, 1:])])
    assert classifier_two_sample_auc(a, b, classifier="knn") > 0.8
    assert classifier_two_sample_auc(a, b, classifier="logistic") == pytest.approx(0.5, abs=0.1)  # margins agree


def test_paired_rows_share_a_fold():
    rng = np.random.default_rng(8)
    a = rng.normal(size=(300, 3))
    b = a + rng.normal(scale=0.01, size=a.shape)
    unpaired = classifier_two_sample_auc(a, b, classifier="knn")
    paired = classifier_two_sample_auc(a, b, classifier="knn", paired=True)
    assert paired == pytest.approx(0.5, abs=0.08)
    assert unpaired < 0.45  # the twin of a held-out row speaks for the wrong label


def test_refusals():
    a = np.zeros((6, 2))
    with pytest.raises(InvalidInputError, match="dimensions"):
        energy_distance(a[:, 0], a)
    with pytest.raises(InvalidInputError, match="columns"):
        energy_distance(a, a[:, :1])
    with pytest.raises(InvalidInputError, match="NaN"):
        energy_distance(a, a + np.nan)
    with pytest.raises(InvalidInputError, match="at least 2"):
        energy_distance(a[:1], a)
    with pytest.raises(InvalidParameterError, match="statistic='w'"):
        energy_distance(a, a, statistic="w")
    with pytest.raises(InvalidParameterError, match="max_rows=1"):
        energy_distance(a, a, max_rows=1)
    with pytest.raises(InvalidInputError, match="equal length"):
        classifier_two_sample_auc(a, a[:5], paired=True)
    with pytest.raises(InvalidInputError, match="n_splits=7"):
        classifier_two_sample_auc(a, a, n_splits=7)
    with pytest.raises(InvalidParameterError, match="n_splits=1"):
        classifier_two_sample_auc(a, a, n_splits=1)
    with pytest.raises(InvalidParameterError, match="classifier='svm'"):
        classifier_two_sample_auc(a, a, classifier="svm")
