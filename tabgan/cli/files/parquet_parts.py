"""Parquet files, or folders of them, that are read and written some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from tabgan.cli.files.columnar import (
    arrow_column,
    check_columns,
    index_columns,
    nan_as_missing,
    parquet_file,
    parquet_writer,
    replaced,
    with_types_of,
    without_views,
)
from tabgan.cli.files.sources import Place
from tabgan.exceptions import InvalidInputError

__all__ = ["ParquetParts"]


class ParquetParts:
    """One Parquet file, or all in a folder, with the same columns.

    Parameters
    ----------
    path : Path
    batch_rows : int
        Rows at a time.

    Attributes
    ----------
    names : list of str
        The columns.
    n_rows : int
        Of all files.

    Raises
    ------
    InvalidInputError
        There is no file or folder, no Parquet file or no row in it, or files differ in columns or types.
    MissingExtraError
        pyarrow is not installed.
    """

    def __init__(self, path: Path, batch_rows: int) -> None:
        self.place = Place(path, "parquet")
        self.batch_rows = batch_rows
        self.is_folder = path.is_dir()
        self.files = sorted(path.glob("*.parquet")) if self.is_folder else [path]
        if not self.files:
            raise InvalidInputError(f"{self.place.name} is a folder without a .parquet file; give one that has some.")
        schemas = []
        self.n_rows = 0
        for file in self.files:
            with parquet_file(file) as opened:
                schemas.append(opened.schema_arrow)
                self.n_rows += opened.metadata.num_rows
        self.schema = schemas[0]
        self.names = list(self.schema.names)
        for file, schema in zip(self.files, schemas, strict=True):
            if not schema.equals(self.schema):
                raise InvalidInputError(
                    f"{str(file)!r} has other columns or types than {str(self.files[0])!r}: {_difference(schema, self.schema)}; "
                    "impute them one by one, or write them alike."
                )
        if not self.names or not self.n_rows:
            raise InvalidInputError(f"{self.place.name} has {len(self.names)} columns and {self.n_rows} rows.")
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise InvalidInputError(f"{self.place.name}: column names {repeated} appear more than once; rename them.")
        self.index_names = index_columns(self.schema.empty_table())

    def target_of(self, file: Path, output: Path) -> Path:
        """Where the filled twin of one file goes."""
        return output / file.name if self.is_folder else output

    def tables(self, file: Path, names: Sequence[str]) -> Iterator[tuple[Any, pd.DataFrame]]:
        """Some rows of a file as Arrow has them, and columns of them as the model wants them."""
        import pyarrow as pa

        with parquet_file(file) as opened:
            start = 0
            for batch in opened.iter_batches(self.batch_rows):
                table = without_views(pa.Table.from_batches([batch]))
                try:
                    check_columns(table, names)
                    frame = pd.DataFrame({name: nan_as_missing(arrow_column(table, name)) for name in names})
                except InvalidInputError as error:
                    raise InvalidInputError(
                        f"{str(file)!r}, rows {start} to {start + len(table) - 1}: {error}"
                    ) from error
                start += len(table)
                if len(frame):
                    yield table, frame

    def frames(self, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Columns of all files, some rows at a time."""
        for file in self.files:
            for _, frame in self.tables(file, names):
                yield frame

    def write(self, stream: BinaryIO, filled: Iterator[Any]) -> None:
        """Tables one after another into one file."""
        with parquet_writer(stream, self.schema) as writer:
            for table in filled:
                writer.write_table(with_types_of(table, self.schema))

    @staticmethod
    def with_fills(table: Any, gaps: Mapping[str, np.ndarray], fills: Mapping[str, pd.Series]) -> Any:
        """A table with missing cells replaced; fills that are missing themselves stay so."""
        for name, values in fills.items():
            cells = [None if pd.isna(value) else value for value in values.tolist()]
            table = replaced(table, name, gaps[name], cells)
        return table


def _difference(schema: Any, first: Any) -> str:
    """The first thing in which two schemas differ."""
    if schema.names != first.names:
        return f"columns {schema.names}, not {first.names}"
    for name in schema.names:
        if schema.field(name).type != first.field(name).type:
            return f"{name!r} is {schema.field(name).type}, not {first.field(name).type}"
    return "which may be missing, or what is stored beside the types"
