"""Sections of a page beside the comparison: gates, repaired probabilities, fidelity and class consistency of synthetic rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.imputation.report import markdown
from benchmarks.rebalancing.config import GATED, TUNING_TABLES
from benchmarks.rebalancing.frames import CELL, TUNED, block_values
from benchmarks.rebalancing.openings import MEASURE_WORDS

__all__ = ["consistency", "fidelity", "gates", "repairs", "said"]

CONSISTENT = 0.95
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


def gates(rows: list[dict[str, Any]], scores: pd.DataFrame) -> str:
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


def repairs(scores: pd.DataFrame, methods: list[str]) -> str:
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
        parts.append(f"## {MEASURE_WORDS[measure]} by ways to repair probabilities\n\n{markdown(shown)}")
    note = (
        "repaired: after the shift back to the true class shares. scaled: then a slope and an offset per class, fitted to held-out "
        'predictions of the training fold, as `PriorCorrectedClassifier(method="sigmoid")` does.'
    )
    return "\n\n".join([*parts, note])


def fidelity(rows: list[dict[str, Any]], methods: list[str]) -> str:
    """Median over the classes and cells in which each of the methods made synthetic rows, the same for real training rows."""
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
        f"Median over {frame['at'].nunique()} classes and folds that all of them made rows of. consistency: share of synthetic "
        "rows that a balanced forest fitted to the held-out fold gives the asked class; shape: mean of 1 - KS or 1 - total "
        "variation against held-out rows; two_sample_auc: of a logistic regression between synthetic and held-out rows, 0.5 is "
        "best; nearest_train: median distance of a synthetic row to the nearest training row of its class, over that between "
        "training rows; copies: share at distance 0. All but consistency, copies and nearest_train need 10 held-out rows of the "
        "class."
    )
    return f"{markdown(shown)}\n\n{note}"


def consistency(rows: list[dict[str, Any]], methods: list[str]) -> str:
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


def said(rows: list[dict[str, Any]]) -> str:
    """What our samplers' reports warned of, by table and method, over folds; nothing where no grid kept it."""
    kept = [row for row in rows if "warnings" in row.get("notes", {})]
    if not kept:
        return ""
    lines: dict[str, dict[str, str]] = {}
    for row in kept:
        line = lines.setdefault(f"{row['table']}, {row['method']}", {"rows of the class": "", "warnings": ""})
        line["rows of the class"] = str(min(row["class_rows"]))
        new = [f"fold {row['fold']}: {warning}" for warning in row["notes"]["warnings"]]
        line["warnings"] = " ".join([line["warnings"], *new]).strip()
    frame = pd.DataFrame(lines).T
    frame.index.name = "table, method"
    return markdown(frame.replace("", "-"))
