"""What cross-validations share: the corrected error, the quantile asked for, and probabilities in order."""

import numpy as np
import pytest
from scipy.stats import t as student_t
from sklearn.naive_bayes import GaussianNB

from tabgan.estimators.cross_validation import aligned_probabilities, corrected_mean, errors_needed, fold_scores


def test_the_error_is_nadeau_and_bengios():
    values = np.array([0.1, 0.3, np.nan, 0.2])
    mean, error = corrected_mean(values, 0.25)
    assert mean == pytest.approx(0.2)
    assert error == pytest.approx(0.1 * np.sqrt(1 / 3 + 0.25))
    assert np.isnan(corrected_mean(np.array([0.4]), 0.5)[1])
    assert np.isnan(corrected_mean(np.array([np.nan]), 0.5)).all()


def test_the_corrected_mean_keeps_its_level_under_overlap():
    rng, rho, n = np.random.default_rng(0), 1 / 3, 12
    opened = 0
    for _ in range(4000):
        folds = np.sqrt(rho) * rng.normal() + np.sqrt(1 - rho) * rng.normal(size=n)
        mean, error = corrected_mean(folds, rho / (1 - rho))
        opened += mean > errors_needed(0.05, 1, n) * error
    assert opened / 4000 == pytest.approx(0.05, abs=0.012)


def test_more_candidates_and_fewer_folds_ask_for_more():
    assert errors_needed(0.05, 1, 10_000) == pytest.approx(1.645, abs=0.001)
    assert errors_needed(0.01, 4, 18) == pytest.approx(student_t.ppf(0.9975, 17))
    assert errors_needed(0.01, 4, 18) > errors_needed(0.01, 1, 18)
    assert errors_needed(0.01, 4, 3) > errors_needed(0.01, 4, 18)


def test_classes_a_model_never_saw_have_no_probability():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.repeat(["b", "d"], 20)
    model = GaussianNB().fit(X, y)
    p = aligned_probabilities(model, X, np.array(["a", "b", "c", "d"]))
    np.testing.assert_array_equal(p[:, [1, 3]], model.predict_proba(X))
    assert not p[:, [0, 2]].any()


def test_a_fold_has_every_measure():
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    found = fold_scores(np.array([0, 1, 0, 1]), p, p.argmax(1), positive=1)
    assert found["f1"] == found["roc_auc"] == found["balanced_accuracy"] == 1
    assert found["brier"] == pytest.approx(np.mean([0.01, 0.04, 0.16, 0.09]))
    assert np.isnan(fold_scores(np.array([0, 1]), p[:2], p[:2].argmax(1), positive=1, calibrated=False)["brier"])
