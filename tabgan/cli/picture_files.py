"""Pictures as files: a folder of PNGs with the names of what they were made from, one PNG, or an array."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tabgan._files import write_whole, written_together
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.grids import png_bytes
from tabgan.images.image_format import ImageFormat
from tabgan.images.reading import read_images

__all__ = [
    "as_tensor",
    "check_folder",
    "new_folder",
    "parsed_size",
    "png_names",
    "write_array",
    "write_pictures",
    "write_plainly",
]


def parsed_size(text: str | None) -> int | tuple[int, int] | None:
    """``--size``: a number of pixels, or height and width.

    Raises
    ------
    InvalidParameterError
        It is neither.
    """
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() and int(part) for part in parts):
        raise InvalidParameterError(
            f"--size {text!r} is not valid; give pixels such as 64, or height and width such as 48x64."
        )
    sides = [int(part) for part in parts]
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])


def png_names(names: Sequence[str] | None, n: int) -> list[str]:
    """Names of the pictures to write: those of the files that they were made from, else numbers.

    Examples
    --------
    >>> png_names(["cat/a.jpg", "cat/a.gif", "b.PNG"], 3)
    ['cat/a.jpg.png', 'cat/a.gif.png', 'b.png']
    >>> png_names(None, 2)
    ['00000.png', '00001.png']
    """
    if names is None:
        return [f"{row:05d}.png" for row in range(n)]
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    times = Counter(stems)
    short = [f"{stem if times[stem] == 1 else name}.png" for stem, name in zip(stems, names, strict=True)]
    return short if len(set(short)) == n else [f"{name}.png" for name in names]  # a.jpg.png beside a.jpg and a.gif


def check_folder(path: Path, option: str, source: Path | None = None) -> None:
    """Refuse a folder to write to that is something else, or would have to be made in one that is not there.

    Parameters
    ----------
    path : Path
        To write to.
    option : str
        That names it.
    source : Path, default=None
        What is read, in which pictures that are written would be found next time, among the others or as a class.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        Names the option.
    """
    if path.exists() and not path.is_dir():
        raise InvalidInputError(f"{option} {str(path)!r} is a file; give a folder, or a name that ends in .npy.")
    if not path.parent.is_dir():
        raise InvalidInputError(f"{option} {str(path)!r}: folder {str(path.parent)!r} does not exist; create it first.")
    if source is not None and source.resolve() in (path.resolve(), *path.resolve().parents):
        where = "is the input itself" if path.resolve() == source.resolve() else f"lies in the input {str(source)!r}"
        raise InvalidParameterError(f"{option} {str(path)!r} {where}; give another folder.")


def as_tensor(images: Any, form: ImageFormat) -> Any:
    """Images as a model gives them, in [-1, 1]."""
    return read_images(images, value_range=(form.low, form.high), image_shape=form.shape)[0]


def write_pictures(folder: Path, names: Sequence[str], pieces: Iterable[Any], form: ImageFormat) -> None:
    """Write images to PNGs, all or none of them: whole numbers of 8 and 16 bits as they are, others from black to white.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    names : sequence of str
        Of the files, also in subfolders.
    pieces : iterable of ndarray or Tensor
        Some images at a time, as a model gives them.
    form : ImageFormat
        Of the images.
    """
    if not folder.exists():
        with new_folder(folder) as place:
            write_plainly(place, names, pieces, form)
        return
    with written_together():
        for name, content in _contents(names, pieces, form):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, content)


def write_plainly(folder: Path, names: Sequence[str], pieces: Iterable[Any], form: ImageFormat) -> None:
    """The same one after the other, into a folder that nobody sees yet."""
    for name, content in _contents(names, pieces, form):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A place to fill, which becomes the folder when the block ends well, and goes when it does not.

    Parameters
    ----------
    folder : Path
        Not there, or empty.
    """
    with tempfile.TemporaryDirectory(prefix=".tabgan-", dir=folder.parent) as place:
        whole = Path(place, "whole")
        whole.mkdir()
        yield whole
        if folder.is_dir():
            folder.rmdir()
        whole.replace(folder)


def _contents(names: Sequence[str], pieces: Iterable[Any], form: ImageFormat) -> Iterator[tuple[str, bytes]]:
    white = 255
    if form.dtype in ("uint8", "uint16"):  # these values as they are, whatever is black and white: masks stay masks
        white = int(np.iinfo(form.dtype).max)
        form = replace(form, low=0.0, high=float(white))
    images = (image for piece in pieces for image in as_tensor(piece, form))
    return ((name, png_bytes(image, white=white)) for name, image in zip(names, images, strict=True))


def write_array(path: Path, images: Any) -> None:
    """Write images to a ``.npy`` file."""
    np.save(buffer := io.BytesIO(), np.asarray(images))
    write_whole(path, buffer.getvalue())
