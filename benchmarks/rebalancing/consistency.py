"""``python -m benchmarks.rebalancing.consistency``: whether made rows look like their class, where real rows of it do.

The question as the samplers' own ``report_`` answers it: three folds, a balanced forest fitted to the real rows of two of them says
the class of the real rows of the third, and of the rows made from those. So made rows and real ones are judged by forests that saw
neither, nor their parents.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from benchmarks.rebalancing.config import MAIN_TABLES
from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import LabelledTable, load_labelled

__all__ = ["judge", "page", "screened"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
METHODS = ("BAGANOversampler", "CGANSampler")
ASKED = 0.95
MOST_ROWS = 1500
RECALLS = (0.9, ASKED)
"""Where the page cuts the recall of real rows; the last group is the one that the goal speaks of."""


def screened(table: LabelledTable) -> dict[str, float]:
    """Recall of each class's real rows by such forests, without any sampler: what cannot matter need not be rebalanced."""
    X = Space(table.frame, table.categorical).one_hot(table.frame)
    forest = ExtraTreesClassifier(50, min_samples_leaf=3, class_weight="balanced", n_jobs=1, random_state=0)
    predicted = cross_val_predict(forest, X, table.y, cv=StratifiedKFold(3, shuffle=True, random_state=0))
    return {label: float((predicted[table.y == code] == code).mean()) for code, label in enumerate(table.labels)}


def judge(method: str, table: LabelledTable, seed: int) -> dict[str, Any]:
    """Rebalance a whole table and give what ``report_`` says of each class that rows were made of."""
    import tabgan

    sampler = getattr(tabgan, method)(random_state=seed)
    sampler.fit_resample(table.frame, pd.Series(table.y, name="class"))
    told = sampler.report_.table.reset_index()
    told["class"] = [table.labels[code] for code in told["class"]]
    kept = told.rename(columns={"n_synthetic": "n_made"})[
        ["class", "n_real", "n_made", "consistency", "consistency_real"]
    ]
    return {"classes": json.loads(kept.to_json(orient="records"))}


def page(rows: list[dict[str, Any]]) -> str:
    """Markdown: classes by the recall of their real rows, and every class above `ASKED` whose made rows fall short."""
    found = pd.DataFrame(
        [
            {"table": row["table"], "method": row["method"], "seed": row["seed"], **one}
            for row in rows
            for one in row.get("classes", [])
            if one["consistency_real"] is not None
        ],
        columns=["table", "method", "seed", "class", "n_real", "n_made", "consistency", "consistency_real"],
    )
    keys = ["method", "table", "class"]
    mean = found.groupby(keys, sort=False)[["n_real", "consistency", "consistency_real"]].mean().reset_index()
    mean = mean[mean["consistency_real"] >= RECALLS[0]]
    parts = [
        _heading(rows, found),
        "## By the recall of real rows",
        _groups(mean),
        f"## Classes at {ASKED:.0%} or more",
    ]
    parts += [_reached(mean, method) for method in METHODS if (mean["method"] == method).any()]
    failed = [
        f"- {row['table']}, {row['method']}, seed {row['seed']}: {row['error']}" for row in rows if "error" in row
    ]
    parts += ["## Failed runs\n\n" + "\n".join(failed)] if failed else [f"No run failed ({len(rows)} rows)."]
    return "\n\n".join(parts) + "\n"


def _heading(rows: list[dict[str, Any]], found: pd.DataFrame) -> str:
    last = next(row for row in reversed(rows) if "error" not in row)
    n_seeds = found["seed"].nunique()
    return (
        "# Class consistency of synthetic rows\n\n"
        "Do synthetic rows look like the class that they were made for? A forest that learnt from real rows is asked.\n\n"
        f"{found['table'].nunique()} of {len(MAIN_TABLES)} tables, those with a rarer class of which a forest finds at least "
        f"{RECALLS[0]:.0%}; the others were screened out without a sampler. Cut to {MOST_ROWS} rows, whole, every class brought to "
        f"the size of the largest; seeds {', '.join(map(str, sorted(found['seed'].unique())))}{', averaged' * (n_seeds > 1)}. Three "
        "folds: a forest with balanced weights, fitted to the real rows of two, says the class of the real rows of the third (recall) "
        f"and of the rows made from those (consistency). Python {last['python']}, {last['machine']}, commit {last['commit']}. Made by "
        "`python -m benchmarks.rebalancing.consistency`."
    )


def _groups(mean: pd.DataFrame) -> str:
    groups = pd.cut(mean["consistency_real"], [*RECALLS, np.inf], right=False)
    lines = {}
    for (group, method), part in mean.groupby([groups, "method"], observed=True):
        top = "1" if np.isinf(group.right) else f"below {group.right:g}"
        lines[f"{group.left:g} to {top}, {method}"] = {
            "classes": str(len(part)),
            "real rows, mean recall": f"{part['consistency_real'].mean():.3f}",
            "made rows, mean consistency": f"{part['consistency'].mean():.3f}",
            f"made rows at {ASKED} or more": f"{(part['consistency'] >= ASKED).sum()}",
            "made rows no worse than real ones": f"{(part['consistency'] >= part['consistency_real'] - 1e-9).sum()}",
        }
    shown = pd.DataFrame(lines).T
    shown.index.name = "recall of real rows, method"
    return markdown(shown)


def _reached(mean: pd.DataFrame, method: str) -> str:
    part = mean[(mean["method"] == method) & (mean["consistency_real"] >= ASKED)]
    short = part[part["consistency"] < ASKED].sort_values("consistency")
    said = f"`{method}`: {len(part)} classes, of which {len(part) - len(short)} have made rows at {ASKED} or more."
    if short.empty:
        return said
    shown = pd.DataFrame(
        {
            "real rows": short["n_real"].map("{:.0f}".format),
            "recall of real rows": short["consistency_real"].map("{:.3f}".format),
            "consistency of made rows": short["consistency"].map("{:.3f}".format),
        }
    )
    shown.index = pd.Index(short["table"] + ", class " + short["class"].astype(str), name="the others")
    return f"{said}\n\n{markdown(shown)}"


def main() -> None:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.consistency", description=__doc__)
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument("--seeds", type=int, default=2, help="runs per table and method (default 2)")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    path = (options.results or HERE / "results") / "consistency.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(row["table"], row["method"], row["seed"]) for row in rows}
    cells = [(seed, name, method) for seed in range(options.seeds) for name in MAIN_TABLES for method in METHODS]
    recalls: dict[str, float] = {}
    for seed, name, method in [] if options.only_report else cells:
        if (name, method, seed) in done:
            continue
        table = load_labelled(name, MOST_ROWS)
        if name not in recalls:
            recalls[name] = max(list(screened(table).values())[1:])
        if recalls[name] < RECALLS[0]:
            continue
        answer = run_apart(lambda m=method, t=table, s=seed: judge(m, t, s), 600.0)  # type: ignore[misc]
        row = {"table": name, "method": method, "seed": seed} | answer
        rows.append(row)
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(name, method, seed, row.get("error", row.get("classes")), flush=True)
    text = page(rows)
    ((options.results or DOCS) / "rebalancing-consistency.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
