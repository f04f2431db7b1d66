"""`AskedCells`: cells that the user wants in every row of a sample, read from ``where``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tabgan.estimators.classes import plain_label
from tabgan.exceptions import InvalidInputError
from tabgan.tables.columns import RawColumn, Table
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.rules import Rules
from tabgan.tables.written_times import WRITTEN

__all__ = ["AskedCells", "read_where"]

_MOST_LISTED = 8


@dataclass(frozen=True)
class AskedCells:
    """What ``where`` asks for.

    Parameters
    ----------
    cells : dict of int to ndarray of shape (1,)
        By column position, in the representation of `RawColumn.values`.
    slots : ndarray of int of shape (n_slots,)
        Encoded slots of these columns.
    values : ndarray of float32 of shape (n_slots,)
        What they hold.
    matches : ndarray of bool of shape (n_rows,)
        Training rows that have all the cells.
    lent : dict of int to ndarray of shape (n_rows,)
        The training rows with these cells in place and, as far as can be, what the table's rules make of that.
    suits : ndarray of bool of shape (n_rows,)
        Training rows for which that worked: their `lent` has the cells and breaks no rule.
    """

    cells: dict[int, np.ndarray]
    slots: np.ndarray
    values: np.ndarray
    matches: np.ndarray
    lent: dict[int, np.ndarray]
    suits: np.ndarray

    def allowed(self, codes: np.ndarray) -> np.ndarray:
        """Rows to start from: of each class those that have the cells, else those that could have them, else all."""
        allowed = self.matches.copy()
        for further in (self.suits, np.ones_like(self.suits)):
            served = np.bincount(codes[allowed], minlength=codes.max() + 1) > 0
            allowed |= further & ~served[codes]
        return allowed

    def write_into(self, raw: dict[int, np.ndarray]) -> None:
        """Replace whole columns of synthetic rows by the cells asked for."""
        for j, cell in self.cells.items():
            raw[j] = np.repeat(cell, len(raw[j]))

    def altered(self, raw: Mapping[int, np.ndarray]) -> np.ndarray:
        """Boolean array of shape (n,): synthetic rows that lack one of the cells."""
        return np.logical_or.reduce([np.asarray(raw[j] != cell[0], dtype=bool) for j, cell in self.cells.items()])


def read_where(where: Mapping[Any, Any] | None, table: Table, encoder: TableEncoder, rules: Rules) -> AskedCells | None:
    """Read ``where``; None where it asks for nothing.

    Parameters
    ----------
    where : dict of column name to value, or None
        Columns go by position where the table has no names.
    table : Table
        The training table.
    encoder : TableEncoder
        Fitted on it.
    rules : Rules
        What holds in every row of it.

    Raises
    ------
    InvalidInputError
        ``where`` is no dict, names an unknown column, or a value does not suit its column: not a number or time, not whole
        among integers, or a level that the column never had.
    """
    if where is None:
        return None
    if not isinstance(where, Mapping):
        raise InvalidInputError(f"where={where!r} is no dict of column to value, such as {{'region': 'north'}}.")
    if not where:
        return None
    positions = {name: j for j, name in enumerate(table.names)}
    unknown = [name for name in where if name not in positions]
    if unknown:
        raise InvalidInputError(f"where names column {unknown[0]!r}, but the table has {table.names}.")
    cells = {positions[name]: _cell(table.columns[positions[name]], value) for name, value in where.items()}
    slots: list[int] = []
    values: list[np.ndarray] = []
    matches = np.ones(table.n_rows, dtype=bool)
    for j, cell in cells.items():
        column = table.columns[j]
        matches &= ~column.missing & np.asarray(column.values == cell[0], dtype=bool)
        if j in encoder.schema_.encoded:
            span = encoder.spans_[encoder.schema_.encoded.index(j)]
            slots += range(span.start, span.stop)
            wanted = replace(column, values=cell, missing=np.zeros(1, dtype=bool))
            written = encoder.schema_.columns[j].written
            if written is not None and not WRITTEN[written].ticks(cell)[1].all():
                raise _unsuited(column, where[table.names[j]], f"holds times written {written} that exist")
            values.append(encoder.encode_column(j, wanted)[0])
    found = np.concatenate([np.zeros(0, dtype=np.float32), *values])
    asked = AskedCells(cells, np.array(slots, dtype=np.int64), found, matches, {}, matches)
    own = {j: column.values for j, column in enumerate(table.columns)}
    missing = {j: column.missing for j, column in enumerate(table.columns)}
    lent = dict(own)
    asked.write_into(lent)
    if len(rules):
        filled = missing | {j: np.zeros(table.n_rows, dtype=bool) for j in cells}
        lent |= rules.repair(lent, own, filled, missing)
    return replace(asked, lent=lent, suits=~asked.altered(lent))


def _cell(column: RawColumn, value: Any) -> np.ndarray:
    """One cell in the representation of `RawColumn.values`."""
    if column.family in ("datetime", "timedelta"):
        return _time(column, value)
    if column.family in ("number", "boolean"):
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise _unsuited(column, value, f"holds {column.family}s") from None
        if not np.isfinite(number):
            raise _unsuited(column, value, "takes finite numbers only")
        if column.family == "boolean" and number not in (0.0, 1.0):
            raise _unsuited(column, value, "holds booleans")
        if column.integer_dtype and number != round(number):
            raise _unsuited(column, value, "holds whole numbers")
        return np.array([number])
    found = np.flatnonzero([_same(label, value) for label in column.values])[:1]
    if not len(found):
        levels = list(dict.fromkeys(column.values[~column.missing].tolist()))
        shown = ", ".join(map(repr, levels[:_MOST_LISTED])) + (", ..." if len(levels) > _MOST_LISTED else "")
        raise _unsuited(column, value, f"has the levels {shown or 'none'}")
    return column.values[found]


def _same(label: Any, value: Any) -> bool:
    """Whether a label is what was asked for: a numpy scalar is what it equals, but True is not 1."""
    label, value = plain_label(label), plain_label(value)
    return label is not None and type(label) is type(value) and bool(label == value)


def _time(column: RawColumn, value: Any) -> np.ndarray:
    try:
        if column.family == "timedelta":
            ticks = pd.Timedelta(value).to_timedelta64()
        else:
            stamp = pd.Timestamp(value)
            if stamp.tz is None and column.timezone is not None:
                stamp = stamp.tz_localize(column.timezone)
            ticks = (stamp if stamp.tz is None else stamp.tz_convert("UTC").tz_localize(None)).to_datetime64()
    except (TypeError, ValueError):
        raise _unsuited(column, value, f"holds {column.family}s") from None
    if np.isnat(ticks):
        raise _unsuited(column, value, f"holds {column.family}s")
    return np.array([ticks.astype(f"{ticks.dtype.kind}8[{column.unit}]").astype(np.int64)], dtype=np.int64)


def _unsuited(column: RawColumn, value: Any, why: str) -> InvalidInputError:
    return InvalidInputError(f"where asks for {value!r} in column {column.name!r}, which {why}.")
