"""Generators without an adversary: autoencoder, VAE, PixelCNN, moment matching, Boltzmann machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback
from tabgan.core.cases import Players
from tabgan.core.phases import Phase, Term, TermLoss
from tabgan.core.tasks import GenerationBatch, GenerationTask, normal_prior
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.autoencoder import Autoencoder, VariationalAutoencoder
from tabgan.images.generators.gmmn import MomentMatchingNetwork, median_distance, mmd_squared
from tabgan.images.generators.pixelcnn import PixelCNN
from tabgan.images.generators.rbm import RestrictedBoltzmannMachine
from tabgan.images.recipes.recipe import TRAINING_SETTINGS, Plan, Recipe, Sizes, TrainingData, optimizer_of

__all__ = ["ONE_NETWORK"]

_N_SHOWN = 2000
"""Images that distances and the codes' distribution are taken from."""


class _Made(nn.Module):
    """Base: a model of the package's, and how noise becomes images in [-1, 1]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Images."""
        raise NotImplementedError


class _FromCodes(_Made):
    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.model.decode(self.model.code_mean + noise @ self.model.code_root.T)


class _FromPrior(_Made):
    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.model.decoder(noise).unflatten(1, self.model.shape)


class _FromUniform(_Made):
    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        return 2 * self.model(2 * _quantiles(noise) - 1) - 1


class _PixelByPixel(_Made):
    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        return 2 * self.model.drawn(_quantiles(noise)) - 1


class _FromChains(_Made):
    def __init__(self, model: Any, n_gibbs: int) -> None:
        super().__init__(model)
        self.n_gibbs = n_gibbs

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Chains from the signs of the noise; its first numbers seed the steps of the batch."""
        start = noise[0, :2].float().cpu().contiguous().view(torch.int32).tolist()
        draw = torch.Generator().manual_seed(
            sum((number & 0xFFFFFFFF) << 31 * place for place, number in enumerate(start))
        )
        chain = (noise > 0).to(noise)
        for _ in range(self.n_gibbs):
            chain = self.model.gibbs(chain, self.model.draw_uniforms(1, len(chain), draw))
        return 2 * chain.unflatten(1, self.model.shape) - 1


class _Codes(Callback):
    """Tell the autoencoder which codes occur, now and then and at the end."""

    def __init__(self, images: Any) -> None:
        self.images, self.last = images, 0

    def on_fit_begin(self, trainer: Any, n_steps: int) -> None:
        """Remember which step is the last."""
        self.last = trainer.step_count + n_steps

    def on_step_end(self, trainer: Any) -> None:
        """Fit the codes' normal distribution."""
        if trainer.step_count == self.last or trainer.step_count % 100 == 0:
            trainer.players["generator"].model.fit_codes(self.images[0:_N_SHOWN])


def _quantiles(noise: Tensor) -> Tensor:
    """Standard normal numbers to uniform ones."""
    return torch.special.ndtr(noise.double()).to(noise)


def _hidden(settings: Any) -> list[int]:
    return [settings.width] * settings.depth


def _plan(
    data: TrainingData, settings: Any, title: str, loss: Callable[[Any, GenerationBatch], Tensor], **options: Any
) -> Plan[Any]:
    """One phase that minimises ``loss(model, batch)``."""
    prior = options.pop("prior", None) or normal_prior(options.pop("d_noise", 0))

    def term(players: Players, batch: GenerationBatch) -> Tensor:
        maker: Any = players["generator"]
        return loss(maker.model, batch)

    task = GenerationTask(data.images, prior, settings.batch_size)
    phase = Phase("generator", TermLoss([Term(title, term)]), optimizer_of(settings, **options))
    return Plan(task, [phase])


def _autoencoder(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    return {
        "generator": _FromCodes(
            Autoencoder(sizes.shape, settings.d_noise, hidden=_hidden(settings), generator=generator)
        )
    }


def _rebuild(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    plan = _plan(data, settings, "error", lambda model, batch: (model(batch.real) - batch.real).square().mean())
    plan.callbacks.append(_Codes(data.images))
    return plan


def _vae(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    hidden = _hidden(settings)
    return {
        "generator": _FromPrior(
            VariationalAutoencoder(sizes.shape, settings.d_noise, hidden=hidden, generator=generator)
        )
    }


def _bound(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    def loss(model: VariationalAutoencoder, batch: GenerationBatch) -> Tensor:
        return -model.elbo(batch.real, batch.noise, beta=settings.beta).mean()

    return _plan(data, settings, "negative_elbo", loss, d_noise=settings.d_noise)


def _gmmn(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    network = MomentMatchingNetwork(
        sizes.shape, settings.d_noise, hidden=_hidden(settings), bounded=True, generator=generator
    )
    return {"generator": _FromUniform(network)}


def _moments(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    unit = median_distance(data.images[0:_N_SHOWN])
    scales = [unit * factor for factor in (0.125, 0.25, 0.5, 1.0, 2.0)]

    def loss(model: MomentMatchingNetwork, batch: GenerationBatch) -> Tensor:
        return mmd_squared(2 * model(2 * _quantiles(batch.noise) - 1) - 1, batch.real, scales)

    return _plan(data, settings, "mmd", loss, d_noise=settings.d_noise)


def _pixelcnn(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    channels, height, width = sizes.shape
    if channels != 1:
        raise InvalidInputError(f"images have {channels} channels; recipe 'pixelcnn' takes grey ones.")
    model = PixelCNN(
        height, width, settings.levels, channels=settings.width, n_blocks=settings.n_blocks, generator=generator
    )
    return {"generator": _PixelByPixel(model)}


def _likelihood(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    top = settings.levels - 1

    def loss(model: PixelCNN, batch: GenerationBatch) -> Tensor:
        return -model.log_prob(((batch.real + 1) / 2 * top).round() / top).mean()

    return _plan(data, settings, "negative_log_likelihood", loss)


def _rbm(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    model = RestrictedBoltzmannMachine(sizes.shape, settings.width, n_chains=settings.batch_size, generator=generator)
    return {"generator": _FromChains(model, settings.n_gibbs)}


def _divergence(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    if settings.betas[1]:
        raise InvalidParameterError(
            f"settings['betas']={settings.betas!r}: recipe 'rbm' takes its momentum from the first number and has no use for the "
            f"second; give ({settings.betas[0]!r}, 0.0), or learning_rate alone."
        )
    maker: Any = players["generator"]

    def prior(n: int, generator: torch.Generator) -> Tensor:
        return maker.model.draw_uniforms(1, n, generator).transpose(0, 1)

    def loss(model: RestrictedBoltzmannMachine, batch: GenerationBatch) -> Tensor:
        model.chains = model.gibbs(model.chains, batch.noise.transpose(0, 1))
        shown = (batch.real.flatten(1) > 0).to(batch.real)
        return model.free_energy(shown).mean() - model.free_energy(model.chains).mean()

    return _plan(data, settings, "energy_gap", loss, prior=prior, name="sgd")


def _n_pixels(players: dict[str, nn.Module], settings: Any) -> int:
    maker: Any = players["generator"]
    model = maker.model
    return len(model.visible_bias) if isinstance(model, RestrictedBoltzmannMachine) else model.height * model.width


_SETTINGS: dict[str, Any] = TRAINING_SETTINGS | {
    "n_steps": 3000,
    "batch_size": 128,
    "d_noise": 16,
    "learning_rate": 1e-3,
    "betas": (0.9, 0.999),
    "width": 128,
}
"""Maximum likelihood needs no low momentum, unlike a game of two players."""

ONE_NETWORK = [
    Recipe(
        "autoencoder",
        "images squeezed into a code and rebuilt; codes are drawn from one normal distribution",
        "Hinton and Salakhutdinov 2006; the distribution of the codes is ours",
        _autoencoder,
        _rebuild,
        _SETTINGS | {"depth": 1},
        takes_labels=False,
    ),
    Recipe(
        "vae",
        "an encoder makes the likelihood of a decoder tractable; images are the decoder's means",
        "Kingma and Welling 2014, eq. 10; one learnt variance for all pixels; beta of Higgins et al. 2017",
        _vae,
        _bound,
        _SETTINGS | {"depth": 1, "beta": 1.0},
        takes_labels=False,
    ),
    Recipe(
        "gmmn",
        "a generator trained on the kernel distance between its batch and a real one",
        "Li, Swersky, Zemel 2015, eq. 3-5",
        _gmmn,
        _moments,
        _SETTINGS | {"n_steps": 2000, "batch_size": 256, "d_noise": 10, "depth": 2},
        takes_labels=False,
    ),
    Recipe(
        "pixelcnn",
        "the likelihood of grey levels, one pixel given those before it; drawing takes a pass per pixel",
        "van den Oord et al. 2016, sections 3.4-3.5",
        _pixelcnn,
        _likelihood,
        _SETTINGS | {"n_steps": 600, "batch_size": 64, "width": 24, "n_blocks": 2, "levels": 8},
        d_noise=_n_pixels,
        unused=("d_noise",),
        takes_labels=False,
        watched=False,
    ),
    Recipe(
        "rbm",
        "black and white pixels and hidden units; persistent contrastive divergence",
        "Tieleman 2008; images are taken for black and white at middle grey",
        _rbm,
        _divergence,
        _SETTINGS | {"batch_size": 64, "learning_rate": 0.1, "betas": (0.0, 0.0), "width": 64, "n_gibbs": 500},
        d_noise=_n_pixels,
        unused=("d_noise",),
        takes_labels=False,
        watched=False,
    ),
]
"""Recipes ``"autoencoder"``, ``"vae"``, ``"gmmn"``, ``"pixelcnn"`` and ``"rbm"``; ``width`` is that of hidden layers, feature maps or
hidden units."""
