"""Small random changes of images that keep what they show: turned, slanted, scaled, moved and bent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from tabgan._runtime import make_generator, own_torch
from tabgan.estimators.parameter_checks import SEED, check_value, seed_of
from tabgan.exceptions import InvalidInputError, parameter_error
from tabgan.images.conditions import Conditions
from tabgan.images.image_format import ImageFormat
from tabgan.images.reading import OpenedImages, ReadOptions, open_images

__all__ = ["Warp", "WarpedImages"]

_AT_ONCE = 256
_KNOTS = 4
"""Per side, of the coarse grid whose moves are interpolated: bends of about a quarter of the image."""
_MOST = {"turn": 180.0, "slant": 1.0, "scale": 0.9, "move": 1.0, "bend": 0.5}


@dataclass(frozen=True, kw_only=True)
class Warp:
    """How far images are changed at random; every image has a strength of its own, anywhere between none and all of it.

    Parameters
    ----------
    turn : float in [0, 180], default=15
        Degrees, either way.
    slant : float in [0, 1], default=0.15
        Share of the height by which the top moves sideways against the bottom, either way.
    scale : float in [0, 0.9], default=0.15
        Share by which height and width grow or shrink, each its own.
    move : float in [0, 1], default=0.1
        Share of the side, down or up, and across.
    bend : float in [0, 0.5], default=0.05
        Standard deviation of smooth random moves, as a share of the side: elastic distortion.
    flip : bool, default=False
        Mirror half of the images, left to right.

    Raises
    ------
    InvalidParameterError
        A number is out of range.

    Notes
    -----
    The edge is repeated where nothing is known. With ``bend`` above 0.05 or so, what an image shows is no longer safe.

    References
    ----------
    Simard et al. 2003, "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis", section 2: affine and
    elastic distortions. Departures: smooth moves are interpolated from a grid of 4 x 4 random ones, and strengths vary by image.

    Examples
    --------
    >>> images = torch.rand(3, 1, 8, 8) * 2 - 1
    >>> Warp(turn=5, flip=True).of(images, torch.Generator().manual_seed(0)).shape
    torch.Size([3, 1, 8, 8])
    """

    turn: float = 15.0
    slant: float = 0.15
    scale: float = 0.15
    move: float = 0.1
    bend: float = 0.05
    flip: bool = False

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if (
                isinstance(value, (bool, np.bool_))
                or not isinstance(value, (int, float, np.number))
                or not 0 <= value <= most
            ):
                raise parameter_error(f"warp[{name!r}]", value, f"a number from 0 to {most:g}")
        if not isinstance(self.flip, (bool, np.bool_)):
            raise parameter_error("warp['flip']", self.flip, "True or False")

    @classmethod
    def parsed(cls, given: Any) -> Warp | None:
        """From True (as by default), False or None (no change), or some of the strengths by name.

        Raises
        ------
        InvalidParameterError
            Something else was given, or a strength is unknown or out of range.
        """
        if given is None or given is False:
            return None
        if given is True:
            return cls()
        known = [field.name for field in fields(cls)]
        if not isinstance(given, Mapping) or (set(given) - set(known)):
            raise parameter_error("warp", given, f"True, False, or a dict of some of {', '.join(known)}")
        return cls(**given)

    def of(self, images: Tensor, draw: torch.Generator) -> Tensor:
        """Images, each changed.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Floats.
        draw : torch.Generator
        """
        n, _, height, width = images.shape
        strength = torch.rand(n, generator=draw)

        def drawn(most: float, *shape: int) -> Tensor:
            return (2 * torch.rand(n, *shape, generator=draw) - 1) * most * strength.reshape(n, *(1 for _ in shape))

        turn, slant, sizes = torch.deg2rad(drawn(self.turn)), drawn(self.slant), 1 + drawn(self.scale, 2)
        rows = [[turn.cos(), slant - turn.sin()], [turn.sin(), turn.cos()]]
        matrix = torch.stack([torch.stack(row, 1) for row in rows], 1) / sizes[:, :, None]
        # Coordinates run from -1 to 1 on either side, whatever its length: a turn has to allow for it.
        sides = torch.tensor([float(width), float(height)])
        matrix = matrix * sides[None, None, :] / sides[None, :, None]
        if self.flip:
            mirrored = torch.rand(n, generator=draw) < 0.5
            matrix = torch.where(mirrored[:, None, None], matrix * torch.tensor([-1.0, 1.0]), matrix)
        theta = torch.cat([matrix, 2 * drawn(self.move, 2, 1)], 2)
        places = affine_grid(theta, list(images.shape), align_corners=False)
        if self.bend:
            coarse = torch.randn(n, 2, _KNOTS, _KNOTS, generator=draw) * (2 * self.bend * strength)[:, None, None, None]
            places = places + interpolate(coarse, (height, width), mode="bicubic").permute(0, 2, 3, 1)
        return grid_sample(images, places.to(images), padding_mode="border", align_corners=False)


class WarpedImages:
    """Draws images of asked classes from given ones, changed at random: what an `ImageGAN` does, without training.

    Parameters
    ----------
    images : OpenedImages
        The given images.
    labels : array of shape (n,)
        Their classes.
    warp : Warp or None
        How far they are changed; None hands out copies.
    draws : torch.Generator
        Where draws without a seed of their own come from.

    Attributes
    ----------
    classes_ : ndarray
        The labels, each once.
    form : ImageFormat
        How images are handed out: as they were given.

    Raises
    ------
    InvalidInputError
        There are more or fewer labels than images, or some are missing.
    """

    def __init__(self, images: OpenedImages, labels: Any, warp: Warp | None, draws: torch.Generator) -> None:
        self._pixels, self.form, self._warp, self._draws = images.pixels, images.form, warp, draws
        self._conditions = Conditions.learn(labels, len(images.pixels))
        self._groups = self._conditions.groups(labels, len(images.pixels))
        self.classes_ = np.asarray(self._conditions.labels)

    @own_torch(None)
    def sample(self, *, y: Any, random_state: int | None = None) -> Any:
        """One image per label, in the layout, range and dtype of those given; the images of a class take turns.

        Parameters
        ----------
        y : array of shape (n,)
            Labels.
        random_state : int, default=None
            Repeatable draws; None goes on in the stream of ``draws``.

        Returns
        -------
        ndarray or Tensor
            As many images as labels.
        """
        check_value("random_state", random_state, SEED)
        draw = self._draws if random_state is None else make_generator(seed_of(random_state))
        if np.ndim(y) != 1 or not len(y):
            raise InvalidInputError(f"y has shape {np.shape(y)}; give one label for each image to draw.")
        wanted = self._conditions.groups(y, len(y))
        rows = torch.empty(len(wanted), dtype=torch.long)
        for group in wanted.unique():
            own, places = (self._groups == group).nonzero()[:, 0], (wanted == group).nonzero()[:, 0]
            rounds = [own[torch.randperm(len(own), generator=draw)] for _ in range(-(-len(places) // len(own)))]
            rows[places] = torch.cat(rounds)[: len(places)]
        return _handed_out((self._pixels[some] for some in rows.split(_AT_ONCE)), self.form, self._warp, draw)


@own_torch(None)
def warped(images: Any, form: ImageFormat, warp: Warp, draw: torch.Generator) -> Any:
    """Images as they were handed out, changed at random.

    Parameters
    ----------
    images : ndarray or Tensor
        What ``form.restore`` gave.
    form : ImageFormat
    warp : Warp
    draw : torch.Generator
    """
    options = ReadOptions((form.low, form.high), form.shape)
    return _handed_out(open_images(images, options).pixels.split(_AT_ONCE), form, warp, draw)


def _handed_out(parts: Iterable[Tensor], form: ImageFormat, warp: Warp | None, draw: torch.Generator) -> Any:
    pieces = [form.restore(part if warp is None else warp.of(part, draw)) for part in parts]
    return torch.cat(pieces) if form.is_tensor else np.concatenate(pieces)
