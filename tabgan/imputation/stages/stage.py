"""What stages hand to each other."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Start"]


class Start(NamedTuple):
    """What a generator knows of rows before its learned correction; each of shape (n, width)."""

    completed: Tensor
    """Rows filled by the base and the neighbours."""
    linear: Tensor
    """Rows filled by the base's first half alone."""
    rank: Tensor
    """Rows filled by its second half alone, numbers in normal scores."""
    step: Tensor
    """What the neighbours added to the base."""
