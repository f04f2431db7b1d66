"""Autoencoders against PCA, and the bounds of the variational one against each other and against probabilistic PCA."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from tabgan.core.phases import OptimizerSpec, cosine_schedule
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.autoencoder import (
    Autoencoder,
    VariationalAutoencoder,
    autoencoder,
    variational_autoencoder,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def digits():
    return torch.from_numpy(load_digits().images[:, None] / 16).float()


def fast(n_steps, rate=3e-3):
    return {"optimizer": OptimizerSpec(learning_rate=rate, betas=(0.9, 0.999)), "schedule": cosine_schedule(n_steps)}


@pytest.mark.parametrize("hidden", [(), (128,)])
def test_autoencoder_against_pca_of_the_same_rank(digits, hidden):
    rank, n_steps, rate = (6, 500, 1e-2) if hidden else (6, 1500, 3e-2)
    rows = digits.flatten(1).numpy()
    pca = PCA(rank).fit(rows)
    best_linear = ((pca.inverse_transform(pca.transform(rows)) - rows) ** 2).mean()
    system = autoencoder(digits, rank, hidden=hidden, generator=seeded(), **fast(n_steps, rate))
    system.train(n_steps, seeded(1))
    with torch.no_grad():
        error = float(((system.model(digits) - digits) ** 2).mean())
    if hidden:
        assert error < 0.95 * best_linear
    else:  # no linear map of that rank does better (Eckart and Young), and training comes near
        assert best_linear - 1e-6 <= error < 1.02 * best_linear


def test_codes_are_sampled_with_their_mean_and_covariance(digits):
    model = Autoencoder((1, 8, 8), 3, hidden=(), generator=seeded())
    model.fit_codes(digits)
    with torch.no_grad():
        code = model.encode(digits)
    assert torch.allclose(model.code_mean, code.mean(0), atol=1e-5)
    assert torch.allclose(model.code_root @ model.code_root.T, torch.cov(code.T), atol=1e-4)
    assert model.sample(5, seeded()).shape == (5, 1, 8, 8)
    assert torch.equal(model.sample(5, seeded()), model.sample(5, seeded()))


@pytest.mark.parametrize("decoder", ["gaussian", "bernoulli"])
def test_bounds_are_ordered(digits, decoder):
    n_steps = 150
    system = variational_autoencoder(digits, 4, decoder=decoder, hidden=(32,), generator=seeded(), **fast(n_steps))
    history = system.train(n_steps, seeded(1)).history["negative_elbo"]
    assert history[-1] < history[0]
    rows = digits[:100]
    noise = torch.randn(240, 100, 4, generator=seeded(2))
    with torch.no_grad():
        single = system.model.importance_bound(rows, noise[:1])
        elbo = torch.stack([system.model.elbo(rows, each) for each in noise]).mean()
        # k = 1 estimates the ELBO without its exact KL term: the same on average
        crude = torch.stack([system.model.importance_bound(rows, each[None]) for each in noise]).mean()
        few = torch.stack([system.model.importance_bound(rows, part) for part in noise.split(8)]).mean()
        many = system.model.importance_bound(rows, noise).mean()
    assert single.shape == (100,)
    assert crude == pytest.approx(float(elbo), abs=0.3)
    assert elbo < few < many


def test_linear_vae_reaches_the_likelihood_of_probabilistic_pca():
    # Lucas et al. 2019, "Don't Blame the ELBO!": the bound of a linear VAE is tight at its optimum.
    rng, q, d = np.random.default_rng(0), 2, 6
    rows = rng.normal(size=(1500, q)) * [2.0, 1.0] @ rng.normal(size=(q, d)) + 0.5 * rng.normal(size=(1500, d)) + 1
    values = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[::-1]
    # Tipping and Bishop 1999, equations 6-8: the maximum of the log-likelihood, per row
    best = -0.5 * (d * math.log(2 * math.pi) + np.log(values[:q]).sum() + (d - q) * math.log(values[q:].mean()) + d)
    assert best == pytest.approx(PCA(q).fit(rows).score(rows), abs=0.01)
    data, n_steps = torch.from_numpy(rows).float(), 800
    system = variational_autoencoder(data, q, hidden=(), batch_size=500, generator=seeded(), **fast(n_steps, rate=0.05))
    system.train(n_steps, seeded(1))
    with torch.no_grad():
        noise = torch.randn(20, len(data), q, generator=seeded(2))
        elbo = float(torch.stack([system.model.elbo(data, each) for each in noise]).mean())
    assert best - 0.02 < elbo < best + 0.01
    assert system.model.log_sd.exp().item() ** 2 == pytest.approx(values[q:].mean(), rel=0.05)
    drawn = system.model.sample(20000, seeded(3), pixel_noise=True).numpy()
    assert np.abs(np.cov(drawn.T) - np.cov(rows.T)).max() < 0.12 * values[0]  # 0.01 nats allow that much


def test_elbo_by_hand():
    model = VariationalAutoencoder((2,), 1, hidden=(), generator=seeded())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.encoder[0].bias.copy_(torch.tensor([1.0, 0.0]))  # q = N(1, 1), decoder mean 0, standard deviation 1
        x = torch.tensor([[3.0, 4.0]])
        log_density = -0.5 * 25 - math.log(2 * math.pi)
        assert float(model.elbo(x, torch.zeros(1, 1))) == pytest.approx(log_density - 0.5)
        assert float(model.elbo(x, torch.zeros(1, 1), beta=4.0)) == pytest.approx(log_density - 2)
        # the decoder ignores z, so the bound with many draws is the density itself
        many = model.importance_bound(x, torch.randn(20000, 1, 1, generator=seeded()))
        assert float(many) == pytest.approx(log_density, abs=0.05)


def test_bernoulli_pixels_are_drawn_with_their_probability():
    model = VariationalAutoencoder((3,), 2, decoder="bernoulli", hidden=(), generator=seeded())
    with torch.no_grad():
        model.decoder[0].weight.zero_()
        model.decoder[0].bias.copy_(torch.logit(torch.tensor([0.1, 0.5, 0.9])))
    drawn = model.sample(4000, seeded(), pixel_noise=True)
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert torch.allclose(drawn.mean(0), torch.tensor([0.1, 0.5, 0.9]), atol=0.03)


def test_refusals(digits):
    with pytest.raises(InvalidInputError, match=r"\[0.0, 1.0\]"):
        variational_autoencoder(2 * digits, 2, decoder="bernoulli", generator=seeded())
    with pytest.raises(InvalidInputError, match="dtype"):
        autoencoder(digits.long(), 2, generator=seeded())
    with pytest.raises(InvalidInputError, match="NaN"):
        autoencoder(digits * torch.nan, 2, generator=seeded())
    with pytest.raises(InvalidParameterError, match="decoder"):
        VariationalAutoencoder((2,), 1, decoder="poisson", generator=seeded())
    with pytest.raises(InvalidParameterError, match="batch_size"):
        autoencoder(digits, 2, batch_size=0, generator=seeded())
