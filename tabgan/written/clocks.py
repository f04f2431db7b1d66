"""Times of day and lengths of time as people write them: ``9:30``, ``09:30:00``, ``3:05 PM``, ``36:15``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["ClockStyle", "clock_style"]

_CLOCK = re.compile(
    r"(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d)(:(?P<seconds>[0-5]\d)(?P<point>[.,])?(?P<fraction>(?<=[.,])\d{1,6})?)?"
    r"(?P<half>(?P<blank> ?)(?P<letter>[AaPp])(?P<rest>\.?[Mm]\.?))?",
    re.ASCII,
)
_MICRO = 1_000_000
_DAY = 24 * 3600 * _MICRO


@dataclass(frozen=True)
class ClockStyle:
    """One way to write times of day, or lengths of time in hours and minutes.

    Parameters
    ----------
    padded : bool, default=True
        Hours below ten have a zero.
    seconds : bool, default=False
        Seconds are written.
    point : str, default=""
        What stands before a fraction of a second; empty writes none.
    digits : int, default=0
        Of that fraction.
    half : tuple of str, default=("", "")
        What follows before noon and from noon on; empty for 24 hours.
    of_day : bool, default=True
        No time reaches 24 hours.
    """

    padded: bool = True
    seconds: bool = False
    point: str = ""
    digits: int = 0
    half: tuple[str, str] = ("", "")
    of_day: bool = True

    family = "timedelta"

    def describe(self) -> str:
        """The style in a few words."""
        what = "times of day" if self.of_day else "lengths of time"
        return f"{what} such as {self.write(np.timedelta64(35100, 's'))}"

    def read_one(self, text: str) -> int | None:
        """Microseconds since midnight; None where a cell is not written so."""
        found = _CLOCK.fullmatch(text)
        if found is None or bool(found["seconds"]) != self.seconds or bool(found["half"]) != bool(self.half[0]):
            return None
        hours = int(found["hours"])
        if found["half"]:
            if not 1 <= hours <= 12:
                return None
            hours = hours % 12 + 12 * (found["letter"] in "Pp")
        fraction = int((found["fraction"] or "0").ljust(6, "0"))
        micro = (3600 * hours + 60 * int(found["minutes"]) + int(found["seconds"] or 0)) * _MICRO + fraction
        return None if self.of_day and micro >= _DAY else micro

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Times of cells.

        Parameters
        ----------
        texts : sequence of str
            n cells.

        Returns
        -------
        ndarray of timedelta64[us], shape (n,)
            NaT where a cell is not written so.
        """
        missing = np.iinfo(np.int64).min
        micros = (self.read_one(text) for text in texts)
        return np.array([missing if micro is None else micro for micro in micros], dtype=np.int64).view("m8[us]")

    def write(self, value: Any) -> str:
        """Text of one time; those of a day stay within it.

        Examples
        --------
        >>> ClockStyle().write(np.timedelta64(570, "m"))
        '09:30'
        """
        step = 1 if self.digits else _MICRO if self.seconds else 60 * _MICRO
        micro = max(0, round(pd.Timedelta(value) / pd.Timedelta(1, unit="us") / step) * step)
        micro = min(micro, _DAY - step) if self.of_day else micro
        seconds, fraction = divmod(micro, _MICRO)
        hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
        half = self.half[hours >= 12] if self.half[0] else ""
        hours = (hours + 11) % 12 + 1 if half else hours
        text = f"{hours:0{2 if self.padded else 1}d}:{minutes:02d}" + (f":{seconds:02d}" if self.seconds else "")
        return text + (self.point + f"{fraction:06d}"[: self.digits] if self.digits else "") + half


def clock_style(texts: Iterable[str]) -> ClockStyle | None:
    """The style of cells that are times; None where none is.

    Parameters
    ----------
    texts : iterable of str
        Cells; those that are no times do not count.

    Returns
    -------
    ClockStyle or None
    """
    found = [match for match in map(_CLOCK.fullmatch, texts) if match]
    if not found:
        return None
    with_half = next((match for match in found if match["half"]), None)
    half = ("", "")
    if with_half is not None:
        upper = with_half["letter"].isupper()
        half = tuple(with_half["blank"] + (letter if upper else letter.lower()) + with_half["rest"] for letter in "AP")  # type: ignore[assignment]
    return ClockStyle(
        padded=all(len(match["hours"]) > 1 for match in found),
        seconds=sum(match["seconds"] is not None for match in found) * 2 > len(found),
        point=next((match["point"] for match in found if match["point"]), ""),
        digits=max((len(match["fraction"]) for match in found if match["fraction"]), default=0),
        half=half,
        of_day=all(int(match["hours"]) < 24 for match in found),
    )
