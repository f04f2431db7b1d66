"""Autoencoder and variational autoencoder of fully connected layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from tabgan.core.tasks import GenerationBatch, normal_prior
from tabgan.exceptions import InvalidParameterError
from tabgan.images.generators.one_player import OnePlayer, checked_data, one_player
from tabgan.networks.blocks import init_linear, mlp

__all__ = ["Autoencoder", "VariationalAutoencoder", "autoencoder", "variational_autoencoder"]

Decoder = Literal["gaussian", "bernoulli"]


class Autoencoder(nn.Module):
    """Squeeze rows through a narrow code and rebuild them.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row or image.
    d_latent : int
        Width of the code.
    hidden : sequence of int, default=(128,)
        Widths of the encoder's hidden layers; the decoder has them in reverse. ``()`` is linear, and then no better than PCA.
    generator : torch.Generator
        Source of the initial weights.

    Notes
    -----
    An autoencoder is no generator: which codes occur is not part of it. `fit_codes` therefore fits a normal distribution to the codes
    of given rows, from which `sample` draws.
    """

    code_mean: Tensor
    code_root: Tensor

    def __init__(
        self, shape: Sequence[int], d_latent: int, *, hidden: Sequence[int] = (128,), generator: torch.Generator
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        width = math.prod(self.shape)
        self.encoder = mlp([width, *hidden, d_latent])
        self.decoder = mlp([d_latent, *reversed(hidden), width])
        init_linear(self, generator)
        self.register_buffer("code_mean", torch.zeros(d_latent))
        self.register_buffer("code_root", torch.eye(d_latent))

    def encode(self, x: Tensor) -> Tensor:
        """Codes of shape (n, d_latent)."""
        return self.encoder(x.flatten(1))

    def decode(self, code: Tensor) -> Tensor:
        """Rows of shape (n, *shape)."""
        return self.decoder(code).unflatten(1, self.shape)

    def forward(self, x: Tensor) -> Tensor:
        """Rebuilt rows."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def fit_codes(self, data: Tensor) -> None:
        """Remember mean and covariance of the codes of ``data``, for `sample`."""
        code = self.encode(data).double()
        values, vectors = torch.linalg.eigh(torch.cov(code.T).reshape(code.shape[1], code.shape[1]))
        self.code_mean.copy_(code.mean(0))
        self.code_root.copy_(vectors * values.clamp_min(0).sqrt())

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Rebuild ``n`` codes drawn from the normal distribution of `fit_codes` (standard normal before that)."""
        noise = torch.randn(n, len(self.code_mean), generator=generator).to(self.code_mean)
        return self.decode(self.code_mean + noise @ self.code_root.T)


class VariationalAutoencoder(nn.Module):
    """A latent normal variable, a decoder p(x | z), and an encoder q(z | x) that makes its likelihood tractable.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row or image.
    d_latent : int
        Width of z.
    decoder : {"gaussian", "bernoulli"}, default="gaussian"
        ``"gaussian"``: mean per pixel and one learnt variance for all; ``"bernoulli"``: a probability per pixel, for values in [0, 1].
    hidden : sequence of int, default=(128,)
        Widths of the encoder's hidden layers; ``()`` with a Gaussian decoder is probabilistic PCA.
    generator : torch.Generator
        Source of the initial weights.

    References
    ----------
    Kingma and Welling 2014, "Auto-Encoding Variational Bayes", equation 10 (the bound with the exact KL term) and appendix C.
    Higgins et al. 2017, "beta-VAE", equation 4. Burda, Grosse, Salakhutdinov 2016, "Importance Weighted Autoencoders",
    equation 8. Departure: one learnt variance for all pixels instead of one per pixel and row, whose likelihood is unbounded
    on constant pixels.
    """

    def __init__(
        self,
        shape: Sequence[int],
        d_latent: int,
        *,
        decoder: Decoder = "gaussian",
        hidden: Sequence[int] = (128,),
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if decoder not in get_args(Decoder):
            raise InvalidParameterError(f"decoder={decoder!r} is not one of {list(get_args(Decoder))}.")
        self.shape, self.d_latent, self.kind = tuple(shape), d_latent, decoder
        width = math.prod(self.shape)
        self.encoder = mlp([width, *hidden, 2 * d_latent])
        self.decoder = mlp([d_latent, *reversed(hidden), width])
        init_linear(self, generator)
        with torch.no_grad():
            # Variance 1 to begin with: exp of a random linear map of large inputs may start at 1e9.
            self.encoder[-1].weight[d_latent:] = 0  # type: ignore[operator]
        self.log_sd = nn.Parameter(torch.zeros(()), requires_grad=decoder == "gaussian")

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x), each of shape (n, d_latent)."""
        mean, log_variance = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mean, log_variance

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x | z) in nats, shape (..., n) for z of shape (..., n, d_latent)."""
        output, rows = self.decoder(z), x.flatten(1).expand(*z.shape[:-1], -1)
        if self.kind == "bernoulli":
            return -binary_cross_entropy_with_logits(output, rows, reduction="none").sum(-1)
        errors = ((rows - output) ** 2).sum(-1) * torch.exp(-2 * self.log_sd)
        return -0.5 * errors - output.shape[-1] * (self.log_sd + 0.5 * math.log(2 * math.pi))

    def elbo(self, x: Tensor, noise: Tensor, *, beta: float = 1.0) -> Tensor:
        """Evidence lower bound per row in nats, shape (n,), from one draw with ``noise`` of shape (n, d_latent).

        ``beta`` other than 1 weighs the KL term, and then it is no bound any more when below 1.
        """
        mean, log_variance = self.posterior(x)
        z = mean + torch.exp(0.5 * log_variance) * noise
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
        return self.log_likelihood(x, z) - beta * divergence

    def importance_bound(self, x: Tensor, noise: Tensor) -> Tensor:
        """Importance-weighted bound per row in nats, shape (n,), from k draws with ``noise`` of shape (k, n, d_latent).

        Between `elbo` (k = 1, on average) and the log-likelihood, to which it rises with k.
        """
        mean, log_variance = self.posterior(x)
        z = mean + torch.exp(0.5 * log_variance) * noise
        # log p(z) - log q(z | x): the factors (2 pi)^(-d/2) cancel.
        log_ratio = 0.5 * (noise**2 + log_variance - z**2).sum(-1)
        return torch.logsumexp(self.log_likelihood(x, z) + log_ratio, 0) - math.log(len(noise))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator, *, pixel_noise: bool = False) -> Tensor:
        """Decode ``n`` draws from the prior: the decoder's mean, or with ``pixel_noise`` a draw from p(x | z) itself."""
        output = self.decoder(torch.randn(n, self.d_latent, generator=generator).to(self.log_sd))
        if self.kind == "bernoulli":
            output = torch.sigmoid(output)
            if pixel_noise:
                output = (torch.rand(output.shape, generator=generator).to(output) < output).to(output)
        elif pixel_noise:
            output = output + self.log_sd.exp() * torch.randn(output.shape, generator=generator).to(output)
        return output.unflatten(1, self.shape)


def autoencoder(
    data: Tensor,
    d_latent: int,
    *,
    generator: torch.Generator,
    hidden: Sequence[int] = (128,),
    batch_size: int = 128,
    **training: Any,
) -> OnePlayer:
    """An `Autoencoder` of ``data`` (n, ...) under mean squared error; ``training`` goes to `one_player`.

    Call ``model.fit_codes(data)`` after training and before sampling.
    """
    model = Autoencoder(checked_data(data).shape[1:], d_latent, hidden=hidden, generator=generator).to(data)

    def loss(model: Autoencoder, batch: GenerationBatch) -> Tensor:
        return ((model(batch.real) - batch.real) ** 2).mean()

    # Nothing random in the loss: a prior of width 0 draws nothing.
    return one_player(model, data, loss, prior=normal_prior(0), batch_size=batch_size, name="error", **training)


def variational_autoencoder(
    data: Tensor,
    d_latent: int,
    *,
    generator: torch.Generator,
    decoder: Decoder = "gaussian",
    hidden: Sequence[int] = (128,),
    beta: float = 1.0,
    batch_size: int = 128,
    **training: Any,
) -> OnePlayer:
    """A `VariationalAutoencoder` of ``data`` (n, ...) that maximises the bound; ``training`` goes to `one_player`.

    Values must lie in [0, 1] for ``decoder="bernoulli"``. The history holds the negative bound per row under ``"negative_elbo"``.
    """
    checked_data(data, low=0.0, high=1.0) if decoder == "bernoulli" else checked_data(data)
    model = VariationalAutoencoder(data.shape[1:], d_latent, decoder=decoder, hidden=hidden, generator=generator).to(
        data
    )

    def loss(model: VariationalAutoencoder, batch: GenerationBatch) -> Tensor:
        return -model.elbo(batch.real, batch.noise.to(batch.real), beta=beta).mean()

    prior = normal_prior(d_latent)
    return one_player(model, data, loss, prior=prior, batch_size=batch_size, name="negative_elbo", **training)
