"""``python -m benchmarks.imputation.inference run|show|report``: whether pooled estimates are unbiased and their intervals hold.

``run`` goes on where the files of rows end, then shows the criteria; ``show`` only shows them; ``report`` writes the page.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from benchmarks.environments import environment_python
from benchmarks.imputation.inference.measures import PAIRED, bars, criteria
from benchmarks.imputation.inference.methods import METHODS, settings_of, tabgan
from benchmarks.imputation.inference.mice import mice_version
from benchmarks.imputation.inference.running import estimates_frame, run_cell
from benchmarks.imputation.inference.scenarios import SCENARIOS
from benchmarks.rows import stored_rows

RESULTS = Path(__file__).parents[1] / "results" / "inference"


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.inference", description=__doc__)
    parser.add_argument("task", choices=["run", "show", "report"])
    parser.add_argument("--scenario", nargs="+", default=list(SCENARIOS), choices=list(SCENARIOS), metavar="NAME")
    parser.add_argument(
        "--method",
        nargs="+",
        default=list(METHODS),
        choices=list(METHODS),
        metavar="NAME",
        help=f"of {', '.join(METHODS)}; {PAIRED} always runs too",
    )
    parser.add_argument("--n", nargs="+", type=int, default=[200, 1000], help="rows of a table (default: 200 1000)")
    parser.add_argument("--repeats", type=int, default=200, help="tables per scenario and size (default: 200)")
    parser.add_argument("--m", type=int, default=20, help="imputations (default: 20)")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="settings of GAINImputer; the method is then called tabgan NAME=VALUE, and runs alone",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder with a file of rows per method")
    options = parser.parse_args()
    if options.task == "run":
        _run(options)
    rows = [row for path in sorted(options.results.glob("*.jsonl")) for row in stored_rows(path)]
    rows = [row for row in rows if row["m"] == options.m]
    if options.task == "report":
        from benchmarks.imputation.inference.page import DOCS, write_page

        print(write_page(rows, DOCS if options.results == RESULTS else options.results))
        return
    frame = estimates_frame(rows)
    chosen = frame["scenario"].isin(options.scenario) & frame["n"].isin(options.n)
    with pd.option_context("display.width", 200, "display.max_rows", None, "display.max_columns", None):
        print(criteria(frame[chosen]).round(4).to_string(index=False))
        for method in [name for name in frame["method"].unique() if name.startswith("tabgan")]:
            print(f"\nbars, {method}")
            print(bars(frame[chosen], method).round(3).to_string(index=False))


def _run(options: argparse.Namespace) -> None:
    methods = {name: METHODS[name] for name in options.method}
    if options.set:
        methods = {"tabgan " + " ".join(options.set): tabgan(**settings_of(options.set))}
    for kind, problem in _not_here().items():
        if left := [name for name in methods if name.split()[0] == kind]:
            print(f"Left out: {', '.join(left)}. {problem}")
            methods = {name: fill for name, fill in methods.items() if name not in left}
    methods = {PAIRED: METHODS[PAIRED]} | methods
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for n in options.n:
            for scenario in options.scenario:
                for name, fill in methods.items():
                    cell = {"scenario": scenario, "n": n, "method": name, "m": options.m}
                    run_cell(options.results / f"{_file_name(name)}.jsonl", cell, options.repeats, fill)


def _not_here() -> dict[str, str]:
    """What competitors need and this machine lacks, by the first word of the method's name."""
    found = {}
    if mice_version() is None:
        found["mice"] = "Rscript with R's packages mice, jsonlite, nnet, ranger and rpart was not found."
    try:
        environment_python("miceforest")
    except FileNotFoundError as error:
        found["miceforest"] = str(error)
    return found


def _file_name(method: str) -> str:
    return re.sub("[^a-z0-9.=]+", "_", method.lower())


if __name__ == "__main__":
    main()
