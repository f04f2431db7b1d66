"""Excel and OpenDocument workbooks: a sheet is read by name, and comes back in a workbook in which all else is as it was."""

from __future__ import annotations

import datetime
import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from tabgan.cli.files.sheet_xml import SheetText, column_letters
from tabgan.cli.files.sources import place_of
from tabgan.cli.files.table_files import ReadOptions, open_table
from tabgan.exceptions import InvalidInputError, InvalidParameterError

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("python_calamine")

DAY = datetime.date(2024, 1, 31)
ROWS = [
    ["name", "size", "count", "when", "at", "flag", "price"],
    ["red", 1.5, 3, DAY, datetime.time(9, 30), True, "1.234,50 €"],
    ["NA", 2.25, None, None, datetime.time(10, 0), None, "7,00 €"],
    [None, None, 5, datetime.date(2024, 3, 1), None, False, None],
    ["blue", "?", 7, datetime.date(2024, 2, 1), datetime.time(23, 45), True, "-3,50 €"],
]


@pytest.fixture
def book(tmp_path):
    made = openpyxl.Workbook()
    made.active.title = "notes"
    made.active["A1"] = "read me"
    sheet = made.create_sheet("data")
    for row in ROWS:
        sheet.append(row)
    sheet["B2"].font = openpyxl.styles.Font(bold=True)
    made.create_sheet("sums")["A1"] = "=SUM(data!B2:B5)"
    path = tmp_path / "t.xlsx"
    made.save(path)
    return path


def opened(path, **options):
    return open_table(place_of(str(path), None, "INPUT"), ReadOptions(**options))


def back(data, sheet="data"):
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(data))[sheet].iter_rows()]


FILLS = {
    "name": {1: "green", 2: "a < b & c "},
    "size": {2: 3.75, 3: 0.5},
    "count": {1: 4.0},
    "when": {1: pd.Timestamp("2024-02-29")},
    "at": {2: pd.Timedelta(hours=12, minutes=15)},
    "flag": {1: True},
    "price": {2: 12345.678},
}


def test_a_sheet_is_read_by_name_and_filled_in_its_own_types(book):
    table = opened(book, sheet="data", missing=("?",))
    frame = table.frame(table.names)
    assert table.names == ROWS[0]
    assert [frame[name].dtype.kind for name in ("size", "count", "when", "at", "flag", "price")] == list("fiMmbf")
    assert frame.isna().sum().tolist() == [2, 2, 1, 1, 1, 1, 1]
    out = back(table.dumped({name: pd.Series(cells) for name, cells in FILLS.items()}, table.place))
    assert out[0] == ROWS[0]
    assert out[2][0] == "green"
    assert out[3][:3] == ["a < b & c ", 3.75, 5]
    assert out[4][1] == 0.5
    assert out[2][2:6] == [4, datetime.datetime(2024, 2, 29), datetime.time(10, 0), True]
    assert out[3][4] == datetime.time(12, 15)
    assert out[3][6] == "12.345,68 €"
    for row, was in zip(out[1:], ROWS[1:], strict=True):
        for cell, old in zip(row, was, strict=True):
            if old not in (None, "NA", "?") and not isinstance(old, datetime.date):
                assert cell == old


def test_everything_else_in_the_workbook_is_as_it_was(book):
    table = opened(book, sheet="data")
    table.frame(table.names)
    data = table.dumped({"size": pd.Series({2: 3.75})}, table.place)
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(io.BytesIO(data)) as new:
        assert new.namelist() == old.namelist()
        changed = [name for name in old.namelist() if old.read(name) != new.read(name)]
        assert set(changed) <= {"xl/worksheets/sheet2.xml", "xl/workbook.xml"}
        before, after = (archive.read("xl/worksheets/sheet2.xml").decode() for archive in (old, new))
    assert after.replace('<c r="B4"><v>3.75</v></c>', "") == re.sub(r'<c r="B4"[^>]*?/>', "", before)
    table = opened(book, sheet="data")
    with zipfile.ZipFile(io.BytesIO(table.dumped({}, table.place))) as new:
        assert new.read("xl/worksheets/sheet2.xml").decode() == before


def test_without_a_name_the_first_sheet_is_read_and_that_is_said(book, tmp_path):
    with pytest.raises(InvalidInputError, match=r"sheet 'notes': there is no row of a table; give --sheet"):
        opened(book)
    with pytest.raises(InvalidParameterError, match=r"--sheet 'date': .* did you mean 'data'"):
        opened(book, sheet="date")
    made = openpyxl.load_workbook(book)
    del made["notes"]
    made.save(tmp_path / "two.xlsx")
    assert opened(tmp_path / "two.xlsx").notes() == [
        "sheet 'data' is read, of 2; --sheet names another, such as 'sums'"
    ]


def test_markers_are_said_and_those_among_labels_are_asked_about(book):
    table = opened(book, sheet="data")
    table.frame(["name", "count"])
    assert "1 cell 'NA' in 'name' read as missing; if 'NA' is a value there" in table.hints[0]
    table = opened(book, sheet="data", missing=("name=",))
    assert table.column("name").tolist()[1] == "NA"


def test_rows_at_the_top_and_blank_rows_and_columns_are_skipped(tmp_path):
    made = openpyxl.Workbook()
    for row in (
        [],
        ["A report"],
        [],
        [None, "a", None, "b"],
        [None, 1, None, "x"],
        [],
        [None, None, None, "y"],
        [None, 3, None, "z"],
    ):
        made.active.append(row)
    path = tmp_path / "t.xlsx"
    made.save(path)
    table = opened(path, skip_lines=2)
    frame = table.frame(table.names)
    assert table.names == ["a", "b"]
    assert frame["b"].tolist() == ["x", "y", "z"]
    assert table.row_place(1) == "row 7"
    assert "row 6 of the sheet is blank, and those below are taken for rows" in table.hints[0]
    assert back(table.dumped({"a": pd.Series({1: 2})}, table.place), "Sheet")[6] == [None, 2, None, "y"]


def test_without_a_header(tmp_path):
    made = openpyxl.Workbook()
    made.active.append([1, "x"])
    made.active.append([2, "y"])
    path = tmp_path / "t.xlsx"
    made.save(path)
    table = opened(path, header=False)
    assert table.names == ["1", "2"]
    assert table.n_rows == 2


def test_few_texts_among_numbers_and_formulas_without_a_value_stay(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    for k in range(60):
        made.active.append([k + 0.5, k])
    made.active["A5"] = "unknown"
    made.active["B6"] = "=B5+1"
    path = tmp_path / "t.xlsx"
    made.save(path)
    table = opened(path)
    frame = table.frame(table.names)
    assert frame["a"].dtype.kind == "f"
    assert frame["b"].dtype.kind == "i"
    assert np.flatnonzero(table.unread("a")).tolist() == [3]
    assert table.unread("a").shape == (60,)
    assert np.flatnonzero(table.unread("b")).tolist() == [4]
    assert "'unknown' (row 5)" in table.hints[0]
    assert "1 formula without a value (row 6)" in table.hints[1]


def test_copies_of_rows_and_a_mark(book):
    table = opened(book, sheet="data")
    table.frame(["name", "size", "count", "when"])
    table.extend(np.array([0, 3]), blank={"price"}, mark="made")
    assert table.unread("size").shape == (6,)
    fills = {"size": pd.Series({4: 9.5}), "when": pd.Series({5: pd.Timestamp("2024-05-05")})}
    out = back(table.dumped(fills, table.place))
    assert out[0][-1] == "made"
    assert [row[-1] for row in out[1:]] == [False] * 4 + [True] * 2
    assert out[5][:4] == ["red", 9.5, 3, datetime.datetime(2024, 1, 31)]
    assert out[6][:4] == ["blue", "?", 7, datetime.datetime(2024, 5, 5)]
    assert out[5][6] is None


def test_merged_cells_have_their_value_in_all_of_their_rows(tmp_path):
    made = openpyxl.Workbook()
    rows = [
        ["a title"],
        ["group", "x", "y"],
        ["G0", 1, 2],
        [None, 3, 4],
        [None, None, 6],
        ["G1", 7, 8],
        [None, 9, None],
        [None, 1, 2],
    ]
    for row in rows:
        made.active.append(row)
    for merged in ("A1:C1", "A3:A5", "A6:A7", "B7:C7"):
        made.active.merge_cells(merged)
    path = tmp_path / "t.xlsx"
    made.save(path)
    table = opened(path, skip_lines=1)
    frame = table.frame(table.names)
    assert frame["group"].iloc[:5].tolist() == ["G0", "G0", "G0", "G1", "G1"]
    assert frame["x"].isna().tolist() == [False, False, True, False, False, False]
    assert table.unread("y").tolist() == [False, False, False, False, True, False], "B7 covers it"
    assert table.unread("group").tolist() == [False] * 6, "the last is a gap like any other"
    assert any("merged" in note for note in table.notes())
    assert "column 'y' has 1 cell that merged ones cover (row 7)" in table.hints[0]
    table.extend(np.array([1, 3]), blank=set(), mark=None)
    out = back(table.dumped({"group": pd.Series({5: "G0"}), "x": pd.Series({2: 5.0})}, table.place), "Sheet")
    assert [row[0] for row in out[2:]] == ["G0", None, None, "G1", None, "G0", "G0", "G1"]
    assert out[4][1] == 5


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "feather", "xlsx"])
def test_workbooks_become_every_format_and_come_of_every_one(book, tmp_path, kind):
    table = opened(book, sheet="data", missing=("?",))
    frame = table.frame(table.names)
    out = place_of(str(tmp_path / f"out.{kind}"), None, "--output")
    table.check_output(out)
    out.path.write_bytes(table.dumped({}, out))
    other = opened(out.path, sheet="data" if kind == "xlsx" else None, missing=("?",))
    again = other.frame(other.names)
    target = place_of(str(tmp_path / "again.xlsx"), None, "--output")
    other.check_output(target)
    target.path.write_bytes(other.dumped({}, target))
    last = opened(target.path, sheet="data" if kind == "xlsx" else None, missing=("?",))
    for seen in (again, last.frame(last.names)):
        assert seen.isna().to_numpy().tolist() == frame.isna().to_numpy().tolist()
        assert seen["price"].dropna().tolist() == frame["price"].dropna().tolist()
        assert pd.to_datetime(seen["when"]).dropna().tolist() == frame["when"].dropna().tolist()
        assert seen["name"].dropna().tolist() == ["red", "blue"]


def test_dates_and_times_go_into_text_as_people_write_them(book, tmp_path):
    table = opened(book, sheet="data")
    table.frame(table.names)
    out = place_of(str(tmp_path / "out.csv"), None, "--output")
    lines = table.dumped({"at": pd.Series({2: pd.Timedelta(hours=12)})}, out).decode().splitlines()
    assert lines[1] == 'red,1.5,3,2024-01-31,09:30:00,True,"1.234,50 €"'
    assert lines[3].split(",")[3:5] == ["2024-03-01", "12:00:00"]


ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 office:version="1.2"><office:body><office:spreadsheet><table:table table:name="one">{}</table:table></office:spreadsheet>
</office:body></office:document-content>"""


def ods(path, rows):
    def cell(value):
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(body))
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )


def test_opendocument_is_read_and_written_as_excel(tmp_path):
    ods(tmp_path / "t.ods", [["a", "b"], [1, "x"], [None, "y"], [2.5, "z"]])
    table = opened(tmp_path / "t.ods")
    assert table.frame(table.names)["a"].tolist()[::2] == [1, 2.5]
    out = place_of(str(tmp_path / "out.xlsx"), None, "--output")
    assert back(table.dumped({"a": pd.Series({1: 2.0})}, out), "Sheet1") == [["a", "b"], [1, "x"], [2, "y"], [2.5, "z"]]
    with pytest.raises(InvalidParameterError, match=r"--output 'x.ods': files of the format ods are read, not written"):
        place_of("x.ods", None, "--output")


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"PK\x03\x04nonsense"])
def test_what_is_no_workbook_is_refused_by_name(tmp_path, data):
    (tmp_path / "t.xlsx").write_bytes(data)
    with pytest.raises(InvalidInputError, match=r"t\.xlsx' is (empty|not a readable workbook)"):
        opened(tmp_path / "t.xlsx")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "is a workbook, whatever its name says; let it end in .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a workbook of old Excel, .* save it as .xlsx"),
        (b"PAR1\x15\x04\0PAR1", "is a Parquet file, .* let it end in .parquet"),
    ],
)
def test_what_is_no_text_says_what_it_is(book, tmp_path, data, message):
    path = tmp_path / "t.csv"
    path.write_bytes(book.read_bytes() if data is None else data)
    with pytest.raises(InvalidInputError, match=message):
        opened(path)


def test_names_that_repeat_are_refused(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["a", "a"])
    made.active.append([1, 2])
    made.save(tmp_path / "t.xlsx")
    with pytest.raises(InvalidInputError, match="'a' appear more than once"):
        opened(tmp_path / "t.xlsx")


def test_texts_that_no_workbook_takes_are_refused_before_any_work(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\nx\x01,1\ny,2\n")
    table = opened(tmp_path / "t.csv")
    with pytest.raises(InvalidInputError, match="column 'a' cannot be written as xlsx"):
        table.check_output(place_of("out.xlsx", None, "--output"))


SHEETS = {
    "prefixed": '<x:worksheet><x:dimension ref="A1"/><x:sheetData>'
    '<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>',
    "no references": '<worksheet><dimension ref="A1:A1"/><sheetData><row><c><v>1</v></c></row></sheetData><x/></worksheet>',
    "empty": '<worksheet><dimension ref="A1"/><sheetData/><pageMargins left="1"/></worksheet>',
}


@pytest.mark.parametrize("name", SHEETS)
def test_cells_are_put_into_sheets_of_several_writers(name):
    sheet = SheetText(SHEETS[name])
    p = sheet.prefix
    sheet.put(0, 1, ("", f"<{p}v>2</{p}v>"), "3")
    sheet.put(2, 0, ("", f"<{p}v>5</{p}v>"), None)
    text = sheet.text(2)
    assert f'<{p}c r="B1" s="3"><{p}v>2</{p}v></{p}c></{p}row>' in text
    assert f'<{p}row r="3"><{p}c r="A3"><{p}v>5</{p}v></{p}c></{p}row></{p}sheetData>' in text
    assert 'ref="A1:B3"' in text
    assert text.endswith(SHEETS[name][SHEETS[name].rindex("sheetData") + 9 :].lstrip("/"))
    assert [column_letters(k) for k in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
