"""Costs of rebalancing by rows: the simulated tables, the measure and the page."""

from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.rebalancing.cost import CASES, Case, growth, measured, page, simulated


@pytest.mark.parametrize("case", [Case(300, 4, 20), Case(300, 4, 0, classes=5), Case(300, 4, 20, labels=2)])
def test_costs_are_measured_on_tables_as_described(case):
    table = simulated(case)
    assert table.frame.shape == (300, 4)
    assert len(table.categorical) == case.labels
    assert bool(table.frame.isna().any().any()) == bool(case.labels)
    counts = np.bincount(table.y)
    assert len(counts) == case.classes
    assert counts[1] == case.rare or case.classes > 2
    assert counts.min() >= 3
    assert measured(case, "SMOTE", 0)["n_made"] == counts.max() * case.classes - 300


def test_growth_is_the_power_of_the_rows():
    assert growth({n: 3e-6 * n**1.5 for n in (100, 1000, 5000)}) == pytest.approx(1.5)
    assert np.isnan(growth({100: 1.0}))


def test_the_page_says_the_growth_and_what_failed():
    told = {"n_made": 5, "peak_mb": 700.0, "base_mb": 200.0, "machine": "m", "python": "3", "torch": "2", "commit": "c"}
    rows = [{"case": asdict(case), "method": "SMOTE", "resample_cpu": case.rows / 1000} | told for case in CASES[:-1]]
    rows += [{"case": asdict(CASES[-1]), "method": "SMOTE", "error": "out of breath"}]
    text = page(rows)
    assert "1.00 (SMOTE)" in text
    assert "| 100,000 x 20 (300 rare) | 5 | 100 | 500 |" in text
    assert "out of breath" in text
