"""What synthetic rows may look like: kinds, bounds, gaps, rules; and tables at the edge of what there is to learn."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tests.conftest import make_mixed

QUICK = {"n_steps": 5, "width": 16, "n_blocks": 1, "random_state": 0}
SAMPLERS = [
    BAGANOversampler(**QUICK),
    BAGANOversampler.paper(**QUICK, d_noise=8, autoencoder_steps=5),
    CGANSampler(**QUICK),
    CGANSampler(**QUICK, start="noise"),
]
NAMES = ["bagan", "paper", "cgan", "noise"]
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=NAMES)


def labels(n, n_rare):
    return np.array(["rare"] * n_rare + ["common"] * (n - n_rare))


def made_by(sampler, X, y, strategy=None):
    fitted = clone(sampler).fit(X, y)
    X_more, _ = fitted.resample(strategy)
    return X_more.iloc[len(X) :].reset_index(drop=True), fitted


@every_sampler
def test_cells_are_such_as_the_column_has(sampler):
    X = make_mixed(120).reset_index(drop=True)
    X["empty"], X["same number"] = np.nan, 3.5
    y = labels(120, 20)
    made, fitted = made_by(sampler, X, y)
    parents = X.iloc[fitted.parents_].reset_index(drop=True)
    np.testing.assert_array_equal(made.isna(), parents.isna())
    for column in ("number", "price", "count", "complete", "day", "wait"):
        assert made[column].dropna().between(X[column].min(), X[column].max()).all(), column
    np.testing.assert_array_equal(made["price"].round(2).dropna(), made["price"].dropna())
    for column in ("flag", "colour", "size"):
        assert set(made[column].dropna()) <= set(X[column].dropna()), column
    assert (made["same number"] == 3.5).all()
    assert set(made["same"].dropna()) == {"constant"}
    assert made["empty"].isna().all()
    assert not made.drop(columns=["same", "same number", "empty"]).equals(
        parents.drop(columns=["same", "same number", "empty"])
    )


def ruled_table(n, seed):
    rng = np.random.default_rng(seed)
    city = rng.integers(0, 6, size=n)
    start = rng.integers(0, 300, size=n)
    X = pd.DataFrame(
        {
            "city": [f"c{k}" for k in city],
            "country": [f"land{k // 2}" for k in city],
            "celsius": np.round(rng.normal(15, 8, size=n), 1),
            "opened": pd.Timestamp("2020-01-01") + pd.to_timedelta(start, unit="D"),
            "closed": pd.Timestamp("2020-01-01") + pd.to_timedelta(start + rng.integers(0, 90, size=n), unit="D"),
            "paid": np.round(rng.gamma(2.0, 10, size=n), 2),
        }
    )
    X["owed"] = (X["paid"] + rng.gamma(1.0, 10, size=n)).round(2)
    X["fahrenheit"] = (X["celsius"] * 1.8 + 32).round(2)
    for column in X.columns:
        X.loc[rng.random(n) < 0.1, column] = None
    return X


COUNTRY = {f"c{k}": f"land{k // 2}" for k in range(6)}


def assert_rules(X):
    both = X.dropna(subset=["city", "country"])
    assert (both["city"].map(COUNTRY) == both["country"]).all()
    for low, high in (("opened", "closed"), ("paid", "owed")):
        both = X.dropna(subset=[low, high])
        assert (both[low] <= both[high]).all()
    both = X.dropna(subset=["celsius", "fahrenheit"])
    np.testing.assert_allclose(both["fahrenheit"], both["celsius"] * 1.8 + 32, atol=1e-6)


@every_sampler
def test_rules_hold_even_where_times_are_missing(sampler):
    X, y = ruled_table(150, 0), labels(150, 30)
    assert_rules(X)
    made, fitted = made_by(sampler, X, y, {"rare": 330})
    assert len(fitted._fitted.rules) >= 4
    assert_rules(made)
    new = ~made["paid"].dropna().isin(X["paid"])
    assert new.mean() > 0.2, "keeping the rules must not mean copying the parents"


WHERES = [
    {"city": "c3"},
    {"country": "land2"},
    {"celsius": 21.5},
    {"owed": 20.0},
    {"opened": pd.Timestamp("2020-03-01")},
    {"city": "c1", "country": "land0"},
]


@every_sampler
@pytest.mark.parametrize("where", WHERES, ids=str)
def test_where_is_obeyed_and_rules_too(sampler, where):
    X, y = ruled_table(150, 0), labels(150, 30)
    fitted = clone(sampler).fit(X, y)
    made, of = fitted.sample(60, y="rare", where=where)
    for column, value in where.items():
        assert (made[column] == value).all()
    assert of.tolist() == ["rare"] * 60
    assert_rules(made)


def test_where_goes_before_a_rule_that_no_row_could_keep():
    X, y = ruled_table(150, 0), labels(150, 30)
    made, _ = BAGANOversampler(**QUICK).fit(X, y).sample(20, y="rare", where={"owed": X["paid"].min() - 1})
    assert (made["owed"] == X["paid"].min() - 1).all()


def test_where_can_ask_for_what_only_another_class_has():
    X, y = ruled_table(150, 0), labels(150, 30)
    X.loc[:29, "city"], X.loc[:29, "country"] = "c0", "land0"
    made, _ = BAGANOversampler(**QUICK).fit(X, y).sample(40, y="rare", where={"country": "land1"})
    assert (made["country"] == "land1").all()
    assert_rules(made)


def test_where_starts_from_rows_that_have_the_cells():
    X = make_mixed(120, rate=0.0).reset_index(drop=True)
    fitted = BAGANOversampler(**QUICK, start="copies", focus=0).set_params(n_steps=0).fit(X, labels(120, 60))
    made, _ = fitted.sample(50, y="rare", where={"colour": "blue"})
    rows = X.iloc[:60].query("colour == 'blue'")
    assert set(made["complete"]) == set(rows["complete"])
    assert max(Counter(made["complete"]).values()) - min(Counter(made["complete"]).values()) <= 1


def test_where_on_every_kind_of_column_fills_gaps_too():
    X = make_mixed(120).reset_index(drop=True)
    X["date"] = pd.Series(np.arange(120).astype("M8[D]")).astype("datetime64[s]")
    fitted = CGANSampler(**QUICK, condition_columns=["colour", "count"]).fit(X, labels(120, 30))
    where = {
        "number": 0.25,
        "count": 3,
        "flag": True,
        "colour": "red",
        "size": "L",
        "wait": pd.Timedelta("17min"),
        "day": X["day"].dropna().iloc[3],
        "date": "1970-01-09",
    }
    made, _ = fitted.sample(7, y="common", where=where)
    assert (made.dtypes == X.dtypes).all()
    for column, value in where.items():
        assert (made[column] == (pd.Timestamp(value) if column == "date" else value)).all(), column


def test_a_condition_column_moves_the_others():
    rng = np.random.default_rng(0)
    side = np.where(rng.random(400) < 0.5, "left", "right")
    X = pd.DataFrame({"side": side, "x": np.where(side == "left", -5.0, 5.0) + rng.normal(size=400)})
    sampler = CGANSampler(
        start="noise", n_steps=150, learning_rate=3e-3, width=32, condition_columns=["side"], random_state=0
    )
    sampler.set_params(patience=0).fit(X, labels(400, 100))
    for value, sign in (("left", -1), ("right", 1)):
        made, _ = sampler.sample(100, y="rare", where={"side": value})
        assert (np.sign(made["x"]) == sign).mean() > 0.9


def test_a_condition_that_a_class_never_met_is_told_too():
    rng = np.random.default_rng(0)
    side = np.where((rng.random(400) < 0.5) & (np.arange(400) >= 100), "left", "right")
    X = pd.DataFrame({"side": side, "x": np.where(side == "left", -5.0, 5.0) + rng.normal(size=400)})
    sampler = CGANSampler(start="noise", n_steps=150, learning_rate=3e-3, width=32, condition_columns=["side"])
    sampler.set_params(patience=0, random_state=0).fit(X, labels(400, 100))
    made, _ = sampler.sample(100, y="rare", where={"side": "left"})
    assert (made["side"] == "left").all()
    assert made["x"].mean() < 3, "told that the row is on the right, the generator puts it near 5"


def test_rare_levels_come_back_as_often_as_the_data_have_them():
    rng = np.random.default_rng(0)
    word = np.array([f"w{k}" for k in range(40)])[np.minimum(rng.geometric(0.1, size=900) - 1, 39)]
    X = pd.DataFrame({"word": word, "x": rng.normal(size=900)})
    sampler = BAGANOversampler(n_steps=0, max_categories=3, random_state=0)
    made, _ = made_by(sampler, X, labels(900, 300), {"rare": 900})
    assert set(made["word"]) <= set(word)
    shown, real = (frame["word"].value_counts(normalize=True) for frame in (made, X.iloc[:300]))
    assert shown.sub(real, fill_value=0).abs().sum() / 2 < 0.12
    sampler = CGANSampler(start="noise", n_steps=2, width=16, max_categories=3, random_state=0)
    made, fitted = made_by(sampler, X, labels(900, 300), {"rare": 900})
    parents = X["word"].iloc[fitted.parents_].reset_index(drop=True)
    changed = made["word"][(made["word"] != parents) & ~made["word"].isin(["w0", "w1", "w2"])]
    assert changed.nunique() > 3, "one slot stands for 37 levels, and becomes any of them"


@every_sampler
def test_classes_of_one_two_and_three_rows(sampler):
    X = make_mixed(60).reset_index(drop=True)
    y = np.array(["one"] + ["two"] * 2 + ["three"] * 3 + ["many"] * 54)
    made, fitted = made_by(sampler, X, y)
    assert len(made) == 53 + 52 + 51
    assert set(fitted.parents_) == set(range(6))
    assert "single row" in fitted.methods_["one"]
    assert len(fitted.report_.warnings) >= 3


def edge_tables():
    rng = np.random.default_rng(0)
    n = 40
    y = labels(n, 8)
    numbers = rng.normal(size=(n, 3))
    return {
        "levels only": (pd.DataFrame(rng.integers(0, 3, size=(n, 3)).astype(str)), y),
        "flags only": (pd.DataFrame(rng.random((n, 3)) < 0.5), y),
        "one column of numbers": (pd.DataFrame({"x": numbers[:, 0]}), y),
        "one column of levels": (pd.DataFrame({"x": ["a", "b"] * 20}), y),
        "constants": (pd.DataFrame({"x": np.ones(n), "w": "same"}), y),
        "nothing observed": (pd.DataFrame({"x": np.full(n, np.nan), "w": [None] * n}), y),
        "a column nobody observed": (pd.DataFrame({"x": numbers[:, 0], "w": np.full(n, np.nan)}), y),
        "a class without a cell": (
            pd.DataFrame({"x": np.r_[np.full(8, np.nan), numbers[8:, 0]], "z": numbers[:, 1]}),
            y,
        ),
        "wide": (pd.DataFrame(rng.normal(size=(n, 90)), columns=[f"x{k}" for k in range(90)]), y),
        "copies of rows": (pd.DataFrame(np.repeat(numbers[:4], 10, axis=0), columns=list("abc")), y),
        "fifty classes": (
            pd.DataFrame(rng.normal(size=(130, 2)), columns=list("ab")),
            np.r_[np.arange(50), np.arange(80) % 40],
        ),
        "classes of one row": (pd.DataFrame(numbers, columns=list("abc")), np.arange(n)),
        "all classes alike": (pd.DataFrame(numbers, columns=list("abc")), np.arange(n) % 2),
        "huge numbers": (pd.DataFrame({"x": numbers[:, 0] * 1e200, "w": np.r_[1e15, np.zeros(n - 1)]}), y),
        "two rows": (pd.DataFrame({"x": [1.0, 2.0], "w": ["a", "b"]}), np.array(["rare", "common"])),
    }


@every_sampler
@pytest.mark.parametrize("name", edge_tables())
def test_tables_with_little_to_learn(sampler, name):
    X, y = edge_tables()[name]
    counts = Counter(y.tolist())
    rarest = min(counts, key=counts.get)
    made, fitted = made_by(sampler, X, y, {rarest: counts[rarest] + 12})
    assert made.shape == (12, X.shape[1])
    assert (made.dtypes == X.dtypes).all()
    parents = X.iloc[fitted.parents_].reset_index(drop=True)
    np.testing.assert_array_equal(made.isna(), parents.isna())
    assert (y[fitted.parents_] == rarest).all()
    assert str(fitted.report_)


@settings(max_examples=15, derandomize=True)
@given(seed=st.integers(0, 10**6), n=st.integers(20, 60), n_rare=st.integers(1, 9), rate=st.floats(0, 0.6))
def test_any_mixed_table(seed, n, n_rare, rate):
    X, y = make_mixed(n, seed=seed, rate=rate).reset_index(drop=True), labels(n, n_rare)
    made, fitted = made_by(BAGANOversampler(n_steps=0, random_state=seed), X, y)
    parents = X.iloc[fitted.parents_].reset_index(drop=True)
    np.testing.assert_array_equal(made.isna(), parents.isna())
    assert (made.dtypes == X.dtypes).all()
    for column in ("colour", "size", "flag", "same"):
        assert set(made[column].dropna()) <= set(X[column].dropna())
    for column in ("count", "price", "day", "wait"):
        assert made[column].dropna().between(X[column].min(), X[column].max()).all()


def test_a_table_with_everything_goes_through_a_pipeline():
    from imblearn.pipeline import make_pipeline
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder

    X, y = make_mixed(80).reset_index(drop=True), labels(80, 3)
    imputer = GAINImputer(n_steps=5, draw_steps=0, n_members=2, width=16, random_state=0)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["colour", "size"]),
        ("passthrough", ["number", "price", "count", "complete"]),
    )
    model = make_pipeline(imputer, BAGANOversampler(**QUICK), encode, LogisticRegression(max_iter=2000)).fit(X, y)
    assert set(model.predict(X)) <= {"rare", "common"}
