"""From rows of results to a table of scores: one line per cell and classifier, means per block, ranks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.rebalancing.config import Cell
from benchmarks.rebalancing.scores import LABEL_MEASURES

__all__ = ["CELL", "SMALLER_IS_BETTER", "TUNED", "block_values", "long_scores", "mean_ranks", "read_rows"]

SMALLER_IS_BETTER = ("brier", "log_loss", "brier_repaired", "log_loss_repaired")
TUNED = "none, tuned threshold"  # the same fits as "none"
CELL = ["table", "repeat", "fold"]


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
