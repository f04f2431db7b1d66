"""Which columns miss their cells in the same rows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from tabgan.tables.columns import Table

__all__ = ["GapPattern", "gap_patterns"]


@dataclass(frozen=True)
class GapPattern:
    """Rows that miss the same columns.

    Parameters
    ----------
    columns : tuple of Hashable
        The columns that are missing; () for complete rows.
    n_rows : int
    """

    columns: tuple[Hashable, ...]
    n_rows: int


def gap_patterns(table: Table) -> list[GapPattern]:
    """Patterns of missing cells, those of most rows first.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of GapPattern
    """
    missing = np.column_stack([column.missing for column in table.columns])
    packed = np.packbits(missing, axis=1)
    _, first, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
    order = sorted(range(len(first)), key=lambda k: (-counts[k], first[k]))
    return [GapPattern(tuple(table.names[j] for j in np.flatnonzero(missing[first[k]])), int(counts[k])) for k in order]
