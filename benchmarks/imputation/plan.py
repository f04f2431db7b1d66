"""How fit and transform would go on many workers: measured costs per row, carried on by a simulation of queue and merge tree.

``python -m benchmarks.imputation.plan --measure`` measures on this machine and keeps the figures; without, the page
``docs/benchmarks/plan.md`` is made of those that are kept.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.imputation.streaming import batches
from tabgan.engines.row_sample import RowSample

KEPT = Path(__file__).parent / "results" / "plan.json"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "plan.md"
SAMPLE = 100_000
"""Rows of the sample."""
PART = 100_000
"""Rows of a part."""
GIB = 2**30


@dataclass(frozen=True)
class Cluster:
    """What is assumed of the machines.

    Parameters
    ----------
    network : float
        Bytes per second into one worker, 10 Gbit/s.
    storage : float
        Bytes per second that the storage gives or takes from all workers together.
    spread : float
        Of the logarithm of a part's time: neighbours, slower disks.
    failing : float
        Share of parts whose worker dies on the way; they are done again from their start.
    start : float
        Seconds until a worker has imported everything and read the model.
    fan_in : int
        Samples that one worker merges at a level of the tree.
    """

    network: float = 1.25e9
    storage: float = 20e9
    spread: float = 0.25
    failing: float = 1e-3
    start: float = 10.0
    fan_in: int = 8


@dataclass(frozen=True)
class Model:
    """What the benchmark `streaming` says of the imputer with ``effort="fast"``: docs/benchmarks/streaming.md.

    Parameters
    ----------
    transform : float
        Seconds of one core per row.
    fit : float
        Seconds of a fit to the sample.
    size : float
        Bytes of a model file, assumed.
    """

    transform: float = 26e-6  # 30 of a further row, of which 4 to read, sample and write it
    fit: float = 50.0  # what the first million rows take beyond that
    size: float = 50e6


MODEL = Model()


def measured(n_rows: int = 40_000) -> dict[str, float]:
    """Seconds of one core per row and per merge, and bytes, on the benchmark's mixed table of 20 columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = next(batches(n_rows)).drop(columns="id")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.parquet"
        write = timed(lambda: pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path))
        read = timed(lambda: pq.read_table(path).to_pandas())
        stored = path.stat().st_size
    small = n_rows // 2
    sample, other = RowSample(small, 0), RowSample(small, 0)
    keys = np.arange(n_rows, dtype=np.uint64)
    add = timed(lambda: (sample.add(frame, keys), sample.table()))
    other.add(frame, keys + np.uint64(n_rows))
    other.table()
    merge = timed(lambda: (sample.merge(other), sample.table()))
    return {
        "read": read / n_rows,
        "sample": add / n_rows,
        "merge": merge / (2 * small),
        "write": write / n_rows,
        "stored_bytes": stored / n_rows,
        "memory_bytes": float(frame.memory_usage(deep=True).sum()) / n_rows,
        "strata": float(len(sample.table()) - small),
    }


def timed(work: Callable[[], Any]) -> float:
    """Seconds of the processor."""
    began = time.process_time()
    work()
    return time.process_time() - began


def queue_times(n_parts: int, seconds: float, n_workers: int, cluster: Cluster, rng: np.random.Generator) -> np.ndarray:
    """When each worker has done its last part, where each takes the next one when it is free."""
    taken = seconds * np.exp(rng.normal(-(cluster.spread**2) / 2, cluster.spread, size=n_parts))
    taken += np.where(rng.random(n_parts) < cluster.failing, rng.random(n_parts) * taken + cluster.start, 0.0)
    free = [cluster.start] * min(n_workers, n_parts)
    for time_of_part in taken:
        heapq.heapreplace(free, free[0] + time_of_part)
    return np.array(free)


def tree_time(ready: np.ndarray, fan_in: int, per_sample: float) -> float:
    """When the last merge is done, where a worker merges ``fan_in`` samples into its own as they come."""
    level = np.sort(ready)
    while len(level) > 1:
        merged = []
        for start in range(0, len(level), fan_in):
            now = level[start]
            for later in level[start + 1 : start + fan_in]:
                now = max(now, later) + per_sample
            merged.append(now)
        level = np.sort(merged)
    return float(level[0])


def simulated(
    n_rows: int, n_workers: int, costs: dict[str, float], cluster: Cluster, rng: np.random.Generator
) -> dict[str, Any]:
    """Seconds, bytes over the network and bytes of memory of each stage."""
    n_parts = math.ceil(n_rows / PART)
    share = cluster.storage / min(n_workers, n_parts)
    part_read = PART * costs["stored_bytes"] / min(share, cluster.network)
    part_write = part_read
    scan = queue_times(n_parts, max(PART * (costs["read"] + costs["sample"]), part_read), n_workers, cluster, rng)
    kept = SAMPLE + costs["strata"]
    sample_bytes = kept * costs["memory_bytes"]
    workers = len(scan)
    merge = kept * costs["merge"] * 2 + sample_bytes / cluster.network
    tree = tree_time(scan, cluster.fan_in, merge) - scan.max()
    driver = tree_time(scan, workers + 1, merge) - scan.max()
    sent = SAMPLE / workers + 6 * math.sqrt(SAMPLE / workers) + costs["strata"]
    bounded = (
        tree_time(scan, workers + 1, sent * (costs["merge"] * 2 + costs["memory_bytes"] / cluster.network)) - scan.max()
    )
    fit = MODEL.fit
    spread = MODEL.size * workers / cluster.storage + MODEL.size / cluster.network
    filling = max(PART * (costs["read"] + MODEL.transform + costs["write"]), part_read + part_write)
    fill = queue_times(n_parts, filling, n_workers, cluster, rng)
    total = scan.max() + min(tree, driver) + fit + spread + fill.max()
    alone = n_rows * (2 * costs["read"] + costs["sample"] + MODEL.transform + costs["write"]) + fit
    return {
        "workers": workers,
        "scan": float(scan.max()),
        "tree": tree,
        "driver": driver,
        "bounded": bounded,
        "fit": fit,
        "spread": spread,
        "fill": float(fill.max()),
        "total": float(total),
        "efficiency": alone / total / workers,
        "tree_bytes": sample_bytes * (workers - 1),
        "bounded_bytes": sent * workers * costs["memory_bytes"],
        "scan_bytes": n_rows * costs["stored_bytes"],
        "storage_bound": PART * (costs["read"] + MODEL.transform + costs["write"]) < part_read + part_write,
        "memory": (2 * kept + 2 * PART) * costs["memory_bytes"],
    }


def clock(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def size(n: float) -> str:
    """Bytes for people."""
    return (
        f"{n / 2**20:.0f} MiB" if n < GIB else f"{n / GIB:.1f} GiB" if n < 1024 * GIB else f"{n / GIB / 1024:.1f} TiB"
    )


def table_of(heading: str, rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    names = heading.split(" | ")
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines) + "\n"


def assumptions(costs: dict[str, float], cluster: Cluster) -> list[tuple[str, str, str]]:
    """What the plan stands on."""
    micro = {name: f"{1e6 * costs[name]:.1f} µs" for name in ("read", "sample", "merge", "write")}
    return [
        ("table", "20 columns, mixed, a fifth of the cells missing", "benchmark `streaming`"),
        ("read a row", micro["read"], "measured, Parquet"),
        ("sample a row", micro["sample"], "measured"),
        ("merge a row of two samples", micro["merge"], "measured"),
        (
            "transform a row",
            f"{1e6 * MODEL.transform:.1f} µs",
            'benchmark `streaming`, `effort="fast"`: a further row, less the above and the below',
        ),
        ("write a row", micro["write"], "measured, Parquet"),
        ("a row on the disk", f"{costs['stored_bytes']:.0f} bytes", "measured"),
        ("a row in memory", f"{costs['memory_bytes']:.0f} bytes", "measured"),
        ("sample", f"{SAMPLE:,} rows, and {costs['strata']:,.0f} of the strata", "default; measured"),
        (
            "fit of the sample",
            f"{clock(MODEL.fit)} of one core",
            "benchmark `streaming`: what a million rows take beyond their rows' own time",
        ),
        ("model file", size(MODEL.size), "assumed"),
        ("part", f"{PART:,} rows", "chosen"),
        ("network into a worker", f"{8e-9 * cluster.network:.0f} Gbit/s", "assumed"),
        ("storage, all workers together", f"{cluster.storage / 1e9:.0f} GB/s", "assumed"),
        ("spread of the time of a part", f"log-normal, sigma {cluster.spread}", "assumed"),
        (
            "parts whose worker dies",
            f"{100 * cluster.failing:.1f} %, done again after {cluster.start:.0f} s",
            "assumed",
        ),
        ("start of a worker", f"{cluster.start:.0f} s", "assumed"),
    ]


def page(costs: dict[str, float], cluster: Cluster, seed: int = 0) -> str:
    """The page in Markdown."""
    rng = np.random.default_rng(seed)
    found = [(n, w, simulated(n, w, costs, cluster, rng)) for n in (10**8, 10**10) for w in (10, 30, 100, 300, 1000)]
    stages = ("scan", "tree", "fit", "spread", "fill", "total")
    sizes = ("memory", "scan_bytes", "tree_bytes", "bounded_bytes")
    fit = MODEL.fit
    core = costs["read"] + MODEL.transform + costs["write"]
    passes = costs["read"] + costs["sample"] + core
    return TEXT.format(
        assumptions=table_of("what | value | from", assumptions(costs, cluster)),
        stages=table_of(
            "rows | workers | read and sample | merge by a tree of 8 | fit | hand out the model | fill and write | all | efficiency",
            (
                (f"{n:,}", f"{w:,}", *(clock(one[name]) for name in stages), f"{one['efficiency']:.0%}")
                for n, w, one in found
            ),
        ),
        sizes=table_of(
            "rows | workers | samples and parts in a worker | read in each pass | samples through the tree | samples under a bound",
            ((f"{n:,}", f"{w:,}", *(size(one[name]) for name in sizes)) for n, w, one in found),
        ),
        merges=table_of(
            "workers | all to one | tree of 8 | all to one, under a bound",
            (
                (f"{w:,}", *(clock(one[name]) for name in ("driver", "tree", "bounded")))
                for n, w, one in found
                if n > 1e9
            ),
        ),
        fit=clock(fit),
        few=f"{10**8 * passes / fit:,.0f}",
        many=f"{10**10 * passes / fit:,.0f}",
        storage=f"{cluster.storage / 1e9:.0f}",
        bound=f"{cluster.storage / (2 * costs['stored_bytes']) * core:,.0f}",
    )


TEXT = """# Plan for tables beyond one machine

An extrapolation, not a measurement. Costs per row were measured on one core, and carried on to many workers by a simulation of the
queue of parts and of the merging of samples (`python -m benchmarks.imputation.plan`; `--measure` measures anew). Nothing of this size
was run.

## Assumptions

{assumptions}
## Time by stage

A worker is one core. Stages follow each other; the fit uses a single worker. Efficiency is the time of one worker, divided by the
number of workers and by the time of all.

{stages}
## Memory and network

A worker holds two samples and two parts. What it needs to work comes on top: on one machine the peak of a process that fits and
fills was 0.9 GiB, with its imports ([measured](../howto/big_tables.md#what-it-costs)). Parts are read twice, once to sample and
once to fill, and written once.

{sizes}
## Ways to merge

A sample is the rows of smallest priority, so samples merge in any order to the same rows. With 10 G rows, the time after the last
worker has read its last part:

{merges}
*Under a bound*: priorities are uniform. After a count of the rows each worker knows above which priority no row can be in the
sample, but for one chance in a billion, and sends the others only. The engines do not do that yet. `tabgan impute` on one machine
merges all to one.

## Where it saturates

- **The fit** takes {fit} on one core whatever the table is. With {few} workers the passes over 100 M rows take as long, with
  {many} those over 10 G rows: from there on more workers gain less than half of what they cost. A smaller sample, or `n_jobs` in the
  fit, moves that.
- **Merging** all to one grows with the workers, a tree with their logarithm.
- **Storage**: {bound} workers fill as fast as {storage} GB/s can be read and written.
- **The end of the queue**: the last parts run alone. Parts should be several times as many as workers. At 100 M rows and 1,000 workers
  each has one part, and the slowest decides.
- **Memory** grows with neither rows nor workers.
"""


def main() -> None:
    """Measure where asked, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true")
    if parser.parse_args().measure:
        KEPT.write_text(json.dumps(measured(), indent=1) + "\n")
    PAGE.write_text(page(json.loads(KEPT.read_text()), Cluster()))
    print(pd.Series(json.loads(KEPT.read_text())).to_string())


if __name__ == "__main__":
    main()
