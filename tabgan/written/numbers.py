"""Numbers as people write them: decimal comma, thousands apart, signs, units; read, and written alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tabgan.written.units import AFTER, BEFORE, is_same_unit, unit_in, units_in

__all__ = ["BLANKS", "PLAIN", "NumberStyle", "body_of", "dashed_mark", "number_style", "plain_style"]

BLANKS = " \u00a0\u2009\u202f"
"""Blanks that stand between thousands: of a keyboard, not breaking, thin, and thin and not breaking."""
_APOSTROPHES = "'\u2019"
_MINUS = "\u2212\u2013-"  # the hyphen last, as in a class of characters
_NONE = "[.,](?:--|[\u2013\u2014-])"
"""A dash instead of decimals: 12.\u2013 and 12,-"""
_ONLY = re.compile(rf"/-|{_NONE}")
"""No minus: whole rupees, as on a cheque, and a dash instead of decimals."""
_DASH = re.compile(_NONE)
_CELL = re.compile(
    rf"(?P<before>[(\s+{_MINUS}]*(?:{BEFORE})?[(\s+{_MINUS}]*)"
    rf"(?P<body>[0-9.](?:[0-9.,{BLANKS}{_APOSTROPHES}]*(?:[0-9]|\.(?![\u2014{_MINUS}])))?(?:[eE][+-]?[0-9]+)?)"
    rf"(?P<after>(?:{_NONE})?[)\s]*(?:/-)?(?:{AFTER})?[)\s{_MINUS}]*)"
)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_MOST_DECIMALS = 17


def _mark(mark: str) -> str:
    """As a class of characters: blanks stand for each other, and so do apostrophes."""
    alike = next((marks for marks in (BLANKS, _APOSTROPHES) if mark and mark in marks), mark)
    return f"[{re.escape(alike)}]" if alike else ""


@lru_cache(maxsize=64)
def _body(decimal: str, thousands: str, lakhs: bool = False) -> re.Pattern[str]:
    mark = _mark(thousands)
    whole = rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|\d+" if thousands else r"\d+"
    whole = rf"[1-9]\d?(?:{mark}\d{{2}})*{mark}\d{{3}}|\d+" if lakhs else whole
    fraction = _mark(decimal)
    bare = rf"|{fraction}(?P<bare>\d+)" if decimal == "." else ""
    after = rf"(?:{fraction}(?P<fraction>\d{'*' if decimal == '.' else '+'}))?"
    return re.compile(rf"(?:(?P<whole>{whole}){after}{bare})(?P<exponent>[eE][+-]?\d+)?", re.ASCII)


def body_of(text: str) -> tuple[str, str, str] | None:
    """What stands before a number, the number, and what stands after it; None where the text is no number with a unit.

    Examples
    --------
    >>> body_of("(1.234,50 €)")
    ('(', '1.234,50', ' €)')
    """
    found = _CELL.fullmatch(text)
    if found is None:
        return None
    before, body, after = found["before"], found["body"], found["after"]
    if not any(map(str.isdigit, body)):
        return None  # a full stop alone, which is a missing value of some programs
    if not before and not after:
        return "", body, ""
    end = _ONLY.sub("", after)
    signs = sum(before.count(sign) + end.count(sign) for sign in "+" + _MINUS + "(")
    if any(sign in end for sign in _MINUS) and len(body) < 2:
        return None  # 2- is a mark in a school report
    if signs > 1 or before.count("(") != after.count(")") or len(units_in(before)) + len(units_in(after)) > 1:
        return None
    return before, body, after


def dashed_mark(after: str) -> str:
    """The decimal mark that a dash follows in what stands after a number; empty without.

    Examples
    --------
    >>> dashed_mark(",- \u20ac"), dashed_mark(" \u20ac")
    (',', '')
    """
    found = _DASH.match(after)
    return found.group()[0] if found else ""


def _is_negative(affixes: tuple[str, str]) -> bool:
    both = _ONLY.sub("", "".join(affixes))
    return bool(both) and any(sign in both for sign in _MINUS + "(")


@dataclass(frozen=True)
class NumberStyle:
    """One way to write numbers.

    Parameters
    ----------
    decimal, thousands : str, default="." and ""
        Marks; a blank or apostrophe among thousands also reads its kin.
    fewest, most : int, default=0 and 17
        Decimals: zeros beyond the fewest are dropped.
    positive, negative : tuple of str, default=("", "") and ("-", "")
        What stands before and after the number: signs, brackets, unit.
    grouped_from : int, default=4
        Digits from which thousands are set apart.
    exponent : str, default=""
        Letter of the exponent, where every number has one.
    digits : int, default=0
        Significant digits then.
    fixed_exponent : str, default=""
        An exponent of the one shape that all have, such as ``e+00``.
    lakhs : bool, default=False
        Beyond the thousands, digits stand in pairs: 12,34,567.
    """

    decimal: str = "."
    thousands: str = ""
    fewest: int = 0
    most: int = _MOST_DECIMALS
    positive: tuple[str, str] = ("", "")
    negative: tuple[str, str] = ("-", "")
    grouped_from: int = 4
    exponent: str = ""
    digits: int = 0
    fixed_exponent: str = ""
    lakhs: bool = False

    family = "number"

    @property
    def unit(self) -> str:
        """Percent sign, currency or unit of measure, empty without."""
        return unit_in("".join(self.positive))

    @property
    def whole(self) -> bool:
        """Whether the numbers have no decimals."""
        return self.most == 0 and not self.exponent

    def describe(self) -> str:
        """The style in a few words."""
        marks = {",": "comma", ".": "point", "'": "apostrophe", "\u2019": "apostrophe"}
        said = ["whole numbers" if self.whole else "numbers"]
        said += [f"a decimal {marks[self.decimal]}"] if self.decimal != "." and not self.whole else []
        apart = "lakhs" if self.lakhs else "thousands"
        said += [f"{apart} apart by {marks.get(self.thousands, 'blank')}"] if self.thousands else []
        said += [f"the unit {self.unit}"] if self.unit else []
        said += ["negative numbers in brackets"] if "(" in self.negative[0] else []
        return " with ".join(said[:2]) + "".join(f" and {text}" for text in said[2:])

    def read_one(self, text: str) -> float | None:
        """Value of one cell; None where it is not written so."""
        if not self.unit and _INFINITE.fullmatch(text):
            return float(text)
        parts = body_of(text)
        if parts is None:
            return None
        before, body, after = parts
        found = _body(self.decimal, self.thousands, self.lakhs).fullmatch(body)
        if found is None:
            return None
        unit = unit_in(before) or unit_in(after)
        whole = "".join(filter(str.isdigit, found["whole"] or "0"))
        fraction = found["fraction"] or (found.groupdict().get("bare") or "")
        value = float(f"{whole}.{fraction or '0'}{found['exponent'] or ''}")
        if not is_same_unit(unit, self.unit) and value != 0:
            return None
        return -value if _is_negative((before, after)) else value

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Values of cells.

        Parameters
        ----------
        texts : sequence of str
            n cells.

        Returns
        -------
        ndarray of float64, shape (n,)
            nan where a cell is not written so.
        """
        known: dict[str, float] = {}
        for text in texts:
            if text not in known:
                value = self.read_one(text)
                known[text] = np.nan if value is None else value
        return np.array([known[text] for text in texts], dtype=np.float64)

    def write(self, value: Any) -> str:
        """Text of one value, rounded to the decimals of the style.

        Examples
        --------
        >>> NumberStyle(",", ".", 2, 2, ("", " €"), ("-", " €")).write(-12345.678)
        '-12.345,68 €'
        """
        number = float(value)
        body = self._digits(abs(number))
        zero = not body.strip("0.") if not self.exponent else number == 0
        before, after = self.negative if number < 0 and not zero else self.positive
        whole, point, fraction = body.partition(".")
        if dash := _DASH.match(after):
            if fraction.strip("0"):
                after = after[dash.end() :]
            else:
                point = fraction = ""
        if self.thousands and len(whole) >= self.grouped_from:
            whole = _lakhs(whole) if self.lakhs else f"{int(whole):,}"
            whole = whole.replace(",", self.thousands)
        return before + whole + (self.decimal if point else "") + fraction + after

    def _digits(self, number: float) -> str:
        if self.exponent:
            return self._with_exponent(number)
        text = f"{number:.{self.most}f}"
        while "." in text and text.endswith("0") and len(text) - text.index(".") - 1 > self.fewest:
            text = text[:-1]
        return text.removesuffix(".")

    def _with_exponent(self, number: float) -> str:
        if not self.fixed_exponent:
            text = f"{number:.{min(max(self.digits, 1), _MOST_DECIMALS)}g}"
            return text.replace("e", self.exponent)
        mantissa, _, power = f"{number:.{self.most}e}".partition("e")
        sign = "-" if power.startswith("-") else "+" if "+" in self.fixed_exponent else ""
        wide = sum(map(str.isdigit, self.fixed_exponent))
        return f"{mantissa}{self.exponent}{sign}{power.lstrip('+-').lstrip('0').rjust(wide, '0')}"


def _lakhs(whole: str) -> str:
    """Digits with commas before the last three, and before each pair further left."""
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join([*pairs[::-1], tail])


PLAIN = NumberStyle()
"""Numbers as Python reads them."""


def plain_style(cells: Mapping[str, int]) -> NumberStyle:
    """The style of cells that Python reads as numbers; the common case of `number_style`, in a fraction of its time.

    Examples
    --------
    >>> plain_style({"1.50": 1, "-2.25": 3}).write(7)
    '7.00'
    """
    if any(mark in text for text in cells for mark in "eE+"):
        return number_style(cells, ".", "")
    decimals = [len(text.partition(".")[2]) for text in cells if not text[-1].isalpha()]
    return NumberStyle(fewest=min(decimals, default=0), most=min(max(decimals, default=6), _MOST_DECIMALS))


def number_style(
    cells: Mapping[str, int], decimal: str, thousands: str, unit: str = "", lakhs: bool = False
) -> NumberStyle:
    """The style of cells whose marks are known.

    Parameters
    ----------
    cells : mapping of str to int
        Distinct cells that are written so, and how often each occurs.
    decimal, thousands, unit : str
        Empty ``thousands`` sets none apart, empty ``unit`` has none.
    lakhs : bool, default=False
        Beyond the thousands, digits stand in pairs.

    Returns
    -------
    NumberStyle
    """
    pattern = _body(decimal, thousands, lakhs)
    found = [(parts, pattern.fullmatch(parts[1]), n) for text, n in cells.items() if (parts := body_of(text))]
    matched = [(parts, body, n) for parts, body, n in found if body is not None]
    affixes = [((before, _DASH.sub("", after, count=1)), n) for (before, _, after), _, n in matched]
    affixes = [(pair, n) for pair, n in affixes if unit in "".join(pair)]
    positive = _commonest((pair, n) for pair, n in affixes if not _is_negative(pair))
    negative = _commonest((pair, n) for pair, n in affixes if _is_negative(pair))
    positive = positive or _without_sign(negative or ("", ""))
    negative = negative or ("-" + positive[0].replace("+", ""), positive[1])
    dash = _dash([(parts, body, n) for parts, body, n in matched if body["whole"] and not body["fraction"]])
    wholes = [body["whole"] or "" for _, body, _ in matched]
    plain = [whole for whole in wholes if whole.isdigit() and len(whole) >= 4] if thousands else []
    apart = [sum(map(str.isdigit, whole)) for whole in wholes if not whole.isdigit()]
    marks = Counter(mark for mark in "".join(wholes) if not mark.isdigit())
    exponents = [body["exponent"] for _, body, _ in matched if body["exponent"]]
    lengths = [(len(body["fraction"] or body.groupdict().get("bare") or ""), parts[2]) for parts, body, _ in matched]
    decimals = [length for length, after in lengths if not (dash and _DASH.match(after))] or [0] * len(matched)
    digits = [sum(map(str.isdigit, re.split("[eE]", parts[1])[0].lstrip("0.,"))) for parts, _, _ in matched]
    same_places = len(exponents) == len(matched) and len(set(decimals)) == 1
    return NumberStyle(
        decimal=decimal,
        thousands=marks.most_common(1)[0][0] if thousands and marks else thousands,
        fewest=min(decimals, default=0),
        most=min(max(decimals, default=6), _MOST_DECIMALS),
        positive=(positive[0], dash + positive[1]),
        negative=(negative[0], dash + negative[1]),
        grouped_from=min(apart) if plain and apart and min(apart) > max(map(len, plain)) else 4,
        exponent=exponents[0][0] if exponents else "",
        digits=max(digits, default=0),
        fixed_exponent=_shape(exponents) if same_places else "",
        lakhs=lakhs,
    )


def _dash(wholes: Sequence[tuple[tuple[str, str, str], Any, int]]) -> str:
    """What most whole numbers have instead of decimals; empty where most have nothing."""
    counts: Counter[str] = Counter()
    for (_, _, after), _, n in wholes:
        found = _DASH.match(after)
        counts[found.group() if found else ""] += n
    dash, n = counts.most_common(1)[0] if counts else ("", 0)
    return dash if 2 * n > counts.total() else ""


def _shape(exponents: list[str]) -> str:
    """``e+00`` or ``E0`` and the like where all exponents are written so, else empty."""
    signed = any("+" in text for text in exponents)
    shapes = {re.sub(r"\d", "0", text.replace("-", "+" if signed else "")) for text in exponents}
    return shapes.pop() if len(shapes) == 1 else ""


def _commonest(affixes: Iterable[tuple[tuple[str, str], int]]) -> tuple[str, str] | None:
    counts: Counter[tuple[str, str]] = Counter()
    for pair, n in affixes:
        counts[pair] += n
    return counts.most_common(1)[0][0] if counts else None


def _without_sign(affixes: tuple[str, str]) -> tuple[str, str]:
    before, after = (re.sub(rf"[()]|(?<!/)[{_MINUS}]", "", affix) for affix in affixes)
    return before, after
