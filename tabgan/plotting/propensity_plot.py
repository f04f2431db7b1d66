"""`PropensityDisplay`: observed and imputed values against the probability that they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabgan.plotting.canvas import GREY, MAIN, OTHER, in_percent, is_dense, label, shown_note
from tabgan.plotting.display import PanelDisplay, legend_above
from tabgan.plotting.propensities import Propensity, with_propensities
from tabgan.plotting.views import CompletedView, check_count, draws_by, draws_view, is_number

__all__ = ["PropensityColumn", "PropensityDisplay"]

_MOST_BINS = 8
_CELLS_PER_BIN = 12
_MOST_POINTS = 1500


@dataclass(frozen=True)
class PropensityColumn:
    """Observed and imputed cells of one column against the probability that they are missing.

    Parameters
    ----------
    name : str
        Of the column; for labels with the level whose share is followed.
    is_number : bool
    observed_at, observed : ndarray of float of shape (n_observed,)
        Probabilities and values; for labels 1 where it is the level.
    imputed_at : ndarray of float of shape (n_imputed,)
    imputed : ndarray of float of shape (n_draws, n_imputed)
    auc : float
        See `Propensity`.
    observed_bins, imputed_bins : ndarray of float of shape (n_bins, 3)
        By range of probabilities, the same for both: median probability of the cells in it, their mean, and its standard error.
    """

    name: str
    is_number: bool
    observed_at: np.ndarray
    observed: np.ndarray
    imputed_at: np.ndarray
    imputed: np.ndarray
    auc: float
    observed_bins: np.ndarray
    imputed_bins: np.ndarray


class PropensityDisplay(PanelDisplay):
    """Observed and imputed values against the probability of being missing (missing given x).

    Cells with the same probability should be alike, imputed or observed, however different they are as a whole: where they are not,
    the imputations do not follow the columns that decide what is missing. What is missing because of the value itself cannot be seen
    in any picture. The area under the ROC curve (AUC) says how far the other columns tell missing from observed cells: .5 not at all.

    Parameters
    ----------
    columns : list of PropensityColumn
        Those with the most gaps first.
    n_columns : int
        Columns with enough gaps, shown or not.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    References
    ----------
    van Buuren 2018, "Flexible Imputation of Missing Data", section 6.6. Bondarenko and Raghunathan 2016, "Graphical and numerical
    diagnostic tools to assess suitability of multiple imputations and imputation models".

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = rng.normal(size=(200, 2))
    >>> draws = [table + 0.0 for _ in range(3)]
    >>> table[table[:, 0] > 0.5, 1] = np.nan
    >>> (column,) = PropensityDisplay.from_predictions(table, draws).columns
    >>> column.name, bool(column.auc > 0.95), column.imputed.shape == (3, int(np.isnan(table).sum()))
    ('1', True, True)
    """

    _panel, _margin, _nothing = (2.7, 2.3), (0.3, 0.6), "too few missing cells to say what they depend on"

    def __init__(self, columns: list[PropensityColumn], n_columns: int) -> None:
        self.columns = columns
        self.n_columns = n_columns

    @classmethod
    def from_estimator(
        cls,
        imputer: Any,
        X: Any,
        *,
        n_draws: int = 5,
        random_state: int | None = None,
        max_columns: int = 8,
        fig: Any = None,
    ) -> PropensityDisplay:
        """Draw imputations of a table, and the picture.

        Parameters
        ----------
        imputer : GAINImputer
            Fitted with the default objective.
        X : table of shape (n_samples, n_features)
            With gaps.
        n_draws : int, default=5
            Completed tables to make.
        random_state : int, default=None
            Of the draws; None takes the imputer's.
        max_columns : int, default=8
            Show at most this many columns, those with the most gaps.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        PropensityDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_by(imputer, X, None, n_draws, random_state), max_columns).plot(fig)

    @classmethod
    def from_completed(
        cls, imputer: Any, X: Any, draws: Sequence[Any], *, max_columns: int = 8, fig: Any = None
    ) -> PropensityDisplay:
        """Draw what an imputer's ``sample`` returned, with the column kinds that it learnt.

        Parameters
        ----------
        imputer : GAINImputer
            Fitted.
        X : table of shape (n_samples, n_features)
            With gaps.
        draws : sequence of tables of shape (n_samples, n_features)
            What ``imputer.sample(X)`` returned.
        max_columns : int, default=8
            Show at most this many columns, those with the most gaps.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        PropensityDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_by(imputer, X, draws), max_columns).plot(fig)

    @classmethod
    def from_predictions(
        cls, X: Any, draws: Sequence[Any], *, max_columns: int = 8, fig: Any = None
    ) -> PropensityDisplay:
        """Draw completed tables made elsewhere.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With gaps.
        draws : sequence of tables of shape (n_samples, n_features)
            Completed ones; a single one will do.
        max_columns : int, default=8
            Show at most this many columns, those with the most gaps.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        PropensityDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_view(X, draws), max_columns).plot(fig)

    @classmethod
    def _of(cls, tables: list[CompletedView], max_columns: int) -> PropensityDisplay:
        propensities, n_columns = with_propensities(tables, max_columns)
        return cls([_column(tables, name, one) for name, one in propensities.items()], n_columns)

    def _items(self) -> list[PropensityColumn]:
        return self.columns

    def _draw_one(self, axes: Any, column: PropensityColumn) -> None:
        if column.is_number:
            for at, values, colour in (
                (column.observed_at, column.observed, MAIN),
                (column.imputed_at, column.imputed[0], OTHER),
            ):
                some = slice(None, None, -(-len(at) // _MOST_POINTS))
                style = {"markersize": 3, "alpha": 0.3, "zorder": 1, "rasterized": is_dense(len(at[some]))}
                axes.plot(at[some], values[some], ".", color=colour, **style)
        for bins, colour, name in (
            (column.observed_bins, MAIN, "observed"),
            (column.imputed_bins, OTHER, "imputed"),
        ):
            at, mean, error = bins.T
            axes.errorbar(at, mean, 2 * error, fmt="o-", color=colour, markersize=4, linewidth=1.4, label=name)
        if column.is_number:
            values = np.concatenate([column.observed, column.imputed[0]])
            low, high = np.quantile(values, [0.005, 0.995])
            # Of a column that is nearly constant the means would lie outside: all that is drawn of them is to be seen.
            _, mean, error = np.concatenate([column.observed_bins, column.imputed_bins]).T
            low = min(low, max((mean - 2 * error).min(), values.min()))
            high = max(high, min((mean + 2 * error).max(), values.max()))
            if low < high:
                axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        else:
            in_percent(axes.yaxis)
            low, high = axes.get_ylim()
            axes.set_ylim(max(low, -0.03), min(high, 1.03))
        axes.set_title(
            f"{label(column.name)}\n{len(column.imputed_at):,} imputed, AUC {column.auc:.2f}",
            fontsize=8,
            color=GREY if column.auc < 0.55 else "black",
        )
        axes.set_xlabel("probability of being missing", fontsize=8)
        axes.locator_params(nbins=4)

    def _draw_around(self) -> None:
        note = shown_note(len(self.columns), self.n_columns, "columns with missing cells")
        what = "values, and their means (± 2 standard errors) at like probabilities"
        legend_above(self.figure_, self.axes_[0], f"{note}; {what}" if note else what)


def _column(tables: Sequence[CompletedView], name: str, propensity: Propensity) -> PropensityColumn:
    filled, gaps = tables[0]
    gap = gaps[name].to_numpy()[propensity.rows]
    cells = [table[name].to_numpy()[propensity.rows] for table, _ in tables]
    number, title = is_number(filled[name]), name
    if number:
        values = np.array(cells, dtype=float)
    else:
        level = filled[name][~gaps[name]].value_counts().index[0]
        values, title = np.array([part == level for part in cells]) * 1.0, f"{label(name, 16)}: {label(level, 12)}"
    observed_at, imputed_at = propensity.shares[~gap], propensity.shares[gap]
    observed, imputed = values[0][~gap], values[:, gap]
    bins = _bins(observed_at, observed, imputed_at, imputed)
    return PropensityColumn(title, number, observed_at, observed, imputed_at, imputed, propensity.auc, *bins)


def _bins(
    observed_at: np.ndarray, observed: np.ndarray, imputed_at: np.ndarray, imputed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Median probability, mean and standard error in ranges that hold like numbers of cells of the rarer kind."""
    rarer = min((observed_at, imputed_at), key=len)
    n_bins = int(np.clip(len(rarer) // _CELLS_PER_BIN, 1, _MOST_BINS))
    edges = np.unique(np.quantile(rarer, np.linspace(0, 1, n_bins + 1)[1:-1]))
    first, second = np.searchsorted(edges, observed_at), np.searchsorted(edges, imputed_at)
    rows = []
    for k in range(len(edges) + 1):
        known, made = observed[first == k], imputed[:, second == k]
        if len(known) < 2 or made.shape[1] < 2:
            continue
        within, between = made.var(axis=1, ddof=1).mean() / made.shape[1], made.mean(axis=1).var()
        rows.append(
            [
                [np.median(observed_at[first == k]), known.mean(), known.std(ddof=1) / np.sqrt(len(known))],
                # Draws share what the parameters leave open, beside what chance does to each cell.
                [np.median(imputed_at[second == k]), made.mean(), np.sqrt(within + between)],
            ]
        )
    observed_bins, imputed_bins = np.array(rows).reshape(-1, 2, 3).transpose(1, 0, 2)
    return observed_bins, imputed_bins
