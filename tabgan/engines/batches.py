"""Tables that come piece by piece: what may be given as batches, and frames cut, joined, and parted from their key columns."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from tabgan.engines.alike import any_known, clash
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["batches_of", "joined", "keys_as_pandas", "keys_of", "row_without_key", "taken", "with_keys", "without_keys"]

_MOST_ROWS = 100_000
"""Per batch of what has no batches of its own: lazy frames, Arrow's tables and datasets."""
_READING = {"batch_size": _MOST_ROWS, "batch_readahead": 1, "fragment_readahead": 1}


def batches_of(source: Any, keys: Any = None) -> Iterator[tuple[int, Any]]:
    """Eager frames or arrays with at least one row, and their numbers.

    Parameters
    ----------
    source : iterable of frames or arrays, pyarrow Dataset, Scanner, Table or RecordBatchReader, polars LazyFrame, or one frame
    keys : name, list of names or None, default=None
        Columns that name a row.

    Raises
    ------
    InvalidInputError
        It is none of these, names of columns repeat, or differ between batches; the batch is named.
    InvalidParameterError
        A key is no column.
    """
    first: list[Hashable] | None = None
    for number, batch in enumerate(_pieces(source)):
        names = names_of(batch)
        if first is not None and names != first:
            raise InvalidInputError(
                f"batch {number} has the columns {names}, but batch 0 has {first}; all batches need the same, in the same order."
            )
        if first is None:
            if repeated := sorted({str(name) for name in names if names.count(name) > 1}):
                raise InvalidInputError(f"batch 0: column names {repeated} appear more than once; rename them.")
            _check_keys(batch, names, keys)
        first = names
        if len(batch):
            yield number, batch


def _pieces(source: Any) -> Iterable[Any]:
    if isinstance(source, str | os.PathLike):
        raise InvalidInputError(
            f"batches={source!r} is a path; give what reads it, as in pyarrow.dataset.dataset({str(source)!r})."
        )
    if isinstance(source, pd.DataFrame):
        return [source]
    frame = nw.from_native(source, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        return _slices(frame)
    if hasattr(source, "to_batches"):  # Arrow's tables, datasets and scanners
        return map(_arrow_table, _of_arrow(source))
    if isinstance(frame, nw.DataFrame) or isinstance(source, np.ndarray):
        return [source]
    if not isinstance(source, Iterable):
        raise InvalidInputError(
            f"batches={source!r} is no iterable of frames; give a list or generator of frames, a pyarrow Dataset, or a "
            "polars LazyFrame."
        )
    return map(_arrow_table, source)


def _of_arrow(source: Any) -> Iterator[Any]:
    """Batches of a table, a dataset or a scanner.

    Of a dataset it is row groups, one after another: the scanner reads up to 1 GiB ahead of whoever takes its batches.
    """
    if not hasattr(source, "get_fragments"):
        yield from source.to_batches(**({"max_chunksize": _MOST_ROWS} if hasattr(source, "num_rows") else {}))
    elif getattr(source, "_scan_options", None):  # a filter, which fragments do not know of
        yield from source.to_batches(**_READING)
    else:
        for fragment in source.get_fragments():
            with _named(fragment, source.schema):
                for piece, is_small in _row_groups(fragment):
                    if is_small:
                        yield piece.to_table(schema=source.schema).unify_dictionaries()
                    else:
                        yield from piece.to_batches(schema=source.schema, **_READING)


@contextmanager
def _named(fragment: Any, schema: Any) -> Iterator[None]:
    """Errors of Arrow name the file, and the columns that are of another type there than in the dataset."""
    from pyarrow.lib import ArrowException

    try:
        yield
    except ArrowException as error:
        own = {field.name: field.type for field in fragment.physical_schema}
        pairs = [(field.name, own[field.name], field.type) for field in schema if field.name in own]
        other = [
            f"column {name!r} is {here} there, but {there} in the dataset"
            for name, here, there in pairs
            if here != there
        ]
        where = f"the file {fragment.path!r}" if getattr(fragment, "path", None) else "a fragment of the dataset"
        raise InvalidInputError(
            f"{where} cannot be read as the rest: {'; '.join([*other, str(error)])}. A dataset has the types of its first file "
            "unless it is given others: pyarrow.dataset.dataset(..., schema=...)."
        ) from error


def _row_groups(fragment: Any) -> Iterator[tuple[Any, bool]]:
    """A file in parts of some row groups, and whether each is no more than one batch."""
    if not hasattr(fragment, "row_groups"):
        yield fragment, False
        return
    group: list[int] = []
    n_rows = 0
    for found in fragment.row_groups:
        if group and n_rows + found.num_rows > _MOST_ROWS:
            yield fragment.subset(row_group_ids=group), n_rows <= _MOST_ROWS
            group, n_rows = [], 0
        group.append(found.id)
        n_rows += found.num_rows
    if group:
        yield fragment.subset(row_group_ids=group), n_rows <= _MOST_ROWS


def _arrow_table(piece: Any) -> Any:
    """A record batch as a table; anything else as it is."""
    if type(piece).__module__.split(".")[0] == "pyarrow" and type(piece).__name__ == "RecordBatch":
        import pyarrow as pa

        return pa.Table.from_batches([piece])
    return piece


def _slices(frame: nw.LazyFrame) -> Iterator[Any]:
    native: Any = frame.to_native()
    if not hasattr(native, "slice"):
        raise InvalidInputError(
            f"batches is lazy ({type(native).__module__}); only polars' LazyFrame is read in slices."
        )
    if hasattr(native, "collect_batches"):  # one pass; older versions read from the start for every slice
        yield from native.collect_batches(chunk_size=_MOST_ROWS)
        return
    start = 0
    while len(piece := native.slice(start, _MOST_ROWS).collect()):
        yield piece
        start += len(piece)


def names_of(batch: Any) -> list[Hashable]:
    """Names of the columns; positions of an array's.

    Raises
    ------
    InvalidInputError
        It is no table.
    """
    if isinstance(batch, pd.DataFrame):
        return list(batch.columns)
    frame = nw.from_native(batch, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return list(frame.columns)
    if isinstance(batch, np.ndarray) and batch.ndim == 2:
        return list(range(batch.shape[1]))
    raise InvalidInputError(
        f"batches holds {type(batch).__name__}; every batch has to be a frame, or an array of two dimensions."
    )


def joined(batches: Sequence[Any]) -> Any:
    """One frame or array of all rows; categories are those of all batches together.

    Raises
    ------
    InvalidInputError
        They hold different kinds of data; the column is named.
    """
    if len(batches) == 1:
        return batches[0]
    try:
        return _joined(batches)
    except Exception as error:  # every library has its own
        raise InvalidInputError(clash(batches) or f"the batches cannot be joined to one table: {error}") from error


def _joined(batches: Sequence[Any]) -> Any:
    first = batches[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(batches)
    if isinstance(first, pd.DataFrame):
        return _joined_pandas(list(batches))
    if type(first).__module__.startswith("pyarrow"):
        return _joined_arrow(list(batches))
    return _joined_polars(list(batches))


def _joined_arrow(tables: list[Any]) -> Any:
    import pyarrow as pa

    for place, name in enumerate(tables[0].column_names):
        kinds = {table.schema.field(name).type for table in tables}
        plain = any(not pa.types.is_dictionary(kind) and not pa.types.is_null(kind) for kind in kinds)
        for k, table in enumerate(tables if len(kinds) > 1 else []):
            cells = table[name]
            if not any_known(cells):
                cells = pa.nulls(len(cells))
            elif plain and pa.types.is_dictionary(cells.type):
                cells = cells.cast(cells.type.value_type)
            tables[k] = table.set_column(place, name, cells)
    return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()


def _joined_polars(frames: list[Any]) -> Any:
    import polars as pl

    for name in frames[0].columns:
        kinds = {frame[name].dtype for frame in frames}
        for k, frame in enumerate(frames if len(kinds) > 1 else []):
            cells = frame[name]
            if not any_known(cells):
                cells = pl.Series(name, [None] * len(cells), pl.Null)
            elif isinstance(cells.dtype, pl.Enum):
                cells = cells.cast(pl.Categorical)
            frames[k] = frame.with_columns(cells)
    return pl.concat(frames, how="vertical_relaxed")


def _joined_pandas(batches: list[pd.DataFrame]) -> pd.DataFrame:
    columns = {}
    for name in batches[0].columns:
        parts = [batch[name] for batch in batches]
        if all(isinstance(part.dtype, pd.CategoricalDtype) for part in parts):
            ordered = any(part.cat.ordered for part in parts)
            same = all(part.dtype == parts[0].dtype for part in parts)
            columns[name] = pd.Series(union_categoricals(parts, ignore_order=ordered and not same))
        else:
            columns[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns)


def taken(batch: Any, rows: np.ndarray) -> Any:
    """The rows of these numbers."""
    if isinstance(batch, pd.DataFrame):
        return batch.take(rows)
    if isinstance(batch, np.ndarray):
        return batch[rows]
    return batch.take(rows) if type(batch).__module__.startswith("pyarrow") else batch[rows]


def _check_keys(batch: Any, columns: list[Hashable], keys: Any) -> None:
    names = listed_keys(keys)
    unknown = [name for name in names if name not in columns]
    if unknown or (names and isinstance(batch, np.ndarray)):
        raise InvalidParameterError(
            f"keys names {unknown or names}, but the columns are {columns}; arrays have no names."
        )
    if names and len(names) == len(columns):
        raise InvalidParameterError(f"keys names all columns, {columns}: none is left to learn from.")


def listed_keys(keys: Any) -> list[Hashable]:
    """Names of key columns as a list."""
    if keys is None:
        return []
    return list(keys) if isinstance(keys, list | tuple) else [keys]


def keys_of(batch: Any, keys: Any, start: int) -> np.ndarray:
    """A number per row that tells it from all others: a hash of its key columns, or its place in the table.

    Parameters
    ----------
    batch : frame or array
    keys : name, list of names or None
    start : int
        Rows before this batch.

    Returns
    -------
    ndarray of uint64 of shape (n_rows,)

    Raises
    ------
    InvalidInputError
        A key is missing in a row.
    """
    names = listed_keys(keys)
    if not names:
        return np.arange(start, start + len(batch), dtype=np.uint64)
    found = keys_as_pandas(batch, names)
    if (row := row_without_key(found)) is not None:
        raise InvalidInputError(f"row {start + row} has no key in {names}; every row needs one that no other has.")
    try:
        return pd.util.hash_pandas_object(_in_one_width(found), index=False).to_numpy()
    except TypeError as error:
        raise InvalidInputError(f"keys={names} holds lists, or other cells that no hash can be made of.") from error


def _in_one_width(keys: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers of 64 bits, and times as seconds and the rest: engines and file types keep them in other widths and units."""
    columns: list[Any] = []
    for place in range(keys.shape[1]):
        cells = keys.iloc[:, place]
        if pd.api.types.infer_dtype(cells, skipna=False) == "date":
            cells = cells.astype("datetime64[s]")
        if pd.api.types.is_datetime64_any_dtype(cells.dtype):
            ticks = cells.to_numpy(dtype="datetime64") if cells.dt.tz is None else cells.dt.tz_convert(None).to_numpy()
            seconds = ticks.astype("datetime64[s]")
            columns += [seconds.astype(np.int64), (ticks - seconds).astype("timedelta64[ns]").astype(np.int64)]
        else:
            columns.append(
                (cells.astype("int64") if pd.api.types.is_signed_integer_dtype(cells.dtype) else cells).array
            )
    return pd.DataFrame(dict(enumerate(columns)))


def keys_as_pandas(batch: Any, names: Sequence[Hashable]) -> pd.DataFrame:
    """The key columns of a frame."""
    return batch[list(names)] if isinstance(batch, pd.DataFrame) else nw.from_native(batch).select(names).to_pandas()


def row_without_key(keys: pd.DataFrame) -> int | None:
    """Number of the first row in which a key is missing."""
    missing = keys.isna().any(axis=1).to_numpy()
    return int(missing.argmax()) if missing.any() else None


def without_keys(batch: Any, keys: Any) -> Any:
    """The columns that say something of a row."""
    names = listed_keys(keys)
    if names and isinstance(batch, pd.DataFrame):
        return batch.drop(columns=names)
    return nw.from_native(batch).drop(names).to_native() if names else batch


def with_keys(filled: Any, batch: Any, keys: Any) -> Any:
    """A filled batch with the key columns where they were; columns that were added come last."""
    names = listed_keys(keys)
    if not names:
        return filled
    if isinstance(filled, pd.DataFrame):
        filled, place = filled.copy(deep=False), 0
        for name in batch.columns:
            if name in names:
                filled.insert(place, name, batch[name].array)
            place += name in filled.columns
        return filled
    came, own = nw.from_native(batch), nw.from_native(filled)
    whole = own.with_columns(*[came[name] for name in names])
    before = [name for name in came.columns if name in whole.columns]
    return whole.select(before + [name for name in own.columns if name not in before]).to_native()
