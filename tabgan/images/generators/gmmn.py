"""Generative moment matching network: a generator trained on the kernel distance of its batch to a real one, no adversary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.tasks import GenerationBatch
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.one_player import OnePlayer, checked_data, one_player
from tabgan.networks.blocks import init_linear, mlp

__all__ = ["MomentMatchingNetwork", "median_distance", "mmd_squared", "moment_matching"]


class MomentMatchingNetwork(nn.Module):
    """Uniform noise through a fully connected network.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row or image.
    d_noise : int
        Width of the noise, uniform on [-1, 1].
    hidden : sequence of int, default=(128, 128)
        Widths of the hidden layers.
    bounded : bool, default=False
        End in a sigmoid, for values in [0, 1].
    generator : torch.Generator
        Source of the initial weights.
    """

    def __init__(
        self,
        shape: Sequence[int],
        d_noise: int,
        *,
        hidden: Sequence[int] = (128, 128),
        bounded: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.shape, self.d_noise, self.bounded = tuple(shape), d_noise, bounded
        self.net = mlp([d_noise, *hidden, math.prod(self.shape)])
        init_linear(self, generator)

    def forward(self, noise: Tensor) -> Tensor:
        """Rows of shape (n, *shape) for noise of shape (n, d_noise)."""
        rows = self.net(noise)
        return (torch.sigmoid(rows) if self.bounded else rows).unflatten(1, self.shape)

    def draw_noise(self, n: int, generator: torch.Generator) -> Tensor:
        """Uniform noise on the CPU."""
        return 2 * torch.rand(n, self.d_noise, generator=generator) - 1

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` rows."""
        return self(self.draw_noise(n, generator).to(next(self.parameters())))


def mmd_squared(a: Tensor, b: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """Unbiased squared maximum mean discrepancy under a mixture of Gaussian kernels; differentiable.

    Parameters
    ----------
    a, b : Tensor of shape (n, ...) and (m, ...)
        Samples, flattened.
    bandwidths : sequence of float
        Standard deviations of the kernels, which are averaged.

    Returns
    -------
    Tensor of shape ()
        The number that `tabgan.metrics.mmd_squared` gives for arrays.

    References
    ----------
    Gretton et al. 2012, "A Kernel Two-Sample Test", equation 3.
    """
    first, second = a.flatten(1), b.flatten(1)
    n, m = len(first), len(second)

    def total(x: Tensor, y: Tensor) -> Tensor:
        squares = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T
        kernels = [torch.exp(-squares.clamp_min(0) / (2 * s * s)).sum() for s in bandwidths]
        return torch.stack(kernels).mean()

    # A row's kernel with itself is 1, whatever rounding made of its distance.
    within = (total(first, first) - n) / (n * (n - 1)) + (total(second, second) - m) / (m * (m - 1))
    return within - 2 * total(first, second) / (n * m)


def median_distance(data: Tensor, *, max_rows: int = 1000) -> float:
    """Median distance between rows, from the first ``max_rows`` rows: the usual unit of bandwidths."""
    return float(torch.pdist(data[:max_rows].flatten(1).double()).median()) or 1.0


def moment_matching(
    data: Tensor,
    *,
    generator: torch.Generator,
    d_noise: int = 10,
    hidden: Sequence[int] = (128, 128),
    bounded: bool = False,
    bandwidths: Sequence[float] | None = None,
    batch_size: int = 256,
    **training: Any,
) -> OnePlayer:
    """A `MomentMatchingNetwork` trained on ``data`` (n, ...); ``training`` goes to `one_player`.

    ``bandwidths=None`` takes 1/8, 1/4, 1/2, 1 and 2 times `median_distance`. The history holds the loss under ``"mmd"``.

    References
    ----------
    Li, Swersky, Zemel 2015, "Generative Moment Matching Networks", equation 3. Departures: the unbiased estimator, and MMD^2 itself
    instead of its root, whose slope is infinite at 0.
    """
    if batch_size < 2:
        raise InvalidParameterError(f"batch_size={batch_size!r} must be at least 2: the estimator needs pairs.")
    checked_data(data, low=0.0, high=1.0) if bounded else checked_data(data)
    if len(data) < 2:
        raise InvalidInputError("data has one row; distances need two.")
    unit = median_distance(data)
    scales = [unit * f for f in (0.125, 0.25, 0.5, 1.0, 2.0)] if bandwidths is None else list(bandwidths)
    if not scales or min(scales) <= 0:
        raise InvalidParameterError(f"bandwidths={scales!r} must be positive numbers, one at least.")
    model = MomentMatchingNetwork(data.shape[1:], d_noise, hidden=hidden, bounded=bounded, generator=generator)

    def loss(model: MomentMatchingNetwork, batch: GenerationBatch) -> Tensor:
        return mmd_squared(model(batch.noise.to(batch.real)), batch.real, scales)

    return one_player(model.to(data), data, loss, prior=model.draw_noise, batch_size=batch_size, name="mmd", **training)
