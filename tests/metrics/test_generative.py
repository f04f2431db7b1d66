"""Scores of generated rows: closed forms of Gaussians, counted neighbours, known failures (collapse, copies)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics import (
    conditional_accuracy,
    frechet_distance,
    gaussian_frechet_distance,
    kernel_distance,
    nearest_distance_ratio,
    pair_distance_ratio,
    precision_recall_density_coverage,
    train_on_synthetic_score,
)
from tabgan.metrics.rows import BLOCK, nearest_distances


def normal(n, d, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, size=(n, d))


def test_frechet_of_gaussians_against_the_matrix_root():
    rng = np.random.default_rng(0)
    A, B = (np.cov(rng.normal(size=(5, 20)) * np.arange(1, 6)[:, None]) for _ in range(2))
    gap = np.arange(5.0)
    expected = gap @ gap + np.trace(A + B - 2 * sqrtm(A @ B).real)
    assert gaussian_frechet_distance(gap, A, np.zeros(5), B) == pytest.approx(expected)


def test_frechet_of_commuting_covariances():
    a, b = np.array([1.0, 4.0, 0.0]), np.array([9.0, 1.0, 4.0])  # the singular one included
    expected = ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert gaussian_frechet_distance(np.zeros(3), np.diag(a), np.zeros(3), np.diag(b)) == pytest.approx(expected)


def test_frechet_of_samples():
    a = normal(300, 4, 1)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + np.array([3, 0, 0, 4])) == pytest.approx(25)
    assert frechet_distance(a, 2 * (a - a.mean(axis=0)) + a.mean(axis=0)) == pytest.approx(a.var(axis=0, ddof=1).sum())


def test_frechet_stays_real_with_fewer_rows_than_features():
    assert 0 < frechet_distance(normal(10, 30, 2), normal(12, 30, 3)) < 200


def test_kernel_distance_is_unbiased():
    values = np.array(
        [kernel_distance(normal(20, 3, s), normal(15, 3, s + 1000), standardize=False) for s in range(300)]
    )
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(300)
    assert values.min() < 0


def test_kernel_distance_by_hand():
    # one column, d = 1: k(x, y) = (x y + 1)^3
    a, b = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    # pairs: k(0, 1) = 1 twice / 2; k(1, 2) = 27; across: k(0,1)=1, k(0,2)=1, k(1,1)=8, k(1,2)=27
    assert kernel_distance(a, b, standardize=False) == pytest.approx(1 + 27 - 2 * (1 + 1 + 8 + 27) / 4)


def test_kernel_distance_standardised_ignores_units():
    a, b = normal(80, 3, 4), normal(90, 3, 5, shift=0.5)
    units, offset = np.array([1e3, 1.0, 1e-3]), np.array([5.0, -7.0, 100.0])
    assert kernel_distance(a * units + offset, b * units + offset) == pytest.approx(kernel_distance(a, b))
    assert kernel_distance(np.hstack([a, np.ones((80, 1))]), np.hstack([b, np.ones((90, 1))])) > 0  # a constant column


def test_a_set_covers_itself():
    a = np.round(normal(200, 2, 6), 0)  # full of duplicates
    assert precision_recall_density_coverage(a, a)[:2] == (1, 1)
    assert precision_recall_density_coverage(a, a).coverage == 1
    b = normal(200, 2, 7)
    scores = precision_recall_density_coverage(b, b)
    # each of k neighbours of a row, and the row itself, lies in its closed ball: k + 1 pairs per row
    assert scores.density == pytest.approx(6 / 5)


def test_collapse_has_precision_one_and_no_coverage():
    a = normal(500, 3, 8)
    scores = precision_recall_density_coverage(a, np.repeat(a[:1], 500, axis=0))
    assert scores.precision == 1
    assert scores.recall <= 1 / 500
    assert scores.coverage < 0.05


def test_far_rows_score_nothing():
    a = normal(100, 3, 9)
    assert precision_recall_density_coverage(a, a + 100) == (0, 0, 0, 0)


def test_another_real_sample_reaches_the_expected_coverage():
    n, k = 600, 3
    expected = 1 - np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])
    found = [precision_recall_density_coverage(normal(n, 4, s), normal(n, 4, s + 50), k) for s in range(5)]
    assert np.mean([f.coverage for f in found]) == pytest.approx(expected, abs=0.03)
    assert np.mean([f.density for f in found]) == pytest.approx(1, abs=0.1)


def test_blocks_do_not_change_the_neighbours():
    a, b = normal(BLOCK + 7, 2, 10), normal(40, 2, 11)
    brute = np.linalg.norm(a[:, None] - b, axis=2)
    assert nearest_distances(a, b, k=3) == pytest.approx(np.sort(brute, axis=1)[:, 2])
    own = np.linalg.norm(a[:, None] - a, axis=2)
    assert nearest_distances(a, k=2) == pytest.approx(np.sort(own, axis=1)[:, 2])  # index 0 is the row itself


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.1, 10), st.floats(-5, 5))
def test_neighbour_scores_ignore_order_shift_and_scale(seed, scale, shift):
    a, b = normal(30, 2, seed), normal(25, 2, seed + 1)
    there = precision_recall_density_coverage(a, b, 3)
    assert precision_recall_density_coverage(a[::-1] * scale + shift, b[::-1] * scale + shift, 3) == pytest.approx(
        there
    )
    assert pair_distance_ratio(a * scale + shift, b * scale + shift) == pytest.approx(pair_distance_ratio(a, b))


def test_copies_and_fresh_rows():
    train, holdout, fresh = normal(400, 3, 12), normal(400, 3, 13), normal(400, 3, 14)
    assert nearest_distance_ratio(train, fresh, holdout) == pytest.approx(1, abs=0.15)
    assert nearest_distance_ratio(train, train + 1e-6, holdout) < 1e-4
    assert nearest_distance_ratio(train, fresh + 50, holdout) > 50
    few_copies = np.concatenate([train[:40], fresh[:360]])
    assert nearest_distance_ratio(train, few_copies, holdout, quantile=0.05) == 0
    assert nearest_distance_ratio(train, few_copies, holdout) > 0.7
    assert np.isnan(nearest_distance_ratio(train, train, train))


@pytest.mark.parametrize("pairs", ["mean", "nearest"])
def test_diversity(pairs):
    a, b = normal(300, 3, 15), normal(450, 3, 16)
    assert pair_distance_ratio(a, b, pairs=pairs) == pytest.approx(1, abs=0.1)
    assert pair_distance_ratio(a, a / 4, pairs=pairs) == pytest.approx(0.25)
    assert pair_distance_ratio(a, np.repeat(a[:1], 50, axis=0), pairs=pairs) == 0


def test_nearest_pairs_see_prototypes_that_the_mean_misses():
    a = normal(300, 3, 17)
    prototypes = np.repeat(a[:30], 10, axis=0) + 0.001 * normal(300, 3, 18)
    assert pair_distance_ratio(a, prototypes) > 0.8
    assert pair_distance_ratio(a, prototypes, pairs="nearest") < 0.05


def test_conditional_accuracy_counts_classes_alike_when_balanced():
    fake, asked = np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0])
    assert conditional_accuracy(lambda x: x, fake, asked) == 0.75
    asked = np.array([0, 0, 1, 1])
    assert conditional_accuracy(lambda x: x, fake, asked, balanced=True) == pytest.approx((1 + 0.5) / 2)


def test_train_on_synthetic():
    labels = np.arange(200) % 2
    real = normal(200, 2, 19) + 4 * labels[:, None]
    fake = normal(200, 2, 20) + 4 * labels[:, None]
    assert train_on_synthetic_score(fake, labels, real, labels) > 0.95
    assert train_on_synthetic_score(fake, 1 - labels, real, labels) < 0.05
    assert train_on_synthetic_score(fake, labels, real, labels, scoring="roc_auc") > 0.99


def test_refusals():
    a = normal(6, 2, 21)
    with pytest.raises(InvalidInputError, match="fake has 1 dimensions"):
        frechet_distance(a, a[:, 0])
    with pytest.raises(InvalidInputError, match="real has 2 columns and fake 1"):
        kernel_distance(a, a[:, :1])
    with pytest.raises(InvalidInputError, match="k=6"):
        precision_recall_density_coverage(a, a, 6)
    with pytest.raises(InvalidParameterError, match="k=0"):
        precision_recall_density_coverage(a, a, 0)
    with pytest.raises(InvalidInputError, match="NaN"):
        nearest_distance_ratio(a, a * np.nan, a)
    with pytest.raises(InvalidParameterError, match="quantile"):
        nearest_distance_ratio(a, a, a, quantile=1.5)
    with pytest.raises(InvalidParameterError, match="pairs"):
        pair_distance_ratio(a, a, pairs="all")
    with pytest.raises(InvalidInputError, match="one per row"):
        conditional_accuracy(lambda x: x, a, [1, 2])
    with pytest.raises(InvalidInputError, match="shape"):
        conditional_accuracy(lambda x: x, a, np.zeros(6))
    with pytest.raises(InvalidInputError, match="one class"):
        train_on_synthetic_score(a, np.zeros(6), a, np.zeros(6))
    with pytest.raises(InvalidInputError, match="real_labels"):
        train_on_synthetic_score(a, np.arange(6), a, np.zeros(5))
