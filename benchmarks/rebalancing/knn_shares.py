"""``python -m benchmarks.rebalancing.knn_shares``: how many synthetic rows nearest neighbours want, on ConvGeN's 14 tables.

Every method makes the rows that balance asks for; ten nearest neighbours, as in ConvGeN's repository, are trained with parts of these
and judged by F1 at 0.5. *Chosen*: the part that five folds inside the training fold, with the same neighbours, find best (of equals
the largest). An interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from benchmarks.rebalancing.competitors import COMPETITORS
from benchmarks.rebalancing.config import CONVGEN_PUBLISHED, CONVGEN_TABLES
from benchmarks.rebalancing.tables import LabelledTable, load_labelled, splits
from benchmarks.rows import stored_rows

__all__ = ["METHODS", "SHARES", "chosen", "measured", "page", "run"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
METHODS = ("repetition", "SMOTE", "Borderline-SMOTE", "BAGANOversampler (no training)", "CGANSampler (no training)")
SHARES = (0.0, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
FOLDS = 5
LIMIT = 900.0


def measured(table: LabelledTable, fold: int, method: str) -> dict[str, Any]:
    """F1 by share on the test fold, and the mean of the same on folds inside the training fold."""
    train_rows, test_rows = splits(table, FOLDS, 0)[fold]
    train, test = table.rows(train_rows), table.rows(test_rows)
    inner = StratifiedKFold(FOLDS, shuffle=True, random_state=fold).split(train.frame, train.y)
    found = [_scores(train.rows(i), train.rows(j), method, 100 + k) for k, (i, j) in enumerate(inner)]
    return {"inner": np.mean(found, axis=0).tolist(), "test": _scores(train, test, method, fold)}


def _scores(train: LabelledTable, test: LabelledTable, method: str, seed: int) -> list[float]:
    resample = COMPETITORS[method]().resample
    assert resample is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = resample(train, seed)
    X, n, asked = rows.frame.to_numpy(float), len(train.y), test.frame.to_numpy(float)
    made = np.random.default_rng(seed).permutation(np.arange(n, len(rows.y)))
    scores = []
    for share in SHARES:
        used = np.r_[np.arange(n), made[: round(share * len(made))]]
        model = KNeighborsClassifier(10).fit(X[used], rows.y[used])
        scores.append(float(f1_score(test.y, model.predict(asked))))
    return scores


def chosen(inner: Sequence[float]) -> int:
    """Place of the best share, of equals the largest."""
    return int(np.flatnonzero(np.asarray(inner) >= max(inner) - 1e-9)[-1])


def run(path: Path, tables: Sequence[str], methods: Sequence[str]) -> None:
    """Run what ``path`` (JSON lines) does not hold yet."""
    done = {(row["table"], row["method"], row["fold"]) for row in stored_rows(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in tables:
        table = load_labelled(name, None, coded=True)
        for method in methods:
            for fold in range(FOLDS):
                if (name, method, fold) in done:
                    continue
                answer = run_apart(lambda t=table, f=fold, m=method: measured(t, f, m), LIMIT)  # type: ignore[misc]
                with path.open("a") as file:
                    file.write(json.dumps({"table": name, "method": method, "fold": fold} | answer) + "\n")
        print(name, flush=True)


def page(rows: list[dict[str, Any]]) -> str:
    """Markdown: means over tables by method and share, and by table what was chosen."""
    good, last = [row for row in rows if "error" not in row], rows[-1]
    columns = [f"{share:g}" for share in SHARES]
    frame = pd.DataFrame(
        [
            {"table": row["table"], "method": row["method"], **dict(zip(columns, row["test"], strict=True))}
            | {"chosen": row["test"][chosen(row["inner"])], "best, had one known it": max(row["test"])}
            for row in good
        ]
    )
    by_table = frame.groupby(["method", "table"], sort=False).mean()
    means = by_table.groupby("method", sort=False).mean()
    published = max(CONVGEN_PUBLISHED.items(), key=lambda entry: entry[1]["kNN"])
    parts = [
        "# How many synthetic rows do nearest neighbours want?",
        "ConvGeN's 14 tables at full size, prepared as in its repository (`rebalancing-convgen.md`), five folds, ten nearest "
        "neighbours, F1 at 0.5. Columns: the part of the rows that balance asks for; *chosen*: the part that five folds inside the "
        f"training fold find best, with the same neighbours. The best published mean is {published[1]['kNN']:.3f} ({published[0]}, "
        f"all rows). CPU, {last['machine']}, Python {last['python']}, commit {last['commit']}. Made by "
        "`python -m benchmarks.rebalancing.knn_shares`.",
        f"## Means over {frame['table'].nunique()} tables",
        markdown(means.map("{:.3f}".format)),
        "## By table, share chosen",
        markdown(by_table["chosen"].unstack("method").reindex(columns=means.index).map("{:.3f}".format)),
        "## By table, all rows",
        markdown(by_table["1"].unstack("method").reindex(columns=means.index).map("{:.3f}".format)),
    ]
    failed = [f"- {r['table']}, fold {r['fold']}, {r['method']}: {r['error'][:200]}" for r in rows if "error" in r]
    parts += ["## Failed runs\n\n" + "\n".join(failed)] if failed else []
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.knn_shares", description=__doc__)
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument("--tables", nargs="+", default=list(CONVGEN_TABLES), help="run these only")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), help="run these only")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    path = (options.results or HERE / "results") / "knn_shares_convgen.jsonl"
    if not options.only_report:
        run(path, options.tables, options.methods)
    text = page(stored_rows(path))
    ((options.results or DOCS) / "rebalancing-knn.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
