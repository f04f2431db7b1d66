"""The balanced ensemble: scikit-learn's checks, bags as asked for, honest out-of-bag figures, and what it gains."""

import pickle
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from tabgan import BAGANOversampler, BalancedSamplingClassifier
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.model_selection.bags import draw_bags
from tabgan.model_selection.default_member import default_member
from tests.conftest import make_mixed

# Check name -> why it cannot pass. Strict: a check that starts to pass must leave this list.
BY_DESIGN = {"check_classifiers_train": "asks for the most probable class, where a threshold was tuned to give another"}
WEIGHED = "a row of weight 2 is drawn as often as two rows, but not as they are"
RANDOM = {f"check_sample_weight_equivalence_on_{kind}_data": WEIGHED for kind in ("dense", "sparse")}


@parametrize_with_checks(
    [
        BalancedSamplingClassifier(
            GaussianNB(), RandomOverSampler(), n_estimators=2, majority_ratio=2, decision="f1", random_state=0
        ),
        BalancedSamplingClassifier(n_estimators=1, random_state=0),
    ],
    expected_failed_checks=lambda estimator: RANDOM | (BY_DESIGN if estimator.decision == "f1" else {}),
)
@pytest.mark.filterwarnings("ignore:no row of")
def test_sklearn_checks(estimator, check):
    check(estimator)


class Noted(DummyClassifier):
    """Keeps what it was trained on and asked."""

    def fit(self, X, y):
        self.seen_, self.labels_, self.asked_ = X, y, []
        return super().fit(X, y)

    def predict_proba(self, X):
        self.asked_.append(X)
        return super().predict_proba(X)


class Drawing:
    """A sampler that draws rows which say of which rows they were made."""

    fits = 0
    gate_ = None

    def __init__(self, sampling_strategy="auto", random_state=None):
        self.sampling_strategy, self.random_state = sampling_strategy, random_state

    def get_params(self, deep=True):
        return {"sampling_strategy": self.sampling_strategy, "random_state": self.random_state}

    def set_params(self, **named):
        self.__dict__.update(named)
        return self

    def fit(self, X, y):
        type(self).fits += 1
        self.rows_ = X[:, 0]
        return self

    def fit_resample(self, X, y):
        raise AssertionError("it is shared")

    def sample(self, n=1, y=None, where=None, random_state=None):
        first = np.random.default_rng(random_state).choice(self.rows_, len(y))
        return np.column_stack([first, np.full(len(y), -1.0)]), y


@pytest.fixture
def numbered():
    codes = np.repeat([0, 1, 2], [60, 30, 10])
    return np.column_stack([np.arange(100.0), np.zeros(100)]), np.array(["a", "b", "c"])[codes], codes


@pytest.fixture(scope="module")
def rare():
    X, y = make_classification(3000, 8, n_informative=4, weights=[0.94], flip_y=0.02, class_sep=0.8, random_state=1)
    return train_test_split(X, y, stratify=y, random_state=0)


def bags_of(numbered, **named):
    X, labels, codes = numbered
    settings = {"n_bags": 10, "majority_ratio": None, "sampler": None, "seed": 0} | named
    return list(draw_bags(X, labels, codes, **settings))


@pytest.mark.parametrize(
    ("ratio", "counts"), [(None, [60, 30, 10]), (1, [10, 10, 10]), (2.5, [25, 25, 10]), (4, [40, 30, 10])]
)
def test_bags_hold_as_many_rows_of_each_class_as_asked_for(numbered, ratio, counts):
    bags = bags_of(numbered, majority_ratio=ratio)
    for bag in bags:
        assert np.unique(bag.labels, return_counts=True)[1].tolist() == counts
        assert (bag.labels == numbered[1][bag.X[:, 0].astype(int)]).all()
        assert set(bag.unseen) == set(range(100)) - set(bag.X[:, 0].astype(int))
        assert len(set(bag.X[bag.labels == "c", 0])) < 10, "drawn with replacement"
    assert len({tuple(bag.X[:, 0]) for bag in bags}) == len({bag.seed for bag in bags}) == 10


def test_a_sampler_that_draws_is_fitted_once_per_fold_and_never_gives_away_what_is_out_of_bag(numbered):
    Drawing.fits = 0
    bags = bags_of(numbered, n_bags=12, sampler=Drawing(), majority_ratio=3)
    assert Drawing.fits == 5
    for bag in bags:
        assert set(bag.X[:, 0].astype(int)).isdisjoint(bag.unseen)
        counts = np.unique(bag.labels, return_counts=True)[1]
        assert set(counts) == {24}, "8 of the smallest class are left, 24 of the others, and the sampler fills up"
        assert (bag.X[:, 1] < 0).sum() == 16
    assert sorted(np.concatenate([bag.unseen for bag in bags[:5]])) == list(range(100))
    first, sixth = (bag.X[bag.X[:, 1] < 0, 0].tolist() for bag in (bags[0], bags[5]))
    assert first != sixth, "one sampler, other rows"
    Drawing.gate_ = SimpleNamespace(share=0.25)
    gated = bags_of(numbered, n_bags=1, sampler=Drawing(), majority_ratio=3)[0]
    Drawing.gate_ = None
    assert (gated.X[:, 1] < 0).sum() == 4, "as many as its gate lets through"
    half = bags_of(numbered, n_bags=1, sampler=Drawing({"c": 12}), majority_ratio=3)[0]
    assert np.unique(half.labels, return_counts=True)[1].tolist() == [24, 24, 12]


def test_any_other_sampler_resamples_the_bag(numbered):
    bags = bags_of(numbered, n_bags=3, sampler=RandomUnderSampler())
    assert all(np.unique(bag.labels, return_counts=True)[1].tolist() == [10, 10, 10] for bag in bags)

    class Loses(RandomUnderSampler):
        def fit_resample(self, X, y):
            return X[y != "b"], y[y != "b"]

    with pytest.raises(InvalidInputError, match=r"left no row of \['b'\]"):
        bags_of(numbered, sampler=Loses())
    with pytest.raises(InvalidParameterError, match=r"sampling_strategy=.*does not fit"):
        bags_of(numbered, sampler=Drawing({"c": 2}))


def test_a_deadline_ends_the_bags_but_not_before_the_first(numbered, rare):
    assert len(bags_of(numbered, deadline=time.monotonic() - 1)) == 1
    assert len(bags_of(numbered, deadline=time.monotonic() + 60)) == 10
    with pytest.warns(UserWarning, match="max_time=1e-09 was up after 1 of 50 members"):
        model = BalancedSamplingClassifier(GaussianNB(), max_time=1e-9, random_state=0).fit(*rare[::2])
    assert (len(model.estimators_), model.stop_reason_) == (1, "max_time")
    assert BalancedSamplingClassifier(GaussianNB(), n_estimators=2).fit(*rare[::2]).stop_reason_ is None


@pytest.mark.parametrize("majority_ratio", [None, 1])
@pytest.mark.parametrize("calibration", ["sigmoid", "prior", None])
def test_probabilities_are_those_of_the_table(rare, majority_ratio, calibration):
    X, X_test, y, y_test = rare
    model = BalancedSamplingClassifier(
        GaussianNB(), majority_ratio=majority_ratio, calibration=calibration, random_state=0
    ).fit(X, y)
    p = model.predict_proba(X_test)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    alone = brier_score_loss(y_test, GaussianNB().fit(X, y).predict_proba(X_test)[:, 1])
    found = brier_score_loss(y_test, p[:, 1])
    if calibration == "sigmoid":
        assert p[:, 1].mean() == pytest.approx(y.mean(), abs=0.015)
        assert found < 1.05 * alone
    elif calibration is None and majority_ratio == 1:
        assert found > 1.5 * alone
        np.testing.assert_allclose(model.train_prior_, 0.5)
    else:
        assert found < 1.3 * alone
    seen = ~np.isnan(model.oob_decision_function_[:, 0])
    assert seen.mean() > 0.9
    assert brier_score_loss(y[seen], model.oob_decision_function_[seen, 1]) == pytest.approx(found, rel=0.25)
    assert model.oob_score_ == pytest.approx(balanced_accuracy_score(y_test, model.predict(X_test)), abs=0.08)


def test_out_of_bag_is_out_of_bag():
    noise = np.random.default_rng(0).normal(size=(400, 5)), np.arange(400) % 8 == 0
    for named in ({}, {"majority_ratio": 2}, {"sampler": BAGANOversampler(n_steps=0), "n_estimators": 5}):
        model = BalancedSamplingClassifier(DecisionTreeClassifier(), random_state=0, **named).fit(*noise)
        assert abs(model.oob_score_ - 0.5) < 0.1, "labels are noise"
        assert roc_auc_score(noise[1], model.predict_proba(noise[0])[:, 1]) > 0.8, "and learnt by heart"
        assert model.scaling_.slope < 0.5


def test_votes_below_a_thousandth_keep_their_order():
    class Told(DummyClassifier):
        def predict_proba(self, X):
            return np.column_stack([1 - X[:, 0], X[:, 0]])

    X = np.linspace(0.001, 0.999, 3000).reshape(-1, 1)
    model = BalancedSamplingClassifier(Told(), majority_ratio=1, n_estimators=5, random_state=0).fit(X, X[:, 0] > 0.995)
    p = model.predict_proba(X[:200:20])[:, 1]
    assert (np.diff(p) > 0).all()
    assert p[-1] < 1e-3


def test_decisions(rare):
    X, X_test, y, y_test = rare

    def model(decision, **named):
        return BalancedSamplingClassifier(GaussianNB(), decision=decision, n_estimators=5, random_state=0, **named).fit(
            X, y
        )

    base, likely, f1, balanced = map(model, ["base_rate", "most_probable", "f1", "balanced_accuracy"])
    p = base.predict_proba(X_test)[:, 1]
    np.testing.assert_array_equal(base.predict(X_test), p >= y.mean())
    np.testing.assert_array_equal(likely.predict(X_test), p >= 0.5)
    np.testing.assert_array_equal(f1.predict(X_test), p >= f1.threshold_)
    assert balanced.threshold_ < f1.threshold_ < 0.5
    f1.threshold_ = float(p[7])
    assert f1.predict(X_test)[7] == 1, "a row at the threshold has the label"
    assert (base.positive_, base.threshold_, likely.threshold_) == (1, None, None)
    assert balanced_accuracy_score(y_test, base.predict(X_test)) > 0.05 + balanced_accuracy_score(
        y_test, likely.predict(X_test)
    )
    votes = model("base_rate", calibration=None, majority_ratio=1)
    np.testing.assert_array_equal(votes.predict(X_test), votes.predict_proba(X_test)[:, 1] > 0.5)
    flipped = BalancedSamplingClassifier(GaussianNB(), decision="f1", n_estimators=5, random_state=0)
    flipped.fit(X, np.where(y == 1, "a", "b"))
    assert flipped.positive_ == "a"
    np.testing.assert_array_equal(
        flipped.predict(X_test) == "a", flipped.predict_proba(X_test)[:, 0] >= flipped.threshold_
    )


def test_every_class_has_a_row_in_a_bag_however_small_the_ratio():
    codes = np.repeat([0, 1], [20, 3])
    drawn = draw_bags(np.zeros((23, 1)), codes, codes, n_bags=2, majority_ratio=0.1, sampler=None, seed=0)
    assert [sorted(bag.labels.tolist()) for bag in drawn] == [[0, 1]] * 2


def test_of_classes_of_one_size_the_second_is_the_positive_one():
    X, y = make_classification(60, random_state=0)
    y = np.where(np.arange(60) % 2, "b", "a")
    assert BalancedSamplingClassifier(GaussianNB(), n_estimators=3, random_state=0).fit(X, y).positive_ == "b"


def test_more_members_than_one_are_better(rare):
    X, X_test, y, y_test = rare
    one, many = (
        BalancedSamplingClassifier(DecisionTreeClassifier(), n_estimators=n, random_state=0).fit(X, y) for n in (1, 20)
    )
    scores = [average_precision_score(y_test, m.predict_proba(X_test)[:, 1]) for m in (one, many)]
    assert scores[1] > scores[0] + 0.15


def test_mixed_tables_reach_members_as_they_are():
    frame = make_mixed(120)[["number", "colour"]]
    frame["colour"] = frame["colour"].astype("category")
    y = np.where(np.arange(120) % 6 == 0, "rare", "common")
    sampler = BAGANOversampler(n_steps=0)
    model = BalancedSamplingClassifier(Noted(), sampler, n_estimators=3, random_state=0).fit(frame, y)
    for member in model.estimators_:
        assert member.seen_.dtypes.tolist() == frame.dtypes.tolist()
        assert member.seen_.isna().to_numpy().any()
        assert member.asked_[0].columns.tolist() == frame.columns.tolist()
        assert np.mean(np.asarray(member.labels_) == "rare") == pytest.approx(0.5)
    assert model.feature_names_in_.tolist() == ["number", "colour"]
    assert model.train_prior_ == pytest.approx([0.5, 0.5])
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["colour", "number"]])


@pytest.mark.parametrize("kind", ["pandas", "polars", "categories"])
def test_the_default_takes_mixed_tables(kind):
    frame = make_mixed(120)[["number", "colour"]]
    if kind == "categories":
        frame["colour"] = frame["colour"].astype("category")
    table = pl.from_pandas(frame) if kind == "polars" else frame
    y = frame["colour"].isna().to_numpy() | (np.arange(120) % 11 == 0)
    model = BalancedSamplingClassifier(sampler=BAGANOversampler(n_steps=0), n_estimators=2, random_state=0)
    model.fit(table, y)
    assert model.oob_score_ > 0.6
    unknown = frame.assign(colour="never seen")
    unknown = unknown.astype({"colour": frame["colour"].dtype if kind != "categories" else "category"})
    assert model.predict(pl.from_pandas(unknown) if kind == "polars" else unknown).shape == (120,)


def test_containers_seeds_jobs_and_copies(rare):
    X, X_test, y, _ = rare
    X, y = X[:500], y[:500]

    def fitted(X=X, seed=0, **named):
        return BalancedSamplingClassifier(
            DecisionTreeClassifier(max_depth=4), SMOTE(), n_estimators=4, random_state=seed, **named
        ).fit(X, y)

    model = fitted()
    p = model.predict_proba(X_test)
    for other in (fitted(), fitted(n_jobs=2), fitted(X.tolist()), pickle.loads(pickle.dumps(model))):
        np.testing.assert_allclose(other.predict_proba(X_test), p)
    np.testing.assert_allclose(fitted(csr_matrix(X)).predict_proba(csr_matrix(X_test)), p)
    assert not np.allclose(fitted(seed=1).predict_proba(X_test), p)
    assert not hasattr(clone(model), "estimators_")
    shared = BalancedSamplingClassifier(GaussianNB(), BAGANOversampler(n_steps=0), n_estimators=2, random_state=0)
    for table in (X.tolist(), csr_matrix(X)):
        if isinstance(table, list):
            np.testing.assert_allclose(clone(shared).fit(table, y).train_prior_, 0.5)
        else:
            tree = clone(shared).set_params(estimator=DecisionTreeClassifier()).fit(table, y)
            np.testing.assert_allclose(tree.train_prior_, 0.5)


def test_tiny_classes():
    X = np.arange(40.0).reshape(-1, 1)
    model = BalancedSamplingClassifier(GaussianNB(), decision="f1", random_state=0)
    with pytest.warns(UserWarning, match=r"no row of \[np.True_\]|no row of \[True\]"):
        model.fit(X, np.arange(40) == 39)
    assert model.scaling_ is None
    assert model.threshold_ is None
    assert np.isnan(model.oob_score_)
    assert model.predict([[39.0]]) == [True]
    assert model.fit(X, np.arange(40) >= 36).scaling_ is not None


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"estimator": LogisticRegression}, "estimator="),
        ({"sampler": LogisticRegression()}, "sampler=.*fit_resample"),
        ({"n_estimators": 0}, "n_estimators=0"),
        ({"majority_ratio": 0}, "majority_ratio=0"),
        ({"calibration": "isotonic"}, "calibration='isotonic'"),
        ({"decision": "accuracy"}, "decision='accuracy'"),
        ({"max_time": 0}, "max_time=0"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"random_state": -1}, "random_state=-1"),
    ],
)
def test_bad_parameters_are_named(parameters, words):
    model = BalancedSamplingClassifier(**({"estimator": LogisticRegression()} | parameters))
    with pytest.raises(InvalidParameterError, match=words):
        model.fit(np.eye(4), [0, 1, 0, 1])


def test_the_default_member_shows_levels_as_slots_and_takes_gaps():
    frame = pd.DataFrame({"n": [1.0, np.nan] * 20, "flag": [True, False] * 20, "text": ["a", None, "b", "c"] * 10})
    member = default_member(frame)
    member.fit(frame, np.arange(40) % 4 == 0)
    assert member[0].transform(frame).shape == (40, 6)
    assert (
        default_member(frame[["n", "flag"]])
        .fit(frame[["n", "flag"]], frame["flag"])
        .score(frame[["n", "flag"]], frame["flag"])
        == 1
    )
