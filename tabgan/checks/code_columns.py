"""Columns of few different whole numbers: codes or amounts, as far as the other columns tell."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.stats import f, rankdata
from sklearn.isotonic import isotonic_regression

from tabgan.checks.findings import Finding
from tabgan.tables.code_lists import may_be_codes
from tabgan.tables.columns import Table
from tabgan.tables.kinds import ColumnSchema

__all__ = ["find_codes", "order_of_levels"]

_YEARS = (1800, 2100)
_MOST_LEVELS = 60
_MOST_ROWS = 2000
_MOST_COLUMNS = 80
_FEWEST_CELLS = 5
"""Of a level, for its mean to count."""
_CELLS_PER_LEVEL = 20
_SHARE = 0.2
"""Of another column's variance, that the levels explain in no order: codes."""
_LITTLE = 0.05
"""Of what the levels explain, that no order explains: amounts, if it is no more."""
_BY_CHANCE = 1e-4


def find_codes(table: Table, schema: Sequence[ColumnSchema]) -> list[Finding]:
    """Columns of whole numbers taken for amounts that may be codes.

    Parameters
    ----------
    table : Table
    schema : sequence of ColumnSchema
        Of its columns, as inferred.

    Returns
    -------
    list of Finding
        A column where another one rises and falls with the number without order, in more than chance would; and a column with missing
        cells and few different numbers that are not years, unless others rise or fall with the number. Also whole numbers that all
        read as times of day, as postal codes may. Only the user knows.
    """
    wanted = {j: column for j, column in enumerate(table.columns) if schema[j].kind in ("integer", "coded")}
    doubtful = [
        _times_finding(column.name, str(known.written))
        for column, known in zip(table.columns, schema, strict=True)
        if known.written in ("HHMM", "HHMMSS")
    ]
    matrix = None
    for j, column in wanted.items():
        known = ~column.missing
        levels = np.unique(column.values[known])
        asked = may_be_codes(len(levels), int(known.sum())) and schema[j].note is not None and not _are_years(levels)
        if not (asked or 3 <= len(levels) <= _MOST_LEVELS):
            continue
        if matrix is None:
            rows = _sample(table.n_rows)
            matrix = _ranks(table, schema, rows)
        order = order_of_levels(
            np.where(known, column.values, np.nan)[rows].astype(float),
            np.column_stack([ranks for k, ranks in matrix if k != j] or [np.zeros((len(rows), 0))]),
        )
        if (order == "none" and schema[j].kind == "integer") or (asked and order is None and column.missing.any()):
            doubtful.append(_finding(column.name, len(levels), order))
    return doubtful


def _finding(name: Hashable, n_levels: int, order: str | None) -> Finding:
    why = ", and another column follows them in no order" if order == "none" else ""
    return Finding(
        "codes",
        (name,),
        f"column {str(name)!r} is taken for amounts: {n_levels} different whole numbers{why}",
        f"say categorical_features=[{name!r}] if they are codes, or column_kinds={{{name!r}: 'integer'}} if not",
        f"say --categorical {str(name)!r} if they are codes, or --kind {str(name) + '=integer'!r} if not",
    )


def _are_years(levels: np.ndarray) -> bool:
    """Whether whole numbers are years without a hole."""
    return bool(_YEARS[0] <= levels[0] and levels[-1] <= _YEARS[1] and (np.diff(levels) == 1).all())


def _times_finding(name: Hashable, written: str) -> Finding:
    return Finding(
        "codes",
        (name,),
        f"column {str(name)!r} is taken for times of day written as {written}, as all its whole numbers can be read so",
        f"say column_kinds={{{name!r}: 'categorical'}} if they are codes, or 'integer' if amounts",
        f"say --categorical {str(name)!r} if they are codes, or --kind {str(name) + '=integer'!r} if amounts",
    )


def order_of_levels(values: np.ndarray, others: np.ndarray) -> str | None:
    """Whether other columns rise or fall with the levels of a column.

    Parameters
    ----------
    values : ndarray of float of shape (n,)
        The column, nan where missing.
    others : ndarray of float of shape (n, m)
        The others as ranks, nan where missing.

    Returns
    -------
    {"none", "rises"} or None
        ``"none"``: the means of another column by level neither rise nor fall. ``"rises"``: another column depends on the levels, and
        all that do, rise or fall with them. None: the others do not tell.
    """
    levels, codes = np.unique(values[~np.isnan(values)], return_inverse=True)
    explained, unordered = [], []
    for j in range(others.shape[1]):
        cells = others[~np.isnan(values), j]
        seen = ~np.isnan(cells)
        counts = np.bincount(codes[seen], minlength=len(levels))
        kept = counts >= _FEWEST_CELLS
        rows = seen & kept[codes]
        n_levels, n_rows = int(kept.sum()), int(rows.sum())
        total = float(cells[rows].var() * n_rows) if n_rows else 0.0
        if n_levels < 3 or n_rows < _CELLS_PER_LEVEL * n_levels or not total:
            continue
        counts, mean = counts[kept], cells[rows].mean()
        means = np.bincount(codes[rows], cells[rows], minlength=len(levels))[kept] / counts
        between = float(counts @ (means - mean) ** 2)
        # What is nearly the same column in another form says nothing about order by itself.
        if between < _SHARE * total:
            continue
        ordered = max(
            float(counts @ (isotonic_regression(means, sample_weight=counts, increasing=rising) - mean) ** 2)
            for rising in (True, False)
        )
        lack, within = between - ordered, max(total - between, 1e-9 * total)
        chance = f.sf(
            lack / max(n_levels - 2, 1) / (within / (n_rows - n_levels)), max(n_levels - 2, 1), n_rows - n_levels
        )
        if lack >= _SHARE * total and chance * others.shape[1] < _BY_CHANCE:
            return "none"
        explained.append(between)
        unordered.append(lack)
    if explained and sum(unordered) <= _LITTLE * sum(explained):
        return "rises"
    return None


def _sample(n_rows: int) -> np.ndarray:
    if n_rows <= _MOST_ROWS:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, _MOST_ROWS, replace=False))


def _ranks(table: Table, schema: Sequence[ColumnSchema], rows: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Columns that have an order as ranks, nan where missing; a label by itself is rare among low and high codes alike."""
    found: list[tuple[int, np.ndarray]] = []
    for j, (column, known) in enumerate(zip(table.columns, schema, strict=True)):
        if known.kind in ("constant", "empty") or column.family in ("text", "category"):
            continue
        cells = rankdata(column.values[rows]).astype(float)
        found.append((j, np.where(column.missing[rows], np.nan, cells)))
    return found[:_MOST_COLUMNS]
