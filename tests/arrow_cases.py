"""Columns of all Arrow types that the installed pyarrow has, with two missing cells each: the filled types and the refused ones."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

N, GAPS = 30, (3, 17)
DAYS = [datetime.date(2024, 1, 1 + k % 28) for k in range(N)]
MOMENTS = [datetime.datetime(2024, 1, 1 + k % 28, k % 24) for k in range(N)]
UNITS = ("s", "ms", "us", "ns")


def column(cells: list[Any], kind: Any) -> Any:
    """The cells over and over, with gaps."""
    return pa.array([None if k in GAPS else cells[k % len(cells)] for k in range(N)], type=kind)


def known(*names: str) -> list[Any]:
    """Types without parameters, those that this pyarrow knows."""
    return [getattr(pa, name)() for name in names if hasattr(pa, name)]


def extension(kind: Any, storage: Any) -> Any:
    return pa.ExtensionArray.from_storage(kind, storage)


def filled() -> dict[str, Any]:
    """Types whose columns come back filled and of the same type."""
    numbers = known("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    found = {str(kind): column(list(range(1, 21)), kind) for kind in numbers}
    found["uint64 at its end"] = column([2**64 - 1 - k for k in range(20)], pa.uint64())
    found["int64 at its end"] = column([-(2**63) + k for k in range(20)], pa.int64())
    found["halffloat"] = column([np.float16(k / 2) for k in range(20)], pa.float16())
    for kind in known("float32", "float64"):
        found[str(kind)] = column([k / 2 for k in range(20)], kind)
    for name, digits, scale in (
        ("decimal32", 5, 2),
        ("decimal64", 15, 2),
        ("decimal128", 38, 10),
        ("decimal256", 50, 3),
    ):
        if hasattr(pa, name):
            cells = [Decimal(99900 + 5 * k).scaleb(-2) for k in range(20)]
            found[name] = column(cells, getattr(pa, name)(digits, scale))
    found["bool"] = column([True, False, True], pa.bool_())
    for kind in known("string", "large_string"):
        found[str(kind)] = column(["a", "b", "c"], kind)
    for kind in (pa.binary(), pa.large_binary(), pa.binary(2)):
        found[str(kind)] = column([b"aa", b"bb", b"cc"], kind)
    found["date32"], found["date64"] = column(DAYS, pa.date32()), column(DAYS, pa.date64())
    for unit in UNITS:
        found[f"timestamp {unit}"] = column(MOMENTS, pa.timestamp(unit))
        found[f"zoned {unit}"] = column(MOMENTS, pa.timestamp(unit, tz="Europe/Zurich"))
        found[f"offset {unit}"] = column(MOMENTS, pa.timestamp(unit, tz="+02:00"))
        found[f"duration {unit}"] = column([datetime.timedelta(hours=k) for k in range(20)], pa.duration(unit))
    labels = column(["S", "M", "L"], pa.string())
    found["dictionary"] = labels.dictionary_encode()
    found["dictionary of few bits"] = labels.dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string()))
    found["dictionary of large strings"] = labels.cast(pa.large_string()).dictionary_encode()
    codes = column([0, 1, 2], pa.int8())
    found["ordered dictionary"] = pa.DictionaryArray.from_arrays(codes, pa.array(["S", "M", "L"]), ordered=True)
    found["dictionary of numbers"] = column([10, 20, 30], pa.int64()).dictionary_encode()
    found["dictionary of bytes"] = column([b"a", b"b"], pa.binary()).dictionary_encode()
    if hasattr(pa, "uuid"):
        found["uuid"] = extension(pa.uuid(), column([uuid.UUID(int=k).bytes for k in range(3)], pa.binary(16)))
    if hasattr(pa, "json_"):
        found["json"] = extension(pa.json_(pa.string()), column(['{"a":1}', '{"a":2}'], pa.string()))
    return found


def of_moments() -> dict[str, Any]:
    """Dictionaries of what is seldom put into one: filled in files and Arrow tables, refused in pandas frames."""
    cells = column([Decimal("1.5"), Decimal("2.5")], pa.decimal128(5, 1))
    return {
        "dictionary of dates": column(DAYS, pa.date32()).dictionary_encode(),
        "dictionary of moments": column(MOMENTS, pa.timestamp("us")).dictionary_encode(),
        "dictionary of decimals": cells.dictionary_encode(),
    }


def views() -> dict[str, Any]:
    """Views, as polars writes them: filled in files, refused by the estimators."""
    found = {}
    if hasattr(pa, "string_view"):
        found["string_view"] = column(["a", "b", "c"], pa.string_view())
        found["binary_view"] = column([b"a", b"b", b"c"], pa.binary_view())
        codes = column([0, 1, 2], pa.uint32())
        found["dictionary of views"] = pa.DictionaryArray.from_arrays(
            codes, pa.array(["a", "b", "c"], pa.string_view())
        )
    return found


def refused() -> dict[str, Any]:
    """Types that no model column stands for."""
    found = {}
    times = [datetime.time(k % 24, k % 60) for k in range(20)]
    for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")):
        found[str(kind)] = column(times, kind)
    found["interval"] = column([(1, 2, 3), (0, 1, 5)], pa.month_day_nano_interval())
    found["negative scale"] = column([Decimal(100 * k) for k in range(9)], pa.decimal128(10, -2))
    numbers = pa.int64()
    for kind in (pa.list_(numbers), pa.large_list(numbers), pa.list_(numbers, 2)):
        found[str(kind)] = column([[1, 2], [3, 4]], kind)
    for name in ("list_view", "large_list_view"):
        if hasattr(pa, name):
            found[name] = column([[1, 2], [3]], getattr(pa, name)(numbers))
    found["struct"] = column([{"a": 1}, {"a": 2}], pa.struct([("a", numbers)]))
    found["map"] = column([[("a", 1)]], pa.map_(pa.string(), numbers))
    kinds, parts = pa.array([k % 2 for k in range(N)], pa.int8()), [pa.array(range(N)), pa.array(["a"] * N)]
    found["sparse union"] = pa.UnionArray.from_sparse(kinds, parts)
    found["dense union"] = pa.UnionArray.from_dense(kinds, pa.array(range(N), pa.int32()), parts)
    ends = pa.array([10, 20, N], pa.int32())
    found["run ends"] = pa.RunEndEncodedArray.from_arrays(ends, pa.array([1, None, 3]))
    found["run ends of text"] = pa.RunEndEncodedArray.from_arrays(ends, pa.array(["a", None, "b"]))
    codes = pa.array([k % 3 for k in range(N)], pa.int8())
    found["null in a dictionary"] = pa.DictionaryArray.from_arrays(codes, pa.array(["S", None, "L"]))
    if hasattr(pa, "fixed_shape_tensor"):
        kind = pa.fixed_shape_tensor(pa.int32(), [2])
        found["tensor"] = extension(kind, column([[0, 1], [1, 2]], pa.list_(pa.int32(), 2)))
    if hasattr(pa, "bool8"):
        found["bool8"] = extension(pa.bool8(), column([0, 1], pa.int8()))
        found["opaque"] = extension(pa.opaque(pa.int32(), "type", "vendor"), column([0, 1], pa.int32()))
    return found
