"""A table in a file, whatever its format: columns for the model, and the same file with its gaps filled."""

from __future__ import annotations

import abc
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.columnar import write_arrow
from tabgan.cli.files.delimited import write_delimited
from tabgan.cli.files.sources import Place
from tabgan.exceptions import InvalidInputError

__all__ = [
    "DEFAULT_MARKERS",
    "ReadOptions",
    "TableFile",
    "cells_of",
    "delimiter_of",
    "frame_bytes",
    "is_gap",
    "is_marker",
    "json_value",
]

DEFAULT_MARKERS = ("", "NA", "NaN", "nan", "NULL", "null", "None", "N/A", "n/a", "#N/A")
_MOST_HINTS = 3


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

    def first_hints(self) -> list[str]:
        """Hints at how columns were read, a few of them and the number of the others."""
        more = len(self.hints) - _MOST_HINTS
        return self.hints[:_MOST_HINTS] + ([f"{more} more columns like these"] if more > 0 else [])

    def row_place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"row {row + 1}"

    def extend(self, parents: np.ndarray, *, blank: Collection[str] = (), mark: str | None = None) -> None:
        """Append copies of rows, each cell as the file writes it; `dumped` then writes the longer table.

        Parameters
        ----------
        parents : ndarray of int
            Which row each new one copies.
        blank : collection of str, default=()
            Columns whose new cells are empty instead.
        mark : str, default=None
            Name of a further column at the end, true in new rows.
        """
        own = self.n_rows
        self._append(np.asarray(parents, dtype=np.int64), set(blank))
        self.n_rows += len(parents)
        if mark is not None:
            self.names = [*self.names, mark]
            self._add_mark(mark, np.arange(self.n_rows) >= own)

    @abc.abstractmethod
    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        """Append copies of rows; ``n_rows`` is still the old number."""

    @abc.abstractmethod
    def _add_mark(self, name: str, marked: np.ndarray) -> None:
        """Add a column of truth values."""

    def check_output(self, output: Place) -> None:
        """Refuse an output of another format that a column cannot be written to, before any work; call it once columns are read.

        Raises
        ------
        InvalidInputError
            Names the column.
        """
        for name in self.names if output.format != self.place.format else ():
            try:
                self._check_column(name, output.format)
            except (TypeError, ValueError, ArithmeticError, NotImplementedError, OSError, InvalidInputError) as error:
                raise InvalidInputError(
                    f"column {name!r} cannot be written as {output.format}; write {self.place.format}, as it came, or drop it."
                ) from error

    def _check_column(self, name: str, kind: str) -> None:
        """Raise anything if the column cannot be written in the format."""
        frame_bytes(pd.DataFrame({name: self.column(name)}), kind, self.options)

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
                values = pd.Series([None if is_gap(cell) else style(cell) for cell in values], dtype=object)
            columns[name] = values
        return frame_bytes(pd.DataFrame(columns, columns=self.names), kind, self.options)


def frame_bytes(frame: pd.DataFrame, kind: str, options: ReadOptions) -> bytes:
    """Write a typed frame as a file of any format; texts as ``options`` say."""
    if kind in ("parquet", "feather"):
        return write_arrow(frame, kind)
    if kind == "jsonl":
        records = (
            {name: json_value(cell) for name, cell in zip(frame.columns, row, strict=True)} for row in _rows(frame)
        )
        return "".join(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records).encode()
    texts = [["" if is_gap(cell) else plain_text(cell) for cell in row] for row in _rows(frame)]
    names = list(frame.columns) if options.header else None
    return write_delimited(names, texts, delimiter_of(kind, options)).encode(options.encoding)


def delimiter_of(kind: str, options: ReadOptions) -> str:
    """Delimiter of CSV or TSV."""
    return options.delimiter or {"csv": ",", "tsv": "\t"}[kind]


def cells_of(values: pd.Series) -> Iterator[tuple[int, Any]]:
    """Row number and value of each fill."""
    return zip(values.index.tolist(), values.tolist(), strict=True)


def _rows(frame: pd.DataFrame) -> Any:
    return zip(*(frame[name].astype(object) for name in frame.columns), strict=True)


def is_gap(cell: Any) -> bool:
    """Whether a Python cell is missing."""
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell))


def plain_text(cell: Any) -> str:
    if isinstance(cell, (bytes, bytearray)):
        raise TypeError("bytes are no text")
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def is_marker(cell: Any, markers: Collection[str]) -> bool:
    """Whether a typed cell is written as one of the markers; ``-999`` also marks -999.0."""
    if not isinstance(cell, bytes) and plain_text(cell) in markers:
        return True
    return isinstance(cell, float) and cell.is_integer() and str(int(cell)) in markers


def json_value(cell: Any) -> Any:
    """Turn a cell into what JSON can hold."""
    if is_gap(cell):
        return None
    cell = cell.item() if isinstance(cell, np.generic) else cell
    return cell if isinstance(cell, (bool, int, float, str)) else plain_text(cell)
