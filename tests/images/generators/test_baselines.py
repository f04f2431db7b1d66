"""Generators without a network: class-wise Gaussian mixtures and inverse transforms."""

import numpy as np
import pytest
import torch
from scipy import stats

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.classwise_gaussian import ClasswiseGaussianMixture
from tabgan.images.generators.inverse_transform import (
    EmpiricalMarginals,
    inverse_bernoulli,
    inverse_categorical,
    inverse_empirical,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_one_component_without_shrinkage_has_the_classes_moments():
    rows = torch.randn(600, 3, generator=seeded()) @ torch.tensor([[2.0, 1, 0], [0, 1, 0], [0, 0, 0.1]])
    labels = torch.arange(600) % 3 * 7
    rows[labels == 7] += 10
    model = ClasswiseGaussianMixture(1, shrinkage=0.0).fit(rows, labels, generator=seeded(1))
    for label in (0, 7, 14):
        drawn = model.sample(20000, seeded(2), labels=torch.full((20000,), label))
        part = rows[labels == label]
        assert torch.allclose(drawn.mean(0), part.mean(0), atol=0.06)
        assert torch.allclose(torch.cov(drawn.T), torch.cov(part.T, correction=0), atol=0.15)


def test_components_find_the_modes():
    centres = torch.tensor([[-5.0, 0.0], [5.0, 0.0], [0.0, 8.0]])
    rows = centres[torch.arange(300) % 3] + 0.2 * torch.randn(300, 2, generator=seeded())
    drawn = ClasswiseGaussianMixture(3).fit(rows, generator=seeded(1)).sample(300, seeded(2))
    nearest = torch.cdist(drawn, centres).min(1)
    assert nearest.values.max() < 1.5
    assert torch.bincount(nearest.indices).min() > 60


def test_shrinkage_leaves_the_plane_of_the_training_rows():
    rows = torch.randn(6, 1, 4, 4, generator=seeded())
    offset = rows.flatten(1) - rows.flatten(1).mean(0)
    outside = torch.eye(16) - torch.linalg.pinv(offset) @ offset

    def off_plane(shrinkage):
        model = ClasswiseGaussianMixture(1, shrinkage=shrinkage).fit(rows, generator=seeded(1))
        drawn = model.sample(200, seeded(2))
        assert drawn.shape == (200, 1, 4, 4)
        return float(((drawn.flatten(1) - rows.flatten(1).mean(0)) @ outside).norm(dim=1).mean())

    assert off_plane(0.0) < 1e-2
    assert off_plane(None) > 1


def test_labels_are_drawn_in_their_shares():
    rows = torch.randn(100, 2, generator=seeded())
    labels = (torch.arange(100) < 20).long()
    drawn, classes = ClasswiseGaussianMixture().fit(rows, labels, generator=seeded(1)).sample_labelled(5000, seeded(2))
    assert drawn.shape == (5000, 2)
    assert float((classes == 1).float().mean()) == pytest.approx(0.2, abs=0.03)


def test_gaussian_refusals():
    rows = torch.randn(10, 2, generator=seeded())
    with pytest.raises(InvalidInputError, match="class 9 has one row"):
        ClasswiseGaussianMixture().fit(rows, torch.tensor([9] + [0] * 9), generator=seeded())
    with pytest.raises(InvalidInputError, match="one per row"):
        ClasswiseGaussianMixture().fit(rows, torch.zeros(9), generator=seeded())
    with pytest.raises(InvalidParameterError, match="shrinkage"):
        ClasswiseGaussianMixture(shrinkage=2.0)
    with pytest.raises(InvalidParameterError, match="n_components"):
        ClasswiseGaussianMixture(0)
    model = ClasswiseGaussianMixture().fit(rows, generator=seeded())
    with pytest.raises(InvalidInputError, match="known are"):
        model.sample(2, seeded(), labels=torch.tensor([0, 5]))


def test_bernoulli_frequency_and_edges():
    u = torch.rand(20000, generator=seeded())
    assert float(inverse_bernoulli(u, 0.3).float().mean()) == pytest.approx(0.3, abs=0.015)
    assert inverse_bernoulli(torch.tensor([0.0, 0.5]), 0.0).tolist() == [0, 0]
    assert inverse_bernoulli(torch.tensor([0.0, 1 - 1e-7]), 1.0).tolist() == [1, 1]
    with pytest.raises(InvalidInputError, match="theta"):
        inverse_bernoulli(u, 1.2)


def test_categorical_chi_square():
    weights = torch.tensor([1.0, 0.0, 3.0, 6.0])
    drawn = inverse_categorical(torch.rand(20000, generator=seeded()), weights)
    counts = torch.bincount(drawn, minlength=4).numpy()
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2, 3]], 2000 * np.array([1, 3, 6])).pvalue > 1e-3


def test_categorical_edges_and_rows():
    weights = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 2.0]])
    assert inverse_categorical(torch.tensor([0.5, 0.0]), weights).tolist() == [1, 2]
    assert (
        inverse_categorical(torch.tensor(1.0), torch.tensor([0.3, 0.7, 0.0])).item() == 1
    )  # never an impossible class
    with pytest.raises(InvalidInputError, match="probabilities"):
        inverse_categorical(torch.rand(2), torch.tensor([-1.0, 2.0]))


def test_empirical_quantiles():
    values = torch.randn(3000, generator=seeded()).exp()
    u = torch.rand(3000, generator=seeded(1))
    drawn = inverse_empirical(u, values)
    assert stats.ks_2samp(drawn.numpy(), values.numpy()).pvalue > 1e-3
    assert drawn.numpy() == pytest.approx(np.quantile(values.numpy(), u.numpy()), rel=1e-3, abs=1e-3)
    assert set(inverse_empirical(u, values, interpolate=False).tolist()) <= set(values.tolist())
    assert inverse_empirical(torch.tensor([0.0, 0.99]), torch.tensor([5.0])).tolist() == [5.0, 5.0]


def test_marginals_without_their_dependence():
    x = torch.randn(3000, generator=seeded())
    table = torch.stack([x, x], 1)
    drawn = EmpiricalMarginals().fit(table).sample(3000, seeded(1))
    assert stats.ks_2samp(drawn[:, 0].numpy(), x.numpy()).pvalue > 1e-3
    assert abs(float(torch.corrcoef(drawn.T)[0, 1])) < 0.08
