"""How one encoded column becomes slots and back: scaled numbers and times, and one-hot levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from tabgan.tables.columns import EXACT, RawColumn, RowUniform
from tabgan.tables.numeric import NUMERIC_TRANSFORMS, NumericTransform
from tabgan.tables.schema import ColumnSchema
from tabgan.tables.written_times import WRITTEN

__all__ = ["UNSEEN", "Choice", "LevelSlots", "NumberSlot", "in_unit", "natural_ends", "uniform_of"]

# Scaled numbers further out say nothing more, and float32 could not hold all of them.
_FARTHEST = 1e6
UNSEEN = -1

Choice = Literal["mode"] | np.random.Generator | RowUniform


class NumberSlot:
    """One slot for a column of numbers or times.

    Parameters
    ----------
    schema : ColumnSchema
        Of kind continuous, integer, decimal, coded, datetime or timedelta.
    transform : NumericTransform
        Scaling of the numbers; of times, scaling of their distance from the earliest one in steps of their
        granularity.
    round_like_observed : bool
        Round to the decimals or granularity of the observed values, and continuous numbers to the very value that was encoded where a
        slot can have come from no other.
    repeated : array-like of float, default=()
        Values of a continuous column that occur more than once, at most `MOST_REPEATED`.
    """

    width = 1
    MOST_REPEATED = 1000

    def __init__(
        self,
        schema: ColumnSchema,
        transform: NumericTransform,
        round_like_observed: bool,
        repeated: Sequence[float] | np.ndarray = (),
    ) -> None:
        self.schema = schema
        self.transform = transform
        self._round = round_like_observed
        self.repeated = np.sort(np.asarray(repeated, dtype=np.float64))
        self._written = None if schema.written is None else WRITTEN[schema.written]
        self._listed = np.array(schema.levels if schema.kind == "coded" else ())
        # Slots are single precision: without this a drawn zero, say, would come back as a zero and a bit.
        self._repeated_slots = transform.forward(self.repeated).astype(np.float32)

    @classmethod
    def fitted(cls, schema: ColumnSchema, column: RawColumn, transform: str, round_like_observed: bool) -> NumberSlot:
        """Slot whose scaling is fitted on the observed cells of ``column``."""
        slot = cls(schema, NUMERIC_TRANSFORMS[transform](), round_like_observed)
        numbers = slot._numbers(column, ~column.missing)
        slot.transform.fit(numbers)
        if schema.kind != "continuous":
            return slot
        values, counts = np.unique(numbers, return_counts=True)
        frequent = np.argsort(-counts, kind="stable")[: cls.MOST_REPEATED]
        return cls(schema, slot.transform, round_like_observed, values[frequent[counts[frequent] > 1]])

    def encode(self, column: RawColumn) -> tuple[np.ndarray, np.ndarray]:
        """Slot values of the observed rows, and which of these are visible: all but times that do not exist."""
        scaled = self.transform.forward(self._numbers(column, ~column.missing))
        scaled = np.clip(scaled, -_FARTHEST, _FARTHEST)[:, None]
        if self._written is None:
            return scaled, np.ones(len(scaled), dtype=bool)
        exists = self._written.ticks(column.values[~column.missing])[1]
        return np.where(exists[:, None], scaled, 0.0), exists

    def decode(self, slots: np.ndarray, *, beyond: bool = False) -> np.ndarray:
        """Numbers, or int64 times in the unit seen in ``fit``.

        Within the observed range; with ``beyond`` continuous and decimal numbers may leave it, but not their sign, and not [0, 1] if
        that is where all of them are.
        """
        schema = self.schema
        lower, upper = cast(float, schema.lower), cast(float, schema.upper)
        scaled = np.asarray(slots, dtype=np.float64).reshape(len(slots))
        if len(self._listed) and (self._round or schema.integer_dtype):
            return self._nearest_listed(scaled)
        if self._from_lowest and schema.family == "number":
            return self._whole(scaled)
        numbers = self.transform.inverse(np.nan_to_num(scaled, nan=0.0))
        if schema.kind in ("datetime", "timedelta"):
            return self._times(numbers)
        if beyond and schema.kind in ("continuous", "decimal"):
            lower, upper = natural_ends(lower, upper)
        numbers = np.clip(numbers, lower, upper)
        if schema.decimals is not None and self._round:
            numbers = np.round(numbers, schema.decimals)
        elif schema.integer_dtype:
            numbers = np.rint(numbers)
        elif len(self.repeated) and self._round:
            single = scaled.astype(np.float32)
            place = np.searchsorted(self._repeated_slots, single).clip(max=len(self.repeated) - 1)
            numbers = np.where(self._repeated_slots[place] == single, self.repeated[place], numbers)
        return np.clip(numbers, lower, upper)

    def _times(self, numbers: np.ndarray) -> np.ndarray:
        """Times from steps since the earliest one, as the column has them."""
        step, (lower, upper) = self.schema.granularity or 1, self._range_of_times
        width = upper - lower
        counts = np.clip(np.rint(numbers) if self._round else numbers, 0.0, width / step)
        # Ends may lie further apart than int64 counts; unsigned, and back by the same way round, they do not.
        counts = np.minimum(np.rint(counts * (1 if self._round else step)), np.nextafter(2.0**64, 0.0))
        offsets = np.minimum(counts.astype(np.uint64) * np.uint64(step if self._round else 1), np.uint64(width))
        ticks = (np.array([lower], dtype=np.int64).view(np.uint64) + offsets).view(np.int64)
        return ticks if self._written is None else self._written.values(ticks)

    @property
    def _range_of_times(self) -> tuple[int, int]:
        ends = cast(float, self.schema.lower), cast(float, self.schema.upper)
        if self._written is None:
            return int(ends[0]), int(ends[1])
        lower, upper = self._written.ticks(np.array(ends))[0].tolist()
        return lower, upper

    def _nearest_listed(self, scaled: np.ndarray) -> np.ndarray:
        """The observed values that lie nearest, in the column's own units."""
        own = np.array([float(int(value) - int(self._offset)) for value in self._listed])
        numbers = self.transform.inverse(np.nan_to_num(scaled, nan=0.0))
        return self._listed[np.searchsorted((own[1:] + own[:-1]) / 2, numbers)]

    def unscaled(self, slots: np.ndarray) -> np.ndarray:
        """Numbers, neither rounded nor clipped, float64."""
        numbers = self.transform.inverse(np.asarray(slots, dtype=np.float64))
        return numbers + float(self._offset)

    def likely_one(self, slots: np.ndarray) -> np.ndarray:
        """Of a column of 0 and 1: how much speaks for a 1."""
        return self.unscaled(slots[:, 0])

    @property
    def _from_lowest(self) -> bool:
        """Whether the slot counts from the lowest value, since float64 could not hold what it stands for."""
        return isinstance(self.schema.lower, int)

    @property
    def _offset(self) -> float | int:
        return cast(int, self.schema.lower) if self._from_lowest else 0.0

    def _whole(self, scaled: np.ndarray) -> np.ndarray:
        """Whole numbers beyond 2**53, within the observed range to the last digit; int64 or uint64."""
        lower, upper = cast(int, self.schema.lower), cast(int, self.schema.upper)
        counts = np.clip(np.rint(self.transform.inverse(np.nan_to_num(scaled, nan=0.0))), 0.0, float(upper - lower))
        found = [min(lower + int(count), upper) for count in counts]
        return np.array(found, dtype=np.uint64 if upper >= 2**63 else np.int64)

    def _numbers(self, column: RawColumn, rows: np.ndarray) -> np.ndarray:
        values = column.values[rows]
        if self.schema.kind in ("datetime", "timedelta"):
            if self._written is None:
                times = in_unit(values, column.unit, self.schema.unit)
            else:
                times = self._written.ticks(values)[0]
            lowest = self._range_of_times[0]
            rough = times.astype(np.float64) - float(lowest)
            # Times may lie further apart than int64 counts.
            steps = np.where(np.abs(rough) < 2.0**62, times - np.int64(lowest), rough)
            return steps / float(self.schema.granularity or 1)
        if not self._from_lowest:
            return values.astype(np.float64)
        lowest = cast(int, self.schema.lower)
        return np.array([float(int(value) - lowest) for value in values], dtype=np.float64)


class LevelSlots:
    """One slot per kept level, and a last one for all others together if there are others.

    Parameters
    ----------
    schema : ColumnSchema
        Of kind boolean, categorical or ordinal.
    max_categories : int
        How many levels are kept at most. Beyond the `FEW` most frequent ones, a level seen only once, or in less than
        `RARE_SHARE` of the observed cells, is not kept either: there is nothing to learn about it. Levels that were
        declared but never observed have no slot.
    """

    FEW = 8
    RARE_SHARE = 0.001

    def __init__(self, schema: ColumnSchema, max_categories: int) -> None:
        self.schema = schema
        observed = [k for k, count in enumerate(schema.counts) if count > 0]
        by_count = sorted(observed, key=lambda k: (-schema.counts[k], k))
        fewest = max(2, self.RARE_SHARE * sum(schema.counts))
        n_kept = min(max_categories, max(self.FEW, sum(schema.counts[k] >= fewest for k in observed)))
        kept, rest = sorted(by_count[:n_kept]), by_count[n_kept:]
        self.shown = [schema.levels[k] for k in (*kept, *rest[:1])]
        self.width = len(self.shown)
        self._slot_of: dict[Any, int] = {schema.levels[k]: slot for slot, k in enumerate(kept)}
        self._slot_of.update((schema.levels[k], len(kept)) for k in rest)
        self._labels = np.empty(self.width, dtype=object)
        self._labels[:] = self.shown
        # Of the probability that one of the others is meant, only this share speaks for the one that is shown.
        self._shares = np.ones(self.width)
        self._others = np.empty(len(rest), dtype=object)
        self._others[:] = [schema.levels[k] for k in rest]
        counts = np.array([schema.counts[k] for k in rest], dtype=float)
        self._other_odds = counts / counts.sum() if rest else counts
        if rest:
            self._shares[-1] = self._other_odds[0]

    def level_shares(self) -> tuple[list, np.ndarray]:
        """All observed levels, and the share of each in each slot's probability."""
        n_kept = self.width - bool(len(self._others))
        shares = np.zeros((self.width, n_kept + len(self._others)))
        shares[:n_kept, :n_kept] = np.eye(n_kept)
        if len(self._others):
            shares[-1, n_kept:] = self._other_odds
        return [*self.shown[:n_kept], *self._others], shares

    def likely_one(self, slots: np.ndarray) -> np.ndarray:
        """Of a column of 0 and 1: the score of 1 among both."""
        scores = np.clip(np.nan_to_num(np.asarray(slots, dtype=np.float64)), 0.0, 1e300)
        return scores[:, self.shown.index(1.0)] / np.maximum(scores.sum(axis=1), 1e-12)

    def encode(self, column: RawColumn) -> tuple[np.ndarray, np.ndarray]:
        """One-hot rows of the observed cells, and which of these are of a known level."""
        slots = self.slot_numbers(column)
        known = slots != UNSEEN
        onehot = np.zeros((len(slots), self.width), dtype=np.float32)
        onehot[np.flatnonzero(known), slots[known]] = 1.0
        return onehot, known

    def slot_numbers(self, column: RawColumn) -> np.ndarray:
        """Slot of each observed cell, ``UNSEEN`` for an unknown level."""
        values = column.values[~column.missing]
        if column.family in ("datetime", "timedelta"):
            values = in_unit(values, column.unit, self.schema.unit)
        codes, found = pd.factorize(values)
        slots = np.array([self._slot_of.get(label, UNSEEN) for label in found], dtype=np.intp)
        return slots[codes] if len(found) else np.empty(0, dtype=np.intp)

    def decode(self, slots: np.ndarray, uniform: np.ndarray | None = None) -> np.ndarray:
        """Labels in the representation of ``RawColumn.values``.

        Parameters
        ----------
        slots : ndarray of shape (n, width)
            Scores.
        uniform : ndarray of shape (n, 2), default=None
            Numbers within [0, 1) by which to draw a level in proportion to the scores (negative ones count as 0), and one of the
            others by frequency. None takes the likeliest level; the slot of the others then stands for its most frequent level
            with that level's share of the score.

        Returns
        -------
        ndarray
            Float64 for numbers and booleans, int64 for times, else object.
        """
        scores = np.nan_to_num(np.asarray(slots, dtype=np.float64), nan=-np.inf)
        if uniform is None:
            # Shares weigh probabilities; raw scores may be negative, where a share would raise them.
            labels = self._labels[np.where(scores > 0, scores * self._shares, scores).argmax(axis=1)]
        else:
            picked = _drawn(scores, uniform[:, :1])
            labels = self._labels[picked]
            among_others = picked == self.width - 1 if len(self._others) else np.zeros(0, dtype=bool)
            if among_others.any():
                bounds = np.cumsum(self._other_odds)
                place = np.searchsorted(bounds, uniform[among_others, 1] * bounds[-1], side="right")
                labels[among_others] = np.asarray(self._others)[place.clip(max=len(bounds) - 1)]
        if self.schema.family in ("number", "boolean"):
            whole = any(isinstance(label, int) and abs(label) > EXACT for label in self.shown)
            return np.array(labels.tolist()) if whole else labels.astype(np.float64)
        return labels.astype(np.int64) if self.schema.family in ("datetime", "timedelta") else labels


def uniform_of(choose: Choice) -> RowUniform | None:
    """Where uniform numbers come from; None for ``"mode"``."""
    if isinstance(choose, np.random.Generator):
        rng = choose
        return lambda name, rows, size: rng.random((len(rows), size))
    return None if isinstance(choose, str) else choose


def natural_ends(lower: float, upper: float) -> tuple[float, float]:
    """Ends that numbers observed between these do not pass by their nature, as far as one can tell."""
    least = 0.0 if lower >= 0 else -np.inf
    most = 1.0 if lower >= 0 and upper <= 1 else 0.0 if upper <= 0 else np.inf
    return least, most


def _drawn(scores: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """One slot per row, drawn in proportion to the scores by uniform numbers of shape (n, 1); the highest where none is positive."""
    weights = np.clip(scores, 0.0, 1e300 / scores.shape[1])
    totals = np.cumsum(weights, axis=1)
    thresholds = uniform * totals[:, -1:]
    picked = np.minimum((totals <= thresholds).sum(axis=1), scores.shape[1] - 1)
    return np.where(totals[:, -1] > 0.0, picked, scores.argmax(axis=1))


def in_unit(values: np.ndarray, unit: str | None, wanted: str | None) -> np.ndarray:
    """Int64 times counted in another unit, rounded down; the first or last one where a finer unit does not reach so far."""
    if unit == wanted or unit is None or wanted is None:
        return values
    last = np.array([2**63 - 1]).astype(f"m8[{wanted}]").astype(f"m8[{unit}]").astype(np.int64)[0]
    one, other = (np.array(1).astype(f"m8[{name}]") for name in (unit, wanted))
    kept = np.clip(values, -last, last) if one > other else values
    return kept.astype(f"m8[{unit}]").astype(f"m8[{wanted}]").astype(np.int64)
