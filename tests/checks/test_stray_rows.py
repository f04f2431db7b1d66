"""Units below the names, totals at the end and names once more are asked about; words among numbers and labels are not."""

from __future__ import annotations

import pytest

from tabgan.checks.stray_rows import stray_rows

ROWS = [[f"{k}", f"{k / 2}", "x" if k % 3 else ""] for k in range(12)]


def hints(rows, names=("a", "b", "c")):
    return stray_rows(
        names, len(rows), rows.__getitem__, range(len(rows)), lambda row: f"line {row + 2}", lambda row: "remove it"
    )


@pytest.mark.parametrize("first", [["cm", "kg", "-"], ["[m]", "(kg)", ""], ["Länge", "Gewicht", "Art"]])
def test_units_and_further_names_below_the_names(first):
    (hint,) = hints([first, *ROWS])
    assert hint.startswith(f"line 2 holds {first[0]!r}, {first[1]!r} in columns of numbers")
    assert hint.endswith("if it is none, remove it")


@pytest.mark.parametrize(
    "first", [["unknown", "NA", "x"], ["?", "-", "x"], ["cm", "3", "x"], ["cm", "", "x"], ["1", "2", "x"]]
)
def test_missing_cells_and_numbers_in_the_first_row_are_no_units(first):
    assert hints([first, *ROWS]) == []


@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Grand total", "Summe", "Gesamtsumme", "Somme", "Итого"])
def test_totals_at_the_end(word):
    (hint,) = hints([*ROWS, [word, "33", ""]])
    assert hint.startswith(f"line 14 looks like a total ({word!r})")
    (hint,) = hints([*ROWS, ["", word, "33"], ["", "", "a note"]])
    assert "line 14 looks like a total" in hint


def test_a_level_of_that_name_and_a_total_of_nothing_are_rows():
    assert hints([["Total", "1", "x"], *ROWS, ["Total", "33", ""]]) == []
    assert hints([*ROWS, ["Total", "", "x"]]) == []
    assert hints([*ROWS, ["Totally", "3", "x"]]) == []


def test_names_once_more():
    (hint,) = hints([*ROWS[:4], ["a", "b", "c"], *ROWS[4:], ["a", "b", "c"]])
    assert hint == "2 rows repeat the column names (line 6); remove them"
    assert hints([["a"], ["b"]], names=("a",)) == []
