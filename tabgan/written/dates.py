"""Dates and moments as people write them: day first, named months, times of day with offsets; read, and written alike."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from tabgan.written.months import month_names, month_of

__all__ = ["DateStyle", "date_style", "formats_of"]

_WORD = r"[^\W\d_]+\.?"
_ORDINAL = r"(?:st|nd|rd|th|er|[\u00ba\u00aa])"
"""What follows the day: 3rd March, 1er mars, 1\u00ba de marzo."""
_ZONE = r"Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?"
_FIELDS = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "q": r"(?P<q>[1-4])",
    "d": r"(?P<d>\d{1,2})",
    "b": rf"(?P<b>{_WORD})",
    "a": rf"(?P<a>{_WORD})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "z": rf"(?P<z>{_ZONE})",
}
_SHORT = {"B": "b", "A": "a", "Z": "z", "-d": "d", "-m": "m", "-H": "H", "-I": "I", "e": "d", "k": "H", "l": "I"}
_WHOLE = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y"}
_DIRECTIVE = re.compile(r"%(-?[A-Za-z%])")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTE = datetime.timedelta(minutes=1)


def _plain_format(text: str) -> str:
    """A format with one directive per field, whatever ways there are to say it.

    Raises
    ------
    ValueError
        It holds a directive that is not known, one twice, or no year.
    """
    for short, whole in _WHOLE.items():
        text = text.replace(short, whole)
    plain = _DIRECTIVE.sub(lambda found: "%" + _SHORT.get(found.group(1), found.group(1)), text)
    fields = [field for field in _DIRECTIVE.findall(plain) if field != "%"]
    unknown = [field for field in fields if field not in _FIELDS]
    if unknown:
        raise ValueError(f"%{unknown[0]} is not known; use {' '.join('%' + field for field in _FIELDS)}")
    if len(set(fields)) < len(fields):
        raise ValueError("a part appears twice")
    if not {"Y", "y"} & set(fields) or not {"m", "b", "q"} & set(fields):
        raise ValueError("a year (%Y or %y) and a month (%m or %b) or quarter (%q) must be in it")
    return plain


@lru_cache(maxsize=256)
def _pattern(plain: str, padded: bool) -> re.Pattern[str]:
    pieces = []
    for k, piece in enumerate(_DIRECTIVE.split(plain)):
        if k % 2 == 0 or piece == "%":
            pieces.append(re.escape(piece))
        else:
            field = _FIELDS[piece].replace("{1,2}", "{2}") if padded and piece in "mdHI" else _FIELDS[piece]
            pieces.append(field + (f"(?P<o>{_ORDINAL})?" if piece == "d" and "%b" in plain else ""))
    return re.compile("".join(pieces), re.ASCII if "%b" not in plain and "%a" not in plain else 0)


@dataclass(frozen=True)
class DateStyle:
    """One way to write dates.

    Parameters
    ----------
    format : str
        As of `datetime.datetime.strptime`, with the directives Y y m q d b a H I M S f p z; ``%b`` is any name of a month, ``%q`` the
        quarter, which stands for its first day.
    padded : bool, default=True
        Days, months and hours below ten have a zero.
    months : tuple of str, default=()
        What the twelve months are called, where the format has names.
    first_year : int, default=1969
        Two digits are a year from this one on, for a hundred years.
    digits : int, default=6
        Of the fraction of a second.
    zone : str, default=""
        Offset in which times are read and written.
    half : str, default="AM"
        How the first half of a day is written.
    weekdays : str, default="Monday"
        How a Monday is written.
    ordinal : str, default=""
        What follows the first day of a month, such as ``er``; with ``th`` all days have what English gives them.
    """

    format: str
    padded: bool = True
    months: tuple[str, ...] = ()
    first_year: int = 1969
    digits: int = 6
    zone: str = ""
    half: str = "AM"
    weekdays: str = "Monday"
    ordinal: str = ""

    family = "datetime"

    @cached_property
    def _plain(self) -> str:
        return _plain_format(self.format)

    def describe(self) -> str:
        """The style in a few words."""
        return f"dates written as {self.format}"

    def read_one(self, text: str) -> datetime.datetime | None:
        """Moment of one cell, in the offset of the style where it has one; None where it is not written so or does not exist."""
        found = _pattern(self._plain, self.padded).fullmatch(text)
        if found is None:
            return None
        part = found.groupdict()
        try:
            moment = datetime.datetime(self._year(part), _month(part), int(part.get("d") or 1), *_clock(part))
            if (zone := part.get("z")) is not None:
                moment += (offset_of(self.zone) - offset_of(zone)) * _MINUTE
        except (ValueError, OverflowError):
            return None
        if (word := part.get("a")) and not _WEEKDAYS[moment.weekday()].lower().startswith(word.rstrip(".").lower()):
            return None
        return moment

    def _after_day(self, day: int) -> str:
        if self.ordinal != "th":
            return self.ordinal if day == 1 else ""
        return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")

    def _year(self, part: dict[str, str | None]) -> int:
        if part.get("Y"):
            return int(part["Y"] or 0)
        return self.first_year + (int(part["y"] or 0) - self.first_year) % 100

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Moments of cells.

        Parameters
        ----------
        texts : sequence of str
            n cells.

        Returns
        -------
        ndarray of datetime64[us], shape (n,)
            NaT where a cell is not written so.
        """
        known: dict[str, datetime.datetime | None] = {}
        for text in texts:
            if text not in known:
                known[text] = self.read_one(text)
        return np.array([known[text] for text in texts], dtype="M8[us]")

    def write(self, value: Any) -> str:
        """Text of one moment.

        Examples
        --------
        >>> import datetime
        >>> DateStyle("%d/%m/%Y %H:%M", padded=False).write(datetime.datetime(2020, 4, 3, 9, 30))
        '3/4/2020 9:30'
        """
        moment = pd.Timestamp(value)
        hour = (moment.hour + 11) % 12 + 1
        wide = 2 if self.padded else 1
        weekday = _WEEKDAYS[moment.weekday()]
        parts = {
            "Y": f"{moment.year:04d}",
            "y": f"{moment.year % 100:02d}",
            "m": f"{moment.month:0{wide}d}",
            "q": f"{moment.quarter}",
            "d": f"{moment.day:0{wide}d}{self._after_day(moment.day)}",
            "b": self.months[moment.month - 1] if self.months else "",
            "a": weekday if len(self.weekdays) > 3 else weekday[:3],
            "H": f"{moment.hour:0{wide}d}",
            "I": f"{hour:0{wide}d}",
            "M": f"{moment.minute:02d}",
            "S": f"{moment.second:02d}",
            "f": f"{moment.microsecond:06d}"[: self.digits].ljust(self.digits, "0"),
            "p": self.half
            if moment.hour < 12
            else re.sub("[Aa]", lambda a: "P" if a.group() == "A" else "p", self.half),
            "z": self.zone,
            "%": "%",
        }
        return _DIRECTIVE.sub(lambda found: parts[found.group(1)], self._plain)


def _ordinal(found: Sequence[dict[str, str | None]]) -> str:
    """What follows days: ``th`` where English endings follow all of them, the ending of the first day, or nothing."""
    endings = [part.get("o") or "" for part in found]
    if all(ending in ("st", "nd", "rd", "th") for ending in endings):
        return "th"
    firsts = [part.get("o") or "" for part in found if int(part.get("d") or 0) == 1]
    others = any(part.get("o") for part in found if int(part.get("d") or 0) != 1)
    return firsts[0] if firsts and not others and len(set(firsts)) == 1 else ""


def _month(part: dict[str, str | None]) -> int:
    if part.get("q"):
        return 3 * int(part["q"] or 0) - 2
    return int(part["m"] or 0) if part.get("m") else month_of(part.get("b") or "") or 0


def _clock(part: dict[str, str | None]) -> tuple[int, int, int, int]:
    hour = int(part.get("H") or part.get("I") or 0)
    if (half := part.get("p")) is not None:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + 12 * (half[0] in "Pp")
    micro = int((part.get("f") or "0")[:6].ljust(6, "0"))
    return hour, int(part.get("M") or 0), int(part.get("S") or 0), micro


def offset_of(zone: str) -> int:
    """Minutes east of Greenwich of an offset as it is written.

    Examples
    --------
    >>> offset_of("Z"), offset_of("+0530"), offset_of("-03")
    (0, 330, -180)
    """
    digits = zone.lstrip("+-").replace(":", "")
    if not digits.isdigit():
        return 0
    minutes = 60 * int(digits[:2]) + int(digits[2:] or 0)
    return -minutes if zone.startswith("-") else minutes


def date_style(text_format: str, texts: Iterable[str]) -> DateStyle | None:
    """The style of cells whose format is known: zeros, names, offset and so on as the cells have them.

    Parameters
    ----------
    text_format : str
    texts : iterable of str
        Cells; those that are not in the format do not count.

    Returns
    -------
    DateStyle or None
        None where no cell is in the format.

    Raises
    ------
    ValueError
        The format says no date.
    """
    plain = _plain_format(text_format)
    found = [match.groupdict() for match in map(_pattern(plain, False).fullmatch, texts) if match]
    found = [part for part in found if part.get("b") is None or month_of(part["b"] or "")]
    if not found:
        return None
    short = [part[field] for part in found for field in "mdHI" if part.get(field)]
    fractions = [len(part["f"]) for part in found if part.get("f")]
    zones = Counter(part["z"] for part in found if part.get("z"))
    halves = [part["p"] for part in found if part.get("p")]
    weekdays = [part["a"] for part in found if part.get("a")]
    return DateStyle(
        format=plain,
        padded=all(len(digits) > 1 for digits in short),
        months=month_names(part["b"] for part in found) if "%b" in plain else (),
        first_year=_first_year({int(part["y"]) for part in found if part.get("y")}),
        digits=min(max(fractions, default=6), 6),
        zone=zones.most_common(1)[0][0] if zones else "",
        half=re.sub("[Pp]", lambda p: "A" if p.group() == "P" else "a", halves[0], count=1) if halves else "AM",
        weekdays=weekdays[0].rstrip(".") if weekdays else "Monday",
        ordinal=_ordinal(found),
    )


def _first_year(ends: set[int]) -> int:
    """Where the hundred years of two digits begin: they leave out the longest stretch that no cell is in.

    Years that hold 69 to 99 without a turn of the century are those of the last one: births from 37 to 95 do not lie ahead.
    """
    if not ends:
        return 1969
    years = sorted(ends)
    gaps = [(after - before, after) for before, after in zip(years, [*years[1:], years[0] + 100], strict=True)]
    start = max(gaps)[1] % 100
    wraps = start > years[0]
    return 1900 + start if wraps or years[-1] >= 69 else 2000 + start


_SEPARATED = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{4}|\d{2}|\d)")
_TIME = re.compile(
    r"(?P<hour>\d{1,2}):\d{2}(?P<seconds>:\d{2})?(?P<point>[.,]\d{1,9})?(?P<half> ?[AaPp]\.?[Mm]\.?)?"
    rf"(?P<zone> ?(?:{_ZONE}))?",
    re.ASCII,
)
_SPLIT = re.compile(r"(.*?\d\.?)(, | at |T| )(\d{1,2}:\d{2}.*)", re.ASCII)
_BASIC = re.compile(r"\d{8}", re.ASCII)
_DAY = rf"\d{{1,2}}{_ORDINAL}?"
_NAMED = (
    (re.compile(rf"(?P<a>{_WORD}(?P<c>,? ))?{_DAY}(?P<s>\. | de |[-/ .]|)(?P<b>{_WORD})(?P<t>, | de |[-/ ]|)(?P<y>\d{{4}}|\d\d)"),
     "%d{s}%b{t}{y}"),
    (re.compile(rf"(?P<a>{_WORD}(?P<c>,? ))?(?P<b>{_WORD})(?P<s>[-/ ]){_DAY}(?P<t>, |[-,/ ])(?P<y>\d{{4}})"), "%b{s}%d{t}{y}"),
    (re.compile(rf"(?P<a>)(?P<y>\d{{4}})(?P<s>[-/ ])(?P<b>{_WORD})(?P<t>[-/ ])\d{{1,2}}{_ORDINAL}?"), "{y}{s}%b{t}%d"),
    (re.compile(rf"(?P<a>)(?P<b>{_WORD})(?P<s>[-/ ])(?P<t>)(?P<y>\d{{4}})"), "%b{s}{y}"),
)  # fmt: skip
_MONTHLY = (
    (re.compile(r"\d{4}([-/])\d{2}", re.ASCII), "%Y{0}%m"),
    (re.compile(r"\d{1,2}([-/])\d{4}", re.ASCII), "%m{0}%Y"),
    (re.compile(r"\d{4}([-/ ]?[Qq])[1-4]", re.ASCII), "%Y{0}%q"),
    (re.compile(r"[1-4]([Qq][-/ ]?)\d{4}", re.ASCII), "%q{0}%Y"),
    (re.compile(r"([Qq])[1-4]([-/ ])\d{4}", re.ASCII), "{0}%q{1}%Y"),
)


def formats_of(text: str) -> list[str]:
    """All formats in which a text would be a date, the likelier first.

    Examples
    --------
    >>> formats_of("03/04/2020 10:30")
    ['%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M']
    """
    split = _SPLIT.fullmatch(text)
    day, joint, clock = split.groups() if split else (text, "", "")
    times = _time_formats(clock) if clock else [""]
    return [day_format + joint + time for day_format in _day_formats(day, bool(clock)) for time in times]


def _time_formats(clock: str) -> list[str]:
    found = _TIME.fullmatch(clock)
    if found is None:
        return []
    half, zone = found["half"] or "", found["zone"] or ""
    made = ("%I" if half else "%H") + ":%M" + (":%S" if found["seconds"] else "")
    made += found["point"][0] + "%f" if found["point"] else ""
    made += (" " * half.startswith(" ") + "%p" if half else "") + (" " * zone.startswith(" ") + "%z" if zone else "")
    return [made]


def _day_formats(day: str, timed: bool) -> list[str]:
    if found := _SEPARATED.fullmatch(day):
        first, mark, _, last = found.groups()
        if len(first) == 4:
            return [f"%Y{mark}%m{mark}%d"] if len(last) < 4 else []
        if len(first) == 3 or len(last) == 1 or (mark == " " and len(last) == 2):
            return []
        year = "%Y" if len(last) == 4 else "%y"
        made = [f"%d{mark}%m{mark}{year}"]
        # Full stops stand in dates of languages that put the day first only.
        made += [f"%m{mark}%d{mark}{year}"] if mark != "." else []
        return made + ([f"%y{mark}%m{mark}%d"] if year == "%y" and mark != "." else [])
    if timed and _BASIC.fullmatch(day):
        return ["%Y%m%d"]
    for pattern, named in _NAMED:
        if (found := pattern.fullmatch(day)) and month_of(found["b"]):
            weekday = "%a" + found["c"] if found["a"] else ""
            return [weekday + named.format(s=found["s"], t=found["t"], y="%Y" if len(found["y"]) == 4 else "%y")]
    return [
        monthly.format(*found.groups())
        for pattern, monthly in _MONTHLY
        if (found := pattern.fullmatch(day)) and not timed
    ]
