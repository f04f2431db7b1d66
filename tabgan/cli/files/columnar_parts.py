"""Parquet and Feather files that are read and written some rows at a time: row groups in, row groups out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from tabgan.cli.files.columnar import (
    feather_file,
    feather_writer,
    index_columns,
    parquet_file,
    parquet_writer,
    part_tables,
    part_writer,
    texts_in,
)
from tabgan.cli.files.columnar_table import ColumnarTable
from tabgan.cli.files.dictionaries import all_labels, with_labels
from tabgan.cli.files.parted import Part, PartedTable
from tabgan.cli.files.table_source import TableFile
from tabgan.exceptions import InvalidInputError

__all__ = ["FeatherParts", "ParquetParts"]


class _ColumnarParts(PartedTable):
    def open(self) -> None:
        """Read the schemas of all files."""
        schemas = [self._schema_of(path) for path in self._known_paths()]
        self.schema = schemas[0]
        self.names = list(self.schema.names)
        first = self.inputs.places[0].name
        for place, schema in zip(self.inputs.places, schemas, strict=True):
            if not schema.equals(self.schema):
                raise InvalidInputError(
                    f"{place.name} has other columns or types than {first}: {_difference(schema, self.schema)}; impute them one by "
                    "one, or write them alike."
                )
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise InvalidInputError(f"{self.place.name}: column names {repeated} appear more than once; rename them.")
        self.index_names = index_columns(self.schema.empty_table())

    def _known_paths(self) -> list[Path]:
        return [path for path in self.paths if path is not None]

    def _schema_of(self, path: Path) -> Any:
        raise NotImplementedError

    def find_parts(self, tell: Callable[[int], None]) -> None:
        """Group the rows of each file as it has them."""
        for number, path in enumerate(self._known_paths()):
            line = 1
            for start, stop, n_rows in self._groups(path):
                if n_rows:
                    self.parts.append(Part(len(self.parts), number, start, stop, self.n_rows, n_rows, line))
                line += n_rows
            tell(self.n_rows)
        if not self.names or not self.n_rows:
            raise InvalidInputError(f"{self.place.name} has {len(self.names)} columns and {self.n_rows} rows.")

    def _groups(self, path: Path) -> Iterator[tuple[int, int, int]]:
        raise NotImplementedError

    def texts(self) -> list[str]:
        """Columns of texts."""
        return [name for name in texts_in(self.schema) if name not in self.index_names]

    def tables(self, part: Part) -> Iterator[TableFile]:
        """The rows of a part."""
        place, start = self.inputs.places[part.file], part.line - 1
        for stored in self._stored(part):
            if stored.num_rows:
                yield ColumnarTable(place, stored, self.options, start)
            start += stored.num_rows

    def _stored(self, part: Part) -> Iterator[Any]:
        raise NotImplementedError

    def write_part(self, stream: BinaryIO, tables: Iterable[tuple[TableFile, dict[str, pd.Series]]]) -> None:
        """The tables, in Arrow's own format."""
        with part_writer(stream, self.schema) as writer:
            for table, fills in tables:
                assert isinstance(table, ColumnarTable)
                writer.write_table(table.filled(fills))


class ParquetParts(_ColumnarParts):
    """Parquet files with the same columns; see `PartedTable`. A part is a row group, or several small ones."""

    def _schema_of(self, path: Path) -> Any:
        with parquet_file(path) as opened:
            return opened.schema_arrow

    def _groups(self, path: Path) -> Iterator[tuple[int, int, int]]:
        with parquet_file(path) as opened:
            sizes = [opened.metadata.row_group(k).num_rows for k in range(opened.metadata.num_row_groups)]
        start = n_rows = 0
        for k, size in enumerate(sizes):
            if n_rows and n_rows + size > self.batch_rows:
                yield start, k, n_rows
                start, n_rows = k, 0
            n_rows += size
        yield start, len(sizes), n_rows

    def _stored(self, part: Part) -> Iterator[Any]:
        path = self._known_paths()[part.file]
        with parquet_file(path) as opened:
            yield from part_tables(
                opened.iter_batches(self.batch_rows, row_groups=range(part.start, part.stop)), opened.schema_arrow
            )

    def write_file(self, stream: BinaryIO, number: int, written: Sequence[Path]) -> None:
        """All parts into one file."""
        with parquet_writer(stream, self.schema) as writer:
            for path in written:
                for table in part_tables(path):
                    writer.write_table(table)


class FeatherParts(_ColumnarParts):
    """Feather files, which are Arrow's, with the same columns; see `PartedTable`. A part is a batch, or some small ones."""

    def _schema_of(self, path: Path) -> Any:
        with feather_file(path) as opened:
            return opened.schema

    def _groups(self, path: Path) -> Iterator[tuple[int, int, int]]:
        with feather_file(path) as opened:
            start = n_rows = 0
            for k in range(opened.num_record_batches):
                size = opened.get_batch(k).num_rows
                if n_rows and n_rows + size > self.batch_rows:
                    yield start, k, n_rows
                    start, n_rows = k, 0
                n_rows += size
            yield start, opened.num_record_batches, n_rows

    def _stored(self, part: Part) -> Iterator[Any]:
        path = self._known_paths()[part.file]
        with feather_file(path) as opened:
            whole = (opened.get_batch(k) for k in range(part.start, part.stop))
            cut = (
                batch.slice(start, self.batch_rows)
                for batch in whole
                for start in range(0, max(batch.num_rows, 1), self.batch_rows)
            )
            yield from part_tables(cut, opened.schema)

    def write_file(self, stream: BinaryIO, number: int, written: Sequence[Path]) -> None:
        """All parts into one file."""
        labels = all_labels(table for path in written for table in part_tables(path))
        with closing(feather_writer(stream, self.schema)) as writer:
            for path in written:
                for table in part_tables(path):
                    writer.write_table(with_labels(table, labels))


def _difference(schema: Any, first: Any) -> str:
    """The first thing in which two schemas differ."""
    if schema.names != first.names:
        return f"columns {schema.names}, not {first.names}"
    for name in schema.names:
        if schema.field(name).type != first.field(name).type:
            return f"{name!r} is {schema.field(name).type}, not {first.field(name).type}"
    return "which may be missing, or what is stored beside the types"
