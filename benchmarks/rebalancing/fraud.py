"""``python -m benchmarks.rebalancing.fraud``: what to do about .17 % of positives among 100,000 and 284,807 rows.

The tables are simulated after the published shape of the public card-fraud table (`benchmarks.rebalancing.advice.simulated`);
every method is trained on a whole table and judged on 400,000 further rows of the same kind. Each run has a process and a thread of
its own. An interrupted run goes on where it stopped; a run that failed is a row as well.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import make_pipeline
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, f1_score

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from benchmarks.rebalancing.advice import simulated
from benchmarks.rows import stored_rows
from tabgan.metrics.classification import best_threshold

__all__ = ["METHODS", "ROWS", "measured", "page", "run"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
ROWS = (100_000, 284_807)
SHARE = 0.00173
FURTHER = 400_000
LIMIT = 1800.0
_TUNED = {"learning_rate": 0.02, "min_samples_leaf": 200, "max_iter": 300, "early_stopping": False}


def _boosting(seed: int, **settings: Any) -> Any:
    return HistGradientBoostingClassifier(random_state=seed, **settings)


def _sampled(name: str, **settings: Any) -> Callable[[int], Any]:
    def build(seed: int) -> Any:
        import imblearn.over_sampling

        import tabgan

        kind = getattr(tabgan, name) if hasattr(tabgan, name) else getattr(imblearn.over_sampling, name)
        return make_pipeline(kind(random_state=seed), _boosting(seed, **settings))

    return build


def _ensemble(name: str) -> Callable[[int], Any]:
    def build(seed: int) -> Any:
        import imblearn.ensemble

        import tabgan

        return getattr(tabgan if hasattr(tabgan, name) else imblearn.ensemble, name)(random_state=seed)

    return build


METHODS: dict[str, Callable[[int], Any]] = {
    "boosting": _boosting,
    "boosting, other settings": lambda seed: _boosting(seed, **_TUNED),
    "boosting, class weights": lambda seed: _boosting(seed, class_weight="balanced"),
    "boosting, other settings, class weights": lambda seed: _boosting(seed, class_weight="balanced", **_TUNED),
    "SMOTE, boosting": _sampled("SMOTE"),
    "SMOTE, boosting, other settings": _sampled("SMOTE", **_TUNED),
    "BalancedBaggingClassifier": _ensemble("BalancedBaggingClassifier"),
    "BalancedRandomForestClassifier": _ensemble("BalancedRandomForestClassifier"),
    "EasyEnsembleClassifier": _ensemble("EasyEnsembleClassifier"),
    "RUSBoostClassifier": _ensemble("RUSBoostClassifier"),
    "BalancedSamplingClassifier": _ensemble("BalancedSamplingClassifier"),
    "BAGANOversampler, boosting": _sampled("BAGANOversampler"),
    "BAGANOversampler, boosting, other settings": _sampled("BAGANOversampler", **_TUNED),
    "CGANSampler, boosting": _sampled("CGANSampler"),
    "CGANSampler, boosting, other settings": _sampled("CGANSampler", **_TUNED),
}
"""Factories by name, from a seed. Other settings are those that `tabgan.should_rebalance` advises for such tables."""


def measured(rows: int, seed: int, method: str, further: int = FURTHER, share: float = SHARE) -> dict[str, Any]:
    """Scores on further rows: as predicted, and with a threshold tuned on one half of them for the other."""
    X, y = simulated(rows, share, seed)
    model = METHODS[method](seed)
    started = time.process_time()
    model.fit(X, y)
    seconds = time.process_time() - started
    asked, truth = simulated(further, share, seed + 1000)
    p, half = model.predict_proba(asked)[:, 1], further // 2
    tuned = np.mean(
        [
            f1_score(truth[other], p[other] >= best_threshold(truth[part] == 1, p[part], "f1"))
            for part, other in ((slice(half), slice(half, None)), (slice(half, None), slice(half)))
        ]
    )
    scores = {
        "AUPRC": float(average_precision_score(truth, p)),
        "F1": float(f1_score(truth, model.predict(asked))),
        "F1, threshold tuned": float(tuned),
    }
    return {"positives": int(y.sum()), "fit_cpu": seconds, "scores": scores}


def run(path: Path, sizes: Sequence[int], seeds: Sequence[int], methods: Sequence[str], **small: Any) -> None:
    """Run what ``path`` (JSON lines) does not hold yet."""
    done = {(row["rows"], row["seed"], row["method"]) for row in stored_rows(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for rows in sizes:
            for method in methods:
                if (rows, seed, method) in done:
                    continue
                answer = run_apart(lambda r=rows, s=seed, m=method: measured(r, s, m, **small), LIMIT)  # type: ignore[misc]
                with path.open("a") as file:
                    file.write(json.dumps({"rows": rows, "seed": seed, "method": method} | answer) + "\n")
                print(rows, seed, method, answer.get("error") or answer["scores"], flush=True)


def page(rows: list[dict[str, Any]]) -> str:
    """Markdown: a table per size, and what failed."""
    last = rows[-1]
    parts = [
        "# A rare class in a large table",
        "One payment in six hundred is a fraud. Which way to deal with that finds most of them?",
        "Tables simulated after the published shape of the public card-fraud table: 30 numeric columns with heavy tails, "
        f"{SHARE:.2%} positives, of which a fifth are like anybody. Every method is trained on a whole table and judged on "
        f"{FURTHER:,} further rows; means over seeds. "
        "*Other settings* of boosting: "
        + ", ".join(f"{key}={value}" for key, value in _TUNED.items())
        + ", which `should_rebalance` advises for such tables. *F1* is of labels as predicted, then with a threshold tuned on one "
        "half of the further rows for the other. CPU seconds of fitting and memory above the imports (training table and further "
        f"rows in it), one thread of a busy machine: {last['machine']}, Python {last['python']}, scikit-learn {last['scikit-learn']}, "
        f"imbalanced-learn {last['imbalanced-learn']}, commit {last['commit']}. Made by `python -m benchmarks.rebalancing.fraud`.",
    ]
    good = [row for row in rows if "error" not in row]
    for size in sorted({row["rows"] for row in good}):
        chosen = [row for row in good if row["rows"] == size]
        frame = pd.DataFrame(
            [
                {
                    "method": row["method"],
                    **row["scores"],
                    "CPU s": row["fit_cpu"],
                    "MB": row["peak_mb"] - row["base_mb"],
                }
                for row in chosen
            ]
        )
        means = frame.groupby("method").mean().reindex([name for name in METHODS if name in set(frame["method"])])
        shown = means[["AUPRC", "F1", "F1, threshold tuned"]].map("{:.3f}".format)
        shown = shown.assign(**{"CPU s": means["CPU s"].map("{:.1f}".format), "MB": means["MB"].map("{:,.0f}".format)})
        seeds = sorted({row["seed"] for row in chosen})
        parts += [f"## {size:,} rows, {chosen[0]['positives']} positives, seeds {seeds}", markdown(shown)]
    failed = [
        f"- {r['rows']:,} rows, seed {r['seed']}, {r['method']}: {r['error'][:200]}" for r in rows if "error" in r
    ]
    parts += ["## Failed runs\n\n" + "\n".join(failed)] if failed else []
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.fraud", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a small table, in seconds; needs --results")
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument("--rows", nargs="+", type=int, default=list(ROWS), help="sizes to run")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], help="run these only")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), help="run these only")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    if options.smoke and options.results is None:
        parser.error("--smoke needs --results, so that its page is not taken for the real one")
    path = (options.results or HERE / "results") / "fraud.jsonl"
    if options.smoke:
        run(path, [2_000], [0], options.methods, further=2_000, share=0.02)
    elif not options.only_report:
        run(path, options.rows, options.seeds, options.methods)
    text = page(stored_rows(path))
    ((options.results or DOCS) / "rebalancing-fraud.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
