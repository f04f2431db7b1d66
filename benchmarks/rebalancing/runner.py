"""Runs cells of a grid, one forked process each, a row of results per cell; starting again goes on where it stopped."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from benchmarks.processes import run_apart
from benchmarks.rebalancing.classifiers import probabilities, short_name
from benchmarks.rebalancing.competitors import COMPETITORS, Method, Resampled
from benchmarks.rebalancing.config import Cell, Grid, Limit
from benchmarks.rebalancing.fidelity import fidelity
from benchmarks.rebalancing.scores import best_thresholds, label_scores, probability_scores, repaired
from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import LabelledTable, load_labelled, splits
from tabgan.estimators.cross_validation import folds as stratified_folds
from tabgan.model_selection.scaling import Scaling, fit_scaling

__all__ = ["run_cell", "run_grid"]


def run_grid(
    grid: Grid,
    results: Path,
    *,
    methods: Sequence[str] | None = None,
    tables: Sequence[str] | None = None,
    folds: Sequence[int] | None = None,
    time_limit: float = 3600.0,
) -> int:
    """Run what ``results`` (JSON lines) does not hold yet; ``methods``, ``tables`` and ``folds`` leave the others for later.

    A method whose package or environment is missing gets one row that says why (``not_run``), and is tried again next time.
    Returns how many runs failed.
    """
    done = {_key(json.loads(line)) for line in results.read_text().splitlines()} if results.exists() else set()
    wanted = [cell for cell in grid.cells() if cell.method in (methods or grid.methods)]
    wanted = [cell for cell in wanted if cell.table in (tables or grid.tables) and cell.fold in (folds or grid.folds)]
    cells = [cell for cell in wanted if _key(asdict(cell)) not in done]
    results.parent.mkdir(parents=True, exist_ok=True)
    missing: set[str] = set()
    failed = 0
    for number, cell in enumerate(cells, 1):
        if cell.method in missing:
            continue
        table = load_labelled(cell.table, grid.max_rows, grid.coded)  # before the fork: read once
        row = asdict(cell) | run_apart(lambda table=table, cell=cell: run_cell(cell, grid, table), time_limit)  # type: ignore[misc]
        if "not_run" in row:
            missing.add(cell.method)
        failed += "error" in row
        with results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"[{number}/{len(cells)}] {cell.table} {cell.repeat}.{cell.fold} {cell.method}: {_said(row)}", flush=True)
    return failed


def run_cell(cell: Cell, grid: Grid, table: LabelledTable) -> dict[str, Any]:
    """Rebalance the training fold, fit every classifier, score the test fold."""
    try:
        method = COMPETITORS[cell.method]()
    except (ImportError, AttributeError, FileNotFoundError) as error:
        return {"not_run": f"{type(error).__name__}: {error}"}
    train_rows, test_rows = splits(table, grid.n_splits, cell.repeat)[cell.fold]
    train, test = table.rows(train_rows), table.rows(test_rows)
    seed = 1000 * cell.repeat + cell.fold
    found, resampled, seconds = _predictions(method, train, test, grid.classifiers, seed)
    held_out = None
    if table.n_classes == 2 and grid.inner_folds and grid.limits.get(cell.method, Limit()).inner:
        held_out = _held_out_predictions(method, train, grid, seed)
    row: dict[str, Any] = {
        "n_train": len(train.y),
        "n_test": len(test.y),
        "n_columns": table.frame.shape[1],
        "n_categorical": len(table.categorical),
        "class_rows": np.bincount(train.y).tolist(),
        "n_made": len(resampled.y) - len(train.y) if resampled else 0,
        "resample_seconds": seconds["resample"],
        "resample_cpu_seconds": seconds["resample_cpu"],
        "classifier_seconds": {short_name(name): seconds[name] for name in grid.classifiers},
        "notes": resampled.notes if resampled else {},
        "scores": {},
    }
    if grid.warned and resampled is not None and resampled.warnings is not None:
        row["notes"] = row["notes"] | {"warnings": resampled.warnings()}
    true_shares = np.bincount(train.y, minlength=table.n_classes) / len(train.y)
    scalings = _scalings(method, train, grid, seed, true_shares) if grid.scaling_folds else {}
    for name, p in found.items():
        scores = probability_scores(test.y, p)
        shares = _shares_trained_on(method, resampled, train)
        corrected = repaired(p, shares, true_shares)
        ways = {"repaired": corrected} | ({"scaled": scalings[name].applied(corrected)} if scalings else {})
        for way, q in ways.items():
            undone = probability_scores(test.y, q)
            scores |= {f"brier_{way}": undone["brier"], f"log_loss_{way}": undone["log_loss"]}
        scores |= label_scores(test.y, p.argmax(axis=1), table.n_classes)
        if held_out is not None:
            for measure, threshold in best_thresholds(train.y, held_out[name]).items():
                labels = (p[:, 1] >= threshold).astype(int)
                scores[f"{measure}_tuned"] = label_scores(test.y, labels, 2)[measure]
        row["scores"][short_name(name)] = scores
    if grid.fidelity and resampled is not None and row["n_made"]:
        made = resampled.frame.iloc[len(train.y) :].reset_index(drop=True), resampled.y[len(train.y) :]
        space = Space(train.frame, table.categorical)
        row["fidelity"] = fidelity(space, (train.frame, train.y), (test.frame, test.y), made, seed)
    return row


def _predictions(
    method: Method, train: LabelledTable, test: LabelledTable, classifiers: Sequence[str], seed: int
) -> tuple[dict[str, np.ndarray], Resampled | None, dict[str, float]]:
    """Probabilities of test rows by classifier, the rows trained on where they were changed, and seconds."""
    started, cpu = time.perf_counter(), _cpu_seconds()
    resampled = method.resample(train, seed) if method.resample else None
    seconds = {"resample": time.perf_counter() - started, "resample_cpu": _cpu_seconds() - cpu}
    if resampled:  # another environment's own clock leaves out its start and imports
        seconds["resample"] = resampled.notes.get("seconds", seconds["resample"])
    frame, y = (resampled.frame, resampled.y) if resampled else (train.frame, train.y)
    if train.coded:
        fitted_on, asked = frame.to_numpy(float), test.frame.to_numpy(float)
    else:
        space = Space(frame, train.categorical)
        fitted_on, asked = space.one_hot(frame), space.one_hot(test.frame)
    found = {}
    for name in classifiers:
        started = time.perf_counter()
        found[name] = probabilities(
            name, fitted_on, y, asked, train.n_classes, seed, weighted=method.weighted, bagged=method.bagged
        )
        seconds[name] = time.perf_counter() - started
    return found, resampled, seconds


def _scalings(
    method: Method, train: LabelledTable, grid: Grid, seed: int, true_shares: np.ndarray
) -> dict[str, Scaling]:
    """By classifier, what brings its repaired probabilities into line with training rows that neither it nor the sampler saw."""
    held_out = {name: np.empty((len(train.y), train.n_classes)) for name in grid.classifiers}
    for fitted, left_out in stratified_folds(train.y, grid.scaling_folds, seed):
        part = train.rows(fitted)
        inner, resampled, _ = _predictions(method, part, train.rows(left_out), grid.classifiers, seed)
        for name, p in inner.items():
            held_out[name][left_out] = repaired(p, _shares_trained_on(method, resampled, part), true_shares)
    return {name: fit_scaling(p, train.y) for name, p in held_out.items()}


def _held_out_predictions(method: Method, train: LabelledTable, grid: Grid, seed: int) -> dict[str, np.ndarray]:
    """Probabilities of class 1 for every training row, each from a fit that did not see it; rebalanced inside."""
    found = {name: np.empty(len(train.y)) for name in grid.classifiers}
    splitter = StratifiedKFold(grid.inner_folds, shuffle=True, random_state=seed)
    for fitted, left_out in splitter.split(train.frame, train.y):
        inner, _, _ = _predictions(method, train.rows(fitted), train.rows(left_out), grid.classifiers, seed)
        for name, p in inner.items():
            found[name][left_out] = p[:, 1]
    return found


def _shares_trained_on(method: Method, resampled: Resampled | None, train: LabelledTable) -> np.ndarray:
    if method.weighted or method.bagged:
        return np.full(train.n_classes, 1 / train.n_classes)
    y = resampled.y if resampled else train.y
    return np.bincount(y, minlength=train.n_classes) / len(y)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _said(row: dict[str, Any]) -> str:
    if "not_run" in row or "error" in row:
        return row.get("error") or f"not run, {row['not_run']}"
    mean = {measure: np.mean([s[measure] for s in row["scores"].values()]) for measure in ("auprc", "f1", "g_mean")}
    scores = ", ".join(f"{measure} {value:.3f}" for measure, value in mean.items())
    return f"{scores}; {row['resample_seconds']:.1f} s resampling, {row['cpu_seconds']:.1f} s in all"


def _key(row: dict[str, Any]) -> tuple:
    return (*(row[name] for name in Cell.__dataclass_fields__), "not_run" in row)
