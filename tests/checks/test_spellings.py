"""Labels that look like one label written in several ways are kept apart, and that is said."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import tabgan
from benchmarks.data import load_frame, real_tables
from tabgan import BAGANOversampler, GAINImputer
from tabgan.checks.spellings import find_spellings
from tabgan.exceptions import SpellingsWarning
from tabgan.tables.frames import read_table


def people(labels, n=60):
    cells = np.resize(np.array(labels, dtype=object), n)
    return pd.DataFrame({"height": np.linspace(150, 190, n), "label": cells})


@pytest.mark.parametrize(
    ("labels", "differ", "by"),
    [
        (["Male", "MALE", "Female"], "in case:", ".str.lower()"),
        (["Male", "male ", "MALE"], "in case or blanks:", ".str.strip().str.lower()"),
        (["Rome", " Rome"], "in blanks:", ".str.strip()"),
        (["New York", "New  York"], "in blanks:", ".str.split().str.join(' ')"),
        (["New York", "New\u00a0York"], "in blanks:", ".str.split().str.join(' ')"),
        (["Straße", "STRASSE"], "in case:", ".str.casefold()"),
        (["caf\u00e9", "cafe\u0301"], "in letters that look alike:", ".str.normalize('NFKC')"),
        (["yes", "yes\u200b"], "in letters that look alike:", None),
    ],
)
def test_they_are_found_and_the_advice_makes_them_alike(labels, differ, by):
    table = people(labels)
    (found,) = find_spellings(read_table(table))
    assert found.columns == ("label",)
    assert f"labels that differ only {differ}" in found.what
    assert (by is None) == ("does" not in found.advice)
    if by is not None:
        assert f"as table['label']{by} does" in found.advice
        mended = eval(re.search(r"as (table.*) does", found.advice)[1], {"table": table})
        assert mended.nunique() < table["label"].nunique()
        assert not find_spellings(read_table(table.assign(label=mended)))


@pytest.mark.parametrize(
    "labels",
    [
        ["Male", "Female"],
        ["a-b", "ab", "a b"],
        [1, 2],
        [f"Person {k}" for k in range(59)] + ["person 1"],  # names of rows
    ],
)
def test_different_labels_are_different(labels):
    assert find_spellings(read_table(people(labels))) == []


def test_counts_are_said_and_what_cannot_be_seen_is_shown():
    table = people(["Rome", "Rome", "ROME", "x", "x\u00a0"])
    (found,) = find_spellings(read_table(table))
    assert "'Rome' (24 cells) and 'ROME' (12 cells); 'x' (12 cells) and 'x\\xa0' (12 cells)" in found.what


def test_check_says_so():
    (found,) = [one for one in tabgan.check(people(["Male", "male "])).findings if one.kind == "spelling"]
    assert found.is_suspicion
    assert found.parameters == {}


def test_imputer_warns_and_keeps_them_apart():
    table = people(["Male", "male ", "MALE", "Female"])
    table.loc[::7, "height"] = np.nan
    with pytest.warns(SpellingsWarning, match=r"column 'label'.*'male '.*make them alike first, as table") as caught:
        imputer = GAINImputer(effort="fast", random_state=0).fit(table)
    assert caught[0].filename == __file__
    assert imputer.transform(table)["label"].tolist() == table["label"].tolist()
    assert set(imputer.schema_.columns[1].levels) == {"Male", "male ", "MALE", "Female"}


def test_samplers_warn_of_classes_and_columns():
    table = people(["Male", "MALE"])
    y = np.where(np.arange(60) < 40, "no", np.where(np.arange(60) < 50, "yes", "Yes"))
    with pytest.warns(SpellingsWarning, match=r"y holds labels.*\(10 rows\).*different classes.*column 'label'"):
        BAGANOversampler(n_steps=0, random_state=0).fit_resample(table, y)


def test_real_tables_give_no_alarm():
    for name in real_tables():
        frame = load_frame(name)
        assert find_spellings(read_table(frame)) == [], name


def test_clean_tables_give_no_warning():
    table = people(["Male", "Female"])
    table.loc[3, "height"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error", SpellingsWarning)
        GAINImputer(effort="fast", random_state=0).fit(table)
