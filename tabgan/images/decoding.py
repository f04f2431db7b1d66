"""One picture by Pillow: what its header says, and its pixels as an array of the kind that is asked for."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tabgan.exceptions import InvalidInputError, MissingExtraError, TabganError, parameter_error

__all__ = ["KEEP", "SUFFIXES", "Header", "Reading", "check_alpha", "decode", "header_of", "is_picture", "pillow"]

KEEP = "keep"
"""``alpha`` that leaves transparency in a channel of its own."""
SUFFIXES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".tif",
    ".tiff",
    ".webp",
    ".gif",
    ".bmp",
    ".pgm",
    ".ppm",
    ".pnm",
    ".pbm",
}
"""Files of a folder that are taken for pictures."""
_TURNED = (5, 6, 7, 8)
"""Values of EXIF's orientation by which sides change places."""
_ORIENTATION = 0x0112
_BITS_OF_TIFF = 258
_LIES = (
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)
"""Pillow's words, beside OSError, for files that lie about themselves."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a picture before its pixels are read.

    Parameters
    ----------
    height, width : int
        As it is to be looked at: EXIF's orientation is minded.
    is_grey, has_alpha : bool
        Without colour; with transparency of any kind.
    deep : {"", "uint16", "int32", "float32"}
        Type of grey values that are no bytes.
    is_animated : bool
        It has further frames.
    """

    height: int
    width: int
    is_grey: bool
    has_alpha: bool
    deep: str
    is_animated: bool


@dataclass(frozen=True)
class Reading:
    """What all pictures of one source become.

    Parameters
    ----------
    is_grey, keep_alpha : bool
        Channels.
    deep : str
        As in `Header`.
    alpha : str
        The colour behind what is transparent, or `KEEP`.
    size : (height, width) or None
        Scaled until this is covered, then the middle is cut out.
    """

    is_grey: bool
    keep_alpha: bool
    deep: str
    alpha: str
    size: tuple[int, int] | None

    @property
    def channels(self) -> int:
        """Of the arrays."""
        return (1 if self.is_grey else 3) + self.keep_alpha

    @property
    def dtype(self) -> str:
        """Of the arrays."""
        return self.deep or "uint8"


def pillow() -> Any:
    """Pillow's ``Image``.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError(
            "reading picture files needs Pillow, which the extra brings: pip install 'tabgan-learn[images]'"
        ) from error
    return Image


def is_picture(value: Any) -> bool:
    """Whether it is a picture of Pillow's, or a path."""
    return isinstance(value, (str, os.PathLike)) or hasattr(value, "getexif")


def check_alpha(alpha: Any) -> None:
    """Refuse what is no colour.

    Raises
    ------
    InvalidParameterError
        It is neither a colour that Pillow knows, nor "keep".
    """
    if not isinstance(alpha, str):
        raise parameter_error("alpha", alpha, "a colour such as 'white' or '#808080', or 'keep'")
    if alpha == KEEP:
        return
    pillow()
    from PIL import ImageColor

    try:
        ImageColor.getrgb(alpha)
    except ValueError as error:
        raise parameter_error("alpha", alpha, "a colour such as 'white' or '#808080', or 'keep'") from error


def header_of(picture: Any) -> Header:
    """Read a picture's header.

    Parameters
    ----------
    picture : path-like or PIL.Image.Image

    Raises
    ------
    InvalidInputError
        Colour with more than 8 bits per channel, of which Pillow would give the upper half without a word; a transparent grey of more
        than 8 bits.
    OSError
        It is no picture, or a damaged one.
    """
    with _opened(picture) as image, _damage_told():
        mode = image.mode
        if not mode.startswith(("I", "F")) and _bits(image) > 8:
            raise InvalidInputError(
                f"{_name(picture)} has {_bits(image)} bits per channel in {len(image.getbands())} channels, of which only 8 can be "
                "read; convert it to 8 bits, or read it by other means and give arrays."
            )
        deep = "uint16" if mode.startswith("I;16") else {"I": "int32", "F": "float32"}.get(mode, "")
        if deep and "transparency" in image.info:
            raise InvalidInputError(
                f"{_name(picture)} has more than 8 bits per pixel and a grey that is transparent, which cannot be read together; save "
                "it without transparency, or with 8 bits."
            )
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        width, height = image.size[::-1] if turned else image.size
        return Header(
            height,
            width,
            bool(deep) or mode in ("1", "L", "LA", "La") or (mode == "P" and _has_grey_palette(image)),
            not deep and (mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info),
            deep,
            getattr(image, "n_frames", 1) > 1,
        )


def decode(picture: Any, how: Reading) -> np.ndarray:
    """Read a picture.

    Parameters
    ----------
    picture : path-like or PIL.Image.Image
    how : Reading

    Returns
    -------
    ndarray of shape (h, w) or (h, w, c)

    Raises
    ------
    OSError
        It is no picture, or a damaged one.
    """
    from PIL import ImageOps

    with _opened(picture) as image, _damage_told():
        if how.size is not None and image.format == "JPEG":
            image.draft(None, (2 * max(how.size), 2 * max(how.size)))  # decoded at a fraction of its size: far quicker
        image.load()
        shown = ImageOps.exif_transpose(image)
        if how.deep:
            return _deep(shown, how)
        return np.asarray(_fitted(_in_channels(shown, how), how.size))


def _in_channels(image: Any, how: Reading) -> Any:
    if how.keep_alpha:
        return image.convert("RGBA").convert("LA") if how.is_grey else image.convert("RGBA")
    mode = "L" if how.is_grey else "RGB"
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        behind = pillow().new("RGBA", image.size, how.alpha)
        return pillow().alpha_composite(behind, image).convert("RGB").convert(mode)
    return image.convert(mode)


def _deep(image: Any, how: Reading) -> np.ndarray:
    if how.size is None or image.size == how.size[::-1]:
        return np.asarray(image).astype(how.dtype)
    # Pillow scales whole numbers of more than 8 bits as floats only.
    wide = pillow().fromarray(np.asarray(image).astype(np.float32))
    values = np.asarray(_fitted(wide, how.size))
    return values.astype(how.dtype) if how.deep == "float32" else values.round().astype(how.dtype)


def _fitted(image: Any, size: tuple[int, int] | None) -> Any:
    if size is None or image.size == size[::-1]:
        return image
    from PIL import ImageOps

    return ImageOps.fit(image, size[::-1], method=pillow().Resampling.BILINEAR)


def _opened(picture: Any) -> Any:
    """A picture to be used in a ``with`` block; files are closed at its end, pictures of the user's stay open."""
    if isinstance(picture, (str, os.PathLike)):
        with _damage_told():
            return pillow().open(picture)
    return picture.fetch() if hasattr(picture, "fetch") else picture.copy()


@contextmanager
def _damage_told() -> Iterator[None]:
    """All that Pillow says of damaged files, and of those that claim billions of pixels, as OSError."""
    try:
        yield
    except TabganError:
        raise
    except (*_LIES, pillow().DecompressionBombError) as error:
        raise OSError(str(error)) from error


def _has_grey_palette(image: Any) -> bool:
    """As pictures without colour come in formats of palettes."""
    colours = np.asarray(image.getpalette("RGB") or [0, 0, 1]).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _bits(image: Any) -> int:
    """Per channel in the file, where Pillow tells."""
    if hasattr(image, "tag_v2"):
        bits = image.tag_v2.get(_BITS_OF_TIFF, 8)
        return int(max(bits) if isinstance(bits, tuple) else bits)
    given = image.tile[0][3] if getattr(image, "tile", None) else ""
    return 16 if ";16" in str(given[0] if isinstance(given, tuple) and given else given) else 8


def _name(picture: Any) -> str:
    return repr(str(Path(picture))) if isinstance(picture, (str, os.PathLike)) else "a picture"
