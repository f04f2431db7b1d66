"""Runs of Ray that break in the middle: the driver is killed, the disk it writes to is full; then the same run again.

``python -m benchmarks.distributed.broken_runs ADDRESS MODEL TABLE OUTPUT`` is the program that is run: it fills a table and writes it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from benchmarks.distributed import local_results as local

__all__ = ["driver_killed", "full_disk"]

HUNG = 600.0
"""Seconds."""


def main(address: str, model: str, source: str, output: str) -> None:
    """Fill a table on a cluster that is there, and write it in the place of whatever an earlier run wrote."""
    import logging

    import ray

    import tabgan.ray

    ray.init(address=address, logging_level="error", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel("CRITICAL")
    n_files = len(list(Path(source).iterdir()))  # a block for each: of small ones Ray makes one, and writes one file
    filled = tabgan.ray.transform(model, ray.data.read_parquet(source).repartition(n_files), keys="id")
    filled.write_parquet(output, mode=ray.data.SaveMode.OVERWRITE)


def _start(model: Path, source: Path, output: Path) -> subprocess.Popen[str]:
    import ray

    address = ray.get_runtime_context().gcs_address
    command = [sys.executable, "-m", "benchmarks.distributed.broken_runs", address, model, source, output]
    return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)


def _compared(output: Path, wanted: pa.Table) -> dict[str, int]:
    return local.differences(ds.dataset(output).to_table(), wanted)


def driver_killed(source: Path, wanted: local.Local, kills: int, seed: int = 0) -> dict[str, Any]:
    """SIGKILL to the program after a random number of files; the same program again, until it ends."""
    chance = random.Random(seed)
    model, output = source.parent / "driver.tabgan", source.parent / "driver"
    wanted.fitted.save(model)
    n_files, killed = len(list(source.iterdir())), []
    for _ in range(kills):
        run, least, began = _start(model, source, output), chance.randint(1, n_files // 2), time.monotonic()
        while run.poll() is None and time.monotonic() - began < HUNG:
            if (n := _fresh(output, began)) >= least:
                killed.append(n)
                run.kill()
                break
            time.sleep(0.02)
        run.communicate()
    last = _start(model, source, output)
    _, said = last.communicate(timeout=HUNG)
    if last.returncode:
        raise RuntimeError(said)
    return {"kills": len(killed), "files written before": killed, **_compared(output, wanted.filled)}


def _fresh(output: Path, began: float) -> int:
    """Files that were written since then."""
    since = time.time() - (time.monotonic() - began)
    return sum(path.stat().st_mtime >= since for path in output.glob("*.parquet"))


def full_disk(source: Path, wanted: local.Local) -> dict[str, Any]:
    """A disk of its own (tmpfs) that has room for a part of the result, and the same program once it has grown."""
    model, disk = source.parent / "disk.tabgan", source.parent / "disk"
    wanted.fitted.save(model)
    disk.mkdir()
    room = sum(path.stat().st_size for path in source.iterdir()) // 2
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount).returncode:
        return {"error": "no disk of its own could be mounted here"}
    try:
        run = _start(model, source, disk / "out")
        _, said = run.communicate(timeout=HUNG)
        found = {"exit code": run.returncode, "names the cause": "No space left on device" in said}
        subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
        again = _start(model, source, disk / "out")
        _, said = again.communicate(timeout=HUNG)
        if again.returncode:
            raise RuntimeError(said)
        return {**found, **_compared(disk / "out", wanted.filled)}
    finally:
        subprocess.run(["umount", disk], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
