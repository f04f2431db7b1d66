"""What a phase works on: players, batches of a task's own class, and the cases that a discriminator is asked to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from tabgan.verdict import Verdict

__all__ = ["BatchT", "BatchT_co", "BatchT_contra", "Case", "Players", "Shared", "weighted_mean"]

Players = Mapping[str, Callable[..., Any]]
"""Whom tasks ask by name: networks, or functions in their place (with other weights, or looking through noise)."""

BatchT = TypeVar("BatchT")
"""What one phase step works on; every task has a class of its own."""
BatchT_co = TypeVar("BatchT_co", covariant=True)
BatchT_contra = TypeVar("BatchT_contra", contravariant=True)
Made = TypeVar("Made")


@dataclass
class Shared(Generic[Made]):
    """A forward pass that the terms of one step share: a field of a batch, empty until somebody asks.

    One made without gradients must not be taken for one with them, so there are two places.
    """

    with_gradients: Made | None = None
    without: Made | None = None

    def get(self, make: Callable[[], Made]) -> Made:
        """What ``make()`` gives, called once with gradients and once without, whichever is in force."""
        if torch.is_grad_enabled():
            if self.with_gradients is None:
                self.with_gradients = make()
            return self.with_gradients
        if self.without is None:
            self.without = make()
        return self.without


@dataclass(frozen=True)
class Case:
    """One judged input: the verdict, what it should have been, and how much each element counts.

    Parameters
    ----------
    verdict : Verdict
        The discriminator's answer.
    target : Tensor or float
        1 where the element is real, 0 where it is generated, between for smoothed labels; the shape of
        ``verdict.adversarial`` or a number for all of it.
    weight : Tensor, default=None
        Non-negative weight per element; None counts all alike.
    classes : LongTensor of shape (n,), default=None
        The right class per row, for class terms.
    data : Tensor, default=None
        The judged input itself, for losses that compare it with ``verdict.reconstruction``.
    scale : float or Tensor of shape (), default=1.0
        Factor on this case's share of the loss (matching-aware discriminators weigh two kinds of fakes).
    """

    verdict: Verdict
    target: Tensor | float
    weight: Tensor | None = None
    classes: Tensor | None = None
    data: Tensor | None = None
    scale: Tensor | float = 1.0


def weighted_mean(values: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean of ``values`` under ``weight``; 0 where all weights are 0.

    Parameters
    ----------
    values, weight : Tensor of the same shape
        Per-element losses and non-negative weights; None weighs all alike.

    Returns
    -------
    Tensor of shape ()
        ``sum(w * v) / sum(w)``, so it depends neither on the batch size nor on how a batch is cut up.
    """
    if weight is None:
        return values.mean()
    tiny = torch.finfo(values.dtype).tiny
    return (values * weight).sum() / weight.sum().to(values.dtype).clamp_min(tiny)
