"""Hints at columns that may have been meant otherwise: where there should be one, and where there should be none."""

from __future__ import annotations

import pytest

from tabgan.checks.suspicions import suspected_header, suspected_writing
from tabgan.cli.files.sources import place_of
from tabgan.cli.files.table_files import ReadOptions, open_table
from tabgan.exceptions import InvalidInputError


def hints(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    table = open_table(place_of(str(path), None, "INPUT"), ReadOptions(**options))
    table.frame(table.names)
    return table.hints


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        (["35,049", "12", "1,204,000.5"], "numbers"),
        (["30,05", "2,5"], "numbers"),
        (["1.234,5", "17"], "numbers"),
        (["\u221210.6", "3.5"], "numbers"),
        (["\u0663\u0660", "\u0662\u0662"], "numbers"),
        (["12 %", "7 %"], "numbers"),
        (["27/10/2020", "03/04/2020"], "dates"),
        (["27.10.2020 10:30", "1.2.2021 11:00"], "dates"),
        (["2024-01-01", "2024-01-02 10:00"], "dates"),
        (["2024/1/31"], "dates"),
        (["red", "35,049"], None),
        (["007", "12"], None),
        (["1.2.3", "1.2.10"], None),
        (["0x1e", "0x14"], None),
        (["555-1234"], None),
        (["27/10-2020"], None),
        (["a,b", "c,d"], None),
        ([], None),
    ],
)
def test_numbers_and_dates_in_other_writing(cells, word):
    hint = suspected_writing("c", cells)
    assert (hint is None) == (word is None)
    assert word is None or f"look like {word}" in hint
    assert word is None or "column 'c'" in hint


@pytest.mark.parametrize(
    ("names", "row", "said"),
    [
        (["Gen", "30.05", "56.99"], ["Col", "22.0", "1"], "30.05"),
        (["5", "1", "3"], ["6", "2", "4"], "5"),
        (["city", "2019", "2020"], ["Col", "22", "1"], None),
        (["0", "1", "2"], ["6", "2", "4"], None),
        (["x", "0.25", "0.5"], ["6", "red", "blue"], None),
        (["x", "y"], ["6", "2"], None),
    ],
)
def test_first_lines_that_look_like_rows(names, row, said):
    hint = suspected_header(names, [row])
    assert (hint is None) == (said is None)
    assert said is None or repr(said) in hint


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("country,x\nNA,1\nBW,2\n,3\nZA,4\n", {}, True),
        ("country,x\nNA,1\nBW,2\nZA,3\n", {}, True),
        ("code,x\nnan,1\nabw,2\nzaf,3\n", {}, True),
        ("country,x\nNA,1\nBotswana,2\nZA,3\n", {}, False),
        ("country,x\nN/A,1\nBW,2\nZA,3\n", {}, False),
        ("country,x\nNA,1\nBW,2\n,3\n", {"missing": ("NA",)}, False),
        ("country,x\nNA,1\nBW,2\n,3\n", {"missing": ("country=NA",)}, False),
        ("country,x\nNA,1\nBW,2\n,3\n", {"missing": ("country=",)}, False),
        ("country,x\nNA,1\nBW,2\n,3\n", {"default_markers": False}, False),
        ("y,x\nNA,1\n2,2\n,3\n5,1\n", {}, False),
        ("y,x\nNA,1\n,2\n", {}, False),
        ("name,x\nNull,1\n" + "".join(f"Name{chr(97 + k)},{k}\n" for k in range(25)), {}, False),
        ("name,x\nnull,1\n" + "".join(f"Name{chr(97 + k)} von Berg,{k}\n" for k in range(25)), {}, True),
        ("name,x\nnull,1\n" + "".join(f"Name{chr(97 + k % 5)},{k}\n" for k in range(25)), {}, False),
    ],
)
def test_values_that_count_as_missing(tmp_path, text, options, said):
    found = [
        hint
        for hint in hints(tmp_path, text, **options)
        if "if that" not in hint and "=" in hint and "--missing" in hint
    ]
    assert len(found) == said


def test_digits_of_other_scripts_are_no_numbers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n\u0663\u0660,1\n\u0662\u0662,2\n,3\n")
    table = open_table(place_of(str(path), None, "INPUT"), ReadOptions())
    assert table.column("a").tolist()[:2] == ["\u0663\u0660", "\u0662\u0662"]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("a,b\n\u20ac,1\n".encode("cp1252"), "cp1252"),
        (b"a,\x81\xff\n1,2\n", "latin-1"),
    ],
)
def test_the_likely_encoding_is_named(tmp_path, data, encoding):
    with pytest.raises(InvalidInputError, match=f"--encoding such as {encoding}"):
        hints(tmp_path, data)
