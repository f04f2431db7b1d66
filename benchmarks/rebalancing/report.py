"""From rows of results to a Markdown page: means, ranks and critical differences, wins and losses, fidelity, seconds, failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare

from benchmarks.imputation.report import markdown
from benchmarks.plots import critical_difference, critical_difference_plot
from benchmarks.rebalancing.config import GATED, TUNING_TABLES, Cell, Grid
from benchmarks.rebalancing.scores import LABEL_MEASURES, MEASURES

__all__ = ["block_values", "long_scores", "mean_ranks", "read_rows", "write_report"]

SMALLER_IS_BETTER = ("brier", "log_loss", "brier_repaired", "log_loss_repaired")
RANKED = ("auprc", "roc_auc", "brier_repaired", "f1", "g_mean", "balanced_accuracy", "mcc")
PLOTTED = ("auprc", "f1", "g_mean", "balanced_accuracy")
TUNED = "none, tuned threshold"  # the same fits as "none"
NOT_OVERSAMPLERS = ("none", TUNED, "class weight", "balanced bagging", *GATED)
TIE = 0.001
CONSISTENT = 0.95
CELL = ["table", "repeat", "fold"]
FIDELITY = (
    "consistency",
    "shape",
    "correlation_difference",
    "two_sample_auc",
    "density",
    "coverage",
    "copies",
    "nearest_train",
)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows; of a cell that was run again the last."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return list({tuple(row[name] for name in Cell.__dataclass_fields__): row for row in rows}.values())


def long_scores(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A row per cell and classifier, with a column per measure; failed cells have NaN.

    Adds `TUNED` from the rows of "none" where the grid tunes thresholds; for more than two classes it is the same as "none".
    """
    classifiers = sorted({name for row in rows for name in row.get("scores", {})})
    tunes = any("f1_tuned" in scores for row in rows for scores in row.get("scores", {}).values())
    found = []
    for row in rows:
        if "not_run" in row:
            continue
        head = {name: row[name] for name in (*CELL, "method")} | {"failed": "error" in row}
        for name in classifiers:
            scores = row.get("scores", {}).get(name, {})
            found.append(head | {"classifier": name} | scores)
            if tunes and row["method"] == "none" and scores:
                tuned = {m: scores[f"{m}_tuned"] for m in LABEL_MEASURES if f"{m}_tuned" in scores}
                found.append(head | {"classifier": name, "method": TUNED} | scores | tuned)
    return pd.DataFrame(found)


def block_values(scores: pd.DataFrame, measure: str, methods: list[str]) -> pd.DataFrame:
    """Mean over folds by (table, classifier) and method; NaN where a fold failed."""
    chosen = scores[scores["method"].isin(methods)]
    grouped = chosen.groupby(["table", "classifier", "method"], sort=False)[measure]
    values = grouped.mean().where(grouped.count() == grouped.size())
    return values.unstack("method").reindex(columns=methods)


def mean_ranks(values: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Rank of each method in each block, 1 the best; a failure is the worst."""
    worst = np.inf if measure in SMALLER_IS_BETTER else -np.inf
    return values.fillna(worst).rank(axis=1, ascending=measure in SMALLER_IS_BETTER)


def write_report(grid: Grid, rows_path: Path, page_path: Path) -> str:
    """Write the page (and its plots beside it) and return its text."""
    rows = read_rows(rows_path)
    scored = [row for row in rows if "not_run" not in row]
    if not any(row.get("scores") for row in scored):
        return f"No results in {rows_path}."
    page_path.parent.mkdir(parents=True, exist_ok=True)
    scores = long_scores(scored)
    complete, partial = _by_coverage(scores, grid)
    parts = [f"# Rebalancing benchmark `{grid.name}`", _settings(grid, scored, scores)]
    parts += [_gates(scored, scores), _repairs(scores, complete)]
    if grid.compared:
        parts += _comparison(scores, complete, grid, page_path, "")
    if fidelity := _fidelity(scored, complete):
        parts += ["## Fidelity of made rows", fidelity, _consistency(scored, complete)]
    for methods in partial if grid.compared else []:
        title = f"On the cells that {' and '.join(methods)} ran on"
        parts += [f"## {title}", *_comparison(scores, [*complete, *methods], grid, None, "#")]
        parts += ["### Fidelity of made rows", _fidelity(scored, [*complete, *methods])]
    parts += [_cost(scored, grid), _failures(rows)]
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
            parts += [f"{head} {measure} by table, mean over classifiers", _by_table(chosen, methods, measure)]
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
        shown[measure.removesuffix("_tuned")] = texts
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
            shown[measure] = [
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
        critical_difference_plot(ranks.mean().to_dict(), len(ranks), path, title=f"{measure}: mean rank, {grid.name}")
        difference = critical_difference(len(ranked), len(ranks))
        lines.append(
            f"{measure}: Friedman p = {p:.2g}, Nemenyi critical difference {difference:.2f} over {len(ranks)} tables "
            f"(ranks averaged over classifiers first).\n\n![{measure}]({path.name})"
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
            shown[f"{measure} against {other}"] = [
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


def _gates(rows: list[dict[str, Any]], scores: pd.DataFrame) -> str:
    """What each gate for AUPRC let through, and what that did to each table it opened on."""
    parts = []
    for method in GATED:
        shares = {
            (*(row[name] for name in CELL),): row["notes"]["gate"]["share"]
            for row in rows
            if row["method"] == method and "gate" in row.get("notes", {})
        }
        if not shares or "none" not in set(scores["method"]):
            continue
        pair = scores[scores["method"].isin(["none", method])]
        pair = pair[[cell in shares for cell in zip(*(pair[name] for name in CELL), strict=True)]]
        values = pair.groupby(["table", "method"])["auprc"].mean().unstack("method")
        n_folds = pair.groupby("table")["fold"].nunique()
        gain = values[method] - values["none"]
        opened = {table for (table, *_), share in shares.items() if share > 0}
        lines = {
            f"{table}{'*' * (table in TUNING_TABLES)}": {
                "folds": str(n_folds[table]),
                "shares let through, where any": ", ".join(
                    f"{share:.0%}" for (name, *_), share in shares.items() if name == table and share > 0
                ),
                "none": f"{values['none'][table]:.3f}",
                "gated": f"{values[method][table]:.3f}",
                "difference": f"{gain[table]:+.3f}",
            }
            for table in gain[gain.index.isin(opened)].sort_values().index
        }
        n_open = sum(share > 0 for share in shares.values())
        said = (
            f"`{method}` let rows through on {n_open} of {len(shares)} folds, of {len(opened)} of {len(gain)} tables; elsewhere all "
            f"scores are those of none. AUPRC, mean over folds and classifiers: {values['none'].mean():.4f} without, "
            f"{values[method].mean():.4f} with; largest loss of a table {min(gain.min(), 0.0):+.3f}, largest gain {gain.max():+.3f}."
        )
        shown = pd.DataFrame(lines).T
        shown.index.name = "table"
        parts.append(f"## What the gate let through\n\n{said}" + (f"\n\n{markdown(shown)}" if lines else ""))
    return "\n\n".join(parts)


def _repairs(scores: pd.DataFrame, methods: list[str]) -> str:
    """Brier score and log-loss as they come, after the shift of class shares is undone, and scaled on held-out rows besides."""
    if "brier_scaled" not in scores:
        return ""
    wanted = [method for method in methods if method != TUNED]
    parts = []
    for measure in ("brier", "log_loss"):
        lines = {}
        for method in wanted:
            for way, column in (
                ("", measure),
                (", repaired", f"{measure}_repaired"),
                (", scaled", f"{measure}_scaled"),
            ):
                if method == "none" and way == ", repaired":
                    continue  # nothing to undo
                values = block_values(scores, column, wanted).dropna()
                by_classifier = values[method].groupby("classifier").mean()
                plain = block_values(scores, measure, wanted).loc[values.index, "none"]
                worse = (values[method] - plain).groupby("table").mean()
                lines[method + way] = {
                    **{name: f"{value:.4f}" for name, value in by_classifier.items()},
                    "mean": f"{values[method].mean():.4f}",
                    "tables better-worse than none": "-"
                    if method + way == "none"
                    else f"{(worse < 0).sum()}-{(worse > 0).sum()}",
                    "worst table - none": "-" if method + way == "none" else f"{worse.max():+.3f} ({worse.idxmax()})",
                }
        shown = pd.DataFrame(lines).T
        shown.index.name = "method"
        parts.append(f"## {measure} by ways to repair probabilities\n\n{markdown(shown)}")
    note = (
        "repaired: after the shift back to the true class shares. scaled: then a slope and an offset per class, fitted to held-out "
        'predictions of the training fold, as `PriorCorrectedClassifier(method="sigmoid")` does.'
    )
    return "\n\n".join([*parts, note])


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


def _fidelity(rows: list[dict[str, Any]], methods: list[str]) -> str:
    """Median over the classes and cells in which each of the methods made rows, the same for real training rows."""
    found = [
        {"method": row["method"], "at": (*(row[name] for name in CELL), c)} | measures
        for row in rows
        for c, measures in row.get("fidelity", {}).items()
        if row["method"] in methods
    ]
    if not found:
        return ""
    frame = pd.DataFrame(found)
    for name in FIDELITY:
        if name not in frame:
            frame[name] = np.nan
    frame = frame[frame.groupby("at")["method"].transform("nunique") == frame["method"].nunique()]
    frame["nearest_train"] = frame["nearest_train"] / frame["nearest_within_train"].where(lambda v: v > 0)
    by_method = frame.groupby("method")[list(FIDELITY)].median()
    by_method = by_method.reindex([m for m in methods if m in by_method.index])
    real = [f"{name}_of_real" for name in FIDELITY]
    floor = frame.reindex(columns=real).median()
    by_method.loc["real training rows"] = floor.to_numpy()
    shown = by_method.map(lambda value: "-" if pd.isna(value) else f"{value:.3f}")
    shown.index.name = "method"
    note = (
        f"Median over {frame['at'].nunique()} classes and folds that all of them made rows of. consistency: share of made rows that a "
        "balanced forest fitted to the held-out fold gives the asked class; shape: mean of 1 - KS or 1 - total variation against "
        "held-out rows; two_sample_auc: of a logistic regression between made and held-out rows, 0.5 is best; nearest_train: median "
        "distance of a made row to the nearest training row of its class, over that between training rows; copies: share at "
        "distance 0. All but consistency, copies and nearest_train need 10 held-out rows of the class."
    )
    return f"{markdown(shown)}\n\n{note}"


def _consistency(rows: list[dict[str, Any]], methods: list[str]) -> str:
    """Where a classifier that never saw them gives real rows of a class that class, what it says of made ones."""
    found = pd.DataFrame(
        [
            {"method": row["method"], "at": (*(row[name] for name in CELL), c), "made": part["consistency"]}
            for row in rows
            for c, part in row.get("fidelity", {}).items()
            if row["method"] in methods and part.get("consistency_of_real", 0) >= CONSISTENT
        ]
    )
    if found.empty:
        return ""
    found = found[found.groupby("at")["method"].transform("nunique") == found["method"].nunique()]
    grouped = found.groupby("method")["made"]
    shown = pd.DataFrame(
        {
            "mean consistency": grouped.mean().map("{:.3f}".format),
            f"share of classes at {CONSISTENT} or more": grouped.apply(lambda v: f"{(v >= CONSISTENT).mean():.2f}"),
        }
    )
    shown = shown.reindex([method for method in methods if method in shown.index])
    shown.index.name = "method"
    note = (
        f"Over the {found['at'].nunique()} classes and folds in which the balanced forest fitted to the held-out fold gives at least "
        f"{CONSISTENT:.0%} of the real training rows of the class their class."
    )
    return f"{markdown(shown)}\n\n{note}"


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
        f"classifiers {', '.join(sorted(scores['classifier'].unique()))}. Only training folds are rebalanced. Means over folds; a "
        "failed run ranks last. `_repaired`: after the shift back to the true class shares. For more than two classes AUPRC, AUC "
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
