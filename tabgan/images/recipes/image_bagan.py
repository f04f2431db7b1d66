"""BAGAN: both players start from an autoencoder of all classes, latent draws follow class Gaussians, one head names class or fake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback
from tabgan.core.cases import BatchT, Players
from tabgan.core.class_gaussians import correlated, fit_class_gaussians
from tabgan.core.class_losses import FakeClassLoss
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, Phase, Term, TermLoss
from tabgan.core.tasks import GeneratingTask
from tabgan.exceptions import InvalidInputError
from tabgan.images.networks.encoder_decoder import Encoder
from tabgan.images.networks.judge import Judge
from tabgan.images.recipes.players import image_generator, image_trunk
from tabgan.images.recipes.recipe import (
    NETWORK_SETTINGS,
    TRAINING_SETTINGS,
    Plan,
    Recipe,
    Sizes,
    TrainingData,
    make_task,
    optimizer_of,
)

__all__ = ["BAGAN", "ClassGaussians", "HandOver", "code_error"]


class ClassGaussians(nn.Module):
    """A decoder whose standard normal noise is first given the mean and covariance of the asked class's codes.

    Parameters
    ----------
    decoder : nn.Module
        ``decoder(code) -> image``.
    d_code, n_classes : int
        Width of the code, number of classes.
    conditional : bool
        Whether the decoder is told the class beside the code.

    Shape
    -----
    noise: (n, d_code), condition: one-hot (n, n_classes). Output: the decoder's.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, decoder: nn.Module, d_code: int, n_classes: int, *, conditional: bool) -> None:
        super().__init__()
        self.decoder = decoder
        self.conditional = conditional
        self.register_buffer("mean", torch.zeros(n_classes, d_code))
        self.register_buffer("factor", torch.eye(d_code).repeat(n_classes, 1, 1))

    def forward(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Images of the asked classes."""
        return self.decoded(self.codes(noise, condition), condition)

    def codes(self, noise: Tensor, condition: Tensor) -> Tensor:
        """The noise as codes of the asked classes."""
        classes = condition.argmax(1)
        return self.mean[classes] + correlated(noise, self.factor, classes)

    def decoded(self, codes: Tensor, condition: Tensor) -> Tensor:
        """Images of given codes."""
        return self.decoder(codes, condition if self.conditional else None)

    @torch.no_grad()
    def fit(self, codes: Tensor, classes: Tensor) -> None:
        """Set each class's Gaussian to its codes; see `tabgan.core.class_gaussians.fit_class_gaussians`."""
        mean, factor = fit_class_gaussians(codes, classes, len(self.mean))
        self.mean.copy_(mean)
        self.factor.copy_(factor)


class HandOver(Callback):
    """When the autoencoder is done, give the discriminator the encoder's trunk, and the generator the Gaussians of the codes."""

    def __init__(self, data: TrainingData, after: int) -> None:
        self.data = data
        self.after = after

    def on_step_end(self, trainer: Any) -> None:
        """Once."""
        if trainer.step_count == self.after:
            encoder = trainer.players["encoder"]
            trainer.players["discriminator"].trunk.load_state_dict(encoder.trunk.state_dict())
            with torch.no_grad():
                codes = torch.cat([encoder(images) for images in self.data.images.split(512)])
            trainer.players["generator"].fit(codes, self.data.classes)


def _networks(sizes: Sizes, settings: Any, generator: torch.Generator) -> dict[str, nn.Module]:
    if not sizes.n_classes:
        raise InvalidInputError("y: recipe 'bagan' names classes; give one class label per image, not vectors.")
    seen = sizes if settings.conditional_decoder else Sizes(sizes.shape)
    decoder = image_generator(seen, settings, generator)
    trunk, encoding = (image_trunk(sizes, settings, generator, conditional=False) for _ in range(2))
    return {
        "generator": ClassGaussians(
            decoder, settings.d_noise, sizes.n_classes, conditional=settings.conditional_decoder
        ),
        "discriminator": Judge(
            trunk, n_classes=sizes.n_classes + 1, adversarial=False, conditional=False, generator=generator
        ),
        "encoder": Encoder(encoding, settings.d_noise, generator=generator),
    }


def _reconstruction(task: GeneratingTask[BatchT]) -> Callable[[Players, BatchT], Tensor]:
    """Squared error of images that went through encoder and decoder."""

    def error(players: Players, batch: BatchT) -> Tensor:
        maker: Any = players["generator"]
        drawn = task.drawn(batch)
        return (maker.decoded(players["encoder"](drawn.real), drawn.condition) - drawn.real).square().mean()

    return error


def code_error(task: GeneratingTask[BatchT]) -> Callable[[Players, BatchT], Tensor]:
    """Squared error between the codes that fakes were made from and those that the encoder, frozen by now, sees in them.

    A generator that leaves part of its noise unused pays for it: what keeps the rare class from becoming one picture. In units of
    the codes' mean variance within classes, and averaged over their entries.

    References
    ----------
    Zhu et al. 2017, "Toward Multimodal Image-to-Image Translation", the conditional latent regressor. Departures: squares, and an
    encoder that is not trained further.
    """

    def error(players: Players, batch: BatchT) -> Tensor:
        maker: Any = players["generator"]
        fakes = task.fakes(players, batch)
        wanted = maker.codes(task.drawn(batch).noise, fakes.condition)
        variance = maker.factor.square().sum(2).mean(0)
        return ((players["encoder"](fakes.rows) - wanted).square() / variance).mean()

    return error


def _training(players: dict[str, nn.Module], data: TrainingData, settings: Any) -> Plan[Any]:
    task = make_task(data, settings, fake_classes="balanced", real_classes="balanced" if settings.balanced else "data")
    loss = FakeClassLoss(data.n_classes, settings.fake_weight)
    pre, optimizer = settings.n_autoencoder_steps or settings.n_steps // 8, optimizer_of(settings)
    kept = [Term("code", code_error(task), settings.code_weight)] if settings.code_weight else []
    phases = [
        Phase(
            ("encoder", "generator"),
            TermLoss([Term("autoencoder", _reconstruction(task))]),
            optimizer_of(settings, learning_rate=settings.autoencoder_learning_rate, betas=(0.9, 0.999)),
            stop=pre,
        ),
        Phase("discriminator", DiscriminatorLoss(loss, task), optimizer, start=pre),
        Phase("generator", GeneratorLoss(loss, task, terms=kept), optimizer, start=pre),
    ]
    return Plan(task, phases, [HandOver(data, pre)])


def _of_the_class(players: Players, images: Tensor, condition: Tensor) -> Tensor:
    """Whether the discriminator takes the image for a real one of the class asked for."""
    judge: Any = players["discriminator"]
    return judge(images).classes.argmax(1) == condition.argmax(1)


BAGAN = Recipe(
    "bagan",
    "autoencoder start, class Gaussians, K+1 classes; made for rare classes",
    "Mariani et al. 2018, section 3; departures: the decoder is told the class (Huang and Jafari 2021 put it into the code), "
    "images must keep their code (the latent regressor of Zhu et al. 2017), covariances are shrunk, real batches are balanced, "
    "images that the discriminator itself gives to another class are drawn again",
    _networks,
    _training,
    TRAINING_SETTINGS
    | NETWORK_SETTINGS
    | {
        "n_steps": 3000,
        "d_noise": 64,
        "average": 0.99,
        "balanced": True,
        "n_autoencoder_steps": 1000,
        "autoencoder_learning_rate": 1e-3,
        "fake_weight": None,
        "conditional_decoder": True,
        "code_weight": 3.0,
    },
    needs="labels",
    accepts=_of_the_class,
    scores=False,
    larger={"n_steps": 8000, "n_autoencoder_steps": None},
)
"""Recipe ``"bagan"``; ``n_steps`` counts the autoencoder's, too, an eighth of them where ``n_autoencoder_steps`` is None.

As published, but for the redrawing: ``conditional_decoder=False``, ``code_weight=0.0``, ``batch_norm=False``, ``balanced=False`` and
``average=None``. A decoder without the class has to guess it from the code, though the Gaussians of like classes overlap.
"""
