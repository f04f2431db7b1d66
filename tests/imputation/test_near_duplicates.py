"""Near duplicates: evidence worked out by hand, twins that are found and copied, and what a row must never see of itself."""

import math
import time

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import tabgan
from tabgan import GAINImputer
from tabgan.imputation.effort import settings_for
from tabgan.imputation.stages import near_duplicates
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.near_duplicates import Likeness, NearDuplicates, evidence_of
from tabgan.imputation.stages.stage import Rows, Trail
from tabgan.spans import Span
from tests.imputation.learning_of import learning_of, table_of

MIXED = (Span("numeric", 0, 1), Span("categorical", 1, 3), Span("numeric", 3, 4))
W = 8
NUMERIC = tuple(Span("numeric", j, j + 1) for j in range(W))
LIKE = Likeness(
    spread=torch.tensor([1.0, 1, 1, 0.5]),
    variance=torch.tensor([0.1, 1, 1, 0.2]),
    agree=torch.tensor([1.0, 0.9, 0.9, 1]),
    shares=torch.tensor([1.0, 0.8, 0.2, 1]),
)


def copies(n=300, n_each=3, seed=0, noise=0.02):
    """Rows that come several times, nearly; columns are independent, so that nothing else says anything."""
    draw = torch.Generator().manual_seed(seed)
    once = torch.randn(n, len(NUMERIC), generator=draw)
    values = once.repeat(n_each, 1)
    return values + noise * torch.randn(values.shape, generator=draw)


def learning(values, spans=NUMERIC, share=0.15, **given):
    draw = torch.Generator().manual_seed(5)
    visible = (torch.rand(len(values), len(spans), generator=draw) < 0.85).float()
    held_out = visible * (torch.rand(visible.shape, generator=draw) < share)
    return learning_of(
        values, spans, visible - held_out, held_out, with_closed_form=True, **({"n_records": 10_000} | given)
    )


def test_evidence_is_the_log_of_the_ratio_of_likelihoods():
    scores = torch.tensor([[0.3, 0, 1, 1.0]])
    others = torch.tensor([[0.5, 0, 1, 0.2], [0.5, 1, 0, 0.2], [0.0, 0, 1, 0.2]])
    seen = torch.tensor([[1.0, 1, 1], [1, 1, 1], [0, 1, 1]])
    keys = near_duplicates._keys(MIXED, others, seen)

    def number(difference, variance, spread):
        gaussian = [math.exp(-(difference**2) / (4 * v)) / math.sqrt(v) for v in (variance, spread)]
        return math.log(gaussian[0] / gaussian[1])

    last = number(0.8, 0.2, 0.5)
    same, different = math.log(0.9 / 0.2), math.log(0.1 / (1 - 0.8**2 - 0.2**2))
    wanted = [number(0.2, 0.1, 1) + same + last, number(0.2, 0.1, 1) + different + last, same + last]
    found = evidence_of(MIXED, LIKE, scores, torch.ones(1, 3), keys)[0]
    torch.testing.assert_close(found, torch.tensor(wanted))
    hidden = evidence_of(MIXED, LIKE, scores, torch.tensor([[1.0, 0, 1]]), keys)[0]
    torch.testing.assert_close(hidden, torch.tensor([wanted[0] - same, wanted[0] - same, last]))


def test_copies_are_found_where_nothing_else_says_anything():
    given = learning(copies())
    stage = near_duplicates.fit(given)
    trail = given.judged
    cells = given.judged_cells > 0
    before = (trail.last.completed - trail.rows.values)[cells].square().mean()
    after = (stage.complete(trail.rows, trail.last).completed - trail.rows.values)[cells].square().mean()
    assert after < 0.4 * before
    assert (stage.likeness.variance < 0.05).all()
    assert (stage.weights.sum(0) <= 1 + 1e-9).all()


def test_a_table_without_copies_stores_no_rows():
    draw = torch.Generator().manual_seed(0)
    assert near_duplicates.fit(learning(torch.randn(600, len(NUMERIC), generator=draw))) is None
    assert near_duplicates.fit(learning(copies(), n_records=0)) is None
    assert near_duplicates.fit(learning(copies()[:, :1], NUMERIC[:1])) is None


def test_levels_agree_as_often_as_those_of_near_duplicates_do():
    spans = (*MIXED, Span("numeric", 4, 5), Span("numeric", 5, 6))
    values = table_of(spans, 250).repeat(2, 1)
    values[:, [0, 3, 4, 5]] += 0.01 * torch.randn(500, 4, generator=torch.Generator().manual_seed(3))
    given = learning(values, spans)
    numbers = torch.arange(500)
    records = near_duplicates._records(given, given.stages[0], numbers)
    stage = NearDuplicates(spans, *records, near_duplicates._start(spans, *records), torch.zeros(2, 5), numbers)
    for _ in range(4):
        near_duplicates._learn_likeness(stage)
    assert (stage.likeness.agree[1:3] > 0.9).all()
    torch.testing.assert_close(stage.likeness.shares[1:3].sum(), torch.tensor(1.0))


def test_a_row_never_answers_for_itself():
    """Neither one that says which it is, nor one that comes back with its gaps."""
    given = learning(copies(n_each=1, n=400))
    numbers = torch.arange(400)
    records = near_duplicates._records(given, given.stages[0], numbers)
    like = Likeness(torch.ones(W), torch.full((W,), 0.01), torch.ones(W), torch.ones(W))
    stage = NearDuplicates(NUMERIC, *records, like, torch.zeros(2, W), numbers)
    _, nearest = stage.nearest(records[0], records[2], numbers)
    assert not (nearest == numbers[:, None]).any()
    _, nearest = stage.nearest(records[0], records[2])
    assert (nearest[:, 0] == numbers).all()
    rows = Rows(given.values.double(), given.visible.double())
    before = Trail(rows, given.stages).last
    told = stage.told(rows, before)
    hidden = given.visible <= 0
    assert not torch.isclose(told, rows.values).all(0)[hidden].any()
    assert (told == before.completed)[:, ~hidden].all()


def test_the_search_is_a_full_sort():
    draw = torch.Generator().manual_seed(0)
    for n in (5, 40, 700):
        scores, seen = torch.randn(n, W, generator=draw), torch.ones(n, W)
        like = Likeness(torch.ones(W), torch.full((W,), 0.2), torch.ones(W), torch.ones(W))
        stage = NearDuplicates(NUMERIC, scores, scores, seen, like, torch.zeros(2, W))
        asked = torch.randn(7, W, generator=draw)
        evidence, nearest = stage.nearest(asked, torch.ones(7, W))
        distances = torch.cdist(asked, scores).sort(1)
        assert (nearest == distances.indices[:, : nearest.shape[1]]).all()
        assert (evidence[:, :-1] >= evidence[:, 1:]).all()
        assert nearest.shape[1] == min(n, near_duplicates._N_NEAREST)


def test_equally_near_rows_are_not_trusted():
    scores = torch.ones(100, W)
    values = torch.randn(100, W, generator=torch.Generator().manual_seed(0))
    like = Likeness(torch.ones(W), torch.full((W,), 0.2), torch.ones(W), torch.ones(W))
    stage = NearDuplicates(NUMERIC, scores, values, torch.ones(100, W), like, torch.full((2, W), 0.5))
    given = learning(copies())
    rows = Rows(torch.ones(3, W).double(), torch.tensor([[1.0] * (W - 1) + [0]]).expand(3, -1).double())
    before = Trail(rows, given.stages).last
    torch.testing.assert_close(stage.complete(rows, before).completed, before.completed)


def test_rows_do_not_depend_on_each_other_and_a_stored_stage_says_the_same(monkeypatch):
    given = learning(copies())
    stage = near_duplicates.fit(given)
    rows, before = given.judged.rows, given.judged.last
    rows = Rows(rows.values, rows.visible)
    whole = stage.complete(rows, before).completed
    again = NearDuplicates.from_state(stage.state(), NUMERIC, {})
    monkeypatch.setattr(near_duplicates, "_NUMBERS_AT_ONCE", 1)
    torch.testing.assert_close(again.complete(rows, before).completed, whole, atol=1e-4, rtol=1e-4)
    some = torch.tensor([5, 2])
    part = stage.complete(rows.take(some), before.changed(lambda tensor: tensor[some])).completed
    torch.testing.assert_close(part, whole[some], atol=1e-4, rtol=1e-4)


def test_all_cells_are_stored_in_the_end():
    given = learning(copies())
    stage = near_duplicates.fit(given)
    both = learning_of(given.values, NUMERIC, given.visible + given.held_out, with_closed_form=True)
    assert isinstance(both.stages[0], ClosedForm)
    last = stage.refit(both)
    assert int(last.seen.sum()) == int((given.visible + given.held_out).sum())
    assert (last.values[last.seen > 0] == both.values[last.numbers][last.seen > 0]).all()
    assert last.weights is stage.weights


def test_there_is_no_search_that_time_does_not_allow(monkeypatch):
    assert near_duplicates.fit(learning(copies(), deadline=time.monotonic() + 1000)) is not None
    monkeypatch.setattr(near_duplicates, "_PRODUCTS_PER_SECOND", 1.0)
    assert near_duplicates.fit(learning(copies(), deadline=time.monotonic() + 1000)) is None


@pytest.mark.parametrize(
    ("given", "n_records"),
    [({}, 50_000), ({"n_references": 0}, 0), ({"n_references": 0, "n_records": 7}, 7), ({"n_references": 9}, 50_000)],
)
def test_who_wants_no_training_rows_in_the_model_gets_none(given, n_records):
    found = settings_for({"effort": "balanced", "objective": "remask"} | given, 9000, 5)
    assert found["n_records"] == n_records
    assert settings_for({"effort": "balanced", "objective": "remask"} | given, 900, 5)["n_records"] in (0, 7)


def test_a_model_file_holds_the_stored_rows(tmp_path):
    table = copies().numpy()
    table[torch.rand(table.shape, generator=torch.Generator().manual_seed(1)).numpy() < 0.15] = np.nan
    less = {"n_steps": 0, "n_trees": 0, "draw_steps": 0, "n_donor_trees": 0, "n_references": 0}
    imputer = GAINImputer(random_state=0, n_records=1000, **less).fit(table)
    assert "near duplicates" in imputer._model.stages
    imputer.save(tmp_path / "model.tabgan")
    assert_allclose(tabgan.load(tmp_path / "model.tabgan").transform(table), imputer.transform(table), atol=1e-4)
    without = GAINImputer(random_state=0, **less).fit(table)
    assert "near duplicates" not in without._model.stages


def test_evidence_that_only_just_outweighs_the_number_of_rows_moves_half_way():
    scores = torch.full((100, W), 9.0)
    scores[17] = 0.0
    values = torch.zeros(100, W)
    values[17, -1] = 4.0
    variance = math.exp(-2 * math.log(100) / (W - 1))
    like = Likeness(torch.ones(W), torch.full((W,), variance), torch.ones(W), torch.ones(W))
    stage = NearDuplicates(NUMERIC, scores, values, torch.ones(100, W), like, torch.zeros(2, W))
    rows = Rows(torch.zeros(1, W).double(), torch.tensor([[1.0] * (W - 1) + [0]]).double())
    before = Trail(rows, learning(copies()).stages).last
    before.rank[:] = 0.0
    halfway = (4 + before.completed[0, -1]) / 2
    torch.testing.assert_close(stage.told(rows, before)[:, 0, -1], halfway.expand(2), atol=1e-4, rtol=1e-4)


def test_a_training_row_that_comes_back_with_its_gaps_is_told_the_same_as_one_that_says_which_it_is():
    """It is its own likeliest duplicate, by far, and must not hide those that know the cell."""
    given = learning(copies())
    stage = near_duplicates.fit(given)
    rows, before = given.judged.rows, given.judged.last
    own = stage.told(rows, before)
    again = stage.told(Rows(rows.values, rows.visible), before)
    assert (own - before.completed).abs().max() > 1
    torch.testing.assert_close(again, own, atol=0.1, rtol=0.0)
