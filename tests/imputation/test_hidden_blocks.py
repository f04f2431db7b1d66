"""Packed blocks at hidden slots, against index sets."""

import numpy as np
import pytest
import torch

from tabgan.imputation.conditional_means.hidden_blocks import hidden_blocks


@pytest.fixture
def matrix():
    root = torch.randn(9, 9, generator=torch.Generator().manual_seed(0)).double()
    return root @ root.T + torch.eye(9)


@pytest.fixture
def visible():
    shown = (torch.rand(60, 9, generator=torch.Generator().manual_seed(1)) < 0.5).double()
    shown[0], shown[1] = 1, 0
    return shown


def by_row(blocks):
    """Row number to its block's parts without padding."""
    found = {}
    for block in blocks:
        inverse = block.inverse()
        for place, row in enumerate(block.rows.tolist()):
            n = int(block.is_hidden[place].sum())
            assert row not in found
            assert not inverse[place, n:].any()
            assert not inverse[place, :, n:].any()
            found[row] = block.slots[place, :n].numpy(), inverse[place, :n, :n].numpy()
    return found


def test_each_row_with_a_hidden_slot_has_its_block(matrix, visible):
    found = by_row(hidden_blocks(matrix, visible))
    assert set(found) == set(range(1, 60))
    for row, (slots, inverse) in found.items():
        np.testing.assert_array_equal(slots, np.flatnonzero(visible[row].numpy() == 0))
        expected = np.linalg.inv(matrix.numpy()[np.ix_(slots, slots)])
        np.testing.assert_allclose(inverse, expected, atol=1e-10)


def test_solutions_ignore_padding(matrix, visible):
    for block in hidden_blocks(matrix, visible):
        wanted = torch.ones(block.slots.shape).double()
        torch.testing.assert_close(block.solve(wanted), block.inverse().sum(2))
        torch.testing.assert_close(block.solve(wanted + 5 * (1 - block.is_hidden)), block.inverse().sum(2))


def test_noise_gets_the_covariance_of_the_inverse(matrix, visible):
    for block in hidden_blocks(matrix, visible):
        n, size = block.slots.shape
        root = block.unwhitened(torch.eye(size).double().expand(n, -1, -1))
        torch.testing.assert_close(root @ root.mT, block.inverse())


def test_a_row_has_the_same_block_in_any_company(matrix, visible):
    together, some = by_row(hidden_blocks(matrix, visible)), by_row(hidden_blocks(matrix, visible[20:25]))
    for row, (slots, inverse) in some.items():
        np.testing.assert_array_equal(slots, together[20 + row][0])
        np.testing.assert_allclose(inverse, together[20 + row][1], rtol=0, atol=1e-12)
