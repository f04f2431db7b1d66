"""Verdicts of `should_rebalance` on made scores."""

import pytest
from sklearn.naive_bayes import GaussianNB

from tabgan.model_selection.candidates import CALIBRATED, NONE, THRESHOLD, Candidate
from tabgan.model_selection.weighing import weighed


def verdict(tolerance=0.01, scoring=("average_precision",), **scores):
    """The decision on made scores by candidate; label measures from ``NAME_labels``."""
    names = {
        "none": NONE,
        "moved": THRESHOLD,
        "calibrated": CALIBRATED,
        "slower": "learning_rate=0.02",
        "larger": "min_samples_leaf=200",
        "weights": "class weights",
        "smote": "SMOTE",
        "ours": "ours",
    }
    candidates = [Candidate(name, GaussianNB(), is_setting="=" in name) for name in names.values()]
    results = {}
    for key, name in names.items():
        if key in scores:
            plain, tuned = scores.get(f"{key}_labels", (0.5, 0.5))
            results[name] = [
                dict.fromkeys(("average_precision", "roc_auc", "brier"), value)
                | dict.fromkeys(("f1", "g_mean", "balanced_accuracy"), plain)
                | dict.fromkeys(("f1_tuned", "g_mean_tuned", "balanced_accuracy_tuned"), tuned)
                | dict.fromkeys(("f1_threshold", "g_mean_threshold", "balanced_accuracy_threshold"), 0.12)
                | {"seconds": 0.0}
                if value is not None
                else None
                for value in scores[key]
            ]
        else:
            results[name] = [{"error": "ValueError: no"}]
    settings = {
        "scoring": scoring,
        "tolerance": tolerance,
        "test_share": 0.25,
        "positive": 1,
        "rows": 9,
        "n_repeats": 1,
        "cv": 4,
        "classes": {0: 8, 1: 1},
        "costs": None,
        "constant_cost": None,
    }
    del results[THRESHOLD]
    return weighed(candidates, results, settings)


def test_verdicts():
    none = [0.40, 0.50, 0.60, 0.50]
    up = [value + 0.10 for value in none]
    assert verdict(none=none, smote=[value + 0.009 for value in none]).best == NONE, "within the tolerance"
    assert verdict(none=none, smote=[0.6, 0.4, 0.8, 0.42]).best == NONE, "within the standard error"
    clear = verdict(none=none, smote=up, ours=up)
    assert clear.best == "SMOTE", "of equals the simpler"
    said, _, failed = clear.recommendation.partition(" Failed: ")
    assert said == "use SMOTE: average precision from 0.500 to 0.600 (+0.100 ± 0.000)."
    assert failed == "none, calibrated, learning_rate=0.02, min_samples_leaf=200, class weights."
    assert clear.threshold is None
    assert isinstance(clear.estimator, GaussianNB)
    close = verdict(none=none, smote=up, ours=[value + 0.004 for value in up])
    assert close.best == "SMOTE"
    assert " ours is not clearly better than that. Failed: " in close.recommendation
    assert verdict(none=none, smote=up, ours=[value + 0.05 for value in up]).best == "ours"
    assert verdict(none=none, smote=up, ours=[value + 0.008 for value in up]).best == "ours", "half the tolerance"
    uneven = [up[0] + 0.1, up[1] - 0.06, up[2] + 0.1, up[3] - 0.06]
    assert verdict(none=none, smote=up, ours=uneven).best == "ours", "by more than the tolerance, if not surely"
    late = verdict(none=none, smote=[*up[:2], None, None], ours=[*up[:3], None])
    assert late.best == "ours", "two folds are too few to compare"
    assert "2 of 4 folds" in late.table.set_index("candidate").loc["SMOTE", "error"]
    assert "ours (3)" in str(late)
    told = verdict(none=none, calibrated=[value - 0.1 for value in none], scoring=("brier",))
    assert told.best == CALIBRATED
    assert told.recommendation.startswith("keep the table, calibrate the probabilities (PriorCorrectedClassifier): ")
    moved = verdict(none=none, none_labels=(0.6, 0.8), smote=[value - 0.1 for value in none])
    assert moved.best == THRESHOLD
    assert moved.recommendation.startswith("keep the table, move the threshold to 0.12: ")
    assert "balanced accuracy from 0.600 to 0.800" in moved.recommendation
    labels = verdict(none=none, none_labels=(0.6, 0.8), ours=none, ours_labels=(0.804, 0.804), scoring=("f1",))
    assert labels.best == THRESHOLD, "of near equals the simpler"
    failed = verdict(smote=up)
    assert failed.estimator is None
    assert "fails" in failed.recommendation
    lower = verdict(none=none, smote=[value - 0.1 for value in none], scoring=("brier",))
    assert lower.best == "SMOTE", "a lower Brier score is better"
    assert lower.table.set_index("candidate").loc["SMOTE", "brier_difference"] == pytest.approx(-0.1)


def test_other_settings_come_before_new_rows_unless_these_are_surely_better():
    none = [0.40, 0.50, 0.60, 0.50]
    slower, larger = [value + 0.02 for value in none], [value + 0.05 for value in none]
    chance = [0.10, -0.02, 0.10, -0.02]  # .04 on average, with a standard error of .05
    unsure = [value + more for value, more in zip(larger, chance, strict=True)]
    found = verdict(none=none, slower=slower, larger=larger, smote=unsure)
    assert found.best == "min_samples_leaf=200"
    assert found.recommendation.startswith("keep the table, set min_samples_leaf=200: ")
    assert " SMOTE is not clearly better than that. Failed: " in found.recommendation
    assert verdict(none=none, larger=larger, smote=[value + 0.04 for value in larger]).best == "SMOTE", "surely better"
    assert verdict(none=none, larger=larger, smote=[value + 0.009 for value in larger]).best == "min_samples_leaf=200"
    assert verdict(none=none, larger=[0.6, 0.4, 0.8, 0.42], smote=unsure).best == "SMOTE", "settings that gain nothing"
    assert verdict(none=none, weights=larger, smote=unsure).best == "SMOTE", "weights are no settings"
    assert verdict(none=none, slower=[value - 0.004 for value in larger], larger=larger, smote=unsure).best == (
        "learning_rate=0.02"
    ), "of settings that are close the simpler"
    assert verdict(none=none, calibrated=larger, smote=unsure).best == CALIBRATED
