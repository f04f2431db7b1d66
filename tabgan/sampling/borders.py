"""Where a class ends: how much a row is among its own, and whether a made row has landed among another class's."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan._runtime import make_generator

__all__ = ["own_share", "strays"]

_BLOCK = 1024  # rows at a time: bounds the memory of the distances
_MOST_COMPARED = 8192


def own_share(rows: Tensor, classes: Tensor, n_neighbours: int = 10) -> Tensor:
    """Share of each row's nearest rows, of any class, that are of its own.

    Parameters
    ----------
    rows : Tensor of shape (n, width)
        Encoded rows.
    classes : LongTensor of shape (n,)
        Their classes.
    n_neighbours : int, default=10
        How many are looked at, the row itself not among them.

    Returns
    -------
    Tensor of shape (n,)
        From 0, a row among others' rows, to 1, a row among its own.

    Notes
    -----
    Of more than 8,192 rows as many, drawn at random, stand for all as neighbours.
    """
    among = _some(torch.arange(len(rows)))
    k = min(n_neighbours, len(among) - 1)
    if k < 1:
        return torch.ones(len(rows))
    shares = []
    for block in torch.arange(len(rows)).split(_BLOCK):
        distances = _distances(rows[block], rows[among])
        distances[block[:, None] == among] = torch.inf
        nearest = among[distances.topk(k, largest=False).indices]
        shares.append((classes[nearest] == classes[block, None]).float().mean(1))
    return torch.cat(shares)


def strays(drawn: Tensor, drawn_classes: Tensor, rows: Tensor, classes: Tensor) -> Tensor:
    """Which made rows are nearer to a row of another class than to every row of their own.

    Parameters
    ----------
    drawn : Tensor of shape (n_drawn, width)
        Made rows, encoded.
    drawn_classes : LongTensor of shape (n_drawn,)
        The class each was made for.
    rows : Tensor of shape (n, width)
        Real rows.
    classes : LongTensor of shape (n,)
        Their classes.

    Returns
    -------
    BoolTensor of shape (n_drawn,)
        A tie is no stray. Of more than 8,192 other rows as many stand for all.
    """
    found = torch.zeros(len(drawn), dtype=torch.bool)
    for index in torch.unique(drawn_classes).tolist():
        own = rows[_some((classes == index).nonzero()[:, 0])]
        others = rows[_some((classes != index).nonzero()[:, 0])]
        if not len(others):
            continue
        for block in (drawn_classes == index).nonzero()[:, 0].split(_BLOCK):
            to_own, to_others = (_distances(drawn[block], some).amin(1) for some in (own, others))
            found[block] = to_others < to_own
    return found


def _some(positions: Tensor) -> Tensor:
    """All of them, or as many as are compared, at random: evenly spread ones could beat with the table's order."""
    if len(positions) <= _MOST_COMPARED:
        return positions
    return positions[torch.randperm(len(positions), generator=make_generator(0))[:_MOST_COMPARED].sort().values]


def _distances(left: Tensor, right: Tensor) -> Tensor:
    return torch.cdist(left.double(), right.double(), compute_mode="donot_use_mm_for_euclid_dist")
