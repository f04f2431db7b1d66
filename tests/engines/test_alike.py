"""Batches are one table: what their columns hold is the same, or refused by name; hard files are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer, fit_batches, transform_batches
from tabgan.engines.batches import batches_of, joined
from tabgan.engines.row_sample import RowSample
from tabgan.exceptions import InvalidInputError

QUICK = {"n_steps": 0, "n_trees": 0, "n_boosts": 0, "n_references": 0, "n_donor_trees": 2, "random_state": 0}
ZONE = "Europe/Berlin"


def table(n: int = 60, start: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(start)
    x = rng.normal(size=n).round(2)
    frame = pd.DataFrame({"id": np.arange(start, start + n), "x": x, "kind": np.where(x > 0, "up", "down")})
    return frame.mask(rng.random(frame.shape) < [0, 0.2, 0.2])


def as_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def as_arrow(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pandas(frame, preserve_index=False)


def as_polars(frame: pd.DataFrame) -> Any:
    pl = pytest.importorskip("polars")
    return pl.from_arrow(as_arrow(frame)).with_columns(pl.col(pl.Null).cast(pl.String))  # as from_pandas has them


CONTAINERS = [as_pandas, as_arrow, as_polars]
TIMES = pd.Series(pd.date_range("2024-01-01", periods=60, freq="h"))
OTHERS = {
    "text": (table(), table(60, 60).assign(x="oops"), "'x' holds text in batch 1, but numbers in batch 0"),
    "booleans": (
        table().assign(f=np.arange(60) % 2 == 0),
        table(60, 60).assign(f=np.arange(60)),
        "'f' holds numbers in batch 1, but booleans",
    ),
    "zones": (
        table().assign(t=TIMES.dt.tz_localize(ZONE)),
        table(60, 60).assign(t=TIMES.dt.tz_localize("UTC")),
        f"'t' holds times in the zone UTC in batch 1, but times in the zone {ZONE}",
    ),
    "no zone": (
        table().assign(t=TIMES.dt.tz_localize(ZONE)),
        table(60, 60).assign(t=TIMES),
        "'t' holds times without a zone in batch 1",
    ),
}


@pytest.mark.parametrize("convert", CONTAINERS)
@pytest.mark.parametrize("which", OTHERS)
def test_columns_that_hold_something_else_are_refused_by_name(which: str, convert: Callable) -> None:
    first, second, words = OTHERS[which]
    with pytest.raises(InvalidInputError, match=words):
        fit_batches(GAINImputer(**QUICK), [convert(first), convert(second)], keys="id")


def test_where_no_batch_is_numbered_the_column_is_named() -> None:
    first, second, _ = OTHERS["text"]
    with pytest.raises(InvalidInputError, match=r"column 'x' holds numbers in some rows, and text in others"):
        joined([as_arrow(first), as_arrow(second)])


def test_categories_of_numbers_are_no_numbers() -> None:
    first = table().assign(c=pd.Categorical([1, 2] * 30))
    with pytest.raises(InvalidInputError, match="'c' holds numbers in batch 1, but categories of numbers"):
        fit_batches(GAINImputer(**QUICK), [first, table(60, 60).assign(c=1)], keys="id")


def test_batches_of_several_libraries_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="batch 1 is an Arrow table, but batch 0 is a pandas DataFrame"):
        fit_batches(GAINImputer(**QUICK), [table(), as_arrow(table(60, 60))], keys="id")
    with pytest.raises(InvalidInputError, match="holds text in batch 1"):
        fit_batches(GAINImputer(**QUICK), [np.zeros((5, 2)), np.array([["a", "b"]] * 5)])


@pytest.mark.parametrize("convert", CONTAINERS)
@pytest.mark.parametrize("empty", [{"kind": None}, {"kind": np.nan}, {"x": None}])
def test_columns_without_cells_are_of_any_kind(empty: dict, convert: Callable) -> None:
    blank, other = convert(table().assign(**empty)), convert(table(60, 60))
    for batches in ([blank, other], [other, blank]):
        imputer = fit_batches(GAINImputer(**QUICK), batches, keys="id")
        families = {column.name: column.family for column in imputer.schema_.columns}
        assert families == {"x": "number", "kind": "text"}
        for filled in transform_batches(imputer, batches, keys="id"):
            missing = filled.null_count() if hasattr(filled, "null_count") else filled
            assert len(filled) == 60
            if isinstance(missing, pd.DataFrame):
                assert not missing.isna().any(axis=None)


def test_dictionaries_and_plain_labels_are_joined() -> None:
    pa = pytest.importorskip("pyarrow")
    coded = as_arrow(table().astype({"kind": "category"}))
    found = joined([coded, as_arrow(table(60, 60))])
    assert found["kind"].to_pylist() == [*coded["kind"].to_pylist(), *as_arrow(table(60, 60))["kind"].to_pylist()]
    halves = [as_arrow(pd.DataFrame({"kind": pd.Categorical([level] * 3)})) for level in ("up", "down")]
    assert pa.types.is_dictionary(joined(halves).schema.field("kind").type)
    imputer = fit_batches(GAINImputer(**QUICK), [coded, as_arrow(table(60, 60))], keys="id")
    assert all(
        sum(part[c].null_count for c in ("x", "kind")) == 0 for part in transform_batches(imputer, coded, keys="id")
    )


def test_enums_of_other_levels_are_joined() -> None:
    pl = pytest.importorskip("polars")
    parts = [
        pl.DataFrame({"kind": ["up", "down", None] * 20, "x": np.arange(60.0)}).with_columns(
            pl.col("kind").cast(pl.Enum(levels))
        )
        for levels in (["up", "down"], ["down", "side", "up"])
    ]
    imputer = fit_batches(GAINImputer(**QUICK), parts)
    assert [part["kind"].null_count() for part in transform_batches(imputer, parts)] == [0, 0]


@pytest.mark.parametrize("convert", CONTAINERS)
def test_a_cell_that_cannot_be_learnt_from_is_named_with_its_batch_and_row(convert: Callable) -> None:
    bad = table(60, 60)
    bad.loc[17, "x"] = np.inf
    parts = [convert(table().iloc[:0]), convert(table()), convert(bad)]
    with pytest.raises(InvalidInputError, match="batch 2: column 'x' has inf in row 17"):
        fit_batches(GAINImputer(**QUICK), parts, n_rows=10, keys="id")
    sample = RowSample(100, 0)
    sample.add(convert(bad), np.arange(60, dtype=np.uint64))
    with pytest.raises(InvalidInputError, match=r"^column 'x' has inf in row 17"):
        sample.table()


@pytest.mark.parametrize("names", [[0, 1, 2], pd.MultiIndex.from_product([["a"], ["id", "x", "kind"]])])
def test_keys_may_have_any_name(names: Any) -> None:
    frame = table().set_axis(names, axis=1).set_axis([0] * 60)
    key = frame.columns[0]
    imputer = fit_batches(GAINImputer(**QUICK), [frame], keys=[key])
    (filled,) = transform_batches(imputer, [frame], keys=[key])
    pd.testing.assert_series_equal(filled[key], frame[key])
    assert list(filled.columns) == list(frame.columns)
    assert not filled.isna().any(axis=None)


def test_what_cannot_be_a_key_is_refused() -> None:
    lists = as_arrow(table().assign(at=[[1, 2]] * 60))
    with pytest.raises(InvalidInputError, match=r"keys=\['id', 'at'\] holds lists"):
        fit_batches(GAINImputer(**QUICK), lists, keys=["id", "at"])
    with pytest.raises(InvalidInputError, match=r"\['x'\] appear more than once"):
        fit_batches(GAINImputer(**QUICK), [table().rename(columns={"kind": "x"})], keys="id")
    with pytest.raises(InvalidInputError, match="'at' has dtype list"):
        fit_batches(GAINImputer(**QUICK), lists, keys="id")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files with no row, without a column, with its columns in another order, and with row groups of several sizes."""
    pq = pytest.importorskip("pyarrow.parquet")
    coded = table().astype({"kind": "category"})
    pq.write_table(as_arrow(coded), tmp_path / "0.parquet", row_group_size=25)
    pq.write_table(as_arrow(coded.iloc[:0]), tmp_path / "1.parquet")
    pq.write_table(as_arrow(table(60, 60)[["id", "x"]]), tmp_path / "2.parquet")
    pq.write_table(as_arrow(table(60, 120).astype({"kind": "category"})[["kind", "id", "x"]]), tmp_path / "3.parquet")
    return tmp_path


def test_hard_files_are_read(folder: Path) -> None:
    ds = pytest.importorskip("pyarrow.dataset")
    source = ds.dataset(folder)
    imputer = fit_batches(GAINImputer(**QUICK), source, keys="id")
    filled = list(transform_batches(imputer, source, keys="id"))
    assert [row for part in filled for row in part["id"].to_pylist()] == list(range(180))
    assert all(part.schema.names == ["id", "x", "kind"] for part in filled)
    assert sum(part[name].null_count for part in filled for name in ("x", "kind")) == 0


def test_a_file_that_a_dataset_cannot_read_is_named(tmp_path: Path) -> None:
    pa, ds = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.dataset")
    pq = pytest.importorskip("pyarrow.parquet")
    for name, cells in (("a", pa.nulls(3)), ("b", pa.array(["u", "v", None]))):
        pq.write_table(pa.table({"y": [1.0, 2.5, None], "x": cells}), tmp_path / f"{name}.parquet")
    table = ds.dataset(tmp_path)
    words = r"the file '.*b\.parquet' cannot be read as the rest: column 'x' is string there, but null in the dataset.*schema="
    with pytest.raises(InvalidInputError, match=words):
        list(batches_of(table))
    whole = ds.dataset(tmp_path, schema=pa.schema([("y", pa.float64()), ("x", pa.string())]))
    assert [len(batch) for _, batch in batches_of(whole)] == [3, 3]


def test_datasets_are_read_row_group_by_row_group(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ds = pytest.importorskip("pyarrow.dataset")
    monkeypatch.setattr("tabgan.engines.batches._MOST_ROWS", 50)
    source = ds.dataset(folder)
    whole = source.to_table()
    found = [batch for _, batch in batches_of(source)]
    assert [len(batch) for batch in found][:2] == [50, 10]
    assert max(len(batch) for batch in found) <= 60
    assert [row for batch in found for row in batch["kind"].to_pylist()] == whole["kind"].to_pylist()
    some = source.filter(ds.field("id") >= 100)
    assert sum(len(batch) for _, batch in batches_of(some)) == 80
    assert [len(batch) for _, batch in batches_of(whole.combine_chunks())][:1] == [50]
