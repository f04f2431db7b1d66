"""What a report consists of, before it is HTML."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tabgan.wording import share_text

__all__ = [
    "Cell",
    "Head",
    "Notice",
    "Page",
    "Picture",
    "Table",
    "number_cell",
    "settings_of",
    "share_cell",
    "text_cell",
    "versions",
]

_PACKAGES = ("tabgan-learn", "torch", "scikit-learn", "imbalanced-learn", "pandas", "numpy", "matplotlib")
_LONGEST_VALUE = 300


@dataclass(frozen=True)
class Notice:
    """A warning in plain words, and what to do about it."""

    what: str
    advice: str = ""


@dataclass(frozen=True)
class Head:
    """The heading of a table's column; ``hint`` explains it."""

    text: str
    is_number: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Cell:
    """What a cell shows, what it is sorted by, and its class in the style sheet."""

    text: str
    sort: str
    style: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row."""

    title: str
    heads: list[Head]
    rows: list[list[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A plot or images, with a text for those who do not see it.

    Parameters
    ----------
    title, alt, caption : str
    wide, narrow : str, default=""
        A plot as two ``svg`` elements, for windows of either kind.
    photo : str, default=""
        Images as a PNG in base64: they keep their colours in the dark.
    width, height : int, default=0
        Of the photo, in CSS pixels.
    """

    title: str
    alt: str
    caption: str
    wide: str = ""
    narrow: str = ""
    photo: str = ""
    width: int = 0
    height: int = 0


@dataclass
class Page:
    """Everything that a report says, all of it plain text.

    Parameters
    ----------
    title, lead : str
    headline : str, default=""
        What the reader must know, in one sentence; before the lead.
    source : str, default=""
        What the table is called: in the title and in the tab.
    next_steps : list of (str, str)
        What to do next and why, and the command or code for it.
    doubtful : list of str
        Columns not to rely on.
    facts : list of (name, value)
    notices : list of Notice
    tables : list of Table
    pictures : list of Picture
    no_pictures : str
        Why there are none, if so.
    details : list of (title, list of (name, value))
        Settings and versions.
    version, date : str
    """

    title: str
    lead: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    no_pictures: str = ""
    details: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    version: str = ""
    date: str = ""
    headline: str = ""
    source: str = ""
    next_steps: list[tuple[str, str]] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)

    @property
    def tab(self) -> str:
        """Title of the browser's tab: what sets pages apart comes first."""
        return " - ".join(part for part in (self.source, self.title, self.date) if part)


def text_cell(text: Any, style: str = "text") -> Cell:
    """A cell of words."""
    return Cell(str(text), str(text), style)


def number_cell(value: float | None, form: str = ",.0f", style: str = "") -> Cell:
    """A cell with a number; a dash where there is none.

    Examples
    --------
    >>> number_cell(0.125, ".1%").text, number_cell(float("nan")).text
    ('12.5%', '-')
    """
    if value is None or math.isnan(value):
        return Cell("-", "")
    return Cell(format(value, form), repr(float(value)), style)


def share_cell(share: float) -> Cell:
    """A cell with a share in per cent.

    Examples
    --------
    >>> share_cell(0.0001)
    Cell(text='<0.1%', sort='0.0001', style='')
    """
    return Cell(share_text(share), repr(share))


def settings_of(estimator: Any) -> list[tuple[str, str]]:
    """The parameters of an estimator, those that differ from their defaults first and marked."""
    parameters: Mapping[str, Any] = estimator.get_params(deep=False)
    try:
        defaults = type(estimator)().get_params(deep=False)
    except TypeError:
        defaults = {}
    own, plain = [], []
    for name, value in parameters.items():
        text = repr(value)
        text = text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
        if name in defaults and repr(defaults[name]) != repr(value):
            own.append((name, f"{text} (default {defaults[name]!r})"))
        else:
            plain.append((name, text))
    return own + plain


def versions() -> list[tuple[str, str]]:
    """Of Python, the machine and the packages that results depend on."""
    found = [("python", platform.python_version()), ("machine", f"{platform.system()} {platform.machine()}")]
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found
