"""What a worker does with a block of rows, an Arrow table: fill it, draw, or sample; rows keep their keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tabgan.engines.batches import keys_as_pandas, keys_of, listed_keys, row_without_key, with_keys, without_keys
from tabgan.engines.mergeable_samples import Strata
from tabgan.engines.model_files import loaded
from tabgan.engines.row_sample import RowSample
from tabgan.exceptions import InvalidInputError, InvalidParameterError, SchemaMismatchError

__all__ = [
    "DRAW",
    "PLACE",
    "RowNames",
    "drawn_pieces",
    "filled_pieces",
    "kinds_in",
    "odd_among",
    "summaries_of",
    "with_places",
]

PLACE = "__tabgan_place__"
"""Column that an engine adds where no keys are given: the row's place in the table."""
DRAW = "draw"
_ROWS_AT_ONCE = 20_000
_CELLS_SHOWN = 4
_BLANK = ("", "na", "n/a", "#n/a", "nan", "null", "none")
"""What stands for a missing cell where readers make a column text because of another cell."""


@dataclass(frozen=True)
class RowNames:
    """What tells rows apart.

    Parameters
    ----------
    keys : tuple of str
        Columns of the user's; empty where the place counts.
    """

    keys: tuple[str, ...]

    @classmethod
    def of(cls, keys: Any, columns: Sequence[str]) -> RowNames:
        """Of the ``keys`` parameter and the names of the table's columns.

        Raises
        ------
        InvalidInputError
            Names of columns repeat.
        InvalidParameterError
            A key is no column, or all columns are keys.
        """
        if repeated := sorted(name for name, n in Counter(columns).items() if n > 1):
            raise InvalidInputError(f"column names {repeated} appear more than once; rename them.")
        names = listed_keys(keys)
        unknown = [name for name in names if name not in columns]
        if unknown:
            raise InvalidParameterError(f"keys names {unknown}, but the columns are {list(columns)}.")
        if names and len(names) == len(columns):
            raise InvalidParameterError(f"keys names all columns, {list(columns)}: none is left to learn from.")
        return cls(tuple(map(str, names)))

    @property
    def columns(self) -> list[str]:
        """Columns that say nothing of a row."""
        return list(self.keys) or [PLACE]

    def numbers(self, block: Any) -> np.ndarray:
        """A number per row; see `tabgan.engines.batches.keys_of`.

        Raises
        ------
        InvalidInputError
            A key is missing in a row; its first cells are named.
        """
        if not self.keys:
            return block[PLACE].to_numpy().astype(np.uint64)
        try:
            return keys_of(block, self.columns, 0)
        except InvalidInputError as error:
            if (row := row_without_key(keys_as_pandas(block, self.columns))) is None:
                raise
            columns = dict.fromkeys([*self.keys, *block.column_names[:_CELLS_SHOWN]])
            cells = block.select(list(columns)).slice(row, 1).to_pylist()[0]
            shown = ", ".join(f"{name}={cell!r}" for name, cell in cells.items())
            raise InvalidInputError(
                f"the row with {shown} has no key in {list(self.keys)}; every row needs one that no other has."
            ) from error

    def content(self, block: Any) -> Any:
        """The columns that say something."""
        return without_keys(block, [name for name in self.columns if name in block.column_names])

    def ordered(self, block: Any, estimator: Any) -> Any:
        """A block with its columns in the order of the fit, which blocks of differing files may not have.

        Raises
        ------
        SchemaMismatchError
            Columns are absent, or were not there in the fit; they are named.
        """
        fitted = list(getattr(estimator, "feature_names_in_", self.content(block).column_names))
        self.check_columns(block.column_names, estimator, f"the block from {self.shown(block)} on")
        if self.content(block).column_names == fitted:
            return block
        return block.select([*(name for name in self.columns if name in block.column_names), *fitted])

    def check_columns(self, columns: Sequence[str], estimator: Any, what: str) -> None:
        """Refuse columns beside the keys that are not those of the fit, in whatever order.

        Raises
        ------
        SchemaMismatchError
            Columns are absent, or were not there in the fit; they are named.
        """
        fitted = getattr(estimator, "feature_names_in_", None)
        if fitted is None:
            return
        here = [name for name in columns if name not in self.columns]
        absent, unknown = [name for name in fitted if name not in here], [name for name in here if name not in fitted]
        if absent or unknown:
            parts = [f"lacks the columns {absent}"] * bool(absent) + [f"has {unknown} beside those of fit"] * bool(
                unknown
            )
            raise SchemaMismatchError(
                f"{what} {' and '.join(parts)}; give the columns of fit, and name in keys what else is to come back as it was."
            )

    def back(self, filled: Any, block: Any) -> Any:
        """The filled content with the user's keys where they were."""
        return with_keys(filled, block, list(self.keys))

    def shown(self, block: Any) -> str:
        """The first row of a block in words."""
        names = [name for name in self.columns if name in block.column_names]
        cells = block.select(names).slice(0, 1).to_pylist()
        if not cells or not names:
            return "a row of the block"
        if not self.keys:
            return f"row {cells[0][PLACE]}"
        return "the row with " + ", ".join(f"{name}={cell!r}" for name, cell in cells[0].items())


def summaries_of(blocks: Iterable[Any], names: RowNames, strata: Strata) -> Any:
    """The sample of the rows of some blocks as an Arrow table: a summary for each stratum that has rows here."""
    samples: dict[int, RowSample] = {}
    for block in blocks:
        for k, rows in strata.parts(block):
            sample = samples.setdefault(k, strata.settings[k].empty())
            sample.add(names.content(rows), names.numbers(rows), partial(_row_named, rows, names))
    return strata.table(samples)


def _row_named(rows: Any, names: RowNames, number: int) -> str:
    """What an error calls a row that cannot be learnt from; where it is the first one, all rows may be like it."""
    shown = names.shown(rows.slice(number))
    return shown if number else f"the rows from {shown} on"


def filled_pieces(block: Any, path: str, names: RowNames) -> Iterator[Any]:
    """A block transformed by the estimator of a model file, in pieces of at most some thousand rows.

    Raises
    ------
    InvalidInputError
        Rows do not fit the estimator; names the first of them.
    """
    imputer = loaded(path)
    block = names.ordered(block, imputer)
    for piece in _pieces(block):
        yield names.back(_named(imputer.transform, piece, names, _numbers(imputer)), piece)


def drawn_pieces(block: Any, path: str, names: RowNames, n_draws: int, seed: int) -> Iterator[Any]:
    """Completed copies of a block, ``n_draws`` per piece, each with the number of its draw as last column.

    Raises
    ------
    InvalidInputError
        Rows do not fit the estimator; names the first of them.
    """
    import pyarrow as pa

    imputer = loaded(path)
    block = names.ordered(block, imputer)
    for piece in _pieces(block):
        numbers = names.numbers(piece)

        def draw(content: Any, numbers: np.ndarray = numbers) -> list[Any]:
            return imputer.sample(content, n_draws, random_state=seed, row_keys=numbers[: len(content)])

        for k, drawn in enumerate(_named(draw, piece, names, _numbers(imputer))):
            whole = names.back(drawn, piece)
            yield whole.append_column(DRAW, pa.array(np.full(len(whole), k)))


def with_places(block: Any, start: int) -> Any:
    """A block with the place of each of its rows in the table, of which ``start`` stand before it."""
    import pyarrow as pa

    return block.append_column(PLACE, pa.array(np.arange(start, start + len(block))))


def _pieces(block: Any) -> Iterator[Any]:
    for start in range(0, len(block), _ROWS_AT_ONCE):
        yield block.slice(start, _ROWS_AT_ONCE)


def _numbers(estimator: Any) -> list[str]:
    """Columns of numbers, as they were in fit."""
    schema = getattr(estimator, "schema_", None)
    return [] if schema is None else [str(column.name) for column in schema.columns if column.family == "number"]


def _named(work: Callable[[Any], Any], piece: Any, names: RowNames, numbers: Sequence[str] = ()) -> Any:
    """The work's result; an error names the first row that it fails for, or that holds a text that is no number."""
    try:
        return work(names.content(piece))
    except InvalidInputError as error:
        if found := odd_cell(piece, numbers):
            row, name, text = found
            raise type(error)(
                f"{names.shown(piece.slice(row))}: column {name!r} has {text!r}, which is no number: {error}"
            ) from error
        raise type(error)(f"{names.shown(_first_bad(work, piece, names))}: {error}") from error


def odd_cell(block: Any, numbers: Iterable[str]) -> tuple[int, str, str] | None:
    """The first text that is no number in columns that should hold numbers: its row, its column, and itself."""
    import pyarrow as pa

    for name in numbers:
        if name in block.column_names and _is_text(block.schema.field(name).type):
            cells = block[name].cast(pa.string()).to_pandas()
            blank = cells.isna() | cells.str.strip().str.lower().isin(_BLANK)
            odd = (~blank & pd.to_numeric(cells, errors="coerce").isna()).to_numpy(dtype=bool)
            if odd.any():
                row = int(odd.argmax())
                return row, name, str(cells.iloc[row])
    return None


def kinds_in(block: Any, names: RowNames) -> Any:
    """What the columns of a block hold, numbers or text, with the first text that is no number, and the row it is in."""
    import pyarrow as pa

    found: list[tuple[str, bool, str | None, str | None]] = []
    for name in names.content(block).column_names:
        kind = block.schema.field(name).type
        if _is_text(kind):
            odd = odd_cell(block, [name])
            found.append((name, False, odd and odd[2], odd and names.shown(block.slice(odd[0]))))
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            found.append((name, True, None, None))
    schema = pa.schema({"column": pa.string(), "numbers": pa.bool_(), "text": pa.string(), "where": pa.string()})
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in found], schema)


def odd_among(tables: Iterable[Any]) -> str:
    """The first text in a column that has numbers in other blocks, in words; empty where there is none."""
    rows = [row for table in filter(len, tables) for row in table.to_pylist()]
    numbers = {row["column"] for row in rows if row["numbers"]}
    odd = (row for row in rows if row["column"] in numbers and row["text"] is not None)
    return next((f"{row['where']} has {row['text']!r} in column {row['column']!r}: " for row in odd), "")


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _first_bad(work: Callable[[Any], Any], piece: Any, names: RowNames) -> Any:
    """The part of a piece from the first row that work fails for, by halving; the whole where no single row does."""
    while len(piece) > 1:
        half = len(piece) // 2
        for part in (piece.slice(0, half), piece.slice(half)):
            try:
                work(names.content(part))
            except InvalidInputError:
                piece = part
                break
        else:
            break
    return piece
