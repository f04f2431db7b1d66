"""Sample grids as PNG files, written with the standard library alone."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from tabgan._files import write_whole
from tabgan.core.callbacks import Callback, Training
from tabgan.exceptions import InvalidInputError

__all__ = ["SampleGrid", "grid_of", "png_bytes", "write_png"]

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Of PNG, by channels."""


def grid_of(images: Tensor, n_columns: int = 10, *, gap: int = 1, zoom: int = 1) -> Tensor:
    """Tile images into one picture, row by row.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        In [-1, 1].
    n_columns : int, default=10
        Images per row.
    gap : int, default=1
        Grey pixels between images.
    zoom : int, default=1
        Each pixel becomes a square of this side.

    Returns
    -------
    Tensor of shape (c, height, width)
        In [-1, 1].
    """
    n, channels, height, width = images.shape
    n_rows = -(-n // n_columns)
    canvas = torch.zeros(channels, n_rows * (height + gap) + gap, n_columns * (width + gap) + gap)
    for index, image in enumerate(images.detach().cpu().float()):
        top = (index // n_columns) * (height + gap) + gap
        left = (index % n_columns) * (width + gap) + gap
        canvas[:, top : top + height, left : left + width] = image
    return canvas.repeat_interleave(zoom, 1).repeat_interleave(zoom, 2)


def write_png(path: str | os.PathLike[str], image: Tensor, *, white: int = 255) -> None:
    """Write one grey or RGB picture, with transparency or without.

    Parameters
    ----------
    path : path-like
        Replaced if it exists.
    image : Tensor of shape (c, h, w)
        In [-1, 1], with 1 to 4 channels: grey, grey and transparency, RGB, RGB and transparency.
    white : int, default=255
        The value of 1; above 255 the file has 16 bits per channel.

    Raises
    ------
    InvalidInputError
        Another number of channels.
    OSError
        The folder does not exist or cannot be written.
    """
    write_whole(path, png_bytes(image, white=white))


def png_bytes(image: Tensor, *, white: int = 255) -> bytes:
    """The content of such a file; see `write_png`."""
    if image.ndim != 3 or image.shape[0] not in _COLOUR_TYPES:
        raise InvalidInputError(f"a PNG is written from (1 to 4, h, w), not {tuple(image.shape)}.")
    channels, height, width = image.shape
    bits = 8 if white <= 255 else 16
    levels = ((image.detach().cpu().clamp(-1, 1) + 1) * (white / 2)).round().permute(1, 2, 0).numpy()
    rows = levels.astype(f">u{bits // 8}").reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


class SampleGrid(Callback):
    """Write a grid of images every so many steps.

    Parameters
    ----------
    draw : callable
        ``draw() -> Tensor (c, h, w)``, the grid.
    folder : Path
        Where ``step-000100.png`` and so on go.
    every : int
        Steps between grids.
    """

    def __init__(self, draw: Callable[[], Tensor], folder: Path, every: int) -> None:
        self.draw = draw
        self.folder = folder
        self.every = every

    def on_step_end(self, trainer: Training) -> None:
        """Write when it is time."""
        if trainer.step_count % self.every == 0:
            grid = self.draw().repeat_interleave(2, 1).repeat_interleave(2, 2)
            write_png(self.folder / f"step-{trainer.step_count:06d}.png", grid)
