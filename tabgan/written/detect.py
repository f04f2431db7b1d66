"""How the cells of a column are written, by the cells alone: numbers, dates or times in one style, or two styles that both fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import numpy as np

from tabgan.written.clocks import ClockStyle, clock_style
from tabgan.written.dates import DateStyle, date_style, formats_of
from tabgan.written.numbers import BLANKS, PLAIN, NumberStyle, body_of, dashed_mark, number_style

__all__ = ["ENOUGH", "Ambiguous", "Style", "are_long_codes", "decimal_mark", "may_be_thousands", "style_of"]

Style = NumberStyle | DateStyle | ClockStyle
"""``family`` says of which family, ``read`` makes values of texts, ``write`` a text of a value, ``describe`` a few words."""

_Reading = tuple[float, Any, np.ndarray]
"""Share of the cells that a style reads, the style, and their values."""

ENOUGH = 0.98
"""Share of the cells that must be written in a style."""
_PROBES = 50
_THOUSANDS = (",", ".", " ", "'")
_PADDED = re.compile(r"0\d")
_DIGITS = re.compile(r"\d+", re.ASCII)
_LONG = 19
"""Digits of the first number that 64 bits with a sign do not hold."""
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})?|0", re.ASCII)
_LAKHS = re.compile(r"\d{1,2}(,\d{2})+,\d{3}(?!\d)", re.ASCII)
_TELEPHONE = re.compile(rf"\d{{3}}(?:[{BLANKS}]\d{{3}}){{2,}}")
# In these the last mark is one of decimals for certain: there is another mark before it, or what follows is no group of three.
_CERTAIN = re.compile(
    r"\d+([.,])(\d{1,2}|\d{4,})|0([.,])\d+|\d{4,}([.,])\d+|" rf"\d{{1,3}}(?:([.,'{BLANKS}])\d{{3}})+(?!\5)([.,])\d+"
)


@dataclass(frozen=True)
class Ambiguous:
    """A column that reads in more ways than one.

    Parameters
    ----------
    kind : {"number", "date"}
    example : str
        A cell whose readings differ.
    readings : tuple of Style
        The styles that fit.
    """

    kind: Literal["number", "date"]
    example: str
    readings: tuple[Style, ...]

    def meanings(self) -> tuple[str, ...]:
        """What the example would be by each reading, written plainly."""
        values = [style.read([self.example])[0] for style in self.readings]
        if self.kind == "number":
            return tuple(f"{value:.15g}" for value in values)
        return tuple(str(value.astype("M8[D]")) for value in values)


def may_be_thousands(texts: Iterable[str]) -> bool:
    """Whether points may stand between thousands though Python reads the cells as numbers, as in ``2.080`` beside ``51``.

    A program that leaves ``.000`` away writes ``2.08``, and one that keeps zeros writes ``51.000``.
    """
    point = whole = zero = False
    for text in texts:
        if not _GROUPED.fullmatch(text):
            return False
        point, whole, zero = point or "." in text, whole or "." not in text, zero or (text[-1] == "0" and "." in text)
    return point and whole and zero


def are_long_codes(texts: Iterable[str]) -> bool:
    """Whether cells are digits alone, of one length, and more than 64 bits hold, as numbers of parcels and SIM cards are.

    As amounts they would lose their last digits, and fills would be numbers of nothing.
    """
    longest, lengths = "", set()
    for text in texts:
        lengths.add(len(text))
        if len(text) < _LONG or len(lengths) > 1 or not _DIGITS.fullmatch(text):
            return False
        longest = max(longest, text)
    return bool(longest) and int(longest) >= 2**63


def style_of(
    texts: Iterable[str],
    *,
    decimal: str | None = None,
    thousands: str | None = None,
    date_format: str | None = None,
    likely_decimal: str | None = None,
) -> Style | Ambiguous | None:
    """How the cells of a column are written.

    Parameters
    ----------
    texts : iterable of str
        All cells that are not missing, without blanks around them; repeated ones count.
    decimal, thousands : str, default=None
        Marks that are known; None finds them.
    date_format : str, default=None
        Known format of dates, as `tabgan.written.dates.DateStyle` has it.
    likely_decimal : str, default=None
        What other columns of the same file have: decides between two readings of numbers.

    Returns
    -------
    NumberStyle, DateStyle, ClockStyle, Ambiguous or None
        None where fewer than `ENOUGH` of the cells are written in one style, or they look like codes (``007``).

    Raises
    ------
    ValueError
        ``date_format`` says no date.

    Examples
    --------
    >>> style_of(["1.234,50 €", "-7,00 €"]).write(12345.6)
    '12.345,60 €'
    >>> style_of(["35,049", "3,908"]).meanings()
    ('35049', '35.049')
    >>> style_of(["27/10/2020", "03/04/2020"]).format
    '%d/%m/%Y'
    """
    cells = Counter(texts)
    if date_format is not None:
        style = date_style(date_format, cells)
        return style if style is not None and _share(style, cells)[0] >= ENOUGH else None
    if not cells:
        return None
    probes = list(islice(cells, _PROBES))
    if _most(probes, lambda text: PLAIN.read_one(text) is not None or body_of(text) is not None):
        number = _number(cells, decimal, thousands, likely_decimal)
        if number is not None:
            return number
    clock = clock_style(probes)
    if clock is not None:
        clock = clock_style(cells) or clock
        return clock if _share(clock, cells)[0] >= ENOUGH else None
    return _date(cells, probes)


def _most(probes: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return sum(map(holds, probes)) * 2 > len(probes)


def _share(style: Style, cells: Counter[str]) -> tuple[float, np.ndarray]:
    """Share of cells in a style, and their values."""
    values = style.read(list(cells))
    counts = np.fromiter(cells.values(), dtype=np.int64, count=len(cells))
    return float(
        counts[~np.isnat(values) if values.dtype.kind in "mM" else ~np.isnan(values)].sum() / counts.sum()
    ), values


def _number(cells: Counter[str], decimal: str | None, thousands: str | None, likely_decimal: str | None) -> Any:
    parts = [found for found in map(body_of, cells) if found]
    if any(_PADDED.match(body) for _, body, _ in parts) or are_long_codes(cells):
        return None
    unit = Counter(NumberStyle(positive=(before, after)).unit for before, _, after in parts).most_common(1)[0][0]
    seen = set("".join(body for _, body, _ in parts))
    paired = any(_LAKHS.match(body) for _, body, _ in parts)
    dashed = {mark for _, _, after in parts if (mark := dashed_mark(after))}
    decimal = dashed.pop() if decimal is None and len(dashed) == 1 else decimal
    found: list[_Reading] = []
    for mark in (".", ",") if decimal is None else (decimal,):
        for between in ("", *_THOUSANDS) if thousands is None else ("", thousands):
            kin = BLANKS if between in BLANKS else "'\u2019" if between == "'" else between
            if mark in (between, thousands) or (between and not seen & set(kin)):
                continue
            for lakhs in (False, True) if between == "," and paired else (False,):
                style = NumberStyle(mark, between, positive=("", unit), lakhs=lakhs)
                share, values = _share(style, cells)
                if share >= ENOUGH:
                    found.append((share, style, values))
    found = _distinct(found)
    if not found:
        return None
    plain = found[0][1]
    if len(found) > 1 and likely_decimal is not None:
        found = [entry for entry in found if entry[1].decimal == likely_decimal] or found
    elif plain.decimal == "." and not plain.thousands and not unit and not may_be_thousands(cells):
        found = found[:1]  # 1.234, as programs write it
    styles = [_finished(style, cells, values, unit) for _, style, values in found]
    if len(styles) > 1:
        return Ambiguous("number", _differing(cells, found), tuple(styles))
    if styles[0].thousands and all(_TELEPHONE.fullmatch(body) for _, body, _ in parts):
        return None  # 555 123 456 in every cell
    return styles[0]


def _finished(style: NumberStyle, cells: Counter[str], values: np.ndarray, unit: str) -> NumberStyle:
    read = {text: n for (text, n), value in zip(cells.items(), values, strict=True) if not np.isnan(value)}
    return number_style(read, style.decimal, style.thousands, unit, style.lakhs)


def _distinct(found: list[_Reading]) -> list[_Reading]:
    """Those that read all cells if any does, and one of those that read them alike."""
    if any(share == 1 for share, _, _ in found):
        found = [reading for reading in found if reading[0] == 1]
    kept: list[_Reading] = []
    for reading in found:
        if not any(np.array_equal(reading[2], other[2], equal_nan=True) for other in kept):
            kept.append(reading)
    return kept


def _date(cells: Counter[str], probes: Sequence[str]) -> Any:
    formats = Counter(made for text in probes for made in formats_of(text))
    found: list[_Reading] = []
    for made in formats:
        style = date_style(made, cells) if formats[made] * 2 > len(probes) else None
        if style is not None:
            share, values = _share(style, cells)
            found += [(share, style, values)] if share >= ENOUGH else []
    found = _distinct(found)
    if len(found) > 1:
        return Ambiguous("date", _differing(cells, found), tuple(style for _, style, _ in found))
    return found[0][1] if found else None


def _differing(cells: Counter[str], found: Sequence[_Reading]) -> str:
    return next(
        text
        for text, first, second in zip(cells, found[0][2], found[1][2], strict=True)
        if first != second and first == first and second == second
    )


def decimal_mark(texts: Iterable[str]) -> str | None:
    """The decimal mark that a column of numbers has for certain; None where it has none, or both.

    Parameters
    ----------
    texts : iterable of str
        All cells that are not missing.

    Returns
    -------
    {".", ","} or None

    Examples
    --------
    >>> decimal_mark(["30,05", "7"]), decimal_mark(["1.234,50"]), decimal_mark(["35,049"])
    (',', ',', None)
    """
    cells = Counter(texts)
    parts = [(found, n) for text, n in cells.items() if (found := body_of(text))]
    if sum(n for _, n in parts) < ENOUGH * sum(cells.values()):
        return None
    certain = (_CERTAIN.fullmatch(body) for (_, body, _), _ in parts)
    marks = {found[1] or found[3] or found[4] or found[6] for found in certain if found}
    marks |= {mark for (_, _, after), _ in parts if (mark := dashed_mark(after))}
    return marks.pop() if len(marks) == 1 else None
