"""Repetitions to rows of results. A row holds some repetitions of one method in one scenario at one size, and numbers of each."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.imputation.inference.estimands import Estimate, estimate_from
from benchmarks.imputation.inference.filling import Fill
from benchmarks.imputation.inference.mice import mice_version
from benchmarks.imputation.inference.scenarios import SCENARIOS
from benchmarks.processes import commit
from benchmarks.rows import stored_rows

__all__ = ["estimates_frame", "run_cell"]

KEY = ("scenario", "n", "method", "m")
CHUNK = 20
"""Repetitions per row: what an interruption loses."""


def run_cell(path: Path, cell: Mapping[str, Any], repeats: int, fill: Fill) -> None:
    """Run those of repetitions 0 to ``repeats - 1`` of a cell that the file does not hold yet, and append rows.

    Parameters
    ----------
    path : Path
    cell : dict
        ``scenario``, ``n``, ``method`` and ``m``.
    repeats : int
    fill : Fill
        The method.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {seed for row in stored_rows(path) if all(row[k] == cell[k] for k in KEY) for seed in row["seeds"]}
    left = [seed for seed in range(repeats) if seed not in done]
    for start in range(0, len(left), CHUNK):
        row = _run(cell, left[start : start + CHUNK], fill)
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print({k: row[k] for k in (*KEY, "seeds", "seconds", "failures")}, flush=True)


def _run(cell: Mapping[str, Any], seeds: Sequence[int], fill: Fill) -> dict[str, Any]:
    scenario = SCENARIOS[cell["scenario"]]
    works = [(scenario.case(cell["n"], seed), seed) for seed in seeds]
    found: dict[str, dict[str, list[float | None]]] = {
        estimand.name: {part: [] for part in Estimate.__dataclass_fields__} for estimand in scenario.estimands
    }
    failures: dict[str, str] = {}
    started, cpu = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for (_, seed), tables in zip(works, fill(works, scenario.kinds, cell["m"]), strict=True):
            for estimand in scenario.estimands:
                values: dict[str, Any] = dict.fromkeys(Estimate.__dataclass_fields__)
                try:
                    if isinstance(tables, Exception):
                        raise tables
                    values = asdict(estimate_from(estimand, tables))
                except Exception as error:
                    failures[str(seed)] = f"{type(error).__name__}: {error}"[:300]
                for part, value in values.items():
                    found[estimand.name][part].append(None if value is None else float(f"{value:.6g}"))
    seconds = {"seconds": round(time.perf_counter() - started, 2), "cpu_seconds": round(time.process_time() - cpu, 2)}
    return {**cell, "seeds": list(seeds), "estimates": found, "failures": failures} | seconds | _where(cell["method"])


def _where(method: str) -> dict[str, Any]:
    """What the numbers come from."""
    if method.startswith("mice "):
        return {"package": mice_version(), "commit": commit()}
    name = "scikit-learn" if "IterativeImputer" in method else "tabgan-learn"
    try:
        return {"package": f"{name} {version(name)}", "commit": commit()}
    except PackageNotFoundError:
        return {"package": name, "commit": commit()}


def estimates_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A line per scenario, n, method, m, estimand and seed: ``estimate``, ``error``, ``df``, ``fmi``; NaN where it failed.

    Of a repetition that stands in several rows, the last counts.
    """
    lines = [
        {name: row[name] for name in KEY}
        | {"estimand": estimand, "seed": seed}
        | {part: values[part][k] for part in values}
        for row in rows
        for estimand, values in row["estimates"].items()
        for k, seed in enumerate(row["seeds"])
    ]
    frame = pd.DataFrame(lines, columns=[*KEY, "estimand", "seed", *Estimate.__dataclass_fields__])
    frame = frame.drop_duplicates([*KEY, "estimand", "seed"], keep="last")
    return frame.astype(dict.fromkeys(Estimate.__dataclass_fields__, float))
