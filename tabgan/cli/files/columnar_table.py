"""Parquet and Feather files as tables: types and metadata as they were, only gaps replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.column_options import ReadOptions
from tabgan.cli.files.columnar import (
    arrow_column,
    check_columns,
    index_columns,
    nan_as_missing,
    read_arrow,
    replaced,
    with_copies,
    with_mark,
    with_types_of,
    without_views,
    write_arrow,
)
from tabgan.cli.files.evidence import Evidence
from tabgan.cli.files.settled import settled_column
from tabgan.cli.files.sources import Place
from tabgan.cli.files.table_source import TableFile, longer, marker_of
from tabgan.cli.files.text_columns import TextColumn, amounts_column
from tabgan.written.detect import Style

__all__ = ["ColumnarTable"]


class ColumnarTable(TableFile):
    """A file that pyarrow reads.

    Parameters
    ----------
    place : Place
    stored : pyarrow.Table
        All of it, or some rows.
    options : ReadOptions
    start : int, default=0
        Rows of the file before these.
    """

    def __init__(self, place: Place, stored: Any, options: ReadOptions, start: int = 0) -> None:
        self._schema, self._table, self._start = stored.schema, without_views(stored), start
        self._read: dict[str, pd.Series] = {}
        self._styled: dict[str, TextColumn] = {}
        super().__init__(place, list(self._table.column_names), self._table.num_rows, options)
        self.index_names = index_columns(self._table)

    @classmethod
    def read(cls, place: Place, data: bytes, options: ReadOptions) -> ColumnarTable:
        """Read a whole file.

        Raises
        ------
        InvalidInputError, MissingExtraError
            See `tabgan.cli.files.columnar.read_arrow`.
        """
        return cls(place, read_arrow(data, place.format, place.name), options)

    def row_place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return super().row_place(self._start + row)

    def column(self, name: str) -> pd.Series:
        """One column as the model wants it."""
        if name not in self._read:
            self._read[name] = self._without_style(name, self._observed(name))
        return self._read[name]

    def _observed(self, name: str) -> pd.Series:
        series = nan_as_missing(arrow_column(self._table, name))
        if markers := self.said.named_markers(name):
            wanted = {cell: marker for cell in series.dropna().unique() if (marker := marker_of(cell, markers))}
            for cell, marker in wanted.items():
                self._count_marker(marker, name, int((series == cell).sum()))
            series = series.mask(series.isin(set(wanted))) if wanted else series
        return series

    def _without_style(self, name: str, series: pd.Series) -> pd.Series:
        """Numbers and dates of a column that holds them as texts."""
        settled = self.options.settled.get(name)
        if not _holds_texts(series) or (settled is not None and settled.style is None):
            return series
        gaps = series.isna().to_numpy()
        texts = series.fillna("").astype(str).tolist()
        if settled is not None:
            typed = settled_column(name, texts, gaps, settled, self.row_place)
        else:
            typed = amounts_column(
                name, texts, gaps, self.options.family(name), self.row_place, self.said.writing(name)
            )
        self.hints += [typed.hint] if typed.hint else []
        if typed.is_text:
            return series
        self._styled[name] = typed
        return typed.values

    def styles(self) -> dict[str, Style]:
        """How numbers, dates and times are written in the columns of texts that were read."""
        return {name: typed.style for name, typed in self._styled.items() if typed.style is not None}

    def unread(self, name: str) -> np.ndarray:
        """Observed cells that are not written as the others of the column are."""
        unread = self._styled[name].unread if name in self._styled else np.zeros(0, dtype=bool)
        return np.pad(unread, (0, self.n_rows - len(unread)))

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        return self._styled[name].render if name in self._styled else None

    def _raw(self, name: str) -> list[Any] | None:
        return self._table.column(name).to_pylist() if name in self._styled else None

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Read some columns as a table for the model."""
        check_columns(self._table, names)
        return super().frame(names)

    def _check_column(self, name: str, kind: str) -> None:
        if kind in ("parquet", "feather"):
            write_arrow(with_types_of(self._table.select([name]), self._schema), kind)
        else:
            super()._check_column(name, kind)

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        self._read = {name: longer(values, parents, name in blank) for name, values in self._read.items()}
        self._table = with_copies(self._table, parents, blank)

    def _add_mark(self, name: str, marked: np.ndarray) -> None:
        self._table = with_mark(self._table, name, marked)

    def look(self, name: str, evidence: Evidence, file: int) -> None:
        """Add the observed cells of a column of texts to what is known of it."""
        series = self._observed(name)
        if _holds_texts(series):
            known = series.notna().to_numpy()
            rows = np.flatnonzero(known) + self._start + 1
            evidence.add(series[known].astype(str).tolist(), rows.tolist(), file)

    def cell_text(self, name: str, row: int) -> str:
        """An observed cell as the file writes it, for messages."""
        return str(self._table.column(name)[row].as_py())

    def filled(self, fills: dict[str, pd.Series]) -> Any:
        """The Arrow table with cells of ``fills`` (values by row number) in place."""
        table = self._table
        for name, values in fills.items():
            gaps = np.zeros(self.n_rows, dtype=bool)
            gaps[values.index.to_numpy()] = True
            style = self._style(name)
            cells = values.tolist() if style is None else [style(value) for value in values]
            table = replaced(table, name, gaps, cells)
        return with_types_of(table, self._schema)

    def _dump(self, fills: dict[str, pd.Series], kind: str | None = None) -> bytes:
        return write_arrow(self.filled(fills), kind or self.place.format)

    def _converted(self, fills: dict[str, pd.Series], kind: str) -> bytes:
        # From one columnar format to the other: the very types.
        return self._dump(fills, kind) if kind in ("parquet", "feather") else super()._converted(fills, kind)


def _holds_texts(series: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(series.dtype) and not isinstance(series.dtype, pd.CategoricalDtype)
