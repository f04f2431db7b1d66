"""Where a class ends: how much a row is among its own, and whether a synthetic row has landed among another class's."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.sampling.nearest import Among, some

__all__ = ["Borders", "own_share"]

_ROUNDING = 1e-12  # of squared lengths: distances that differ by less are the same


def own_share(rows: Tensor, classes: Tensor, n_neighbours: int = 10, *, asked: Tensor | None = None) -> Tensor:
    """Share of rows' nearest rows, of any class, that are of their own.

    Parameters
    ----------
    rows : Tensor of shape (n, width)
        Encoded rows.
    classes : LongTensor of shape (n,)
        Their classes.
    n_neighbours : int, default=10
        How many are looked at, the row itself not among them.
    asked : LongTensor of shape (n_asked,), default=None
        The rows whose share is wanted; None takes all.

    Returns
    -------
    Tensor of shape (n_asked,)
        From 0, a row among others' rows, to 1, a row among its own.

    Notes
    -----
    Of more than 8,192 rows as many, drawn at random, stand for all as neighbours.
    """
    everyone = torch.arange(len(rows))
    asked = everyone if asked is None else asked
    among = Among(rows, some(everyone))
    k = min(n_neighbours, len(among) - 1)
    if k < 1:
        return torch.ones(len(asked))
    return (classes[among.nearest(asked, k)] == classes[asked, None]).float().mean(1)


class Borders:
    """The real rows that tell whether synthetic rows are still among their own.

    Parameters
    ----------
    rows : Tensor of shape (n, width)
        Real rows, encoded.
    classes : LongTensor of shape (n,)
        Their classes.
    """

    def __init__(self, rows: Tensor, classes: Tensor) -> None:
        self._rows, self._classes = rows, classes
        self._positions: dict[int, tuple[Tensor, Tensor]] = {}

    def strays(self, drawn: Tensor, drawn_classes: Tensor) -> Tensor:
        """Which synthetic rows are nearer to a row of another class than to every row of their own.

        Parameters
        ----------
        drawn : Tensor of shape (n_drawn, width)
            Synthetic rows, encoded.
        drawn_classes : LongTensor of shape (n_drawn,)
            The class each was made for.

        Returns
        -------
        BoolTensor of shape (n_drawn,)
            A tie is no stray. Of more than 8,192 other rows as many stand for all.
        """
        found = torch.zeros(len(drawn), dtype=torch.bool)
        for index in torch.unique(drawn_classes).tolist():
            if index not in self._positions:
                sides = (self._classes == index, self._classes != index)
                self._positions[index] = (some(sides[0].nonzero()[:, 0]), some(sides[1].nonzero()[:, 0]))
            own, others = (Among(self._rows, positions) for positions in self._positions[index])
            if not len(others):
                continue
            mine = (drawn_classes == index).nonzero()[:, 0]
            asking = drawn[mine]
            rounding = _ROUNDING * (asking.double().square().sum(1) + max(own.longest, others.longest))
            found[mine] = others.least(asking) + rounding < own.least(asking)
        return found
