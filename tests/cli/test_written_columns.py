"""Numbers and dates as people write them, in files of every format: values for the model, fills in the column's own style."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from tabgan.cli.files.sources import place_of
from tabgan.cli.files.table_files import ReadOptions, open_table
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.written.detect import style_of


def opened(path, rows, **options):
    """A table with a column ``a`` of the cells, in the format that the name says."""
    if path.suffix == ".csv":
        path.write_text("k;a\n" + "".join(f"{k};{cell}\n" for k, cell in enumerate(rows)), encoding="utf-8")
        options.setdefault("delimiter", ";")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({"a": cell or None}) + "\n" for cell in rows))
    else:
        pa = pytest.importorskip("pyarrow")
        table = pa.table({"a": pa.array([cell or None for cell in rows], pa.string())})
        pytest.importorskip("pyarrow.parquet").write_table(table, path)
    return open_table(place_of(str(path), None, "INPUT"), ReadOptions(**options))


def cells_of(path, data):
    if path.suffix == ".csv":
        return [line.partition(";")[2] for line in data.decode().splitlines()[1:]]
    if path.suffix == ".jsonl":
        return [json.loads(line)["a"] for line in data.decode().splitlines()]
    path.write_bytes(data)
    return pytest.importorskip("pyarrow.parquet").read_table(path)["a"].to_pylist()


KINDS = {  # cells, the kind of values, what is filled, and how
    "decimal comma": (["30,05", "2,50"], "f", 7.125, "7,12"),
    "thousands": (["1.250.000", "999"], "iu", 34567.0, "34.567"),
    "currency": (["1.234,50 €", "7,00 €"], "f", 99.999, "100,00 €"),
    "percent": (["12%", "7%"], "iu", 55.4, "55%"),
    "brackets": (["(1,234.50)", "12.00"], "f", -7.5, "(7.50)"),
    "day first": (["27/10/2020", "03/04/2020"], "M", pd.Timestamp("2021-02-01"), "01/02/2021"),
    "named": (["3. März 2020", "12. Mai 2020"], "M", pd.Timestamp("2021-02-01"), "1. Februar 2021"),
    "offsets": (["2024-06-01T10:00+02:00", "2024-01-01T10:00+01:00"], "M", pd.Timestamp("2024-02-01 12:30"), "2024-02-01T12:30+02:00"),
    "clock": (["9:30", "14:05"], "m", pd.Timedelta(minutes=75), "1:15"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_numbers_of_parcels_are_texts(tmp_path, name):
    cells = [f"94001118992231{k:08d}" for k in (45513145, 83968460, 69867954)]
    table = opened(tmp_path / name, [*cells, ""])
    assert table.column("a").tolist()[:3] == cells


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_gap_is_filled_in_the_style_of_its_column(tmp_path, name, kind):
    cells, dtype_kinds, value, expected = KINDS[kind]
    path = tmp_path / name
    table = opened(path, [*cells, ""])
    values = table.column("a")
    assert values.dtype.kind in dtype_kinds
    assert values.isna().tolist() == [False, False, True]
    assert table.hints == []
    assert cells_of(path, table.dumped({"a": pd.Series({2: value})}, table.place)) == [*cells, expected]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_few_cells_that_are_none_stay_as_they_are_and_are_said(tmp_path, name):
    cells = [f"{k},5" for k in range(60)]
    path = tmp_path / name
    table = opened(path, [*cells, "unknown", ""])
    values = table.column("a")
    assert values.dtype.kind == "f"
    assert values.isna().tolist() == [False] * 60 + [True, True]
    assert np.flatnonzero(table.unread("a")).tolist() == [60]
    assert table.unread("a").shape == (62,)
    assert "not read: 1 cell such as 'unknown'" in table.hints[0]
    assert "--missing 'a=unknown'" in table.hints[0]
    assert cells_of(path, table.dumped({"a": pd.Series({61: 1.0})}, table.place)) == [*cells, "unknown", "1,0"]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["03/04/2020", "05/06/2020"], ["'03/04/2020' may be 2020-04-03 or 2020-03-04", "--date-format 'a=%d/%m/%Y'", "'a=%m/%d/%Y'"]),
        (["35,049", "3,908"], ["'35,049' may be 35049 or 35.049", "--thousands 'a=,'", "--decimal 'a=,'"]),
        (["2.080", "51"], ["'2.080' may be 2.08 or 2080", "--decimal 'a=.'", "--thousands 'a=.'"]),
    ],
)  # fmt: skip
def test_what_reads_in_two_ways_stays_text_and_is_said_with_the_flags(tmp_path, name, cells, said):
    table = opened(tmp_path / name, cells)
    assert table.column("a").tolist() == cells
    (hint,) = table.hints
    for part in said:
        assert part in hint


FLAGS = [
    ({"date_formats": ["a=%m/%d/%Y"]}, ["03/04/2020", "05/06/2020"], pd.Timestamp("2020-03-04")),
    ({"date_formats": ["a=%d/%m/%Y"]}, ["03/04/2020", "05/06/2020"], pd.Timestamp("2020-04-03")),
    ({"thousands": [","]}, ["35,049", "3,908"], 35049),
    ({"decimal": [","]}, ["35,049", "3,908"], 35.049),
    ({"decimal": ["a=,"]}, ["35,049", "3,908"], 35.049),
    ({"decimal": ["."], "thousands": ["a=,"]}, ["35,049", "3,908"], 35049),
    ({"decimal": ["k=."], "thousands": ["."]}, ["1.234"], 1234),
    ({"decimal": [","]}, ["1.234"], 1234),
]


@pytest.mark.parametrize(("options", "cells", "value"), FLAGS)
def test_flags_decide(tmp_path, options, cells, value):
    table = opened(tmp_path / "t.csv", cells, **options)
    assert table.column("a")[0] == value
    assert table.hints == []


@pytest.mark.parametrize("name", ["t.jsonl", "t.parquet"])
def test_whole_numbers_that_a_program_wrote_as_text_stay_text(tmp_path, name):
    table = opened(tmp_path / name, ["12", "7", ""])
    assert table.column("a").tolist()[:2] == ["12", "7"]


def test_other_columns_of_the_file_tell_the_decimal_mark_and_that_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b;c\n35,049;1,5;1.234\n3,908;2,25;5.678\n")
    table = open_table(place_of(str(path), None, "INPUT"), ReadOptions(delimiter=";"))
    frame = table.frame(table.names)
    assert frame["a"].tolist() == [35.049, 3.908]
    assert frame["c"].tolist() == [1234, 5678]
    assert ["'35,049' is read as 35.049" in table.hints[0], "'1.234' is read as 1234" in table.hints[1]] == [True, True]
    assert len(table.hints) == 2
    path.write_text("a;b;c\n35,049;1,5;1.25\n3,908;2,25;5.5\n")
    assert (
        open_table(place_of(str(path), None, "INPUT"), ReadOptions(delimiter=";")).column("a").tolist()[0] == "35,049"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"date_formats": ["%d/%m/%Y"]}, "give COLUMN=FORMAT"),
        ({"date_formats": ["b=%d/%m/%Y"]}, "no column 'b'"),
        ({"date_formats": ["a=%d/%m"]}, "--date-format 'a=%d/%m'"),
        ({"date_formats": ["a=%Q"]}, "%Q is not known"),
        ({"decimal": [";"]}, "--decimal ';'"),
        ({"thousands": ["x"]}, "--thousands 'x'"),
        ({"thousands": ["b=,"]}, "no column 'b'"),
        ({"missing": ["aa=NA"]}, "no column 'aa'; did you mean 'a'"),
    ],
)
def test_flags_that_say_nothing_are_refused(tmp_path, options, message):
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        opened(tmp_path / "t.csv", ["1"], **options)


def test_a_format_that_the_cells_do_not_have_is_refused_with_the_line(tmp_path):
    table = opened(tmp_path / "t.csv", ["03/04/2020", "13/04/2020"], date_formats=["a=%m/%d/%Y"])
    with pytest.raises(InvalidInputError, match=r"'13/04/2020' in line 3, where --date-format says %m/%d/%Y"):
        table.column("a")


@pytest.mark.parametrize(
    ("family", "cells", "message"),
    [
        ("number", ["1,5", "red"], "'red' in line 3, where the model expects a number"),
        ("number", ["35,049"], "can be read in two ways, as '35,049'"),
        ("datetime", ["27/10/2020", "2020-10-27"], "mixes several ways"),
        ("datetime", ["27/10/2020", "soon"], "'soon' in line 3"),
        ("timedelta", ["9:30", "late"], "'late' in line 3, where the model expects a time"),
    ],
)
def test_a_model_that_expects_something_else_is_told_which_cell(tmp_path, family, cells, message):
    table = opened(tmp_path / "t.csv", cells, families={"a": family})
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        table.column("a")


@pytest.mark.parametrize(
    ("family", "cells", "kind"),
    [
        ("number", ["30,05"], "f"),
        ("number", ["007"], "i"),
        ("datetime", ["27/10/2020"], "M"),
        ("timedelta", ["9:30"], "m"),
        ("text", ["30,05"], "O"),
        ("number", [""], "f"),
        ("timedelta", [""], "m"),
    ],
)
def test_a_model_is_given_what_it_expects_of_a_single_row(tmp_path, family, cells, kind):
    values = opened(tmp_path / "t.csv", cells, families={"a": family}).column("a")
    assert values.dtype.kind == kind or kind == "O"
    assert values.dtype.kind not in "ifmM" or kind != "O"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("csv", ["30,05", "2,5", "1,0"]),
        ("tsv", ["30,05", "2,5", "1,0"]),
        ("jsonl", [30.05, 2.5, 1.0]),
        ("parquet", [30.05, 2.5, 1.0]),
    ],
)
def test_numbers_become_numbers_in_formats_that_have_them(tmp_path, target, expected):
    table = opened(tmp_path / "t.csv", ["30,05", "2,5", ""])
    table.frame(table.names)
    out = place_of(str(tmp_path / f"out.{target}"), None, "--output")
    out.path.write_bytes(table.dumped({"a": pd.Series({2: 1.0})}, out))
    again = open_table(out, ReadOptions(text_columns={"a"}, delimiter=";" if target == "csv" else None))
    assert again.column("a").tolist() == expected


@pytest.mark.parametrize("target", ["jsonl", "parquet"])
def test_a_cell_that_is_no_number_goes_where_it_can(tmp_path, target):
    table = opened(tmp_path / "t.csv", [*(f"{k},5" for k in range(60)), "unknown"])
    table.frame(table.names)
    out = place_of(str(tmp_path / f"out.{target}"), None, "--output")
    if target == "parquet":
        with pytest.raises(InvalidInputError, match="column 'a' cannot be written as parquet"):
            table.check_output(out)
    else:
        table.check_output(out)
        assert [json.loads(line)["a"] for line in table.dumped({}, out).splitlines()][-2:] == [59.5, "unknown"]


def test_texts_of_typed_formats_stay_texts_in_others(tmp_path):
    table = opened(tmp_path / "t.jsonl", ["30,05", "2,5", ""])
    table.frame(table.names)
    for kind in ("csv", "parquet"):
        out = place_of(str(tmp_path / f"out.{kind}"), None, "--output")
        table.check_output(out)
        (tmp_path / f"out.{kind}").write_bytes(table.dumped({"a": pd.Series({2: 1.0})}, out))
        again = open_table(out, ReadOptions(text_columns={"a"}))
        assert again.column("a").tolist() == ["30,05", "2,5", "1,0"]


def test_copies_of_rows_keep_their_cells(tmp_path):
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        path = tmp_path / name
        table = opened(path, ["30,05", "2,50", ""])
        table.frame(["a"])
        table.extend(np.array([0, 2]))
        assert table.unread("a").tolist() == [False] * 5
        assert cells_of(path, table.dumped({"a": pd.Series({4: 3.0})}, table.place))[3:] == ["30,05", "3,00"]


def test_what_the_model_learned_from_says_how_single_rows_are_written(tmp_path):
    learned = {
        "price": ["1.250,50", "7,00"],
        "when": ["27/10/2020", "1/2/2021"],
        "size": ["1.50", "2.25"],
        "at": ["9:30", "13:00"],
    }
    styles = {name: style_of(cells) for name, cells in learned.items()}
    families = {"price": "number", "when": "datetime", "size": "number", "at": "timedelta"}
    path = tmp_path / "t.csv"

    def read(text):
        path.write_text("price;when;size;at\n" + text)
        return open_table(
            place_of(str(path), None, "INPUT"), ReadOptions(delimiter=";", families=families, styles=styles)
        )

    table = read("1.234;3/4/2020;7;10:00\n")
    assert table.frame(table.names).iloc[0].tolist() == [1234, pd.Timestamp("2020-04-03"), 7, pd.Timedelta(hours=10)]
    table = read("35,049;3/4/2020;7;10:00\n")
    assert table.column("price")[0] == 35.049
    table = read(";;;\n")
    assert table.frame(table.names).isna().all(axis=None)
    fills = {"price": 1234.5, "when": pd.Timestamp("2020-04-03"), "size": 3.0, "at": pd.Timedelta(hours=9)}
    data = table.dumped({name: pd.Series({0: value}) for name, value in fills.items()}, table.place)
    assert data.decode().splitlines()[1] == "1.234,50;3/4/2020;3.00;9:00"
    table = read("1.5;2020-04-03;7;10:00\n")  # another way to write them that is certain
    assert table.frame(table.names).iloc[0].tolist()[:2] == [1.5, pd.Timestamp("2020-04-03")]


MARKED = "a,b,c\nNA,1,x\n-,NA,?\n7,-,y\n?,2,?\n"


def test_every_marker_is_said_with_its_columns(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(MARKED)
    table = open_table(place_of(str(path), None, "INPUT"), ReadOptions(missing=("-", "a=?")))
    table.frame(table.names)
    assert table.notes() == [
        "2 cells 'NA' read as missing: 1 in 'a', 1 in 'b'",
        "2 cells '-' read as missing: 1 in 'a', 1 in 'b'",
        "1 cell '?' in 'a' read as missing",
    ]
    assert table.column("c").isna().sum() == 0
    assert table.column("a").isna().tolist() == [True, True, False, True]


def test_markers_of_one_column_alone(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\nNA,NA\nXX,XX\n-,-\n,2\n")
    table = open_table(place_of(str(path), None, "INPUT"), ReadOptions(missing=("-", "a=", "a=XX")))
    assert table.column("a").isna().tolist() == [False, True, False, True]
    assert table.column("b").isna().tolist() == [True, False, True, False]


def test_a_marker_is_said_even_where_there_are_too_many_hints(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d,e\n" + "NA,NA,NA,NA,1\n" + "BW,ZA,AO,MZ,2\n" * 3)
    table = open_table(place_of(str(path), None, "INPUT"), ReadOptions())
    table.frame(table.names)
    said = table.first_hints() + table.notes()
    for name in "abcd":
        assert sum(f"'NA' in {name!r} read as missing" in line for line in said) == 1
