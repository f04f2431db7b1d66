"""Columns, classes and values that the user named, looked up; and what to suggest where there is none of that name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tabgan.exceptions import InvalidParameterError
from tabgan.wording import listed, suggestion

if TYPE_CHECKING:
    from tabgan.cli.files.parted import PartedTable
    from tabgan.cli.files.table_source import TableFile

__all__ = ["check_apart", "known_columns", "known_kinds", "label_text", "labels_by_text"]


def known_columns(table: TableFile | PartedTable, wanted: Sequence[str], option: str) -> set[str]:
    """Columns named by an option: whole values first, then comma-separated ones.

    Raises
    ------
    InvalidParameterError
        The table has no such column.
    """
    found: set[str] = set()
    for value in wanted:
        for name in [value] if value in table.names else [part.strip() for part in value.split(",")]:
            if name not in table.names:
                raise InvalidParameterError(
                    f"{option} {name!r}: {table.place.name} has no such column; {suggestion(name, table.names)}"
                )
            found.add(name)
    return found


def known_kinds(table: TableFile | PartedTable, wanted: Sequence[str]) -> dict[str, str]:
    """What ``--kind`` says of columns, as `tabgan.GAINImputer` takes it in ``column_kinds``.

    Raises
    ------
    InvalidParameterError
        A text is no ``NAME=KIND``, or the table has no such column, or there is no such kind.
    """
    from tabgan.tables.kinds import CHOOSABLE, IDENTIFIER

    kinds: dict[str, str] = {}
    for text in wanted:
        name, sign, kind = text.rpartition("=")
        kind = kind.lower()
        if not sign or kind not in (*CHOOSABLE, IDENTIFIER):
            raise InvalidParameterError(
                f"--kind {text!r} is not valid; give COL=KIND, with one of {listed((*CHOOSABLE, IDENTIFIER))}."
            )
        if name not in table.names:
            raise InvalidParameterError(
                f"--kind {text!r}: {table.place.name} has no column {name!r}; {suggestion(name, table.names)}"
            )
        kinds[name] = kind
    return kinds


def check_apart(left: set[str], others: Mapping[str, set[str]]) -> None:
    """Refuse a column that is in ``--leave`` and, by option, in one of the others."""
    for option, names in others.items():
        if both := sorted(left & names):
            raise InvalidParameterError(f"column {both[0]!r} is in --leave and in {option}; choose one.")


def check_new(table: TableFile, mark: str | None) -> None:
    """Refuse a ``--mark`` that a column has already."""
    if mark is not None and mark in table.names:
        raise InvalidParameterError(f"--mark {mark!r}: {table.place.name} has such a column already; give a new name.")


def label_text(label: Any) -> str:
    """A class label as it is written on the command line."""
    from numpy import bool_

    return str(label).lower() if isinstance(label, bool | bool_) else str(label)


def labels_by_text(labels: Iterable[Any]) -> dict[str, Any]:
    """The labels by their `label_text`."""
    return {label_text(label): label for label in labels}
