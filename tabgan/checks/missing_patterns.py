"""Which columns miss their cells in the same rows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from tabgan.tables.columns import Table

__all__ = ["MissingPattern", "missing_patterns"]


@dataclass(frozen=True)
class MissingPattern:
    """Rows that miss the same columns.

    Parameters
    ----------
    columns : tuple of Hashable
        The columns that are missing; () for complete rows.
    n_rows : int
    """

    columns: tuple[Hashable, ...]
    n_rows: int


def missing_patterns(table: Table) -> list[MissingPattern]:
    """Patterns of missing cells, those of most rows first.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of MissingPattern
    """
    missing = np.column_stack([column.missing for column in table.columns])
    packed = np.packbits(missing, axis=1)
    _, first, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
    order = sorted(range(len(first)), key=lambda k: (-counts[k], first[k]))
    return [
        MissingPattern(tuple(table.names[j] for j in np.flatnonzero(missing[first[k]])), int(counts[k])) for k in order
    ]
