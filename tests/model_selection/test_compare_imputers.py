"""`compare_imputers` and the baselines it runs."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tabgan import GAINImputer, compare_imputers
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.model_selection.baselines import BASELINES, MeanModeImputer, OneHotImputer, TreeChain
from tabgan.model_selection.ranking import _paired

QUICK_TREES = TreeChain(n_trees=10, max_rounds=3, n_jobs=1)
CHEAP = ("mean/mode", "kNN")


def related(n: int = 150, seed: int = 0) -> pd.DataFrame:
    """Three numbers and two labels that follow from one another, with gaps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    table = pd.DataFrame(
        {
            "a": x,
            "b": 3 * x + 0.2 * rng.normal(size=n) + 7,
            "c": -x + 0.2 * rng.normal(size=n),
            "third": pd.Series(np.where(x < -0.5, "low", np.where(x > 0.5, "high", "middle")), dtype=object),
            "positive": pd.array(x > 0, dtype="boolean"),
        }
    )
    for name in table.columns:
        table.loc[rng.random(n) < 0.05, name] = None
    return table


class Broken(BaseEstimator):
    def fit_transform(self, X, y=None):
        raise RuntimeError("no luck\ntoday")


class Watching:
    """Keeps what it was shown; fills with zeros and a word."""

    seen: ClassVar[list] = []

    def fit_transform(self, X, y=None):
        Watching.seen.append(X.copy())
        return X.fillna({name: 0.0 if X[name].dtype == float else "?" for name in X})


@pytest.fixture(scope="module")
def result():
    own = {
        "GAINImputer": GAINImputer(n_steps=60, n_members=1, width=16, draw_steps=0),
        "tree chain": QUICK_TREES,
        "broken": Broken(),
    }
    return compare_imputers(related(), imputers=own, n_repeats=2)


def test_relations_are_found_and_a_failure_stays_a_row(result):
    summary = result.summary.set_index("method")
    assert set(summary.index) == {*BASELINES, "GAINImputer", "broken"}
    assert summary.loc["broken", "rank"] == len(summary) == 6
    assert summary.loc["broken", "error"] == "RuntimeError: no luck"
    assert summary.loc["mean/mode", "rank"] == 5
    assert summary.loc["mean/mode", "relative_error"] == pytest.approx(1)
    assert summary.loc["mean/mode", "rmse"] == pytest.approx(1, abs=0.15)
    others = summary.drop(index=["mean/mode", "broken"])
    assert (others["relative_error"] < 0.6).all()
    assert (others["rmse"] < 0.6).all()
    assert (others["seconds"] > 0).all()
    assert list(result.summary["rank"]) == sorted(result.summary["rank"])
    assert result.best == result.summary["method"][0]
    assert summary.loc[result.best, ["difference", "difference_se"]].tolist() == [0, 0]
    assert not summary.loc["mean/mode", "tied"]


def test_per_column_adds_up(result):
    cells = result.per_column
    assert cells["method"].nunique() == 5
    mine = cells[cells["method"] == "mean/mode"].set_index("column")
    assert mine["kind"].to_dict() == {
        "a": "number", "b": "number", "c": "number", "third": "label", "positive": "label",
    }  # fmt: skip
    assert mine["n_cells"].sum() == sum(result.settings["hidden_cells"])
    assert np.allclose(mine["relative_error"], 1)
    assert mine["rmse"].notna().tolist() == mine["error_rate"].isna().tolist() == [True] * 3 + [False] * 2


def test_without_draws_the_ranking_says_nothing_of_them(result):
    assert result.summary["i_score"].isna().all()
    assert "energy-I-Score" not in repr(result)


def test_what_is_written(result):
    content = json.loads(result.to_json())
    assert content["best"] == result.best
    assert content["summary"][-1]["rmse"] is None
    assert {"random_state", "rate", "mechanism", "rows", "versions"} <= set(content["settings"])
    lines = result.to_markdown().splitlines()
    assert lines[1].count("---") == 7
    assert len({line.count("|") for line in lines[:8]}) == 1
    assert "broken failed: RuntimeError: no luck" in repr(result)
    assert repr(result).splitlines()[0].split()[:2] == ["rank", "method"]


def test_errors_are_those_of_a_calculation_by_hand():
    Watching.seen = []
    table = related()
    found = compare_imputers(table, methods=[], imputers={"zero": Watching()}, n_repeats=1, rate=0.3)
    shown = Watching.seen[0]
    hidden = table.notna().to_numpy() & shown.isna().to_numpy()
    real = table.isna().to_numpy()
    assert (shown.isna().to_numpy() == (hidden | real)).all()
    assert hidden.sum() == found.settings["hidden_cells"][0] == round(0.3 * (~real).sum())
    by_column = found.per_column.set_index("column")
    assert by_column["n_cells"].tolist() == hidden.sum(axis=0).tolist()
    b = table["b"]
    assert by_column.loc["b", "rmse"] == pytest.approx(np.sqrt((b[hidden[:, 1]] ** 2).mean()) / b.std(ddof=0))
    assert by_column.loc["third", "error_rate"] == 1
    squares = [(table[name][hidden[:, j]] / table[name].std(ddof=0)) ** 2 for j, name in enumerate("abc")]
    assert found.summary["rmse"][0] == pytest.approx(np.sqrt(np.concatenate(squares).mean()))
    assert np.isnan(found.summary["rmse_se"][0])
    assert shown["third"].dropna().isin(["low", "middle", "high"]).all()


def test_same_seed_same_result_and_masks_are_shared():
    Watching.seen = []
    table = related(80)
    own = {"one": Watching(), "two": Watching(), "GAINImputer": GAINImputer(n_steps=5, width=8, draw_steps=0)}
    first, second = (
        compare_imputers(table, methods=["kNN"], imputers=own, n_repeats=2, random_state=3) for _ in range(2)
    )
    pd.testing.assert_frame_equal(
        first.summary.drop(columns="seconds"), second.summary.drop(columns="seconds"), check_exact=True
    )
    pd.testing.assert_frame_equal(first.per_column, second.per_column, check_exact=True)
    pd.testing.assert_frame_equal(Watching.seen[0], Watching.seen[1])
    assert not Watching.seen[0].isna().equals(Watching.seen[2].isna())
    other = compare_imputers(table, methods=["kNN"], n_repeats=2, random_state=4)
    assert other.summary["rmse"][0] != first.summary.set_index("method").loc["kNN", "rmse"]


def test_containers_agree():
    table = related(100)
    expected = compare_imputers(table, methods=CHEAP).summary.drop(columns="seconds")
    frames = [
        pl.DataFrame({name: table[name].astype(object).where(table[name].notna(), None).tolist() for name in table})
    ]
    frames.append(table.astype(object).where(table.notna(), None))
    for X in frames:
        found = compare_imputers(X, methods=CHEAP).summary.drop(columns="seconds")
        pd.testing.assert_frame_equal(found, expected)
    numbers = table[["a", "b", "c"]]
    one, two = (compare_imputers(X, methods=CHEAP).summary for X in (numbers, numbers.to_numpy()))
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"))
    assert one["error_rate"].isna().all()


def test_markers_kinds_and_columns_left_out(mixed):
    table = mixed.assign(
        none=np.nan, code=np.arange(len(mixed)) % 3, name=[f"person {k}" for k in range(len(mixed))], twice=-999.0
    )
    table.loc[table.index[:50], "twice"] = np.arange(50)
    found = compare_imputers(table, methods=CHEAP, categorical_features=["code"], missing_values=-999, n_repeats=1)
    assert set(found.settings["left_out"]) == {"same", "none", "name"}
    assert "constant" in found.settings["left_out"]["same"]
    kinds = found.per_column.set_index("column")["kind"].to_dict()
    assert kinds["code"] == kinds["flag"] == kinds["size"] == "label"
    assert kinds["day"] == kinds["wait"] == kinds["count"] == kinds["twice"] == "number"
    assert found.summary["error"].isna().all()
    assert "Left out: " in repr(found)


@pytest.mark.parametrize("mechanism", ["mar", "mnar", "mnar-quantile", "block", "copy"])
def test_mechanisms(mechanism):
    found = compare_imputers(related(60), methods=CHEAP, mechanism=mechanism, n_repeats=1)
    assert found.settings["mechanism"] == mechanism
    assert np.isfinite(found.summary["relative_error"]).all()


def test_your_own_imputers_take_part():
    own = {
        "nearest": KNNImputer(n_neighbors=5),
        "most frequent": SimpleImputer(strategy="most_frequent"),
        "means": make_pipeline(StandardScaler(), SimpleImputer()),
        "no imputer": OneHotImputer(StandardScaler()),
        "too narrow": SimpleImputer(strategy="most_frequent", add_indicator=True),
    }
    found = compare_imputers(related(), methods=CHEAP, imputers=own, n_repeats=1).summary.set_index("method")
    assert found.loc["nearest", "relative_error"] == pytest.approx(found.loc["kNN", "relative_error"])
    assert found.loc["most frequent", "error_rate"] == found.loc["mean/mode", "error_rate"]
    assert found.loc["means", "rmse"] == pytest.approx(found.loc["mean/mode", "rmse"])
    assert "left empty" in found.loc["no imputer", "error"]
    assert "shape" in found.loc["too narrow", "error"]


def test_large_tables_are_cut_and_time_is_noted():
    calls = []
    found = compare_imputers(
        related(200), methods=CHEAP, max_rows=60, max_time=1e-6, progress=lambda *call: calls.append(call), n_repeats=2
    )
    assert (found.settings["rows"], found.settings["rows_in_table"]) == (60, 200)
    assert calls[0] == (0, 4, "mean/mode, repeat 1 of 2")
    assert calls[-1][:2] == (4, 4)
    assert "60 rows of 200" in repr(found)
    assert any(note.startswith("kNN took") for note in found.settings["notes"])
    gain = compare_imputers(related(60), methods=["GAINImputer"], max_time=0.05, n_repeats=1)
    assert "GAINImputer was stopped early" in gain.settings["notes"][0]


def test_verdicts():
    rng = np.random.default_rng(0)
    noise = pd.DataFrame(rng.normal(size=(150, 4)))
    assert "tell little about each other" in compare_imputers(noise, methods=CHEAP).verdict()
    weak = {"GAINImputer": GAINImputer(n_steps=1, objective="paper", validation_fraction=0)}
    found = compare_imputers(related(), methods=CHEAP, imputers=weak, n_repeats=2)
    assert found.best == "kNN"
    assert "GAINImputer is not the best here: rank " in found.verdict()
    assert "Use kNN for this table." in found.verdict()
    found = compare_imputers(related(60), methods=["kNN"], imputers={"GAINImputer": Broken()}, n_repeats=1)
    assert found.verdict().endswith("GAINImputer failed here.")
    found = compare_imputers(related(60), methods=[], imputers={"a": Broken()}, n_repeats=1)
    assert found.best is None
    assert "Every method failed" in repr(found)
    twins = {"a": KNNImputer(), "b": KNNImputer()}
    found = compare_imputers(related(60), methods=[], imputers=twins, n_repeats=2)
    assert found.summary["rank"].tolist() == [1, 1]
    assert found.summary["tied"].all()
    assert "but cannot be told from b." in found.verdict()


def test_paired_differences():
    steady = np.array([[0.1, 0.3], [0.1, 0.3], [0.1, 0.3]])
    assert _paired(steady) == pytest.approx((0.2, 0.0))
    together = np.array([[0.0, 0.0], [0.2, 0.2]])
    assert _paired(together) == pytest.approx((0.1, 0.1))  # the columns of a repeat are no independent evidence
    opposite = np.array([[0.0, 0.2], [0.2, 0.0]])
    assert _paired(opposite)[1] == pytest.approx(np.sqrt(0.02 / 4))  # equal means of two repeats are no certainty
    assert _paired(np.array([[0.1, 0.3, np.nan]])) == pytest.approx((0.2, 0.1))
    assert np.isnan(_paired(np.array([[0.1]]))[1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rate": 0}, "rate=0 "),
        ({"rate": 1.5}, "rate=1.5"),
        ({"rate": "a"}, "rate='a'"),
        ({"n_repeats": 0}, "n_repeats=0"),
        ({"max_rows": 1}, "max_rows=1"),
        ({"mechanism": "moon"}, "mechanism='moon'"),
        ({"methods": ["knn"]}, "did you mean 'kNN'"),
        ({"methods": ["x"]}, "'tree chain'"),
        ({"methods": []}, "name at least one"),
        ({"imputers": {"own": KNNImputer}}, "imputers['own']"),
        ({"imputers": {"own": LinearRegression()}}, "fit_transform"),
        ({"random_state": -1}, "random_state=-1"),
        ({"n_draws": 1}, "n_draws=1"),
        ({"n_draws": 2.5}, "n_draws=2.5"),
        ({"max_time": 0}, "max_time=0"),
        ({"categorical_features": ["z"]}, "'z'"),
    ],
)
def test_bad_parameters_are_named(wrong, message):
    with pytest.raises(InvalidParameterError) as error:
        compare_imputers(related(20), **wrong)
    assert message in str(error.value)


def test_tables_with_nothing_to_hide():
    with pytest.raises(InvalidInputError, match="at least 2"):
        compare_imputers(pd.DataFrame({"a": np.arange(50.0)}))
    with pytest.raises(InvalidInputError, match="'same' is left out: constant"):
        compare_imputers(pd.DataFrame({"a": np.arange(50.0), "same": 1}))
    with pytest.raises(InvalidInputError, match=r"nothing to hide: rate=0\.1"):
        compare_imputers(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]}), rate=0.1)
    lonely = pd.DataFrame({"a": [1.0, 2.0, 3.0, None, None, None], "b": [None, None, None, 1.0, 2.0, 3.0]})
    with pytest.raises(InvalidInputError, match="nothing to hide"):
        compare_imputers(lonely)


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_fill_gaps_and_use_the_other_columns(name):
    table = related(200).dropna().reset_index(drop=True)
    gappy = table.mask(np.random.default_rng(0).random(table.shape) < 0.15)
    imputer = QUICK_TREES if name == "tree chain" else BASELINES[name](0)
    filled = imputer.fit_transform(gappy)
    assert not filled.isna().to_numpy().any()
    assert list(filled.columns) == list(table.columns)
    for column in table.columns:
        seen = gappy[column].notna()
        assert (filled[column][seen] == table[column][seen]).all()
    hidden = gappy["third"].isna()
    if name != "mean/mode":
        assert (filled["third"] == table["third"])[hidden].mean() > 0.6
    pd.testing.assert_frame_equal(imputer.transform(gappy), filled)
    assert not imputer.transform(gappy.iloc[:5]).isna().to_numpy().any()


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_take_awkward_columns(name):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "empty": [None] * 60,
            "one": ["x"] * 59 + [None],
            "many": [f"t{k % 50}" for k in range(59)] + [None],
            "mixed": pd.Series([1, "1", None] * 20, dtype=object),
            "number": pd.array([None, *range(59)], dtype="Int64"),
            "code": [0, 1, np.nan] * 20,
            "x": rng.normal(size=60),
        }
    )
    imputer = QUICK_TREES if name == "tree chain" else BASELINES[name](0)
    filled = imputer.set_params(categorical=["code"]).fit_transform(table)
    imputer.set_params(categorical=None)
    assert filled["empty"].isna().all()
    assert not filled.drop(columns="empty").isna().to_numpy().any()
    assert filled["one"].tolist() == ["x"] * 60
    assert set(filled["code"]) == {0, 1}
    assert set(filled["mixed"].map(type)) == {int, str}


def test_mode_prefers_the_first_of_equals_like_pandas():
    table = pd.DataFrame({"a": ["y", "x", "x", "y", None]})
    assert MeanModeImputer().fit_transform(table)["a"][4] == table["a"].mode()[0] == "x"
