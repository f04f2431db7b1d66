"""`CostCurveDisplay`: what a classifier's errors cost at every threshold, and at the one that costs call for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from tabgan.estimators.costs import constant_cost, cost_threshold, read_costs
from tabgan.exceptions import InvalidInputError
from tabgan.metrics.classification import EXPECTED_COST, best_threshold
from tabgan.plotting.canvas import GREY, MAIN, OTHER, label
from tabgan.plotting.display import AxesDisplay
from tabgan.plotting.views import check_has, floats_of
from tabgan.wording import figures

__all__ = ["CostCurveDisplay"]

_LEAST = 1e-6
_LOGARITHMIC_BELOW = 0.1
_MOST_POINTS = 2000


class CostCurveDisplay(AxesDisplay):
    """Expected cost per row of a classifier of two classes, against the threshold on the probability of the rarer one.

    The solid line marks the threshold that costs call for if probabilities are right (Elkan 2001). Where the curve is clearly lower
    elsewhere, they are not: calibrate them with `tabgan.PriorCorrectedClassifier`. Dashed is the best prediction that is the same for
    all rows; a classifier above it is worth nothing at these costs.

    Parameters
    ----------
    label : object
        The class whose probability has the threshold.
    truth : ndarray of bool of shape (n_rows,)
        Which of the held-out rows are of that class.
    probability : ndarray of float of shape (n_rows,)
        Of that class.
    costs : ndarray of float of shape (2, 2)
        True class by predicted class, that class second.

    Attributes
    ----------
    curve_ : pandas.DataFrame
        ``threshold`` and ``cost`` per row, a row per distinct probability and one above all.
    threshold_ : float
        What the costs call for.
    cost_ : float
        Cost per row there.
    best_threshold_, best_cost_ : float
        Where these rows cost least; chosen on them, so a little flattered.
    constant_cost_ : float
        Cost per row of the best prediction that is the same for all rows.
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    Examples
    --------
    >>> display = CostCurveDisplay.from_predictions(
    ...     ["a", "a", "a", "b"],
    ...     [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]],
    ...     classes=["a", "b"],
    ...     costs={("b", "a"): 3, ("a", "b"): 1},
    ... )
    >>> display.threshold_, display.cost_
    (0.25, 0.25)
    """

    def __init__(self, *, label: Any, truth: np.ndarray, probability: np.ndarray, costs: np.ndarray) -> None:
        self.label = label
        self.truth = truth
        self.probability = probability
        self.costs = costs
        self.threshold_ = cost_threshold(costs, 1)
        extra = {"miss": float(costs[1, 0] - costs[1, 1]), "alarm": float(costs[0, 1] - costs[0, 0])}
        self.best_threshold_ = best_threshold(truth, probability, EXPECTED_COST, **extra)
        levels = np.unique(probability)
        thresholds = np.append(levels, np.nextafter(levels[-1], np.inf))
        self.curve_ = pd.DataFrame({"threshold": thresholds, "cost": self._cost_at(thresholds)})
        self.cost_, self.best_cost_ = self._cost_at(np.array([self.threshold_, self.best_threshold_])).tolist()
        self.constant_cost_ = constant_cost(np.bincount(truth.astype(int), minlength=2), costs)

    def _cost_at(self, thresholds: np.ndarray) -> np.ndarray:
        parts = []
        for true in (False, True):
            ranked = np.sort(self.probability[self.truth == true])
            missed = np.searchsorted(ranked, thresholds)
            parts.append(missed * self.costs[int(true), 0] + (len(ranked) - missed) * self.costs[int(true), 1])
        return (parts[0] + parts[1]) / len(self.truth)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, costs: Any, ax: Any = None) -> CostCurveDisplay:
        """Draw the costs of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier
            With ``predict_proba`` and two classes.
        X : table of shape (n_samples, n_features)
            Rows that it was not fitted on.
        y : array-like of shape (n_samples,)
            Their classes.
        costs : dict, DataFrame or array-like of shape (2, 2)
            By (true class, predicted class); see `tabgan.estimators.costs.read_costs`.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        CostCurveDisplay
        """
        check_has("estimator", estimator, "predict_proba", "a fitted classifier")
        check_is_fitted(estimator)
        return cls.from_predictions(y, estimator.predict_proba(X), classes=estimator.classes_, costs=costs, ax=ax)

    @classmethod
    def from_predictions(
        cls, y_true: Any, probabilities: Any, *, classes: Any, costs: Any, ax: Any = None
    ) -> CostCurveDisplay:
        """Draw the costs of any probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            Classes, both of them.
        probabilities : array-like of shape (n_rows, 2)
            ``predict_proba`` of rows that the classifier was not fitted on.
        classes : array-like of shape (2,)
            ``classes_`` of the classifier.
        costs : dict, DataFrame or array-like of shape (2, 2)
            By (true class, predicted class); see `tabgan.estimators.costs.read_costs`.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        CostCurveDisplay

        Raises
        ------
        InvalidInputError
            The arrays do not belong together, or there are not two classes, both with rows.
        InvalidParameterError
            ``costs`` make no sense for these classes.
        """
        truth, classes = np.asarray(y_true), np.asarray(classes)
        p = floats_of("probabilities", probabilities)
        if classes.shape != (2,):
            raise InvalidInputError(
                f"classes={classes.tolist()!r}: a threshold, and so a cost curve, is for two classes."
            )
        if truth.ndim != 1 or p.shape != (len(truth), 2) or not np.isfinite(p).all():
            raise InvalidInputError(
                f"probabilities {p.shape} must be finite and of shape {(len(truth), 2)}: a row per y_true, a column per class."
            )
        counts = [int(np.sum(truth == one)) for one in classes.tolist()]
        if sum(counts) < len(truth) or not all(counts):
            raise InvalidInputError(f"y_true must hold both of classes={classes.tolist()!r} and nothing else.")
        matrix = read_costs(costs, classes)
        event = int(counts[1] <= counts[0])
        order = [1 - event, event]
        name = classes.tolist()[event]
        display = cls(label=name, truth=truth == name, probability=p[:, event], costs=matrix[np.ix_(order, order)])
        return display.plot(ax)

    def _size(self) -> tuple[float, float]:
        return 5.6, 4.0

    def _draw(self, alone: bool) -> None:
        steps = np.unique(np.linspace(0, len(self.curve_) - 1, min(len(self.curve_), _MOST_POINTS)).round().astype(int))
        shown = self.curve_.iloc[steps]
        x = shown["threshold"].to_numpy()
        self.ax_.plot(np.maximum(x, _LEAST), shown["cost"], color=MAIN, drawstyle="steps-pre", label="at the threshold")
        self.ax_.axhline(
            self.constant_cost_, color=GREY, linewidth=1, linestyle="--", label="the same prediction for all rows"
        )
        self.ax_.axvline(
            self.threshold_,
            color=OTHER,
            linewidth=1.2,
            label=f"called for by the costs: {figures(self.threshold_)}",
        )
        self.ax_.plot([max(self.best_threshold_, _LEAST)], [self.best_cost_], "o", color=MAIN, markersize=5)
        if self.threshold_ < _LOGARITHMIC_BELOW:
            self.ax_.set_xscale("log")
        top = max(self.constant_cost_, self.cost_, self.best_cost_)
        self.ax_.set_ylim(0, 1.6 * top)
        self.ax_.set_xlabel(f"threshold on the probability of {label(self.label)}")
        self.ax_.set_ylabel("expected cost per row")
        self.ax_.set_title(
            f"{figures(self.cost_)} per row at the threshold of the costs,\n{figures(self.best_cost_)} at "
            f"{figures(self.best_threshold_)}, the best on these {len(self.truth):,} rows",
            fontsize=9,
        )
        self.ax_.legend(fontsize=7, frameon=False)
