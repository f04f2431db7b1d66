"""JSON-lines files as tables: typed by their values, written back with every observed cell as it was."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.column_options import ReadOptions
from tabgan.cli.files.json_lines import parse_json_lines
from tabgan.cli.files.sources import Place, decode
from tabgan.cli.files.table_source import TableFile, cells_of, is_gap, json_value, longer, marker_of
from tabgan.cli.files.text_columns import TextColumn, amounts_column

__all__ = ["JsonTable"]


class JsonTable(TableFile):
    """A file with a JSON object in each line.

    Parameters
    ----------
    place : Place
    data : bytes
    options : ReadOptions

    Raises
    ------
    InvalidInputError
        See `tabgan.cli.files.sources.decode` and `tabgan.cli.files.json_lines.parse_json_lines`.
    """

    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        self._parsed = parse_json_lines(decode(data, place.name, options.encoding), place.name)
        self._render: dict[str, Callable[[Any], Any]] = {}
        self._read: dict[str, pd.Series] = {}
        self._styled: dict[str, TextColumn] = {}
        self._changed: dict[int, dict[str, Any]] = {}
        super().__init__(place, self._parsed.names, len(self._parsed.cells), options)

    def column(self, name: str) -> pd.Series:
        """One column as the model wants it."""
        if name not in self._read:
            self._read[name], self._render[name] = self._column_and_style(name)
        return self._read[name]

    def _cells(self, name: str) -> list[Any]:
        cells = [None if is_gap(cell) else cell for cell in self._parsed.column(name)]
        markers = self.said.named_markers(name)
        if markers:
            found = [None if cell is None else marker_of(cell, markers) for cell in cells]
            for marker, n in Counter(marker for marker in found if marker is not None).items():
                self._count_marker(marker, name, n)
            cells = [cell if marker is None else None for cell, marker in zip(cells, found, strict=True)]
        return cells

    def _column_and_style(self, name: str) -> tuple[pd.Series, Callable[[Any], Any]]:
        cells = self._cells(name)
        kinds = {type(cell) for cell in cells if cell is not None}
        if kinds == {str}:
            gaps = np.array([cell is None for cell in cells])
            texts = [cell or "" for cell in cells]
            typed = amounts_column(
                name, texts, gaps, self.options.family(name), self.row_place, self.said.writing(name)
            )
            self.hints += [typed.hint] if typed.hint else []
            if typed.is_text:
                return pd.Series(cells, dtype="str"), str
            self._styled[name] = typed
            return typed.values, typed.render
        if kinds == {bool}:
            return pd.Series(cells, dtype="boolean"), bool
        if kinds == {int} and all(cell is None or abs(cell) < 2**63 for cell in cells):
            return pd.Series(cells, dtype="Int64"), lambda value: round(float(value))
        if kinds and kinds <= {int, float}:
            numbers = [math.nan if cell is None else float(cell) for cell in cells]
            whole = float not in kinds
            return pd.Series(numbers, dtype="float64"), lambda value: round(float(value)) if whole else float(value)
        series = pd.Series([None] * len(cells), dtype=object)
        series[:] = cells
        return series, json_value

    def unread(self, name: str) -> np.ndarray:
        """Observed cells that are not written as the others of the column are."""
        unread = self._styled[name].unread if name in self._styled else np.zeros(0, dtype=bool)
        return np.pad(unread, (0, self.n_rows - len(unread)))

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        return self._render[name]

    def _raw(self, name: str) -> list[Any] | None:
        return (
            [self._changed.get(row, {}).get(name, cell) for row, cell in enumerate(self._parsed.column(name))]
            if name in self._styled
            else None
        )

    def row_place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"line {self._parsed.places[row] + 1}"

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        self._read |= {name: self.column(name) for name in blank}
        self._read = {name: longer(values, parents, name in blank) for name, values in self._read.items()}
        self._parsed.append(parents.tolist())
        for row in range(self.n_rows, self.n_rows + len(parents)):
            self._changed[row] = {name: None for name in self._parsed.cells[row] if name in blank}

    def _add_mark(self, name: str, marked: np.ndarray) -> None:
        self._read[name], self._render[name] = pd.Series(marked, dtype="boolean"), bool
        for row, cell in enumerate(marked.tolist()):
            self._changed.setdefault(row, {})[name] = cell

    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        by_row = {row: dict(cells) for row, cells in self._changed.items()}
        for name, values in fills.items():
            for row, value in cells_of(values):
                by_row.setdefault(row, {})[name] = self._render[name](value)
        return self._parsed.text(by_row).encode(self.options.encoding)
