"""The network on fresh masks: the closed form to begin with, a new task in every step, a proposal in the end."""

from dataclasses import replace

import pytest
import torch

from tabgan.imputation.conditional_means.gaussian import GaussianConditional
from tabgan.imputation.learning import quantile_edges
from tabgan.imputation.stages import network
from tabgan.imputation.stages.network import NAME, FreshTask, Network
from tabgan.imputation.stages.stage import Rows
from tabgan.spans import Span
from tests.imputation.learning_of import learning_of
from tests.rounding import SINGLE

MIXED = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("width", [4, 16, 40])
def test_conjugate_gradients_find_the_conditional_mean(width):
    draw = seeded(width)
    factors = torch.randn(width, width + 5, generator=draw, dtype=torch.float64)
    covariance = factors @ factors.T / width + 0.05 * torch.eye(width)
    conditional = GaussianConditional(torch.randn(width, generator=draw).double(), covariance)
    values = torch.randn(200, width, generator=draw).double()
    visible = (torch.rand(200, width, generator=draw) < 0.7).double()
    visible[0], visible[1] = 0, 1
    exact = torch.where(visible > 0, values, conditional(values, visible))
    found = conditional.approximate(values, visible, n_iterations=3 * width)
    torch.testing.assert_close(found, exact, atol=1e-6, rtol=0)
    quick = conditional.float().approximate(values.float(), visible.float())
    torch.testing.assert_close(quick.double(), exact, atol=1e-2, rtol=0)


@pytest.fixture(scope="module")
def learning():
    """A table of mixed columns with its closed form fitted."""
    draw = seeded()
    number = torch.randn(300, 1, generator=draw)
    level = torch.nn.functional.one_hot((number[:, 0] > 0).long() + (number[:, 0] > 1).long(), 3).float()
    values = torch.cat([number, level, number.square()], 1)
    return learning_of(values, MIXED, with_closed_form=True)


def test_before_training_it_proposes_the_closed_form(learning):
    module = Network(MIXED, quantile_edges(learning, 4), width=8, n_blocks=1, generator=seeded())
    draw = seeded(1)
    visible = (torch.rand(50, 3, generator=draw) < 0.6).double()
    rows = Rows(learning.values[:50].double(), visible)
    before = learning.stages[0].complete(rows, None)
    after = module.complete(rows, before)
    assert torch.equal(after.completed, before.completed)
    proposed = after.proposals[NAME]
    shown = visible[:, module.heads.column] > 0
    assert torch.equal(proposed[shown], rows.values[shown])
    for slot in (0, 4):
        torch.testing.assert_close(proposed[:, slot], before.closed[:, slot], rtol=0, atol=SINGLE)
    torch.testing.assert_close(proposed[:, 1:4].sum(1), torch.ones(50).double(), rtol=0, atol=SINGLE)


def test_every_batch_hides_other_cells_of_what_may_be_seen(learning):
    task, draw = FreshTask(learning, learning.stages[0].in_dtype(torch.float32), 64), seeded()
    first, second = task.batch(draw), task.batch(draw)
    assert not torch.equal(first.shown, second.shown)
    for batch in (first, second):
        assert ((batch.shown + batch.hidden) <= 1).all()
        assert 0 < float(batch.hidden.mean()) < 1
        shown = batch.shown[:, learning.stages[0].column] > 0
        assert torch.equal(batch.closed[shown], batch.values[shown])
        exact = learning.stages[0].complete(Rows(batch.values.double(), batch.shown.double()), None).closed
        torch.testing.assert_close(batch.closed.double(), exact, atol=1e-2, rtol=0)


def test_no_steps_give_none(learning):
    assert network.STAGE.fit(learning) is None


def test_it_learns_a_square_that_the_closed_form_cannot():
    draw = seeded(2)
    number = torch.randn(800, 1, generator=draw)
    values = torch.cat([number, number.square()], 1)
    spans = (Span("numeric", 0, 1), Span("numeric", 1, 2))
    held_out = (torch.rand(800, 2, generator=draw) < 0.1).float()
    found = learning_of(values, spans, 1 - held_out, held_out, with_closed_form=True, network_steps=60)
    module = network.STAGE.fit(found)
    visible = torch.tensor([[1.0, 0.0]]).double().expand(200, 2)
    rows = Rows(values[:200].double(), visible)
    before = found.stages[0].complete(rows, None)
    wanted, told = rows.values[:, 1], module.complete(rows, before).proposals[NAME][:, 1]
    closed = (before.closed[:, 1] - wanted).square().mean()
    assert (told - wanted).square().mean() < 0.3 * closed
    again = Network.from_state(module.state(), spans, {"network_steps": 60})
    assert torch.equal(again.complete(rows, before).proposals[NAME], module.complete(rows, before).proposals[NAME])


def test_with_a_limit_its_schedule_ends_in_time(learning, monkeypatch):
    module = Network(MIXED, quantile_edges(learning, 4), width=8, n_blocks=1, generator=seeded())
    task = FreshTask(learning, learning.stages[0].in_dtype(torch.float32), 64)
    clock = iter([0.0, 0.0, 0.5])  # left 100 s; two steps take half a second
    monkeypatch.setattr(network.time, "monotonic", lambda: next(clock))
    run = replace(learning.run, deadline=100.0)
    assert network._steps_in_time(module, task, run, 10_000) == 400
    assert all(parameter.grad is None for parameter in module.parameters())
    clock = iter([0.0, 0.0, 0.5])
    assert network._steps_in_time(module, task, run, 150) == 150
    clock = iter([100.0, 100.0, 100.5])
    assert network._steps_in_time(module, task, run, 150) == 1
    assert network._steps_in_time(module, task, learning.run, 150) == 150


def test_what_is_hidden_does_not_reach_it(learning):
    module = Network(MIXED, quantile_edges(learning, 4), width=8, n_blocks=1, generator=seeded())
    torch.nn.init.normal_(module.output.weight, generator=seeded(3))
    visible = (torch.rand(50, 3, generator=seeded(1)) < 0.6).double()
    values = learning.values[:50].double()
    before = learning.stages[0].complete(Rows(values, visible), None)
    other = torch.where(visible[:, module.heads.column] > 0, values, torch.nan)
    one, two = (module.complete(Rows(v, visible), before).proposals[NAME] for v in (values, other))
    assert torch.equal(one, two)


def test_another_width_is_stored_and_found_again(learning):
    module = Network(MIXED, quantile_edges(learning, 16), width=24, generator=seeded())
    again = Network.from_state(module.state(), MIXED, {"network_width": 24})
    assert again.input.weight.shape == module.input.weight.shape
    assert torch.equal(again.input.weight, module.input.weight)


def test_it_is_not_begun_without_time_for_some_steps(learning, monkeypatch):
    given = {**learning.given, "network_steps": 60}
    monkeypatch.setattr(learning, "given", given)
    monkeypatch.setattr(learning, "run", replace(learning.run, deadline=network.time.monotonic() - 1))
    assert network.STAGE.fit(learning) is None


def test_cells_are_hidden_as_the_settings_say(learning, monkeypatch):
    closed_form = learning.stages[0].in_dtype(torch.float32)
    for rates, fraction in (((0.3, 0.3), 0.0), ((0.8, 0.8), 0.0)):
        monkeypatch.setattr(learning, "given", {"hide_rates": rates, "pattern_fraction": fraction})
        batch = FreshTask(learning, closed_form, 2000).batch(seeded())
        share = float(batch.hidden.sum() / (batch.hidden + batch.shown).sum())
        assert share == pytest.approx(rates[0], abs=0.03)
