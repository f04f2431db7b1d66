"""Muon: steps of matrices with their singular values made equal; AdamW for everything that is no matrix."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from tabgan.core.adam import FusedAdamW

__all__ = ["Muon", "orthogonalized"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_N_ITERATIONS = 3
SMALLEST = 64
"""Rows and columns of a matrix that gets Muon's steps."""
_SHARE_OF_OTHERS = 0.4
"""Learning rate of what is no such matrix, as a share of theirs."""


class Muon(FusedAdamW):
    """Momentum whose matrices are orthogonalised before they are taken as steps.

    A step then moves all directions of a matrix alike, those of small gradients too: the imputation network needs half of AdamW's
    steps, each half as dear again on a CPU.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        Matrices of at least 64 rows and columns get Muon's steps, the others AdamW's.
    lr : float
        Of matrices, whose steps have AdamW's usual size. Others learn at 0.4 of it.
    betas : tuple of float
        Muon's momentum (Nesterov's form), and both of AdamW.
    weight_decay : float
        Decoupled decay per step, times the learning rate.

    Notes
    -----
    O(rows * columns * min(rows, columns)) per matrix and step, in the matrices' own precision: the reference rounds to bfloat16,
    which many processors only emulate.

    References
    ----------
    Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". Size of a step: Liu et al. 2025, "Muon is
    Scalable for LLM Training", section 2.2, ``0.2 sqrt(max(rows, columns))``.
    """

    @torch.no_grad()
    def step(self) -> None:
        """One update."""
        group = self.param_groups[0]
        rate, decay, momentum = group["lr"], group["weight_decay"], group["betas"][0]
        by_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for i, parameter in enumerate(group["params"]):
            if parameter.ndim == 2 and min(parameter.shape) >= SMALLEST and parameter.grad is not None:
                state = self.state.setdefault(i, {"momentum": torch.zeros_like(parameter)})
                state["momentum"].lerp_(parameter.grad, 1 - momentum)
                by_shape[parameter.shape].append((parameter, parameter.grad.lerp(state["momentum"], momentum)))
                parameter.grad = None
        for shape, moving in by_shape.items():
            steps = orthogonalized(torch.stack([step for _, step in moving]))
            for (parameter, _), step in zip(moving, steps, strict=True):
                parameter.mul_(1 - rate * decay).sub_(step, alpha=0.2 * max(shape) ** 0.5 * rate)
        group["lr"] = _SHARE_OF_OTHERS * rate
        super().step()
        group["lr"] = rate


def orthogonalized(matrices: Tensor) -> Tensor:
    """About ``U V'`` of matrices ``U S V'``: singular values above 2 % of the norm come between 0.6 and 1.3.

    Parameters
    ----------
    matrices : Tensor of shape (n, rows, columns)

    Returns
    -------
    Tensor of shape (n, rows, columns)

    References
    ----------
    Jordan et al. 2024, "Muon", with three of their five iterations of Newton and Schulz: five reach smaller singular values, and
    took the imputation network no further.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    found = matrices.mT if tall else matrices
    found = found / found.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None]
    first, third, fifth = _COEFFICIENTS
    for _ in range(_N_ITERATIONS):
        gram = found @ found.mT
        found = first * found + (third * gram + fifth * gram @ gram) @ found
    return found.mT if tall else found
