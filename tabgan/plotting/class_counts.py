"""`ClassCountsDisplay`: rows per class before and after rebalancing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.plotting.canvas import MAIN, OTHER, label, shown_note
from tabgan.plotting.display import AxesDisplay
from tabgan.plotting.views import check_count

__all__ = ["ClassCountsDisplay"]


class ClassCountsDisplay(AxesDisplay):
    """Real and synthetic rows per class, as bars; the largest class on top.

    Parameters
    ----------
    before, after : pandas.Series of int
        Rows by class.
    n_classes : int
        Classes in the data, shown or not.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    Examples
    --------
    >>> display = ClassCountsDisplay.from_predictions(["a"] * 8 + ["b"] * 2, ["a"] * 8 + ["b"] * 8)
    >>> display.after.to_dict()
    {'a': 8, 'b': 8}
    """

    def __init__(self, before: pd.Series, after: pd.Series, n_classes: int) -> None:
        self.before = before
        self.after = after
        self.n_classes = n_classes

    @classmethod
    def from_estimator(cls, sampler: Any, *, max_classes: int = 20, ax: Any = None) -> ClassCountsDisplay:
        """Draw what a fitted sampler makes of the table it was fitted on.

        Parameters
        ----------
        sampler : BAGANOversampler or CGANSampler
            Fitted.
        max_classes : int, default=20
            Show at most this many classes, the largest ones and the smallest ones.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ClassCountsDisplay
        """
        from tabgan.plotting.synthetic_rows import resampled_by

        result = resampled_by(sampler)
        return cls.from_predictions(result.labels[~result.made], result.labels, max_classes=max_classes, ax=ax)

    @classmethod
    def from_predictions(cls, y: Any, y_resampled: Any, *, max_classes: int = 20, ax: Any = None) -> ClassCountsDisplay:
        """Draw labels before and after.

        Parameters
        ----------
        y, y_resampled : array-like of shape (n_before,), (n_after,)
            Class labels.
        max_classes : int, default=20
            Show at most this many classes, the largest ones and the smallest ones.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ClassCountsDisplay

        Raises
        ------
        InvalidInputError
            Labels are not one-dimensional.
        """
        check_count("max_classes", max_classes)
        counts = []
        for name, labels in (("y", y), ("y_resampled", y_resampled)):
            if np.ndim(labels) != 1:
                raise InvalidInputError(f"{name} has shape {np.shape(labels)}; give one label per row.")
            counts.append(pd.Series(np.asarray(labels, dtype=object)).value_counts())
        before, after = counts
        order = list(before.index) + [name for name in after.index if name not in before.index]
        shown = (
            order
            if len(order) <= max_classes
            else order[: max_classes // 2] + order[-(max_classes - max_classes // 2) :]
        )
        return cls(before.reindex(shown, fill_value=0), after.reindex(shown, fill_value=0), len(order)).plot(ax)

    def _size(self) -> tuple[float, float]:
        return 6.5, 1.3 + 0.3 * len(self.before)

    def _draw(self, alone: bool) -> None:
        n = len(self.before)
        places, before, after = np.arange(n), self.before.to_numpy(), self.after.to_numpy()
        made = np.maximum(after - before, 0)
        self.ax_.barh(places, np.minimum(before, after), color=MAIN, height=0.72, label="real")
        self.ax_.barh(
            places,
            made,
            left=before,
            color=OTHER,
            height=0.72,
            alpha=0.85,
            label="synthetic",
            hatch="///",
            edgecolor="white",
        )
        self.ax_.set_yticks(places, [label(name) for name in self.before.index])
        self.ax_.invert_yaxis()
        for place, was, now in zip(places, before, after, strict=True):
            text = f"{was:,} → {now:,}" if was != now else f"{was:,}"
            self.ax_.annotate(text, (max(was, now), place), (4, 0), textcoords="offset points", va="center", fontsize=7)
        self.ax_.set_xlim(0, 1.2 * max(before.max(), after.max()))
        self.ax_.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        self.ax_.locator_params(axis="x", nbins=5)
        note = shown_note(n, self.n_classes, "classes")
        self.ax_.set_title("rows per class" + (f" ({note})" if note else ""), fontsize=9, loc="left")
        self.ax_.legend(
            fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.12 - 0.25 / max(n, 1)), ncols=2
        )
