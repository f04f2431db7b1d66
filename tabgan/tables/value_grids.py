"""Which values a column of numbers or times can hold: rounding to them, and the next one up or down."""

from __future__ import annotations

import numpy as np

from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.sums import ticks_of, values_of

__all__ = ["Grid"]

_LARGEST = np.finfo(np.float64).max


class Grid:
    """The values that a fitted column's fills may take, in ticks (see `tabgan.tables.sums.ticks_of`): float64, or int64 of times.

    Parameters
    ----------
    schema : ColumnSchema
        Of a column of numbers, dates or durations that varies.
    rounded : bool
        Numbers keep to the decimals or the list of those observed; integer dtypes keep to whole ones in any case.

    Attributes
    ----------
    lower, upper : float or int
        Observed range.
    listed : ndarray
        The only values there are; empty where any of the range will do.
    """

    def __init__(self, schema: ColumnSchema, rounded: bool) -> None:
        self._written = schema.written
        self._is_time = schema.written is not None or schema.family in ("datetime", "timedelta")
        self._decimals = schema.decimals if rounded else 0 if schema.integer_dtype else None
        self._step = (schema.granularity or 1) if rounded or schema.written is not None else 1
        seen = [level for level, count in zip(schema.levels, schema.counts, strict=True) if count]
        ends = np.sort(np.array(seen if schema.lower is None else [schema.lower, schema.upper]))[[0, -1]]
        self.lower, self.upper = self.ticks(ends).tolist()
        signed = schema.written is None and schema.family != "datetime"
        self._sign = 0 if not signed else 1 if self.lower >= 0 else -1 if self.upper <= 0 else 0
        self.listed = np.sort(self.ticks(np.array(seen))) if rounded or schema.integer_dtype else np.zeros(0)

    @property
    def is_free(self) -> bool:
        """Whether any number will do."""
        return self._decimals is None and not self._is_time and not len(self.listed)

    def ticks(self, values: np.ndarray) -> np.ndarray:
        """From `RawColumn.values`, times in the unit seen in ``fit``."""
        return ticks_of(
            np.asarray(values, dtype=np.float64 if self._written or not self._is_time else np.int64), self._written
        )

    def values(self, ticks: np.ndarray) -> np.ndarray:
        """Back to what `RawColumn.values` holds."""
        return values_of(ticks, self._written)

    def nearest(self, ticks: np.ndarray) -> np.ndarray:
        """Rounded to values that the column can hold; kept to its range only where they are listed, else to its sign."""
        if len(self.listed):
            return self.listed[np.searchsorted((self.listed[1:] + self.listed[:-1]) / 2, ticks)]
        if self._is_time:
            lower = int(self.lower)
            return self.of_seen_sign(lower + np.rint((ticks - lower) / self._step).astype(np.int64) * self._step)
        return self.of_seen_sign(ticks if self._decimals is None else np.round(ticks, self._decimals))

    def of_seen_sign(self, ticks: np.ndarray) -> np.ndarray:
        """The nearest end of the range instead of a sign that was never seen; and no number is infinite."""
        if self._sign:
            end = self.lower if self._sign > 0 else self.upper
            ticks = np.where(self._sign * ticks < 0, end, ticks)
        return ticks if ticks.dtype.kind == "i" else np.clip(ticks, -_LARGEST, _LARGEST)

    def holding(self, ticks: np.ndarray) -> np.ndarray:
        """What comes as near to ``ticks`` as the column allows; times to the last one, whatever steps were observed."""
        return self.of_seen_sign(ticks) if self._is_time else self.nearest(ticks)

    def beyond(self, ticks: np.ndarray, *, up: bool, strict: bool) -> np.ndarray:
        """The next value that the column can hold, at or (``strict``) beyond ``ticks``; of a list at most its end."""
        if len(self.listed):
            at = np.searchsorted(self.listed, ticks, side="right" if up == strict else "left") - (not up)
            return self.listed[np.clip(at, 0, len(self.listed) - 1)]
        sign = 1 if up else -1
        if self._is_time:
            lower = int(self.lower)
            found = lower + sign * -(-sign * (ticks - lower) // self._step) * self._step
            return found + np.where(strict & (found == ticks), sign * self._step, 0)
        if self._decimals is None:
            return np.nextafter(ticks, sign * np.inf) if strict else ticks
        step = sign * 10.0**-self._decimals
        found = np.round(ticks, self._decimals)
        short = sign * (found - ticks) < 0
        found = np.where(short, np.round(found + step, self._decimals), found)
        return np.where(strict & (found == ticks), np.round(found + step, self._decimals), found)
