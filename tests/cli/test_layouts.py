"""Delimited text of every layout: what stands between cells is found, lines that are no rows stay where they are, packed files too."""

from __future__ import annotations

import os
import shlex
import threading

import pandas as pd
import pytest

from tabgan.cli.files.compression import PACKINGS, packed, packing_of, unpacked
from tabgan.cli.files.sniffing import layout_of
from tabgan.cli.files.sources import place_of, read_bytes, write_bytes
from tabgan.cli.files.table_files import ReadOptions, open_table
from tabgan.exceptions import InvalidInputError, InvalidParameterError


def opened(path, text=None, **options):
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_table(place_of(str(path), None, "INPUT"), ReadOptions(**options))


def filled(table, fills, place=None):
    return table.dumped({name: pd.Series(cells) for name, cells in fills.items()}, place or table.place)


DELIMITERS = {
    "semicolon": ("t.csv", "a;b;c\n1;2,5;x\n;3,5;y\n", ";", True),
    "semicolon and decimal commas without a header": ("t.csv", "1,5;2,5\n2,5;3,5\n", ";", True),
    "bar in a .txt": ("t.txt", "a|b\n1|2\n|3\n", "|", True),
    "tab in a .csv": ("t.csv", "a\tb\n1\t2\n\t3\n", "\t", True),
    "semicolon in a .tsv": ("t.tsv", "a;b\n1;2\n;3\n", ";", True),
    "comma in a .txt": ("t.txt", "a,b\n1,2\n,3\n", ",", False),
    "commas within quotes": ("t.csv", 'a;b\n"x,y";2\n"z";3\n', ";", True),
    "line ends within quotes": ("t.csv", 'a;b\n"x\ny, z";2\n"z";3\n', ";", True),
    "comma, with a semicolon in one column": ("t.csv", "a,b\n1,x;y\n2,z\n", ",", False),
    "comma, with a semicolon in every row": ("t.csv", "1,x;y\n2,z;w\n", ",", False),
    "blanks in a .dat": ("t.dat", "  a     b\n1.5    2\n 10     3\n", " ", True),
    "blanks in a .csv are none": ("t.csv", "a b\n1 2\n3 4\n", ",", False),
    "one column": ("t.csv", "a\n1\n2\n", ",", False),
}


@pytest.mark.parametrize("name", DELIMITERS)
def test_what_stands_between_cells_is_found_and_said(tmp_path, name):
    file, text, delimiter, said = DELIMITERS[name]
    header = "without a header" not in name and "in every row" not in name
    table = opened(tmp_path / file, text, header=header)
    table.frame(table.names)
    assert len(table.names) == text.split("\n")[0].count(delimiter) + 1 if delimiter != " " else len(table.names) == 2
    assert filled(table, {}) == text.encode()
    assert any("cells are cut at" in note for note in table.notes()) == said


def test_a_flag_overrules_what_is_found(tmp_path):
    assert opened(tmp_path / "t.csv", "a,b;c\n1,5;2\n3,5;4\n", delimiter=",").names == ["a", "b;c"]


def test_a_line_that_names_the_separator_is_obeyed_and_kept(tmp_path):
    text = "sep=;\r\na;b\r\n1;2\r\n;4\r\n"
    table = opened(tmp_path / "t.csv", text)
    assert table.names == ["a", "b"]
    assert table.row_place(0) == "line 3"
    table.frame(table.names)
    assert filled(table, {"a": {1: 3}}).decode() == text.replace("\n;4", "\n3;4")


COMMENTS = "# made by a machine, in 2024\n\n# a, b\na,b\n1,2\n# between, both\n,4\n# end\n"


def test_comments_stay_where_they_are(tmp_path):
    table = opened(tmp_path / "t.csv", COMMENTS, comment="#")
    assert table.names == ["a", "b"]
    assert [table.row_place(row) for row in range(2)] == ["line 5", "line 7"]
    table.frame(table.names)
    assert filled(table, {"a": {1: 3}}).decode() == COMMENTS.replace("\n,4", "\n3,4")
    assert table.notes() == []


def test_comments_at_the_top_are_found_and_said(tmp_path):
    text = COMMENTS.replace("# between, both\n", "").replace("# end\n", "")
    table = opened(tmp_path / "t.csv", text)
    assert table.names == ["a", "b"]
    (note,) = table.notes()
    assert "2 lines at the top begin with '#'" in note
    table.frame(table.names)
    assert filled(table, {"a": {1: 3}}).decode() == text.replace("\n,4", "\n3,4")


def test_comments_below_are_refused_with_the_flag(tmp_path):
    with pytest.raises(InvalidInputError, match=r"line 3: 1 cells .* or --comment"):
        opened(tmp_path / "t.csv", "a,b\n1,2\n# between\n3,4\n")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#chrom,start\n1,2\n3,4\n", ["#chrom", "start"]),
        ("# made by me\n#chrom,start\n1,2\n3,4\n", ["#chrom", "start"]),
        ("# chrom, start\nchrom,start\n1,2\n", ["chrom", "start"]),
        ("# one\nx\n1\n2\n", ["x"]),
    ],
)
def test_a_header_may_begin_with_the_mark_of_comments(tmp_path, text, names):
    table = opened(tmp_path / "t.csv", text)
    assert table.names == names
    assert filled(table, {}) == text.encode()


def test_comments_are_no_cells_of_a_single_column(tmp_path):
    text = "a\n1\n# x\n\n# y\n3\n"
    table = opened(tmp_path / "t.csv", text, comment="#")
    assert table.column("a").isna().tolist() == [False, True, False]
    assert filled(table, {}) == text.encode()
    assert filled(table, {"a": {1: 2}}).decode() == "a\n1\n# x\n2\n# y\n3\n"


def test_lines_at_the_top_are_skipped_and_kept(tmp_path):
    text = 'Report "x\nmade, by, me\n\na,b\n1,2\n,4\n'
    table = opened(tmp_path / "t.csv", text, skip_lines=3)
    assert table.names == ["a", "b"]
    assert table.row_place(0) == "line 5"
    table.frame(table.names)
    assert filled(table, {"a": {1: 3}}).decode() == text.replace("\n,4", "\n3,4")
    with pytest.raises(InvalidInputError, match="empty"):
        opened(tmp_path / "t.csv", text, skip_lines=99)


STRAIGHT = "name     size  n\nred      1.50  3\nblue       NA 12\n'a b'   10.25 NA\n"


def test_columns_that_stand_straight_go_on_doing_so(tmp_path):
    text = STRAIGHT.replace("'a b'", "green")
    table = opened(tmp_path / "t.dat", text)
    assert table.names == ["name", "size", "n"]
    table.frame(table.names)
    out = filled(table, {"size": {1: 2.0}, "n": {2: 7}}).decode()
    assert out == text.replace("  NA 12", "2.00 12").replace("10.25 NA", "10.25  7")
    table.extend([0], mark="made")
    assert table.dumped({}, table.place).decode().splitlines()[-1] == "red      1.50  3 true"


def test_a_blank_cell_of_right_aligned_columns_is_filled_to_its_width(tmp_path):
    text = "a,     b\n1,  1.50\n2,      \n3, 10.25\n"
    table = opened(tmp_path / "t.csv", text)
    table.frame(table.names)
    assert filled(table, {table.names[1]: {1: 2.0}}).decode() == text.replace("2,      ", "2,  2.00")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, codec):
    text = "\ufeffcity,x\nZürich,1\n,2\n"
    for name in ("t.csv", "t.jsonl"):
        text = text if name == "t.csv" else '\ufeff{"city": "Zürich"}\n{"city": null}\n'
        table = opened(tmp_path / name, text.encode(codec))
        assert table.names[0] == "city"
        table.frame(table.names)
        assert filled(table, {}) == text.encode(codec)
        assert "Köln" in filled(table, {"city": {1: "Köln"}}).decode(codec)


@pytest.mark.parametrize("ending", PACKINGS)
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_packed_files_are_read_and_written_by_name(tmp_path, ending, name):
    if ending == ".zst":
        pytest.importorskip("pyarrow")
    data = b"a,b\n1,2\n,4\n" if name == "t.csv" else b'{"a": 1}\n{"a": null}\n'
    path = tmp_path / (name + ending)
    path.write_bytes(packed(data, PACKINGS[ending], name))
    table = opened(path)
    table.frame(table.names)
    target = f"out{ending}" if ending == ".zip" else f"out{name[1:]}{ending}"
    out = place_of(str(tmp_path / target), None, "--output", None, table.place)
    write_bytes(out, filled(table, {"a": {1: 3}}, out))
    assert packing_of(out.path.read_bytes()) == PACKINGS[ending]
    again = opened(out.path)
    assert again.column("a").tolist() == [1, 3]
    assert read_bytes(out) == filled(table, {"a": {1: 3}}, out)


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "zstd"])
def test_packed_files_in_parts_are_read_whole(how):
    if how == "zstd":
        pytest.importorskip("pyarrow")
    data = b"a,b\n1,2\n" * 99
    assert unpacked(packed(data, how, "") + packed(data, how, ""), how, "x") == data + data
    assert packed(data, how, "") == packed(data, how, "")


def test_a_zip_file_says_its_format_by_the_file_in_it(tmp_path):
    path = tmp_path / "t.zip"
    path.write_bytes(packed(b"a\tb\n1\t2\n", "zip", "inner.tsv"))
    assert place_of(str(path), None, "INPUT").format == "tsv"
    path.write_bytes(packed(b"x", "zip", "inner.exe"))
    with pytest.raises(InvalidParameterError, match="is not known"):
        place_of(str(path), None, "INPUT")
    with pytest.raises(InvalidParameterError, match="compressed in itself"):
        place_of(str(tmp_path / "t.parquet.xz"), None, "INPUT")


def test_pipes_are_read_and_written(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    os.mkfifo(source)
    os.mkfifo(target)
    feeding = threading.Thread(target=source.write_bytes, args=(b"a,b\n1,2\n,4\n",))
    feeding.start()
    place = place_of(str(source), None, "INPUT")
    assert place.format == "csv"
    table = open_table(place, ReadOptions())
    feeding.join()
    table.frame(table.names)
    out = place_of(str(target), None, "--output", None, table.place)
    assert out.format == "csv"
    writing = threading.Thread(target=write_bytes, args=(out, filled(table, {"a": {1: 3}}, out)))
    writing.start()
    assert target.read_bytes() == b"a,b\n1,2\n3,4\n"
    writing.join()
    assert target.is_fifo()


def test_standard_streams_by_their_names_have_the_format_of_the_input():
    source = place_of("t.jsonl", None, "INPUT")
    for name in ("-", "/dev/stdout", "/dev/fd/1"):
        assert place_of(name, None, "--output", None, source).format == "jsonl"
        assert place_of(name, "csv", "--output", None, source).format == "csv"


def test_nested_json_is_left_alone_where_it_is_asked_to(tmp_path):
    text = '{"a": 1, "l": [1, 2], "o": {"x": 1}}\n{"a": null, "l": [], "o": null}\n'
    table = opened(tmp_path / "t.jsonl", text)
    with pytest.raises(
        InvalidInputError, match=r"'l' \(a list, line 1\), 'o' \(an object, line 1\).*--leave 'l' --leave 'o'"
    ):
        table.frame(table.names)
    table.frame(["a"])
    assert filled(table, {"a": {1: 2}}).decode() == text.replace('"a": null', '"a": 2')
    with pytest.raises(InvalidInputError, match="column 'l' cannot be written as csv"):
        table.check_output(place_of("out.csv", None, "--output"))
    table.extend([0], blank={"l"})
    assert table.dumped({}, table.place).decode().splitlines()[-1] == '{"a": 1, "l": null, "o": {"x": 1}}'


def test_binary_cells_are_refused_by_name(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(
        pa.table({"a": [1, None], "raw": [b"\x89PNG\r\n", b"\xff\xd8"], "text": [b"red", None]}), tmp_path / "t.parquet"
    )
    table = opened(tmp_path / "t.parquet")
    with pytest.raises(InvalidInputError, match=r"'raw' \(binary\).*--leave 'raw'"):
        table.frame(table.names)
    assert table.frame(["a", "text"])["text"].tolist()[0] == b"red"


def test_the_sample_of_a_layout_ends_with_a_whole_line():
    text = "a;b\n" + "x" * 30 + ";1\n"
    long = text + "y, z" * 300_000
    assert layout_of(long, ",").delimiter == ";"


def test_blanks_within_quotes_are_part_of_a_label_and_of_no_number(tmp_path):
    table = opened(tmp_path / "t.csv", 'a,b\n" x ","1,5 "\ny,"2,25"\n" NA ",\n')
    frame = table.frame(table.names)
    assert frame["a"].tolist()[:2] == [" x ", "y"]
    assert frame["b"].tolist()[:2] == [1.5, 2.25]
    assert frame.isna().to_numpy().tolist() == [[False, False], [False, False], [True, True]]
    assert filled(table, {"a": {2: " x "}}).decode().endswith('" x ",\n')


@pytest.mark.parametrize("label", ["x,y", 'x"y', "x\ny", "x\ry", " x", "x "])
def test_labels_that_need_quotes_get_them(tmp_path, label):
    table = opened(tmp_path / "t.csv", "a,b\n1,z\n2,\n3,w\n")
    table.frame(table.names)
    again = opened(tmp_path / "again.csv", filled(table, {"b": {1: label}}))
    assert again.column("b").tolist() == ["z", label, "w"]


ROWS = "".join(f"{k};{k / 2};x\n" for k in range(30))
BOXED = "".join(f"|{k:>4}|{k * 7 % 5} |\n" for k in range(30))


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("Account 12\n\nday;sum;kind\n" + ROWS, "--delimiter ';' --skip-lines 2"),
        ('"Account";"12"\n"";""\nday;sum;kind\n' + ROWS, "--delimiter ';' --skip-lines 2"),
        (
            f"Open items, all\n{'-' * 9}\n|no  |k |\n{'-' * 9}\n{BOXED}{'-' * 9}\n",
            "--delimiter '|' --skip-lines 2 --comment '-'",
        ),
        ("Made by\tus\n\nday\tsum\tkind\n" + ROWS.replace(";", "\t"), "--delimiter '\\t' --skip-lines 2"),
    ],
)
def test_flags_for_lines_above_the_table_are_named_and_read_it(tabgan, tmp_path, text, flags):
    path = tmp_path / "t.csv"
    path.write_text(text)
    failed = tabgan("check", path)
    assert failed.exit_code == 2
    assert failed.stderr.rstrip().endswith(f": add {flags}.")
    done = tabgan("check", path, *shlex.split(flags))
    assert done.exit_code == 0, done.output
    assert "30 rows" in done.output


@pytest.mark.parametrize("text", ["a,b\n1,2\n3\n4,5\n6,7\n", "x,x\n1,2\n3,4\n5,6\n", "a;b\n1;2\n3;4;5\n"])
def test_no_flags_are_named_where_none_would_help(tabgan, tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    failed = tabgan("check", path)
    assert failed.exit_code == 2
    assert "add --" not in failed.stderr
