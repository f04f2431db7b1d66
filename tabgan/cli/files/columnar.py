"""Parquet and Feather files through pyarrow: types, metadata and observed cells stay, only gaps are replaced."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError, MissingExtraError
from tabgan.tables.arrow_types import has_null_label, is_supported_arrow

__all__ = [
    "arrow_column",
    "check_columns",
    "feather_file",
    "feather_writer",
    "index_columns",
    "nan_as_missing",
    "parquet_file",
    "parquet_writer",
    "part_tables",
    "part_writer",
    "read_arrow",
    "replaced",
    "texts_in",
    "with_copies",
    "with_mark",
    "with_types_of",
    "without_views",
    "write_arrow",
]


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(
            'Parquet and Feather files need pyarrow; install it with: pip install "tabgan-learn[parquet]"'
        ) from error
    return pyarrow


def read_arrow(data: bytes, kind: str, source: str) -> Any:
    """Arrow table of a Parquet or Feather file.

    Parameters
    ----------
    data : bytes
        The whole file.
    kind : {"parquet", "feather"}
    source : str
        Its name, for messages.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    InvalidInputError
        The file is not of that kind, is damaged, has no rows, or repeats a column name.
    """
    pa = _pyarrow()
    try:
        if kind == "parquet":
            table = pa.parquet.read_table(pa.BufferReader(data))
        else:
            table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInputError(f"{source} is not a readable {kind.capitalize()} file: {error}") from error
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInputError(f"{source}: column names {repeated} appear more than once; rename them.")
    if not names or not table.num_rows:
        raise InvalidInputError(
            f"{source} has {len(names)} columns and {table.num_rows} rows; there is nothing to fill."
        )
    return table


def write_arrow(table: Any, kind: str) -> bytes:
    """File of an Arrow table or pandas frame as bytes; ``kind`` is "parquet" or "feather"."""
    pa = _pyarrow()
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    buffer = io.BytesIO()
    if kind == "parquet":
        pa.parquet.write_table(table, buffer)
    else:
        with suppress(pa.ArrowException):  # of dictionaries with a null
            table = table.unify_dictionaries()  # such a file holds one per column
        with pa.ipc.new_file(buffer, table.schema) as writer:
            writer.write_table(table)
    return buffer.getvalue()


def parquet_file(path: Path) -> Any:
    """A Parquet file opened to be read some rows at a time.

    Raises
    ------
    InvalidInputError
        It is absent, may not be read, or is no Parquet file.
    """
    pa = _pyarrow()
    try:
        return pa.parquet.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInputError(f"{str(path)!r} is not a readable Parquet file: {error}") from error


def parquet_writer(stream: BinaryIO, schema: Any) -> Any:
    """What writes tables of a schema one after another."""
    return _pyarrow().parquet.ParquetWriter(stream, schema)


@contextmanager
def feather_file(path: Path) -> Iterator[Any]:
    """A Feather file opened to be read batch by batch.

    Raises
    ------
    InvalidInputError
        It is absent, may not be read, or is no Feather file.
    """
    pa = _pyarrow()
    try:
        source = pa.OSFile(str(path), "rb")
        opened = pa.ipc.open_file(source)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInputError(f"{str(path)!r} is not a readable Feather file: {error}") from error
    with source:
        yield opened


def feather_writer(stream: BinaryIO, schema: Any) -> Any:
    """What writes tables of a schema one after another into a Feather file."""
    return _pyarrow().ipc.new_file(stream, schema)


def part_writer(stream: BinaryIO, schema: Any) -> Any:
    """What writes tables of a schema one after another, so that `part_tables` reads them."""
    return _pyarrow().ipc.new_stream(stream, schema)


def part_tables(source: Path | Iterable[Any], schema: Any = None) -> Iterator[Any]:
    """Tables that a `part_writer` wrote, or those of record batches."""
    pa = _pyarrow()
    if not isinstance(source, Path):
        for batch in source:
            yield pa.Table.from_batches([batch], schema)
        return
    with pa.OSFile(str(source), "rb") as stream, pa.ipc.open_stream(stream) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def texts_in(schema: Any) -> list[str]:
    """Columns of a schema that hold texts."""
    pa = _pyarrow()
    kinds = (pa.types.is_string, pa.types.is_large_string, lambda kind: str(kind) == "string_view")
    return [field.name for field in schema if any(holds(field.type) for holds in kinds)]


def nan_as_missing(series: pd.Series) -> pd.Series:
    """Arrow tells null from NaN; both are missing here."""
    if not pd.api.types.is_float_dtype(series.dtype):
        return series
    return series.where(~np.isnan(series.to_numpy(dtype=np.float64, na_value=np.nan)))


def _merged(chunks: list[Any], gaps: np.ndarray, fills: Any) -> Any:
    """Cells of the chunks, and where ``gaps`` is true the fills in order: Arrow's own replacement knows few types."""
    pa = _pyarrow()
    rows = np.arange(len(gaps))
    rows[gaps] = len(gaps) + np.arange(len(fills))
    return pa.chunked_array([*chunks, fills]).take(pa.array(rows))


def index_columns(table: Any) -> set[str]:
    """Columns in which pandas stored a row index: no data to model."""
    stored = (table.schema.metadata or {}).get(b"pandas")
    if not stored:
        return set()
    return {name for name in json.loads(stored).get("index_columns", []) if isinstance(name, str)}


def arrow_column(table: Any, name: str) -> pd.Series:
    """One column as a pandas Series: dictionary columns as categories, all others Arrow-backed.

    Raises
    ------
    InvalidInputError
        Its cells are no single values.
    """
    pa = _pyarrow()
    column = table.column(name)
    stored = getattr(column.type, "storage_type", column.type)
    null_label = pa.types.is_dictionary(stored) and has_null_label(column.chunks)
    if pa.types.is_nested(stored) or pa.types.is_interval(stored) or null_label:
        raise InvalidInputError(_refusal(table, [name]))
    if pa.types.is_null(column.type):
        return pd.Series([None] * table.num_rows, dtype=object)
    if pa.types.is_dictionary(column.type):
        return _with_signed_codes(column).to_pandas()
    if pa.types.is_run_end_encoded(column.type):
        column = pa.compute.run_end_decode(column)
    elif hasattr(column.type, "storage_type"):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], stored)
    return column.to_pandas(types_mapper=pd.ArrowDtype)


def _with_signed_codes(column: Any) -> Any:
    """Of unsigned ones older versions of Arrow make no pandas column."""
    pa = _pyarrow()
    kind = column.type
    if not pa.types.is_unsigned_integer(kind.index_type):
        return column
    chunks = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(pa.int64()), chunk.dictionary, ordered=kind.ordered)
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, pa.dictionary(pa.int64(), kind.value_type, ordered=kind.ordered))


def refused_columns(table: Any, names: Iterable[str]) -> list[str]:
    """Those of some columns whose type no model column can stand for."""
    pa = _pyarrow()

    def fits(column: Any) -> bool:
        if not pa.types.is_dictionary(column.type):
            return is_supported_arrow(column.type) and not _holds_bytes(column)
        return is_supported_arrow(column.type.value_type) and not has_null_label(column.chunks)

    return [name for name in names if not fits(table.column(name))]


def _holds_bytes(column: Any) -> bool:
    """Whether some cell is no text: an image, an archive, a pickle; older programs write texts as bytes."""
    pa = _pyarrow()
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return False
    try:
        pa.compute.cast(column, pa.large_string())
    except pa.ArrowInvalid:
        return True
    return False


def _refusal(table: Any, names: Sequence[str]) -> str:
    """What to say of columns that no model takes, all at once."""
    told = ", ".join(f"{name!r} ({table.schema.field(name).type})" for name in names)
    options = " ".join(f"--leave {name!r}" for name in names)
    which = "column" if len(names) == 1 else "columns"
    return (
        f"{which} {told}: no model takes such cells (nested, bytes that are no text, a time of day, an interval, or a null in its "
        f"dictionary); leave alone with {options}, or turn into numbers or labels."
    )


def check_columns(table: Any, names: Iterable[str]) -> None:
    """Refuse columns that no model takes, all of them by name.

    Raises
    ------
    InvalidInputError
        There is one.
    """
    if refused := refused_columns(table, names):
        raise InvalidInputError(_refusal(table, refused))


_VIEWS = {"string_view": "large_string", "binary_view": "large_binary"}


def without_views(table: Any) -> Any:
    """Table whose views of texts and bytes (as polars writes them) are texts and bytes, which Arrow can take from and replace in."""
    pa = _pyarrow()
    for position, field in enumerate(table.schema):
        of_labels = pa.types.is_dictionary(field.type)
        if plain := _VIEWS.get(str(field.type.value_type if of_labels else field.type)):
            kind = getattr(pa, plain)()
            if of_labels:
                kind = pa.dictionary(field.type.index_type, kind, ordered=field.type.ordered)
            table = table.set_column(position, field.with_type(kind), table.column(position).cast(kind))
    return table


def with_types_of(table: Any, schema: Any) -> Any:
    """Table whose columns have the types again that they had before `without_views`."""
    for position, now in enumerate(table.schema):
        kind = schema.field(now.name).type if now.name in schema.names else now.type
        if now.type != kind:
            table = table.set_column(position, now.with_type(kind), table.column(position).cast(kind))
    return table


def with_copies(table: Any, rows: np.ndarray, blank: Collection[str]) -> Any:
    """Table with copies of some rows at its end, null in the columns ``blank``."""
    pa = _pyarrow()
    fields = [field.with_nullable(True) if field.name in blank else field for field in table.schema]
    # Blank columns may be of types that Arrow cannot take rows of.
    copies = [
        _blank(table.column(position), len(rows))
        if field.name in blank
        else table.column(position).take(pa.array(rows))
        for position, field in enumerate(fields)
    ]
    schema = pa.schema(fields, metadata=table.schema.metadata)
    return pa.concat_tables([pa.table(table.columns, schema=schema), pa.table(copies, schema=schema)])


def _blank(column: Any, n: int) -> Any:
    """So many nulls, with the labels of the column where it has a dictionary."""
    pa = _pyarrow()
    if not pa.types.is_dictionary(column.type):
        return pa.nulls(n, column.type)
    codes = pa.nulls(n, column.type.index_type)
    return pa.DictionaryArray.from_arrays(codes, column.chunks[-1].dictionary, ordered=column.type.ordered)


def with_mark(table: Any, name: str, marked: np.ndarray) -> Any:
    """Table with a further column of truth values."""
    pa = _pyarrow()
    return table.append_column(pa.field(name, pa.bool_()), pa.array(marked))


def replaced(table: Any, name: str, gaps: np.ndarray, values: list[Any]) -> Any:
    """Put ``values`` where ``gaps`` is true in one column; type and place of the column stay.

    Parameters
    ----------
    table : pyarrow.Table
    name : str
        The column.
    gaps : ndarray of bool
        Rows to replace.
    values : list
        One per true row; None stays missing.

    Returns
    -------
    pyarrow.Table
    """
    pa = _pyarrow()
    position = table.column_names.index(name)
    field = table.schema.field(position)
    if pa.types.is_null(field.type):
        return table
    column = table.column(name)
    if pa.types.is_dictionary(field.type):
        whole = column.unify_dictionaries().combine_chunks()
        whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
        codes = {label: code for code, label in enumerate(whole.dictionary.to_pylist())}
        further = [value for value in dict.fromkeys(values) if value is not None and value not in codes]
        codes |= {label: len(codes) + code for code, label in enumerate(further)}
        labels = pa.concat_arrays([whole.dictionary, pa.array(further, whole.dictionary.type)])
        fills = pa.array([codes.get(value) for value in values], type=field.type.index_type)
        indices = _merged([whole.indices], gaps, fills).combine_chunks()
        merged = pa.DictionaryArray.from_arrays(indices, labels, ordered=field.type.ordered)
    else:
        stored = getattr(field.type, "storage_type", field.type)
        fills = pa.array(values, type=stored, from_pandas=True)
        fills = fills if stored is field.type else pa.ExtensionArray.from_storage(field.type, fills)
        merged = _merged(column.chunks, gaps, fills)
    return table.set_column(position, field.with_nullable(field.nullable), merged)
