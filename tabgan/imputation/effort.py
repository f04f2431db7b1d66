"""How much is done for a fill: settings by ``effort`` and by the size of the table, where the user leaves them open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EFFORTS", "LARGE_ROWS", "settings_for"]

LARGE_ROWS = 4000
"""Fewer rows are learnt by heart by a network of all columns, and too few for boosted trees with gaps."""

_FAST = {
    "n_steps": 0,
    "network_steps": 0,
    "network_width": 128,
    "n_references": 0,
    "n_records": 0,
    "n_trees": 10,
    "n_rounds": 1,
    "n_boosts": 50,
}
_SMALL: dict[str, dict[str, int]] = {
    "fast": _FAST,
    "balanced": {
        "n_steps": 0,
        "network_steps": 0,
        "network_width": 128,
        "n_references": 8192,
        "n_records": 0,
        "n_trees": 30,
        "n_rounds": 1,
        "n_boosts": 50,
    },
    "best": {
        "n_steps": 400,
        "network_steps": 600,
        "network_width": 128,
        "n_references": 8192,
        "n_records": 0,
        "n_trees": 100,
        "n_rounds": 2,
        "n_boosts": 50,
    },
}
_LARGE: dict[str, dict[str, int]] = {
    "fast": _FAST,
    "balanced": {
        "n_steps": 0,
        "network_width": 128,
        "n_references": 0,
        "n_records": 50_000,
        "n_trees": 30,
        "n_rounds": 2,
        "n_boosts": 50,
    },
    "best": {
        "n_steps": 400,
        "network_width": 256,
        "n_references": 8192,
        "n_records": 50_000,
        "n_trees": 100,
        "n_rounds": 2,
        "n_boosts": 100,
    },
}

_NETWORK_STEPS = {"fast": (0, 0), "balanced": (600, 1500), "best": (3000, 8000)}
"""Steps on large tables of few columns and of many: to learn how more of them depend on each other takes longer."""
_MANY_COLUMNS = 16

EFFORTS = tuple(_SMALL)
"""From the least to the most."""


def settings_for(parameters: Mapping[str, Any], n_rows: int, n_columns: int) -> dict[str, Any]:
    """Parameters of `GAINImputer`, those that are None as its effort has them for a table of so many rows.

    GAIN as published knows no effort: what is None there keeps the paper's value.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    if parameters["objective"] == "paper":
        return given
    effort = parameters["effort"]
    if n_rows < LARGE_ROWS:
        return _SMALL[effort] | given
    low, high = _NETWORK_STEPS[effort]
    if given.get("n_references") == 0:  # who wants no training rows in the model
        given.setdefault("n_records", 0)
    return _LARGE[effort] | {"network_steps": min(max(high * n_columns // _MANY_COLUMNS, low), high)} | given
