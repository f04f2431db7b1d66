"""Copies in small mixed tables: what counts as one, and the page."""

import numpy as np
import pandas as pd

from benchmarks.rebalancing.copies import measured, page, row_keys
from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import load_labelled


def test_rows_are_equal_but_for_rounding_and_gaps_equal_gaps_only():
    frame = pd.DataFrame({"x": [1.0, 2.0, np.nan, 1.5], "c": ["a", "b", "a", None]})
    space = Space(frame, ("c",))
    keys = row_keys(space, frame)
    assert len(set(keys)) == 4
    assert row_keys(space, frame.assign(x=frame["x"] + 1e-12)) == keys
    assert not set(row_keys(space, frame.assign(x=frame["x"] + 1e-3))[:2]) & set(keys)
    assert row_keys(space, space.fill(frame))[2] not in keys, "a gap is not its fill"


def test_a_page_of_a_made_table():
    table = load_labelled("made_mixed", None)
    rows = [
        {"table": "made_mixed", "method": method, "split": 0, "machine": "m", "python": "3", "commit": "c"}
        | measured(table, method, 0)
        for method in ("SMOTE", "BAGANOversampler")
    ]
    assert rows[1]["copies"] == 0
    assert 0 <= rows[1]["auc_labels"] <= 1
    text = page([*rows, {"table": "t", "method": "SMOTE", "split": 1, "error": "no breath"}])
    assert f"made_mixed, {rows[1]['n']} rows, BAGANOversampler" in text
    assert "SMOTENC" in text
    assert "no breath" in text
    assert "Not run yet: adult_train, SMOTENC; adult_train, BAGANOversampler" in text
