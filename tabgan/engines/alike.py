"""Whether batches hold the same kinds of data in the same columns, as one table does."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError

__all__ = ["Alike", "any_known", "clash"]

_LIBRARIES = {"pandas": "a pandas DataFrame", "polars": "a polars DataFrame", "pyarrow": "an Arrow table"}


class Alike:
    """What the columns of the batches so far hold; batches that hold something else are refused by name."""

    def __init__(self) -> None:
        self._library = ""
        self._kinds: dict[Hashable, tuple[str, int]] = {}

    def check(self, batch: Any, number: int) -> None:
        """Compare a batch with those before it.

        Parameters
        ----------
        batch : frame or array
            With the columns of the first one.
        number : int
            Of the batch.

        Raises
        ------
        InvalidInputError
            It comes from another library, or a column with known cells is of another kind; both batches are named.
        """
        library = type(batch).__module__.split(".")[0]
        self._library = self._library or library
        if library != self._library:
            raise InvalidInputError(
                f"batch {number} is {_LIBRARIES.get(library, library)}, but batch 0 is "
                f"{_LIBRARIES.get(self._library, self._library)}; give all batches in one kind."
            )
        if found := self.difference(batch, number):
            name, kind, before, first = found
            raise InvalidInputError(
                f"column {name!r} holds {kind} in batch {number}, but {before} in batch {first}; read it as one type in all batches."
            )

    def difference(self, batch: Any, number: int) -> tuple[Hashable, str, str, int] | None:
        """The first column that holds something else: its name, what it holds, what it held, and in which batch that was."""
        for name, cells in _columns(batch):
            kind = kind_of(cells)
            before, first = self._kinds.get(name, (kind, number))
            if kind is None or (kind == before and name in self._kinds) or not any_known(cells):
                continue
            if kind != before:
                assert before is not None
                return name, kind, before, first
            self._kinds[name] = kind, number
        return None


def clash(batches: Sequence[Any]) -> str:
    """What keeps tables from being one, in words; empty where neither columns nor kinds of data do."""
    names = [[name for name, _ in _columns(batch)] for batch in batches]
    if other := next((one for one in names if set(one) != set(names[0])), None):
        only = [[name for name in a if name not in b] for a, b in ((names[0], other), (other, names[0]))]
        words = " and ".join(
            f"{some} in {where} rows only" for some, where in zip(only, ("some", "other"), strict=True) if some
        )
        return f"there are the columns {words}; all rows need the same ones."
    alike = Alike()
    for number, batch in enumerate(batches):
        if found := alike.difference(batch, number):
            name, kind, before, _ = found
            return f"column {name!r} holds {before} in some rows, and {kind} in others; read it as one type."
    return ""


def _columns(batch: Any) -> Iterator[tuple[Hashable, Any]]:
    if isinstance(batch, np.ndarray):
        yield "of the array", batch
    elif isinstance(batch, pd.DataFrame):
        for place, name in enumerate(batch.columns):
            yield name, batch.iloc[:, place]
    else:
        frame = nw.from_native(batch, eager_only=True)
        yield from ((name, frame[name].to_native()) for name in frame.columns)


def kind_of(cells: Any) -> str | None:
    """What a column holds, in words; None where its type does not say."""
    if isinstance(cells, np.ndarray):
        return {"b": "booleans", "U": "text", "S": "text", "O": None}.get(cells.dtype.kind, "numbers")
    if isinstance(cells, pd.Series) and isinstance(cells.dtype, pd.CategoricalDtype):
        kind = kind_of(pd.Series(cells.cat.categories))
        return kind if kind in (None, "text") else f"categories of {kind}"
    series = nw.from_native(cells, series_only=True)
    dtype: Any = series.dtype
    if dtype.is_numeric():
        return "numbers"
    if dtype == nw.Datetime:
        return f"times in the zone {dtype.time_zone}" if dtype.time_zone else "times without a zone"
    if dtype == nw.Date:
        return "times without a zone"
    if dtype == nw.Categorical and type(cells).__module__.startswith("pyarrow"):
        return kind_of(cells.slice(0, 1).cast(cells.type.value_type))
    for kinds, words in (
        ((nw.String, nw.Categorical, nw.Enum), "text"),
        ((nw.Boolean,), "booleans"),
        ((nw.Duration,), "durations"),
        ((nw.Time,), "times of day"),
    ):
        if any(dtype == kind for kind in kinds):
            return words
    return None


def any_known(cells: Any) -> bool:
    """Whether a column has a cell that is not missing."""
    if isinstance(cells, np.ndarray):
        return not bool(pd.isna(cells).all())
    series = nw.from_native(cells, series_only=True)
    missing = series.is_null()
    if series.dtype.is_float():
        missing = missing | series.is_nan()
    return not bool(missing.all())
