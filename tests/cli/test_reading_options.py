"""What the options say of how a file is written reaches the reader, and an option that says nothing of a file is refused."""

from __future__ import annotations

import json

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
    assert f"{options[0]} is for csv and tsv" in result.output
