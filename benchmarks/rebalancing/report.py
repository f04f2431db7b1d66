"""From rows of results to a Markdown page: means, ranks and critical differences, wins and losses, fidelity, seconds, failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare

from benchmarks.imputation.report import markdown
from benchmarks.plots import critical_difference, critical_difference_plot
from benchmarks.rebalancing.config import GATED, TUNING_TABLES, Grid
from benchmarks.rebalancing.findings import consistency, fidelity, gates, repairs, said
from benchmarks.rebalancing.frames import (
    CELL,
    SMALLER_IS_BETTER,
    TUNED,
    block_values,
    long_scores,
    mean_ranks,
    read_rows,
)
from benchmarks.rebalancing.openings import MEASURE_WORDS, opening
from benchmarks.rebalancing.scores import LABEL_MEASURES, MEASURES

__all__ = ["write_report"]

RANKED = ("auprc", "roc_auc", "brier_repaired", "f1", "g_mean", "balanced_accuracy", "mcc")
PLOTTED = ("auprc", "f1", "g_mean", "balanced_accuracy")
NOT_OVERSAMPLERS = ("none", TUNED, "class weight", "balanced bagging", *GATED)
TIE = 0.001


def write_report(grid: Grid, rows_path: Path, page_path: Path) -> str:
    """Write the page (and its plots beside it) and return its text."""
    rows = read_rows(rows_path)
    scored = [row for row in rows if "not_run" not in row]
    if not any(row.get("scores") for row in scored):
        return f"No results in {rows_path}."
    page_path.parent.mkdir(parents=True, exist_ok=True)
    scores = long_scores(scored)
    complete, partial = _by_coverage(scores, grid)
    title, text = opening(grid.name)
    parts = [f"# {title}", text, gates(scored, scores), repairs(scores, complete)]
    if grid.compared:
        parts += _comparison(scores, complete, grid, page_path, "")
    if measured := fidelity(scored, complete):
        parts += ["## Are synthetic rows like real ones?", measured, consistency(scored, complete)]
    for methods in partial if grid.compared else []:
        title = f"On the cells that {' and '.join(methods)} ran on"
        parts += [f"## {title}", *_comparison(scores, [*complete, *methods], grid, None, "#")]
        parts += ["### Are synthetic rows like real ones?", fidelity(scored, [*complete, *methods])]
    if warned := said(scored):
        parts += ["## What our samplers' reports warn of", warned]
    parts += [_cost(scored, grid), _failures(rows), "## How it was measured", _settings(grid, scored, scores)]
    text = "\n\n".join(part for part in parts if part) + "\n"
    page_path.write_text(text)
    return text


def _by_coverage(scores: pd.DataFrame, grid: Grid) -> tuple[list[str], list[list[str]]]:
    """Methods that ran on (nearly) all cells of the method that ran on most, and the others by the cells they share."""
    order = [name for method in grid.methods for name in ((method, TUNED) if method == "none" else (method,))]
    cells = {m: frozenset(map(tuple, part[CELL].to_numpy())) for m, part in scores.groupby("method")}
    most = max(map(len, cells.values()))
    present = [method for method in order if method in cells]
    complete = [method for method in present if len(cells[method]) >= 0.95 * most]
    groups: dict[frozenset, list[str]] = {}
    for method in present:
        if method not in complete:
            groups.setdefault(cells[method], []).append(method)
    return complete, list(groups.values())


def _comparison(scores: pd.DataFrame, methods: list[str], grid: Grid, page: Path | None, deeper: str) -> list[str]:
    chosen = scores[scores["method"].isin(methods)]
    shared = chosen.groupby(CELL)["method"].transform("nunique") == len(methods)
    chosen = chosen[shared]
    n_tables = chosen["table"].nunique()
    if not n_tables:
        return ["No cell has all of them yet."]
    tuned = [measure for measure in LABEL_MEASURES if f"{measure}_tuned" in chosen]
    head = f"##{deeper}"
    parts = [
        f"{head} Means over {n_tables} tables and {chosen['classifier'].nunique()} classifiers",
        _means(chosen, methods, list(MEASURES)),
        f"{head} Mean ranks over table x classifier",
        _ranks(chosen, methods),
        f"{head} Mean ranks among oversamplers only",
        _ranks(chosen, [method for method in methods if method not in NOT_OVERSAMPLERS]),
    ]
    if page is not None:
        parts += [_differences(chosen, methods, page, grid)]
    parts += [f"{head} Wins-ties-losses over table x classifier", _wins(chosen, methods)]
    if tuned:
        parts += [
            f"{head} Thresholds tuned inside the training fold (two classes)",
            _means(chosen, [m for m in methods if m != TUNED], [f"{measure}_tuned" for measure in tuned]),
        ]
    parts += [f"{head} Mean F1 by classifier", _by_classifier(chosen, methods, "f1", grid)]
    parts += [f"{head} Mean AUPRC by classifier", _by_classifier(chosen, methods, "auprc", None)]
    if page is not None:
        for measure in ("auprc", "f1", "g_mean"):
            parts += [
                f"{head} {MEASURE_WORDS[measure]} by table, mean over classifiers",
                _by_table(chosen, methods, measure),
            ]
    return parts


def _means(scores: pd.DataFrame, methods: list[str], measures: list[str]) -> str:
    """Means over the blocks in which no method failed, so that all are means of the same."""
    shown, n = pd.DataFrame(index=pd.Index(methods, name="method"), dtype=object), 0
    for measure in measures:
        values = block_values(scores, measure, methods)
        values = values[values.notna().any(axis=1)]
        values = values.loc[:, values.notna().any()].dropna()
        n = max(n, len(values))
        means = values.mean()
        best = means.min() if measure in SMALLER_IS_BETTER else means.max()
        texts = [
            "-" if pd.isna(means.get(m)) else f"**{means[m]:.3f}**" if means[m] == best else f"{means[m]:.3f}"
            for m in methods
        ]
        shown[MEASURE_WORDS[measure.removesuffix("_tuned")]] = texts
    return markdown(shown) + f"\n\n{n} blocks in which every method ran through."


def _ranks(scores: pd.DataFrame, methods: list[str]) -> str:
    """A table for all tables, one for those that hyperparameters were chosen on, and one for the others."""
    ranks = {
        measure: mean_ranks(block_values(scores, measure, _distinct(methods, measure)), measure) for measure in RANKED
    }
    parts = []
    for title, wanted in (("All tables", (True, False)), ("Tuning tables (*)", (True,)), ("Other tables", (False,))):
        shown = pd.DataFrame(index=pd.Index(methods, name="method"), dtype=object)
        n_blocks = 0
        for measure, by_block in ranks.items():
            part = by_block[np.isin(by_block.index.get_level_values("table").isin(TUNING_TABLES), wanted)]
            mean, n_blocks = part.mean(), len(part)
            shown[MEASURE_WORDS[measure]] = [
                "-" if pd.isna(mean.get(m)) else f"**{mean[m]:.2f}**" if mean[m] == mean.min() else f"{mean[m]:.2f}"
                for m in methods
            ]
        if n_blocks:
            parts.append(f"{title}, {n_blocks} blocks:\n\n{markdown(shown)}")
    return "\n\n".join(parts)


def _distinct(methods: list[str], measure: str) -> list[str]:
    """Without `TUNED` where it equals "none" by construction."""
    return [method for method in methods if method != TUNED or measure in LABEL_MEASURES]


def _differences(scores: pd.DataFrame, methods: list[str], page: Path, grid: Grid) -> str:
    """Friedman's test and Nemenyi's difference with a table as a block: its classifiers share rows, so their ranks are averaged."""
    if len(methods) < 3 or scores["table"].nunique() < 3:
        return ""
    lines = []
    for measure in PLOTTED:
        ranked = _distinct(methods, measure)
        ranks = mean_ranks(block_values(scores, measure, ranked), measure).groupby("table").mean()
        p = friedmanchisquare(*ranks.to_numpy().T).pvalue
        path = page.with_name(f"{page.stem}-{measure}.png")
        critical_difference_plot(
            ranks.mean().to_dict(), len(ranks), path, title=f"{MEASURE_WORDS[measure]}: mean rank, {grid.name}"
        )
        difference = critical_difference(len(ranked), len(ranks))
        lines.append(
            f"{MEASURE_WORDS[measure]}: Friedman p = {p:.2g}, Nemenyi critical difference {difference:.2f} over {len(ranks)} tables "
            f"(ranks averaged over classifiers first).\n\n![Mean ranks of the methods by {MEASURE_WORDS[measure]}]({path.name})"
        )
    return "\n\n".join(lines)


def _wins(scores: pd.DataFrame, methods: list[str]) -> str:
    shown = pd.DataFrame(index=pd.Index(methods, name="method"), dtype=object)
    for measure in ("auprc", "f1", "g_mean"):
        values = block_values(scores, measure, methods).fillna(-np.inf)
        for other in ("none", "SMOTE"):
            if other not in methods:
                continue
            with np.errstate(invalid="ignore"):
                gain = values.sub(values[other], axis=0).fillna(0.0)
            shown[f"{MEASURE_WORDS[measure]} against {other}"] = [
                f"{(gain[m] > TIE).sum()}-{(gain[m].abs() <= TIE).sum()}-{(gain[m] < -TIE).sum()}" for m in methods
            ]
        if measure == "auprc" and "none" in methods:
            by_table = values.sub(values["none"], axis=0).replace(-np.inf, np.nan).groupby("table").mean()
            shown["worst table's AUPRC - none"] = [
                f"{by_table[m].min():+.3f} ({by_table[m].idxmin()})"
                if m not in ("none", TUNED) and by_table[m].notna().any()
                else "-"
                for m in methods
            ]
    return f"{markdown(shown)}\n\nA tie is a difference of at most {TIE}."


def _by_classifier(scores: pd.DataFrame, methods: list[str], measure: str, grid: Grid | None) -> str:
    values = block_values(scores, measure, methods)
    if grid is not None and grid.published:  # others' means are over all tables: a method that failed on one has none
        values = values.assign(**{method: np.nan for method in methods if values[method].isna().any()})
    else:
        values = values.dropna()
    means = values.groupby("classifier").mean().T
    shown = means.map(lambda value: "-" if pd.isna(value) else f"{value:.3f}")
    for column in means:
        shown.loc[means[column].idxmax(), column] = f"**{means[column].max():.3f}**"
    if grid is not None:
        for method, published in grid.published.items():
            shown.loc[f"{method} (published)"] = [
                f"{published[c]:.3f}" if c in published else "-" for c in shown.columns
            ]
    shown.index.name = "method"
    return markdown(shown)


def _by_table(scores: pd.DataFrame, methods: list[str], measure: str) -> str:
    values = block_values(scores, measure, methods).groupby("table").mean()

    def cell(value: float, best: float) -> str:
        if pd.isna(value):
            return "failed"
        return f"**{value:.3f}**" if value == best else f"{value:.3f}"

    lines = [[cell(value, row.max()) for value in row] for _, row in values.iterrows()]
    shown = pd.DataFrame(lines, index=values.index, columns=values.columns)
    shown.index = pd.Index([f"{table}*" if table in TUNING_TABLES else table for table in shown.index], name="table")
    return markdown(shown)


def _cost(rows: list[dict[str, Any]], grid: Grid) -> str:
    frame = pd.DataFrame([row for row in rows if "error" not in row])
    frame["own_mb"] = frame["peak_mb"] - frame["base_mb"]
    grouped = frame.groupby("method")
    shown = pd.DataFrame(
        {
            "cells": grouped.size().astype(str),
            "resampling, mean s": grouped["resample_seconds"].mean().map("{:.2f}".format),
            "resampling, worst s": grouped["resample_seconds"].max().map("{:.2f}".format),
            "CPU s per cell (with classifiers and tuning)": grouped["cpu_seconds"].mean().map("{:.1f}".format),
            "memory above the start, worst MB": grouped["own_mb"].max().map("{:.0f}".format),
        }
    )
    shown = shown.reindex([method for method in grid.methods if method in shown.index])
    shown.index.name = "method"
    return "## Cost\n\n" + markdown(shown)


def _settings(grid: Grid, rows: list[dict[str, Any]], scores: pd.DataFrame) -> str:
    last = next(row for row in reversed(rows) if "error" not in row)
    versions = ", ".join(
        f"{name} {last[name]}" for name in ("torch", "scikit-learn", "imbalanced-learn", "pandas", "numpy")
    )
    size = "at full size" if grid.max_rows is None else f"cut to {grid.max_rows} rows, class shares kept"
    folds = sorted({(r["repeat"], r["fold"]) for r in rows})
    return (
        f"{scores['table'].nunique()} tables {size}; {len(folds)} of {grid.n_splits} stratified folds x {grid.repeats} repeats; "
        f"classifiers: {', '.join(sorted(scores['classifier'].unique()))}. Only training folds are rebalanced. Means over folds; a "
        "failed run ranks last. For more than two classes AUPRC, AUC "
        "and F1 are macro averages, and no threshold is tuned. "
        f"CPU, {last['machine']}, Python {last['python']}, {versions}, commit {last['commit']}. "
        "Tables marked * are those that hyperparameters may be chosen on. "
        f"Made by `python -m benchmarks.rebalancing {grid.name.removesuffix('-full')}{' --full' * grid.name.endswith('-full')}`."
    )


def _failures(rows: list[dict[str, Any]]) -> str:
    failed = [row for row in rows if "error" in row]
    ran = {row["method"] for row in rows if "not_run" not in row}
    missing = {row["method"]: row["not_run"] for row in rows if "not_run" in row and row["method"] not in ran}
    lines = [f"- {r['table']} {r['repeat']}.{r['fold']}, {r['method']}: {r['error']}" for r in failed]
    text = "## Failed runs\n\n" + "\n".join(lines) if failed else f"No run failed ({len(rows)} rows)."
    if missing:
        text += "\n\n## Not run\n\n" + "\n".join(f"- {method}: {why}" for method, why in missing.items())
    return text
