"""Retrieval: closed forms on tables where the answer is known, and what a row must never see of itself."""

from unittest.mock import patch

import pytest
import torch

from tabgan.imputation.metric_learning import Asking, Stored, learn_metric
from tabgan.imputation.stages import neighbours
from tabgan.imputation.stages.neighbours import FEWEST_ROWS, N_CANDIDATES, SIZES, Neighbours, fit_blend
from tabgan.imputation.stages.stage import Rows
from tabgan.spans import Span, total_width
from tests.imputation.learning_of import learning_of
from tests.rounding import DOUBLE

NUMERIC = [Span("numeric", j, j + 1) for j in range(3)]
MIXED = [Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5)]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def wave(n=600, seed=0):
    """A column that no monotone relation gives away, beside one that says nothing."""
    x, idle = torch.rand(n, generator=seeded(seed)) * 2 - 1, torch.randn(n, generator=seeded(seed + 1))
    return torch.stack([x * 2, torch.sin(5 * x), idle], 1).double()


def learning(values, visible, spans, **given):
    """With the closed form fitted, and some cells of the last rows held out."""
    held_out = torch.zeros_like(visible)
    held_out[-20:, -1] = visible[-20:, -1]
    return learning_of(values, spans, visible - held_out, held_out, with_closed_form=True, **given)


def fitted(values, visible, spans, n_keys=1000, n_steps=neighbours.METRIC_STEPS):
    """The closed form and the neighbours, which store all cells."""
    given = learning(values, visible, spans, n_references=n_keys)
    with patch.object(neighbours, "METRIC_STEPS", n_steps):
        module = neighbours.fit(given)
    (base,) = given.stages
    if module is not None:
        module = module.double()
        module.restock(base, values[module.rows], visible[module.rows])
    return base, module


def answers(base, module, values, visible, rows=None):
    column = torch.tensor([j for j, span in enumerate(module.spans) for _ in range(span.width)])
    blended, _, rank = base(values, visible[:, column])
    return blended, rank, module.answers(blended, rank, visible, rows)


def test_the_metric_learns_which_column_matters():
    values = wave()
    _, module = fitted(values, torch.ones_like(values), NUMERIC)
    assert module.metrics[1, 1, 0] > 5 * module.metrics[1, 1, 2]
    torch.testing.assert_close(module.metrics.float().mean(2), torch.ones(2, 3))


def test_answers_find_a_wave_that_the_base_cannot():
    values, fresh = wave(), wave(200, seed=9)
    base, module = fitted(values, torch.ones_like(values), NUMERIC)
    visible = torch.ones_like(fresh)
    visible[:, 1] = 0
    blended, rank, found = answers(base, module, fresh, visible)
    wanted = fresh - blended
    assert (found[:, [0, 2]] == 0).all()
    learnt = (found[:, 1, N_CANDIDATES // 2 :] - wanted[:, 1:2]).square().mean(0)
    assert (learnt < 0.02).all()
    assert wanted[:, 1].square().mean() > 0.2
    fit_blend(module, found, wanted, 1 - visible)
    assert (module(blended, rank, visible)[:, 1] - wanted[:, 1]).square().mean() < 0.02


def test_a_twin_is_copied_but_a_row_never_answers_for_itself():
    values = torch.randn(200, 3, generator=seeded()).double()
    values[3] = values[7] = 6.0  # far from all others
    ones = torch.ones_like(values)
    base, module = fitted(values, ones, NUMERIC, n_steps=2)
    visible = ones[:2].clone()
    visible[:, 0] = 0
    blended, _, found = answers(base, module, values[[3, 11]], visible, torch.tensor([3, 11]))
    assert abs(float(found[0, 0, 0] + blended[0, 0]) - 6.0) < 0.3
    moved = values.clone()
    moved[11, 0] += 100
    module.restock(base, moved, ones)
    module.rows = torch.arange(200)
    again = answers(base, module, moved[[3, 11]], visible, torch.tensor([3, 11]))[2]
    module.restock(base, values, ones)
    before = answers(base, module, values[[3, 11]], visible, torch.tensor([3, 11]))[2]
    torch.testing.assert_close(again[1], before[1])


def test_a_stored_row_does_not_answer_for_a_cell_that_it_misses():
    """So a training row that comes back with its gaps needs no telling which row it is."""
    values = torch.randn(300, 3, generator=seeded()).double()
    visible = (torch.rand(300, 3, generator=seeded(1)) > 0.3).double()
    base, module = fitted(values, visible, NUMERIC, n_steps=2)
    fouled = torch.where(visible > 0, values, 1e6)
    one = answers(base, module, values, visible)[2]
    module.restock(base, fouled[module.rows], visible[module.rows])
    torch.testing.assert_close(answers(base, module, values, visible)[2], one)


@pytest.mark.parametrize("spans", [NUMERIC, MIXED], ids=["numeric", "mixed"])
def test_rows_do_not_depend_on_each_other_and_ties_do_not_matter(spans):
    draw = seeded()
    values = torch.randn(80, total_width(spans), generator=draw).double().repeat(2, 1)
    visible = (torch.rand(160, len(spans), generator=draw) > 0.3).double()
    base, module = fitted(values, torch.ones(160, len(spans)).double(), spans, n_steps=2)
    blended, rank, whole = answers(base, module, values, visible)
    alone = torch.cat([module.answers(blended[i : i + 1], rank[i : i + 1], visible[i : i + 1]) for i in range(160)])
    torch.testing.assert_close(whole, alone, rtol=0, atol=DOUBLE)
    order = torch.randperm(160, generator=draw)
    module.ranks, module.values, module.residuals, module.seen = (
        part[order] for part in (module.ranks, module.values, module.residuals, module.seen)
    )
    torch.testing.assert_close(answers(base, module, values, visible)[2], whole, rtol=0, atol=DOUBLE)


@pytest.mark.parametrize(("size", "power"), SIZES)
def test_equally_far_neighbours_are_not_trusted_whatever_their_last_bits(size, power):
    """Which of them come first, and by how much, is up to the processor."""
    told = torch.randn(5, 33, 2, generator=seeded())
    noise = 1e-5 * torch.rand(5, 33, generator=seeded(1))
    for distance in (0.01, 3.0):
        trust, _ = Neighbours._mean((distance * (1 + noise)).sort(1).values, told, size, power)
        assert (trust == 0).all()
    apart, _ = Neighbours._mean(torch.linspace(1, 2, 33).expand(5, 33), told, size, power)
    assert (apart > 0.99).all()


@pytest.mark.parametrize("n_keys", [40, 500, 803])
def test_the_search_is_a_full_sort(n_keys):
    """Also where it goes by groups of keys."""
    module = Neighbours(NUMERIC, 0).double()
    keys, asked = (torch.randn(n, 3, generator=seeded(n)).double() for n in (n_keys, 20))
    weights = torch.ones_like(asked)
    distances, nearest = module._nearest(asked, weights, torch.cat([keys, keys.square()], 1).T, None)
    expected = torch.cdist(asked, keys).square().sort(1)
    torch.testing.assert_close(distances - module.FLOOR, expected.values[:, :33])
    assert torch.equal(nearest, expected.indices[:, :33])


def test_an_untrained_blend_takes_no_step_and_few_rows_are_not_asked():
    values = torch.randn(FEWEST_ROWS, 3, generator=seeded()).double()
    ones = torch.ones_like(values)
    base, module = fitted(values, ones, NUMERIC, n_steps=2)
    untrained = Neighbours(NUMERIC, 0).double()
    untrained.restock(base, values, ones)
    blended, _, rank = base(values, torch.zeros_like(values))
    assert (untrained(blended, rank, torch.zeros_like(values)) == 0).all()
    assert len(module.values) == FEWEST_ROWS
    assert fitted(values[1:], ones[1:], NUMERIC)[1] is None
    assert fitted(values, ones, NUMERIC, n_keys=0)[1] is None
    assert neighbours.fit(learning_of(values, NUMERIC, with_closed_form=True)) is None  # nothing is held out


def test_the_step_that_was_noted_is_the_one_that_is_taken():
    """The fit notes its step for the rows that it learnt from, rather than being asked again."""
    values = wave(200)
    given = learning(values, torch.ones_like(values), NUMERIC)
    with patch.object(neighbours, "METRIC_STEPS", 5):
        module = neighbours.fit(given)
    trail = given.masked.trail
    before = trail.after(type(given.stages[0]))
    given.stages.append(module)
    with patch.object(Neighbours, "complete", side_effect=AssertionError("asked again")):
        noted = trail.last
    asked = module.complete(trail.rows, before)
    assert noted.step.abs().max() > 0.1
    torch.testing.assert_close(noted.step, asked.step)
    torch.testing.assert_close(noted.completed, before.completed + asked.step)
    for name in ("closed", "linear", "rank"):
        assert torch.equal(getattr(noted, name), getattr(before, name))


def test_a_training_row_that_says_which_it_is_does_not_answer_for_itself():
    values = torch.randn(200, 3, generator=seeded()).double()
    base, module = fitted(values, torch.ones_like(values), NUMERIC, n_steps=2)
    with torch.no_grad():
        module.blend[0] = 1.0
    hidden = torch.ones(200, 3).double()
    hidden[:, 0] = 0
    told, untold = (
        module.complete(rows, base.complete(rows, None)).completed[:, 0]
        for rows in (Rows(values, hidden, torch.arange(200)), Rows(values, hidden))
    )
    error = (told - values[:, 0]).square().mean()
    # Its own stored row is as near as can be, so that it says nearly the truth.
    assert (untold - values[:, 0]).square().mean() < 0.2 * error


def test_the_learnt_metric_is_one_set_per_target_and_leaves_no_gradient():
    values = torch.randn(60, 5, generator=seeded())
    given = learning(values.double(), torch.ones(60, 3).double(), MIXED)
    asking = Asking(values, values, torch.ones(60, 3), torch.ones(60, 3), torch.arange(60))
    stored = Stored(values, values.square(), values, torch.ones(60, 3), torch.arange(60))
    weights, shares = learn_metric(asking, stored, given.spans, seeded(), 3)
    again, _ = learn_metric(asking, stored, given.spans, seeded(), 3)
    assert weights.shape == (3, 5)
    assert shares.shape == (3,)
    assert (weights > 0).all()
    assert ((shares > 0) & (shares < 1)).all()
    assert torch.equal(weights, again)
    assert not weights.requires_grad
    start, _ = learn_metric(asking, stored, given.spans, seeded(), 0)
    assert torch.equal(start, torch.ones(3, 5))


def test_buffers_fit_a_blank_module():
    values = torch.randn(60, 5, generator=seeded()).double()
    _, module = fitted(values, torch.ones(60, 3).double(), MIXED, n_keys=50, n_steps=2)
    blank = Neighbours(MIXED, 50).double()
    blank.load_state_dict(module.state_dict())
    assert torch.equal(blank.metrics, module.metrics)
    assert len(module.values) == 50
