"""Unrolled GANs: the generator descends against the discriminator as it will be K steps from now."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tabgan.core.cases import BatchT, Players
from tabgan.core.losses import LossPair
from tabgan.core.phases import Optimizer, OptimizerSpec, Term
from tabgan.core.tasks import GeneratingTask
from tabgan.exceptions import InvalidParameterError

__all__ = ["UnrolledGeneratorLoss"]

Weights = dict[str, Tensor]


class UnrolledGeneratorLoss(Generic[BatchT]):
    """A generator's phase loss against the discriminator after K differentiable steps of its own.

    Parameters
    ----------
    loss : LossPair
        The pair of both players.
    task : GeneratingTask
        Supplies ``fakes`` and the cases. All K steps look at the same batch, as in the authors' code.
    n_unroll : int, default=5
        K; 0 is the ordinary generator loss.
    inner : OptimizerSpec, default=OptimizerSpec(name="sgd", learning_rate=1e-2, betas=(0.0, 0.0))
        How the imagined discriminator learns: ``"sgd"`` (first beta: momentum) or ``"adam"`` without weight decay.
    moments : callable, default=None
        Returns the discriminator's real optimiser (``lambda: trainer.optimizers[0]``), whose running moments the imagined
        steps start from. None starts at zero; Adam's first step is then the sign of the gradient, through which next to no
        gradient flows.
    through_steps : bool, default=True
        Differentiate through the imagined steps. False only looks ahead (as many ports do), which is cheaper, but leaves out
        how the discriminator reacts to the generator.
    terms : sequence of Term, default=()
        Further terms.
    name : str, default="generator"
        Prefix in the history.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.

    Notes
    -----
    The real discriminator stays as it is and makes its ordinary steps in its own phase; its buffers stay, too. Penalties are
    not part of the imagined steps.

    References
    ----------
    Metz et al. 2017, "Unrolled Generative Adversarial Networks", eq. 4-7.
    """

    def __init__(
        self,
        loss: LossPair,
        task: GeneratingTask[BatchT],
        *,
        n_unroll: int = 5,
        inner: OptimizerSpec | None = None,
        moments: Callable[[], Optimizer] | None = None,
        through_steps: bool = True,
        terms: Sequence[Term[BatchT]] = (),
        name: str = "generator",
    ) -> None:
        inner = OptimizerSpec("sgd", 1e-2, (0.0, 0.0)) if inner is None else inner
        if n_unroll < 0:
            raise InvalidParameterError(f"n_unroll={n_unroll} must not be negative.")
        if inner.name not in ("sgd", "adam"):
            raise InvalidParameterError(f"inner.name={inner.name!r} is not one of 'sgd', 'adam'.")
        if inner.weight_decay:
            raise InvalidParameterError(f"inner.weight_decay={inner.weight_decay} must be 0.")
        self.loss = loss
        self.task = task
        self.n_unroll = n_unroll
        self.inner = inner
        self.moments = moments
        self.through_steps = through_steps
        self.terms = terms
        self.name = name

    def __call__(
        self, players: Mapping[str, nn.Module], batch: BatchT, generator: torch.Generator, step: int
    ) -> dict[str, Tensor]:
        """The generator's loss against the imagined discriminator, and the further terms."""
        shown = self.task.showing(batch, fakes=self.task.fakes(players, batch))
        judge = players["discriminator"]
        weights = {name: p.detach().clone().requires_grad_(True) for name, p in judge.named_parameters()}
        memory = self._memory(judge)
        for count in range(self.n_unroll):
            cases = self.task.discriminator_cases(_imagined(players, judge, weights), shown)
            loss = self.loss.discriminator_loss(cases)
            gradients = torch.autograd.grad(
                loss, list(weights.values()), create_graph=self.through_steps, retain_graph=True, allow_unused=True
            )
            weights = {
                name: p if g is None else self._stepped(p, g, memory[name], count)
                for (name, p), g in zip(weights.items(), gradients, strict=True)
            }
        cases = self.task.generator_cases(_imagined(players, judge, weights), shown)
        values = {self.name: self.loss.generator_loss(cases)}
        self.loss.after_phase(self.name, cases)
        return values | {term.name: term.weight * term.function(players, batch) for term in self.terms}

    def _stepped(self, weight: Tensor, gradient: Tensor, memory: dict[str, Any], count: int) -> Tensor:
        first, second = self.inner.betas
        if self.inner.name == "sgd":
            memory["momentum"] = first * memory["momentum"] + gradient
            return weight - self.inner.learning_rate * memory["momentum"]
        step = memory["step"] + count + 1
        memory["mean"] = first * memory["mean"] + (1 - first) * gradient
        memory["square"] = second * memory["square"] + (1 - second) * gradient.square()
        mean = memory["mean"] / _bias(first, step)
        # sqrt has no derivative at 0, where a weight that never had a gradient sits.
        root = (memory["square"] / _bias(second, step) + 1e-24).sqrt()
        return weight - self.inner.learning_rate * mean / (root + 1e-8)

    def _memory(self, judge: nn.Module) -> dict[str, dict[str, Any]]:
        """Momentum or moments to start from, per weight."""
        known: dict[int, dict[str, Any]] = {}
        if self.moments is not None:
            optimizer = self.moments()
            owned = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            known = {id(owned[index]): state for index, state in optimizer.state_dict()["state"].items()}
        memory = {}
        for name, parameter in judge.named_parameters():
            state = known.get(id(parameter), {})
            zero = torch.zeros_like(parameter)
            momentum = state.get("momentum_buffer")
            memory[name] = {
                "momentum": zero if momentum is None else momentum.clone(),
                "mean": state.get("exp_avg", zero).clone(),
                "square": state.get("exp_avg_sq", zero).clone(),
                "step": torch.as_tensor(state.get("step", 0.0)),  # stays a tensor: reading it would wait for the device
            }
        return memory


def _bias(beta: float, step: Tensor) -> Tensor:
    """``1 - beta^step`` without the rounding that single precision brings to a beta near 1."""
    return -torch.expm1(step * (math.log(beta) if beta else -math.inf))


def _imagined(players: Players, judge: nn.Module, weights: Weights) -> Players:
    """The players with a discriminator that has other weights, and buffers that nobody will see again."""
    buffers = {name: buffer.clone() for name, buffer in judge.named_buffers()}

    def imagined(*inputs: Any) -> Any:
        return functional_call(judge, {**weights, **buffers}, inputs)

    return {**players, "discriminator": imagined}
