"""From rows of results to a Markdown page: a table per measure, mean ranks, ratios and failures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.imputation.config import TUNING_TABLES, Cell, Grid
from benchmarks.imputation.in_short import in_short
from benchmarks.imputation.openings import opening
from benchmarks.imputation.standing import (
    CELL,
    cell_means,
    complete,
    mean_ranks,
    paired_ratios,
    table_means,
    table_ranks,
    win_tie_loss,
)
from benchmarks.plots import critical_difference_plot

__all__ = ["read_rows", "write_report"]

OURS = "GAINImputer"  # the method that ratios and wins are counted for
_TIMING = "Cells of a grid may have run beside other work; times are compared by the grids `speed` and `throughput`, each in one run."


def read_rows(paths: Sequence[Path], grid: Grid) -> pd.DataFrame:
    """The rows of a grid's cells; failed runs have an ``error`` and no measures. Of a cell's rows the first file's last counts."""
    wanted: set = {astuple(cell) for cell in grid.cells()}
    found: dict = {}
    for path in reversed([path for path in paths if path.exists()]):
        for row in map(json.loads, path.read_text().splitlines()):
            key = tuple(row[name] for name in Cell.__dataclass_fields__)
            if key in wanted:
                found[key] = row
    rows = pd.DataFrame(list(found.values()))
    for name in ("error", "rmse", "rmse_minmax", "error_rate", "fit_seconds", "transform_seconds", "n_rows"):
        if name not in rows:
            rows[name] = None
    return rows


def write_report(grid: Grid, row_paths: Sequence[Path], page_path: Path) -> str:
    """Write the page and return its text; of rows that another grid left only those of this grid's cells count."""
    rows = read_rows(row_paths, grid)
    methods = [method for method in grid.methods if (rows["method"] == method).any()]
    page_path.parent.mkdir(parents=True, exist_ok=True)
    several = len(grid.mechanisms) * len(grid.rates) > 1
    title, text = opening(grid.name)
    parts = [f"# {title}", text]
    measures = {
        "rmse": "RMSE of hidden numbers, in column standard deviations",
        "rmse_minmax": "RMSE of hidden numbers, in column ranges (GAIN's own measure)",
        "error_rate": "Share of hidden categories filled wrongly",
    }
    cells = {measure: cell_means(rows, measure, methods) for measure in measures if rows[measure].notna().any()}
    if several:
        cells.pop("rmse_minmax", None)
    parts.append(in_short(cells, OURS))
    for measure, values in cells.items():
        parts.append(f"## {measures[measure]}")
        if several:
            parts += [_per_table(values), _conditions(values)]
        else:
            parts.append(_measure_table(rows, measure, methods))
        parts.append(_summary(values))
        if measure == "rmse":
            parts.append(_ranks_plot(values, grid, page_path))
    parts += ["## Seconds, fit and transform together (mean per table)", _seconds(rows, methods), _TIMING]
    if grid.test_fraction:
        parts += ["## Rows per second, out of sample", _throughput(rows, methods)]
    parts += [_failures(rows), "## How it was measured", _settings(grid, rows)]
    text = "\n\n".join(part for part in parts if part) + "\n"
    page_path.write_text(text)
    return text


def markdown(frame: pd.DataFrame) -> str:
    """A frame of strings as a Markdown table, index first."""
    head = [frame.index.name or "", *map(str, frame.columns)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += [
        "| " + " | ".join([str(index), *row]) + " |" for index, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    return "\n".join(lines)


def _settings(grid: Grid, rows: pd.DataFrame) -> str:
    rows_kept = "at full size" if grid.max_rows is None else f"cut to {grid.max_rows} rows"
    columns_kept = "all columns" if grid.max_columns is None else f"at most {grid.max_columns} columns"
    size = rows_kept if grid.max_rows is None and grid.max_columns is None else f"{rows_kept}, {columns_kept}"
    scored = (
        f"; learnt from {1 - grid.test_fraction:.0%} of the rows, scored on the others" if grid.test_fraction else ""
    )
    known = {name: rows[name].dropna() for name in ("torch", "scikit-learn", "pandas", "numpy") if name in rows}
    versions = ", ".join(f"{name} {values.iloc[-1]}" for name, values in known.items() if len(values))
    packages = sorted(set(rows["package"].dropna())) if "package" in rows else []
    name = grid.name.removesuffix("_full") + " --full" * grid.name.endswith("_full")
    expected, there = len(grid.cells()), len(rows)
    unfinished = "" if there == expected else f"**{there} of {expected} runs are in; the rest was not run.** "
    seeds = ", ".join(map(str, sorted(rows["seed"].unique())))
    return (
        f"{unfinished}{rows['table'].nunique()} tables {size}{scored}; mechanisms {', '.join(grid.mechanisms)}; rates "
        f"{', '.join(map(str, grid.rates))}; seeds {seeds}. Means over seeds; a failed run has the "
        f"worst rank. CPU, {rows['machine'].dropna().iloc[-1]}, Python {rows['python'].dropna().iloc[-1]}, {versions}"
        f"{''.join(f', {package}' for package in packages)}. "
        "Tables marked * were looked at while choosing hyperparameters. "
        f"Made by `python -m benchmarks.imputation {name}`."
    )


def _measure_table(rows: pd.DataFrame, measure: str, methods: list[str]) -> str:
    """Mean and standard deviation between seeds, for grids with one mechanism and rate."""
    known = rows[rows.groupby(CELL)[measure].transform("count") > 0]
    grouped = known.groupby(["table", "method"], sort=False)[measure]
    mean, spread = grouped.mean().unstack("method"), grouped.std().unstack("method")
    shown = pd.DataFrame(index=mean.index, columns=methods, dtype=object)
    digits = 4 if measure == "rmse_minmax" else 3
    for table in mean.index:
        best = mean.loc[table].min()
        for method in methods:
            value, deviation = mean.loc[table].get(method, np.nan), spread.loc[table].get(method, np.nan)
            text = "-" if np.isnan(value) else f"{value:.{digits}f}"
            if not np.isnan(value) and not np.isnan(deviation):
                text += f" ± {deviation:.{digits}f}"
            shown.loc[table, method] = f"**{text}**" if value == best else text
    return markdown(_starred(shown))


def _per_table(cells: pd.DataFrame) -> str:
    """A row per table: the mean over mechanisms and rates."""
    mean = table_means(cells)
    shown = mean.map(lambda value: "-" if np.isnan(value) else "failed" if np.isinf(value) else f"{value:.3f}")
    for table in mean.index:
        for method in mean.columns[mean.loc[table] == mean.loc[table].min()]:
            shown.loc[table, method] = f"**{shown.loc[table, method]}**"
    explained = (
        "Mean over the mechanisms and rates in which all methods of a row were run; a dash: not run on that table."
    )
    return markdown(_starred(shown)) + "\n\n" + explained


def _conditions(cells: pd.DataFrame) -> str:
    """A row per mechanism and rate: mean ranks, and our ratio to each method."""
    ranks, ratios = {}, {}
    for (mechanism, rate), part in cells.groupby(level=["mechanism", "rate"]):
        name, found = f"{mechanism.upper()} {rate:.0%}", mean_ranks(part)
        ranks[f"{name} ({len(complete(part))} tables)"] = {m: _number(found[m], 2) for m in cells.columns}
        if OURS in cells:
            ratios[name] = {m: _mean_ratio(paired_ratios(part, OURS, m)) for m in cells.columns if m != OURS}
    parts = []
    for title, lines in (("mean rank, where all methods were run", ranks), ("ours / theirs, geometric mean", ratios)):
        if lines:
            table = pd.DataFrame(lines).T
            table.index.name = title
            parts.append(markdown(table))
    return "\n\n".join(parts)


def _summary(cells: pd.DataFrame) -> str:
    """Mean ranks and our ratio to each competitor, tables that were looked at and others apart."""
    tuned = cells.index.get_level_values("table").isin(TUNING_TABLES)
    shown = pd.DataFrame(index=cells.columns, dtype=object)
    for title, part in (("all tables", cells), ("tables looked at", cells[tuned]), ("other tables", cells[~tuned])):
        if not len(part):
            continue
        ranks = mean_ranks(part)
        heading = f"mean rank, {title} ({len(complete(part))} cells)"
        shown[heading] = [_number(ranks[method], 2) for method in cells.columns]
        if OURS in cells:
            against = [method if method != OURS else None for method in cells.columns]
            shown[f"ours / theirs, {title}"] = [
                _mean_ratio(paired_ratios(part, OURS, method)) if method else "" for method in against
            ]
            shown[f"wins-ties-losses, {title}"] = [
                win_tie_loss(part, OURS, method) if method else "" for method in against
            ]
    shown.index.name = "method"
    return markdown(shown)


def _ranks_plot(cells: pd.DataFrame, grid: Grid, page_path: Path) -> str:
    """The critical-difference plot beside the page; tables are the blocks."""
    from scipy.stats import friedmanchisquare

    ranks = table_ranks(cells)
    if min(ranks.shape) < 3:
        return ""
    path = page_path.with_name(f"{grid.name}_ranks.png")
    title = f"{grid.name}: RMSE, mean ranks over {len(ranks)} tables"
    difference = critical_difference_plot(ranks.mean().to_dict(), len(ranks), path, title=title)
    p = friedmanchisquare(*ranks.to_numpy().T).pvalue
    return (
        f"![Mean ranks of the imputers by RMSE, and which differ]({path.name})\n\n"
        f"Mean ranks over the {len(ranks)} tables on which all methods were run, each table's being "
        f"the mean over its mechanisms and rates. Friedman's test: p = {p:.1g}. Methods joined by a bar differ by less than Nemenyi's "
        f"critical difference of {difference:.2f} (5 %)."
    )


def _seconds(rows: pd.DataFrame, methods: list[str]) -> str:
    """Per table over the mechanisms and rates that all its methods have, then the sums over tables that two have in common."""
    seconds = rows.assign(seconds=rows["fit_seconds"].astype(float) + rows["transform_seconds"].astype(float))
    cells = seconds.pivot_table(index=CELL, columns="method", values="seconds", sort=False).reindex(columns=methods)
    mean = table_means(cells)
    shown = mean.map(lambda value: _number(value, 1))
    shown.index.name = "table"
    if OURS not in mean:
        return markdown(shown)
    lines = []
    for method in methods:
        both = mean[[OURS, method]].dropna()
        if method != OURS and both[method].sum() > 1:  # a ratio to no time says nothing
            worst = (both[OURS] / both[method]).idxmax()
            lines.append(
                f"- {method}: {both[OURS].sum():.1f} s of ours to {both[method].sum():.1f} s of theirs over {len(both)} tables "
                f"({both[OURS].sum() / both[method].sum():.2f}); at most {both.loc[worst, OURS] / both.loc[worst, method]:.2f} times "
                f"theirs, on {worst}"
            )
    return markdown(shown) + "\n\n" + "\n".join(lines)


def _throughput(rows: pd.DataFrame, methods: list[str]) -> str:
    tested = rows["n_rows"] * rows["test_fraction"]
    speed = rows.assign(speed=tested / rows["transform_seconds"].astype(float))
    mean = speed.groupby(["table", "method"], sort=False)["speed"].median().unstack("method").reindex(columns=methods)
    shown = mean.map(lambda value: "-" if pd.isna(value) else f"{value:,.0f}")
    shown.index.name = "table"
    return markdown(shown)


def _failures(rows: pd.DataFrame) -> str:
    failed = rows[rows["error"].notna()]
    if failed.empty:
        return f"No run failed ({len(rows)} runs)."
    lines = [f"- {r.table} {r.mechanism} {r.rate} seed {r.seed}, {r.method}: {r.error}" for r in failed.itertuples()]
    return "## Failed runs\n\n" + "\n".join(lines)


def _starred(shown: pd.DataFrame) -> pd.DataFrame:
    shown.index = [f"{table}*" if table in TUNING_TABLES else str(table) for table in shown.index]
    shown.index.name = "table"
    return shown


def _number(value: float, digits: int) -> str:
    return "-" if pd.isna(value) else f"{value:.{digits}f}"


def _mean_ratio(ratios: pd.Series) -> str:
    return "-" if ratios.empty else f"{np.exp(np.log(ratios).mean()):.3f}"
