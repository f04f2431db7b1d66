"""Patterns of missing cells: what is counted, what stands for what, and what is drawn."""

import numpy as np
import pandas as pd
import pytest

from tabgan.plotting import MissingPatternsDisplay

pytest.importorskip("matplotlib").use("Agg")


def table():
    frame = pd.DataFrame(np.arange(240.0).reshape(40, 6), columns=list("abcdef"))
    frame.loc[:9, ["a", "b", "c"]] = np.nan
    frame.loc[10:12, "d"] = np.nan
    frame.loc[13, ["a", "b", "c", "d"]] = np.nan
    return frame


def test_patterns_are_counted_and_columns_alike_share_a_row():
    display = MissingPatternsDisplay.from_predictions(table())
    assert [(pattern.columns, pattern.n_rows) for pattern in display.patterns] == [
        (("a", "b", "c"), 10),
        (("d",), 3),
        (("a", "b", "c", "d"), 1),
    ]
    assert display.columns == {"a": ["b", "c"], "d": []}
    bars, dots = display.axes_
    assert [bar.get_height() for bar in bars.patches] == [10, 3, 1]
    assert [text.get_text() for text in dots.get_yticklabels()] == ["a (+2)", "d"]
    assert "14 of 40 rows" in display.figure_.get_suptitle()


def test_only_so_many_patterns_and_markers_count():
    display = MissingPatternsDisplay.from_predictions(table().fillna(-1.0), missing_values=-1, max_patterns=1)
    assert (len(display.patterns), display.n_patterns) == (1, 3)
    assert "1 of 3 patterns shown" in display.figure_.get_suptitle()


def test_a_whole_table_has_words_instead():
    display = MissingPatternsDisplay.from_predictions(table()[["e", "f"]])
    assert display.axes_[0].texts[0].get_text() == "no cell is missing"


def test_rows_are_counted_in_whole_numbers():
    frame = pd.DataFrame({"a": [1.0, None, 3.0, None], "b": [None, 2.0, 3.0, 4.0]})
    display = MissingPatternsDisplay.from_predictions(frame)
    display.figure_.canvas.draw()
    ticks = display.axes_[0].get_yticks()
    assert len(ticks) > 1
    assert (ticks == np.round(ticks)).all()
