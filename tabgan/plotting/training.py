"""`TrainingDisplay`: losses, balance of the players, and validation error by step, with where training stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tabgan.exceptions import InvalidInputError
from tabgan.plotting.canvas import GREY, MAIN, OTHER, THIRD, head_line, label
from tabgan.plotting.display import PanelDisplay
from tabgan.wording import figures

__all__ = ["TrainingDisplay"]


class TrainingDisplay(PanelDisplay):
    """One panel per recorded number, by training step; the validation error comes first, with its best step.

    Parameters
    ----------
    curves : dict of (stage, name) to (steps, values)
        Stage is ``""`` for the main training.
    stop_reason : str or None, default=None
        Why training ended early.
    n_steps : int or None, default=None
        Steps done in the main training.

    Attributes
    ----------
    best_step_ : int or None
        Where the validation error was lowest.
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    Examples
    --------
    >>> rows = [{"step": 0, "validation": 0.9}, {"step": 50, "validation": 0.5, "generator": 0.7}, {"step": 100, "validation": 0.6}]
    >>> TrainingDisplay.from_predictions(rows).best_step_
    50
    """

    _panel, _margin = (2.9, 2.1), (0.3, 0.6)

    def __init__(
        self,
        curves: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]],
        stop_reason: str | None = None,
        n_steps: int | None = None,
    ) -> None:
        self.curves = dict(curves)
        self.stop_reason = stop_reason
        self.n_steps = n_steps
        steps, values = self.curves.get(("", "validation"), (np.zeros(0), np.zeros(0)))
        self.best_step_ = int(steps[np.nanargmin(values)]) if np.isfinite(values).any() else None

    @classmethod
    def from_estimator(cls, estimator: Any, *, fig: Any = None) -> TrainingDisplay:
        """Draw the ``history_`` of a fitted imputer or sampler.

        Parameters
        ----------
        estimator : GAINImputer, BAGANOversampler, CGANSampler, ...
            Fitted.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        TrainingDisplay

        Raises
        ------
        InvalidInputError
            The estimator has no ``history_``.
        """
        if not hasattr(estimator, "history_"):
            raise InvalidInputError(
                f"{type(estimator).__name__} has no history_: fit it first, or it is not trained by steps."
            )
        return cls._of(
            estimator.history_, getattr(estimator, "stop_reason_", None), getattr(estimator, "n_iter_", None)
        ).plot(fig)

    @classmethod
    def from_predictions(
        cls, history: Iterable[Mapping[str, Any]], *, stop_reason: str | None = None, fig: Any = None
    ) -> TrainingDisplay:
        """Draw rows of named numbers by step.

        Parameters
        ----------
        history : iterable of dict
            Each with ``step``, perhaps ``stage``, and numbers; also a `tabgan.core.history.History`.
        stop_reason : str, default=None
            Why training ended early.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        TrainingDisplay
        """
        return cls._of(history, stop_reason, None).plot(fig)

    @classmethod
    def _of(cls, history: Iterable[Mapping[str, Any]], stop_reason: str | None, n_steps: int | None) -> TrainingDisplay:
        found: dict[tuple[str, str], list[tuple[int, float]]] = {}
        if not isinstance(history, Iterable):
            raise InvalidInputError(f"history must be rows of named numbers, not {type(history).__name__}.")
        for row in history:
            if not isinstance(row, Mapping) or "step" not in row:
                raise InvalidInputError(f"history must be rows of named numbers, each with a step, not {row!r}.")
            stage = str(row.get("stage", ""))
            for name, value in row.items():
                if name not in ("step", "stage") and isinstance(value, (int, float)):
                    found.setdefault((stage, str(name)), []).append((int(row["step"]), float(value)))
        order = sorted(found, key=lambda key: (key[0], key[1] != "validation"))
        curves = {key: (np.array([s for s, _ in found[key]]), np.array([v for _, v in found[key]])) for key in order}
        return cls(curves, stop_reason, n_steps)

    def _items(self) -> list[tuple[tuple[str, str], tuple[np.ndarray, np.ndarray]]]:
        return list(self.curves.items())

    def _per_row(self) -> int:
        return 3 if len(self.curves) in (3, 5, 6) else 4

    @property
    def _nothing(self) -> str:  # type: ignore[override]
        return "nothing was trained" + (f":\n{label(self.stop_reason, 70)}" if self.stop_reason else "")

    def _draw_one(self, axes: Any, item: tuple[tuple[str, str], tuple[np.ndarray, np.ndarray]]) -> None:
        (stage, name), (steps, values) = item
        is_score = (stage, name) == ("", "validation")
        marker = "o" if is_score or len(values) < 3 else ""
        axes.plot(steps, values, color=OTHER if is_score else MAIN, linewidth=1.4, marker=marker, markersize=4)
        title = f"{stage}: {name}" if stage else "validation error" if is_score else name
        axes.set_title(label(title, 34), fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.locator_params(nbins=4)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if len(values) == 1:
            axes.set_xlim(0, max(2 * steps[0], 1))
        if is_score and self.best_step_ is not None:
            best = float(values[steps.tolist().index(self.best_step_)])
            axes.axvline(self.best_step_, color=THIRD, linewidth=1.2, linestyle="--")
            what = "best: the start" if self.best_step_ == 0 else f"kept: step {self.best_step_}"
            axes.annotate(
                f"{what}\n{figures(best)}",
                (self.best_step_, 0.97),
                (4, 0),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                va="top",
                fontsize=7,
                color=THIRD,
            )
        if not stage and self.stop_reason and self.n_steps:
            axes.axvline(self.n_steps, color=GREY, linewidth=1, linestyle=":")

    def _draw_around(self) -> None:
        done = f"{self.n_steps} steps" if self.n_steps is not None else ""
        why = f"stopped: {label(self.stop_reason, 90)}" if self.stop_reason else ""
        if done or why:
            head_line(self.figure_, "; ".join(part for part in (done, why) if part))
