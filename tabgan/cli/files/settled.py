"""Columns of texts whose reading is settled beforehand: a part of a table is read as the whole one is, whatever cells are in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.text_columns import BOOLEANS, TextColumn
from tabgan.exceptions import InvalidInputError
from tabgan.written.detect import Style
from tabgan.written.numbers import NumberStyle

__all__ = ["Settled", "all_plain", "settled_column"]

_PLAIN = re.compile(r"(?:-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?\n)*", re.ASCII)


def all_plain(texts: Iterable[str]) -> bool:
    """Whether all are numbers as programs write them: without zeros before them, exponents and marks between thousands."""
    return _PLAIN.fullmatch("".join([f"{text}\n" for text in texts])) is not None


@dataclass(frozen=True)
class Settled:
    """How the cells of a column are read, as all cells of the table say.

    Parameters
    ----------
    dtype : str, default="str"
        Of the column as the model wants it.
    style : Style, default=None
        How numbers, dates and times are written; None is for texts and truth values.
    lower : bool, default=True
        Truth values are written in small letters.
    quoted : bool, default=False
        All observed cells of delimited text stand between quotes.
    kinds : frozenset of type, default=frozenset()
        Of the cells, in a format that has types of its own.
    """

    dtype: str = "str"
    style: Style | None = None
    lower: bool = True
    quoted: bool = False
    kinds: frozenset[type] = frozenset()

    @classmethod
    def of(cls, typed: TextColumn, *, quoted: bool = False, kinds: frozenset[type] = frozenset()) -> Settled:
        """What a column that was read from cells of all parts says of each."""
        if typed.style is not None:
            return cls(str(typed.values.dtype), typed.style, quoted=quoted, kinds=kinds)
        if typed.values.dtype == "boolean":
            return cls("boolean", lower=typed.render(True) == "true", quoted=quoted, kinds=kinds)
        return cls(quoted=quoted, kinds=kinds)

    @property
    def render(self) -> Callable[[Any], str]:
        """What makes a text of a value."""
        if self.style is not None:
            return self.style.write
        return self._truth if self.dtype == "boolean" else str

    def _truth(self, value: Any) -> str:
        return str(bool(value)).lower() if self.lower else str(bool(value))


def settled_column(
    name: str, texts: Sequence[str], missing: np.ndarray, settled: Settled, place: Callable[[int], str]
) -> TextColumn:
    """A column read as it was settled; cells that are not written so are missing for the model, and stay.

    Parameters
    ----------
    name : str
        For messages.
    texts : sequence of str
        Its cells in a part of the table.
    missing : ndarray of bool
        Which of them are missing.
    settled : Settled
    place : callable
        Says for messages where a row stands.

    Returns
    -------
    TextColumn

    Raises
    ------
    InvalidInputError
        A cell is no truth value, but the model expects some.
    """
    if settled.dtype == "boolean":
        found = [None if gap else BOOLEANS.get(text.lower()) for text, gap in zip(texts, missing, strict=True)]
        for row in np.flatnonzero(~missing).tolist():
            if found[row] is None:
                raise InvalidInputError(
                    f"column {name!r} has {texts[row]!r} in {place(row)}, where the model expects true or false; correct the "
                    "cell, or mark it as missing with --missing."
                )
        return TextColumn(pd.Series(found, dtype="boolean"), settled.render)
    if settled.style is None:
        cells = [None if gap else text for text, gap in zip(texts, missing, strict=True)]
        return TextColumn(pd.Series(cells, dtype="str"), str)
    values = pd.Series(_values(texts, missing, settled.style))
    unread = values.isna().to_numpy() & ~missing
    if settled.dtype == "Int64":
        odd = (values % 1 != 0).to_numpy() & ~values.isna().to_numpy()
        unread |= odd
        values = values.mask(odd).astype("Int64")
    return TextColumn(values, settled.style.write, None, unread, settled.style)


def _values(texts: Sequence[str], missing: np.ndarray, style: Style) -> np.ndarray:
    """Values of the cells that are not missing and written in a style; those of plain numbers in a fraction of the time."""
    observed = list(compress(texts, ~missing))
    plain = isinstance(style, NumberStyle) and style.decimal == "." and not style.unit
    if plain and all_plain(observed):
        read = np.fromiter(map(float, observed), dtype=np.float64, count=len(observed))
    else:
        read = style.read(observed)
    values = np.full(len(texts), np.nan if read.dtype.kind == "f" else "NaT", dtype=read.dtype)
    values[~missing] = read
    return values
