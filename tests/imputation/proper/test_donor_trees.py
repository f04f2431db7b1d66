"""Leaves to draw from: they hold cells of rows like the one that asks, and as many as tell a distribution best."""

import numpy as np
import pytest
import torch

from tabgan.imputation.proper.donor_trees import DonorTrees, choose_leaf_size, grow_donor_trees

SLOTS = np.array([0, 1])


def samples_of(cells_of, n=600, n_samples=3, seed=0):
    """Rows of a number, noise and the cells to draw, which the trees do not look at."""
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(n, 3))
    cells = cells_of(seen[:, 0], rng.normal(size=n))
    seen[:, 2] = cells
    return [(seen, cells, rng.integers(n, size=n)) for _ in range(n_samples)], rng


@pytest.mark.parametrize(
    ("cells_of", "sizes"),
    [
        (lambda x, e: e, {0}),
        (lambda x, e: np.sin(4 * x) + 0.1 * e, {5, 15}),
        (lambda x, e: np.exp(x) * e, {5, 15, 50}),
    ],
    ids=["noise", "a wave", "a spread that changes"],
)
def test_leaves_are_as_large_as_the_cells_are_alike(cells_of, sizes):
    samples, rng = samples_of(cells_of)
    assert choose_leaf_size(samples, SLOTS, rng) in sizes


def test_few_cells_get_one_leaf():
    samples, rng = samples_of(lambda x, e: np.sin(4 * x), n=8)
    assert choose_leaf_size(samples, SLOTS, rng) == 0


def test_a_single_leaf_gives_every_cell_of_its_sample_as_often_as_it_is_there():
    samples, rng = samples_of(lambda x, e: e, n=50)
    trees = grow_donor_trees(samples, SLOTS, 0, rng)
    seen, cells, chosen = samples[1]
    uniform = (torch.arange(50) + 0.5) / 50
    drawn = trees.drawn(torch.from_numpy(seen), 1, uniform.double())
    np.testing.assert_allclose(np.sort(drawn.numpy()), np.sort(cells[chosen]))


def test_a_row_gets_cells_of_rows_on_its_side():
    samples, rng = samples_of(lambda x, e: np.where(x > 0, 5.0, -5.0) + 0.01 * e)
    trees = grow_donor_trees(samples, SLOTS, 5, rng)
    seen = samples[0][0]
    for tree in range(3):
        drawn = trees.drawn(torch.from_numpy(seen), tree, torch.rand(len(seen), dtype=torch.float64)).numpy()
        assert (np.sign(drawn) == np.sign(seen[:, 0])).mean() > 0.95
        assert set(drawn) <= set(samples[tree][1][samples[tree][2]])


def test_the_ends_of_the_uniform_numbers_are_the_ends_of_the_leaf():
    samples, rng = samples_of(lambda x, e: e, n=50)
    trees = grow_donor_trees(samples[:1], SLOTS, 0, rng)
    row = torch.zeros(1, 3, dtype=torch.float64)
    ends = [float(trees.drawn(row, 0, torch.tensor([u]).double())) for u in (0.0, 1 - 1e-12, 1.0)]
    assert ends == [float(trees.members[0]), float(trees.members[-1]), float(trees.members[-1])]


def test_a_state_gives_the_same_trees_back():
    samples, rng = samples_of(lambda x, e: x + e, n=100)
    trees = grow_donor_trees(samples, SLOTS, 5, rng)
    again = DonorTrees.from_state(trees.state())
    rows, uniform = torch.randn(20, 3, dtype=torch.float64), torch.rand(20, dtype=torch.float64)
    torch.testing.assert_close(again.drawn(rows, 2, uniform), trees.drawn(rows, 2, uniform))
    assert len(again) == 3
