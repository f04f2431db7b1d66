"""What the user hands to `ImageGAN.fit`, checked against the recipe, to what the recipe trains on."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from tabgan.exceptions import InvalidInputError
from tabgan.images.conditions import Conditions
from tabgan.images.reading import ImageFormat, read_images
from tabgan.images.recipes.recipe import Recipe, Sizes, TrainingData

__all__ = ["Given", "read_training_data"]


class Given(NamedTuple):
    """Training data, how to hand images back, and the conditions.

    Attributes
    ----------
    data : TrainingData
        On the device.
    source : ImageFormat or None
        Of the images to translate.
    target : ImageFormat
        Of the images that are made.
    conditions : Conditions or None
        Those of the labels.
    """

    data: TrainingData
    source: ImageFormat | None
    target: ImageFormat
    conditions: Conditions | None

    @property
    def sizes(self) -> Sizes:
        """What networks have to fit."""
        known = self.conditions
        width, n_classes = (0, 0) if known is None else (known.table.shape[1], known.n_classes)
        return Sizes(self.target.shape, width, n_classes, None if self.source is None else self.source.shape)


def read_training_data(
    recipe: Recipe,
    images: Any,
    y: Any,
    targets: Any,
    *,
    options: dict[str, Any],
    device: torch.device,
    known: Conditions | None = None,
) -> Given:
    """Read images with labels, or images and what they are translated to.

    Parameters
    ----------
    recipe : Recipe
        Says which of them it needs.
    images, y, targets
        As given to `ImageGAN.fit`.
    options : dict
        ``value_range`` and ``image_shape`` of `tabgan.images.reading.read_images`.
    device : torch.device
        Where the data go.
    known : Conditions, default=None
        Those of an earlier fit that goes on; None learns them from the labels.

    Raises
    ------
    InvalidInputError
        Something is missing, too much, or of another length or size; names it.
    """
    translates = recipe.needs in ("pairs", "domains")
    if translates != (targets is not None):
        verb = "needs" if translates else "does not take"
        raise InvalidInputError(f"targets: recipe {recipe.name!r} {verb} them.")
    if translates and y is not None:
        raise InvalidInputError(f"y: recipe {recipe.name!r} does not take labels.")
    if recipe.needs == "labels" and y is None:
        raise InvalidInputError(f"y: recipe {recipe.name!r} needs labels.")
    values, form = read_images(images, **options)
    if not translates:
        if y is None and known is not None:
            raise InvalidInputError("y: the model was trained with labels; give them here, too.")
        if y is None:
            return Given(TrainingData(values.to(device)), None, form, None)
        conditions = Conditions.learn(y, len(values)) if known is None else known
        groups = conditions.groups(y, len(values)).to(device)
        table = conditions.table.to(device)
        return Given(TrainingData(values.to(device), groups, len(table), table[groups]), None, form, conditions)
    wanted, target_form = read_images(targets, **options, name="targets")
    if recipe.needs == "pairs" and len(wanted) != len(values):
        raise InvalidInputError(
            f"targets has {len(wanted)} images, but images has {len(values)}; they belong together."
        )
    if wanted.shape[2:] != values.shape[2:]:
        raise InvalidInputError(
            f"targets have {tuple(wanted.shape[2:])} pixels and images {tuple(values.shape[2:])}; they must agree (enlarge "
            "low-resolution images first)."
        )
    return Given(TrainingData(wanted.to(device), sources=values.to(device)), form, target_form, None)
