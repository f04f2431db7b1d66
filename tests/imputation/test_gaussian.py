"""The Gaussian base against textbook formulas and a known truth."""

import numpy as np
import pytest
import torch

from tabgan.imputation.conditional_means.gaussian import GaussianConditional, fit_gaussian
from tests.rounding import DOUBLE


def random_covariance(width, seed):
    root = np.random.default_rng(seed).normal(size=(width, width + 2))
    return root @ root.T / width


def block_formula(mean, covariance, row, seen):
    """E[hidden | visible] = m_h + C_hv C_vv^-1 (x_v - m_v), by index sets."""
    filled = row.copy()
    v, h = np.flatnonzero(seen), np.flatnonzero(~seen)
    filled[h] = mean[h]
    if len(v):
        filled[h] += covariance[np.ix_(h, v)] @ np.linalg.solve(covariance[np.ix_(v, v)], row[v] - mean[v])
    return filled


@pytest.mark.parametrize(("width", "seed"), [(1, 0), (2, 1), (5, 2), (9, 3)])
def test_conditional_means_equal_the_block_formula(width, seed):
    rng = np.random.default_rng(seed)
    mean, covariance = rng.normal(size=width), random_covariance(width, seed)
    values, seen = rng.normal(size=(40, width)), rng.random((40, width)) < rng.random((40, 1))
    seen[0], seen[1] = True, False
    base = GaussianConditional(torch.tensor(mean), torch.tensor(covariance))
    filled = base(torch.tensor(values), torch.tensor(seen).double()).numpy()
    expected = np.stack([block_formula(mean, covariance, *row) for row in zip(values, seen, strict=True)])
    np.testing.assert_allclose(filled, expected, rtol=0, atol=1e-8)


def test_all_visible_gives_the_row_and_none_visible_the_mean():
    base = GaussianConditional(torch.tensor([1.0, -2.0, 3.0]).double(), torch.tensor(random_covariance(3, 0)))
    row = torch.tensor([[7.0, 8.0, 9.0]]).double()
    torch.testing.assert_close(base(row, torch.ones_like(row)), row, rtol=0, atol=1e-9)
    assert torch.equal(base(row, torch.zeros_like(row))[0], base.mean)


@pytest.mark.parametrize("junk", [1e6, float("inf"), float("nan")])
def test_hidden_slots_may_hold_anything(junk):
    seen = torch.tensor([[1.0, 0.0, 1.0]]).double()
    values = torch.tensor([[0.5, 0.0, -1.0]]).double()
    dirty = torch.where(seen > 0, values, junk)
    base = GaussianConditional(torch.zeros(3).double(), torch.tensor(random_covariance(3, 0)))
    assert torch.equal(base(dirty, seen), base(values, seen))
    many = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)).double()
    shown = (many.roll(1, 0) > -0.5).double()
    clean, fouled = fit_gaussian(many * shown, shown), fit_gaussian(torch.where(shown > 0, many, junk), shown)
    assert torch.equal(clean.covariance, fouled.covariance)


def sample(n, width, seed, missing=0.0):
    """Rows of a known Gaussian, a mask missing completely at random, and the truth."""
    rng = np.random.default_rng(seed)
    mean, covariance = 3 * rng.normal(size=width), random_covariance(width, seed)
    rows = rng.multivariate_normal(mean, covariance, size=n)
    seen = rng.random((n, width)) >= missing
    return torch.tensor(rows), torch.tensor(seen).double(), torch.tensor(mean), torch.tensor(covariance)


@pytest.mark.parametrize("prior_rows", [1.0, 1.3, 151.0, None])
def test_complete_rows_give_the_sample_mean_and_the_shrunk_sample_covariance(prior_rows):
    rows, seen, _, _ = sample(300, 4, 0)
    base = fit_gaussian(rows, seen, prior_rows=prior_rows)
    scatter = torch.cov(rows.T, correction=0)
    prior = prior_rows or 4**2 / 300 + 0.03
    expected = (300 * scatter + prior * torch.diag(scatter.diagonal())) / (300 + prior)
    torch.testing.assert_close(base.mean, rows.mean(0))
    torch.testing.assert_close(base.covariance, expected, rtol=0, atol=2e-6)


def test_a_known_gaussian_is_recovered_from_incomplete_rows():
    rows, seen, mean, covariance = sample(20000, 4, 1, missing=0.3)
    base = fit_gaussian(torch.where(seen > 0, rows, 0.0), seen, n_iterations=100, tolerance=1e-6)
    scale = covariance.diagonal().sqrt()
    assert ((base.mean - mean) / scale).abs().max() < 0.04
    assert ((base.covariance - covariance) / torch.outer(scale, scale)).abs().max() < 0.05


def test_gaps_that_depend_on_what_is_seen_do_not_bias_the_mean():
    """Missing at random: the mean of the seen cells is off, maximum likelihood is not."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=5000)
    y = 0.9 * x + np.sqrt(1 - 0.81) * rng.normal(size=5000)
    seen = np.stack([np.ones(5000), x < 0.5], 1)
    base = fit_gaussian(torch.tensor(np.stack([x, y], 1)), torch.tensor(seen), n_iterations=200, tolerance=1e-7)
    assert y[x < 0.5].mean() < -0.3
    assert abs(base.mean[1]) < 0.05
    assert base.covariance[0, 1] == pytest.approx(0.9, abs=0.05)


def log_likelihood(base, rows, seen):
    """Of the visible entries, row by row."""
    total = 0.0
    for row, shown in zip(rows, seen > 0, strict=True):
        if shown.any():
            part = torch.distributions.MultivariateNormal(base.mean[shown], base.covariance[shown][:, shown])
            total += float(part.log_prob(row[shown]))
    return total


def test_every_em_iteration_raises_the_posterior():
    """What the M step maximises is the likelihood with the prior's share, k (log det C + tr C^-1 diag(s^2)) / 2."""
    rows, seen, _, _ = sample(120, 4, 2, missing=0.4)
    variance = torch.stack([rows[seen[:, j] > 0, j].var(correction=0) for j in range(4)]) + 1e-6
    objective, likelihood = [], []
    for n_iterations in (1, 2, 3, 5, 10, 20, 40):
        base = fit_gaussian(rows, seen, n_iterations=n_iterations, tolerance=0.0, prior_rows=1.0)
        penalty = torch.logdet(base.covariance) + torch.trace(torch.linalg.solve(base.covariance, torch.diag(variance)))
        likelihood.append(log_likelihood(base, rows, seen))
        objective.append(likelihood[-1] - 0.5 * float(penalty))
    assert np.diff(objective).min() > -1e-6
    assert objective[-1] - objective[0] > 1
    assert likelihood[0] < likelihood[1] < likelihood[3] < likelihood[4]


def test_few_rows_are_shrunk_so_much_that_they_predict_better_than_without():
    """Independent slots: what correlations 60 rows show is noise, and 0.4 rows of a prior leave most of it."""
    rows, seen, _, _ = sample(60, 20, 6, missing=0.3)
    rows = torch.randn(rows.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    error = {
        prior: float(((fit_gaussian(rows, seen, prior_rows=prior)(rows, seen) - rows) * (1 - seen)).square().sum())
        for prior in (None, 0.4)
    }
    assert error[None] < 0.95 * error[0.4]


def test_row_order_does_not_matter():
    rows, seen, _, _ = sample(400, 5, 3, missing=0.3)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    one, other = fit_gaussian(rows, seen), fit_gaussian(rows[order], seen[order])
    torch.testing.assert_close(one.mean, other.mean, rtol=0, atol=DOUBLE)
    torch.testing.assert_close(one.covariance, other.covariance, rtol=0, atol=DOUBLE)


def test_rows_are_worked_off_in_parts(monkeypatch):
    monkeypatch.setattr("tabgan.imputation.conditional_means.hidden_blocks._MOST_NUMBERS", 20_000)
    rows, seen, _, _ = sample(1300, 60, 4, missing=0.3)
    split = fit_gaussian(rows, seen, n_iterations=1, max_flops=1e12)
    mean = (rows * seen).sum(0) / seen.sum(0)
    # The first E step starts from independent slots: hidden cells become the mean, and add the variance.
    variance = ((rows - mean) ** 2 * seen).sum(0) / seen.sum(0) + 1e-6
    filled = torch.where(seen > 0, rows, mean)
    prior = 60**2 / float(seen.sum(0).mean()) + 1e-4 * len(rows)
    moment = len(rows) * torch.cov(filled.T, correction=0) + torch.diag((1 - seen).sum(0) * variance + prior * variance)
    torch.testing.assert_close(split.covariance, moment / (len(rows) + prior), rtol=0, atol=DOUBLE)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows, seen: (rows, seen.index_fill(1, torch.tensor([2]), 0.0)),  # a slot that is never seen
        lambda rows, seen: (rows.index_fill(1, torch.tensor([2]), 5.0), seen),  # a constant slot
        lambda rows, seen: (torch.cat([rows[:, :3], rows[:, :1]], 1), seen),  # a slot twice
        lambda rows, seen: (rows[:2], seen[:2]),  # fewer rows than slots
        lambda rows, seen: (rows, seen.index_fill(0, torch.arange(20), 0.0)),  # empty rows
    ],
)
def test_degenerate_tables_give_a_usable_base(spoil):
    rows, seen = spoil(*sample(60, 4, 5, missing=0.2)[:2])
    base = fit_gaussian(rows, seen)
    assert torch.linalg.eigvalsh(base.covariance).min() > 0
    assert base(rows, seen).isfinite().all()


def test_many_rows_begin_where_some_of_them_end():
    """Most iterations go over 4,000 rows only; what they lead to is what all iterations over all rows lead to."""
    rows, seen, _, _ = sample(6000, 5, 7, missing=0.3)
    quick = fit_gaussian(rows, seen, n_iterations=60, tolerance=1e-6)
    independent = GaussianConditional(torch.zeros(5).double(), torch.eye(5).double())
    whole = fit_gaussian(rows, seen, n_iterations=200, tolerance=1e-6, start=independent)
    torch.testing.assert_close(quick.covariance, whole.covariance, rtol=0, atol=1e-4)
    torch.testing.assert_close(quick.mean, whole.mean, rtol=0, atol=1e-4)
