"""Reports begin with what the reader must know: the worst column, what synthetic rows change, which method, and what to run next."""

import json
import re
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tabgan import (
    BAGANOversampler,
    CGANSampler,
    GAINImputer,
    compare_imputers,
    report_comparison,
    report_imputation,
    report_resampling,
)
from tabgan.exceptions import IdentifierWarning
from tabgan.model_selection.ranking import Comparison
from tabgan.report import pictures
from tabgan.report.comparison_page import comparison_page
from tabgan.report.fill_certainty import _as_written
from tabgan.report.filled_rows import _cell, example_rows, filled_rows
from tabgan.report.imputation_notices import imputation_notices
from tabgan.report.imputed_columns import ImputedColumn, imputed_columns, worst_in_words
from tabgan.report.resampling_page import _decision_table, _headline
from tabgan.tables.frames import read_table
from tabgan.tables.kinds import ColumnSchema
from tests.report.pages import check_page


def column(name="c", n=10, error=0.5, baseline=1.0, is_label=False, n_cells=40):
    return ImputedColumn(name, n, 100, error, baseline, is_label, n_cells)


@pytest.mark.parametrize(
    ("one", "doubtful"),
    [
        (column(error=1.0), True),
        (column(error=0.996), True),  # 1.00 as it is shown
        (column(error=0.99), False),
        (column(error=0.4, baseline=0.0), True),
        (column(error=0.0, baseline=0.0), False),
        (column(error=0.6, baseline=0.9, is_label=True), True),  # mostly wrong
        (column(error=0.2, baseline=0.2, is_label=True), True),
        (column(error=0.1, baseline=0.2, is_label=True), False),
        (column(error=0.0, baseline=0.0, is_label=True), False),
        (column(error=np.nan), False),
    ],
)
def test_what_is_doubtful(one, doubtful):
    assert one.doubtful == doubtful


def test_the_worst_column_comes_first():
    scores = pd.DataFrame(
        {
            "n_cells": [50, 17, 30, 40],
            "rmse": [3.0, np.nan, np.nan, 1.0],
            "rmse_mean": [4.0, np.nan, np.nan, 4.0],
            "error_rate": [np.nan, 0.76, 0.3, np.nan],
            "error_rate_mode": [np.nan, 0.8, 0.5, np.nan],
            "kind": ["numeric", "categorical", "categorical", "numeric"],
        },
        index=["age", "cabin", "port", "fare"],
    )
    names = ["fare", "age", "whole", "port", "cabin", "new"]
    found = imputed_columns(scores, names, [2, 5, 0, 3, 80, 1], 100)
    assert [one.name for one in found] == ["cabin", "age", "port", "fare", "new"]
    assert [one.name for one in imputed_columns(scores, names, [2, 5, 0, 300, 5, 1], 400)][:2] == ["port", "cabin"]
    said = worst_in_words(found)
    assert said.startswith("Do not rely on cabin: 80 of 100 values are imputed, 76% wrong on only 17 held-out cells")
    assert "Nor on" not in said


def test_the_sentence_fits_what_was_found():
    assert worst_in_words([]) == ""
    many = [column(f"c{k}", error=1.0) for k in range(7)]
    assert worst_in_words(many).endswith(" Nor on c1, c2, c3, c4 and 2 more.")
    assert worst_in_words([column(n=1, error=0.2)]).startswith(
        "Fills are close to the truth on held-out cells; least sure is c: 1 of"
    )
    assert worst_in_words([column(error=0.8)]).startswith(
        "Least sure is c: 10 of 100 values are imputed, off by 0.8 on 40"
    )
    assert "is not known" in worst_in_words([column(error=np.nan)])


def test_columns_without_a_value_are_named():
    empty = [column(name, n=100, error=np.nan, n_cells=0) for name in "ab"]
    assert worst_in_words(empty[:1]) == "a has no value to learn from and stays empty."
    assert worst_in_words([column(error=0.8), *empty]).endswith(
        "(the mean: 1). a, b have no value to learn from and stay empty."
    )
    assert worst_in_words([column(error=1.0), empty[0]]).endswith(" a has no value to learn from and stays empty.")


def test_few_cells_are_no_ground_for_praise():
    few, many = column("few", error=0.2, n_cells=19), column("many", error=0.1, n_cells=20)
    assert worst_in_words([few]).startswith(
        "Too few cells were held out to tell how good fills are; least sure is few: 10 of"
    )
    assert worst_in_words([few, many]).startswith("Fills are close to the truth on held-out cells; least sure is few")
    dark = [column(f"d{k}", error=np.nan, n_cells=0) for k in range(5)]
    assert worst_in_words([many, dark[0]]).endswith(" Of d0 no cell was held out.")
    assert worst_in_words([many, *dark]).endswith(" Of d0, d1, d2, d3 and 1 more no cell was held out.")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    frame = pd.DataFrame({"x": x, "y": 3 * x + 1, "noise": rng.choice(list("abcdefgh"), 120)})
    frame.loc[::6, "y"] = np.nan
    frame.loc[::4, "noise"] = None
    return frame


@pytest.fixture(scope="module")
def imputer(table):
    return GAINImputer(n_steps=2, draw_steps=0, n_trees=4, n_donor_trees=0, random_state=0).fit(table)


def test_the_imputation_report_leads_with_it(table, imputer):
    pytest.importorskip("matplotlib").use("Agg")
    report = report_imputation(imputer, table, n_draws=0, source="a <b>.csv")
    page = check_page(report.html)
    words = page.words
    at = next(
        k for k, word in enumerate(words) if word.startswith("Do not rely on noise: 30 of 120 values are imputed")
    )
    assert at < words.index("Summary", at) < words.index("Column by column", at) < words.index("What to watch", at + 8)
    title = re.search(r"<title>(.*?)</title>", report.html)[1]
    assert title.startswith("a &lt;b&gt;.csv - Imputation report - 20")
    assert "Imputation report: a <b>.csv" in words
    rows = words[words.index("Column", at) :]
    assert rows.index("noise") < rows.index("y") < rows.index("x")
    assert "X = X.drop(columns=['noise'])" in words
    assert any(word.startswith("→ ") for word in words)
    assert "Which cells are missing together" in words
    assert "What the other columns tell of missing cells" in words
    assert len(report.html) < 2e6


def test_reports_as_markdown_and_plain_data(table, imputer, monkeypatch):
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    report = report_imputation(imputer, table, source="t|*.csv")
    assert report.to_html() == report.html
    text = report.to_markdown()
    assert text.startswith("# Imputation report: t\\|\\*.csv\n\n**Do not rely on noise")
    assert "| Column | Kind | Missing |" in text
    assert "| noise | categorical | 30 | 25.0% |" in text
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert found["headline"].startswith("Do not rely on noise")
    assert found["tables"][0]["rows"][0]["Column"] == "noise"
    assert found["next_steps"][0]["command"] == "X = X.drop(columns=['noise'])"


def rows_of(filled, missing, names, first):
    examples = example_rows(filled, missing, names, first)
    return examples and filled_rows(examples, filled, missing, names, {})


def test_rows_before_and_after(table, imputer):
    filled = imputer.transform(table)
    found = rows_of(filled, table.isna().to_numpy(), list(table.columns), ["noise", "y"])
    assert [head.text for head in found.heads] == ["Row", "noise", "y", "x"]
    for row in found.rows:
        k = int(row[0].text) - 1
        for cell, name in zip(row[1:], ["noise", "y", "x"], strict=True):
            assert cell.text.startswith("→ ") == (cell.style == "text filled") == bool(pd.isna(table[name].iloc[k]))
    assert sum(row[1].text.startswith("→ ") for row in found.rows) >= len(found.rows) / 2
    assert 3 <= len(found.rows) <= 6
    assert rows_of(filled.to_numpy(), table.isna().to_numpy(), [0, 1, 2], ["2"]).heads[1].text == "2"
    assert rows_of(table, np.zeros(table.shape, bool), list(table.columns), []) is None
    part = rows_of(filled[["noise", "x"]], table.isna().to_numpy(), list(table.columns), ["noise", "y"])
    assert [head.text for head in part.heads] == ["Row", "noise", "x"]
    assert part.rows[0][1].text == "→ " + str(filled["noise"].iloc[int(part.rows[0][0].text) - 1])
    assert rows_of(filled.to_numpy()[:, :2], table.isna().to_numpy(), list(table.columns), []) is None


class Decision:
    label, n_changed_ = "rare", 3
    truth = np.array(["rare"] * 3 + ["often"] * 7)
    measures_ = pd.DataFrame(
        {"without": [0.6, 0.83, 0.7], "with": [0.75, 0.53, 0.7]},
        index=["recall of rare", "precision of rare", "balanced accuracy"],
    )


def test_the_resampling_report_leads_with_its_own_result(monkeypatch):
    said = _headline(Decision(), 12)
    assert said.startswith(
        "Too few rows of class rare were held out to tell what synthetic rows change: precision falls from 83% to 53%, "
    )
    assert "recall rises from 60% to 75%, on 10 held-out rows, 3 of them of this class" in said
    many = Decision()
    many.truth = np.repeat(many.truth, 10)
    assert _headline(many, 12).startswith("Synthetic rows change how a classifier finds class rare: precision falls")
    many.measures_ = many.measures_.assign(**{"with": many.measures_["without"]})
    assert _headline(many, 12).startswith(
        "Synthetic rows do not change how a classifier finds class rare: precision stays at 83%"
    )
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in _decision_table(Decision()).rows}
    assert rows["precision of rare"] == ["83.0%", "53.0%", "-30.0"]
    assert "not measured" in _headline(None, 5)
    assert _headline(None, 0) == ""
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    X = np.random.default_rng(0).normal(size=(80, 3))
    sampler = CGANSampler(n_steps=0, random_state=0).fit(X, np.arange(80) % 4 == 0)
    report = report_resampling(sampler, check=True, source="t.csv")
    words = check_page(report.html).words
    assert any(
        word.startswith("Too few rows of class True were held out to tell what synthetic rows change: precision ")
        for word in words
    )
    assert "tabgan.should_rebalance(X, y)" in words
    assert "Change in points" in words


@pytest.mark.parametrize("n_repeats", [1, 2])
def test_the_comparison_report_says_what_one_repeat_is_worth(table, n_repeats, monkeypatch):
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    found = compare_imputers(table, methods=["mean/mode", "kNN"], n_repeats=n_repeats)
    report = report_comparison(found, source="t.csv")
    words = check_page(report.html).words
    assert ("± standard error" in words) == (n_repeats > 1)
    assert any("One repeat says nothing of chance" in word for word in words) == (n_repeats == 1)
    headline = report.to_dict()["headline"]
    assert headline.startswith(found.best)
    assert ("One repeat only" in headline) == (n_repeats == 1)
    assert not any("±" in word for word in words) or n_repeats > 1
    assert found.to_html(source="t.csv").to_dict()["headline"] == headline
    assert json.dumps(found.to_dict(), indent=2, ensure_ascii=False) + "\n" == found.to_json()
    ties = {row["Method"]: row["Tied"] for row in report.to_dict()["tables"][0]["rows"]}
    for row in found.summary.to_dict("records"):
        expected = "best" if row["method"] == found.best else "= best" if row["tied"] else ""
        assert ties[row["method"]] == expected


def test_methods_that_cannot_be_told_apart_are_named_in_the_headline(table):
    found = compare_imputers(table, methods=["mean/mode", "kNN"], n_repeats=2)
    tied = found.summary.assign(tied=True, method=["kNN", "mean/mode"])
    apart = found.summary.assign(tied=[True, False])
    failed = found.summary.assign(error="no")
    for summary, said in (
        (tied, "kNN has the lowest error"),
        (apart, f"{found.best} fills this table best: relative error"),
        (failed, "Every method failed"),
    ):
        headline = comparison_page(Comparison(summary, found.per_column, found.settings)).headline
        assert headline.startswith(said)
        assert headline.endswith("cannot be told from mean/mode.") == (summary is tied)


def test_labels_that_are_mostly_wrong_are_among_the_warnings(table, imputer):
    """The headline says not to rely on them: what to watch must not be silent of it."""
    name = imputer.schema_.columns[0].name
    scores = imputer.validation_scores_.copy()
    scores.loc[name, ["error_rate", "error_rate_mode", "rmse", "rmse_mean"]] = [0.6, 0.8, np.nan, np.nan]
    other = SimpleNamespace(**vars(imputer) | {"validation_scores_": scores, "had_missing_": imputer.had_missing_})
    gaps = pd.Series([3] * len(imputer.schema_.columns))
    notices = imputation_notices(other, gaps, read_table(table))
    said = [notice.what for notice in notices if "most held-out labels were filled wrongly" in notice.what]
    assert len(said) == 1
    assert repr(name) in said[0]


def test_ends_of_intervals_are_written_as_their_column_is():
    known = ColumnSchema("c", "decimal", "number", "float64", lower=0.0, upper=1.0, decimals=2)
    ends = np.array([[-8.3e-7, 1 + 4e-7], [0.0767, 0.309]])
    assert _as_written(ends, known).tolist() == [[0.0, 1.0], [0.08, 0.31]]
    free = ColumnSchema("c", "continuous", "number", "float64", lower=0.0, upper=1.0)
    assert _as_written(ends, free).tolist() == [[0.0, 1.0], [0.0767, 0.309]]
    whole = ColumnSchema("c", "integer", "number", "int64", lower=0, upper=3, decimals=0)
    assert _as_written(np.array([[-1.2e-6, 1.44e-6]]), whole).tolist() == [[0.0, 0.0]]


def test_what_the_fit_has_warned_of_is_not_warned_of_again():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"id": np.arange(90) + 5000, "x": rng.normal(size=90)})
    sampler = BAGANOversampler(n_steps=2, random_state=0)
    with pytest.warns(IdentifierWarning):
        sampler.fit_resample(X, ["a"] * 70 + ["b"] * 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error", IdentifierWarning)
        page = report_resampling(sampler, check=True).html
    assert "changed" in page


def test_errors_of_dates_and_durations_have_units():
    day = ImputedColumn("day", 8, 240, 176.9, 181.2, False, 22, "datetime")
    assert "off by 177 days on 22 held-out cells (the mean: 181 days)" in day.words()
    wait = ImputedColumn("wait", 8, 240, 5400.0, 120.0, False, 22, "timedelta")
    assert "off by 1.5 hours on 22 held-out cells (the mean: 2 minutes)" in wait.words()


def test_columns_named_by_numbers_are_called_columns():
    bad = ImputedColumn("117", 10, 20, 0.6, 0.7, True, 29)
    also = ImputedColumn("3", 10, 20, 0.6, 0.7, True, 29)
    said = worst_in_words([bad, also])
    assert said.startswith("Do not rely on column 117: ")
    assert said.endswith("Nor on column 3.")


def test_an_imputed_number_lies_within_the_interval_that_is_shown():
    assert _cell(0.04, True, (0.0, 0.0)).text == "→ 0.04 (0 to 0.04)"
    assert _cell(40085, True, (11800.0, 73200.0)).text == "→ 40085 (11800 to 73200)"
    assert _cell(pd.Timestamp("2024-01-31"), False, None).text == "2024-01-31"
