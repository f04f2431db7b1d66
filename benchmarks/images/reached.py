"""Results of the grids and of the translators to `tabgan/images/recipes/reached.py`, which the package carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["reached_rows", "write_reached"]

_HEAD = '''"""What recipes were shown to reach. Written by ``python -m benchmarks.images report`` from its results; do not edit."""

from __future__ import annotations

from tabgan.images.recipes.standing import Reached

__all__ = ["REACHED"]

REACHED: list[Reached] = [
'''
_TRANSLATORS = {"GAN + L1": "pix2pix", "L1": "supervised-l1", "L2": "supervised-l2", "cycle weight 10/0": "cyclegan"}


def reached_rows(results: Path) -> list[tuple[Any, ...]]:
    """The fields of each row, by recipe; runs with settings of their own (variants) are left out."""
    rows = []
    for name in ("digits", "mnist", "fashion"):
        for row in _lines(results / f"{name}.jsonl"):
            data, recipe, kind, _, *variant = row["key"].split("/")
            if recipe not in ("real", "gaussians") and not variant:
                measures = [row.get(part) for part in ("frechet", "coverage", "accuracy")]
                rows.append(
                    (recipe, data, kind == "labels", row.get("n_steps"), row.get("cpu_seconds"), *measures, None)
                )
    for name in ("heat", "resolution", "deblending", "cyclegan"):
        for row in _lines(results / f"{name}.jsonl"):
            if row["key"] in _TRANSLATORS:
                error = row["l1"] if "l1" in row else row["error"]
                facts = row.get("n_steps"), row["cpu_seconds"], None, None, None, error
                rows.append((_TRANSLATORS[row["key"]], name, False, *facts))
    for row in _lines(results / "vectors.jsonl"):
        facts = None, row["cpu_seconds"], None, None, row["digit_right"], None
        rows.append(("vector-conditions", f"digits, {row['key']}", True, *facts))
    return [
        tuple(float(f"{part:.3g}") if isinstance(part, float) else part for part in row)
        for row in sorted(rows, key=_place)
    ]


def write_reached(results: Path, file: Path) -> None:
    """Write the module."""
    lines = [f"    Reached({', '.join(_literal(part) for part in row)}),\n" for row in reached_rows(results)]
    file.write_text(_HEAD + "".join(lines) + "]\n")


def _literal(part: Any) -> str:
    return f'"{part}"' if isinstance(part, str) else repr(part)


def _place(row: tuple[Any, ...]) -> tuple[str, str]:
    return row[0], row[1]


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
