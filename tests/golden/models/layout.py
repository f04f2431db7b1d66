"""The layout of a model file: which entries it has, how they are nested, and of which types they are; no values and no sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from tabgan.core.checkpoint import read_model_file

__all__ = ["differences", "layout_of", "read_layouts", "write_layouts"]

Layout = dict[str, str]
"""From an entry's whole name to its types; entries of a list are all called ``[]``, as are those of a dict by numbers."""


def layout_of(path: Path) -> Layout:
    """Of a file of the current version."""
    found: dict[str, set[str]] = {}
    _collect(read_model_file(path)[1], "", found)
    return {name: " or ".join(sorted(types)) for name, types in sorted(found.items())}


def _collect(value: Any, name: str, found: dict[str, set[str]]) -> None:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _collect(item, f"{name}.{key}".removeprefix(".") if isinstance(key, str) else f"{name}[]", found)
    elif isinstance(value, (list, tuple)) and value:
        for item in value:
            _collect(item, f"{name}[]", found)
    else:
        is_tensor = isinstance(value, torch.Tensor)
        found.setdefault(name, set()).add(
            f"{value.dim()}d {str(value.dtype).removeprefix('torch.')}"
            if is_tensor
            else "dict"
            if isinstance(value, dict)
            else type(value).__name__
        )


def differences(old: Layout, new: Layout) -> tuple[list[str], list[str]]:
    """Entries that were added, and what else changed, as lines to show.

    A parameter that is None now was left open: the constructor it goes to takes that, and takes what older files hold.
    """
    new = {name: old.get(name, types) if _left_open(name, types) else types for name, types in new.items()}
    added = [f"+ {name}: {types}" for name, types in new.items() if name not in old]
    gone = [f"- {name}: {types}" for name, types in old.items() if name not in new]
    other = [f"! {name}: {old[name]} became {new[name]}" for name in new if old.get(name, new[name]) != new[name]]
    return added, gone + other


def _left_open(name: str, types: str) -> bool:
    return name.startswith("parameters.") and types == "NoneType"


def read_layouts(path: Path) -> dict[str, Layout]:
    """By model."""
    return json.loads(path.read_text()) if path.exists() else {}


def write_layouts(path: Path, layouts: dict[str, Layout]) -> None:
    """One entry a line, so that a change shows."""
    path.write_text(json.dumps(layouts, indent=0) + "\n")
