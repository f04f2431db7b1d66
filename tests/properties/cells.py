"""Cells that people have in one column: of every size, from ordinary ones to the ends of what their type can hold.

A *style* is a function of a generator and a number of rows to that many cells, none of them missing.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "LABELS",
    "NUMBERS",
    "OBJECTS",
    "RELATED",
    "TIMES",
    "WHOLES",
    "Style",
    "as_floats",
    "as_times",
    "as_wholes",
    "decimals",
]

Style = Callable[[np.random.Generator, int], Any]

LARGEST = np.finfo(np.float64).max

NUMBERS: dict[str, Style] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "prices": lambda rng, n: np.round(rng.gamma(2.0, 10.0, size=n), 2),
    "whole": lambda rng, n: rng.integers(-3, 9, size=n).astype(float),
    "constant": lambda rng, n: np.full(n, 1.25),
    "indicator": lambda rng, n: rng.integers(0, 2, size=n).astype(float),
    "zeros": lambda rng, n: rng.choice([0.0, -0.0, 0.0, 2.5], size=n),
    "skewed": lambda rng, n: np.exp(5 * rng.normal(size=n)),
    "outlier": lambda rng, n: np.where(np.arange(n) == n // 2, 1e300, rng.normal(size=n)),
    "offset": lambda rng, n: 1e15 + rng.normal(size=n),
    "huge": lambda rng, n: 1e300 * rng.normal(size=n),
    "tiny": lambda rng, n: 1e-300 * rng.normal(size=n),
    "subnormal": lambda rng, n: 5e-324 * rng.integers(0, 50, size=n),
    "magnitudes": lambda rng, n: rng.choice([-1.0, 1.0], size=n) * 10.0 ** rng.uniform(-300, 300, size=n),
    "ends": lambda rng, n: rng.choice([-LARGEST, 0.0, LARGEST], size=n),
    "infinite": lambda rng, n: rng.choice([-np.inf, np.inf], size=n),
}


def one_of_three(k: int) -> Style:
    """A column of a one-hot group: of one seed, together they are one."""
    return lambda rng, n: (rng.integers(0, 3, size=n) == k).astype(int).tolist()


def part_or_total(k: int | None) -> Style:
    """Two parts and their total: of one seed, they add up."""

    def cells(rng: np.random.Generator, n: int) -> list:
        parts = rng.integers(0, 60, size=(2, n))
        return (parts.sum(axis=0) if k is None else parts[k]).tolist()

    return cells


RELATED: dict[str, dict[str, Style]] = {
    "group": {f"one of three, {k}": one_of_three(k) for k in range(3)},
    "total": {"first part": part_or_total(0), "second part": part_or_total(1), "total": part_or_total(None)},
}
"""Styles that belong together: columns of one seed have a relation."""
PLAIN = RELATED["group"] | RELATED["total"]

# Of the least and the largest whole number that the dtype holds.
WHOLES: dict[str, Callable[[np.random.Generator, int, int, int], list[int]]] = {
    "few": lambda rng, n, low, high: rng.integers(0, 6, size=n).tolist(),
    "many": lambda rng, n, low, high: rng.integers(0, 120, size=n).tolist(),
    "codes": lambda rng, n, low, high: rng.choice([10, 20, 30, 99], size=n).tolist(),
    "indicator": lambda rng, n, low, high: rng.integers(0, 2, size=n).tolist(),
    "constant": lambda rng, n, low, high: [7] * n,
    "ids": lambda rng, n, low, high: (1 + rng.permutation(n)).tolist(),
    "days": lambda rng, n, low, high: [
        min(int(f"20{k % 30:02}{1 + k % 12:02}{1 + k % 28:02}"), high) for k in rng.integers(0, 5000, size=n)
    ],
    "beyond": lambda rng, n, low, high: [min(2**53 + int(k), high) for k in rng.integers(0, 9, size=n)],
    "highest": lambda rng, n, low, high: [high - int(k) for k in rng.integers(0, 40, size=n)],
    "lowest": lambda rng, n, low, high: [low + int(k) for k in rng.integers(0, 40, size=n)],
    "ends": lambda rng, n, low, high: [(low, high)[k] for k in rng.integers(0, 2, size=n)],
    "anywhere": lambda rng, n, low, high: [low + int(share * (high - low)) for share in rng.random(n)],
}

ODD_LABELS = ["", " ", "nan", "None", "NA", "é", "日本", "a\nb", '"', "0", "1.0", "True", "x" * 300, "\u202e", "👍"]
LABELS: dict[str, Style] = {
    "letters": lambda rng, n: rng.choice(list("abc"), size=n).tolist(),
    "odd": lambda rng, n: [ODD_LABELS[k] for k in rng.integers(0, len(ODD_LABELS), size=n)],
    "digits": lambda rng, n: rng.choice(["1", "02", "3"], size=n).tolist(),
    "constant": lambda rng, n: ["same"] * n,
    "ids": lambda rng, n: [f"id{k}" for k in rng.permutation(n)],
    "rare": lambda rng, n: [f"r{k}" if k % 3 == 0 else "common" for k in range(n)],
}

# Seconds since 1970 as Python's whole numbers, and a scale that says whether the part below a second counts.
DAY = 86_400
YEAR_1, YEAR_9999 = -719_162 * DAY, 2_932_896 * DAY
TIMES: dict[str, Callable[[np.random.Generator, int], list[int]]] = {
    "days": lambda rng, n: (DAY * rng.integers(18_000, 20_000, size=n)).tolist(),
    "moments": lambda rng, n: rng.integers(1_500_000_000, 1_700_000_000, size=n).tolist(),
    "constant": lambda rng, n: [DAY * 19_000] * n,
    "two": lambda rng, n: (DAY * rng.choice([0, 19_000], size=n)).tolist(),
    "centuries": lambda rng, n: rng.integers(-9_000_000_000, 9_000_000_000, size=n).tolist(),
    "millennia": lambda rng, n: rng.integers(YEAR_1 + DAY, YEAR_9999 - DAY, size=n).tolist(),
}


def day(k: int) -> datetime.date:
    return datetime.date(2020, 1, 1) + datetime.timedelta(days=int(k))


def of(cells: list) -> Style:
    """Cells drawn from a list."""
    return lambda rng, n: [cells[k] for k in rng.integers(0, len(cells), size=n)]


BERLIN = datetime.timezone(datetime.timedelta(hours=1))
OBJECTS: dict[str, Style] = {
    "text": of(["a", "b", "c"]),
    "int": lambda rng, n: rng.integers(0, 9, size=n).tolist(),
    "float": lambda rng, n: rng.normal(size=n).tolist(),
    "bool": of([True, False]),
    "mixed": of([1, "one", 2.5]),
    "numbers and bool": of([1, True, 2.5]),
    "date": lambda rng, n: [day(k) for k in rng.integers(0, 900, size=n)],
    "datetime": lambda rng, n: [datetime.datetime(2020, 1, 1 + k % 28, k % 24) for k in rng.integers(0, 90, size=n)],
    "dates and datetimes": of([day(3), datetime.datetime(2020, 5, 1, 7)]),
    "zoned": lambda rng, n: [
        datetime.datetime(2020, 1, 1 + k % 28, tzinfo=BERLIN) for k in rng.integers(0, 90, size=n)
    ],
    "first and last day": of([datetime.date.min, datetime.date.max]),
    "time": of([datetime.time(1, 2), datetime.time(3, 4)]),
    "timedelta": lambda rng, n: [datetime.timedelta(hours=int(k)) for k in rng.integers(0, 99, size=n)],
    "longest timedelta": of([datetime.timedelta.min, datetime.timedelta.max]),
    "Timestamp": lambda rng, n: [
        pd.Timestamp("2020-01-01") + pd.Timedelta(hours=int(k)) for k in rng.integers(0, 99, n)
    ],
    "datetime64": lambda rng, n: [np.datetime64("2020-01-01") + int(k) for k in rng.integers(0, 99, size=n)],
    "Decimal": lambda rng, n: [Decimal(int(k)) / 100 for k in rng.integers(0, 9999, size=n)],
    "long Decimal": of([Decimal("0.1234567890123456789"), Decimal("1e-30"), Decimal(3)]),
    "Fraction": of([Fraction(1, 3), Fraction(2, 3), Fraction(5)]),
    "bytes": of([b"a", b"\xff\x00", b""]),
    "tuple": of([(1, "a"), (2, "b")]),
    "uneven tuple": of([(1,), (2, "b"), ()]),
    "long int": of([2**70, -(2**70), 3]),
    "int beyond": of([2**53 + 1, 2**53 + 3, 5]),
    "uint64 end": of([2**64 - 1, 2**64 - 3]),
    "numpy scalars": of([np.float32(1.5), np.float32(2.5), np.float32(4.0)]),
    "numpy text": of([np.str_("a"), np.str_("b")]),
    "complex": of([1j, 2j]),
    "list": of([[1], [2, 3]]),
    "dict": of([{"a": 1}, {}]),
    "array": of([np.zeros(2), np.ones(2)]),
    "anything": of([object(), object()]),
    "period": of([pd.Period("2020-01"), pd.Period("2020-02")]),
    "interval": of([pd.Interval(0, 1), pd.Interval(1, 2)]),
}


def as_floats(style: str, rng: np.random.Generator, n: int, dtype: Any = np.float64) -> np.ndarray:
    """Numbers of a style, brought to what a narrower dtype can hold."""
    values = np.asarray((NUMBERS | PLAIN)[style](rng, n), dtype=np.float64)
    limits = np.finfo(dtype)
    if style == "infinite":
        return values.astype(dtype)
    return np.clip(values, float(max(limits.min, -LARGEST)), float(min(limits.max, LARGEST))).astype(dtype)


def as_wholes(style: str, rng: np.random.Generator, n: int, dtype: Any = np.int64) -> list[int]:
    """Whole numbers of a style within a dtype."""
    limits = np.iinfo(dtype)
    low, high = int(limits.min), int(limits.max)
    cells = PLAIN[style](rng, n) if style in PLAIN else WHOLES[style](rng, n, low, high)
    return [min(max(value, low), high) for value in cells]


def as_times(style: str, rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
    """Times of a style in a dtype such as ``"M8[ms]"``, cut to what its unit reaches."""
    unit = np.datetime_data(np.dtype(dtype))[0]
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    seconds = TIMES[style](rng, n)
    if unit == "D":
        return np.array([second // DAY for second in seconds], dtype=np.int64).astype(dtype)
    most = 2**63 - DAY * per_second[unit]  # a day less than int64, so that every time zone can show it
    counts = [min(max(second * per_second[unit], -most), most) for second in seconds]
    return np.array(counts, dtype=np.int64).astype(dtype)


def decimals(rng: np.random.Generator, n: int, digits: int = 2, largest: int = 10_000) -> list[Decimal]:
    """Decimals of the standard library with so many digits behind the point."""
    return [Decimal(int(k)).scaleb(-digits) for k in rng.integers(-largest, largest, size=n)]
