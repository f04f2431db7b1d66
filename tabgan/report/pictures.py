"""Displays as PNG data inside a report."""

from __future__ import annotations

import base64
import importlib.util
import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tabgan.report.page import Picture

__all__ = ["NO_MATPLOTLIB", "can_draw", "has_curves", "picture_of"]

NO_MATPLOTLIB = 'There are no pictures, as matplotlib is not installed: pip install "tabgan-learn[plot]" brings it.'
_DOTS_PER_INCH = 130
_CSS_PIXELS_PER_INCH = 96


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
        Returns a display with ``figure_``.
    title, alt, caption : str
        Heading, text for those who do not see it, and how to read it.
    is_photo : bool, default=False
        It shows images, not a plot.
    """
    from matplotlib import pyplot

    with warnings.catch_warnings(), pyplot.ioff():
        # Names in scripts that the font lacks become boxes in a picture; the table of the report has them in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = draw().figure_
        try:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, facecolor="white")
            width, height = (round(inches * _CSS_PIXELS_PER_INCH) for inches in figure.get_size_inches())
        finally:
            pyplot.close(figure)
    return Picture(title, base64.b64encode(buffer.getvalue()).decode("ascii"), alt, caption, width, height, is_photo)
