"""Runs cells of a grid, one forked process each, a row of results per cell; starting again goes on where it stopped."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import BenchmarkTable, load_table
from benchmarks.imputation.config import Cell, Grid
from benchmarks.processes import run_apart

__all__ = ["amputed", "run_grid", "score"]


def run_grid(
    grid: Grid,
    results: Path,
    *,
    methods: Sequence[str] | None = None,
    tables: Sequence[str] | None = None,
    borrowed: Sequence[Path] = (),
    retry: bool = False,
) -> None:
    """Run what ``results`` (JSON lines) does not hold yet; ``methods`` and ``tables`` leave the others for later.

    ``borrowed`` are rows of other grids that cut their tables alike; what is there is not run again. ``retry``
    runs failed cells once more; the later row counts.
    """
    files = [path for path in (results, *borrowed) if path.exists()]
    rows = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    done = {_key(row) for row in rows if not (retry and row.get("error"))}
    wanted = [cell for cell in grid.cells() if cell.method in (methods or grid.methods)]
    wanted = [cell for cell in wanted if cell.table in (tables or grid.tables)]
    cells = [cell for cell in wanted if _key(asdict(cell)) not in done]
    results.parent.mkdir(parents=True, exist_ok=True)
    # An ended run must end its cell too, which has a process group of its own.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    for number, cell in enumerate(cells, 1):
        row = asdict(cell) | run_apart(partial(_run, cell, grid), grid.time_limit)
        with results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        outcome = row.get("error") or f"rmse {row['rmse']}, error rate {row['error_rate']}"
        print(
            f"[{number}/{len(cells)}] {cell.table} {cell.mechanism} {cell.rate} seed {cell.seed} {cell.method}: {outcome}",
            flush=True,
        )


def amputed(cell: Cell, grid: Grid) -> tuple[BenchmarkTable, pd.DataFrame, pd.DataFrame, np.ndarray, np.ndarray]:
    """The incomplete training table and test rows of a cell, with the truth and the hidden cells of both together."""
    from tabgan.tables.amputation import ampute

    table = load_table(cell.table, max_rows=grid.max_rows, max_columns=grid.max_columns, all_numeric=grid.all_numeric)
    truth = table.frame
    codes = truth.copy()
    for column in table.categorical:
        codes[column] = truth[column].astype("category").cat.codes.replace(-1, np.nan)
    observed = truth.notna().to_numpy()
    hidden = ampute(
        codes.to_numpy(float), cell.rate, mechanism=cell.mechanism, random_state=cell.seed, observed=observed
    )
    incomplete = truth.mask(hidden).where(~hidden, None if table.categorical else np.nan)
    for column in table.numeric:
        incomplete[column] = incomplete[column].astype(float)
    order = np.random.default_rng(cell.seed).permutation(len(truth))
    n_test = int(cell.test_fraction * len(truth))
    order = np.concatenate([np.sort(order[n_test:]), np.sort(order[:n_test])])
    incomplete, truth, hidden = incomplete.iloc[order], truth.iloc[order].reset_index(drop=True), hidden[order]
    incomplete = incomplete.reset_index(drop=True)
    train = BenchmarkTable(cell.table, incomplete.iloc[: len(truth) - n_test], table.categorical)
    return train, incomplete.iloc[len(truth) - n_test :], truth, hidden, order


def score(filled: pd.DataFrame, truth: pd.DataFrame, hidden: np.ndarray, categorical: list[str]) -> dict[str, Any]:
    """Error on hidden cells: numbers in column standard deviations and in column ranges, and the share of wrong categories."""
    squared, ranged, wrong = [], [], []
    for j, column in enumerate(truth.columns):
        cells = hidden[:, j]
        if not cells.any():
            continue
        true, guess = truth.loc[cells, column], filled.loc[cells, column]
        if guess.isna().any():
            raise ValueError(f"{int(guess.isna().sum())} cells of column {column!r} were left empty")
        if column in categorical:
            wrong.append((guess != true).to_numpy())
        else:
            error = (guess.astype(float) - true.astype(float)).to_numpy()
            full = truth[column].astype(float)
            squared.append((error / full.std(ddof=0)) ** 2)
            ranged.append((error / (full.max() - full.min())) ** 2)
    return {
        "rmse": _root(squared),
        "rmse_minmax": _root(ranged),
        "error_rate": float(np.mean(np.concatenate(wrong))) if wrong else None,
    }


def _root(parts: list[np.ndarray]) -> float | None:
    return float(np.sqrt(np.mean(np.concatenate(parts)))) if parts else None


def _run(cell: Cell, grid: Grid) -> dict[str, Any]:
    from benchmarks.imputation.competitors import COMPETITORS

    train, test, truth, hidden, _ = amputed(cell, grid)
    outcome = COMPETITORS[cell.method]()(train, test, cell.seed)
    filled = pd.concat([outcome.train, outcome.test], ignore_index=True)
    scored = slice(len(train.frame), None) if cell.test_fraction else slice(None)
    row = score(
        filled.iloc[scored].reset_index(drop=True),
        truth.iloc[scored].reset_index(drop=True),
        hidden[scored],
        train.categorical,
    )
    row |= {"fit_seconds": outcome.fit_seconds, "transform_seconds": outcome.transform_seconds}
    return row | {"n_rows": len(truth), "n_columns": truth.shape[1]} | outcome.notes


def _key(row: dict[str, Any]) -> tuple:
    return tuple(row[name] for name in Cell.__dataclass_fields__)
