"""Parquet and Feather files through pyarrow: types, metadata and observed cells stay, only gaps are replaced."""

from __future__ import annotations

import io
import json
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError, MissingExtraError

__all__ = ["arrow_column", "index_columns", "read_arrow", "replaced", "with_copies", "with_mark", "write_arrow"]


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
        with pa.ipc.new_file(buffer, table.schema) as writer:
            writer.write_table(table)
    return buffer.getvalue()


def index_columns(table: Any) -> set[str]:
    """Columns in which pandas stored a row index: no data to model."""
    stored = (table.schema.metadata or {}).get(b"pandas")
    if not stored:
        return set()
    return {name for name in json.loads(stored).get("index_columns", []) if isinstance(name, str)}


def arrow_column(table: Any, name: str) -> pd.Series:
    """One column as a pandas Series: dictionary columns as categories, all others Arrow-backed."""
    pa = _pyarrow()
    column = table.column(name)
    if pa.types.is_nested(column.type):
        raise InvalidInputError(
            f"column {name!r} has the nested type {column.type}; leave it alone with --leave {name!r}, or flatten it."
        )
    if pa.types.is_dictionary(column.type):
        return column.to_pandas()
    if pa.types.is_null(column.type):
        return pd.Series([None] * table.num_rows, dtype=object)
    return column.to_pandas(types_mapper=pd.ArrowDtype)


def with_copies(table: Any, rows: np.ndarray, blank: Collection[str]) -> Any:
    """Table with copies of some rows at its end, null in the columns ``blank``."""
    pa = _pyarrow()
    copies = table.take(pa.array(rows))
    for name in blank:
        position = table.column_names.index(name)
        field = table.schema.field(position).with_nullable(True)
        table = table.set_column(position, field, table.column(position))
        copies = copies.set_column(position, field, pa.nulls(len(rows), field.type))
    return pa.concat_tables([table, copies])


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
        fills = pa.array([codes.get(value) for value in values], type=field.type.index_type)
        indices = pa.compute.replace_with_mask(whole.indices, pa.array(gaps), fills)
        merged = pa.DictionaryArray.from_arrays(indices, whole.dictionary, ordered=field.type.ordered)
    else:
        fills = pa.array(values, type=field.type, from_pandas=True)
        whole = column.combine_chunks()
        merged = pa.compute.replace_with_mask(whole, pa.array(gaps), fills)
    return table.set_column(position, field.with_nullable(field.nullable), merged)
