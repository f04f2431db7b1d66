"""Labels that say that nothing is known are asked about; those that say something are not."""

import pandas as pd
import pytest

from tabgan.checks.missing_words import find_missing_words
from tabgan.tables.frames import read_table


def of(cells):
    return find_missing_words(read_table(pd.DataFrame({"c": pd.Series(cells, dtype=object)})))


@pytest.mark.parametrize(
    "label", ["missing", "MISSING", "k.A.", "keine Angabe", "?", "--", "(n/a)", "nan", "<NA>", "N.A."]
)
def test_what_means_missing_is_suggested_as_a_marker(label):
    (found,) = of([label] * 3 + ["red", "blue"] * 6)
    assert f"'c' holds {label!r} in 3 cells" in found.what
    assert found.flags == ("--missing", f"c={label}")
    assert found.parameters == {"missing_values": [label]}


@pytest.mark.parametrize("label", ["unknown", "Unbekannt", "refused", "None", "don't know"])
def test_what_may_be_an_answer_is_only_asked_about(label):
    (found,) = of([label] * 3 + ["red", "blue"] * 6)
    assert "add --missing" in found.option
    assert (found.flags, found.parameters) == ((), {})


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "blue", "no"] * 6,
        ["missing", "found"] * 9,  # a state of things, not of knowledge
        ["+", "-", "++"] * 6 + ["x"],
        ["missing", "red", "blue"],
        [f"{k}.5" for k in range(20)] + ["?"] * 3,  # `find_odd_cells` says it
        [None] * 20 + ["red", "blue"],
        ["ND", "NY", "NA", "CA"] * 6,  # states and countries
    ],
)
def test_other_labels_are_left_in_peace(cells):
    assert of(cells) == []
