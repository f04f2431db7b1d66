"""What a recipe is: networks, and a plan of task and phases, as data for the one trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal

import torch
from torch import Tensor, nn

from tabgan.core.augmentation import DiffAugment, RandomShifts
from tabgan.core.callbacks import Callback
from tabgan.core.cases import BatchT, Players
from tabgan.core.conditional import ConditionalTask
from tabgan.core.lecam import LeCamLoss
from tabgan.core.losses import ADVERSARIAL_LOSSES, LossPair
from tabgan.core.penalties import CasePenalty, Penalty
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, PenalizedTask, Phase, Task, Term
from tabgan.core.stabilisers import FlippedLabels, InstanceNoise, ReplayPool, SmoothedLabels
from tabgan.core.tasks import GeneratingTask, GenerationTask, normal_prior
from tabgan.exceptions import InvalidParameterError
from tabgan.images.networks.layers import SMALL, Shape
from tabgan.images.pixels import Pixels
from tabgan.images.recipes.reached import REACHED
from tabgan.images.recipes.standing import Reached, standing_of

__all__ = [
    "LARGER_SETTINGS",
    "NETWORK_SETTINGS",
    "REGULARISER_SETTINGS",
    "STATISTICS_SETTINGS",
    "TASK_SETTINGS",
    "TRAINING_SETTINGS",
    "TWO_RATES",
    "Plan",
    "Recipe",
    "Sizes",
    "TrainingData",
    "judge_optimizer_of",
    "make_task",
    "optimizer_of",
    "pair_of",
    "two_players",
    "zero_centred",
]

_PARTS_OF_STEPS = ("n_first_steps", "n_autoencoder_steps")
"""Settings that say how many of the steps a first part of training takes."""

Settings = Any
"""A namespace with the recipe's settings as attributes."""

TRAINING_SETTINGS: dict[str, Any] = {
    "n_steps": 1500,
    "batch_size": 64,
    "d_noise": 32,
    "learning_rate": 2e-4,
    "betas": (0.5, 0.999),
    "average": None,
    "accumulate": 1,
}
"""Settings of every recipe; ``average`` is the decay of the averaged generator weights, None for the last weights; ``accumulate``
batches make one update."""

TWO_RATES: dict[str, Any] = {"discriminator_learning_rate": None}
"""The discriminator's own learning rate, where a recipe has it; None is ``learning_rate``."""

TASK_SETTINGS: dict[str, Any] = {
    "balanced": False,
    "real_target": 1.0,
    "flip_probability": 0.0,
    "instance_noise": 0.0,
    "shift": 0,
    "augment": "",
    "augment_target": None,
    "replay": 0,
}
"""Settings of the task of making images from noise; all tricks of `tabgan.core.stabilisers` are off.

``balanced`` shows and asks for all classes alike, where False takes them as frequent as they are; ``real_target`` below 1 smooths
the labels on one side; ``flip_probability`` swaps labels; ``instance_noise`` is its initial standard deviation, which falls to 0 over
10,000 batches; ``shift`` moves all that the discriminator sees by up to so many pixels (`tabgan.core.augmentation`), good for a few
thousand images or fewer; ``augment="colour,translation,cut-out"`` changes all that it sees in these ways (DiffAugment), with
``augment_target=0.6`` as often as it takes to keep it from knowing its images by heart; ``replay`` keeps so many older images for the
discriminator.
"""

NETWORK_SETTINGS: dict[str, Any] = TASK_SETTINGS | {"network": "auto", "width": None, "depth": 2, "batch_norm": True}
"""Further settings of recipes that make images from noise.

``network`` is ``"mlp"``, ``"dcgan"``, ``"residual"`` or ``"auto"`` (``"mlp"`` up to 256 pixels, else ``"dcgan"``); ``width`` None is
256 units for ``"mlp"`` and 32 feature maps otherwise; ``depth`` counts hidden layers of ``"mlp"``; ``batch_norm`` False leaves it out
of an ``"mlp"`` or ``"dcgan"`` generator (recipes whose papers have none never use it).
"""

STATISTICS_SETTINGS: dict[str, Any] = {"statistics": "batch"}
"""Whose mean and variance the generator's batch norm takes: ``"batch"``, ``"reference"`` (a fixed batch's) or ``"virtual"`` (a fixed
batch's and the image's own), so that an image does not depend on the others of its batch (Salimans et al. 2016, section 3.5)."""

LARGER_SETTINGS: dict[str, Any] = {"width": 16, "learning_rate": 5e-4, "average": 0.999}
"""Defaults of most recipes for more than 256 pixels: no more feature maps than a processor trains in minutes, and steps so long that
weights have to be averaged. CGAN's coverage of MNIST after 2,000 steps is 0.70 with them, and 0.37 at 2e-4."""

REGULARISER_SETTINGS: dict[str, Any] = {"r1": 0.0, "lecam": 0.0}
"""Weights of what the discriminator may pay beside its loss, left out at 0: ``r1`` of half the squared gradient norm at real images
(Mescheder et al. 2018, eq. 9), ``lecam`` of scores far from those of the other kind (Tseng et al. 2021, who take 0.01 to 0.5), for few
images."""


@dataclass(frozen=True)
class Sizes:
    """What networks have to fit.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the images that are made.
    d_condition : int, default=0
        Width of the condition vector; 0 without one.
    n_classes : int, default=0
        Number of classes; 0 without labels, or with condition vectors.
    source : (channels, height, width), default=None
        Of the images that are translated.
    """

    shape: Shape
    d_condition: int = 0
    n_classes: int = 0
    source: Shape | None = None


@dataclass(frozen=True)
class TrainingData:
    """What a recipe trains on, on the device.

    Parameters
    ----------
    images : Pixels
        The images to make: rows in [-1, 1] of shape (n, c, h, w) on request.
    classes : LongTensor of shape (n,), default=None
        Which images share a condition.
    n_classes : int, default=0
        Number of such groups.
    condition : Tensor of shape (n, d_condition), default=None
        One-hot classes, or the condition vectors.
    sources : Pixels, default=None
        The images to translate; paired with ``images`` if ``m == n`` and the recipe says so.
    """

    images: Pixels | Tensor
    classes: Tensor | None = None
    n_classes: int = 0
    condition: Tensor | None = None
    sources: Pixels | Tensor | None = None


@dataclass
class Plan(Generic[BatchT]):
    """What the trainer gets from a recipe.

    Parameters
    ----------
    task : Task
        Source of batches.
    phases : list of Phase
        In order.
    callbacks : list of Callback
        With the recipe's own state, if any.
    """

    task: Task[BatchT]
    phases: list[Phase[BatchT]]
    callbacks: list[Callback] = field(default_factory=list)


def _generate(players: Players, noise: Tensor, condition: Tensor | None) -> Tensor:
    return players["generator"](noise, condition)


def _no_way_back(players: Players, noise: Tensor, condition: Tensor | None) -> Tensor:
    raise InvalidParameterError("this recipe does not translate back.")


def _d_noise_of_settings(players: dict[str, nn.Module], settings: Settings) -> int:
    return int(settings.d_noise)


@dataclass(frozen=True)
class Recipe:
    """One system, as data.

    Parameters
    ----------
    name : str
        Its key in `tabgan.images.recipes`.
    summary, source : str
        What it does, and where it is from.
    networks : callable
        ``networks(sizes, settings, generator) -> dict of str to nn.Module``.
    training : callable
        ``training(players, data, settings) -> Plan``.
    settings : mapping
        Its settings and their defaults; nothing else is accepted.
    needs : {"images", "labels", "pairs", "domains"}, default="images"
        ``"images"`` takes labels if there are any; ``"pairs"`` is image to image with row-by-row targets, ``"domains"`` without.
    makers : tuple of str, default=("generator",)
        Players that make images: these are averaged, and a file's users need only them.
    make : callable
        ``make(players, noise, condition) -> images``; by default the generator's call.
    make_back : callable
        The same, from the second domain to the first, for ``needs="domains"``.
    d_noise : callable
        ``d_noise(players, settings)``, the width of the noise; by default the setting.
    accepts : callable, default=None
        ``accepts(players, images, condition) -> bool (n,)``: images that `ImageGAN.sample` may give; others are drawn again.
    halves : bool, default=False
        It makes images of half the size first, which networks must fit as well.
    takes_labels : bool, default=True
        Whether it can be given labels; False drops those that come with a folder.
    watched : bool, default=True
        Whether making images is cheap enough to look for collapse during training.
    larger : mapping, default={}
        Defaults that differ for images of more than 256 pixels, unless ``network="mlp"`` is asked for.
    scores : bool, default=True
        Whether its discriminator gives a score per image, which ``augment_target`` goes by.
    unused : tuple of str, default=()
        Settings of every recipe that this one has no use for, so that giving them is refused; ``"d_noise"``, also as a parameter.
    """

    name: str
    summary: str
    source: str
    networks: Callable[[Sizes, Settings, torch.Generator], dict[str, nn.Module]]
    training: Callable[[dict[str, nn.Module], TrainingData, Settings], Plan[Any]]
    settings: Mapping[str, Any]
    needs: Literal["images", "labels", "pairs", "domains"] = "images"
    makers: tuple[str, ...] = ("generator",)
    make: Callable[[Players, Tensor, Tensor | None], Tensor] = _generate
    make_back: Callable[[Players, Tensor, Tensor | None], Tensor] = _no_way_back
    d_noise: Callable[[dict[str, nn.Module], Settings], int] = _d_noise_of_settings
    accepts: Callable[[Players, Tensor, Tensor], Tensor] | None = None
    halves: bool = False
    takes_labels: bool = True
    watched: bool = True
    larger: Mapping[str, Any] = field(default_factory=dict)
    scores: bool = True
    unused: tuple[str, ...] = ()

    @property
    def reached(self) -> list[Reached]:
        """What it was shown to reach at its defaults or near them, by data set; empty for recipes of one's own."""
        return [row for row in REACHED if row.recipe == self.name]

    @property
    def standing(self) -> str:
        """How it did on 28 x 28 pixels: see `tabgan.images.recipes.standing.standing_of`."""
        return standing_of(self.reached)

    def defaults(self, shape: Shape, given: Mapping[str, Any]) -> dict[str, Any]:
        """All settings for images of this shape, those that are given among them.

        A default for the first part of training that would take up all steps becomes None, the recipe's share of them.
        """
        pixels = shape[1] * shape[2]
        larger = self.larger if pixels > SMALL and given.get("network") != "mlp" else {}
        settings = {**self.settings, **larger, **given}
        for name in _PARTS_OF_STEPS:
            if name in settings and name not in given and (settings[name] or 0) >= settings["n_steps"]:
                settings[name] = None
        return settings


def make_task(data: TrainingData, settings: Settings, **options: Any) -> GeneratingTask[Any]:
    """Plain generation, or generation under the condition where there is one.

    Real and generated images have the same mix of conditions. If they had not, a critic could tell them apart by the condition
    alone; a Wasserstein critic's score of it grows without bound, as no gradient penalty acts on it, until classes break down.
    """
    prior = normal_prior(settings.d_noise)
    paired = options.get("paired", False)
    if data.classes is None:
        return _stabilised(GenerationTask(data.images, prior, settings.batch_size, paired=paired), settings)
    mix: dict[str, Any] = (
        {"fake_classes": "uniform", "real_classes": "balanced"} if settings.balanced else {"fake_classes": "data"}
    )
    if paired:
        mix["fake_classes"] = "rows"
    task = ConditionalTask(
        data.images,
        data.classes,
        prior,
        settings.batch_size,
        n_classes=data.n_classes,
        condition=data.condition,
        **(mix | options),
    )
    return _stabilised(task, settings)


def _stabilised(task: GeneratingTask[Any], settings: Settings) -> GeneratingTask[Any]:
    if settings.replay:
        task = ReplayPool(task, settings.replay)
    if settings.shift:
        task = RandomShifts(task, settings.shift)
    if settings.augment:
        task = DiffAugment(task, settings.augment.split(","), target=settings.augment_target)
    if settings.instance_noise:
        task = InstanceNoise(task, settings.instance_noise)
    if settings.flip_probability:
        task = FlippedLabels(task, settings.flip_probability)
    return SmoothedLabels(task, settings.real_target) if settings.real_target != 1 else task


def optimizer_of(settings: Settings, **changes: Any) -> OptimizerSpec:
    """Adam with the recipe's learning rate and betas."""
    return OptimizerSpec(**({"learning_rate": settings.learning_rate, "betas": tuple(settings.betas)} | changes))


def judge_optimizer_of(settings: Settings) -> OptimizerSpec:
    """The same with the discriminator's own learning rate, if it has one."""
    return optimizer_of(settings, learning_rate=settings.discriminator_learning_rate or settings.learning_rate)


def pair_of(loss: str, settings: Settings) -> LossPair:
    """The loss pair of that name, regularised if its setting asks for it."""
    pair = ADVERSARIAL_LOSSES[loss]
    return LeCamLoss(pair, settings.lecam) if settings.lecam else pair


def zero_centred(settings: Settings) -> list[Penalty]:
    """R1, if its setting asks for it."""
    return [Penalty("r1", settings.r1)] if settings.r1 else []


def two_players(
    task: PenalizedTask[BatchT],
    loss: LossPair | str,
    optimizer: OptimizerSpec,
    *,
    penalties: Sequence[Penalty | CasePenalty] = (),
    judge_optimizer: OptimizerSpec | None = None,
    n_critic: int = 1,
    generator_terms: Sequence[Term[BatchT]] = (),
    after_step: Sequence[Callable[[nn.Module], None]] = (),
) -> Plan[BatchT]:
    """The standard plan: ``n_critic`` discriminator steps, then one generator step.

    Parameters
    ----------
    task : PenalizedTask
        Source of batches and cases.
    loss : LossPair or str
        The pair, or its name.
    optimizer : OptimizerSpec
        For both players.
    judge_optimizer : OptimizerSpec, default=None
        For the discriminator, in the place of ``optimizer``.
    penalties, generator_terms, after_step
        On the discriminator, on the generator, and hooks after each discriminator step.
    n_critic : int, default=1
        Discriminator steps per generator step.
    """
    pair = ADVERSARIAL_LOSSES[loss] if isinstance(loss, str) else loss
    return Plan(
        task,
        [
            Phase(
                "discriminator",
                DiscriminatorLoss(pair, task, penalties=penalties),
                judge_optimizer or optimizer,
                n_steps=n_critic,
                after_step=after_step,
            ),
            Phase("generator", GeneratorLoss(pair, task, terms=generator_terms), optimizer),
        ],
    )
