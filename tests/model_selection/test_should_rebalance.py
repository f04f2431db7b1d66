"""`should_rebalance`: its numbers against scikit-learn's, no leaks, failures that stay rows, and what costs change."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTENC, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import FixedThresholdClassifier, StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.classification import best_threshold
from tabgan.model_selection.candidates import (
    CALIBRATED,
    NONE,
    THRESHOLD,
    all_candidates,
    named_samplers,
    with_sampler,
)
from tabgan.model_selection.prior_correction import PriorCorrectedClassifier
from tabgan.model_selection.scaling import fit_scaling
from tabgan.model_selection.should_rebalance import should_rebalance

SIMPLE = [
    "none",
    "none, tuned threshold",
    "none, calibrated",
    "other settings",
    "class weights",
    "balanced bagging",
    "repetition",
    "SMOTE",
]


class Broken(BaseSampler):
    """A sampler that does not work."""

    _sampling_type = "over-sampling"
    _parameter_constraints: dict = {}  # noqa: RUF012

    def _fit_resample(self, X, y):
        raise RuntimeError("no luck <today>\nand more")


class Watchful(ClassifierMixin, BaseEstimator):
    """Remembers the keys (column 0) it was trained on, and refuses to predict them."""

    def fit(self, X, y):
        self.classes_, self.keys_ = np.unique(y), set(np.asarray(X)[:, 0])
        return self

    def predict_proba(self, X):
        if self.keys_ & set(np.asarray(X)[:, 0]):
            raise ValueError("leak")
        return np.column_stack([1 - np.asarray(X)[:, 1], np.asarray(X)[:, 1]])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.fixture(scope="module")
def rare():
    return make_classification(500, 5, n_informative=3, weights=[0.9], class_sep=0.5, random_state=0)


@pytest.fixture(scope="module")
def found(rare):
    samplers = {"under": RandomUnderSampler(), "<b>": Broken()}
    return should_rebalance(*rare, GaussianNB(), samplers=samplers, scoring=["average_precision", "f1"], random_state=0)


def row_of(result, name):
    return result.table.set_index("candidate").loc[name]


def test_the_numbers_are_scikit_learns(rare, found):
    folds = StratifiedKFold(5, shuffle=True, random_state=found.settings["seeds"][0])
    for measure, scoring in {"average_precision": "average_precision", "roc_auc": "roc_auc", "f1": "f1"}.items():
        theirs = cross_val_score(GaussianNB(), *rare, cv=folds, scoring=scoring)
        ours = found.folds.query("candidate == 'none'")[measure]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
        assert row_of(found, "none")[f"{measure}_se"] == pytest.approx(theirs.std(ddof=1) * np.sqrt(1 / 5 + 1 / 4))
    by_fold = {name: part.set_index("fold") for name, part in found.folds.groupby("candidate")}
    paired = by_fold["SMOTE"]["brier"] - by_fold["none"]["brier"]
    assert row_of(found, "SMOTE")["brier_difference"] == pytest.approx(paired.mean())
    assert row_of(found, "SMOTE")["brier_difference_se"] == pytest.approx(paired.std() * np.sqrt(1 / 5 + 1 / 4))


def test_what_is_reported(found):
    assert found.table["candidate"].tolist() == [*SIMPLE, "under", "<b>"]
    assert row_of(found, "<b>")["error"] == "RuntimeError: no luck <today>"
    assert np.isnan(row_of(found, "<b>")["average_precision"])
    assert found.recommendation.endswith(" Failed: <b>.")
    none, moved = row_of(found, NONE), row_of(found, THRESHOLD)
    assert moved["average_precision_difference"] == 0
    assert moved["f1"] == none["f1_tuned"] == moved["f1_tuned"]
    assert row_of(found, "repetition")["brier_difference"] > 0.02, "repetition spoils probabilities"
    assert found.best in [*SIMPLE, "under"]
    shown = str(found)
    assert "RuntimeError: no luck <today>" in shown
    assert "positive class 1" in shown
    page = found._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page.split("</b>", 1)[1]
    assert "no luck <today>" not in page


def test_a_weak_threshold_is_moved_and_the_estimator_does_it(rare):
    result = should_rebalance(*rare, GaussianNB(), samplers=[], cv=3, scoring=["roc_auc", "f1"], random_state=0)
    assert result.best == THRESHOLD
    assert result.recommendation.startswith(f"keep the table, move the threshold to {result.threshold:.2g}: ")
    assert isinstance(result.estimator, FixedThresholdClassifier)
    X, y = rare
    claimed = result.estimator.fit(X, y).predict(X) == 1
    np.testing.assert_array_equal(claimed, GaussianNB().fit(X, y).predict_proba(X)[:, 1] >= result.threshold)
    assert claimed.sum() > 2 * (GaussianNB().fit(X, y).predict(X) == 1).sum()


def test_no_row_is_both_trained_on_and_scored():
    rng = np.random.default_rng(0)
    X, y = np.column_stack([np.arange(200.0), rng.random(200)]), (rng.random(200) < 0.2).astype(int)
    result = should_rebalance(X, y, Watchful(), samplers=[RandomUnderSampler()], cv=3, n_repeats=2, random_state=0)
    errors = result.table.set_index("candidate")["error"]
    assert errors["class weights"] == "Watchful takes neither class_weight nor sample_weight"
    assert "Watchful; name some in other_settings" in errors["other settings"]
    assert errors.drop(["class weights", "other settings"]).isna().all()
    assert result.best == NONE
    assert result.recommendation.startswith("do nothing: no candidate")
    assert len(result.folds) == 7 * 6


def test_containers_and_labels_agree_and_seeds_repeat(rare):
    X, y = rare
    names = [f"c{k}" for k in range(5)]
    words = np.where(y == 1, "a rare one", "usual")
    settings = {"samplers": [], "cv": 2}
    numbers = should_rebalance(X, y, GaussianNB(), random_state=3, **settings).table.drop(columns="seconds")
    for container in (pd.DataFrame(X, columns=names, index=np.arange(500) + 7), pl.DataFrame(X, schema=names)):
        again = should_rebalance(container, words, GaussianNB(), random_state=3, **settings)
        pd.testing.assert_frame_equal(again.table.drop(columns="seconds"), numbers)
        assert again.settings["positive"] == "a rare one"
    other = should_rebalance(X, y, GaussianNB(), random_state=4, **settings).table.drop(columns="seconds")
    assert not other.equals(numbers)


def test_real_tables_with_gaps_and_labels(mixed):
    y = np.arange(len(mixed)) % 8 == 0
    plain = mixed[["number", "complete", "colour"]]
    gappy = should_rebalance(
        plain[["number", "complete"]], y, DecisionTreeClassifier(max_depth=3), samplers=[], cv=2, random_state=0
    )
    assert "missing cells" in row_of(gappy, "SMOTE")["error"]
    assert gappy.table["error"].isna().sum() == len(gappy.table) - 1
    piped = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    filled = should_rebalance(plain[["number", "complete"]], y, piped, samplers=[], cv=2, random_state=0)
    assert filled.table["error"].isna().all()
    full = mixed[["complete"]].assign(colour=mixed["colour"].fillna("none").astype("category"))
    boosted = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2, categorical_features="from_dtype")
    labelled = should_rebalance(full, y, boosted, samplers=[], cv=2, random_state=0)
    assert labelled.table["error"].isna().all(), "SMOTENC stands in for SMOTE, our ensemble for balanced bagging"


def test_more_classes():
    X, y = make_classification(300, n_informative=4, n_classes=3, weights=[0.7, 0.2], random_state=0)
    y = np.append(y, 3)  # a class of one row
    X = np.vstack([X, X[:1]])
    result = should_rebalance(X, y, RidgeClassifier(), samplers=[], cv=3, random_state=0)
    errors = result.table.set_index("candidate")["error"]
    assert "two classes" in errors[THRESHOLD]
    assert "fewer than two rows" in errors["SMOTE"]
    assert errors[[NONE, "class weights", "repetition"]].isna().all()
    assert np.isnan(row_of(result, NONE)["brier"]), "decision_function gives no probabilities"
    assert 0.5 < row_of(result, NONE)["roc_auc"] < 1
    assert result.settings["positive"] is None


def test_where_samplers_go():
    piped = make_pipeline(SimpleImputer(), LogisticRegression())
    assert next(name for name, _ in with_sampler(RandomOverSampler(), piped).steps) == "sampler"
    assert [name for name, _ in with_sampler(RandomUnderSampler(), GaussianNB()).steps] == ["sampler", "classifier"]
    X = pd.DataFrame({"a": np.arange(20.0), "b": pd.Categorical(list("xy") * 10)})
    smoted = {c.name: c for c in all_candidates(X, 3, KNeighborsClassifier(), [], 2)}["SMOTE"].model
    assert isinstance(smoted.steps[0][1], SMOTENC)
    assert smoted.steps[0][1].k_neighbors == 2
    inner = {c.name: c for c in all_candidates(X, 9, piped, [], 2)}["SMOTE"].model
    assert [type(step).__name__ for _, step in inner.steps] == ["SimpleImputer", "SMOTE", "LogisticRegression"]
    assert list(named_samplers([Broken(), Broken()])) == ["Broken", "Broken 2"]
    weights = {c.name: c for c in all_candidates(X, 9, make_pipeline(GaussianNB()), [], 2)}["class weights"]
    assert weights.weight_parameter == "gaussiannb__sample_weight"


def test_thresholds_and_calibration_come_from_the_other_folds(rare):
    X, y = rare
    result = should_rebalance(X, y, GaussianNB(), samplers=[], cv=3, random_state=0)
    parts = list(StratifiedKFold(3, shuffle=True, random_state=result.settings["seeds"][0]).split(X, y))
    held = [(y[test], GaussianNB().fit(X[train], y[train]).predict_proba(X[test])) for train, test in parts]
    folds = result.folds.set_index(["candidate", "fold"])
    for k, (truth, p) in enumerate(held):
        others = [one for j, one in enumerate(held) if j != k]
        known, seen = np.concatenate([one[0] for one in others]), np.concatenate([one[1] for one in others])
        threshold = best_threshold(known == 1, seen[:, 1], "f1")
        assert folds.loc[(NONE, k), "f1_threshold"] == threshold
        assert folds.loc[(NONE, k), "f1_tuned"] == pytest.approx(f1_score(truth, p[:, 1] >= threshold))
        scaled = fit_scaling(seen, known).applied(p)[:, 1]
        assert folds.loc[(CALIBRATED, k), "brier"] == pytest.approx(np.mean((scaled - truth) ** 2))


def test_with_costs_the_cheapest_decision_is_advised(rare):
    X, y = rare
    labels = np.where(y == 1, "pos", "neg")
    costs = {("pos", "neg"): 20, ("neg", "pos"): 1}
    result = should_rebalance(
        X, labels, LogisticRegression(), samplers=[], other_settings={}, costs=costs, random_state=0
    )
    assert result.settings["scoring"] == ("expected_cost", "average_precision")
    none, moved = row_of(result, NONE), row_of(result, THRESHOLD)
    predicted = result.folds.query("candidate == 'none'")
    assert none["expected_cost"] == pytest.approx(predicted["expected_cost"].mean())
    assert moved["expected_cost"] < none["expected_cost"]
    assert result.best != NONE
    assert "expected cost per row from " in result.recommendation
    weighted = row_of(result, "class weights")
    assert weighted["expected_cost"] == weighted["expected_cost_tuned"], "every candidate has a threshold for the costs"
    fitted = result.estimator.fit(X[::2], labels[::2])
    plain = LogisticRegression().fit(X[::2], labels[::2])

    def cost(model):
        said = model.predict(X[1::2])
        return np.mean(20 * ((labels[1::2] == "pos") & (said == "neg")) + ((labels[1::2] == "neg") & (said == "pos")))

    assert cost(fitted) < cost(plain)
    with pytest.raises(InvalidParameterError, match="expected_cost needs costs"):
        should_rebalance(X, labels, LogisticRegression(), scoring="expected_cost")


def test_with_costs_and_more_classes_the_least_costly_is_predicted():
    X, y = make_classification(400, n_informative=4, n_classes=3, weights=[0.8, 0.15], class_sep=0.5, random_state=0)
    costs = [[0, 1, 1], [8, 0, 4], [30, 25, 0]]
    result = should_rebalance(X, y, GaussianNB(), samplers=[], costs=costs, cv=3, random_state=0)
    assert result.best != NONE
    assert result.threshold is None
    assert "predict what costs least" in result.recommendation
    assert isinstance(result.estimator, PriorCorrectedClassifier)
    assert result.estimator.fit(X, y).costs_ is not None


def test_jobs_change_nothing(rare):
    alone, together = (
        should_rebalance(*rare, LogisticRegression(), samplers=[], cv=2, random_state=0, n_jobs=n).table
        for n in (None, 2)
    )
    pd.testing.assert_frame_equal(alone.drop(columns="seconds"), together.drop(columns="seconds"))


class Noisy(ClassifierMixin, BaseEstimator):
    """Knows the answer, and adds a noise to it that no weights and no resampling take away."""

    def __init__(self, noise=5.0):
        self.noise = noise

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(3 - X[:, 0] - self.noise * np.sin(1e6 * X[:, 1])))
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_an_estimator_whose_settings_fail_is_named():
    rng = np.random.default_rng(0)
    y = (np.arange(1200) % 20 == 0).astype(int)
    X = rng.normal(size=(1200, 2)) + 3 * y[:, None]
    result = should_rebalance(X, y, Noisy(), samplers=[], other_settings={"calm": {"noise": 0}}, random_state=0)
    assert result.best == "calm"
    assert result.recommendation.startswith("keep the table, set calm: average precision from ")
    assert result.estimator.noise == 0
    worse, fails = result.warnings
    assert "worse probabilities" in worse
    assert "than the classes' shares alone (0.048)" in worse
    assert "the estimator as it is fails on classes this rare (0.05): calm takes average precision from" in fails
    assert f"! {fails}" in str(result)
    good = should_rebalance(X, y, Noisy(0), samplers=[], other_settings={"calmer": {"noise": 0.1}}, random_state=0)
    assert good.warnings == []


def test_what_has_too_few_folds_in_time_is_not_compared(rare):
    seen = []
    result = should_rebalance(
        *rare, GaussianNB(), samplers=[], random_state=0, max_time=1e-6, progress=lambda *told: seen.append(told)
    )
    assert result.table["n_folds"].tolist() == [3, 3, 3, 0, 0, 0, 0, 0]
    assert row_of(result, "SMOTE")["error"] == "time was up after 0 of 5 folds; allow more in max_time"
    assert result.best in (NONE, THRESHOLD)
    assert "before all folds were done: none (3)" in str(result)
    assert seen[-1][2] == "done"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cv": 1}, "cv=1"),
        ({"n_repeats": 0}, "n_repeats=0"),
        ({"random_state": "x"}, "random_state='x'"),
        ({"tolerance": -1}, "tolerance=-1"),
        ({"scoring": "accuracy"}, "scoring='accuracy'.*balanced_accuracy"),
        ({"scoring": []}, "scoring="),
        ({"costs": "x"}, "costs="),
        ({"max_time": 0}, "max_time=0"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"progress": 3}, "progress=3"),
        ({"other_settings": {"x": {"depth": 1}}}, "'depth', which Watchful does not have"),
        ({"other_settings": {"none": {"C": 1}}, "estimator": LogisticRegression()}, "'none'.*another name"),
        ({"estimator": StandardScaler()}, "estimator=StandardScaler"),
        ({"estimator": RidgeClassifier(), "scoring": "brier"}, "probabilities"),
        ({"samplers": [LogisticRegression()]}, "samplers.*fit_resample"),
        ({"samplers": {"none": RandomOverSampler()}}, "'none'.*another name"),
        ({"y": np.zeros(500)}, "class counts"),
        ({"y": np.arange(500) == 3}, "class counts"),
        ({"y": np.linspace(0, 1, 500)}, "continuous"),
        ({"y": np.zeros(4)}, "500 rows but y has 4"),
        ({"y": [None, *([1, 0] * 249), 1]}, "missing labels"),
    ],
)
def test_mistakes_are_named_before_anything_is_trained(rare, change, words):
    X, y = rare
    arguments = {"y": y, "estimator": Watchful(), "samplers": []} | change
    with pytest.raises((InvalidParameterError, InvalidInputError), match=words):
        should_rebalance(X, arguments.pop("y"), arguments.pop("estimator"), **arguments)
