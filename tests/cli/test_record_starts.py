"""Texts cut into parts of some records: put together again they are the whole, cell for cell and byte for byte."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.cli.files import record_starts as module
from tabgan.cli.files.column_options import ReadOptions
from tabgan.cli.files.delimited import parse_delimited
from tabgan.cli.files.json_lines import parse_json_lines
from tabgan.cli.files.parted import found_inputs
from tabgan.cli.files.parted_files import open_parted
from tabgan.exceptions import InvalidInputError

CELLS = st.one_of(
    st.sampled_from(
        ["", "1", "a b", ' "q"', '"x,y"', '"two\nlines"', '"a ""b"""', '"""\n"""', '5" disk', '"é\r\n#"', "' '"]
    ),
    st.text("ab\u00e9 1", max_size=4),
)
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n", '\n# a comment, with "\n'])


@st.composite
def texts(draw: st.DrawFn) -> str:
    rows = draw(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=9))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    lines = [",".join(("x", *row[1:])) + draw(ENDS) for row in rows]
    lines[-1] = lines[-1] if draw(st.booleans()) else lines[-1].rstrip()
    return mark + "one,two,three\r\n" + "".join(lines)


def parted(path: Path, batch_rows: int, options: ReadOptions | None = None, kind: str | None = None):
    inputs = found_inputs(str(path), kind)
    table = open_parted(inputs, options or ReadOptions(), batch_rows, [place.path for place in inputs.places])
    table.find_parts(lambda n: None)
    return table


def read_all(path: Path) -> None:
    table = parted(path, 1)
    for part in table.parts:
        list(table.tables(part))


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
@settings(max_examples=25, deadline=None)
@given(text=texts(), batch_rows=st.integers(1, 4))
def test_parts_of_delimited_text_are_the_whole(tmp_path_factory, block: int, text: str, batch_rows: int) -> None:
    path = tmp_path_factory.mktemp("text") / "a.csv"
    path.write_bytes(text.encode())
    options = ReadOptions(comment="#", delimiter=",")
    whole = parse_delimited(text, "a", ",", comment="#")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        table = parted(path, batch_rows, options)
    tables = [one for part in table.parts for one in table.tables(part)]
    assert table.names == whole.names
    assert [record for one in tables for record in one._parsed.records] == whole.records
    assert [line for one in tables for line in one._parsed.lines] == whole.lines
    assert [part.n_rows for part in table.parts[:-1]] == [batch_rows] * (len(table.parts) - 1)
    assert table.n_rows == len(whole.records)
    written = []
    for part in table.parts:
        written.append(path.with_name(f"{part.number}"))
        with written[-1].open("wb") as stream:
            table.write_part(stream, ((one, {}) for one in table.tables(part)))
    stream = io.BytesIO()
    table.write_file(stream, 0, written)
    assert stream.getvalue() == path.read_bytes()


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(
        st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.text(max_size=3), st.integers())), min_size=1
    ),
    batch_rows=st.integers(1, 4),
    blank=st.sampled_from(["\n", "\r\n", "\n \t\n"]),
)
def test_parts_of_json_lines_are_the_whole(tmp_path_factory, rows: list, batch_rows: int, blank: str) -> None:
    rows = [{"a": 1}, *rows]
    text = "".join(json.dumps(row, ensure_ascii=False) + blank for row in rows)
    path = tmp_path_factory.mktemp("text") / "a.jsonl"
    path.write_text(text, encoding="utf-8", newline="")
    whole, table = parse_json_lines(text, "a"), parted(path, batch_rows)
    table.names = whole.names
    tables = [one for part in table.parts for one in table.tables(part)]
    found = [cells for one in tables for cells in one._parsed.cells]
    assert [{name: cell[0] for name, cell in cells.items()} for cells in found] == rows
    assert "".join("".join(one._parsed.lines) for one in tables) == text
    assert [one.row_place(k) for one in tables for k in range(one.n_rows)] == [
        f"line {place + 1}" for place in whole.places
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'x,y\n1,2\n"3,4\n5,6\n', "line 3: a quote opens here"),
        (b"x,y\n1,2\n3\n", "line 3: 1 cells where the header has 2"),
        (b"x,y\n1,2\n3,\xff\n", "not utf-8 text (line 3, byte 10)"),
        (b"x,y\n1,2\n3,\0\n", "NUL character in line 3"),
        (b"x,y\n", "has a header but no rows"),
        (b"", "is empty"),
        (b"x\n1\n", "single column 'x'"),
        (b"x,x\n1,2\n", "appears twice"),
        ("x,y\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b123", "compressed with gzip"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        read_all(path)
    assert said in str(caught.value)
    assert "a.csv" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-7", "iso2022_jp", "utf-16-le", "no-such"])
def test_encodings_that_cannot_be_cut_are_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x,y\n1,2\n")
    with pytest.raises(ValueError, match=f"--encoding '{encoding}'"):
        parted(path, 1, ReadOptions(encoding=encoding))


def test_a_mark_of_utf8_that_was_named_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("x,y\n1,é\n".encode("utf-8-sig"))
    table = parted(path, 1, ReadOptions(encoding="utf-8-sig"))
    assert table.names == ["x", "y"]
    assert table.parts[0].start == 7
