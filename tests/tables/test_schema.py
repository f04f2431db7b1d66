"""Kinds, levels and ranges of columns; JSON; compatibility of later tables."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.exceptions import InvalidInputError, InvalidParameterError, SchemaMismatchError
from tabgan.tables.compatibility import check_compatible
from tabgan.tables.frames import read_table
from tabgan.tables.labels import label_from_json, label_to_json
from tabgan.tables.schema import TableSchema, infer_schema


def mixed_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "continuous": [1 / 3, 2.5, np.nan, 4.1],
            "integer": [1.0, 2.0, np.nan, 7.0],
            "decimal": [1.25, 2.5, np.nan, 7.0],
            "boolean": pd.array([True, False, None, True], dtype="boolean"),
            "categorical": ["b", "a", None, "b"],
            "ordinal": pd.Categorical(["lo", "hi", None, "lo"], categories=["lo", "mid", "hi"], ordered=True),
            "datetime": pd.to_datetime(["2020-01-01", "2020-01-03", None, "2020-01-09"]),
            "timedelta": pd.to_timedelta(["1h", "3h", None, "9h"]),
            "constant": [5.0, 5.0, np.nan, 5.0],
            "empty": [np.nan] * 4,
        }
    )


def infer(frame, **kwargs) -> TableSchema:
    return infer_schema(read_table(frame), **kwargs)


def test_kinds_follow_the_cells():
    schema = infer(mixed_frame())
    assert [column.kind for column in schema.columns] == schema.names
    assert schema.encoded == tuple(range(8))
    by_name = {column.name: column for column in schema.columns}
    assert by_name["decimal"].decimals == 2
    assert by_name["integer"].decimals == 0
    assert (by_name["integer"].lower, by_name["integer"].upper) == (1.0, 7.0)
    assert by_name["categorical"].levels == ("a", "b")
    assert by_name["categorical"].counts == (1, 2)
    assert by_name["ordinal"].levels == ("lo", "mid", "hi")
    assert by_name["ordinal"].counts == (2, 0, 1)
    assert by_name["constant"].constant == 5.0
    day = np.timedelta64(2, "D").astype(f"m8[{by_name['datetime'].unit}]").astype(int)
    assert by_name["datetime"].granularity == day


@pytest.mark.parametrize(
    ("cells", "kind", "decimals"),
    [
        ([0.1, 0.2, 0.3], "decimal", 1),
        ([1e300, 2e300], "integer", 0),
        ([1e-7, 2e-7], "continuous", None),
        (np.array([0.1, 0.25], dtype=np.float32), "decimal", 2),
        (np.random.default_rng(0).normal(size=50).astype(np.float32), "continuous", None),
        (np.random.default_rng(0).normal(size=50) * 1e12, "continuous", None),
    ],
)
def test_shared_decimals(cells, kind, decimals):
    column = infer(pd.DataFrame({"x": cells})).columns[0]
    assert (column.kind, column.decimals) == (kind, decimals)


@pytest.mark.parametrize("features", [["zip"], [1], [False, True, False], np.array([False, True, False]), ("zip",)])
def test_categorical_features_by_name_position_or_mask(features):
    frame = pd.DataFrame({"x": [1.0, 2.0], "zip": [75, 13], "b": [True, False]})
    schema = infer(frame, categorical_features=features)
    assert [column.kind for column in schema.columns] == ["integer", "categorical", "boolean"]
    assert schema.columns[1].levels == (13.0, 75.0)


def test_column_kinds_win():
    frame = mixed_frame()
    kinds = {"integer": "ordinal", 2: "continuous", "constant": "categorical", "boolean": "categorical"}
    columns = infer(frame, categorical_features=["integer"], column_kinds=kinds).columns
    assert [columns[j].kind for j in (1, 2, 3, 8)] == ["ordinal", "continuous", "categorical", "constant"]
    assert columns[2].decimals is None


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"categorical_features": ["nope"]}, "categorical_features names 'nope'"),
        ({"categorical_features": [99]}, "names 99"),
        ({"categorical_features": [True]}, "mask of 1 entries, but X has 10 columns"),
        ({"categorical_features": "integer"}, "categorical_features='integer'"),
        ({"column_kinds": {"nope": "integer"}}, "column_kinds names 'nope'"),
        ({"column_kinds": {"integer": "numeric"}}, "'numeric' is not a kind"),
        ({"column_kinds": {"integer": "constant"}}, "'constant' is not a kind"),
        ({"column_kinds": {"categorical": "continuous"}}, "'categorical' .* cannot be 'continuous'"),
        ({"column_kinds": {"continuous": "integer"}}, "not whole"),
        ({"column_kinds": {"continuous": "decimal"}}, "decimals"),
        ({"column_kinds": {"integer": "boolean"}}, "two other numbers"),
        ({"column_kinds": {"decimal": "datetime"}}, "not all written as times"),
    ],
)
def test_bad_wishes_are_refused_by_name(kwargs, message):
    with pytest.raises(InvalidParameterError, match=message):
        infer(mixed_frame(), **kwargs)


def test_schema_survives_strict_json():
    frame = mixed_frame()
    frame["tuple names", 1] = [b"x", Decimal("1.5"), None, 3]
    schema = infer(frame, categorical_features=["integer"])
    text = json.dumps(schema.to_json(), allow_nan=False)
    assert TableSchema.from_json(json.loads(text)) == schema


LABELS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.sampled_from(
        [
            pd.Timestamp("2020-01-01 01:02:03.123456789"),
            pd.Timestamp("2020-06-01", tz="Europe/Paris"),
            pd.Timestamp("2020-06-01", tz="UTC"),
            pd.Timedelta("3h"),
            pd.Interval(0, 1.5, closed="left"),
            (1, ("a", None)),
        ]
    ),
)


@given(LABELS)
@settings(max_examples=50)
def test_labels_keep_type_and_value(label):
    back = label_from_json(json.loads(json.dumps(label_to_json(label), allow_nan=False)))
    assert type(back) is type(label)
    assert back == label


def test_foreign_labels_are_refused():
    with pytest.raises(InvalidInputError, match="type complex cannot be stored"):
        label_to_json(1j)
    with pytest.raises(InvalidInputError, match="not a stored label"):
        label_from_json(["nope", 1])


def test_compatible_tables_pass():
    frame = mixed_frame()
    schema = infer(frame)
    same = frame.assign(
        boolean=[1.0, 0.0, np.nan, 1.0],
        categorical=frame["categorical"].astype("category"),
        continuous=pd.Series([None] * 4, dtype=object),
        empty=list("abcd"),
    )
    check_compatible(schema, read_table(same))
    check_compatible(schema, read_table(frame.to_numpy(dtype=object)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="decimal"), "yet now missing:\n- decimal\n"),
        (lambda f: f.assign(new=1), "unseen at fit time:\n- new\n"),
        (lambda f: f[f.columns[::-1]], "must be in the same order as they were in fit.\n"),
        (lambda f: f.assign(integer=list("abcd")), r"'integer': number \(float64\) in fit, text"),
        (lambda f: f.assign(datetime=[1.0, 2.0, 3.0, 4.0]), "'datetime': datetime .* in fit, number"),
    ],
)
def test_differences_are_shown(change, message):
    frame = mixed_frame()
    with pytest.raises(SchemaMismatchError, match=message):
        check_compatible(infer(frame), read_table(change(frame)))


def test_arrays_are_compared_by_position():
    schema = infer(np.ones((2, 3)))
    with pytest.raises(SchemaMismatchError, match="X has 1 features, but tabgan is expecting 3 features as input"):
        check_compatible(schema, read_table(np.ones((2, 1))))


def test_levels_have_one_order_whatever_the_rows():
    cells = [2, "b", 1.5, "a", 1, datetime.date(2020, 1, 1)]
    forward = infer(pd.DataFrame({"x": pd.Series(cells, dtype=object)})).columns[0].levels
    backward = infer(pd.DataFrame({"x": pd.Series(cells[::-1], dtype=object)})).columns[0].levels
    assert forward == backward == (datetime.date(2020, 1, 1), 1.5, 1, 2, "a", "b")


@pytest.mark.parametrize("backend", ["numpy", "pyarrow", "polars"])
def test_times_without_a_zone_are_of_any(backend):
    naive = pd.DataFrame({"start": pd.date_range("2024", periods=9, freq="D")})
    frames = [naive, naive.apply(lambda times: times.dt.tz_localize("Europe/Zurich"))]
    if backend == "polars":
        pl = pytest.importorskip("polars")
        frames = [pl.from_pandas(frame) for frame in frames]
    elif backend == "pyarrow":
        frames = [frame.convert_dtypes(dtype_backend="pyarrow") for frame in frames]
    without, zoned = (read_table(frame) for frame in frames)
    for now, then in ((without, zoned), (zoned, without)):
        with pytest.raises(SchemaMismatchError, match=r"another type of data than in fit.*\n- 'start': datetime \("):
            check_compatible(infer_schema(then), now)
    elsewhere = read_table(naive.apply(lambda times: times.dt.tz_localize("UTC")))
    check_compatible(infer_schema(zoned), elsewhere)
    check_compatible(infer_schema(without), read_table(naive))
