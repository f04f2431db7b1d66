"""Which rows equal a real row that is the only one of its kind."""

from __future__ import annotations

import numpy as np
import torch

from tabgan._runtime import make_generator

__all__ = ["RealRows"]

_GRAIN = 4096.0  # parts of a standard deviation in which rows are compared


class RealRows:
    """The rows of a table that occur once: what equals one of them is a copy, where a row that occurs twice may well come again.

    Parameters
    ----------
    rows : ndarray of float32 of shape (n, width)
        Encoded.
    """

    def __init__(self, rows: np.ndarray) -> None:
        keys, counts = np.unique(_keys(rows), return_counts=True)
        self._single = keys[counts == 1]

    def copied_by(self, rows: np.ndarray) -> np.ndarray:
        """Whether each of ``rows``, of shape (n, width), is a copy; ndarray of bool of shape (n,)."""
        if not len(self._single):
            return np.zeros(len(rows), dtype=bool)
        keys = _keys(rows)
        return self._single[np.searchsorted(self._single, keys).clip(max=len(self._single) - 1)] == keys


def _keys(rows: np.ndarray) -> np.ndarray:
    """A number per row, equal where rows are equal but for rounding, and hardly elsewhere."""
    odd = torch.randint(2**62, (rows.shape[1],), generator=make_generator(0)).numpy().astype(np.uint64) * 2 + 1
    keys = np.zeros(len(rows), dtype=np.uint64)
    for j, factor in enumerate(odd):
        mixed = np.rint(rows[:, j] * _GRAIN).astype(np.int64).astype(np.uint64) * factor
        keys += (mixed ^ (mixed >> np.uint64(29))) * odd[-1 - j]
    return keys
