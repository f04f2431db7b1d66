"""`DrawsDisplay`: centre and spread of multiple imputations, draw by draw, as mice's trace plots show them by iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabgan.plotting.canvas import GREY, OTHER, in_percent, label, shown_note
from tabgan.plotting.display import PanelDisplay, legend_above
from tabgan.plotting.views import CompletedView, check_count, draws_by, draws_view, is_number

__all__ = ["DrawnColumn", "DrawsDisplay"]


@dataclass(frozen=True)
class DrawnColumn:
    """The imputed cells of one column, summed up per draw.

    Parameters
    ----------
    name : str
        Of the column; for labels with the level whose share is followed.
    is_number : bool
    centres, spreads : ndarray of float of shape (n_draws,)
        Mean and standard deviation of the imputed cells. For labels: share of the level, and its standard error.
    known_centre, known_spread : float
        Mean and standard deviation of the observed cells; for labels the level's share, and 0.
    n_cells : int
        Imputed cells.
    """

    name: str
    is_number: bool
    centres: np.ndarray
    spreads: np.ndarray
    known_centre: float
    known_spread: float
    n_cells: int


class DrawsDisplay(PanelDisplay):
    """Mean and spread of the imputed cells in each draw, beside those of the observed cells.

    Draws are independent, so there is no chain to converge: points should scatter without a trend, and their scatter is what the
    gaps add to the uncertainty of a mean. Where all draws lie away from the observed band, the gaps are not like the rest.

    Parameters
    ----------
    columns : list of DrawnColumn
        Those with the most imputed cells first.
    n_columns : int
        Columns with gaps, shown or not.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, np.nan]])
    >>> draws = [np.array([[1.0, 2.0], [2.0, value], [3.0, 6.0]]) for value in (3.0, 4.0, 5.0)]
    >>> DrawsDisplay.from_predictions(table, draws).columns[0].centres
    array([4.5, 5. , 5.5])
    """

    _panel, _margin, _nothing = (2.7, 2.1), (0.3, 0.6), "no cell was imputed"

    def __init__(self, columns: list[DrawnColumn], n_columns: int) -> None:
        self.columns = columns
        self.n_columns = n_columns

    @classmethod
    def from_estimator(
        cls,
        imputer: Any,
        X: Any,
        *,
        n_draws: int = 20,
        random_state: int | None = None,
        max_columns: int = 8,
        fig: Any = None,
    ) -> DrawsDisplay:
        """Draw imputations of a table, and the picture.

        Parameters
        ----------
        imputer : GAINImputer
            Fitted with the default objective.
        X : table of shape (n_samples, n_features)
            With gaps.
        n_draws : int, default=20
            Completed tables to make.
        random_state : int, default=None
            Of the draws; None takes the imputer's.
        max_columns : int, default=8
            Show at most this many columns, those with the most gaps.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        DrawsDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_by(imputer, X, None, n_draws, random_state), max_columns).plot(fig)

    @classmethod
    def from_completed(
        cls, imputer: Any, X: Any, draws: Sequence[Any], *, max_columns: int = 8, fig: Any = None
    ) -> DrawsDisplay:
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
        DrawsDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_by(imputer, X, draws), max_columns).plot(fig)

    @classmethod
    def from_predictions(cls, X: Any, draws: Sequence[Any], *, max_columns: int = 8, fig: Any = None) -> DrawsDisplay:
        """Draw completed tables made elsewhere.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With gaps.
        draws : sequence of tables of shape (n_samples, n_features)
            Completed ones.
        max_columns : int, default=8
            Show at most this many columns, those with the most gaps.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        DrawsDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_view(X, draws), max_columns).plot(fig)

    @classmethod
    def _of(cls, tables: list[CompletedView], max_columns: int) -> DrawsDisplay:
        if not tables:
            return cls([], 0)
        first, gaps = tables[0]
        wanted = [name for name in gaps.sum().sort_values(ascending=False, kind="stable").index if gaps[name].any()]
        wanted = [name for name in wanted if first[name][~gaps[name]].notna().any()]
        columns = []
        for name in wanted[:max_columns]:
            gap = gaps[name].to_numpy()
            known = first[name][~gap].dropna()
            drawn = [table[name].to_numpy()[gap] for table, _ in tables]
            if is_number(first[name]):
                parts = np.array(drawn, dtype=float)
                columns.append(
                    DrawnColumn(
                        name,
                        True,
                        parts.mean(axis=1),
                        parts.std(axis=1),
                        float(known.mean()),
                        float(known.std(ddof=0)),
                        int(gap.sum()),
                    )
                )
            else:
                level = known.value_counts().index[0]
                shares = np.array([np.mean(part == level) for part in drawn])
                errors = np.sqrt(shares * (1 - shares) / gap.sum())
                title, share = f"{label(name, 18)}: {label(level, 14)}", float((known == level).mean())
                columns.append(DrawnColumn(title, False, shares, errors, share, 0.0, int(gap.sum())))
        return cls(columns, len(wanted))

    def _items(self) -> list[DrawnColumn]:
        return self.columns

    def _draw_one(self, axes: Any, column: DrawnColumn) -> None:
        places = np.arange(1, len(column.centres) + 1)
        low, high = column.known_centre - column.known_spread, column.known_centre + column.known_spread
        axes.axhspan(low, high, color=GREY, alpha=0.2, linewidth=0)
        axes.axhline(column.known_centre, color=GREY, linewidth=1, linestyle="--", label="observed (mean and spread)")
        axes.errorbar(
            places,
            column.centres,
            column.spreads,
            fmt="o",
            color=OTHER,
            markersize=3.5,
            elinewidth=0.9,
            alpha=0.85,
            label="imputed, by draw",
        )
        if not column.is_number:
            in_percent(axes.yaxis)
        name = label(column.name) if column.is_number else column.name
        axes.set_title(f"{name}\n{column.n_cells} cells", fontsize=8)
        axes.locator_params(nbins=4)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("draw", fontsize=8)

    def _draw_around(self) -> None:
        legend_above(
            self.figure_, self.axes_[0], shown_note(len(self.columns), self.n_columns, "columns with missing cells")
        )
