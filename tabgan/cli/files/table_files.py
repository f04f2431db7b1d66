"""Files of each format as `TableFile`: observed cells stay as they are, down to the byte in text formats."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.columnar import (
    arrow_column,
    check_columns,
    index_columns,
    read_arrow,
    replaced,
    with_copies,
    with_mark,
    with_types_of,
    without_views,
    write_arrow,
)
from tabgan.cli.files.delimited import cell_value, parse_delimited, write_delimited
from tabgan.cli.files.json_lines import parse_json_lines
from tabgan.cli.files.sources import Place, decode, read_bytes
from tabgan.cli.files.suspicions import suspected_header, suspected_value
from tabgan.cli.files.table_source import (
    DEFAULT_MARKERS,
    ReadOptions,
    TableFile,
    cells_of,
    delimiter_of,
    is_gap,
    is_marker,
    json_value,
)
from tabgan.cli.files.text_columns import TextColumn, typed_column
from tabgan.exceptions import InvalidInputError

__all__ = ["DEFAULT_MARKERS", "ReadOptions", "TableFile", "open_table"]


class _Delimited(TableFile):
    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        text = decode(data, place.name, options.encoding)
        self._parsed = parse_delimited(text, place.name, delimiter_of(place.format, options), options.header)
        self._typed: dict[str, TextColumn] = {}
        super().__init__(place, self._parsed.names, len(self._parsed.records), options)
        self._markers = {"", *options.missing, *(DEFAULT_MARKERS if options.default_markers else ())}
        header = suspected_header(self.names, self._parsed.records) if options.header else None
        self.hints += [header] if header else []

    def column(self, name: str) -> pd.Series:
        if name not in self._typed:
            j = self.names.index(name)
            texts = [cell_value(record[j]) for record in self._parsed.records]
            gaps = np.fromiter((text.strip() in self._markers for text in texts), dtype=bool, count=len(texts))
            typed = typed_column(name, texts, gaps, self.options.family(name), self.row_place)
            self._typed[name] = typed
            unsaid = set(DEFAULT_MARKERS) - set(self.options.missing) if self.options.default_markers else ()
            known = [text for text, gap in zip(texts, gaps, strict=True) if not gap]
            value = suspected_value(name, texts, unsaid, known) if typed.is_text else None
            self.hints += [hint for hint in (typed.hint, value) if hint]
        return self._typed[name].values

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        return self._typed[name].render

    def row_place(self, row: int) -> str:
        return f"line {self._parsed.lines[row]}"

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        for name, typed in self._typed.items():
            self._typed[name] = replace(typed, values=_longer(typed.values, parents, name in blank))
        empty = [name in blank for name in self.names]
        records = self._parsed.records
        self._parsed.append(
            [["" if gone else raw for raw, gone in zip(records[row], empty, strict=True)] for row in parents.tolist()]
        )

    def _add_mark(self, name: str, marked: np.ndarray) -> None:
        self._typed[name] = TextColumn(pd.Series(marked, dtype="boolean"), _truth)
        self._parsed.add_column(name if self.options.header else None, [_truth(cell) for cell in marked])

    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        for name, values in fills.items():
            j, render = self.names.index(name), self._typed[name].render
            gaps = self._typed[name].values.isna().to_numpy()
            always_quoted = all(
                record[j].lstrip(" ").startswith('"')
                for record, gap in zip(self._parsed.records, gaps, strict=True)
                if not gap
            )
            for row, value in cells_of(values):
                self._parsed.replace(row, j, render(value), always_quoted)
        return self._parsed.text().encode(self.options.encoding)

    def _converted(self, fills: dict[str, pd.Series], kind: str) -> bytes:
        if kind not in ("csv", "tsv"):
            return super()._converted(fills, kind)
        # From one delimiter to another: the very texts, quoted anew.
        rows = [[cell_value(raw) for raw in record] for record in self._parsed.records]
        for name, values in fills.items():
            j, render = self.names.index(name), self._typed[name].render
            for row, value in cells_of(values):
                rows[row][j] = render(value)
        names = self.names if self.options.header else None
        return write_delimited(names, rows, delimiter_of(kind, ReadOptions())).encode(self.options.encoding)


class _JsonLines(TableFile):
    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        self._parsed = parse_json_lines(decode(data, place.name, options.encoding), place.name)
        self._render: dict[str, Callable[[Any], Any]] = {}
        self._read: dict[str, pd.Series] = {}
        self._changed: dict[int, dict[str, Any]] = {}
        super().__init__(place, self._parsed.names, len(self._parsed.cells), options)

    def column(self, name: str) -> pd.Series:
        if name not in self._read:
            self._read[name], self._render[name] = self._typed(name)
        return self._read[name]

    def _typed(self, name: str) -> tuple[pd.Series, Callable[[Any], Any]]:
        cells = [None if is_gap(cell) else cell for cell in self._parsed.column(name)]
        if self.options.missing:
            cells = [None if cell is not None and is_marker(cell, self.options.missing) else cell for cell in cells]
        kinds = {type(cell) for cell in cells if cell is not None}
        if kinds == {str}:
            gaps = np.array([cell is None for cell in cells])
            wanted = self.options.family(name)
            if wanted in (None, "datetime"):
                typed = typed_column(name, [cell or "" for cell in cells], gaps, wanted, self.row_place)
                if typed.values.dtype.kind == "M":
                    return typed.values, typed.render
            return pd.Series(cells, dtype="str"), str
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

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        return self._render[name]

    def row_place(self, row: int) -> str:
        return f"line {self._parsed.places[row] + 1}"

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        self._read |= {name: self.column(name) for name in blank}
        self._read = {name: _longer(values, parents, name in blank) for name, values in self._read.items()}
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


class _Columnar(TableFile):
    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        stored = read_arrow(data, place.format, place.name)
        self._schema, self._table = stored.schema, without_views(stored)
        self._read: dict[str, pd.Series] = {}
        super().__init__(place, list(self._table.column_names), self._table.num_rows, options)
        self.index_names = index_columns(self._table)

    def column(self, name: str) -> pd.Series:
        if name not in self._read:
            series = arrow_column(self._table, name)
            if pd.api.types.is_float_dtype(series.dtype):
                # Arrow tells null from NaN; both are missing here.
                series = series.where(~np.isnan(series.to_numpy(dtype=np.float64, na_value=np.nan)))
            if self.options.missing:
                wanted = {cell for cell in series.dropna().unique() if is_marker(cell, self.options.missing)}
                series = series.mask(series.isin(wanted)) if wanted else series
            self._read[name] = series
        return self._read[name]

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        check_columns(self._table, names)
        return super().frame(names)

    def _check_column(self, name: str, kind: str) -> None:
        if kind in ("parquet", "feather"):
            write_arrow(with_types_of(self._table.select([name]), self._schema), kind)
        else:
            super()._check_column(name, kind)

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        self._read = {name: _longer(values, parents, name in blank) for name, values in self._read.items()}
        self._table = with_copies(self._table, parents, blank)

    def _add_mark(self, name: str, marked: np.ndarray) -> None:
        self._table = with_mark(self._table, name, marked)

    def _dump(self, fills: dict[str, pd.Series], kind: str | None = None) -> bytes:
        table = self._table
        for name, values in fills.items():
            gaps = np.zeros(self.n_rows, dtype=bool)
            gaps[values.index.to_numpy()] = True
            table = replaced(table, name, gaps, values.tolist())
        return write_arrow(with_types_of(table, self._schema), kind or self.place.format)

    def _converted(self, fills: dict[str, pd.Series], kind: str) -> bytes:
        # From one columnar format to the other: the very types.
        return self._dump(fills, kind) if kind in ("parquet", "feather") else super()._converted(fills, kind)


def _longer(values: pd.Series, parents: np.ndarray, blank: bool) -> pd.Series:
    """A column with copies of some of its cells at its end, or as many missing ones."""
    longer = values.iloc[np.concatenate([np.arange(len(values)), parents])].reset_index(drop=True)
    return longer.mask(np.arange(len(longer)) >= len(values)) if blank else longer


def _truth(cell: Any) -> str:
    return str(bool(cell)).lower()


def open_table(place: Place, options: ReadOptions) -> TableFile:
    """Read a file.

    Parameters
    ----------
    place : Place
    options : ReadOptions

    Returns
    -------
    TableFile

    Raises
    ------
    InvalidInputError
        The file is absent, empty, damaged or of another format; names the file, and the line where there is one.
    """
    data = read_bytes(place)
    if not data:
        raise InvalidInputError(f"{place.name} is empty; it needs at least one row.")
    kind = {"csv": _Delimited, "tsv": _Delimited, "jsonl": _JsonLines}.get(place.format, _Columnar)
    return kind(place, data, options)
