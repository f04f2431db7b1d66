"""A number given all other columns: where products speak, and where they would drive draws away."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tabgan.imputation.proper.conditionals import ColumnModel, Conditionals
from tabgan.imputation.proper.curvature import Curvature
from tabgan.imputation.proper.moments import MomentSets
from tabgan.imputation.proper.number_scales import NumberScales
from tabgan.spans import Span

SPANS = tuple(Span("numeric", j, j + 1) for j in range(3))


def half_the_square_of(slot: int) -> Curvature:
    """Leaves a residual of half the size."""
    one = torch.ones(1, dtype=torch.float64)
    weights = torch.tensor([[0.0, 0.5], [0.0, 0.5]], dtype=torch.float64)
    return Curvature(torch.tensor([slot]), -9 * one, 9 * one, 0 * one, one, weights, torch.tensor([1.0, 0.5]).double())


@pytest.fixture
def conditionals() -> Conditionals:
    """Columns 0 and 1 depend on each other's square, column 2 on that of column 0; nothing is linear."""
    moments = MomentSets(torch.zeros(2, 3).double(), torch.eye(3).double().repeat(2, 1, 1))
    columns = [ColumnModel(curvature=half_the_square_of(slot)) for slot in (1, 0, 0)]
    return Conditionals(SPANS, NumberScales.as_is(3), moments, columns, torch.zeros(2, 3).double())


ROW = torch.tensor([[3.0, 2.0, 1.0]]).double()


def told(conditionals: Conditionals, j: int, hidden: list[int]) -> tuple[float, float]:
    visible = torch.ones(1, 3).double()
    visible[:, [j, *hidden]] = 0
    mean, widened = conditionals._mean(j, ROW, visible, 1)
    return float(mean), float(widened)


def test_products_of_known_cells_speak(conditionals: Conditionals) -> None:
    assert told(conditionals, 0, []) == (2.0, 1.0)
    assert told(conditionals, 0, [2]) == (2.0, 1.0)
    assert told(conditionals, 2, [1]) == (4.5, 1.0)


def test_columns_of_products_that_are_missing_together_are_drawn_by_linear_means(conditionals: Conditionals) -> None:
    """With what these leave, which is twice as wide here."""
    assert told(conditionals, 0, [1]) == (0.0, 2.0)
    assert told(conditionals, 1, [0, 2]) == (0.0, 2.0)


def test_a_missing_partner_that_depends_on_no_product_does_no_harm(conditionals: Conditionals) -> None:
    conditionals.columns[1] = replace(conditionals.columns[1], curvature=None)
    assert told(conditionals, 0, [1]) == (2.0, 1.0)


def test_only_known_cells_judge(conditionals: Conditionals) -> None:
    """Column 2 is near half of 3 squared, so a candidate of 3 is by far the likeliest, if anybody knows column 2."""
    candidates, given = torch.tensor([[0.0, 3.0]]).double(), torch.tensor([[0.0, 2.0, 4.5]]).double()
    for known, share in ((1.0, 3.0), (0.0, 0.0)):
        drawn = conditionals._chosen(
            candidates, 0, given, torch.tensor([[known]]).double(), 1, [2], torch.tensor([0.4]).double()
        )
        assert float(drawn) == share
