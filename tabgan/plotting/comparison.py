"""`ComparisonDisplay`: which imputer fills a table best, over all columns and column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabgan.model_selection.ranking import Comparison
from tabgan.plotting.canvas import (
    COLOURS,
    GREY,
    beside,
    head_line,
    label,
    panels,
    say_inside,
    shown_note,
    width_of,
    wrapped,
)
from tabgan.plotting.display import FigureDisplay
from tabgan.plotting.views import check_count, check_type

__all__ = ["ComparisonDisplay"]

_MARKERS = "osD^vPX"
_NARROWEST = 3.2


class ComparisonDisplay(FigureDisplay):
    """Relative errors of imputers on hidden cells: 1 is the mean or mode, lower is better.

    Parameters
    ----------
    summary : pandas.DataFrame
        A row per method: ``method``, ``relative_error``, ``relative_error_se``, ``tied``; failed methods are left out.
    per_column : pandas.DataFrame of shape (n_shown, n_methods)
        Relative error by column and method.
    n_columns : int
        Columns that were measured, shown or not.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes
    """

    def __init__(self, summary: pd.DataFrame, per_column: pd.DataFrame, n_columns: int) -> None:
        self.summary = summary
        self.per_column = per_column
        self.n_columns = n_columns

    @classmethod
    def from_comparison(cls, comparison: Any, *, max_columns: int = 20, fig: Any = None) -> ComparisonDisplay:
        """Draw what `tabgan.compare_imputers` found.

        Parameters
        ----------
        comparison : Comparison
        max_columns : int, default=20
            Show at most this many columns, those on which the methods differ most.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ComparisonDisplay
        """
        check_count("max_columns", max_columns)
        check_type("comparison", comparison, Comparison, "compare_imputers")
        summary = comparison.summary[[error is None for error in comparison.summary["error"]]]
        wide = comparison.per_column.pivot_table(
            index="column", columns="method", values="relative_error", sort=False, observed=True
        )
        wide = wide.reindex(columns=[name for name in summary["method"] if name in wide.columns])
        spread = (wide.max(axis=1) - wide.min(axis=1)).fillna(0.0).to_numpy()
        shown = wide.iloc[np.argsort(-spread, kind="stable")[:max_columns]]
        return cls(summary.reset_index(drop=True), shown, len(wide)).plot(fig)

    def _size(self) -> tuple[float, float]:
        height = max(2.8, 1.6 + 0.24 * len(self.per_column))
        return 9.5, height if beside(2, _NARROWEST) == 2 else height + 1.4 + 0.35 * len(self.summary)

    def _draw(self) -> None:
        n = len(self.per_column)
        side_by_side = beside(2, _NARROWEST) == 2
        heights = {} if side_by_side else {"height_ratios": [1 + 0.35 * len(self.summary), 1 + 0.24 * n]}
        overall, columns = self.axes_ = panels(self.figure_, 2, per_row=1 + side_by_side, **heights)
        note = shown_note(n, self.n_columns, "columns")
        head_line(
            self.figure_,
            "error on hidden cells, over that of the mean or mode"
            + (f"; {note}, most different first" if note else ""),
        )
        if not len(self.summary):
            say_inside(overall, "every method failed")
            say_inside(columns, "")
            return
        places = np.arange(len(self.summary))
        errors = self.summary["relative_error"].to_numpy()
        deviations = np.nan_to_num(self.summary["relative_error_se"].to_numpy(dtype=float))
        overall.errorbar(errors, places, xerr=deviations, fmt="none", ecolor=GREY, elinewidth=1.4)
        for k, (place, error) in enumerate(zip(places, errors, strict=True)):
            overall.plot(error, place, _MARKERS[k % len(_MARKERS)], color=COLOURS[k % len(COLOURS)], markersize=7)
            overall.annotate(
                f"{error:.3f}", (error, place), (0, 6), textcoords="offset points", ha="center", fontsize=7
            )
        names = [
            label(name) + (" =" if tied and k else "")
            for k, (name, tied) in enumerate(zip(self.summary["method"], self.summary["tied"], strict=True))
        ]
        overall.set_yticks(places, names)
        overall.set_ylim(len(places) - 0.4, -0.6)
        lines = "lines: one standard error; " if deviations.any() else ""
        told = f"all columns ({lines}=: tied with the best)"
        width = width_of(self.figure_) / (1 + side_by_side)
        overall.set_title(wrapped(told, 0.7 * width, 8), fontsize=8, loc="left")
        for axes in (overall, columns):
            axes.axvline(1.0, color=GREY, linewidth=1, linestyle="--")
            axes.set_xlabel("relative error", fontsize=8)
        rows = np.arange(n)
        columns.hlines(rows, self.per_column.min(axis=1), self.per_column.max(axis=1), color="0.85", linewidth=3)
        for k, name in enumerate(self.per_column.columns):
            values = self.per_column[name].to_numpy()
            columns.plot(
                values,
                rows,
                _MARKERS[k % len(_MARKERS)],
                color=COLOURS[k % len(COLOURS)],
                markersize=5,
                alpha=0.85,
                label=label(name),
            )
        columns.set_yticks(rows, [label(name, 20) for name in self.per_column.index], fontsize=7)
        columns.set_ylim(n - 0.4, -0.6)
        columns.set_title("column by column", fontsize=8, loc="left")
        at = (1.0, 1.0) if side_by_side else (-0.2, -1.2 / max(self._size()[1] - 2, 1))
        columns.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=at, ncols=1 if side_by_side else 3)
