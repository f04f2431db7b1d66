"""`DecisionDisplay`: its figures are those of the probabilities it was given, and no held-out row is ever learnt from."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from tabgan import BAGANOversampler
from tabgan.exceptions import InvalidInputError
from tabgan.plotting import DecisionDisplay
from tabgan.plotting import decision as decision_module
from tabgan.plotting.decision import decision_of
from tabgan.plotting.hidden import rows_of
from tabgan.sampling import fit as gate_module
from tabgan.sampling.gate import GateDecision

TRUTH = np.array(["a", "a", "b", "b", "b", "b"])
BEFORE = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
AFTER = np.array([[0.95, 0.05], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3], [0.45, 0.55], [0.4, 0.6]])


def test_measures_are_those_of_the_predictions():
    display = DecisionDisplay.from_predictions(TRUTH, BEFORE, AFTER, classes=["a", "b"])
    assert display.label == "a"
    assert display.n_changed_ == 2
    expected = pd.DataFrame(
        {"without": [0.5, 1.0, 1.0, 0.75], "with": [1.0, 0.75, 2 / 3, 0.875]},
        index=["recall of a", "recall of b", "precision of a", "balanced accuracy"],
    )
    pd.testing.assert_frame_equal(display.measures_, expected)
    points = display.axes_[0].collections[1].get_offsets()
    np.testing.assert_allclose(points, np.stack([BEFORE[:2, 0], AFTER[:2, 0]], axis=1))
    said = " ".join(display.figure_.get_suptitle().split())
    assert "6 held-out rows: 2 predictions change" in said
    assert "0.35 without synthetic rows" in said
    assert "0.55 with them; true share 0.33" in said


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_gate_that_has_decided_is_not_asked_again(share, monkeypatch):
    """It costs more than everything else; its share of the synthetic rows is what the user gets."""
    rows = np.random.default_rng(0).normal(size=(120, 2))
    y = np.repeat([0, 1], [80, 40])
    sampler = BAGANOversampler(gate="f1", n_steps=0, random_state=0)
    sampler.gate_ = GateDecision("f1", share, "", pd.DataFrame())
    seen = []
    monkeypatch.setattr(gate_module, "decide", lambda *_: pytest.fail("asked again"))
    monkeypatch.setattr(decision_module, "rows_of", lambda X, kept: seen.append(kept) or rows_of(X, kept))
    decision_of(sampler, rows, y, random_state=0)
    kept = next(one for one in seen if len(one) > 90)
    assert len(kept) == 90 + round(30 * share)
    assert (kept[:90] == np.arange(90)).all()


def test_another_class_can_be_drawn_and_hostile_names_are_words():
    names = np.array(["$x_{$", "<b>\n"])
    display = DecisionDisplay.from_predictions(
        names[(TRUTH == "b").astype(int)], BEFORE, AFTER, classes=names, label="<b>\n"
    )
    display.figure_.canvas.draw()
    assert display.measures_.index[0] == "recall of <b>\n"
    assert r"\$x" in display.axes_[1].get_yticklabels()[1].get_text()


class Watching(DummyClassifier):
    """Keeps what it was fitted on and asked for."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y):
        Watching.seen.append(("fit", set(X["row"])))
        return super().fit(X, y)

    def predict_proba(self, X):
        Watching.seen.append(("ask", set(X["row"])))
        return super().predict_proba(X)


def test_held_out_rows_are_never_learnt_from():
    Watching.seen = []
    X = pd.DataFrame({"row": np.arange(80.0)})
    y = np.where(np.arange(80) % 4 == 0, "rare", "often")
    sampler = RandomOverSampler(random_state=0)
    display = DecisionDisplay.from_estimator(sampler, X, y, classifier=Watching(strategy="prior"), random_state=1)
    (_, learnt), (_, asked), (_, learnt_more), (_, asked_again) = Watching.seen
    assert len(learnt) == 60
    assert asked == asked_again
    assert len(asked) == 20
    assert not learnt & asked
    assert not learnt_more & asked
    assert not hasattr(sampler, "sample_indices_")  # a clone was fitted
    # A classifier of priors alone: a quarter without synthetic rows, a half with them.
    np.testing.assert_allclose(display.before[:, 1], 0.25)
    np.testing.assert_allclose(display.after[:, 1], 0.5)


def test_a_mixed_table_with_gaps_needs_no_classifier(gappy, sampler):
    target = np.where(np.arange(120) % 4 == 0, "rare $", "common")
    display = DecisionDisplay.from_estimator(sampler, gappy, target, max_rows=100)
    assert len(display.truth) == 25
    assert display.before.shape == display.after.shape == (25, 2)
    # Synthetic rows of the rare class make it likelier for nearly all rows.
    assert display.after[:, 1].mean() > display.before[:, 1].mean()


def test_bad_input_is_named(gappy, sampler):
    with pytest.raises(InvalidInputError, match=r"must both have shape \(6, 2\)"):
        DecisionDisplay.from_predictions(TRUTH, BEFORE[:5], AFTER, classes=["a", "b"])
    with pytest.raises(InvalidInputError, match="label='c'"):
        DecisionDisplay.from_predictions(TRUTH, BEFORE, AFTER, classes=["a", "b"], label="c")
    with pytest.raises(InvalidInputError, match="class 'one' has 1 of 120 rows"):
        DecisionDisplay.from_estimator(sampler, gappy, ["one"] + ["many"] * 119, classifier=LogisticRegression())
