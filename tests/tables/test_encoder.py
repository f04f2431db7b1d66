"""Tables to matrices and back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.exceptions import InvalidInputError, InvalidParameterError, SchemaMismatchError
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.numeric import NUMERIC_TRANSFORMS
from tabgan.tables.schema import infer_schema


def full_frame(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    return pd.DataFrame(
        {
            "continuous": rng.normal(50, 20, n),
            "integer": rng.integers(0, 100, n),
            "price": rng.integers(0, 10000, n) / 100,
            "flag": rng.random(n) < 0.5,
            "text": rng.choice(["a", "b", "c"], n),
            "category": pd.Categorical(rng.choice(["x", "y"], n), categories=["z", "y", "x"]),
            "size": pd.Categorical(rng.choice(["lo", "mid", "hi"], n), categories=["lo", "mid", "hi"], ordered=True),
            "day": days,
            "zoned": pd.DatetimeIndex(days).tz_localize("Europe/Paris"),
            "span": pd.to_timedelta(rng.integers(0, 50, n), unit="h"),
            "mixed": rng.choice(np.array([1, "one", 2.5], dtype=object), n),
            "constant": ["k"] * n,
        },
        index=pd.RangeIndex(100, 100 + n),
    )


def hide(frame: pd.DataFrame, share: float = 0.3, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = frame.astype({"integer": "Int64", "flag": "boolean"})
    return frame.mask(rng.random(frame.shape) < share)


def fitted(frame, *, kinds=None, **kwargs) -> TableEncoder:
    table = read_table(frame)
    return TableEncoder(**kwargs).fit(table, infer_schema(table, column_kinds=kinds))


@pytest.mark.parametrize("transform", NUMERIC_TRANSFORMS)
def test_hidden_cells_come_back_from_the_encoding_of_the_full_table(transform):
    full = full_frame().astype({"integer": "Int64", "flag": "boolean"})
    encoder = fitted(full, numeric_transform=transform)
    matrix = encoder.encode(read_table(full))
    assert matrix.values.dtype == np.float32
    assert matrix.values.shape == (60, encoder.width_)
    assert matrix.mask.all()
    holes = hide(full)
    out = encoder.decode(read_table(holes), matrix.values.astype(np.float64))
    assert (out.dtypes == holes.dtypes).all()
    pd.testing.assert_index_equal(out.index, holes.index)
    np.testing.assert_allclose(out["continuous"], full["continuous"], rtol=1e-4)
    pd.testing.assert_frame_equal(out.drop(columns="continuous"), full.drop(columns="continuous"))


def test_hidden_cells_are_zero_and_masked():
    holes = hide(full_frame())
    encoder = fitted(holes)
    encoded = encoder.encode(read_table(holes))
    assert encoded.mask.shape == (60, len(encoder.schema_.encoded))
    for k, (j, span) in enumerate(zip(encoder.schema_.encoded, encoder.spans_, strict=True)):
        np.testing.assert_array_equal(encoded.mask[:, k], holes.iloc[:, j].notna())
        block = encoded.values[:, span.start : span.stop]
        assert (block[~encoded.mask[:, k]] == 0).all()
        if span.kind == "categorical":
            assert (block[encoded.mask[:, k]].sum(axis=1) == 1).all()
    assert encoder.spans_[0].start == 0
    assert all(a.stop == b.start for a, b in zip(encoder.spans_, encoder.spans_[1:], strict=False))


def test_any_output_decodes_to_values_within_the_data():
    holes = hide(full_frame())
    table = read_table(holes)
    encoder = fitted(holes)
    noise = np.random.default_rng(2).normal(0, 1e3, (60, encoder.width_))
    noise[0] = np.nan
    noise[1] = np.inf
    out = encoder.decode(table, noise)
    assert not out.isna().any().any()
    for name in ("continuous", "integer", "price", "day", "zoned", "span"):
        assert out[name].between(holes[name].min(), holes[name].max()).all()
    assert (out["day"] == out["day"].dt.normalize()).all()
    np.testing.assert_array_equal(out["price"], out["price"].round(2))
    assert (out["constant"] == "k").all()
    for name in holes:
        seen = holes[name].notna()
        pd.testing.assert_series_equal(out[name][seen], holes[name][seen], check_exact=True)


def test_rare_levels_share_one_slot():
    frame = pd.DataFrame({"c": [*"aaaabbbccd", None, "q"]})
    encoder = fitted(frame, max_categories=2)
    assert encoder.width_ == 3
    encoded = encoder.encode(read_table(frame))
    assert encoded.values.argmax(axis=1).tolist() == [0] * 4 + [1] * 3 + [2] * 3 + [0, 2]
    assert encoder.decode_column(0, np.eye(3)).tolist() == ["a", "b", "c"]
    out = encoder.decode(read_table(frame), np.tile([0.0, 0.0, 1.0], (12, 1)))
    assert out["c"].tolist() == [*"aaaabbbccd", "c", "q"]


def test_unseen_levels():
    train = pd.DataFrame({"c": ["a", "b", None], "x": [1.0, 2.0, 3.0]})
    new = pd.DataFrame({"c": ["a", "new", None], "x": [1.0, 2.0, np.nan]})
    encoder = fitted(train)
    encoded = encoder.encode(read_table(new))
    assert encoded.mask[:, 0].tolist() == [True, False, False]
    out = encoder.decode(read_table(new), np.tile([0.2, 0.8, 0.0], (3, 1)))
    assert out["c"].tolist() == ["a", "new", "b"]
    strict = fitted(train, unseen_categories="error")
    with pytest.raises(InvalidInputError, match="column 'c' has 'new' in row 1"):
        strict.encode(read_table(new))


def test_a_batch_whose_container_says_less_than_fit_saw_is_extended():
    """The fill is the level that the model means, never another one, and never a gap."""
    encoder = fitted(pd.DataFrame({"c": ["a", "b", "c", "c"], "k": ["only"] * 4, "i": [1, 300, 70_000, 5]}))
    new = pd.DataFrame(
        {
            "c": pd.Categorical([None, "a"], categories=["a", "b"]),
            "k": pd.Categorical([None, "x"], categories=["x"]),
            "i": pd.array([None, 7], dtype="Int8"),
        }
    )
    slots = np.array([[0.1, 0.2, 0.7, 1e6]] * 2)
    out = encoder.decode(read_table(new), slots)
    assert out["c"].tolist() == ["c", "a"]
    assert out["c"].dtype.categories.tolist() == ["a", "b", "c"]
    assert out["k"].tolist() == ["only", "x"]
    assert out["i"].tolist() == [70_000, 7]
    assert str(out["i"].dtype) == "Int32"
    ordered = new.assign(c=new["c"].cat.as_ordered())
    with pytest.raises(InvalidInputError, match=r"column 'c' .* 'c' is not among its ordered categories"):
        encoder.decode(read_table(ordered), slots)


@pytest.mark.parametrize("kind", ["polars", "arrow"])
def test_so_are_other_frames(kind):
    encoder = fitted(pd.DataFrame({"c": ["a", "b", "c", "c"], "i": [1, 300, 70_000, 5]}))
    slots = np.array([[0.1, 0.2, 0.7, 1e6]] * 2)
    if kind == "polars":
        pl = pytest.importorskip("polars")
        new = pl.DataFrame(
            {"c": pl.Series([None, "a"], dtype=pl.Categorical), "i": pl.Series([None, 7], dtype=pl.Int8)}
        )
        out = encoder.decode(read_table(new), slots).to_dict(as_series=False)
        narrow = new.with_columns(c=pl.Series([None, "a"], dtype=pl.Enum(["a", "b"])))
        with pytest.raises(InvalidInputError, match="column 'c'"):
            encoder.decode(read_table(narrow), slots)
    else:
        pa = pytest.importorskip("pyarrow")
        codes = pa.DictionaryArray.from_arrays(pa.array([None, 0], pa.int8()), pa.array(["a", "b"]))
        new = pa.table({"c": codes, "i": pa.array([None, 7], pa.int8())})
        out = encoder.decode(read_table(new), slots).to_pydict()
    assert out == {"c": ["c", "a"], "i": [70_000, 7]}


BEYOND = {
    "one value": [2**53 + 1] * 3,
    "near the end of int64": [2**63 - 1 - k for k in range(3)],
    "near its other end": [-(2**63) + k for k in range(3)],
    "uint64": [2**64 - 1 - k for k in range(3)],
}


@pytest.mark.parametrize("key", BEYOND)
@pytest.mark.parametrize("holder", ["numpy", "nullable", "object", "polars"])
def test_whole_numbers_beyond_what_float64_tells_apart(key, holder):
    """Observed ones come back to the last digit, and no fill leaves their range."""
    values = BEYOND[key]
    whole = "uint64" if max(values) >= 2**63 else "int64"
    if holder == "polars":
        pl = pytest.importorskip("polars")
        frame = pl.DataFrame({"i": pl.Series([*values, None], dtype=pl.UInt64 if whole == "uint64" else pl.Int64)})
    elif holder == "nullable":
        frame = pd.DataFrame({"i": pd.array([*values, None], dtype=whole.replace("i", "I").replace("u", "U"))})
    elif holder == "object":
        frame = pd.DataFrame({"i": pd.Series([*values, None], dtype=object)})
    else:
        frame = np.ma.MaskedArray(np.array([[v] for v in (*values, 0)], dtype=whole), [[False]] * 3 + [[True]])
    table = read_table(frame)
    encoder = fitted(frame)
    slots = encoder.encode(table).values
    for shown in (slots, np.full_like(slots, 1e6), np.full_like(slots, -1e6)):
        out = encoder.decode(table, shown)
        cells = [int(v) for v in (out[:, 0] if holder == "numpy" else out["i"])]
        assert cells[:3] == values
        assert min(values) <= cells[3] <= max(values)
    state = type(encoder).from_state(json.loads(json.dumps(encoder.to_state())))
    assert [int(v) for v in np.asarray(state.decode(table, slots)).ravel()] == [
        int(v) for v in np.asarray(encoder.decode(table, slots)).ravel()
    ]


def test_drawing_follows_the_scores():
    frame = pd.DataFrame({"c": pd.Series(["a", "b"] + [None] * 4000, dtype=object)})
    encoder = fitted(frame)
    scores = np.tile([0.25, 0.75], (4002, 1))
    draws = [encoder.decode(read_table(frame), scores, choose=np.random.default_rng(s))["c"] for s in (0, 0, 1)]
    assert draws[0].equals(draws[1])
    assert not draws[0].equals(draws[2])
    assert abs((draws[0] == "b").mean() - 0.75) < 0.03
    never = encoder.decode_column(0, np.array([[0.0, 1.0], [-5.0, -1.0]]), choose=np.random.default_rng(0))
    assert never.tolist() == ["b", "b"]


def test_empty_and_all_missing_columns():
    train = pd.DataFrame(
        {
            "e": [np.nan] * 3,
            "t": pd.Series([None] * 3, dtype=object),
            "x": [1.0, 2.0, 4.5],
            "d": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
        }
    )
    encoder = fitted(train)
    assert encoder.schema_.encoded == (2, 3)
    new = pd.DataFrame(
        {"e": [np.nan, 1.0], "t": [None, "z"], "x": pd.Series([None, None], dtype=object), "d": [np.nan] * 2}
    )
    out = encoder.decode(read_table(new), np.zeros((2, 2)))
    assert out["e"].tolist() == [0.0, 1.0]
    assert out["t"].isna().tolist() == [True, False]
    assert out["x"].tolist() == pytest.approx([2.5, 2.5])
    assert out["d"].dt.year.tolist() == [2020, 2020]


def test_a_few_rows_of_a_mixed_column_may_be_numbers_only():
    encoder = fitted(pd.DataFrame({"m": pd.Series([1, "one", None, 1], dtype=object)}))
    rows = pd.DataFrame({"m": pd.Series([1, None], dtype=object)})
    encoded = encoder.encode(read_table(rows))
    assert encoded.mask[:, 0].tolist() == [True, False]
    assert encoder.decode(read_table(rows), np.eye(2))["m"].tolist() == [1, "one"]


def test_units_may_differ_between_fit_and_transform():
    days = pd.to_datetime(["2020-01-01", "2020-01-05", "2020-01-09"])
    encoder = fitted(pd.DataFrame({"d": days.as_unit("ns")}))
    new = pd.DataFrame({"d": days.as_unit("s").where([True, True, False])})
    full = encoder.encode(read_table(pd.DataFrame({"d": days.as_unit("ms")})))
    out = encoder.decode(read_table(new), full.values)
    assert out["d"].dtype == new["d"].dtype
    assert out["d"].tolist() == days.tolist()


def test_rounding_is_a_choice_except_for_integer_dtypes():
    frame = pd.DataFrame(
        {"i": pd.array([1, 2, None], dtype="Int64"), "w": [1.0, 2.0, np.nan], "p": [1.25, 2.5, np.nan]}
    )
    free = fitted(frame, numeric_transform="minmax", round_like_observed=False)
    out = free.decode(read_table(frame), np.full((3, 3), 0.3))
    assert out.iloc[2].tolist() == pytest.approx([1, 1.3, 1.625])
    rounded = fitted(frame, numeric_transform="minmax").decode(read_table(frame), np.full((3, 3), 0.3))
    assert rounded.iloc[2].tolist() == [1, 1.0, 1.62]


@pytest.mark.parametrize("kind", ["list", "array", "polars", "pyarrow"])
def test_other_containers(kind):
    cells = [[1.0, 4.5], [2.0, np.nan], [np.nan, 7.25]]
    if kind == "polars":
        native = pytest.importorskip("polars").DataFrame(cells, schema=["a", "b"], orient="row")
    elif kind == "pyarrow":
        native = pytest.importorskip("pyarrow").table({"a": [1.0, 2.0, None], "b": [4.5, None, 7.25]})
    else:
        native = cells if kind == "list" else np.array(cells, dtype=np.float32)
    encoder = fitted(native)
    out = encoder.decode(read_table(native), np.zeros((3, 2)), keep=[1])
    values = out["b"].to_pylist() if kind == "pyarrow" else np.asarray(out).ravel().tolist()
    assert values == pytest.approx([4.5, 5.88, 7.25], abs=0.01)
    if kind == "array":
        assert out.dtype == np.float32


def test_state_round_trip():
    holes = hide(full_frame())
    table = read_table(holes)
    for transform in NUMERIC_TRANSFORMS:
        encoder = fitted(holes, numeric_transform=transform, max_categories=2, kinds={"integer": "ordinal"})
        again = TableEncoder.from_state(json.loads(json.dumps(encoder.to_state(), allow_nan=False)))
        assert again.spans_ == encoder.spans_
        assert again.schema_ == encoder.schema_
        assert again.to_state() == encoder.to_state()
        first, second = encoder.encode(table), again.encode(table)
        np.testing.assert_array_equal(first.values, second.values)
        np.testing.assert_array_equal(first.mask, second.mask)
        noise = np.random.default_rng(0).random((60, encoder.width_))
        pd.testing.assert_frame_equal(encoder.decode(table, noise), again.decode(table, noise))


@given(
    # Of more than eight levels, those seen once share a slot.
    st.lists(st.one_of(st.none(), st.integers(0, 5), st.text(max_size=2), st.booleans()), min_size=3, max_size=8),
    st.lists(st.booleans(), min_size=20, max_size=20),
)
@settings(max_examples=50)
def test_labels_hidden_on_purpose_return(cells, hidden):
    full = pd.DataFrame({"c": pd.Series(cells, dtype=object), "pad": np.arange(len(cells))})
    encoder = fitted(full, kinds={"c": "categorical"})
    holes = full.copy()
    holes.loc[hidden[: len(cells)], "c"] = None
    out = encoder.decode(read_table(holes), encoder.encode(read_table(full)).values)
    for before, after, kept in zip(full["c"], out["c"], holes["c"].notna(), strict=True):
        assert before is None or (before is after if kept else before == after)


@given(st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=20), st.sampled_from(sorted(NUMERIC_TRANSFORMS)))
@settings(max_examples=50)
def test_numbers_hidden_on_purpose_return(cells, transform):
    full = pd.DataFrame({"x": cells, "pad": np.arange(len(cells))})
    encoder = fitted(full, numeric_transform=transform)
    out = encoder.decode(read_table(full.assign(x=np.nan)), encoder.encode(read_table(full)).values)
    np.testing.assert_allclose(out["x"], full["x"], rtol=1e-4, atol=1e-4 * np.ptp(cells) + 1e-12)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"numeric_transform": "log"}, "numeric_transform='log'"),
        ({"max_categories": 0}, "max_categories=0"),
        ({"max_categories": 2.5}, r"max_categories=2\.5"),
        ({"unseen_categories": "ignore"}, "unseen_categories='ignore'"),
    ],
)
def test_bad_parameters_are_refused(kwargs, message):
    with pytest.raises(InvalidParameterError, match=message):
        fitted(full_frame(), **kwargs)


def test_bad_inputs_are_refused():
    frame = full_frame()
    encoder = fitted(frame)
    with pytest.raises(InvalidInputError, match="shape"):
        encoder.decode(read_table(frame), np.zeros((60, 1)))
    with pytest.raises(SchemaMismatchError, match="now missing"):
        encoder.encode(read_table(frame.drop(columns="text")))
    with pytest.raises(InvalidParameterError, match="column 11 is not encoded"):
        encoder.decode_column(11, np.zeros((1, 1)))


def test_near_unique_texts_cost_few_slots():
    frame = pd.DataFrame({"name": [f"name {k}" for k in range(300)], "x": np.arange(300.0)})
    encoder = fitted(frame)
    assert encoder.spans_[0].width == 9, "eight levels and the others"


def test_the_others_speak_with_the_share_of_their_most_frequent_level():
    cells = ["a"] * 40 + ["b"] * 30 + ["c"] * 3 + ["d"] * 2 + ["e"] * 2 + [None]
    frame = pd.DataFrame({"c": pd.Series(cells, dtype=object), "x": np.arange(len(cells))})
    encoder = fitted(frame, max_categories=2)
    likely_other = np.array([[0.3, 0.1, 0.6], [0.05, 0.05, 0.9]])
    assert encoder.decode_column(0, likely_other).tolist() == ["a", "c"]
    drawn = encoder.decode_column(0, np.tile([0.0, 0.0, 1.0], (3000, 1)), choose=np.random.default_rng(0))
    shares = pd.Series(drawn).value_counts(normalize=True)
    np.testing.assert_allclose(shares[["c", "d", "e"]], [3 / 7, 2 / 7, 2 / 7], atol=0.04)


def test_a_repeated_number_of_full_precision_comes_back_to_the_last_bit():
    rng = np.random.default_rng(0)
    pool = rng.normal(size=40) * np.pi
    frame = pd.DataFrame({"a": rng.choice(pool, 300), "b": rng.normal(size=300)})
    encoder = fitted(frame)
    assert encoder.schema_.columns[0].kind == "continuous"
    values = encoder.encode(read_table(frame)).values
    np.testing.assert_array_equal(encoder.decode_column(0, values[:, :1]), frame["a"])
    again = TableEncoder.from_state(encoder.to_state())
    np.testing.assert_array_equal(again.decode_column(0, values[:, :1]), frame["a"])
    free = fitted(frame, round_like_observed=False).decode_column(0, values[:, :1])
    assert (free != frame["a"]).any()
