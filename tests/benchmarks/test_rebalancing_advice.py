"""The benchmark of advice: its table, its smoke run, and the page that says how far the advice is from the best."""

import json
import sys
from dataclasses import asdict

import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks.rebalancing import advice
from benchmarks.rebalancing.advice import HELD_BACK, SMOKE, gain_error, page, regret, simulated


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


def test_losses_are_told_with_their_standard_errors_and_of_a_case_the_last_row_counts():
    known = {"none": 0.5, "a": 0.48, "b": 0.49, "c": 0.6}
    worth = {name: {"average_precision": value, "expected": None, "n_folds": 0} for name, value in known.items()}
    rows = [
        {"case": asdict(case), "best": best, "worth": worth, "advice_s": 9.0, "recommendation": "do", "warnings": []}
        | TOLD
        for case, best in zip((HELD_BACK[0], *HELD_BACK[:3]), "caba", strict=True)
    ]
    gains = [
        {"case": row["case"], "best": row["best"], "gain": 0.0, "gain_se": error}
        for row, error in zip(rows[1:], (0.01, 0.02, 0.03), strict=True)
    ]
    first = rows[0] | {"case": asdict(SMOKE[0])}
    text = page([first, *rows], gains)
    assert "**3 smaller tables**" in text
    assert (
        "-0.0200 ± 0.0100, -0.0100 ± 0.0200, -0.0200 ± 0.0300; so it is worse by more than one standard error on 1."
        in text
    )
    assert "one standard error on" not in page([first, *rows], gains[1:]), "an error is not known"


def test_the_error_of_a_gain_is_that_of_repeated_samples():
    rng = np.random.default_rng(0)

    def sample(n=2000):
        truth = (rng.random(n) < 0.1).astype(int)
        before = np.round(truth + rng.normal(size=n), 1)
        return truth, before, before + 0.5 * rng.normal(size=n)

    differences = []
    for _ in range(60):
        truth, before, after = sample()
        differences.append(average_precision_score(truth, after) - average_precision_score(truth, before))
    errors = [gain_error(*sample(), n=60) for _ in range(5)]
    assert 0.6 < np.mean(errors) / np.std(differences) < 1.6
