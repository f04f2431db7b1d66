"""Errors of dates are told in days and those of durations in seconds, in whatever unit the table counts them."""

import numpy as np
import pandas as pd
import pytest

import tabgan
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


def test_errors_in_files_written_before_are_told_alike(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, 120), unit="D")
    table = pd.DataFrame({"x": day.day_of_year + rng.normal(size=120), "day": day.as_unit("ns")})
    table.loc[::9, "day"] = pd.NaT
    imputer = GAINImputer(effort="fast", random_state=0).fit(table)
    wanted, state = imputer.validation_scores_, imputer._to_state()
    stored = state["validation_scores"]
    del stored["times_in_days"]
    place = list(wanted.index).index("day")
    for name in ("rmse", "rmse_mean"):
        stored["columns"][name][place] *= 86_400e9
    monkeypatch.setattr(GAINImputer, "_to_state", lambda self: state)
    imputer.save(tmp_path / "m.tabgan")
    pd.testing.assert_frame_equal(tabgan.load(tmp_path / "m.tabgan").validation_scores_, wanted)
