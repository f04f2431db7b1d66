"""``python -m benchmarks.imputation.learning_curves``: what the network gains with fresh masks, and with rows.

The network of `GAINImputer` alone, on a simulated table: in every step other cells are hidden on purpose ("fresh masks"), or the same
8,192 masked rows are learnt from all along ("fixed masks").
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.imputation.report import markdown
from benchmarks.rows import run_missing, stored_rows
from tabgan._runtime import make_generator
from tabgan.core.callbacks import AVERAGE_DECAY
from tabgan.core.run import Run, Stopping, train
from tabgan.imputation.learning import Learning, quantile_edges
from tabgan.imputation.stages import network
from tabgan.imputation.stages.closed_form import STAGE, ClosedForm
from tabgan.imputation.stages.network import BATCH_SIZE, FreshBatch, FreshTask, Network
from tabgan.spans import Span

__all__ = ["run", "simulated"]

ROWS = (2_000, 20_000, 200_000)
N_STEPS = 1500
POOL = 8192
JUDGED = 5000
_OPENING = """# Learning curves of the network

Does it pay to hide other cells in every step? The network of `GAINImputer` alone learns a simulated table of 16 columns, 20 % of whose
cells are missing at random. **Fresh masks**: in every step other cells are hidden on purpose. **Fixed masks**: 8,192 masked rows are
drawn once and learnt from all along. RMSE in column standard deviations on the missing cells of 5,000 rows that training never saw;
lower is better.

![Error over training steps, fresh and fixed masks](learning_curves.png)

"""


class PoolTask(FreshTask):
    """The same with masks that are drawn once."""

    pool: FreshBatch | None = None

    def batch(self, generator: torch.Generator) -> FreshBatch:
        """Rows of the pool."""
        if self.pool is None:
            size, self.batch_size = self.batch_size, POOL
            self.pool, self.batch_size = super().batch(generator), size
        chosen = torch.randint(POOL, (self.batch_size,), generator=generator)
        return FreshBatch(*(getattr(self.pool, name)[chosen] for name in ("values", "shown", "hidden", "closed")))


def simulated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A table of 16 columns that bend with five factors, and which of its cells are missing; single precision."""
    rng = np.random.default_rng(seed)
    weights = np.random.default_rng(7).normal(size=(3, 5, 16))  # the same table at every size
    factors = rng.normal(size=(n, 5))
    bent = factors @ weights[0] + 1.5 * np.sin(factors @ weights[1]) + 0.5 * (factors @ weights[2]) ** 2
    values = (bent - bent.mean(0)) / bent.std(0) + 0.2 * rng.normal(size=(n, 16))
    return values.astype(np.float32), rng.random((n, 16)) < 0.2


def run(rows: int, masks: str, seed: int) -> dict[str, Any]:
    """One curve."""
    values, missing = simulated(rows + JUDGED, seed)
    truth, visible = torch.from_numpy(values), torch.from_numpy(~missing).float()
    spans = tuple(Span("numeric", j, j + 1) for j in range(16))
    progress = Run(make_generator(seed), torch.device("cpu"), None, False)
    learnt = torch.where(visible > 0, truth, 0.0)[:rows]
    learning = Learning(learnt, visible[:rows], torch.zeros_like(visible[:rows]), spans, progress, {}, seed=seed)
    closed_form: Any = STAGE.fit(learning)
    learning.stages.append(closed_form)
    kind = {"fresh": FreshTask, "fixed": PoolTask}[masks]
    task = kind(learning, learning.masked.trail.stage(ClosedForm), BATCH_SIZE)
    module = Network(spans, quantile_edges(learning, 16), generator=learning.generator(network.NAME)).float()
    asked, seen = truth[rows:], visible[rows:]
    closed = task.closed_form.quick(torch.where(seen > 0, asked, 0.0), seen)

    @torch.no_grad()
    def error(module: Any) -> float:
        return float((module(asked, seen, closed) - asked)[seen <= 0].square().mean().sqrt())

    started = time.process_time()
    trained = train(
        {network.NAME: module},
        [network.phase_of(task, N_STEPS)],
        task,
        replace(progress, generator=learning.generator(network.NAME)),
        N_STEPS,
        description="",
        averages={network.NAME: AVERAGE_DECAY},
        stopping=Stopping(network.NAME, error, patience=N_STEPS, every=50),
    )
    scored = [(row["step"], row["validation"]) for row in trained.history if "validation" in row]
    curve = {"steps": [step for step, _ in scored], "rmse": [score for _, score in scored]}
    return (
        curve
        | {"closed_form": float((closed - asked)[seen <= 0].square().mean().sqrt())}
        | {"cpu_seconds": time.process_time() - started}
    )


def main() -> None:
    """Run what the results file does not hold yet, and write page and plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.learning_curves", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--only-report", action="store_true")
    options = parser.parse_args()
    here = Path(__file__).parent
    path = here / "results" / "learning_curves.jsonl"
    torch.set_num_threads(1)
    if not options.only_report:
        cells = [{"rows": rows, "masks": masks, "seed": 0} for rows in options.rows for masks in ("fresh", "fixed")]
        run_missing(path, cells, run)
    docs = here.parents[1] / "docs" / "benchmarks"
    rows = pd.DataFrame(stored_rows(path)).sort_values(["rows", "masks"])
    _plot(rows, docs / "learning_curves.png")
    (docs / "learning_curves.md").write_text(_page(rows))


def _page(rows: pd.DataFrame) -> str:
    lines = {}
    for n, pair in rows.groupby("rows"):
        line = {"closed form": f"{pair['closed_form'].iloc[0]:.3f}"}
        for masks, row in pair.set_index("masks").iterrows():
            line[f"{masks} masks, best"] = f"{min(row['rmse']):.3f}"
            line[f"{masks} masks, at the end"] = f"{row['rmse'][-1]:.3f}"
            line[f"{masks} masks, CPU s"] = f"{row['cpu_seconds']:.0f}"
        lines[f"{n:,}"] = line
    table = pd.DataFrame(lines).T
    table.index.name = "rows"
    made = "`python -m benchmarks.imputation.learning_curves`, one seed, one thread"
    return f"{_OPENING}{markdown(table)}\n\n{N_STEPS:,} steps of {BATCH_SIZE:,} rows, 128 wide. Made by {made}.\n"


def _plot(rows: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    sizes = sorted(rows["rows"].unique())
    figure = Figure(figsize=(3.2 * len(sizes), 3.0), layout="constrained")
    for axes, n in zip(np.atleast_1d(figure.subplots(1, len(sizes), sharey=True)), sizes, strict=True):
        for _, row in rows[rows["rows"] == n].iterrows():
            axes.plot(row["steps"], row["rmse"], label=f"{row['masks']} masks")
        axes.axhline(row["closed_form"], color="0.6", ls=":", label="closed form")
        axes.set(title=f"{n:,} rows", xlabel="step")
    figure.axes[0].set_ylabel("RMSE on unseen rows")
    figure.axes[0].legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
