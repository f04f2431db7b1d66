"""Whole numbers that write dates and times: found by evidence, and filled and synthesised as dates that exist."""

import json
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

import tabgan
from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.schema import TableSchema, infer_schema
from tabgan.tables.written_times import WRITTEN, find_written_time

FORMATS = {"YYYYMMDD": "%Y%m%d", "YYYYMM": "%Y%m", "HHMM": "%H%M", "HHMMSS": "%H%M%S"}


def written(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """A column of each way to write times, all following a number."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    step = np.clip(np.round(200 + 80 * x), 0, 400).astype(int)
    day = pd.Timestamp("2023-06-20") + pd.to_timedelta(step, unit="D")
    second = pd.Timestamp("2023-06-20") + pd.to_timedelta(step * 200 + rng.integers(0, 60, n), unit="s")
    return pd.DataFrame(
        {
            "x": x,
            **{name: day.strftime(FORMATS[name]).astype(int) for name in ("YYYYMMDD", "YYYYMM")},
            **{name: second.strftime(FORMATS[name]).astype(int) for name in ("HHMM", "HHMMSS")},
        }
    )


def all_exist(values: pd.Series, name: str) -> bool:
    """Python's own calendar says so."""
    digits = {"HHMM": 4, "HHMMSS": 6}.get(name, 0)
    try:
        for value in np.unique(values.dropna().to_numpy()):
            datetime.strptime(f"{int(value):0{digits}d}", FORMATS[name])
    except ValueError:
        return False
    return bool((values.dropna() == np.rint(values.dropna())).all())


@pytest.mark.parametrize("name", WRITTEN)
def test_ticks_and_back(name):
    values = written()[name].to_numpy().astype(float)
    ticks, exist = WRITTEN[name].ticks(values)
    assert exist.all()
    np.testing.assert_array_equal(WRITTEN[name].values(ticks), values)
    np.testing.assert_array_equal(
        WRITTEN[name].ticks(WRITTEN[name].values(np.arange(50, 1400)))[0], np.arange(50, 1400)
    )


def test_times_of_day_reach_over_hours():
    """Postcodes of one region begin alike: 90210 is in Beverly Hills, not at two past nine."""
    minutes = np.arange(60)
    for first in (9, 10):
        hours = (100 * hour + minutes for hour in range(first, 13))
        found = np.concatenate(list(hours)).astype(float)
        assert find_written_time(found[found < 100 * first + 260]) is None
        assert find_written_time(found) == ("HHMM" if first == 9 else None)


def test_what_does_not_exist():
    day = WRITTEN["YYYYMMDD"]
    wrong = [20230229, 20231301, 20230100, 20230132, 20230431, 2023.5, np.nan, -20230101, 202301011]
    assert not day.ticks(np.array(wrong, dtype=float))[1].any()
    assert day.ticks(np.array([20240229.0, 20000229.0, 19700101.0, 19691231.0]))[0].tolist() == [19782, 11016, 0, -1]
    assert WRITTEN["HHMM"].ticks(np.array([0, 2359, 2400, 60, 1261.0]))[1].tolist() == [True, True, False, False, False]
    assert WRITTEN["HHMMSS"].ticks(np.array([235959, 1, 6000, 240000.0]))[1].tolist() == [True, True, False, False]


def test_the_schema_says_so_and_keeps_it():
    schema = infer_schema(read_table(written()))
    assert [column.written for column in schema.columns] == [None, *WRITTEN]
    assert {column.kind for column in schema.columns[1:]} == {"datetime"}
    assert TableSchema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    wishes = {"YYYYMMDD": "integer", "HHMM": "categorical"}
    free = infer_schema(read_table(written()), column_kinds=wishes, categorical_features=["YYYYMM"])
    assert [column.kind for column in free.columns[1:]] == ["integer", "categorical", "categorical", "datetime"]
    assert [column.written for column in free.columns[1:]] == [None, None, None, "HHMMSS"]


@pytest.mark.parametrize(
    "values",
    [
        np.arange(60),  # minutes of the hour all read as HHMM, as any number here would
        np.arange(0, 2400, 50),
        np.arange(20240101, 20240129),  # a counter
        np.array([20240101, 20240215, 20240330]),  # too few
        np.append(written()["YYYYMMDD"], 20230230),  # one of them is none
        np.random.default_rng(0).choice(2360, 300, replace=False),
    ],
)
def test_numbers_that_may_be_no_times_stay_numbers(values):
    assert find_written_time(np.unique(values).astype(float)) is None


def test_a_wish_needs_times_but_no_evidence():
    frame = pd.DataFrame({"day": [20240101, 20240215, 20240330], "n": [7, 8, 99]})
    schema = infer_schema(read_table(frame), column_kinds={"day": "datetime"})
    assert (schema.columns[0].kind, schema.columns[0].written) == ("datetime", "YYYYMMDD")
    with pytest.raises(InvalidParameterError, match=r"'n' .* cannot be 'datetime': its numbers are not all written as"):
        infer_schema(read_table(frame), column_kinds={"n": "datetime"})


@pytest.mark.parametrize("kind", ["Int64", "float64"])
def test_no_imputed_or_drawn_time_fails_to_exist(kind, tmp_path):
    truth = written(1000).astype(dict.fromkeys(WRITTEN, kind))
    rng = np.random.default_rng(1)
    gappy = truth.copy()
    for name in WRITTEN:
        gappy[name] = gappy[name].mask(rng.random(len(gappy)) < 0.3)
    settings = {"n_steps": 5, "draw_steps": 5, "n_boosts": 5, "n_trees": 5, "n_references": 0, "random_state": 0}
    imputer = GAINImputer(**settings).fit(gappy[:300])
    imputer.save(tmp_path / "m.tabgan")
    for filled in (
        imputer.transform(gappy),
        *imputer.sample(gappy, 2),
        tabgan.load(tmp_path / "m.tabgan").transform(gappy),
    ):
        for name in WRITTEN:
            assert all_exist(filled[name], name)
            assert filled[name].dtype == kind
            known = gappy[name].notna()
            assert (filled[name][known] == gappy[name][known]).all()
    days = pd.to_datetime(imputer.transform(gappy)["YYYYMMDD"].astype("int64").astype(str))
    wrong = (days - pd.to_datetime(truth["YYYYMMDD"].astype("int64").astype(str))).dt.days
    assert np.abs(wrong[gappy["YYYYMMDD"].isna()]).mean() < 20  # x tells, months have no jumps
    assert imputer.validation_scores_.loc["YYYYMMDD", "rmse"] < 40  # days


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_no_synthetic_time_fails_to_exist(sampler):
    frame = written(300)
    fitted = sampler(random_state=0, n_steps=10).fit(frame, np.repeat([0, 1], [240, 60]))
    rows, _ = fitted.sample(10_000, y=1)
    for name in WRITTEN:
        assert all_exist(rows[name], name)
        assert rows[name].dtype == frame[name].dtype
    assert len(rows["YYYYMMDD"].unique()) > frame["YYYYMMDD"][240:].nunique()  # not only those of the class
    with pytest.raises(InvalidInputError, match="'YYYYMMDD', which holds times written YYYYMMDD that exist"):
        fitted.sample(5, y=1, where={"YYYYMMDD": 20230230})


def test_an_observed_number_that_is_no_time_is_hidden_from_the_model_and_comes_back():
    table = read_table(written())
    encoder = TableEncoder().fit(table, infer_schema(table))
    odd = written(2).assign(YYYYMMDD=[20230230, 20230301])
    encoded = encoder.encode(read_table(odd))
    assert encoded.mask[:, 1].tolist() == [False, True]
    assert encoder.decode(read_table(odd), encoded.values)["YYYYMMDD"].tolist() == [20230230, 20230301]


def test_a_line_between_written_dates_is_no_rule():
    """A year apart is 10,000 apart, but not from 29 February on."""
    frame = written()[["x", "YYYYMMDD"]]
    frame = frame[frame["YYYYMMDD"] % 10_000 != 229]
    frame["next"] = frame["YYYYMMDD"] + 10_000
    frame["same"] = frame["YYYYMMDD"]
    lines = tabgan.tables.rules.find_rules(read_table(frame)).lines
    assert [rule.columns for rule in lines] == [(1, 3)]
