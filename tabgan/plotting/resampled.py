"""`ResamplingDisplay`: synthetic rows of one class against the real ones they stand beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.metrics.rows import nearest_distances
from tabgan.plotting.canvas import (
    MAIN,
    OTHER,
    beside,
    is_dense,
    label,
    panels,
    say_inside,
    shown_note,
    width_of,
    wrapped,
)
from tabgan.plotting.display import FigureDisplay, legend_above
from tabgan.plotting.marginals import ColumnPair, disagreement, draw_pair, most_different
from tabgan.plotting.synthetic_rows import Resampled, resampled_by, resampled_of
from tabgan.plotting.views import check_count, is_number

__all__ = ["ResamplingDisplay"]

_MOST_ROWS = 1000
_MOST_LEVELS = 20
_PER_ROW = 4
_NARROWEST, _NARROWEST_BELOW = 1.8, 2.6


class ResamplingDisplay(FigureDisplay):
    """Made against real rows of one class: marginals, correlations, a projection, and nearest-real distances.

    Numbers are standardised and labels one-hot for the projection and the distances. The projection is on the first two principal
    components of the class's real rows. Distances of synthetic rows far below those among real rows mean near-copies.

    Parameters
    ----------
    label : object
        The class.
    pairs : list of ColumnPair
        Columns, real cells first, the most different columns in front.
    n_columns : int
        Columns of the table, shown or not.
    correlation_difference : pandas.DataFrame
        Rank correlation among synthetic rows minus that among real ones, for the columns where it is largest.
    real_points, made_points, other_points : ndarray of shape (n, 2)
        The projection of the class's real and synthetic rows and of other classes' real rows.
    real_distances, made_distances : ndarray of shape (n,)
        To the nearest (other) real row of the class.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes
        Marginals first, then correlation, projection, distances.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 3)), np.repeat([0, 1, 1], [40, 10, 10])
    >>> display = ResamplingDisplay.from_predictions(X, y, np.arange(60) >= 50)
    >>> int(display.label), len(display.made_distances)
    (1, 10)
    """

    def __init__(
        self,
        *,
        label: Any,
        pairs: list[ColumnPair],
        n_columns: int,
        correlation_difference: pd.DataFrame,
        real_points: np.ndarray,
        made_points: np.ndarray,
        other_points: np.ndarray,
        real_distances: np.ndarray,
        made_distances: np.ndarray,
    ) -> None:
        self.label = label
        self.pairs = pairs
        self.n_columns = n_columns
        self.correlation_difference = correlation_difference
        self.real_points = real_points
        self.made_points = made_points
        self.other_points = other_points
        self.real_distances = real_distances
        self.made_distances = made_distances

    @classmethod
    def from_estimator(
        cls, sampler: Any, *, label: Any = None, max_columns: int = 8, fig: Any = None
    ) -> ResamplingDisplay:
        """Draw what a fitted sampler makes of the table it was fitted on.

        Parameters
        ----------
        sampler : BAGANOversampler or CGANSampler
            Fitted.
        label : object, default=None
            The class to look at; None takes the one with the most synthetic rows.
        max_columns : int, default=8
            Show at most this many columns, those that disagree most.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ResamplingDisplay
        """
        check_count("max_columns", max_columns)
        return cls.from_resampled(resampled_by(sampler), label=label, max_columns=max_columns, fig=fig)

    @classmethod
    def from_predictions(
        cls,
        X_resampled: Any,
        y_resampled: Any,
        made: Any,
        *,
        label: Any = None,
        categorical_features: Any = None,
        missing_values: Any = np.nan,
        max_columns: int = 8,
        fig: Any = None,
    ) -> ResamplingDisplay:
        """Draw the result of any sampler, such as SMOTE's.

        Parameters
        ----------
        X_resampled : table of shape (n_samples, n_features)
        y_resampled : array-like of shape (n_samples,)
        made : array of bool of shape (n_samples,)
            True for synthetic rows; for samplers of imbalanced-learn ``np.arange(len(y_resampled)) >= len(y)``.
        label : object, default=None
            The class to look at; None takes the one with the most synthetic rows.
        categorical_features : None, list of names or positions, or boolean mask, default=None
            Columns to treat as labels whatever they hold.
        missing_values : scalar or list of scalars, default=np.nan
            Further markers of a missing cell.
        max_columns : int, default=8
            Show at most this many columns, those that disagree most.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ResamplingDisplay
        """
        check_count("max_columns", max_columns)
        result = resampled_of(X_resampled, y_resampled, made, categorical_features, missing_values)
        return cls.from_resampled(result, label=label, max_columns=max_columns, fig=fig)

    @classmethod
    def from_resampled(
        cls, result: Resampled, *, label: Any = None, max_columns: int = 8, fig: Any = None
    ) -> ResamplingDisplay:
        """Draw one class of what `resampled_by` returned, so that several displays share it.

        Parameters
        ----------
        result : Resampled
        label : object, default=None
            The class to look at; None takes the one with the most synthetic rows.
        max_columns : int, default=8
            Show at most this many columns, those that disagree most.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ResamplingDisplay

        Raises
        ------
        InvalidInputError
            There are no real or no synthetic rows of the class.
        """
        return cls.compared(result, label=label, max_columns=max_columns).plot(fig)

    @classmethod
    def compared(cls, result: Resampled, *, label: Any = None, max_columns: int = 8) -> ResamplingDisplay:
        """The display of `from_resampled` without a picture, for its numbers; ``plot`` draws it."""
        label = result.most_made() if label is None else label
        mine = np.array([one == label for one in result.labels], dtype=bool)
        real, made = np.flatnonzero(mine & ~result.made), np.flatnonzero(mine & result.made)
        if not len(real) or not len(made):
            raise InvalidInputError(
                f"class {label!r} has {len(real)} real and {len(made)} synthetic rows; both are needed."
            )
        pairs = []
        for name, column in result.frame.items():
            cells, known = column.to_numpy(), column.notna().to_numpy()
            first, second = cells[real][known[real]], cells[made][known[made]]
            if len(first) and len(second):
                number = is_number(column)
                pairs.append(ColumnPair(str(name), number, first, second, disagreement(first, second, number)))
        rng = np.random.default_rng(0)
        real, made, others = (
            rows if len(rows) <= _MOST_ROWS else np.sort(rng.choice(rows, _MOST_ROWS, replace=False))
            for rows in (real, made, np.flatnonzero(~mine & ~result.made))
        )
        matrix = _matrix(result.frame, real, np.concatenate([real, made, others]))
        a, b, c = np.split(matrix, [len(real), len(real) + len(made)])
        center = a.mean(axis=0)
        axes = np.linalg.svd(a - center, full_matrices=False)[2][:2]
        axes = np.vstack([axes, np.zeros((2 - len(axes), matrix.shape[1]))])
        return cls(
            label=label,
            pairs=most_different(pairs, max_columns),
            n_columns=len(pairs),
            correlation_difference=_correlation_difference(result.frame, real, made, max_columns),
            real_points=(a - center) @ axes.T,
            made_points=(b - center) @ axes.T,
            other_points=(c - center) @ axes.T,
            real_distances=nearest_distances(a) if len(a) > 1 else np.zeros(0),
            made_distances=nearest_distances(b, a),
        )

    def _size(self) -> tuple[float, float]:
        return 11, 2.0 * self._n_rows() + 0.7 + self._lower()

    def _n_rows(self) -> int:
        """Of marginals."""
        return -(-max(len(self.pairs), 1) // beside(_PER_ROW, _NARROWEST))

    def _lower(self) -> float:
        """Height of the correlations, the projection and the distances."""
        return 3.2 if beside(3, _NARROWEST_BELOW) == 3 else 9.6

    def _draw(self) -> None:
        rows = self._n_rows()
        upper, lower = self.figure_.subfigures(2, 1, height_ratios=[2.0 * rows + 0.4, self._lower() + 0.3])
        marginals = panels(upper, max(len(self.pairs), 1), per_row=beside(_PER_ROW, _NARROWEST))
        correlation, projection, distances = panels(lower, 3, per_row=3 if beside(3, _NARROWEST_BELOW) == 3 else 1)
        self.axes_ = [*marginals, correlation, projection, distances]
        for axes, pair in zip(marginals, self.pairs, strict=False):
            draw_pair(axes, pair, ("real", "synthetic"))
        if not self.pairs:
            say_inside(marginals[0], "no column holds a value in both")
        self._draw_correlation(correlation)
        self._draw_projection(projection)
        self._draw_distances(distances)
        width = width_of(self.figure_) / beside(3, _NARROWEST_BELOW)
        for axes in (correlation, projection, distances):
            axes.title.set_text(wrapped(axes.get_title(), 0.8 * width, 9))
        note = shown_note(len(self.pairs), self.n_columns, "columns")
        title = f"class {label(self.label)}" + (f": {note}, most different first" if note else "")
        legend_above(upper, projection, title, ncols=3, title_fontsize=10, markerscale=1.6)

    def _draw_correlation(self, axes: Any) -> None:
        names = list(self.correlation_difference.columns)
        if len(names) < 2:
            say_inside(axes, "fewer than two columns\nto correlate")
            return
        values = self.correlation_difference.to_numpy()
        worst = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
        picture = axes.imshow(values, cmap="PuOr_r", vmin=-1, vmax=1)
        texts = [label(name, 14) for name in names]
        axes.set_xticks(range(len(names)), texts, rotation=55, ha="right", rotation_mode="anchor", fontsize=7)
        axes.set_yticks(range(len(names)), texts, fontsize=7)
        axes.set_title(f"correlation, synthetic minus real (largest {worst:.2f})", fontsize=9)
        self.figure_.colorbar(picture, ax=axes, shrink=0.8).ax.tick_params(labelsize=7)

    def _draw_projection(self, axes: Any) -> None:
        parts = [
            (self.other_points, "0.72", "other classes", 6, 0.5, "o"),
            (self.real_points, MAIN, "real", 12, 0.75, "o"),
            (self.made_points, OTHER, "synthetic", 14, 0.6, "x"),
        ]
        for points, colour, name, size, alpha, marker in parts:
            if len(points):
                style = {"alpha": alpha, "marker": marker, "linewidths": 0.8, "rasterized": is_dense(len(points))}
                axes.scatter(*points.T, s=size, color=colour, label=name, **style)
        seen = np.concatenate([self.real_points, self.made_points])
        low, high = np.quantile(seen, [0.005, 0.995], axis=0)
        pad = 0.1 * np.maximum(high - low, 1e-6)
        axes.set_xlim(low[0] - pad[0], high[0] + pad[0])
        axes.set_ylim(low[1] - pad[1], high[1] + pad[1])
        axes.set_title("two principal components of the real rows", fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])

    def _draw_distances(self, axes: Any) -> None:
        both = np.concatenate([self.real_distances, self.made_distances])
        top = float(np.quantile(both, 0.99)) or 1.0
        bins = np.linspace(0, top, 26)
        for part, colour, style in (
            (self.real_distances, MAIN, {"histtype": "stepfilled", "alpha": 0.45}),
            (self.made_distances, OTHER, {"histtype": "step", "linewidth": 1.7}),
        ):
            if len(part):
                axes.hist(np.minimum(part, top), bins, weights=np.full(len(part), 1 / len(part)), color=colour, **style)
        copies = float(np.mean(self.made_distances <= 1e-6))
        axes.set_title(f"distance to the nearest real row ({copies:.0%} copies)", fontsize=9)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)


def _matrix(frame: pd.DataFrame, real: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Chosen rows with numbers standardised by the class's real rows, and labels one-hot; gaps at the mean."""
    blocks = []
    for _, column in frame.items():
        if is_number(column):
            cells = column.to_numpy()
            known = cells[real][~np.isnan(cells[real])]
            if len(known):
                scaled = (cells[rows] - known.mean()) / (known.std() or 1.0)
                blocks.append(np.nan_to_num(scaled, nan=0.0)[:, None])
        else:
            levels = column.iloc[real].value_counts().index[:_MOST_LEVELS]
            # Two cells of different levels are as far apart as two numbers one standard deviation from each other.
            blocks.append((column.to_numpy()[rows][:, None] == levels.to_numpy()[None, :]) / np.sqrt(2))
    return np.hstack(blocks).astype(float) if blocks else np.zeros((len(rows), 1))


def _correlation_difference(frame: pd.DataFrame, real: np.ndarray, made: np.ndarray, most: int) -> pd.DataFrame:
    """Spearman's; of a column of labels, its most frequent level against the rest."""
    numbers = {}
    for name, column in frame.items():
        if is_number(column):
            numbers[name] = column
        else:
            counts = column.iloc[real].value_counts()
            if len(counts) > 1:
                numbers[name] = (column == counts.index[0]).astype(float).where(column.notna())
    codes = pd.DataFrame(numbers)
    codes = codes[[name for name in codes if codes[name].iloc[real].nunique() > 1]]
    if codes.shape[1] < 2:
        return pd.DataFrame()
    # A column that synthetic rows hold constant has lost all its correlations, so it counts as 0 there.
    difference = codes.iloc[made].corr("spearman").fillna(0.0) - codes.iloc[real].corr("spearman").fillna(0.0)
    np.fill_diagonal(values := difference.to_numpy().copy(), 0.0)
    worst = np.sort(np.argsort(-np.abs(values).max(axis=1), kind="stable")[:most])
    names = codes.columns[worst]
    return pd.DataFrame(values[np.ix_(worst, worst)], index=names, columns=names)
