"""Dates and amounts that a program reads as text are filled as labels: that is said, and nothing else is."""

import warnings

import numpy as np
import pandas as pd
import pytest

from benchmarks.data import load_frame, real_tables
from tabgan import CGANSampler, GAINImputer
from tabgan.checks.odd_cells import unread_texts
from tabgan.exceptions import TextsWarning
from tabgan.tables.frames import read_table

DAYS = [f"{1 + k % 28:02d}/{1 + k % 12:02d}/2021" for k in range(60)]
AMOUNTS = [f"{k * 37 % 1000},{k % 10}0 €" for k in range(60)]


def frame(**columns):
    return pd.DataFrame({"x": np.arange(60.0) % 7, **columns})


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (DAYS, "dates"),
        ([None, *DAYS[1:]], "dates"),
        ([f"2021-03-{1 + k % 9:02d}" for k in range(60)], "dates"),  # few different ones are dates all the same
        ([f"{1 + k % 28} Mar 2021" for k in range(60)], "dates"),
        (["unknown", *DAYS[1:]], "dates"),
        (AMOUNTS, "comma"),
        ([f"{k}%" for k in range(60)], ""),
        ([f"{k}.5 kg" for k in range(60)], "the unit kg"),
    ],
)
def test_dates_and_amounts_are_found(cells, said):
    found = unread_texts(read_table(frame(when=cells)))
    assert list(found) == ["when"]
    assert said in found["when"]


@pytest.mark.parametrize(
    "cells",
    [
        [f"{k % 90 + 10}" for k in range(60)],  # digits alone: codes kept as text
        [f"{k:05d}" for k in range(60)],
        [f"{k % 5}.5" for k in range(60)],  # few texts: sizes
        [f"A{k % 9}" for k in range(60)],
        [f"word {k}" for k in range(60)],
        DAYS[:5] + [None] * 55,  # too few to tell
        pd.Categorical(DAYS),  # declared
        pd.to_datetime(DAYS, dayfirst=True),
    ],
)
def test_what_is_meant_to_be_text_is_left_alone(cells):
    assert unread_texts(read_table(frame(when=cells))) == {}


def test_estimators_say_so_with_the_column_and_what_to_do():
    table = frame(when=DAYS, cost=AMOUNTS)
    table.loc[3, "x"] = None
    said = r"'when' reads as dates.*'cost' reads as.*pandas.to_datetime.*categorical_features=\['when'\]"
    with pytest.warns(TextsWarning, match=said) as caught:
        GAINImputer(effort="fast", random_state=0).fit(table)
    assert caught[0].filename == __file__
    with pytest.warns(TextsWarning, match=said):
        CGANSampler(n_steps=0, random_state=0).fit(table, np.repeat([0, 1], [40, 20]))


@pytest.mark.parametrize(
    "declared",
    [{"categorical_features": ["when"]}, {"categorical_features": [1]}, {"column_kinds": {"when": "categorical"}}],
)
def test_columns_that_are_declared_are_as_they_were_meant(declared):
    table = frame(when=DAYS)
    table.loc[3, "x"] = None
    with warnings.catch_warnings():
        warnings.simplefilter("error", TextsWarning)
        GAINImputer(effort="fast", random_state=0, **declared).fit(table)


def test_real_tables_give_no_false_alarm():
    """In bike sharing the day of each row is text; of all other tables nothing is said."""
    found = {(name, column) for name in real_tables() for column in unread_texts(read_table(load_frame(name)))}
    assert found <= {("bike_sharing_hour", "dteday")}
    assert found or not real_tables()
