"""The record of a training run: one row per reading, written by the trainer and read by callbacks and users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["History"]


class History:
    """Rows of named numbers by training step.

    Examples
    --------
    >>> history = History()
    >>> history.append(50, {"generator": 0.7})
    >>> history.append(50, {"validation": 0.4})
    >>> history["generator"], history["validation"]
    ([0.7], [0.4])
    >>> history.rows
    [{'step': 50, 'generator': 0.7, 'validation': 0.4}]
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def append(self, step: int, values: dict[str, float]) -> None:
        """Add values at a step; values for the step of the last row join that row."""
        if self.rows and self.rows[-1]["step"] == step:
            self.rows[-1].update(values)
        else:
            self.rows.append({"step": step, **values})

    def __getitem__(self, name: str) -> list[float]:
        """All values of one name, in order, rows without it left out."""
        return [row[name] for row in self.rows if name in row]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Iterate over the rows."""
        return iter(self.rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows, for a checkpoint."""
        return {"rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.rows = [dict(row) for row in state["rows"]]
