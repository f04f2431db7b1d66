"""`PoolingDisplay`: pooled estimates and their intervals by the number of draws, to see whether there are enough."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabgan.inference.number_of_draws import monte_carlo_error, n_draws_needed, pool_by_number_of_draws
from tabgan.inference.pooling import PooledEstimates
from tabgan.plotting.canvas import MAIN, OTHER, label, shown_note
from tabgan.plotting.display import PanelDisplay, legend_above
from tabgan.plotting.views import CompletedView, check_count, check_has, draws_by, draws_view, is_number

__all__ = ["PooledTrace", "PoolingDisplay"]

_MOST_MONTE_CARLO = 0.1
"""Of the standard error: White, Royston and Wood's rule."""


@dataclass(frozen=True)
class PooledTrace:
    """One parameter, pooled over the first 2, 3, ..., m draws; arrays of shape (m - 1,).

    Parameters
    ----------
    name : str
        Of the parameter.
    n_draws : ndarray of int
    estimates, lower, upper : ndarray of float
        Pooled estimate and its interval.
    errors : ndarray of float
        Monte Carlo errors of the estimates.
    standard_error : float
        Of the estimate from all draws.
    fmi : float
        Fraction of missing information, from all draws.
    n_needed : int
        Draws for standard errors that repeat within 5 %; see `tabgan.inference.number_of_draws.n_draws_needed`.
    """

    name: str
    n_draws: np.ndarray
    estimates: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    errors: np.ndarray
    standard_error: float
    fmi: float
    n_needed: int

    @property
    def relative_error(self) -> float:
        """Monte Carlo error of the estimate from all draws, over its standard error; at most a tenth is wanted."""
        return float(self.errors[-1] / self.standard_error)


class PoolingDisplay(PanelDisplay):
    """Pooled estimates with their intervals after 2, 3, ..., m draws, to see whether m is enough.

    The inner band is the Monte Carlo error, by which the estimate would move with other draws of the same table: White, Royston and
    Wood (2011) want it to be at most a tenth of the standard error; titles in colour say where it is more. Standard errors and
    p-values need more draws than estimates: so many that they repeat within 5 % are named, by von Hippel's (2020) rule.

    Parameters
    ----------
    traces : list of PooledTrace
    n_parameters : int
        Shown or not.
    confidence : float
        Level of the intervals.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, np.nan]])
    >>> draws = [np.array([[1.0, 2.0], [2.0, value], [3.0, 6.0]]) for value in (3.0, 4.0, 5.0)]
    >>> (trace,) = PoolingDisplay.from_predictions(table, draws).traces
    >>> trace.name, trace.n_draws.tolist(), trace.estimates.round(2).tolist()
    ('mean of 1', [2, 3], [3.83, 4.0])
    """

    _panel, _margin, _nothing = (2.7, 2.3), (0.3, 0.6), "nothing to pool"

    def __init__(self, traces: list[PooledTrace], n_parameters: int, confidence: float) -> None:
        self.traces = traces
        self.n_parameters = n_parameters
        self.confidence = confidence

    @classmethod
    def from_estimator(
        cls,
        imputer: Any,
        X: Any,
        fit: Callable[[Any], Any] | None = None,
        *,
        n_draws: int = 20,
        parameters: Sequence[Hashable] | None = None,
        confidence: float = 0.95,
        random_state: int | None = None,
        max_parameters: int = 8,
        fig: Any = None,
    ) -> PoolingDisplay:
        """Draw imputations of a table, pool an analysis of them, and draw the picture.

        Parameters
        ----------
        imputer : GAINImputer
            Fitted with the default objective.
        X : table of shape (n_samples, n_features)
            With gaps.
        fit : callable, default=None
            ``fit(table)`` analyses one completed table, as for `tabgan.pool`. None takes the means of the columns with gaps, and the
            share of the most frequent level of labels.
        n_draws : int, default=20
            Completed tables to make, at least 2.
        parameters : sequence of names, default=None
            Of the analysis, to show; None shows all.
        confidence : float, default=0.95
            Level of the intervals.
        random_state : int, default=None
            Of the draws; None takes the imputer's.
        max_parameters : int, default=8
            Show at most this many; of means those that miss the most information.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        PoolingDisplay
        """
        check_count("max_parameters", max_parameters)
        check_has(
            "imputer", imputer, "sample", "a fitted GAINImputer, or from_predictions tables completed several times"
        )
        draws = imputer.sample(X, n_draws, random_state=random_state)
        return cls.from_completed(
            imputer,
            X,
            draws,
            fit,
            parameters=parameters,
            confidence=confidence,
            max_parameters=max_parameters,
            fig=fig,
        )

    @classmethod
    def from_completed(
        cls,
        imputer: Any,
        X: Any,
        draws: Sequence[Any],
        fit: Callable[[Any], Any] | None = None,
        *,
        parameters: Sequence[Hashable] | None = None,
        confidence: float = 0.95,
        max_parameters: int = 8,
        fig: Any = None,
    ) -> PoolingDisplay:
        """Draw what an imputer's ``sample`` returned, with the column kinds that it learnt.

        Parameters
        ----------
        imputer : GAINImputer
            Fitted.
        X : table of shape (n_samples, n_features)
            With gaps.
        draws : sequence of tables of shape (n_samples, n_features)
            What ``imputer.sample(X)`` returned, at least 2.
        fit, parameters, confidence, max_parameters, fig
            See `from_estimator`.

        Returns
        -------
        PoolingDisplay
        """
        check_count("max_parameters", max_parameters)
        if fit is not None:
            return cls._of(fit, draws, parameters, confidence, max_parameters).plot(fig)
        return cls._of_means(draws_by(imputer, X, draws), parameters, confidence, max_parameters).plot(fig)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        draws: Sequence[Any],
        fit: Callable[[Any], Any] | None = None,
        *,
        parameters: Sequence[Hashable] | None = None,
        confidence: float = 0.95,
        max_parameters: int = 8,
        fig: Any = None,
    ) -> PoolingDisplay:
        """Draw completed tables made elsewhere.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With gaps.
        draws : sequence of tables of shape (n_samples, n_features)
            Completed ones, at least 2.
        fit, parameters, confidence, max_parameters, fig
            See `from_estimator`.

        Returns
        -------
        PoolingDisplay
        """
        check_count("max_parameters", max_parameters)
        if fit is not None:
            return cls._of(fit, draws, parameters, confidence, max_parameters).plot(fig)
        return cls._of_means(draws_view(X, draws), parameters, confidence, max_parameters).plot(fig)

    @classmethod
    def _of(
        cls,
        fit: Any,
        draws: Sequence[Any] | None,
        parameters: Sequence[Hashable] | None,
        confidence: float,
        max_parameters: int,
        n_complete_df: float | None = None,
    ) -> PoolingDisplay:
        by_number = pool_by_number_of_draws(
            fit, draws, parameters=parameters, confidence=confidence, n_complete_df=n_complete_df
        )
        traces = [_trace(by_number, j) for j in range(len(by_number[0].names))]
        return cls(traces[:max_parameters], len(traces), confidence)

    @classmethod
    def _of_means(
        cls,
        tables: list[CompletedView],
        parameters: Sequence[Hashable] | None,
        confidence: float,
        max_parameters: int,
    ) -> PoolingDisplay:
        means = _means(tables)
        if not means:
            return cls([], 0, confidence)
        results = [
            (pd.Series({name: one[0][k] for name, one in means.items()}), [one[1][k] for one in means.values()])
            for k in range(len(tables))
        ]
        found = cls._of(results, None, parameters, confidence, len(means), len(tables[0][0]) - 1)
        found.traces = sorted(found.traces, key=lambda trace: -trace.fmi)[:max_parameters]
        return found

    def _items(self) -> list[PooledTrace]:
        return self.traces

    def _draw_one(self, axes: Any, trace: PooledTrace) -> None:
        places, level = trace.n_draws, f"{100 * self.confidence:g} % interval"
        axes.fill_between(places, trace.lower, trace.upper, color=MAIN, alpha=0.15, linewidth=0, label=level)
        near = trace.estimates - trace.errors, trace.estimates + trace.errors
        axes.fill_between(places, *near, color=OTHER, alpha=0.4, linewidth=0, label="± its Monte Carlo (MC) error")
        axes.plot(places, trace.estimates, color=MAIN, linewidth=1.6, label="pooled estimate")
        for end in (trace.lower, trace.upper):
            axes.plot(places, end, color=MAIN, linewidth=0.8)
        if len(places) == 1:  # a single number has no line
            axes.errorbar(places, trace.estimates, trace.errors, fmt="o", color=MAIN)
            axes.set_xlim(places[0] - 1, places[0] + 1)
        late = len(places) // 3  # the first intervals may be so wide that nothing else could be read
        low, high = trace.lower[late:].min(), trace.upper[late:].max()
        if np.isfinite([low, high]).all() and low < high:
            axes.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))
        axes.set_title(
            f"{label(trace.name)}\nMC error {trace.relative_error:.0%} of SE; needs {trace.n_needed} draws",
            fontsize=8,
            color=OTHER if trace.relative_error > _MOST_MONTE_CARLO else "black",
        )
        axes.locator_params(nbins=5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("number of draws", fontsize=8)

    def _draw_around(self) -> None:
        note = shown_note(len(self.traces), self.n_parameters, "parameters")
        needed = "needs: draws by which standard errors (SE) repeat within 5%"
        legend_above(self.figure_, self.axes_[0], f"{note}; {needed}" if note else needed, ncols=3)


def _trace(by_number: list[PooledEstimates], j: int) -> PooledTrace:
    last = by_number[-1]
    return PooledTrace(
        str(last.names[j]),
        np.array([one.m for one in by_number]),
        np.array([one.estimate[j] for one in by_number]),
        np.array([one.lower[j] for one in by_number]),
        np.array([one.upper[j] for one in by_number]),
        np.array([monte_carlo_error(one)[j] for one in by_number]),
        float(last.standard_error[j]),
        float(last.fmi[j]),
        int(n_draws_needed(last)[j]),
    )


def _means(tables: list[CompletedView]) -> dict[str, tuple[list[float], list[float]]]:
    """Means of columns with gaps and their squared standard errors, by draw."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for name in tables[0][0].columns if tables else ():
        gap = tables[0][1][name].to_numpy()
        columns = [table[name] for table, _ in tables]
        if not gap.any() or gap.all() or any(column.isna().any() for column in columns):
            continue
        if is_number(columns[0]):
            parts = np.array([column.to_numpy() for column in columns])
            with np.errstate(over="ignore"):
                variances = parts.var(axis=1, ddof=1) / parts.shape[1]
            if np.ptp(parts, axis=1).min() > 0 and np.isfinite(variances).all():
                found[f"mean of {name}"] = parts.mean(axis=1).tolist(), variances.tolist()
        else:
            level = columns[0][~gap].value_counts().index[0]
            counts = np.array([(column == level).sum() for column in columns])
            near = (counts + 0.5) / (len(gap) + 1)  # all or none would have no standard error
            variances = near * (1 - near) / len(gap)
            found[f"share of {level} in {name}"] = (counts / len(gap)).tolist(), variances.tolist()
    return found
