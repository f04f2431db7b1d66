"""Factors against their closed form, normal scores against scipy, and the blend of the two conditional means."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tabgan.imputation.conditional_means.factors import FactorConditional, choose_n_factors, fit_factors
from tabgan.imputation.conditional_means.gaussian import GaussianConditional
from tabgan.imputation.conditional_means.normal_scores import NormalScores
from tabgan.imputation.stages.closed_form import MAX_DENSE_WIDTH, ClosedForm, fit_closed_form
from tabgan.imputation.stages.stage import Rows
from tabgan.spans import Span


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def low_rank_rows(n=1500, width=12, n_factors=3, seed=0):
    draw = seeded(seed)
    loadings = torch.randn(width, n_factors, generator=draw, dtype=torch.float64)
    rows = torch.randn(n, n_factors, generator=draw, dtype=torch.float64) @ loadings.T
    return rows + 0.3 * torch.randn(n, width, generator=draw, dtype=torch.float64), loadings


def test_factor_conditional_is_the_gaussian_conditional_of_its_covariance():
    draw = seeded()
    mean = torch.randn(7, generator=draw).double()
    loadings = torch.randn(7, 2, generator=draw).double()
    noise = torch.rand(7, generator=draw).double() + 0.1
    values = torch.randn(30, 7, generator=draw).double()
    visible = (torch.rand(30, 7, generator=draw) < 0.6).double()
    dense = GaussianConditional(mean, loadings @ loadings.T + torch.diag(noise))(values, visible)
    factors = FactorConditional(mean, loadings, noise)(values, visible)
    torch.testing.assert_close(factors, torch.where(visible > 0, values, dense))


def test_fit_factors_recovers_the_covariance_from_incomplete_rows():
    rows, loadings = low_rank_rows()
    visible = (torch.rand(rows.shape, generator=seeded(1)) < 0.8).double()
    fitted = fit_factors(torch.where(visible > 0, rows, torch.nan), visible, 3, n_iterations=200, tolerance=1e-7)
    covariance = fitted.loadings @ fitted.loadings.T + torch.diag(fitted.noise)
    truth = loadings @ loadings.T + 0.09 * torch.eye(12)
    assert (covariance - truth).abs().max() < 0.1 * truth.abs().max()


def test_normal_scores_agree_with_ranks_and_invert():
    values = torch.from_numpy(np.random.default_rng(0).exponential(size=(4000, 2))) ** 3
    scores = NormalScores(torch.quantile(values, torch.special.ndtr(NormalScores.grid()), dim=0).T.contiguous())
    ranks = (values[:, 0].argsort().argsort().double() + 0.5) / len(values)
    inner = (ranks > 0.01) & (ranks < 0.99)
    np.testing.assert_allclose(scores(values)[inner, 0], norm.ppf(ranks[inner]), atol=0.02)
    back = scores.inverse(scores(values))
    torch.testing.assert_close(back[inner, 0], values[inner, 0], rtol=1e-6, atol=1e-9)


def test_ties_share_the_middle_of_their_scores():
    column = torch.cat([torch.zeros(600), torch.linspace(1, 2, 400)]).double()
    scores = NormalScores(torch.quantile(column, torch.special.ndtr(NormalScores.grid())).unsqueeze(0))
    zero = float(scores(torch.zeros(1, 1, dtype=torch.float64)))
    assert zero == pytest.approx((-NormalScores.LARGEST + norm.ppf(0.6)) / 2, abs=0.05)
    assert float(scores.inverse(torch.tensor([[zero]], dtype=torch.float64))) == 0.0


def blend_errors(rows):
    """Mean squared error of the blend, of the linear part and of the rank part, on fresh rows."""
    spans = [Span("numeric", j, j + 1) for j in range(rows.shape[1])]
    rows = (rows - rows.mean(0)) / rows.std(0)
    base = fit_closed_form(rows[:2000], torch.ones_like(rows[:2000]), spans, seeded())
    fresh = rows[2000:]
    visible = (torch.rand(fresh.shape, generator=seeded(1)) < 0.7).double()
    blended, linear, rank = base(fresh, visible)
    hidden = visible == 0
    return [float(((filled - fresh)[hidden] ** 2).mean()) for filled in (blended, linear, base.scores.inverse(rank))]


def test_the_largest_tie_is_the_share_of_the_most_frequent_value():
    generator = torch.Generator().manual_seed(0)
    smooth = torch.randn(5000, generator=generator, dtype=torch.float64)
    columns = torch.stack([smooth, torch.where(smooth < 0.5244, 0.0, smooth), (smooth > 0).double()])
    scores = NormalScores(torch.quantile(columns, torch.special.ndtr(NormalScores.grid()), dim=1).T.contiguous())
    assert scores.largest_ties().tolist() == pytest.approx([0.0, 0.7, 0.5], abs=0.03)
    assert len(NormalScores(torch.zeros(0, NormalScores.N_KNOTS)).largest_ties()) == 0


def test_the_blend_is_about_as_good_as_the_better_part():
    draw = seeded()
    logs = torch.randn(4000, 1, generator=draw).double() + 0.3 * torch.randn(4000, 3, generator=draw).double()
    blended, linear, rank = blend_errors(logs)
    assert blended < 1.02 * min(linear, rank)
    blended, linear, rank = blend_errors(logs.exp())
    assert blended < 0.95 * max(linear, rank)
    assert blended < 1.02 * min(linear, rank)


@pytest.mark.parametrize("width", [5, MAX_DENSE_WIDTH + 3])
def test_weights_load_into_a_blank_one(width):
    rows, _ = low_rank_rows(300, width)
    spans = [Span("numeric", j, j + 1) for j in range(width)]
    fitted = fit_closed_form(rows, torch.ones_like(rows), spans, seeded())
    n_linear, n_rank = (
        part.loadings.shape[1] if isinstance(part, FactorConditional) else 0 for part in (fitted.linear, fitted.rank)
    )
    blank = ClosedForm.blank(spans, (n_linear, n_rank))
    blank.load_state_dict(fitted.state_dict())
    visible = (torch.rand(rows.shape, generator=seeded(2)) < 0.7).double()
    for left, right in zip(blank(rows, visible), fitted(rows, visible), strict=True):
        torch.testing.assert_close(left, right)


@pytest.mark.parametrize("n_factors", [1, 4])
def test_the_number_of_factors_is_the_one_that_predicts_hidden_cells(n_factors):
    """60 rows of 150 columns bear the factors that there are, and no more: 32 would follow the noise."""
    draw = torch.Generator().manual_seed(n_factors)
    loadings = torch.randn(n_factors, 150, generator=draw).double()
    rows = torch.randn(60, n_factors, generator=draw).double() @ loadings
    rows += 0.4 * torch.randn(60, 150, generator=draw)
    visible = (torch.rand(60, 150, generator=draw) < 0.8).double()
    shown = visible * (torch.rand(60, 150, generator=draw) < 0.85)
    assert choose_n_factors(rows, visible, shown) == n_factors
    assert choose_n_factors(rows, visible, shown, time_is_up=lambda: True) == 1


def test_a_wide_table_keeps_its_number_of_factors_when_it_is_stored():
    spans = tuple(Span("numeric", j, j + 1) for j in range(80))
    draw = torch.Generator().manual_seed(0)
    values = (torch.randn(90, 2, generator=draw) @ torch.randn(2, 80, generator=draw)) + 0.3 * torch.randn(
        90, 80, generator=draw
    )
    visible = (torch.rand(90, 80, generator=draw) < 0.8).float()
    base = fit_closed_form(values, visible, spans, draw)
    assert base.linear.loadings.shape[1] < 8
    again = ClosedForm.from_state(base.state(), spans, {})
    rows = Rows(values.double(), visible.double())
    assert torch.equal(again.complete(rows, None).closed, base.complete(rows, None).closed)
    refitted = fit_closed_form(values, visible, spans, draw, base)
    assert refitted.linear.loadings.shape == base.linear.loadings.shape


def test_levels_of_a_wide_table_get_a_full_covariance():
    """Thirty labels in pairs that say the same, three levels each: no few factors describe them, a covariance does."""
    draw = torch.Generator().manual_seed(0)
    levels = torch.randint(3, (400, 15), generator=draw).repeat(1, 2)
    rows = torch.nn.functional.one_hot(levels, 3).flatten(1).double()
    spans = tuple(Span("categorical", 3 * j, 3 * j + 3) for j in range(30))
    shown = (torch.rand(400, 30, generator=draw) < 0.8).repeat_interleave(3, 1).double()
    base = fit_closed_form(rows * shown, shown, spans, draw)
    assert isinstance(base.linear, GaussianConditional)
    both_hidden = shown * shown.roll(45, 1) + (1 - shown) * (1 - shown.roll(45, 1))
    told, cells = base(rows * shown, shown)[0], (1 - shown) * (1 - both_hidden)
    assert float(((told - rows) * cells).square().sum() / cells.sum()) < 0.05  # 0.22 without knowing anything
    again = ClosedForm.from_state(base.state(), spans, {})
    torch.testing.assert_close(again(rows * shown, shown)[0], told)
    assert isinstance(fit_closed_form(rows * shown, shown, spans, draw, base).linear, GaussianConditional)


def test_very_wide_tables_get_factors(monkeypatch):
    monkeypatch.setattr("tabgan.imputation.stages.closed_form.MAX_JUDGED_WIDTH", 80)
    draw = torch.Generator().manual_seed(0)
    levels = torch.randint(3, (300, 14), generator=draw).repeat(1, 2)
    rows = torch.nn.functional.one_hot(levels, 3).flatten(1).double()
    spans = tuple(Span("categorical", 3 * j, 3 * j + 3) for j in range(28))
    assert isinstance(fit_closed_form(rows, torch.ones_like(rows), spans, draw).linear, FactorConditional)
