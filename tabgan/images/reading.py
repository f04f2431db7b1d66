"""Images in: arrays, files, folders and data sets as pixels that become numbers in [-1, 1], and what is needed for the way back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, bfloat16, stack
from torch.nn.functional import interpolate

from tabgan.exceptions import InvalidInputError, InvalidParameterError, parameter_error
from tabgan.images.array_files import read_array
from tabgan.images.datasets import is_dataset, read_dataset
from tabgan.images.decoding import SUFFIXES, check_alpha, is_picture
from tabgan.images.folders import list_folder, tell_left_out
from tabgan.images.image_format import ImageFormat, Layout
from tabgan.images.picture_sets import read_pictures
from tabgan.images.pixels import FilePixels, StoredPixels, as_rows, as_tensor
from tabgan.images.value_ranges import check_like_training, range_of, stated_range

__all__ = ["OpenedImages", "ReadOptions", "open_images", "read_images"]

_AT_ONCE = 256


@dataclass(frozen=True)
class ReadOptions:
    """How to read images.

    Parameters
    ----------
    value_range : (low, high), default=None
        Values of black and white. None goes by type and values: (0, 255) for bytes, (0, 1) or (-1, 1) for floats, the number of
        bits found for whole numbers of 16 bits; what could be read in two ways is refused.
    image_shape : (h, w) or (c, h, w), default=None
        For flat rows; None assumes one channel and a square.
    size : int or (h, w), default=None
        Scale images until they cover this, and cut out the middle. None takes them as they are.
    alpha : str, default="white"
        The colour behind what is transparent; ``"keep"`` keeps transparency as a further channel.
    stream : bool or "auto", default="auto"
        Read files whenever a batch needs them. ``"auto"`` does so beyond 1 GiB of pixels.
    """

    value_range: tuple[float, float] | None = None
    image_shape: tuple[int, ...] | None = None
    size: int | tuple[int, int] | None = None
    alpha: str = "white"
    stream: bool | str = "auto"

    @property
    def sides(self) -> tuple[int, int] | None:
        """``size`` as height and width."""
        if self.size is None:
            return None
        sides = (self.size, self.size) if isinstance(self.size, (int, np.integer)) else self.size
        good = isinstance(sides, (tuple, list)) and len(sides) == 2
        if not good or not all(_is_count(side) and side < 2**15 for side in sides):
            raise parameter_error("size", self.size, "None, a number of pixels, or (height, width)")
        return int(sides[0]), int(sides[1])

    def check(self) -> None:
        """Refuse values that mean nothing.

        Raises
        ------
        InvalidParameterError
            Names the parameter.
        """
        stated_range(self.value_range)
        _ = self.sides
        if not isinstance(self.alpha, str) or self.alpha != "white":  # which needs no Pillow to be checked
            check_alpha(self.alpha)
        if not isinstance(self.stream, bool) and not (isinstance(self.stream, str) and self.stream == "auto"):
            raise parameter_error("stream", self.stream, "True, False or 'auto'")
        shape = self.image_shape
        if shape is not None and not (
            isinstance(shape, (tuple, list)) and len(shape) in (2, 3) and all(map(_is_count, shape))
        ):
            raise parameter_error("image_shape", shape, "None, (height, width) or (channels, height, width)")


@dataclass(frozen=True)
class OpenedImages:
    """Images that were opened.

    Parameters
    ----------
    pixels : StoredPixels or FilePixels
        Give out rows.
    form : ImageFormat
        The way back.
    labels : ndarray or None
        Those that came with the images.
    names : list of str or None
        Of files, from their folder on.
    kept : list of int
        Which of the images given could be read.
    n_given : int
        How many were given.
    """

    pixels: StoredPixels | FilePixels
    form: ImageFormat
    labels: np.ndarray | None
    names: list[str] | None
    kept: list[int]
    n_given: int

    def of(self, rows: Sequence[int]) -> OpenedImages:
        """Some of the images."""
        chosen = list(rows)
        labels = None if self.labels is None else self.labels[chosen]
        names = None if self.names is None else [self.names[row] for row in chosen]
        return OpenedImages(
            self.pixels.of(chosen), self.form, labels, names, [self.kept[row] for row in chosen], self.n_given
        )


def read_images(
    source: Any,
    *,
    value_range: tuple[float, float] | None = None,
    image_shape: tuple[int, ...] | None = None,
    name: str = "images",
    **options: Any,
) -> tuple[Tensor, ImageFormat]:
    """Images of any supported kind as one tensor of floats; see `open_images`.

    Parameters
    ----------
    source, name
        See `open_images`.
    value_range, image_shape, **options
        See `ReadOptions`.

    Returns
    -------
    images : Tensor of shape (n, c, h, w)
        float32 in [-1, 1].
    form : ImageFormat
        The way back.
    """
    opened = open_images(source, ReadOptions(value_range, image_shape, **options), name=name)
    return opened.pixels[:].contiguous(), opened.form


def open_images(
    source: Any, options: ReadOptions, *, like: ImageFormat | None = None, name: str = "images"
) -> OpenedImages:
    """Open images of any supported kind.

    Parameters
    ----------
    source : ndarray, Tensor, list, Dataset, DataLoader, dict of columns, or path
        Arrays have shape (n, h, w), (n, c, h, w) or (n, h, w, c) with 1 to 4 channels, or (n, pixels). A path names a folder of
        pictures (PNG, JPEG, TIFF, WebP, GIF, BMP; with subfolders, these are the labels), a picture, a ``.npy``, ``.npz`` or idx file
        (``.gz`` or not). A list holds arrays, paths, or pictures of Pillow's; a data set's items are images, ``(image, label)`` or
        dicts of them.
    options : ReadOptions
        How to read them.
    like : ImageFormat, default=None
        Of training, whose range holds, and is checked.
    name : str, default="images"
        How errors call it.

    Returns
    -------
    OpenedImages

    Raises
    ------
    InvalidInputError
        No images, a shape that fits nothing, NaN or infinity, values outside the range or of more than one possible range.
    InvalidParameterError
        An option makes no sense.
    FileNotFoundError
        There is no such path.
    MissingExtraError
        Pictures need Pillow.
    """
    options.check()
    labels: Any = None
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.is_dir():
            listing = list_folder(path)
            tell_left_out("files are no pictures and are", listing.others)
            return _from_pictures(list(map(str, listing.files)), listing.names, listing.labels, options, like, name)
        if path.suffix.lower() in SUFFIXES and path.is_file():
            return _from_pictures([path], [path.name], None, options, like, name)
        source = read_array(path)
    if isinstance(source, Mapping) or is_dataset(source):
        source, labels = read_dataset(source, name)
    if (
        isinstance(source, (list, tuple))
        and len(source)
        and all(is_picture(one) or hasattr(one, "fetch") for one in source)
    ):
        names = [
            Path(one).name if isinstance(one, (str, os.PathLike)) else f"{name}[{row}]"
            for row, one in enumerate(source)
        ]
        return _from_pictures(source, names, labels, options, like, name)
    return _from_array(source, labels, options, like, name)


def _is_count(side: Any) -> bool:
    return isinstance(side, (int, np.integer)) and not isinstance(side, bool) and bool(side >= 1)


def _from_pictures(
    pictures: Any, names: list[str], labels: Any, options: ReadOptions, like: ImageFormat | None, name: str
) -> OpenedImages:
    read = read_pictures(
        pictures, names, size=options.sides, alpha=options.alpha, stream=options.stream, like=like, name=name
    )
    dtype = "uint16" if read.dtype == "int32" and read.least >= 0 and read.most < 2**16 else read.dtype
    low, high = _bounds(dtype, read.least, read.most, options, like, name)
    _check_image_shape(options, read.shape, name)
    layout: Layout = "hw" if read.shape[0] == 1 else "hwc"
    form = ImageFormat(*read.shape, layout, dtype, low, high)
    kept = None if labels is None else np.asarray(labels)[read.kept]
    return OpenedImages(read.of(low, high), form, kept, [names[row] for row in read.kept], read.kept, len(names))


def _from_array(source: Any, labels: Any, options: ReadOptions, like: ImageFormat | None, name: str) -> OpenedImages:
    is_tensor = isinstance(source, Tensor)
    if isinstance(source, (list, tuple)) and source and all(isinstance(one, Tensor) for one in source):
        source = stack(list(source)) if len({one.shape for one in source}) == 1 else source
    if isinstance(source, Tensor) and source.dtype == bfloat16:
        raise InvalidInputError(f"{name} has dtype bfloat16, which numpy does not know; give {name}.float().")
    try:
        array = source.detach().cpu().numpy() if isinstance(source, Tensor) else np.asarray(source)
    except ValueError as error:
        raise InvalidInputError(f"{name}: not all images have the same size ({error}); resize them first.") from error
    if array.dtype.kind not in "uifb":
        raise InvalidInputError(f"{name} has dtype {array.dtype}; give numbers (uint8 or float).")
    if array.size == 0 or array.ndim < 2:
        raise InvalidInputError(f"{name} has shape {array.shape}; at least one image of shape (h, w) is needed.")
    layout, channels, height, width = _layout(array, options.image_shape or (like.shape if like else None), name)
    if layout != "flat":
        _check_image_shape(options, (channels, height, width), name)
    if array.dtype.kind == "f":
        _check_finite(array, name)
    dtype = array.dtype.newbyteorder("=").name
    low, high = _bounds(dtype, float(array.min()), float(array.max()), options, like, name)
    values = as_rows(array) if layout in ("hw", "hwc") else as_tensor(array).reshape(-1, channels, height, width)
    if options.sides not in (None, (height, width)):
        assert options.sides is not None
        values = _resized(values, options.sides, unsigned=dtype == "uint16")
        height, width = options.sides
    form = ImageFormat(channels, height, width, layout, dtype, low, high, is_tensor)
    kept = None if labels is None else np.asarray(labels)
    return OpenedImages(StoredPixels(values, low, high), form, kept, None, list(range(len(values))), len(values))


def _bounds(
    dtype: str, least: float, most: float, options: ReadOptions, like: ImageFormat | None, name: str
) -> tuple[float, float]:
    if like is None:
        return range_of(dtype, least, most, options.value_range, name)
    check_like_training(like, dtype, least, most, name)
    return like.low, like.high


def _check_image_shape(options: ReadOptions, shape: tuple[int, int, int], name: str) -> None:
    """Refuse a shape for flat rows that images do not have."""
    stated = options.image_shape
    if stated is not None and tuple(stated) not in (shape, shape[1:]):
        raise InvalidParameterError(
            f"image_shape={stated!r} is for flat rows, and {name} come as images of {shape[0]} x {shape[1]} x {shape[2]} (channels, "
            "height, width); leave it out."
        )


def _check_finite(array: np.ndarray, name: str) -> None:
    for start in range(0, len(array), _AT_ONCE):
        good = np.isfinite(array[start : start + _AT_ONCE])
        if not good.all():
            row = start + int(np.flatnonzero(~good.reshape(len(good), -1).all(1))[0])
            raise InvalidInputError(f"{name}[{row}] holds NaN or infinity; images must be complete.")


def _resized(values: Tensor, size: tuple[int, int], *, unsigned: bool) -> Tensor:
    """Scaled until the size is covered, the middle cut out, in the same type."""
    height, width = values.shape[2:]
    factor = max(size[0] / height, size[1] / width)
    scaled = max(round(height * factor), size[0]), max(round(width * factor), size[1])
    top, left = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2
    whole = values.new_empty((len(values), values.shape[1], *size))
    for start in range(0, len(values), _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        some = some.int().bitwise_and(0xFFFF) if unsigned else some
        some = interpolate(some.float(), scaled, mode="bilinear", antialias=True)
        some = some[:, :, top : top + size[0], left : left + size[1]]
        whole[start : start + _AT_ONCE] = (
            some.to(values.dtype) if values.is_floating_point() else some.round().to(whole.dtype)
        )
    return whole


def _layout(array: np.ndarray, image_shape: tuple[int, ...] | None, name: str) -> tuple[Layout, int, int, int]:
    if array.ndim == 2:
        n_pixels = array.shape[1]
        if image_shape is None:
            side = round(n_pixels**0.5)
            if side * side != n_pixels:
                raise InvalidParameterError(
                    f"image_shape=None assumes square grey images, but {name} has rows of {n_pixels} pixels; give "
                    "image_shape=(h, w) or (c, h, w)."
                )
            return "flat", 1, side, side
        shape = (1, *image_shape) if len(image_shape) == 2 else tuple(image_shape)
        if len(shape) != 3 or int(np.prod(shape)) != n_pixels:
            raise InvalidParameterError(
                f"image_shape={image_shape!r} does not make {n_pixels} pixels per row of {name}."
            )
        return "flat", shape[0], shape[1], shape[2]
    if array.ndim == 3:
        return "hw", 1, array.shape[1], array.shape[2]
    if array.ndim == 4 and (layout := _channel_axis(array.shape, tuple(image_shape or ()), name)) is not None:
        return layout, *_as_chw(array.shape, layout)
    raise InvalidInputError(
        f"{name} has shape {array.shape}; it must be (n, h, w), (n, c, h, w) or (n, h, w, c) with 1 to 4 channels, or (n, pixels)."
    )


def _channel_axis(shape: tuple[int, ...], image_shape: tuple[int, ...], name: str) -> Layout | None:
    """Where channels are: on the second or the last axis; None if on neither.

    Of tiny images that can be read both ways, ``image_shape`` decides, then whether they are square.
    """
    axes: tuple[tuple[Layout, int], ...] = (("chw", shape[1]), ("hwc", shape[3]))
    able = [layout for layout, n in axes if n <= 4]
    if len(able) < 2:
        return able[0] if able else None
    stated = [layout for layout in able if image_shape in (_as_chw(shape, layout), _as_chw(shape, layout)[1:])]
    square = [layout for layout in able if len(set(_as_chw(shape, layout)[1:])) == 1]
    if not (chosen := stated or square):
        raise InvalidInputError(
            f"{name} has shape {shape}, whose channels may be the second or the last axis; give image_shape=(channels, height, width)."
        )
    return chosen[0]


def _as_chw(shape: tuple[int, ...], layout: Layout) -> tuple[int, int, int]:
    return (shape[1], shape[2], shape[3]) if layout == "chw" else (shape[3], shape[1], shape[2])
