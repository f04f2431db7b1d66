"""Memory and speed of filling Parquet files over the number of rows: ``python -m benchmarks.imputation.streaming``.

Each table is written to a temporary file first. Then a process of its own fills it: ``tabgan impute``, or `tabgan.fit_batches` and
`tabgan.transform_batches` in a script, which also tells fit and transform apart. What the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.rows import run_missing, stored_rows

BATCH = 50_000
"""Rows; also of a row group."""
KEPT = Path(__file__).parent / "results" / "streaming.jsonl"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "streaming.md"
_WANTED = [*(("fast", n) for n in (1_000_000, 3_000_000, 10_000_000)), ("balanced", 1_000_000)]
_OPENING = """# Tables larger than memory

How much memory and time does it take to fill the missing values of a Parquet file, and do they grow with its rows? A simulated
table of 20 mixed columns (numbers, counts, labels) has a fifth of its cells missing. It lies in one Parquet file with row groups
of 50,000 rows. **Command** is `tabgan impute big.parquet -o out.parquet --batch-rows 50000`, in one process, whole: import, read,
sample, fit, fill, write. **Script** calls `fit_batches` and `transform_batches` on a pyarrow dataset, and writes a Parquet file.
The imputer learns from a sample of 100,000 rows in every run.

"""


def batches(n_rows: int) -> Iterator[pd.DataFrame]:
    """A mixed table of 20 columns, of which a fifth of the cells is missing: three factors, numbers, counts and labels."""
    weights = np.random.default_rng(0).normal(size=(3, 20))
    for number, start in enumerate(range(0, n_rows, BATCH)):
        rng = np.random.default_rng([1, number])
        n = min(BATCH, n_rows - start)
        values = rng.normal(size=(n, 3)) @ weights + rng.normal(size=(n, 20))
        frame = pd.DataFrame(values, columns=[f"x{j}" for j in range(20)]).round(3)
        for j in range(14, 17):
            frame[f"x{j}"] = np.exp(frame[f"x{j}"] / 3).round()
        for j in range(17, 20):
            frame[f"x{j}"] = pd.cut(frame[f"x{j}"], [-np.inf, -1, 0, 1, np.inf], labels=list("abcd")).astype("str")
        frame = frame.mask(rng.random(frame.shape) < 0.2)
        frame.insert(0, "id", np.arange(start, start + n))
        yield frame


def write_table(path: Path, n_rows: int) -> None:
    """The table in a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for frame in batches(n_rows):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def peak() -> float:
    """Most memory of this process so far, in MiB; of its own, not of the one that started it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def filled_by_script(source: str, target: str, effort: str, sample: int) -> dict[str, float]:
    """Fit and fill in this process."""
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    from tabgan import GAINImputer, fit_batches, transform_batches

    found = {"imports_mb": peak()}
    table = ds.dataset(source)
    imputer, started = GAINImputer(effort=effort, random_state=0), time.process_time()
    fit_batches(imputer, table, n_rows=sample, keys="id")
    found |= {"fit_cpu": time.process_time() - started, "fit_mb": peak()}
    started = time.process_time()
    with pq.ParquetWriter(target, table.schema) as writer:
        for filled in transform_batches(imputer, table, keys="id"):
            writer.write_table(filled)
    return found | {"transform_cpu": time.process_time() - started}


def run(rows: int, effort: str, how: str, sample: int) -> dict[str, Any]:
    """Peak of memory, CPU seconds and what is left missing of one table."""
    with tempfile.TemporaryDirectory() as folder:
        source, target, told = (str(Path(folder) / name) for name in ("big.parquet", "out.parquet", "told.json"))
        subprocess.run([sys.executable, "-m", __spec__.name, "--write", str(rows), source], check=True)
        if how == "command":
            command = ["-c", _COMMAND, "impute", source, "-o", target, "--leave", "id", "--effort", effort]
            command += ["--batch-rows", BATCH, "--sample-rows", sample, "--device", "cpu"]
        else:
            command = ["-m", __spec__.name, "--script", source, target, effort, sample]
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *map(str, command)], stdout=subprocess.DEVNULL, env={**os.environ, "TOLD": told}
        )
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"ended with {status}")
        found = json.loads(Path(told).read_text())
        return found | {
            "wall": time.perf_counter() - started,
            "cpu": used.ru_utime + used.ru_stime,
            "input_mb": os.path.getsize(source) / 2**20,
            "left_missing": _missing(target, rows),
        }


_COMMAND = (
    "import atexit, json, os; from benchmarks.imputation.streaming import peak; from tabgan.cli.main import main; "
    "atexit.register(lambda: open(os.environ['TOLD'], 'w').write(json.dumps({'peak_mb': peak()}))); main()"
)


def _missing(path: str, n_rows: int) -> int:
    """Cells without a value in a Parquet file of so many rows."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as opened:
        assert opened.metadata.num_rows == n_rows
        return sum(column.null_count for batch in opened.iter_batches(BATCH) for column in batch.columns)


def page(rows: list[dict[str, Any]]) -> str:
    """The rows as a page."""
    lines = ["| how | effort | rows | file, MiB | peak memory, MiB | CPU s | rows per CPU s | cells left missing |"]
    lines += ["|---" * 8 + "|"]
    for row in sorted(rows, key=lambda row: (row["effort"] != "fast", row["how"], row["rows"])):
        lines.append(
            f"| {row['how']} | {row['effort']} | {row['rows']:,} | {row['input_mb']:,.0f} | {row['peak_mb']:,.0f} | "
            f"{row['cpu']:,.0f} | {row['rows'] / row['cpu']:,.0f} | {row['left_missing']} |"
        )
    parts = [_OPENING + "\n".join(lines)]
    for how in ("command", "script"):
        fast = sorted(
            (row for row in rows if row["how"] == how and row["effort"] == "fast"), key=lambda row: row["rows"]
        )
        if len(fast) > 1:
            first, last = fast[0], fast[-1]
            speed = (last["rows"] - first["rows"]) / (last["cpu"] - first["cpu"])
            peaks = [row["peak_mb"] for row in fast]
            parts.append(
                f'{how.capitalize()}, `effort="fast"`: from {first["rows"]:,} to {last["rows"]:,} rows the peak changes by '
                f"{max(peaks) / min(peaks) - 1:.0%}. A further row costs {1e6 / speed:.0f} µs: {speed:,.0f} rows per second and core."
            )
    there = {(row["how"], row["effort"], row["rows"]) for row in rows}
    if absent := [f"{effort}, {n:,} rows" for effort, n in _WANTED if ("command", effort, n) not in there]:
        parts.append(f"**Not run yet: {'; '.join(absent)}.**")
    told = [row for row in rows if row["how"] == "script"]
    for row in sorted(told, key=lambda row: (row["effort"] != "fast", row["rows"])):
        fit = f"fit {row['fit_cpu']:.0f} CPU s (peak {row['fit_mb']:,.0f} MiB)"
        filled = f"transform {row['transform_cpu']:.0f} CPU s, {row['rows'] / row['transform_cpu']:,.0f} rows per CPU s"
        parts.append(f"Script, {row['effort']}, {row['rows']:,} rows: {fit}, {filled}.")
    parts.append(
        """Peak memory is that of the whole process, some 400 MiB of it libraries. One thread, one core of a machine that other
programs used, too. Made by `python -m benchmarks.imputation.streaming`."""
    )
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Run what the results file does not hold yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.imputation.streaming")
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--sample", type=int, default=100_000, help="rows that are learnt from")
    parser.add_argument("--effort", default="fast")
    parser.add_argument("--how", choices=["command", "script"], nargs="+", default=["command"])
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--script", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        write_table(Path(given.write[1]), int(given.write[0]))
    elif given.script:
        source, target, effort, sample = given.script
        found = filled_by_script(source, target, effort, int(sample))
        Path(os.environ["TOLD"]).write_text(json.dumps({**found, "peak_mb": peak()}))
    else:
        for rows in given.rows:
            cells = [{"rows": rows, "effort": given.effort, "how": how, "sample": given.sample} for how in given.how]
            run_missing(KEPT, cells, run)
        PAGE.write_text(page([row for row in stored_rows(KEPT) if "error" not in row]))


if __name__ == "__main__":
    main()
