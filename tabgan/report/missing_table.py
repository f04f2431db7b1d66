"""Which other column tells most about where cells of a column are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabgan.plotting.marginals import disagreement
from tabgan.plotting.views import is_number
from tabgan.report.page import Head, Table, number_cell, text_cell
from tabgan.wording import figures

__all__ = ["MissingWhere", "missing_table", "missing_where"]

_FEWEST = 10
"""Missing cells, and observed ones, of a column of which anything is said."""
_LEAST = 0.1
_MOST_COLUMNS, _MOST_OTHERS, _MOST_CELLS = 30, 300, 4000
_LONGEST = 30


@dataclass(frozen=True)
class MissingWhere:
    """What goes most with the missing cells of a column.

    Parameters
    ----------
    name, other : str
        The column, and the one that differs most between rows where it is missing and where it is not.
    difference : float
        Between the two distributions of the other column, beyond chance, from 0 to 1; see
        `tabgan.plotting.marginals.disagreement`.
    words : str
        What the other column is like in both.
    """

    name: str
    other: str
    difference: float
    words: str


def missing_where(frame: pd.DataFrame, first: Sequence[str]) -> list[MissingWhere]:
    """Look through the known cells of all other columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `tabgan.plotting.views.view` gives it, with its missing cells.
    first : sequence of str
        Columns to look at, in this order.
    """
    if len(frame) > _MOST_CELLS:
        frame = frame.iloc[np.sort(np.random.default_rng(0).choice(len(frame), _MOST_CELLS, replace=False))]
    found = []
    for name in list(first)[:_MOST_COLUMNS]:
        gap = frame[name].isna().to_numpy()
        if min(gap.sum(), (~gap).sum()) < _FEWEST:
            continue
        best, other = max(
            ((_apart(frame[one], gap), one) for one in frame.columns[:_MOST_OTHERS] if one != name),
            key=lambda one: one[0],
            default=(0.0, ""),
        )
        if other and best >= _LEAST:
            found.append(MissingWhere(name, other, best, _words(frame[other], gap)))
        else:
            found.append(MissingWhere(name, "", best, "no other column tells where cells are missing"))
    return found


def missing_table(found: Sequence[MissingWhere]) -> Table | None:
    """What `missing_where` found, as a table; None where that is nothing."""
    heads = [
        Head("Column"),
        Head(
            "Goes with",
            hint="the column that differs most between rows where the first is missing and where it is not",
        ),
        Head("Difference", True, "between its values in these rows, beyond chance: 0 none, 1 apart"),
        Head("What it is like there"),
    ]
    rows = [
        [text_cell(one.name, ""), text_cell(one.other or "-"), number_cell(one.difference, ".2f"), text_cell(one.words)]
        for one in found
    ]
    note = (
        "Imputed values rest on such columns. Where no column tells what is missing, cells may be missing at random, or because of "
        "their own value."
    )
    return Table("What goes with missing cells", heads, rows, note) if rows else None


def _apart(column: pd.Series, gap: np.ndarray) -> float:
    cells, known = column.to_numpy(), column.notna().to_numpy()
    there, elsewhere = cells[known & gap], cells[known & ~gap]
    if min(len(there), len(elsewhere)) < _FEWEST:
        return 0.0
    return disagreement(elsewhere, there, is_number(column))


def _words(column: pd.Series, gap: np.ndarray) -> str:
    there, elsewhere = column[gap].dropna(), column[~gap].dropna()
    if is_number(column):
        middle = [figures(float(part.median())) for part in (there, elsewhere)]
        if middle[0] != middle[1]:
            return f"median {middle[0]} where missing, {middle[1]} elsewhere"
        middle = [figures(float(part.mean())) for part in (there, elsewhere)]
        return f"mean {middle[0]} where missing, {middle[1]} elsewhere"
    shares = [part.value_counts(normalize=True) for part in (there, elsewhere)]
    moved = shares[0].sub(shares[1], fill_value=0.0)
    level = moved.abs().idxmax()
    text = str(level) if len(str(level)) <= _LONGEST else str(level)[: _LONGEST - 1] + "…"
    told = [f"{float(part.get(level, 0.0)):.0%}" for part in shares]
    return f"{text}: {told[0]} where missing, {told[1]} elsewhere"
