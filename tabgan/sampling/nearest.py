"""The nearest among many rows: squared distances by matrix products, a block at a time, to 8,192 rows at most."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tabgan._runtime import make_generator

__all__ = ["MOST_COMPARED", "Among", "some"]

MOST_COMPARED = 8192
"""More rows are stood for by as many."""

_BLOCK = 2**19  # distances at a time: 4 MB, which a processor's cache holds


def some(positions: Tensor) -> Tensor:
    """All of them, or 8,192 at random but always the same: evenly spread ones could beat with the table's order."""
    if len(positions) <= MOST_COMPARED:
        return positions
    chosen = torch.randperm(len(positions), generator=make_generator(0))[:MOST_COMPARED]
    return positions[chosen.sort().values]


class Among:
    """Rows of a table that others are compared with.

    Parameters
    ----------
    rows : Tensor of shape (n_rows, width)
        The table.
    positions : LongTensor of shape (n,)
        Which rows, in ascending order; `some` keeps them few.

    Notes
    -----
    ``|a|^2 - 2 a b + |b|^2`` in double precision: six times as fast as sums of squared differences, and wrong by some 1e-15 of the
    squared lengths, where single precision would take near-duplicates far from the origin for the same row.
    """

    def __init__(self, rows: Tensor, positions: Tensor) -> None:
        self.positions = positions
        self._rows = rows
        self._points = rows[positions].double()
        self._lengths = self._points.square().sum(1)

    def __len__(self) -> int:
        """How many."""
        return len(self.positions)

    @property
    def longest(self) -> float:
        """The largest squared length."""
        return float(self._lengths.max())

    def least(self, points: Tensor) -> Tensor:
        """Squared distance of each of ``points``, of shape (n, width), to the nearest; float64 Tensor of shape (n,)."""
        least = points.double().square().sum(1)
        for part, block in self._blocks(points):
            least[part] += block.amin(1)
        return least.clamp_min_(0)

    def nearest(self, asked: Tensor, k: int) -> Tensor:
        """The nearest of each asked row, itself not among them.

        Parameters
        ----------
        asked : LongTensor of shape (n,)
            Rows of the table.
        k : int
            How many, fewer than there are to compare with.

        Returns
        -------
        LongTensor of shape (n, k)
            Rows of the table: the nearest first, of equally near ones the first.
        """
        places = torch.searchsorted(self.positions, asked).clamp_max(len(self) - 1)
        is_own = self.positions[places] == asked
        found = torch.empty(len(asked), k, dtype=torch.long)
        points = self._rows[asked]
        for part, block in self._blocks(points):
            own = is_own[part].nonzero()[:, 0]
            block[own, places[part][own]] = torch.inf
            # What rounding cannot tell apart, duplicates above all, is put in order by differences.
            close = block.topk(k, largest=False).indices.sort(1).values
            exact = (self._points[close] - points[part, None].double()).square().sum(2)
            found[part] = self.positions[close.gather(1, exact.argsort(dim=1, stable=True))]
        return found

    def _blocks(self, points: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Squared distances less the squared length of the row that asks, which changes no order."""
        step = max(1, _BLOCK // max(1, len(self)))
        for start in range(0, len(points), step):
            part = slice(start, start + step)
            yield part, torch.addmm(self._lengths, points[part].double(), self._points.T, alpha=-2)
