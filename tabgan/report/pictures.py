"""Displays as pictures inside a report: plots as SVG, for wide and for narrow windows, images as PNG."""

from __future__ import annotations

import base64
import importlib.util
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tabgan.report.page import Picture
from tabgan.report.vector import svg_of

__all__ = ["NO_MATPLOTLIB", "can_draw", "has_curves", "picture_of", "pictures_if"]

NO_MATPLOTLIB = 'There are no pictures, as matplotlib is not installed: pip install "tabgan-learn[plot]" brings it.'
_DOTS_PER_INCH = 130
_CSS_PIXELS_PER_INCH = 96
_WIDE, _NARROW = 8.5, 3.7
"""Inches of a plot's two layouts; the style sheet says which of them a window shows."""


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def has_curves(history: Iterable[Mapping[str, Any]]) -> bool:
    """Whether anything was recorded at two steps, so that there is a curve to look at.

    Examples
    --------
    >>> has_curves([{"step": 0, "a": 0.1}, {"step": 1, "b": 0.2}]), has_curves([{"step": 0, "a": 0.1}, {"step": 1, "a": 0.2}])
    (False, True)
    """
    counts = Counter((row.get("stage"), name) for row in history for name in row if name not in ("step", "stage"))
    return max(counts.values(), default=0) > 1


def picture_of(draw: Callable[[], Any], title: str, alt: str, caption: str, *, is_photo: bool = False) -> Picture:
    """Draw a display and keep it as a picture.

    Parameters
    ----------
    draw : callable
        Returns a display, which can ``plot`` itself again.
    title, alt, caption : str
        Heading, text for those who do not see it, and how to read it.
    is_photo : bool, default=False
        It shows images, not a plot.
    """
    from matplotlib import pyplot

    from tabgan.plotting.canvas import page_width

    with pyplot.ioff(), pyplot.style.context("default"):  # whatever style the reader's notebook draws in
        with page_width(_WIDE):
            display = draw()
        try:
            if is_photo:
                return _photo(display.figure_, title, alt, caption)
            layouts = []
            for width in (_WIDE, _NARROW):
                pyplot.close(display.figure_)
                with page_width(width):
                    layouts.append(svg_of(display.plot().figure_))
        finally:
            pyplot.close(display.figure_)
    return Picture(title, alt, caption, wide=layouts[0], narrow=layouts[1])


def pictures_if(display: Any, is_worth: bool, *texts: str) -> list[Picture]:
    """A picture of a display that was made to look at its numbers, if there is anything to see; else none."""
    from matplotlib import pyplot

    if is_worth:
        return [picture_of(lambda: display, *texts)]
    pyplot.close(display.figure_)
    return []


def _photo(figure: Any, title: str, alt: str, caption: str) -> Picture:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, facecolor="white")
    width, height = (round(inches * _CSS_PIXELS_PER_INCH) for inches in figure.get_size_inches())
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(title, alt, caption, photo=data, width=width, height=height)
