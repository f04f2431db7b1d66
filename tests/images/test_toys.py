"""Toy problems with closed forms."""

import math

import pytest
import torch

from benchmarks.images.toys import ring_centres, ring_of_gaussians, ring_score, xy_game
from tabgan.exceptions import InvalidInputError, InvalidParameterError


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("step_size", [0.05, 0.1, 0.3])
def test_simultaneous_steps_spiral_out_by_a_fixed_factor(step_size):
    radius = xy_game(100, step_size=step_size).norm(dim=1)
    expected = (1 + step_size**2) ** (torch.arange(101, dtype=torch.float64) / 2)
    assert torch.allclose(radius, expected)


def test_alternating_steps_stay_on_an_ellipse():
    h = 0.1
    x, y = xy_game(5000, step_size=h, order="alternating").T
    # The map (x, y) -> (x - h y, y + h (x - h y)) keeps x^2 + y^2 - h x y: multiply it out.
    kept = x**2 + y**2 - h * x * y
    assert torch.allclose(kept, torch.ones_like(kept))
    assert (x**2 + y**2).max() < 1 / (1 - h / 2)


def test_optimistic_steps_converge():
    radius = xy_game(200, order="optimistic").norm(dim=1)
    assert float(radius[-1]) == pytest.approx(0.37, abs=0.01)
    assert xy_game(3000, order="optimistic").norm(dim=1)[-1] < 1e-5


def test_ring():
    points, mode = ring_of_gaussians(8000, seeded())
    centres = ring_centres()
    assert torch.allclose(centres.norm(dim=1), torch.ones(8))
    assert (points - centres[mode]).std() == pytest.approx(0.01, rel=0.05)
    assert torch.bincount(mode).min() > 850
    score = ring_score(points)
    assert score.modes_hit == 8
    assert score.share_near == pytest.approx(1 - math.exp(-4.5), abs=0.005)


def test_lost_modes_and_points_between_them():
    centres = ring_centres()
    assert ring_score(centres[:3].repeat(10, 1)) == (3, 1.0)
    assert ring_score(torch.cat([centres[:1], torch.zeros(3, 2)])) == (1, 0.25)
    points = torch.cat([centres[:1].repeat(99, 1), centres[1:2]])
    assert ring_score(points).modes_hit == 2
    assert ring_score(points, least_share=0.05).modes_hit == 1
    assert ring_score(4 * ring_centres(5), n_modes=5, radius=4.0) == (5, 1.0)


def test_refusals():
    with pytest.raises(InvalidParameterError, match="order"):
        xy_game(order="both")
    with pytest.raises(InvalidParameterError, match="step_size"):
        xy_game(step_size=0.0)
    with pytest.raises(InvalidParameterError, match="n_modes"):
        ring_centres(0)
    with pytest.raises(InvalidInputError, match="shape"):
        ring_score(torch.zeros(3, 3))
