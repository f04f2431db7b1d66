"""``python -m benchmarks.rebalancing.cost``: seconds and memory of rebalancing by rows, columns and classes, on simulated tables.

Every run has a process of its own, with one thread, and begins after the imports. Memory is the process's peak above those and holds
the table itself and what comes back.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from benchmarks.rebalancing.competitors import COMPETITORS
from benchmarks.rebalancing.tables import LabelledTable

__all__ = ["CASES", "Case", "growth", "measured", "page", "simulated"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
METHODS = ("SMOTE", "BAGANOversampler", "CGANSampler")
LIMIT = 1800.0


@dataclass(frozen=True)
class Case:
    """A simulated table.

    Parameters
    ----------
    rows, columns : int
        Its size.
    rare : int
        Rows of the rarest class.
    classes : int, default=2
        Classes; of more than two, sizes fall as one over their rank, and ``rare`` is not used.
    labels : int, default=0
        How many columns hold labels, of eight levels each; a tenth of the cells of the first of each kind is then missing.
    """

    rows: int
    columns: int
    rare: int
    classes: int = 2
    labels: int = 0

    def __str__(self) -> str:
        kinds = f", {self.labels} of labels, with missing values" if self.labels else ""
        what = f"{self.rare:,} rare" if self.classes == 2 else f"{self.classes} classes"
        return f"{self.rows:,} x {self.columns} ({what}{kinds})"


BY_ROWS = tuple(Case(n, 20, 300) for n in (5_000, 20_000, 50_000, 100_000, 200_000))
"""What the growth with the rows is read from."""
CASES = (
    Case(2_000, 11, 200),
    *BY_ROWS,
    Case(1_000_000, 20, 3_000),
    Case(100_000, 20, 45_000),
    Case(100_000, 20, 0, classes=20),
    Case(10_000, 20, 0, classes=100),
    Case(100_000, 16, 300, labels=8),
)


def simulated(case: Case) -> LabelledTable:
    """Normal columns, correlated, each class about a centre of its own."""
    rng = np.random.default_rng(0)
    if case.classes == 2:
        y = np.zeros(case.rows, dtype=int)
        y[rng.choice(case.rows, case.rare, replace=False)] = 1
    else:
        shares = 1 / np.arange(1, case.classes + 1)
        y = np.r_[np.repeat(np.arange(case.classes), 3), np.zeros(case.rows - 3 * case.classes, dtype=int)]
        y[3 * case.classes :] = rng.choice(case.classes, case.rows - 3 * case.classes, p=shares / shares.sum())
    n_numbers = case.columns - case.labels
    mixing = np.eye(n_numbers) + 0.2 * rng.normal(size=(n_numbers, n_numbers))
    numbers = rng.normal(size=(case.rows, n_numbers)) @ mixing
    numbers += (rng.normal(size=(case.classes, n_numbers)) * (0.5 if case.classes == 2 else 1.5))[y]
    frame = pd.DataFrame(numbers, columns=[f"x{j}" for j in range(n_numbers)])
    labels = tuple(f"label{j}" for j in range(case.labels))
    for name in labels:
        frame[name] = rng.choice(list("abcdefgh"), case.rows)
    for name in ("x0", "label0") if labels else ():
        frame[name] = frame[name].mask(rng.random(case.rows) < 0.1, None)
    return LabelledTable(str(case), frame, y, labels, tuple(f"class {k}" for k in range(case.classes)))


def measured(case: Case, method: str, seed: int) -> dict[str, Any]:
    """CPU seconds and wall-clock seconds of rebalancing, and how many rows came of it."""
    resample = COMPETITORS[method]().resample
    assert resample is not None
    table = simulated(case)
    cpu, wall = time.process_time(), time.perf_counter()
    answer = resample(table, seed)
    seconds = {"resample_cpu": time.process_time() - cpu, "resample": time.perf_counter() - wall}
    return seconds | {"n_made": len(answer.y) - len(table.y)}


def growth(seconds: dict[int, float]) -> float:
    """The exponent of rows that fits seconds best, by least squares of logarithms; nan for fewer than two sizes."""
    if len(seconds) < 2:
        return float("nan")
    return float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])


def page(rows: list[dict[str, Any]]) -> str:
    """Markdown: seconds and memory by table and method, and how seconds grow with the rows."""
    done = [row for row in rows if "error" not in row]
    last, names = done[-1], {json.dumps(asdict(case)): str(case) for case in CASES}
    lines: dict[str, dict[str, str]] = {}
    for row in done:
        line = lines.setdefault(names.get(json.dumps(row["case"]), str(row["case"])), {})
        line["synthetic rows"] = f"{row['n_made']:,}"
        line[f"{row['method']}, CPU s"] = f"{row['resample_cpu']:.3g}"
        line[f"{row['method']}, MB"] = f"{row['peak_mb'] - row['base_mb']:,.0f}"
    shown = pd.DataFrame(lines).T.fillna("-")
    shown.index.name = "table"
    by_rows = [asdict(case) for case in BY_ROWS]
    exponents = {
        method: growth(
            {r["case"]["rows"]: r["resample_cpu"] for r in done if r["method"] == method and r["case"] in by_rows}
        )
        for method in METHODS
    }
    sizes = f"from {BY_ROWS[0].rows:,} to {BY_ROWS[-1].rows:,} rows"
    parts = [
        "# What rebalancing costs, by rows",
        "How much time and memory does it take to rebalance a table, and how do they grow with its rows?",
        "Simulated tables (correlated normal columns, a centre per class), all classes brought to the size of the largest, samplers "
        "with their defaults; SMOTE is imbalanced-learn's, SMOTENC where there are labels. One thread. Memory is the peak above the "
        f"imports, table and result within it. CPU, {last['machine']}, Python {last['python']}, torch {last['torch']}, commit "
        f"{last['commit']}. Made by `python -m benchmarks.rebalancing.cost`.",
        markdown(shown),
        f"CPU seconds grow {sizes} as rows to the power of "
        + ", ".join(f"{power:.2f} ({method})" for method, power in exponents.items() if np.isfinite(power))
        + ".",
    ]
    failed = [f"- {row['case']}, {row['method']}: {row['error']}" for row in rows if "error" in row]
    return "\n\n".join(parts + (["## Failed runs\n\n" + "\n".join(failed)] if failed else [])) + "\n"


def main() -> None:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.cost", description=__doc__)
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument("--methods", nargs="+", default=METHODS, help="run these methods only")
    parser.add_argument("--most-rows", type=int, default=1_000_000, help="leave larger tables for later")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    path = (options.results or HERE / "results") / "cost.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for case in CASES:
        for method in options.methods:
            if options.only_report or case.rows > options.most_rows:
                continue
            if any(row["case"] == asdict(case) and row["method"] == method for row in rows):
                continue
            measured(Case(200, 3, 30), method, 0)  # imports what comes late, before the process forks
            answer = run_apart(lambda c=case, m=method: measured(c, m, 0), LIMIT)  # type: ignore[misc]
            rows.append({"case": asdict(case), "method": method} | answer)
            with path.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            print(case, method, rows[-1].get("error") or f"{rows[-1]['resample_cpu']:.2f} CPU s", flush=True)
    text = page(rows)
    ((options.results or DOCS) / "rebalancing-cost.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
