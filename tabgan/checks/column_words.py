"""What a column is taken for and why, and what an imputer will do with it, in words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tabgan.checks.findings import names_listed, shown_number
from tabgan.tables.columns import RawColumn, times_as_index
from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.pair_rules import LineRule
from tabgan.tables.schema import TableSchema
from tabgan.tables.sums import SumRule
from tabgan.wording import counted

__all__ = ["plan_for", "why_kind"]

_AMOUNTS = ("integer", "decimal", "continuous")


def why_kind(column: RawColumn, known: ColumnSchema, wished: bool = False) -> str:
    """Why a column is of its kind.

    Parameters
    ----------
    column : RawColumn
    known : ColumnSchema
    wished : bool, default=False
        The user said so.

    Examples
    --------
    >>> from tabgan.tables.frames import read_table
    >>> from tabgan.tables.schema import infer_schema
    >>> table = read_table([[1.5, 0], [2.25, 1], [7.0, 1]])
    >>> [why_kind(*pair) for pair in zip(table.columns, infer_schema(table).columns)]
    ['numbers of at most 2 decimals from 1.5 to 7', 'whole numbers from 0 to 1']
    """
    said = "as you say; " if wished else ""
    kind = known.kind
    if kind == "empty":
        return "no cell holds a value"
    if kind == "constant":
        return f"every cell holds {_shown(column, known.constant)}"
    if kind in ("datetime", "timedelta"):
        return said + _times(column, known)
    if kind in _AMOUNTS:
        ends = f"from {shown_number(float(known.lower or 0))} to {shown_number(float(known.upper or 0))}"
        what = {
            "integer": "whole numbers",
            "decimal": f"numbers of at most {counted(known.decimals or 0, 'decimal')}",
            "continuous": "numbers",
        }[kind]
        return f"{said}{what} {ends}"
    n_levels = sum(count > 0 for count in known.counts)
    if kind == "coded":
        return f"{said}a list of {n_levels} whole numbers, with holes: {_levels(column, known)}"
    if kind == "boolean":
        return said + (
            "true and false" if column.family == "boolean" else f"two whole numbers: {_levels(column, known)}"
        )
    if kind == "ordinal":
        return f"{said}categories in order: {_levels(column, known)}"
    what = "numbers" if column.family == "number" else "texts" if column.family == "text" else "categories"
    return f"{said}{n_levels} different {what}: {_levels(column, known)}"


def _times(column: RawColumn, known: ColumnSchema) -> str:
    if known.written is not None:
        return f"whole numbers that are all times as {known.written}, from {known.lower} to {known.upper}"
    ends = times_as_index(np.array([known.lower, known.upper], dtype=np.int64), column)
    what = "times" if known.kind == "datetime" else "spans of time"
    if known.kind == "datetime":
        moments = times_as_index(column.values[~column.missing], column)
        what = "dates" if (moments == moments.normalize()).all() else what
    return f"{what} from {ends[0]} to {ends[1]}".replace(" 00:00:00", "")


def _levels(column: RawColumn, known: ColumnSchema, most: int = 3) -> str:
    """The commonest levels, in the order of the column for those with one."""
    pairs = [
        (level, count)
        for level, count in zip(known.levels, known.counts, strict=True)
        if count or known.kind == "ordinal"
    ]
    if known.kind == "categorical":
        pairs.sort(key=lambda pair: -pair[1])
    shown = ", ".join(_shown(column, level) for level, _ in pairs[:most])
    return shown + (", ..." if len(pairs) > most else "")


def _shown(column: RawColumn, value: Any) -> str:
    if column.family in ("number", "boolean") and isinstance(value, int | float):
        return shown_number(float(value)) if column.family == "number" else str(bool(value))
    if column.family in ("datetime", "timedelta"):
        return str(times_as_index(np.array([value], dtype=np.int64), column)[0])
    text = str(value)
    return repr(text if len(text) <= 24 else text[:23] + "…")


def plan_for(j: int, n_missing: int, schema: TableSchema, used: Collection[int]) -> str:
    """What `tabgan.GAINImputer` will do with the missing cells of a column.

    Parameters
    ----------
    j : int
        Position of the column.
    n_missing : int
    schema : TableSchema
        With its rules.
    used : collection of int
        Columns that hold more than one value.

    Returns
    -------
    str
        ``""`` where nothing is missing.
    """
    known = schema.columns[j]
    if not n_missing:
        return ""
    if known.kind == "empty":
        return "stays empty: there is no value to learn from"
    if known.kind == "constant":
        return "filled with its only value"
    others = [k for k in used if k != j]
    if not others:
        what = "its mean" if known.kind in (*_AMOUNTS, "datetime", "timedelta") else "its commonest value"
        return f"filled with {what}, as no other column tells more"
    by_rule = _computed(j, schema)
    rest = f"from {len(others)} other column{'s' if len(others) > 1 else ''}"
    return f"computed from {by_rule} where known, else imputed {rest}" if by_rule else f"imputed {rest}"


def _computed(j: int, schema: TableSchema) -> str:
    """The columns from which a relation gives this one."""
    for rule in () if schema.rules is None else (*schema.rules.lines, *schema.rules.sums):
        if isinstance(rule, LineRule | SumRule) and j in rule.columns:
            return names_listed([schema.names[k] for k in rule.columns if k != j])
    return ""
