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
        help="smoke: CI; first: MCAR 20 %% on 20 tables; mechanisms: MCAR, MAR and MNAR against the tree chain too; transforms: ways "
        "to scale numbers; published: GAIN's own tables at full size",
    )
    parser.add_argument(
        "--results",
        type=Path,
        help="folder for rows and report (default: rows in benchmarks/imputation/results, report in docs/benchmarks)",
    )
    parser.add_argument("--methods", nargs="+", help="run these methods only, and leave the others for later")
    parser.add_argument("--tables", nargs="+", help="run these tables only, and leave the others for later")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    folder = options.results or HERE / "results"
    rows = folder / f"{options.grid}.jsonl"
    if not options.only_report:
        run_grid(GRIDS[options.grid], rows, methods=options.methods, tables=options.tables)
    print(write_report(GRIDS[options.grid], rows, (options.results or DOCS) / f"{options.grid}.md"))


if __name__ == "__main__":
    main()
