"""The energy score of two draws as a loss: by hand, over the chosen cells of the rows that have some."""

import pytest
import torch

from tabgan.core.energy import energy_score

TRUTH = torch.tensor([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]], dtype=torch.float64)
FIRST = torch.tensor([[3.0, 4.0], [2.0, 9.0], [7.0, 8.0]], dtype=torch.float64)
SECOND = torch.tensor([[0.0, 4.0], [1.0, -9.0], [-7.0, 2.0]], dtype=torch.float64)
CELLS = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)


def test_it_is_the_mean_over_rows_with_a_chosen_cell_of_what_one_computes_by_hand():
    both_columns, first_column = (5 + 4) / 2 - 3 / 2, (1 + 0) / 2 - 1 / 2
    expected = (both_columns + first_column) / 2
    assert float(energy_score(FIRST, SECOND, TRUTH, CELLS)) == pytest.approx(expected, abs=3e-4)


def test_without_a_chosen_cell_it_is_zero_and_draws_that_agree_have_a_gradient():
    first = FIRST.clone().requires_grad_(True)
    assert energy_score(first, first, TRUTH, torch.zeros_like(CELLS)).item() == 0
    energy_score(first, first, first.detach(), CELLS).backward()
    assert first.grad.isfinite().all()
