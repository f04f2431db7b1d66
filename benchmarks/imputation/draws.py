"""``python -m benchmarks.imputation.draws``: are draws like the truth? Ours and parts of ours, R mice's, MICE's and miceforest's.

MCAR 20 %, numeric tables cut to 2,000 rows. One draw against the truth by column Wasserstein distance (in column standard deviations),
energy distance of whole rows and the AUC of a classifier that tells real rows from completed ones (0.5 is best); 20 draws by the RMSE
of their mean and by how many truths their 5 % to 95 % range covers (R's mice: 5 draws, no range); and what `predict_interval` covers
at 90 %, and table by table at other levels.
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
from benchmarks.imputation.report import markdown
from benchmarks.rows import run_missing, stored_rows
from tabgan.metrics import classifier_two_sample_auc, coverage, energy_distance, mean_wasserstein, rmse
from tabgan.tables.amputation import ampute

__all__ = ["TABLES", "draw_measures", "hidden_numbers", "run"]

TABLES = (
    "phoneme",
    "winequality_white",
    "california_housing",
    "abalone",
    "page_blocks",
    "winequality_red",
    "pima",
    "mammography",
    "glass",
    "ecoli",
)
_QUESTION = (
    "`sample` draws missing values, so that several completed tables show how uncertain they are. Are the draws spread like the "
    "true values?"
)
N_DRAWS, N_DRAWS_IN_R = 20, 5
LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Nominal coverages of intervals; pages show the one of 90 % beside the draws."""
COLUMNS = ["wasserstein", "energy", "c2st", "rmse_mean", "range_coverage", "interval_coverage", "seconds"]


Filled = tuple[list[np.ndarray], Any]
"""Draws, and the ends of intervals per level, or None."""


def _mice(frame: pd.DataFrame, seed: int) -> Filled:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    draws = [
        IterativeImputer(sample_posterior=True, random_state=seed * 1000 + k).fit_transform(frame)
        for k in range(N_DRAWS)
    ]
    return draws, None


def _miceforest(frame: pd.DataFrame, seed: int) -> Filled:
    from benchmarks.imputation.external import ExternalImputer

    imputer = ExternalImputer("miceforest", n_draws=N_DRAWS, random_state=seed)
    imputer.fit_transform(frame)
    return list(imputer.draws_), None


def _gain(**settings: Any) -> Any:
    def run(frame: pd.DataFrame, seed: int) -> Filled:
        from tabgan import GAINImputer

        imputer = GAINImputer(random_state=seed, **settings).fit(frame)
        return [draw.to_numpy() for draw in imputer.sample(frame, N_DRAWS)], imputer.predict_interval(frame, LEVELS)

    return run


def _mice_in_r(name: str) -> Any:
    def run(frame: pd.DataFrame, seed: int) -> Filled:
        from benchmarks.imputation.inference.mice import mice
        from benchmarks.imputation.inference.scenarios import Case

        plain = frame.set_axis([f"x{j}" for j in range(frame.shape[1])], axis=1)
        (draws,) = mice(name)([(Case(plain, plain.isna()), seed)], {}, N_DRAWS_IN_R)
        if isinstance(draws, Exception):
            raise draws
        return [draw.to_numpy() for draw in draws], None

    return run


METHODS = {
    "MICE posterior": _mice,
    "miceforest": _miceforest,
    **{f"R mice {name}": _mice_in_r(name) for name in ("pmm", "cart", "rf")},
    "copula": _gain(n_donor_trees=0),
    "copula + adversary": _gain(n_donor_trees=0, draw_steps=200),
    "default": _gain(),
}


def hidden_numbers(name: str, seed: int, mechanism: str = "mcar", rate: float = 0.2) -> tuple[pd.DataFrame, np.ndarray]:
    """The numeric columns of a table without gaps, cut to 2,000 rows, and which cells to hide."""
    table = load_table(name, max_rows=2000)
    truth = table.frame[table.numeric].dropna().reset_index(drop=True)
    return truth, ampute(truth.to_numpy(), rate, mechanism=mechanism, random_state=seed)  # type: ignore[arg-type]


def draw_measures(truth: pd.DataFrame, hidden: np.ndarray, draws: list[np.ndarray], ends: Any) -> dict[str, float]:
    """How like the truth draws are, and how often ranges and intervals hold it."""
    first = pd.DataFrame(draws[0], columns=truth.columns)
    spread = truth.std(ddof=0)
    low, high = (pd.DataFrame(np.quantile(draws, q, axis=0), columns=truth.columns) for q in (0.05, 0.95))
    touched = hidden.any(axis=1)
    real, made = (truth[touched] / spread).to_numpy(), (first[touched] / spread).to_numpy()
    return {
        "wasserstein": float(mean_wasserstein(truth, first, hidden)),
        "energy": float(energy_distance(real, made)),
        "c2st": float(classifier_two_sample_auc(real, made, paired=True, max_rows=1000)),
        "rmse_mean": float(rmse(truth, pd.DataFrame(np.mean(draws, axis=0), columns=truth.columns), hidden)),
        "range_coverage": float(coverage(truth, low, high, hidden).share) if len(draws) == N_DRAWS else float("nan"),
        "interval_coverage": float("nan") if ends is None else float(coverage(truth, *ends, hidden).share),
    }


def run(table: str, method: str, seed: int) -> dict[str, Any]:
    """One row of results."""
    truth, hidden = hidden_numbers(table, seed)
    started = time.perf_counter()
    draws, ends = METHODS[method](truth.mask(hidden), seed)
    row = {"seconds": time.perf_counter() - started}
    if ends is not None:
        row |= {
            f"covered_{level}": float(coverage(truth, *pair, hidden).share)
            for level, pair in zip(LEVELS, ends, strict=True)
        }
    return row | draw_measures(truth, hidden, draws, ends and ends[LEVELS.index(0.9)])


def main() -> None:
    """Run what the results file does not hold yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.draws", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument(
        "--results", type=Path, help="file of rows (default: benchmarks/imputation/results/draws.jsonl)"
    )
    parser.add_argument("--only-report", action="store_true")
    options = parser.parse_args()
    here = Path(__file__).parent
    path = options.results or here / "results" / "draws.jsonl"
    warnings.filterwarnings("ignore")
    if not options.only_report:
        cells = [
            {"table": table, "method": method, "seed": seed}
            for seed in range(options.seeds)
            for table in TABLES
            for method in options.methods
        ]
        run_missing(path, cells, run)
    page = path.with_suffix(".md") if options.results else here.parents[1] / "docs" / "benchmarks" / "draws.md"
    page.write_text(_page(pd.DataFrame(stored_rows(path))))


def _page(rows: pd.DataFrame) -> str:
    rows["method"] = pd.Categorical(rows["method"], [name for name in METHODS if (rows["method"] == name).any()])
    mean = rows.groupby("method", observed=True)[COLUMNS].mean()
    shown = mean.map("{:.4f}".format)
    shown.insert(0, "runs", rows.groupby("method", observed=True)["wasserstein"].count().astype(str))
    shown.index.name = f"mean over {rows['table'].nunique()} tables"
    parts = ["# Draws", _QUESTION, (__doc__ or "").split("\n\n", 1)[1], markdown(shown)]
    for measure in ("wasserstein", "energy", "c2st"):
        table = rows.groupby(["table", "method"], sort=False, observed=True)[measure].mean().unstack("method")
        parts += [f"## {measure}", markdown(table.map("{:.4f}".format))]
    parts.append(_intervals(rows[rows["method"] == "default"]))
    if "error" in rows and rows["error"].notna().any():
        parts += [
            "## Failed runs",
            *[f"- {r.table}, {r.method}: {r.error}" for r in rows[rows["error"].notna()].itertuples()],
        ]
    return "\n\n".join(parts) + "\n"


def _intervals(rows: pd.DataFrame) -> str:
    """What nominal intervals of the default hold, table by table."""
    shown = rows.groupby("table", sort=False)[[f"covered_{level}" for level in LEVELS]].mean()
    shown.columns = [f"nominal {level:.0%}" for level in LEVELS]
    shown.loc["mean"] = shown.mean()
    return "## Intervals of the default: share of truths inside\n\n" + markdown(shown.map("{:.3f}".format))


if __name__ == "__main__":
    main()
