"""Where draws begin: between the copula's mean and the point estimate, with the spread that is left."""

import pytest
import torch

from tabgan.imputation.conditional_means.factors import FactorConditional
from tabgan.imputation.conditional_means.gaussian import GaussianConditional
from tabgan.imputation.stages.closed_form import fit_base
from tabgan.imputation.stages.correction import BasedGenerator
from tabgan.imputation.stages.draws import Drawer
from tabgan.spans import Span

SPANS = (Span("numeric", 0, 1), Span("numeric", 1, 2), Span("numeric", 2, 3))


@pytest.fixture(scope="module")
def drawer():
    """Around an untrained point estimate of two dependent columns and one that is half zeros."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(2000, 3, generator=generator, dtype=torch.float64)
    rows[:, 1] += rows[:, 0]
    rows[:, 2] = rows[:, 2].clamp_min(0)
    base = fit_base(rows, torch.ones_like(rows), SPANS, generator)
    edges = torch.quantile(rows, torch.linspace(0, 1, 5, dtype=torch.float64), dim=0).T.contiguous()
    point = BasedGenerator(SPANS, base, edges, width=8, n_blocks=1, n_members=2, generator=generator).double()
    return Drawer(point, width=8, generator=generator).double()


def fit(drawer, share, noise, n=4000):
    """Fit to a truth that lies ``share`` of the way from the copula's mean to the point estimate."""
    generator = torch.Generator().manual_seed(1)
    visible, hidden = torch.zeros(n, 3, dtype=torch.float64), torch.ones(n, 3, dtype=torch.float64)
    means, scored_point = torch.randn(2, n, 3, generator=generator, dtype=torch.float64)
    truth = torch.lerp(means, scored_point, share) + noise * torch.randn(n, 3, generator=generator, dtype=torch.float64)
    drawer.fit_centre((means, means, scored_point), truth, hidden, drawer.noise(visible, 1, generator)[0])


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_draws_lean_as_far_as_the_truth_does(drawer, share):
    fit(drawer, share, 0.1)
    assert drawer.lean[:2].tolist() == pytest.approx([share, share], abs=0.02)


def test_the_spread_is_what_is_left(drawer):
    fit(drawer, 0.5, 0.3)
    # Nothing is visible, so the copula's deviations have variance 1 in scores.
    assert drawer.spread[:2].tolist() == pytest.approx([0.3, 0.3], abs=0.03)


def test_a_column_with_many_ties_keeps_the_copulas_draws(drawer):
    fit(drawer, 1.0, 0.1)
    assert (float(drawer.lean[2]), float(drawer.spread[2])) == (0.0, 1.0)


def test_few_cells_lead_to_little_trust(drawer):
    fit(drawer, 1.0, 0.0, n=20)
    assert drawer.lean[:2].tolist() == pytest.approx([0.5, 0.5], abs=0.01)


LOADINGS = torch.tensor([[1.0], [0.8], [-0.5]], dtype=torch.float64)
VARIANCES = torch.tensor([0.3, 0.2, 0.4], dtype=torch.float64)
COVARIANCE = LOADINGS @ LOADINGS.T + torch.diag(VARIANCES)


@pytest.mark.parametrize(
    "conditional",
    [
        GaussianConditional(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64), COVARIANCE),
        FactorConditional(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64), LOADINGS, VARIANCES),
    ],
    ids=["covariance", "factors"],
)
def test_deviations_have_the_conditional_covariance(conditional):
    generator, n = torch.Generator().manual_seed(0), 40_000
    noise = torch.randn(2, n, conditional.d_noise, generator=generator, dtype=torch.float64)
    visible = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64).expand(n, 3)
    first, second = conditional.deviations(noise, visible)
    assert first[:, 0].abs().max() == 0
    wanted = COVARIANCE[1:, 1:] - COVARIANCE[1:, :1] @ COVARIANCE[:1, 1:] / COVARIANCE[0, 0]
    torch.testing.assert_close(first[:, 1:].T.cov(), wanted, atol=0.02, rtol=0)
    assert (first[:, 1] * second[:, 1]).mean().abs() < 0.02
