"""What a grid says about `GAINImputer` in short, as a list."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmarks.imputation.config import TUNING_TABLES
from benchmarks.imputation.standing import mean_ranks, paired_ratios

__all__ = ["in_short"]

_WORSE_THAN_MICE = 1.03


def in_short(cells: Mapping[str, pd.DataFrame], ours: str) -> str:
    """A line per question that the grid's methods can answer; empty without ours or without a competitor.

    Parameters
    ----------
    cells : mapping of str to DataFrame
        Of each measure what `cell_means` returns.
    ours : str
        The method the lines are about.
    """
    lines = []
    if "rmse" in cells and ours in cells["rmse"]:
        lines += _accuracy(cells["rmse"], ours)
    if "error_rate" in cells and ours in cells["error_rate"]:
        lines += _categories(cells["error_rate"], ours)
    return "## In short\n\n" + "\n".join(lines) if lines else ""


def _accuracy(cells: pd.DataFrame, ours: str) -> list[str]:
    lines = []
    others = cells[~cells.index.get_level_values("table").isin(TUNING_TABLES)]
    for title, part in (("all tables", cells), ("tables not looked at", others)):
        ranks = mean_ranks(part).dropna()
        if ours in ranks and len(ranks) > 1:
            best = ranks.drop(ours)
            lines.append(
                f"- Mean rank by RMSE, {title}: ours {ranks[ours]:.2f}, the best other, {best.idxmin()}, {best.min():.2f}."
            )
        for theirs in ("tree chain", "MICE"):
            ratios = paired_ratios(part, ours, theirs) if theirs in part else pd.Series(dtype=float)
            if len(ratios):
                found = np.exp(np.log(ratios).mean())
                lines.append(f"- RMSE as a multiple of that of {theirs}, {title}: {found:.3f} in {len(ratios)} cells.")
    if "MICE" in cells and len(ratios := paired_ratios(cells, ours, "MICE")):
        tables = np.exp(np.log(ratios).groupby(level="table").mean()).sort_values(ascending=False)
        over = tables[tables > _WORSE_THAN_MICE]
        table, mechanism, rate = ratios.idxmax()
        lines.append(
            f"- The table that is worst against MICE: {tables.index[0]} {tables.iloc[0]:.3f}; behind MICE by more than "
            f"{_WORSE_THAN_MICE - 1:.0%}: {', '.join(over.index) or 'none'}. The worst cell: {table} {mechanism.upper()} {rate:.0%}, "
            f"{ratios.max():.3f}."
        )
    return lines


def _categories(cells: pd.DataFrame, ours: str) -> list[str]:
    simple = [method for method in ("mean/mode", "kNN(5)", "tree chain") if method in cells]
    if not simple:
        return []
    best = cells[simple].min(axis=1).rename("best")
    ratios = paired_ratios(cells, ours, best)
    if ratios.empty:
        return []
    found = np.exp(np.log(ratios).mean())
    return [
        f"- Wrong labels as a multiple of those of the best of {', '.join(simple)} per cell: {found:.3f} in {len(ratios)} cells."
    ]
