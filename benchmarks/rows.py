"""Rows of results as JSON lines: what is there is not run again, and a failure is a row with its error."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["run_missing", "stored_rows"]


def stored_rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a file, none if there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_missing(path: Path, cells: Iterable[dict[str, Any]], run: Callable[..., dict[str, Any]]) -> None:
    """Call ``run(**cell)`` for each cell that no row has, and append cell, answer and time as a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = stored_rows(path)
    for cell in cells:
        if any(all(row.get(name) == value for name, value in cell.items()) for row in rows):
            continue
        started = time.perf_counter()
        try:
            answer = run(**cell)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        row = cell | {"seconds": time.perf_counter() - started} | answer
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)
