"""How messages name what there is: counts, lists that end, and the name that was meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

__all__ = ["column_text", "counted", "listed", "share_text", "suggestion"]

_MOST_LISTED = 12
_ALIKE = 0.65
"""Of `difflib`: less is another name."""


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


def suggestion(name: str, known: Sequence[str]) -> str:
    """What to put instead of an unknown name: a close one, or the list of all."""
    folded = {one.casefold(): one for one in reversed(known)}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=_ALIKE)
    return f"did you mean {folded[close[0]]!r}?" if close else f"it has {listed(known)}."


def listed(names: Sequence[str]) -> str:
    """Names for a message, the first dozen of them."""
    shown = ", ".join(map(repr, names[:_MOST_LISTED]))
    return shown + (f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else "")
