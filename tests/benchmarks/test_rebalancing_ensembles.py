"""The ensembles' benchmark: rows that go on where they stopped, and a page with ranks, means and failures."""

import pytest

from benchmarks.rebalancing.config import MADE, MAIN_TABLES
from benchmarks.rebalancing.ensembles import COMPARED, ENSEMBLES, measured, page, run

TOLD = {"machine": "m", "python": "3", "commit": "c", "ensemble_cpu": 2.0}


@pytest.mark.parametrize("method", ["BalancedSamplingClassifier", "BalancedBaggingClassifier of our members"])
def test_an_ensemble_is_scored_on_rows_it_did_not_see(method):
    row = measured("made_mixed", 0, method)
    assert sum(row["class_rows"]) == 144
    assert 0.3 < row["scores"]["balanced_accuracy"] < 1
    assert row["ensemble_cpu"] > 0


def test_a_run_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert run(path, MADE[:1], [0], ["RUSBoostClassifier"], stop_after=-1) == 0
    assert not path.exists()
    run(path, MADE[:1], [0], ["RUSBoostClassifier"], stop_after=60)
    first = path.read_text()
    run(path, MADE[:1], [0], ["RUSBoostClassifier"], stop_after=60)
    assert path.read_text() == first
    assert first.count("\n") == 1


def test_the_page_ranks_the_five_and_counts_failures_as_last():
    rows = [
        {"table": table, "fold": 0, "method": method, **TOLD}
        | {"scores": dict.fromkeys(("balanced_accuracy", "auprc", "g_mean", "f1", "brier"), 0.9 - k / 10)}
        for table in ("sick", "pima")
        for k, method in enumerate(ENSEMBLES)
    ]
    failed = next(row for row in rows if row["table"] == "sick" and row["method"] == COMPARED[0])
    del failed["scores"]
    failed["error"] = "out of breath"
    text = page(rows, MAIN_TABLES)
    chosen, tuned, everything = text.split("\n## ")[1:4]
    assert f"| {COMPARED[0]} | 5.00 | 5.00 | 5.00 | 5.00 | 5.00 |" in chosen
    assert f"| {COMPARED[1]} | 1.00 | 1.00 | 1.00 | 1.00 | 4.00 |" in chosen
    assert f"| {COMPARED[0]} | 1.00 | 1.00 | 1.00 | 1.00 | 5.00 |" in tuned
    assert f"| {COMPARED[0]} | 3.00 | 3.00" in everything
    assert "out of breath" in text
    assert "mammography" in text.split("## Not run")[1]
