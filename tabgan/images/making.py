"""What a fitted `ImageGAN` does: draw images, walk between them, translate, write its generator for others to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from tabgan._runtime import make_generator, own_torch
from tabgan.estimators.parameter_checks import SEED, check_value, integer, number, optional, seed_of
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.conditions import Conditions
from tabgan.images.fitting import accepted, make_images
from tabgan.images.image_format import ImageFormat
from tabgan.images.latent import slerp, truncated_noise
from tabgan.images.reading import OpenedImages, ReadOptions, open_images
from tabgan.images.recipes.recipe import Recipe

__all__ = ["Drawing"]

_N_REDRAWS = 10
"""After so many draws an image is given out whatever the discriminator says: an untrained model must answer, too."""


class Drawing:
    """The half of `ImageGAN` that needs trained networks; see there."""

    if TYPE_CHECKING:
        recipe_: Recipe
        settings_: dict[str, Any]
        players_: dict[str, Any]
        _format: ImageFormat
        _source_format: ImageFormat | None
        _conditions: Conditions | None
        _draws: torch.Generator

    @own_torch(None)
    def sample(
        self,
        n: int | None = None,
        y: Any = None,
        *,
        truncation: float | None = None,
        random_state: int | None = None,
        return_y: bool = False,
    ) -> Any:
        """Draw images.

        Parameters
        ----------
        n : int, default=None
            How many; None takes one per entry of ``y``.
        y : array of shape (n,) or (n, d), or one label, default=None
            Classes or condition vectors to draw; None draws them as frequent as in training.
        truncation : float, default=None
            Redraw noise beyond this absolute value: better pictures, less variety (Brock et al. 2019, section 3.1).
        random_state : int, default=None
            Repeatable draws; None goes on in the model's own stream.
        return_y : bool, default=False
            Return ``(images, y)``.

        Returns
        -------
        ndarray or Tensor
            Images in the layout, range and dtype of those seen in `fit`.

        Notes
        -----
        Recipe ``"bagan"`` draws images anew, up to ten times, that its own discriminator takes for fake or for another class.
        """
        self._check_ready("pairs", "domains", wanted=False, method="sample", instead="transform")
        if y is not None and np.ndim(y) == 0:
            y = [y] * (n or 1)
        if n is None:
            if y is None:
                raise InvalidParameterError("n=None needs y; say how many images to draw.")
            n = len(y)
        check_value("n", n, integer(1))
        check_value("truncation", truncation, optional(number(0, open_low=True)))
        generator = self._generator(random_state)
        condition, drawn = self._condition(n, y, generator)
        made = make_images(self.recipe_, self.players_, self._noise(n, truncation, generator), condition)
        for _ in range(_N_REDRAWS):
            again = ~accepted(self.recipe_, self.players_, made, condition)
            if not again.any():
                break
            noise = self._noise(int(again.sum()), truncation, generator)
            wanted = None if condition is None else condition[again]
            made[again] = make_images(self.recipe_, self.players_, noise, wanted)
        images = self._format.restore(made)
        return (images, drawn) if return_y else images

    @own_torch(None)
    def latent_walk(
        self,
        n: int = 5,
        y: Any = None,
        *,
        steps: int = 9,
        random_state: int | None = None,
        return_y: bool = False,
    ) -> Any:
        """Walk from one random latent code to another, on the arc between them, under one condition per walk.

        Parameters
        ----------
        n : int, default=5
            Walks.
        y : array of shape (n,) or (n, d), or one label, default=None
            Class or condition vector of each walk; None draws them as frequent as in training.
        steps : int, default=9
            Images per walk, both ends included.
        random_state : int, default=None
            Repeatable codes; None goes on in the model's own stream.
        return_y : bool, default=False
            Return ``(images, y)``; y is None for a model without conditions.

        Returns
        -------
        ndarray or Tensor of shape (n, steps, ...)
            Images in the layout, range and dtype of those seen in `fit`. `tabgan.plotting.ImageGridDisplay.from_walk` draws them.
        """
        self._check_ready("pairs", "domains", wanted=False, method="latent_walk", instead="transform")
        for name, value, least in (("n", n, 1), ("steps", steps, 2)):
            check_value(name, value, integer(least))
        if y is not None and np.ndim(y) == 0:
            y = [y] * n
        generator = self._generator(random_state)
        condition, drawn = self._condition(n, y, generator)
        start, end = torch.randn(2, n, self.settings_["d_noise"], generator=generator)
        noise = slerp(start, end, steps).transpose(0, 1).flatten(0, 1)
        condition = None if condition is None else condition.repeat_interleave(steps, 0)
        images = self._format.restore(make_images(self.recipe_, self.players_, noise, condition))
        images = images.reshape(n, steps, *images.shape[1:])
        return (images, drawn) if return_y else images

    @own_torch(None)
    def transform(
        self, images: Any, *, draw: bool = False, reverse: bool = False, random_state: int | None = None
    ) -> Any:
        """Translate images.

        Parameters
        ----------
        images : ndarray, Tensor, list, Dataset, DataLoader or path
            Like the ``images`` of `fit` (its ``targets`` with ``reverse``), with black and white at the same values.
        draw : bool, default=False
            Let pix2pix's dropout act, so that each call gives another translation; False gives the mean network's.
        reverse : bool, default=False
            Translate back (CycleGAN only).
        random_state : int, default=None
            Repeatable draws; None goes on in the model's own stream.

        Returns
        -------
        ndarray or Tensor
            In the layout, range and dtype of ``targets`` (of ``images`` with ``reverse``).
        """
        opened = self._opened(images, reverse=reverse)
        back = self._source_format if reverse else self._format
        assert back is not None
        generator = self._generator(random_state)
        made = list(self._translated(opened, generator if draw else None, reverse=reverse))
        return torch.cat(made) if back.is_tensor else np.concatenate(made)

    def export(self, path: str | os.PathLike[str], *, reverse: bool = False) -> None:
        """Write what makes the images to one file that torch or ONNX runs without tabgan.

        Parameters
        ----------
        path : path-like
            Ends in ``.pt2`` (``torch.export.load``) or ``.onnx`` (extra ``onnx``). What goes in and comes out is said in
            `tabgan.images.exporting.GeneratorModule`.
        reverse : bool, default=False
            The way back (CycleGAN only).
        """
        from tabgan.images.exporting import export_generator

        check_is_fitted(self, "players_")
        export_generator(self, path, reverse=reverse)

    def _opened(self, images: Any, *, reverse: bool) -> OpenedImages:
        """Images to translate."""
        self._check_ready("pairs", "domains", wanted=True, method="transform", instead="sample")
        if reverse and self.recipe_.needs != "domains":
            raise InvalidParameterError(
                f"reverse=True needs a recipe that translates both ways, not {self.recipe_.name!r}."
            )
        there = self._format if reverse else self._source_format
        assert there is not None
        opened = open_images(images, self._read_options(), like=there)
        if opened.form.shape != there.shape:
            raise InvalidInputError(f"images have shape {opened.form.shape}, but training had {there.shape}.")
        return opened

    def _translated(self, opened: OpenedImages, draws: torch.Generator | None, *, reverse: bool) -> Iterator[Any]:
        """Translations of some images at a time; ``draws`` steers the dropout, None leaves it out."""
        there, back = self._source_format, self._format
        assert there is not None
        if reverse:
            there, back = back, there
        for values in opened.pixels.seen(torch.device("cpu"), there.padded).split():
            noise = None if draws is None else torch.randn(len(values), self.settings_["d_noise"], generator=draws)
            yield back.restore(make_images(self.recipe_, self.players_, noise, values, reverse=reverse))

    def _read_options(self) -> ReadOptions:
        params = {name: getattr(self, name) for name in ("value_range", "image_shape", "size", "alpha", "stream")}
        return ReadOptions(**params)

    def _generator(self, random_state: int | None) -> torch.Generator:
        """Of draws with a seed, or the model's own."""
        if random_state is None:
            return self._draws
        check_value("random_state", random_state, SEED)
        return make_generator(seed_of(random_state))

    def _noise(self, n: int, truncation: float | None, generator: torch.Generator) -> Tensor:
        width = self.settings_["d_noise"]
        if truncation is None:
            return torch.randn(n, width, generator=generator)
        return truncated_noise(n, width, truncation, generator)

    def _condition(self, n: int, y: Any, generator: torch.Generator) -> tuple[Tensor | None, Any]:
        if self._conditions is None:
            if y is not None:
                raise InvalidParameterError("y is given, but the model was trained without labels.")
            return None, None
        if y is not None:
            return self._conditions.vectors(y, n), _as_labels(y)
        groups = self._conditions.draw(n, generator)
        return self._conditions.table[groups], self._conditions.named(groups)

    def _check_ready(self, *needs: str, wanted: bool, method: str, instead: str) -> None:
        check_is_fitted(self, "players_")
        if (self.recipe_.needs in needs) != wanted:
            raise InvalidParameterError(f"recipe {self.recipe_.name!r} has no {method}; use {instead}.")


def _as_labels(y: Any) -> np.ndarray:
    """Labels of any container, tensors that require gradients or lie on a device among them."""
    return y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
