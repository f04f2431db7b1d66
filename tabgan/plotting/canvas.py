"""What all displays share: matplotlib on first use, colours, text that nobody's data can break, and grids of panels."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tabgan.exceptions import MissingExtraError

__all__ = [
    "COLOURS",
    "GREY",
    "MAIN",
    "OTHER",
    "THIRD",
    "beside",
    "drawable",
    "head_line",
    "in_percent",
    "is_dense",
    "label",
    "new_figure",
    "page_width",
    "panels",
    "say_inside",
    "shown_note",
    "width_of",
    "wrapped",
]

# Okabe & Ito 2008, "Color Universal Design": told apart with every common kind of colour blindness.
MAIN, OTHER, THIRD = "#0072B2", "#D55E00", "#009E73"
COLOURS = (MAIN, OTHER, THIRD, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY = "#7F7F7F"
_LONGEST, _LONGEST_ON_PHONES = 26, 20
_PHONE = 5.0
"""Inches below which names are cut sooner."""
_INSTEAD = {"\n": " ", "\r": " ", "\t": " "}
_MOST_MARKS = 150
_LETTER = 0.55
"""Width of a letter over the font size, on average."""
_page: ContextVar[float | None] = ContextVar("_page", default=None)


@contextmanager
def page_width(inches: float) -> Iterator[None]:
    """Let new figures be as wide as the page that they are for, with as many panels beside each other as fit.

    Parameters
    ----------
    inches : float
    """
    token = _page.set(inches)
    try:
        yield
    finally:
        _page.reset(token)


def beside(n: int, narrowest: float) -> int:
    """How many of so many panels stand beside each other: all, or as many as fit a page.

    Parameters
    ----------
    n : int
    narrowest : float
        Inches that one needs.

    Examples
    --------
    >>> with page_width(4.0):
    ...     beside(3, 1.8), beside(3, 5.0)
    (2, 1)
    """
    page = _page.get()
    return n if page is None else max(1, min(n, int(page / narrowest)))


def is_dense(n: int) -> bool:
    """Whether so many marks are better stored as pixels in a picture of lines and letters."""
    return n > _MOST_MARKS


def width_of(figure: Any) -> float:
    """Inches, of a figure or a part of one."""
    return float(figure.bbox.width / figure.dpi)


def wrapped(text: str, inches: float, size: float) -> str:
    r"""Text broken into lines that fit a width; its own lines stay apart.

    Parameters
    ----------
    text : str
    inches : float
    size : float
        Of the letters, in points.

    Examples
    --------
    >>> wrapped("mean of x\n12 of 400 are missing", 0.8, 9)
    'mean of x\n12 of 400\nare missing'
    """
    letters = max(int(72 * inches / (_LETTER * size)), 8)
    lines = (
        textwrap.wrap(line, letters, break_on_hyphens=False, break_long_words=False) or [""]
        for line in text.split("\n")
    )
    return "\n".join(part for parts in lines for part in parts)


def new_figure(width: float, height: float) -> Any:
    """An empty figure of pyplot, so that notebooks show it by themselves.

    Parameters
    ----------
    width, height : float
        Inches; inside `page_width` that is the width.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtraError
        matplotlib is not installed; names the extra that brings it.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtraError('plots need matplotlib; install it with: pip install "tabgan-learn[plot]"') from error
    figure = pyplot.figure(figsize=(_page.get() or width, height), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.06, h_pad=0.06, hspace=0.03)  # else titles touch the numbers above them
    return figure


def head_line(figure: Any, text: str) -> None:
    """A heading over all panels, at the left edge: what a narrow window shows first.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    text : str
    """
    figure.suptitle(wrapped(text, width_of(figure), 10), fontsize=10, x=0.01, ha="left")


def label(text: Any, longest: int = _LONGEST) -> str:
    r"""Text from data, made safe for matplotlib: one line, no formulas, cut where it is too long.

    Parameters
    ----------
    text : object
        A column name, a level, a class.
    longest : int, default=26
        Characters; on a narrow page fewer.

    Returns
    -------
    str

    Examples
    --------
    >>> label("price in $ per $"), len(label("x" * 100))
    ('price in \\$ per \\$', 26)
    """
    if longest <= _LONGEST and (_page.get() or _PHONE) < _PHONE:
        longest = min(longest, _LONGEST_ON_PHONES)
    line = "".join(_INSTEAD.get(mark, mark if mark.isprintable() else "?") for mark in str(text))
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return line.replace("$", r"\$")


def panels(figure: Any, n: int, *, per_row: int = 4, **shared: Any) -> list[Any]:
    """The axes of ``n`` panels in rows of at most ``per_row``.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Gets the axes.
    n : int
        At least 1.
    per_row : int, default=4
        Panels beside each other.
    **shared
        Further arguments of ``Figure.subplots``.
    """
    n_columns = min(n, per_row)
    grid = figure.subplots(math.ceil(n / n_columns), n_columns, squeeze=False, **shared)
    axes = list(grid.flat)
    for spare in axes[n:]:
        spare.remove()
    for one in axes[:n]:
        drawable(one)
    return axes[:n]


def drawable(axes: Any) -> Any:
    """The same axes with less ink: no box, small type."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.title.set_fontsize(9)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    return axes


def in_percent(axis: Any) -> None:
    """Let an axis of shares say percent, with as many decimals as its ticks need to be told apart.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    """
    from matplotlib.ticker import Formatter

    class Percent(Formatter):
        def __call__(self, share: float, position: int | None = None) -> str:
            return f"{share:.3g}"

        def format_ticks(self, values: Any) -> list[str]:
            hundredths = [100 * float(value) for value in values]
            exact = (n for n in range(4) if all(abs(round(one, n) - one) < 1e-6 for one in hundredths))
            digits = next(exact, 3)
            return [f"{one:.{digits}f}%" for one in hundredths]

    axis.set_major_formatter(Percent())


def shown_note(n_shown: int, n_all: int, what: str) -> str:
    """Say that not everything is shown; empty when it is.

    Examples
    --------
    >>> shown_note(12, 60, "columns")
    '12 of 60 columns shown'
    """
    return "" if n_shown >= n_all else f"{n_shown} of {n_all} {what} shown"


def say_inside(axes: Any, text: str) -> None:
    """Words instead of a plot, where there is nothing to draw."""
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=GREY, wrap=True)
