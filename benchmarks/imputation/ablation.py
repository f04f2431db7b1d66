"""``python -m benchmarks.imputation.ablation``: `GAINImputer` with one thing changed at a time.

Tables that hyperparameters were chosen on (numeric columns, cut to 2,000 rows), MCAR and MNAR at 30 %. ``rmse`` is that of the point
estimate, in column standard deviations; the other measures are those of the draws page, from 20 draws. The ratios are geometric means
over tables, mechanisms and seeds of the variant's value over the default's: above 1, the variant is worse. For ``c2st`` the difference
of the AUC is shown instead, and for coverages the values themselves.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.imputation.config import TUNING_TABLES
from benchmarks.imputation.draws import N_DRAWS, draw_measures, hidden_numbers
from benchmarks.imputation.report import markdown
from benchmarks.rows import run_missing, stored_rows
from tabgan.metrics import rmse

__all__ = ["VARIANTS", "run"]

DEFAULT = "default"
NO_BASE = "no closed-form base (plain autoencoder, no draws)"
SETTINGS: dict[str, dict[str, Any]] = {
    "no neighbours": {"n_references": 0},
    "no forests": {"n_trees": 0},
    "100 trees": {"n_trees": 100},
    "learns longer": {"n_steps": 1000, "patience": 8},
    "1 member": {"n_members": 1},
    "no copied patterns": {"pattern_fraction": 0.0},
    "no donors": {"n_donor_trees": 0},
    "30 donor trees": {"n_donor_trees": 30},
    "no adversary": {"adversarial_weight": 0.0},
    "adversary x 10": {"adversarial_weight": 1.0},
    "no learned draws": {"draw_steps": 0},
    "no adversary, no donors": {"adversarial_weight": 0.0, "n_donor_trees": 0},
    "no learned draws, no donors": {"draw_steps": 0, "n_donor_trees": 0},
    "hides 30 % always": {"hide_rates": (0.3, 0.3)},
    "width 64": {"width": 64},
    "width 256": {"width": 256},
}
VARIANTS = (DEFAULT, NO_BASE, *SETTINGS)
RATIOS = ["rmse", "rmse_mean", "wasserstein", "energy", "seconds"]


def run(table: str, mechanism: str, seed: int, variant: str) -> dict[str, Any]:
    """One row of results."""
    from tabgan import GAINImputer

    truth, hidden = hidden_numbers(table, seed, mechanism, 0.3)
    frame = truth.mask(hidden)
    started = time.perf_counter()
    if variant == NO_BASE:
        from benchmarks.imputation.autoencoder import RemaskingAutoencoder

        filled = RemaskingAutoencoder(random_state=seed).fit_transform(frame)
        return {"seconds": time.perf_counter() - started, "rmse": float(rmse(truth, filled, hidden))}
    imputer = GAINImputer(random_state=seed, **SETTINGS.get(variant, {})).fit(frame)
    filled = imputer.transform(frame)
    seconds = time.perf_counter() - started
    draws = [draw.to_numpy() for draw in imputer.sample(frame, N_DRAWS)]
    measures = draw_measures(truth, hidden, draws, imputer.predict_interval(frame))
    return {"seconds": seconds, "rmse": float(rmse(truth, filled, hidden))} | measures


def main() -> None:
    """Run what the results file does not hold yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.ablation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--tables", nargs="+", default=list(TUNING_TABLES[:8]))
    parser.add_argument("--results", type=Path, help="rows (default: benchmarks/imputation/results/ablation.jsonl)")
    parser.add_argument("--only-report", action="store_true")
    options = parser.parse_args()
    here = Path(__file__).parent
    path = options.results or here / "results" / "ablation.jsonl"
    warnings.filterwarnings("ignore")
    if not options.only_report:
        cells = [
            {"table": table, "mechanism": mechanism, "seed": seed, "variant": variant}
            for seed in range(options.seeds)
            for table in options.tables
            for mechanism in ("mcar", "mnar")
            for variant in options.variants
        ]
        run_missing(path, cells, run)
    page = path.with_suffix(".md") if options.results else here.parents[1] / "docs" / "benchmarks" / "ablation.md"
    page.write_text(_page(pd.DataFrame(stored_rows(path))))


def _page(rows: pd.DataFrame) -> str:
    parts = ["# Ablation of GAINImputer", (__doc__ or "").split("\n\n", 1)[1].strip()]
    for title, part in (("All", rows), *((name.upper(), group) for name, group in rows.groupby("mechanism"))):
        cells = part.set_index(["table", "mechanism", "seed"])
        default = cells[cells["variant"] == DEFAULT]
        shown = {}
        for variant, group in cells.groupby("variant", sort=False):
            base = default.reindex(group.index)
            line = {"cells": str(group["rmse"].notna().sum())}
            for measure in RATIOS:
                ratio = np.log(group[measure] / base[measure]).dropna()
                line[f"{measure} ratio"] = f"{np.exp(ratio.mean()):.3f}" if len(ratio) else "-"
                if measure == "rmse":
                    line["rmse worse-better"] = f"{(ratio > 0.001).sum()}-{(ratio < -0.001).sum()}"
            difference = (group["c2st"] - base["c2st"]).mean()
            line["c2st, difference"] = "-" if np.isnan(difference) else f"{difference:+.4f}"
            for measure in ("range_coverage", "interval_coverage"):
                line[measure] = "-" if group[measure].isna().all() else f"{group[measure].mean():.3f}"
            shown[variant] = line
        table = pd.DataFrame(shown).T
        table.index.name = "variant"
        parts += [f"## {title}", markdown(table)]
    wide = rows.groupby(["table", "variant"], sort=False)["rmse"].mean().unstack("variant")
    parts += ["## RMSE per table", markdown(wide.map("{:.4f}".format))]
    if "error" in rows and rows["error"].notna().any():
        failed = rows[rows["error"].notna()].itertuples()
        parts += ["## Failed runs", "\n".join(f"- {r.table} {r.mechanism}, {r.variant}: {r.error}" for r in failed)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
