"""What is done to the parts of a table, in any process: looked at, sampled, filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabgan.cli.files.parted import Looked, Part, PartedTable
from tabgan.cli.files.table_source import TableFile
from tabgan.cli.impute_job import fills_of
from tabgan.exceptions import InvalidInputError

__all__ = ["Filling", "Looking", "Sampling"]


@dataclass
class Looking:
    """What the cells of parts say of their columns."""

    table: PartedTable

    def __call__(self, part: Part) -> Looked:
        """Look at one part."""
        return self.table.look(part)


@dataclass
class Sampling:
    """The rows that a model is to learn from.

    Parameters
    ----------
    table : PartedTable
    names : list of str
        Columns of the model.
    n_rows, seed : int
        See `tabgan.engines.row_sample.RowSample`.
    """

    table: PartedTable
    names: Sequence[str]
    n_rows: int
    seed: int

    def __call__(self, parts: Sequence[Part]) -> Any:
        """Sample the rows of several parts; their numbers are their keys."""
        from tabgan.engines.row_sample import RowSample

        sample = RowSample(self.n_rows, self.seed)
        for part in parts:
            start = part.first
            for table in self.table.tables(part):
                with _named(table):
                    frame = table.frame(self.names)
                sample.add(frame, np.arange(start, start + len(frame), dtype=np.uint64))
                start += len(frame)
        return sample


@dataclass
class Filling:
    """Parts with their missing cells filled, written into a folder.

    Parameters
    ----------
    table : PartedTable
    names : list of str
        Columns of the model.
    only : set of str
        Those that are filled; empty means all.
    model : Path
        A fitted imputer, read once per process.
    folder : Path
    """

    table: PartedTable
    names: Sequence[str]
    only: set[str]
    model: Path
    folder: Path
    _imputer: Any = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_imputer": None}

    def __call__(self, part: Part) -> dict[str, Any]:
        """Fill one part; what was written and counted, as JSON can hold it."""
        from tabgan.engines.journal import write_hashed
        from tabgan.estimators.saving import load

        if self._imputer is None:
            self._imputer = load(self.model)
        counted = _Counted()
        path = self.folder / f"{part.number}.part"
        written = write_hashed(path, lambda stream: self.table.write_part(stream, self._filled(part, counted)))
        return {"file": written, **counted.facts()}

    def _filled(self, part: Part, counted: _Counted) -> Iterator[tuple[TableFile, dict[str, pd.Series]]]:
        for table in self.table.tables(part):
            with _named(table):
                frame = table.frame(self.names)
                unread = pd.DataFrame({name: table.unread(name) for name in self.names}, columns=list(self.names))
                gaps = frame.isna() & ~unread
                fills: dict[str, pd.Series] = {}
                if gaps.to_numpy().any():
                    fills = fills_of(self._imputer.transform(frame), gaps, self.only)
            counted.add(table, gaps, unread, fills)
            yield table, fills


@dataclass
class _Counted:
    """What was found in the rows of a part."""

    gaps: Counter[str] = field(default_factory=Counter)
    fills: Counter[str] = field(default_factory=Counter)
    markers: dict[str, Counter[str]] = field(default_factory=dict)
    unread: dict[str, list[Any]] = field(default_factory=dict)
    """By column how many cells were not read, some of them, and where the first is."""
    blanked: dict[str, list[Any]] = field(default_factory=dict)
    """By column how many cells were read without the blanks around them, and one of them."""

    def add(self, table: TableFile, gaps: pd.DataFrame, unread: pd.DataFrame, fills: dict[str, pd.Series]) -> None:
        self.gaps.update({name: int(gaps[name].sum()) for name in gaps})
        self.fills.update({name: len(values) for name, values in fills.items()})
        for marker, counts in table.all_markers().items():
            self.markers.setdefault(marker, Counter()).update(counts)
        for name, (n, example) in table.blanked.items():
            self.blanked.setdefault(name, [0, example])[0] += n
        for name in unread:
            rows = np.flatnonzero(unread[name])
            if len(rows):
                odd = [table.cell_text(name, row) for row in rows[:2].tolist()]
                found = self.unread.setdefault(name, [0, odd, f"{table.place.name}, {table.row_place(int(rows[0]))}"])
                found[0] += len(rows)

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "gaps": self.gaps,
            "fills": self.fills,
            "markers": self.markers,
            "unread": self.unread,
            "blanked": self.blanked,
        }


class _named:
    """Let errors about cells name the file and the rows that were read."""

    def __init__(self, table: TableFile) -> None:
        self._table = table

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        name = self._table.place.name
        if isinstance(error, InvalidInputError | ValueError) and name not in str(error):
            first, last = self._table.row_place(0), self._table.row_place(self._table.n_rows - 1)
            raise InvalidInputError(f"{name}, {first} to {last}: {error}") from error
