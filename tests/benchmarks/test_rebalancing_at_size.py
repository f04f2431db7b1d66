"""Large classes of the rebalancing benchmark: what is measured of synthetic rows, and the page."""

import numpy as np

from benchmarks.rebalancing.at_size import judged, measured, page
from benchmarks.rebalancing.bank_like import bank_like
from benchmarks.rebalancing.space import Space


def test_real_rows_pass_copies_are_counted_and_noise_is_told_apart():
    table = bank_like(900)
    space = Space(table.frame, table.categorical)
    train, held_out, fresh = (table.frame[300 * k : 300 * (k + 1)].reset_index(drop=True) for k in range(3))
    real = judged(space, train, held_out, fresh)
    assert real["two_sample_auc"] < 0.6
    assert real["copies"] == 0
    assert abs(real["nearest"] - 1) < 0.1
    assert judged(space, train, held_out, train)["copies"] == 1
    noisy = fresh.assign(age=fresh["age"] + 40)
    found = judged(space, train, held_out, noisy)
    assert found["two_sample_auc"] > 0.9
    assert next(iter(found["importances"])) == "age"


def test_a_page_of_a_made_table():
    rows = [
        {"table": "made_binary", "method": method, "machine": "", "python": "", "commit": ""}
        | measured("made_binary", method, 0)
        for method in ("real rows", "repetition with noise", "BAGANOversampler, redraws=0, n_steps=0")
    ]
    text = page(rows)
    assert "BAGANOversampler, redraws=0" in text
    assert np.isfinite(rows[2]["scores"]["logistic"]["f1"])
