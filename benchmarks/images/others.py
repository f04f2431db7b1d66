"""The generators that are no GANs, trained briefly on the same images, without labels."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from tabgan._runtime import make_generator
from tabgan.images.generators.autoencoder import autoencoder, variational_autoencoder
from tabgan.images.generators.gmmn import moment_matching
from tabgan.images.generators.pixelcnn import pixelcnn
from tabgan.images.generators.rbm import restricted_boltzmann_machine

__all__ = ["OTHERS"]


def _vae(data: Tensor, n: int) -> Tensor:
    generator = make_generator(0)
    trained = variational_autoencoder(data, 16, generator=generator)
    trained.train(3000, generator)
    return trained.model.sample(n, generator)


def _autoencoder(data: Tensor, n: int) -> Tensor:
    generator = make_generator(0)
    trained = autoencoder(data, 16, generator=generator)
    trained.train(3000, generator)
    trained.model.fit_codes(data)
    return trained.model.sample(n, generator)


def _gmmn(data: Tensor, n: int) -> Tensor:
    generator = make_generator(0)
    trained = moment_matching(data, generator=generator, bounded=True)
    trained.train(2000, generator)
    return trained.model.sample(n, generator)


def _rbm(data: Tensor, n: int) -> Tensor:
    generator = make_generator(0)
    grey = (data > 0.5).float().flatten(1)
    trained = restricted_boltzmann_machine(grey, 64, generator=generator, persistent=True)
    trained.train(3000, generator)
    return trained.model.sample(n, generator).reshape(-1, *data.shape[1:])


def _pixelcnn(data: Tensor, n: int) -> Tensor:
    generator = make_generator(0)
    levels = 8
    rounded = ((data * (levels - 1)).round() / (levels - 1))[:, None]
    trained = pixelcnn(rounded, levels=levels, generator=generator, channels=24, n_blocks=2)
    trained.train(600, generator)
    return trained.model.sample(n, generator)[:, 0]


OTHERS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "vae": _vae,
    "autoencoder": _autoencoder,
    "gmmn": _gmmn,
    "rbm": _rbm,
    "pixelcnn": _pixelcnn,
}
"""``make(data (n, h, w) in [0, 1], n) -> images (n, h, w)`` by name."""
