"""The Laplace solver against solutions that are known in closed form."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.images.heat import heat_fields, solve_laplace
from tabgan.exceptions import InvalidInputError, InvalidParameterError


def rim_of(field):
    rim = field.clone()
    rim[..., 1:-1, 1:-1] = 7.0  # must not be read
    return rim


@pytest.mark.parametrize("shape", [(9, 9), (6, 11), (3, 3)])
def test_discrete_harmonic_functions_are_found_exactly(shape):
    row = torch.linspace(-1, 1, shape[0], dtype=torch.float64)[:, None]
    column = torch.linspace(-1, 1, shape[1], dtype=torch.float64)[None, :]
    pixels = torch.arange(shape[0])[:, None].double(), torch.arange(shape[1])[None, :].double()
    fields = [row + 0 * column, 2 * column - 3 * row + 1, row * column, pixels[0] ** 2 - pixels[1] ** 2]
    # On the grid sin(a i) sinh(b j) is harmonic where cos a + cosh b = 2: the continuous solution, with the stencil's own decay.
    angle = math.pi / (shape[0] - 1)
    decay = math.acosh(2 - math.cos(angle))
    fields.append(torch.sin(angle * pixels[0]) * torch.sinh(decay * pixels[1]) / math.sinh(decay * shape[1]))
    truth = torch.stack(fields)[:, None]
    torch.testing.assert_close(solve_laplace(rim_of(truth)), truth, rtol=1e-9, atol=1e-9)


def test_the_solution_approaches_the_continuous_one():
    errors = []
    for size in (9, 33):
        along = torch.linspace(0, 1, size, dtype=torch.float64)
        truth = torch.sin(math.pi * along)[:, None] * torch.sinh(math.pi * along)[None, :] / math.sinh(math.pi)
        errors.append(float((solve_laplace(truth[None, None]) - truth).abs().max()))
    assert errors[1] < errors[0] / 10  # second order: a quarter of the step, a sixteenth of the error


def test_plates_obey_the_maximum_principle_and_their_rim():
    boundary, field = heat_fields(20, 12, generator=torch.Generator().manual_seed(0))
    assert boundary.shape == field.shape == (20, 1, 12, 12)
    rim = torch.ones(12, 12, dtype=torch.bool)
    rim[1:-1, 1:-1] = False
    torch.testing.assert_close(field[..., rim], boundary[..., rim])
    assert float(boundary[..., ~rim].abs().max()) == 0
    inside = field[..., ~rim].flatten(1)
    assert bool((inside.max(1).values <= boundary[..., rim].flatten(1).max(1).values + 1e-6).all())
    assert bool((inside.min(1).values >= boundary[..., rim].flatten(1).min(1).values - 1e-6).all())
    around = (field[..., :-2, 1:-1] + field[..., 2:, 1:-1] + field[..., 1:-1, :-2] + field[..., 1:-1, 2:]) / 4
    torch.testing.assert_close(field[..., 1:-1, 1:-1], around, atol=1e-5, rtol=0)
    assert float(boundary.std()) > 0.2


def test_bad_plates():
    with pytest.raises(InvalidInputError, match="at least 3 pixels"):
        solve_laplace(torch.zeros(1, 1, 2, 5))
    with pytest.raises(InvalidParameterError, match="size=2"):
        heat_fields(1, 2, generator=torch.Generator())
