"""The forests that follow the network: the same answers as scikit-learn's, and shares that held-out cells decide."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor

import tabgan
from tabgan import GAINImputer
from tabgan.imputation.stages.forests import FEWEST_ROWS, ForestStep, fit_forests, fit_shares, grow_forests
from tabgan.imputation.trees import Tree, turns
from tabgan.spans import Span
from tests.rounding import DOUBLE

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5))


def table(n: int = 200, seed: int = 0) -> np.ndarray:
    """Two numbers and a category that says which side of 0 the first one is on."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 5))
    values[:, 1:4] = np.eye(3)[np.where(np.abs(values[:, 0]) < 0.3, 1, np.where(values[:, 0] > 0, 2, 0))]
    values[:, 4] = np.where(values[:, 0] > 0, 1.0, -1.0) + 0.05 * rng.normal(size=n)
    return values.astype(np.float32)


def as_they_are(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A completion that leaves 0 in gaps."""
    shown = np.repeat(mask, [span.width for span in SPANS], axis=1)
    return np.where(shown, values, 0.0).astype(np.float64)


def grown(n_trees: int = 8, seed: int = 0) -> ForestStep:
    """Forests for all columns of `table`."""
    values = table()
    share = torch.ones(3, dtype=torch.float64)
    return grow_forests(values, np.ones((len(values), 3), bool), as_they_are, SPANS, share, n_trees=n_trees, seed=seed)


@pytest.mark.parametrize("seed", range(5))
def test_a_forest_answers_as_scikit_learn_does(seed: int) -> None:
    values = table(300, seed)
    model = ExtraTreesRegressor(n_estimators=7, random_state=seed).fit(values[:, [0, 4]], values[:, 1:4])
    trees = [
        Tree(
            torch.from_numpy(np.where(t.feature >= 0, np.array([0, 4])[np.maximum(t.feature, 0)], -1)),
            torch.from_numpy(t.threshold),
            torch.from_numpy(t.children_right.astype(np.int64)),
            torch.from_numpy(t.value[:, :, 0]),
        )
        for t in (estimator.tree_ for estimator in model.estimators_)
    ]
    step = ForestStep(SPANS, [[], trees, []], torch.ones(3))
    asked = np.random.default_rng(seed + 100).normal(size=(400, 5))
    asked[:100] = values[:100]  # on the very numbers that thresholds lie between
    told = step.answers(torch.from_numpy(asked), 1).numpy()
    np.testing.assert_allclose(told, model.predict(asked[:, [0, 4]]), atol=1e-6)


def test_a_threshold_between_two_single_precision_numbers_sends_both_the_right_way() -> None:
    low = np.float32(0.5)
    high = np.nextafter(low, np.float32(1))
    threshold = torch.tensor([float(high) - 1e-10, 0.0, 0.0], dtype=torch.float64)  # rounds up to `high`
    tree = Tree(torch.tensor([0, -1, -1]), threshold, torch.tensor([2, -1, -1]), torch.tensor([[0.0], [1.0], [2.0]]))
    step = ForestStep((Span("numeric", 0, 1), Span("numeric", 1, 2)), [[], [tree]], torch.ones(2))
    rows = torch.tensor([[float(low), 0], [float(high), 0]], dtype=torch.float64)
    assert step.answers(rows, 1)[:, 0].tolist() == [1.0, 2.0]


@given(st.integers(0, 2**20), st.integers(1, 30))
@settings(max_examples=25)
def test_visible_cells_stay_and_rows_do_not_depend_on_each_other(seed: int, n: int) -> None:
    step, rng = grown(), np.random.default_rng(seed)
    rows = torch.from_numpy(rng.normal(size=(n, 5)))
    visible = torch.from_numpy(rng.integers(0, 2, size=(n, 3))).double()
    moved = step(rows, visible)
    shown = visible[:, [0, 1, 1, 1, 2]] > 0
    assert torch.equal(moved[shown], rows[shown])
    order = torch.from_numpy(rng.permutation(n))
    torch.testing.assert_close(step(rows[order], visible[order]), moved[order], rtol=0, atol=DOUBLE)
    alone = torch.cat([step(rows[i : i + 1], visible[i : i + 1]) for i in range(n)])
    torch.testing.assert_close(alone, moved, rtol=0, atol=DOUBLE)


def test_the_share_says_how_far_to_go() -> None:
    step, hidden = grown(), torch.zeros(4, 3)
    rows = torch.from_numpy(table(4, seed=3)).double()
    step.share = torch.tensor([0.25, 0.0, 0.0])
    moved = step(rows, hidden)
    torch.testing.assert_close(moved[:, :1], 0.75 * rows[:, :1] + 0.25 * step.answers(rows, 0))
    assert torch.equal(moved[:, 1:], rows[:, 1:])


def test_numbers_take_their_turn_before_categories_and_later_columns_see_what_earlier_ones_became() -> None:
    assert turns(SPANS) == [0, 2, 1]
    step = grown()
    rows = torch.from_numpy(table(20, seed=4)).double()
    rows[:, 0] = 0
    hidden = torch.tensor([0.0, 0.0, 1.0]).expand(20, 3)
    step.share = torch.tensor([1.0, 1.0, 0.0])
    moved = step(rows, hidden)
    torch.testing.assert_close(moved[:, 1:4], step.answers(moved, 1))
    assert not torch.equal(moved[:, 1:4], step.answers(rows, 1))


def test_shares_follow_held_out_cells() -> None:
    values = table(2000)
    held_out = np.random.default_rng(1).random((2000, 3)) < 0.1
    step = fit_forests(values, ~held_out, held_out, as_they_are, SPANS, 10, seed=0)
    # The third column is a step of the first, which a completion by 0 knows nothing of.
    assert step.share[2] > 0.8
    assert step.share[1] > 0.8

    def perfect(asked: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return asked.astype(np.float64)

    spoilt = fit_forests(values, ~held_out, held_out, perfect, SPANS, 10, seed=0)
    assert float(spoilt.share.max()) < 0.2  # nothing is better than a completion that knows the truth


def test_without_held_out_cells_the_shares_are_moderate() -> None:
    step, rows = grown(), torch.from_numpy(table(50)).double()
    none, all_visible = torch.zeros(50, 3, dtype=torch.bool), torch.ones(50, 3, dtype=torch.bool)
    assert fit_shares(step, rows, rows, none, all_visible).tolist() == pytest.approx([0.4, 0.8, 0.4])


def test_columns_with_few_cells_get_no_forest() -> None:
    values = table()
    mask = np.ones((len(values), 3), bool)
    mask[FEWEST_ROWS - 1 :, 2] = False
    share = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    step = grow_forests(values, mask, as_they_are, SPANS, share, n_trees=3, seed=0)
    assert [step.n_trees(j) for j in range(3)] == [3, 0, 0]


def test_a_state_gives_the_same_forests_back() -> None:
    step, rows = grown(), torch.from_numpy(table(30, seed=5)).double()
    again = ForestStep.stored(SPANS, step.state_dict())
    assert torch.equal(again(rows, torch.zeros(30, 3)), step(rows, torch.zeros(30, 3)))


def test_the_imputer_uses_them_and_can_do_without(tmp_path) -> None:
    values = table(400)[:, [0, 4]].astype(float)
    hidden = np.random.default_rng(2).random(values.shape) < 0.2
    hidden[hidden.all(axis=1)] = False
    gappy = np.where(hidden, np.nan, values)
    cheap = {"n_steps": 50, "draw_steps": 0, "random_state": 0}
    with_trees, without = (GAINImputer(n_trees=n, **cheap).fit(gappy) for n in (20, 0))
    assert without._model.forests is None
    assert with_trees._model.forests.n_trees(1) == 20
    filled = with_trees.transform(gappy)
    assert not np.array_equal(filled, without.transform(gappy))
    with_trees.save(tmp_path / "trees.tabgan")
    assert np.array_equal(tabgan.load(tmp_path / "trees.tabgan").transform(gappy), filled)
