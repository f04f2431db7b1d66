"""Errors of dates are told in days and those of durations in seconds, in whatever unit the table counts them."""

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_the_unit_of_the_table_does_not_matter(unit):
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    table = pd.DataFrame(
        {
            "x": x,
            "day": pd.to_datetime(
                pd.Timestamp("2024-01-01") + pd.to_timedelta((100 + 20 * x).round(), unit="D")
            ).as_unit(unit),
            "wait": pd.to_timedelta((600 + 100 * x + rng.normal(size=120)).round(), unit="s").as_unit(unit),
        }
    )
    table.loc[::9, "day"] = pd.NaT
    scores = GAINImputer(effort="fast", random_state=0).fit(table).validation_scores_
    assert scores.loc["day", "rmse_mean"] == pytest.approx(20, rel=0.5)
    assert scores.loc["wait", "rmse_mean"] == pytest.approx(100, rel=0.5)
    assert scores.loc["day", "rmse"] < 10
