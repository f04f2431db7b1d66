"""What displays share: where they draw, and panels of one kind beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tabgan.exceptions import parameter_error
from tabgan.plotting.canvas import beside, drawable, new_figure, panels, say_inside, width_of, wrapped

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AxesDisplay", "FigureDisplay", "PanelDisplay", "check_axes", "check_figure", "legend_above"]


def check_axes(ax: Any) -> None:
    """Refuse what is neither axes of matplotlib nor None."""
    if ax is not None and not (hasattr(ax, "barh") and hasattr(ax, "figure") and hasattr(ax, "spines")):
        raise parameter_error("ax", ax, "an Axes of matplotlib, or None for a figure of its own")


def check_figure(fig: Any) -> None:
    """Refuse what is neither a figure of matplotlib nor None."""
    if fig is not None and not (hasattr(fig, "subplots") and hasattr(fig, "suptitle")):
        what = "a Figure or SubFigure of matplotlib, as this display draws several plots, or None for one of its own"
        raise parameter_error("fig", fig, what)


class AxesDisplay:
    """Base of displays of one plot, which may stand among others."""

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to; None makes a figure.

        Returns
        -------
        display
            Itself.

        Raises
        ------
        InvalidParameterError
            ``ax`` is something else.
        """
        check_axes(ax)
        self.ax_ = drawable(ax or new_figure(*self._size()).subplots())
        self.figure_ = self.ax_.figure
        self._draw(alone=ax is None)
        return self

    def _size(self) -> tuple[float, float]:
        """Width and height of a figure of its own, in inches."""
        raise NotImplementedError

    def _draw(self, alone: bool) -> None:
        """Draw into ``ax_``; ``alone`` says that the figure holds nothing else."""
        raise NotImplementedError


class FigureDisplay:
    """Base of displays of several plots, which take a whole figure."""

    def plot(self, fig: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        fig : matplotlib.figure.Figure, default=None
            Where to; None makes one. A SubFigure will do.

        Returns
        -------
        display
            Itself.

        Raises
        ------
        InvalidParameterError
            ``fig`` is something else.
        """
        check_figure(fig)
        self.figure_ = fig or new_figure(*self._size())
        self._draw()
        return self

    def _size(self) -> tuple[float, float]:
        """Width and height of a figure of its own, in inches."""
        raise NotImplementedError

    def _draw(self) -> None:
        """Draw into ``figure_``, and keep the axes."""
        raise NotImplementedError


class PanelDisplay(FigureDisplay):
    """Base of displays with a panel per column, curve or the like.

    Subclasses say what the panels are about, how large one is, what to say when there is none, and draw one.
    """

    axes_: list[Any]
    _panel: ClassVar[tuple[float, float]]
    _margin: ClassVar[tuple[float, float]]
    _nothing: ClassVar[str]
    _narrowest: ClassVar[float] = 1.8
    """Inches below which a panel cannot be read."""

    def _items(self) -> Sequence[Any]:
        """What each panel is about."""
        raise NotImplementedError

    def _draw_one(self, axes: Any, item: Any) -> None:
        """Draw one panel."""
        raise NotImplementedError

    def _draw_around(self) -> None:
        """Headings and legends, when all panels are drawn."""

    def _per_row(self) -> int:
        return 4

    def _fitting(self) -> int:
        return beside(self._per_row(), self._narrowest)

    def _size(self) -> tuple[float, float]:
        n, per_row = max(len(self._items()), 1), self._fitting()
        (width, height), (right, top) = self._panel, self._margin
        return min(n, per_row) * width + right, -(-n // per_row) * height + top

    def _draw(self) -> None:
        items = self._items()
        self.axes_ = panels(self.figure_, max(len(items), 1), per_row=self._fitting())
        if not items:
            say_inside(self.axes_[0], self._nothing)
            return
        width = width_of(self.figure_) / min(self._fitting(), len(items))
        for axes, item in zip(self.axes_, items, strict=True):
            self._draw_one(axes, item)
            for text in (axes.title, axes.xaxis.label):  # the numbers at the left take some of the width
                text.set_text(wrapped(text.get_text(), 0.8 * width, text.get_fontsize()))
        self._draw_around()


def legend_above(figure: Any, axes: Any, title: str | None, **style: Any) -> None:
    """One legend for all panels, at the left above them, under a title: what a narrow window shows first.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or SubFigure
        Gets the legend.
    axes : matplotlib.axes.Axes
        The panel whose marks are explained.
    title : str or None
        Over the legend.
    **style
        Further arguments of ``Figure.legend``.
    """
    wanted = {"ncols": 2, "frameon": False, "fontsize": 9, "title_fontsize": 8} | style
    handles, names = axes.get_legend_handles_labels()
    width = width_of(figure)
    wanted["ncols"] = _in_line(names, width, wanted["fontsize"], wanted["ncols"])
    title = wrapped(title, width, wanted["title_fontsize"]) if title else None
    figure.legend(handles, names, loc="outside upper left", title=title, alignment="left", **wanted)


def _in_line(names: list[str], width: float, size: float, most: int) -> int:
    """Entries of a legend that fit beside each other."""
    longest = max(map(len, names), default=1) * 0.55 * size / 72 + 0.6
    return max(1, min(most, int(width / longest)))
