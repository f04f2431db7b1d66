"""What drawn tables found, each in its smallest form."""

from __future__ import annotations

import datetime
import warnings
from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tabgan import BAGANOversampler, CGANSampler, GAINImputer, load
from tabgan.estimators.classes import plain_label
from tabgan.exceptions import InvalidInputError
from tabgan.tables.amputation import MECHANISMS, ampute
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema
from tests.properties.test_imputed_tables import NONE

LARGEST = np.finfo(np.float64).max

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def encoder_of(frame: pd.DataFrame, **parameters) -> TableEncoder:
    table = read_table(frame)
    return TableEncoder(**parameters).fit(table, infer_schema(table))


@pytest.mark.parametrize("mechanism", [name for name in MECHANISMS if name != "copy"])
@pytest.mark.parametrize("column", [[LARGEST, -LARGEST, 0.0], [1e185, 7.0, 2.0], [5e-324, 0.0, 1e-300], [np.nan] * 3])
def test_ampute_takes_columns_at_the_ends_of_float64_and_without_a_cell(mechanism, column):
    X = np.tile(np.column_stack([column, [1.0, 2.0, 3.0]]), (5, 1))
    hidden = ampute(X, 0.3, mechanism=mechanism, random_state=0)
    assert hidden.sum() == min(round(0.3 * (~np.isnan(X)).sum()), (~np.isnan(X)).sum() - 15)
    assert not ampute(X[:0], 0.3, mechanism=mechanism, random_state=0).any()
    X[3, 1] = np.inf
    with pytest.raises(InvalidInputError, match="column 1 of X has inf in row 3"):
        ampute(X, 0.3, mechanism=mechanism, random_state=0)


def test_scores_of_columns_beyond_1e154_do_not_overflow():
    values = 1e300 * np.random.default_rng(0).normal(size=(40, 2))
    values[::7, 0] = np.nan
    scores = GAINImputer(random_state=0, **NONE).fit(pd.DataFrame(values, columns=["x", "y"])).validation_scores_
    assert np.isfinite(scores[["rmse", "rmse_mean", "nrmse"]].to_numpy(dtype=float)).all()
    assert scores["rmse_mean"].between(1e299, 1e301).all()


def test_timedeltas_longer_than_pandas_counts_are_labels():
    cells = [datetime.timedelta.min, datetime.timedelta.max, None] * 5
    frame = pd.DataFrame({"t": pd.Series(cells, dtype=object), "x": np.arange(15.0)})
    filled = GAINImputer(random_state=0, **NONE).fit_transform(frame)
    assert set(filled["t"]) == {datetime.timedelta.min, datetime.timedelta.max}


def test_dates_among_datetimes_are_filled_with_moments_to_the_hour():
    day, moment = datetime.date(2020, 1, 4), datetime.datetime(2020, 5, 1, 7)
    frame = pd.DataFrame({"d": pd.Series([day, moment, None], dtype=object)})
    filled = encoder_of(frame, numeric_transform="minmax").decode(read_table(frame), np.ones((3, 1)))
    assert filled["d"][2] == moment
    assert filled["d"][:2].tolist() == [day, moment]


@pytest.mark.parametrize("rounded", [True, False])
def test_times_further_apart_than_int64_counts(rounded):
    first, last = pd.Timestamp("1677-09-22"), pd.Timestamp("2262-04-10")
    frame = pd.DataFrame({"d": pd.Series([first, last, pd.Timestamp("1970-01-01"), pd.NaT]).astype("M8[ns]")})
    encoder = encoder_of(frame, numeric_transform="minmax", round_like_observed=rounded)
    np.testing.assert_allclose(encoder.encode(read_table(frame)).values[:3, 0], [0, 1, 0.5], atol=1e-3)
    assert encoder.schema_.columns[0].granularity == pd.Timedelta("1D").value
    for slot, moment in ((-5.0, first), (0.0, first), (1.0, last), (7.0, last), (np.inf, last)):
        assert encoder.decode(read_table(frame), np.full((4, 1), slot))["d"][3] == moment
    middle = encoder.decode(read_table(frame), np.full((4, 1), 0.5))["d"][3]
    assert abs(middle - pd.Timestamp("1970-01-01")) < pd.Timedelta(days=200)


def test_gaps_of_arrow_dictionaries_in_pandas_stay_gaps():
    cells = pa.chunked_array([pa.array(["a", None, "b"]).dictionary_encode()])
    frame = pd.DataFrame({"c": pd.Series(pd.arrays.ArrowExtensionArray(cells))})
    longer = read_table(frame).with_rows(np.array([1, 0]), {0: (np.array([1]), np.array(["b"], dtype=object))})
    assert longer["c"].isna().tolist() == [False, True, False, True, False]
    assert longer["c"].dropna().tolist() == ["a", "b", "b"]
    assert longer["c"].dtype == frame["c"].dtype


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_the_search_for_rules_stands_the_ends_of_the_dtype(dtype):
    limits = np.finfo(dtype) if dtype == "float64" else np.iinfo(dtype)
    rng = np.random.default_rng(0)
    X = rng.choice(np.array([limits.min, 0, limits.max], dtype=dtype), size=(60, 3))
    X[:, 0] = np.arange(60) // 2  # different numbers would name rows
    more, _ = BAGANOversampler(n_steps=0, random_state=0).fit_resample(X, np.arange(60) % 4 == 0)
    np.testing.assert_array_equal(more[:60], X)
    assert ((more >= X.min(axis=0)) & (more <= X.max(axis=0))).all()


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_dates_and_zoned_moments_may_be_class_labels(zone):
    moments = pd.Series(pd.Timestamp("2020-01-01", tz=zone) + pd.to_timedelta(np.arange(20) % 5 // 4, unit="D"))
    X = pd.DataFrame({"x": np.arange(20.0)})
    sampler = BAGANOversampler(n_steps=0, random_state=0)
    _, more = sampler.fit_resample(X, moments)
    assert more.dtype == moments.dtype
    assert more.value_counts().tolist() == [16, 16]
    assert list(sampler.methods_) == sorted(set(moments))
    dates = [moment.date() for moment in moments]
    _, more = sampler.fit_resample(X, dates)
    assert more[:20] == dates
    assert sorted(set(more)) == sorted(set(dates))
    _, made = sampler.sample(2, y=dates[4])
    assert made == [dates[4]] * 2


@pytest.mark.parametrize("unit", ["D", "ms", "ns"])
def test_timedeltas_of_numpy_may_mark_missing_cells(unit):
    marker = np.timedelta64(7, unit)
    cells = np.array([[1, 1], [7, 2], [3, 3]]).astype(f"m8[{unit}]")
    columns = read_table(cells, missing_values=[marker]).columns
    assert [column.missing.tolist() for column in columns] == [[False, True, False], [False] * 3]
    days = pd.DataFrame({"t": pd.Series([marker, np.timedelta64(1, "h")], dtype="m8[ns]"), "x": [7, 8]})
    assert [column.missing.tolist() for column in read_table(days, missing_values=marker).columns] == [
        [True, False],
        [False] * 2,
    ]


@pytest.mark.parametrize(
    "names", [[pd.Timestamp("2020-01-01"), b"a"], [pd.Timedelta(1), None], [np.datetime64("2020-01-01"), 2]]
)
def test_models_of_columns_with_odd_names_are_stored(names, tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)))
    frame.iloc[::5, 0] = np.nan
    frame.columns = pd.Index(names, dtype=object)
    imputer = GAINImputer(random_state=0, column_kinds={names[0]: "continuous"}, **NONE).fit(frame)
    imputer.save(tmp_path / "m.tabgan")
    again = load(tmp_path / "m.tabgan")
    pd.testing.assert_frame_equal(again.transform(frame), imputer.transform(frame))
    pd.testing.assert_frame_equal(again.validation_scores_, imputer.validation_scores_, check_index_type=False)
    assert again.column_kinds == imputer.column_kinds


def test_names_that_no_file_can_hold_are_refused_before_training():
    frame = pd.DataFrame({frozenset([1]): [1.0, 2.0], "x": [2.0, 1.0]})
    frame.columns = pd.Index([frozenset([1]), frozenset([2])], dtype=object)
    with pytest.raises(InvalidInputError, match=r"column frozenset.* cannot be stored"):
        GAINImputer(random_state=0, **NONE).fit(frame)


@pytest.mark.parametrize(
    "markers",
    [
        Decimal("-1"),
        [pd.Timestamp("2020-01-01"), b"?"],
        np.datetime64("2020-01-01"),
        {"?", -1},
        np.timedelta64(1, "ns"),
    ],
)
@pytest.mark.parametrize("kind", [GAINImputer, BAGANOversampler])
def test_markers_of_any_type_are_stored(kind, markers, tmp_path):
    X = pd.DataFrame({"x": np.arange(20.0), "y": np.arange(20) % 3})
    model = kind(random_state=0, missing_values=markers, n_steps=0).fit(X, np.arange(20) % 3 == 0)
    model.save(tmp_path / "m.tabgan")
    again = load(tmp_path / "m.tabgan").missing_values
    listed, wanted = (value if isinstance(value, list | set) else [value] for value in (again, markers))
    assert sorted(map(str, map(plain_label, listed))) == sorted(map(str, map(plain_label, wanted)))
    assert {type(plain_label(marker)) for marker in listed} == {type(plain_label(marker)) for marker in wanted}


@pytest.mark.parametrize("levels", [[(1, 2), (3, 4)], [(), (1,)], [(1,), (2, "b"), ()]])
def test_tuples_are_scored_as_the_labels_that_they_are(levels):
    cells = [levels[k % len(levels)] for k in range(40)]
    frame = pd.DataFrame({"t": pd.Series(cells, dtype=object), "x": np.arange(40.0)})
    scores = GAINImputer(random_state=0, validation_fraction=0.5, **NONE).fit(frame).validation_scores_.loc["t"]
    assert scores["error_rate_mode"] == pytest.approx(1 - 1 / len(levels), abs=0.25)


def test_indicators_go_beside_a_wrapped_frame_and_names_that_are_taken_are_refused():
    cells = {"x": [1.0, None, 3.0] * 4, "missingindicator_x": [1.0, 2.0, 3.0] * 4}
    settings = {"random_state": 0, "add_indicator": True} | NONE
    wrapped = nw.from_native(pl.DataFrame(cells)).select("x")
    filled = GAINImputer(**settings).fit_transform(wrapped)
    assert isinstance(filled, nw.DataFrame)
    assert filled.columns == ["x", "missingindicator_x"]
    for frame in (pl.DataFrame(cells), pa.table(cells), pd.DataFrame(cells)):
        with pytest.raises(InvalidInputError, match="missingindicator_x"):
            GAINImputer(**settings).fit_transform(frame)


@pytest.mark.parametrize("dtype", ["float32", "Float32", "float[pyarrow]"])
def test_decimals_of_single_precision_are_seen(dtype):
    frame = pd.DataFrame({"price": pd.Series([1.1, 2.3, 4.7], dtype=dtype)})
    assert infer_schema(read_table(frame)).columns[0].decimals == 1


def test_a_few_rows_of_a_list_of_mixed_cells_may_be_numbers_only():
    rows = [[k % 4 if k % 4 else "none", float(k)] for k in range(40)]
    imputer = GAINImputer(random_state=0, **NONE).fit(rows)
    np.testing.assert_array_equal(imputer.transform(rows[1:3]), rows[1:3])
    rows[1][1] = None
    assert imputer.transform([rows[1], [3, 2.0]])[1].tolist() == [3, 2.0]
    mostly = GAINImputer(random_state=0, **NONE).fit([["none", 1.0]] * 30 + [[1, 2.0], [2, 3.0]])
    filled = mostly.transform([[float("nan"), 1.0], [2, 1.0]])
    assert filled[:, 0].tolist() == ["none", 2]


@pytest.mark.parametrize("kind", ["S", "U"])
def test_fills_and_indicators_of_text_arrays_are_not_cut(kind):
    words = np.array([["long label"], ["long label"], ["x"]] * 10).astype(kind)
    hidden = np.arange(30)[:, None] == 5
    imputer = GAINImputer(random_state=0, add_indicator=True, **NONE).fit(np.ma.MaskedArray(words, hidden))
    short = np.ma.MaskedArray(np.array([["x"], ["y"]]).astype(f"{kind}1"), [[False], [True]])
    np.testing.assert_array_equal(
        imputer.transform(short), np.array([["x", "False"], ["long label", "True"]]).astype(kind)
    )


def test_scores_without_bounds_do_not_overflow():
    frame = pd.DataFrame({"x": [0.0, 1.0, np.nan], "y": [0.0, np.nan, 1.0]})
    for rounded in (True, False):
        encoder = encoder_of(frame, round_like_observed=rounded)
        filled = encoder.decode(read_table(frame), np.full((3, encoder.width_), np.inf))
        assert filled.stack().between(0, 1).all()


@pytest.mark.parametrize("start", ["noise", "kernel"])
def test_synthetic_whole_numbers_beyond_float64_stay_in_their_range(start):
    ids = [2**53 + 1 + k % 9 for k in range(40)]
    X = pa.table({"id": pa.array([*ids[:-4], *[None] * 4], pa.uint64()), "x": np.arange(40.0)})
    sampler = CGANSampler(n_steps=3, width=8, n_blocks=1, d_noise=4, start=start, random_state=0)
    more, _ = sampler.fit_resample(X, np.arange(40) % 4 == 0)
    made = [cell for cell in more["id"].to_pylist() if cell is not None]
    assert made[:36] == ids[:36]
    assert all(min(ids) <= cell <= max(ids) for cell in made)
    assert len(set(made[36:])) > 1


@pytest.mark.parametrize("largest", [1e300, LARGEST])
def test_rules_between_columns_of_extreme_numbers_are_kept(largest):
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    x[30] = largest
    frame = pd.DataFrame({"x": x, "same": x, "other": rng.normal(size=60)})
    holes = frame.copy()
    holes.loc[:20, "x"] = np.nan
    holes.loc[10:25, "same"] = np.nan
    imputer = GAINImputer(random_state=0, numeric_transform="robust", **NONE).fit(holes)
    assert imputer.schema_.rules.lines
    filled = imputer.transform(holes)
    np.testing.assert_allclose(filled["x"], filled["same"])


def test_the_filter_would_notice():
    with pytest.raises(RuntimeWarning), warnings.catch_warnings():
        np.square(np.array([1e200]))
