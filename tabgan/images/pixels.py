"""Many images as bytes, in memory or on disk, that become numbers in [-1, 1] a batch at a time."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabgan.images.image_format import padded_to

__all__ = ["FilePixels", "Pixels", "StoredPixels", "as_rows", "as_tensor", "n_readers"]

_AT_ONCE = 512


class Pixels:
    """Base class: rows of images on request, as a tensor would give them.

    Parameters
    ----------
    shape : tuple of int
        ``(n, channels, height, width)`` without padding.
    low, high : float
        Values of black and white.

    Attributes
    ----------
    device : torch.device
        Where rows are given out.
    padded : (height, width) or None
        To which size rows are padded.
    """

    def __init__(self, shape: tuple[int, ...], low: float, high: float) -> None:
        self.unpadded = shape
        self.low, self.high = low, high
        self.device = torch.device("cpu")
        self.padded: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """``(n, channels, height, width)`` with padding."""
        return (*self.unpadded[:2], *(self.padded or self.unpadded[2:]))

    def __len__(self) -> int:
        """Images."""
        return self.unpadded[0]

    def __getitem__(self, rows: Any) -> Tensor:
        """Float32 images in [-1, 1] of shape (n, c, h, w), on ``device``."""
        values = self._values(rows).to(self.device)
        if values.dtype == torch.int16:  # the bits of uint16, of which torch knows little
            values = values.int().bitwise_and(0xFFFF)
        scaled = values.float() - self.low  # a copy, which is changed in place: one batch in memory, not three
        return padded_to(scaled.mul_(2 / (self.high - self.low)).sub_(1), self.padded)

    def split(self, n: int = _AT_ONCE) -> Iterator[Tensor]:
        """All images, ``n`` at a time."""
        return (self[slice(start, start + n)] for start in range(0, len(self), n))

    def seen(self, device: torch.device, padded: tuple[int, int] | None) -> Any:
        """The same images, given out elsewhere and padded."""
        other = copy.copy(self)
        other.device, other.padded = device, padded
        return other

    def _values(self, rows: Tensor | slice) -> Tensor:
        raise NotImplementedError


class StoredPixels(Pixels):
    """Images in memory, in the type in which they came.

    Parameters
    ----------
    values : Tensor of shape (n, channels, height, width)
        Bytes, whole numbers, floats, or the bits of uint16 as int16; not copied.
    low, high : float
        Values of black and white.
    """

    def __init__(self, values: Tensor, low: float, high: float) -> None:
        super().__init__(tuple(values.shape), low, high)
        self.values = values

    def seen(self, device: torch.device, padded: tuple[int, int] | None) -> Any:
        """The same images, moved to a device, and padded when they are given out."""
        other = super().seen(device, padded)
        other.values = self.values.to(device)
        return other

    def of(self, rows: Any) -> StoredPixels:
        """Some of the images."""
        return StoredPixels(self.values[torch.as_tensor(rows)], self.low, self.high)

    def _values(self, rows: Tensor | slice) -> Tensor:
        return self.values[rows]


class FilePixels(Pixels):
    """Images in files, read whenever they are asked for.

    Parameters
    ----------
    pictures : sequence
        Files, in order.
    decode : callable
        ``decode(picture) -> ndarray`` of shape (h, w) or (h, w, c).
    shape : tuple of int
        ``(n, channels, height, width)``.
    low, high : float
        Values of black and white.
    """

    def __init__(
        self,
        pictures: Sequence[Any],
        decode: Callable[[Any], np.ndarray],
        shape: tuple[int, ...],
        low: float,
        high: float,
    ) -> None:
        super().__init__(shape, low, high)
        self.pictures = pictures
        self.decode = decode

    def of(self, rows: Any) -> FilePixels:
        """Some of the images."""
        chosen = [self.pictures[row] for row in rows]
        return FilePixels(chosen, self.decode, (len(chosen), *self.unpadded[1:]), self.low, self.high)

    def _values(self, rows: Tensor | slice) -> Tensor:
        chosen = self.pictures[rows] if isinstance(rows, slice) else [self.pictures[row] for row in rows.tolist()]
        with ThreadPoolExecutor(n_readers(chosen)) as readers:
            arrays = np.stack(list(readers.map(self.decode, chosen)))
        return as_rows(arrays)


def n_readers(pictures: Sequence[Any]) -> int:
    """Threads that decode: several for files, as Pillow lets others run meanwhile; one where a user's code fetches pictures."""
    return 4 if all(isinstance(picture, (str, os.PathLike)) for picture in pictures) else 1


def as_rows(array: np.ndarray) -> Tensor:
    """Arrays of shape (n, h, w) or (n, h, w, c) as (n, c, h, w), without a copy where torch can do without one."""
    values = as_tensor(array)
    return values[:, None] if values.ndim == 3 else values.permute(0, 3, 1, 2)


def as_tensor(array: np.ndarray) -> Tensor:
    """The same numbers as a tensor that shares memory where torch can; uint16 as the bits of int16."""
    if array.dtype.kind == "u" and array.dtype.itemsize > 2:
        array = array.astype(np.int64)
    elif array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype == np.uint16:
        array = array.view(np.int16)
    if any(stride < 0 for stride in array.strides):
        array = np.ascontiguousarray(array)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of arrays that may not be written to; nobody does
        return torch.from_numpy(array)
