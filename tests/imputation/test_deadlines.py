"""What is left out once the time is up, and what never is."""

import time
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import pytest
import torch

import tabgan
from tabgan import GAINImputer
from tabgan.core.run import Run
from tabgan.imputation.chain import Chain
from tabgan.imputation.objectives import CANDIDATES, STAGES
from tabgan.imputation.stages import blend, neighbours
from tabgan.imputation.stages.stage import FittedStage, Stage
from tabgan.spans import Span
from tests.conftest import make_mixed
from tests.imputation.learning_of import Blanks, learning_of, noise_of, run_of, some_held_out, table_of

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5))
STEPS = {"n_steps": 2, "network_steps": 2, "n_boosts": 2, "n_rounds": 2}
SMALL = STEPS | {"draw_steps": 2, "width": 8, "n_blocks": 1, "n_members": 2, "n_trees": 20, "n_donor_trees": 2}


def fitted(deadline: float | None) -> Chain:
    values = table_of(SPANS, 120)
    held_out = some_held_out(torch.ones(120, 3)).bool().numpy()
    return Chain.fit(values.numpy(), ~held_out, held_out, SPANS, STAGES, SMALL, run_of(deadline))


def test_with_time_all_stages_are_fitted_in_order():
    chain = fitted(None)
    # Near duplicates are for tables that have some.
    assert list(chain.stages) == [stage.name for stage in STAGES if stage.name != "near duplicates"]
    assert chain.stop_reason != "time budget used up"


def test_once_the_time_is_up_no_trees_are_grown_and_the_rest_stands():
    chain = fitted(time.monotonic() - 1)
    assert list(chain.stages) == ["closed form", "correction", "draws", "intervals"]
    assert chain.stop_reason == "time budget used up"
    values = table_of(SPANS, 20, seed=1).numpy()
    mask = np.random.default_rng(0).random((20, 3)) < 0.6
    filled = chain.predict(values, mask)
    assert np.isfinite(filled).all()
    assert np.isfinite(chain.draw(values, mask, noise_of(20, 2))).all()
    assert np.abs(filled[:, 0][~mask[:, 0]]).max() > 0


@dataclass(frozen=True)
class NoSettings:
    """None."""


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("waits", [True, False])
def test_a_stage_that_waits_is_not_even_asked_once_the_time_is_up(judged, waits):
    values, asked = table_of(SPANS, 120), []
    held_out = some_held_out(torch.ones(120, 3)).bool().numpy()

    def fit(learning):
        asked.append(learning)
        return FittedStage()

    stages = (STAGES[0], Stage("toy", NoSettings, fit, lambda *_: None, judged=judged, waits=waits))
    given = values.numpy(), ~held_out, held_out, SPANS, stages, {}
    assert ("toy" in Chain.fit(*given, run_of(time.monotonic() - 1)).stages) is not waits
    assert len(asked) == int(not waits)
    assert "toy" in Chain.fit(*given, run_of()).stages


def test_which_stages_wait_is_stated():
    assert [stage.name for stage in STAGES if stage.waits] == [
        "network",
        "first blend",
        "near duplicates",
        "blend",
        "second round",
        "donors",
    ]


def test_the_imputer_keeps_its_word():
    imputer = GAINImputer(max_time=1e-9, n_steps=100, random_state=0).fit(make_mixed(80))
    assert not {"neighbours", "network", "first blend", "blend", "donors"} & set(imputer._model.stages)
    assert {"closed form", "draws", "intervals"} <= set(imputer._model.stages)
    assert not imputer.transform(make_mixed(20, seed=3)).isna().any().any()


class Clock(Run):
    """A run whose time is up after it was asked so many times."""

    @property
    def time_is_up(self) -> bool:
        return next(self.__dict__["asked"]) >= self.__dict__["limit"]

    @classmethod
    def after(cls, n: int) -> Run:
        run = cls(**vars(run_of()))
        run.__dict__.update(asked=count(), limit=n)
        return run


@pytest.fixture(scope="module")
def judged():
    """A blend that has been weighed by held-out cells, with some of its trees, and all cells to fit again with."""
    values = table_of(SPANS, 200)
    held_out = some_held_out(torch.ones(200, 3), 0.2)
    first = learning_of(values, SPANS, 1 - held_out, held_out, stages=[Blanks(SPANS)], n_trees=20)
    stage = blend.fit(first, CANDIDATES)
    assert all(stage.used(j) for j in range(3))
    return stage, learning_of(values, SPANS, stages=[Blanks(SPANS)], n_trees=20)


@pytest.mark.parametrize("n_columns", [0, 1, 2, 3])
def test_columns_that_had_no_time_keep_what_was_judged(judged, n_columns):
    stage, learning = judged
    learning.run = Clock.after(n_columns + 1)  # the clock is looked at before anything is prepared, too
    refitted = stage.refit(learning)
    again = stage.order[:n_columns]
    for j in range(3):
        old, new = stage.fitted[0][j], refitted.fitted[0][j]
        if j in again:
            assert (len(old.trees), len(new.trees)) == (10, 20)
        else:
            assert new is old
    assert torch.equal(refitted.weights, stage.weights)


def test_columns_that_were_not_judged_in_time_get_no_weight():
    values = table_of(SPANS, 200)
    held_out = some_held_out(torch.ones(200, 3), 0.2)
    learning = learning_of(values, SPANS, 1 - held_out, held_out, stages=[Blanks(SPANS)], n_trees=4)
    learning.run = Clock.after(1)
    stage = blend.fit(learning, CANDIDATES)
    assert [column is not None for column in stage.fitted[0]] == [True, False, False]
    assert stage.weights[0, 0] > 0.05
    assert stage.weights[0, 1:].tolist() == [0, 0]
    learning.run = replace(run_of(), deadline=time.monotonic() - 1)
    assert blend.fit(learning, CANDIDATES) is None


def test_neighbours_that_would_take_most_of_the_time_are_left_out(monkeypatch):
    asked = []
    monkeypatch.setattr(neighbours, "_PRODUCTS_PER_SECOND", 1e3)
    values = table_of(SPANS, 120)
    held_out = some_held_out(torch.ones(120, 3))
    for deadline, wanted in ((None, True), (time.monotonic() + 60, False), (time.monotonic() + 1e9, True)):
        learning = learning_of(values, SPANS, 1 - held_out, held_out, with_closed_form=True, deadline=deadline)
        asked.append((neighbours.STAGE.fit(learning) is not None) is wanted)
    assert asked == [True, True, True]


def test_a_fit_without_time_says_so_though_nothing_was_trained():
    rows = np.random.default_rng(0).normal(size=(4200, 3))
    rows[::5, 0] = np.nan
    imputer = GAINImputer(max_time=1e-9, random_state=0).fit(rows)
    assert imputer.stop_reason_ == "time budget used up"
    assert imputer.n_iter_ == 0
    assert np.isfinite(imputer.transform(rows)).all()


def test_a_large_table_is_filled_by_network_boosting_and_two_rounds_of_forests(tmp_path):
    rng = np.random.default_rng(0)
    factor = rng.normal(size=4200)
    rows = np.column_stack([factor, np.sin(3 * factor) + 0.1 * rng.normal(size=4200), factor**2])
    truth, hidden = rows.copy(), rng.random(rows.shape) < 0.2
    rows[hidden] = np.nan
    imputer = GAINImputer(network_steps=30, n_boosts=20, draw_steps=2, n_donor_trees=1, random_state=0).fit(rows)
    stages = {"network", "first blend", "blend"}
    assert stages <= set(imputer._model.stages)
    assert not {"neighbours"} & set(imputer._model.stages)
    assert imputer.n_iter_ == 30
    filled = imputer.transform(rows)
    error, spread = np.sqrt(np.mean((filled - truth)[hidden] ** 2)), truth.std()
    assert error < 0.6 * spread
    imputer.save(tmp_path / "model.tabgan")
    np.testing.assert_array_equal(
        tabgan.load(tmp_path / "model.tabgan").transform(rows[:50]), imputer.transform(rows[:50])
    )
