"""Pairwise rules that a table always obeys: order, one column deciding another, straight lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from tabgan.tables.sums import error_allowed

__all__ = ["DecidesRule", "LineRule", "OrderRule", "deviates"]

Cells = Mapping[int, np.ndarray]


@dataclass(frozen=True)
class OrderRule:
    """Column ``low`` is never larger than column ``high``.

    Parameters
    ----------
    low, high : int
        Positions of two columns of numbers, or of times of the same family and unit.
    strict : bool, default=False
        Nor are they ever equal.
    """

    low: int
    high: int
    strict: bool = False
    kind: ClassVar[str] = "order"

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of both columns."""
        return self.low, self.high

    def violated(self, values: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the rule fails, were no cell missing."""
        low, high = values[self.low], values[self.high]
        return low >= high if self.strict else low > high

    def words(self, names: tuple) -> str:
        """The rule as a user would write it."""
        return f"`{names[self.low]}` {'<' if self.strict else '<='} `{names[self.high]}`"


@dataclass(frozen=True)
class DecidesRule:
    """Every level of column ``cause`` goes with one value of column ``effect``.

    Parameters
    ----------
    cause, effect : int
        Positions of the columns.
    levels : tuple
        The levels of ``cause``, as in `RawColumn.values`.
    results : tuple
        The value of ``effect`` for each of them.
    """

    cause: int
    effect: int
    levels: tuple
    results: tuple
    kind: ClassVar[str] = "decides"

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of both columns."""
        return self.cause, self.effect

    @property
    def causes(self) -> tuple[int, ...]:
        """The cause alone, as rules of several causes have it."""
        return (self.cause,)

    def computed(self, values: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Effect that the cause calls for, and where the cause's level is known; both of shape (n,)."""
        made, effect = values[self.cause], values[self.effect]
        index = pd.Index(_as_array(self.levels, made.dtype), dtype=made.dtype, tupleize_cols=False)
        at = index.get_indexer(pd.Index(made, dtype=made.dtype, tupleize_cols=False))
        return _as_array(self.results, effect.dtype)[at], at >= 0

    def violated(self, values: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the rule fails, were no cell missing; a level never seen fails."""
        expected, known = self.computed(values)
        return ~known | (expected != values[self.effect]).astype(bool)

    def words(self, names: tuple) -> str:
        """The rule as a user would write it."""
        return f"`{names[self.cause]}` decides `{names[self.effect]}`"


@dataclass(frozen=True)
class LineRule:
    """Column ``effect`` is ``slope * cause + intercept``, to `tabgan.tables.sums.LINE_TOLERANCE`.

    Parameters
    ----------
    cause, effect : int
        Positions of the columns.
    slope : float
        Not zero; 1 for times.
    intercept : float or int
        Whole ticks of ``unit`` for times.
    decimals : int or None, default=None
        Decimals of the effect's column, to which it is rounded.
    unit : str or None, default=None
        Unit of both columns if they hold times; the line is then a shift, exact in integers.
    """

    cause: int
    effect: int
    slope: float
    intercept: float
    decimals: int | None = None
    unit: str | None = None
    kind: ClassVar[str] = "line"

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of both columns."""
        return self.cause, self.effect

    @property
    def causes(self) -> tuple[int, ...]:
        """The cause alone, as rules of several causes have it."""
        return (self.cause,)

    def computed(self, values: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Effect on the line, and True; both of shape (n,)."""
        made = values[self.cause]
        known = np.ones(len(made), dtype=bool)
        if self.unit is not None:
            return made + np.int64(self.intercept), known
        line = self.slope * made + self.intercept
        return (line if self.decimals is None else np.round(line, self.decimals)), known

    def violated(self, values: Cells) -> np.ndarray:
        """Boolean array of shape (n,): where the rule fails, were no cell missing."""
        made, effect = values[self.cause], values[self.effect]
        if self.unit is not None:
            return made + np.int64(self.intercept) != effect
        return deviates(made, effect, self.slope, self.intercept, self.decimals)

    def words(self, names: tuple) -> str:
        """The rule as a user would write it."""
        left, right = f"`{names[self.effect]}` =", f"`{names[self.cause]}`"
        if self.unit is not None:
            shift = pd.Timedelta(abs(int(self.intercept)), self.unit)
            return f"{left} {right}" + (f" {'+' if self.intercept > 0 else '-'} {shift}" if self.intercept else "")
        scaled = right if self.slope == 1 else f"-{right}" if self.slope == -1 else f"{self.slope:.12g} {right}"
        sign = "+" if self.intercept > 0 else "-"
        return f"{left} {scaled}" + (f" {sign} {abs(self.intercept):.12g}" if self.intercept else "")


def deviates(
    cause: np.ndarray, effect: np.ndarray, slope: float, intercept: float, decimals: int | None = None
) -> np.ndarray:
    """Where ``effect`` is not on a line, by `tabgan.tables.sums.error_allowed`; boolean array of shape (n,)."""
    scaled = slope * cause
    size = np.maximum(np.maximum(np.abs(scaled), np.abs(effect)), abs(intercept))
    return np.abs(effect - scaled - intercept) > error_allowed(size, decimals)


def _as_array(labels: tuple, dtype: np.dtype) -> np.ndarray:
    out = np.empty(len(labels), dtype=object)
    out[:] = labels  # of tuples np.array would make a second dimension
    return out.astype(dtype)
