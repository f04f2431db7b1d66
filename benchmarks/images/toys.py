"""Toy problems with known answers: the xy game of two optimisers, and the ring of Gaussians that shows lost modes."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["RingScore", "ring_centres", "ring_of_gaussians", "ring_score", "xy_game"]

Order = Literal["simultaneous", "alternating", "optimistic"]


def xy_game(
    n_steps: int = 200,
    *,
    step_size: float = 0.1,
    order: Order = "simultaneous",
    start: tuple[float, float] = (1.0, 0.0),
) -> Tensor:
    """Play ``min_x max_y x y`` by gradient steps: the smallest game on which plain gradient descent fails.

    Parameters
    ----------
    n_steps : int, default=200
        Steps of both players.
    step_size : float, default=0.1
        Learning rate h.
    order : {"simultaneous", "alternating", "optimistic"}, default="simultaneous"
        ``"simultaneous"``: both move on the old point; the radius grows by ``sqrt(1 + h^2)`` a step. ``"alternating"``: y
        answers the new x; the radius stays bounded for ``h < 2``. ``"optimistic"``: both move on twice the new gradient minus
        the last one; it shrinks.
    start : tuple of float, default=(1.0, 0.0)
        First x and y.

    Returns
    -------
    Tensor of float64 of shape (n_steps + 1, 2)
        The path; the solution is (0, 0).

    Raises
    ------
    InvalidParameterError
        Unknown ``order``, negative ``n_steps`` or ``step_size`` not positive.

    References
    ----------
    Goodfellow 2016, "NIPS 2016 Tutorial: Generative Adversarial Networks", section 8.2; Daskalakis et al. 2018, "Training GANs with
    Optimism", equation 4.

    Examples
    --------
    >>> round(float(xy_game(200)[-1].norm()), 2)
    2.7
    """
    if order not in get_args(Order):
        raise InvalidParameterError(f"order={order!r} is not one of {list(get_args(Order))}.")
    if n_steps < 0 or not step_size > 0:
        raise InvalidParameterError(f"n_steps={n_steps!r} must be at least 0 and step_size={step_size!r} positive.")
    x, y = start
    before_x, before_y = y, x  # d(xy)/dx = y and d(xy)/dy = x, as of the step before
    path = [(x, y)]
    for _ in range(n_steps):
        slope_x, slope_y = y, x
        if order == "optimistic":
            x, y = x - step_size * (2 * slope_x - before_x), y + step_size * (2 * slope_y - before_y)
            before_x, before_y = slope_x, slope_y
        elif order == "alternating":
            x = x - step_size * slope_x
            y = y + step_size * x
        else:
            x, y = x - step_size * slope_x, y + step_size * slope_y
        path.append((x, y))
    return torch.tensor(path, dtype=torch.float64)


def ring_centres(n_modes: int = 8, radius: float = 1.0) -> Tensor:
    """Centres of the ring's modes, shape (n_modes, 2), the first at (radius, 0)."""
    if n_modes < 1:
        raise InvalidParameterError(f"n_modes={n_modes!r} must be at least 1.")
    angle = 2 * math.pi * torch.arange(n_modes) / n_modes
    return radius * torch.stack([angle.cos(), angle.sin()], 1)


def ring_of_gaussians(
    n: int, generator: torch.Generator, *, n_modes: int = 8, radius: float = 1.0, std: float = 0.01
) -> tuple[Tensor, Tensor]:
    """Points of the equal mixture of small Gaussians on a circle.

    Parameters
    ----------
    n : int
        Points.
    generator : torch.Generator
        CPU generator.
    n_modes : int, default=8
        Gaussians.
    radius : float, default=1.0
        Of the circle.
    std : float, default=0.01
        Standard deviation of each, per coordinate.

    Returns
    -------
    tuple of Tensor of shape (n, 2) and LongTensor of shape (n,)
        Points and the modes they were drawn from.

    References
    ----------
    Metz et al. 2017, "Unrolled Generative Adversarial Networks", appendix A; the authors' notebook has radius 1 and std 0.01.
    """
    mode = torch.randint(n_modes, (n,), generator=generator)
    return ring_centres(n_modes, radius)[mode] + std * torch.randn(n, 2, generator=generator), mode


class RingScore(NamedTuple):
    """What `ring_score` returns.

    Attributes
    ----------
    modes_hit : int
        Modes with enough points within three standard deviations of the centre.
    share_near : float in [0, 1]
        Share of all points that are so near to some centre; ``1 - exp(-9/2) = 0.989`` for the ring itself.
    """

    modes_hit: int
    share_near: float


def ring_score(
    points: Tensor, *, n_modes: int = 8, radius: float = 1.0, std: float = 0.01, least_share: float = 0.0
) -> RingScore:
    """Which modes of the ring some points have found, and how many points lie off it.

    Parameters
    ----------
    points : Tensor of shape (n, 2)
        Generated points.
    n_modes, radius, std : int, float, float, default=8, 1.0 and 0.01
        The ring, as in `ring_of_gaussians`.
    least_share : float, default=0.0
        A mode counts with more than this share of all points near it; 0 asks for one point.

    Raises
    ------
    InvalidInputError
        No points, or not in the plane.
    """
    if points.dim() != 2 or points.shape[1] != 2 or not len(points):
        raise InvalidInputError(f"points has shape {tuple(points.shape)}; pass (n, 2) with at least one point.")
    near = torch.cdist(points.double().cpu(), ring_centres(n_modes, radius).double()) <= 3 * std
    share = near.double().mean(0)
    return RingScore(int((share > least_share).sum()), float(near.any(1).double().mean()))
