"""Class Gaussians against the closed form, and noise with the covariance of its class."""

import numpy as np
import torch

from tabgan._runtime import make_generator
from tabgan.core.class_gaussians import correlated, fit_class_gaussians
from tests.rounding import SINGLE


def test_mean_and_shrunk_covariance():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(13, 3)) @ rng.normal(size=(3, 3))
    classes = np.repeat([0, 1, 3], [9, 3, 1])
    mean, factor = fit_class_gaussians(torch.tensor(codes), torch.tensor(classes), 4)
    own_means = {index: codes[classes == index].mean(0) for index in (0, 1, 3)}
    centred = codes - np.stack([own_means[index] for index in classes])
    pooled = centred.T @ centred / (13 - 4)
    expected = {2: pooled, 3: pooled * 3 / 4}
    for index, n in ((0, 9), (1, 3)):
        share = n / (n + 3)
        expected[index] = share * np.cov(codes[classes == index].T) + (1 - share) * pooled
    np.testing.assert_allclose(mean[2], np.zeros(3))
    for index, value in own_means.items():
        np.testing.assert_allclose(mean[index], value, rtol=1e-5)
    for index, covariance in expected.items():
        np.testing.assert_allclose(factor[index] @ factor[index].T, covariance, rtol=1e-3, atol=1e-5)
        assert torch.equal(factor[index], factor[index].tril())


def test_equal_codes_do_not_fail():
    mean, factor = fit_class_gaussians(torch.ones(4, 2), torch.tensor([0, 0, 1, 1]), 2)
    assert torch.equal(mean, torch.ones(2, 2))
    assert factor.isfinite().all()
    assert factor.abs().max() < 1e-3


def test_correlated_noise_is_each_rows_factor_times_the_noise():
    generator = make_generator(0)
    noise, classes = torch.randn(40, 3, generator=generator), torch.randint(4, (40,), generator=generator)
    factors = torch.randn(4, 3, 3, generator=generator).tril()
    expected = torch.einsum("nij,nj->ni", factors[classes], noise)
    np.testing.assert_allclose(correlated(noise, factors, classes), expected, rtol=0, atol=SINGLE)
