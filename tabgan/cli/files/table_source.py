"""A table in a file, whatever its format: columns for the model, and the same file with its gaps filled."""

from __future__ import annotations

import abc
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.column_options import ColumnOptions, ReadOptions
from tabgan.cli.files.columnar import write_arrow
from tabgan.cli.files.delimited import write_delimited
from tabgan.cli.files.evidence import Evidence
from tabgan.cli.files.new_workbook import write_workbook
from tabgan.cli.files.sources import Place
from tabgan.exceptions import InvalidInputError
from tabgan.wording import counted
from tabgan.written.detect import Style

__all__ = [
    "TableFile",
    "blank_lines",
    "cells_of",
    "delimiter_of",
    "first_hints",
    "frame_bytes",
    "is_gap",
    "json_value",
    "longer",
    "marker_lines",
    "marker_of",
]

_WITH_TIMES = ("parquet", "feather", "xlsx")
_MOST_HINTS = 3
_MOST_NAMED = 5


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
        self.said = ColumnOptions(options, names, place.name)
        self.index_names: set[str] = set()
        self.hints: list[str] = []
        self._marked: dict[str, dict[str, int]] = {}
        self._notes: list[str] = []
        self._asked: dict[tuple[str, str], str] = {}
        self.blanked: dict[str, tuple[int, str]] = {}

    @abc.abstractmethod
    def column(self, name: str) -> pd.Series:
        """One column as the model wants it, missing where the file has a marker."""

    @abc.abstractmethod
    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        """Write the file in its own format, with the cells of ``fills`` (values by row number) in place."""

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        """How the file writes the values of a column, once that has been read."""
        return None

    def styles(self) -> dict[str, Style]:
        """How numbers, dates and times are written in the columns of texts that were read."""
        return {}

    def written(self, name: str, value: Any) -> str:
        """A value as the file would write it in a column that has been read."""
        style = self._style(name)
        return plain_text(value) if style is None else str(style(value))

    def unread(self, name: str) -> np.ndarray:
        """Observed cells of a column that are missing for the model, as they are not written as the others; boolean of shape (n,)."""
        return np.zeros(self.n_rows, dtype=bool)

    def _raw(self, name: str) -> list[Any] | None:
        """Cells of a text column that is more than text for the model; None for others."""
        return None

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Read some columns as a table for the model."""
        return pd.DataFrame({name: self.column(name) for name in names}, columns=list(names))

    def _count_marker(self, marker: str, name: str, n: int, asked: str | None = None) -> None:
        """Remember that ``n`` cells of a column are missing by a marker; ``asked`` is a hint that says so."""
        self._marked.setdefault(marker, {})[name] = n
        if asked is not None:
            self.hints.append(asked)
            self._asked[marker, name] = asked

    def markers_in(self, name: str) -> list[str]:
        """What was read as missing in a column besides empty cells."""
        return [marker for marker, counts in self._marked.items() if name in counts]

    def all_markers(self) -> dict[str, dict[str, int]]:
        """By marker and column how many cells are missing so, of the columns that have been read, empty cells aside."""
        return self._marked

    def marker_counts(self, name: str) -> dict[str, int]:
        """Markers of missing cells in a column that has been read, empty cells aside, and how often each occurs."""
        return {marker: counts[name] for marker, counts in self._marked.items() if name in counts}

    def notes(self) -> list[str]:
        """What was found of the file's layout, and what was read as missing besides empty cells, a line for each marker.

        Markers that the `first_hints` ask about are not said again.
        """
        said = set(self.first_hints())
        unsaid = {
            marker: {name: n for name, n in found.items() if self._asked.get((marker, name)) not in said}
            for marker, found in self._marked.items()
        }
        return list(self._notes) + marker_lines(unsaid) + blank_lines(self.blanked)

    def first_hints(self) -> list[str]:
        """Hints at how columns were read, a few of them and the number of the others."""
        return first_hints(self.hints)

    def look(self, name: str, evidence: Evidence, file: int) -> None:
        """Add what the texts of a column say to what is known of it; ``file`` is the number of this one."""
        raise NotImplementedError

    def cell_text(self, name: str, row: int) -> str:
        """An observed cell as the file writes it, for messages."""
        raise NotImplementedError

    def nested(self) -> dict[str, tuple[str, int]]:
        """Columns with nested cells: what the first one is, and in which line; of formats that do not know it beforehand."""
        return {}

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
            self.add_mark(mark, np.arange(self.n_rows) >= own)

    def add_mark(self, name: str, marked: np.ndarray) -> None:
        """Add a column of truth values at the end; one for each table.

        Parameters
        ----------
        name : str
            That no column has.
        marked : ndarray of bool of shape (n_rows,)
        """
        self.names = [*self.names, name]
        self._add_mark(name, marked)

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
        frame_bytes(pd.DataFrame({name: self._converted_column(name, None, kind)}), kind, self.options)

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
        columns = {name: self._converted_column(name, fills.get(name), kind) for name in self.names}
        return frame_bytes(pd.DataFrame(columns, columns=self.names), kind, self.options)

    def _converted_column(self, name: str, fills: pd.Series | None, kind: str) -> pd.Series:
        values, style, raw = self.column(name), self._style(name), self._raw(name)
        if raw is not None and style is not None:
            cells = pd.Series(raw, dtype=object)
            for row, value in cells_of(fills) if fills is not None else ():
                cells[row] = style(value)
            return cells
        if fills is not None:
            values = values.copy()
            values.iloc[fills.index.to_numpy()] = fills.array
        if style is not None and values.dtype.kind in "mM" and kind not in _WITH_TIMES:
            values = pd.Series([None if is_gap(cell) else style(cell) for cell in values], dtype=object)
        return values


def marker_lines(marked: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What to say of markers of missing cells, by marker and column how many there are: a line for each marker that there is."""
    lines = []
    for marker, counts in marked.items():
        if not counts:
            continue
        total = counted(sum(counts.values()), "cell")
        told = [f"{n} in {name!r}" for name, n in list(counts.items())[:_MOST_NAMED]]
        more = len(counts) - len(told)
        where = ", ".join(told) + (f" and others in {counted(more, 'more column')}" if more else "")
        one = f"in {next(iter(counts))!r} "
        lines.append(f"{total} {marker!r} {one * (len(counts) == 1)}read as missing" + f": {where}" * (len(counts) > 1))
    return lines


def blank_lines(blanked: Mapping[str, tuple[int, str]]) -> list[str]:
    """What to say of labels that some cells have between blanks: by column how many cells, and one of them; at most one line."""
    told = [
        f"{counted(n, 'cell')} such as {example!r} in {name!r}"
        for name, (n, example) in list(blanked.items())[:_MOST_NAMED]
    ]
    more = len(blanked) - len(told)
    further = f" and others in {counted(more, 'more column')}" if more else ""
    return [f"{', '.join(told)}{further} read without the blanks around them"] if told else []


def first_hints(hints: Sequence[str]) -> list[str]:
    """A few of the hints at how columns were read, and the number of the others."""
    more = len(hints) - _MOST_HINTS
    return [*hints[:_MOST_HINTS], *([f"{more} more columns like these"] if more > 0 else [])]


def frame_bytes(frame: pd.DataFrame, kind: str, options: ReadOptions) -> bytes:
    """Write a typed frame as a file of any format; texts as ``options`` say."""
    if kind in ("parquet", "feather"):
        return write_arrow(frame, kind)
    if kind == "xlsx":
        return write_workbook(frame, options.header)
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


def longer(values: pd.Series, parents: np.ndarray, blank: bool) -> pd.Series:
    """A column with copies of some of its cells at its end, or as many missing ones."""
    longer = values.iloc[np.concatenate([np.arange(len(values)), parents])].reset_index(drop=True)
    return longer.mask(np.arange(len(longer)) >= len(values)) if blank else longer


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


def marker_of(cell: Any, markers: Collection[str]) -> str | None:
    """Which of the markers a typed cell is written as, None if it is none; ``-999`` also marks -999.0."""
    if not isinstance(cell, bytes) and (text := plain_text(cell)) in markers:
        return text
    if isinstance(cell, float) and cell.is_integer() and (text := str(int(cell))) in markers:
        return text
    return None


def json_value(cell: Any) -> Any:
    """Turn a cell into what JSON can hold."""
    if is_gap(cell):
        return None
    cell = cell.item() if isinstance(cell, np.generic) else cell
    return cell if isinstance(cell, (bool, int, float, str)) else plain_text(cell)
