"""The benchmark of advice: its table, its smoke run, and the page that says how far the advice is from the best."""

import json
import sys
from dataclasses import asdict

import numpy as np

from benchmarks.rebalancing import advice
from benchmarks.rebalancing.advice import HELD_BACK, SMOKE, page, regret, simulated


def test_the_table_is_like_that_of_card_fraud():
    X, y = simulated(20_000, 0.0025, 0)
    assert X.shape == (20_000, 30)
    assert y.sum() == 50
    assert np.isfinite(X).all()
    spread = X[:, 1:29].std(axis=0)
    assert spread[0] > 3 * spread[-1]
    again, _ = simulated(20_000, 0.0025, 0)
    np.testing.assert_array_equal(again, X)


def test_the_smoke_run_writes_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(advice, "run_apart", lambda work, limit: work() | TOLD)
    monkeypatch.setattr(sys, "argv", ["advice", "--smoke", "--results", str(tmp_path), "--cases", "1"])
    advice.main()
    rows = [json.loads(line) for line in (tmp_path / "advice.jsonl").read_text().splitlines()]
    assert len(rows) == 1
    assert rows[0]["worth"]["none"]["average_precision"] > 0.2
    assert rows[0]["costs"][0] < rows[0]["costs"][1]
    assert str(SMOKE[1]) in (tmp_path / "rebalancing-advice.md").read_text()


TOLD = {"peak_mb": 700.0, "base_mb": 200.0, "machine": "m", "python": "3", "scikit-learn": "1", "commit": "c"}


def test_the_page_says_how_far_the_advice_is_from_the_best():
    worth = {
        "none": {"average_precision": 0.1, "expected": 0.11, "n_folds": 5},
        "none, tuned threshold": {"expected": 0.11, "n_folds": 5},
        "C=0.1": {"average_precision": 0.3, "expected": None, "n_folds": 0},
    }
    row = {"best": "none, tuned threshold", "worth": worth, "advice_s": 9.0, "recommendation": "do", "warnings": []}
    row |= TOLD | {"case": asdict(SMOKE[0])}
    assert regret(row)[0] == "C=0.1"
    assert round(regret(row)[1], 9) == 0.2
    small = [
        row | {"case": asdict(case), "best": best} for case, best in zip(HELD_BACK, ("none", "C=0.1"), strict=False)
    ]
    text = page([row, *small, {"case": {}, "error": "out of breath"}])
    assert "**2 smaller tables**" in text
    assert "gains +0.100 AUPRC over the estimator as it is (standard error 0.100), at worst +0.000" in text
    assert "as they are on 1. The best candidate, had one known it, is 0.100 ahead" in text
    assert "| none, tuned threshold | C=0.1 | 0.200 | 9 | 500 |" in text
    assert "0.100 (0.110, 5 folds)" in text
    assert "out of breath" in text
