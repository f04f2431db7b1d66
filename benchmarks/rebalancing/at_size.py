"""``python -m benchmarks.rebalancing.at_size``: whether synthetic rows of large classes pass for real ones.

Half of a table is learnt from. Of each class a forest then has to tell synthetic rows from real rows of the other half, which no
sampler saw; what it looks at is kept, and so is how near synthetic rows lie to rows learnt from, as against those real ones.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.neighbors import NearestNeighbors

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from benchmarks.rebalancing.bank_like import bank_like
from benchmarks.rebalancing.fidelity import correlation_difference
from benchmarks.rebalancing.scores import label_scores, probability_scores
from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import LabelledTable, load_labelled

__all__ = ["METHODS", "TABLES", "halves", "judged", "measured", "page"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
LIMIT = 900.0
MOST_TOLD = 2000  # rows of either kind that the forest has to tell apart
MOST_NEAREST = 1500
FEWEST = 50  # real rows of the other half without which a class is left out

TABLES: dict[str, Callable[[], LabelledTable]] = {
    "default_credit_card, 12,000 rows": lambda: load_labelled("default_credit_card", 12_000),
    "default_credit_card": lambda: load_labelled("default_credit_card", None),
    "adult_train": lambda: load_labelled("adult_train", None),
    "bank-like, 45,000 rows": lambda: bank_like(45_000),
    "bank-like, 120,000 rows": lambda: bank_like(120_000),
    "mammography": lambda: load_labelled("mammography", None),
    "caravan": lambda: load_labelled("caravan", None),
    "made_binary": lambda: load_labelled("made_binary", None),
}
REAL = "real rows"
_OURS: dict[str, tuple[str, dict[str, Any]]] = {
    "BAGANOversampler": ("BAGANOversampler", {}),
    "CGANSampler": ("CGANSampler", {}),
    "BAGANOversampler, redraws=0": ("BAGANOversampler", {"redraws": 0}),
    "BAGANOversampler, redraws=0, n_steps=0": ("BAGANOversampler", {"redraws": 0, "n_steps": 0}),
    "CGANSampler, redraws=0": ("CGANSampler", {"redraws": 0}),
    "CGANSampler, redraws=0, n_steps=0": ("CGANSampler", {"redraws": 0, "n_steps": 0}),
    "CGANSampler, start='noise'": ("CGANSampler", {"start": "noise", "n_steps": 2000}),
    "CGANSampler, start='noise', redraws=0": ("CGANSampler", {"start": "noise", "redraws": 0, "n_steps": 2000}),
}
METHODS = (REAL, "SMOTENC", "repetition with noise", *_OURS)


@cache
def halves(name: str) -> tuple[LabelledTable, LabelledTable]:
    """Rows to learn from, and rows to be judged by."""
    table = TABLES[name]()
    rows = train_test_split(np.arange(len(table.y)), test_size=0.5, stratify=table.y, random_state=0)
    return table.rows(np.sort(rows[0])), table.rows(np.sort(rows[1]))


def measured(name: str, method: str, seed: int) -> dict[str, Any]:
    """Measures by class, scores of classifiers trained on the rebalanced half, and seconds."""
    train, test = halves(name)
    space = Space(train.frame, train.categorical)
    counts = np.bincount(train.y)
    classes = [c for c in range(train.n_classes) if (test.y == c).sum() >= FEWEST]
    cpu, before = time.process_time(), _peak_mb()
    frame, y, sample, told = _resampler(method)(train, space, seed)
    row: dict[str, Any] = {"resample_cpu": time.process_time() - cpu, "resample_mb": _peak_mb() - before}
    row |= {"methods": told, "classes": {}}
    for c in classes:
        own, held_out = train.frame[train.y == c], test.frame[test.y == c]
        made = own if method == REAL else sample(c, min(MOST_TOLD, int(counts[c])))
        row["classes"][str(c)] = {"n": int(counts[c])} | judged(space, own, held_out, made, seed)
    row["scores"] = _downstream(Space(frame, train.categorical), frame, y, test)
    return row


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def judged(
    space: Space, train: pd.DataFrame, held_out: pd.DataFrame, made: pd.DataFrame, seed: int = 0
) -> dict[str, Any]:
    """How synthetic rows of a class differ from real ones that nobody learnt from.

    Parameters
    ----------
    space : Space
        Fitted to the rows learnt from.
    train, held_out, made : pandas.DataFrame
        Rows of the class: learnt from, real and not seen, synthetic.
    seed : int, default=0
    """
    rng = np.random.default_rng(seed)
    n = min(len(held_out), len(made), MOST_TOLD)
    both = [_cells(space, frame)[rng.permutation(len(frame))[:n]] for frame in (held_out, made)]
    X, is_made = np.vstack(both), np.repeat([0, 1], n)
    forest = RandomForestClassifier(100, n_jobs=1, random_state=seed)
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    said = cross_val_predict(forest, X, is_made, cv=folds, method="predict_proba")[:, 1]
    weights = pd.Series(forest.fit(X, is_made).feature_importances_, index=space.numeric + space.categorical)
    ranks = _Ranks(space, train)
    nearest = NearestNeighbors(n_neighbors=1).fit(ranks(train))
    some = [ranks(frame.iloc[rng.permutation(len(frame))[:MOST_NEAREST]]) for frame in (held_out, made)]
    real, synthetic = (nearest.kneighbors(rows)[0][:, 0] for rows in some)
    numbers = [space.codes(frame)[:, : len(space.numeric)] for frame in (held_out, made)]
    found = {
        "two_sample_auc": float(roc_auc_score(is_made, said)),
        "importances": weights.nlargest(6).round(3).to_dict(),
        "copies": float((synthetic < 1e-6).mean()),
        "copies_of_real": float((real < 1e-6).mean()),
        "nearest": float(np.median(synthetic) / max(np.median(real), 1e-12)),
        "nearer_than_5_percent": float((synthetic < np.quantile(real, 0.05)).mean()),
    }
    if space.numeric:
        parts = zip(*(part.T for part in numbers), strict=True)
        found["wasserstein"] = float(np.mean([wasserstein_distance(a, b) for a, b in parts]))
        found["correlation_difference"] = correlation_difference(*numbers, len(space.numeric))
    if space.categorical:
        shares = [
            [frame[column].value_counts(normalize=True) for frame in (held_out, made)] for column in space.categorical
        ]
        found["total_variation"] = float(np.mean([a.sub(b, fill_value=0).abs().sum() / 2 for a, b in shares]))
    return found


class _Ranks:
    """Numbers as their ranks among rows learnt from, labels one-hot: distances that no long tail rules."""

    def __init__(self, space: Space, train: pd.DataFrame) -> None:
        self._space, self._sorted = space, np.sort(space.codes(train)[:, : len(space.numeric)], axis=0)

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        rows = self._space.one_hot(frame)
        for j, column in enumerate(self._sorted.T):
            sides = [np.searchsorted(column, rows[:, j], side=side) for side in ("left", "right")]
            rows[:, j] = (sides[0] + sides[1]) / (2 * len(column))
        rows[:, self._sorted.shape[1] :] /= 2**0.5  # two rows with other labels are 1 apart
        return rows


def _cells(space: Space, frame: pd.DataFrame) -> np.ndarray:
    """What the forest sees: cells as they are, missing ones at a place of their own, labels as codes."""
    codes = space.codes(frame)
    gaps = frame[space.numeric + space.categorical].isna().to_numpy()
    return np.where(gaps, -1e6, codes)


Sample = Callable[[int, int], pd.DataFrame]


def _resampler(method: str) -> Callable[..., tuple[pd.DataFrame, np.ndarray, Sample, Any]]:
    """From rows to learn from: rebalanced rows, their classes, what gives further rows of a class, and how."""
    if method == REAL:
        return lambda train, space, seed: (train.frame, train.y, lambda c, n: train.frame, None)
    if method in _OURS:
        return lambda train, space, seed: _ours(method, train, seed)
    return lambda train, space, seed: _imblearn(method, train, space, seed)


def _ours(method: str, train: LabelledTable, seed: int) -> tuple[pd.DataFrame, np.ndarray, Sample, Any]:
    import tabgan

    name, parameters = _OURS[method]
    sampler = getattr(tabgan, name)(random_state=seed, **parameters)
    frame, y = sampler.fit_resample(train.frame, pd.Series(train.y, name="class"))
    told = {str(label): how for label, how in sampler.methods_.items()}
    return frame, np.asarray(y).astype(int), lambda c, n: sampler.sample(n, y=c, random_state=seed)[0], told


def _imblearn(
    method: str, train: LabelledTable, space: Space, seed: int
) -> tuple[pd.DataFrame, np.ndarray, Sample, Any]:
    from imblearn.over_sampling import SMOTE, SMOTENC, RandomOverSampler

    codes, counts = space.codes(train.frame), np.bincount(train.y)
    labels = list(range(len(space.numeric), codes.shape[1]))

    def made(wanted: dict[int, int] | str) -> tuple[np.ndarray, np.ndarray]:
        if method != "SMOTENC":
            sampler: Any = RandomOverSampler(sampling_strategy=wanted, shrinkage=1.0, random_state=seed)
        elif labels:
            sampler = SMOTENC(labels, sampling_strategy=wanted, random_state=seed)
        else:
            sampler = SMOTE(sampling_strategy=wanted, random_state=seed)
        return sampler.fit_resample(codes, train.y)

    def sample(c: int, n: int) -> pd.DataFrame:
        return space.from_codes(made({c: int(counts[c]) + n})[0][len(codes) :])

    matrix, y = made("auto")
    frame = pd.concat([space.fill(train.frame), space.from_codes(matrix[len(codes) :])], ignore_index=True)
    return frame, y, sample, None


def _downstream(space: Space, frame: pd.DataFrame, y: np.ndarray, test: LabelledTable) -> dict[str, dict[str, float]]:
    fitted_on, asked = space.one_hot(frame), space.one_hot(test.frame)
    scores = {}
    for name, model in {
        "logistic": LogisticRegression(max_iter=500),
        "boosting": HistGradientBoostingClassifier(random_state=0),
    }.items():
        p = model.fit(fitted_on, y).predict_proba(asked)
        found = probability_scores(test.y, p) | label_scores(test.y, p.argmax(axis=1), test.n_classes)
        scores[name] = {measure: found[measure] for measure in ("f1", "g_mean", "balanced_accuracy", "auprc")}
    return scores


def page(rows: list[dict[str, Any]]) -> str:
    """Markdown: a line per table, class and method, then scores downstream, and what gave rows away; of repeated runs the last."""
    rows = list({(row["table"], row["method"]): row for row in rows}.values())
    done = [row for row in rows if "error" not in row]
    last = done[-1]
    commits = ", ".join(f"{name} {n}" for name, n in pd.Series([row["commit"] for row in done]).value_counts().items())
    parts = [
        "# Do synthetic rows of large classes pass for real ones?",
        "A forest is shown synthetic rows of a class and as many real rows that no sampler saw, and has to tell which are which. At "
        ".5 it guesses, at 1 it is always right. The other columns say how far columns and correlations are from those of real rows, "
        "and how close synthetic rows lie to rows that were learnt from: a sampler that copies would pass every other test.",
        f"Half of each table is learnt from. Up to {MOST_TOLD:,} rows of either kind (forest of 100 trees, three folds). *Columns*: "
        "mean Wasserstein distance of numbers, in standard deviations. *Labels*: mean total variation of labels. *Correlations*: mean "
        "absolute difference. *Nearest*: median distance to the closest row learnt from, as a multiple of that of the real rows "
        "(numbers as ranks; 1: no closer than they). *Near copies*: share that lies closer than the closest 5 % of the real rows "
        "(.05: as often as they). *Copies*: exact ones, in brackets those among the real rows. *MB*: peak memory of resampling above "
        "what the process held. The bank-like tables are simulated "
        "(`benchmarks/rebalancing/bank_like.py`). "
        f"CPU, {last['machine']}, Python {last['python']}; rows by commit: {commits}. "
        "Made by `python -m benchmarks.rebalancing.at_size`.",
    ]
    for name in dict.fromkeys(row["table"] for row in done):
        own = [row for row in done if row["table"] == name]
        lines: dict[str, dict[str, str]] = {}
        for c in own[0]["classes"]:
            for row in own:
                one = row["classes"][c]
                lines[f"{one['n']:,}, {row['method']}"] = _line(one, row)
        frame = pd.DataFrame(lines).T.fillna("-")
        frame.index.name = "rows of the class, method"
        scores = pd.DataFrame({row["method"]: _scores(row) for row in own}).T
        scores.index.name = "method"
        parts += [f"## {name}", markdown(frame), "Scores on the real rows of the other half:", markdown(scores)]
    given = {}
    for row in done:
        for one in row["classes"].values():
            found = ", ".join(f"{column} {weight:.2f}" for column, weight in one["importances"].items())
            given[f"{row['table']}, {one['n']:,}, {row['method']}"] = {"forest's importances": found}
    frame = pd.DataFrame(given).T
    frame.index.name = "table, rows of the class, method"
    parts += ["## What the forest looks at", markdown(frame)]
    failed = [f"- {row['table']}, {row['method']}: {row['error']}" for row in rows if "error" in row]
    return "\n\n".join(parts + (["## Failed runs\n\n" + "\n".join(failed)] if failed else [])) + "\n"


def _line(one: dict[str, Any], row: dict[str, Any]) -> dict[str, str]:
    found = {"told apart (AUC)": f"{one['two_sample_auc']:.3f}"}
    for column, key in (("columns", "wasserstein"), ("labels", "total_variation")):
        found[column] = f"{one[key]:.3f}" if key in one else "-"
    found["correlations"] = f"{one['correlation_difference']:.3f}" if "correlation_difference" in one else "-"
    if row["method"] == REAL:  # these are the rows learnt from
        return found | {"nearest": "-", "near copies": "-", "copies": "-", "CPU s": "-", "MB": "-"}
    return found | {
        "nearest": f"{one['nearest']:.2f}",
        "near copies": f"{one['nearer_than_5_percent']:.3f}",
        "copies": f"{one['copies']:.3f} ({one['copies_of_real']:.3f})",
        "CPU s": f"{row['resample_cpu']:.1f}",
        "MB": f"{row['resample_mb']:,.0f}" if "resample_mb" in row else "-",
    }


def _scores(row: dict[str, Any]) -> dict[str, str]:
    shown = {"f1": "F1", "g_mean": "G-mean", "balanced_accuracy": "balanced accuracy", "auprc": "AUPRC"}
    return {
        f"{name}, {shown[measure]}": f"{value:.3f}"
        for name, scores in row["scores"].items()
        for measure, value in scores.items()
    }


def main() -> None:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.at_size", description=__doc__)
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=[name for name in TABLES if name[:4] != "made"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--again", action="store_true", help="also run what has rows; the last of each counts")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    path = (options.results or HERE / "results") / "at_size.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for name in options.tables:
        for method in options.methods:
            is_there = any(row["table"] == name and row["method"] == method for row in rows)
            if options.only_report or (is_there and not options.again):
                continue
            halves(name)  # before the fork: read once
            answer = run_apart(lambda n=name, m=method: measured(n, m, 0), LIMIT)  # type: ignore[misc]
            rows.append({"table": name, "method": method} | answer)
            with path.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            said = rows[-1].get("error") or {c: one["two_sample_auc"] for c, one in rows[-1]["classes"].items()}
            print(name, method, said, flush=True)
    text = page(rows)
    ((options.results or DOCS) / "rebalancing-at-size.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
