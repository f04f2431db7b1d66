"""`tabgan demo`."""

from __future__ import annotations

import sys

import pytest

from tabgan.cli.demo_job import hidden_cell_scores


def test_demo_prints_fills_and_scores(tabgan):
    pytest.importorskip("palmerpenguins")
    result = tabgan("demo", "--steps", 30, "--seed", 1)
    assert result.exit_code == 0, result.output
    assert "344 rows, 8 columns, 19 missing cells" in result.stdout
    assert "GAINImputer filled 19" in result.stdout
    assert "seed 1" in result.stdout
    for name in ("mean/mode", "kNN", "MICE", "GAINImputer"):
        assert name in result.stdout
    assert result.stdout.count("*") >= 3
    assert "…" not in result.stdout  # no heading is cut off, however narrow the terminal


def test_demo_without_its_table_names_the_extra(tabgan, monkeypatch):
    monkeypatch.setitem(sys.modules, "palmerpenguins", None)
    result = tabgan("demo")
    assert result.exit_code == 1
    assert 'pip install "tabgan-learn[demo]"' in result.stderr


def test_demo_refuses_bad_numbers(tabgan):
    assert "--steps 0" in tabgan("demo", "--steps", 0).stderr
    assert "--seed -1" in tabgan("demo", "--seed", -1).stderr


def test_scores_of_a_perfect_filler_are_zero(gappy):
    complete = gappy.dropna()[["size", "colour"]].reset_index(drop=True)
    scores = hidden_cell_scores(complete, lambda table: complete, seed=0)
    assert (scores[-1].rmse, scores[-1].error_rate) == (0.0, 0.0)
    assert scores[0].rmse > 0.5
