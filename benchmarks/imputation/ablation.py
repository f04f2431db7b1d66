"""``python -m benchmarks.imputation.ablation``: `GAINImputer` with one stage left out, or one put in, at a time."""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.imputation.config import Cell, Grid
from benchmarks.imputation.report import markdown
from benchmarks.imputation.runner import amputed, score
from benchmarks.rows import run_missing, stored_rows

__all__ = ["VARIANTS", "run"]

CLOSED_FORM = {"n_steps": 0, "network_steps": 0, "n_references": 0, "n_trees": 0, "n_boosts": 0}
TABLES = {
    "cut": ("phoneme", "winequality_white", "california_housing", "letter"),
    "uncut": ("phoneme", "winequality_white", "abalone", "page_blocks"),
}
MOST_ROWS = {"cut": 2000, "uncut": None}
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "cut": {
        "default": {},
        "no similar rows": {"n_references": 0},
        "no boosting": {"n_boosts": 0},
        "no forests": {"n_trees": 0},
        "with the correction": {"n_steps": 400},
        "with the network": {"network_steps": 600},
        "closed form alone": CLOSED_FORM,
    },
    "uncut": {
        "default": {},
        "no network": {"network_steps": 0},
        "no boosting": {"n_boosts": 0},
        "no forests": {"n_trees": 0},
        "one round of forests": {"n_rounds": 1},
        "with similar rows": {"n_references": 8192},
        "closed form alone": CLOSED_FORM,
    },
}
MECHANISMS = ("mcar", "mar", "mnar")
_OPENING = """# What each stage brings

`GAINImputer` with one stage left out, or one put in, at a time: error of the fills over the default's, geometric mean over
tables; above 1, the default is better. 30 % of the cells hidden. Tables of less than 4,000 rows are filled by other stages than larger
ones, hence two parts. What the network learns with and without fresh masks is on the [page of learning curves](learning_curves.md),
what the adversarial game does for draws on [another](adversary.md)."""


def run(part: str, table: str, mechanism: str, seed: int, variant: str) -> dict[str, Any]:
    """One row of results."""
    from tabgan import GAINImputer

    grid = Grid("ablation", (table,), (variant,), max_rows=MOST_ROWS[part], max_columns=None)
    train, _, truth, hidden, _ = amputed(Cell(table, mechanism, 0.3, seed, variant), grid)
    labels = train.categorical or None
    imputer = GAINImputer(
        random_state=seed, categorical_features=labels, round_like_observed=False, **VARIANTS[part][variant]
    )
    started = time.process_time()
    filled = imputer.fit_transform(train.frame)
    seconds = time.process_time() - started
    errors = score(filled.reset_index(drop=True), truth, hidden, train.categorical)
    return {"rmse": errors["rmse"], "error_rate": errors["error_rate"], "cpu_seconds": seconds}


def main() -> None:
    """Run what the results file does not hold yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.ablation", description=__doc__)
    parser.add_argument("--parts", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--only-report", action="store_true")
    options = parser.parse_args()
    here = Path(__file__).parent
    path = here / "results" / "ablation.jsonl"
    warnings.filterwarnings("ignore")
    if not options.only_report:
        cells = [
            {"part": part, "table": table, "mechanism": mechanism, "seed": 0, "variant": variant}
            for part in options.parts
            for table in TABLES[part]
            for mechanism in MECHANISMS
            for variant in VARIANTS[part]
        ]
        with threadpool_limits(1):
            run_missing(path, cells, run)
    (here.parents[1] / "docs" / "benchmarks" / "ablation.md").write_text(_page(pd.DataFrame(stored_rows(path))))


def _page(rows: pd.DataFrame) -> str:
    parts = [_OPENING]
    for part, group in rows.groupby("part", sort=False):
        sizes = "cut to 2,000 rows" if part == "cut" else "whole, 4,177 to 5,473 rows"
        parts += [f"## {', '.join(group['table'].unique())}: {sizes}", markdown(_standing(group))]
        table = group.pivot_table(index=["table", "mechanism"], columns="variant", values="rmse", sort=False)
        table.index = pd.Index([f"{name} {mechanism.upper()}" for name, mechanism in table.index], name="RMSE")
        parts.append(markdown(table.map(_figure)))
    parts.append("One seed, one thread. Made by `python -m benchmarks.imputation.ablation`.")
    return "\n\n".join(parts) + "\n"


def _figure(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _standing(rows: pd.DataFrame) -> pd.DataFrame:
    """Ratios to the default per variant and mechanism, and of CPU seconds."""
    cells = rows.set_index(["table", "mechanism"])
    default = cells[cells["variant"] == "default"]
    lines = {}
    for variant, group in cells.groupby("variant", sort=False):
        base = default.reindex(group.index)
        ratio = np.log(group["rmse"] / base["rmse"])
        by_mechanism = ratio.groupby(level="mechanism").mean()
        line = {m.upper(): np.exp(by_mechanism.get(m, np.nan)) for m in MECHANISMS}
        line["all"] = np.exp(ratio.mean())
        line["CPU seconds"] = group["cpu_seconds"].sum() / base["cpu_seconds"].sum()
        lines[variant] = {"cells": str(len(group)), **{name: _figure(value) for name, value in line.items()}}
    table = pd.DataFrame(lines).T
    table.index.name = "error over the default's"
    return table


if __name__ == "__main__":
    main()
