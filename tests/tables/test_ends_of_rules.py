"""What exact rules call for, and what a column can hold: rules go beyond the observed range, never beyond a sign, a dtype or time."""

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer
from tabgan.tables.columns import float_numbers
from tabgan.tables.frames import read_table
from tabgan.tables.slots import in_unit


def fitted(frame, words):
    missing = np.random.default_rng(1).random(frame.shape) < 0.2
    imputer = GAINImputer(effort="fast", n_steps=0, draw_steps=0, random_state=0).fit(frame.mask(missing))
    assert words in str(imputer.schema_.rules)
    return imputer


def both(imputer, batch):
    return imputer.transform(batch), *imputer.sample(batch, 2)


def parts(kind, sign=1):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 60, 300), "b": rng.integers(0, 60, 300)})
    return (sign * frame).assign(t=sign * (frame["a"] + frame["b"])).astype(kind)


@pytest.mark.parametrize("kind", ["Int8", "Float32", "float64"])
def test_sums_go_beyond_the_observed_range_and_dtype_but_not_beyond_the_sign(kind):
    imputer = fitted(parts(kind), "`t` = `a` + `b`")
    batch = pd.DataFrame({"a": [120, 10, None, 5], "b": [100, None, 3, None], "t": [None, 2, 1, 0]}, dtype=kind)
    for filled in both(imputer, batch):
        assert filled["t"].tolist() == [220, 2, 1, 0]
        assert filled["a"].tolist() == [120, 10, 0, 5]
        assert filled["b"].tolist() == [100, 0, 3, 0]
        assert str(filled["t"].dtype) == ("Int16" if kind == "Int8" else kind)
        assert str(filled["a"].dtype) == kind


def test_columns_that_are_never_positive_stay_so():
    imputer = fitted(parts("float64", sign=-1), "`t` = `a` + `b`")
    batch = pd.DataFrame({"a": [-10.0, np.nan], "b": [np.nan, -3.0], "t": [-2.0, -1.0]})
    for filled in both(imputer, batch):
        assert filled["b"].tolist() == [0.0, -3.0]
        assert filled["a"].tolist() == [-10.0, 0.0]


def test_columns_of_both_signs_change_theirs():
    imputer = fitted(parts("float64").assign(a=lambda f: f["a"] - 30, t=lambda f: f["t"] - 30), "`t` = `a` + `b`")
    for filled in both(imputer, pd.DataFrame({"a": [np.nan], "b": [50.0], "t": [-200.0]})):
        assert filled["a"].tolist() == [-250.0]


def test_lines_and_orders_keep_the_sign_too():
    rng = np.random.default_rng(0)
    net = np.round(rng.gamma(2.0, 50.0, 300) + 1, 1)
    frame = pd.DataFrame({"net": net, "gross": np.round(1.2 * net, 9), "less": np.round(net - rng.random(300), 2)})
    imputer = fitted(frame, "`gross` = 1.2 `net`")
    low = imputer.schema_.columns[0].lower
    batch = pd.DataFrame(
        {"net": [np.nan, np.nan, 1e6], "gross": [-6.0, 1e6 * 1.2, np.nan], "less": [1.0, np.nan, np.nan]}
    )
    for filled in both(imputer, batch):
        assert filled["net"].tolist() == pytest.approx([low, 1e6, 1e6])
        assert filled["gross"].tolist() == pytest.approx([-6.0, 1.2e6, 1.2e6])
        assert (filled["less"] >= 0).all()


def test_whole_numbers_stay_whole_where_no_whole_one_keeps_the_rule():
    half = np.random.default_rng(0).integers(0, 100, 300)
    imputer = fitted(pd.DataFrame({"half": half, "double": 2 * half}).astype("Int64"), "`double` = 2 `half`")
    batch = pd.DataFrame({"half": [None, None], "double": [3, 10**6]}, dtype="Int64")
    for filled in both(imputer, batch):
        assert filled["half"].iloc[0] in (1, 2)
        assert filled["half"].iloc[1] == 500_000
        assert filled["half"].dtype == "Int64"


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_durations_keep_their_sign_and_no_time_goes_round(unit):
    rng = np.random.default_rng(0)
    start = pd.Series(np.datetime64("2020-01-01") + rng.integers(0, 900, 300)).astype(f"datetime64[{unit}]")
    span = pd.Series(rng.integers(0, 60, 300).astype("m8[D]").astype(f"m8[{unit}]"))
    imputer = fitted(pd.DataFrame({"start": start, "span": span, "end": start + span}), "`end` = `start` + `span`")
    batch = pd.DataFrame(
        {
            "start": pd.to_datetime(["2020-05-01", "2262-01-01", None]).astype("datetime64[ns]"),
            "span": pd.to_timedelta([None, 200, 10], unit="D").astype("timedelta64[ns]"),
            "end": pd.to_datetime(["2020-03-01", None, "2019-01-11"]).astype("datetime64[ns]"),
        }
    )
    for filled in both(imputer, batch):
        assert filled["span"].iloc[0] == pd.Timedelta(0)
        assert filled["end"].iloc[1].year == 2262
        assert filled["start"].iloc[2] == pd.Timestamp("2019-01-01")


@pytest.mark.filterwarnings("ignore:overflow")
def test_no_number_becomes_infinite():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.random(300) * 1e90, "b": rng.random(300) * 1e90}).assign(t=lambda f: f["a"] + f["b"])
    imputer = fitted(frame, "`t` = `a` + `b`")
    for filled in both(imputer, pd.DataFrame({"a": [1.7e308], "b": [1.7e308], "t": [np.nan]})):
        assert np.isfinite(filled["t"]).all()


@pytest.mark.parametrize("kind", ["float16", "float32", "Float32", "float[pyarrow]"])
def test_floats_are_widened_rather_than_infinite(kind):
    table = read_table(pd.DataFrame({"a": pd.Series([1.0, None, None], dtype=kind), "b": [1.0, 2.0, 3.0]}))
    filled = table.filled({0: np.array([1e300, 2.0])})["a"]
    assert filled.tolist() == [1.0, 1e300, 2.0]
    assert str(table.filled({0: np.array([5.0, 2.0])})["a"].dtype) == kind.replace("float[", "float[")


def test_arrays_stay_as_wide_as_one_of_their_columns_needs():
    array = np.ma.MaskedArray(np.ones((3, 2), dtype=np.int8), mask=[[False, False], [True, False], [False, True]])
    filled = read_table(array).filled({0: np.array([1000.0]), 1: np.array([7.0])})
    assert filled.tolist() == [[1, 1], [1000, 1], [1, 7]]
    floats = np.array([[1.0, 2.0], [np.nan, 1.0], [1.0, np.nan]], dtype=np.float16)
    filled = read_table(floats).filled({0: np.array([1e6]), 1: np.array([7.0])})
    assert filled.tolist() == [[1, 2], [1e6, 1], [1, 7]]


def test_conversions_by_hand():
    assert float_numbers(np.array([1.0, 7e4]), np.dtype(np.float16)).dtype == np.float64
    assert float_numbers(np.array([1.0, np.nan]), np.dtype(np.float16)).dtype == np.float16
    assert in_unit(np.array([2**62, -(2**62), 5]), "us", "ns").tolist()[2] == 5000
    assert (np.sign(in_unit(np.array([2**62, -(2**62)]), "us", "ns")) == [1, -1]).all()
    assert in_unit(np.array([2**62]), "ns", "us").tolist() == [2**62 // 1000]
