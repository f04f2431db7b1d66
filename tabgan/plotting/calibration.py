"""`CalibrationDisplay`: whether intervals hold the truth as often as they promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.plotting.canvas import COLOURS, GREY, MAIN, in_percent, label, say_inside, shown_note
from tabgan.plotting.display import AxesDisplay, check_axes
from tabgan.plotting.hidden import HiddenCheck, hide_and_fill
from tabgan.plotting.views import check_count, check_has, check_type, floats_of, is_number

__all__ = ["CalibrationDisplay"]

_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_LEAST_CELLS = 20


class CalibrationDisplay(AxesDisplay):
    """Share of hidden numbers inside their intervals, against the share that was promised.

    On the diagonal, intervals keep their word; below it they are too narrow, above it too wide. The band holds 95 % of what chance
    does to a well calibrated imputer with as many independent hidden cells. Columns of few values lie above it by nature: an interval
    that ends on a value holds all cells of that value.

    Parameters
    ----------
    levels : sequence of float in (0, 1)
        Promised coverage.
    observed : array of float of shape (n_levels,)
        Coverage of all hidden numbers together.
    n_cells : int
        How many there are.
    by_column : dict of str to array of float of shape (n_levels,), default=None
        Coverage by column.
    n_columns : int, default=0
        Numeric columns with hidden cells, shown or not.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    Examples
    --------
    >>> display = CalibrationDisplay.from_predictions([0.5, 0.9], [0.48, 0.91], n_cells=200)
    >>> display.ax_.get_xlabel()
    'promised'
    """

    def __init__(
        self,
        levels: Sequence[float],
        observed: Any,
        n_cells: int,
        by_column: dict[str, np.ndarray] | None = None,
        n_columns: int = 0,
    ) -> None:
        self.levels = np.asarray(levels, dtype=float)
        self.observed = np.asarray(observed, dtype=float)
        self.n_cells = n_cells
        self.by_column = by_column or {}
        self.n_columns = n_columns

    @classmethod
    def from_estimator(
        cls,
        imputer: Any,
        X: Any,
        *,
        levels: Sequence[float] = _LEVELS,
        max_columns: int = 6,
        ax: Any = None,
        **hiding: Any,
    ) -> CalibrationDisplay:
        """Hide known cells, ask for intervals, and draw how many hold the truth.

        Parameters
        ----------
        imputer : GAINImputer
            A clone of it is fitted without the hidden cells.
        X : table of shape (n_samples, n_features)
        levels : sequence of float in (0, 1), default=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
            Promised coverages.
        max_columns : int, default=6
            Columns to draw by themselves: those furthest from what was promised.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.
        **hiding
            ``rate``, ``mechanism``, ``refit``, ``max_rows``, ``random_state`` of `tabgan.plotting.hide_and_fill`.

        Returns
        -------
        CalibrationDisplay
        """
        _check_levels(levels)
        check_count("max_columns", max_columns)
        check_axes(ax)
        check_has("imputer", imputer, "predict_interval", "a GAINImputer")
        return cls.from_check(hide_and_fill(imputer, X, **hiding), levels=levels, max_columns=max_columns, ax=ax)

    @classmethod
    def from_check(
        cls, check: HiddenCheck, *, levels: Sequence[float] = _LEVELS, max_columns: int = 6, ax: Any = None
    ) -> CalibrationDisplay:
        """Draw what `tabgan.plotting.hide_and_fill` found, so that several displays share one fit.

        Parameters
        ----------
        check : HiddenCheck
        levels : sequence of float in (0, 1), default=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
            Promised coverages.
        max_columns : int, default=6
            Columns to draw by themselves.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        CalibrationDisplay
        """
        _check_levels(levels)
        check_count("max_columns", max_columns)
        check_type("check", check, HiddenCheck, "hide_and_fill")
        ends = check.intervals(levels)
        # A column whose only other value was hidden is a constant to the clone, which has no interval for it.
        names = [name for name in ends[0][0] if is_number(check.truth[name]) and check.hidden[name].any()]
        held: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for lower, upper in ends:
            for name in names:
                cells = check.hidden[name].to_numpy()
                truth = check.truth[name].to_numpy()[cells]
                held[name].append((lower[name].to_numpy()[cells] <= truth) & (truth <= upper[name].to_numpy()[cells]))
        inside = {name: np.array(parts) for name, parts in held.items()}
        total = np.concatenate(list(inside.values()), axis=1) if inside else np.zeros((len(levels), 0))
        by_column = {name: part.mean(axis=1) for name, part in inside.items() if part.shape[1] >= _LEAST_CELLS}
        furthest = sorted(by_column, key=lambda name: -float(np.abs(by_column[name] - np.asarray(levels)).max()))
        shown = {name: by_column[name] for name in furthest[:max_columns]}
        observed = total.mean(axis=1) if total.shape[1] else np.full(len(levels), np.nan)
        return cls(levels, observed, total.shape[1], shown, len(by_column)).plot(ax)

    @classmethod
    def from_predictions(
        cls, levels: Sequence[float], observed: Any, *, n_cells: int, ax: Any = None
    ) -> CalibrationDisplay:
        """Draw coverages measured elsewhere.

        Parameters
        ----------
        levels : sequence of float in (0, 1)
            Promised.
        observed : array of float of shape (n_levels,)
            Found.
        n_cells : int
            In how many cells.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        CalibrationDisplay
        """
        _check_levels(levels)
        check_count("n_cells", n_cells)
        found = floats_of("observed", observed)
        if found.shape != (len(levels),):
            raise InvalidInputError(
                f"observed has shape {found.shape}; give one coverage for each of {len(levels)} levels."
            )
        return cls(levels, found, n_cells).plot(ax)

    def _size(self) -> tuple[float, float]:
        return 4.8, 4.4

    def _draw(self, alone: bool) -> None:
        if not self.n_cells:
            say_inside(self.ax_, "no number was hidden")
            return
        grid = np.linspace(0.01, 0.99, 99)
        reach = 1.96 * np.sqrt(grid * (1 - grid) / self.n_cells)
        self.ax_.fill_between(grid, grid - reach, grid + reach, color=GREY, alpha=0.25, linewidth=0)
        self.ax_.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        styles = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))
        for k, (name, found) in enumerate(self.by_column.items()):
            style = styles[k % len(styles)]
            colour = COLOURS[1 + k % (len(COLOURS) - 1)]
            self.ax_.plot(self.levels, found, color=colour, linewidth=1.1, linestyle=style, label=label(name, 18))
        self.ax_.plot(self.levels, self.observed, color=MAIN, marker="o", linewidth=2, label="all hidden numbers")
        lowest = min(float(part.min()) for part in (self.levels, self.observed, *self.by_column.values()))
        self.ax_.set_xlim(max(0.0, float(self.levels.min()) - 0.08), 1)
        self.ax_.set_ylim(max(0.0, min(0.5, lowest) - 0.08), 1.02)
        for axis in (self.ax_.xaxis, self.ax_.yaxis):
            in_percent(axis)
        self.ax_.set_xlabel("promised")
        self.ax_.set_ylabel("found")
        note = shown_note(len(self.by_column), self.n_columns, "columns")
        self.ax_.set_title(
            f"intervals that hold the truth, {self.n_cells} hidden cells"
            + (f"\n{note}, furthest first" if note else ""),
            fontsize=9,
        )
        self.ax_.legend(fontsize=7, frameon=False, loc="lower right")


def _check_levels(levels: Sequence[float]) -> None:
    if np.ndim(levels) != 1 or not len(levels) or not all(isinstance(one, float) and 0 < one < 1 for one in levels):
        raise InvalidParameterError(f"levels={levels!r} must be numbers between 0 and 1, both excluded.")
