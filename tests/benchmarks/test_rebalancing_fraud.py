"""The fraud benchmark: rows that go on where they stopped, and a page of means with failures."""

import numpy as np

from benchmarks.rebalancing.fraud import METHODS, measured, page, run

TOLD = {"machine": "m", "python": "3", "commit": "c", "scikit-learn": "1", "imbalanced-learn": "0", "positives": 17}
SMALL = {"further": 600, "share": 0.05}


def test_a_method_is_scored_on_further_rows():
    row = measured(600, 0, "BalancedRandomForestClassifier", **SMALL)
    assert row["positives"] == 30
    assert all(0 < score <= 1 for score in row["scores"].values())
    assert row["fit_cpu"] > 0


def test_a_run_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "rows.jsonl"
    for _ in range(2):
        run(path, [400], [0], ["RUSBoostClassifier"], **SMALL)
    assert path.read_text().count("\n") == 1


def test_the_page_has_means_over_seeds_and_failures():
    rows = [
        {
            "rows": 1000,
            "seed": seed,
            "method": method,
            "scores": dict.fromkeys(("AUPRC", "F1", "F1, threshold tuned"), score),
        }
        | {"fit_cpu": 2.0, "peak_mb": 300.0, "base_mb": 100.0, **TOLD}
        for method in list(METHODS)[:2]
        for seed, score in ((0, 0.4), (1, 0.6))
    ]
    rows.insert(0, {"rows": 2000, "seed": 0, "method": "boosting", "error": "out of breath"})
    text = page(rows)
    assert "| boosting | 0.500 | 0.500 | 0.500 | 2.0 | 200 |" in text
    assert "## 1,000 rows, 17 positives, seeds [0, 1]" in text
    assert "- 2,000 rows, seed 0, boosting: out of breath" in text


def test_every_method_can_be_built():
    for name, build in METHODS.items():
        model = build(3)
        seeded = model.steps[0][1] if hasattr(model, "steps") else model
        assert seeded.random_state == 3, name
        assert np.isin("predict_proba", dir(model)), name
