"""Cells of a text file as typed columns for the model, and the model's fills as text in the column's own style."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from tabgan.checks.suspicions import (
    PADDED,
    is_number,
    said_by_others,
    suspected_marker,
    suspected_writing,
    two_readings,
    unread_cells,
)
from tabgan.exceptions import InvalidInputError
from tabgan.written.clocks import ClockStyle
from tabgan.written.dates import DateStyle
from tabgan.written.detect import Ambiguous, Style, are_long_codes, may_be_thousands, style_of
from tabgan.written.numbers import NumberStyle, plain_style

__all__ = ["BOOLEANS", "TextColumn", "Writing", "amounts_column", "typed_column"]

Family = Literal["number", "boolean", "datetime", "timedelta", "text"]

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
"""Truth values by their texts in small letters."""
_EXPECTED = {"number": "a number", "datetime": "a date or datetime", "timedelta": "a time such as 09:30"}
_EXACT = 2.0**53


@dataclass(frozen=True)
class Writing:
    """What is known of how a column is written, None where its cells decide.

    Parameters
    ----------
    decimal, thousands, date_format : str, default=None
        As the user said.
    likely_decimal : str, default=None
        As other columns of the file have it.
    known : Style, default=None
        As the file had it that the model was fitted on.
    """

    decimal: str | None = None
    thousands: str | None = None
    date_format: str | None = None
    likely_decimal: str | None = None
    known: Style | None = None

    @property
    def expected_decimal(self) -> str | None:
        """The decimal mark by the file's other columns, or else by the model's file."""
        return self.likely_decimal or (self.known.decimal if isinstance(self.known, NumberStyle) else None)

    @property
    def may_be_plain(self) -> bool:
        """Whether 1.234 may be a little more than one."""
        return "," not in (self.decimal, self.decimal or self.expected_decimal) and self.thousands != "."


@dataclass(frozen=True)
class TextColumn:
    """A column of texts as the model wants it.

    Parameters
    ----------
    values : pandas.Series
        Numbers, booleans, datetimes, timedeltas or texts, missing where the text is missing.
    render : callable
        Turns one typed value into text in the style of the observed cells.
    hint : str or None
        Something the user may want to know about how the column was read.
    unread : ndarray of bool
        Cells that are observed, but not written as the others are: missing for the model, and never replaced.
    style : Style or None
        How numbers, dates or times are written.
    """

    values: pd.Series
    render: Callable[[Any], str]
    hint: str | None = None
    unread: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    style: Style | None = None

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return self.render is str


def typed_column(
    name: str,
    texts: Sequence[str],
    missing: np.ndarray,
    wanted: Family | None = None,
    place: Callable[[int], str] = "data row {}".format,
    writing: Writing | None = None,
) -> TextColumn:
    """Type a column by its observed texts, or as ``wanted``.

    Numbers, dates and times are columns nearly all of whose observed cells are written in one style (`tabgan.written.detect`); the
    few others are kept as they are. A column with zeros before numbers holds codes (``007`` is not 7), and so does one of
    digits of one length that 64 bits do not hold. All else is text.

    Parameters
    ----------
    name : str
        For messages.
    texts : sequence of str
        All cells.
    missing : ndarray of bool
        Which of them are missing.
    wanted : {"number", "boolean", "datetime", "timedelta", "text"}, default=None
        What a fitted model expects here; None infers.
    place : callable
        Says for messages where a row stands, by its position.
    writing : Writing, default=None
        What is known of how the column is written.

    Returns
    -------
    TextColumn

    Raises
    ------
    InvalidInputError
        Too many cells are not what ``wanted`` or the format of dates says; the message names column, row and cell.
    """
    writing = writing or Writing()
    observed = Counter(text for text, gap in zip(texts, missing, strict=True) if not gap)
    if wanted == "text":
        return _labels(texts, missing)
    if wanted == "boolean":
        _require(name, texts, missing, place, lambda text: text.lower() in BOOLEANS, "the model expects true or false")
        cells = [None if gap else BOOLEANS[text.lower()] for text, gap in zip(texts, missing, strict=True)]
        style = str.lower if all(text.islower() for text in observed) else str.capitalize
        return TextColumn(pd.Series(cells, dtype="boolean"), lambda value: style(str(bool(value))))
    known = writing.known if writing.known is not None and writing.known.family == wanted else None
    if not observed:
        return _without_cells(len(texts), wanted, known)
    if wanted in (None, "number") and writing.date_format is None and writing.may_be_plain:
        sure = writing.decimal is not None or writing.expected_decimal is not None or not may_be_thousands(observed)
        codes = wanted is None and (any(map(PADDED.match, observed)) or are_long_codes(observed))
        if sure and all(map(is_number, observed)) and not codes:
            return _plain_numbers(texts, missing, observed, known)
    found = style_of(
        observed.elements(),
        decimal=writing.decimal,
        thousands=writing.thousands,
        date_format=writing.date_format,
        likely_decimal=writing.expected_decimal,
    )
    if known is not None and writing.date_format is None and writing.decimal is None and writing.thousands is None:
        found = _as_known(found, known, list(observed))
    if found is None and writing.date_format is not None:
        _require(
            name,
            texts,
            missing,
            place,
            lambda text: style_of([text], date_format=writing.date_format) is not None,
            f"--date-format says {writing.date_format}",
            "give the right --date-format",
        )
    if isinstance(found, Ambiguous):
        if wanted is not None:
            raise InvalidInputError(two_readings(name, found).replace("is treated as text", "can be read in two ways"))
        return _labels(texts, missing, two_readings(name, found))
    if found is not None and wanted in (None, found.family):
        column = _styled(name, texts, missing, found, place)
        hint = said_by_others(name, observed, found) if writing.likely_decimal and not writing.decimal else None
        return replace(column, hint=column.hint or hint)
    if wanted is not None:
        _require_readable(name, texts, missing, place, wanted)
    hint = suspected_marker(name, texts, missing, observed, place) or suspected_writing(name, observed)
    return _labels(texts, missing, hint)


def amounts_column(
    name: str,
    texts: Sequence[str],
    missing: np.ndarray,
    wanted: Family | None,
    place: Callable[[int], str],
    writing: Writing,
) -> TextColumn:
    """A column of texts in a format that has numbers of its own, such as JSON: dates, times, and numbers that no program writes so.

    Parameters and errors are those of `typed_column`.

    Returns
    -------
    TextColumn
        `is_text` where the texts are labels: whole numbers among them, which a program wrote as text for a reason.
    """
    if wanted in ("text", "boolean"):
        return _labels(texts, missing)
    typed = typed_column(name, texts, missing, wanted, place, writing)
    if wanted is not None or typed.values.dtype.kind not in "iu":
        return typed
    whole = all(is_number(text) for text, gap in zip(texts, missing, strict=True) if not gap)
    return _labels(texts, missing) if whole else typed


def _require(
    name: str,
    texts: Sequence[str],
    missing: np.ndarray,
    place: Callable[[int], str],
    holds: Callable[[str], bool],
    expected: str,
    way_out: str = "fit again with --refit",
) -> None:
    for row in np.flatnonzero(~missing).tolist():
        if not holds(texts[row]):
            raise InvalidInputError(
                f"column {name!r} has {texts[row]!r} in {place(row)}, where {expected}; correct the cell, mark it as missing with "
                f"--missing {texts[row]!r}, or {way_out}."
            )


def _require_readable(
    name: str, texts: Sequence[str], missing: np.ndarray, place: Callable[[int], str], wanted: Family
) -> None:
    """Say which cell is the first that no style of the family reads; or that the cells are written in several."""

    def alone(text: str) -> bool:
        found = style_of([text])
        return isinstance(found, Ambiguous) or (found is not None and found.family == wanted)

    _require(name, texts, missing, place, alone, f"the model expects {_EXPECTED[wanted]}")
    raise InvalidInputError(
        f"column {name!r} mixes several ways to write {_EXPECTED[wanted].removeprefix('a ')}s, but the model was fitted on one; "
        "correct it, or fit again with --refit."
    )


def _as_known(found: Style | Ambiguous | None, known: Style, observed: list[str]) -> Style | Ambiguous | None:
    """The style of the model's file where that reads all cells, and no other way to read them was found."""
    values = known.read(observed)
    if pd.isna(values).any():
        return found
    readings = found.readings if isinstance(found, Ambiguous) else (found,)
    alike = any(style is not None and np.array_equal(style.read(observed), values) for style in readings)
    return known if alike or found is None else found


def _without_cells(n: int, wanted: Family | None, known: Style | None) -> TextColumn:
    dtypes = {"number": "float64", "datetime": "datetime64[us]", "timedelta": "timedelta64[us]"}
    if wanted not in dtypes:
        return TextColumn(pd.Series([None] * n, dtype=object), str)
    usual: dict[str, Style] = {
        "number": NumberStyle(most=6),
        "datetime": DateStyle("%Y-%m-%d %H:%M:%S"),
        "timedelta": ClockStyle(seconds=True, of_day=False),
    }
    style = known or usual[wanted]
    return TextColumn(pd.Series([None] * n, dtype=dtypes[wanted]), style.write, style=style)


def _labels(texts: Sequence[str], missing: np.ndarray, hint: str | None = None) -> TextColumn:
    cells = [None if gap else text for text, gap in zip(texts, missing, strict=True)]
    return TextColumn(pd.Series(cells, dtype="str"), str, hint)


def _plain_numbers(
    texts: Sequence[str], missing: np.ndarray, observed: Counter[str], known: Style | None
) -> TextColumn:
    """Numbers as Python reads them; whole ones digit by digit."""
    style = plain_style(observed)
    if isinstance(known, NumberStyle) and not np.isnan(known.read(list(observed))).any():
        style = known
    if all(_INTEGER.fullmatch(text) and len(text) <= 20 for text in observed):
        whole = [None if gap else int(text) for text, gap in zip(texts, missing, strict=True)]
        if all(number is None or abs(number) < 2**63 for number in whole):
            return TextColumn(pd.Series(whole, dtype="Int64"), style.write, style=style)
    cells = [np.nan if gap else float(text) for text, gap in zip(texts, missing, strict=True)]
    return TextColumn(pd.Series(cells, dtype="float64"), style.write, style=style)


def _styled(
    name: str, texts: Sequence[str], missing: np.ndarray, style: Style, place: Callable[[int], str]
) -> TextColumn:
    """Values of cells in a style, and which cells are not in it."""
    values = pd.Series(style.read(texts)).mask(missing)
    unread = values.isna().to_numpy() & ~missing
    if isinstance(style, NumberStyle) and style.whole and (values.abs().max() < _EXACT):
        values = values.astype("Int64")
    hint = None
    if unread.any():
        rows = np.flatnonzero(unread).tolist()
        hint = unread_cells(name, [texts[row] for row in rows], len(rows), style.describe(), place(rows[0]))
    return TextColumn(values, style.write, hint, unread, style)
