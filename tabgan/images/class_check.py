"""After training under labels: whether generated images look like the classes that they were asked for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, one_hot

from tabgan._runtime import make_generator
from tabgan.core.tasks import Rows

__all__ = ["class_accuracy", "ignored_classes"]

_N_CLASSES, _N_LEARNT, _N_TRIED = 20, 60, 20
"""Classes looked at, and images of each to learn from and to try."""
_SIDE = 14
"""Pixels that are enough to tell."""
_LEAST_LEAD = 0.2
"""By how much real images must be told apart better than by chance before anything is said of generated ones."""
_LEAST_SHARE = 0.5


def ignored_classes(images: Rows, classes: Tensor, make: Callable[[Tensor], Tensor]) -> str | None:
    """A warning if generated images belong to the classes asked for much less often than real ones do; None if all is well.

    Parameters
    ----------
    images : Rows
        Real images: tensors of shape (n, c, h, w) for numbers of rows.
    classes : LongTensor of shape (n,)
        Their classes.
    make : callable
        ``make(classes) -> images`` generates one per given class.

    Returns
    -------
    str or None
        None also where a class has too few images, or a linear classifier does not tell real images apart.

    Notes
    -----
    A linear classifier learns from up to 60 real images of each of the 20 largest classes, on some 14 x 14 pixels.
    """
    counts = torch.bincount(classes.cpu())
    shown = counts.argsort(descending=True, stable=True)[:_N_CLASSES]
    shown = shown[counts[shown] >= 10]
    if len(shown) < 2:
        return None
    draw, learnt, tried = make_generator(0), [], []
    for number in shown:
        rows = (classes.cpu() == number).nonzero()[:, 0]
        rows = rows[torch.randperm(len(rows), generator=draw)][: _N_LEARNT + _N_TRIED]
        n_tried = min(_N_TRIED, len(rows) // 3)
        tried.append(rows[:n_tried])
        learnt.append(rows[n_tried:])
    where = images.device
    known = torch.cat([images[rows.to(where)].cpu() for rows in learnt])
    fresh = torch.cat([images[rows.to(where)].cpu() for rows in tried])
    numbers, fresh_numbers = (
        torch.arange(len(shown)).repeat_interleave(torch.tensor([len(rows) for rows in part]))
        for part in (learnt, tried)
    )
    asked = torch.arange(len(shown)).repeat_interleave(_N_TRIED)
    made = make(shown[asked])
    real = class_accuracy(known, numbers, fresh, fresh_numbers)
    found = class_accuracy(known, numbers, made, asked)
    chance = 1 / len(shown)
    if real - chance < _LEAST_LEAD or found - chance >= _LEAST_SHARE * (real - chance):
        return None
    return (
        f"{found:.0%} of the generated images look like the class they were asked for (real images: {real:.0%}, by chance: "
        f"{chance:.0%}): the generator ignores its class. Train longer, or take a recipe that follows it, such as 'projection' "
        "or 'minibatch-discrimination' (tabgan.images.recipe_table() lists what each reached)."
    )


def class_accuracy(known: Tensor, numbers: Tensor, images: Tensor, asked: Tensor) -> float:
    """How often a linear classifier of known images gives others the class asked for, each class counting alike.

    Parameters
    ----------
    known, numbers : Tensor of shape (n, c, h, w) and LongTensor of shape (n,)
        What it learns from, by ridge regression on the classes' indicators.
    images, asked : Tensor of shape (m, c, h, w) and LongTensor of shape (m,)
        What it is tried on.
    """
    n_classes = int(numbers.max()) + 1
    inner, others = _seen(known), _seen(images)
    middle = inner.mean(0)
    inner, others = inner - middle, others - middle
    weight = inner.square().sum() / inner.shape[1] * 0.1 + 1e-9
    targets = one_hot(numbers, n_classes).double()
    share = targets.mean(0)
    gram = inner @ inner.T + weight * torch.eye(len(inner), dtype=inner.dtype)
    scores = others @ inner.T @ torch.linalg.solve(gram, targets - share) + share
    right = (scores.argmax(1) == asked).double()
    return float(torch.stack([right[asked == number].mean() for number in asked.unique()]).mean())


def _seen(images: Tensor) -> Tensor:
    """Pixels of a coarser picture, shape (n, d)."""
    size = min(images.shape[2], _SIDE), min(images.shape[3], _SIDE)
    return adaptive_avg_pool2d(images.float(), size).flatten(1).double()
