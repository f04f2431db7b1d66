"""Where each table column lives in the encoded matrix. Lowest layer: plain data, no arrays.

Terms used everywhere: a *column* is a column of the user's table, a *slot* is a column of the encoded float matrix. A
numeric column takes one slot, a categorical column one slot per kept level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Span", "total_width"]


@dataclass(frozen=True)
class Span:
    """The slots of one encoded table column.

    Parameters
    ----------
    kind : {"numeric", "categorical"}
        ``"numeric"``: one slot holding a scaled number. ``"categorical"``: a one-hot block.
    start, stop : int
        Half-open slot range ``[start, stop)``.
    """

    kind: Literal["numeric", "categorical"]
    start: int
    stop: int

    @property
    def width(self) -> int:
        """Number of slots."""
        return self.stop - self.start


def total_width(spans: Sequence[Span]) -> int:
    """Number of slots that ``spans`` cover together; spans are contiguous and start at 0."""
    return spans[-1].stop if spans else 0
