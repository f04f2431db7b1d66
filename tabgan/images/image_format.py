"""How images looked when they came in, and the way back from what networks make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from tabgan.core.checkpoint import built_from

__all__ = ["ImageFormat", "Layout", "padded_to"]

Layout = Literal["hw", "chw", "hwc", "flat"]


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
    is_tensor : bool, default=False
        Torch rather than numpy.
    padded : (height, width), default=None
        What networks see: images with repeated edges around them. None is the size itself.
    """

    channels: int
    height: int
    width: int
    layout: Layout
    dtype: str
    low: float
    high: float
    is_tensor: bool = False
    padded: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.height, self.width

    @property
    def seen_shape(self) -> tuple[int, int, int]:
        """Channels, height, width of what networks see."""
        return (self.channels, *(self.padded or (self.height, self.width)))

    def restore(self, images: Tensor) -> Any:
        """Images in [-1, 1] of shape (n, c, h, w), padded or not, back to size, layout, range and dtype."""
        images = self.cropped(images.detach().cpu())
        values = (images.clamp(-1, 1) + 1) / 2 * (self.high - self.low) + self.low
        if not np.issubdtype(np.dtype(self.dtype), np.floating):
            values = values.round()
        if self.layout == "hwc":
            values = values.permute(0, 2, 3, 1)
        elif self.layout == "hw":
            values = values[:, 0]
        elif self.layout == "flat":
            values = values.flatten(1)
        array = np.ascontiguousarray(self._typed(values))
        return torch.from_numpy(array) if self.is_tensor else array

    def _typed(self, values: Tensor) -> np.ndarray:
        """In the type of the images, within their range: numbers beyond would wrap around, those rounded up be refused on reading."""
        dtype = np.dtype(self.dtype)
        if dtype.kind == "f":
            return np.clip(values.numpy().astype(dtype), dtype.type(self.low), dtype.type(self.high))
        if dtype.kind == "b":
            return values.numpy().astype(dtype)
        known = np.iinfo(dtype)
        wide = values.double() if dtype.itemsize > 2 else values  # float32 has no 2**31 - 1
        return wide.clamp(max(self.low, known.min), min(self.high, known.max)).numpy().astype(dtype)

    def cropped(self, images: Tensor) -> Tensor:
        """Without the edges that `padded_to` put around them."""
        top, left = (images.shape[2] - self.height) // 2, (images.shape[3] - self.width) // 2
        return images[:, :, top : top + self.height, left : left + self.width]

    def to_state(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ImageFormat:
        """Rebuild what `to_state` described."""
        return built_from(cls, state)


def padded_to(images: Tensor, size: tuple[int, int] | None) -> Tensor:
    """Images with repeated edges on all sides, the odd pixel below and to the right.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Floats.
    size : (height, width) or None
        Not below the images' own; None leaves them.
    """
    if size is None or tuple(images.shape[2:]) == tuple(size):
        return images
    down, across = size[0] - images.shape[2], size[1] - images.shape[3]
    edges = (across // 2, across - across // 2, down // 2, down - down // 2)
    return pad(images, edges, mode="replicate")
