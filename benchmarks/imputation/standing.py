"""How methods stand against each other: mean ranks, ratios, and the tables where one is worst."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["cell_means", "complete", "mean_ranks", "paired_ratios", "table_means", "table_ranks", "win_tie_loss"]

CELL = ["table", "mechanism", "rate"]
_TIE = 0.001  # of the logarithm of a ratio


def cell_means(rows: pd.DataFrame, measure: str, methods: list[str]) -> pd.DataFrame:
    """Mean over seeds, a row per (table, mechanism, rate), a column per method.

    Infinite where a run failed, NaN where a method was not run. Only seeds that all methods of a cell have count, so that an
    unfinished grid compares like with like.
    """
    is_measured = rows.groupby(CELL)[measure].transform("count").gt(0)
    values = rows[measure].mask(rows["error"].notna() & is_measured, np.inf).astype(float)
    table = rows.assign(value=values)[is_measured].pivot_table(
        index=[*CELL, "seed"], columns="method", values="value", aggfunc="mean", sort=False
    )
    table = table.reindex(columns=methods)
    ran = table.notna().groupby(level=CELL).transform("any")
    return table[(table.notna() == ran).all(axis=1)].groupby(level=CELL, sort=False).mean()


def complete(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells in which every method was run."""
    return cells.dropna()


def table_means(cells: pd.DataFrame) -> pd.DataFrame:
    """Mean per table over those of its cells that all its methods were run in."""
    parts = {}
    for table, part in cells.groupby(level="table", sort=False):
        parts[table] = part.dropna(axis=1, how="all").dropna().mean()
    return pd.DataFrame(parts, index=cells.columns).T


def mean_ranks(cells: pd.DataFrame) -> pd.Series:
    """Mean rank over complete cells, 1 the best; a failed run shares the worst."""
    return complete(cells).rank(axis=1).mean()


def table_ranks(cells: pd.DataFrame) -> pd.DataFrame:
    """Mean rank per table over its complete cells: cells of one table are not independent of each other."""
    return complete(cells).rank(axis=1).groupby(level="table", sort=False).mean()


def paired_ratios(cells: pd.DataFrame, ours: str, theirs: str | pd.Series) -> pd.Series:
    """Our value over theirs, cell by cell, where both are there and neither failed nor is 0."""
    other = cells[theirs] if isinstance(theirs, str) else theirs
    ratio = cells[ours] / other
    return ratio[np.isfinite(ratio) & (ratio > 0)]


def win_tie_loss(cells: pd.DataFrame, ours: str, theirs: str) -> str:
    """Cells that we win, tie (within 0.1 %) and lose; a failure loses against a value."""
    both = cells[[ours, theirs]].dropna()
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(both[ours] / both[theirs])
    return f"{(logs < -_TIE).sum()}-{((logs.abs() <= _TIE) | logs.isna()).sum()}-{(logs > _TIE).sum()}"
