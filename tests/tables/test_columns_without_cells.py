"""Columns of a batch in which every cell is missing: the fill is what the model means, whatever dtype the batch has."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tabgan import GAINImputer

N = 60
BATCH = 4
MOMENTS = [datetime.datetime(2020, 1, 1, 7) + datetime.timedelta(hours=k) for k in range(N)]


def numbers(kind):
    return np.random.default_rng(0).normal(100, 40, N).round(0 if kind == "int" else 3).astype(kind)


PANDAS = {
    "float": pd.Series(numbers("float64")),
    "whole": pd.Series(numbers("int")).astype("Int16"),
    "huge": pd.Series(2**62 + 1 + 2 * np.arange(N)).astype("Int64"),
    "truth": pd.Series(np.arange(N) % 2 == 0).astype("boolean"),
    "text": pd.Series(list("abc") * 20, dtype="string"),
    "label": pd.Series(list("abc") * 20, dtype="category"),
    "naive": pd.Series(MOMENTS, dtype="datetime64[us]"),
    "zoned": pd.Series(MOMENTS, dtype="datetime64[us, Europe/Zurich]"),
    "span": pd.Series(np.arange(N) * 3_600_000_007, dtype="timedelta64[ns]"),
    "day": pd.Series([moment.date() for moment in MOMENTS], dtype=object),
}
UNIT = pd.Series(pd.to_datetime(MOMENTS)).dt.unit
# Own dtype where it has a place for the fills, else the one that pandas gives to them.
ELSE = {
    "float": "float64",
    "whole": "int64",
    "huge": "int64",
    "truth": "bool",
    "text": pd.Series(["a"]).dtype.name,
    "label": pd.Series(["a"]).dtype.name,
    "naive": f"datetime64[{UNIT}]",
    "zoned": f"datetime64[{UNIT}, Europe/Zurich]",
    "span": "timedelta64[ns]",
    "day": "object",
}
BATCHES = {
    "object": dict.fromkeys(PANDAS, "object"),
    "float64": {"float": "float64", "whole": "float64"},
    "Int64": {"whole": "Int64", "huge": "Int64"},
    "boolean": {"truth": "boolean"},
    "string": {"text": "string", "label": "string"},
    "datetime64[ns]": {"naive": "datetime64[ns]", "day": "datetime64[ns]"},
    "datetime64[s]": {"day": "datetime64[s]"},
    "datetime64[ns, UTC]": {"zoned": "datetime64[ns, UTC]"},
    "timedelta64[ns]": {"span": "timedelta64[ns]"},
    "timedelta64[s]": {},
    "Int8": {},
    "float16": {"float": "float16", "whole": "float16"},
}


def gappy(columns):
    """The columns with some missing cells, and a complete one."""
    missing = np.random.default_rng(1).random(N) < 0.2
    return pd.DataFrame({"x": numbers("float64")} | {name: cells.mask(missing) for name, cells in columns.items()})


def quick():
    return GAINImputer(effort="fast", n_steps=0, draw_steps=0, random_state=0)


@pytest.fixture(scope="module")
def imputer():
    frame = gappy(PANDAS)
    assert {name: frame[name].dtype for name in PANDAS} == {name: PANDAS[name].dtype for name in PANDAS}
    return quick().fit(frame)


def plain(cell):
    """A cell without the type that says how it is kept."""
    if isinstance(cell, datetime.datetime):
        return pd.Timestamp(cell).tz_convert("UTC").tz_localize(None) if cell.tzinfo else pd.Timestamp(cell)
    return pd.Timestamp(cell) if isinstance(cell, datetime.date) else cell


def filled_alike(filled, wanted):
    # Half floats have three digits.
    wanted = [pytest.approx(cell, rel=1e-3) if isinstance(cell, float) else plain(cell) for cell in wanted]
    return list(map(plain, filled)) == wanted


@pytest.mark.parametrize("dtype", BATCHES)
def test_pandas_columns_keep_a_dtype_that_has_a_place_for_the_fills(imputer, dtype):
    x = gappy({})[["x"]].head(BATCH)
    own = x.assign(**{name: pd.Series([None] * BATCH).astype(cells.dtype) for name, cells in PANDAS.items()})
    batch = x.assign(**{name: pd.Series([None] * BATCH, dtype="object").astype(dtype) for name in PANDAS})
    for wanted, filled in (
        (imputer.transform(own), imputer.transform(batch)),
        (imputer.sample(own, 1)[0], imputer.sample(batch, 1)[0]),
    ):
        assert {name: str(kind) for name, kind in wanted.dtypes.items() if name != "x"} == {
            name: str(cells.dtype) for name, cells in PANDAS.items()
        }
        told = {name: str(filled[name].dtype) for name in PANDAS}
        assert told == ELSE | BATCHES[dtype]
        for name in PANDAS:
            assert filled_alike(filled[name].tolist(), wanted[name].tolist()), name


def test_cells_of_objects_have_the_python_type_of_what_fit_saw(imputer):
    batch = gappy({})[["x"]].head(BATCH).assign(**{name: pd.Series([None] * BATCH, dtype=object) for name in PANDAS})
    filled = imputer.transform(batch)
    kinds = {name: type(filled[name].iloc[0]) for name in PANDAS}
    moment, span = pd.Timestamp, pd.Timedelta
    assert list(kinds.values()) == [float, int, int, bool, str, str, moment, moment, span, datetime.date]


POLARS = {
    "float": pl.Series(numbers("float64")),
    "whole": pl.Series(numbers("int"), dtype=pl.Int16),
    "truth": pl.Series(np.arange(N) % 2 == 0),
    "text": pl.Series(list("abc") * 20),
    "label": pl.Series(list("abc") * 20, dtype=pl.Enum(list("abc"))),
    "naive": pl.Series(MOMENTS, dtype=pl.Datetime("us")),
    "zoned": pl.Series(MOMENTS, dtype=pl.Datetime("us")).dt.replace_time_zone("Europe/Zurich"),
    "day": pl.Series([moment.date() for moment in MOMENTS]),
}
# What has a place, by batch; all else comes back as fit saw it, whole numbers as Int64 and levels as texts.
POLARS_BATCHES = {
    pl.Null(): {},
    pl.Float64(): {"float": pl.Float64, "whole": pl.Float64},
    pl.Int8(): {},
    pl.Int16(): {"whole": pl.Int16},
    pl.Boolean(): {},
    pl.String(): {},
    pl.Enum(["z"]): {},
    pl.Datetime("us", "UTC"): {"zoned": pl.Datetime("us", "UTC")},
    pl.Datetime("ms"): {"day": pl.Datetime("ms")},
    pl.Date(): {},
    pl.Decimal(12, 2): {},
}


@pytest.mark.parametrize("arrow", [False, True])
def test_polars_and_arrow_columns_keep_a_dtype_that_has_a_place_for_the_fills(arrow):
    missing = pl.Series(np.random.default_rng(1).random(N) < 0.2)
    frame = pl.DataFrame({"x": numbers("float64")} | POLARS)
    frame = frame.with_columns(*(pl.when(~missing).then(pl.col(name)).alias(name) for name in POLARS))
    convert = (lambda one: one.to_arrow()) if arrow else (lambda one: one)
    imputer = quick().fit(convert(frame))
    nothing = [None] * BATCH
    own = frame.head(BATCH).with_columns(*(pl.Series(name, nothing, dtype=s.dtype) for name, s in POLARS.items()))
    usual = {name: s.dtype for name, s in POLARS.items()} | {"whole": pl.Int64(), "label": pl.String()}
    for dtype, kept in POLARS_BATCHES.items():
        batch = own.with_columns(*(pl.Series(name, nothing, dtype=dtype) for name in POLARS))
        for made in (lambda one: imputer.transform(one), lambda one: imputer.sample(one, 1)[0]):
            wanted, filled = made(convert(own)), made(convert(batch))
            if arrow:
                assert wanted.schema.equals(convert(own).schema)
                wanted, filled = pl.from_arrow(wanted), pl.from_arrow(filled)
            else:
                assert wanted.schema == own.schema
            told = {name: filled[name].dtype for name in POLARS}
            assert told == usual | kept, dtype
            for name in POLARS:
                assert filled_alike(filled[name].to_list(), wanted[name].to_list()), (dtype, name)
