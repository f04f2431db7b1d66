"""From which sample on the error is that of all rows, and figures only where the fit on all rows is in."""

import numpy as np
import pandas as pd

from benchmarks.imputation.sample_size import ALL, REAL, SIMULATED, TABLES, flat_from, relative


def test_flat_is_where_no_larger_sample_is_worse() -> None:
    sizes = [10_000, 30_000, 100_000, ALL]
    for errors, wanted in (
        ([1.02, 1.004, 1.001, 1], 30_000),
        ([1.004, 1.02, 1.001, 1], 100_000),
        ([1.001, 1.001, 0.98, 1], 10_000),
        ([0.996, 1.003, np.nan, 1], 10_000),
    ):
        assert flat_from(pd.Series(errors, sizes)) == wanted


def test_errors_are_divided_by_those_of_all_rows() -> None:
    rows = pd.DataFrame(
        {"effort": "fast", "table": ["a", "a", "b"], "rows": [1000, ALL, 1000], "rmse": [0.6, 0.5, 0.9]}
    )
    found = relative(rows, "rmse")
    assert found.index.tolist() == [("fast", "a")]
    np.testing.assert_allclose(found.loc[("fast", "a")], [1.2, 1.0])


def test_simulated_tables_are_the_same_at_every_size() -> None:
    assert set(TABLES) == {*SIMULATED, *REAL}
    for make in SIMULATED.values():
        small, large = (make(np.random.default_rng(0), n) for n in (2000, 8000))
        assert list(small.columns) == list(large.columns)
        numbers = small.select_dtypes("number").columns
        np.testing.assert_allclose(small[numbers].std(), large[numbers].std(), rtol=0.2)
