"""Every candidate of `should_rebalance` on data frames of labels, truth values and missing cells."""

import numpy as np
import pandas as pd
import pytest
from imblearn.ensemble import BalancedBaggingClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tabgan import BAGANOversampler, BalancedSamplingClassifier, should_rebalance
from tabgan.model_selection.candidates import BAGGED, SMOTED, all_candidates


def mixed(gaps=True, n=80, seed=0):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 4 == 0).astype(int)
    X = pd.DataFrame(
        {"x": rng.normal(size=n) + y, "w": rng.choice(list("abc"), n), "b": rng.random(n) < 0.5, "k": np.arange(n) % 7}
    )
    if gaps:
        X.loc[::7, "x"] = np.nan
        X.loc[::11, "w"] = None
    return X, y


def encoded():
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )


BOOSTED = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
PIPED = make_pipeline(encoded(), LogisticRegression())
ESTIMATORS = {
    "categories as they are": (BOOSTED, True),
    "encoded, gaps left to the trees": (make_pipeline(encoded(), HistGradientBoostingClassifier(max_iter=3)), True),
    "encoded, no gaps": (PIPED, False),
    "a search over pipelines": (GridSearchCV(PIPED, {"logisticregression__C": [1.0]}, cv=2), False),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_candidate_runs_or_says_why_not(name):
    estimator, gaps = ESTIMATORS[name]
    X, y = mixed(gaps)
    if estimator is BOOSTED:
        X["w"] = X["w"].astype("category")
    found = should_rebalance(X, y, estimator, samplers=[BAGANOversampler(n_steps=0)], cv=2, random_state=0)
    table = found.table.set_index("candidate")
    failed = table["error"].dropna()
    assert not set(failed.index) & {"none", BAGGED, "repetition", "BAGANOversampler"}, failed.to_dict()
    assert SMOTED not in failed or gaps
    for why in failed:
        assert any(words in why for words in ("missing cells", "contains NaN", "takes neither", "none are known")), why


@pytest.mark.parametrize("estimator", [BOOSTED, PIPED])
def test_what_bags_labels(estimator):
    def bags(X, estimator):
        model = {one.name: one for one in all_candidates(X, 10, estimator, [], 2)}[BAGGED].model
        return model.steps[-1][1] if hasattr(model, "steps") else model

    X, _ = mixed()
    ours = bags(X, estimator)
    assert isinstance(ours, BalancedSamplingClassifier)
    assert (ours.majority_ratio, ours.n_estimators, ours.calibration, ours.decision) == (1.0, 10, None, "most_probable")
    for numbers in (X[["x", "k"]], X[["x", "k"]].to_numpy()):
        assert isinstance(bags(numbers, estimator), BalancedBaggingClassifier)
    assert isinstance(bags(X, RidgeClassifier()), BalancedBaggingClassifier), "ours needs probabilities"


def test_where_f1_decides_parts_of_the_rows_are_compared():
    from sklearn.neighbors import KNeighborsClassifier

    def names(scoring, samplers=None, n_classes=2):
        y = np.arange(120) % 5 == 0 if n_classes == 2 else np.arange(120) % 10 // 4
        X = pd.DataFrame({"x": np.arange(120) % 7 + y, "z": np.arange(120) % 11 / 3})
        found = should_rebalance(
            X, y, KNeighborsClassifier(), samplers=samplers, scoring=scoring, cv=2, random_state=0, max_time=1e-9
        )
        return [name for name in found.table["candidate"] if "of the rows" in name]

    parts = ["BAGANOversampler, a quarter of the rows", "BAGANOversampler, a tenth of the rows"]
    assert names("f1") == parts
    assert names("average_precision") == names("balanced_accuracy") == names(["g_mean", "f1"]) == []
    assert names("f1", samplers=[]) == names("f1", n_classes=3) == []


@pytest.mark.parametrize(
    ("imbalance", "ratios"), [(0.2, [0.4, 0.28]), (0.0, [0.25, 0.1]), (0.49, [0.6175, 0.541]), (0.5, [])]
)
def test_parts_are_of_the_rows_that_balance_asks_for(imbalance, ratios):
    X, _ = mixed()
    found = all_candidates(X, 10, LogisticRegression(), None, 2, imbalance=imbalance)
    parts = [one.model.steps[0][1].sampling_strategy for one in found if "of the rows" in one.name]
    assert parts == pytest.approx(ratios)
