"""Delimiters without cells at the ends of lines and files, as spreadsheets leave them: no rows, no columns, and all kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tabgan.cli.files.sources import place_of
from tabgan.cli.files.table_files import ReadOptions, open_table
from tabgan.exceptions import InvalidInputError


def opened(path, text, **options):
    path.write_bytes(text.encode())
    return open_table(place_of(str(path), None, "INPUT"), ReadOptions(**options))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_delimiters_that_end_rows_and_not_the_header_are_kept(tmp_path, mark):
    lines = ["a,b,c", "1,,x,", "2,5, y,", "3,6,, ", "4,7,z,"]
    text = "\r\n".join(lines).replace(",", mark) + "\r\n"
    table = opened(tmp_path / "t.csv", text)
    assert table.names == ["a", "b", "c"]
    assert table.frame(table.names)["b"].isna().tolist() == [True, False, False, False]
    out = table.dumped({"b": pd.Series({0: 9.0}), "c": pd.Series({2: "y"})}, table.place).decode()
    assert out == text.replace(f"1{mark}{mark}x", f"1{mark}9{mark}x").replace(f"6{mark}{mark} ", f"6{mark}y{mark} ")


def test_a_last_cell_that_holds_something_is_no_line_end(tmp_path):
    with pytest.raises(InvalidInputError, match="line 3: 4 cells where the header has 3"):
        opened(tmp_path / "t.csv", "a,b,c\n1,2,x\n2,5,y,z\n").frame(["a"])


def test_a_name_that_the_header_lacks_is_asked_for_and_no_row_taken_for_names(tmp_path):
    rows = "".join(f"{k},{k + 1},{k + 2},x\n" for k in range(9))
    with pytest.raises(InvalidInputError, match=r"header has 3 names and every row 4 cells; name .* in the header\.$"):
        opened(tmp_path / "t.csv", "a,b,c\n" + rows)


def test_rows_of_nothing_at_the_end_are_no_rows(tmp_path):
    text = 'a,b,c\n1,,x\n,,\n2,5,y\n,,\n,"",\n,,\n'
    table = opened(tmp_path / "t.csv", text)
    assert table.n_rows == 3, "one among rows may be a row"
    assert "3 lines at the end hold nothing but delimiters, no row of the table" in table.notes()
    assert table.frame(table.names)["b"].isna().tolist() == [True, True, False]
    assert table.dumped({"b": pd.Series({0: 9.0})}, table.place).decode() == text.replace("1,,x", "1,9,x")
    table.extend(np.array([2]), mark=None)
    assert table.dumped({}, table.place).decode().endswith(",,\n2,5,y\n")


@pytest.mark.parametrize(("text", "n_rows"), [("a,b\n1,2\n,\n", 2), ("a\n1\n\n", 1), ("a,b,c\n,,\n,,\n", 2)])
def test_few_empty_cells_may_be_chance_and_a_file_of_them_is_one(tmp_path, text, n_rows):
    assert opened(tmp_path / "t.csv", text).n_rows == n_rows


def test_lines_that_look_like_no_rows_are_asked_about_with_a_flag_that_leaves_them_out(tmp_path):
    rows = "".join(f"c{k},{k},{k * k}\n" for k in range(12))
    text = "a,b,c\ncode,m,kg\n" + rows + "Total,66,506\n"
    table = opened(tmp_path / "t.csv", text)
    units, total = table.hints
    assert units.startswith("line 2 holds 'm', 'kg'")
    assert units.endswith("add --comment 'code'")
    assert total.endswith("add --comment 'Total'")
    again = opened(tmp_path / "t.csv", text.replace("Total,66,506\n", ""), comment="code")
    assert (again.n_rows, again.hints) == (12, [])
    assert again.dumped({}, again.place).decode() == text.replace("Total,66,506\n", "")


def test_cells_between_blanks_are_asked_about_in_a_csv(tmp_path):
    table = opened(tmp_path / "t.csv", "a b c\n1.5 NA x\n2 3 y\n")
    assert table.names == ["a b c"]
    assert table.hints == [
        "there is the single column 'a b c', and every line has 3 parts between blanks; if these are cells, add --delimiter ' '"
    ]
    assert opened(tmp_path / "t.csv", "a b c\n1.5 NA x\n2 3 y\n", delimiter=" ").names == ["a", "b", "c"]
    assert opened(tmp_path / "t.csv", "full name\nAnn Lee\nBo Li\n").hints == []
