"""Scales on which numbers are drawn: which one is chosen, and that it goes there and back."""

import numpy as np
import pytest
import torch

from tabgan.imputation.conditional_means.normal_scores import NormalScores
from tabgan.imputation.proper.number_scales import NumberScales, fit_scales

AS_IS, LOGARITHM, SCORES = 0, 1, 2


def fitted(first, second, known=None):
    """Scales of two columns; ``known`` of the first."""
    values = torch.from_numpy(np.column_stack([first, second]).astype(float))
    seen = torch.ones(values.shape, dtype=torch.bool)
    if known is not None:
        seen[:, 0] = torch.from_numpy(known)
    levels = torch.special.ndtr(NormalScores.grid())
    quantiles = {j: torch.quantile(values[seen[:, j], j], levels) for j in range(2)}
    return fit_scales(values, seen, values, [0, 1], quantiles), values


def related(n=600, seed=0):
    """Two standard normal numbers of correlation .8, and the cells of the first that are known given the second."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return 0.8 * x + 0.6 * rng.normal(size=n), x, rng.random(n) < 1 / (1 + np.exp(2 * x))


@pytest.mark.parametrize(
    ("changed", "kind", "sign"),
    [(lambda y: y, AS_IS, 1), (np.exp, LOGARITHM, 1), (lambda y: 10 - np.exp(y), LOGARITHM, -1)],
    ids=["linear", "exponential", "exponential from above"],
)
def test_the_scale_of_a_linear_relation_is_found_where_the_largest_cells_are_missing(changed, kind, sign):
    y, x, known = related()
    scales, _ = fitted(changed(y), x, known)
    assert scales.kinds.tolist() == [kind, AS_IS]
    assert scales.sign[0] == sign


def test_scores_are_for_relations_that_no_logarithm_makes_linear():
    y, x, known = related(1500)
    scales, _ = fitted(np.sign(y) * np.abs(y) ** 4, x, known)
    assert scales.kinds[0] == SCORES


def test_a_column_without_missing_cells_is_a_logarithm_if_it_is_very_skewed():
    y, x, known = related()
    assert fitted(y, np.exp(1.5 * x), known)[0].kinds[1] == LOGARITHM
    # How x is distributed given y would say something else, since the known y are the small ones.
    assert fitted(y, x, known)[0].kinds[1] == AS_IS


def test_a_column_of_few_cells_stays_as_it_is():
    y, x, known = related(30)
    assert fitted(np.exp(y), x, known)[0].kinds[0] == AS_IS


@pytest.mark.parametrize("kind", [AS_IS, LOGARITHM, SCORES])
def test_there_and_back(kind):
    y, x, known = related(1500)
    y = {AS_IS: y, LOGARITHM: np.exp(y), SCORES: np.sign(y) * np.abs(y) ** 4}[kind]
    scales, values = fitted(y, x, known)
    assert scales.kinds[0] == kind
    inside = values[(values[:, 0] > np.quantile(y[known], 0.01)) & (values[:, 0] < np.quantile(y[known], 0.99))]
    torch.testing.assert_close(scales.inverse(scales.forward(inside)), inside, rtol=1e-6, atol=1e-6)
    alone, again = scales.column(0), NumberScales.from_state(scales.state(), 2)
    torch.testing.assert_close(alone.forward(inside[:, :1]), scales.forward(inside)[:, :1])
    torch.testing.assert_close(again.forward(inside), scales.forward(inside))


def test_a_logarithm_keeps_its_end():
    y, x, known = related()
    scales, _ = fitted(np.exp(y), x, known)
    far = scales.inverse(torch.tensor([[-50.0, 0.0], [50.0, 0.0]]).double())[:, 0]
    assert far[0] >= scales.origin[0]
    assert far.isfinite().all()
