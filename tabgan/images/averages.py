"""Batch-norm statistics for averaged weights: the running ones belong to weights that no longer exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

__all__ = ["settled"]


@torch.no_grad()
def settled(modules: Sequence[nn.Module], make: Callable[[], object], *, n_batches: int = 20) -> None:
    """Recompute the batch-norm statistics of ``modules`` as plain means over fresh batches.

    Parameters
    ----------
    modules : sequence of nn.Module
        Changed in place and left in evaluation mode.
    make : callable
        Runs the modules on one batch.
    n_batches : int, default=20
        Batches to average over.

    References
    ----------
    Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization", algorithm 1, last line.
    """
    norms = [
        layer for module in modules for layer in module.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)
    ]
    if norms:
        momenta = [layer.momentum for layer in norms]
        for layer in norms:
            layer.reset_running_stats()
            layer.momentum = None  # a cumulative mean
            layer.train()
        for _ in range(n_batches):
            make()
        for layer, momentum in zip(norms, momenta, strict=True):
            layer.momentum = momentum
    for module in modules:
        module.eval()
