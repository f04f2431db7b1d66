"""Energy-I-Score: it ranks methods as the truth would, and turns the roles round as published."""

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import KNNImputer
from sklearn.linear_model import LinearRegression

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics import energy_i_score


def regression_draws(noise: float, seed: int = 99):
    """Draws of column b by linear regression on a, with ``noise`` times the right residual spread."""

    def draw(table: pd.DataFrame, m: int) -> list[pd.DataFrame]:
        rng = np.random.default_rng(seed)
        known = table["b"].notna()
        X, y = table.loc[known, ["a"]], table.loc[known, "b"]
        model = LinearRegression().fit(X, y)
        spread = np.std(y - model.predict(X)) if m == 1 else 0.5  # what the first fill should spread by, then the truth
        mean = model.predict(table[["a"]])
        return [
            table.assign(
                b=table["b"].fillna(pd.Series(mean + noise * spread * rng.normal(size=len(table)), table.index))
            )
            for _ in range(m)
        ]

    return draw


@pytest.fixture(scope="module")
def incomplete() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.normal(size=600)
    table = pd.DataFrame({"a": a, "b": a + 0.5 * rng.normal(size=600)})
    table["b"] = table["b"].where(rng.random(600) > 0.3 + 0.2 * (a > 0))
    return table


def test_the_right_draws_beat_narrow_wide_and_mean_fills(incomplete):
    right = energy_i_score(incomplete, regression_draws(1.0)).score
    assert right < energy_i_score(incomplete, regression_draws(0.0)).score
    assert right < energy_i_score(incomplete, regression_draws(2.5)).score
    assert right < energy_i_score(incomplete, lambda t, m: [t.fillna(t.mean())] * m).score


def test_a_fill_without_draws_is_scored_by_its_absolute_error(incomplete):
    score = energy_i_score(incomplete, lambda t, m: [t.fillna(0.0)] * m, scale=False)
    assert score.score == pytest.approx(incomplete["b"].abs().mean())
    assert score.columns.loc["b", "n_scored"] == incomplete["b"].notna().sum()


def test_weights_are_missing_share_times_observed_share():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("abc"))
    table.loc[:19, "b"] = np.nan
    table.loc[60:, "c"] = np.nan
    result = energy_i_score(table, lambda t, m: [t.fillna(0.0)] * m)
    assert result.columns["weight"].to_dict() == pytest.approx({"b": 0.2 * 0.8, "c": 0.4 * 0.6})
    assert result.score == pytest.approx(np.average(result.columns["score"], weights=result.columns["weight"]))
    simple = energy_i_score(table, lambda t, m: [t.fillna(0.0)] * m, weighting="missing")
    assert simple.columns["weight"].to_dict() == pytest.approx({"b": 0.2, "c": 0.4})


def test_what_the_method_is_given():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("abc"))
    table.loc[:29, "b"] = np.nan
    table.loc[:9, "c"] = np.nan  # c is missing only where b is: observed wherever b is
    given = []

    def draw(incomplete, m):
        given.append(incomplete.copy())
        return [incomplete.fillna(7.0)] * m

    energy_i_score(table, draw)
    whole, for_b, for_c = given
    assert whole.equals(table)
    assert for_b.columns.tolist() == ["a", "b", "c"]
    assert for_b["b"].isna().tolist() == table["b"].notna().tolist()  # the roles are turned round
    assert (for_b["b"].dropna() == 7).all()  # examples are the method's own fills
    assert not for_b["c"].isna().any()
    assert for_c.columns.tolist() == ["a", "c"]  # b has gaps where c is observed
    given.clear()
    energy_i_score(table, draw, predictors="all")
    assert given[2].columns.tolist() == ["a", "b", "c"]
    assert given[2]["b"].equals(table["b"])


def test_without_a_complete_column_the_best_partner_is_taken():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    table = table.mask(rng.random(table.shape) < [0.2, 0.4, 0.15])
    columns = energy_i_score(table, lambda t, m: [t.fillna(0.0)] * m).columns
    assert (columns["n_predictors"] >= 1).all()
    assert columns.loc["a", "n_scored"] == (table["a"].notna() & table["c"].notna()).sum()


def test_categories_and_arrays():
    rng = np.random.default_rng(4)
    a = rng.normal(size=300)
    table = pd.DataFrame({"a": a, "c": pd.Categorical(np.where(a > 0, "hi", "lo"))})
    table["c"] = table["c"].where(rng.random(300) < 0.6)

    def by_sign(t, m):
        return [t.assign(c=t["c"].fillna(pd.Series(np.where(t["a"] > 0, "hi", "lo"), t.index)))] * m

    def by_coin(t, m):
        return [t.assign(c=t["c"].fillna(pd.Series(rng.choice(["hi", "lo"], len(t)), t.index))) for _ in range(m)]

    assert energy_i_score(table, by_sign).score == 0
    # wrong with 1/2, unequal with 1/2: sqrt 2 (1/2 - 1/4)
    assert energy_i_score(table, by_coin).score == pytest.approx(np.sqrt(2) / 4, abs=0.03)
    X = rng.normal(size=(100, 3))
    X[:, 2] = X[:, 0]
    X[:30, 2] = np.nan
    assert energy_i_score(X, lambda t, m: [KNNImputer().fit_transform(t)] * m).score < 0.6


def test_every_kind_of_column(mixed):
    def hot_deck(table, m):
        rng = np.random.default_rng(0)
        copies = [table.copy() for _ in range(m)]
        for copy in copies:
            for name in table.columns[table.isna().any()]:
                known = table[name].dropna()
                gaps = table[name].isna()
                copy.loc[gaps, name] = known.sample(int(gaps.sum()), replace=True, random_state=rng).array
        return copies

    result = energy_i_score(mixed, hot_deck, predictors="all", min_missing=3, n_draws=5)
    assert result.columns["score"].notna().all()
    assert result.columns.loc["same", "score"] == 0  # a constant is always drawn right
    assert 0 < result.score < 1.5


def test_columns_with_few_gaps_are_left_out():
    table = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50.0)})
    table.loc[:4, "b"] = np.nan
    result = energy_i_score(table, lambda t, m: [t.fillna(0.0)] * m)
    assert np.isnan(result.score)
    assert result.columns["score"].isna().all()


def test_refusals(incomplete):
    def mean_fill(t, m):
        return [t.fillna(0.0)] * m

    with pytest.raises(InvalidInputError, match="no gaps"):
        energy_i_score(incomplete[["a"]], mean_fill)
    with pytest.raises(InvalidInputError, match="returned 1 tables"):
        energy_i_score(incomplete, lambda t, m: [t.fillna(0.0)])
    with pytest.raises(InvalidInputError, match=r"columns \['b'\] empty"):
        energy_i_score(incomplete, lambda t, m: [t] * m)
    with pytest.raises(InvalidInputError, match="no observed value"):
        energy_i_score(incomplete.assign(b=np.nan), mean_fill)
    for wrong in ({"n_draws": 1}, {"predictors": "some"}, {"weighting": "x"}, {"min_missing": 0}, {"columns": ["z"]}):
        with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
            energy_i_score(incomplete, mean_fill, **wrong)
