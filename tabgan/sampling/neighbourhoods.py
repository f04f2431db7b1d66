"""What is near each row of a table with classes, looked for only where it is asked."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.sampling.borders import own_share
from tabgan.sampling.nearest import MOST_COMPARED, Among, some

__all__ = ["Neighbourhoods"]

_MOST_NEIGHBOURS = 5


class Neighbourhoods:
    """The nearest rows of a row's class, and how much the row is among its own; each is found once.

    Parameters
    ----------
    rows : Tensor of shape (n, width)
        Encoded rows without missing values, on the CPU.
    classes : LongTensor of shape (n,)
        Their classes.
    n_classes : int
        Number of classes.

    Attributes
    ----------
    n_neighbours : LongTensor of shape (n_classes,)
        How many neighbours a row has: five, or as many other rows as its class has, but at least one.

    Notes
    -----
    A class of 8,192 rows or fewer is searched as a whole when one of its rows is first asked for; of a larger one as many rows
    stand for all, and only rows asked for are searched. So time grows with the rows that something is drawn from, not with the table.
    """

    def __init__(self, rows: Tensor, classes: Tensor, n_classes: int) -> None:
        self._rows, self._classes = rows, classes
        self._counts = torch.bincount(classes, minlength=n_classes)
        self.n_neighbours = (self._counts - 1).clamp(1, _MOST_NEIGHBOURS)
        self._nearest = torch.full((len(rows), _MOST_NEIGHBOURS), -1, dtype=torch.int32)
        self._shares = torch.full((len(rows),), torch.nan)
        self._large: dict[int, Among] = {}

    def nearest(self, rows: Tensor) -> Tensor:
        """Row numbers of the nearest rows of the same class, the row itself where it is alone.

        Parameters
        ----------
        rows : LongTensor of shape (n,)
            Row numbers.

        Returns
        -------
        LongTensor of shape (n, 5)
            The nearest first; only the first `n_neighbours` of the class count.
        """
        new = torch.unique(rows[self._nearest[rows, 0] < 0])
        for index in torch.unique(self._classes[new]).tolist():
            asked = new[self._classes[new] == index]
            k = int(self.n_neighbours[index])
            if self._counts[index] == 1:
                nearest = asked[:, None]
            elif self._counts[index] <= MOST_COMPARED:
                asked = (self._classes == index).nonzero()[:, 0]
                nearest = Among(self._rows, asked).nearest(asked, k)
            else:
                if index not in self._large:
                    self._large[index] = Among(self._rows, some((self._classes == index).nonzero()[:, 0]))
                nearest = self._large[index].nearest(asked, k)
            self._nearest[asked] = asked[:, None].int()
            self._nearest[asked, :k] = nearest.int()
        return self._nearest[rows].long()

    def one_of(self, rows: Tensor, places: Tensor) -> Tensor:
        """For each row the neighbour at a place between 0, the nearest, and 1; LongTensor of shape (n,)."""
        pick = (places * self.n_neighbours[self._classes[rows]]).long()
        return self.nearest(rows)[torch.arange(len(rows)), pick]

    def own_share(self, rows: Tensor) -> Tensor:
        """Share of each row's ten nearest rows, of any class, that are of its own; see `tabgan.sampling.borders.own_share`."""
        new = torch.unique(rows[self._shares[rows].isnan()])
        if len(new):
            self._shares[new] = own_share(self._rows, self._classes, asked=new)
        return self._shares[rows]
