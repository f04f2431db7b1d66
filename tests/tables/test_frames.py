"""Reading any container, and giving it back with nothing but the missing cells changed."""

from __future__ import annotations

import datetime
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.tables.frames import read_table


def objects(*cells) -> np.ndarray:
    out = np.empty(len(cells), dtype=object)
    out[:] = cells
    return out


def refill(table):
    """Fill each column with its first observed value (0 where there is none)."""
    fills = {}
    for j, column in enumerate(table.columns):
        size = int(column.missing.sum())
        if size and not column.all_missing:
            fills[j] = np.repeat(column.values[~column.missing][:1], size)
    return table.filled(fills)


def assert_observed_same(before: pd.DataFrame, after: pd.DataFrame, missing: dict) -> None:
    assert list(before.columns) == list(after.columns)
    pd.testing.assert_index_equal(before.index, after.index)
    for name in before.columns:
        assert before[name].dtype == after[name].dtype, name
        observed = ~missing[name]
        pd.testing.assert_series_equal(before[name][observed], after[name][observed], check_exact=True)


ZONE = "Europe/Paris"
PANDAS_COLUMNS = {
    "float64": (pd.Series([-0.0, np.nan, 2.5]), "number"),
    "float32": (pd.Series([0.1, np.nan, 2.5], dtype="float32"), "number"),
    "Int64": (pd.Series([1, None, 3], dtype="Int64"), "number"),
    "UInt8": (pd.Series([1, None, 3], dtype="UInt8"), "number"),
    "Float32": (pd.Series([0.1, None, 3], dtype="Float32"), "number"),
    "boolean": (pd.Series([True, None, False], dtype="boolean"), "boolean"),
    "string": (pd.Series(["a", None, "b"], dtype="string"), "text"),
    "str": (pd.Series(["a", None, "b"]), "text"),
    "category": (pd.Series(pd.Categorical(["a", None, "b"], categories=["c", "b", "a"])), "category"),
    "interval categories": (pd.Series(pd.cut([0.5, np.nan, 1.5], [0, 1, 2])), "category"),
    "datetime": (pd.Series(pd.to_datetime(["2020-01-01", None, "2021-05-05"])), "datetime"),
    "zoned": (pd.Series(pd.to_datetime(["2020-01-01", None, "2021-05-05"]).tz_localize(ZONE)), "datetime"),
    "timedelta": (pd.Series(pd.to_timedelta(["1D", None, "3h"])), "timedelta"),
    "object bool": (pd.Series([True, None, False], dtype=object), "boolean"),
    "object int": (pd.Series([1, None, 3], dtype=object), "number"),
    "object Decimal": (pd.Series([Decimal("1.5"), None, Decimal("2.5")], dtype=object), "number"),
    "object date": (pd.Series([datetime.date(2020, 1, 1), None, datetime.date(2020, 1, 3)], dtype=object), "datetime"),
    "object datetime": (pd.Series([datetime.datetime(2020, 1, 1), None, pd.NaT], dtype=object), "datetime"),
    "object timedelta": (pd.Series([datetime.timedelta(1), None, pd.NaT], dtype=object), "timedelta"),
    "object mixed": (pd.Series([1, None, "b"], dtype=object), "text"),
    "sparse": (pd.Series(pd.arrays.SparseArray([0.0, np.nan, 2.0], fill_value=0.0)), "number"),
}


@pytest.mark.parametrize("key", PANDAS_COLUMNS)
def test_pandas_columns_come_back_with_their_dtype(key):
    series, family = PANDAS_COLUMNS[key]
    frame = pd.DataFrame({"x": series.set_axis([7, 7, 9])})
    copy = frame.copy(deep=True)
    table = read_table(frame)
    column = table.columns[0]
    assert (column.family, column.dtype) == (family, str(series.dtype))
    np.testing.assert_array_equal(column.missing, series.isna())
    out = refill(table)
    assert not out["x"].isna().any()
    assert out["x"].iloc[1] == series.iloc[0]
    for row in np.flatnonzero(~column.missing):
        if series.dtype == object:
            assert out["x"].iloc[row] is frame["x"].iloc[row]
    assert_observed_same(frame, out, {"x": series.isna().to_numpy()})
    pd.testing.assert_frame_equal(frame, copy)


ARROW_COLUMNS = {
    "float": lambda pa: (pa.float32(), [1.5, None, 2.5], "number"),
    "int8": lambda pa: (pa.int8(), [1, None, 2], "number"),
    "bool": lambda pa: (pa.bool_(), [True, None, False], "boolean"),
    "string": lambda pa: (pa.string(), ["a", None, "b"], "text"),
    "large_string": lambda pa: (pa.large_string(), ["a", None, "b"], "text"),
    "dictionary": lambda pa: (pa.dictionary(pa.int8(), pa.string()), ["a", None, "b"], None),
    "decimal": lambda pa: (pa.decimal128(6, 2), [Decimal("1.20"), None, Decimal("3.00")], "number"),
    "date": lambda pa: (pa.date32(), [datetime.date(2020, 1, 1), None, datetime.date(2020, 1, 9)], "datetime"),
    "timestamp": lambda pa: (pa.timestamp("ms"), [datetime.datetime(2020, 1, 1), None, None], "datetime"),
    "zoned": lambda pa: (pa.timestamp("us", ZONE), [datetime.datetime(2020, 1, 1), None, None], "datetime"),
    "duration": lambda pa: (pa.duration("s"), [datetime.timedelta(1), None, None], "timedelta"),
}


@pytest.mark.parametrize("key", ARROW_COLUMNS)
@pytest.mark.parametrize("container", ["pandas", "pyarrow"])
def test_arrow_columns_come_back_with_their_type(key, container):
    pa = pytest.importorskip("pyarrow")
    kind, cells, family = ARROW_COLUMNS[key](pa)
    array = pa.array(cells, type=kind)
    native = pa.table({"x": array, "y": [1, 2, 3]})
    if container == "pandas":
        native = pd.DataFrame({"x": pd.arrays.ArrowExtensionArray(array), "y": [1, 2, 3]})
    table = read_table(native)
    assert family is None or table.columns[0].family == family
    out = refill(table)
    assert type(out) is type(native)
    if container == "pandas":
        assert_observed_same(native, out, {"x": native["x"].isna().to_numpy(), "y": np.zeros(3, dtype=bool)})
        filled = out["x"].tolist()
    else:
        assert out.schema == native.schema
        filled = out["x"].to_pylist()
        expected = native["x"].to_pylist()
        assert [a for a, b in zip(filled, expected, strict=True) if b is not None] == [
            b for b in expected if b is not None
        ]
    assert filled[1] == filled[0]


def polars_frame():
    pl = pytest.importorskip("polars")
    day = datetime.date(2020, 1, 1)
    moment = datetime.datetime(2020, 1, 1, 12)
    return pl.DataFrame(
        {
            "int": pl.Series([1, None, 3], dtype=pl.Int32),
            "float": [1.5, float("nan"), None],
            "f32": pl.Series([0.1, None, -0.0], dtype=pl.Float32),
            "bool": [True, None, False],
            "text": ["a", None, "b"],
            "cat": pl.Series(["a", None, "b"], dtype=pl.Categorical),
            "enum": pl.Series(["a", None, "b"], dtype=pl.Enum(["c", "b", "a"])),
            "date": [day, None, day],
            "time": pl.Series([moment, None, moment]).dt.replace_time_zone(ZONE),
            "span": [datetime.timedelta(1), None, None],
            "decimal": [Decimal("1.20"), None, None],
            "object": pl.Series([1, None, "b"], dtype=pl.Object),
            "null": [None, None, None],
        }
    )


def test_polars_columns_come_back_with_their_dtype():
    frame = polars_frame()
    table = read_table(frame)
    assert [column.family for column in table.columns] == [
        *["number"] * 3,
        "boolean",
        "text",
        *["category"] * 2,
        *["datetime"] * 2,
        "timedelta",
        "number",
        *["text"] * 2,
    ]
    assert table.columns[0].integer_dtype
    assert table.columns[6].categories == ("c", "b", "a")
    assert table.columns[6].ordered
    assert table.columns[1].missing.tolist() == [False, True, True]
    out = refill(table)
    assert type(out) is type(frame)
    assert out.schema == frame.schema
    for name in frame.columns:
        before, after = frame[name].to_list(), out[name].to_list()
        for old, new, hidden in zip(before, after, table.columns[table.names.index(name)].missing, strict=True):
            assert new == (before[0] if hidden else old)
    assert np.signbit(out["f32"][2])


def test_a_null_column_takes_the_dtype_of_its_fills():
    frame = polars_frame()
    j = frame.columns.index("null")
    assert read_table(frame).filled({j: np.array([1.0, 2.0, 3.0])})["null"].to_list() == [1.0, 2.0, 3.0]
    floats = pd.DataFrame({"x": [np.nan, np.nan]})
    assert read_table(floats).filled({0: objects("1", None)})["x"].tolist()[0] == "1"
    texts = pd.DataFrame({"x": pd.Series([None, None], dtype="string")})
    assert read_table(texts).filled({0: np.array([1.5, 2.5])})["x"].tolist() == [1.5, 2.5]


def test_lazy_frames_are_refused_and_narwhals_frames_taken():
    nw = pytest.importorskip("narwhals")
    frame = polars_frame()
    with pytest.raises(InvalidInputError, match=r"collect\(\)"):
        read_table(frame.lazy())
    out = refill(read_table(nw.from_native(frame)))
    assert isinstance(out, nw.DataFrame)


@pytest.mark.parametrize(
    ("data", "families"),
    [
        ([[1, 2.5], [None, 3.0]], ["number", "number"]),
        ([[1.5, "a"], [2.5, "b"]], ["number", "text"]),
        ([["a", "b"], ["c", "d"]], ["text", "text"]),
        ([[True, 1.5], [False, 2.5]], ["boolean", "number"]),
        (np.array([[True], [False]]), ["boolean"]),
        (np.array([["2020-01-01"]], dtype="M8[D]"), ["datetime"]),
        (np.array([[1, "a", None]], dtype=object), ["number", "text", "text"]),
    ],
)
def test_arrays_and_lists(data, families):
    table = read_table(data)
    assert [column.family for column in table.columns] == families
    assert not table.has_names
    assert table.names == list(range(len(families)))
    out = table.filled({})
    assert isinstance(out, np.ndarray)
    assert out.tolist() == np.asarray(data, dtype=object if isinstance(data, list) else None).tolist()


def test_masked_arrays_and_array_likes():
    masked = np.ma.MaskedArray([[1, 2], [3, 4]], mask=[[False, True], [False, False]])
    table = read_table(masked)
    assert table.columns[1].missing.tolist() == [True, False]
    out = table.filled({1: np.array([8.6])})
    assert out.dtype == masked.dtype
    assert out.tolist() == [[1, 9], [3, 4]]
    assert table.filled({}).mask.tolist() == [[False, True], [False, False]]

    class ArrayLike:
        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, np.nan]])

    assert read_table(ArrayLike()).columns[1].missing.tolist() == [True]


def test_text_arrays_widen_only_when_a_fill_is_longer():
    data = np.array([["ab"], ["?"]])
    table = read_table(data, missing_values="?")
    assert table.filled({0: objects("cd")}).dtype == data.dtype
    assert table.filled({0: objects("longer")}).tolist() == [["ab"], ["longer"]]


def test_markers_go_by_family():
    frame = pd.DataFrame({"n": [0, 1, -999], "t": ["", "?", "-999"], "b": [False, True, True], "m": [1, "?", 3]})
    table = read_table(frame, missing_values=[-999, "?", 0, pd.NA])
    assert [column.missing.tolist() for column in table.columns] == [
        [True, False, True],
        [False, True, False],
        [False] * 3,
        [False, True, False],
    ]
    assert table.columns[3].family == "number"
    out = table.filled({0: np.array([2.6, np.nan])})
    assert out["n"].tolist() == [3, 1, -999]
    assert out["n"].dtype == frame["n"].dtype


def test_marked_categories_are_no_levels():
    frame = pd.DataFrame({"c": pd.Categorical(["a", "?"], categories=["?", "a"], ordered=True)})
    column = read_table(frame, missing_values="?").columns[0]
    assert column.categories == ("a",)
    assert column.ordered
    stamps = pd.DataFrame({"t": pd.to_datetime(["1900-01-01", "2020-01-01"])})
    assert read_table(stamps, missing_values=pd.Timestamp("1900-01-01")).columns[0].missing.tolist() == [True, False]


def test_keep_selects_columns():
    frame = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", "y"], "c": [1, 2]})
    out = read_table(frame).filled({0: np.array([5.0])}, keep=[2, 0])
    assert out.columns.tolist() == ["c", "a"]
    assert out["a"].tolist() == [1.0, 5.0]
    assert read_table(frame.to_numpy()).filled({}, keep=[1]).shape == (2, 1)
    polars = polars_frame()
    assert read_table(polars).filled({}, keep=[1]).columns == [polars.columns[1]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"x": [1.0, np.inf]}), "column 'x' has inf in row 1"),
        (np.array([[-np.inf]]), "column 0 has -inf in row 0"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"\['a'\] appear more than once"),
        (pd.DataFrame({"x": pd.period_range("2020", periods=2)}), "column 'x' has dtype period"),
        (pd.DataFrame({"x": pd.interval_range(0, 2)}), "column 'x' has dtype interval"),
        (pd.DataFrame({"x": objects(10**25 + 1, 10**25 + 2)}), "column 'x' holds whole numbers of more than 64 bits"),
        (pd.DataFrame({"x": [1j]}), "Complex data not supported: column 'x'"),
        (pd.DataFrame({"x": objects(1j, "a")}, dtype=object), "Complex data not supported: column 'x'"),
        (pd.DataFrame(index=range(3)), r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required\."),
        (pd.DataFrame({"x": []}), r"0 sample\(s\)"),
        (np.empty((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required\."),
        (np.empty((0, 3)), r"0 sample\(s\)"),
        (np.ones(3), "Reshape your data"),
        ([1, 2], "Reshape your data"),
        (np.array([[1j]]), "Complex data not supported"),
        (np.ones((2, 2, 2)), "dim 3"),
    ],
)
def test_unusable_data_is_refused_by_name(data, message):
    with pytest.raises(ValueError, match=message):
        read_table(data)


def test_unusable_polars_and_parameters_are_refused():
    pl = pytest.importorskip("polars")
    with pytest.raises(InvalidInputError, match="column 'x' has dtype List"):
        read_table(pl.DataFrame({"x": [[1]]}))
    if hasattr(pl, "Int128"):
        with pytest.raises(InvalidInputError, match="column 'x' has dtype Int128, which is not supported; cast it"):
            read_table(pl.DataFrame({"x": pl.Series([1, None], dtype=pl.Int128)}))
    with pytest.raises(InvalidInputError, match=r"0 sample\(s\)"):
        read_table(pl.DataFrame({"x": []}))
    with pytest.raises(InvalidParameterError, match="missing_values"):
        read_table([[1]], missing_values=[{"a": 1}])
    with pytest.raises(InvalidInputError, match="has 1 missing cells"):
        read_table([[np.nan]]).filled({0: np.array([1.0, 2.0])})
    frame = pd.DataFrame({"c": pd.Categorical(["a", None], ordered=True)})
    with pytest.raises(InvalidInputError, match="'z' is not among its ordered categories"):
        read_table(frame).filled({0: objects("z")})


@pytest.mark.parametrize(
    "cell", [[1], {"a": 1}, {1}, np.zeros(2), pd.Series([1])], ids=lambda cell: type(cell).__name__
)
def test_cells_that_hold_several_values_are_refused_by_column_and_row(cell):
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "odd": objects("a", None, cell)})
    with pytest.raises(InvalidInputError, match=f"column 'odd' has a {type(cell).__name__} in row 2"):
        read_table(frame)


def test_tuples_are_labels_and_signalling_nans_are_missing():
    frame = pd.DataFrame({"t": objects((1, 2), None, (1, 2)), "d": objects(Decimal("sNaN"), Decimal("1.5"), None)})
    table = read_table(frame)
    assert table.columns[0].values.tolist() == [(1, 2), None, (1, 2)]
    assert table.columns[1].missing.tolist() == [True, False, True]


def test_infinity_can_be_marked_missing():
    assert read_table([[np.inf], [1.0]], missing_values=np.inf).columns[0].missing.tolist() == [True, False]


@given(hnp.arrays(np.float64, (5, 3), elements=st.floats(allow_infinity=False)))
@settings(max_examples=50)
def test_observed_floats_are_bit_identical(data):
    for native in (data, pd.DataFrame(data, columns=list("abc"))):
        table = read_table(native)
        fills = {j: np.full(int(column.missing.sum()), 0.5) for j, column in enumerate(table.columns)}
        out = np.asarray(table.filled(fills))
        seen = ~np.isnan(data)
        np.testing.assert_array_equal(out[seen].view(np.int64), data[seen].view(np.int64))
        assert (out[~seen] == 0.5).all()


@given(
    st.lists(
        st.one_of(st.none(), st.integers(-(2**70), 2**70), st.text(), st.booleans(), st.tuples(st.integers())),
        min_size=1,
    )
)
@settings(max_examples=50)
def test_observed_objects_keep_their_identity(cells):
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object)})
    table = read_table(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = refill(table)
    assert out["x"].dtype == object
    for before, after in zip(frame["x"], out["x"], strict=True):
        assert before is after or before is None


def test_chunked_arrow_tables():
    pa = pytest.importorskip("pyarrow")
    parts = [
        pa.table({"d": pa.array(cells).dictionary_encode(), "n": pa.array(numbers)})
        for cells, numbers in ((["a", None], [1, None]), (["b", None], [None, 4]))
    ]
    native = pa.concat_tables(parts)
    out = read_table(native).filled({0: objects("b", "a"), 1: np.array([2.0, 3.0])})
    assert out.to_pydict() == {"d": ["a", "b", "b", "a"], "n": [1, 2, 3, 4]}
    assert out.schema == native.schema


def test_unusual_column_names_and_row_labels():
    columns = pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])
    frame = pd.DataFrame([[1.0, np.nan], [np.nan, 2.0]], columns=columns, index=pd.Index([np.nan, "x"], dtype=object))
    out = refill(read_table(frame))
    pd.testing.assert_index_equal(out.columns, columns)
    assert out.to_numpy().tolist() == [[1.0, 2.0], [1.0, 2.0]]
    numbered = pd.DataFrame({0: [1.0, np.nan], 5: ["a", None]})
    assert read_table(numbered).names == [0, 5]
    pd.testing.assert_index_equal(refill(read_table(numbered)).columns, numbered.columns)
