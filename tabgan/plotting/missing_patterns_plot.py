"""`MissingPatternsDisplay`: which columns miss their cells in the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tabgan.checks.missing_patterns import MissingPattern, missing_patterns
from tabgan.plotting.canvas import GREY, MAIN, beside, drawable, head_line, label, say_inside, shown_note
from tabgan.plotting.display import FigureDisplay
from tabgan.plotting.views import check_count
from tabgan.tables.frames import read_table

__all__ = ["MissingPatternsDisplay"]

_MOST_COLUMNS = 15
_NARROWEST = 0.42
_FEWEST_PLACES = 6
"""Fewer bars would be as wide as the page."""


class MissingPatternsDisplay(FigureDisplay):
    """Patterns of missing cells: a column of dots for each, and over it a bar with the rows that have it (an UpSet plot).

    Parameters
    ----------
    patterns : sequence of MissingPattern
        Those shown, the commonest first.
    columns : dict of str to list of str
        Columns that some of them miss, those with most missing cells first; for each, further ones that the same patterns miss.
    n_patterns, n_rows : int
        All patterns with a missing cell, and all rows.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes
        Of the bars and of the dots.

    References
    ----------
    Lex et al. 2014, "UpSet: visualization of intersecting sets".

    Examples
    --------
    >>> import numpy as np
    >>> gap = np.nan
    >>> display = MissingPatternsDisplay.from_predictions([[1, gap, gap], [2, 5, 6], [gap, 5, 7], [1, gap, gap]])
    >>> [(pattern.columns, pattern.n_rows) for pattern in display.patterns]
    [((1, 2), 2), ((0,), 1)]
    """

    def __init__(
        self, patterns: Sequence[MissingPattern], columns: Mapping[str, list[str]], n_patterns: int, n_rows: int
    ) -> None:
        self.patterns = patterns
        self.columns = columns
        self.n_patterns = n_patterns
        self.n_rows = n_rows

    @classmethod
    def from_predictions(
        cls, X: Any, *, missing_values: Any = np.nan, max_patterns: int = 16, fig: Any = None
    ) -> MissingPatternsDisplay:
        """Draw the patterns of a table.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        missing_values : scalar or list of scalars, default=np.nan
            Further markers of a missing cell.
        max_patterns : int, default=16
            Show at most this many, the commonest.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        MissingPatternsDisplay
        """
        check_count("max_patterns", max_patterns)
        table = read_table(X, missing_values=missing_values)
        found = [pattern for pattern in missing_patterns(table) if pattern.columns]
        shown = found[:max_patterns]
        missed = [{str(name) for name in pattern.columns} for pattern in shown]
        counts: dict[str, int] = {}
        for pattern in shown:
            for name in map(str, pattern.columns):
                counts[name] = counts.get(name, 0) + pattern.n_rows
        alike: dict[tuple[bool, ...], list[str]] = {}
        for name in sorted(counts, key=lambda name: -counts[name]):
            alike.setdefault(tuple(name in one for one in missed), []).append(name)
        columns = {names[0]: names[1:] for names in alike.values()}
        return cls(shown, columns, len(found), table.n_rows).plot(fig)

    def _size(self) -> tuple[float, float]:
        return 2.6 + 0.36 * max(len(self.patterns), 8), 2.2 + 0.24 * max(min(len(self.columns), _MOST_COLUMNS), 3)

    def _draw(self) -> None:
        patterns = self.patterns[: beside(len(self.patterns), _NARROWEST)]
        missed = [{str(name) for name in pattern.columns} for pattern in patterns]
        seen = [name for name in self.columns if any(name in one for one in missed)]
        names = seen[:_MOST_COLUMNS]
        texts = [label(name, 20) + (f" (+{len(self.columns[name])})" if self.columns[name] else "") for name in names]
        bars, dots = self.axes_ = list(
            self.figure_.subplots(2, 1, sharex=True, height_ratios=[2, max(len(names), 3) * 0.36])
        )
        drawable(bars)
        drawable(dots)
        if not self.patterns:
            say_inside(bars, "no cell is missing")
            say_inside(dots, "")
            return
        places = np.arange(len(patterns))
        heights = [pattern.n_rows for pattern in patterns]
        bars.bar(places, heights, color=MAIN, width=0.65)
        for place, height in zip(places, heights, strict=True):
            bars.annotate(f"{height:,}", (place, height), (0, 2), textcoords="offset points", ha="center", fontsize=7)
        bars.set_ylabel("rows")
        bars.yaxis.get_major_locator().set_params(integer=True)
        bars.set_ylim(0, 1.15 * max(heights))
        bars.tick_params(bottom=False, labelbottom=False)
        bars.set_xlim(-0.6, max(len(patterns), _FEWEST_PLACES) - 0.4)
        for place, gone in zip(places, missed, strict=True):
            mine = [k for k, name in enumerate(names) if name in gone]
            dots.scatter(np.full(len(names), place), np.arange(len(names)), s=22, color=GREY, alpha=0.25, linewidths=0)
            dots.scatter(np.full(len(mine), place), mine, s=34, color=MAIN, zorder=3)
            if len(mine) > 1:
                dots.plot([place, place], [min(mine), max(mine)], color=MAIN, linewidth=1.4, zorder=2)
        dots.set_yticks(np.arange(len(names)), texts)
        dots.set_ylim(len(names) - 0.4, -0.6)
        dots.set_xticks([])
        dots.spines[["left", "bottom"]].set_visible(False)
        notes = [
            shown_note(len(patterns), self.n_patterns, "patterns"),
            shown_note(len(names), len(seen), "columns"),
            "(+k): k more columns in the very same patterns" if any(self.columns.values()) else "",
        ]
        gappy = sum(heights)
        told = f"rows by which cells they miss: {gappy:,} of {self.n_rows:,} rows"
        head_line(self.figure_, "\n".join([told, "; ".join(note for note in notes if note)]).rstrip())
