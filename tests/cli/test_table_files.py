"""Files come back as they were read, but for the cells that were filled."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan.cli.files.sources import place_of
from tabgan.cli.files.table_files import ReadOptions, open_table
from tabgan.exceptions import InvalidInputError

NASTY = (
    '\ufeffname,"a ""quoted"" head",code,price,when,text,science\r\n'
    '"Doe, Jane",1.50,007,12345678901234567890,2024-01-31,"two\r\nlines",1e3\r\n'
    "Zoë,2.0,08,3,2024-02-29, padded ,-2.5E-1\r\n"
    "\r\n"
    "日本,NA,010,,,'single',\r\n"
    '"",10.25,"011",0,2023-12-01,"",+4e0'
)


def opened(text: str | bytes, path: Path, **options: object):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_table(place_of(str(path), None, "INPUT"), ReadOptions(**options))


def dumped(table, fills: dict[str, dict[int, object]]) -> bytes:
    series = {name: pd.Series(cells) for name, cells in fills.items()}
    return table.dumped(series, table.place)


def test_csv_without_fills_is_identical_to_the_byte(tmp_path):
    table = opened(NASTY, tmp_path / "nasty.csv")
    table.frame(table.names)
    assert dumped(table, {}) == NASTY.encode()


def test_csv_changes_in_its_gaps_only(tmp_path):
    table = opened(NASTY, tmp_path / "nasty.csv")
    frame = table.frame(table.names)
    assert table.names[:2] == ["name", 'a "quoted" head']
    assert frame["code"].tolist() == ["007", "08", "010", "011"]
    assert frame["when"].dtype.kind == "M"
    assert frame.isna().sum().tolist() == [1, 1, 0, 1, 1, 1, 1]
    out = dumped(
        table,
        {
            "name": {3: 'a "b", c'},
            'a "quoted" head': {2: 3.14159},
            "price": {2: 77.0},
            "when": {2: pd.Timestamp("2024-03-01")},
            "text": {3: "plain"},
            "science": {2: 1234.5678},
        },
    ).decode()
    expected = NASTY.replace("日本,NA,010,,,'single',", "日本,3.14,010,77,2024-03-01,'single',1.2e+03")
    expected = expected.replace('\r\n"",10.25', '\r\n"a ""b"", c",10.25').replace(
        '0,2023-12-01,""', '0,2023-12-01,"plain"'
    )
    assert out == expected


@pytest.mark.parametrize(
    ("cells", "value", "expected"),
    [
        (["1.50", "2.25"], 3.1, "3.10"),
        (["1.5", "2.25"], 3.1, "3.1"),
        (["1", "2.25"], 3.001, "3"),
        (["1.0", "2.0"], 3.04, "3.0"),
        (["-1.0", "2.0"], -0.001, "0.0"),
        (["1", "20"], 3.0, "3"),
        (["99999999999999999999", "1"], 3.2, "3"),
        (["2024-01-01T10:00:00Z", "2024-01-02T10:00:30Z"], pd.Timestamp("2024-01-01 11:00:01"), "2024-01-01T11:00:01Z"),
        (
            ["2024-01-01 10:00:00.25", "2024-01-02 10:00:30.50"],
            pd.Timestamp("2024-01-01 11:00"),
            "2024-01-01 11:00:00.00",
        ),
        (["2024-01-01 10:00+02:00"], pd.Timestamp("2024-01-01 11:00"), "2024-01-01 11:00+02:00"),
        (["yes", "no"], "yes", "yes"),
    ],
)
def test_fills_are_written_like_the_observed_cells(tmp_path, cells, value, expected):
    table = opened(
        "\n".join(["k,a", *(f"{k},{cell}" for k, cell in enumerate(cells)), "9,"]) + "\n", tmp_path / "t.csv"
    )
    table.frame(table.names)
    assert dumped(table, {"a": {len(cells): value}}).decode().splitlines()[-1] == f"9,{expected}"


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-01", "2024-01-02 10:00"],
        ["2024-13-01"],
        ["007"],
        ["03/04/2020", "05/06/2020"],
        ["35,049", "3,908"],
    ],
)
def test_no_single_format_means_text(tmp_path, cells):
    lines = [f'{k},"{cell}"' for k, cell in enumerate(cells)]
    table = opened("\n".join(["k,a", *lines]) + "\n", tmp_path / "t.csv")
    assert table.frame(["a"])["a"].tolist() == cells


def test_only_the_markers_count(tmp_path):
    text = "a,b\nNA,1\n?,2\nnone,3\nNone,4\n-999,-999\n"
    assert opened(text, tmp_path / "t.csv").column("a").isna().tolist() == [True, False, False, True, False]
    options = {"missing": ("?", "-999"), "default_markers": False}
    table = opened(text, tmp_path / "t.csv", **options)
    assert table.column("a").isna().tolist() == [False, True, False, False, True]
    assert table.column("b").isna().tolist() == [False] * 4 + [True]


def test_a_marker_nobody_named_is_pointed_out(tmp_path):
    table = opened("a,b\n1,x\n2,?\n3,y\n4,z\nunknown,x\n5,y\n6,x\n", tmp_path / "t.csv")
    table.frame(table.names)
    assert "line 6" in table.hints[0]
    assert "--missing 'unknown'" in table.hints[0]
    assert "--missing '?'" in table.hints[1]


def test_blank_lines_of_a_single_column_are_cells(tmp_path):
    table = opened("a\n1\n\n3\n\n", tmp_path / "t.csv")
    assert table.column("a").isna().tolist() == [False, True, False]
    assert dumped(table, {"a": {1: 2}}) == b"a\n1\n2\n3\n\n"


def test_blanks_after_delimiters_stay(tmp_path):
    table = opened(
        "39, State-gov, ?\n50, ?, Male\n38, Private, Female\n\n", tmp_path / "t.csv", header=False, missing=("?",)
    )
    assert table.names == ["1", "2", "3"]
    assert table.frame(table.names)["2"].tolist()[0] == "State-gov"
    assert (
        dumped(table, {"2": {1: "Private"}, "3": {0: "Male"}})
        .decode()
        .startswith("39, State-gov, Male\n50, Private, Male")
    )


@pytest.mark.parametrize(("name", "delimiter"), [("t.tsv", "\t"), ("t.csv", ";"), ("t.tsv.gz", "\t")])
def test_delimiters_and_compression(tmp_path, name, delimiter):
    text = delimiter.join("ab") + "\n" + delimiter.join(["1", "x,y"]) + "\n" + delimiter.join(["", "z"]) + "\n"
    data = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    table = opened(data, tmp_path / name, delimiter=delimiter)
    table.frame(table.names)
    assert dumped(table, {"a": {1: 2}}).decode() == text.replace(delimiter.join(["", "z"]), delimiter.join(["2", "z"]))


JSON_LINES = (
    '{"b": 1, "a": 1.50, "s": "\\u00e9x", "t": true, "big": 12345678901234567890}\n'
    '{"a":null,"b":2 , "s":"y"}\n'
    "\n"
    '{"b": null, "a": 1e3, "s": null, "t": false, "new": "2024-01-05"}'
)


def test_json_lines_change_in_their_gaps_only(tmp_path):
    table = opened(JSON_LINES, tmp_path / "t.ndjson")
    frame = table.frame(table.names)
    assert table.names == ["b", "a", "s", "t", "big", "new"]
    assert dumped(table, {}) == JSON_LINES.encode()
    assert frame["b"].dtype == "Int64"
    assert frame["new"].dtype.kind == "M"
    fills = {"a": {1: 2.5}, "t": {1: True}, "b": {2: 3.0}, "new": {0: pd.Timestamp("2024-02-01")}}
    out = dumped(table, fills).decode()
    lines = JSON_LINES.split("\n")
    assert out.split("\n")[0] == lines[0][:-1] + ', "new": "2024-02-01"}'
    assert json.loads(out.split("\n")[1]) == {"a": 2.5, "b": 2, "s": "y", "t": True}
    assert out.split("\n")[3] == lines[3].replace('"b": null', '"b": 3')


def test_json_cells_of_mixed_kinds_are_kept(tmp_path):
    table = opened('{"a": 1, "b": "x"}\n{"a": "1"}\n{"a": -999, "b": ""}\n', tmp_path / "t.jsonl", missing=("-999",))
    assert table.column("a").tolist()[:2] == [1, "1"]
    assert table.column("a").isna().tolist() == [False, False, True]
    assert table.column("b").isna().tolist() == [False, True, False]


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_columnar_files_keep_types_and_metadata(tmp_path, kind):
    pa = pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {
            "small": pd.array([1, None, 3], dtype="Int8"),
            "f32": np.array([0.1, np.nan, 2], dtype="float32"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "label": pd.Categorical(["x", None, "y"], categories=["y", "x", "unused"], ordered=True),
            "zoned": pd.to_datetime(["2024-01-01", None, "2024-01-03"]).tz_localize("Europe/Berlin"),
        },
        index=pd.Index(["r1", "r2", "r3"], name="row"),
    )
    path = tmp_path / f"t.{kind}"
    table = pa.Table.from_pandas(frame).replace_schema_metadata(pa.Table.from_pandas(frame).schema.metadata)
    from tabgan.cli.files.columnar import write_arrow

    path.write_bytes(write_arrow(table, kind))
    source = open_table(place_of(str(path), None, "INPUT"), ReadOptions())
    assert source.index_names == {"row"}
    read = source.frame(["small", "f32", "flag", "label", "zoned"])
    assert read.isna().sum().tolist() == [1] * 5
    assert list(read["label"].cat.categories) == ["y", "x", "unused"]
    fills = {
        "small": 2,
        "f32": np.float32(7.5),
        "flag": True,
        "label": "y",
        "zoned": pd.Timestamp("2024-01-02", tz="Europe/Berlin"),
    }
    data = dumped(source, {name: {1: value} for name, value in fills.items()})
    back = pa.parquet.read_table(io.BytesIO(data)) if kind == "parquet" else pa.ipc.open_file(data).read_all()
    # Parquet itself reads dictionaries of large strings back as strings: compare with the file, as read.
    assert back.schema.equals(source._table.schema, check_metadata=True)
    assert back.schema.metadata == table.schema.metadata
    expected = frame.copy()
    for name, value in fills.items():
        expected.loc["r2", name] = value
    pd.testing.assert_frame_equal(back.to_pandas(), expected)


@pytest.mark.parametrize("target", ["csv", "tsv", "jsonl", "parquet", "feather"])
@pytest.mark.parametrize("source", ["csv", "tsv", "jsonl", "parquet", "feather"])
def test_every_format_becomes_every_other(tmp_path, gappy, source, target):
    pytest.importorskip("pyarrow")
    from tabgan.cli.files.columnar import write_arrow

    if source in ("csv", "tsv"):
        data = gappy.to_csv(index=False, sep="," if source == "csv" else "\t").encode()
    elif source == "jsonl":
        data = gappy.assign(day=gappy["day"].dt.strftime("%Y-%m-%d")).to_json(orient="records", lines=True).encode()
    else:
        data = write_arrow(gappy, source)
    table = opened(data, tmp_path / f"t.{source}")
    frame = table.frame(table.names)
    out = tmp_path / f"out.{target}"
    out.write_bytes(table.dumped({}, place_of(str(out), None, "--output")))
    again = open_table(place_of(str(out), None, "INPUT"), ReadOptions()).frame(table.names)
    assert (again.isna().to_numpy() == gappy.isna().to_numpy()).all()
    for name in ("id", "size", "count"):
        np.testing.assert_array_equal(*(f[name].to_numpy(float, na_value=np.nan) for f in (again, gappy)))
    assert again["colour"].dropna().tolist() == frame["colour"].dropna().tolist()
    assert pd.to_datetime(again["day"]).dropna().tolist() == gappy["day"].dropna().tolist()


def two_files():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
        archive.writestr("b.csv", "x\n1\n")
    return buffer.getvalue()


BAD = {
    "empty file": ("t.csv", b"", "empty"),
    "blank file": ("t.csv", b"\n \n", "empty"),
    "header only": ("t.csv", b"a,b\n", "no rows"),
    "short row": ("t.csv", b"a,b\n1,2\n3\n", "line 3: 1 cells"),
    "long row": ("t.csv", b'a,b\n"1\n2",2\n3,4,5\n', "line 4: 3 cells"),
    "repeated name": ("t.csv", b"a,b,a\n1,2,3\n", "'a' appears twice"),
    "open quote": ("t.csv", b'a,b\n1,"x\n', "line 2, cell 2"),
    "other delimiter": ("t.csv", b"a;b;c\n1;2\n", "--delimiter ';'"),
    "zip of two": ("t.zip", two_files(), "2 files: 'a.csv', 'b.csv'"),
    "no zip": ("t.csv.zip", b"a,b\n1,2\n", "not a complete zip file"),
    "cut xz": ("t.csv.xz", lzma.compress(b"a,b\n1,2\n" * 99)[:-12], "not a complete xz file"),
    "cut bzip2": ("t.csv.bz2", bz2.compress(b"a,b\n1,2\n" * 99)[:-12], "not a complete bzip2 file"),
    "no zstd": ("t.csv.zst", b"a,b\n1,2\n", "not a complete zstd file"),
    "bzip2 without .bz2": ("t.csv", bz2.compress(b"a,b\n1,2\n"), "let its name end in .bz2"),
    "comments only": ("t.csv", b"# a\n# b\n", "empty"),
    "binary": ("t.csv", b"\x89PNG\r\n\x1a\n\xff\xd8", "not utf-8"),
    "NUL": ("t.csv", b"a,b\n1,\x00\n", "line 2"),
    "gzip without .gz": ("t.csv", gzip.compress(b"a,b\n1,2\n"), ".gz"),
    "cut gzip": ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99)[:-12], "gzip"),
    "no gzip": ("t.csv.gz", b"a,b\n1,2\n", "gzip"),
    "bad JSON": ("t.jsonl", b'{"a": 1}\n{"a": }\n', "line 2"),
    "JSON array": ("t.jsonl", b"[1, 2]\n", "line 1"),
    "two objects": ("t.jsonl", b'{"a": 1}{"a": 2}\n', "line 1"),
    "repeated key": ("t.jsonl", b'{"a": 1, "a": 2}\n', "'a' appears twice"),
    "no Parquet": ("t.parquet", b"a,b\n1,2\n", "not a readable Parquet"),
    "no Feather": ("t.feather", b"a,b\n1,2\n", "not a readable Feather"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_by_name(tmp_path, case):
    name, data, message = BAD[case]
    with pytest.raises(InvalidInputError, match=r"t\.") as error:
        opened(data, tmp_path / name)
    assert message in str(error.value)
