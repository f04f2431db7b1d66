"""``python -m benchmarks.rebalancing GRID``: run a grid, or go on with it, then write its report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.rebalancing.config import GRIDS
from benchmarks.rebalancing.report import write_report
from benchmarks.rebalancing.runner import run_grid

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"


def main() -> int:
    """Parse the command line and run; what failed is a row of results, but of the smoke grid an error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing", description=__doc__)
    parser.add_argument(
        "grid",
        choices=sorted(GRIDS),
        help="smoke: CI, made tables; main: all tables; convgen: the 14 tables, preparation and classifiers of ConvGeN; extreme: "
        "nine tables of extreme imbalance; papers: the published settings, on the tuning tables; gate: what the gate lets through, on "
        "every fold of all tables; "
        "repair: Brier scores by ways to repair probabilities; speed: 2,000 x 11",
    )
    parser.add_argument(
        "--results",
        type=Path,
        help="folder for rows and report (default: rows in benchmarks/rebalancing/results, report in docs/benchmarks)",
    )
    parser.add_argument("--methods", nargs="+", help="run these methods only, and leave the others for later")
    parser.add_argument("--tables", nargs="+", help="run these tables only, and leave the others for later")
    parser.add_argument("--folds", nargs="+", type=int, help="run these folds only, and leave the others for later")
    parser.add_argument("--full", action="store_true", help="five repeats of all folds, slow methods everywhere")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    grid = GRIDS[options.grid].full() if options.full else GRIDS[options.grid]
    folder = options.results or HERE / "results"
    rows = folder / f"{grid.name}.jsonl"
    failed = 0
    if not options.only_report:
        failed = run_grid(grid, rows, methods=options.methods, tables=options.tables, folds=options.folds)
    print(write_report(grid, rows, (options.results or DOCS) / f"rebalancing-{grid.name}.md"))
    return int(grid.name == "smoke" and failed > 0)


if __name__ == "__main__":
    sys.exit(main())
