"""What the options say of how a file is written reaches the reader, and an option that says nothing of a file is refused."""

from __future__ import annotations

import json

import pandas as pd
import pytest

AMOUNTS = "x;y\n1.234;2\n2.345;3\n3.456;\n4.567;5\n5.678;6\n"
DAYS = "day,y\n" + "".join(f"0{k}/0{k + 1}/2020,{k}\n" for k in range(1, 8))


@pytest.fixture
def kinds(tabgan, tmp_path):
    """What each column of a text is taken for, with some options."""

    def run(text: str, *options: object) -> dict[str, str]:
        path = tmp_path / "a.csv"
        path.write_text(text)
        result = tabgan("check", path, "--json", *options)
        assert result.exit_code == 0, result.output
        return {column["name"]: column for column in json.loads(result.stdout)["columns"]}

    return run


def test_thousands_and_decimal_marks(kinds) -> None:
    assert "1.234" in str(kinds(AMOUNTS)["x"])
    for options in (("--thousands", "."), ("--thousands", "x=."), ("--decimal", ",")):
        assert "1234" in str(kinds(AMOUNTS, *options)["x"]), options


def test_date_format(kinds) -> None:
    assert kinds(DAYS)["day"]["kind"] != "datetime"
    assert kinds(DAYS, "--date-format", "day=%d/%m/%Y")["day"]["kind"] == "datetime"


def test_comment_and_skip_lines(kinds) -> None:
    rows = "a,b\n1,2\n2,4\n3,6\n"
    assert list(kinds("% note\n" + rows, "--comment", "%")) == ["a", "b"]
    assert list(kinds("written, by us, today\n" + rows, "--skip-lines", 1)) == ["a", "b"]


def test_sheet(tabgan, tmp_path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="pip install tabgan-learn[excel]")
    pytest.importorskip("python_calamine", reason="pip install tabgan-learn[excel]")
    book = openpyxl.Workbook()
    book.active.append(["first"])
    book.active.append([1])
    second = book.create_sheet("second")
    for row in (["other", "z"], [1, 2], [2, 3], [3, 5]):
        second.append(row)
    book.save(tmp_path / "a.xlsx")
    result = tabgan("check", tmp_path / "a.xlsx", "--json", "--sheet", "second")
    assert [column["name"] for column in json.loads(result.stdout)["columns"]] == ["other", "z"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--decimal", "nonsense"), "--decimal"),
        (("--thousands", "xyz"), "--thousands"),
        (("--date-format", "%d/%m/%Y"), "--date-format"),
        (("--date-format", "x=%d"), "--date-format"),
        (("--comment", ""), "--comment is empty"),
        (("--skip-lines", -1), "--skip-lines -1"),
        (("--sheet", "one"), "--sheet is for xlsx and ods"),
    ],
)
@pytest.mark.parametrize("command", ["check", "impute", "compare", "balance"])
def test_what_is_no_way_to_write_is_refused_by_every_command(tabgan, tmp_path, command, options, said) -> None:
    path = tmp_path / "a.csv"
    path.write_text(AMOUNTS)
    further = {"impute": ("-o", tmp_path / "b.csv"), "balance": ("-t", "y", "-o", tmp_path / "b.csv")}.get(command, ())
    result = tabgan(command, path, *further, *options)
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize("options", [("--comment", "#"), ("--skip-lines", 2), ("--delimiter", ";")])
def test_options_of_delimited_text_are_refused_for_other_files(tabgan, tmp_path, options) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n')
    result = tabgan("check", path, *options)
    assert result.exit_code == 2
    assert f"{options[0]} is for csv" in result.output


@pytest.mark.parametrize("command", ["check", "impute", "compare", "balance", "parts"])
@pytest.mark.parametrize(
    ("suffix", "option"),
    [
        ("parquet", "--encoding=latin-1"),
        ("parquet", "--no-header"),
        ("feather", "--encoding=latin-1"),
        ("feather", "--no-header"),
        ("feather", "--no-default-markers"),
        ("jsonl", "--no-header"),
        ("jsonl", "--no-default-markers"),
    ],
)
def test_options_of_text_are_refused_where_they_say_nothing(tabgan, tmp_path, command, suffix, option) -> None:
    pytest.importorskip("pyarrow")
    path, out = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    frame = pd.DataFrame({"a": [1.0, None, 3.0] * 4, "y": [0, 0, 1] * 4})
    {"parquet": frame.to_parquet, "feather": frame.to_feather}.get(
        suffix, lambda p: p.write_text('{"a": 1, "y": 0}\n')
    )(path)
    further = {"balance": ("-t", "y", "-o", out), "impute": ("-o", out), "parts": ("-o", out, "--batch-rows", 5)}
    result = tabgan("impute" if command == "parts" else command, path, *further.get(command, ()), option)
    assert result.exit_code == 2, result.output
    said = " ".join(result.output.split())
    assert f"{option.partition('=')[0]} is for csv, tsv" in said
    assert f"is {suffix}; drop it." in said
    assert not out.exists()


def test_what_says_how_text_is_written_may_stand_beside_a_typed_file(tabgan, tmp_path) -> None:
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": ["é", None, "b"] * 5, "y": [0.5, 0.25, None] * 5})
    frame.to_parquet(tmp_path / "a.parquet")
    options = ("--encoding", "latin-1", "--no-header", "--delimiter", ";", "--effort", "fast")
    result = tabgan("impute", tmp_path / "a.parquet", "-o", tmp_path / "b.csv", *options)
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "b.csv").read_bytes().splitlines()
    assert lines[0] == "é;0.5".encode("latin-1")
    assert len(lines) == 15
