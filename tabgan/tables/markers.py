"""The ``missing_values`` parameter: which cells stand for "missing" besides nan, None and their kin."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Hashable
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidParameterError

__all__ = ["Markers"]


class Markers:
    """Parsed ``missing_values``, asked one column at a time.

    A number marks equal numbers, a string equal labels, a bool equal truth values, and a datetime or timedelta equal
    times; nothing marks a cell of another family (0 is not False).

    Parameters
    ----------
    missing_values : scalar or list of scalars, default=nan
        nan, None, pd.NA and NaT add nothing, as they always mean missing.

    Raises
    ------
    InvalidParameterError
        A marker is neither a scalar of these types nor hashable.
    """

    def __init__(self, missing_values: Any = np.nan) -> None:
        self._numbers: list[float] = []
        self._whole: list[int] = []
        self._booleans: list[float] = []
        self._times: list[Any] = []
        self._labels: set[Hashable] = set()
        if isinstance(missing_values, np.ndarray):
            missing_values = list(np.atleast_1d(missing_values))
        listed = isinstance(missing_values, list | tuple | set | frozenset)
        for marker in list(missing_values) if listed else [missing_values]:
            try:
                self._add(marker)
            except ArithmeticError as error:  # a signalling NaN may not even be asked what it is
                raise _no_marker(marker) from error

    def _add(self, marker: Any) -> None:
        if isinstance(marker, bool | np.bool_):
            self._booleans.append(float(marker))
        elif isinstance(marker, list | tuple | set | dict | np.ndarray) or not isinstance(marker, Hashable):
            raise InvalidParameterError(
                f"missing_values has {marker!r}; use a number, string, nan, None, pd.NA or a flat list of these."
            )
        elif pd.isna(marker):
            return
        elif isinstance(
            marker, datetime.date | np.datetime64 | datetime.timedelta | np.timedelta64
        ):  # numpy calls its timedeltas whole numbers
            self._times.append(marker)
            self._labels.add(marker)
        elif isinstance(marker, numbers.Real | Decimal):
            try:
                self._numbers.append(float(marker))
            except (OverflowError, ValueError) as error:  # beyond what a float holds; a signalling NaN
                raise _no_marker(marker) from error
            self._labels.add(cast(Hashable, marker))
            exact: Any = marker
            if np.isfinite(self._numbers[-1]) and exact == int(exact):
                self._whole.append(int(exact))
        else:
            self._labels.add(marker)

    def match_numbers(self, values: np.ndarray) -> np.ndarray:
        """Find where a float64 array holds a marker."""
        return np.isin(values, self._numbers) if self._numbers else np.zeros(values.shape, dtype=bool)

    def match_whole(self, values: np.ndarray) -> np.ndarray:
        """Find where an integer array holds a marker, digit by digit."""
        limits = np.iinfo(values.dtype)
        wanted = [marker for marker in self._whole if limits.min <= marker <= limits.max]
        return np.isin(values, np.array(wanted, dtype=values.dtype)) if wanted else np.zeros(values.shape, dtype=bool)

    def match_booleans(self, values: np.ndarray) -> np.ndarray:
        """Find where a float64 array of truth values holds a marker."""
        return np.isin(values, self._booleans) if self._booleans else np.zeros(values.shape, dtype=bool)

    def match_labels(self, labels: np.ndarray) -> np.ndarray:
        """Find where an object array of hashable labels holds a marker."""
        if not self._labels:
            return np.zeros(labels.shape, dtype=bool)
        known = self._labels
        hits = (label in known and not isinstance(label, bool | np.bool_) for label in labels)
        return np.fromiter(hits, dtype=bool, count=len(labels))

    def match_times(self, values: np.ndarray, missing: np.ndarray, family: str, unit: str) -> np.ndarray:
        """Find where an int64 array of times, counted in ``unit``, holds a marker; missing cells never do."""
        wanted = []
        for marker in self._times:
            is_span = isinstance(marker, datetime.timedelta | np.timedelta64)
            if is_span != (family == "timedelta"):
                continue
            if is_span:
                exact = pd.Timedelta(marker).to_timedelta64()
            else:
                stamp = pd.Timestamp(marker)
                exact = (stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)).to_datetime64()
            rounded = exact.astype(f"{exact.dtype.kind}8[{unit}]")
            if rounded == exact:
                wanted.append(int(rounded.astype(np.int64)))
        return np.isin(values, wanted) & ~missing if wanted else np.zeros(values.shape, dtype=bool)


def _no_marker(marker: Any) -> InvalidParameterError:
    return InvalidParameterError(
        f"missing_values has {str(marker)[:40]}, which is no number that a cell can hold; use another marker."
    )
