"""Calibrated intervals: which residual is the factor, who borrows from whom, and where the ends lie."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tabgan import GAINImputer
from tabgan.imputation.stages import intervals
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.draws import Draws
from tabgan.imputation.stages.intervals import FEW, Intervals
from tabgan.imputation.stages.stage import Rows, Trail
from tabgan.spans import Span
from tests.imputation.learning_of import learning_of, noise_of, some_held_out, table_of

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 3), Span("numeric", 3, 4))


def counted(*n: int) -> Intervals:
    """Residuals 1, 2, ..., n for each column."""
    return Intervals(SPANS, tuple(tuple(float(r + 1) for r in range(size)) for size in n))


@given(st.integers(FEW, 300), st.floats(0.01, 0.99))
def test_the_factor_is_the_conformal_rank(n, coverage):
    wanted = min(math.ceil((n + 1) * coverage), n)
    assert counted(n, 0, 0).factor(0, coverage) == wanted


@pytest.mark.parametrize(
    ("n", "coverage", "factor"),
    [(39, 0.9, 36), (99, 0.9, 90), (99, 0.5, 50), (100, 0.9, 91), (30, 0.99, 30), (30, 0.9, 28)],
)
def test_the_factor_by_hand(n, coverage, factor):
    """The ceil((n + 1) c)-th of n, the last where there are not that many."""
    assert counted(n, 0, 0).factor(0, coverage) == factor


def test_a_column_with_too_few_residuals_borrows_from_all():
    own, other = tuple(float(r) for r in range(100, 100 + FEW - 1)), tuple(float(r) for r in range(1, 72))
    pooled = sorted(own + other)
    fitted = Intervals(SPANS, (own, (), other))
    assert len(pooled) == 100
    assert fitted.factor(0, 0.5) == pooled[50]
    assert fitted.factor(0, 0.9) == pooled[90]
    assert fitted.factor(2, 0.5) == 36  # enough of its own
    assert Intervals(SPANS, ((*own, 129.0), (), other)).factor(0, 0.5) == 115  # now enough, too


def test_without_any_residual_the_factor_is_the_normal_quantile():
    for spans, residuals in ((SPANS, ((), (), ())), ((), ((),))):
        assert Intervals(spans, residuals).factor(0, 0.9) == pytest.approx(1.6449, abs=1e-4)
        assert Intervals(spans, residuals).factor(0, 0.5) == pytest.approx(0.6745, abs=1e-4)


class KnownDraws(Draws):
    """Draws that lie one above and one below 0.5 in scores, whatever the row."""

    def scores(self, trail, noise):
        self.n_drawn = len(trail.rows)
        self.visible = trail.rows.visible
        spread = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(noise.n_draws // 2)
        return 0.5 + spread[:, None, None].expand(-1, *trail.rows.values.shape)


@pytest.fixture
def known():
    """A closed form, draws of known mean and spread; rows of which some cells are held out."""
    values = table_of(SPANS, 300)
    held_out = some_held_out(torch.ones(300, 3), 0.3)
    learning = learning_of(values, SPANS, 1 - held_out, held_out, with_closed_form=True)
    learning.stages.append(KnownDraws(SPANS, width=4, generator=torch.Generator().manual_seed(0)).double())
    return learning


SD = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(intervals.N_DRAWS // 2).std()


def test_residuals_are_distances_of_held_out_truths_in_standard_deviations(known):
    fitted = intervals.fit(known)
    closed_form, cells = known.stages[0], known.judged_cells > 0
    assert isinstance(closed_form, ClosedForm)
    scored = closed_form.scored(known.judged.rows.values)
    for j, slot in ((0, 0), (2, 3)):
        wanted = ((scored[cells[:, j], slot] - 0.5).abs() / SD).sort().values
        np.testing.assert_allclose(fitted.residuals[j], wanted, rtol=1e-9)
    assert fitted.residuals[1] == ()


def test_the_ends_are_the_mean_and_the_factor_times_the_spread_decoded(known):
    fitted = intervals.fit(known)
    trail = Trail(Rows(torch.zeros(2, 4).double(), torch.zeros(2, 3).double()), known.stages)
    ends = fitted.intervals(trail, [0.5, 0.9], noise_of(2))
    for coverage, (low, high) in zip((0.5, 0.9), ends, strict=True):
        for j, slot in ((0, 0), (2, 3)):
            reach = fitted.factor(j, coverage) * SD
            for end, scores in ((low, 0.5 - reach), (high, 0.5 + reach)):
                row = torch.full((1, 4), float(scores), dtype=torch.float64)
                wanted = known.stages[0].unscored(row)[0, slot]
                torch.testing.assert_close(end[:, slot], wanted.expand(2), rtol=3e-6, atol=3e-6)
        assert (low[:, [0, 3]] < high[:, [0, 3]]).all()


def test_many_residuals_are_thinned_evenly_and_many_rows_are_not_all_drawn_for(known, monkeypatch):
    whole = intervals.fit(known)
    monkeypatch.setattr(intervals, "MOST", 25)
    thinned = intervals.fit(known)
    step = len(whole.residuals[0]) // 25
    assert step > 1
    assert thinned.residuals[0] == whole.residuals[0][::step]
    monkeypatch.setattr(intervals, "MOST_CELLS", 40)
    intervals.fit(known)
    assert known.stages[1].n_drawn == 40


def test_a_held_out_number_is_hidden_alone(known, monkeypatch):
    """With all held-out cells of its row hidden it would be harder to guess than a missing cell is."""
    monkeypatch.setattr(intervals, "_DRAWN_AT_ONCE", 1e9)
    known.visible[:100, 1] = 0  # a gap that the table has
    known.held_out[:100, 1] = 0
    intervals.fit(known)
    hidden = known.stages[1].visible < 1
    assert (hidden[:, [0, 2]].sum(1) == 1).all()
    assert len(hidden) == int(known.held_out[:, [0, 2]].sum())
    assert 0 < int(hidden[:, 1].sum()) < len(hidden)


def test_the_residual_of_a_tied_value_is_the_factor_that_just_reaches_it(monkeypatch):
    """Half of the cells are 0, which take up half of the scores: an interval holds 0 wherever it reaches into them."""
    values = table_of(SPANS, 400)
    values[:200, 0] = values[:, 0].min()
    held_out = some_held_out(torch.ones(400, 3), 0.3)
    learning = learning_of(values, SPANS, 1 - held_out, held_out, with_closed_form=True)
    learning.stages.append(KnownDraws(SPANS, width=4, generator=torch.Generator().manual_seed(0)).double())
    monkeypatch.setattr(intervals, "MOST", 10_000)
    fitted = intervals.fit(learning)
    assert len(set(fitted.residuals[0])) < len(fitted.residuals[0]) - 30  # the tied ones share a residual
    trail = Trail(learning.judged.rows, learning.stages)
    truths = learning.judged.rows.values[learning.judged_cells[:, 0] > 0, 0]
    inside = sorted(set(fitted.residuals[0]))[:-1]  # the last may lie beyond all that was seen, where no interval ends
    for residual in (r * nudge for r in inside if r > 0.01 for nudge in (1.001, 0.999)):
        reach = Intervals(SPANS, ((residual,) * FEW, (), ()))
        low, high = reach.intervals(trail, [0.5], noise_of(len(trail.rows)))[0]
        n_held = int(((truths >= low[0, 0]) & (truths <= high[0, 0])).sum())
        assert n_held == sum(other <= residual for other in fitted.residuals[0])


def test_without_held_out_cells_there_are_no_residuals():
    learning = learning_of(table_of(SPANS, 40), SPANS, with_closed_form=True)
    assert intervals.fit(learning).residuals == ((), (), ())


def test_a_state_gives_the_same_intervals_back(known):
    fitted = intervals.fit(known)
    assert Intervals.from_state(fitted.state(), SPANS, {}) == fitted


def test_a_table_of_labels_alone_warns_of_nothing():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.choice(["x", "y"], 40).astype(object) for name in "abc"})
    table["b"] = table["a"].where(rng.random(40) > 0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GAINImputer(effort="fast", random_state=0).fit(table)
