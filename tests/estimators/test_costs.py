"""Costs of errors: what is refused, Elkan's threshold, decisions of least expected cost, and the classifier that takes them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from tabgan import PriorCorrectedClassifier, should_rebalance
from tabgan.estimators.costs import constant_cost, cost_threshold, least_costly, read_costs
from tabgan.exceptions import InvalidParameterError
from tabgan.metrics.classification import best_threshold, expected_cost
from tabgan.model_selection.scaling import fit_scaling

CLASSES = np.array(["fine", "fraud"])
COSTS = {("fraud", "fine"): 20, ("fine", "fraud"): 1}


def test_costs_have_one_meaning_in_every_form():
    expected = [[0.0, 1.0], [20.0, 0.0]]
    frame = pd.DataFrame([[0, 20], [1, 0]], index=["fraud", "fine"], columns=["fraud", "fine"])
    for costs in (COSTS, expected, np.array(expected), pd.DataFrame(expected, index=CLASSES, columns=CLASSES), frame):
        np.testing.assert_array_equal(read_costs(costs, CLASSES), expected)
    right = read_costs(COSTS | {("fraud", "fraud"): 0.5}, CLASSES)
    assert right.tolist() == [[0, 1], [20, 0.5]]


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({("fraud", "fine"): -1, ("fine", "fraud"): 1}, r"costs has -1 for \('fraud', 'fine'\).*>= 0"),
        ({("fraud", "fine"): np.nan, ("fine", "fraud"): 1}, r"costs has nan for \('fraud', 'fine'\).*finite"),
        ({("fraud", "fine"): np.inf, ("fine", "fraud"): 1}, r"costs has inf.*finite"),
        ({("fraud", "fine"): 10**400, ("fine", "fraud"): 1}, r"costs has 1000.*finite"),
        ({("fraud", "fine"): "2", ("fine", "fraud"): 1}, r"costs has '2'"),
        ({("fraud", "fine"): True, ("fine", "fraud"): 1}, r"costs has True"),
        (
            {("fraud", "nice"): 2, ("fine", "fraud"): 1},
            r"costs names the class 'nice'; y has the classes 'fine', 'fraud'",
        ),
        ({("fraud", "fine"): 2}, r"costs says nothing of \('fine', 'fraud'\)"),
        ({"fraud": 2}, r"costs=.*\(true class, predicted class\)"),
        ({}, "costs="),
        ("costs", "costs="),
        ([1, 2], "costs="),
        ([[0, 1, 2], [1, 0, 2]], "costs="),
        ([["a", "b"], ["c", "d"]], "costs="),
        (np.zeros((3, 3)), r"costs has shape \(3, 3\).*\(2, 2\)"),
        ([[0, -1], [1, 0]], r"costs has .*-1.* for \('fine', 'fraud'\)"),
        (
            COSTS | {("fraud", "fraud"): 20},
            r"costs has 20 for \('fraud', 'fraud'\), which is right, and 20 for \('fraud', 'fine'\)",
        ),
        ([[0, 0], [1, 0]], r"costs has 0 for \('fine', 'fine'\).*must cost more"),
        (pd.DataFrame([[0, 1], [1, 0]], index=["fine", "fine"], columns=CLASSES), "costs names a class twice"),
        (pd.DataFrame([[0, 1], [1, 0]]), "costs names the class 0"),
    ],
)
def test_bad_costs_are_refused_by_name_before_anything_is_trained(costs, words):
    class Untouched(LogisticRegression):
        def fit(self, X, y):
            raise AssertionError("trained")

    X, y = np.zeros((20, 2)), np.repeat(CLASSES, 10)
    with pytest.raises(InvalidParameterError, match=words):
        PriorCorrectedClassifier(Untouched(), costs=costs).fit(X, y)
    with pytest.raises(InvalidParameterError, match=words):
        should_rebalance(X, y, Untouched(), samplers=[], costs=costs)


def test_the_threshold_is_where_both_decisions_cost_the_same():
    costs = np.array([[0.5, 3.0], [40.0, 2.0]])
    for event in (0, 1):
        p = np.empty(2)
        p[event] = cost_threshold(costs, event)
        p[1 - event] = 1 - p[event]
        one, other = p @ costs
        assert one == pytest.approx(other)
        assert 0 < p[event] < 1
    assert cost_threshold(np.array([[0.0, 1.0], [99.0, 0.0]]), 1) == pytest.approx(0.01)


def test_the_class_of_least_expected_cost_is_predicted():
    rng = np.random.default_rng(0)
    p, costs = rng.dirichlet(np.ones(3), size=50), rng.uniform(1, 9, size=(3, 3)) * (1 - np.eye(3))
    by_hand = [min(range(3), key=lambda j: sum(row[i] * costs[i, j] for i in range(3))) for row in p]
    assert least_costly(p, costs).tolist() == by_hand
    assert by_hand != p.argmax(axis=1).tolist()
    assert expected_cost(np.array([0, 1, 2]), np.array([1, 1, 0]), costs) == pytest.approx(
        (costs[0, 1] + costs[2, 0]) / 3
    )
    assert constant_cost(np.array([9, 1]), np.array([[0.0, 1.0], [20.0, 0.0]])) == pytest.approx(0.9)


def test_the_threshold_tuned_for_costs_is_the_cheapest_there_is():
    rng = np.random.default_rng(1)
    event = rng.random(300) < 0.2
    score = rng.normal(size=300).round(1) + event
    for miss, alarm in ((20.0, 1.0), (1.0, 1.0), (0.2, 3.0)):
        threshold = best_threshold(event, score, "expected_cost", miss=miss, alarm=alarm)

        def cost(at, miss=miss, alarm=alarm):
            return miss * np.sum(event & (score < at)) + alarm * np.sum(~event & (score >= at))

        assert cost(threshold) == min(cost(at) for at in [*np.unique(score), np.inf])
    assert best_threshold(np.array([True, False]), np.array([0.1, 0.9]), "expected_cost", miss=1, alarm=5) > 0.9


def test_a_classifier_decides_by_costs():
    X, y = make_classification(3000, n_informative=4, weights=[0.9], class_sep=0.7, random_state=0)
    labels = CLASSES[y]
    model = PriorCorrectedClassifier(LogisticRegression(), costs=COSTS, random_state=0).fit(X[:2000], labels[:2000])
    assert model.threshold_ == pytest.approx(1 / 21)
    np.testing.assert_array_equal(model.costs_, [[0, 1], [20, 0]])
    assert clone(model).costs == COSTS
    p = model.predict_proba(X[2000:])
    np.testing.assert_array_equal(model.predict(X[2000:]) == "fraud", p[:, 1] >= 1 / 21)
    plain = LogisticRegression().fit(X[:2000], y[:2000]).predict(X[2000:])
    ours = (model.predict(X[2000:]) == "fraud").astype(int)
    assert expected_cost(y[2000:], ours, model.costs_) < 0.8 * expected_cost(y[2000:], plain, model.costs_)


def test_of_more_classes_too():
    X, y = make_classification(1500, n_informative=4, n_classes=3, weights=[0.8, 0.15], class_sep=0.7, random_state=0)
    costs = np.array([[0, 1, 1], [5, 0, 3], [30, 20, 0]])
    model = PriorCorrectedClassifier(LogisticRegression(), costs=costs, random_state=0).fit(X, y)
    assert model.threshold_ is None
    np.testing.assert_array_equal(model.predict(X), (model.predict_proba(X) @ costs).argmin(axis=1))
    plain = LogisticRegression().fit(X, y).predict(X)
    assert expected_cost(y, model.predict(X), costs) < expected_cost(y, plain, costs)


def test_scaling_keeps_the_order_of_rows_where_classes_are_very_rare():
    rng = np.random.default_rng(0)
    y = (rng.random(60_000) < 0.001).astype(int)
    p = 1 / (1 + np.exp(-(rng.normal(size=60_000) + 2 * y - 9.5)))
    assert np.mean(p < 1e-3) > 0.9
    scaled = fit_scaling(np.column_stack([1 - p, p]), y).applied(np.column_stack([1 - p, p]))[:, 1]
    assert average_precision_score(y, scaled) == pytest.approx(average_precision_score(y, p), rel=0.01)
    assert scaled.mean() == pytest.approx(y.mean(), rel=0.1)
