"""Labels from files: one per line, a table of file names and labels, a numpy or an idx file."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tabgan._warnings import warn_caller
from tabgan.exceptions import InvalidInputError
from tabgan.images.array_files import read_array
from tabgan.images.decoding import SUFFIXES
from tabgan.images.folders import tell_left_out

__all__ = ["read_labels"]

_LABEL_NAMES = ("label", "labels", "class", "target", "y", "category")
_MOST_NAMED = 3


def read_labels(path: Path, names: Sequence[str] | None, n_images: int) -> np.ndarray:
    """Labels of images.

    Parameters
    ----------
    path : Path
        A ``.txt`` file of one label per line; a ``.csv`` or ``.tsv`` of labels, or of file names and labels, with a header or
        without; else a ``.npy`` or idx file.
    names : sequence of str or None
        Names of the images, by which rows are found; None where images have none.
    n_images : int
        How many there are.

    Returns
    -------
    ndarray of shape (n_images,)

    Raises
    ------
    FileNotFoundError
        There is no such file.
    InvalidInputError
        Images without a label or with two, no column of labels, or another number of rows than of images.

    Warns
    -----
    UserWarning
        Rows of a table name no image; counts and names them. Or labels that go by the order of the files' names, in which 10 comes
        before 2.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file at {str(path)!r}")
    if path.suffix.lower() not in (".txt", ".csv", ".tsv"):
        return read_array(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{str(path)!r} is no text in UTF-8: {error}") from error
    if path.suffix.lower() == ".txt":
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        _refuse_names(path, lines, names)
        _tell_of_order(path, names)
        return np.asarray(lines)
    rows = [row for row in _cells(text) if any(cell.strip() for cell in row)]
    if not rows:
        raise InvalidInputError(f"{str(path)!r} holds no labels.")
    if max(map(len, rows)) == 1:
        labels = [row[0].strip() for row in rows]
        if all(Path(label).suffix.lower() in SUFFIXES for label in labels[-n_images:]):
            raise InvalidInputError(f"{str(path)!r} holds names of the images, such as {labels[-1]!r}, but no labels.")
        if len(labels) == n_images + 1:  # the first one is a header
            labels = labels[1:]
        _tell_of_order(path, names)
        return np.asarray(labels)
    return np.asarray(_by_name(path, rows, names, n_images))


def _refuse_names(path: Path, lines: Sequence[str], names: Sequence[str] | None) -> None:
    """Refuse lines that begin with names of the images: each would be a class of its own."""
    known = {form for name in names or () for form in (name, Path(name).name)}
    for line in lines:
        for cell in (line, re.split("[,;\t]", line)[0].strip(), line.rsplit(" ", 1)[0].strip()):
            if cell in known:
                raise InvalidInputError(
                    f"{str(path)!r} holds names of the images, such as {cell!r}, but every line of a .txt is a label; give a .csv of "
                    "file names and labels."
                )


def _tell_of_order(path: Path, names: Sequence[str] | None) -> None:
    """Warn where labels without names are likely to be in another order than their files, which no number would show."""
    cut = [re.split("([0-9]+)", name) for name in names or ()]  # text and numbers in turn
    counted = [[int(part) if place % 2 else part for place, part in enumerate(parts)] for parts in cut]
    if counted != sorted(counted):
        assert names is not None
        later = next(row for row, pair in enumerate(itertools.pairwise(counted)) if pair[0] > pair[1])
        warn_caller(
            f"the labels of {str(path)!r} are taken in the order of the files' names, in which {names[later]!r} comes before "
            f"{names[later + 1]!r}; if theirs is another, give a .csv of file names and labels."
        )


def _cells(text: str) -> list[list[str]]:
    first = text.splitlines()[0] if text.strip() else ""
    mark = max(",;\t", key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True))


def _by_name(path: Path, rows: list[list[str]], names: Sequence[str] | None, n_images: int) -> list[str]:
    """Labels in the order of the images, from a table of several columns."""
    width = len(rows[0])
    ragged = [line for line, row in enumerate(rows, 1) if len(row) != width]
    if ragged:
        raise InvalidInputError(
            f"{str(path)!r}: line {ragged[0]} has {len(rows[ragged[0] - 1])} cells, the first {width}."
        )
    columns = [[row[place].strip() for row in rows] for place in range(width)]
    places = _places(names or ())
    of_names = max(range(width), key=lambda place: _likely_names(columns[place], places))
    found = [_place(cell, places) for cell in columns[of_names]]
    if names is not None and not any(place is not None for place in found):
        raise InvalidInputError(
            f"{str(path)!r}: no column holds names of the images, such as {names[0]!r}; its first line is {','.join(rows[0])!r}."
        )
    has_header = found[0] is None if names is not None else len(rows) == n_images + 1
    header = [cell.strip().lower() for cell in rows[0]] if has_header else [""] * width
    others = [place for place in range(width) if names is None or place != of_names]
    wanted = [place for place in others if header[place] in _LABEL_NAMES] or others
    if len(wanted) != 1:
        raise InvalidInputError(
            f"{str(path)!r} has several columns that may be the labels ({', '.join(rows[0][place] for place in wanted)}); name one "
            "'label' in the first line, or leave the others out."
        )
    labels = columns[wanted[0]]
    if names is None:
        return labels[has_header:]
    by_place: dict[int, str] = {}
    for place, label in zip(found, labels, strict=True):
        if place is not None and by_place.setdefault(place, label) != label:
            raise InvalidInputError(
                f"{str(path)!r} has two labels for {names[place]!r}: {by_place[place]!r} and {label!r}; keep one."
            )
    strangers = [cell for cell, place in zip(columns[of_names], found, strict=True) if place is None]
    tell_left_out(f"labels of {str(path)!r} belong to no picture that was read and are", strangers[has_header:])
    by_place = {place: label for place, label in by_place.items() if label}
    missing = [name for place, name in enumerate(names) if place not in by_place]
    if missing:
        shown = ", ".join(missing[:_MOST_NAMED])
        raise InvalidInputError(f"{str(path)!r} has no label for {len(missing)} of {len(names)} images: {shown}.")
    return [by_place[place] for place in range(len(names))]


def _likely_names(column: Sequence[str], places: dict[str, int]) -> tuple[int, bool]:
    """How many images a column tells apart: labels may look like names, such as digits beside files 0.png to 9.png."""
    return len({_place(cell, places) for cell in column} - {None}), column[0].lower() not in _LABEL_NAMES


def _place(cell: str, places: dict[str, int]) -> int | None:
    """Which image a cell names; Windows separates folders otherwise."""
    return places.get(cell, places.get(cell.replace("\\", "/").removeprefix("./")))


def _places(names: Sequence[str]) -> dict[str, int]:
    """The place of each image by its path, its name, and its name without the ending, where only one has that."""
    found: dict[str, int] = {}
    for form in (lambda name: name, lambda name: Path(name).name, lambda name: Path(name).stem):
        keys = [form(name) for name in names]
        times = Counter(keys)
        found |= {key: place for place, key in enumerate(keys) if times[key] == 1 and key not in found}
    return found
