"""BAGAN: both players start from an autoencoder of all classes, latent draws follow class Gaussians, one head names class or fake."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback
from tabgan.core.cases import Batch, Players
from tabgan.core.class_losses import FakeClassLoss
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, Phase, Term, TermLoss
from tabgan.exceptions import InvalidInputError
from tabgan.images.networks.autoencoder import CodedJudge
from tabgan.images.recipes.base import (
    NETWORK_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    image_generator,
    image_trunk,
    make_task,
    optimizer_of,
)
from tabgan.networks.class_gaussians import correlated, fit_class_gaussians

__all__ = ["BAGAN", "ClassGaussians", "FitGaussians"]


class ClassGaussians(nn.Module):
    """A decoder whose standard normal noise is first given the mean and covariance of the asked class's codes.

    Parameters
    ----------
    decoder : nn.Module
        ``decoder(code) -> image``.
    d_code, n_classes : int
        Width of the code, number of classes.

    Shape
    -----
    noise: (n, d_code), condition: one-hot (n, n_classes). Output: the decoder's.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, decoder: nn.Module, d_code: int, n_classes: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.register_buffer("mean", torch.zeros(n_classes, d_code))
        self.register_buffer("factor", torch.eye(d_code).repeat(n_classes, 1, 1))

    def forward(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Images of the asked classes."""
        classes = condition.argmax(1)
        return self.decoder(self.mean[classes] + correlated(noise, self.factor, classes))

    @torch.no_grad()
    def fit(self, codes: Tensor, classes: Tensor) -> None:
        """Set each class's Gaussian to its codes; see `tabgan.networks.class_gaussians.fit_class_gaussians`."""
        mean, factor = fit_class_gaussians(codes, classes, len(self.mean))
        self.mean.copy_(mean)
        self.factor.copy_(factor)


class FitGaussians(Callback):
    """When the autoencoder is done, give the generator the Gaussians of its codes."""

    def __init__(self, data: TrainingData, after: int) -> None:
        self.data = data
        self.after = after

    def on_step_end(self, trainer: Any) -> None:
        """Fit once, at the hand-over."""
        if trainer.step_count == self.after:
            judge, maker = trainer.players["discriminator"], trainer.players["generator"]
            with torch.no_grad():
                codes = torch.cat([judge.encode(images) for images in self.data.images.split(512)])
            maker.fit(codes, self.data.classes)


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    if not sizes.n_classes:
        raise InvalidInputError("labels: recipe 'bagan' names classes; give one class label per image, not vectors.")
    decoder = image_generator(Sizes(sizes.shape), settings, generator, batch_norm=False)
    trunk = image_trunk(sizes, settings, generator, conditional=False)
    return {
        "generator": ClassGaussians(decoder, settings.d_noise, sizes.n_classes),
        "discriminator": CodedJudge(trunk, settings.d_noise, sizes.n_classes + 1, generator=generator),
    }


def _reconstruction(players: Players, batch: Batch) -> Tensor:
    judge: Any = players["discriminator"]
    maker: Any = players["generator"]
    assert batch.real is not None
    return (maker.decoder(judge.encode(batch.real)) - batch.real).square().mean()


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan:
    task = make_task(data, settings, fake_classes="balanced", real_classes="balanced" if settings.balanced else "data")
    loss = FakeClassLoss(data.n_classes, settings.fake_weight)
    pre, optimizer = settings.n_autoencoder_steps, optimizer_of(settings)
    phases = [
        Phase(
            ("discriminator", "generator"),
            TermLoss([Term("autoencoder", _reconstruction)]),
            optimizer_of(settings, learning_rate=settings.autoencoder_learning_rate, betas=(0.9, 0.999)),
            stop=pre,
        ),
        Phase("discriminator", DiscriminatorLoss(loss, task), optimizer, start=pre),
        Phase("generator", GeneratorLoss(loss, task), optimizer, start=pre),
    ]
    return Plan(task, phases, [FitGaussians(data, pre)])


BAGAN = Recipe(
    "bagan",
    "autoencoder start, class Gaussians, K+1 classes; made for rare classes",
    "Mariani et al. 2018, section 3; departures: covariances are shrunk, real batches may be balanced",
    _networks,
    _training,
    TRAINING_SETTINGS
    | NETWORK_SETTINGS
    | {
        "n_steps": 3000,
        "n_autoencoder_steps": 1000,
        "autoencoder_learning_rate": 1e-3,
        "fake_weight": None,
    },
    needs="labels",
)
"""Recipe ``"bagan"``; ``n_steps`` counts the autoencoder's, too."""
