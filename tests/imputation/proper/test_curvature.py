"""Squares and products: found where they are, left out where they are not, and never followed far out."""

import numpy as np
import pytest
import torch

from tabgan.imputation.proper.curvature import Curvature, fit_curvature

SLOTS = np.array([0, 1])


def fitted(left_of, n=300, n_samples=2, n_rows=None, seed=0):
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(n, 3))
    cells = left_of(seen[:, 0], seen[:, 1]) + rng.normal(size=n)
    samples = [(seen, cells, rng.integers(n, size=n)) for _ in range(n_samples)]
    return fit_curvature((seen, cells, np.arange(n)), samples, SLOTS, n_rows or n), seen


@pytest.mark.parametrize("left_of", [lambda x, z: 0.7 * x * z, lambda x, z: 0.5 * x**2, lambda x, z: x * z - z**2])
def test_products_and_squares_are_found(left_of):
    curvature, seen = fitted(left_of)
    told = curvature(torch.from_numpy(seen), 0).numpy()
    wanted = left_of(seen[:, 0], seen[:, 1])
    assert np.corrcoef(told, wanted)[0, 1] > 0.9
    assert np.polyfit(wanted, told, 1)[0] == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_none(seed):
    assert fitted(lambda x, z: 0.0 * x, seed=seed)[0] is None


def test_too_few_cells_have_none():
    assert fitted(lambda x, z: 10 * x * z, n=20)[0] is None


def test_far_out_the_last_cell_seen_speaks():
    curvature, seen = fitted(lambda x, z: x**2)
    most = torch.tensor([[float(seen[:, 0].max()), 0.0, 0.0]]).double()
    torch.testing.assert_close(curvature(most * 100, 0), curvature(most, 0))


def test_sets_differ_less_on_larger_tables():
    def spread(n_rows):
        curvature, _ = fitted(lambda x, z: x * z, n_samples=20, n_rows=n_rows)
        return float(curvature.weights[1:].std(0).mean())

    assert spread(300) == pytest.approx(3 * spread(2700), rel=1e-6)


def test_a_state_gives_the_same_back():
    curvature, seen = fitted(lambda x, z: x * z)
    rows = torch.from_numpy(seen)
    torch.testing.assert_close(Curvature.from_state(curvature.state(), 3, 2)(rows, 2), curvature(rows, 2))
    assert not torch.allclose(curvature(rows, 1), curvature(rows, 2))
