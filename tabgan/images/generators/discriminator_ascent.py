"""The discriminator as its own generator: negatives are where it scores highest, found by enumeration or gradient ascent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.cases import Case, Players
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, OptimizerSpec, Phase
from tabgan.exceptions import InvalidParameterError
from tabgan.images.generators.one_player import ADAM, OnePlayer, checked_data
from tabgan.networks.blocks import init_linear, mlp
from tabgan.verdict import Verdict

__all__ = ["ArgmaxTask", "Scorer", "ascend", "ascent_generator", "best_of"]

Search = Callable[[Any, int, torch.Generator], Tensor]


class Scorer(nn.Module):
    """One logit per row by a fully connected network.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row or image.
    search : callable
        ``search(model, n, generator) -> Tensor of shape (n, *shape)``: where `sample` looks for high scores.
    hidden : sequence of int, default=(128,)
        Widths of the hidden layers.
    generator : torch.Generator
        Source of the initial weights.
    """

    def __init__(
        self, shape: Sequence[int], search: Search, *, hidden: Sequence[int] = (128,), generator: torch.Generator
    ) -> None:
        super().__init__()
        self.search = search
        # Smooth, for the search follows the slope in x: with ReLU it is constant on pieces.
        self.net = mlp([math.prod(shape), *hidden, 1], activation=nn.Softplus)
        init_linear(self, generator)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Verdict:
        """The logit per row."""
        return Verdict(self.net(x.flatten(1))[:, 0])

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """The ``n`` rows that the search finds."""
        return self.search(self, n, generator)


def ascend(
    shape: Sequence[int], *, n_steps: int = 50, step_size: float = 0.1, low: float = 0.0, high: float = 1.0
) -> Search:
    """Gradient ascent on the score from uniform starts, projected to a box.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row or image.
    n_steps : int, default=50
        Steps; each costs a forward and a backward pass, where a generator network needs one forward pass altogether.
    step_size : float, default=0.1
        Length of a step relative to the box's side, in root mean square per pixel, at first; it shrinks linearly to 0.
    low, high : float, default=0.0 and 1.0
        The box.

    Notes
    -----
    Steps have a set length whatever the slope: saturated scores have next to none.
    """
    if n_steps < 1 or step_size <= 0 or low >= high:
        raise InvalidParameterError(
            f"n_steps={n_steps!r}, step_size={step_size!r}: positive; low={low!r} < high={high!r}."
        )

    def search(model: nn.Module, n: int, generator: torch.Generator) -> Tensor:
        like = next(model.parameters())
        x = low + (high - low) * torch.rand(n, *shape, generator=generator).to(like)
        for step in range(n_steps):
            with torch.enable_grad():
                x.requires_grad_(True)
                (slope,) = torch.autograd.grad(model(x).adversarial.sum(), x)
            unit = slope.flatten(1).square().mean(1).sqrt().clamp_min(1e-12).reshape(-1, *[1] * len(shape))
            length = step_size * (high - low) * (1 - step / n_steps)
            x = (x.detach() + length * slope / unit).clamp(low, high)
        return x.detach()

    return search


def best_of(candidates: Tensor, *, tie: float = 1e-6) -> Search:
    """Enumeration: draw among the ``candidates`` (m, ...) whose score is within ``tie`` of the best."""

    @torch.no_grad()
    def search(model: nn.Module, n: int, generator: torch.Generator) -> Tensor:
        score = model(candidates).adversarial
        best = torch.nonzero(score >= score.max() - tie)[:, 0]
        return candidates[best[torch.randint(len(best), (n,), generator=generator).to(best.device)]]

    return search


@dataclass
class ArgmaxBatch:
    """Real rows, and the generator for the search to come.

    Parameters
    ----------
    real : Tensor of shape (n, ...)
    generator : torch.Generator
    """

    real: Tensor
    generator: torch.Generator


class ArgmaxTask:
    """Real rows against the rows that the discriminator itself likes best.

    Parameters
    ----------
    data : Tensor of shape (n, ...)
        All rows.
    search : callable
        Finds rows of high score.
    batch_size : int
        Real rows, and negatives, per step.
    """

    def __init__(self, data: Tensor, search: Search, batch_size: int) -> None:
        self.data, self.search, self.batch_size = data, search, batch_size

    def batch(self, generator: torch.Generator) -> ArgmaxBatch:
        """Real rows, and the generator for the search to come."""
        rows = torch.randint(len(self.data), (self.batch_size,), generator=generator).to(self.data.device)
        return ArgmaxBatch(self.data[rows], generator)

    def discriminator_cases(self, players: Players, batch: ArgmaxBatch) -> list[Case]:
        """Real rows with target 1, the search's finds with target 0."""
        judge = players["generator"]
        found = self.search(judge, self.batch_size, batch.generator)
        return [Case(judge(batch.real), 1.0), Case(judge(found), 0.0)]

    def generator_cases(self, players: Players, batch: ArgmaxBatch) -> list[Case]:
        """None: there is no generator."""
        return []


def ascent_generator(
    data: Tensor,
    search: Search,
    *,
    generator: torch.Generator,
    hidden: Sequence[int] = (128,),
    batch_size: int = 64,
    optimizer: OptimizerSpec = ADAM,
) -> OnePlayer:
    """A `Scorer` of ``data`` (n, ...) whose negatives come from ``search``: `ascend` or `best_of`.

    Parameters
    ----------
    data : Tensor of shape (n, ...)
        Real rows.
    search : callable
        Where negatives, and samples, are looked for.
    generator : torch.Generator
        Source of the initial weights.
    hidden : sequence of int, default=(128,)
        Widths of the scorer's hidden layers.
    batch_size : int, default=64
        Real rows, and negatives, per step.
    optimizer : OptimizerSpec, default=ADAM
        Adam with learning rate 1e-3 and betas (0.9, 0.999).

    Notes
    -----
    The loop of structured learning (Lee, "GAN for structured learning", lecture notes). It stops where the argmax is the data:
    there both pushes balance at score 0, and nothing pushes down what was lower from the start.
    """
    task = ArgmaxTask(checked_data(data), search, batch_size)
    model = Scorer(data.shape[1:], search, hidden=hidden, generator=generator).to(data)
    loss = DiscriminatorLoss(ADVERSARIAL_LOSSES["non-saturating"], task)
    return OnePlayer(model, [Phase("generator", loss, optimizer)], task)
