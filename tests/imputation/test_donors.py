"""Draws with donors: what they keep of a column, what they reach beyond, and that their parameters are drawn."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

import tabgan
from tabgan import GAINImputer, pool
from tabgan.imputation.learning import Learning
from tabgan.imputation.proper.growing import TrainingRows, grow_conditionals, is_drawn_by_value
from tabgan.imputation.stages import donors, draws
from tabgan.imputation.stages.correction import Correction
from tabgan.imputation.stages.donors import Donors, _best_share
from tabgan.imputation.stages.stage import Rows, Trail
from tabgan.spans import Span
from tests.imputation.learning_of import learning_of, noise_of, table_of

QUICK = {"n_steps": 0, "n_trees": 0, "n_references": 0, "random_state": 0}


def mixture(n: int = 400) -> pd.DataFrame:
    """A number that is 0 where another is negative, with gaps."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=n)
    frame = pd.DataFrame({"a": a, "b": np.where(a < 0, 0.0, np.exp(a + 0.1 * rng.normal(size=n)))})
    frame.loc[rng.random(n) < 0.3, "b"] = np.nan
    return frame


def largest_missing(n: int = 800, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Von Hippel's (2025) set-up: a line of slope 1 whose upper half is hardly ever observed."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    truth = pd.DataFrame({"x": x, "y": x + rng.normal(size=n)})
    return truth, truth.assign(y=truth["y"].mask(rng.random(n) < 1 / (1 + np.exp(-3 * x))))


@pytest.fixture(scope="module")
def fitted() -> GAINImputer:
    return GAINImputer(n_steps=60, random_state=0).fit(mixture())


def test_where_one_value_is_frequent_draws_are_observed_numbers(fitted: GAINImputer) -> None:
    frame = mixture()
    gaps = frame["b"].isna()
    observed = np.sort(frame["b"].dropna().unique())
    agree = []
    for draw in fitted.sample(frame, 5):
        distance = np.abs(observed[:, np.newaxis] - draw["b"][gaps].to_numpy()).min(axis=0)
        free = (draw["b"] - draw["a"])[gaps].to_numpy() > 1e-3  # others are moved to keep `a` < `b`
        assert distance[free].max() < 1e-5  # single precision on the way
        assert free.mean() > 0.98
        agree.append(((draw["b"][gaps] < 1e-5) == (frame["a"][gaps] < 0)).mean())
    assert np.mean(agree) > 0.95


def test_draws_reach_beyond_the_observed_cells_along_the_relation() -> None:
    truth, gappy = largest_missing()
    draws = GAINImputer(**QUICK).fit(gappy).sample(gappy, 20)
    slopes = [np.polyfit(draw["x"], draw["y"], 1)[0] for draw in draws]
    assert np.mean(slopes) == pytest.approx(np.polyfit(truth["x"], truth["y"], 1)[0], abs=0.12)
    assert np.mean([draw["y"].max() for draw in draws]) > gappy["y"].max()
    # What the missing cells leave open is several times what a complete table would.
    assert np.std(slopes) > 0.03


def test_draws_keep_the_sign_of_a_column() -> None:
    _, gappy = largest_missing()
    gappy["y"] = np.exp(gappy["y"])
    for draw in GAINImputer(**QUICK).fit(gappy).sample(gappy, 5):
        assert (draw["y"] >= 0).all()


def test_a_binary_predictor_keeps_its_slope() -> None:
    rng = np.random.default_rng(0)
    n = 1500
    x = rng.normal(size=n)
    b = rng.random(n) < 1 / (1 + np.exp(-0.8 * x))
    truth = pd.DataFrame({"x": x, "b": b, "y": b + 0.5 * x + rng.normal(size=n)})
    gappy = truth.assign(b=truth["b"].astype(object).mask(rng.random(n) < 1 / (1 + np.exp(1 - truth["y"]))))
    draws = GAINImputer(**QUICK).fit(gappy).sample(gappy, 10)

    def slope(table: pd.DataFrame) -> float:
        design = np.column_stack([np.ones(n), table["x"], table["b"].astype(float)])
        return np.linalg.lstsq(design, table["y"].to_numpy(), rcond=None)[0][2]

    assert np.mean([slope(draw) for draw in draws]) == pytest.approx(slope(truth), abs=0.12)


def test_sets_of_parameters_take_turns_by_the_seed() -> None:
    _, gappy = largest_missing(300)
    imputer = GAINImputer(**QUICK, n_donor_trees=3).fit(gappy)
    means = [[draw["y"].mean() for draw in imputer.sample(gappy, 6, random_state=seed)] for seed in range(8)]
    # The first draws of different seeds do not all take the same set.
    assert np.std([row[0] for row in means]) > 0.3 * np.std(means)


def test_point_estimates_do_not_depend_on_donors(fitted: GAINImputer) -> None:
    frame = mixture()
    plain = GAINImputer(**(fitted.get_params() | {"n_donor_trees": 0})).fit(frame)
    pd.testing.assert_frame_equal(plain.transform(frame), fitted.transform(frame))
    assert not plain.sample(frame, 1)[0].equals(fitted.sample(frame, 1)[0])


def test_a_saved_imputer_draws_the_same(fitted: GAINImputer, tmp_path: object) -> None:
    path = f"{tmp_path}/imputer.tabgan"
    fitted.save(path)
    first, second = (one.sample(mixture(), 2, random_state=3) for one in (fitted, tabgan.load(path)))
    for a, b in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(a, b)


def test_what_only_draws_need_is_learnt_once_when_they_are_first_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    grown = []
    monkeypatch.setattr(donors, "grow_conditionals", lambda *given: grown.append(given) or grow_conditionals(*given))
    frame = mixture(200)
    imputer = GAINImputer(**QUICK, n_donor_trees=2).fit(frame)
    imputer.transform(frame)
    imputer.predict_interval(frame)
    assert not grown
    first = imputer.sample(frame, 2)[1]
    pd.testing.assert_frame_equal(imputer.sample(frame, 2)[1], first)
    assert len(grown) == 1


@pytest.mark.parametrize("store", [pickle.dumps, copy.deepcopy, lambda imputer: imputer._to_state()])
def test_what_is_stored_holds_what_draws_need_and_no_training_rows(store: object) -> None:
    frame = mixture(200)
    imputer = GAINImputer(**QUICK, n_donor_trees=2).fit(frame)
    stage = imputer._model.stages["donors"]
    assert stage._later is not None
    stored = store(imputer)
    assert stage._later is None
    if not isinstance(stored, dict):
        again = pickle.loads(stored) if isinstance(stored, bytes) else stored
        pd.testing.assert_frame_equal(again.sample(frame, 1)[0], imputer.sample(frame, 1)[0])


def test_first_draws_have_as_much_time_as_fit_had(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    monkeypatch.setattr(
        donors, "grow_conditionals", lambda rows, *given: runs.append(rows.run) or grow_conditionals(rows, *given)
    )
    frame = mixture(200)
    for max_time in (None, 100.0):
        imputer = GAINImputer(**QUICK, n_donor_trees=2, max_time=max_time).fit(frame)
        begun = imputer._model.stages["donors"]._later.rows.run.deadline
        imputer.sample(frame, 1)
        assert runs[-1].deadline == begun if max_time is None else runs[-1].deadline > begun


SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5))


def grown(n: int = 200) -> tuple[Donors, Learning]:
    """Donors of a small table, and what they were grown from."""
    learning = learning_of(table_of(SPANS, n), SPANS, with_closed_form=True)
    generator = torch.Generator().manual_seed(0)
    edges = torch.linspace(-2, 2, 3).repeat(2, 1)
    learning.stages.append(Correction(SPANS, edges, width=4, n_members=1, generator=generator).double())
    learning.stages.append(draws.fit(learning))
    return Donors(grow_conditionals(TrainingRows.of(learning), 4, [0.0] * 3)), learning


def test_visible_cells_stay_and_levels_are_one_hot() -> None:
    stage, learning = grown()
    rows = table_of(SPANS, 60, seed=1).double()
    visible = (torch.rand(60, 3, generator=torch.Generator().manual_seed(0)) < 0.6).double()
    trail = Trail(Rows(rows, visible), learning.stages)
    before = learning.stages[-1].draw(trail, None, noise_of(60, 2))
    drawn = stage.draw(trail, before, noise_of(60, 2))
    shown = visible[:, [0, 1, 1, 1, 2]] > 0
    for one in drawn:
        assert torch.equal(one[shown], rows[shown])
        assert (one[:, 1:4].sum(1) == 1).all()
        assert ((one[:, 1:4] == 0) | (one[:, 1:4] == 1)).all()
    assert not torch.equal(drawn[0], drawn[1])


def test_without_anything_grown_draws_stay_as_they_came() -> None:
    stage, learning = grown(20)  # too few cells of each column
    rows = table_of(SPANS, 5, seed=1).double()
    trail = Trail(Rows(rows, torch.zeros(5, 3).double()), learning.stages)
    before = learning.stages[-1].draw(trail, None, noise_of(5, 1))
    assert stage.draw(trail, before, noise_of(5, 1)) is before


@pytest.mark.parametrize(
    ("cells", "by_value"),
    [
        (np.linspace(0, 1, 100), False),
        (np.repeat(np.arange(20.0), 5), True),
        (np.repeat(np.arange(21.0), 5), False),
        (np.r_[np.zeros(11), np.linspace(1, 2, 89)], True),
        (np.r_[np.zeros(10), np.linspace(1, 2, 90)], False),
    ],
    ids=["continuous", "20 values", "21 values", "a tie above a tenth", "a tie of a tenth"],
)
def test_which_numbers_are_drawn_as_values(cells: np.ndarray, by_value: bool) -> None:
    assert is_drawn_by_value(torch.from_numpy(cells)) == by_value


def test_ends_are_kept_where_several_cells_share_them() -> None:
    values = torch.tensor([[0.0], [1.0], [3.0], [3.0]]).repeat(10, 1)[:, [0]]
    values[0] = -1.0
    learning = learning_of(values, (Span("numeric", 0, 1),), with_closed_form=True)
    np.testing.assert_allclose(TrainingRows.of(learning).ends()[:, 0], [-5.0, 3.0])


def test_the_blend_gets_the_smallest_share_within_an_error_of_the_best() -> None:
    truth = torch.eye(2, dtype=torch.float64)[torch.arange(400) % 2]
    knows, guesses = (3 * truth).log_softmax(1), torch.full((400, 2), 0.5).double().log()
    assert _best_share(knows, guesses, truth) == 1
    assert _best_share(guesses, knows, truth) == 0
    assert _best_share(knows, knows, truth) == 0


def test_pooled_intervals_are_wider_than_those_of_one_table() -> None:
    _, gappy = largest_missing(400)
    draws = GAINImputer(**QUICK).fit(gappy).sample(gappy, 20)
    pooled = pool(lambda table: (table["y"].mean(), table["y"].var() / len(table)), draws).to_frame()
    assert float(pooled["fmi"].iloc[0]) > 0.2


def test_how_far_draws_spread_is_as_uncertain_as_the_known_cells_say() -> None:
    """Of 40 known cells a standard deviation is known to 11 %, and that of 110 draws varies by 7 % more."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=150)
    table = pd.DataFrame({"x": x, "y": x + rng.normal(size=150)})
    gaps = np.arange(150) >= 40
    table.loc[gaps, "y"] = np.nan
    imputer = GAINImputer(random_state=0, n_trees=0, n_references=0, n_steps=0).fit(table)
    spreads = [
        np.std(np.polyfit(x[gaps], t["y"][gaps], 1) @ [x[gaps], np.ones(gaps.sum())] - t["y"][gaps])
        for t in imputer.sample(table, 20)
    ]
    assert 0.1 < np.std(spreads) / np.mean(spreads) < 0.2
