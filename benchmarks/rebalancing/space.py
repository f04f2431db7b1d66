"""Mixed rows as numbers and back: gaps filled, numbers standardised, categories one-hot or as codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["Space"]


class Space:
    """Learns medians, modes, levels and scales of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        Training rows.
    categorical : sequence of str
    """

    def __init__(self, frame: pd.DataFrame, categorical: Sequence[str]) -> None:
        self.columns = list(frame.columns)
        self.categorical = [column for column in self.columns if column in categorical]
        self.numeric = [column for column in self.columns if column not in categorical]
        self.fills: dict[str, object] = {}
        self.levels: dict[str, list[str]] = {}
        for column in self.numeric:
            median = frame[column].median()
            self.fills[column] = 0.0 if np.isnan(median) else float(median)
        for column in self.categorical:
            counts = frame[column].value_counts()
            self.levels[column] = sorted(map(str, counts.index)) or ["?"]
            self.fills[column] = counts.index[0] if len(counts) else "?"
        numbers = self.fill(frame)[self.numeric].to_numpy(float)
        self.mean = numbers.mean(axis=0)
        scale = numbers.std(axis=0)
        self.scale = np.where(scale > 1e-12, scale, 1.0)

    def fill(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Gaps by median or mode."""
        return frame[self.columns].fillna(self.fills) if frame.isna().to_numpy().any() else frame[self.columns].copy()

    def one_hot(self, frame: pd.DataFrame) -> np.ndarray:
        """Standard numbers, then a slot per level; a level not seen before has none."""
        filled = self.fill(frame)
        return np.hstack([self._numbers(filled), *[self._slots(filled, column) for column in self.categorical]])

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Standard numbers, then a code per category."""
        filled = self.fill(frame)
        found = [self._slots(filled, column).argmax(axis=1)[:, None].astype(float) for column in self.categorical]
        return np.hstack([self._numbers(filled), *found])

    def from_one_hot(self, matrix: np.ndarray) -> pd.DataFrame:
        """Back to a table: the largest slot is the level."""
        codes, start = [matrix[:, : len(self.numeric)]], len(self.numeric)
        for column in self.categorical:
            stop = start + len(self.levels[column])
            codes.append(matrix[:, start:stop].argmax(axis=1)[:, None].astype(float))
            start = stop
        return self.from_codes(np.hstack(codes))

    def from_codes(self, matrix: np.ndarray) -> pd.DataFrame:
        """Back to a table: numbers in their own units."""
        numbers = matrix[:, : len(self.numeric)] * self.scale + self.mean
        frame = pd.DataFrame(numbers, columns=self.numeric)
        for j, column in enumerate(self.categorical, len(self.numeric)):
            levels = np.array(self.levels[column], dtype=object)
            codes = np.clip(np.rint(matrix[:, j]).astype(int), 0, len(levels) - 1)
            frame[column] = levels[codes]
        return frame[self.columns]

    def _numbers(self, filled: pd.DataFrame) -> np.ndarray:
        return (filled[self.numeric].to_numpy(float) - self.mean) / self.scale

    def _slots(self, filled: pd.DataFrame, column: str) -> np.ndarray:
        return (filled[column].to_numpy()[:, None] == np.array(self.levels[column], dtype=object)).astype(float)
