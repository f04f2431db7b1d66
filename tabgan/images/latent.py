"""Walks through latent space and truncated noise."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["lerp", "slerp", "truncated_noise"]


def lerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points on the straight line between latent codes.

    Parameters
    ----------
    start, end : Tensor of shape (..., d)
        Codes.
    steps : int
        Points, both ends included; at least 2.

    Returns
    -------
    Tensor of shape (steps, ..., d)
        For normal noise of many dimensions its middle is shorter than any noise the generator saw: see `slerp`.

    Examples
    --------
    >>> lerp(torch.tensor([0.0, 2.0]), torch.tensor([4.0, 2.0]), 3).tolist()
    [[0.0, 2.0], [2.0, 2.0], [4.0, 2.0]]
    """
    along = _fractions(start, end, steps)
    return (1 - along) * start + along * end


def slerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points on the arc between latent codes: the direction turns evenly, the norm goes linearly from one to the other.

    Parameters
    ----------
    start, end : Tensor of shape (..., d)
        Codes, none of them 0.
    steps : int
        Points, both ends included; at least 2.

    Returns
    -------
    Tensor of shape (steps, ..., d)
        Norms stay between those of the ends. Codes of opposite direction have no arc; a row of them is refused.

    Raises
    ------
    InvalidInputError
        Different shapes, a code of norm 0, or opposite directions.

    References
    ----------
    White 2016, "Sampling Generative Networks", section 2.1, after Shoemake 1985. Departure: White's weights applied to the codes
    themselves do not keep the norm between the ends' when these differ; here directions and norms are interpolated apart.

    Examples
    --------
    >>> slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 3)
    tensor([[2.0000, 0.0000],
            [1.4142, 1.4142],
            [0.0000, 2.0000]])
    """
    along = _fractions(start, end, steps)
    norms = [code.norm(dim=-1, keepdim=True) for code in (start, end)]
    if not all((norm > 0).all() for norm in norms):
        raise InvalidInputError("start or end holds a code of norm 0, which has no direction; use lerp.")
    first, last = start / norms[0], end / norms[1]
    # atan2 of difference and sum: acos of the product loses half the digits near 0 and 180 degrees.
    angle = 2 * torch.atan2((first - last).norm(dim=-1, keepdim=True), (first + last).norm(dim=-1, keepdim=True))
    sine = angle.sin()
    if (angle > 3.1415).any():
        raise InvalidInputError("start and end hold opposite codes, between which no arc is the shortest; use lerp.")
    straight = sine < 1e-4  # the arc is a line to rounding
    safe = torch.where(straight, 1.0, sine)
    weights = [torch.where(straight, share, (share * angle).sin() / safe) for share in (1 - along, along)]
    direction = weights[0] * first + weights[1] * last
    return direction * ((1 - along) * norms[0] + along * norms[1])


def truncated_noise(
    n: int, d_noise: int, threshold: float, generator: torch.Generator, *, distribution: str = "normal"
) -> Tensor:
    """Standard normal noise whose entries beyond a threshold are drawn again: better pictures, fewer kinds of them.

    Parameters
    ----------
    n, d_noise : int
        Rows and their width.
    threshold : float
        Largest absolute value tau; small ones give precision and take recall.
    generator : torch.Generator
        CPU generator.
    distribution : str, default="normal"
        What the generator network was trained on. Anything but ``"normal"`` is refused: a uniform prior has no tails, and cutting it
        leaves out inner codes, not unlikely ones.

    Returns
    -------
    Tensor of shape (n, d_noise)
        Use it for sampling only, never for training.

    Raises
    ------
    InvalidParameterError
        ``threshold`` not positive, or another distribution.

    References
    ----------
    Brock, Donahue, Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", section 3.1. Departure: drawn
    by the inverse of the truncated distribution function, which has the same distribution and ends for every threshold.
    """
    if distribution != "normal":
        raise InvalidParameterError(
            f"distribution={distribution!r} cannot be truncated; only 'normal' noise has tails."
        )
    if not threshold > 0:
        raise InvalidParameterError(f"threshold={threshold!r} must be positive.")
    limit = torch.special.ndtr(torch.tensor(threshold, dtype=torch.float64))
    u = torch.rand(n, d_noise, generator=generator, dtype=torch.float64)
    # Half a unit in the last place keeps u = 0 off the quantile -inf of an untruncated normal.
    u = u.clamp_min(torch.finfo(torch.float64).eps / 2)
    noise = torch.special.ndtri(1 - limit + u * (2 * limit - 1))
    return noise.clamp(-threshold, threshold).float()


def _fractions(start: Tensor, end: Tensor, steps: int) -> Tensor:
    if start.shape != end.shape or not start.dim():
        raise InvalidInputError(f"start has shape {tuple(start.shape)} and end {tuple(end.shape)}; pass codes alike.")
    if steps < 2:
        raise InvalidParameterError(f"steps={steps!r} must be at least 2, for both ends.")
    return torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device).reshape(-1, *[1] * start.dim())
