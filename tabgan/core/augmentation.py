"""Augmentation that the generator does not learn to copy: the discriminator sees real and generated images changed alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from tabgan.core.cases import BatchT, Case, Players
from tabgan.core.stabilisers import Lens, WrappedBatch
from tabgan.core.tasks import GeneratingTask
from tabgan.exceptions import InvalidParameterError

__all__ = ["AUGMENTATIONS", "DiffAugment", "RandomShifts", "coloured", "cut_out", "shifted"]


class RandomShifts(Lens[BatchT]):
    """Show the discriminator every image moved by a few pixels, so that it cannot learn a small class by heart.

    Parameters
    ----------
    task : GeneratingTask
        The task inside, of images.
    n_pixels : int, default=2
        Each image is moved by up to so many pixels down or up and across, every whole distance alike.

    Notes
    -----
    Real images alone must not be changed, or the generator would learn the change; both are, in both phases, and gradients pass
    through.

    References
    ----------
    Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", eq. 4-6, its translation. Departure: pixels
    from beyond the border repeat the border instead of being 0, which is grey here.
    """

    def __init__(self, task: GeneratingTask[BatchT], n_pixels: int = 2) -> None:
        super().__init__(task)
        if n_pixels < 0:
            raise InvalidParameterError(f"n_pixels={n_pixels} must not be negative.")
        self.n_pixels = n_pixels

    def seen(self, rows: Tensor, batch: WrappedBatch[BatchT], draw: torch.Generator) -> Tensor:
        """Each image moved."""
        down, across = torch.randint(2 * self.n_pixels + 1, (2, len(rows)), generator=draw) - self.n_pixels
        return shifted(rows, down, across)


def shifted(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Each image moved by its own whole number of pixels; its border is repeated where nothing is known.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Gradients pass through.
    down, across : LongTensor of shape (n,)
        Pixels; negative values move up and to the left.
    """
    n, channels, height, width = images.shape
    reach = int(torch.cat([down, across]).abs().max()) if n else 0
    if not reach:
        return images
    larger = pad(images, (reach, reach, reach, reach), mode="replicate")
    rows = (reach - down.to(images.device))[:, None] + torch.arange(height, device=images.device)
    columns = (reach - across.to(images.device))[:, None] + torch.arange(width, device=images.device)
    larger = larger.gather(2, rows[:, None, :, None].expand(n, channels, height, larger.shape[3]))
    return larger.gather(3, columns[:, None, None, :].expand(n, channels, height, width))


def coloured(images: Tensor, draw: torch.Generator) -> Tensor:
    """Brightness moved by up to a quarter of the range, saturation times 0 to 2, contrast times 0.5 to 1.5, each image its own.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        In [-1, 1]; what comes out may lie beyond. Gradients pass through.
    draw : torch.Generator
    """
    brightness, saturation, contrast = torch.rand(3, len(images), 1, 1, 1, generator=draw).to(images)
    images = images + brightness - 0.5
    grey = images.mean(1, keepdim=True)
    images = grey + 2 * saturation * (images - grey)
    middle = images.mean((1, 2, 3), keepdim=True)
    return middle + (contrast + 0.5) * (images - middle)


def cut_out(images: Tensor, draw: torch.Generator) -> Tensor:
    """A rectangle of half the height and width of each image made grey, wherever its middle lies.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Gradients pass through where nothing is cut.
    draw : torch.Generator
    """
    kept = []
    for side in images.shape[2:]:
        length = max(side // 2, 1)
        start = torch.randint(side + 1 - length % 2, (len(images), 1), generator=draw) - length // 2
        place = torch.arange(side)
        kept.append((place < start) | (place >= start + length))
    outside = kept[0][:, None, :, None] | kept[1][:, None, None, :]
    return images * outside.to(images)


def _translated(images: Tensor, draw: torch.Generator) -> Tensor:
    """Each image moved by up to an eighth of its side."""
    down, across = (
        torch.randint(2 * reach + 1, (len(images),), generator=draw) - reach
        for reach in (max(round(side / 8), 1) for side in images.shape[2:])
    )
    return shifted(images, down, across)


AUGMENTATIONS = {"colour": coloured, "translation": _translated, "cut-out": cut_out}
"""Changes by name, all called as ``change(images, draw)``."""


class DiffAugment(Lens[BatchT]):
    """Show the discriminator every image, real or not, changed at random in colour, place and completeness.

    Parameters
    ----------
    task : GeneratingTask
        The task inside, of images in [-1, 1].
    kinds : sequence of {"colour", "translation", "cut-out"}
        In this order.
    target : float in (0, 1), default=None
        Adapt how often images are changed: each change is made with a probability that rises while the discriminator tells real
        from generated images more surely than this, and falls otherwise. None makes every change on every image.
    n_images : int, default=50000
        After so many images the probability has gone from 0 to 1, if it does nothing but rise.

    Attributes
    ----------
    probability : float
        Of each change of an image, at present.

    Raises
    ------
    InvalidParameterError
        A kind is unknown, or a number out of range.

    References
    ----------
    Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", eq. 4-6 and the authors' code. Adaptive strength:
    Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", eq. 1, r_t. Departures: r_t is the mean sign of
    real images' scores above the midpoint of the mean scores of both kinds, so that it does not depend on a critic's offset; borders
    repeat; 50,000 images where they have 500,000.
    """

    def __init__(
        self,
        task: GeneratingTask[BatchT],
        kinds: Sequence[str] = tuple(AUGMENTATIONS),
        *,
        target: float | None = None,
        n_images: int = 50_000,
    ) -> None:
        super().__init__(task)
        unknown = [kind for kind in kinds if kind not in AUGMENTATIONS]
        if unknown or not kinds:
            raise InvalidParameterError(f"augment={','.join(kinds)!r} must name some of {', '.join(AUGMENTATIONS)}.")
        if target is not None and not 0 < target < 1:
            raise InvalidParameterError(f"augment_target={target} must lie in (0, 1).")
        if n_images < 1:
            raise InvalidParameterError(f"n_images={n_images} must be at least 1.")
        self.kinds = list(kinds)
        self.target = target
        self.n_images = n_images
        self.probability = 1.0 if target is None else 0.0

    def batch(self, generator: torch.Generator) -> WrappedBatch[BatchT]:
        """The inner batch; the probability is fixed with it."""
        return dataclasses.replace(super().batch(generator), strength=self.probability)

    def seen(self, rows: Tensor, batch: WrappedBatch[BatchT], draw: torch.Generator) -> Tensor:
        """Changed."""
        for kind in self.kinds:
            changed = AUGMENTATIONS[kind](rows, draw)
            if batch.strength < 1:
                chosen = torch.rand(len(rows), 1, 1, 1, generator=draw) < batch.strength
                changed = torch.where(chosen.to(rows.device), changed, rows)
            rows = changed
        return rows

    def discriminator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> Sequence[Case]:
        """The inner cases, seen through the changes, of which the probability is adapted."""
        cases = super().discriminator_cases(players, batch)
        if self.target is not None:
            self._adapt(cases, self.target)
        return cases

    @torch.no_grad()
    def _adapt(self, cases: Sequence[Case], target: float) -> None:
        real, made = (case.verdict.adversarial for case in cases[:2])
        if real is None or made is None:
            raise InvalidParameterError("augment_target needs a discriminator that scores images; leave it out.")
        sureness = float((real - (real.mean() + made.mean()) / 2).sign().mean())
        step = len(real) / self.n_images
        self.probability = min(max(self.probability + (step if sureness > target else -step), 0.0), 1.0)

    def _own_state(self) -> dict[str, Any]:
        return {"probability": self.probability}

    def _load_own_state(self, state: dict[str, Any]) -> None:
        self.probability = state["probability"]
