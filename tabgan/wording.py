"""How messages name what there is: counts, shares, numbers and errors in few digits, lists that end, and the name that was meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

__all__ = ["column_text", "counted", "error_figures", "figures", "listed", "share_text", "suggestion"]

_MOST_LISTED = 12
_ALIKE = 0.65
"""Of `difflib`: less is another name."""
_DAY = 86_400
_SPANS = ((2 * _DAY, _DAY, "days"), (5400, 3600, "hours"), (90, 60, "minutes"))
"""From how many seconds on a span is told in which unit, of how many seconds."""


def counted(n: int, what: str) -> str:
    """So many of something.

    Examples
    --------
    >>> counted(1, "cell"), counted(3, "cell")
    ('1 cell', '3 cells')
    """
    return f"{n} {what}" + "s" * (n != 1)


def column_text(name: object) -> str:
    """A column's name in a sentence, where a bare number would not be known for one.

    Examples
    --------
    >>> column_text("age"), column_text(3)
    ('age', 'column 3')
    """
    text = str(name)
    return f"column {text}" if text.isdigit() else text


def share_text(share: float) -> str:
    """A share in per cent, without calling a few of many none, or nearly all of them all.

    Examples
    --------
    >>> [share_text(share) for share in (0.0, 0.0004, 0.0006, 0.25, 0.9996, 1.0)]
    ['0.0%', '<0.1%', '0.1%', '25.0%', '>99.9%', '100.0%']
    """
    if 0 < share < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= share < 1 else f"{share:.1%}"


def figures(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, without an exponent where people can do without.

    Parameters
    ----------
    value : float
    digits : int, default=3

    Examples
    --------
    >>> figures(109512.3), figures(0.012345), figures(7684.7, 4), figures(2e-7), figures(12.0)
    ('110,000', '0.0123', '7,685', '2e-07', '12')
    """
    short = format(value, f".{digits}g")
    return f"{float(short):,.0f}" if 10.0 ** min(digits, 3) <= abs(value) < 1e9 else short


def error_figures(value: float, kind: str, digits: int = 3) -> str:
    """An error as `GAINImputer.validation_scores_` has it; of dates (in days) and durations (in seconds) with a unit that suits it.

    Examples
    --------
    >>> error_figures(176.91, "datetime"), error_figures(0.02, "datetime"), error_figures(5400.0, "timedelta")
    ('177 days', '28.8 minutes', '1.5 hours')
    >>> error_figures(0.25, "decimal")
    '0.25'
    """
    if kind not in ("datetime", "timedelta"):
        return figures(value, digits)
    seconds = value * (_DAY if kind == "datetime" else 1)
    size, unit = next(((size, unit) for least, size, unit in _SPANS if seconds >= least), (1, "seconds"))
    return f"{figures(seconds / size)} {unit}"


def suggestion(name: str, known: Sequence[str]) -> str:
    """What to put instead of an unknown name: a close one, or the list of all."""
    folded = {one.casefold(): one for one in reversed(known)}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=_ALIKE)
    return f"did you mean {folded[close[0]]!r}?" if close else f"it has {listed(known)}."


def listed(names: Sequence[str]) -> str:
    """Names for a message, the first dozen of them."""
    shown = ", ".join(map(repr, names[:_MOST_LISTED]))
    return shown + (f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else "")
