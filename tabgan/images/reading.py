"""Images in, images out: arrays, folders and idx files as float32 tensors in [-1, 1], and back to what they were."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from tabgan.core.checkpoint import built_from
from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError

__all__ = ["ImageFormat", "read_folder", "read_idx", "read_images"]

Layout = Literal["hw", "chw", "hwc", "flat"]
_IDX_TYPES: dict[int, Any] = {8: np.uint8, 9: np.int8, 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


@dataclass(frozen=True)
class ImageFormat:
    """How images looked when they came in.

    Parameters
    ----------
    channels, height, width : int
        Of one image.
    layout : {"hw", "chw", "hwc", "flat"}
        ``(n, h, w)``, ``(n, c, h, w)``, ``(n, h, w, c)`` or ``(n, c * h * w)``.
    dtype : str
        Name of the numpy dtype.
    low, high : float
        Values of black and white.
    is_tensor : bool
        Torch rather than numpy.
    """

    channels: int
    height: int
    width: int
    layout: Layout
    dtype: str
    low: float
    high: float
    is_tensor: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.height, self.width

    def restore(self, images: Tensor) -> Any:
        """Images in [-1, 1] of shape (n, c, h, w) back to layout, range and dtype."""
        values = (images.detach().cpu().clamp(-1, 1) + 1) / 2 * (self.high - self.low) + self.low
        if not np.issubdtype(np.dtype(self.dtype), np.floating):
            values = values.round()
        if self.layout == "hwc":
            values = values.permute(0, 2, 3, 1)
        elif self.layout == "hw":
            values = values[:, 0]
        elif self.layout == "flat":
            values = values.flatten(1)
        array = np.ascontiguousarray(values.numpy().astype(self.dtype))
        return torch.from_numpy(array) if self.is_tensor else array

    def to_state(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ImageFormat:
        """Rebuild what `to_state` described."""
        return built_from(cls, state)


def read_images(
    source: Any,
    *,
    value_range: tuple[float, float] | None = None,
    image_shape: tuple[int, ...] | None = None,
    name: str = "images",
) -> tuple[Tensor, ImageFormat]:
    """Images of any supported kind as one tensor.

    Parameters
    ----------
    source : ndarray, Tensor, list of arrays, or path
        Shape (n, h, w), (n, c, h, w) or (n, h, w, c) with 1 to 4 channels, or (n, pixels). A path names a folder of PNGs or an idx
        file (``.gz`` or not).
    value_range : (low, high), default=None
        Values of black and white. None takes (0, 255) for uint8 and other integers beyond 1, and for floats (0, 1) if all lie
        there, else (-1, 1).
    image_shape : (h, w) or (c, h, w), default=None
        For flat rows; None assumes one channel and a square.
    name : str, default="images"
        How errors call it.

    Returns
    -------
    images : Tensor of shape (n, c, h, w)
        float32 in [-1, 1].
    format : ImageFormat
        The way back.

    Raises
    ------
    InvalidInputError
        No images, a shape that fits nothing, NaN or infinity, or values outside the range.
    InvalidParameterError
        ``value_range`` or ``image_shape`` makes no sense.
    FileNotFoundError
        There is no such path.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        source = read_folder(path) if path.is_dir() else read_idx(path)
    is_tensor = isinstance(source, Tensor)
    try:
        array = source.detach().cpu().numpy() if is_tensor else np.asarray(source)
    except ValueError as error:
        raise InvalidInputError(f"{name}: not all images have the same size ({error}); resize them first.") from error
    if array.dtype.kind not in "uifb":
        raise InvalidInputError(f"{name} has dtype {array.dtype}; give numbers (uint8 or float).")
    if array.size == 0 or array.ndim < 2:
        raise InvalidInputError(f"{name} has shape {array.shape}; at least one image of shape (h, w) is needed.")
    layout, channels, height, width = _layout(array, image_shape, name)
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(1))[0])
        raise InvalidInputError(f"{name}[{row}] holds NaN or infinity; images must be complete.")
    low, high = _range(array, value_range, name)
    values = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    if layout == "hwc":
        values = values.permute(0, 3, 1, 2)
    values = (values.reshape(-1, channels, height, width) - low) * (2 / (high - low)) - 1
    form = ImageFormat(channels, height, width, layout, array.dtype.name, low, high, is_tensor)
    return values.contiguous(), form


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """An array in MNIST's idx format.

    Parameters
    ----------
    path : path-like
        Compressed (``.gz``) or not.

    Returns
    -------
    ndarray
        Of the file's shape; uint8 for images and labels of MNIST.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    InvalidInputError
        It is no idx file, or is cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {str(path)!r}")
    raw = path.read_bytes()
    try:
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError) as error:
        raise InvalidInputError(f"{str(path)!r} is a damaged gzip file: {error}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES or len(raw) < 4 + 4 * raw[3]:
        raise InvalidInputError(f"{str(path)!r} is neither a folder of PNGs nor an idx file.")
    shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
    dtype: np.dtype[Any] = np.dtype(_IDX_TYPES[raw[2]])
    body = raw[4 + 4 * raw[3] :]
    if len(body) != int(np.prod(shape)) * dtype.itemsize:
        raise InvalidInputError(f"{str(path)!r} promises shape {shape}, but holds {len(body)} bytes.")
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def read_folder(path: str | os.PathLike[str]) -> np.ndarray:
    """All PNG files of a folder, in the order of their names.

    Parameters
    ----------
    path : path-like
        The folder.

    Returns
    -------
    ndarray of shape (n, h, w) or (n, h, w, c)
        uint8; grey where all files are grey, else RGB.

    Raises
    ------
    InvalidInputError
        No PNG there, or sizes differ; names the file.
    MissingExtraError
        Pillow is not installed.
    """
    files = sorted(file for file in Path(path).iterdir() if file.suffix.lower() == ".png")
    if not files:
        raise InvalidInputError(f"no PNG files in {str(path)!r}.")
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError(
            "reading PNG files needs Pillow, which the extra brings: pip install 'tabgan-learn[plot]'"
        ) from error
    pictures = []
    for file in files:
        try:
            with Image.open(file) as picture:
                pictures.append(picture.copy() if picture.mode == "L" else picture.convert("RGB"))
        except OSError as error:
            raise InvalidInputError(f"{str(file)!r} cannot be read as a picture: {error}") from error
        if pictures[-1].size != pictures[0].size:
            raise InvalidInputError(
                f"{str(file)!r} has {pictures[-1].size[::-1]} pixels, but {str(files[0])!r} has {pictures[0].size[::-1]}; "
                "all images must have one size."
            )
    mode = "L" if all(picture.mode == "L" for picture in pictures) else "RGB"
    return np.stack([np.asarray(picture.convert(mode)) for picture in pictures])


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
    if array.ndim == 4 and array.shape[1] <= 4:
        return "chw", array.shape[1], array.shape[2], array.shape[3]
    if array.ndim == 4 and array.shape[3] <= 4:
        return "hwc", array.shape[3], array.shape[1], array.shape[2]
    raise InvalidInputError(
        f"{name} has shape {array.shape}; it must be (n, h, w), (n, c, h, w) or (n, h, w, c) with 1 to 4 channels, or (n, pixels)."
    )


def _range(array: np.ndarray, value_range: tuple[float, float] | None, name: str) -> tuple[float, float]:
    least, most = float(array.min()), float(array.max())
    if value_range is not None:
        try:
            low, high = (float(bound) for bound in value_range)
        except (TypeError, ValueError) as error:
            raise InvalidParameterError(f"value_range={value_range!r} must be two numbers (low, high).") from error
        if not low < high:
            raise InvalidParameterError(f"value_range={value_range!r} must have low < high.")
        if least < low or most > high:
            raise InvalidInputError(
                f"{name} has values from {least:g} to {most:g}, outside value_range={value_range!r}."
            )
        return low, high
    if array.dtype == np.uint8 or (array.dtype.kind in "ui" and most > 1):
        guess = (0.0, 255.0)
    else:
        guess = (0.0, 1.0) if least >= 0 else (-1.0, 1.0)
    if least < guess[0] or most > guess[1]:
        raise InvalidInputError(
            f"{name} has values from {least:g} to {most:g}, which is neither 0 to 1 nor -1 to 1 (nor uint8); say what black and "
            "white are with value_range=(low, high)."
        )
    return guess
