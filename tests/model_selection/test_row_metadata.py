"""Weights and groups of rows: what they change, that scikit-learn routes them, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.datasets import make_classification
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from tabgan import BalancedSamplingClassifier, PriorCorrectedClassifier, compare_imputers, should_rebalance
from tabgan.estimators.cross_validation import group_folds
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.classification import best_threshold
from tabgan.model_selection.bags import draw_bags
from tabgan.model_selection.row_metadata import weights_after
from tabgan.model_selection.scaling import fit_scaling

QUICK = {"random_state": 0, "cv": 3}


@pytest.fixture
def rows():
    X, y = make_classification(300, weights=[0.8], class_sep=0.6, random_state=0)
    return X, y, np.where(y == 1, 3.0, 1.0)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class Noted(LogisticRegression):
    """Keeps the weights that it was fitted with."""

    def fit(self, X, y, sample_weight=None):
        self.weights_ = sample_weight
        return super().fit(X, y, sample_weight)


def test_weights_of_whole_numbers_are_as_good_as_repeated_rows():
    """For threshold and scaling, which have no folds."""
    rng = np.random.default_rng(0)
    score, event, times = rng.random(40), rng.random(40) < 0.4, rng.integers(1, 4, 40)
    again = np.repeat(np.arange(40), times)
    for measure in ("f1", "g_mean", "balanced_accuracy", "mcc"):
        assert best_threshold(event, score, measure, weights=times) == best_threshold(
            event[again], score[again], measure
        )
        assert best_threshold(event, score, measure, weights=np.ones(40)) == best_threshold(event, score, measure)
    p = np.column_stack([1 - score, score])
    by_weight = fit_scaling(p, event.astype(int), weights=7.0 * times)  # only their ratios count
    plain = fit_scaling(p, event.astype(int), weights=np.full(40, 5.0))
    assert plain.slope == pytest.approx(fit_scaling(p, event.astype(int)).slope, rel=1e-4)
    repeated = fit_scaling(p[again], event[again].astype(int))
    assert by_weight.slope == pytest.approx(repeated.slope, rel=0.1)  # the penalty weighs less on more rows
    np.testing.assert_allclose(by_weight.offsets, repeated.offsets, atol=0.1)


def test_prior_corrected_probabilities_have_the_weighted_shares(rows):
    X, y, weights = rows
    share = weights[y == 1].sum() / weights.sum()
    model = PriorCorrectedClassifier(Noted(), **QUICK).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.prior_, [1 - share, share])
    np.testing.assert_allclose(model.train_prior_, model.prior_)  # the estimator saw the weights
    np.testing.assert_array_equal(model.estimator_.weights_, weights)
    assert np.average(model.predict_proba(X)[:, 1], weights=weights) == pytest.approx(share, abs=0.03)
    plain = PriorCorrectedClassifier(Noted(), **QUICK).fit(X, y)
    assert plain.estimator_.weights_ is None
    assert plain.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.03)


def test_weights_of_all_rows_alike_change_nothing(rows):
    X, y, _ = rows
    for model in (
        PriorCorrectedClassifier(GaussianNB(), **QUICK),
        BalancedSamplingClassifier(n_estimators=3, random_state=0),
    ):
        plain = model.fit(X, y).predict_proba(X)
        assert plain.std() > 0
        if isinstance(model, PriorCorrectedClassifier):  # bags are drawn otherwise once they are weighed
            np.testing.assert_allclose(
                model.fit(X, y, np.full(len(y), 2.0)).predict_proba(X), plain, rtol=1e-5, atol=1e-6
            )


def test_made_rows_get_the_mean_weight_of_their_class_and_kept_rows_their_own(rows):
    X, y, _ = rows
    weights = np.arange(1.0, len(y) + 1)
    rare = weights[y == 1].mean()
    smote = SMOTE(random_state=0)
    _, labels = smote.fit_resample(X, y)
    found = weights_after(smote, y, weights, labels)
    np.testing.assert_array_equal(found[: len(y)], weights)
    np.testing.assert_allclose(found[len(y) :], rare)
    under = RandomUnderSampler(random_state=0)
    _, labels = under.fit_resample(X, y)
    np.testing.assert_array_equal(weights_after(under, y, weights, labels), weights[under.sample_indices_])
    shuffled = weights_after(object(), y, weights, y[::-1])  # who is who is not known
    np.testing.assert_allclose(shuffled[y[::-1] == 1], rare)
    model = PriorCorrectedClassifier(Noted(), RandomOverSampler(random_state=0), **QUICK).fit(
        X, y, sample_weight=weights
    )
    assert model.estimator_.weights_.sum() == pytest.approx(weights[np.r_[:300, model_rows(X, y)]].sum())


def model_rows(X, y):
    sampler = RandomOverSampler(random_state=0)
    sampler.fit_resample(X, y)
    return sampler.sample_indices_[len(y) :]


def test_an_estimator_without_weights_says_what_to_do(rows):
    X, y, weights = rows
    with pytest.raises(InvalidInputError, match="fit of KNeighborsClassifier takes none"):
        PriorCorrectedClassifier(KNeighborsClassifier(), **QUICK).fit(X, y, weights)
    with pytest.raises(InvalidInputError, match="enable_metadata_routing=True"):
        PriorCorrectedClassifier(make_pipeline(MinMaxScaler(), GaussianNB()), **QUICK).fit(X, y, weights)


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_through_pipelines_to_the_innermost_classifier(rows):
    X, y, weights = rows
    inner = make_pipeline(MinMaxScaler(), Noted().set_fit_request(sample_weight=True))
    corrected = PriorCorrectedClassifier(inner, **QUICK).set_fit_request(sample_weight=True)
    corrected.set_score_request(sample_weight=True)
    model = make_pipeline(MinMaxScaler(), corrected).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(model[-1].estimator_[-1].weights_, weights)
    assert model[-1].prior_[1] == pytest.approx(weights[y == 1].sum() / weights.sum())
    scores = cross_validate(corrected, X, y, params={"sample_weight": weights}, cv=2)["test_score"]
    assert np.isfinite(scores).all()


@pytest.mark.usefixtures("routing")
def test_routing_asks_who_wants_weights(rows):
    X, y, weights = rows
    with pytest.raises(UnsetMetadataPassedError):
        PriorCorrectedClassifier(GaussianNB(), **QUICK).fit(X, y, sample_weight=weights)
    without = PriorCorrectedClassifier(Noted().set_fit_request(sample_weight=False), **QUICK).fit(X, y, weights)
    assert without.estimator_.weights_ is None
    assert without.prior_[1] > y.mean()
    assert without.train_prior_[1] == pytest.approx(y.mean())  # what the estimator saw
    balanced = BalancedSamplingClassifier(n_estimators=2, random_state=0).set_fit_request(sample_weight=True)
    model = make_pipeline(MinMaxScaler(), balanced).fit(X, y, sample_weight=weights)
    assert model[-1].prior_[1] == pytest.approx(weights[y == 1].sum() / weights.sum())


def test_bags_draw_rows_as_often_as_their_weights_say():
    codes = np.repeat([0, 1], [90, 10])
    weights = np.where(np.arange(100) < 30, 0.0, 1.0)
    weights[95:] = 9.0
    bags = list(
        draw_bags(
            np.arange(100)[:, None], codes, codes, n_bags=20, majority_ratio=None, sampler=None, seed=0, weights=weights
        )
    )
    drawn = np.concatenate([bag.X[:, 0] for bag in bags])
    assert drawn.min() >= 30  # of weight zero
    shares = [bag.labels.mean() for bag in bags]
    assert np.mean(shares) == pytest.approx(weights[90:].sum() / weights.sum(), abs=0.01)
    often, seldom = (drawn >= 95).sum(), ((drawn >= 90) & (drawn < 95)).sum()
    assert often / seldom == pytest.approx(9, rel=0.35)


def test_balanced_sampling_has_the_weighted_shares(rows):
    X, y, weights = rows
    model = BalancedSamplingClassifier(n_estimators=10, random_state=0).fit(X, y, sample_weight=weights)
    share = weights[y == 1].sum() / weights.sum()
    assert model.prior_[1] == pytest.approx(share)
    seen = ~np.isnan(model.oob_decision_function_[:, 1])
    each = [share / (y[seen] == 1).sum() if label else (1 - share) / (y[seen] == 0).sum() for label in y[seen]]
    p = np.average(model.oob_decision_function_[seen, 1], weights=each)  # rows of more weight are less often out of bag
    assert p == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0, 2.0], r"shape \(2,\), but y has 300"),
        (np.full(300, -1.0), "negative"),
        (np.full(300, np.nan), "negative, missing or infinite"),
        (np.zeros(300), "zero for every row"),
        (["many"] * 300, "no numbers"),
    ],
)
def test_weights_that_are_none_are_refused(rows, weights, words):
    X, y, _ = rows
    for model in (PriorCorrectedClassifier(GaussianNB()), BalancedSamplingClassifier()):
        with pytest.raises(InvalidInputError, match=words):
            model.fit(X, y, sample_weight=weights)


def test_a_class_without_weight_is_refused_by_name(rows):
    X, y, _ = rows
    with pytest.raises(InvalidInputError, match=r"0 for every row of the class\(es\) \[1\]"):
        PriorCorrectedClassifier(GaussianNB()).fit(X, y, sample_weight=(y == 0).astype(float))


def grouped(n_groups=24, each=12, seed=0):
    """Rows of which the label follows from the group alone, and a column that names the group."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), each)
    y = (np.arange(n_groups) % 3 == 0).astype(int)[groups]
    X = np.column_stack([groups + rng.normal(0, 0.05, len(groups)), rng.normal(size=len(groups))])
    return X, y, np.array([f"patient {g}" for g in groups], dtype=object)


def test_should_rebalance_keeps_groups_together():
    X, y, groups = grouped()
    settings = {"samplers": [], "other_settings": {}, "random_state": 0, "cv": 3}
    torn = should_rebalance(X, y, KNeighborsClassifier(3), **settings)
    whole = should_rebalance(X, y, KNeighborsClassifier(3), groups=groups, **settings)
    score = {name: found.table.iloc[0]["average_precision"] for name, found in (("torn", torn), ("whole", whole))}
    assert score["torn"] > 0.95  # rows of the same patient give the answer away
    assert score["whole"] < 0.8
    assert whole.settings["groups"] == 24
    assert torn.settings["groups"] is None


def test_group_folds_share_out_groups_whole_and_classes_evenly():
    _, y, groups = grouped()
    codes = pd.factorize(groups)[0]
    parts = group_folds(y, codes, 4, 0)
    for training, held_out in parts:
        assert not set(codes[training]) & set(codes[held_out])
        assert set(y[training]) == set(y[held_out]) == {0, 1}
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == list(range(len(y)))


def test_groups_that_leave_nothing_to_learn_from_are_refused():
    X, y, groups = grouped(n_groups=4)
    with pytest.raises(InvalidInputError, match="a class is in one group only"):
        should_rebalance(X, (groups == "patient 0").astype(int), GaussianNB(), groups=groups)
    with pytest.raises(InvalidInputError, match=r"groups has shape \(3,\), but X has 48 rows"):
        should_rebalance(X, y, GaussianNB(), groups=[1, 2, 3])
    with pytest.raises(InvalidInputError, match="no value in row 2"):
        should_rebalance(X, y, GaussianNB(), groups=[1, 1, None, *range(45)])
    with pytest.raises(InvalidInputError, match="one group only"):
        compare_imputers(X, groups=["a"] * 48)


@pytest.mark.usefixtures("routing")
def test_class_weights_are_compared_with_routing_switched_on():
    X, y, groups = grouped()
    piped = make_pipeline(
        StandardScaler(), GaussianNB()
    )  # has no class_weight, so it needs weights of rows, unlike the scaler
    found = should_rebalance(X, y, piped, groups=groups, samplers=[], other_settings={}, random_state=0, cv=3)
    line = found.table[found.table["candidate"] == "class weights"].iloc[0]
    assert np.isfinite(line["average_precision"])


def test_compare_imputers_fills_groups_that_it_has_not_seen():
    """A column that is the same in all rows of a patient is easy to fill from the patient's other rows, and only from these."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 6)
    table = pd.DataFrame(rng.normal(size=(40, 4))[groups], columns=list("abcd"))
    settings = {"methods": ["mean/mode", "kNN"], "n_repeats": 2, "rate": 0.3}
    torn = compare_imputers(table, **settings).summary.set_index("method")["relative_error"]
    held_out = compare_imputers(table, groups=groups, **settings)
    whole = held_out.summary.set_index("method")["relative_error"]
    assert torn["kNN"] < 0.9 * torn["mean/mode"]
    assert whole["kNN"] > 0.95 * whole["mean/mode"]
    assert held_out.settings["groups"] == 40
    assert max(held_out.settings["hidden_cells"]) < 0.3 * 0.25 * table.size  # of a fifth of the groups


def test_imputers_are_fitted_on_the_other_groups_alone():
    seen = []

    class Spy(sklearn.base.BaseEstimator):
        def fit(self, X, y=None):
            seen.append(("fit", set(X["group"].dropna())))
            return self

        def transform(self, X):
            seen.append(("transform", set(X["group"].dropna())))
            return X.fillna(0.0)

        def fit_transform(self, X, y=None):
            raise AssertionError("fitted on what it fills")

    groups = np.repeat(np.arange(10.0), 5)
    table = pd.DataFrame({"group": groups, "x": np.random.default_rng(0).normal(size=50)})
    compare_imputers(table, methods=[], imputers={"spy": Spy()}, groups=groups, n_repeats=1)
    (_, learnt), (_, filled) = seen
    assert not learnt & filled
    assert len(filled) <= 2


def test_groups_and_draws_do_not_go_together():
    with pytest.raises(InvalidParameterError, match="groups and n_draws"):
        compare_imputers(np.eye(4), groups=[0, 0, 1, 1], n_draws=5)
