"""JSON-lines files as tables: typed by their values, written back with every observed cell as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.column_options import ReadOptions
from tabgan.cli.files.evidence import Evidence
from tabgan.cli.files.json_lines import JsonLines, parse_json_lines
from tabgan.cli.files.settled import settled_column
from tabgan.cli.files.sources import Place, decode
from tabgan.cli.files.table_source import TableFile, cells_of, is_gap, longer
from tabgan.cli.files.text_columns import TextColumn, amounts_column
from tabgan.cli.files.typed_cells import kinds_of, typed_cells, without_markers
from tabgan.exceptions import InvalidInputError
from tabgan.written.detect import Style

__all__ = ["JsonTable"]


class JsonTable(TableFile):
    """A file with a JSON object in each line.

    Parameters
    ----------
    place : Place
    parsed : JsonLines
        Its text, or some lines of it.
    encoding : str
    options : ReadOptions
    """

    def __init__(self, place: Place, parsed: JsonLines, encoding: str, options: ReadOptions) -> None:
        self._parsed, self._encoding = parsed, encoding
        self._render: dict[str, Callable[[Any], Any]] = {}
        self._read: dict[str, pd.Series] = {}
        self._styled: dict[str, TextColumn] = {}
        self._changed: dict[int, dict[str, Any]] = {}
        super().__init__(place, self._parsed.names, len(self._parsed.cells), options)

    @classmethod
    def read(cls, place: Place, data: bytes, options: ReadOptions) -> JsonTable:
        """Read a whole file.

        Raises
        ------
        InvalidInputError
            See `tabgan.cli.files.sources.decode` and `tabgan.cli.files.json_lines.parse_json_lines`.
        """
        text, encoding = decode(data, place.name, options.encoding)
        return cls(place, parse_json_lines(text, place.name), encoding, options)

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Read some columns as a table for the model."""
        self._refuse_nested(names)
        return super().frame(names)

    def _refuse_nested(self, names: Sequence[str]) -> None:
        nested = {name: kind for name in names if (kind := self._parsed.nested.get(name))}
        if nested:
            told = ", ".join(f"{name!r} ({kind}, line {line})" for name, (kind, line) in nested.items())
            options = " ".join(f"--leave {name!r}" for name in nested)
            which = "column" if len(nested) == 1 else "columns"
            raise InvalidInputError(
                f"{self.place.name}: {which} {told}: no model takes nested cells; leave alone with {options}, or flatten into columns "
                "of their own."
            )

    def column(self, name: str) -> pd.Series:
        """One column as the model wants it."""
        self._refuse_nested([name])
        if name not in self._read:
            self._read[name], self._render[name] = self._column_and_style(name)
        return self._read[name]

    def _column_and_style(self, name: str) -> tuple[pd.Series, Callable[[Any], Any]]:
        cells = self._observed(name)
        settled = self.options.settled.get(name)
        kinds = settled.kinds if settled else kinds_of(cells)
        if kinds == {str}:
            gaps = np.array([cell is None for cell in cells])
            texts = [cell or "" for cell in cells]
            if settled:
                typed = settled_column(name, texts, gaps, settled, self.row_place)
            else:
                typed = amounts_column(
                    name, texts, gaps, self.options.family(name), self.row_place, self.said.writing(name)
                )
            self.hints += [typed.hint] if typed.hint else []
            if not typed.is_text:
                self._styled[name] = typed
                return typed.values, typed.render
        return typed_cells(cells, kinds)

    def _observed(self, name: str) -> list[Any]:
        """Cells of a key, None where one is missing."""
        given = [None if is_gap(cell) else cell for cell in self._parsed.column(name)]
        cells, counts = without_markers(given, self.said.named_markers(name))
        for marker, n in counts.items():
            self._count_marker(marker, name, n)
        return cells

    def look(self, name: str, evidence: Evidence, file: int) -> None:
        """Add the observed cells of a key to what is known of it."""
        cells = self._observed(name)
        evidence.kinds |= kinds_of(cells)
        found = [(cell, place) for cell, place in zip(cells, self._parsed.places, strict=True) if type(cell) is str]
        evidence.add([text for text, _ in found], [place + self._parsed.first_line for _, place in found], file)

    def cell_text(self, name: str, row: int) -> str:
        """An observed cell as the file writes it, for messages."""
        return str(self._parsed.cells[row][name][0])

    def nested(self) -> dict[str, tuple[str, int]]:
        """Keys with an object or list among their values: what it is, and in which line."""
        return self._parsed.nested

    def styles(self) -> dict[str, Style]:
        """How numbers, dates and times are written in the columns of texts that were read."""
        return {name: typed.style for name, typed in self._styled.items() if typed.style is not None}

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
        return f"line {self._parsed.places[row] + self._parsed.first_line}"

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        self._read |= {name: self.column(name) for name in blank if name not in self._parsed.nested}
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
        return self._parsed.text(by_row).encode(self._encoding)
