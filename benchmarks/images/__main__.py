"""``python -m benchmarks.images GRID``: run a grid or an experiment, or go on with it; ``report`` prints the table."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from benchmarks.images.config import GRIDS
from benchmarks.images.experiments import EXPERIMENTS
from benchmarks.images.page import write_page
from benchmarks.images.reached import write_reached
from benchmarks.images.report import write_report
from benchmarks.images.runner import run_grid

HERE = Path(__file__).parent


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__)
    parser.add_argument("grid", choices=[*GRIDS, *EXPERIMENTS, "report"])
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder for rows and pictures")
    parser.add_argument("--only", nargs="+", help="run these recipes only")
    parser.add_argument(
        "--device", default="cpu", help="where ImageGAN trains, for grids: cpu, cuda, ... (default: cpu)"
    )
    parser.add_argument(
        "--steps", type=int, help="n_steps of every recipe of a grid or an experiment, for a quick look"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.grid in GRIDS:
        rows = options.results / f"{options.grid}.jsonl"
        cells = [cell.shortened(options.steps) for cell in GRIDS[options.grid]]
        run_grid(cells, rows, options.results / "pictures", options.only, device=options.device)
    elif options.grid in EXPERIMENTS:
        rows = options.results / f"{options.grid}.jsonl"
        quick = {} if options.steps is None else {"n_steps": options.steps}
        EXPERIMENTS[options.grid](rows, options.results / "pictures", options.only, **quick)
    default = options.results == HERE / "results"
    page = HERE.parents[1] / "docs" / "benchmarks" / "images.md" if default else options.results / "report.md"
    print(write_report(options.results, page))
    if default:
        write_reached(options.results, HERE.parents[1] / "tabgan" / "images" / "recipes" / "reached.py")
        write_page(options.results, HERE / "page.md", HERE.parents[1] / "docs" / "images.md")


if __name__ == "__main__":
    main()
