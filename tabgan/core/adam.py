"""AdamW over torch's fused kernel, without `torch.optim`: its first optimiser imports the compiler, a second or more of CPU time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FusedAdamW"]


class FusedAdamW:
    """What `torch.optim.AdamW(..., fused=True)` does, with the part of its interface that `tabgan.core.trainer` uses.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        What moves. Those without a gradient stay.
    lr : float
        Learning rate.
    betas : tuple of float
        Decay of the two moments.
    weight_decay : float
        Decoupled decay per step, times the learning rate.

    References
    ----------
    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
    """

    EPSILON = 1e-8

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, lr: float, betas: tuple[float, float], weight_decay: float
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [
            {"params": list(parameters), "lr": lr, "betas": betas, "weight_decay": weight_decay}
        ]
        self.state: dict[int, dict[str, Tensor]] = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; setting them to zeros instead is not offered."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One update."""
        group = self.param_groups[0]
        moving = [(i, p) for i, p in enumerate(group["params"]) if p.grad is not None]
        for i, parameter in moving:
            if i not in self.state:
                self.state[i] = {
                    "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
        states = [self.state[i] for i, _ in moving]
        steps = [state["step"] for state in states]
        if not moving:
            return
        torch._foreach_add_(steps, 1)
        torch._fused_adamw_(
            [p for _, p in moving],
            [p.grad for _, p in moving],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=self.EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Moments and settings, in torch's layout."""
        group = {name: value for name, value in self.param_groups[0].items() if name != "params"}
        group["params"] = list(range(len(self.param_groups[0]["params"])))
        return {
            "state": {i: {name: part.clone() for name, part in state.items()} for i, state in self.state.items()},
            "param_groups": [group],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        parameters = self.param_groups[0]["params"]
        self.param_groups[0] |= {n: v for n, v in state["param_groups"][0].items() if n != "params"}
        self.state = {
            int(i): {name: part.clone().to(parameters[int(i)].device) for name, part in saved.items()}
            for i, saved in state["state"].items()
        }
