"""`ImageGridDisplay`: images beside each other, and walks through an image GAN's latent space."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabgan.exceptions import InvalidInputError
from tabgan.plotting.canvas import head_line, label
from tabgan.plotting.display import AxesDisplay
from tabgan.plotting.views import check_count, check_has

__all__ = ["ImageGridDisplay"]

_MOST_IMAGES = 400


class ImageGridDisplay(AxesDisplay):
    """Images in rows and columns.

    Parameters
    ----------
    images : ndarray of shape (n_rows, n_columns, height, width, channels)
        In [0, 1], with 1 or 3 channels; NaN where there is none.
    row_names : list of str
        At the left of the rows; empty for none.
    title : str

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
    """

    def __init__(self, images: np.ndarray, row_names: list[str], title: str) -> None:
        self.images = images
        self.row_names = row_names
        self.title = title

    @classmethod
    def from_estimator(
        cls, gan: Any, *, n_per_class: int = 8, max_classes: int = 10, random_state: int = 0, ax: Any = None
    ) -> ImageGridDisplay:
        """Draw images from a fitted GAN: a row per class, or three rows where there are none.

        Parameters
        ----------
        gan : ImageGAN
            Fitted; one that draws images, not one that translates them.
        n_per_class : int, default=8
            Images per row.
        max_classes : int, default=10
            At most this many rows.
        random_state : int, default=0
            Seed of the draws.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay
        """
        check_count("n_per_class", n_per_class)
        check_count("max_classes", max_classes)
        check_has("gan", gan, "latent_walk", "a fitted ImageGAN")
        classes = list(getattr(gan, "classes_", ()))[:max_classes]
        asked = np.repeat(classes, n_per_class) if classes else None
        made = gan.sample(None if classes else 3 * n_per_class, asked, random_state=random_state)
        pixels = _pixels(made, gan._format)
        grid = pixels.reshape(-1, n_per_class, *pixels.shape[1:])
        return cls(grid, [str(one) for one in classes], f"drawn from {type(gan).__name__} ({gan.recipe_.name})").plot(
            ax
        )

    @classmethod
    def from_walk(
        cls,
        gan: Any,
        *,
        n_walks: int = 5,
        steps: int = 9,
        y: Any = None,
        random_state: int = 0,
        ax: Any = None,
    ) -> ImageGridDisplay:
        """Draw walks between random latent codes, each a row. Smooth ones speak against learning by heart, jumps for it.

        Parameters
        ----------
        gan : ImageGAN
            Fitted; one that draws images, not one that translates them.
        n_walks : int, default=5
            Rows.
        steps : int, default=9
            Images per row, both ends included.
        y : array of shape (n_walks,) or (n_walks, d), or one label, default=None
            Classes or condition vectors, one per walk; None draws them.
        random_state : int, default=0
            Seed of the codes.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay
        """
        walks, classes = gan.latent_walk(n_walks, y, steps=steps, random_state=random_state, return_y=True)
        images = np.asarray(walks)
        pixels = _pixels(images.reshape(-1, *images.shape[2:]), gan._format)
        names = [] if classes is None or np.ndim(classes) != 1 else [str(one) for one in classes]
        return cls(pixels.reshape(n_walks, steps, *pixels.shape[1:]), names, "from one latent code to another").plot(ax)

    @classmethod
    def from_predictions(cls, images: Any, *, n_columns: int = 10, title: str = "", ax: Any = None) -> ImageGridDisplay:
        """Draw images of any origin.

        Parameters
        ----------
        images : ndarray, Tensor or path
            See `tabgan.images.reading.read_images`; at most 400.
        n_columns : int, default=10
            Images per row.
        title : str, default=""
            Over the grid.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay

        Raises
        ------
        InvalidInputError
            Too many images to see anything.
        """
        from tabgan.images.reading import read_images

        check_count("n_columns", n_columns)
        values, _ = read_images(images)
        return cls(_in_rows(_shown(values.numpy()), n_columns), [], title).plot(ax)

    @classmethod
    def from_drawn(
        cls, gan: Any, images: Any, *, n_columns: int = 10, title: str = "", ax: Any = None
    ) -> ImageGridDisplay:
        """Draw images that a GAN returned, in its own range of values.

        Parameters
        ----------
        gan : ImageGAN
            Fitted.
        images : ndarray or Tensor
            What its ``sample`` or ``transform`` returned; at most 400.
        n_columns : int, default=10
            Images per row.
        title : str, default=""
            Over the grid.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay

        Raises
        ------
        InvalidInputError
            Too many images to see anything.
        """
        check_count("n_columns", n_columns)
        return cls(_in_rows(_pixels(images, gan._format), n_columns), [], title).plot(ax)

    @classmethod
    def from_translation(
        cls, gan: Any, images: Any, targets: Any = None, *, max_images: int = 8, ax: Any = None
    ) -> ImageGridDisplay:
        """Draw what a GAN makes of given images: these in the first row, its translations below.

        Parameters
        ----------
        gan : ImageGAN
            Fitted with a recipe that translates.
        images : ndarray, Tensor or path
            Like the ``images`` of its ``fit``.
        targets : ndarray, Tensor or path, default=None
            What they should become, image by image, for a third row; left out for recipes without pairs.
        max_images : int, default=8
            Take at most the first so many.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay

        Raises
        ------
        InvalidInputError
            The recipe does not translate.
        """
        from tabgan.images.reading import open_images

        check_count("max_images", max_images)
        source, target = gan._source_format, gan._format
        if source is None:
            raise InvalidInputError(f"recipe {gan.recipe_.name!r} does not translate; use from_estimator.")
        opened = open_images(images, gan._read_options(), like=source)
        values = opened.pixels[:max_images]
        rows = [_shown(values.numpy()), _pixels(gan.transform(source.restore(values)), target)]
        names = ["given", "made"]
        if targets is not None and gan.recipe_.needs == "pairs":
            wanted = open_images(targets, gan._read_options(), like=target, name="targets").pixels[:max_images]
            rows.append(_shown(wanted.numpy()))
            names.append("wanted")
        channels = max(row.shape[-1] for row in rows)
        grid = np.stack([np.broadcast_to(row, (*row.shape[:-1], channels)) for row in rows])
        return cls(grid, names, f"{type(gan).__name__} ({gan.recipe_.name}): given and made").plot(ax)

    def _size(self) -> tuple[float, float]:
        n_rows, n_columns, height, width, _ = self.images.shape
        side = min(0.8, 9.0 / n_columns)
        return side * n_columns + 0.6, side * n_rows * height / width + 0.5

    def _draw(self, alone: bool) -> None:
        n_rows, n_columns, height, width, channels = self.images.shape
        gap = max(1, round(0.06 * width))
        canvas = np.full((n_rows * (height + gap) - gap, n_columns * (width + gap) - gap, channels), np.nan)
        for i, j in np.ndindex(n_rows, n_columns):
            canvas[i * (height + gap) :, j * (width + gap) :][:height, :width] = self.images[i, j]
        if channels == 1:
            self.ax_.imshow(canvas[..., 0], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        else:
            self.ax_.imshow(np.nan_to_num(canvas, nan=1.0), interpolation="nearest")
        self.ax_.set_xticks([])
        middles = [i * (height + gap) + height / 2 for i in range(n_rows)] if self.row_names else []
        self.ax_.set_yticks(middles, [label(name, 16) for name in self.row_names], fontsize=8)
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        if alone and self.title:
            head_line(self.figure_, label(self.title, 70))


def _pixels(images: Any, form: Any) -> np.ndarray:
    """Images as a GAN returns them, read back in its own range and shape."""
    from tabgan.images.reading import read_images

    shape = form.shape if form.layout == "flat" else None
    values, _ = read_images(images, value_range=(form.low, form.high), image_shape=shape)
    return _shown(values.numpy())


def _shown(values: np.ndarray) -> np.ndarray:
    pixels = (np.clip(values, -1, 1).transpose(0, 2, 3, 1) + 1) / 2
    return pixels if pixels.shape[-1] in (1, 3) else pixels[..., :1]


def _in_rows(pixels: np.ndarray, n_columns: int) -> np.ndarray:
    """Images row by row, the last row filled up with NaN."""
    if len(pixels) > _MOST_IMAGES:
        raise InvalidInputError(f"{len(pixels)} images are too many for one picture; give at most {_MOST_IMAGES}.")
    blank = np.full((-len(pixels) % n_columns, *pixels.shape[1:]), np.nan)
    return np.concatenate([pixels, blank]).reshape(-1, n_columns, *pixels.shape[1:])
