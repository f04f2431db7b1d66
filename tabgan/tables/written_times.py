"""Dates and times of day written as whole numbers: 20240229 for a day, 1745 for a quarter to six in the evening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

__all__ = ["WRITTEN", "WrittenTime", "any_written_time", "find_written_time"]

_EVIDENCE = 10.0
"""Whole numbers that are no times would all read as some by chance with e**-10 or less."""
_MOST_TRIED = 100_000


@dataclass(frozen=True)
class WrittenTime:
    """One way to write times as whole numbers.

    Parameters
    ----------
    unit : str
        What `ticks` counts: numpy's ``"D"``, ``"M"``, ``"m"`` or ``"s"``.
    lowest, highest : int
        Numbers outside are never read so.
    read : callable
        ``read(whole) -> (ticks, exists)``, both of shape (n,), from int64.
    write : callable
        ``write(ticks) -> whole``.
    least_span : int, default=0
        Numbers that reach over fewer ticks are not found to be times: postcodes of one region all begin with the same digits.
    """

    unit: str
    lowest: int
    highest: int
    read: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    write: Callable[[np.ndarray], np.ndarray]
    least_span: int = 0

    def ticks(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Times in `unit` as int64, and where the numbers stand for times that exist; both of shape (n,)."""
        known = np.isfinite(values)
        whole = np.clip(np.where(known, values, 0), self.lowest, self.highest).astype(np.int64)
        ticks, exists = self.read(whole)
        return ticks, exists & known & (whole == values)

    def values(self, ticks: np.ndarray) -> np.ndarray:
        """Float64 of shape (n,): the times of int64 ``ticks`` as they are written."""
        return self.write(np.asarray(ticks, dtype=np.int64)).astype(np.float64)


def _read_month(whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    year, month = whole // 100, whole % 100
    return 12 * (year - 1970) + month - 1, (month >= 1) & (month <= 12)


def _write_month(ticks: np.ndarray) -> np.ndarray:
    return (ticks // 12 + 1970) * 100 + ticks % 12 + 1


def _read_day(whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    months, exists = _read_month(whole // 100)
    day = whole % 100
    ticks = months.astype("M8[M]").astype("M8[D]").astype(np.int64) + day - 1
    in_month = ticks.astype("M8[D]").astype("M8[M]").astype(np.int64) == months
    return ticks, exists & (day >= 1) & in_month


def _write_day(ticks: np.ndarray) -> np.ndarray:
    days = ticks.astype("M8[D]")
    months = days.astype("M8[M]")
    return _write_month(months.astype(np.int64)) * 100 + (days - months.astype("M8[D]")).astype(np.int64) + 1


def _read_minute(whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hour, minute = whole // 100, whole % 100
    return 60 * hour + minute, (hour < 24) & (minute < 60)


def _write_minute(ticks: np.ndarray) -> np.ndarray:
    return ticks // 60 * 100 + ticks % 60


def _read_second(whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    minutes, exists = _read_minute(whole // 100)
    second = whole % 100
    return 60 * minutes + second, exists & (second < 60)


def _write_second(ticks: np.ndarray) -> np.ndarray:
    return _write_minute(ticks // 60) * 100 + ticks % 60


WRITTEN: Mapping[str, WrittenTime] = MappingProxyType(
    {
        "YYYYMMDD": WrittenTime("D", 1000_01_01, 9999_12_31, _read_day, _write_day),
        "YYYYMM": WrittenTime("M", 1000_01, 9999_12, _read_month, _write_month),
        "HHMM": WrittenTime("m", 0, 23_59, _read_minute, _write_minute, 3 * 60),
        "HHMMSS": WrittenTime("s", 0, 23_59_59, _read_second, _write_second, 3 * 60 * 60),
    }
)
"""By what users call them; HHMM has no leading zeros, so that 45 is a quarter to one at night."""


def find_written_time(found: np.ndarray) -> str | None:
    """How the values of a column write times, by evidence.

    Parameters
    ----------
    found : ndarray of shape (n,)
        The distinct values of a column of whole numbers.

    Returns
    -------
    str or None
        A key of `WRITTEN`, where every value is a time and this many values of the same range and spacing would hardly all be some
        by chance; None otherwise, or where times of day reach over less than three hours. In numbers of a range all of which are
        times (0 to 59) nothing can go wrong, nor be known.
    """
    best, most = None, 0.0
    for name, written in WRITTEN.items():
        if not _all_exist(found, written) or np.ptp(written.ticks(found)[0]) < written.least_span:
            continue
        evidence = -(len(found) - 2) * np.log(_share_of_times(found, written))
        if evidence >= _EVIDENCE and evidence > most:
            best, most = name, evidence
    return best


def any_written_time(found: np.ndarray) -> str | None:
    """The first way in which every value is a time, whatever the evidence; None where there is none."""
    return next((name for name, written in WRITTEN.items() if _all_exist(found, written)), None)


def _all_exist(found: np.ndarray, written: WrittenTime) -> bool:
    return bool(found.min() >= written.lowest and found.max() <= written.highest and written.ticks(found)[1].all())


def _share_of_times(found: np.ndarray, written: WrittenTime) -> float:
    """The share of times among the numbers from the lowest to the highest value, in steps that all values share."""
    whole = np.sort(found).astype(np.int64)
    step = max(1, int(np.gcd.reduce(np.diff(whole))))
    n_steps = int(whole[-1] - whole[0]) // step
    tried = np.unique(np.linspace(0, n_steps, min(n_steps + 1, _MOST_TRIED)).astype(np.int64))
    return float(written.ticks((whole[0] + step * tried).astype(np.float64))[1].mean())
