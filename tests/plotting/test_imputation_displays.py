"""What the displays of an imputer hold and draw."""

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError
from tabgan.plotting import (
    CalibrationDisplay,
    DrawsDisplay,
    ImputationDisplay,
    MissingnessDisplay,
    PredictionDisplay,
    TrainingDisplay,
    hide_and_fill,
)
from tabgan.plotting.canvas import label
from tabgan.plotting.hidden import without_cells
from tabgan.plotting.marginals import disagreement


def rendered(display):
    """Draw for good: text that matplotlib cannot parse fails only here."""
    display.figure_.canvas.draw()
    return display


def test_imputed_cells_are_those_of_the_imputer(imputer, gappy):
    display = rendered(ImputationDisplay.from_estimator(imputer, gappy))
    filled = imputer.transform(gappy)
    pairs = {pair.name: pair for pair in display.pairs}
    assert set(pairs) == {"x", "$y_{$ <b>", "side", "day"}
    gap = gappy["x"].isna()
    np.testing.assert_allclose(pairs["x"].second, filled["x"][gap])
    np.testing.assert_allclose(pairs["x"].first, gappy["x"][~gap])
    assert pairs["side"].second.tolist() == filled["side"][gappy["side"].isna()].tolist()


def test_dropped_and_appended_columns_do_not_shift_the_others():
    from tabgan import GAINImputer

    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    X[:, 1] = np.nan
    X[:5, 3] = np.nan
    imputer = GAINImputer(n_steps=1, draw_steps=0, add_indicator=True, random_state=0).fit(X)
    (pair,) = ImputationDisplay.from_estimator(imputer, X).pairs
    assert pair.name == "3"
    np.testing.assert_allclose(pair.first, X[5:, 3])


def test_any_imputer_of_scikit_learn(gappy):
    from sklearn.impute import SimpleImputer

    X = gappy[["x", "n"]].to_numpy(dtype=float)
    display = ImputationDisplay.from_estimator(SimpleImputer().fit(X), X)
    assert [pair.name for pair in display.pairs] == ["0"]
    assert np.ptp(display.pairs[0].second) == 0


def test_the_most_different_columns_of_a_wide_table_are_shown_and_the_rest_counted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 60))
    filled = X.copy()
    X[:30] = np.nan
    filled[:30, 41] += 9
    display = rendered(ImputationDisplay.from_predictions(X, filled))
    assert len(display.pairs) == 12
    assert display.pairs[0].name == "41"
    assert "12 of 60 columns" in display.figure_.legends[0].get_title().get_text()


@pytest.mark.parametrize("n_gaps", [0, 1])
def test_tables_with_almost_nothing_to_show(n_gaps):
    X = np.arange(12.0).reshape(6, 2)
    filled = X.copy()
    X[:n_gaps, 0] = np.nan
    rendered(ImputationDisplay.from_predictions(X, filled))
    rendered(MissingnessDisplay.from_predictions(X))


def test_tables_that_do_not_belong_together():
    with pytest.raises(InvalidInputError, match="5 rows"):
        ImputationDisplay.from_predictions(np.zeros((6, 2)), np.zeros((5, 2)))
    with pytest.raises(InvalidParameterError, match="max_columns"):
        ImputationDisplay.from_predictions(np.zeros((6, 2)), np.zeros((6, 2)), max_columns=0)


def test_disagreement_grows_with_the_difference_and_forgives_chance():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400))
    assert disagreement(a, b, True) < 0.03 < disagreement(a, b + 0.5, True) < disagreement(a, b + 2, True)
    assert disagreement(np.zeros(500), np.ones(500), True) == pytest.approx(1 - 0.87 / np.sqrt(250))
    labels = np.array(["a", "b"])
    assert disagreement(labels.repeat(200), labels.repeat([100, 300]), False) > 0.15
    assert disagreement(labels.repeat(200), labels.repeat(100), False) == 0


def test_missingness_counts_and_correlates():
    X = pd.DataFrame({"a": [1, None, None, 4], "b": [1, None, None, 4], "c": [None, 2, 3, None], "d": [1, 2, 3, 4]})
    display = rendered(MissingnessDisplay.from_predictions(X))
    assert display.complete == 0
    assert display.shares.to_dict() == {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.0}
    assert display.alike == {"a": ["b"], "c": []}
    assert "(+1)" in display.axes_[0].get_yticklabels()[0].get_text()
    assert display.together.loc["a", "c"] == pytest.approx(-1)


def test_markers_of_the_imputer_count_as_gaps():
    class Imputer:
        missing_values = -999

    assert MissingnessDisplay.from_estimator(Imputer(), [[1.0, -999.0], [2.0, 3.0]]).shares["1"] == 0.5


@pytest.fixture(scope="module")
def check(imputer, gappy):
    return hide_and_fill(imputer, gappy)


def test_hidden_cells_were_kept_from_the_imputer(check, imputer, gappy):
    assert check.imputer is not imputer
    assert check.hidden.to_numpy().sum() > 50
    assert not (check.hidden["x"] & gappy["x"].isna()).any()
    assert pd.DataFrame(check.X).loc[check.hidden["x"].to_numpy(), "x"].isna().all()
    assert check.imputer.schema_.columns[2].kind == "integer"
    assert "day" not in check.truth


@pytest.mark.parametrize("kind", ["pandas", "polars", "numpy", "list"])
def test_cells_are_hidden_in_any_container(kind):
    frame = pd.DataFrame({"i": [1, 2, 3], "b": [True, False, True], "s": ["u", "v", "w"]})
    hidden = np.array([[True, False, False], [False, True, False], [False, False, True]])
    if kind == "polars":
        frame = pytest.importorskip("polars").DataFrame(frame.to_dict("list"))
        gaps = np.array(without_cells(frame, hidden).select(__import__("polars").all().is_null()).rows())
    elif kind == "pandas":
        result = without_cells(frame, hidden)
        gaps = result.isna().to_numpy()
        assert [str(kind) for kind in result.dtypes[:2]] == ["Int64", "boolean"]
    else:
        table = frame.to_numpy() if kind == "numpy" else frame.to_numpy().tolist()
        gaps = pd.isna(without_cells(table, hidden))
    np.testing.assert_array_equal(gaps, hidden)


def test_predictions_are_scored_as_by_hand(check):
    display = rendered(PredictionDisplay.from_check(check))
    column = next(column for column in display.columns if column.name == "x")
    cells = check.hidden["x"].to_numpy()
    error = (check.truth["x"] - check.filled["x"])[cells]
    assert column.error == pytest.approx(np.sqrt(np.mean(error**2)))
    assert (column.lower <= column.upper).all()
    assert 0 <= column.covered <= 1
    ratios = [column.relative_error for column in display.columns]
    assert display.columns[-1].name == "n", "the column without gaps of its own"
    assert ratios[:-1] == sorted(ratios[:-1], reverse=True)


def test_perfect_predictions():
    truth = np.random.default_rng(0).normal(size=(20, 2))
    display = rendered(PredictionDisplay.from_predictions(truth, truth, np.eye(20, 2, dtype=bool)))
    assert [column.error for column in display.columns] == [0, 0]


def test_coverage_is_counted_as_by_hand(check):
    display = rendered(CalibrationDisplay.from_check(check, levels=(0.5, 0.9)))
    ((lower, upper),) = check.intervals([0.9])
    inside = [
        (lower[name] <= check.truth[name])[check.hidden[name]] & (check.truth[name] <= upper[name])[check.hidden[name]]
        for name in ("x", "$y_{$ <b>", "n")
    ]
    assert display.observed[1] == pytest.approx(np.mean(np.concatenate(inside)))
    assert display.n_cells == len(np.concatenate(inside))
    with pytest.raises(InvalidParameterError, match="levels"):
        CalibrationDisplay.from_check(check, levels=[1.2])


def test_a_column_that_hiding_made_constant_has_no_intervals_and_no_curve():
    from tabgan import GAINImputer

    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80), "rare": 0.0})
    table.loc[3, "rare"] = 1.0
    imputer = GAINImputer(n_steps=5, draw_steps=5, random_state=0)
    checks = (hide_and_fill(imputer, table, rate=0.5, random_state=seed) for seed in range(20))
    check = next(check for check in checks if check.hidden.loc[3, "rare"])
    assert set(CalibrationDisplay.from_check(check).by_column) == {"a", "b"}


def test_draws_are_summed_up_per_draw(imputer, gappy):
    display = rendered(DrawsDisplay.from_estimator(imputer, gappy, n_draws=3))
    column = next(column for column in display.columns if column.name == "x")
    gap = gappy["x"].isna()
    means = [draw["x"][gap].mean() for draw in imputer.sample(gappy, 3)]
    np.testing.assert_allclose(column.centres, means)
    assert column.known_centre == pytest.approx(gappy["x"].mean())


def test_training_is_drawn_with_its_best_step(imputer):
    display = rendered(TrainingDisplay.from_estimator(imputer))
    assert ("", "validation") in display.curves
    rows = [{"step": step, "validation": value} for step, value in ((0, 3.0), (50, 1.0), (100, 2.0))]
    display = rendered(TrainingDisplay.from_predictions(rows, stop_reason="no better score"))
    assert display.best_step_ == 50
    rendered(TrainingDisplay.from_predictions([]))
    with pytest.raises(InvalidInputError, match="history_"):
        TrainingDisplay.from_estimator(object())


def test_matplotlib_missing_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with pytest.raises(MissingExtraError, match=r"tabgan-learn\[plot\]"):
        MissingnessDisplay.from_predictions([[1.0, 2.0]])


def test_displays_draw_where_they_are_told(imputer, gappy):
    from matplotlib.figure import Figure

    figure = Figure()
    assert MissingnessDisplay.from_estimator(imputer, gappy, fig=figure).figure_ is figure
    axes = Figure().subplots()
    assert CalibrationDisplay.from_predictions([0.5, 0.9], [0.5, 0.9], n_cells=50, ax=axes).ax_ is axes


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=100)
def test_no_text_from_data_is_taken_for_a_formula_or_breaks_the_line(text):
    from matplotlib.cbook import is_math_text

    safe = label(text)
    assert not is_math_text(safe)
    assert len(safe.replace(r"\$", "$")) <= 26
    assert safe.isprintable()
    if len(text) <= 26 and text.isprintable():
        assert safe.replace(r"\$", "$") == text or "\\" in text


@pytest.mark.parametrize(
    ("top", "ticks"),
    [(1.0, ["0%", "25%", "50%", "75%", "100%"]), (0.02, ["0.0%", "0.5%", "1.0%", "1.5%", "2.0%"])],
)
def test_percent_ticks_are_told_apart(top, ticks):
    from tabgan.plotting.canvas import in_percent, new_figure

    axes = new_figure(3, 3).subplots()
    axes.set_xticks(np.linspace(0, top, 5))
    in_percent(axes.xaxis)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ticks
