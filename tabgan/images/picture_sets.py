"""Many pictures as pixels of one size and kind: read whole where they fit, else from their files batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from tabgan.exceptions import InvalidInputError
from tabgan.images.decoding import KEEP, Header, Reading, decode, header_of
from tabgan.images.folders import tell_left_out
from tabgan.images.image_format import ImageFormat
from tabgan.images.pixels import FilePixels, StoredPixels, as_rows, n_readers

__all__ = ["MEMORY", "ReadPictures", "read_pictures"]

MEMORY = 2**30
"""Bytes of pixels up to which ``stream="auto"`` reads pictures into memory."""
_AT_ONCE = 32


class ReadPictures(NamedTuple):
    """What `read_pictures` gives.

    Attributes
    ----------
    of : callable
        ``of(low, high)`` gives the pixels.
    dtype : str
        Of the values.
    shape : (channels, height, width)
    least, most : float
        The smallest and the largest value.
    kept : list of int
        Which of the given pictures could be read.
    """

    of: Callable[[float, float], StoredPixels | FilePixels]
    dtype: str
    shape: tuple[int, int, int]
    least: float
    most: float
    kept: list[int]


def read_pictures(
    pictures: Sequence[Any],
    names: Sequence[str],
    *,
    size: tuple[int, int] | None,
    alpha: str,
    stream: bool | str,
    like: ImageFormat | None,
    name: str,
) -> ReadPictures:
    """Read pictures of any kinds.

    Parameters
    ----------
    pictures : sequence
        Files, pictures of Pillow's, or `tabgan.images.datasets.ItemPicture`.
    names : sequence of str
        How errors and warnings call them.
    size : (height, width) or None
        What they are scaled and cut to.
    alpha : str
        The colour behind what is transparent, or ``"keep"``.
    stream : bool or "auto"
        Whether they stay on disk.
    like : ImageFormat or None
        Grey pictures become RGB where that has colour.
    name : str
        How errors call all of them.

    Returns
    -------
    ReadPictures

    Raises
    ------
    InvalidInputError
        None can be read, sizes differ and no ``size`` is given, some have 16 bits and others 8, or colour of 16 bits.
    """
    headers: dict[int, Header] = {}
    broken: list[str] = []
    for row, picture in enumerate(pictures):
        try:
            headers[row] = header_of(picture)
        except OSError as error:
            broken.append(_reason(names[row], error))
    how = _reading(headers, names, size, alpha, like, broken, name)
    tell_left_out(
        "pictures have several frames, of which all but the first are",
        [names[row] for row, h in headers.items() if h.is_animated],
    )
    first = next(iter(headers.values()))
    height, width = size or (first.height, first.width)
    shape, rows = (how.channels, height, width), list(headers)
    n_bytes = len(rows) * int(np.prod(shape)) * np.dtype(how.dtype).itemsize
    on_disk = n_bytes > MEMORY if stream == "auto" else bool(stream)
    last = (height, width) if how.channels == 1 else (height, width, how.channels)
    whole = np.empty((0 if on_disk else len(rows), *last), how.dtype)
    kept: list[int] = []
    least, most = float("inf"), float("-inf")
    for row, array in _decoded(pictures, rows, how):
        if isinstance(array, OSError):
            broken.append(_reason(names[row], array))
            continue
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InvalidInputError(f"{names[row]!r} holds NaN or infinity; images must be complete.")
        if not on_disk:
            whole[len(kept)] = array
        kept.append(row)
        least, most = min(least, float(array.min())), max(most, float(array.max()))
    if not kept:
        raise InvalidInputError(f"{name}: none of the {len(pictures):,} pictures can be read: {broken[0]}.")
    tell_left_out(f"of {len(pictures):,} pictures cannot be read and are", broken)

    def pixels_of(low: float, high: float) -> StoredPixels | FilePixels:
        if on_disk:
            chosen = [pictures[row] for row in kept]
            return FilePixels(chosen, lambda picture: decode(picture, how), (len(kept), *shape), low, high)
        return StoredPixels(as_rows(whole[: len(kept)]), low, high)

    return ReadPictures(pixels_of, how.dtype, shape, least, most, kept)


def _reading(
    headers: dict[int, Header],
    names: Sequence[str],
    size: tuple[int, int] | None,
    alpha: str,
    like: ImageFormat | None,
    broken: list[str],
    name: str,
) -> Reading:
    if not headers:
        raise InvalidInputError(f"{name}: none of the {len(names):,} pictures can be read: {broken[0]}.")
    rows = list(headers)
    first = headers[rows[0]]
    if size is None:
        for row in rows:
            mine = headers[row]
            if (mine.height, mine.width) != (first.height, first.width):
                raise InvalidInputError(
                    f"{names[row]!r} has {mine.height} x {mine.width} pixels, but {names[rows[0]]!r} has {first.height} x "
                    f"{first.width}; give a size, such as size=N, to which all are scaled and cut."
                )
    shallow = [row for row in rows if not headers[row].deep]
    deep = [row for row in rows if headers[row].deep]
    if deep and shallow:
        raise InvalidInputError(
            f"{names[deep[0]]!r} has more than 8 bits per pixel, but {names[shallow[0]]!r} has 8; convert the one kind to the other."
        )
    depths = {headers[row].deep for row in deep}
    depth = "float32" if "float32" in depths else "int32" if "int32" in depths else "uint16" if depths else ""
    is_grey = all(headers[row].is_grey for row in rows) and (like is None or like.channels in (1, 2))
    keeps = alpha == KEEP and (
        any(headers[row].has_alpha for row in rows) or (like is not None and like.channels in (2, 4))
    )
    return Reading(is_grey or bool(depth), keeps, depth, alpha, size)


def _decoded(pictures: Sequence[Any], rows: Sequence[int], how: Reading) -> Iterator[tuple[int, Any]]:
    """Arrays in order, or the error that each ended in, never many at once."""

    def read(row: int) -> Any:
        try:
            return decode(pictures[row], how)
        except OSError as error:
            return error

    with ThreadPoolExecutor(n_readers(pictures)) as readers:
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            yield from zip(some, readers.map(read, some), strict=True)


def _reason(name: str, error: OSError) -> str:
    words = error.strerror or str(error).split(" '")[0].removesuffix(".")
    return f"{name} ({words})" if words else name
