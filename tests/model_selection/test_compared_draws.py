"""Draws in `compare_imputers`: the energy-I-Score on a table's own missing values."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer

from tabgan import compare_imputers
from tabgan.metrics import energy_i_score
from tabgan.model_selection.baselines import BASELINES
from tabgan.model_selection.draw_scores import draw_score
from tests.model_selection.test_compare_imputers import Broken, related


class Drawing(BaseEstimator):
    """Its draws are normal around the mean, with so many times the spread of known values."""

    def __init__(self, width=1.0, sample_posterior=False, random_state=None):
        self.width = width
        self.sample_posterior = sample_posterior
        self.random_state = random_state

    def fit_transform(self, X, y=None):
        rng = np.random.default_rng(self.random_state)
        noise = self.width * self.sample_posterior * rng.normal(size=X.shape)
        return X.where(X.notna(), X.mean().to_numpy() + X.std().to_numpy() * noise)


def independent(n: int = 200) -> pd.DataFrame:
    table = pd.DataFrame(np.random.default_rng(3).normal(size=(n, 2)), columns=["a", "b"])
    return table.assign(b=table["b"].mask(np.random.default_rng(4).random(n) < 0.4))


def test_draws_are_scored_by_the_energy_i_score_on_the_tables_own_missing_values():
    table = independent()
    calls = []
    own = {"narrow": Drawing(0.2), "right": Drawing(), "wide": Drawing(3.0), "mean": SimpleImputer()}
    found = compare_imputers(
        table, methods=[], imputers=own, n_repeats=1, n_draws=20, progress=lambda *call: calls.append(call)
    )
    scores = found.summary.set_index("method")["i_score"]
    assert scores.idxmin() == "right"
    assert scores["mean"] == pytest.approx(
        energy_i_score(table, lambda t, m: [t.fillna(t.mean())] * m, n_draws=20).score
    )
    assert scores["right"] < 0.85 * scores["mean"]
    assert "By the energy-I-Score, the draws of right are best." in found.verdict()
    assert "energy-I-Score" in found.table()[0]
    assert "for inference" in repr(found)
    assert calls[-2:] == [(7, 8, "mean, draws"), (8, 8, "done")]
    assert json.loads(found.to_json())["settings"]["n_draws"] == 20


class Sampling(Drawing):
    """Has a method for draws, and would fail without it."""

    def fit_transform(self, X, y=None):
        raise RuntimeError("draws do not come from here")

    def fit(self, X):
        return self

    def sample(self, X, n_draws):
        return [X.fillna(k * 0.1) for k in range(n_draws)]


def test_where_draws_come_from():
    frame = independent()
    found = draw_score(lambda seed: Sampling(), frame, 3, 0)
    assert found == energy_i_score(frame, lambda t, m: [t.fillna(k * 0.1) for k in range(m)], n_draws=3).score
    labels = frame.assign(c=np.where(frame["a"] > 0, "x", "y"))
    labels["c"] = labels["c"].mask(frame["b"].isna())
    mice = draw_score(BASELINES["MICE"], labels, 5, 0)
    assert mice == draw_score(BASELINES["MICE"], labels, 5, 0)
    one_fill = energy_i_score(labels, lambda t, m: [BASELINES["MICE"](0).fit_transform(t)] * m, n_draws=5)
    assert mice < 0.9 * one_fill.score
    assert draw_score(BASELINES["kNN"], labels, 5, 0) > mice


def test_what_has_no_energy_i_score_is_noted():
    class NoDraws(SimpleImputer):
        def sample(self, X, n_draws):
            return []

    odd = {"odd": NoDraws(), "broken": Broken()}  # what failed before is not tried again
    found = compare_imputers(independent(), methods=["mean/mode"], imputers=odd, n_repeats=1, n_draws=2)
    assert len(found.settings["notes"]) == 1
    assert found.settings["notes"][0].startswith("odd has no energy-I-Score: InvalidInputError: draw returned 0 tables")
    found = compare_imputers(related(60).dropna(), methods=["mean/mode"], n_repeats=1, n_draws=2)
    assert found.settings["notes"] == ["No energy-I-Score: no column has 10 missing values or more"]
    assert found.summary["i_score"].isna().all()
