"""What `pool` is given by mistake, and analyses that do not say what they seem to."""

import numpy as np
import pandas as pd
import pytest

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.inference.pooling import pool


def tables(n: int = 60) -> list[pd.DataFrame]:
    rng = np.random.default_rng(0)
    return [pd.DataFrame(rng.normal(size=(n, 3)), columns=list("xyz")) for _ in range(3)]


def test_one_table_and_tables_by_name_are_no_list_of_tables():
    made = tables()

    def mean(table):
        return table.mean(), table.var()

    for given in (made[0], {"first": made[0], "second": made[1]}, made[0].to_numpy()):
        with pytest.raises(InvalidParameterError, match=f"tables is a {type(given).__name__}, not a list"):
            pool(mean, given)


def test_a_name_is_not_its_letters():
    results = [(pd.Series({"ab": float(k)}), pd.Series({"ab": 1.0})) for k in range(3)]
    assert pool(results, parameters="ab").names == ["ab"]


def test_what_is_no_number_or_failed_is_named():
    with pytest.raises(InvalidInputError, match="is no array of numbers"):
        pool([({"x": 1}, {"x": 1})] * 2)
    failed = (pd.Series({"a": 1.0, "b": 2.0}), pd.Series({"a": 1.0, "b": np.nan}))
    sound = (pd.Series({"a": 1.0, "b": 2.0}), pd.Series({"a": 1.0, "b": 1.0}))
    with pytest.raises(InvalidInputError, match="Table 1 has estimate 2 and variance nan of 'b'"):
        pool([sound, failed])
    with pytest.warns(UserWarning, match="the same"):
        assert pool([sound, failed], parameters=["a"]).names == ["a"]


def test_rows_that_an_analysis_leaves_out_are_warned_of():
    smf = pytest.importorskip("statsmodels.formula.api")
    gappy = tables()
    gappy[1].loc[:6, "x"] = np.nan
    with pytest.warns(UserWarning, match="1 of 3 analyses leave out .* table 1 7 rows"):
        pool(lambda table: smf.ols("y ~ x", table).fit(), gappy)


def test_errors_by_clusters_have_the_degrees_of_freedom_of_the_clusters():
    smf = pytest.importorskip("statsmodels.formula.api")
    groups = {"groups": np.arange(60) % 6}
    pooled = pool(lambda table: smf.ols("y ~ x", table).fit(cov_type="cluster", cov_kwds=groups), tables())
    assert pooled.n_complete_df == 5
