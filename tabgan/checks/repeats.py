"""Rows and columns that repeat others, and rows without any value."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from tabgan.checks.findings import Finding, names_listed
from tabgan.tables.columns import RawColumn, Table

__all__ = ["find_repeats"]

_FEWEST_LEVELS = 2


def find_repeats(table: Table) -> list[Finding]:
    """Find the rows and columns that repeat earlier ones, and empty rows.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of Finding
        Facts, at most one of each kind about rows, and one for each set of equal columns.
    """
    codes = {j: _codes(column) for j, column in enumerate(table.columns)}
    found = []
    repeated = int(pd.DataFrame(codes).duplicated().sum()) if table.n_columns > 1 else 0
    if repeated:
        found.append(
            Finding(
                "duplicates",
                (),
                f"{repeated:,} of {table.n_rows:,} rows {'equals' if repeated == 1 else 'equal'} an earlier row",
                "if they are copies and not chance, drop them: held-out cells are known from their copies",
                "if they are copies and not chance, drop them: held-out cells are known from their copies",
                is_suspicion=False,
            )
        )
    empty = int(np.logical_and.reduce([column.missing for column in table.columns]).sum())
    if empty and table.n_columns > 1:
        what = "1 row holds" if empty == 1 else f"{empty:,} rows hold"
        found.append(Finding("empty rows", (), f"{what} no value at all", is_suspicion=False))
    for names in _equal_columns(table, codes):
        found.append(
            Finding(
                "duplicates",
                names,
                f"columns {names_listed(names)} are equal in every row",
                "one of them is enough",
                "one of them is enough",
                is_suspicion=False,
            )
        )
    return found


def _codes(column: RawColumn) -> np.ndarray:
    """Distinct values by number, in order of appearance; -1 where missing."""
    return np.where(column.missing, -1, pd.factorize(column.values)[0])


def _equal_columns(table: Table, codes: dict[int, np.ndarray]) -> list[tuple[Hashable, ...]]:
    groups: dict[tuple[str, bytes], list[int]] = {}
    for j, column in enumerate(table.columns):
        if codes[j].max(initial=-1) >= _FEWEST_LEVELS - 1:
            groups.setdefault((column.family, codes[j].tobytes()), []).append(j)
    equal = []
    for members in groups.values():
        first = table.columns[members[0]]
        same = [j for j in members if _same_values(first, table.columns[j])]
        if len(same) > 1:
            equal.append(tuple(table.names[j] for j in same))
    return equal


def _same_values(first: RawColumn, other: RawColumn) -> bool:
    return bool((first.values[~first.missing] == other.values[~other.missing]).all())
