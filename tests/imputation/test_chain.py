"""The whole chain: what both passes see, that rows are completed once, and what holds for every stage's completion."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.core.checkpoint import Stored
from tabgan.imputation.chain import Chain
from tabgan.imputation.learning import Learning
from tabgan.imputation.objectives import CANDIDATES, STAGES
from tabgan.imputation.proper import growing
from tabgan.imputation.stages import blend, closed_form, forests, intervals, neighbours
from tabgan.imputation.stages.blend import Blend
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows, Seen, Stage, Trail
from tabgan.networks.heads import span_index
from tabgan.spans import Span
from tests.imputation.learning_of import Blanks, learning_of, noise_of, run_of, some_held_out, table_of

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5), Span("categorical", 5, 7))
COLUMN = span_index(SPANS)
N = 120
SMALL = {"n_steps": 3, "draw_steps": 2, "width": 8, "n_blocks": 1, "n_members": 2, "n_trees": 4, "n_donor_trees": 2}


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(neighbours, "METRIC_STEPS", 3)


def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, of which no two rows are equal, training cells and held-out cells."""
    visible = (torch.rand(N, 4, generator=torch.Generator().manual_seed(1)) < 0.85).float()
    visible[:, 0] = 1
    held_out = some_held_out(visible, 0.15)
    values = torch.where(visible[:, COLUMN] > 0, table_of(SPANS, N), 0.0)
    return values.numpy(), (visible - held_out).bool().numpy(), held_out.bool().numpy()


def fitted(stages=STAGES, start=None, seed=0, **given) -> Chain:
    return Chain.fit(*table(), SPANS, stages, SMALL | given, run_of(seed=seed), start)


@pytest.fixture(scope="module")
def chain() -> Chain:
    """All stages, none of which is silent."""
    chain = fitted()
    draw = torch.Generator().manual_seed(0)
    correction = chain.stages["correction"]
    with torch.no_grad():
        for parameter in correction.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=draw))
        chain.stages["neighbours"].blend.add_(0.1)
    chain.stages["blend"].weights.fill_(0.5)
    return chain


@dataclass(frozen=True)
class NoSettings:
    """None."""


class Listens(FittedStage):
    """Changes nothing, and notes which rows it is asked to complete."""

    def __init__(self, name: str, heard: list, first: bool = True) -> None:
        self.name, self.heard, self.first = name, heard, first

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        self.heard.append((self.name, self.first, rows))
        return before

    def refit(self, learning: Learning) -> Listens:
        return Listens(self.name, self.heard, first=False)


def listened(heard: list) -> tuple[Stage, ...]:
    """All stages, with a listener after each."""
    stages = []
    for stage in STAGES:
        name = f"after {stage.name}"
        listener = Stage(
            name,
            NoSettings,
            lambda learning, name=name, stage=stage: Listens(name, heard, first=stage.judged),
            lambda *_: None,
            judged=stage.judged,
        )
        stages += [stage, listener]
    return tuple(stages)


def test_every_row_is_completed_at_most_once_per_stage_and_pass(monkeypatch):
    """Also where a stage wants a part of the rows only; once more for intervals, with one held-out cell hidden at a time."""
    monkeypatch.setattr(intervals, "MOST_CELLS", 20)
    monkeypatch.setattr(growing, "MOST_ROWS", 30)
    heard: list = []
    Chain.fit(*table(), SPANS, listened(heard), SMALL, run_of())
    times: Counter = Counter()
    masked: Counter = Counter()
    for name, first, rows in heard:
        if rows.values.dtype == torch.float32:
            masked[name, first] += 1
            continue
        kind = "sampled" if rows.numbers is None else "held out"
        assert first or kind == "sampled"
        times.update((name, first, kind, row.numpy().tobytes()) for row in torch.cat([rows.values, rows.visible], 1))
    kinds = {key[:3] for key in times}
    assert ("after blend", True, "held out") in kinds
    assert ("after correction", True, "sampled") in kinds
    assert max(n for key, n in times.items() if key[2] == "sampled") == 1
    assert max(times.values()) <= 2
    assert sum(n - 1 for n in times.values()) <= 20 * len(kinds)
    assert set(masked.values()) == {1}
    assert not [name for name, first in masked if not first]  # the second pass trains no network


class Remembers(FittedStage):
    """Keeps what it was fitted from."""

    def __init__(self, learning: Learning) -> None:
        self.learnings = [learning]

    def refit(self, learning: Learning) -> Remembers:
        self.learnings.append(learning)
        return self


def test_the_first_pass_holds_cells_out_and_the_second_sees_them_all():
    values, training, held_out = table()
    stages = [
        *STAGES[:1],
        Stage("judged", NoSettings, Remembers, lambda *_: None),
        Stage("grown", NoSettings, Remembers, lambda *_: None, judged=False),
    ]
    chain = Chain.fit(values, training, held_out, SPANS, stages, {}, run_of())
    first, second = chain.stages["judged"].learnings
    (alone,) = chain.stages["grown"].learnings
    assert alone is second
    np.testing.assert_array_equal(first.visible.numpy() > 0, training)
    np.testing.assert_array_equal(first.held_out.numpy() > 0, held_out)
    np.testing.assert_array_equal(second.visible.numpy() > 0, training | held_out)
    assert not second.held_out.any()
    assert [type(stage) for stage in second.stages[:2]] == [ClosedForm, Remembers]
    assert second.seed == first.seed
    assert chain.stages["closed form"] is second.stages[0]
    assert first.stages[0] is not second.stages[0]


def outlying(value: float = 50.0) -> tuple[Learning, Learning]:
    """Both passes over a table whose held-out numbers alone are far out; stages before are blank."""
    values = table_of(SPANS, N)
    held_out = some_held_out(torch.ones(N, 4), 0.15)
    held_out[:, [1, 3]] = 0
    values[held_out[:, 0] > 0, 0] = value
    values[held_out[:, 2] > 0, 4] = value
    given = {"n_trees": 6, "n_donor_trees": 3}
    first = learning_of(values, SPANS, 1 - held_out, held_out, **given)
    return first, learning_of(values, SPANS, torch.ones(N, 4), **given)


def test_held_out_cells_reach_the_closed_form():
    first, second = outlying()
    judged = closed_form.fit(first)
    refitted = judged.refit(second)
    wanted = second.values[:, [0, 4]].double().mean(0)
    assert (judged.linear.mean[[0, 4]].abs() < 1).all()
    torch.testing.assert_close(refitted.linear.mean[[0, 4]], wanted)
    assert float(refitted.scores.quantiles.max()) == 50
    assert float(judged.scores.quantiles.max()) < 10


def test_held_out_cells_reach_the_neighbours_stored_rows():
    first, second = outlying()
    first.stages.append(closed_form.fit(first))
    stage = neighbours.fit(first)
    assert float(stage.values.max()) < 10
    first_rows = stage.rows.clone()
    second.stages.append(first.stages[0].refit(second))
    refitted = stage.refit(second)
    assert torch.equal(refitted.rows, first_rows)
    assert (refitted.seen == 1).all()
    torch.testing.assert_close(refitted.values, second.values[first_rows].double())
    kept = refitted.metrics, refitted.blend
    torch.testing.assert_close(kept[0].float(), stage.metrics.float())
    torch.testing.assert_close(kept[1].float(), stage.blend.float())
    completed = second.stages[0].complete(Rows(refitted.values, refitted.seen), None).rank
    torch.testing.assert_close(refitted.ranks, completed)


def test_held_out_cells_reach_the_forests(monkeypatch):
    monkeypatch.setattr(blend, "_judged", lambda learning, judged: torch.ones_like(judged.weights))
    first, second = outlying()
    first.stages.append(Blanks(SPANS))
    second.stages.append(Blanks(SPANS))
    stage = blend.fit(first, CANDIDATES)
    refitted = stage.refit(second)
    for j in (0, 2):
        assert float(stage.fitted[0][j].trees.values.max()) < 10
        assert float(refitted.fitted[0][j].trees.values.max()) > 10


def test_held_out_cells_are_donors():
    values, training, held_out = table()
    values[held_out[:, 0], 0] = 50.0
    chain = Chain.fit(values, training, held_out, SPANS, STAGES, SMALL | {"n_donor_trees": 5}, run_of())
    donors = chain.stages["donors"].conditionals.columns[0].trees
    assert float(donors.members.abs().max()) > 20  # residuals, and those of the others are about 1


def test_the_prediction_of_held_out_cells_is_of_the_first_pass():
    values, training, held_out = table()
    chain = fitted()
    fouled = np.where(held_out[:, COLUMN.numpy()] & (COLUMN.numpy() == 0), 50.0, values).astype(np.float32)
    other = Chain.fit(fouled, training, held_out, SPANS, STAGES[:1], {}, run_of())
    only = Chain.fit(values, training, held_out, SPANS, STAGES[:1], {}, run_of())
    np.testing.assert_array_equal(only.held_out.predicted, other.held_out.predicted)
    assert sorted(chain.held_out.rows) == list(np.flatnonzero(held_out.any(axis=1)))
    np.testing.assert_array_equal(chain.held_out.cells, held_out[chain.held_out.rows])
    shown = training[chain.held_out.rows][:, COLUMN.numpy()]
    np.testing.assert_array_equal(chain.held_out.predicted[shown], values[chain.held_out.rows][shown])


def test_a_closed_form_to_go_on_from_is_not_fitted_again():
    start = fitted(STAGES[:1])
    kept = {name: value.clone() for name, value in start.stages["closed form"].state_dict().items()}
    values, training, held_out = table()
    moved = np.where((training | held_out)[:, COLUMN.numpy()], values + 3, 0).astype(np.float32)
    warm = Chain.fit(moved, training, held_out, SPANS, STAGES[:1], SMALL, run_of(seed=1), start)
    for name, value in warm.stages["closed form"].state_dict().items():
        assert torch.equal(value, kept[name])
    cold = Chain.fit(moved, training, held_out, SPANS, STAGES[:1], SMALL, run_of(seed=1))
    assert (cold.stages["closed form"].linear.mean[0] - kept["linear.mean"][0]).abs() > 1


def test_a_stage_left_out_does_not_change_what_the_others_draw():
    remembers = Stage("remembers", NoSettings, Remembers, lambda *_: None)
    found = []
    for left_out in ((), ("neighbours", "blend"), ("intervals", "donors")):
        chain = fitted([*(stage for stage in STAGES if stage.name not in left_out), remembers])
        first, second = chain.stages["remembers"].learnings
        found.append(
            [
                first.masked.rows.visible,
                first.masked.rows.values,
                first.judged.rows.values,
                second.sampled.rows.values,
                *(torch.rand(4, generator=first.generator(name)) for name in ("draws", "correction")),
                *chain.stages["closed form"].state_dict().values(),
            ]
        )
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            assert torch.equal(one, same)


def test_the_seed_decides_all_of_it():
    one, same, other = (fitted(seed=seed) for seed in (0, 0, 1))
    values, training, _ = table()
    np.testing.assert_array_equal(one.predict(values, training), same.predict(values, training))
    for name in ("closed form", "neighbours", "draws"):  # each by a generator of its own
        pairs = zip(one.stages[name].state_dict().values(), other.stages[name].state_dict().values(), strict=True)
        assert not all(torch.equal(a, b) for a, b in pairs), name


@given(st.integers(0, 2**20), st.integers(1, 12), st.sampled_from([0.0, 0.3, 0.8, 1.0]))
@settings(max_examples=25)
def test_visible_cells_are_the_rows_own_in_every_completion(chain, seed, n, share):
    draw = torch.Generator().manual_seed(seed)
    visible = (torch.rand(n, 4, generator=draw) < share).double()
    values, shown = table_of(SPANS, n, seed).double(), visible[:, COLUMN] > 0
    trail = Trail(Rows(torch.where(shown, values, torch.nan), visible), list(chain.stages.values()))
    scores = chain.stages["closed form"].scored(values)
    for stage in chain.stages.values():
        found = trail.after(type(stage))
        for name in ("completed", "closed", "linear"):
            part = getattr(found, name)
            assert part.isfinite().all(), (type(stage), name)
            assert torch.equal(part[shown], values[shown]), (type(stage), name)
        assert torch.equal(found.rank[shown], scores[shown])
        assert (found.step[shown] == 0).all()
        assert found.rank.isfinite().all()
    for span in (span for span in SPANS if span.kind == "categorical"):
        total = trail.last.completed[:, span.start : span.stop].sum(1)
        torch.testing.assert_close(total, torch.ones_like(total))


@given(st.integers(0, 2**20), st.integers(2, 12))
@settings(max_examples=15)
def test_a_rows_completion_does_not_depend_on_the_others(chain, seed, n):
    rng = np.random.default_rng(seed)
    values, mask = table_of(SPANS, n, seed).numpy(), rng.random((n, 4)) < 0.6
    whole = chain.predict(values, mask)
    alone = np.concatenate([chain.predict(values[i : i + 1], mask[i : i + 1]) for i in range(n)])
    np.testing.assert_allclose(alone, whole, rtol=0, atol=1e-9)
    order = rng.permutation(n)
    np.testing.assert_allclose(chain.predict(values[order], mask[order]), whole[order], rtol=0, atol=1e-9)
    fouled = np.where(mask[:, COLUMN.numpy()], values, 1e6).astype(np.float32)
    np.testing.assert_allclose(chain.predict(fouled, mask), whole, rtol=0, atol=1e-9)


def test_a_table_in_chunks_is_the_table(chain, monkeypatch):
    values, mask = table_of(SPANS, 50, 3).numpy(), np.random.default_rng(0).random((50, 4)) < 0.6
    whole, ends = chain.predict(values, mask), chain.intervals(values, mask, [0.5, 0.9], noise_of(50))
    monkeypatch.setattr("tabgan.imputation.chain._ROWS_AT_ONCE", 16)
    np.testing.assert_allclose(chain.predict(values, mask), whole, rtol=0, atol=1e-9)
    drawn = chain.draw(values, mask, noise_of(50, 3))
    assert drawn.shape == (3, *values.shape)
    for one in drawn:
        for span in (span for span in SPANS if span.kind == "categorical"):
            block = one[:, span.start : span.stop]
            shown = mask[:, COLUMN.numpy()[span.start]]
            np.testing.assert_array_equal(block[shown], values[shown, span.start : span.stop])
            assert set(np.unique(block)) <= {0.0, 1.0}
            assert (block.sum(axis=1) == 1).all()
    again = chain.intervals(values, mask, [0.5, 0.9], noise_of(50))
    assert len(again) == len(ends) == 2
    complete = mask.all(axis=1)
    for low, high in again:
        np.testing.assert_array_equal(low[complete], values[complete])
        gaps = ~mask[:, 0]
        assert (low[gaps, 0] < high[gaps, 0]).all()


def test_draws_in_chunks_are_those_of_the_table(chain, monkeypatch):
    values, mask = table_of(SPANS, 50, 3).numpy(), np.random.default_rng(0).random((50, 4)) < 0.6
    whole = chain.draw(values, mask, noise_of(50, 2))
    monkeypatch.setattr("tabgan.imputation.chain._ROWS_AT_ONCE", 16)
    np.testing.assert_allclose(chain.draw(values, mask, noise_of(50, 2)), whole, rtol=0, atol=1e-6)
    some = np.array([40, 3, 17])
    alone = chain.draw(values[some], mask[some], noise_of(50, 2).take(some))
    np.testing.assert_allclose(alone, whole[:, some], rtol=0, atol=1e-6)


def stored(state):
    """The state as a file gives it back."""
    return Stored({name: stored(part) if isinstance(part, dict) else part for name, part in state.items()})


def test_a_state_gives_the_same_chain_back(chain):
    values, mask = table_of(SPANS, 40, 3).numpy(), np.random.default_rng(0).random((40, 4)) < 0.6
    again = Chain.from_state(stored(chain.to_state()), STAGES)
    assert list(again.stages) == list(chain.stages)
    assert again.given == chain.given
    assert (again.history, again.n_steps, again.stop_reason) == (chain.history, chain.n_steps, chain.stop_reason)
    np.testing.assert_array_equal(again.predict(values, mask), chain.predict(values, mask))
    np.testing.assert_array_equal(again.draw(values, mask, noise_of(40, 2)), chain.draw(values, mask, noise_of(40, 2)))
    one, other = (model.intervals(values, mask, [0.9], noise_of(40)) for model in (again, chain))
    np.testing.assert_array_equal(one[0][0], other[0][0])


def test_the_history_names_the_later_stages(chain):
    assert chain.n_steps == 3
    assert {row.get("stage") for row in chain.history} == {None, "draws"}
    assert "stage" not in chain.history[0]


def test_without_a_column_that_varies_there_is_nothing_to_fit():
    empty = Chain.fit(np.zeros((5, 0), np.float32), *np.zeros((2, 5, 0), bool), (), STAGES, {}, run_of())
    assert empty.stages == {}
    assert "no column varies" in empty.stop_reason
    assert empty.predict(np.zeros((5, 0)), np.ones((5, 0), bool)).shape == (5, 0)
    assert empty.draw(np.zeros((5, 0)), np.ones((5, 0), bool), noise_of(5, 2)).shape == (2, 5, 0)


def test_too_small_a_table_gets_the_closed_form_and_the_copulas_draws():
    values, training, held_out = (part[:8] for part in table())
    chain = Chain.fit(values, training, held_out, SPANS, STAGES, SMALL, run_of())
    assert list(chain.stages) == ["closed form", "correction", "draws", "intervals"]
    assert chain.stages["correction"].is_silent
    assert "too few cells" in chain.stop_reason
    assert np.isfinite(chain.draw(values, training, noise_of(8, 2))).all()


def test_settings_reach_the_stages_and_foreign_ones_do_not_reach_the_file():
    chain = fitted(n_trees=2, warm_start=True)
    assert "warm_start" not in chain.given
    assert chain.given["n_trees"] == 2
    assert chain.given["n_bins"] == 16
    grown = [column for column in chain.stages["blend"].fitted[0] if column is not None]
    assert {len(column.trees) for column in grown} == {2}


def test_a_blend_in_the_chain_reads_the_completion_before_it(chain):
    assert isinstance(chain.stages["blend"], Blend)
    rows = Rows(table_of(SPANS, 5, 4).double(), torch.tensor([[0.0, 1, 1, 1]]).double().expand(5, 4))
    trail = Trail(rows, list(chain.stages.values()))
    before = trail.after(type(chain.stages["correction"])).completed
    told = chain.stages["blend"].fitted[0][0]
    assert isinstance(told, forests.Forest)
    after = trail.after(Blend).completed
    torch.testing.assert_close(after[:, :1], (before[:, :1] + told(Seen(completed=before))) / 2)
