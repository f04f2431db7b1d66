"""``python -m benchmarks.imputation.over_time``: what `GAINImputer` reaches within so many seconds, beside its rivals."""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from benchmarks.imputation.competitors import COMPETITORS
from benchmarks.imputation.config import CHAINS, Cell, Grid
from benchmarks.imputation.report import markdown
from benchmarks.imputation.runner import amputed, score
from benchmarks.rows import run_missing, stored_rows

__all__ = ["run"]

TABLES = ("california_housing", "letter")
LIMITS = (1, 2, 5, 10, 20, 40, 80)
RIVALS = ("MICE", *CHAINS)
_OPENING = """# Error over time

What does `GAINImputer(max_time=...)` reach within so many seconds? Two whole tables (20,000 rows), 30 % of the cells missing at
random, one thread. RMSE in column standard deviations; lower is better. `fit` has to end in time, with a usable imputer.

![Error over seconds of training on two tables](over_time.png)

"""


def run(table: str, method: str, max_time: float | None) -> dict[str, Any]:
    """One point: seconds of wall and CPU time that `fit` took, and the error."""
    from tabgan import GAINImputer

    grid = Grid("over time", (table,), (method,), max_rows=None, max_columns=None)
    train, test, truth, hidden, _ = amputed(Cell(table, "mcar", 0.3, 0, method), grid)
    wall, cpu = time.perf_counter(), time.process_time()
    if method == "GAINImputer":
        labels = train.categorical or None
        imputer = GAINImputer(max_time=max_time, random_state=0, categorical_features=labels, round_like_observed=False)
        imputer.fit(train.frame)
    else:
        filled = COMPETITORS[method]()(train, test, 0).train
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    if method == "GAINImputer":
        filled = imputer.transform(train.frame)
    errors = score(filled.reset_index(drop=True), truth, hidden, train.categorical)
    return {"rmse": errors["rmse"], "wall_seconds": seconds[0], "cpu_seconds": seconds[1]}


def main() -> None:
    """Run what the results file does not hold yet, and write page and plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.over_time", description=__doc__)
    parser.add_argument("--only-report", action="store_true")
    options = parser.parse_args()
    here = Path(__file__).parent
    path = here / "results" / "over_time.jsonl"
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    if not options.only_report:
        points = [*(("GAINImputer", limit) for limit in (*LIMITS, None)), *((rival, None) for rival in RIVALS)]
        cells = [{"table": table, "method": method, "max_time": limit} for table in TABLES for method, limit in points]
        with threadpool_limits(1):
            run_missing(path, cells, run)
    docs = here.parents[1] / "docs" / "benchmarks"
    rows = pd.DataFrame(stored_rows(path))
    _plot(rows, docs / "over_time.png")
    (docs / "over_time.md").write_text(_page(rows))


def _page(rows: pd.DataFrame) -> str:
    parts = [_OPENING.strip()]
    for table, group in rows.groupby("table", sort=False):
        names = [
            row["method"] + ("" if pd.isna(row["max_time"]) else f"(max_time={row['max_time']:g})")
            for _, row in group.iterrows()
        ]
        shown = pd.DataFrame(
            {
                "seconds of fit": group["wall_seconds"].map("{:.1f}".format).to_list(),
                "CPU s": group["cpu_seconds"].map("{:.1f}".format).to_list(),
                "RMSE": group["rmse"].map("{:.3f}".format).to_list(),
            },
            index=pd.Index(names, name="method"),
        )
        parts += [f"## {table}", markdown(shown)]
    parts.append(
        "One seed, one thread, at times beside other runs. Made by `python -m benchmarks.imputation.over_time`."
    )
    return "\n\n".join(parts) + "\n"


def _plot(rows: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (table, group) in zip(figure.subplots(1, len(TABLES)), rows.groupby("table", sort=False), strict=True):
        ours = group[group["method"] == "GAINImputer"].sort_values("wall_seconds")
        axes.plot(ours["wall_seconds"], ours["rmse"], marker="o", label="GAINImputer(max_time=...)")
        for marker, (_, row) in zip("sD^", group[group["method"] != "GAINImputer"].iterrows(), strict=False):
            axes.plot(row["wall_seconds"], row["rmse"], marker=marker, ls="", label=row["method"])
        axes.set(title=table, xlabel="seconds of fit", xscale="log")
    figure.axes[0].set_ylabel("RMSE")
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
