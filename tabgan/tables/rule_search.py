"""A table as the search for its rules sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tabgan.tables.columns import RawColumn
from tabgan.tables.kinds import ColumnSchema

__all__ = ["EXPECTED_VIOLATIONS", "FEWEST_ROWS", "RuleSearch", "level_counts"]

FEWEST_ROWS = 20
"""Rows with all the cells of a rule."""
EXPECTED_VIOLATIONS = 10.0
"""If columns were independent, a rule would be broken this often or more: it then holds by chance with e**-10 or less."""

_SAMPLE = 1000
_NEAR_KEY_LEVELS = 50


class RuleSearch:
    """The columns' distinct rows as codes and values, and a sample of them.

    Parameters
    ----------
    columns : dict of int to RawColumn
        Those that vary, by position.
    schema : sequence of ColumnSchema
        Of all columns.

    Attributes
    ----------
    codes, observed, values : dict of int to ndarray of shape (n_rows,)
        Distinct values by number (-1 where missing), masks, and cells.
    sample : ndarray of int
        At most 1,000 of the rows, drawn with a fixed seed.
    complete : set of int
        Columns without gaps.
    n_levels, n_missing : dict of int to int
        Distinct values, and rows without one, by position.
    """

    def __init__(self, columns: dict[int, RawColumn], schema: Sequence[ColumnSchema]) -> None:
        self.columns = columns
        self.schema = schema
        codes = {j: np.where(column.missing, -1, pd.factorize(column.values)[0]) for j, column in columns.items()}
        self.n_levels = {j: len(level_counts(code[code >= 0])) for j, code in codes.items()}
        rows = _rows_to_read(codes, columns, self.n_levels)
        self.codes = {j: code[rows] for j, code in codes.items()}
        self.observed = {j: code >= 0 for j, code in self.codes.items()}
        self.values = {j: column.values[rows] for j, column in columns.items()}
        self.n_rows = len(rows)
        drawn = np.random.default_rng(0).choice(self.n_rows, size=min(_SAMPLE, self.n_rows), replace=False)
        self.sample = np.sort(drawn)
        self.n_missing = {j: int(np.count_nonzero(~seen)) for j, seen in self.observed.items()}
        self.complete = {j for j, n in self.n_missing.items() if not n}

    def shared(self, first: int, second: int) -> np.ndarray:
        """Rows where both columns are observed."""
        return np.flatnonzero(self.observed[first] & self.observed[second])

    def comparable(self, first: int, second: int) -> bool:
        """Whether values of the two columns can be told larger and smaller."""
        a, b = self.columns[first], self.columns[second]
        known = self.schema[first], self.schema[second]
        if known[0].written != known[1].written or {"categorical", "ordinal"} & {one.kind for one in known}:
            return False
        if a.family != b.family or a.family not in ("number", "datetime", "timedelta"):
            return False
        return a.unit == b.unit and (a.timezone is None) == (b.timezone is None)


def _rows_to_read(codes: dict[int, np.ndarray], columns: dict[int, RawColumn], n_levels: dict[int, int]) -> np.ndarray:
    """All rows, or without repeats of whole rows where some numbers or times are nearly a key of the others."""
    if not codes:
        return np.zeros(0, dtype=int)
    n_rows = len(next(iter(codes.values())))
    measured = {n for j, n in n_levels.items() if columns[j].family in ("number", "datetime", "timedelta")}
    most = max((n for n in measured if n > _NEAR_KEY_LEVELS), default=0)
    if not most or n_rows in n_levels.values():  # no key, or a perfect one: then no row repeats another
        return np.arange(n_rows)
    distinct = np.flatnonzero(~pd.DataFrame(codes).duplicated().to_numpy())
    return distinct if 2 * most > len(distinct) else np.arange(n_rows)


def level_counts(codes: np.ndarray) -> np.ndarray:
    """How often each value occurs that does, from codes of 0 and more."""
    counts = np.bincount(codes)
    return counts[counts > 0]
