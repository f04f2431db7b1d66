"""Whether a new table fits the columns seen in ``fit``, and what to say where it does not."""

from __future__ import annotations

import re
from collections.abc import Hashable

from tabgan.exceptions import SchemaMismatchError
from tabgan.tables.columns import RawColumn, Table
from tabgan.tables.labels import LISTED, shown_names, sorted_labels
from tabgan.tables.schema import ColumnSchema, TableSchema

__all__ = ["check_compatible"]

_INTERCHANGEABLE = ({"number", "boolean"}, {"text", "category"})
_ZONE = re.compile(r"tz=|time_zone='|\[\w+, ")
"""What dtypes of times with a zone hold: datetime64[ns, UTC], timestamp[us, tz=UTC], Datetime(time_unit='us', time_zone='UTC')."""


def check_compatible(schema: TableSchema, table: Table) -> None:
    """Refuse a table that does not fit the columns seen in ``fit``.

    Names must be the same, in the same order; numbers may come as booleans and text as categories, and back. Times have a zone, or
    have none, as in ``fit``: those without could be of any. A column without observed cells, now or in ``fit``, fits anything.
    Arrays, now or in ``fit``, are compared by position.

    Parameters
    ----------
    schema : TableSchema
        From ``fit``.
    table : Table
        The new table.

    Raises
    ------
    SchemaMismatchError
        The message lists missing, extra, reordered and retyped columns, in scikit-learn's words where it has some.
    """
    fitted = schema.names
    by_position = not table.has_names or fitted == list(range(len(fitted)))
    if by_position and table.n_columns != len(fitted):
        raise SchemaMismatchError(
            f"X has {table.n_columns} features, but tabgan is expecting {len(fitted)} features as input."
        )
    if not by_position and table.names != fitted:
        raise SchemaMismatchError(_name_differences(fitted, table.names))
    retyped = [
        f"- {known.name!r}: {known.family} ({known.dtype}) in fit, {column.family} ({column.dtype}) now\n"
        for known, column in zip(schema.columns, table.columns, strict=True)
        if not _same_family(known, column, table.listed)
    ]
    if retyped:
        raise SchemaMismatchError("Columns hold another type of data than in fit; convert them:\n" + "".join(retyped))


def _same_family(known: ColumnSchema, column: RawColumn, listed: bool) -> bool:
    if known.kind == "empty" or column.all_missing:
        return True
    if known.family == column.family:
        return known.family != "datetime" or _same_zoning(known.dtype, column.dtype)
    if {known.family, column.family} in _INTERCHANGEABLE:
        return True
    # A few rows of a mixed object column may be numbers only; these equal their labels.
    mixed = column.dtype.lower() == "object" or (listed and known.dtype.lower() == "object")
    return known.family == "text" and column.family in ("number", "boolean") and mixed


def _same_zoning(known: str, now: str) -> bool:
    return "object" in (known, now) or bool(_ZONE.search(known)) == bool(_ZONE.search(now))


def _name_differences(fitted: list[Hashable], names: list[Hashable]) -> str:
    extra = sorted_labels(set(names) - set(fitted))
    lost = sorted_labels(set(fitted) - set(names))
    message = "The feature names should match those that were passed during fit.\n"
    if extra:
        message += "Feature names unseen at fit time:\n" + _bullets(extra)
    if lost:
        message += "Feature names seen at fit time, yet now missing:\n" + _bullets(lost)
    if not extra and not lost:
        message += "Feature names must be in the same order as they were in fit.\n"
        message += f"In fit: {shown_names(fitted)}\nNow: {shown_names(names)}\n"
    return message


def _bullets(names: list) -> str:
    return "".join(f"- {name}\n" for name in names[:LISTED]) + ("- ...\n" if len(names) > LISTED else "")
