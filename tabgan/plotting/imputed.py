"""`ImputationDisplay`: whether filled cells are distributed like observed ones, and where not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabgan.plotting.canvas import label, shown_note
from tabgan.plotting.display import PanelDisplay, legend_above
from tabgan.plotting.marginals import ColumnPair, disagreement, draw_pair, most_different
from tabgan.plotting.views import check_count, completed_by, filled_view, is_number

__all__ = ["ImputationDisplay"]


class ImputationDisplay(PanelDisplay):
    """Observed against imputed cells, column by column; the columns that differ most come first.

    Filled cells need not be distributed like observed ones (people with a high income may hide it), but a difference must have a
    reason. Point estimates are narrower than the observed cells by nature; draws (`GAINImputer.sample`) are not.

    Parameters
    ----------
    pairs : list of ColumnPair
        Columns with gaps, observed cells first, the most different columns in front.
    n_columns : int
        Columns with gaps in the table, shown or not.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 6.0]])
    >>> display = ImputationDisplay.from_predictions(table, np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]))
    >>> display.pairs[0].name, display.pairs[0].second
    ('1', array([4.]))
    """

    _panel, _margin, _nothing = (2.6, 2.1), (0.4, 0.7), "no cell was imputed"

    def __init__(self, pairs: list[ColumnPair], n_columns: int) -> None:
        self.pairs = pairs
        self.n_columns = n_columns

    @classmethod
    def from_estimator(cls, imputer: Any, X: Any, *, max_columns: int = 12, fig: Any = None) -> ImputationDisplay:
        """Fill a table and draw.

        Parameters
        ----------
        imputer : estimator
            Fitted.
        X : table of shape (n_samples, n_features)
            With gaps.
        max_columns : int, default=12
            Show at most this many columns.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ImputationDisplay
        """
        return cls.from_completed(imputer, X, None, max_columns=max_columns, fig=fig)

    @classmethod
    def from_completed(
        cls, imputer: Any, X: Any, X_filled: Any, *, max_columns: int = 12, fig: Any = None
    ) -> ImputationDisplay:
        """Draw what an imputer's ``transform`` returned, with the column kinds that it learnt.

        Parameters
        ----------
        imputer : estimator
            Fitted.
        X, X_filled : tables of shape (n_samples, n_features)
            With gaps, and what ``imputer.transform(X)`` returned; None fills ``X`` here.
        max_columns : int, default=12
            Show at most this many columns.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ImputationDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(*completed_by(imputer, X, X_filled), max_columns).plot(fig)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        X_filled: Any,
        *,
        categorical_features: Any = None,
        missing_values: Any = np.nan,
        max_columns: int = 12,
        fig: Any = None,
    ) -> ImputationDisplay:
        """Draw a table that was filled already, by whatever method.

        Parameters
        ----------
        X, X_filled : tables of shape (n_samples, n_features)
            With gaps, and completed.
        categorical_features : None, list of names or positions, or boolean mask, default=None
            Columns to treat as labels whatever they hold.
        missing_values : scalar or list of scalars, default=np.nan
            Further markers of a missing cell.
        max_columns : int, default=12
            Show at most this many columns.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ImputationDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(*filled_view(X, X_filled, categorical_features, missing_values), max_columns).plot(fig)

    @classmethod
    def _of(cls, filled: pd.DataFrame, gaps: pd.DataFrame, max_columns: int) -> ImputationDisplay:
        pairs = []
        for name in filled.columns:
            values, gap = filled[name], gaps[name].to_numpy()
            known = values.notna().to_numpy()
            first, second = values.to_numpy()[known & ~gap], values.to_numpy()[known & gap]
            if len(first) and len(second):
                number = is_number(values)
                pairs.append(ColumnPair(name, number, first, second, disagreement(first, second, number)))
        return cls(most_different(pairs, max_columns), len(pairs))

    def _items(self) -> list[ColumnPair]:
        return self.pairs

    def _draw_one(self, axes: Any, pair: ColumnPair) -> None:
        draw_pair(axes, pair, ("observed", "imputed"))
        axes.set_title(
            f"{label(pair.name)}\n{len(pair.second):,} of {len(pair.first) + len(pair.second):,} imputed", fontsize=9
        )

    def _draw_around(self) -> None:
        note = shown_note(len(self.pairs), self.n_columns, "columns with missing cells")
        legend_above(self.figure_, self.axes_[0], note and f"{note}, most different first")
