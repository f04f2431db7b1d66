"""`PredictionDisplay`: cells that were hidden on purpose against what the imputer makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.model_selection.baselines import MeanModeImputer
from tabgan.plotting.canvas import GREY, MAIN, OTHER, head_line, in_percent, is_dense, label, shown_note
from tabgan.plotting.display import PanelDisplay, check_figure
from tabgan.plotting.hidden import HiddenCheck, hide_and_fill
from tabgan.plotting.views import check_count, check_type, is_number
from tabgan.wording import figures

__all__ = ["HiddenColumn", "PredictionDisplay"]

_MOST_POINTS = 300
_MOST_LEVELS = 7
_FEW_VALUES = 12


@dataclass(frozen=True)
class HiddenColumn:
    """The hidden cells of one column.

    Parameters
    ----------
    name : str
    is_number : bool
    truth, predicted : ndarray of shape (n_cells,)
    lower, upper : ndarray of float of shape (n_cells,), or None
        Interval around each number.
    baseline : float
        RMSE of the mean, or error rate of the mode, on the same cells.
    """

    name: str
    is_number: bool
    truth: np.ndarray
    predicted: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    baseline: float

    @property
    def error(self) -> float:
        """RMSE of numbers, error rate of labels."""
        if self.is_number:
            return float(np.sqrt(np.mean((self.truth - self.predicted) ** 2)))
        return float(np.mean(self.truth != self.predicted))

    @property
    def relative_error(self) -> float:
        """Error over that of the mean or mode: below 1 something was learnt."""
        if self.baseline > 0:
            return self.error / self.baseline
        return 1.0 + self.error if self.error else 0.0

    @property
    def covered(self) -> float:
        """Share of the hidden numbers inside their intervals; NaN without intervals."""
        if self.lower is None or self.upper is None:
            return float("nan")
        return float(np.mean((self.lower <= self.truth) & (self.truth <= self.upper)))


class PredictionDisplay(PanelDisplay):
    """Hidden truth against prediction: numbers as points with intervals, labels as shares filled rightly by level.

    Parameters
    ----------
    columns : list of HiddenColumn
        Those to show: columns with gaps of their own before others, and the worst relative error first.
    n_columns : int
        Columns with hidden cells, shown or not.
    coverage : float or None, default=None
        Nominal coverage of the intervals.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]])
    >>> hidden = np.array([[False, True], [False, False], [True, True], [False, False]])
    >>> display = PredictionDisplay.from_predictions(truth, truth + 0.5, hidden)
    >>> [(column.name, column.error) for column in display.columns]
    [('0', 0.5), ('1', 0.5)]
    """

    _panel, _margin, _nothing = (2.9, 2.45), (0.3, 0.5), "no cell was hidden"

    def __init__(self, columns: list[HiddenColumn], n_columns: int, coverage: float | None = None) -> None:
        self.columns = columns
        self.n_columns = n_columns
        self.coverage = coverage

    @classmethod
    def from_estimator(
        cls,
        imputer: Any,
        X: Any,
        *,
        coverage: float | None = 0.9,
        max_columns: int = 12,
        fig: Any = None,
        **hiding: Any,
    ) -> PredictionDisplay:
        """Hide known cells, fill them, and draw.

        Parameters
        ----------
        imputer : estimator
            A clone of it is fitted without the hidden cells.
        X : table of shape (n_samples, n_features)
        coverage : float in (0, 1) or None, default=0.9
            Of the intervals; None draws none, as for imputers without ``predict_interval``.
        max_columns : int, default=12
            Show at most this many columns, those with the worst relative error.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.
        **hiding
            ``rate``, ``mechanism``, ``refit``, ``max_rows``, ``random_state`` of `tabgan.plotting.hide_and_fill`.

        Returns
        -------
        PredictionDisplay
        """
        check_count("max_columns", max_columns)
        check_figure(fig)
        check = hide_and_fill(imputer, X, **hiding)
        return cls.from_check(check, coverage=coverage, max_columns=max_columns, fig=fig)

    @classmethod
    def from_check(
        cls, check: HiddenCheck, *, coverage: float | None = 0.9, max_columns: int = 12, fig: Any = None
    ) -> PredictionDisplay:
        """Draw what `tabgan.plotting.hide_and_fill` found, so that several displays share one fit.

        Parameters
        ----------
        check : HiddenCheck
        coverage : float in (0, 1) or None, default=0.9
            Of the intervals.
        max_columns : int, default=12
            Show at most this many columns.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        PredictionDisplay
        """
        check_count("max_columns", max_columns)
        check_type("check", check, HiddenCheck, "hide_and_fill")
        with_ends = coverage is not None and getattr(check.imputer, "objective", None) == "remask"
        ends = check.intervals([coverage])[0] if with_ends and coverage is not None else None
        columns = _columns(check.truth, check.filled, check.hidden, ends)
        # How the columns with gaps are filled is what the table's owner wants to know.
        columns.sort(key=lambda column: column.name not in check.gappy)
        return cls(columns[:max_columns], len(columns), coverage if ends else None).plot(fig)

    @classmethod
    def from_predictions(
        cls, truth: Any, filled: Any, hidden: Any, *, max_columns: int = 12, fig: Any = None
    ) -> PredictionDisplay:
        """Draw predictions made elsewhere.

        Parameters
        ----------
        truth, filled : DataFrame or ndarray of shape (n_samples, n_features)
            The known table, and the one with hidden cells filled.
        hidden : array of bool of shape (n_samples, n_features)
            The cells that were hidden.
        max_columns : int, default=12
            Show at most this many columns, those with the worst relative error.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        PredictionDisplay
        """
        from tabgan.plotting.views import filled_view, view

        check_count("max_columns", max_columns)
        known = view(truth)
        if np.shape(hidden) != known.shape:
            raise InvalidInputError(f"hidden has shape {np.shape(hidden)}, but truth {known.shape}; they must agree.")
        mask = pd.DataFrame(np.asarray(hidden, dtype=bool), columns=known.columns)
        columns = _columns(known, filled_view(truth, filled)[0], mask, None)
        return cls(columns[:max_columns], len(columns)).plot(fig)

    def _items(self) -> list[HiddenColumn]:
        return self.columns

    def _draw_one(self, axes: Any, column: HiddenColumn) -> None:
        (_draw_numbers if column.is_number else _draw_labels)(axes, column)

    def _draw_around(self) -> None:
        notes = []
        if len(self.columns) < self.n_columns:
            notes.append(
                shown_note(len(self.columns), self.n_columns, "columns")
                + ", those with missing cells and the worst first"
            )
        if self.coverage is not None:
            notes.append(f"lines: {self.coverage:.0%} intervals")
        head_line(self.figure_, "hidden cells: truth against prediction" + "".join(f"; {note}" for note in notes))


def _columns(
    truth: pd.DataFrame, filled: pd.DataFrame, hidden: pd.DataFrame, ends: tuple[pd.DataFrame, pd.DataFrame] | None
) -> list[HiddenColumn]:
    baseline = MeanModeImputer().fit_transform(truth.where(~hidden))
    columns = []
    for name in truth.columns:
        known = pd.notna(filled[name]).to_numpy() & hidden[name].to_numpy() & truth[name].notna().to_numpy()
        if not known.any():
            continue
        number = is_number(truth[name])
        cells, plain = truth[name].to_numpy()[known], np.asarray(baseline[name])[known]
        error = np.sqrt(np.mean((cells - plain.astype(float)) ** 2)) if number else np.mean(cells != plain)
        lower, upper = (end[name].to_numpy()[known] for end in ends) if ends and name in ends[0] else (None, None)
        columns.append(HiddenColumn(name, number, cells, filled[name].to_numpy()[known], lower, upper, float(error)))
    return sorted(columns, key=lambda column: -column.relative_error)


def _draw_numbers(axes: Any, column: HiddenColumn) -> None:
    step = -(-len(column.truth) // _MOST_POINTS)
    truth, predicted = column.truth[::step], column.predicted[::step]
    values = np.unique(truth)
    apart = np.zeros(len(truth))
    if 1 < len(values) <= _FEW_VALUES:  # equal points would hide each other
        apart = np.random.default_rng(0).uniform(-0.3, 0.3, len(truth)) * np.diff(values).min()
    low, high = np.quantile(np.concatenate([column.truth, column.predicted]), [0.005, 0.995])
    if not low < high:
        low, high = low - 0.5, high + 0.5
    pad = max(0.05 * (high - low), 1.2 * np.abs(apart).max())
    if column.lower is not None and column.upper is not None:
        inside = (column.lower[::step] <= truth) & (truth <= column.upper[::step])
        for part, colour in ((inside, MAIN), (~inside, OTHER)):
            axes.vlines(
                (truth + apart)[part],
                column.lower[::step][part],
                column.upper[::step][part],
                color=colour,
                alpha=0.22,
                lw=1,
                rasterized=is_dense(len(truth)),
            )
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--")
    axes.scatter(truth + apart, predicted, s=7, color=MAIN, alpha=0.7, linewidths=0, rasterized=is_dense(len(truth)))
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(low - pad, high + pad)
    axes.locator_params(nbins=4)
    spread = column.truth.std() * column.predicted.std()
    together = np.mean((column.truth - column.truth.mean()) * (column.predicted - column.predicted.mean()))
    r = f"r {together / spread:.2f}, " if spread else ""
    held = "" if np.isnan(column.covered) else f" ({column.covered:.0%} inside their intervals)"
    axes.set_title(
        f"{label(column.name)}\n{r}RMSE {figures(column.error)} (mean: {figures(column.baseline)})", fontsize=8
    )
    axes.set_xlabel(f"truth{held}", fontsize=8)
    axes.set_ylabel("prediction", fontsize=8)


def _draw_labels(axes: Any, column: HiddenColumn) -> None:
    counts = pd.Series(column.truth).value_counts()[:_MOST_LEVELS]
    right = [float(np.mean(column.predicted[column.truth == level] == level)) for level in counts.index]
    places = np.arange(len(counts))
    axes.barh(places, 1.0, color=GREY, alpha=0.2, height=0.7)
    axes.barh(places, right, color=MAIN, height=0.7, alpha=0.85)
    texts = [f"{label(level, 14)} ({count})" for level, count in counts.items()]
    axes.set_yticks(places, texts, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    in_percent(axes.xaxis)
    axes.locator_params(axis="x", nbins=4)
    more = column.truth.size - int(counts.sum())
    rest = f"\n({more} cells of other levels not shown)" if more else ""
    axes.set_xlabel(f"filled rightly{rest}", fontsize=8)
    axes.set_title(f"{label(column.name)}\n{column.error:.0%} wrong (mode: {column.baseline:.0%})", fontsize=8)
