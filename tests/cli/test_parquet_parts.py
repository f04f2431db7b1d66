"""Parquet files and folders larger than memory: filled some rows at a time, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow", reason="pip install tabgan-learn[parquet]")
import pyarrow.parquet as pq  # noqa: E402

QUICK = ("--effort", "fast", "--device", "cpu", "--batch-rows", 25)


def part(n: int, seed: int) -> object:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    columns = {
        "id": pa.array([f"{seed}-{i}" for i in range(n)]),
        "x": pa.array(x, mask=rng.random(n) < 0.2),
        "y": pa.array((2 * x).astype(np.float32), mask=rng.random(n) < 0.2),
        "n": pa.array(rng.poisson(4, size=n).astype(np.int16), mask=rng.random(n) < 0.2),
        "kind": pa.array(np.where(x > 0, "up", "down"), mask=rng.random(n) < 0.2).dictionary_encode(),
        "day": pa.array(np.datetime64("2024-01-01") + np.round(10 * x).astype(int), mask=rng.random(n) < 0.2),
        "nested": pa.array([[i] for i in range(n)]),
    }
    return pa.table(columns).replace_schema_metadata({"written by": "a test"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "parts"
    source.mkdir()
    for k, n in enumerate((60, 45, 1)):
        pq.write_table(part(n, k), source / f"{k}.parquet")
    return source


def check_filled(before: object, after: object) -> None:
    """Types, metadata and observed cells are as they were, and every missing cell has a value."""
    assert after.schema.equals(before.schema, check_metadata=True)
    for name in before.schema.names:
        assert after[name].null_count == 0, name
        for was, now in zip(before[name].to_pylist(), after[name].to_pylist(), strict=True):
            assert was is None or was == now


def test_a_folder_gets_a_filled_twin(tabgan, folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = tabgan("impute", folder, "-o", tmp_path / "full", "--leave", "id,nested", "--report", report, *QUICK)
    assert result.exit_code == 0, result.output
    assert sorted(file.name for file in (tmp_path / "full").iterdir()) == ["0.parquet", "1.parquet", "2.parquet"]
    n_gaps = 0
    for file in folder.iterdir():
        before = pq.read_table(file)
        check_filled(before, pq.read_table(tmp_path / "full" / file.name))
        n_gaps += sum(before[name].null_count for name in before.schema.names)
    told = json.loads(report.read_text())
    assert (told["n_rows"], told["missing"], told["filled"]) == (106, n_gaps, n_gaps)


def test_how_many_rows_at_a_time_does_not_matter(tabgan, folder: Path, tmp_path: Path) -> None:
    source = folder / "0.parquet"
    for n in (7, 1000):
        result = tabgan(
            "impute", source, "-o", tmp_path / f"{n}.parquet", "--leave", "id,nested", *QUICK[:4], "--batch-rows", n
        )
        assert result.exit_code == 0, result.output
    few, many = (pq.read_table(tmp_path / f"{n}.parquet") for n in (7, 1000))
    for name in ("x", "y"):
        np.testing.assert_allclose(few[name].to_numpy(), many[name].to_numpy(), rtol=1e-5)
    for name in ("n", "kind", "day"):
        assert few[name].to_pylist() == many[name].to_pylist()


def test_a_model_is_kept_and_reused(tabgan, folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.tabgan"
    options = ("--leave", "id,nested", "--model", model, *QUICK)
    assert tabgan("impute", folder, "-o", tmp_path / "full", *options).exit_code == 0
    assert model.exists()
    result = tabgan("impute", folder / "1.parquet", "-o", tmp_path / "again.parquet", *options)
    assert "model reused" in result.output
    one, other = pq.read_table(tmp_path / "again.parquet"), pq.read_table(tmp_path / "full" / "1.parquet")
    assert one["kind"].to_pylist() == other["kind"].to_pylist()
    np.testing.assert_allclose(one["x"].to_numpy(), other["x"].to_numpy(), rtol=1e-5)


def test_only_some_columns(tabgan, folder: Path, tmp_path: Path) -> None:
    source, target = folder / "1.parquet", tmp_path / "x.parquet"
    assert tabgan("impute", source, "-o", target, "--leave", "id,nested", "--only", "x", *QUICK).exit_code == 0
    before, after = pq.read_table(source), pq.read_table(target)
    assert after["x"].null_count == 0
    assert after["y"].null_count == before["y"].null_count > 0


def test_what_fails_late_leaves_nothing(tabgan, folder: Path, tmp_path: Path) -> None:
    bad = part(30, 3).set_column(0, "id", pa.array([b"\xff\xfe"] * 30))
    pq.write_table(part(30, 4).set_column(0, "id", pa.array([b"text"] * 30)), folder / "0.parquet")
    pq.write_table(part(30, 5).set_column(0, "id", pa.array([b"text"] * 30)), folder / "1.parquet")
    pq.write_table(bad, folder / "2.parquet")
    model = tmp_path / "m.tabgan"
    assert (
        tabgan(
            "impute", folder / "0.parquet", "-o", tmp_path / "a.parquet", "--leave", "nested", "--model", model, *QUICK
        ).exit_code
        == 0
    )
    result = tabgan("impute", folder, "-o", tmp_path / "full", "--leave", "nested", "--model", model, *QUICK)
    assert result.exit_code == 2
    assert "2.parquet" in result.output
    assert "row 1 to row 25" in result.output
    assert not (tmp_path / "full").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--leave", "nested", "--sheet", "?"), "--sheet"),
        (("--leave", "nested", "--report", "page.html"), "--report"),
        ((), "nested"),
        (("--leave", "nope"), "nope"),
        (("--leave", "id,nested", "--only", "id"), "--leave and in --only"),
        (("--leave", "id,x,y,n,kind,day,nested"), "no column"),
    ],
)
def test_bad_usage_is_said_before_anything_is_read(tabgan, folder: Path, tmp_path: Path, options, said) -> None:
    result = tabgan("impute", folder, "-o", tmp_path / "full", *options, *QUICK)
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "full").exists()


def test_places_that_cannot_be(tabgan, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    csv = tmp_path / "a.csv"
    csv.write_text("x\n1\n")
    wrong = tmp_path / "wrong.parquet"
    wrong.write_bytes(b"no parquet")
    calls = {
        (folder, folder): "the input folder itself",
        (folder, tmp_path / "file"): "is a file, but the input is a folder or pattern",
        (folder, tmp_path / "no" / "full"): "does not exist",
        (tmp_path / "empty", tmp_path / "full"): "without a file that is read in parts",
        (csv, tmp_path / "b.parquet"): "is parquet, but",
        ("-", tmp_path / "b.parquet"): "read twice",
        (folder / "0.parquet", "-"): "'-' is no file",
        (wrong, tmp_path / "b.parquet"): "not a readable Parquet file",
        (tmp_path / "absent.parquet", tmp_path / "b.parquet"): "absent.parquet",
    }
    for (source, target), said in calls.items():
        result = tabgan("impute", source, "-o", target, *QUICK)
        assert result.exit_code == 2, (source, result.output)
        assert said in result.output.replace("\n", " ")


def test_files_of_other_columns_are_named(tabgan, folder: Path, tmp_path: Path) -> None:
    pq.write_table(part(30, 3).set_column(1, "x", pa.array(np.arange(30))), folder / "1.parquet")
    result = tabgan("impute", folder, "-o", tmp_path / "full", "--leave", "nested", *QUICK)
    assert result.exit_code == 2
    assert "1.parquet" in result.output
    assert "'x' is int64, not double" in result.output


@pytest.mark.parametrize("options", [("--batch-rows", 25), ()])
@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_fills_that_a_dictionary_does_not_hold_are_added_to_it(tabgan, tmp_path: Path, suffix: str, options) -> None:
    import pyarrow.feather as feather

    tables = [part(60, 0).drop_columns(["nested"])]
    up = [None if level == "down" else level for level in tables[0]["kind"].to_pylist()]
    tables.append(tables[0].set_column(4, "kind", pa.array(up).dictionary_encode()))
    write, read = (
        (pq.write_table, pq.read_table) if suffix == "parquet" else (feather.write_feather, feather.read_table)
    )
    sources = [tmp_path / f"{k}.{suffix}" for k in range(2)]
    for table, source in zip(tables, sources, strict=True):
        write(table, source)
    model, quick = tmp_path / "m.tabgan", ("--leave", "id", *QUICK[:4])
    assert tabgan("impute", sources[0], "-o", tmp_path / f"a.{suffix}", "--model", model, *quick).exit_code == 0
    result = tabgan("impute", sources[1], "-o", tmp_path / f"b.{suffix}", "--model", model, *quick, *options)
    assert result.exit_code == 0, result.output
    filled = read(tmp_path / f"b.{suffix}")
    assert filled["kind"].null_count == 0
    assert "down" in filled["kind"].to_pylist()
