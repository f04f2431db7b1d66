"""Every kind of column that a container can hold: its dtype, what its cells look like, and whether it is refused."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from tests.properties.cells import LABELS, NUMBERS, OBJECTS, TIMES, WHOLES, as_floats, as_times, as_wholes, decimals

__all__ = ["ARROW", "PANDAS", "POLARS", "Kind"]

Gaps = np.ndarray


@dataclass(frozen=True)
class Kind:
    """A kind of column.

    Parameters
    ----------
    build : callable
        ``build(style, rng, n, missing)`` gives the native column; it leaves ``missing`` aside where ``gaps`` is False.
    styles : tuple of str
        Styles of cells that it may have.
    gaps : bool, default=True
        Whether it can hold missing cells.
    refused : frozenset of str, default=frozenset()
        Styles that are refused by the column's name if a cell is observed; ``"*"`` all.
    """

    build: Callable[[str, np.random.Generator, int, Gaps], Any]
    styles: tuple[str, ...]
    gaps: bool = True
    refused: frozenset[str] = field(default_factory=frozenset)


NO_CELLS = frozenset({"infinite", "complex", "list", "dict", "array", "anything", "period"})
"""No finite numbers, no single values, or none that a model file can hold."""

ALL = frozenset({"*"})


def with_none(cells: Any, missing: Gaps) -> list:
    return [None if gap else cell for cell, gap in zip(cells, missing, strict=True)]


def objects(cells: Any, missing: Gaps) -> np.ndarray:
    """Object array, with None where cells are missing; cells that are lists stay one cell."""
    out = np.empty(len(missing), dtype=object)
    for row, cell in enumerate(with_none(cells, missing)):
        out[row] = cell
    return out


def categories(cells: list, missing: Gaps, ordered: bool) -> pd.Series:
    """Categories, one of which no row has."""
    return pd.Series(pd.Categorical(with_none(cells, missing), [*dict.fromkeys(cells), "never"], ordered))


def pandas_kinds() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}

    def floats(dtype: Any, native: Any) -> Kind:
        return Kind(
            lambda style, rng, n, missing: pd.Series(
                with_none(as_floats(style, rng, n, native).tolist(), missing), dtype=dtype
            ),
            tuple(NUMBERS),
            refused=NO_CELLS,
        )

    def wholes(dtype: Any, native: Any, gaps: bool) -> Kind:
        def build(style: str, rng: np.random.Generator, n: int, missing: Gaps) -> pd.Series:
            cells = as_wholes(style, rng, n, native)
            return pd.Series(with_none(cells, missing) if gaps else np.array(cells, dtype=native), dtype=dtype)

        return Kind(build, tuple(WHOLES), gaps)

    def times(dtype: Any, native: str) -> Kind:
        def build(style: str, rng: np.random.Generator, n: int, missing: Gaps) -> pd.Series:
            cells = as_times(style, rng, n, native)
            cells[missing] = "NaT"
            series = pd.Series(cells)
            zone = getattr(dtype, "tz", None)
            if zone is not None:
                return series.dt.tz_localize("UTC").dt.tz_convert(zone)
            return series if dtype is None else series.astype(dtype)

        return Kind(build, tuple(TIMES))

    def labels(dtype: Any) -> Kind:
        return Kind(
            lambda style, rng, n, missing: pd.Series(with_none(LABELS[style](rng, n), missing), dtype=dtype),
            tuple(LABELS),
        )

    kinds["float64"] = floats("float64", np.float64)
    kinds["object"] = Kind(
        lambda style, rng, n, missing: pd.Series(objects(OBJECTS[style](rng, n), missing), dtype=object),
        tuple(OBJECTS),
        refused=NO_CELLS,
    )
    for name in ("float32", "Float32", "Float64"):
        kinds[name] = floats(name, np.dtype(name.lower()).type)
    kinds["float16"] = floats("float16", np.float16)
    for sign in ("int", "uint"):
        for bits in (8, 16, 32, 64):
            native = np.dtype(f"{sign}{bits}").type
            kinds[f"{sign}{bits}"] = wholes(native, native, False)
            nullable = f"{sign}{bits}".replace("i", "I").replace("u", "U")
            kinds[nullable] = wholes(nullable, native, True)
    kinds["int64[pyarrow]"] = wholes(pd.ArrowDtype(pa.int64()), np.int64, True)
    kinds["uint64[pyarrow]"] = wholes(pd.ArrowDtype(pa.uint64()), np.uint64, True)
    kinds["double[pyarrow]"] = floats(pd.ArrowDtype(pa.float64()), np.float64)
    kinds["float[pyarrow]"] = floats(pd.ArrowDtype(pa.float32()), np.float32)
    flags = ("bool", "boolean", "bool[pyarrow]")
    for name in flags:
        dtype: Any = pd.ArrowDtype(pa.bool_()) if "[" in name else name
        kinds[name] = Kind(
            lambda style, rng, n, missing, dtype=dtype: pd.Series(
                (rng.random(n) < 0.4 if dtype == "bool" else with_none((rng.random(n) < 0.4).tolist(), missing)),
                dtype=dtype,
            ),
            ("flags",),
            gaps=name != "bool",
        )
    kinds["string"] = labels("string")
    kinds["str"] = labels(str)
    kinds["string[pyarrow]"] = labels(pd.ArrowDtype(pa.string()))
    kinds["large_string[pyarrow]"] = labels(pd.ArrowDtype(pa.large_string()))
    for name in ("category", "ordered"):
        kinds[name] = Kind(
            lambda style, rng, n, missing, name=name: categories(LABELS[style](rng, n), missing, name == "ordered"),
            tuple(LABELS),
        )
    kinds["category of numbers"] = Kind(
        lambda style, rng, n, missing: pd.Series(
            pd.Categorical(pd.array(with_none(as_wholes(style, rng, n), missing), dtype="Int64"))
        ),
        ("few", "codes", "beyond", "ends"),
    )
    kinds["category of times"] = Kind(
        lambda style, rng, n, missing: pd.Series(pd.Categorical(kinds["datetime64[ns]"].build(style, rng, n, missing))),
        ("days", "two", "constant"),
    )
    for unit in ("ns", "us", "ms", "s"):
        kinds[f"datetime64[{unit}]"] = times(None, f"M8[{unit}]")
        kinds[f"timedelta64[{unit}]"] = times(None, f"m8[{unit}]")
    kinds["datetime64[ns, Berlin]"] = times(pd.DatetimeTZDtype("ns", "Europe/Berlin"), "M8[ns]")
    kinds["datetime64[us, UTC]"] = times(pd.DatetimeTZDtype("us", "UTC"), "M8[us]")
    kinds["timestamp[pyarrow]"] = times(pd.ArrowDtype(pa.timestamp("us")), "M8[us]")
    kinds["duration[pyarrow]"] = times(pd.ArrowDtype(pa.duration("ms")), "m8[ms]")
    kinds["date32[pyarrow]"] = Kind(
        lambda style, rng, n, missing: pd.Series(
            with_none(as_times(style, rng, n, "M8[D]").tolist(), missing), dtype=pd.ArrowDtype(pa.date32())
        ),
        tuple(TIMES),
    )
    kinds["decimal[pyarrow]"] = Kind(
        lambda style, rng, n, missing: pd.Series(
            with_none(decimals(rng, n), missing), dtype=pd.ArrowDtype(pa.decimal128(20, 2))
        ),
        ("cents",),
    )
    kinds["dictionary[pyarrow]"] = Kind(
        lambda style, rng, n, missing: pd.Series(
            pd.arrays.ArrowExtensionArray(
                pa.chunked_array([pa.array(with_none(LABELS[style](rng, n), missing), pa.string()).dictionary_encode()])
            )
        ),
        tuple(LABELS),
    )
    kinds["binary[pyarrow]"] = Kind(
        lambda style, rng, n, missing: pd.Series(
            with_none([text.encode() for text in LABELS[style](rng, n)], missing), dtype=pd.ArrowDtype(pa.binary())
        ),
        tuple(LABELS),
    )
    kinds["Sparse"] = Kind(
        lambda style, rng, n, missing: pd.Series(
            pd.arrays.SparseArray(
                np.where(missing, np.nan, np.asarray(as_floats(style, rng, n))), dtype="Sparse[float64]"
            )
        ),
        tuple(NUMBERS),
        refused=NO_CELLS,
    )
    kinds["Sparse of int"] = Kind(
        lambda style, rng, n, missing: pd.Series(
            pd.arrays.SparseArray(np.array(as_wholes(style, rng, n)), dtype=pd.SparseDtype("int64", 0))
        ),
        ("few", "indicator", "constant"),
        gaps=False,
    )
    kinds["complex128"] = Kind(
        lambda style, rng, n, missing: pd.Series(1j * rng.normal(size=n)), ("complex",), False, ALL
    )
    kinds["period"] = Kind(
        lambda style, rng, n, missing: pd.Series(pd.period_range("2020", periods=n, freq="D")), ("days",), False, ALL
    )
    kinds["interval"] = Kind(
        lambda style, rng, n, missing: pd.Series(pd.interval_range(0, n, n) if n else pd.IntervalIndex([])),
        ("steps",),
        False,
        ALL,
    )
    kinds["category of intervals"] = Kind(
        lambda style, rng, n, missing: pd.Series(pd.cut(np.where(missing, np.nan, rng.random(n)), [0, 0.3, 0.6, 1])),
        ("steps",),
    )
    return kinds


def frame_kinds(build: Callable[[list, Any], Any], types: dict[str, tuple[Any, str]]) -> dict[str, Kind]:
    """Kinds of a container that makes a column of Python cells and a dtype.

    Parameters
    ----------
    build : callable
        Cells (None where missing) and dtype to the native column.
    types : dict of name to (dtype, what)
        ``what`` says which cells go in.
    """
    kinds = {}
    for name, (dtype, what) in types.items():
        styles, cells = CELLS_OF[what.split()[0]]
        rest = what.split()[1:]
        kinds[name] = Kind(
            lambda style, rng, n, missing, dtype=dtype, cells=cells, rest=rest: build(
                with_none(cells(style, rng, n, *rest), missing), dtype
            ),
            styles,
            refused=ALL if what.startswith("refused") else NO_CELLS,
        )
    return kinds


def python_times(style: str, rng: np.random.Generator, n: int, dtype: str) -> list:
    """Times as Python has them, to the microsecond."""
    unit = "D" if dtype == "M8[D]" else "us"
    return as_times(style, rng, n, f"{dtype[:2]}[{unit}]").tolist()


def counted_times(style: str, rng: np.random.Generator, n: int, dtype: str) -> list:
    """Times as whole numbers of the dtype's unit."""
    return as_times(style, rng, n, dtype).astype(np.int64).tolist()


def of_two(first: Any, second: Any) -> Callable[..., list]:
    return lambda style, rng, n, *rest: [(first, second)[k] for k in rng.integers(0, 2, size=n)]


CELLS_OF: dict[str, tuple[tuple[str, ...], Callable[..., list]]] = {
    "floats": (
        tuple(NUMBERS),
        lambda style, rng, n, dtype="float64": as_floats(style, rng, n, np.dtype(dtype).type).tolist(),
    ),
    "wholes": (
        tuple(WHOLES),
        lambda style, rng, n, dtype="int64": as_wholes(style, rng, n, np.dtype(dtype).type),
    ),
    "labels": (tuple(LABELS), lambda style, rng, n: LABELS[style](rng, n)),
    "letters": (("letters", "constant"), lambda style, rng, n: LABELS[style](rng, n)),
    "bytes": (tuple(LABELS), lambda style, rng, n: [text.encode() for text in LABELS[style](rng, n)]),
    "flags": (("flags",), lambda style, rng, n: (rng.random(n) < 0.4).tolist()),
    "times": (tuple(TIMES), python_times),
    "counts": (tuple(TIMES), counted_times),
    "cents": (("cents",), lambda style, rng, n, digits="2": decimals(rng, n, int(digits))),
    "nothing": (("nothing",), lambda style, rng, n: [None] * n),
    "refused-time": (("time",), of_two(datetime.time(1), datetime.time(2))),
    "refused-list": (("list",), of_two([1], [2, 3])),
    "refused-struct": (("struct",), of_two({"a": 1}, {"a": 2})),
}


def polars_column(cells: list, dtype: Any) -> pl.Series:
    if dtype == pl.Enum:
        dtype = pl.Enum(sorted({cell for cell in cells if cell is not None} | {"never"}))
    temporal = isinstance(dtype, pl.Datetime | pl.Duration)
    return pl.Series(cells, dtype=pl.Int64).cast(dtype) if temporal else pl.Series(cells, dtype=dtype, strict=False)


def arrow_column(cells: list, dtype: Any) -> pa.ChunkedArray:
    if pa.types.is_dictionary(dtype):
        return pa.chunked_array([pa.array(cells, dtype.value_type).dictionary_encode().cast(dtype)])
    if pa.types.is_timestamp(dtype) or pa.types.is_duration(dtype):
        return pa.chunked_array([pa.array(cells, pa.int64()).cast(dtype)])
    return pa.chunked_array([pa.array(cells, dtype)])


WHOLE_TYPES = [f"{sign}{bits}" for sign in ("int", "uint") for bits in (8, 16, 32, 64)]

PANDAS = pandas_kinds()
POLARS = frame_kinds(
    polars_column,
    {
        "Float64": (pl.Float64, "floats"),
        "Float32": (pl.Float32, "floats float32"),
        **{
            name: (getattr(pl, name.replace("int", "Int").replace("uInt", "UInt")), f"wholes {name}")
            for name in WHOLE_TYPES
        },
        "Boolean": (pl.Boolean, "flags"),
        "String": (pl.String, "labels"),
        "Categorical": (pl.Categorical(), "labels"),
        "Enum": (pl.Enum, "labels"),
        "Date": (pl.Date, "times M8[D]"),
        **{f"Datetime[{unit}]": (pl.Datetime(unit), f"counts M8[{unit}]") for unit in ("ms", "us", "ns")},
        "Datetime[us, Berlin]": (pl.Datetime("us", "Europe/Berlin"), "counts M8[us]"),
        **{f"Duration[{unit}]": (pl.Duration(unit), f"counts m8[{unit}]") for unit in ("ms", "us", "ns")},
        "Decimal": (pl.Decimal(20, 2), "cents"),
        "Null": (pl.Null, "nothing"),
        "Time": (pl.Time, "refused-time"),
        "List": (pl.List(pl.Int64), "refused-list"),
        "Struct": (pl.Struct({"a": pl.Int64}), "refused-struct"),
    },
)
ARROW = frame_kinds(
    arrow_column,
    {
        "double": (pa.float64(), "floats"),
        "float": (pa.float32(), "floats float32"),
        **{name: (getattr(pa, name)(), f"wholes {name}") for name in WHOLE_TYPES},
        "bool": (pa.bool_(), "flags"),
        "string": (pa.string(), "labels"),
        "large_string": (pa.large_string(), "labels"),
        "dictionary": (pa.dictionary(pa.int32(), pa.string()), "labels"),
        "small dictionary": (pa.dictionary(pa.int8(), pa.string()), "letters"),
        "date32": (pa.date32(), "times M8[D]"),
        **{f"timestamp[{unit}]": (pa.timestamp(unit), f"counts M8[{unit}]") for unit in ("s", "ms", "us", "ns")},
        "timestamp[us, Berlin]": (pa.timestamp("us", "Europe/Berlin"), "counts M8[us]"),
        **{f"duration[{unit}]": (pa.duration(unit), f"counts m8[{unit}]") for unit in ("s", "ms", "us", "ns")},
        "decimal128": (pa.decimal128(20, 2), "cents"),
        "null": (pa.null(), "nothing"),
        "time64": (pa.time64("us"), "refused-time"),
        "list": (pa.list_(pa.int64()), "refused-list"),
        "struct": (pa.struct({"a": pa.int64()}), "refused-struct"),
    },
)
