"""``python -m benchmarks.imputation.adversary``: whether the adversarial game makes draws better, and at which size.

Draws of `GAINImputer` with the game, with the same network but no discriminator, and with the copula alone. Fills do not depend on
any of it, so that everything else is done as ``effort="fast"`` does it.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import load_table
from benchmarks.imputation.draws import draw_measures
from benchmarks.imputation.report import markdown
from benchmarks.rows import run_missing, stored_rows
from tabgan.tables.amputation import ampute

__all__ = ["VARIANTS", "run"]

SIZES = (
    ("letter", 2_000),
    ("letter", 20_000),
    ("diamonds", 2_000),
    ("diamonds", 50_000),
    ("california_housing", 20_000),
)
VARIANTS: dict[str, dict[str, Any]] = {
    "with the game": {"draw_steps": 200},
    "no adversary": {"draw_steps": 200, "adversarial_weight": 0.0},
    "with the game, 1,000 steps": {"draw_steps": 1000},
    "no adversary, 1,000 steps": {"draw_steps": 1000, "adversarial_weight": 0.0},
    "copula alone": {"draw_steps": 0},
}
N_DRAWS = 10
JUDGED = 2000
MEASURES = ("wasserstein", "energy", "c2st", "range_coverage", "interval_coverage")
_OPENING = """# What the adversarial game does for draws

`sample` draws missing values. Are its draws more like the true values with GAIN's adversarial game than without? Numbers of three
tables, 30 % of the cells hidden at random; measures of 2,000 rows, from 10 draws: Wasserstein distance per column, energy distance
of whole rows, and how well a forest tells drawn rows from real ones (C2ST; .5: not at all). Lower is better. Then how many true values
lie between the 5 % and 95 % quantiles of the draws, and how many in the 90 % interval.

"""


def run(table: str, rows: int, variant: str, seed: int) -> dict[str, Any]:
    """One row of results."""
    from tabgan import GAINImputer

    loaded = load_table(table, max_rows=rows)
    truth = loaded.frame[loaded.numeric].dropna().reset_index(drop=True)
    hidden = ampute(truth.to_numpy(), 0.3, mechanism="mcar", random_state=seed)
    frame = truth.mask(hidden)
    settings: dict[str, Any] = {"effort": "fast", "random_state": seed, "device": "cpu", **VARIANTS[variant]}
    started = time.process_time()
    imputer = GAINImputer(**settings).fit(frame)
    seconds = time.process_time() - started
    judged = np.random.default_rng(seed).permutation(len(frame))[:JUDGED]
    asked = frame.iloc[judged].reset_index(drop=True)
    draws = [draw.to_numpy() for draw in imputer.sample(asked, N_DRAWS)]
    measures = draw_measures(
        truth.iloc[judged].reset_index(drop=True), hidden[judged], draws, imputer.predict_interval(asked)
    )
    return measures | {"fit_cpu_seconds": seconds}


def main() -> None:
    """Run what the results file does not hold yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.adversary", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only-report", action="store_true")
    options = parser.parse_args()
    here = Path(__file__).parent
    path = here / "results" / "adversary.jsonl"
    warnings.filterwarnings("ignore")
    if not options.only_report:
        cells = [
            {"table": table, "rows": rows, "variant": variant, "seed": seed}
            for seed in range(options.seeds)
            for table, rows in SIZES
            for variant in VARIANTS
        ]
        run_missing(path, cells, run)
    (here.parents[1] / "docs" / "benchmarks" / "adversary.md").write_text(_page(pd.DataFrame(stored_rows(path))))


def _page(rows: pd.DataFrame) -> str:
    parts = [_OPENING.strip()]
    for (table, n), group in rows.groupby(["table", "rows"], sort=False):
        means = group.groupby("variant", sort=False)[[*MEASURES, "fit_cpu_seconds"]].mean()
        shown = pd.DataFrame({name: means[name].map("{:.4f}".format) for name in MEASURES})
        shown["CPU s of fit"] = means["fit_cpu_seconds"].map("{:.0f}".format)
        parts += [f"## {table}, {n:,} rows", markdown(shown)]
    seeds = rows["seed"].nunique()
    parts.append(f"Seeds: {seeds}. Made by `python -m benchmarks.imputation.adversary`.")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
