"""Every display with odd tables and wrong arguments: it draws, or says by name what is wrong."""

import numpy as np
import pandas as pd
import pytest

from tabgan import compare_imputers
from tabgan.exceptions import TabganError
from tabgan.plotting import (
    CalibrationDisplay,
    ClassCountsDisplay,
    ComparisonDisplay,
    ConditionalImputationDisplay,
    CostCurveDisplay,
    DecisionDisplay,
    DrawsDisplay,
    ImageGridDisplay,
    ImputationDisplay,
    MissingnessDisplay,
    MissingPatternsDisplay,
    PoolingDisplay,
    PredictionDisplay,
    PropensityDisplay,
    ResamplingDisplay,
    TrainingDisplay,
    hide_and_fill,
)

N = 40
RNG = np.random.default_rng(0)
FULL = pd.DataFrame({"a": RNG.normal(size=N), "b": ["u", "v"] * (N // 2)})
Y = np.array(["no", "yes"] * (N // 2))
P = np.column_stack([np.linspace(0.1, 0.9, N), np.linspace(0.9, 0.1, N)])
OF_DRAWS = [DrawsDisplay, PropensityDisplay, ConditionalImputationDisplay, PoolingDisplay]


def gappy(table):
    result = table.copy()
    for j in range(table.shape[1]):
        result.iloc[3 * j : 3 * j + 11, j] = None
    return result


def tables():
    texts = pd.DataFrame({"a": ["x", "y"] * 20, "b": [f"a long text {k}" for k in range(N)]}).astype(object)
    constant = pd.DataFrame({"a": [1.0] * N, "b": ["u"] * N})
    nothing = pd.DataFrame({"a": [np.nan] * N, "b": RNG.normal(size=N)})
    one = pd.DataFrame({"a": [1.0], "b": [np.nan]})
    days = pd.DataFrame(
        {"a": pd.date_range("2020-01-01", periods=N), "b": pd.array([True, False] * 20, dtype="boolean")}
    )
    return {
        "plain": (gappy(FULL), FULL),
        "whole": (FULL, FULL),
        "one row": (one, one.fillna(2.0)),
        "constant": (gappy(constant), constant),
        "a column of NaN": (nothing.assign(b=gappy(nothing)["b"]), nothing),
        "NaN only": (nothing[["a"]], nothing[["a"]]),
        "texts": (gappy(texts), texts),
        "huge": (gappy(FULL.assign(a=FULL["a"] * 1e300)), FULL.assign(a=FULL["a"] * 1e300)),
        "days and booleans": (gappy(days), days),
    }


def check_drawn(figure):
    """Whether every text and mark can be drawn; where they go is another matter, and takes long."""
    figure.set_layout_engine("none")
    figure.draw_without_rendering()


def of_tables():
    """Displays of a table with missing cells and of what it was completed to."""
    return {
        "imputation": lambda X, filled, **given: ImputationDisplay.from_predictions(X, filled, **given),
        "missingness": lambda X, filled, **given: MissingnessDisplay.from_predictions(X, **given),
        "patterns": lambda X, filled, **given: MissingPatternsDisplay.from_predictions(X, **given),
        "draws": lambda X, filled, **given: DrawsDisplay.from_predictions(X, [filled] * 2, **given),
        "propensity": lambda X, filled, **given: PropensityDisplay.from_predictions(X, [filled] * 2, **given),
        "conditional": lambda X, filled, **given: ConditionalImputationDisplay.from_predictions(
            X, [filled] * 2, **given
        ),
        "by": lambda X, filled, **given: ConditionalImputationDisplay.from_predictions(X, [filled], by="auto", **given),
        "pooling": lambda X, filled, **given: PoolingDisplay.from_predictions(X, [filled] * 2, **given),
        "prediction": lambda X, filled, **given: PredictionDisplay.from_predictions(
            filled, filled, np.ones(filled.shape, dtype=bool), **given
        ),
        "resampling": lambda X, filled, **given: ResamplingDisplay.from_predictions(
            filled, ["y"] * len(filled), np.arange(len(filled)) >= len(filled) // 2, **given
        ),
    }


def others():
    costs = {("no", "yes"): 1, ("yes", "no"): 2}
    rows = [{"step": 0, "loss": 1.0}, {"step": 1, "loss": 0.5}]
    return {
        "calibration": lambda **given: CalibrationDisplay.from_predictions([0.5, 0.9], [0.5, 0.9], n_cells=9, **given),
        "classes": lambda **given: ClassCountsDisplay.from_predictions(["a", "b"], ["a", "b", "b"], **given),
        "decision": lambda **given: DecisionDisplay.from_predictions(Y, P, P, classes=["no", "yes"], **given),
        "costs": lambda **given: CostCurveDisplay.from_predictions(Y, P, classes=["no", "yes"], costs=costs, **given),
        "training": lambda **given: TrainingDisplay.from_predictions(rows, **given),
        "images": lambda **given: ImageGridDisplay.from_predictions(np.zeros((4, 8, 8)), **given),
    }


OF_AXES = {"calibration", "classes", "costs", "images"}


@pytest.mark.parametrize("kind", of_tables())
@pytest.mark.parametrize("name", tables())
def test_odd_tables_are_drawn(kind, name):
    if (kind, name) == ("resampling", "one row"):
        pytest.skip("one row is no real row and a made one")
    X, filled = tables()[name]
    check_drawn(of_tables()[kind](X, filled).figure_)


@pytest.mark.parametrize("kind", of_tables())
def test_frames_of_polars_are_drawn(kind):
    pl = pytest.importorskip("polars")
    X, filled = tables()["plain"]
    check_drawn(of_tables()[kind](pl.from_pandas(X), pl.from_pandas(filled)).figure_)


@pytest.mark.parametrize("kind", [*of_tables(), *others()])
def test_what_cannot_be_drawn_into_is_refused_by_name(kind):
    from matplotlib.figure import Figure

    X, filled = tables()["plain"]

    def drawn(**given):
        return others()[kind](**given) if kind in others() else of_tables()[kind](X, filled, **given)

    name, right, wrong = (
        ("ax", Figure().subplots(), Figure()) if kind in OF_AXES else ("fig", Figure(), Figure().subplots())
    )
    for value in (wrong, "here", 3):
        with pytest.raises(TabganError, match=f"^{name}="):
            drawn(**{name: value})
    assert getattr(drawn(**{name: right}), "ax_" if kind in OF_AXES else "figure_") is right
    if kind not in OF_AXES:
        whole = Figure()
        part = whole.subfigures(1, 2)[1]
        assert drawn(fig=part).figure_ is part
        whole.draw_without_rendering()


@pytest.mark.parametrize("kind", [*of_tables(), "classes", "images"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "two", True, None])
def test_numbers_of_panels_are_counts(kind, value):
    names = {"patterns": "max_patterns", "pooling": "max_parameters", "classes": "max_classes", "images": "n_columns"}
    name = names.get(kind, "max_columns")
    X, filled = tables()["plain"]
    with pytest.raises(TabganError, match=name):
        others()[kind](**{name: value}) if kind in others() else of_tables()[kind](X, filled, **{name: value})


@pytest.mark.parametrize("by", ["nothing", "", 7, ("a", "b"), pd.NA])
def test_a_column_that_is_not_there_is_named(by):
    X, filled = tables()["plain"]
    with pytest.raises(TabganError, match=r"^by="):
        ConditionalImputationDisplay.from_predictions(X, [filled], by=by)


@pytest.mark.parametrize("display", OF_DRAWS)
@pytest.mark.parametrize(
    "draws", [None, FULL, "no", 3, [FULL.iloc[:5]]], ids=["None", "table", "text", "number", "short"]
)
def test_draws_are_a_list_of_tables_of_the_same_rows(display, draws):
    with pytest.raises(TabganError, match=r"draws|rows"):
        display.from_predictions(gappy(FULL), draws)


class NoSuchThing:
    """Neither an imputer, a sampler, a classifier nor an image GAN."""


@pytest.mark.parametrize(
    ("display", "missing"),
    [
        (lambda it: ImputationDisplay.from_estimator(it, gappy(FULL)), "imputer .* transform"),
        *((lambda it, one=one: one.from_estimator(it, gappy(FULL)), "imputer .* sample") for one in OF_DRAWS),
        (lambda it: PredictionDisplay.from_estimator(it, FULL), "imputer .* fit"),
        (lambda it: CalibrationDisplay.from_estimator(it, FULL), "imputer .* predict_interval"),
        (lambda it: hide_and_fill(it, FULL), "imputer .* fit"),
        (lambda it: DecisionDisplay.from_estimator(it, FULL, Y), "sampler .* fit_resample"),
        (lambda it: CostCurveDisplay.from_estimator(it, FULL, Y, costs={}), "estimator .* predict_proba"),
        (lambda it: ResamplingDisplay.from_estimator(it), "resample"),
        (lambda it: ClassCountsDisplay.from_estimator(it), "resample"),
        (lambda it: TrainingDisplay.from_estimator(it), "history_"),
        (lambda it: ImageGridDisplay.from_estimator(it), "gan .* latent_walk"),
        (lambda it: ComparisonDisplay.from_comparison(it), "comparison .* compare_imputers"),
        (lambda it: PredictionDisplay.from_check(it), "check .* hide_and_fill"),
        (lambda it: CalibrationDisplay.from_check(it), "check .* hide_and_fill"),
    ],
)
def test_estimators_of_another_kind_are_refused_before_anything_is_fitted(display, missing):
    for it in (NoSuchThing(), NoSuchThing, None, "no"):
        with pytest.raises(TabganError, match=missing):
            display(it)


@pytest.mark.parametrize(
    ("display", "said"),
    [
        (lambda: PredictionDisplay.from_predictions(FULL, FULL, [True, False]), "hidden has shape"),
        (lambda: ResamplingDisplay.from_predictions(FULL, None, np.arange(N) > 9), "y_resampled"),
        (lambda: ResamplingDisplay.from_predictions(FULL, Y, [True]), "must agree"),
        (lambda: TrainingDisplay.from_predictions(None), "history"),
        (lambda: TrainingDisplay.from_predictions([{"loss": 1.0}]), "history"),
        (lambda: CalibrationDisplay.from_predictions(None, [0.5], n_cells=3), "levels"),
        (lambda: CalibrationDisplay.from_predictions([0.5, "a"], [0.5, 0.5], n_cells=3), "levels"),
        (lambda: CalibrationDisplay.from_predictions([0.5], "no", n_cells=3), "observed"),
        (lambda: CalibrationDisplay.from_predictions([0.5], [0.5, 0.6], n_cells=3), "observed"),
        (lambda: DecisionDisplay.from_predictions(None, P, P, classes=["no", "yes"]), "y_true"),
        (lambda: DecisionDisplay.from_predictions(Y, {}, P, classes=["no", "yes"]), "before"),
        (lambda: CostCurveDisplay.from_predictions(Y, {}, classes=["no", "yes"], costs={}), "probabilities"),
        (lambda: PoolingDisplay.from_predictions(gappy(FULL), [FULL]), "2"),
    ],
)
def test_arrays_that_do_not_belong_together_are_named(display, said):
    with pytest.raises(TabganError, match=said):
        display()


def test_a_comparison_in_which_everything_failed_is_drawn():
    class Failing:
        def fit_transform(self, X):
            raise RuntimeError("no")

        def get_params(self, deep=True):
            return {}

    found = compare_imputers(gappy(FULL), methods=["mean/mode"], imputers={"f": Failing()}, n_repeats=1)
    check_drawn(ComparisonDisplay.from_comparison(found).figure_)
