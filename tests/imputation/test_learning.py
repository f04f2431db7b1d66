"""What stages learn from: randomness of their own, masked, judged and sampled rows, and trails that complete rows once."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields

import pytest
import torch

from tabgan import GAINImputer
from tabgan.imputation import learning as learning_module
from tabgan.imputation.effort import EFFORTS, settings_for
from tabgan.imputation.learning import FEWEST, MaskSettings
from tabgan.imputation.objectives import STAGES
from tabgan.imputation.published import GainSettings
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows, Seen, Trail, drawn_by, settings_of
from tabgan.spans import Span
from tests.imputation.learning_of import completion_of, learning_of, noise_of, some_held_out, table_of

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5))


class Adds(FittedStage):
    """Adds a number, and counts how often each row is completed."""

    def __init__(self, number: float) -> None:
        self.number = number
        self.asked: list[int] = []

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        self.asked.append(len(rows))
        return completion_of((rows.values if before is None else before.completed) + self.number)


class Doubles(Adds):
    """Doubles, so that order shows."""

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        self.asked.append(len(rows))
        return completion_of(2 * before.completed)


class Later(Adds):
    """Another kind."""


def trail_of(*stages: FittedStage, n: int = 6) -> Trail:
    rows = Rows(torch.arange(n).double()[:, None], torch.zeros(n, 1).double(), torch.arange(n) + 100)
    return Trail(rows, list(stages))


def test_stages_complete_in_order_and_each_once():
    first, second, third = Adds(1.0), Doubles(0.0), Later(10.0)
    trail = trail_of(first, second, third)
    start = trail.rows.values
    assert torch.equal(trail.after(Doubles).completed, 2 * (start + 1))
    assert (first.asked, second.asked, third.asked) == ([6], [6], [])
    assert torch.equal(trail.last.completed, 2 * (start + 1) + 10)
    assert torch.equal(trail.after(Adds).completed, start + 1)
    assert torch.equal(trail.last.completed, 2 * (start + 1) + 10)
    assert (first.asked, second.asked, third.asked) == ([6], [6], [6])


def test_a_trail_follows_a_list_of_stages_that_grows():
    first = Adds(1.0)
    trail = trail_of(first)
    assert torch.equal(trail.last.completed, trail.rows.values + 1)
    trail.stages.append(Later(5.0))
    assert torch.equal(trail.last.completed, trail.rows.values + 6)
    assert first.asked == [6]


def test_a_part_keeps_what_is_known_and_asks_for_the_rest_itself():
    first, second = Adds(1.0), Later(5.0)
    trail = trail_of(first, second)
    trail.after(Adds)
    part = trail.take(torch.tensor([4, 1]))
    assert part.rows.values[:, 0].tolist() == [4, 1]
    assert part.rows.numbers.tolist() == [104, 101]
    assert part.last.completed[:, 0].tolist() == [10, 7]
    assert (first.asked, second.asked) == ([6], [2])
    assert len(trail.take(slice(0, 2)).rows) == 2


def test_what_was_recorded_is_not_asked_for():
    first, second = Adds(1.0), Later(5.0)
    trail = trail_of(first)
    trail.record(completion_of(torch.full((6, 1), 42.0)))  # the first is completed before it, if need be
    trail.stages.append(second)
    assert torch.equal(trail.last.completed, torch.full((6, 1), 42.0))
    assert torch.equal(trail.after(Adds).completed, trail.rows.values + 1)
    assert (first.asked, second.asked) == ([6], [])


def test_completions_carry_no_gradient():
    class Learns(FittedStage):
        weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

        def complete(self, rows, before):
            return completion_of(rows.values * self.weight)

    assert not trail_of(Learns()).last.completed.requires_grad


def test_draws_pass_from_stage_to_stage():
    class Draws(FittedStage):
        def draw(self, trail, drawn, noise):
            return torch.zeros(noise.n_draws, *trail.rows.values.shape) if drawn is None else drawn + 1

    trail = trail_of(Adds(0.0))
    drawn = drawn_by([FittedStage(), Draws(), FittedStage(), Draws(), Draws()], trail, noise_of(6, 3))
    assert drawn.shape == (3, 6, 1)
    assert (drawn == 2).all()


def test_what_a_stage_does_not_do_it_leaves_as_it_came():
    stage, before = FittedStage(), completion_of(torch.ones(2, 1))
    trail = trail_of(Adds(0.0))
    assert stage.complete(trail.rows, before) is before
    assert stage.draw(trail, before.completed, noise_of(6)) is before.completed
    assert stage.intervals(trail, [0.9], noise_of(6)) is None
    assert stage.refit(None) is stage
    assert stage.in_dtype(torch.float64) is stage


def test_a_module_is_copied_only_where_its_numbers_are_of_another_kind():
    class Module(torch.nn.Linear, FittedStage):
        pass

    module = Module(2, 2)
    assert module.in_dtype(torch.float32) is module
    other = module.in_dtype(torch.float64)
    assert other is not module
    assert other.weight.dtype == torch.float64
    assert module.weight.dtype == torch.float32


def drawn(learning, *names):
    return [torch.rand(3, generator=learning.generator(name)).tolist() for name in names]


def test_randomness_is_of_the_seed_and_the_purpose_and_of_nothing_else():
    values = table_of(SPANS, 30)
    one, same, other = (learning_of(values, SPANS, seed=seed) for seed in (1, 1, 2))
    a, b = drawn(one, "a", "b")
    assert a != b
    assert drawn(same, "b", "a") == [b, a]  # neither order nor what was drawn before matters
    assert drawn(other, "a")[0] != a
    assert one.rng("a").random() == same.rng("a").random()
    assert one.rng("a").random() != one.rng("b").random()
    assert one.rng("a").random() != other.rng("a").random()


def test_many_seeds_give_many_streams():
    """A generator of torch looks at 32 bits of its seed: both the seed and the purpose must be in them."""
    values = table_of(SPANS, 10)
    streams = {
        learning_of(values, SPANS, seed=seed).generator(name).get_state().numpy().tobytes()
        for seed in (0, 1, 2, 2**30, 2**31 - 2)
        for name in ("closed form", "masked rows", "draws")
    }
    assert len(streams) == 15


def test_rows_of_a_pass_depend_on_the_seed():
    values = table_of(SPANS, 50)
    held_out = some_held_out(torch.ones(50, 3))
    one, same, other = (learning_of(values, SPANS, 1 - held_out, held_out, seed=seed) for seed in (1, 1, 2))
    same.generator("masked rows")
    for rows in (lambda learning: learning.masked.rows, lambda learning: learning.judged.rows):
        assert torch.equal(rows(one).values, rows(same).values)
        assert torch.equal(rows(one).visible, rows(same).visible)
    assert not torch.equal(one.masked.rows.visible, other.masked.rows.visible)
    assert torch.equal(one.sampled.rows.values, same.sampled.rows.values)
    assert not torch.equal(one.sampled.rows.values, other.sampled.rows.values)


def test_masked_rows_hide_observed_cells_and_take_every_row_equally_often():
    values = table_of(SPANS, 50)
    visible = (torch.rand(50, 3, generator=torch.Generator().manual_seed(0)) < 0.7).float()
    held_out = some_held_out(visible)
    learning = learning_of(values, SPANS, visible - held_out, held_out)
    masked = learning.masked
    numbers = masked.rows.numbers
    counts = torch.bincount(numbers, minlength=50)
    assert counts.max() - counts.min() <= 1
    assert torch.equal(masked.observed, learning.visible[numbers])
    assert torch.equal(masked.rows.values, learning.values[numbers])
    assert (masked.rows.visible <= masked.observed).all()
    assert torch.equal(masked.hidden, masked.observed - masked.rows.visible)
    assert 0.1 < float(masked.hidden.sum() / masked.observed.sum()) < 0.7
    assert masked.rows.values.dtype == torch.float32


def test_masks_follow_their_settings():
    values = table_of(SPANS, 100)
    steady = learning_of(values, SPANS, hide_rates=(0.3, 0.3), pattern_fraction=0.0)
    assert float(steady.masked.hidden.mean()) == pytest.approx(0.3, abs=0.03)
    visible = torch.ones(100, 3)
    visible[:, 0] = 0
    visible[0, 0] = 1
    patterns = learning_of(values, SPANS, visible, hide_rates=(0.0, 1e-9), pattern_fraction=1.0)
    # Nearly every donor misses the first column alone.
    first = patterns.masked.rows.numbers == 0
    assert float(patterns.masked.hidden[first, 0].mean()) > 0.8
    assert patterns.masked.hidden[:, 1:].sum() == 0


def test_held_out_cells_are_no_gaps_of_a_pattern():
    values = table_of(SPANS, 60)
    held_out = some_held_out(torch.ones(60, 3), 0.3)
    given = {"hide_rates": (0.0, 1e-9), "pattern_fraction": 1.0}
    assert learning_of(values, SPANS, 1 - held_out, held_out, **given).masked.hidden.sum() == 0


def test_wide_tables_get_fewer_masked_rows_but_not_too_few(monkeypatch):
    monkeypatch.setattr(learning_module, "MOST_HIDDEN", 1000)
    monkeypatch.setattr(learning_module, "FEWEST_MASKED", 20)
    monkeypatch.setattr(learning_module, "MOST_MASKED", 500)
    for n_columns, size in ((3, 500), (30, 100), (300, 20)):
        spans = [Span("numeric", j, j + 1) for j in range(n_columns)]
        assert len(learning_of(table_of(spans, 15), spans).masked.rows) == size


def test_judged_rows_are_those_with_held_out_cells_which_are_hidden(monkeypatch):
    values = table_of(SPANS, 60)
    held_out = some_held_out(torch.ones(60, 3), 0.2)
    learning = learning_of(values, SPANS, 1 - held_out, held_out)
    rows = learning.judged.rows
    assert sorted(rows.numbers.tolist()) == held_out.sum(1).nonzero()[:, 0].tolist()
    assert torch.equal(learning.judged_cells, held_out[rows.numbers])
    assert torch.equal(rows.visible, 1 - held_out[rows.numbers].double())
    assert torch.equal(rows.values, learning.values[rows.numbers].double())
    monkeypatch.setattr(learning_module, "MOST_HELD_OUT", 7)
    assert len(learning_of(values, SPANS, 1 - held_out, held_out).judged.rows) == 7


def test_sampled_rows_have_the_gaps_that_they_have(monkeypatch):
    monkeypatch.setattr(learning_module, "MOST_SAMPLED", 40)
    values = table_of(SPANS, 60)
    visible = (torch.rand(60, 3, generator=torch.Generator().manual_seed(0)) < 0.7).float()
    learning = learning_of(values, SPANS, visible)
    rows = learning.sampled.rows
    assert len(rows) == 40
    known = torch.cat([learning.values, visible], 1).double().tolist()
    assert all(row in known for row in torch.cat([rows.values, rows.visible], 1).tolist())
    assert rows.values.dtype == torch.float64


def test_learning_is_worthwhile_from_ten_rows_and_ten_held_out_cells():
    assert FEWEST == 10
    values = table_of(SPANS, 30)

    def worthwhile(n_rows, n_cells):
        held_out = torch.zeros(n_rows, 3)
        held_out.view(-1)[:n_cells] = 1
        return learning_of(values[:n_rows], SPANS, 1 - held_out, held_out).worthwhile

    assert worthwhile(10, 10)
    assert not worthwhile(9, 10)
    assert not worthwhile(10, 9)


SETTINGS = [MaskSettings, *(kind for stage in STAGES for kind in stage.all_settings)]


@pytest.mark.parametrize("kind", SETTINGS, ids=lambda kind: kind.__module__.rpartition(".")[2])
def test_every_setting_is_a_parameter_of_the_imputer_with_the_same_default(kind):
    parameters = inspect.signature(GAINImputer).parameters
    for one in fields(kind):
        assert one.default is not MISSING, one.name
        assert parameters[one.name].default in (one.default, None), one.name
        if parameters[one.name].default is None:
            assert all(one.name in settings_for({"effort": e, "objective": "remask"}, 9000, 9) for e in EFFORTS), (
                one.name
            )
            continue
        assert type(parameters[one.name].default) is type(one.default), one.name


def test_the_published_settings_are_those_of_the_published_imputer():
    published = GAINImputer.paper().get_params()
    for one in fields(GainSettings):
        assert published[one.name] == one.default, one.name


def test_given_settings_override_and_others_are_left_alone():
    given = {"hide_rates": (0.1, 0.2), "n_steps": 7}
    assert settings_of(MaskSettings, given) == MaskSettings(hide_rates=(0.1, 0.2))
    assert learning_of(table_of(SPANS, 20), SPANS, **given).settings(MaskSettings).hide_rates == (0.1, 0.2)


def test_rows_are_taken_with_all_that_belongs_to_them():
    rows = Rows(torch.arange(6.0).reshape(3, 2), torch.eye(3)[:, :2], torch.tensor([7, 8, 9]))
    some = rows.take(torch.tensor([2, 0]))
    assert some.values.tolist() == [[4, 5], [0, 1]]
    assert some.visible.tolist() == [[0, 0], [1, 0]]
    assert some.numbers.tolist() == [9, 7]
    assert len(some) == 2
    assert Rows(rows.values, rows.visible).take(slice(0, 1)).numbers is None
    assert frozenset(one.name for one in fields(Seen)) == Seen.READABLE
    assert completion_of(rows.values).changed(lambda part: part[torch.tensor([1])]).closed.tolist() == [[2, 3]]
