"""Several processes that train one model on different batches, by `torch.distributed`: gradients, losses and stops are shared."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["average_gradients", "averaged", "first_of_all", "n_processes", "process_number"]


def n_processes() -> int:
    """Processes of the group that was begun with ``torch.distributed.init_process_group``; 1 without one."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def process_number() -> int:
    """The number of this process in the group, from 0 on."""
    return dist.get_rank() if n_processes() > 1 else 0


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Give each parameter the mean of its gradients in all processes; a process without one counts as 0."""
    if n_processes() == 1:
        return
    moving = [parameter for parameter in parameters if parameter.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in moving]
    flat = averaged(torch.cat([gradient.flatten() for gradient in gradients]))
    for parameter, part in zip(moving, flat.split([p.numel() for p in moving]), strict=True):
        parameter.grad = part.reshape(parameter.shape).clone()


@torch.no_grad()
def averaged(values: Tensor) -> Tensor:
    """The mean of these values over all processes."""
    if n_processes() == 1:
        return values
    values = values.clone()
    dist.all_reduce(values)
    return values / n_processes()


def first_of_all(reason: str | None) -> str | None:
    """The first process's reason that has one: all stop when one does, or the others would wait for it for ever."""
    if n_processes() == 1:
        return reason
    reasons: list[str | None] = [None] * n_processes()
    dist.all_gather_object(reasons, reason)
    return next((found for found in reasons if found is not None), None)
