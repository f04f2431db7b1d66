"""What the user hands to `ImageGAN.fit`, checked against the recipe, to what the recipe trains on."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tabgan.exceptions import InvalidInputError, parameter_error
from tabgan.images.conditions import Conditions
from tabgan.images.folders import tell_left_out
from tabgan.images.image_format import ImageFormat
from tabgan.images.label_files import read_labels
from tabgan.images.networks.layers import padded_size
from tabgan.images.reading import OpenedImages, ReadOptions, open_images
from tabgan.images.recipes.recipe import Recipe, Sizes, TrainingData

__all__ = ["Given", "Known", "labels_of", "read_training_data"]


class Known(NamedTuple):
    """What an earlier fit learnt, from which another goes on.

    Attributes
    ----------
    source : ImageFormat or None
        Of the images to translate.
    target : ImageFormat
        Of the images that are made.
    conditions : Conditions or None
        Those of the labels.
    """

    source: ImageFormat | None
    target: ImageFormat
    conditions: Conditions | None


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
        return Sizes(self.target.seen_shape, width, n_classes, None if self.source is None else self.source.seen_shape)


def read_training_data(
    recipe: Recipe,
    settings: dict[str, Any],
    images: Any,
    y: Any,
    targets: Any,
    *,
    options: ReadOptions,
    device: torch.device,
    known: Known | None = None,
) -> Given:
    """Read images with labels, or images and what they are translated to.

    Parameters
    ----------
    recipe : Recipe
        Says which of them it needs.
    settings : dict
        The recipe's; its networks decide to which size images are padded.
    images, y, targets
        As given to `ImageGAN.fit`.
    options : ReadOptions
        How to read images.
    device : torch.device
        Where the data go.
    known : Known, default=None
        Of an earlier fit that goes on; None learns from these data.

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
    if not translates:
        opened = open_images(images, options, like=None if known is None else known.target)
        given = _with_labels(recipe, settings, opened, y, device, known)
        if len(opened.pixels) < 2:
            raise InvalidInputError("images holds a single image; training needs two at least.")
        return given
    source = open_images(images, options, like=None if known is None else known.source)
    target = open_images(targets, options, like=None if known is None else known.target, name="targets")
    if recipe.needs == "pairs":
        source, target = _paired(source, target)
    if source.form.shape[1:] != target.form.shape[1:]:
        raise InvalidInputError(
            f"targets have {target.form.shape[1:]} pixels and images {source.form.shape[1:]}; they must agree (enlarge "
            "low-resolution images first, or give size)."
        )
    forms = [_padded(opened.form, recipe, settings, known and known.target) for opened in (source, target)]
    seen = [opened.pixels.seen(device, form.padded) for opened, form in zip((source, target), forms, strict=True)]
    return Given(TrainingData(seen[1], sources=seen[0]), forms[0], forms[1], None)


def _with_labels(
    recipe: Recipe, settings: dict[str, Any], opened: OpenedImages, y: Any, device: torch.device, known: Known | None
) -> Given:
    form = _padded(opened.form, recipe, settings, known and known.target)
    pixels = opened.pixels.seen(device, form.padded)
    labels = labels_of(opened, y)
    if labels is not None and not recipe.takes_labels:
        if y is not None:
            raise InvalidInputError(f"y: recipe {recipe.name!r} does not take labels; leave y out, or give y=False.")
        labels = None  # those of a folder of classes
    if recipe.needs == "labels" and labels is None:
        raise InvalidInputError(f"y: recipe {recipe.name!r} needs labels.")
    learnt = None if known is None else known.conditions
    if labels is None:
        if learnt is not None:
            raise InvalidInputError("y: the model was trained with labels; give them here, too.")
        return Given(TrainingData(pixels), None, form, None)
    if known is not None and learnt is None:
        return Given(TrainingData(pixels), None, form, None)
    conditions = Conditions.learn(labels, len(pixels)) if learnt is None else learnt
    groups = conditions.groups(labels, len(pixels)).to(device)
    table = conditions.table.to(device)
    return Given(TrainingData(pixels, groups, len(table), table[groups]), None, form, conditions)


def labels_of(opened: OpenedImages, y: Any) -> Any:
    """Labels of the images that could be read.

    Parameters
    ----------
    opened : OpenedImages
    y : array, path, False or None
        As given, in a file, none, or those that came with the images.
    """
    if y is None:
        return opened.labels
    if isinstance(y, (bool, np.bool_)):
        if y:
            raise parameter_error("y", y, "labels, a file of them, None, or False for none")
        return None
    if isinstance(y, (str, os.PathLike)):
        y = read_labels(Path(y), opened.names, opened.n_given)
        if opened.names is not None and len(y) == len(opened.names):
            return y
    if len(opened.kept) < opened.n_given and np.ndim(y) and len(y) == opened.n_given:
        return np.asarray(y)[opened.kept]
    return y


def _paired(source: OpenedImages, target: OpenedImages) -> tuple[OpenedImages, OpenedImages]:
    """Pairs by the names of files where both have them, else by order."""
    if source.names is not None and target.names is not None:
        stems = [[str(Path(name).with_suffix("")) for name in one.names or ()] for one in (source, target)]
        if any(len(set(some)) < len(some) for some in stems):  # a.png beside a.jpg: endings tell them apart
            stems = [list(one.names or ()) for one in (source, target)]
        places = [{name: row for row, name in enumerate(some)} for some in stems]
        both = [name for name in places[0] if name in places[1]]
        if both:
            alone = sorted(set(places[0]) ^ set(places[1]))
            tell_left_out("pictures have no counterpart of their name among the others and are", alone)
            rows = [[place[name] for name in both] for place in places]
            untouched = rows[0] == list(range(len(places[0]))) and rows[1] == list(range(len(places[1])))
            return (source, target) if untouched else (source.of(rows[0]), target.of(rows[1]))
    if len(target.pixels) != len(source.pixels):
        raise InvalidInputError(
            f"targets has {len(target.pixels)} images, but images has {len(source.pixels)}; they belong together."
        )
    if (len(source.kept), len(target.kept)) != (source.n_given, target.n_given) and source.kept != target.kept:
        raise InvalidInputError(
            "images and targets belong together by order, but not the same ones of them could be read; remove broken files and "
            "their counterparts, or give files of one pair one name."
        )
    return source, target


def _padded(form: ImageFormat, recipe: Recipe, settings: dict[str, Any], known: ImageFormat | None) -> ImageFormat:
    """The format with the size that networks see."""
    if known is not None:
        return dataclasses.replace(form, padded=known.padded)
    given: dict[str, Any] = {"network": settings.get("network"), "n_down": settings.get("n_down", 0)}
    size = padded_size(form.height, form.width, **given)
    if recipe.halves:
        half = padded_size(*(-(-side // 2) for side in size), **given)
        size = 2 * half[0], 2 * half[1]
    return form if size == (form.height, form.width) else dataclasses.replace(form, padded=size)
