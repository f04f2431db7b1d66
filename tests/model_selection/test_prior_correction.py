"""Prior correction and the classifier around it: closed forms, scikit-learn's checks, and probabilities that got better."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from scipy.sparse import csr_matrix
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, f1_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.classification import best_threshold, label_scores, probability_scores
from tabgan.model_selection.prior_correction import PriorCorrectedClassifier, correct_prior

# Check name -> why it cannot pass. Strict: a check that starts to pass must leave this list.
BY_DESIGN = {"check_classifiers_train": "asks for the most probable class, where a threshold was tuned to give another"}
RANDOM = {
    "check_sample_weight_equivalence_on_dense_data": "repeated rows fall into other folds, and are resampled otherwise"
}


@parametrize_with_checks(
    [
        PriorCorrectedClassifier(GaussianNB(), RandomOverSampler(), tune_threshold=None, random_state=0),
        PriorCorrectedClassifier(GaussianNB(), RandomOverSampler(), cv=2, random_state=0),
        PriorCorrectedClassifier(
            GaussianNB(), RandomOverSampler(), method="prior", tune_threshold=None, random_state=0
        ),
    ],
    expected_failed_checks=lambda estimator: RANDOM | (BY_DESIGN if estimator.tune_threshold else {}),
)
def test_sklearn_checks(estimator, check):
    check(estimator)


def test_correction_is_bayes_rule():
    # Two normal classes: the posterior under one prior, moved, is the posterior under the other.
    x = np.linspace(-3, 3, 50)
    density = np.column_stack([np.exp(-((x + 1) ** 2) / 2), np.exp(-(x**2) / 2), np.exp(-((x - 1) ** 2) / 2)])

    def posterior(prior):
        joint = density * prior
        return joint / joint.sum(axis=1, keepdims=True)

    before, after = np.array([0.2, 0.3, 0.5]), np.array([0.9, 0.08, 0.02])
    np.testing.assert_allclose(correct_prior(posterior(before), before, after), posterior(after), rtol=1e-12)
    np.testing.assert_allclose(correct_prior([0.5], [50, 50], [99, 1]), [0.01])
    assert correct_prior([[1.0, 0.0]], [1, 1], [0, 1]).tolist() == [[0.0, 1.0]]


@given(
    hnp.arrays(float, (5, 3), elements=st.floats(1e-3, 1)),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
)
def test_correction_sums_to_one_and_goes_back(weights, first, second):
    p = weights / weights.sum(axis=1, keepdims=True)
    moved = correct_prior(p, first, second)
    np.testing.assert_allclose(moved.sum(axis=1), 1)
    np.testing.assert_allclose(correct_prior(moved, second, first), p, rtol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0.5, 0.5]], [1, 0], [1, 1]), "train_prior.*> 0"),
        (([[0.5, 0.5]], [1, 1], [1, -1]), "target_prior.*>= 0"),
        (([[0.5, 0.5]], [1, 1, 1], [1, 1]), "train_prior.*2 shares"),
        (([[np.nan, 0.5]], [1, 1], [1, 1]), "non-finite"),
        (([1.5], [1, 1], [1, 1]), "above 1"),
        (([[[0.5]]], [1, 1], [1, 1]), "shape"),
    ],
)
def test_bad_priors_and_probabilities_are_named(arguments, words):
    with pytest.raises((InvalidParameterError, InvalidInputError), match=words):
        correct_prior(*arguments)


@pytest.fixture(scope="module")
def rare():
    X, y = make_classification(4000, 8, n_informative=4, weights=[0.95], flip_y=0.02, class_sep=0.8, random_state=1)
    return train_test_split(X, y, stratify=y, random_state=0)


@pytest.mark.parametrize(
    "sampler", [RandomOverSampler(), SMOTE(), RandomUnderSampler()], ids=lambda s: type(s).__name__
)
@pytest.mark.parametrize("method", ["prior", "sigmoid"])
def test_correction_repairs_the_brier_score(rare, sampler, method):
    X, X_test, y, y_test = rare
    model = PriorCorrectedClassifier(LogisticRegression(), sampler, method=method, random_state=0).fit(X, y)
    raw = brier_score_loss(y_test, model.estimator_.predict_proba(X_test)[:, 1])
    repaired = brier_score_loss(y_test, model.predict_proba(X_test)[:, 1])
    alone = brier_score_loss(y_test, LogisticRegression().fit(X, y).predict_proba(X_test)[:, 1])
    assert raw > 2 * alone, "resampling must have spoilt it for this test to say anything"
    assert repaired < 0.6 * raw
    assert repaired < 1.15 * alone
    np.testing.assert_allclose(model.predict_proba(X_test).sum(axis=1), 1)


def test_threshold_is_tuned_for_its_measure(rare):
    X, X_test, y, y_test = rare
    plain = PriorCorrectedClassifier(LogisticRegression(), method="prior", tune_threshold=None).fit(X, y)
    assert plain.threshold_ is None
    assert plain.scaling_ is None
    np.testing.assert_array_equal(plain.predict(X_test), LogisticRegression().fit(X, y).predict(X_test))
    np.testing.assert_allclose(plain.predict_proba(X_test), LogisticRegression().fit(X, y).predict_proba(X_test))
    for_f1 = PriorCorrectedClassifier(LogisticRegression(), tune_threshold="f1", random_state=0).fit(X, y)
    balanced = PriorCorrectedClassifier(LogisticRegression(), random_state=0).fit(X, y)
    assert 0 < balanced.threshold_ < for_f1.threshold_ < 0.5
    assert f1_score(y_test, for_f1.predict(X_test)) > f1_score(y_test, plain.predict(X_test))
    recall = label_scores(y_test, balanced.predict(X_test), 2)["balanced_accuracy"]
    assert recall > label_scores(y_test, plain.predict(X_test), 2)["balanced_accuracy"] + 0.1


@pytest.mark.parametrize(
    "estimator", [KNeighborsClassifier(5), DecisionTreeClassifier(random_state=0)], ids=["5-NN", "tree"]
)
def test_what_a_classifier_distorts_itself_is_mended_too(rare, estimator):
    X, X_test, y, y_test = rare

    def brier(model):
        return brier_score_loss(y_test, model.fit(X, y).predict_proba(X_test)[:, 1])

    alone = brier(estimator)
    corrected, scaled = (
        brier(PriorCorrectedClassifier(estimator, SMOTE(), method=method, random_state=0))
        for method in ("prior", "sigmoid")
    )
    assert corrected > 1.1 * alone, "the class shares are not all that resampling changed"
    assert scaled - alone < 0.6 * (corrected - alone)


def test_scaling_keeps_the_order_and_the_shares(rare):
    X, X_test, y, _ = rare
    sampler = SMOTE(random_state=0)
    corrected, scaled = (
        PriorCorrectedClassifier(GaussianNB(), sampler, method=method, random_state=0).fit(X, y)
        for method in ("prior", "sigmoid")
    )
    before, after = (model.predict_proba(X_test)[:, 1] for model in (corrected, scaled))
    assert (np.diff(after[np.argsort(before)]) >= -1e-12).all()
    assert after.mean() == pytest.approx(y.mean(), abs=0.02)
    assert scaled.scaling_.slope < 0.9, "naive Bayes is too sure of itself"


def test_labels_containers_and_seeds(rare):
    X, X_test, y, _ = rare
    X, y = X[:600], y[:600]
    names = [f"c{k}" for k in range(8)]

    def make(seed=0):
        tree = DecisionTreeClassifier(max_depth=4)
        return PriorCorrectedClassifier(tree, RandomOverSampler(), cv=3, random_state=seed)

    numbers = make().fit(X, y)
    flipped = make().fit(pd.DataFrame(X, columns=names), np.where(y == 1, "a rare one", "usual"))
    assert flipped.classes_.tolist() == ["a rare one", "usual"]
    assert flipped.positive_ == "a rare one"
    assert (flipped.predict(pd.DataFrame(X_test, columns=names)) == "a rare one").mean() > 0
    sparse = make().fit(csr_matrix(X), y)
    np.testing.assert_allclose(sparse.predict_proba(csr_matrix(X_test)), numbers.predict_proba(X_test))
    plain = PriorCorrectedClassifier(LogisticRegression()).fit(pl.DataFrame(X, schema=names), y)
    assert plain.feature_names_in_.tolist() == names
    np.testing.assert_array_equal(numbers.predict_proba(X_test), make().fit(X, y).predict_proba(X_test))
    assert (numbers.predict_proba(X_test) != make(1).fit(X, y).predict_proba(X_test)).any()


def test_more_classes_are_corrected():
    X, y = make_classification(3000, n_informative=4, n_classes=3, weights=[0.85, 0.1], random_state=0)
    model = PriorCorrectedClassifier(LogisticRegression(), RandomOverSampler(), random_state=0).fit(X, y)
    np.testing.assert_allclose(model.train_prior_, 1 / 3)
    np.testing.assert_allclose(model.predict_proba(X).mean(axis=0), model.prior_, atol=0.03)
    assert model.threshold_ is None
    assert model.positive_ is None
    truth = np.eye(3)[y]
    assert ((model.predict_proba(X) - truth) ** 2).sum() < 0.8 * (
        (model.estimator_.predict_proba(X) - truth) ** 2
    ).sum()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"estimator": "logistic"}, "estimator='logistic'"),
        ({"sampler": LogisticRegression()}, "sampler=.*fit_resample"),
        ({"method": "isotonic"}, "method='isotonic'"),
        ({"tune_threshold": "accuracy"}, "tune_threshold='accuracy'"),
        ({"cv": 1}, "cv=1"),
        ({"random_state": -1}, "random_state=-1"),
    ],
)
def test_bad_parameters_are_named(parameters, words):
    model = PriorCorrectedClassifier(**({"estimator": LogisticRegression()} | parameters))
    with pytest.raises(InvalidParameterError, match=words):
        model.fit(np.eye(4), [0, 1, 0, 1])


def test_tiny_classes():
    X = np.arange(20.0).reshape(-1, 1)
    model = PriorCorrectedClassifier(LogisticRegression())
    with pytest.warns(UserWarning, match="one row"):
        assert model.fit(X, np.arange(20) == 19).threshold_ is None
    assert model.scaling_ is None
    assert 0 < model.fit(X, np.arange(20) >= 17).threshold_ < 1
    with pytest.raises(InvalidInputError, match="one class"):
        model.fit(X, np.zeros(20))


def test_scores_by_hand():
    y, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 0])
    found = label_scores(y, predicted, 2)
    assert found == pytest.approx({"f1": 0.5, "g_mean": np.sqrt(0.75 * 0.5), "balanced_accuracy": 0.625, "mcc": 0.25})
    assert label_scores(y, predicted, 2, positive=0)["f1"] == pytest.approx(0.75)
    p = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.4])
    found = probability_scores(y, np.column_stack([1 - p, p]))
    assert found["roc_auc"] == pytest.approx(7 / 8)
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["brier"] == pytest.approx(((p - y) ** 2).mean())
    assert np.isnan(probability_scores(y, np.column_stack([-p, p]), calibrated=False)["brier"])
    assert np.isnan(probability_scores(np.zeros(3, int), np.eye(2)[[0, 0, 1]])["roc_auc"])


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=40).filter(
        lambda rows: 0 < sum(event for event, _ in rows) < len(rows)
    ),
    st.sampled_from(["f1", "g_mean", "balanced_accuracy", "mcc"]),
)
def test_no_threshold_is_better_than_the_best(rows, measure):
    event, score = np.array([e for e, _ in rows]), np.array([s / 8 for _, s in rows])

    def worth(threshold):
        return label_scores(event.astype(int), (score >= threshold).astype(int), 2)[measure]

    best = worth(best_threshold(event, score, measure))
    assert best >= max(worth(t) for t in np.linspace(0, 1, 17)) - 1e-12
