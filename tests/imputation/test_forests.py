"""Forests as a candidate: the same answers as scikit-learn's, and weights that held-out cells decide."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor
from torch import Tensor

import tabgan
from tabgan import GAINImputer
from tabgan.imputation.stages import blend, forests
from tabgan.imputation.stages.blend import Blend, turns
from tabgan.imputation.stages.stage import Rows, Seen
from tabgan.imputation.trees import FEWEST_ROWS, Tree, Trees, flat_tree
from tabgan.spans import Span
from tests.imputation.learning_of import AsTheyAre, Blanks, completion_of, learning_of
from tests.rounding import DOUBLE

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5))
CANDIDATES = (forests.CANDIDATE,)
JUDGED = forests.Forest(Trees([Tree(torch.tensor([-1]), torch.zeros(1), torch.tensor([0]), torch.zeros(1, 1))]))
"""Whatever was judged: of small tables it is grown again."""


def table(n: int = 200, seed: int = 0) -> np.ndarray:
    """Two numbers and a category that says which side of 0 the first one is on."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 5))
    values[:, 1:4] = np.eye(3)[np.where(np.abs(values[:, 0]) < 0.3, 1, np.where(values[:, 0] > 0, 2, 0))]
    values[:, 4] = np.where(values[:, 0] > 0, 1.0, -1.0) + 0.05 * rng.normal(size=n)
    return values.astype(np.float32)


@functools.cache
def forest(j: int, n_trees: int = 8) -> forests.Forest:
    """A forest for a column of `table`."""
    values = torch.from_numpy(table()).double()
    learning = learning_of(values, SPANS, n_trees=n_trees)
    seen = Seen(completed=values)
    grown = forests.fit(seen, values[:, SPANS[j].start : SPANS[j].stop], j, learning, judged=JUDGED)
    assert grown is not None
    return grown


def grown(*weights: float) -> Blend:
    """All columns' forests, followed in full unless said otherwise."""
    by_column = torch.tensor([weights or (1.0, 1.0, 1.0)], dtype=torch.float64)
    return Blend(SPANS, CANDIDATES, [[forest(j) for j in range(3)]], by_column)


def moved(stage: Blend, rows: Tensor, visible: Tensor) -> Tensor:
    """Completed rows after the stage."""
    return stage.complete(Rows(rows, visible), completion_of(rows)).completed


@pytest.mark.parametrize("seed", range(5))
def test_a_forest_answers_as_scikit_learn_does(seed: int) -> None:
    values = table(300, seed)
    model = ExtraTreesRegressor(n_estimators=7, random_state=seed).fit(values[:, [0, 4]], values[:, 1:4])
    trees = Trees([flat_tree(estimator.tree_, np.array([0, 4])) for estimator in model.estimators_])
    assert len(trees) == 7
    asked = np.random.default_rng(seed + 100).normal(size=(400, 5))
    asked[:100] = values[:100]  # on the very numbers that thresholds lie between
    told = trees.mean(torch.from_numpy(asked)).numpy()
    np.testing.assert_allclose(told, model.predict(asked[:, [0, 4]]), atol=1e-6)


def test_rows_may_ask_different_trees() -> None:
    trees, rows = forest(2).trees, torch.from_numpy(table(30, seed=6)).double()
    chosen = torch.stack([torch.arange(30) % 8, torch.arange(30) % 3], 1)
    told = trees.told(rows, chosen)
    assert told.shape == (30, 2, 1)
    for k in range(8):
        asking = (chosen == k).nonzero()
        alone = trees.told(rows, torch.full((30, 1), k))[asking[:, 0], 0]
        torch.testing.assert_close(told[asking[:, 0], asking[:, 1]], alone, rtol=0, atol=DOUBLE)


def test_a_threshold_between_two_single_precision_numbers_sends_both_the_right_way() -> None:
    low = np.float32(0.5)
    high = np.nextafter(low, np.float32(1))
    threshold = torch.tensor([float(high) - 1e-10, 0.0, 0.0], dtype=torch.float64)  # rounds up to `high`
    tree = Tree(torch.tensor([0, -1, -1]), threshold, torch.tensor([2, -1, -1]), torch.tensor([[0.0], [1.0], [2.0]]))
    rows = torch.tensor([[float(low), 0], [float(high), 0]], dtype=torch.float64)
    assert Trees([tree]).mean(rows)[:, 0].tolist() == [1.0, 2.0]


@given(st.integers(0, 2**20), st.integers(1, 30))
@settings(max_examples=25)
def test_visible_cells_stay_and_rows_do_not_depend_on_each_other(seed: int, n: int) -> None:
    stage, rng = grown(), np.random.default_rng(seed)
    rows = torch.from_numpy(rng.normal(size=(n, 5)))
    visible = torch.from_numpy(rng.integers(0, 2, size=(n, 3))).double()
    after = moved(stage, rows, visible)
    shown = visible[:, [0, 1, 1, 1, 2]] > 0
    assert torch.equal(after[shown], rows[shown])
    order = torch.from_numpy(rng.permutation(n))
    torch.testing.assert_close(moved(stage, rows[order], visible[order]), after[order], rtol=0, atol=DOUBLE)
    alone = torch.cat([moved(stage, rows[i : i + 1], visible[i : i + 1]) for i in range(n)])
    torch.testing.assert_close(alone, after, rtol=0, atol=DOUBLE)


def test_the_weight_says_how_far_to_go() -> None:
    stage, hidden = grown(0.25, 0.0, 0.0), torch.zeros(4, 3)
    rows = torch.from_numpy(table(4, seed=3)).double()
    after = moved(stage, rows, hidden)
    torch.testing.assert_close(after[:, :1], 0.75 * rows[:, :1] + 0.25 * forest(0)(Seen(completed=rows)))
    assert torch.equal(after[:, 1:], rows[:, 1:])


def test_numbers_take_their_turn_before_categories_and_later_columns_see_what_earlier_ones_became() -> None:
    assert turns(SPANS) == [0, 2, 1]
    assert turns(SPANS, torch.tensor([5.0, 0.0, 2.0])) == [2, 0, 1]
    rows = torch.from_numpy(table(20, seed=4)).double()
    rows[:, 0] = 0
    hidden = torch.tensor([0.0, 0.0, 1.0]).expand(20, 3)
    after = moved(grown(1.0, 1.0, 0.0), rows, hidden)
    torch.testing.assert_close(after[:, 1:4], forest(1)(Seen(completed=after)))
    assert not torch.allclose(after[:, 1:4], forest(1)(Seen(completed=rows)))


def test_weights_follow_held_out_cells() -> None:
    values = torch.from_numpy(table(2000))
    held_out = torch.from_numpy(np.random.default_rng(1).random((2000, 3)) < 0.1).float()
    stage = blend.fit(
        learning_of(values, SPANS, 1 - held_out, held_out, stages=[Blanks(SPANS)], n_trees=10), CANDIDATES
    )
    # The third column is a step of the first, which a completion by 0 knows nothing of.
    assert stage.weights[0, 2] > 0.8
    assert stage.weights[0, 1] > 0.8
    spoilt = blend.fit(learning_of(values, SPANS, 1 - held_out, held_out, stages=[AsTheyAre()], n_trees=10), CANDIDATES)
    assert (
        float(spoilt.weights.max()) < 0.25
    )  # nothing is better than a completion that knows the truth: the prior alone speaks


def test_without_held_out_cells_the_weights_are_moderate() -> None:
    priors = forests.CANDIDATE.prior
    assert [priors[span.kind] for span in SPANS] == pytest.approx([0.4, 0.8, 0.4])


def test_columns_with_few_cells_get_no_forest() -> None:
    values = torch.from_numpy(table())
    known = values[: FEWEST_ROWS - 1]
    learning = learning_of(values, SPANS, n_trees=3)
    assert forests.fit(Seen(completed=known), known[:, 4:], 2, learning, judged=JUDGED) is None
    enough = values[:FEWEST_ROWS]
    assert len(forests.fit(Seen(completed=enough), enough[:, 4:], 2, learning, judged=JUDGED).trees) == 3


def test_a_column_without_others_and_a_wish_for_no_trees_get_none() -> None:
    values, alone = torch.from_numpy(table()), (Span("numeric", 0, 1),)
    one = learning_of(values[:, :1], alone, n_trees=3)
    assert forests.fit(Seen(completed=values[:, :1]), values[:, :1], 0, one, judged=JUDGED) is None
    none = learning_of(values, SPANS, n_trees=0)
    assert forests.fit(Seen(completed=values), values[:, :1], 0, none, judged=JUDGED) is None


def test_half_of_the_trees_judge() -> None:
    values = torch.from_numpy(table())
    for n_trees, judging in ((30, 15), (100, 15), (5, 3), (1, 1)):
        learning = learning_of(values, SPANS, n_trees=n_trees)
        for judged, n in ((None, judging), (JUDGED, n_trees)):
            fitted = forests.fit(Seen(completed=values), values[:, :1], 0, learning, judged=judged)
            assert len(fitted.trees) == n


def test_of_large_tables_the_judged_trees_stay(monkeypatch) -> None:
    values = torch.from_numpy(table())
    learning = learning_of(values, SPANS, n_trees=7)
    seen, rows = Seen(completed=values), values.double()
    judged = forests.fit(seen, values[:, :1], 0, learning, judged=None)
    again = forests.fit(seen, values[:, :1], 0, learning, judged=judged)
    monkeypatch.setattr(forests, "_ENOUGH_TO_STAY", len(values))
    kept = forests.fit(seen, values[:, :1], 0, learning, judged=judged)
    assert [len(one.trees) for one in (judged, again, kept)] == [4, 7, 7]
    each = torch.arange(7).expand(len(rows), 7)
    assert torch.equal(kept.trees.told(rows, each[:, :4]), judged.trees.told(rows, each[:, :4]))
    others = kept.trees.told(rows, each[:, 4:])
    assert not torch.equal(others, again.trees.told(rows, each[:, :3]))
    all_told = kept.trees.told(rows, each)
    torch.testing.assert_close(kept.trees.mean(rows), all_told.mean(1), atol=DOUBLE, rtol=0)
    torch.testing.assert_close(all_told[:, 4:], others)
    assert kept.trees.told(rows, each).std() > 0


def test_a_forest_does_not_see_its_own_column() -> None:
    rows = torch.from_numpy(table(50, seed=7)).double()
    for j, span in enumerate(SPANS):
        fouled = rows.clone()
        fouled[:, span.start : span.stop] = 99.0
        torch.testing.assert_close(forest(j)(Seen(completed=fouled)), forest(j)(Seen(completed=rows)))


def test_a_state_gives_the_same_forests_back() -> None:
    stage, rows = grown(0.5, 1.0, 0.25), torch.from_numpy(table(30, seed=5)).double()
    again = blend.stage_of("blend", CANDIDATES).restore(stage.state(), SPANS, {})
    torch.testing.assert_close(moved(again, rows, torch.zeros(30, 3)), moved(stage, rows, torch.zeros(30, 3)))


def test_the_imputer_uses_them_and_can_do_without(tmp_path) -> None:
    values = table(400)[:, [0, 4]].astype(float)
    hidden = np.random.default_rng(2).random(values.shape) < 0.2
    hidden[hidden.all(axis=1)] = False
    gappy = np.where(hidden, np.nan, values)
    cheap = {"n_steps": 50, "draw_steps": 0, "random_state": 0}
    with_trees, without = (GAINImputer(n_trees=n, **cheap).fit(gappy) for n in (20, 0))
    assert "blend" not in without._model.stages
    assert len(with_trees._model.stages["blend"].fitted[0][1].trees) == 20
    filled = with_trees.transform(gappy)
    assert not np.array_equal(filled, without.transform(gappy))
    with_trees.save(tmp_path / "trees.tabgan")
    assert np.array_equal(tabgan.load(tmp_path / "trees.tabgan").transform(gappy), filled)
