"""Where draws begin: between the copula's mean and the point estimate, with the spread that is left."""

from dataclasses import replace

import pytest
import torch

from tabgan.imputation.conditional_means.factors import FactorConditional
from tabgan.imputation.conditional_means.gaussian import GaussianConditional
from tabgan.imputation.stages.closed_form import ClosedForm, fit_closed_form
from tabgan.imputation.stages.correction import Correction
from tabgan.imputation.stages.draws import Draws, Told
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows, Trail
from tabgan.spans import Span
from tests.imputation.learning_of import learning_of, noise_of, table_of

SPANS = (Span("numeric", 0, 1), Span("numeric", 1, 2), Span("numeric", 2, 3))


@pytest.fixture(scope="module")
def closed_form() -> ClosedForm:
    """Of two dependent columns and one that is half zeros."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(2000, 3, generator=generator, dtype=torch.float64)
    rows[:, 1] += rows[:, 0]
    rows[:, 2] = rows[:, 2].clamp_min(0)
    return fit_closed_form(rows, torch.ones_like(rows), SPANS, generator)


@pytest.fixture
def drawer() -> Draws:
    """Untrained."""
    return Draws(SPANS, width=8, generator=torch.Generator().manual_seed(0)).double()


def fit(drawer, closed_form, share, noise, n=4000):
    """Fit to a truth that lies ``share`` of the way from the copula's mean to the point estimate."""
    generator = torch.Generator().manual_seed(1)
    visible, hidden = torch.zeros(n, 3, dtype=torch.float64), torch.ones(n, 3, dtype=torch.float64)
    means, scored_point = torch.randn(2, n, 3, generator=generator, dtype=torch.float64)
    truth = torch.lerp(means, scored_point, share) + noise * torch.randn(n, 3, generator=generator, dtype=torch.float64)
    told = Told(means, means, scored_point)
    deviation = closed_form.deviations(visible, torch.randn(1, n, 3, generator=generator))[0]
    drawer.fit_centre(told, truth, hidden, deviation, closed_form.scores.largest_ties())


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_draws_lean_as_far_as_the_truth_does(drawer, closed_form, share):
    fit(drawer, closed_form, share, 0.1)
    assert drawer.lean[:2].tolist() == pytest.approx([share, share], abs=0.02)


def test_the_spread_is_what_is_left(drawer, closed_form):
    fit(drawer, closed_form, 0.5, 0.3)
    # Nothing is visible, so the copula's deviations have variance 1 in scores.
    assert drawer.spread[:2].tolist() == pytest.approx([0.3, 0.3], abs=0.03)


def test_a_column_with_many_ties_keeps_the_copulas_draws(drawer, closed_form):
    fit(drawer, closed_form, 1.0, 0.1)
    assert (float(drawer.lean[2]), float(drawer.spread[2])) == (0.0, 1.0)


def test_few_cells_lead_to_little_trust(drawer, closed_form):
    fit(drawer, closed_form, 1.0, 0.0, n=20)
    assert drawer.lean[:2].tolist() == pytest.approx([0.5, 0.5], abs=0.01)


def test_cells_that_were_not_hidden_on_purpose_do_not_count(drawer, closed_form):
    draw = torch.Generator().manual_seed(3)
    means, point, other = torch.randn(3, 500, 3, generator=draw, dtype=torch.float64)
    hidden = (torch.arange(500) % 2 == 0).double()[:, None].expand(-1, 3)
    truth = torch.where(hidden > 0, point, other)
    ties = closed_form.scores.largest_ties()
    drawer.fit_centre(Told(means, means, point), truth, hidden, torch.ones_like(truth), ties)
    few = 20 / (250 + 20)
    assert drawer.lean[:2].tolist() == pytest.approx([1 - few, 1 - few], abs=1e-6)


def test_draws_are_told_scores_of_numbers_and_logarithms_of_levels():
    spans = (Span("numeric", 0, 1), Span("categorical", 1, 3))
    rows = torch.tensor([[float(k), k % 2, 1 - k % 2] for k in range(101)], dtype=torch.float64)
    draw = torch.Generator().manual_seed(0)
    closed_form = fit_closed_form(rows, torch.ones_like(rows), spans, draw)
    completed = torch.tensor([[50.0, 0.25, 0.75], [0.0, 0.0, 1.0]], dtype=torch.float64)
    rank = torch.tensor([[0.3, 0.4, 0.5], [0.6, 0.7, 0.8]], dtype=torch.float64)
    told = (
        Draws(spans, width=8, generator=draw)
        .double()
        .told(closed_form, Completion(completed, completed, completed, rank, torch.zeros_like(rank)))
    )
    assert torch.equal(told.means, rank)
    assert told.raw[:, 0].tolist() == [50.0, 0.0]
    torch.testing.assert_close(told.raw[0, 1:], torch.tensor([0.25, 0.75], dtype=torch.float64).log())
    assert told.raw[1, 1] < -10  # not minus infinity
    assert told.raw.isfinite().all()
    torch.testing.assert_close(told.point[:, :1], closed_form.scores(completed[:, :1]))
    assert torch.equal(told.point[:, 1:], told.raw[:, 1:])


def test_before_training_draws_are_the_copulas(drawer, closed_form):
    draw = torch.Generator().manual_seed(2)
    means, point, deviation = torch.randn(3, 30, 3, generator=draw, dtype=torch.float64)
    noise = drawer.noise(deviation[None], draw).flat()
    made = drawer(Told(means, means, point), torch.zeros(30, 3, dtype=torch.float64), noise)
    torch.testing.assert_close(made, means + deviation)


class Insists(FittedStage):
    """A last stage that is sure of the first level, and far out with its numbers."""

    def complete(self, rows, before):
        completed = torch.tensor([100.0, 1.0, 0.0], dtype=torch.float64).expand(len(rows), -1)
        return replace(before, completed=completed)


def test_levels_are_drawn_from_the_whole_chain_and_numbers_from_the_correction():
    spans = (Span("numeric", 0, 1), Span("categorical", 1, 3))
    learning = learning_of(table_of(spans, 200), spans, with_closed_form=True)
    draw = torch.Generator().manual_seed(0)
    correction = Correction(spans, torch.zeros(1, 3), width=4, n_members=2, generator=draw).double()
    draws = Draws(spans, width=4, generator=draw).double()
    draws.lean.fill_(1.0)  # numbers follow the point estimate
    rows = Rows(table_of(spans, 200, seed=1).double(), torch.zeros(200, 2, dtype=torch.float64))
    made = []
    for last in (FittedStage(), Insists()):
        trail = Trail(rows, [learning.stages[0], correction, last, draws])
        made.append(draws.scores(trail, noise_of(200))[0])
    plain, insisted = made
    assert torch.equal(insisted[:, 0], plain[:, 0])
    assert 20 < int(plain[:, 1].sum()) < 180
    assert (insisted[:, 1] == 1).all()


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
