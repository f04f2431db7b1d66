"""What ``fit`` learns about a table: its columns, and those that belong together; kept with the model."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np

from tabgan.core.checkpoint import built_from
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.tables.columns import Table
from tabgan.tables.identifiers import is_identifier
from tabgan.tables.indicator_groups import IndicatorGroup, find_indicator_groups
from tabgan.tables.kinds import CHOOSABLE, IDENTIFIER, NOT_MODELLED, ColumnKind, ColumnSchema, infer_column
from tabgan.tables.labels import label_from_json, label_to_json, shown_names
from tabgan.tables.rule_set import Rules

__all__ = ["ColumnKind", "ColumnSchema", "TableSchema", "column_position", "infer_schema"]


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table as seen in ``fit``.

    Parameters
    ----------
    columns : tuple of ColumnSchema
        In the table's order.
    indicator_groups : tuple of IndicatorGroup, default=()
        One-hot columns that belong together.
    rules : Rules or None, default=None
        Orders, lines and sums that hold in every row; None where they were not looked for. ``print(schema_.rules)`` shows them.
    """

    columns: tuple[ColumnSchema, ...]
    indicator_groups: tuple[IndicatorGroup, ...] = ()
    rules: Rules | None = None

    @property
    def names(self) -> list[Hashable]:
        """Column names in order."""
        return [column.name for column in self.columns]

    @property
    def encoded(self) -> tuple[int, ...]:
        """Positions of the columns that the model sees: neither constant nor empty, and no identifiers."""
        return tuple(j for j, column in enumerate(self.columns) if column.kind not in NOT_MODELLED)

    def to_json(self) -> dict:
        """Strict-JSON form; labels carry their type.

        Raises
        ------
        InvalidInputError
            A label or name has a type that cannot be stored.
        """
        columns = []
        for column in self.columns:
            entry = asdict(column)
            entry["name"] = label_to_json(column.name)
            entry["levels"] = [label_to_json(label) for label in column.levels]
            entry["counts"] = list(column.counts)
            entry["constant"] = label_to_json(column.constant)
            columns.append(entry)
        groups = [[list(group.columns), group.always_one] for group in self.indicator_groups]
        rules = None if self.rules is None else self.rules.to_state()
        return {"columns": columns, "indicator_groups": groups, "rules": rules}

    def facts(self, most: int = 5) -> list[tuple[str, str]]:
        """`words` as a fact to show, (name, value), at most so many of them; no fact where nothing holds."""
        words = self.words()
        more = f"; {len(words) - most} more in schema_" if len(words) > most else ""
        return [("kept in every row", "; ".join(words[:most]) + more)] if words else []

    def words(self) -> list[str]:
        """What holds in every row, as text: one-hot groups and rules."""
        groups = [
            f"{'one' if group.always_one else 'at most one'} of {shown_names([self.names[j] for j in group.columns])} is 1"
            for group in self.indicator_groups
        ]
        return groups + ([] if self.rules is None else self.rules.words())

    @classmethod
    def from_json(cls, data: dict) -> TableSchema:
        """Read the schema from ``to_json``'s dict.

        Raises
        ------
        InvalidInputError
            A stored label cannot be read.
        """
        columns = []
        for entry in data["columns"]:
            entry = dict(entry)
            entry["name"] = label_from_json(entry["name"])
            entry["levels"] = tuple(label_from_json(label) for label in entry["levels"])
            entry["counts"] = tuple(entry["counts"])
            entry["constant"] = label_from_json(entry["constant"])
            columns.append(built_from(ColumnSchema, entry))
            columns[-1].check()
        groups, rules = data.get("indicator_groups", ()), data.get("rules")
        found = None if rules is None else Rules.from_state(rules)
        amounts = {j for j, column in enumerate(columns) if column.family in ("number", "datetime", "timedelta")}
        if found is not None and not amounts.issuperset(found.columns):
            raise InvalidInputError("stored rules name columns that hold no numbers or times.")
        return cls(tuple(columns), tuple(IndicatorGroup(tuple(members), always) for members, always in groups), found)


def infer_schema(
    table: Table,
    *,
    categorical_features: Any = None,
    column_kinds: Mapping[Hashable, str] | None = None,
    identifiers: bool = False,
) -> TableSchema:
    """Learn the schema of a table.

    Parameters
    ----------
    table : Table
        Training table.
    categorical_features : None, "auto", list of names or positions, or boolean mask, default=None
        Columns to treat as categories whatever their dtype. None and ``"auto"`` go by dtype alone. A name wins over a
        position where both fit.
    column_kinds : mapping of name or position to kind, default=None
        Kinds for single columns; these win over ``categorical_features``. Columns with fewer than two distinct
        observed values stay constant or empty.
    identifiers : bool, default=False
        Whether columns may be ``"identifier"``: those that ``column_kinds`` says so of, and, of those without a wish, what
        `tabgan.tables.identifiers.is_identifier` finds, as long as others are left.

    Returns
    -------
    TableSchema
        One entry per column.

    Raises
    ------
    InvalidParameterError
        A name or kind is unknown, the mask has a wrong length, or the cells cannot be of the wished kind.
    """
    wishes: dict[int, ColumnKind] = dict.fromkeys(_categorical_positions(table, categorical_features), "categorical")
    if column_kinds is not None and not isinstance(column_kinds, Mapping):
        raise InvalidParameterError(
            f"column_kinds={column_kinds!r} must be a dict of column names (or positions) to kinds, as in {{'code': 'categorical'}}."
        )
    for key, kind in (column_kinds or {}).items():
        known = [*CHOOSABLE, IDENTIFIER] if identifiers else list(CHOOSABLE)
        if not isinstance(kind, str) or kind not in known:
            raise InvalidParameterError(f"column_kinds[{key!r}]={kind!r} is not a kind; use one of {known}.")
        wishes[column_position(table, key, "column_kinds")] = cast(ColumnKind, kind)
    if identifiers:
        found = [j for j, column in enumerate(table.columns) if j not in wishes and is_identifier(column)]
        if len(found) < table.n_columns:
            wishes |= dict.fromkeys(found, IDENTIFIER)
    explicit = {column_position(table, key, "column_kinds") for key in column_kinds or {}}
    return TableSchema(
        tuple(infer_column(column, wishes.get(j), explicit=j in explicit) for j, column in enumerate(table.columns)),
        find_indicator_groups(table.columns),
    )


def column_position(table: Table, key: Any, parameter: str) -> int:
    """Where a column stands that the user names, by name or else by position; ``parameter`` is named where there is none."""
    for j, name in enumerate(table.names):
        if isinstance(name, bool) == isinstance(key, bool) and name == key:
            return j
    if isinstance(key, int | np.integer) and not isinstance(key, bool) and 0 <= key < table.n_columns:
        return int(key)
    raise InvalidParameterError(
        f"{parameter} names {key!r}, which is no column of X; columns are {shown_names(table.names)} (positions 0 to "
        f"{table.n_columns - 1})."
    )


def _categorical_positions(table: Table, features: Any) -> list[int]:
    if features is None or (isinstance(features, str) and features == "auto"):
        return []
    try:
        listed = list(features)
    except TypeError:  # no list, or an array without dimensions
        listed = []
        features = str(features)
    if isinstance(features, str):
        raise InvalidParameterError(
            f"categorical_features={features!r}; use None, 'auto', a list of names or positions, or a boolean mask."
        )
    if listed and all(isinstance(item, bool | np.bool_) for item in listed):
        if len(listed) != table.n_columns:
            raise InvalidParameterError(
                f"categorical_features is a mask of {len(listed)} entries, but X has {table.n_columns} columns."
            )
        return [j for j, chosen in enumerate(listed) if chosen]
    return [column_position(table, item, "categorical_features") for item in listed]
