"""``python -m benchmarks.imputation.uncut``: whole tables of 8,000 to 54,000 rows, ours in three efforts beside both tree chains.

The page compares with the better of the two chains, cell by cell, and says what each method costs. ``python -m benchmarks.imputation
uncut`` runs the same grid, and writes the general page.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.imputation.config import CHAINS, GRIDS, UNCUT_TUNING_TABLES, Grid
from benchmarks.imputation.report import markdown, read_rows
from benchmarks.imputation.runner import run_grid
from benchmarks.imputation.standing import cell_means, paired_ratios

__all__ = ["page"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
GRID = GRIDS["uncut"]
OURS = ("GAINImputer, fast", "GAINImputer", "GAINImputer, best")
_OPENING = """# Whole tables

Which method fills the missing cells of a whole table best, and what does it cost? 30 % of the known cells of each table were hidden
in one of three ways: at random (MCAR), by the values of other columns (MAR), or by their own value (MNAR). Numbers are judged by the
root mean squared error (RMSE) in standard deviations of the column, labels by the share that is wrong. Lower is better.

"""


def main() -> None:
    """Run what is not there yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.uncut", description=__doc__)
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of the rows")
    parser.add_argument("--methods", nargs="+", help="run these only")
    parser.add_argument("--tables", nargs="+", help="run these only")
    parser.add_argument("--mechanisms", nargs="+", choices=GRID.mechanisms, help="run these only")
    parser.add_argument("--page", type=Path, default=DOCS / "uncut.md", help="the page to write")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    paths = sorted(options.results.glob("uncut*.jsonl")) or [options.results / "uncut.jsonl"]
    if not options.only_report:
        with threadpool_limits(1):
            part = replace(GRID, mechanisms=tuple(options.mechanisms or GRID.mechanisms))
            run_grid(part, paths[0], methods=options.methods, tables=options.tables)
    options.page.write_text(page(read_rows(paths, GRID), GRID))


def page(rows: pd.DataFrame, grid: Grid) -> str:
    """The page as Markdown.

    Parameters
    ----------
    rows : DataFrame
        What `read_rows` returned.
    grid : Grid
    """
    methods = [method for method in grid.methods if (rows["method"] == method).any()]
    ran, wanted = len(rows), len(grid.cells())
    parts = [
        _OPENING + _how(rows) + ("" if ran == wanted else f" **{ran} of {wanted} runs are in; the rest was not run.**")
    ]
    for measure, title in (("rmse", "Numbers: RMSE"), ("error_rate", "Labels: share wrong")):
        cells = cell_means(rows, measure, methods)
        if len(cells):
            parts += [f"## {title}", _shown(cells, 3), _ratios(cells)]
    for name, title, digits in (
        ("cpu_seconds", "CPU seconds, fit and transform", 0),
        ("peak_mb", "Peak memory, MB", 0),
    ):
        if name in rows:
            cost = cell_means(rows.assign(error=None), name, methods)
            parts += [f"## {title}", _shown(cost, digits, best=False)]
            if name == "cpu_seconds":
                parts.append(_sums(cost))
    failed = rows[rows["error"].notna()]
    parts.append(
        "\n".join(f"- failed: {r.table} {r.mechanism}, {r.method}: {r.error}" for r in failed.itertuples())
        or f"No run failed ({len(rows)} runs)."
    )
    return "\n\n".join(parts) + "\n"


def _how(rows: pd.DataFrame) -> str:
    versions = ", ".join(f"{name} {rows[name].dropna().iloc[-1]}" for name in ("torch", "scikit-learn") if name in rows)
    return (
        "Tables marked * were looked at while the method was chosen. The boosting chain is MissForest's chain with 100 boosted trees "
        "per column, the tree chain with 50 extremely randomised trees; four rounds each. One seed, one thread, "
        f"{rows['machine'].dropna().iloc[-1]}, {versions}. Made by `python -m benchmarks.imputation.uncut`."
    ) + _commits(rows)


def _commits(rows: pd.DataFrame) -> str:
    """Which cells of ours an older state of the code filled, where there are several."""
    ours = rows[rows["method"].isin(OURS)].sort_values("time") if {"time", "commit"} <= set(rows) else rows[:0]
    if not len(ours) or ours["commit"].nunique() < 2:
        return ""
    newest = ours["commit"].iloc[-1]
    old = ours[ours["commit"] != newest].groupby("method", sort=False).size()
    parts = ", ".join(f"{n} of {method}" for method, n in old.items())
    return f" **Rows of an older state of the code: {parts}**; all others of ours are of commit {newest}."


def _shown(cells: pd.DataFrame, digits: int, *, best: bool = True) -> str:
    shown = cells.map(lambda value: "-" if pd.isna(value) else "failed" if np.isinf(value) else f"{value:,.{digits}f}")
    if best:
        for place, row in enumerate(cells.to_numpy()):
            k = int(np.nanargmin(row))
            shown.iloc[place, k] = f"**{shown.iloc[place, k]}**"
    shown.index = pd.Index(
        [f"{table}{'*' * (table in UNCUT_TUNING_TABLES)} {mechanism.upper()}" for table, mechanism, _ in cells.index],
        name="table",
    )
    return markdown(shown)


def _ratios(cells: pd.DataFrame) -> str:
    """Ours over the better of the chains."""
    chains = [chain for chain in CHAINS if chain in cells]
    lines = []
    looked_at = cells.index.get_level_values("table").isin(UNCUT_TUNING_TABLES)
    for ours in OURS:
        for title, part in (("all tables", cells), ("tables not looked at", cells[~looked_at])):
            if ours not in part or not chains or not len(part):
                continue
            ratios = paired_ratios(part, ours, part[chains].min(axis=1).rename("better chain"))
            if len(ratios):
                table, mechanism, _ = ratios.idxmax()
                lines.append(
                    f"- {ours} over the better chain, {title}: {np.exp(np.log(ratios).mean()):.3f} in {len(ratios)} cells; worst "
                    f"{ratios.max():.3f} ({table} {mechanism.upper()})"
                )
    return "\n".join(lines)


def _sums(cost: pd.DataFrame) -> str:
    lines = []
    for ours in OURS:
        for chain in CHAINS:
            if ours in cost and chain in cost and len(both := cost[[ours, chain]].dropna()):
                lines.append(
                    f"- {ours}: {both[ours].sum():,.0f} s to {both[chain].sum():,.0f} s of the {chain} over {len(both)} cells "
                    f"({both[ours].sum() / both[chain].sum():.2f})"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
