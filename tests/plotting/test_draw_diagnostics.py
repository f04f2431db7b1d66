"""Diagnostics of draws: are there enough, and are imputed cells like observed ones where they should be."""

import numpy as np
import pandas as pd
import pytest

from tabgan import pool
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.inference.number_of_draws import monte_carlo_error, n_draws_needed
from tabgan.plotting import ConditionalImputationDisplay, DrawsDisplay, PoolingDisplay, PropensityDisplay
from tabgan.plotting.marginals import disagreement
from tabgan.plotting.propensities import missing_propensity
from tabgan.plotting.propensity_plot import _bins
from tabgan.plotting.views import draws_view
from tests.plotting.test_imputation_displays import rendered


def missing_where_large(n: int = 1200, seed: int = 0):
    """``y = x + noise``, missing where x is large; draws from the truth, and draws from the observed cells."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    truth = pd.DataFrame({"x": x, "y": x + 0.5 * rng.normal(size=n), "side": np.where(x > 0, "right", "left")})
    gap = rng.random(n) < 0.8 / (1 + np.exp(-2 * x))
    gappy = truth.assign(y=truth["y"].mask(gap))
    good = [truth.assign(y=np.where(gap, x + 0.5 * rng.normal(size=n), truth["y"])) for _ in range(4)]
    observed = gappy["y"].dropna().to_numpy()
    bad = [truth.assign(y=np.where(gap, rng.choice(observed, n), truth["y"])) for _ in range(4)]
    return gappy, good, bad


DISPLAYS = [DrawsDisplay, PoolingDisplay, PropensityDisplay, ConditionalImputationDisplay]


@pytest.mark.parametrize("display", DISPLAYS)
def test_an_imputer_and_its_draws_give_the_same_picture(display, imputer, gappy):
    few = {"max_parameters" if display is PoolingDisplay else "max_columns": 2}
    from_it = rendered(display.from_estimator(imputer, gappy, n_draws=2, random_state=1, **few))
    draws = imputer.sample(gappy, 2, random_state=1)
    from_completed = display.from_completed(imputer, gappy, draws, **few)
    elsewhere = display.from_predictions(gappy, draws, **few)
    assert len(from_it._items()) == 2 * getattr(from_it, "n_strata", 1)
    for items in zip(from_it._items(), from_completed._items(), elsewhere._items(), strict=True):
        assert len({one.pair.name if hasattr(one, "pair") else one.name for one in items}) == 1
    if display is not DrawsDisplay:
        display.from_predictions(gappy.dropna(), [gappy.dropna()] * 2)  # no gap
        display.from_predictions(gappy[:12], [draw[:12] for draw in draws])  # hardly a row


def test_a_trace_ends_at_what_pool_gives(imputer, gappy):
    draws = imputer.sample(gappy, 6)

    def fit(table):
        return table[["x", "n"]].mean(), table[["x", "n"]].var() / len(table)

    pooled = pool(fit, draws, confidence=0.9)
    display = rendered(PoolingDisplay.from_predictions(gappy, draws, fit, confidence=0.9))
    for j, trace in enumerate(display.traces):
        assert trace.name == ["x", "n"][j]
        assert trace.n_draws.tolist() == [2, 3, 4, 5, 6]
        for name, values in (("estimate", trace.estimates), ("lower", trace.lower), ("upper", trace.upper)):
            assert values[-1] == pytest.approx(getattr(pooled, name)[j])
        assert trace.relative_error == pytest.approx(monte_carlo_error(pooled)[j] / pooled.standard_error[j])
        assert trace.n_needed == n_draws_needed(pooled)[j]
    assert "90 % interval" in display.figure_.legends[0].get_texts()[0].get_text()
    shown = PoolingDisplay.from_estimator(imputer, gappy, fit, n_draws=2, parameters=["n"])
    assert [trace.name for trace in shown.traces] == ["n"]


def test_means_and_shares_are_pooled_where_no_analysis_is_given():
    gappy, good, _ = missing_where_large(200)
    gappy["side"] = gappy["side"].mask(np.arange(200) % 5 == 0)
    display = PoolingDisplay.from_predictions(gappy, good)
    by_name = {trace.name: trace for trace in display.traces}
    assert set(by_name) == {"mean of y", f"share of {gappy['side'].mode()[0]} in side"}
    mean = pool(lambda table: ([table["y"].mean()], [table["y"].var() / 200]), good, n_complete_df=199)
    trace = by_name["mean of y"]
    assert (trace.estimates[-1], trace.lower[-1]) == (pytest.approx(mean.estimate[0]), pytest.approx(mean.lower[0]))
    share = np.mean([(table["side"] == gappy["side"].mode()[0]).mean() for table in good])
    assert by_name[f"share of {gappy['side'].mode()[0]} in side"].estimates[-1] == pytest.approx(share)


def test_titles_in_colour_say_where_draws_are_too_few():
    rng = np.random.default_rng(0)
    for spread, is_coloured in ((1.0, True), (0.1, False)):
        results = [(pd.Series({"a": value}), [1.0]) for value in spread * rng.normal(size=10)]
        (axes,) = PoolingDisplay.from_predictions(None, results, lambda result: result).axes_
        assert (axes.title.get_color() != "black") == is_coloured


def test_one_draw_cannot_be_pooled(imputer, gappy):
    with pytest.raises(InvalidInputError, match="m=1"):
        PoolingDisplay.from_estimator(imputer, gappy, n_draws=1)
    with pytest.raises(InvalidParameterError, match="max_parameters"):
        PoolingDisplay.from_estimator(imputer, gappy, max_parameters=0)


def test_the_propensity_is_the_probability_of_being_missing():
    gappy, good, _ = missing_where_large(3500)
    found = missing_propensity(draws_view(gappy, good), "y")
    x = gappy["x"].to_numpy()[found.rows]
    assert len(found.rows) == 3000  # of a long table some rows
    assert np.corrcoef(found.shares, 0.8 / (1 + np.exp(-2 * x)))[0, 1] > 0.97
    assert found.shares.mean() == pytest.approx(gappy["y"].isna().mean(), abs=0.01)
    assert 0.75 < found.auc < 0.85


def test_gaps_at_both_ends_of_a_column_are_told():
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    table = pd.DataFrame({"x": x, "y": rng.normal(size=600)})
    gappy = table.assign(y=table["y"].mask(np.abs(x) > 1.2))
    assert missing_propensity(draws_view(gappy, [table]), "y").auc > 0.95


def test_a_column_missing_at_random_has_an_auc_of_one_half_even_in_a_wide_table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 60))
    gappy = X.copy()
    gappy[::2, 3] = np.nan
    found = missing_propensity(draws_view(gappy, [X]), "3")
    assert abs(found.auc - 0.5) < 0.2  # on rows that it was fitted on it would be 1
    assert missing_propensity(draws_view(gappy[:18], [X[:18]]), "3") is None


def test_imputed_cells_follow_the_propensity_where_they_are_right_and_not_where_they_are_wrong():
    gappy, good, bad = missing_where_large()
    apart = []
    for draws in (good, bad):
        (column,) = rendered(PropensityDisplay.from_predictions(gappy, draws)).columns
        assert column.name == "y"
        observed = np.interp(column.imputed_bins[:, 0], *column.observed_bins.T[:2])
        apart.append((np.abs(observed - column.imputed_bins[:, 1]) / column.imputed_bins[:, 2])[1:-1].mean())
    assert apart[0] < 2 < 5 < apart[1]


def test_labels_are_shares_of_their_level():
    gappy, good, _ = missing_where_large(600)
    gappy["side"] = gappy["side"].mask(np.arange(600) % 3 == 0)
    by_name = {column.name: column for column in PropensityDisplay.from_predictions(gappy, good).columns}
    level = gappy["side"].mode()[0]
    column = by_name[f"side: {level}"]
    assert set(np.unique(column.observed)) == {0.0, 1.0}
    assert column.observed.mean() == pytest.approx((gappy["side"].dropna() == level).mean())


def test_among_like_rows_good_draws_agree_and_bad_ones_do_not():
    gappy, good, bad = missing_where_large()
    whole = disagreement(gappy["y"].dropna().to_numpy(), good[0]["y"][gappy["y"].isna()].to_numpy(), True)
    differences = {}
    for by in (None, "side", "x"):
        for name, draws in (("good", good), ("bad", bad)):
            display = rendered(ConditionalImputationDisplay.from_predictions(gappy, draws, by=by))
            assert sum(one.n_imputed for one in display.strata) == gappy["y"].isna().sum()
            differences[by, name] = max(one.pair.disagreement for one in display.strata)
        assert differences[by, "good"] < whole / 2  # as a whole even good draws differ from what is observed
        assert differences[by, "good"] < differences[by, "bad"] / 2


def test_within_a_range_of_probabilities_observed_cells_count_by_their_odds():
    rng = np.random.default_rng(0)
    truth = pd.DataFrame({"x": rng.normal(size=3000)})
    truth["y"] = truth["x"] + 0.3 * rng.normal(size=3000)
    gappy = truth.assign(y=truth["y"].mask(rng.random(3000) < 1 / (1 + np.exp(-3 * truth["x"]))))
    first = ConditionalImputationDisplay.from_predictions(gappy, [truth]).strata[0].pair
    weighted = np.average(first.first, weights=first.weights)
    assert first.second.mean() - first.first.mean() > 0.5
    assert first.second.mean() == pytest.approx(weighted, abs=0.07)  # .12 if they counted by their probabilities
    assert first.disagreement < disagreement(first.first, first.second, True) / 2


def test_what_draws_share_widens_the_error_of_their_mean():
    shifts = np.array([-1.0, 0.0, 1.0])[:, np.newaxis]
    noise = np.random.default_rng(0).normal(size=(3, 40))
    at, observed = np.linspace(0, 1, 40), np.zeros(40)
    (_, alike), (_, apart) = (_bins(at, observed, at, noise + by) for by in (0.0, shifts))
    np.testing.assert_allclose(alike[:, 1], apart[:, 1])
    assert (apart[:, 2] > 0.75).all()
    assert (alike[:, 2] < 0.5).all()


def test_groups_are_thirds_of_numbers_or_levels():
    gappy, good, _ = missing_where_large(300)
    strata = ConditionalImputationDisplay.from_predictions(gappy, good, by="x").strata
    sizes = [len(one.pair.first) + one.n_imputed for one in strata]
    assert sizes == [100, 100, 100]
    assert all(one.title.startswith("x: ") for one in strata)
    assert all(one.pair.weights is None for one in strata)
    sides = ConditionalImputationDisplay.from_predictions(gappy, good, by="side").strata
    assert {one.title for one in sides} == {"side: left", "side: right"}
    with pytest.raises(InvalidParameterError, match=r"by='z' is not valid.*x, y, side"):
        ConditionalImputationDisplay.from_predictions(gappy, good, by="z")


def test_the_column_that_matters_is_one_that_goes_with_gaps_and_with_values():
    rng = np.random.default_rng(0)
    n = 900
    frame = pd.DataFrame({name: rng.normal(size=n) for name in ("values", "gaps", "both")})
    frame["kind"] = np.where(rng.random(n) < 0.5, "a", "b")
    frame["y"] = frame["both"] + 2 * frame["values"] + 0.3 * rng.normal(size=n)
    gap = rng.random(n) < 1 / (1 + np.exp(-1.5 * frame["both"] - 2 * frame["gaps"]))
    gappy = frame.assign(y=frame["y"].mask(gap))
    display = rendered(ConditionalImputationDisplay.from_predictions(gappy, [frame], by="auto"))
    assert display.by == "both"
    assert {one.pair.name for one in display.strata} == {"y"}
    asked = ConditionalImputationDisplay.from_predictions(gappy, [frame], by="both")
    assert [one.title for one in asked.strata] == [one.title for one in display.strata]
    named = gappy.rename(columns={"kind": "auto"})
    assert ConditionalImputationDisplay.from_predictions(named, [frame], by="auto").by == "auto"
    assert ConditionalImputationDisplay.from_predictions(frame, [frame], by="auto").strata == []
    noise = rng.normal(size=(40, 2))
    alone = np.where([[False, True]] * 12 + [[False, False]] * 28, np.nan, noise)
    rendered(ConditionalImputationDisplay.from_predictions(alone, [noise], by="auto"))


def test_numbers_of_few_values_are_groups_of_one_value_each():
    gappy, good, _ = missing_where_large(300)
    code = np.arange(300) % 3 + 1.0
    strata = ConditionalImputationDisplay.from_predictions(
        gappy.assign(code=code), [draw.assign(code=code) for draw in good], by="code"
    ).strata
    assert [one.title for one in strata] == ["code: 1", "code: 2", "code: 3"]
    assert [len(one.pair.first) + one.n_imputed for one in strata] == [100, 100, 100]


def test_single_draws_are_thin_lines_beside_all_together():
    gappy, good, _ = missing_where_large(400)
    display = rendered(ConditionalImputationDisplay.from_predictions(gappy, good, by="side"))
    one = display.strata[0]
    assert [len(part) for part in one.pair.parts] == [one.n_imputed] * 4
    widths = [line.get_linewidth() for line in display.axes_[0].lines]
    assert sorted(widths)[:4] == [0.6] * 4
    single = ConditionalImputationDisplay.from_predictions(gappy, good[:1], by="side")
    assert len(single.axes_[0].lines) == len(display.axes_[0].lines) - 4


def test_weighted_cells_count_by_their_weight():
    labels = np.array(["a", "b"]).repeat(100)
    weights = np.array([1.0, 3.0]).repeat(100)
    unlike = np.array(["a", "b"]).repeat([25, 75])
    assert disagreement(labels, unlike, False) > 0.15
    assert disagreement(labels, unlike, False, weights) == 0
    numbers = (labels == "b") * 1.0
    assert disagreement(numbers, (unlike == "b") * 1.0, True) > 0.1
    assert disagreement(numbers, (unlike == "b") * 1.0, True, weights) == 0
    # Few cells with all the weight are few.
    rng = np.random.default_rng(0)
    one = rng.normal(size=200)
    heavy = np.r_[np.ones(4), np.full(196, 1e-9)]
    assert (
        disagreement(one, rng.normal(size=200), True, heavy) < disagreement(one[:4], rng.normal(size=200), True) + 0.1
    )


def test_groups_of_few_observed_cells_are_no_comparison_and_panels_of_a_column_are_alike():
    """Two observed cells fill a histogram, and differ from anything; seven values in one group do not make its neighbour bars."""
    rng = np.random.default_rng(0)
    group = np.repeat(["a", "b", "c"], 60)
    cells = np.r_[rng.normal(size=60), rng.integers(0, 3, 60).astype(float), rng.normal(size=60)]
    rare = rng.normal(size=180)
    full = pd.DataFrame({"group": group, "x": cells, "rare": rare})
    gappy = full.copy()
    gappy.loc[::4, "x"] = np.nan
    gappy.loc[~gappy.index.isin([0, 1, 60, 61, *range(120, 150)]), "rare"] = np.nan
    display = ConditionalImputationDisplay.from_predictions(gappy, [full], by="group")
    texts = [" ".join(text.get_text() for text in axes.texts) for axes in display.axes_]
    few = [(one.pair.name, "only 2 observed" in text) for one, text in zip(display.strata, texts, strict=False)]
    assert sorted(few) == [("rare", False), ("rare", True), ("rare", True), *[("x", False)] * 3]
    assert not any(axes.get_xaxis().get_major_formatter().__class__.__name__ == "Percent" for axes in display.axes_)
    gappy.loc[gappy.index[120:150], "rare"] = np.nan  # nothing is left to compare
    only = ConditionalImputationDisplay.from_predictions(gappy, [full], by="group")
    assert {one.pair.name for one in only.strata} == {"x"}


def test_means_of_a_nearly_constant_column_stay_inside_the_picture():
    rng = np.random.default_rng(0)
    full = pd.DataFrame({"x": rng.normal(size=400), "rare": np.zeros(400)})
    full.loc[[7, 11], "rare"] = 1.0
    gappy = full.copy()
    gappy.loc[rng.random(400) < 0.2, "rare"] = np.nan
    gappy.loc[[7, 11], "rare"] = 1.0
    display = PropensityDisplay.from_predictions(gappy, [full.assign(rare=0.0)])
    (column,) = display.columns
    low, high = display.axes_[0].get_ylim()
    _, mean, error = np.concatenate([column.observed_bins, column.imputed_bins]).T
    assert low <= mean.min()
    assert high >= (mean + 2 * error).max() - 1e-9
