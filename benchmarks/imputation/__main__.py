"""``python -m benchmarks.imputation GRID``: run a grid, or go on with it, then write its report."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.imputation.config import GRIDS
from benchmarks.imputation.report import write_report
from benchmarks.imputation.runner import run_grid

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation", description=__doc__)
    parser.add_argument(
        "grid",
        choices=sorted(GRIDS),
        help="smoke: CI; first: MCAR 20 %% on 20 tables; mechanisms: MCAR, MAR and MNAR against the tree chain too; external: the "
        "same on six tables against miceforest, HyperImpute, GAIN as published and a plain autoencoder; autoencoder: the last on all "
        "tables; out_of_sample: fit on 70 %% of the rows; wide: all columns; speed, throughput: seconds, rows per second, on an idle "
        "machine; transforms: ways to scale numbers; published: GAIN's own tables at full size",
    )
    parser.add_argument(
        "--results",
        type=Path,
        help="folder for rows and report (default: rows in benchmarks/imputation/results, report in docs/benchmarks)",
    )
    parser.add_argument("--methods", nargs="+", help="run these methods only, and leave the others for later")
    parser.add_argument("--tables", nargs="+", help="run these tables only, and leave the others for later")
    parser.add_argument("--full", action="store_true", help="do not cut tables, nor leave slow methods out (days)")
    parser.add_argument("--retry", action="store_true", help="run failed cells again")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    folder = options.results or HERE / "results"
    grid = GRIDS[options.grid].full() if options.full else GRIDS[options.grid]
    rows = folder / f"{grid.name}.jsonl"
    borrowed = [folder / f"{name}.jsonl" for name in grid.borrows]
    if not options.only_report:
        run_grid(grid, rows, methods=options.methods, tables=options.tables, borrowed=borrowed, retry=options.retry)
    print(write_report(grid, [rows, *borrowed], (options.results or DOCS) / f"{grid.name}.md"))


if __name__ == "__main__":
    main()
