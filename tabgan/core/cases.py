"""What a phase works on: batches, and the cases that a discriminator is asked to judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.verdict import Verdict

__all__ = ["Batch", "Case", "Players", "weighted_mean"]

Players = Mapping[str, nn.Module]


@dataclass(frozen=True)
class Batch:
    """What one phase step works on; a task fills the fields its losses need.

    Parameters
    ----------
    real : Tensor of shape (n, ...), default=None
        Rows of the data.
    noise : Tensor of shape (n, d_noise), default=None
        The latent draw of this step.
    condition : Tensor, default=None
        What both players may see (labels, a second image, a mask).
    target, weight : Tensor, default=None
        Per-element target in [0, 1] and weight >= 0 for tasks that judge cells.
    extras : dict
        Whatever else the task's own losses need, by name.
    """

    real: Tensor | None = None
    noise: Tensor | None = None
    condition: Tensor | None = None
    target: Tensor | None = None
    weight: Tensor | None = None
    extras: dict[str, Any] = field(default_factory=dict)


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
