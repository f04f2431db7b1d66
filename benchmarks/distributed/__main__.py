"""``python -m benchmarks.distributed ray`` or ``spark``: equal results, killed workers, rows per second.

Needs the extra of the engine, and for Spark a Java. On Ray also ``--part broken``: the driver is killed and its program run again,
and the disk is full.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from benchmarks.distributed import local_results as local
from benchmarks.distributed.broken_runs import driver_killed, full_disk
from benchmarks.distributed.killer import Killer, ray_task, spark_worker
from tabgan import transform_batches
from tabgan.exceptions import StalledError

WATCH = 240.0
"""Seconds without a block that count as hung."""


class OnRay:
    """Ray Data on this machine."""

    name = "ray"

    def __init__(self, workers: int) -> None:
        import logging

        import ray

        os.environ.setdefault(
            "RAY_worker_niceness", "0"
        )  # 15 of Ray's own accord: workers would starve beside other programs
        ray.init(
            num_cpus=workers,
            object_store_memory=400_000_000,
            include_dashboard=False,
            logging_level="error",
            log_to_driver=False,
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel("CRITICAL")

    def read(self, folder: Path, n_blocks: int | None = None) -> Any:
        import ray

        # Ray makes one block of small files, whatever override_num_blocks says, and one block is one task.
        return ray.data.read_parquet(str(folder)).repartition(n_blocks or len(list(folder.iterdir())))

    def call(self, name: str, *given: Any, **options: Any) -> Any:
        import tabgan.ray

        lazy = name in ("transform", "sample")
        return getattr(tabgan.ray, name)(*given, **options, **({"timeout": WATCH} if lazy else {}))

    @staticmethod
    def table(dataset: Any) -> pa.Table:
        import ray

        from tabgan.engines.watchdog import watched

        pieces = watched(dataset.iter_batches(batch_size=None, batch_format="pyarrow"), WATCH, "read")
        return pa.concat_tables(list(pieces), promote_options="permissive") if ray.is_initialized() else None

    at_work = staticmethod(ray_task)

    def stop(self) -> None:
        import ray

        ray.shutdown()


class OnSpark:
    """Spark with as many threads as asked for, or with executors in a JVM of their own (``--master 'local-cluster[2,1,700]'``)."""

    name = "spark"

    def __init__(self, workers: int, master: str = "") -> None:
        os.environ["PYSPARK_PYTHON"] = sys.executable
        import pyspark
        from pyspark.sql import SparkSession

        os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))  # where executors find their programs

        builder = SparkSession.builder.master(master or f"local[{workers},20]").config("spark.ui.enabled", "false")
        for key, value in {
            "spark.sql.shuffle.partitions": "4",
            "spark.task.maxFailures": "50",
            "spark.executor.memory": "600m",
            "spark.python.daemon.module": "benchmarks.distributed.spark_daemon",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "5000",
            "spark.ui.showConsoleProgress": "false",
        }.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")

    def read(self, folder: Path, n_blocks: int | None = None) -> Any:
        frame = self.session.read.parquet(str(folder))
        return frame.repartition(n_blocks) if n_blocks else frame

    def call(self, name: str, *given: Any, **options: Any) -> Any:
        import tabgan.spark

        return getattr(tabgan.spark, name)(*given, **options)

    @staticmethod
    def table(frame: Any) -> pa.Table:
        return frame.toArrow()

    at_work = staticmethod(spark_worker)

    def stop(self) -> None:
        self.session.stop()


ENGINES = {"ray": OnRay, "spark": OnSpark}


def results(engine: Any, data: Any, fitted: Any, only: str = "") -> dict[str, Any]:
    """What an engine makes of the table, by the name of the function; functions to call."""
    table = engine.table
    resampled = {"label": "label", "keys": "id", "n_rows": local.SAMPLE}
    calls = {
        "fit": lambda: engine.call("fit", local.imputer(), data, n_rows=local.SAMPLE, keys="id"),
        "transform": lambda: table(engine.call("transform", fitted, data, keys="id")),
        "sample": lambda: table(engine.call("sample", fitted, data, local.N_DRAWS, keys="id")),
        "fit_resample": lambda: table(engine.call("fit_resample", local.sampler(), data, **resampled)),
    }
    return {name: call for name, call in calls.items() if only in ("", name)}


def compared(name: str, found: Any, wanted: local.Local, whole: pa.Table) -> dict[str, int]:
    """Rows of a result that are not those of one process."""
    if name == "fit":
        found = found.transform(whole.drop_columns(["id"])).add_column(0, "id", whole["id"])
    return local.differences(found, {"sample": wanted.drawn, "fit_resample": wanted.resampled}.get(name, wanted.filled))


def equality(kind: Any, folder: Path, wanted: local.Local, whole: pa.Table, among: list[int]) -> None:
    """Any number of workers and blocks gives the rows of one process."""
    print(
        "| workers | blocks | function | rows | lost | double | differ | s |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for workers in among:
        engine = kind(workers)
        for n_blocks in (5, 23):
            for name, call in results(engine, engine.read(folder, n_blocks), wanted.fitted).items():
                started = time.perf_counter()
                found = call()
                seconds = round(time.perf_counter() - started)
                row = compared(name, found, wanted, whole)
                print("|", " | ".join(map(str, (workers, n_blocks, name, *row.values(), seconds))), "|", flush=True)
        engine.stop()


def kills(kind: Any, folder: Path, wanted: local.Local, whole: pa.Table, least: int) -> None:
    """Workers die at random moments."""
    engine = kind(2)
    names = ("function", "runs", "workers killed", "rows compared", "lost", "double", "differ", "hung", "s")
    print(f"| {' | '.join(names)} |\n{'|---' * len(names)}|", flush=True)
    for place, name in enumerate(("fit", "transform", "sample", "fit_resample")):
        total = dict.fromkeys(("runs", "killed", "rows", "lost", "double", "differ", "hung", "s"), 0)
        while total["killed"] < least and total["runs"] < 8:
            (call,) = results(engine, engine.read(folder), wanted.fitted, name).values()
            started = time.perf_counter()
            with Killer(engine.at_work, least, 100 * place + total["runs"]) as killer:
                try:
                    found = call()
                except StalledError:
                    found = None
            row = compared(name, found, wanted, whole) if found is not None else {"hung": 1}
            total["s"] += round(time.perf_counter() - started)
            for key, n in {**row, "runs": 1, "killed": killer.n_killed}.items():
                total[key] += n
        print("|", " | ".join(map(str, (name, *total.values()))), "|", flush=True)
    engine.stop()


def speed(kind: Any, folder: Path, fitted: Any) -> None:
    """Rows per second of two workers, beside one process that reads and fills the same files."""
    engine = kind(2)
    data = engine.read(folder)
    engine.table(engine.call("transform", fitted, data, keys="id"))  # workers import tabgan once
    for _ in range(3):
        started = time.perf_counter()
        n = sum(map(len, transform_batches(fitted, ds.dataset(folder), keys="id")))
        alone, started = time.perf_counter() - started, time.perf_counter()
        engine.table(engine.call("transform", fitted, engine.read(folder), keys="id"))
        together = time.perf_counter() - started
        print(
            f"{n:,} rows: one process {n / alone:,.0f} rows/s, two workers {n / together:,.0f}, ratio {alone / together:.2f}",
            flush=True,
        )
    engine.stop()


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument(
        "--part", choices=["equality", "kills", "speed", "broken"], nargs="+", default=["equality", "kills", "speed"]
    )
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="of the part equality")
    parser.add_argument("--kills", type=int, default=6, help="at least, per function")
    parser.add_argument("--master", default="", help="of Spark")
    parser.add_argument("--sample", type=int, default=local.SAMPLE, help="rows that models are fitted to")
    given = parser.parse_args()
    local.SAMPLE = given.sample
    kind: Any = partial(OnSpark, master=given.master) if given.engine == "spark" else OnRay
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "table"
        folder.mkdir()
        whole = local.by_row(local.write_table(folder, given.rows, given.files))
        if given.part == ["speed"]:
            speed(kind, folder, local.fitted(ds.dataset(folder)))
            return
        wanted = local.local_results(folder)
        if "equality" in given.part:
            equality(kind, folder, wanted, whole, given.workers)
        if "kills" in given.part:
            kills(kind, folder, wanted, whole, given.kills)
        if "broken" in given.part and given.engine == "ray":
            engine = kind(2)
            print("driver killed:", driver_killed(folder, wanted, given.kills), flush=True)
            print("full disk:", full_disk(folder, wanted), flush=True)
            engine.stop()
        if "speed" in given.part:
            speed(kind, folder, wanted.fitted)


if __name__ == "__main__":
    main()
