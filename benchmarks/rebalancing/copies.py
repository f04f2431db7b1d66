"""``python -m benchmarks.rebalancing.copies``: exact copies of real rows, repeated rows, and joint labels, in small mixed tables.

Half of a table is learnt from. Synthetic rows of its rarest class, as many as balance asks for, are compared with the rows learnt
from, and told apart from real rows of the other half by forests: one sees all columns, one only the labels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from benchmarks.rebalancing.competitors import COMPETITORS
from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import LabelledTable, load_labelled

__all__ = ["METHODS", "TABLES", "measured", "page", "row_keys"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
LIMIT = 1200.0
SPLITS = (0,)
TABLES = (
    "adult_train",
    "german_credit",
    "credit_approval",
    "hepatitis",
    "horse_colic",
    "titanic",
    "sick",
    "hypothyroid",
    "penguins",
    "abalone9-18",
    "flare-F",
    "car-good",
)
METHODS = ("SMOTE", "BAGANOversampler", "CGANSampler")
"""SMOTE: SMOTENC, and SMOTEN where a table holds labels only."""
SHOWN = {"SMOTE": "SMOTENC"}
_DIGITS = 6  # of standard deviations in which numbers are compared


def row_keys(space: Space, frame: pd.DataFrame) -> list[bytes]:
    """A key per row, equal where all cells are: numbers but for rounding, and missing cells with missing ones."""
    codes = np.round(space.codes(frame), _DIGITS) + 0.0
    gaps = frame[space.numeric + space.categorical].isna().to_numpy()
    return [row.tobytes() for row in np.where(gaps, -1e6, codes)]


def measured(table: LabelledTable, method: str, split: int) -> dict[str, Any]:
    """Copies, repeats and two-sample scores of synthetic rows of the rarest class; the same of held-out real rows."""
    rows = train_test_split(np.arange(len(table.y)), test_size=0.5, stratify=table.y, random_state=split)
    train, test = (table.rows(np.sort(part)) for part in rows)
    resampled = COMPETITORS[method]().resample(train, split)  # type: ignore[misc]
    rarest = int(np.bincount(train.y).argmin())
    is_new = np.arange(len(resampled.y)) >= len(train.y)
    made = resampled.frame[is_new & (resampled.y == rarest)].reset_index(drop=True)
    own, held_out = (part.frame[part.y == rarest].reset_index(drop=True) for part in (train, test))
    space = Space(train.frame, train.categorical)
    if method in SHOWN:  # it was given completed rows
        own, held_out = space.fill(own), space.fill(held_out)
    keys = {name: row_keys(space, frame) for name, frame in (("own", own), ("made", made), ("held out", held_out))}
    known, counts = set(keys["own"]), pd.Series(keys["own"]).value_counts()
    found: dict[str, Any] = {
        "n": len(own),
        "n_made": len(made),
        "copies": float(np.mean([key in known for key in keys["made"]])),
        "copies_held_out": float(np.mean([key in known for key in keys["held out"]])),
        "repeats": float(counts[counts > 1].sum() / len(own)),
        "distinct": len(set(keys["made"])),
        "held_out_made": float(np.mean(np.isin(keys["held out"], keys["made"]))),
    }
    for name, columns in (("all", space.numeric + space.categorical), ("labels", space.categorical)):
        if columns:
            found |= {f"{key}_{name}": value for key, value in _told_apart(space, held_out, made, columns).items()}
    return found


def _told_apart(space: Space, real: pd.DataFrame, made: pd.DataFrame, columns: list[str]) -> dict[str, Any]:
    """AUC of a forest that sees some columns, and the columns it goes by; kinds weigh the same however many rows they have."""
    known = space.numeric + space.categorical
    places = [known.index(column) for column in columns]
    gaps = [frame[known].isna().to_numpy() for frame in (real, made)]
    X = np.vstack([np.where(gap, -1e6, space.codes(frame)) for frame, gap in zip((real, made), gaps, strict=True)])
    X, is_made = X[:, places], np.repeat([0, 1], [len(real), len(made)])
    forest = RandomForestClassifier(50, class_weight="balanced", min_samples_leaf=2, random_state=0)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    said = cross_val_predict(forest, X, is_made, cv=folds, method="predict_proba")[:, 1]
    weights = pd.Series(forest.fit(X, is_made).feature_importances_, index=columns)
    return {"auc": float(roc_auc_score(is_made, said)), "importances": weights.nlargest(4).round(2).to_dict()}


def page(rows: list[dict[str, Any]]) -> str:
    """Markdown: a line per table and method, means over splits."""
    done = [row for row in rows if "error" not in row]
    last = done[-1]
    lines: dict[str, dict[str, str]] = {}
    for table in dict.fromkeys(row["table"] for row in done):
        for method in METHODS:
            own = [row for row in done if row["table"] == table and row["method"] == method]
            if not own:
                continue
            mean = {
                key: float(np.mean([row[key] for row in own])) for key in own[0] if isinstance(own[0][key], int | float)
            }
            lines[f"{table}, {mean['n']:.0f} rows, {SHOWN.get(method, method)}"] = {
                "copies": f"{mean['copies']:.3f}",
                "of held-out real rows": f"{mean['copies_held_out']:.3f}",
                "real rows that repeat": f"{mean['repeats']:.3f}",
                "distinct": f"{mean['distinct']:,.0f} of {mean['n_made']:,.0f}",
                "told apart (AUC)": f"{mean['auc_all']:.3f}",
                "by labels only": f"{mean['auc_labels']:.3f}" if "auc_labels" in mean else "-",
                "what the forest goes by": ", ".join(f"{k} {v:.2f}" for k, v in own[0]["importances_all"].items()),
            }
    frame = pd.DataFrame(lines).T
    frame.index.name = "table, rows of the class, method"
    parts = [
        "# Copies in small mixed tables",
        "Synthetic rows that repeat real ones teach a classifier nothing. How many do in small tables of numbers and "
        "labels, and do the labels of a synthetic row belong together?",
        "Half of each table (cut to 1,500 rows) is learnt from; synthetic rows of its rarest class, as many as balance asks for. "
        "*Copies*: share that equals a row of the class that was learnt from, in every cell. Beside it the share of held-out real "
        "rows of the class that do, and the share of real rows that repeat another. A forest (50 trees, three folds) tells "
        "synthetic rows from held-out real ones, by all columns and by the labels alone: .5 is guessing. SMOTENC (SMOTEN where all "
        f"columns hold labels) gets missing cells filled, and is compared with filled rows. {len(SPLITS)} split. CPU, "
        f"{last['machine']}, Python {last['python']}, commit {last['commit']}. Made by `python -m benchmarks.rebalancing.copies`.",
        markdown(frame),
    ]
    there = {(row["table"], row["method"]) for row in done}
    absent = [f"{t}, {SHOWN.get(m, m)}" for t in TABLES for m in METHODS if (t, m) not in there]
    parts += [f"Not run yet: {'; '.join(absent)}."] if absent else []
    failed = [f"- {row['table']}, {row['method']}, {row['split']}: {row['error']}" for row in rows if "error" in row]
    return "\n\n".join(parts + (["## Failed runs\n\n" + "\n".join(failed)] if failed else [])) + "\n"


def main() -> None:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.copies", description=__doc__)
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    path = (options.results or HERE / "results") / "copies.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(row["table"], row["method"], row["split"]) for row in rows}
    for name in [] if options.only_report else options.tables:
        table = load_labelled(name, 1500)
        for method in options.methods:
            for split in SPLITS:
                if (name, method, split) in done:
                    continue
                answer = run_apart(lambda t=table, m=method, s=split: measured(t, m, s), LIMIT)  # type: ignore[misc]
                rows.append({"table": name, "method": method, "split": split} | answer)
                with path.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
                said = rows[-1].get("error") or {k: rows[-1][k] for k in ("copies", "copies_held_out", "auc_all")}
                print(name, method, split, said, flush=True)
    text = page(rows)
    ((options.results or DOCS) / "rebalancing-copies.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
