"""`MissingnessDisplay`: where cells are missing, and which columns miss their cells together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabgan.plotting.canvas import MAIN, beside, head_line, in_percent, label, panels, say_inside, shown_note
from tabgan.plotting.display import FigureDisplay
from tabgan.plotting.views import check_count, view
from tabgan.wording import share_text

__all__ = ["MissingnessDisplay"]

_NARROWEST = 3.2


class MissingnessDisplay(FigureDisplay):
    """Share of missing cells per column, and how missing cells of different columns go together.

    Parameters
    ----------
    shares : pandas.Series
        Share of missing cells by column, for all columns.
    together : pandas.DataFrame
        Correlation (phi) between the gaps of the columns that are shown: 1 always together, -1 never, 0 independent; NaN for a
        column without any cell.
    alike : dict of str to list of str
        By shown column, the further columns whose gaps are in the very same rows: one bar stands for all of them.
    complete : int
        Rows without a gap.
    n_rows : int

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np
    >>> gap = np.nan
    >>> display = MissingnessDisplay.from_predictions([[1, gap, gap], [2, 5, 6], [gap, 5, 7], [1, gap, gap]])
    >>> display.complete, display.alike, round(float(display.together.loc["1", "0"]), 2)
    (1, {'1': ['2'], '0': []}, -0.58)
    """

    def __init__(
        self, shares: pd.Series, together: pd.DataFrame, alike: dict[str, list[str]], complete: int, n_rows: int
    ) -> None:
        self.shares = shares
        self.together = together
        self.alike = alike
        self.complete = complete
        self.n_rows = n_rows

    @classmethod
    def from_estimator(cls, imputer: Any, X: Any, *, max_columns: int = 12, fig: Any = None) -> MissingnessDisplay:
        """Draw the missing cells of a table as an imputer sees them, its ``missing_values`` included.

        Parameters
        ----------
        imputer : estimator
            Only its ``missing_values`` is read.
        X : table of shape (n_samples, n_features)
        max_columns : int, default=12
            Show at most this many columns, those with the largest share of gaps.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        MissingnessDisplay
        """
        return cls.from_predictions(
            X, missing_values=getattr(imputer, "missing_values", np.nan), max_columns=max_columns, fig=fig
        )

    @classmethod
    def from_predictions(
        cls, X: Any, *, missing_values: Any = np.nan, max_columns: int = 12, fig: Any = None
    ) -> MissingnessDisplay:
        """Draw the missing cells of a table.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        missing_values : scalar or list of scalars, default=np.nan
            Further markers of a missing cell.
        max_columns : int, default=12
            Show at most this many columns, those with the largest share of gaps.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        MissingnessDisplay
        """
        check_count("max_columns", max_columns)
        gaps = view(X, missing_values=missing_values).isna()
        shares = gaps.mean().sort_values(ascending=False, kind="stable")
        groups: dict[bytes, list[str]] = {}
        for name in shares.index[shares > 0]:
            groups.setdefault(gaps[name].to_numpy().tobytes(), []).append(name)
        alike = {names[0]: names[1:] for names in list(groups.values())[:max_columns]}
        together = gaps[list(alike)].astype(float).corr()
        return cls(shares, together, alike, int((~gaps.any(axis=1)).sum()), len(gaps)).plot(fig)

    def _size(self) -> tuple[float, float]:
        height = 2.0 + 0.27 * max(len(self.together), 6)
        return 9.5, height if beside(2, _NARROWEST) == 2 else 2 * height + 0.6

    def _draw(self) -> None:
        names = list(self.together.columns)
        n, n_gappy = len(names), int((self.shares > 0).sum())
        bars, grid = self.axes_ = panels(self.figure_, 2, per_row=beside(2, _NARROWEST))
        note = shown_note(n + sum(map(len, self.alike.values())), n_gappy, "columns with missing cells")
        texts = [label(name, 20) + (f" (+{len(self.alike[name])})" if self.alike[name] else "") for name in names]
        if any(self.alike.values()):
            note = "; ".join(part for part in (note, "(+k): k more that are missing in the very same rows") if part)
        head_line(
            self.figure_,
            f"{self.complete:,} of {self.n_rows:,} rows are complete; {n_gappy:,} of {len(self.shares):,} columns have missing cells"
            + (f"\n{note}" if note else ""),
        )
        if not n:
            say_inside(bars, "no cell is missing")
            say_inside(grid, "")
            return
        shares = self.shares[names].to_numpy()
        places = np.arange(n)
        bars.barh(places, shares, color=MAIN, height=0.7)
        bars.set_yticks(places, texts)
        bars.invert_yaxis()
        bars.set_xlim(0, min(1.0, 1.18 * shares.max()))
        in_percent(bars.xaxis)
        for place, share in zip(places, shares, strict=True):
            bars.annotate(
                share_text(share), (share, place), (3, 0), textcoords="offset points", va="center", fontsize=7
            )
        bars.set_title("share of missing cells\n", fontsize=9, loc="left")
        if n < 2:
            say_inside(grid, "one column has missing cells:\nnothing to compare it with")
            return
        picture = grid.imshow(self.together.to_numpy(), cmap="PuOr_r", vmin=-1, vmax=1)
        grid.set_xticks(places, texts, rotation=55, ha="right", rotation_mode="anchor")
        grid.set_yticks(places, texts)
        grid.set_title("missing together\n(1 always, 0 by chance)", fontsize=9)
        if n <= 12:
            for i, j in np.ndindex(n, n):
                value = self.together.iat[i, j]
                if i != j and abs(value) >= 0.05:
                    colour = "white" if abs(value) > 0.6 else "black"
                    grid.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=6, color=colour)
        self.figure_.colorbar(picture, ax=grid, shrink=0.8).ax.tick_params(labelsize=7)
