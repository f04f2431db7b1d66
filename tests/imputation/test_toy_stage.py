"""One file and one entry add a stage, or a candidate: it is fitted, judged, weighed, used, saved and loaded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import tabgan
from tabgan import GAINImputer
from tabgan.exceptions import ModelFileError
from tabgan.imputation import objectives
from tabgan.imputation.chain import Chain
from tabgan.imputation.stages import blend, neighbours
from tabgan.spans import Span
from tests.imputation import toy_stage
from tests.imputation.learning_of import run_of, some_held_out, table_of

QUICK = {
    "n_steps": 5,
    "draw_steps": 5,
    "width": 8,
    "n_blocks": 1,
    "n_members": 2,
    "n_donor_trees": 0,
    "random_state": 0,
}


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(neighbours, "METRIC_STEPS", 3)


def with_candidates(*candidates):
    """The stages, with further candidates."""
    blended = blend.stage_of("blend", (*objectives.CANDIDATES, *candidates))
    return tuple(blended if stage.name == "blend" else stage for stage in objectives.STAGES)


def round_trip(imputer: GAINImputer, frame: pd.DataFrame, path: object) -> None:
    """Saving and loading changes neither fills nor draws."""
    imputer.save(f"{path}/model.tabgan")
    loaded = tabgan.load(f"{path}/model.tabgan")
    pd.testing.assert_frame_equal(loaded.transform(frame), imputer.transform(frame))
    pd.testing.assert_frame_equal(loaded.sample(frame, 1)[0], imputer.sample(frame, 1)[0])


def halves(n: int = 250) -> pd.DataFrame:
    """Two related numbers, one of them in steps of a half, a category, and gaps."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=n)
    frame = pd.DataFrame(
        {"a": a, "b": np.round(2 * (a + 0.3 * rng.normal(size=n))) / 2, "c": np.where(a > 0, "x", "y")}
    )
    return frame.mask(rng.random(frame.shape) < 0.15)


def test_a_stage_is_fitted_used_saved_and_loaded(monkeypatch, tmp_path):
    frame = halves()
    plain = GAINImputer(**QUICK, round_like_observed=False).fit(frame)
    monkeypatch.setattr(objectives, "STAGES", (*objectives.STAGES, toy_stage.STAGE))
    imputer = GAINImputer(**QUICK, round_like_observed=False).fit(frame)
    assert list(imputer._model.stages)[-1] == "nearest"
    gaps = frame["b"].isna()

    def between(filled):  # single precision on the way
        return float(np.abs(filled["b"][gaps].to_numpy()[:, None] - frame["b"].dropna().unique()).min(axis=1).max())

    assert between(imputer.transform(frame)) < 1e-5
    assert between(plain.transform(frame)) > 0.1
    assert between(imputer.sample(frame, 1)[0]) < 1e-5
    assert between(plain.sample(frame, 1)[0]) > 0.1
    assert imputer._model.given["most_values"] == 500
    round_trip(imputer, frame, tmp_path)


def test_a_file_with_a_stage_that_is_gone_says_so(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(objectives, "STAGES", (*objectives.STAGES, toy_stage.STAGE))
        GAINImputer(**QUICK, n_trees=0).fit(halves(60)).save(tmp_path / "model.tabgan")
    with pytest.raises(ModelFileError, match=r"holds 'model\.stages\.nearest', unknown to this tabgan"):
        tabgan.load(tmp_path / "model.tabgan")


def test_a_stage_is_judged_on_held_out_cells_and_then_sees_them():
    spans = (Span("numeric", 0, 1), Span("numeric", 1, 2))
    values = table_of(spans, 100)
    held_out = some_held_out(torch.ones(100, 2), 0.2).bool().numpy()
    stages = (*objectives.STAGES[:1], toy_stage.STAGE)
    chain = Chain.fit(values.numpy(), ~held_out, held_out, spans, stages, {"most_values": 1000}, run_of())
    for j in range(2):
        cells = chain.held_out.cells[:, j]
        assert set(chain.held_out.predicted[cells, j]) <= set(values[~held_out[:, j], j].double().tolist())
        assert len(chain.stages["nearest"].values[j]) == 100
    few = Chain.fit(values.numpy(), ~held_out, held_out, spans, stages, {"most_values": 3}, run_of())
    assert len(few.stages["nearest"].values[0]) == 3


def told_by_gaps(n: int = 800) -> tuple[pd.DataFrame, pd.Series]:
    """A number that another column's being missing tells and nothing else does; and the truth."""
    rng = np.random.default_rng(1)
    asked = rng.random(n) < 0.5
    truth = pd.Series(np.where(asked, 3.0, -3.0) + 0.3 * rng.normal(size=n))
    frame = pd.DataFrame({"a": truth, "b": np.where(asked, np.nan, rng.normal(size=n)), "c": rng.normal(size=n)})
    frame.loc[rng.random(n) < 0.25, "a"] = np.nan
    return frame, truth


def told_by_prediction(n: int = 800) -> tuple[pd.DataFrame, pd.Series]:
    """A number that bends where the closed form draws a line; and the truth."""
    rng = np.random.default_rng(2)
    b = rng.normal(size=n)
    truth = pd.Series((b + 0.5) ** 2 + 0.1 * rng.normal(size=n))
    frame = pd.DataFrame({"a": truth, "b": b})
    frame.loc[rng.random(n) < 0.25, "a"] = np.nan
    return frame, truth


CASES = {"gaps": (toy_stage.FROM_GAPS, told_by_gaps), "prediction": (toy_stage.FROM_PREDICTION, told_by_prediction)}


@pytest.mark.parametrize("reads", CASES)
def test_a_candidate_is_fitted_weighed_used_saved_and_loaded(reads, monkeypatch, tmp_path):
    candidate, make = CASES[reads]
    frame, truth = make()
    settings = QUICK | {
        "n_trees": 0,
        "n_boosts": 0,
        "n_references": 0,
        "validation_fraction": 0.3,
    }  # nobody else finds out
    plain = GAINImputer(**settings).fit(frame)
    assert "blend" not in plain._model.stages
    monkeypatch.setattr(objectives, "STAGES", with_candidates(candidate))
    imputer = GAINImputer(**settings).fit(frame)
    stage = imputer._model.stages["blend"]
    (k,) = (k for k, one in enumerate(stage.candidates) if one is candidate)
    assert stage.weights[k, 0] > 0.5  # of the column that it knows about
    assert (
        stage.weights[[other for other in range(len(stage.weights)) if other != k]] == 0
    ).all()  # forests of no trees
    gaps = frame["a"].isna()
    with_it, without = (float(((model.transform(frame)["a"] - truth)[gaps] ** 2).mean()) for model in (imputer, plain))
    assert with_it < 0.6 * without
    assert imputer.validation_scores_.loc["a", "rmse"] < plain.validation_scores_.loc["a", "rmse"]
    round_trip(imputer, frame, tmp_path)


def test_candidates_share_a_column_with_the_forests(monkeypatch, tmp_path):
    frame, _ = told_by_prediction()
    monkeypatch.setattr(objectives, "STAGES", with_candidates(toy_stage.FROM_PREDICTION, toy_stage.FROM_GAPS))
    imputer = GAINImputer(**QUICK, n_trees=8, n_boosts=0, n_references=0, validation_fraction=0.3).fit(frame)
    stage = imputer._model.stages["blend"]
    assert [one.name for one in stage.candidates] == ["forests", "steps", "gaps"]
    assert stage.weights.shape == (len(stage.candidates), 2)
    assert float(stage.weights[:-1, 0].sum()) > 0.7
    assert (stage.weights.sum(0) <= 1 + 1e-9).all()
    assert stage.weights[-1].max() < 0.3  # no gap tells anything here
    round_trip(imputer, frame, tmp_path)
