"""How far to follow each candidate: closed forms, bounds, what columns of a kind say for each other, and what candidates may read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.stages import blend
from tabgan.imputation.stages.blend import Blend, weights_of
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.stage import Candidate, Rows, Seen
from tabgan.spans import Span
from tests.imputation.learning_of import Blanks, completion_of, learning_of, some_held_out, table_of

NUMERIC = tuple(Span("numeric", j, j + 1) for j in range(3))
PRIOR_CELLS = 60


def one(gram, cross, n_cells, prior, kinds):
    """`weights_of` for one candidate that has something to say of every column."""
    gram, cross, n_cells = (torch.tensor(part, dtype=torch.float64) for part in (gram, cross, n_cells))
    fitted, prior = torch.ones(1, len(kinds), dtype=torch.bool), torch.tensor([prior], dtype=torch.float64)
    return weights_of(gram[:, None, None], cross[:, None], n_cells, fitted, prior, kinds)[0]


@pytest.fixture
def as_held_out(monkeypatch):
    """Missing cells lie where held-out ones do: a column's own cells are trusted fully."""
    monkeypatch.setattr(blend, "_TRUST_IN_ALL", 0.0)
    monkeypatch.setattr(blend, "_TRUST_IN_PRIOR", 0.0)


def test_one_candidate_in_one_column_by_hand(as_held_out):
    """n cells, steps of mean square p, best share s: drawn to the prior twice, with the weight of 60 cells."""
    n, p, s, prior = 140, 2.5, 0.9, 0.4
    pooled = (n * s + PRIOR_CELLS * prior) / (n + PRIOR_CELLS)
    wanted = (n * s + PRIOR_CELLS * pooled) / (n + PRIOR_CELLS)
    found = one([n * p], [n * p * s], [n], [prior], ["numeric"])
    assert found.tolist() == pytest.approx([wanted])
    assert prior < pooled < wanted < s


def test_columns_trust_all_of_their_kind_more_than_themselves_and_the_prior_a_little():
    """Two columns of 100 and 300 cells, all of mean square 1: the kind's weight counts as their mean, the prior as .3 of all."""
    pooled = (100 * 0.2 + 300 * 0.8 + (60 + 120) * 0.4) / (400 + 60 + 120)
    wanted = [(n * best + (60 + 200) * pooled) / (n + 60 + 200) for n, best in ((100, 0.2), (300, 0.8))]
    assert one([100, 300], [20, 240], [100, 300], [0.4, 0.4], ["numeric"] * 2).tolist() == pytest.approx(wanted)


def test_many_cells_outweigh_the_prior_and_none_leave_it_as_it_is(as_held_out):
    assert one([1e9], [0.7e9], [1e8], [0.4], ["numeric"]).tolist() == pytest.approx([0.7], abs=1e-5)
    assert one([0, 0], [0, 0], [0, 0], [0.4, 0.8], ["numeric", "categorical"]).tolist() == pytest.approx([0.4, 0.8])


def test_columns_of_a_kind_speak_for_each_other_and_not_for_another_kind(as_held_out):
    gram, n_cells, priors = [500.0, 10.0, 500.0], [500, 10, 500], [0.4, 0.4, 0.4]
    found = one(gram, [450.0, 9.0 - 8.0, 0.0], n_cells, priors, ["numeric", "numeric", "categorical"])
    pooled = (451 + PRIOR_CELLS * 0.4) / (510 + PRIOR_CELLS)
    assert found[1] == pytest.approx((1.0 + PRIOR_CELLS * pooled) / (10 + PRIOR_CELLS))
    alone = one(gram[:2], [450.0, 1.0], n_cells[:2], priors[:2], ["numeric", "numeric"])
    assert torch.equal(found[:2], alone)
    other = one(gram[2:], [0.0], n_cells[2:], priors[2:], ["categorical"])
    assert torch.equal(found[2:], other)


def test_weights_end_at_zero_and_one_and_small_ones_are_not_worth_it(as_held_out):
    def settled(share):
        return float(one([1e9], [share * 1e9], [1e8], [0.4], ["numeric"])[0])

    assert settled(-0.5) == 0.0
    assert settled(1.5) == 1.0
    assert settled(0.04) == 0.0
    assert settled(0.06) == pytest.approx(0.06, abs=1e-3)


def both(gram, cross, n=10**8, prior=(0.2, 0.2), fitted=(True, True)):
    """`weights_of` for two candidates in one column."""
    return weights_of(
        torch.tensor([gram], dtype=torch.float64),
        torch.tensor([cross], dtype=torch.float64),
        torch.tensor([float(n)], dtype=torch.float64),
        torch.tensor(fitted)[:, None],
        torch.tensor(prior, dtype=torch.float64)[:, None],
        ["numeric"],
    )[:, 0].tolist()


def test_two_candidates_get_least_squares_weights(as_held_out):
    """With many cells: the solution of the normal equations, here (0.5, 0.3)."""
    gram = torch.tensor([[2.0, 0.6], [0.6, 1.0]], dtype=torch.float64) * 1e8
    cross = gram @ torch.tensor([0.5, 0.3], dtype=torch.float64)
    assert both(gram.tolist(), cross.tolist()) == pytest.approx([0.5, 0.3], abs=1e-4)


def test_two_candidates_with_few_cells_by_hand(as_held_out):
    """Ridge towards the prior, each candidate in units of its own mean square step; then again towards the result."""
    n, gram = 40, torch.tensor([[80.0, 24.0], [24.0, 40.0]], dtype=torch.float64)
    cross = gram @ torch.tensor([0.5, 0.3], dtype=torch.float64)
    extra = torch.diag(PRIOR_CELLS * gram.diagonal() / n)
    pooled = torch.linalg.inv(gram + extra) @ (cross + extra @ torch.tensor([0.2, 0.2], dtype=torch.float64))
    wanted = torch.linalg.inv(gram + extra) @ (cross + extra @ pooled)
    assert both(gram.tolist(), cross.tolist(), n) == pytest.approx(wanted.tolist())


def test_a_negative_weight_is_zero_and_the_other_is_fitted_without_it(as_held_out):
    """Clipping the joint solution (0.8, -0.2) would leave 0.8; the best weight without the second is 0.6."""
    gram = torch.tensor([[1.0, 1.0], [1.0, 2.0]], dtype=torch.float64) * 1e8
    cross = gram @ torch.tensor([0.8, -0.2], dtype=torch.float64)
    assert both(gram.tolist(), cross.tolist()) == pytest.approx([0.6, 0.0], abs=1e-4)


def test_weights_that_go_too_far_together_are_scaled_to_one(as_held_out):
    assert both([[1e8, 0.0], [0.0, 1e8]], [1.2e8, 0.4e8]) == pytest.approx([0.75, 0.25], abs=1e-4)


def test_a_candidate_with_nothing_to_say_gets_no_weight_and_pulls_nothing():
    alone = one([50.0], [45.0], [50], [0.2], ["numeric"]).tolist()
    assert both([[50.0, 0.0], [0.0, 0.0]], [45.0, 0.0], 50, fitted=(True, False)) == pytest.approx([*alone, 0.0])


@given(st.integers(0, 2**20), st.integers(1, 4), st.integers(1, 5))
def test_weights_are_shares_whatever_the_candidates_say(seed, n, n_columns):
    draw = torch.Generator().manual_seed(seed)
    steps = torch.randn(n_columns, 30, n, generator=draw, dtype=torch.float64) * 10 ** torch.randn(
        n, generator=draw, dtype=torch.float64
    )
    if n > 1:
        steps[..., 1] = steps[..., 0]  # two that always agree
    truth = steps.sum(2, keepdim=True) + torch.randn(n_columns, 30, 1, generator=draw, dtype=torch.float64)
    fitted = torch.rand(n, n_columns, generator=draw) < 0.8
    steps = steps * fitted.T[:, None]
    weights = weights_of(
        steps.mT @ steps,
        (steps.mT @ truth)[..., 0],
        torch.full((n_columns,), 30.0, dtype=torch.float64),
        fitted,
        torch.full((n, n_columns), 0.4 / n, dtype=torch.float64),
        ["numeric", "categorical", "numeric", "categorical", "numeric"][:n_columns],
    )
    assert weights.isfinite().all()
    assert (weights >= 0).all()
    assert (weights.sum(0) <= 1 + 1e-9).all()
    assert (weights[~fitted] == 0).all()


@dataclass(frozen=True)
class NoSettings:
    """A candidate that has none."""


@dataclass(frozen=True)
class Constant:
    """Says the same of every row, and remembers what it was shown."""

    level: float
    width: int
    asked: list

    def __call__(self, seen: Seen) -> Tensor:
        self.asked.append(seen)
        (shown,) = (part for part in (seen.gaps, seen.completed, seen.prediction) if part is not None)
        like = shown.values if isinstance(shown, Rows) else shown
        return like.new_full((len(like), self.width), self.level)

    def state(self):
        return {"level": self.level, "width": self.width}

    @classmethod
    def from_state(cls, state):
        return cls(state["level"], state["width"], [])


def constant(name: str, level: float, reads: str, log: list) -> Candidate:
    """A candidate that says ``level`` and notes every fit."""

    def fit(seen, truth, j, learning, *, judged):
        log.append((name, j, judged, seen, truth))
        return Constant(level, truth.shape[1], log)

    return Candidate(name, NoSettings, frozenset({reads}), fit, Constant.from_state)


@pytest.mark.parametrize("reads", sorted(Seen.READABLE - {"proposals"}))
def test_a_candidate_is_handed_what_it_reads_and_nothing_else(reads):
    values, log = table_of(NUMERIC, 60), []
    held_out = some_held_out(torch.ones(60, 3), 0.3)
    learning = learning_of(values, NUMERIC, 1 - held_out, held_out, with_closed_form=True)
    stage = blend.fit(learning, [constant("toy", 5.0, reads, log)])
    stage.weights[:] = 1.0  # also asked for rows to complete
    stage.complete(Rows(values.double(), torch.zeros(60, 3).double()), completion_of(values.double()))
    shown = [entry[3] if isinstance(entry, tuple) else entry for entry in log]
    assert len(shown) > 6
    for seen in shown:
        given = {field.name for field in dataclasses.fields(Seen) if getattr(seen, field.name) is not None}
        assert given == {reads}


def test_candidates_are_fitted_to_rows_in_which_the_column_is_known():
    values, log = table_of(NUMERIC, 60), []
    visible = (torch.rand(60, 3, generator=torch.Generator().manual_seed(1)) < 0.7).float()
    held_out = some_held_out(visible, 0.3)
    learning = learning_of(values, NUMERIC, visible - held_out, held_out, with_closed_form=True)
    parts = [constant(reads, 0.0, reads, log) for reads in ("gaps", "completed", "prediction")]
    blend.fit(learning, parts)
    closed_form = learning.sampled.stage(ClosedForm)
    fits = [entry for entry in log if isinstance(entry, tuple)]
    order = blend.turns(NUMERIC, (1 - visible).sum(0))
    assert [(name, j) for name, j, *_ in fits] == [(p.name, j) for j in order for p in parts]
    for name, j, judged, seen, truth in fits:
        rows = learning.sampled.rows
        known = rows.visible[:, j] > 0
        assert judged is None
        assert torch.equal(truth, rows.values[known, j : j + 1])
        if name == "gaps":
            assert torch.equal(seen.gaps.visible, rows.visible[known])
            shown = rows.visible[known] > 0  # every column is a single number here
            wanted = torch.where(shown, rows.values[known], torch.nan)
            filled = ~shown
            filled[:, order[order.index(j) :]] = False  # once a column had its turn
            assert not seen.gaps.values[filled].isnan().any()
            wanted[filled] = seen.gaps.values[filled]
            torch.testing.assert_close(seen.gaps.values, wanted, rtol=0, atol=0, equal_nan=True)
        elif name == "prediction":
            given_others = closed_form.given_others(rows.values, rows.visible)
            torch.testing.assert_close(seen.prediction, given_others[known])
        else:
            assert torch.equal(seen.completed[:, j], truth[:, 0])


@pytest.mark.parametrize("judging", [True, False])
def test_later_columns_are_fitted_and_judged_with_earlier_ones_moved(judging):
    """Blank 0, moved to 5 by the prior weight (0.4), before the next column has its turn."""
    values, log = table_of(NUMERIC, 60), []
    held_out = torch.zeros(60, 3)
    held_out[:20, :2] = 1
    visible = 1 - held_out
    visible[30:50, 0] = 0
    visible[[*range(20, 30), *range(50, 60)], 1:] = 0  # all miss as many, and take turns from the first one on
    learning = learning_of(values, NUMERIC, visible, held_out, stages=[Blanks(NUMERIC)])
    stage = blend.fit(learning, [constant("toy", 5.0, "completed", log)])
    last_fit = max(k for k, entry in enumerate(log) if isinstance(entry, tuple))
    if judging:  # each column is asked what it would be worth, then moved
        asked = [seen.completed[:, :2] for seen in log[last_fit + 1 :][-4:]]
        assert [part.unique(dim=0).tolist() for part in asked] == [[[0.0, 0.0]]] * 2 + [[[2.0, 0.0]]] * 2
        assert {len(part) for part in asked} == {20}
    else:
        seen = next(entry[3] for entry in log if isinstance(entry, tuple) and entry[1] == 1)
        rows = learning.sampled.rows
        gone = rows.visible[rows.visible[:, 1] > 0, 0] <= 0
        assert int(gone.sum()) == 20
        assert seen.completed[gone, 0].tolist() == [2.0] * 20
        assert not (seen.completed[~gone, 0] == 2.0).any()
    assert stage.weights.shape == (1, 3)


@pytest.mark.parametrize("most_groups", [2, 12])
def test_a_prediction_of_a_cell_is_made_without_that_cell(monkeypatch, most_groups):
    monkeypatch.setattr("tabgan.imputation.stages.closed_form.MOST_GROUPS", most_groups)
    values = table_of(NUMERIC, 60)
    held_out = some_held_out(torch.ones(60, 3), 0.3)
    learning = learning_of(values, NUMERIC, 1 - held_out, held_out, with_closed_form=True)
    rows = learning.sampled.rows
    closed_form = learning.stages[0]
    before = closed_form.given_others(rows.values, rows.visible)
    for j, other in ((1, 0), (2, 1)):
        fouled = rows.values.clone()
        fouled[:, j] += 100.0
        after = closed_form.given_others(fouled, rows.visible)
        torch.testing.assert_close(after[:, j], before[:, j])
        assert (after[:, other] - before[:, other]).abs()[rows.visible[:, j] > 0].min() > 1e-3


def test_only_hands_over_what_is_named_and_take_keeps_it_so():
    rows = Rows(torch.arange(6.0).reshape(3, 2), torch.ones(3, 2), torch.arange(3))
    seen = Seen(rows, torch.ones(3, 2), torch.zeros(3, 2))
    assert seen.only(frozenset()) == Seen()
    some = seen.only(frozenset({"gaps", "prediction"}))
    assert some.gaps is rows
    assert some.prediction is seen.prediction
    assert some.completed is None
    taken = some.take(torch.tensor([2, 0]))
    assert taken.completed is None
    assert taken.gaps.values.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert taken.gaps.numbers.tolist() == [2, 0]
    assert len(taken.prediction) == 2


def test_several_candidates_move_a_cell_by_the_sum_of_their_steps():
    parts = [constant("high", 5.0, "completed", []), constant("low", -3.0, "gaps", [])]
    fitted = [[Constant(5.0, 1, []) for _ in NUMERIC], [Constant(-3.0, 1, []) for _ in NUMERIC]]
    weights = torch.tensor([[0.5, 0.25, 0.0], [0.25, 0.0, 0.0]], dtype=torch.float64)
    values = torch.ones(2, 3, dtype=torch.float64)
    visible = torch.tensor([[0.0, 0, 0], [0, 1, 0]], dtype=torch.float64)
    after = Blend(NUMERIC, parts, fitted, weights).complete(Rows(values, visible), completion_of(values))
    assert after.completed.tolist() == [[1 + 0.5 * 4 - 0.25 * 4, 1 + 0.25 * 4, 1], [1 + 0.5 * 4 - 0.25 * 4, 1, 1]]
    assert values.eq(1).all()  # what came before is left alone


def test_without_anything_to_say_or_to_judge_by_there_is_no_blend():
    values = table_of(NUMERIC, 60)
    held_out = some_held_out(torch.ones(60, 3), 0.3)
    silent = Candidate("silent", NoSettings, frozenset(), lambda *_, **__: None, Constant.from_state)
    learning = learning_of(values, NUMERIC, 1 - held_out, held_out, stages=[Blanks(NUMERIC)])
    assert blend.fit(learning, [silent]) is None
    assert blend.fit(learning, [silent, constant("toy", 0.0, "completed", [])]) is not None
    unjudged = learning_of(values, NUMERIC, stages=[Blanks(NUMERIC)])
    assert blend.fit(unjudged, [constant("toy", 0.0, "completed", [])]) is None


def test_only_columns_that_are_followed_are_stored_and_fitted_again():
    values, log = table_of(NUMERIC, 60), []
    parts = [constant("a", 1.0, "completed", log), constant("b", 2.0, "completed", log)]
    fitted = [[Constant(1.0, 1, []) for _ in NUMERIC], [Constant(2.0, 1, []) for _ in NUMERIC]]
    weights = torch.tensor([[0.5, 0.0, 0.0], [0.5, 0.25, 0.0]], dtype=torch.float64)
    stage = Blend(NUMERIC, parts, fitted, weights)
    state = stage.state()
    assert {name: sorted(columns) for name, columns in state["columns"].items()} == {"a": [0], "b": [0, 1]}
    again = blend.stage_of("blend", parts).restore(state, NUMERIC, {})
    rows = Rows(values.double(), torch.zeros(60, 3).double())
    one, other = (kept.complete(rows, completion_of(rows.values)).completed for kept in (stage, again))
    assert torch.equal(one, other)
    refitted = stage.refit(learning_of(values, NUMERIC, stages=[Blanks(NUMERIC)]))
    fits = [entry[:3] for entry in log if isinstance(entry, tuple)]
    assert fits == [("a", 0, fitted[0][0]), ("b", 0, fitted[1][0]), ("b", 1, fitted[1][1])]
    assert torch.equal(refitted.weights, weights)


def test_a_file_with_a_candidate_that_is_not_known_is_refused():
    parts = [constant("a", 1.0, "completed", []), constant("b", 2.0, "completed", [])]
    fitted = [[Constant(1.0, 1, [])] * 3, [Constant(2.0, 1, [])] * 3]
    stage = Blend(NUMERIC, parts, fitted, torch.full((2, 3), 0.5, dtype=torch.float64))
    with pytest.raises(ModelFileError, match="'b'"):
        blend.stage_of("blend", parts[:1]).restore(stage.state(), NUMERIC, {})
