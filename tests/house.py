"""The structure of the package, read from its source: ``python -m tests.house`` prints the table of imports in docs/developer.md."""

from __future__ import annotations

import ast
from pathlib import Path

__all__ = ["cycles", "import_table", "imports", "modules"]

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "cli",
    "report",
    "plotting",
    "model_selection",
    "inference",
    "imputation",
    "sampling",
    "images",
    "estimators",
    "checks",
    "tables",
    "metrics",
    "core",
    "networks",
    "written",
)
"""Folders of the package, from the top down; files beside them are the lowest layer."""


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted((ROOT / "tabgan").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports() -> dict[str, set[str]]:
    """Which modules of the package each module imports, anywhere in it and for types as well."""
    known = modules()
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        graph[name] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tabgan":
                graph[name] |= {
                    inner if (inner := f"{node.module}.{alias.name}") in known else node.module for alias in node.names
                }
            elif isinstance(node, ast.Import):
                graph[name] |= {alias.name for alias in node.names if alias.name in known}
        graph[name] -= {name, "tabgan"}  # the package's own names are looked up when they are used
    return graph


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other in a circle (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph.get(name, ()):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            place = stack.index(name)
            group = stack[place:]
            del stack[place:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in graph:
        if name not in index:
            visit(name)
    return found


def import_table() -> str:
    """Which room imports how many modules of which other, as a table in Markdown."""
    counts: dict[tuple[str, str], int] = {}
    for name, others in imports().items():
        for other in others:
            pair = _room(name), _room(other)
            if pair[0] != pair[1] and pair[0] in ROOMS:
                counts[pair] = counts.get(pair, 0) + 1
    columns = [*ROOMS[1:], "below"]
    lines = ["| imports | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for room in ROOMS:
        lines.append(f"| **{room}** | " + " | ".join(str(counts.get((room, other), "")) for other in columns) + " |")
    return "\n".join(lines)


def _room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "below"


if __name__ == "__main__":
    print(import_table())
