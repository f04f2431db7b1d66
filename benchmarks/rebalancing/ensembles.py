"""``python -m benchmarks.rebalancing.ensembles``: balanced ensembles side by side, each with its defaults.

All see the same numbers: gaps by median or mode, standardised, one slot per level. CPU seconds are of fitting and predicting, with one
thread. An interrupted run goes on where it stopped; a run that failed is a row as well.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from benchmarks.rebalancing.config import MADE, MAIN_TABLES, TUNING_TABLES
from benchmarks.rebalancing.frames import block_values, mean_ranks
from benchmarks.rebalancing.scores import label_scores, probability_scores
from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import load_labelled, splits

__all__ = ["COMPARED", "ENSEMBLES", "measured", "page", "run"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
OURS = "BalancedSamplingClassifier"
COMPARED = (
    OURS,
    "BalancedBaggingClassifier",
    "BalancedRandomForestClassifier",
    "EasyEnsembleClassifier",
    "RUSBoostClassifier",
)
MEASURES = ("balanced_accuracy", "auprc", "g_mean", "f1", "brier")
MAX_ROWS = 1500
N_SPLITS = 5
LIMIT = 300.0


def _theirs(name: str, **parameters: Any) -> Callable[[np.ndarray, int], Any]:
    def build(X: np.ndarray, seed: int) -> Any:
        import imblearn.ensemble

        return getattr(imblearn.ensemble, name)(random_state=seed, **parameters)

    return build


def _ours(sampler: str | None = None, **parameters: Any) -> Callable[[np.ndarray, int], Any]:
    def build(X: np.ndarray, seed: int) -> Any:
        import tabgan

        made = {} if sampler is None else {"sampler": getattr(tabgan, sampler)()}
        return tabgan.BalancedSamplingClassifier(random_state=seed, **made, **parameters)

    return build


def _their_bags_of_our_members(X: np.ndarray, seed: int) -> Any:
    from imblearn.ensemble import BalancedBaggingClassifier

    from tabgan.model_selection.default_member import default_member

    return BalancedBaggingClassifier(default_member(X), random_state=seed)


ENSEMBLES: dict[str, Callable[[np.ndarray, int], Any]] = {
    OURS: _ours(),
    **{name: _theirs(name) for name in COMPARED[1:]},
    "BalancedBaggingClassifier, 100 members": _theirs("BalancedBaggingClassifier", n_estimators=100),
    "BalancedBaggingClassifier of our members": _their_bags_of_our_members,
    f"{OURS} + BAGANOversampler": _ours("BAGANOversampler", majority_ratio=3),
}
"""Factories by name, from training rows and a seed; what is not in `COMPARED` is shown beside, without a rank."""


def measured(table: str, fold: int, method: str) -> dict[str, Any]:
    """Scores on the test fold, and CPU seconds."""
    whole = load_labelled(table, MAX_ROWS)
    train_rows, test_rows = splits(whole, N_SPLITS, 0)[fold]
    train, test = whole.rows(train_rows), whole.rows(test_rows)
    space = Space(train.frame, train.categorical)
    X, asked = space.one_hot(train.frame), space.one_hot(test.frame)
    model = ENSEMBLES[method](X, fold)
    started = time.process_time()
    model.fit(X, train.y)
    found, predicted = model.predict_proba(asked), model.predict(asked)
    seconds = time.process_time() - started
    p = np.zeros((len(asked), whole.n_classes))
    p[:, model.classes_] = found
    scores = probability_scores(test.y, p) | label_scores(test.y, predicted, whole.n_classes)
    return {"class_rows": np.bincount(train.y).tolist(), "ensemble_cpu": seconds, "scores": scores}


def run(path: Path, tables: Sequence[str], folds: Sequence[int], methods: Sequence[str], stop_after: float) -> int:
    """Run what ``path`` (JSON lines) does not hold yet, until ``stop_after`` seconds are over; how many runs failed."""
    done = {(row["table"], row["fold"], row["method"]) for row in _read(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    started, failed = time.monotonic(), 0
    for fold in folds:
        for table in tables:
            for method in methods:
                if (table, fold, method) in done:
                    continue
                if time.monotonic() - started > stop_after:
                    return failed
                load_labelled(table, MAX_ROWS)  # before the fork: read once
                answer = run_apart(lambda t=table, f=fold, m=method: measured(t, f, m), LIMIT)  # type: ignore[misc]
                failed += "error" in answer
                with path.open("a") as file:
                    file.write(json.dumps({"table": table, "fold": fold, "method": method} | answer) + "\n")
            print(table, fold, flush=True)
    return failed


def page(rows: list[dict[str, Any]], tables: Sequence[str]) -> str:
    """Markdown: ranks and means outside the tuning set, on it and over all tables, and what failed."""
    last = rows[-1]
    folds = sorted({row["fold"] for row in rows})
    parts = [
        "# Balanced ensembles",
        "A usual answer to imbalance is many classifiers, each on another balanced part of the table. "
        "Which of five such ensembles does best as it comes?",
        f"{len({row['table'] for row in rows})} of the grid's {len(tables)} tables cut to {MAX_ROWS:,} rows, folds {folds} of "
        f"{N_SPLITS}, every ensemble with its defaults, on the same numbers (gaps by median or mode, standardised, levels one-hot). "
        "Ranks are among the five ensembles, by the mean over folds of each table; a failed run is ranked last, and its scores are "
        "left out of the means. `brier` is that of probabilities as predicted. CPU seconds of fitting and predicting, one thread of a "
        f"busy machine: {last['machine']}, Python {last['python']}, scikit-learn {last.get('scikit-learn')}, imbalanced-learn "
        f"{last.get('imbalanced-learn')}, commit {last['commit']}. Made by `python -m benchmarks.rebalancing.ensembles`.",
    ]
    groups = {
        "Tables outside the tuning set": [name for name in tables if name not in TUNING_TABLES],
        "The ten tuning tables": list(TUNING_TABLES),
        "All tables": list(tables),
    }
    for title, names in groups.items():
        chosen = [row for row in rows if row["table"] in names]
        if chosen:
            parts += [f"## {title}", _ranks(chosen), _means(chosen)]
    missing = [name for name in tables if name not in {row["table"] for row in rows}]
    parts += ["## Not run\n\n" + ", ".join(missing)] if missing else []
    failed = [
        f"- {row['table']}, fold {row['fold']}, {row['method']}: {row['error'][:200]}" for row in rows if "error" in row
    ]
    parts += ["## Failed runs\n\n" + "\n".join(failed)] if failed else []
    return "\n\n".join(parts) + "\n"


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    heads = [{"table": r["table"], "fold": r["fold"], "method": r["method"], "classifier": ""} for r in rows]
    return pd.DataFrame(
        [
            head
            | {m: row.get("scores", {}).get(m, np.nan) for m in MEASURES}
            | {"CPU s": row.get("ensemble_cpu", np.nan)}
            for head, row in zip(heads, rows, strict=True)
        ]
    )


def _ranks(rows: list[dict[str, Any]]) -> str:
    scores = _frame(rows)
    ranked = {m: mean_ranks(block_values(scores, m, list(COMPARED)), m) for m in MEASURES}
    shown = pd.DataFrame({f"{m} rank": ranks.mean() for m, ranks in ranked.items()}).map("{:.2f}".format)
    shown.index.name = f"{len(next(iter(ranked.values())))} tables"
    return markdown(shown)


def _means(rows: list[dict[str, Any]]) -> str:
    """Means over the tables of means over folds."""
    scores = _frame(rows)
    by_table = scores.groupby(["method", "table"])[[*MEASURES, "CPU s"]].mean()
    means = by_table.groupby("method").mean().reindex([m for m in ENSEMBLES if m in by_table.index])
    shown = means[list(MEASURES)].map("{:.3f}".format).assign(**{"CPU s": means["CPU s"].map("{:.2f}".format)})
    shown["runs"] = scores.groupby("method").size().reindex(shown.index).map(str)
    shown.index.name = "mean"
    return markdown(shown)


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> int:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.ensembles", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="one fold of made tables")
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument("--methods", nargs="+", default=list(ENSEMBLES), help="run these only")
    parser.add_argument("--tables", nargs="+", help="run these only")
    parser.add_argument("--folds", nargs="+", type=int, default=[0, 1, 2], help="run these only")
    parser.add_argument("--stop-after", type=float, default=float("inf"), help="seconds; the rest is left for later")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    tables, name = (MADE, "ensembles-smoke") if options.smoke else (MAIN_TABLES, "ensembles")
    path = (options.results or HERE / "results") / f"{name}.jsonl"
    failed = 0
    if not options.only_report:
        folds = [0] if options.smoke else options.folds
        failed = run(path, options.tables or tables, folds, options.methods, options.stop_after)
    text = page(_read(path), tables)
    ((options.results or DOCS) / f"rebalancing-{name}.md").write_text(text)
    print(text)
    return int(options.smoke and failed > 0)


if __name__ == "__main__":
    sys.exit(main())
