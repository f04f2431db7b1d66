"""Energy-I-Score: it ranks methods as the truth would, and turns the roles round as published."""

from pathlib import Path

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


# Column scores and weights that R's package Iscores 1.2.0 gives for the table beside this file, which is that package's
# `random_mcar_mixed_data(100, 4, 2)` after `set.seed(123)`. One fill: median and mode, as its own tests print. Five draws: see
# `_shifted`; run by its `energy_IScore` with `X_imp = median_mode_imputation(X)` and `N = 5`.
IN_R = pd.DataFrame(
    {
        "weight": [0.1600, 0.1824, 0.1476, 0.1539, 0.1539, 0.1476],
        "one_fill": [0.708839930, 0.686511107, 0.684496595, 0.868062360, 0.969746443, 1.045288285],
        "five_draws": [0.518825611230, 0.526948854525, 0.508293685465, 0.633223108808, 0.622253967444, 0.581262269984],
    },
    index=[f"col{k}" for k in range(1, 7)],
)


def _as_in_r() -> pd.DataFrame:
    table = pd.read_csv(Path(__file__).with_name("i_score_table.csv"))
    return table.assign(**{name: table[name].map({1: "1", 2: "2", 3: "3", 4: "4"}) for name in ("col5", "col6")})


def _mode(column: pd.Series) -> str:
    counts = column.value_counts()
    return min(counts.index[counts == counts.max()])


def _shifted(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """Draw k of 5: the median shifted by (k - 2) / 2, or the level k mod 4 of those that are there."""
    filled = {}
    for name, column in table.items():
        levels = [] if column.dtype.kind == "f" else sorted(column.dropna().unique())
        filled[name] = column.fillna(levels[k % len(levels)] if levels else column.median() + (k - 2) / 2)
    return pd.DataFrame(filled)


def _typical(table: pd.DataFrame) -> pd.DataFrame:
    return table.apply(lambda c: c.fillna(c.median() if c.dtype.kind == "f" else _mode(c)))


def test_one_fill_scores_as_in_r():
    found = energy_i_score(_as_in_r(), lambda t, m: [_typical(t)] * m, scale=False)
    ordered = found.columns.loc[IN_R.index]
    assert ordered["weight"].to_numpy() == pytest.approx(IN_R["weight"].to_numpy())
    assert ordered["score"].to_numpy() == pytest.approx(IN_R["one_fill"].to_numpy(), rel=1e-5)
    assert found.score == pytest.approx(0.8216512, rel=1e-5)
    assert (ordered["n_predictors"] == 1).all()


def test_draws_score_as_in_r_but_for_pairs_of_a_draw_with_itself():
    found = energy_i_score(
        _as_in_r(),
        lambda t, m: [_typical(t)] if m == 1 else [_shifted(t, k) for k in range(m)],
        n_draws=5,
        scale=False,
    )
    # R divides the sum over pairs by 2 m^2, we by 2 m (m - 1). Numbers: five draws .5 apart make a sum of 20. Labels: 16 unequal
    # pairs where the examples have three levels, 18 where they have four.
    pairs = np.array([20.0] * 4 + [16 * np.sqrt(2), 18 * np.sqrt(2)])
    expected = IN_R["five_draws"].to_numpy() + pairs / (2 * 5**2) - pairs / (2 * 5 * 4)
    assert found.columns.loc[IN_R.index, "score"].to_numpy() == pytest.approx(expected, rel=1e-5)
    assert found.score == pytest.approx(np.average(expected, weights=IN_R["weight"]), rel=1e-5)


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

    with pytest.raises(InvalidInputError, match="no missing values"):
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
