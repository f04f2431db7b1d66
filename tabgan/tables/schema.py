"""What ``fit`` learns about each column: its kind, its levels, its range; kept with the model."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import pandas as pd

from tabgan.core.checkpoint import built_from
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.tables.columns import Family, RawColumn, Table
from tabgan.tables.indicator_groups import IndicatorGroup, find_indicator_groups
from tabgan.tables.labels import label_from_json, label_to_json, shown_names, sorted_labels

__all__ = ["ColumnKind", "ColumnSchema", "TableSchema", "infer_schema"]

ColumnKind = Literal[
    "continuous",
    "integer",
    "decimal",
    "boolean",
    "categorical",
    "ordinal",
    "datetime",
    "timedelta",
    "constant",
    "empty",
]

_CHOOSABLE = tuple(kind for kind in get_args(ColumnKind) if kind not in ("constant", "empty"))
_MOST_DECIMALS = 6


@dataclass(frozen=True)
class ColumnSchema:
    """One column as seen in ``fit``.

    Parameters
    ----------
    name : Hashable
        Column name, or position in an array.
    kind : ColumnKind
        How the column is modelled; ``"constant"`` and ``"empty"`` columns are not.
    family : Family
        What the cells are.
    dtype : str
        Native dtype as text.
    levels : tuple, default=()
        Labels of a boolean (0.0, 1.0), categorical or ordinal column, in order: the declared categories, or the
        observed labels sorted by type name and value.
    counts : tuple of int, default=()
        Observed cells per level; a declared category may have 0.
    lower, upper : float or int or None, default=None
        Observed range of numbers (float; int of whole numbers beyond 2**53) and of times (int, in ``unit``).
    decimals : int or None, default=None
        Decimals that all observed numbers share; 0 for ``"integer"``, None for ``"continuous"``.
    granularity : int or None, default=None
        Greatest common divisor of the differences between observed times.
    constant : object, default=None
        The one value of a constant column, as in ``RawColumn.values``.
    integer_dtype : bool, default=False
        The native dtype holds integers only.
    unit, timezone : str or None, default=None
        Of datetimes and timedeltas.
    cell_type : str or None, default=None
        Of columns of Python objects; see `RawColumn`.
    """

    name: Hashable
    kind: ColumnKind
    family: Family
    dtype: str
    levels: tuple = ()
    counts: tuple[int, ...] = ()
    lower: float | int | None = None
    upper: float | int | None = None
    decimals: int | None = None
    granularity: int | None = None
    constant: Any = None
    integer_dtype: bool = False
    unit: str | None = None
    timezone: str | None = None
    cell_type: str | None = None

    def like(self, values: np.ndarray) -> RawColumn:
        """A column of these values, all observed, that is otherwise as it was in ``fit``."""
        missing = np.zeros(len(values), dtype=bool)
        same = {name: getattr(self, name) for name in ("name", "dtype", "family", "unit", "timezone", "cell_type")}
        return RawColumn(values=values, missing=missing, **same)


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table as seen in ``fit``.

    Parameters
    ----------
    columns : tuple of ColumnSchema
        In the table's order.
    indicator_groups : tuple of IndicatorGroup, default=()
        One-hot columns that belong together.
    """

    columns: tuple[ColumnSchema, ...]
    indicator_groups: tuple[IndicatorGroup, ...] = ()

    @property
    def names(self) -> list[Hashable]:
        """Column names in order."""
        return [column.name for column in self.columns]

    @property
    def encoded(self) -> tuple[int, ...]:
        """Positions of the columns that the model sees: neither constant nor empty."""
        return tuple(j for j, column in enumerate(self.columns) if column.kind not in ("constant", "empty"))

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
        return {"columns": columns, "indicator_groups": groups}

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
        groups = data.get("indicator_groups", ())
        return cls(tuple(columns), tuple(IndicatorGroup(tuple(members), always) for members, always in groups))


def infer_schema(
    table: Table,
    *,
    categorical_features: Any = None,
    column_kinds: Mapping[Hashable, str] | None = None,
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
        if not isinstance(kind, str) or kind not in _CHOOSABLE:
            raise InvalidParameterError(f"column_kinds[{key!r}]={kind!r} is not a kind; use one of {list(_CHOOSABLE)}.")
        wishes[_position(table, key, "column_kinds")] = cast(ColumnKind, kind)
    explicit = {_position(table, key, "column_kinds") for key in column_kinds or {}}
    return TableSchema(
        tuple(_infer_column(column, wishes.get(j), j in explicit) for j, column in enumerate(table.columns)),
        find_indicator_groups(table.columns),
    )


def _position(table: Table, key: Any, parameter: str) -> int:
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
    if isinstance(features, str) or not hasattr(features, "__iter__"):
        raise InvalidParameterError(
            f"categorical_features={features!r}; use None, 'auto', a list of names or positions, or a boolean mask."
        )
    listed = list(features)
    if listed and all(isinstance(item, bool | np.bool_) for item in listed):
        if len(listed) != table.n_columns:
            raise InvalidParameterError(
                f"categorical_features is a mask of {len(listed)} entries, but X has {table.n_columns} columns."
            )
        return [j for j, chosen in enumerate(listed) if chosen]
    return [_position(table, item, "categorical_features") for item in listed]


def _infer_column(column: RawColumn, wish: ColumnKind | None, explicit: bool) -> ColumnSchema:
    basis: dict[str, Any] = {
        "name": column.name,
        "family": column.family,
        "dtype": column.dtype,
        "integer_dtype": column.integer_dtype,
        "unit": column.unit,
        "timezone": column.timezone,
        "cell_type": column.cell_type,
    }
    observed = column.values[~column.missing]
    if not len(observed):
        return ColumnSchema(kind="empty", **basis)
    codes, found = pd.factorize(observed)
    if wish is not None and not (column.family == "boolean" and wish == "categorical"):
        _check_wish(column, found, wish)
    if len(found) == 1:
        _check_storable(column, found[0])
        return ColumnSchema(kind="constant", constant=_plain(found[0]), **basis)
    kind = wish or _natural_kind(column, found)
    if not explicit and wish == "categorical":
        # A list of categorical features says less than the dtype does about order and truth values.
        kind = {"boolean": "boolean", "category": _natural_kind(column, found)}.get(column.family, "categorical")
    if kind in ("boolean", "categorical", "ordinal"):
        return ColumnSchema(kind=kind, **_levels(column, codes, found, kind), **basis)
    if kind in ("datetime", "timedelta"):
        moments = np.sort(found)
        return ColumnSchema(
            kind=kind,
            lower=int(moments[0]),
            upper=int(moments[-1]),
            granularity=max(1, abs(int(np.gcd.reduce(np.diff(moments))))),
            **basis,
        )
    decimals = _shared_decimals(found, column.dtype) if kind == "decimal" else (0 if kind == "integer" else None)
    lower, upper = (int(end) if found.dtype.kind in "iu" else float(end) for end in (found.min(), found.max()))
    return ColumnSchema(kind=kind, lower=lower, upper=upper, decimals=decimals, **basis)


def _natural_kind(column: RawColumn, found: np.ndarray) -> ColumnKind:
    if column.family == "number":
        decimals = _shared_decimals(found, column.dtype)
        return "continuous" if decimals is None else "integer" if decimals == 0 else "decimal"
    if column.family in ("boolean", "datetime", "timedelta"):
        return cast(ColumnKind, column.family)
    return "ordinal" if column.ordered else "categorical"


def _check_wish(column: RawColumn, found: np.ndarray, wish: ColumnKind) -> None:
    """Refuse a kind that the observed cells cannot be of."""
    reason = None
    if wish in ("continuous", "integer", "decimal") and column.family != "number":
        reason = f"its cells are of family {column.family!r}, not numbers"
    elif wish == "boolean" and not (column.family in ("number", "boolean") and np.isin(found, (0.0, 1.0)).all()):
        reason = "its cells are not all true/false or 0/1"
    elif wish in ("datetime", "timedelta") and column.family != wish:
        reason = f"its cells are of family {column.family!r}; convert the column first"
    elif wish == "integer" and (found != np.rint(found)).any():
        reason = f"it holds {float(found[found != np.rint(found)][0])!r}, which is not whole"
    elif wish == "decimal" and _shared_decimals(found, column.dtype) is None:
        reason = f"its numbers do not share {_MOST_DECIMALS} decimals or fewer"
    if reason:
        raise InvalidParameterError(f"column {column.name!r} (dtype {column.dtype}) cannot be {wish!r}: {reason}.")


def _levels(column: RawColumn, codes: np.ndarray, found: np.ndarray, kind: ColumnKind) -> dict[str, Any]:
    labels = [_plain(value) for value in found]
    for label in labels:
        _check_storable(column, label)
    seen = dict(zip(labels, np.bincount(codes, minlength=len(labels)).tolist(), strict=True))
    if kind == "boolean":
        levels: list = [0.0, 1.0]
    elif column.categories is not None:
        levels = list(column.categories)
    else:
        levels = sorted_labels(labels)
    return {"levels": tuple(levels), "counts": tuple(seen.get(level, 0) for level in levels)}


def _check_storable(column: RawColumn, label: Any) -> None:
    """What a model file cannot hold is refused before training, not by `save` after it."""
    try:
        label_to_json(label)
    except InvalidInputError as error:
        raise InvalidInputError(f"column {column.name!r}: {error}") from None


def _plain(value: Any) -> Any:
    """Numpy numbers as Python's; labels as they are."""
    if isinstance(value, np.float64):
        return float(value)
    return int(value) if isinstance(value, np.integer) else value


def _shared_decimals(values: np.ndarray, dtype: str) -> int | None:
    """Fewest decimals, at most 6, that write all of ``values`` exactly; None when there are none.

    Decimals finer than the floating-point grid at the largest value would prove nothing, so they do not count.
    """
    if values.dtype.kind in "iu":
        return 0
    single = "32" in dtype and "float" in dtype.lower()
    grid = np.abs(values).max() * np.finfo(np.float32 if single else np.float64).eps
    compared = values.astype(np.float32) if single else values
    if (values == np.rint(values)).all():
        return 0
    for decimals in range(1, _MOST_DECIMALS + 1):
        if grid > 0.5 * 10.0**-decimals:
            return None
        rounded = np.round(values, decimals)
        if ((rounded.astype(np.float32) if single else rounded) == compared).all():
            return decimals
    return None
