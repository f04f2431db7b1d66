"""Cells of a text file as typed columns for the model, and the model's fills as text in the column's own style."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from tabgan.cli.files.suspicions import INFINITE, PADDED, is_number, suspected_marker, suspected_writing
from tabgan.exceptions import InvalidInputError

__all__ = ["TextColumn", "typed_column"]

Family = Literal["number", "boolean", "datetime", "text"]

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"((?P<separator>[ T])(?P<clock>\d{2}:\d{2})(?P<seconds>:\d{2})?(?P<fraction>\.\d{1,6})?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class TextColumn:
    """A column of texts as the model wants it.

    Parameters
    ----------
    values : pandas.Series
        Numbers, booleans, datetimes or texts, missing where the text is missing.
    render : callable
        Turns one typed value into text in the style of the observed cells.
    hint : str or None
        Something the user may want to know about how the column was read.
    """

    values: pd.Series
    render: Callable[[Any], str]
    hint: str | None = None

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
) -> TextColumn:
    """Type a column by its observed texts, or as ``wanted``.

    Numbers are columns in which every observed cell is one and none is padded with zeros (``007`` is a code, not 7).
    Datetimes are columns in which every observed cell has one and the same ISO 8601 format. All else is text.

    Parameters
    ----------
    name : str
        For messages.
    texts : sequence of str
        All cells.
    missing : ndarray of bool
        Which of them are missing.
    wanted : {"number", "boolean", "datetime", "text"}, default=None
        What a fitted model expects here; None infers.
    place : callable
        Says for messages where a row stands, by its position.

    Returns
    -------
    TextColumn

    Raises
    ------
    InvalidInputError
        A cell is not what ``wanted`` says; the message names column, row and cell.
    """
    observed = dict.fromkeys(text for text, gap in zip(texts, missing, strict=True) if not gap)
    if wanted == "text":
        return _labels(texts, missing)
    if wanted == "boolean":
        _require(name, texts, missing, place, lambda text: text.lower() in _BOOLEANS, "true or false")
        cells = [None if gap else _BOOLEANS[text.lower()] for text, gap in zip(texts, missing, strict=True)]
        style = str.lower if all(text.islower() for text in observed) else str.capitalize
        return TextColumn(pd.Series(cells, dtype="boolean"), lambda value: style(str(bool(value))))
    if wanted == "number":
        _require(name, texts, missing, place, is_number, "a number")
        return _numbers(texts, missing, observed)
    style_of = _moment_style(observed)
    if wanted == "datetime" and style_of is None and observed:
        _require(
            name, texts, missing, place, lambda text: bool(_MOMENT.fullmatch(text)), "an ISO 8601 date or datetime"
        )
        raise InvalidInputError(
            f"column {name!r} mixes date formats or holds an impossible date, but the model was fitted on dates in one "
            "format; correct it, or fit again with --refit."
        )
    if wanted == "datetime" or (wanted is None and style_of is not None):
        return _moments(texts, missing, style_of or _MomentStyle("2000-01-01 00:00:00"))
    if observed and all(map(is_number, observed)) and not any(map(PADDED.match, observed)):
        return _numbers(texts, missing, observed)
    if not observed:
        return TextColumn(pd.Series([None] * len(texts), dtype=object), str)
    hint = suspected_marker(name, texts, missing, observed, place) or suspected_writing(name, observed)
    return _labels(texts, missing, hint)


def _require(
    name: str,
    texts: Sequence[str],
    missing: np.ndarray,
    place: Callable[[int], str],
    holds: Callable[[str], bool],
    expected: str,
) -> None:
    for row in np.flatnonzero(~missing).tolist():
        if not holds(texts[row]):
            raise InvalidInputError(
                f"column {name!r} has {texts[row]!r} in {place(row)}, where the model expects {expected}; correct the "
                f"cell, mark it as missing with --missing {texts[row]!r}, or fit again with --refit."
            )


def _labels(texts: Sequence[str], missing: np.ndarray, hint: str | None = None) -> TextColumn:
    cells = [None if gap else text for text, gap in zip(texts, missing, strict=True)]
    return TextColumn(pd.Series(cells, dtype="str"), str, hint)


def _numbers(texts: Sequence[str], missing: np.ndarray, observed: Iterable[str]) -> TextColumn:
    if all(_INTEGER.fullmatch(text) and len(text) <= 20 for text in observed):
        whole = [None if gap else int(text) for text, gap in zip(texts, missing, strict=True)]
        if all(number is None or abs(number) < 2**63 for number in whole):
            return TextColumn(pd.Series(whole, dtype="Int64"), _render_integer)
    cells = [np.nan if gap else float(text) for text, gap in zip(texts, missing, strict=True)]
    return TextColumn(pd.Series(cells, dtype="float64"), _number_style(list(observed)))


def _render_integer(value: Any) -> str:
    return str(round(float(value)))


def _number_style(observed: list[str]) -> Callable[[Any], str]:
    """As many decimals as the observed cells have: zeros beyond the shortest of these are dropped."""
    mantissas = [re.split("[eE]", text)[0].lstrip("+-") for text in observed if not INFINITE.fullmatch(text)]
    if any("e" in text.lower() for text in observed if not INFINITE.fullmatch(text)):
        digits = max(len(mantissa.replace(".", "").lstrip("0")) for mantissa in mantissas)
        return lambda value: f"{float(value):.{min(max(digits, 1), 17)}g}"
    decimals = [len(mantissa.partition(".")[2]) for mantissa in mantissas]
    fewest, most = (min(decimals), min(max(decimals), 17)) if decimals else (0, 6)

    def render(value: Any) -> str:
        text = f"{float(value):.{most}f}"
        while "." in text and text.endswith("0") and len(text) - text.index(".") - 1 > fewest:
            text = text[:-1]
        text = text.removesuffix(".")
        return text.removeprefix("-") if float(text) == 0 else text

    return render


class _MomentStyle:
    """The ISO 8601 format of one example: date alone or with a clock, separator, seconds, fraction, zone."""

    def __init__(self, example: str) -> None:
        found = _MOMENT.fullmatch(example)
        if found is None:
            raise ValueError(example)
        self.zone = found["zone"] or ""
        self.digits = len(found["fraction"] or ".") - 1
        self.format = "%Y-%m-%d"
        if found["clock"]:
            self.format += found["separator"] + "%H:%M" + (":%S" if found["seconds"] else "")
            self.format += ".%f" if self.digits else ""
        self.shape = _shape(example)

    def parse(self, texts: Sequence[str | None]) -> pd.Series:
        bare = [None if text is None else text.removesuffix(self.zone) for text in texts]
        return pd.to_datetime(pd.Series(bare, dtype="str"), format=self.format).astype("datetime64[us]")

    def render(self, value: Any) -> str:
        text = pd.Timestamp(value).strftime(self.format)
        return (text[: len(text) - 6 + self.digits] if self.digits else text) + self.zone


def _shape(text: str) -> str:
    zone = _MOMENT.fullmatch(text)
    end = zone["zone"] if zone and zone["zone"] else ""
    return re.sub(r"\d", "0", text.removesuffix(end)) + end


def _moment_style(observed: dict[str, None]) -> _MomentStyle | None:
    """Find the format that all observed texts share, if they are dates at all."""
    first = next(iter(observed), "")
    if not _MOMENT.fullmatch(first):
        return None
    style = _MomentStyle(first)
    if any(_shape(text) != style.shape for text in observed):
        return None
    try:
        style.parse(list(observed))
    except (ValueError, OverflowError):
        return None
    return style


def _moments(texts: Sequence[str], missing: np.ndarray, style: _MomentStyle) -> TextColumn:
    cells = [None if gap else text for text, gap in zip(texts, missing, strict=True)]
    return TextColumn(style.parse(cells), style.render)
