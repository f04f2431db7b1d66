"""Column names that look like the first row of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tabgan.checks.findings import Finding
from tabgan.checks.suspicions import is_number, suspected_header
from tabgan.tables.columns import Table

__all__ = ["find_first_row", "is_first_row"]

_MOST_ROWS = 1000


def is_first_row(names: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether names of columns are cells: every name of a column of numbers is one, and some text is a value of its column.

    Parameters
    ----------
    names : sequence of str
    columns : sequence of sequence of str
        Observed cells as texts, by column.

    Returns
    -------
    bool
        Also where no column holds texts that repeat, if the names are fractions; see `suspected_header`.

    Examples
    --------
    >>> is_first_row(["red", "3.5"], [["red", "blue"], ["1", "2"]]), is_first_row(["colour", "3.5"], [["red", "blue"], ["1", "2"]])
    (True, False)
    """
    seen = [set(cells) for cells in columns]
    numbers = [bool(cells) and all(map(is_number, cells)) for cells in seen]
    texts = [name in cells for name, cells, number in zip(names, seen, numbers, strict=True) if not number]
    fits = all(is_number(name) for name, number in zip(names, numbers, strict=True) if number)
    return fits and any(texts)


def find_first_row(table: Table) -> list[Finding]:
    """Find names that look like cells.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of Finding
        One at most.
    """
    names = [str(name) for name in table.names]
    if not table.has_names or any(not isinstance(name, str) for name in table.names):
        return []
    rows = np.arange(min(table.n_rows, _MOST_ROWS))
    cells = [
        ["" if gap else _text(cell) for cell, gap in zip(column.values[rows], column.missing[rows], strict=True)]
        for column in table.columns
    ]
    hinted = suspected_header(names, list(zip(*cells, strict=True))) is not None
    if not (hinted or is_first_row(names, [[cell for cell in column if cell] for column in cells])):
        return []
    shown = ", ".join(repr(name) for name in names[:3])
    return [
        Finding(
            "first row",
            (),
            f"the column names look like a row of the table ({shown}{', ...' if len(names) > 3 else ''})",
            "if they are one, read the file again with header=None",
            "if they are one, add --no-header",
            ("--no-header",),
        )
    ]


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
