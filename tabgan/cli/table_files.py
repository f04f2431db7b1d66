"""Tables in files: typed columns for the model on one side, files that change in their gaps only on the other."""

from __future__ import annotations

import abc
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.columnar import arrow_column, index_columns, read_arrow, replaced, write_arrow
from tabgan.cli.delimited import cell_value, parse_delimited, write_delimited
from tabgan.cli.json_lines import parse_json_lines
from tabgan.cli.sources import Place, decode, read_bytes
from tabgan.cli.text_columns import TextColumn, typed_column
from tabgan.exceptions import InvalidInputError

__all__ = ["DEFAULT_MARKERS", "ReadOptions", "TableFile", "open_table"]

DEFAULT_MARKERS = ("", "NA", "NaN", "nan", "NULL", "null", "None", "N/A", "n/a", "#N/A")


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file.

    Parameters
    ----------
    missing : sequence of str, default=()
        Markers of a missing cell besides the format's own.
    default_markers : bool, default=True
        Let ``DEFAULT_MARKERS`` count in CSV and TSV; without, only empty cells and ``missing`` do.
    header : bool, default=True
        The first line of CSV and TSV holds names.
    delimiter : str, default=None
        Of CSV and TSV; None takes comma and tab.
    encoding : str, default="utf-8"
        Of text formats.
    text_columns : collection of str, default=()
        Columns of CSV and TSV to read as text whatever they look like.
    families : mapping of str to str, default={}
        What a fitted model expects of columns of text formats.
    """

    missing: Sequence[str] = ()
    default_markers: bool = True
    header: bool = True
    delimiter: str | None = None
    encoding: str = "utf-8"
    text_columns: Collection[str] = ()
    families: Mapping[str, str] | None = None

    def family(self, name: str) -> Any:
        """Tell what a text column must be read as, None where its cells decide."""
        return "text" if name in self.text_columns else _TEXT_FAMILIES.get((self.families or {}).get(name, ""))


_TEXT_FAMILIES = {
    "number": "number",
    "boolean": "boolean",
    "datetime": "datetime",
    "text": "text",
    "category": "text",
}


class TableFile(abc.ABC):
    """A file read into memory.

    Parameters
    ----------
    place : Place
        Where it came from.
    names : list of str
        All columns, in order.
    n_rows : int
    options : ReadOptions
    """

    def __init__(self, place: Place, names: list[str], n_rows: int, options: ReadOptions) -> None:
        self.place, self.names, self.n_rows, self.options = place, names, n_rows, options
        self.index_names: set[str] = set()
        self.hints: list[str] = []

    @abc.abstractmethod
    def column(self, name: str) -> pd.Series:
        """One column as the model wants it, missing where the file has a marker."""

    @abc.abstractmethod
    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        """Write the file in its own format, with the cells of ``fills`` (values by row number) in place."""

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        """How the file writes the values of a column, once that has been read."""
        return None

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Read some columns as a table for the model."""
        return pd.DataFrame({name: self.column(name) for name in names}, columns=list(names))

    def dumped(self, fills: dict[str, pd.Series], output: Place) -> bytes:
        """Write the filled table as a file.

        Parameters
        ----------
        fills : dict of str to Series
            Values of gaps by column, indexed by row number.
        output : Place
            Where it will go; its format may differ from the source's.

        Returns
        -------
        bytes
        """
        if output.format == self.place.format:
            return self._dump(fills)
        return self._converted(fills, output.format)

    def _converted(self, fills: dict[str, pd.Series], kind: str) -> bytes:
        columns = {}
        for name in self.names:
            values = self.column(name)
            if name in fills:
                values = values.copy()
                values.iloc[fills[name].index.to_numpy()] = fills[name].array
            style = self._style(name)
            if style is not None and values.dtype.kind == "M" and kind not in ("parquet", "feather"):
                values = pd.Series([None if _is_gap(cell) else style(cell) for cell in values], dtype=object)
            columns[name] = values
        frame = pd.DataFrame(columns, columns=self.names)
        if kind in ("parquet", "feather"):
            return write_arrow(frame, kind)
        if kind == "jsonl":
            records = (
                {name: _json_value(cell) for name, cell in zip(self.names, row, strict=True)} for row in _rows(frame)
            )
            return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
        texts = [["" if _is_gap(cell) else _plain_text(cell) for cell in row] for row in _rows(frame)]
        delimiter = _delimiter(kind, self.options)
        return write_delimited(self.names if self.options.header else None, texts, delimiter).encode(
            self.options.encoding
        )


class _Delimited(TableFile):
    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        text = decode(data, place.name, options.encoding)
        self._parsed = parse_delimited(text, place.name, _delimiter(place.format, options), options.header)
        self._typed: dict[str, TextColumn] = {}
        super().__init__(place, self._parsed.names, len(self._parsed.records), options)
        self._markers = {"", *options.missing, *(DEFAULT_MARKERS if options.default_markers else ())}

    def column(self, name: str) -> pd.Series:
        if name not in self._typed:
            j = self.names.index(name)
            texts = [cell_value(record[j]) for record in self._parsed.records]
            gaps = np.fromiter((text.strip() in self._markers for text in texts), dtype=bool, count=len(texts))
            typed = typed_column(name, texts, gaps, self.options.family(name), self._place)
            self._typed[name] = typed
            self.hints += [typed.hint] if typed.hint else []
        return self._typed[name].values

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        return self._typed[name].render

    def _place(self, row: int) -> str:
        return f"line {self._parsed.lines[row]}"

    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        for name, values in fills.items():
            j, render = self.names.index(name), self._typed[name].render
            gaps = self._typed[name].values.isna().to_numpy()
            always_quoted = all(
                record[j].lstrip(" ").startswith('"')
                for record, gap in zip(self._parsed.records, gaps, strict=True)
                if not gap
            )
            for row, value in values.items():
                self._parsed.replace(row, j, render(value), always_quoted)
        return self._parsed.text().encode(self.options.encoding)

    def _converted(self, fills: dict[str, pd.Series], kind: str) -> bytes:
        if kind not in ("csv", "tsv"):
            return super()._converted(fills, kind)
        # From one delimiter to another: the very texts, quoted anew.
        rows = [[cell_value(raw) for raw in record] for record in self._parsed.records]
        for name, values in fills.items():
            j, render = self.names.index(name), self._typed[name].render
            for row, value in values.items():
                rows[row][j] = render(value)
        names = self.names if self.options.header else None
        return write_delimited(names, rows, _delimiter(kind, ReadOptions())).encode(self.options.encoding)


class _JsonLines(TableFile):
    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        self._parsed = parse_json_lines(decode(data, place.name, options.encoding), place.name)
        self._render: dict[str, Callable[[Any], Any]] = {}
        self._read: dict[str, pd.Series] = {}
        super().__init__(place, self._parsed.names, len(self._parsed.cells), options)

    def column(self, name: str) -> pd.Series:
        if name not in self._read:
            self._read[name], self._render[name] = self._typed(name)
        return self._read[name]

    def _typed(self, name: str) -> tuple[pd.Series, Callable[[Any], Any]]:
        cells = [None if _is_gap(cell) else cell for cell in self._parsed.column(name)]
        if self.options.missing:
            cells = [None if cell is not None and _is_marker(cell, self.options.missing) else cell for cell in cells]
        kinds = {type(cell) for cell in cells if cell is not None}
        if kinds == {str}:
            gaps = np.array([cell is None for cell in cells])
            wanted = self.options.family(name)
            if wanted in (None, "datetime"):
                typed = typed_column(name, [cell or "" for cell in cells], gaps, wanted, self._place)
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
        return series, _json_value

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        return self._render[name]

    def _place(self, row: int) -> str:
        return f"line {self._parsed.places[row] + 1}"

    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        by_row: dict[int, dict[str, Any]] = {}
        for name, values in fills.items():
            for row, value in values.items():
                by_row.setdefault(int(row), {})[name] = self._render[name](value)
        return self._parsed.text(by_row).encode(self.options.encoding)


class _Columnar(TableFile):
    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        self._table = read_arrow(data, place.format, place.name)
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
                wanted = {cell for cell in series.dropna().unique() if _is_marker(cell, self.options.missing)}
                series = series.mask(series.isin(wanted)) if wanted else series
            self._read[name] = series
        return self._read[name]

    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        table = self._table
        for name, values in fills.items():
            gaps = np.zeros(self.n_rows, dtype=bool)
            gaps[values.index.to_numpy()] = True
            table = replaced(table, name, gaps, values.tolist())
        return write_arrow(table, self.place.format)


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


def _delimiter(kind: str, options: ReadOptions) -> str:
    return options.delimiter or {"csv": ",", "tsv": "\t"}[kind]


def _rows(frame: pd.DataFrame) -> Any:
    return zip(*(frame[name].astype(object) for name in frame.columns), strict=True)


def _is_gap(cell: Any) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell))


def _plain_text(cell: Any) -> str:
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def _is_marker(cell: Any, markers: Collection[str]) -> bool:
    """Whether a typed cell is written as one of the markers; ``-999`` also marks -999.0."""
    if _plain_text(cell) in markers:
        return True
    return isinstance(cell, float) and cell.is_integer() and str(int(cell)) in markers


def _json_value(cell: Any) -> Any:
    if _is_gap(cell):
        return None
    cell = cell.item() if isinstance(cell, np.generic) else cell
    return cell if isinstance(cell, (bool, int, float, str)) else _plain_text(cell)
