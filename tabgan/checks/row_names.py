"""Columns that name rows: numbers in steps of one, texts that hardly ever repeat. They teach nothing about other rows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tabgan.checks.findings import Finding
from tabgan.checks.odd_cells import reads_mostly_as, several_units
from tabgan.tables.columns import RawColumn, Table
from tabgan.tables.identifiers import is_identifier

__all__ = ["find_identifiers", "is_row_name"]

_FEWEST_CELLS = 20
_MOST_REPEATED = 0.1
"""Share of a text column's cells that may repeat an earlier one."""
_MOST_REPEATED_BY_NAME = 0.5
_NAME = re.compile(
    r"(^|[_.\- ])(id|ids|uuid|guid|nr|key|index|rownames|number)$|(?<=[a-z])(ID|Id|UUID|Key)$|^unnamed: 0$", re.ASCII
)


def find_identifiers(table: Table) -> list[Finding]:
    """Find columns whose values name rows.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of Finding
        One for each column of whole numbers that are all different and without a hole or otherwise an
        `tabgan.tables.identifiers.is_identifier`, of texts of which at most a tenth repeat earlier ones, or of either that is called
        so and repeats at most half.
    """
    return [
        Finding(
            "id",
            (column.name,),
            f"column {str(column.name)!r} looks like a name of rows: {why}",
            "leave it out, or fills of other columns may lean on it",
            f"leave it out with --leave {str(column.name)!r}",
            ("--leave", str(column.name)),
        )
        for column in table.columns
        if (why := _why(column))
    ]


def is_row_name(column: RawColumn) -> bool:
    """Whether the values of a column look as if they named its rows; see `find_identifiers`."""
    return bool(_why(column))


def _why(column: RawColumn) -> str:
    known = column.values[~column.missing]
    if len(known) < _FEWEST_CELLS:
        return ""
    n_different = pd.Series(known).nunique()
    repeated = 1 - n_different / len(known)
    if column.family == "number":
        if not np.isfinite(known.astype(float)).all() or (known != np.rint(known)).any():
            return ""
        if not repeated and int(known.max()) - int(known.min()) == len(known) - 1:
            return f"all whole numbers from {int(known.min())} to {int(known.max())}, once each"
        if is_identifier(column):
            return f"{n_different} different numbers in {len(known)} cells"
    elif column.family not in ("text", "category") or reads_mostly_as(column) or several_units(column):
        return ""
    elif repeated <= _MOST_REPEATED:
        return f"{n_different} different texts in {len(known)} cells"
    name = str(column.name)
    if repeated <= _MOST_REPEATED_BY_NAME and (_NAME.search(name) or name.lower() == "id"):
        return f"it is called so, with {n_different} different values in {len(known)} cells"
    return ""
