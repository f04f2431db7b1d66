"""Penalties on a discriminator, and the WGAN weight clip: functions that know nothing of the loss they accompany."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tabgan.core.cases import Case
from tabgan.verdict import Verdict

__all__ = [
    "PENALTIES",
    "CasePenalty",
    "Penalty",
    "WeightClip",
    "dragan_gaussian_penalty",
    "dragan_uniform_penalty",
    "gradient_penalty",
    "r1_penalty",
    "r2_penalty",
]

Judge = Callable[[Tensor], Verdict]
"""The discriminator as a function of its input alone: conditions are already bound, for they are never interpolated."""


def gradient_penalty(judge: Judge, real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """WGAN-GP: squared distance of the gradient norm from 1 between real and generated rows.

    Parameters
    ----------
    judge : callable
        Maps an input of shape (n, ...) to a `Verdict` with adversarial scores.
    real, fake : Tensor of shape (n, ...)
        Rows of both kinds, of equal shape.
    generator : torch.Generator
        Source of the mixing weights, one per row.

    Returns
    -------
    Tensor of shape ()
        ``mean over rows of (|| d D(xh)/d xh ||_2 - 1)^2`` with ``xh = a x + (1 - a) G(z)``, a ~ U(0, 1) per row.

    References
    ----------
    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", eq. 3 and algorithm 1. The norm is taken per row; taken
    over the whole batch, as some libraries do, it is too large by a factor of sqrt(n).
    """
    mix = torch.rand(len(real), generator=generator).to(real).reshape(-1, *[1] * (real.ndim - 1))
    between = (mix * real.detach() + (1 - mix) * fake.detach()).requires_grad_(True)
    return ((_gradient_norm(judge, between) - 1) ** 2).mean()


def r1_penalty(judge: Judge, real: Tensor, fake: Tensor | None, generator: torch.Generator) -> Tensor:
    """R1: half the mean squared gradient norm at real rows.

    Parameters
    ----------
    judge : callable
        Maps an input of shape (n, ...) to a `Verdict` with adversarial scores.
    real : Tensor of shape (n, ...)
        Rows of the data.
    fake, generator
        Not used; part of the common signature.

    Returns
    -------
    Tensor of shape ()
        ``0.5 * mean over rows of || d D(x)/d x ||_2^2``.

    References
    ----------
    Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", eq. 9.
    """
    return 0.5 * (_gradient_norm(judge, real.detach().requires_grad_(True)) ** 2).mean()


def r2_penalty(judge: Judge, real: Tensor | None, fake: Tensor, generator: torch.Generator) -> Tensor:
    """R2: half the mean squared gradient norm at generated rows.

    Parameters
    ----------
    judge : callable
        Maps an input of shape (n, ...) to a `Verdict` with adversarial scores.
    fake : Tensor of shape (n, ...)
        Generated rows.
    real, generator
        Not used; part of the common signature.

    Returns
    -------
    Tensor of shape ()
        ``0.5 * mean over rows of || d D(x)/d x ||_2^2``.

    References
    ----------
    Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", eq. 10.
    """
    return r1_penalty(judge, fake, None, generator)


def dragan_uniform_penalty(
    judge: Judge,
    real: Tensor,
    fake: Tensor | None,
    generator: torch.Generator,
    *,
    scale: float = 0.5,
    slope: float = 1.0,
) -> Tensor:
    """DRAGAN as its authors coded it: squared distance of the gradient norm from ``slope`` just beside real rows.

    Parameters
    ----------
    judge : callable
        Maps an input of shape (n, ...) to a `Verdict` with adversarial scores.
    real : Tensor of shape (n, ...)
        Rows of the data.
    fake
        Not used; part of the common signature.
    generator : torch.Generator
        Source of the noise and of the mixing weights.
    scale : float, default=0.5
        Noise in units of the batch's standard deviation, one number for all elements.
    slope : float, default=1.0
        k, the gradient norm asked for.

    Returns
    -------
    Tensor of shape ()
        ``mean over rows of (|| d D(xh)/d xh ||_2 - slope)^2`` with ``xh = x + a scale std(x) u``, u ~ U(0, 1) per element and
        a ~ U(0, 1) per row.

    References
    ----------
    Kodali et al. 2017, "On Convergence and Stability of GANs", section 2.3, and the authors' notebook, whose noise is
    one-sided; the paper does not fix its law. See `dragan_gaussian_penalty` for the other common reading.
    """
    noise = scale * real.std(correction=0) * torch.rand(real.shape, generator=generator).to(real)
    mix = torch.rand(len(real), generator=generator).to(real).reshape(-1, *[1] * (real.ndim - 1))
    beside = (real + mix * noise).detach().requires_grad_(True)
    return ((_gradient_norm(judge, beside) - slope) ** 2).mean()


def dragan_gaussian_penalty(
    judge: Judge,
    real: Tensor,
    fake: Tensor | None,
    generator: torch.Generator,
    *,
    scale: float = 0.5,
    slope: float = 1.0,
) -> Tensor:
    """DRAGAN with normal noise: ``xh = x + scale std(x) e``, e ~ N(0, 1) per element, without interpolation.

    Parameters and return value as in `dragan_uniform_penalty`.

    References
    ----------
    Kodali et al. 2017; the noise N(0, c) as in table 1 of Lucic et al. 2018, "Are GANs Created Equal?" (whose code is a third
    variant, ``std(x) (u - 1/2)``). Departure: c is relative to the data's spread, so that its meaning survives a change of
    units.
    """
    noise = scale * real.std(correction=0) * torch.randn(real.shape, generator=generator).to(real)
    beside = (real + noise).detach().requires_grad_(True)
    return ((_gradient_norm(judge, beside) - slope) ** 2).mean()


def _gradient_norm(judge: Judge, inputs: Tensor) -> Tensor:
    scores = judge(inputs).adversarial
    if scores is None:
        raise ValueError("a gradient penalty needs a discriminator whose Verdict has `adversarial` scores")
    (gradient,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
    # The tiny constant keeps the square root differentiable where the gradient vanishes.
    return (gradient.flatten(1).square().sum(1) + 1e-12).sqrt()


PENALTIES: dict[str, Callable[[Judge, Tensor, Tensor, torch.Generator], Tensor]] = {
    "gradient": gradient_penalty,
    "r1": r1_penalty,
    "r2": r2_penalty,
    "dragan-uniform": dragan_uniform_penalty,
    "dragan-gaussian": dragan_gaussian_penalty,
}
"""Penalties by name, all called as ``penalty(judge, real, fake, generator)``. Another scale or slope is another entry, made with
``functools.partial``."""


@dataclass(frozen=True)
class Penalty:
    """A penalty by name, with its weight and how often it is paid.

    Parameters
    ----------
    name : str
        A key of `PENALTIES`.
    weight : float, default=10.0
        Factor of the term (lambda).
    every : int, default=1
        Pay it on every k-th step only, k-fold (lazy regularisation, Karras et al. 2020).
    """

    name: str
    weight: float = 10.0
    every: int = 1


@dataclass(frozen=True)
class CasePenalty:
    """R1 or R2 from the verdicts that the loss itself stands on, which saves a further pass of every row.

    Parameters
    ----------
    name : {"r1", "r2"}
        At real rows, which are the discriminator's first case, or at generated ones, its second. Their ``data`` must require a
        gradient, as those of tasks with ``paired=True`` do.
    weight : float
        Factor of the term (gamma).
    """

    name: str
    weight: float

    def __call__(self, cases: Sequence[Case]) -> Tensor:
        """Half the mean squared gradient norm, without the weight."""
        case = cases[0 if self.name == "r1" else 1]
        if case.verdict.adversarial is None or case.data is None:
            raise ValueError(
                "a gradient penalty needs a discriminator whose Verdict has `adversarial` scores, and Case.data"
            )
        (slope,) = torch.autograd.grad(case.verdict.adversarial.sum(), case.data, create_graph=True)
        return 0.5 * slope.flatten(1).square().sum(1).mean()


@dataclass(frozen=True)
class WeightClip:
    """Clamp every parameter of a player to ``[-limit, limit]`` after its step (Arjovsky et al. 2017, algorithm 1).

    Parameters
    ----------
    limit : float, default=0.01
        Largest allowed absolute value.
    """

    limit: float = 0.01

    @torch.no_grad()
    def __call__(self, player: nn.Module) -> None:
        """Clamp in place; buffers such as batch-norm statistics are left alone."""
        for parameter in player.parameters():
            parameter.clamp_(-self.limit, self.limit)
