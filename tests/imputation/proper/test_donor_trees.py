"""Leaves to draw from: they hold cells of rows like the one that asks, and as many as tell a distribution best."""

import numpy as np
import pytest
import torch

from tabgan.imputation.proper.donor_trees import Donation, DonorTrees, choose_donors, grow_donor_trees

SLOTS = np.array([0, 1])


def samples_of(cells_of, n=600, n_samples=3, seed=0):
    """Rows of a number, noise and the cells to draw, which the trees do not look at."""
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(n, 3))
    cells = cells_of(seen[:, 0], rng.normal(size=n))
    seen[:, 2] = cells
    return [(seen, cells, rng.integers(n, size=n)) for _ in range(n_samples)], rng


@pytest.mark.parametrize(
    ("cells_of", "found"),
    [
        (lambda x, e: e, {Donation(False, 0)}),
        (
            lambda x, e: np.sin(4 * x) + 0.1 * e,
            {Donation(by_value, size) for by_value in (False, True) for size in (5, 15)},
        ),
        (lambda x, e: np.exp(x) * e, {Donation(False, 5), Donation(False, 15), Donation(False, 50)}),
    ],
    ids=["noise", "a wave", "a spread that changes"],
)
def test_leaves_are_as_large_as_the_cells_are_alike(cells_of, found):
    samples, rng = samples_of(cells_of, n=900, n_samples=5)
    assert choose_donors(samples, samples, SLOTS, rng) in found


def test_a_line_leaves_residuals_and_a_step_values():
    samples, rng = samples_of(lambda x, e: np.where(x > 0, 5.0, -5.0) + 0.1 * e, n=900, n_samples=5)
    poor = [(seen, cells - 3 * seen[:, 0], chosen) for seen, cells, chosen in samples]
    assert choose_donors(poor, samples, SLOTS, rng).by_value
    line, _ = samples_of(lambda x, e: 3 * x + e, n=900, n_samples=5)
    left = [(seen, cells - 3 * seen[:, 0], chosen) for seen, cells, chosen in line]
    assert choose_donors(left, line, SLOTS, rng) == Donation(False, 0)


def test_few_cells_or_a_single_sample_get_one_leaf():
    samples, rng = samples_of(lambda x, e: np.sin(4 * x), n=8)
    assert choose_donors(samples, samples, SLOTS, rng).leaf_size in (0, 1)
    assert choose_donors(samples[:1], samples[:1], SLOTS, rng) == Donation(False, 0)
    assert choose_donors(None, samples[:1], SLOTS, rng) == Donation(True, 0)


def test_a_single_leaf_gives_every_residual_as_often_as_it_is_there():
    samples, rng = samples_of(lambda x, e: e, n=50)
    trees = grow_donor_trees(samples, SLOTS, Donation(False, 0), rng)
    seen, cells, _ = samples[1]
    uniform = (torch.arange(50) + 0.5) / 50
    drawn = trees.drawn(torch.from_numpy(seen), 1, uniform.double())
    np.testing.assert_allclose(np.sort(drawn.numpy()), np.sort(cells))


def test_leaves_of_values_hold_bootstrap_samples_that_differ_between_trees():
    samples, rng = samples_of(lambda x, e: e, n=200)
    trees = grow_donor_trees(samples, SLOTS, Donation(True, 0), rng)
    first, second = trees.members[:200].numpy(), trees.members[200:400].numpy()
    for held in (first, second):
        assert 0.5 < len(np.unique(held)) / 200 < 0.75  # 1 - 1/e of the cells
    assert set(first) != set(second)


def test_a_row_gets_cells_of_rows_on_its_side():
    samples, rng = samples_of(lambda x, e: np.where(x > 0, 5.0, -5.0) + 0.01 * e)
    trees = grow_donor_trees(samples, SLOTS, Donation(True, 5), rng)
    seen = samples[0][0]
    for tree in range(3):
        drawn = trees.drawn(torch.from_numpy(seen), tree, torch.rand(len(seen), dtype=torch.float64)).numpy()
        assert (np.sign(drawn) == np.sign(seen[:, 0])).mean() > 0.8
        assert set(drawn) <= set(samples[tree][1])


def test_without_a_tree_each_row_asks_one_of_its_own():
    samples, rng = samples_of(lambda x, e: e, n=60)
    trees = grow_donor_trees(samples, SLOTS, Donation(True, 1), rng)
    row, uniform = torch.zeros(300, 3, dtype=torch.float64), (torch.arange(300) + 0.5) / 300
    drawn = trees.drawn(row, None, uniform.double())
    alone = [float(trees.drawn(row[:1], tree, uniform[:1].double())) for tree in range(3)]
    assert drawn[50].item() == alone[0]
    assert drawn[150].item() == alone[1]
    assert drawn[250].item() == alone[2]
    assert float(trees.drawn(row[:1], None, torch.ones(1).double())) == alone[2]


def test_the_ends_of_the_uniform_numbers_are_the_ends_of_the_leaf():
    samples, rng = samples_of(lambda x, e: e, n=50)
    trees = grow_donor_trees(samples[:1], SLOTS, Donation(False, 0), rng)
    row = torch.zeros(1, 3, dtype=torch.float64)
    ends = [float(trees.drawn(row, 0, torch.tensor([u]).double())) for u in (0.0, 1 - 1e-12, 1.0)]
    assert ends == [float(trees.members[0]), float(trees.members[-1]), float(trees.members[-1])]


def test_a_state_gives_the_same_trees_back():
    samples, rng = samples_of(lambda x, e: x + e, n=100)
    trees = grow_donor_trees(samples, SLOTS, Donation(True, 5), rng)
    again = DonorTrees.from_state(trees.state())
    rows, uniform = torch.randn(20, 3, dtype=torch.float64), torch.rand(20, dtype=torch.float64)
    torch.testing.assert_close(again.drawn(rows, 2, uniform), trees.drawn(rows, 2, uniform))
    assert len(again) == 3


def test_where_no_cell_is_outside_two_samples_there_is_nothing_to_compare():
    rng = np.random.default_rng(0)
    rows, cells = rng.normal(size=(6, 2)), rng.normal(size=6)
    samples = [(rows, cells, np.arange(6)), (rows, cells, np.array([0, 1, 2, 3, 4, 4]))]
    assert choose_donors(samples, samples, SLOTS, rng) == Donation(False, 0)
    assert choose_donors(None, samples, SLOTS, rng) == Donation(True, 0)
