"""`tabgan demo` and the baselines it compares with."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from tabgan.cli.baselines import BASELINES
from tabgan.cli.demo import compare


def test_demo_prints_fills_and_scores(tabgan):
    pytest.importorskip("palmerpenguins")
    result = tabgan("demo", "--steps", 30, "--seed", 1)
    assert result.exit_code == 0, result.output
    assert "344 rows, 8 columns, 19 gaps" in result.stdout
    assert "GAINImputer filled 19" in result.stdout
    assert "seed 1" in result.stdout
    for name in (*BASELINES, "GAINImputer"):
        assert name.split(" (")[0] in result.stdout
    assert result.stdout.count("*") >= 3


def test_demo_without_its_table_names_the_extra(tabgan, monkeypatch):
    monkeypatch.setitem(sys.modules, "palmerpenguins", None)
    result = tabgan("demo")
    assert result.exit_code == 1
    assert 'pip install "tabgan-learn[demo]"' in result.stderr


def test_demo_refuses_bad_numbers(tabgan):
    assert "--steps 0" in tabgan("demo", "--steps", 0).stderr
    assert "--seed -1" in tabgan("demo", "--seed", -1).stderr


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_fill_gaps_and_use_the_other_columns(name):
    rng = np.random.default_rng(0)
    size = rng.normal(size=200)
    table = pd.DataFrame(
        {"a": size, "b": 2 * size + 1, "c": np.where(size < -0.5, "x", np.where(size > 0.5, "z", "y"))}
    )
    gappy = table.mask(rng.random(table.shape) < 0.15)
    filled = BASELINES[name](gappy)
    assert not filled.isna().to_numpy().any()
    assert list(filled.columns) == list(table.columns)
    seen = gappy["c"].notna()
    assert (filled["c"][seen] == table["c"][seen]).all()
    assert np.allclose(filled["a"][gappy["a"].notna()], table["a"][gappy["a"].notna()])
    if name != "mean / mode":
        assert (filled["c"] == table["c"])[~seen].mean() > 0.6


def test_scores_of_a_perfect_filler_are_zero(gappy):
    complete = gappy.dropna()[["size", "colour"]].reset_index(drop=True)
    scores = compare(complete, lambda table: complete, seed=0)
    assert (scores[-1].rmse, scores[-1].error_rate) == (0.0, 0.0)
    assert scores[0].rmse > 0.5
