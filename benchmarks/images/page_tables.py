"""Tables of ``docs/images.md``: how far each recipe carries, what added images do for classifiers, kinds found on Stacked MNIST."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.images.experiments.balancing import ALL_METHODS
from benchmarks.images.reached import reached_rows
from tabgan.images import recipes
from tabgan.images.recipes.standing import WORKS, Reached, standing_of

__all__ = ["balancing_table", "mean_recall", "recall_by_share", "stacked_table", "standings", "working"]

_CLASSIFIERS = ("linear", "forest", "network")
_DATA = ("digits", "mnist", "fashion")


def standings(results: Path) -> str:
    """A line per recipe."""
    reached = _reached(results)
    lines = [
        "| recipe | needs | 28 x 28 | digits, 8 x 8 | MNIST | Fashion-MNIST | steps |",
        "|---|---|---|---|---|---|---|",
    ]
    for recipe in recipes.values():
        rows, standing = {row.data: row for row in reached[recipe.name]}, standing_of(reached[recipe.name])
        if any(row.error is not None for row in rows.values()):
            found = "; ".join(f"{row.data} {row.error:.3g}" for row in rows.values())
            lines.append(f"| `{recipe.name}` | {recipe.needs} | {standing} | {found} | | | |")
            continue
        shown = [_figures(rows.get(name)) for name in ("digits", "mnist", "fashion")]
        steps = ", ".join(
            str(rows[name].n_steps) for name in ("digits", "mnist") if name in rows and rows[name].n_steps
        )
        lines.append(f"| `{recipe.name}` | {recipe.needs} | {standing} | {' | '.join(shown)} | {steps} |")
    return "\n".join(lines)


def working(results: Path) -> str:
    """How many recipes work on MNIST, of how many."""
    reached = _reached(results)
    return f"{sum(standing_of(reached[name]) == WORKS for name in recipes)} of {len(recipes)}"


def _reached(results: Path) -> dict[str, list[Reached]]:
    """Of each recipe, by the results themselves: what the package carries may be older."""
    rows = [Reached(*row) for row in reached_rows(results)]
    return {name: [row for row in rows if row.recipe == name] for name in recipes}


def _figures(row: Reached | None) -> str:
    if row is None:
        return ""
    values = (row.frechet, row.coverage, row.accuracy)
    return " / ".join(f"{value:.2f}" for value in values if value is not None)


def balancing_table(rows: Sequence[dict[str, Any]]) -> str:
    """Means over cells: recall of the rare class, balanced accuracy and F1 of three classifiers, by method.

    Only cells in which every method was run count.
    """
    whole, names = _whole_cells(rows)
    if not whole:
        return "Not measured yet."
    lines = [
        "| images added | recall: linear | forest | small network | mean | balanced accuracy | F1 | pair similarity (real) | C2ST |",
        "|" + "---|" * 9,
    ]
    for name in names:
        found = [cell[name] for cell in whole]
        recalls = [_mean(found, f"recall_{kind}") for kind in _CLASSIFIERS]
        others = [np.mean([_mean(found, f"{what}_{kind}") for kind in _CLASSIFIERS]) for what in ("balanced", "f1")]
        alike = ""
        if "pair_similarity" in found[0]:
            alike = f"{_mean(found, 'pair_similarity'):.2f} ({_mean(found, 'pair_similarity_of_real'):.2f})"
        told = f"{_mean(found, 'c2st_auc'):.2f}" if "c2st_auc" in found[0] else ""
        numbers = " | ".join(f"{value:.2f}" for value in [*recalls, np.mean(recalls), *others])
        lines.append(f"| {name} | {numbers} | {alike} | {told} |")
    return "\n".join(lines)


def mean_recall(rows: Sequence[dict[str, Any]], method: str) -> float | None:
    """Recall of the rare class, the mean over classifiers and cells in which every method was run; None before any was."""
    whole, names = _whole_cells(rows)
    return _recall([cell[method] for cell in whole]) if whole and method in names else None


def recall_by_share(rows: Sequence[dict[str, Any]]) -> str:
    """Mean recall by data set and share of the class that was kept, a line per method."""
    whole, names = _whole_cells(rows)
    if not whole:
        return "Not measured yet."
    columns: dict[tuple[str, str], list[dict[str, dict[str, Any]]]] = {}
    for cell in whole:
        data, _, share, _ = cell[names[0]]["key"].split("/")[:4]
        columns.setdefault((data, share), []).append(cell)
    shown = sorted(columns, key=lambda column: (_DATA.index(column[0]), float(column[1])))
    kept = [round(_mean([cell[names[0]] for cell in columns[column]], "n_kept")) for column in shown]
    heads = [
        f"{data}, {float(share):.1%} ({n} images)".replace(".0%", "%")
        for (data, share), n in zip(shown, kept, strict=True)
    ]
    lines = ["| images added | " + " | ".join([*heads, "all"]) + " |", "|---" * (len(heads) + 2) + "|"]
    for name in names:
        values = [_recall([cell[name] for cell in columns[column]]) for column in shown]
        values.append(_recall([cell[name] for cell in whole]))
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    return "\n".join(lines)


def stacked_table(rows: Sequence[dict[str, Any]]) -> str:
    """A line per recipe of the experiment with Stacked MNIST: kinds found at each counting, and the divergence at the last."""
    counted: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        name, _, steps = row["key"].partition("/")
        if steps:
            counted.setdefault(name, []).append(row)
    if not counted:
        return "Not measured yet."
    lines = ["| recipe | kinds found, by CPU seconds | steps | KL at the end |", "|---|---|---|---|"]
    for name, found in counted.items():
        curve = ", ".join(f"{row['modes']} ({row['cpu_seconds']:.0f})" for row in found)
        lines.append(f"| `{name}` | {curve} | {found[-1]['n_steps']:,} | {found[-1]['kl']:.2f} |")
    return "\n".join(lines)


def _whole_cells(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, dict[str, Any]]], list[str]]:
    """Cells in which every method was run, and the methods in their order."""
    cells: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        cell, _, method = row["key"].rpartition("/")
        cells.setdefault(cell, {})[method] = row
    found = {row["key"].rpartition("/")[2] for row in rows}
    names = sorted(found, key=ALL_METHODS.index)
    return [cell for cell in cells.values() if len(cell) == len(names)], names


def _recall(rows: Sequence[dict[str, Any]]) -> float:
    return float(np.mean([_mean(rows, f"recall_{kind}") for kind in _CLASSIFIERS]))


def _mean(rows: Sequence[dict[str, Any]], column: str) -> float:
    return float(np.mean([row[column] for row in rows]))
