"""Boosted trees on rows with their missing cells: scikit-learn's answers, what they read, and what they learn."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingRegressor

from tabgan.imputation.stages import boosting
from tabgan.imputation.stages.boosting import CANDIDATE, CANDIDATE_IN_TURN, FEWEST_ROWS, Boosted, flat_boosted_tree
from tabgan.imputation.stages.stage import Rows, Seen
from tabgan.imputation.trees import Trees
from tabgan.spans import Span
from tests.imputation.learning_of import learning_of

NUMBERS = tuple(Span("numeric", j, j + 1) for j in range(3))


def holed(n, width, rate=0.3, seed=0):
    """Random rows with NaN where a cell is missing."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, width)).astype(np.float32)
    rows[rng.random(rows.shape) < rate] = np.nan
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_flat_trees_answer_as_scikit_learns(seed):
    """Also for rows with missing cells, and for numbers that thresholds were taken from."""
    seen, asked = holed(900, 4, seed=seed), holed(500, 4, seed=seed + 50)
    asked[:200] = seen[:200]
    target = np.nan_to_num(seen[:, 0]) * np.isnan(seen[:, 1]) + np.nan_to_num(seen[:, 2]) ** 2
    model = HistGradientBoostingRegressor(max_iter=20, early_stopping=False).fit(seen, target)
    trees = Trees([flat_boosted_tree(stage[0].nodes, np.arange(4)) for stage in model._predictors])
    told = trees.mean(torch.from_numpy(asked))[:, 0].numpy() * len(trees) + np.ravel(model._baseline_prediction)[0]
    np.testing.assert_allclose(told, model.predict(asked), atol=1e-4)


def seen_of(values, visible):
    """What the candidate reads: the rows, and a prediction of 0."""
    return Seen(gaps=Rows(values, visible), prediction=torch.zeros_like(values))


@pytest.fixture(scope="module")
def whether_missing():
    """A column that is 1 where another one is missing, and noise elsewhere; only the gaps tell."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(FEWEST_ROWS, 3, generator=generator).double()
    visible = (torch.rand(FEWEST_ROWS, 3, generator=generator) < 0.6).double()
    visible[:, 2] = 1
    values[:, 2] = 1 - visible[:, 0]
    return values, visible


def test_it_reads_which_cells_are_missing(whether_missing):
    values, visible = whether_missing
    fitted = CANDIDATE.fit(
        seen_of(values, visible), values[:, 2:], 2, learning_of(values.float(), NUMBERS, n_boosts=60), judged=None
    )
    told = fitted(seen_of(values, visible))
    assert told.shape == (len(values), 1)
    torch.testing.assert_close(told[:, 0], values[:, 2], atol=0.01, rtol=0)


def test_it_never_looks_at_the_cell_itself_nor_under_hidden_cells(whether_missing):
    values, visible = whether_missing
    fitted = CANDIDATE.fit(
        seen_of(values, visible), values[:, 2:], 2, learning_of(values.float(), NUMBERS, n_boosts=60), judged=None
    )
    fouled = torch.where(visible > 0, values, 1e6)
    fouled[:, 2] = -7.0
    assert torch.equal(fitted(seen_of(fouled, visible)), fitted(seen_of(values, visible)))


def test_it_learns_what_the_prediction_leaves(whether_missing):
    values, visible = whether_missing
    shifted = Seen(gaps=Rows(values, visible), prediction=torch.full_like(values, 5.0))
    fitted = CANDIDATE.fit(shifted, values[:, 2:], 2, learning_of(values.float(), NUMBERS, n_boosts=60), judged=None)
    torch.testing.assert_close(fitted(shifted)[:, 0], values[:, 2], atol=0.01, rtol=0)
    moved = Seen(gaps=shifted.gaps, prediction=shifted.prediction + 1)
    torch.testing.assert_close(fitted(moved), fitted(shifted) + 1, atol=0.2, rtol=0)


def test_in_turn_it_reads_the_fills_of_columns_that_had_their_turn_and_predicts_the_column_itself(whether_missing):
    """The third column copies the first one, half of which is hidden and filled rightly."""
    values, visible = whether_missing
    values = values.clone()
    values[:, 2] = values[:, 0]
    wrong = torch.full_like(values, 5.0)
    filled = Seen(gaps=Rows(values, visible), prediction=wrong)
    learning = learning_of(values.float(), NUMBERS, n_boosts=60)
    in_turn = CANDIDATE_IN_TURN.fit(filled, values[:, 2:], 2, learning, judged=None)
    at_once = CANDIDATE.fit(filled, values[:, 2:], 2, learning, judged=None)
    hidden = visible[:, 0] <= 0
    errors = [float((fitted(filled) - values[:, 2:])[hidden].square().mean()) for fitted in (in_turn, at_once)]
    assert errors[0] < 0.1 < 0.5 < errors[1]
    shifted = Seen(gaps=filled.gaps, prediction=wrong + 3)
    torch.testing.assert_close(in_turn(shifted), in_turn(filled))
    torch.testing.assert_close(at_once(shifted), at_once(filled) + 3)
    assert torch.equal(Boosted.from_state(in_turn.state())(filled), in_turn(filled))
    older = {name: part for name, part in at_once.state().items() if name != "in_turn"}
    assert torch.equal(Boosted.from_state(older)(filled), at_once(filled))


def test_trees_that_stay_are_larger_and_learn_more_slowly_than_those_that_are_judged(whether_missing):
    values, visible = whether_missing
    values = values.repeat(20, 1) + 0.1 * torch.randn(20 * len(values), 3, generator=torch.Generator().manual_seed(1))
    seen = seen_of(values, visible.repeat(20, 1))
    learning = learning_of(values.float(), NUMBERS, n_boosts=2)
    judged = CANDIDATE.fit(seen, values[:, 2:], 2, learning, judged=None)
    stays = CANDIDATE.fit(seen, values[:, 2:], 2, learning, judged=judged)
    leaves = [int((fitted.trees.feature < 0).sum()) for fitted in (judged, stays)]
    assert leaves == [2 * 31, 2 * 63]


def test_columns_with_few_known_cells_get_none(whether_missing):
    values, visible = whether_missing
    few, learning = slice(0, FEWEST_ROWS - 1), learning_of(values.float(), NUMBERS, n_boosts=60)
    part = seen_of(values[few], visible[few])
    assert CANDIDATE.fit(part, values[few, 2:], 2, learning, judged=None) is None


def test_it_applies_where_it_is_wanted_and_rows_are_enough(whether_missing):
    values, _ = whether_missing
    assert boosting.applies(learning_of(values.float(), NUMBERS, n_boosts=60))
    assert not boosting.applies(learning_of(values.float(), NUMBERS))
    assert not boosting.applies(learning_of(values[:-1].float(), NUMBERS, n_boosts=60))
    assert not boosting.applies(learning_of(values[:, :1].float(), NUMBERS[:1], n_boosts=60))


def test_a_state_gives_the_same_answers_back(whether_missing):
    values, visible = whether_missing
    fitted = CANDIDATE.fit(
        seen_of(values, visible), values[:, 2:], 2, learning_of(values.float(), NUMBERS, n_boosts=60), judged=None
    )
    again = Boosted.from_state(fitted.state())
    assert torch.equal(again(seen_of(values, visible)), fitted(seen_of(values, visible)))


def test_it_says_what_it_reads():
    assert CANDIDATE.reads == CANDIDATE_IN_TURN.reads == {"gaps", "prediction"}
