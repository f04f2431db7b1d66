"""`CostCurveDisplay`: its figures are those of the predictions at each threshold."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.plotting import CostCurveDisplay

COSTS = {("rare", "usual"): 9, ("usual", "rare"): 1}


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    y = np.where(rng.random(400) < 0.1, "rare", "usual")
    return rng.normal(size=(400, 2)) + (y == "rare")[:, None], y


def test_the_curve_is_what_predictions_cost(rows):
    X, y = rows
    model = LogisticRegression().fit(X, y)
    display = CostCurveDisplay.from_estimator(model, X, y, costs=COSTS)
    p = model.predict_proba(X)[:, 0]

    def cost(threshold):
        said = p >= threshold
        return np.mean(9 * ((y == "rare") & ~said) + ((y == "usual") & said))

    assert display.label == "rare"
    assert display.threshold_ == pytest.approx(0.1)
    assert display.cost_ == pytest.approx(cost(0.1))
    np.testing.assert_allclose(display.curve_["cost"], [cost(at) for at in display.curve_["threshold"]])
    assert display.best_cost_ == pytest.approx(display.curve_["cost"].min())
    assert display.constant_cost_ == pytest.approx(min(9 * np.mean(y == "rare"), np.mean(y == "usual")))
    assert display.curve_["cost"].iloc[-1] == pytest.approx(9 * np.mean(y == "rare")), "nothing claimed"
    assert "rare" in display.ax_.get_xlabel()
    display.figure_.canvas.draw()


def test_being_right_may_cost_something(rows):
    X, y = rows
    model = LogisticRegression().fit(X, y)
    display = CostCurveDisplay.from_estimator(model, X, y, costs=COSTS | {("rare", "rare"): 1})
    assert display.threshold_ == pytest.approx(1 / 9)
    assert display.curve_["cost"].iloc[0] == pytest.approx(1.0), "all claimed: each costs 1, right or wrong"


def test_what_does_not_belong_together_is_refused(rows):
    _, y = rows
    p = np.full((400, 2), 0.5)
    for broken, words in (
        ({"classes": ["rare", "usual", "more"]}, "two classes"),
        ({"probabilities": p[:, 0]}, "probabilities"),
        ({"probabilities": p * np.nan}, "finite"),
        ({"y_true": ["rare"] * 400}, "both of classes"),
        ({"classes": ["rare", "common"]}, "both of classes"),
    ):
        given = {"y_true": y, "probabilities": p, "classes": ["rare", "usual"]} | broken
        with pytest.raises(InvalidInputError, match=words):
            CostCurveDisplay.from_predictions(given.pop("y_true"), given.pop("probabilities"), costs=COSTS, **given)
    with pytest.raises(InvalidParameterError, match="costs says nothing"):
        CostCurveDisplay.from_predictions(y, p, classes=["rare", "usual"], costs={("rare", "usual"): 9})
