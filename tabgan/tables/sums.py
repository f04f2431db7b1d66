"""Exact linear relations of up to four columns: a total and its parts, a start and days and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from tabgan.tables.written_times import WRITTEN

__all__ = ["LINE_TOLERANCE", "SumRule", "error_allowed", "is_tight", "ticks_of", "values_of"]

LINE_TOLERANCE = 1e-9
"""A line or sum holds where its error is at most this share of the largest of its terms, and less than half of its last decimal."""
_HALF = 0.501
"""Of the last decimal, and what float64 adds to it."""
_TIGHT = 1e-6
_ROUNDING = 4 * np.finfo(np.float64).eps

_LAST_TIME = 2.0**63 - 1024
_UNITS = {"D": "day", "M": "month", "m": "minute", "s": "second"}

Cells = Mapping[int, np.ndarray]


def ticks_of(values: np.ndarray, written: str | None) -> np.ndarray:
    """Cells of `RawColumn.values` as what can be added up: times that are written as whole numbers count in their unit, int64."""
    return values if written is None else WRITTEN[written].ticks(values)[0]


def error_allowed(size: np.ndarray | float, decimals: int | None) -> np.ndarray:
    """How far a line or sum may be off where its largest term is ``size``.

    A share of the size alone is 200 in 202400000001: every column would be on a line with order numbers that count up.
    """
    share = np.asarray(LINE_TOLERANCE * size)
    if decimals is None:
        return share
    return np.maximum(np.minimum(share, _HALF * 10.0**-decimals), _ROUNDING * size)


def is_tight(errors: np.ndarray, effect: np.ndarray) -> bool:
    """Whether a line or sum is off by next to nothing of what its effect varies by, however large its constant."""
    return bool(np.abs(errors).max() <= _TIGHT * np.ptp(effect))


def values_of(ticks: np.ndarray, written: str | None) -> np.ndarray:
    """What `ticks_of` made, as the column has it."""
    return ticks if written is None else WRITTEN[written].values(ticks)


@dataclass(frozen=True)
class SumRule:
    """Column ``effect`` is ``constant`` and the weighted sum of the columns ``causes``, to `LINE_TOLERANCE`.

    Parameters
    ----------
    effect : int
        Position of the column; a time wherever a time takes part.
    causes : tuple of int
        Positions of the others.
    weights : tuple of float
        One for each cause, not zero; whole ticks where the effect is a time.
    constant : float or int
        Likewise.
    lower, upper : float or int
        Observed range of the effect, in ticks (see `ticks_of`).
    decimals : int or None, default=None
        Decimals of the effect's column, to which it is rounded; None for times.
    unit : str or None, default=None
        Of the effect if it is a time; the sum is then exact in integers.
    written : tuple of str or None, default=()
        Of the effect and of each cause, how it writes times as whole numbers; () where none does.
    """

    effect: int
    causes: tuple[int, ...]
    weights: tuple[float, ...]
    constant: float | int
    lower: float | int
    upper: float | int
    decimals: int | None = None
    unit: str | None = None
    written: tuple[str | None, ...] = ()
    kind: ClassVar[str] = "sum"

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of the effect and of the causes."""
        return self.effect, *self.causes

    def ways(self) -> dict[int, str | None]:
        """By column, how it writes times as whole numbers."""
        return dict(zip(self.columns, self.written or (None,) * len(self.columns), strict=True))

    def total(self, ticks: Cells) -> np.ndarray:
        """The effect that the causes call for, in ticks of shape (n,), rounded to its decimals."""
        if self.unit is not None:
            added: np.ndarray = np.full(len(ticks[self.causes[0]]), int(self.constant), dtype=np.int64)
            for j, weight in zip(self.causes, self.weights, strict=True):
                added = added + self._term(j, weight, ticks)
            nearly = sum(w * ticks[j].astype(np.float64) for j, w in zip(self.causes, self.weights, strict=True))
            return _without_overflow(added, np.asarray(nearly + float(self.constant)))
        found = self._sum(ticks)
        return found if self.decimals is None else np.round(found, self.decimals)

    def _sum(self, ticks: Cells) -> np.ndarray:
        first, *others = (w * ticks[j] for j, w in zip(self.causes, self.weights, strict=True))
        for term in others:
            first = first + term
        return first + self.constant if self.constant else first

    @staticmethod
    def _term(j: int, weight: float, ticks: Cells) -> np.ndarray:
        if ticks[j].dtype.kind == "i":
            return int(weight) * ticks[j]
        return np.rint(weight * np.nan_to_num(ticks[j])).astype(np.int64)

    def holds(self, ticks: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the effect is the sum, in range or not."""
        effect = ticks[self.effect]
        if self.unit is not None:
            return self.total(ticks) == effect
        terms = [np.abs(w * ticks[j]) for j, w in zip(self.causes, self.weights, strict=True)]
        size = np.maximum.reduce([*terms, np.abs(effect), np.full(len(effect), abs(float(self.constant)))])
        return np.abs(effect - self._sum(ticks)) <= error_allowed(size, self.decimals)

    def solved(self, column: int, ticks: Cells) -> np.ndarray:
        """What one column has to be for the rule to hold, given the others; ticks of shape (n,), not rounded to its grid."""
        if column == self.effect:
            return self.total(ticks)
        weight = self.weights[self.causes.index(column)]
        blank = dict(ticks) | {column: np.zeros_like(ticks[column])}
        rest = self.total(blank) if self.unit is not None else self._sum(blank)
        left = ticks[self.effect] - rest
        if self.unit is not None:
            left = _without_overflow(left, ticks[self.effect].astype(np.float64) - rest)
        if self.unit is not None and ticks[column].dtype.kind == "i":
            return left // int(weight)
        return left / weight

    def computed(self, values: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Effect that the causes call for, and True; both of shape (n,)."""
        ways = self.ways()
        found = values_of(self.total(self._ticks(values)), ways[self.effect])
        return found, np.ones(len(found), dtype=bool)

    def violated(self, values: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the rule fails, were no cell missing; an effect beyond its observed range fails."""
        ticks = self._ticks(values)
        effect = ticks[self.effect]
        return ~self.holds(ticks) | (effect < self.lower) | (effect > self.upper)

    def _ticks(self, values: Cells) -> dict[int, np.ndarray]:
        return {j: ticks_of(values[j], way) for j, way in self.ways().items()}

    def words(self, names: tuple) -> str:
        """The rule as a user would write it."""
        text = f"`{names[self.effect]}` ="
        for k, (j, weight) in enumerate(zip(self.causes, self.weights, strict=True)):
            sign = ("- " if weight < 0 else "+ ") if k else ("-" if weight < 0 else "")
            size = "" if abs(weight) == 1 else f"{abs(weight):.12g} "
            if self.unit is not None and not self._is_time(j, weight):
                size = f"{self._span(abs(weight))} x "
            text += f" {sign}{size}`{names[j]}`"
        if not self.constant:
            return text
        size = f"{abs(self.constant):.12g}" if self.unit is None else self._span(abs(self.constant))
        return f"{text} {'+' if self.constant > 0 else '-'} {size}"

    def _is_time(self, j: int, weight: float) -> bool:
        return abs(weight) == 1 and (self.ways()[self.effect] is None or self.ways()[j] is not None)

    def _span(self, ticks: float) -> str:
        """A number of ticks as a duration."""
        if self.ways()[self.effect] is not None:
            unit = WRITTEN[str(self.ways()[self.effect])].unit
            return f"{int(ticks)} {_UNITS[unit]}" + ("s" if ticks != 1 else "")
        return str(pd.Timedelta(int(ticks), str(self.unit))).replace(" 00:00:00", "").replace("1 days", "1 day")


def _without_overflow(exact: np.ndarray, nearly: np.ndarray) -> np.ndarray:
    """The first or last time there is where int64 went round, which floats tell."""
    return np.where(np.abs(nearly) < _LAST_TIME, exact, (np.sign(nearly) * _LAST_TIME).astype(np.int64))
