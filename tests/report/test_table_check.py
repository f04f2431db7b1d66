"""`tabgan.check`: all that is found, in every form it can be had."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

import tabgan
from tabgan.exceptions import InvalidParameterError
from tests.report.pages import check_page


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 120
    start = pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, n), unit="D")
    parts = rng.gamma(2.0, 10.0, (n, 2)).round(2)
    frame = pd.DataFrame(
        {
            "row": np.arange(n),
            "age": np.where(rng.random(n) < 0.1, -999, rng.integers(18, 90, n)),
            "start": start,
            "a": parts[:, 0],
            "b": parts[:, 1],
            "total": (parts[:, 0] + parts[:, 1]).round(2),
            "red": rng.integers(0, 2, n),
            "colour|<b>": rng.choice(["red", "blue", "green"], n),
            "same": "x",
            "none": np.nan,
            "scale": pd.Categorical(rng.choice(["low", "high"], n), ["low", "mid", "high"], ordered=True),
            "code": rng.choice([10, 20, 30, 60], n),
            "wait": pd.to_timedelta(rng.integers(1, 50, n), unit="h"),
        }
    )
    for name in ("total", "colour|<b>", "same"):
        frame.loc[rng.choice(n, 12, replace=False), name] = None
    return frame


@pytest.fixture(scope="module")
def found(table):
    return tabgan.check(table)


def test_kinds_and_why(found):
    why = {column.name: f"{column.kind}: {column.why}" for column in found.columns}
    assert why["row"] == "integer: whole numbers from 0 to 119"
    assert why["start"].startswith("datetime: dates from 2024-01-")
    assert why["a"].startswith("decimal: numbers of at most 2 decimals from ")
    assert why["red"] == "boolean: two whole numbers: 0, 1"
    assert why["same"] == "constant: every cell holds 'x'"
    assert why["none"] == "empty: no cell holds a value"
    assert why["scale"] == "ordinal: categories in order: 'low', 'mid', 'high'"
    assert why["code"] == "coded: a list of 4 whole numbers, with holes: 10, 20, 30, ..."
    assert why["wait"].startswith("timedelta: spans of time from 0 days 0")
    assert why["colour|<b>"].startswith("categorical: 3 different texts: ")


def test_the_plan_says_what_an_imputer_does(found):
    plan = {column.name: column.plan for column in found.columns}
    assert plan["total"] == "computed from 'a', 'b' where known, else imputed from 10 other columns"
    assert plan["same"] == "filled with its only value"
    assert plan["none"] == "stays empty: there is no value to learn from"
    assert plan["colour|<b>"] == "imputed from 10 other columns"
    assert plan["row"] == ""


def test_a_single_column_gets_its_middle():
    (number,) = tabgan.check(pd.DataFrame({"x": [1.0, 2.5, None, 4.0]})).columns
    assert number.plan == "filled with its mean, as no other column tells more"
    (label,) = tabgan.check(pd.DataFrame({"x": ["a", "b", "a", None]})).columns
    assert label.plan == "filled with its commonest value, as no other column tells more"


def test_findings_relations_and_patterns(found):
    assert [(finding.kind, *finding.columns) for finding in found.findings] == [("sentinel", "age"), ("id", "row")]
    assert found.suggested() == {"parameters": {"missing_values": [-999]}, "leave_out": ["row"]}
    assert any("`total`" in rule and "`a`" in rule for rule in found.relations)
    assert found.n_missing == 36 + 120
    assert sum(pattern.n_rows for pattern in found.patterns) == 120
    assert found.patterns[0].columns == ("none",)
    assert found.n_complete == 0


def test_every_form_says_the_same(found):
    for text in (str(found), found.to_markdown(), found._repr_html_()):
        assert "13 columns" in text
        assert "-999" in text
        assert "computed from" in text
        assert "missing_values=[-999]" in text
    assert "--missing 'age=-999'" in found.to_text(command_line=True)
    assert "13 columns" in repr(found)
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert stored["columns"][1]["name"] == "age"
    assert stored["findings"][0]["flags"] == ["--missing", "age=-999"]
    assert found.frame().loc["total", "n_missing"] == 12
    assert "<b>" not in found._repr_html_().replace("<p><b>", "")
    assert "colour\\|\\<b\\>" in found.to_markdown()


def test_what_the_user_says_is_taken(table):
    found = tabgan.check(table, missing_values=-999, categorical_features=["code"], column_kinds={"a": "continuous"})
    why = {column.name: f"{column.kind}: {column.why}" for column in found.columns}
    assert why["a"].startswith("continuous: as you say; numbers from")
    assert why["code"].startswith("categorical: as you say; 4 different numbers")
    assert [finding.kind for finding in found.findings] == ["id"]
    assert next(column.n_missing for column in found.columns if column.name == "age") > 5
    with pytest.raises(InvalidParameterError, match="nothing"):
        tabgan.check(table, column_kinds={"nothing": "integer"})


def test_other_containers():
    frame = pd.DataFrame({"x": np.arange(30) + 0.5, "y": [None, "a", "b"] * 10})
    mine, theirs = tabgan.check(frame), tabgan.check(pl.from_pandas(frame))
    assert str(mine) == str(theirs)
    assert tabgan.check(np.array([[1.0, np.nan]] * 3)).columns[1].kind == "empty"


def test_a_table_without_gaps():
    text = str(tabgan.check(pd.DataFrame({"x": [1.0, 2.5, 3.5], "y": ["a", "b", "c"]})))
    assert text.splitlines()[0] == "3 rows, 2 columns; no cell is missing"
    assert "missing together" not in text


def test_the_picture(found):
    pytest.importorskip("matplotlib").use("Agg")
    assert found.plot().complete == 0


def test_the_table_is_not_changed(table):
    before = table.copy(deep=True)
    tabgan.check(table)
    pd.testing.assert_frame_equal(table, before)


def test_a_check_is_a_page_too():
    pytest.importorskip("matplotlib").use("Agg")
    frame = pd.DataFrame({"row": range(40), "age": [*range(31, 70), -999], "<b>": ["u", None, "v", "w"] * 10})
    report = tabgan.check(frame).to_html(source="t.csv")
    words = check_page(report.html).words
    assert report.to_dict()["headline"].startswith("Look at this first: ")
    assert "Table check: t.csv" in words
    assert "X = X.drop(columns=['row'])" in words
    assert any(word.startswith("tabgan.GAINImputer(missing_values=") for word in words)
    assert "<b>" in words
    assert report.html.count('class="plot wide"') == 1
    assert report.to_markdown().startswith("# Table check: t.csv")
    whole = tabgan.check(pd.DataFrame({"a": [1.5, 2.25, 4.0] * 9, "b": ["x", "y", "z"] * 9})).to_html()
    assert whole.to_dict()["headline"] == "Nothing looks other than it is taken for."
    assert not whole.to_dict()["next_steps"]
    check_page(whole.html)
