"""Tables that come piece by piece: what may be given as batches, and frames cut, joined, and parted from their key columns."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["batches_of", "joined", "keys_of", "taken", "with_keys", "without_keys"]

_ROWS_OF_LAZY_FRAMES = 100_000
"""Per slice of a lazy frame."""


def batches_of(source: Any, keys: Any = None) -> Iterator[Any]:
    """Eager frames or arrays with at least one row.

    Parameters
    ----------
    source : iterable of frames or arrays, pyarrow Dataset, Scanner, Table or RecordBatchReader, polars LazyFrame, or one frame
    keys : name, list of names or None, default=None
        Columns that name a row.

    Raises
    ------
    InvalidInputError
        It is none of these, or the names of columns differ between batches; the batch is named.
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
            _check_keys(batch, names, keys)
        first = names
        if len(batch):
            yield batch


def _pieces(source: Any) -> Iterable[Any]:
    if isinstance(source, str | os.PathLike):
        raise InvalidInputError(
            f"batches={source!r} is a path; give what reads it, as in pyarrow.dataset.dataset({str(source)!r})."
        )
    frame = nw.from_native(source, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        return _slices(frame)
    if hasattr(source, "to_batches"):  # Arrow's tables, datasets and scanners
        return map(_arrow_table, source.to_batches())
    if isinstance(frame, nw.DataFrame) or isinstance(source, np.ndarray):
        return [source]
    if not isinstance(source, Iterable):
        raise InvalidInputError(
            f"batches={source!r} is no iterable of frames; give a list or generator of frames, a pyarrow Dataset, or a "
            "polars LazyFrame."
        )
    return map(_arrow_table, source)


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
        yield from native.collect_batches(chunk_size=_ROWS_OF_LAZY_FRAMES)
        return
    start = 0
    while len(piece := native.slice(start, _ROWS_OF_LAZY_FRAMES).collect()):
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
    """One frame or array of all rows; categories are those of all batches together."""
    if len(batches) == 1:
        return batches[0]
    first = batches[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(batches)
    if isinstance(first, pd.DataFrame):
        return _joined_pandas(list(batches))
    if type(first).__module__.startswith("pyarrow"):
        import pyarrow as pa

        return pa.concat_tables(batches, promote_options="permissive").unify_dictionaries()
    import polars as pl

    return pl.concat(batches, how="vertical_relaxed")


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
    found = nw.from_native(batch).select(names).to_pandas()
    if found.isna().to_numpy().any():
        row = int(found.isna().any(axis=1).to_numpy().argmax())
        raise InvalidInputError(f"row {start + row} has no key in {names}; every row needs one that no other has.")
    return pd.util.hash_pandas_object(found, index=False).to_numpy()


def without_keys(batch: Any, keys: Any) -> Any:
    """The columns that say something of a row."""
    names = listed_keys(keys)
    return nw.from_native(batch).drop(names).to_native() if names else batch


def with_keys(filled: Any, batch: Any, keys: Any) -> Any:
    """A filled batch with the key columns where they were; columns that were added come last."""
    names = listed_keys(keys)
    if not names:
        return filled
    came, own = nw.from_native(batch), nw.from_native(filled)
    whole = own.with_columns(*[came[name] for name in names])
    before = [name for name in came.columns if name in whole.columns]
    return whole.select(before + [name for name in own.columns if name not in before]).to_native()
