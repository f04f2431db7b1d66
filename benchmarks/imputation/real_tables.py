"""``python -m benchmarks.imputation.real_tables``: `tabgan impute` on real files with real gaps, checked cell by cell.

For each table: every gap filled except in all-missing columns, every other cell's text identical, row order kept, seconds.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import data_folder

__all__ = ["TABLES", "RealTable", "check"]


@dataclass(frozen=True)
class RealTable:
    """A file of the shared folder and the options that describe it to `tabgan impute`."""

    files: tuple[str, ...]
    header: bool = True
    missing: tuple[str, ...] = ()


TABLES = {
    "adult": RealTable(("adult.data.gz", "adult.test.gz"), header=False, missing=("?",)),
    "titanic": RealTable(("titanic.csv",)),
    "horse-colic": RealTable(("horse-colic.csv",), header=False, missing=("?",)),
    "hepatitis": RealTable(("hepatitis.csv",), missing=("?",)),
    "auto-imports": RealTable(("auto_imports.csv",), header=False, missing=("?",)),
    "communities-crime": RealTable(("communities_crime.data.gz",), header=False, missing=("?",)),
    "beijing-pm25": RealTable(("beijing_pm25.csv.gz",)),
    "mushroom": RealTable(("mushroom.csv.gz",), missing=("?",)),
    "sick": RealTable(("sick.csv.gz",), missing=("?",)),
}
MARKERS = {"", "NA", "NaN", "nan", "NULL", "null", "None", "N/A", "n/a", "#N/A"}


def check(table: RealTable, folder: Path) -> dict[str, object]:
    """Fill one table through the command line and compare its cells with the file's."""
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch, "in.csv"), Path(scratch, "out.csv")
        source.write_text("".join(_text(folder / name) for name in table.files))
        command = [sys.executable, "-m", "tabgan.cli.main", "impute", str(source), "-o", str(output), "--quiet"]
        command += [part for marker in table.missing for part in ("--missing", marker)]
        command += [] if table.header else ["--no-header"]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        if done.returncode:
            return {"error": done.stderr.strip()[-300:], "seconds": seconds}
        before, after = _cells(source), _cells(output)
    markers = MARKERS | set(table.missing)
    body = slice(1 if table.header else 0, None)
    is_gap = [[cell.strip() in markers for cell in row] for row in before]
    empty = {j for j in range(len(before[-1])) if all(row[j] for row in is_gap[body])}
    gaps = sum(sum(row) for row in is_gap[body])
    left = sum(cell.strip() in markers and j not in empty for row in after[body] for j, cell in enumerate(row))
    changed = sum(
        old != new
        for old_row, new_row, gap_row in zip(before, after, is_gap, strict=True)
        for old, new, gap in zip(old_row, new_row, gap_row, strict=True)
        if not gap
    )
    return {
        "rows": len(before) - table.header,
        "columns": len(before[-1]),
        "missing": gaps,
        "left": left,
        "all-missing columns": len(empty),
        "observed cells changed": changed,
        "seconds": seconds,
    }


def _text(path: Path) -> str:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return text if text.endswith("\n") else text + "\n"


def _cells(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return [row for row in csv.reader(file) if row]


def main() -> int:
    """Check the named tables, or all; print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.real_tables", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], default=[], help="default: all")
    folder = data_folder()
    if folder is None:
        parser.error("no benchmark data: set TABGAN_DATA to the folder that holds manifest.json")
    names = parser.parse_args().tables or list(TABLES)
    columns = ["rows", "columns", "missing", "left", "all-missing columns", "observed cells changed", "seconds"]
    print("| table | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
    failed = 0
    for name in names:
        result = check(TABLES[name], folder)
        failed += bool(result.get("error") or result["left"] or result["observed cells changed"])
        shown = [f"{result[c]:.0f}" if c == "seconds" else str(result.get(c, "-")) for c in columns]
        print(
            f"| {name} | " + " | ".join(shown) + " |" + (f" {result['error']}" if "error" in result else ""), flush=True
        )
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
