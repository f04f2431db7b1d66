"""Steady heat fields: boundary temperatures in, the solution of Laplace's equation out. A task with a known truth for pix2pix."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csc_matrix, lil_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["heat_fields", "solve_laplace"]


def solve_laplace(boundary: Tensor) -> Tensor:
    """Temperatures inside a plate whose rim is held fixed, by the five-point stencil and a sparse direct solver.

    Parameters
    ----------
    boundary : Tensor of shape (n, 1, height, width)
        Rim pixels hold the temperatures; inner pixels are not read. Sides of at least 3 pixels.

    Returns
    -------
    Tensor of shape (n, 1, height, width)
        The rim unchanged; every inner pixel is the mean of its four neighbours (to rounding).

    Raises
    ------
    InvalidInputError
        Another shape.

    Examples
    --------
    >>> ramp = torch.linspace(-1, 1, 5).expand(1, 1, 5, 5)
    >>> bool((solve_laplace(ramp) - ramp).abs().max() < 1e-6)
    True
    """
    if boundary.ndim != 4 or boundary.shape[1] != 1 or min(boundary.shape[2:]) < 3:
        raise InvalidInputError(
            f"boundary has shape {tuple(boundary.shape)}; it must be (n, 1, height, width) with sides of at least 3 pixels."
        )
    height, width = boundary.shape[2:]
    inner = np.zeros((height, width), dtype=bool)
    inner[1:-1, 1:-1] = True
    place = np.full((height, width), -1)
    place[inner] = np.arange(inner.sum())
    matrix = lil_matrix((inner.sum(), inner.sum()))
    from_rim = lil_matrix((inner.sum(), height * width))
    for row, column in zip(*np.nonzero(inner), strict=True):
        here = place[row, column]
        matrix[here, here] = 4.0
        for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if inner[near]:
                matrix[here, place[near]] = -1.0
            else:
                from_rim[here, near[0] * width + near[1]] = 1.0
    values = boundary.detach().cpu().double().numpy().reshape(len(boundary), -1)
    solved = splu(csc_matrix(matrix)).solve(csc_matrix(from_rim) @ values.T).T
    field = values.copy()
    field[:, inner.reshape(-1)] = solved
    return torch.from_numpy(field.reshape(boundary.shape)).to(boundary)


def heat_fields(n: int, size: int = 16, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random plates: each side has a temperature that runs from corner to corner with one bump.

    Parameters
    ----------
    n : int
        Number of plates.
    size : int, default=16
        Pixels on a side, at least 3.
    generator : torch.Generator
        Source of the boundary temperatures.

    Returns
    -------
    boundaries : Tensor of shape (n, 1, size, size)
        The rim's temperatures in [-1, 1], 0 inside.
    fields : Tensor of shape (n, 1, size, size)
        The steady temperatures, within [-1, 1] by the maximum principle.
    """
    if n < 1 or size < 3:
        raise InvalidParameterError(f"n={n} and size={size} must be at least 1 and 3.")
    along = torch.linspace(0, 1, size)
    corners = 2 * torch.rand(n, 5, generator=generator) - 1
    corners[:, 4] = corners[:, 0]
    bumps = 2 * torch.rand(n, 4, generator=generator) - 1
    sides = corners[:, :4, None] * (1 - along) + corners[:, 1:, None] * along
    sides = (sides + bumps[:, :, None] * torch.sin(torch.pi * along)).clamp(-1, 1)
    boundary = torch.zeros(n, 1, size, size)
    top, right, bottom, left = sides.unbind(1)
    boundary[:, 0, 0, :], boundary[:, 0, :, -1] = top, right
    boundary[:, 0, -1, :], boundary[:, 0, :, 0] = bottom.flip(1), left.flip(1)
    return boundary, solve_laplace(boundary)
