"""From rows of results to a Markdown page: a table per measure, mean ranks, ratios and failures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.imputation.config import TUNING_TABLES, Grid

__all__ = ["read_rows", "write_report"]

OURS = "GAINImputer"  # the method that ratios and wins are counted for


def read_rows(path: Path) -> pd.DataFrame:
    """All rows as a frame; failed runs have an ``error`` and no measures."""
    rows = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    for name in ("error", "rmse", "rmse_minmax", "error_rate", "fit_seconds", "transform_seconds"):
        if name not in rows:
            rows[name] = None
    return rows


def write_report(grid: Grid, rows_path: Path, page_path: Path) -> str:
    """Write the page and return its text."""
    rows = read_rows(rows_path)
    methods = [method for method in grid.methods if (rows["method"] == method).any()]
    parts = [f"# Imputation benchmark `{grid.name}`", _settings(grid, rows)]
    measures = [
        ("rmse", "RMSE of hidden numbers, in column standard deviations"),
        ("rmse_minmax", "RMSE of hidden numbers, in column ranges (GAIN's own measure)"),
        ("error_rate", "Share of hidden categories filled wrongly"),
    ]
    for measure, title in measures:
        if rows[measure].notna().any():
            parts += [f"## {title}", _measure_table(rows, measure, methods), _summary(rows, measure, methods)]
    parts += ["## Seconds, fit and transform together (mean per table)", _seconds(rows, methods), _failures(rows)]
    text = "\n\n".join(part for part in parts if part) + "\n"
    page_path.parent.mkdir(parents=True, exist_ok=True)
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
    size = "at full size" if grid.max_rows is None else f"cut to {grid.max_rows} rows and {grid.max_columns} columns"
    versions = ", ".join(
        f"{name} {rows[name].dropna().iloc[-1]}" for name in ("torch", "scikit-learn", "pandas", "numpy")
    )
    return (
        f"{len(grid.tables)} tables {size}; mechanisms {', '.join(grid.mechanisms)}; rates "
        f"{', '.join(map(str, grid.rates))}; seeds {', '.join(map(str, grid.seeds))}. Mean over seeds, ± the standard "
        "deviation between them; a failed run counts as the worst rank. "
        f"CPU, {rows['machine'].iloc[-1]}, Python {rows['python'].iloc[-1]}, {versions}. "
        "Tables marked * were looked at while choosing hyperparameters. "
        f"Made by `python -m benchmarks.imputation {grid.name}`."
    )


def _cells(rows: pd.DataFrame) -> list[str]:
    return ["table", *[name for name in ("mechanism", "rate") if rows[name].nunique() > 1]]


def _measure_table(rows: pd.DataFrame, measure: str, methods: list[str]) -> str:
    known = rows[rows.groupby(["table", "mechanism", "rate"])[measure].transform("count") > 0]
    grouped = known.groupby([*_cells(rows), "method"], sort=False)[measure]
    mean, spread = grouped.mean().unstack("method"), grouped.std().unstack("method")
    shown = pd.DataFrame(index=mean.index, columns=methods, dtype=object)
    for index in mean.index:
        best = mean.loc[index].min()
        for method in methods:
            value = mean.loc[index].get(method, np.nan)
            text = "-" if np.isnan(value) else f"{value:.4f}" if measure == "rmse_minmax" else f"{value:.3f}"
            deviation = spread.loc[index].get(method, np.nan)
            if not np.isnan(value) and not np.isnan(deviation):
                text += f" ± {deviation:.3f}" if measure != "rmse_minmax" else f" ± {deviation:.4f}"
            shown.loc[index, method] = f"**{text}**" if value == best else text
    shown.index = [_label(index) for index in shown.index]
    shown.index.name = " / ".join(_cells(rows))
    return markdown(shown)


def _label(index: object) -> str:
    parts = index if isinstance(index, tuple) else (index,)
    return " ".join([f"{parts[0]}*" if parts[0] in TUNING_TABLES else str(parts[0]), *map(str, parts[1:])])


def _summary(rows: pd.DataFrame, measure: str, methods: list[str]) -> str:
    """Mean ranks and our geometric-mean ratio to each competitor, tuning tables and others apart.

    A failed run ranks last; a method that was not run on a table is not ranked there.
    """
    failed = rows["error"].notna() & rows.groupby(["table", "mechanism", "rate"])[measure].transform("count").gt(0)
    rows = rows.assign(**{measure: rows[measure].mask(failed, np.inf).astype(float)})
    table = rows.pivot_table(
        index=["table", "mechanism", "rate", "seed"], columns="method", values=measure, aggfunc="mean"
    )
    table = table.reindex(columns=methods)
    tuned = table.index.get_level_values("table").isin(TUNING_TABLES)
    shown = pd.DataFrame(index=methods, dtype=object)
    for title, part in (("all tables", table), ("tables looked at", table[tuned]), ("other tables", table[~tuned])):
        if not len(part):
            continue
        ranks = part.rank(axis=1).mean()
        shown[f"mean rank, {title}"] = [f"{ranks[method]:.2f}" for method in methods]
        if OURS in methods:
            logs = np.log(part[[OURS]].to_numpy() / part.to_numpy())
            logs = pd.DataFrame(np.where(np.isfinite(logs), logs, np.nan), columns=methods)
            shown[f"ours / theirs, {title}"] = [f"{np.exp(logs[method].mean()):.3f}" for method in methods]
            shown[f"wins-losses, {title}"] = [
                f"{int((logs[method] < -0.001).sum())}-{int((logs[method] > 0.001).sum())}" for method in methods
            ]
    shown.index.name = "method"
    return markdown(shown)


def _seconds(rows: pd.DataFrame, methods: list[str]) -> str:
    seconds = rows.assign(seconds=rows["fit_seconds"] + rows["transform_seconds"])
    mean = seconds.groupby(["table", "method"], sort=False)["seconds"].mean().unstack("method").reindex(columns=methods)
    mean.loc["sum"] = mean.sum()
    shown = mean.map(lambda value: "-" if pd.isna(value) else f"{value:.1f}")
    shown.index.name = "table"
    return markdown(shown)


def _failures(rows: pd.DataFrame) -> str:
    failed = rows[rows["error"].notna()]
    if failed.empty:
        return f"No run failed ({len(rows)} runs)."
    lines = [f"- {r.table} {r.mechanism} {r.rate} seed {r.seed}, {r.method}: {r.error}" for r in failed.itertuples()]
    return "## Failed runs\n\n" + "\n".join(lines)
