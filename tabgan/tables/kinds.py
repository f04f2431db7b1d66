"""What one column is, by its dtype, its values and what the user says."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.tables.code_lists import is_code_list, is_two_valued, may_be_codes
from tabgan.tables.columns import Family, RawColumn
from tabgan.tables.labels import label_to_json, sorted_labels
from tabgan.tables.written_times import WRITTEN, any_written_time, find_written_time

__all__ = ["CHOOSABLE", "IDENTIFIER", "NOT_MODELLED", "ColumnKind", "ColumnSchema", "infer_column"]

ColumnKind = Literal[
    "continuous",
    "integer",
    "decimal",
    "coded",
    "boolean",
    "categorical",
    "ordinal",
    "datetime",
    "timedelta",
    "identifier",
    "constant",
    "empty",
]

IDENTIFIER: ColumnKind = "identifier"
"""Names rows. Samplers take it, `GAINImputer` has no use for it."""
NOT_MODELLED = (IDENTIFIER, "constant", "empty")
CHOOSABLE: tuple[str, ...] = tuple(kind for kind in get_args(ColumnKind) if kind not in NOT_MODELLED)
"""Kinds that a user may ask for, of samplers `IDENTIFIER` too."""
_MOST_DECIMALS = 6
_CODES_NOTE = "{} different whole numbers; categorical_features if they are codes, column_kinds if they are amounts"


@dataclass(frozen=True)
class ColumnSchema:
    """One column as seen in ``fit``.

    Parameters
    ----------
    name : Hashable
        Column name, or position in an array.
    kind : ColumnKind
        How the column is modelled; ``"identifier"``, ``"constant"`` and ``"empty"`` columns are not.
    family : Family
        What the cells are.
    dtype : str
        Native dtype as text.
    levels : tuple, default=()
        Labels of a boolean (0.0 and 1.0, or the two numbers that occur), categorical or ordinal column, in order: the declared
        categories, or the observed labels sorted by type name and value. Of a ``"coded"`` column of numbers the observed ones, to
        which fills are kept.
    counts : tuple of int, default=()
        Observed cells per level; a declared category may have 0.
    lower, upper : float or int or None, default=None
        Observed range of numbers (float; int of whole numbers beyond 2**53) and of times (int, in ``unit``).
    decimals : int or None, default=None
        Decimals that all observed numbers share; 0 for whole numbers, None for ``"continuous"``.
    granularity : int or None, default=None
        Greatest common divisor of the differences between observed times.
    written : {"YYYYMMDD", "YYYYMM", "HHMM", "HHMMSS"} or None, default=None
        How a ``"datetime"`` column of whole numbers writes its times; ``granularity`` is in days, months, minutes or seconds.
    constant : object, default=None
        The one value of a constant column, as in ``RawColumn.values``.
    integer_dtype : bool, default=False
        The native dtype holds integers only.
    unit, timezone : str or None, default=None
        Of datetimes and timedeltas.
    cell_type : str or None, default=None
        Of columns of Python objects; see `RawColumn`.
    note : str or None, default=None
        What the user had better look at.
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
    written: str | None = None
    constant: Any = None
    integer_dtype: bool = False
    unit: str | None = None
    timezone: str | None = None
    cell_type: str | None = None
    note: str | None = None

    def check(self) -> None:
        """Whether a stored entry can have been learnt from a column."""
        whole, number = (int, type(None)), (int, float, type(None))
        text = (str, type(None))
        if not (
            self.kind in get_args(ColumnKind)
            and self.family in get_args(Family)
            and isinstance(self.dtype, str)
            and all(isinstance(count, int) and count >= 0 for count in self.counts)
            and len(self.counts) in (0, len(self.levels))
            and len(set(self.levels)) == len(self.levels)
            and isinstance(self.lower, number)
            and isinstance(self.upper, number)
            and (self.lower is None or self.upper is None or self.lower <= self.upper)
            and isinstance(self.decimals, whole)
            and isinstance(self.granularity, whole)
            and isinstance(self.unit, text)
            and isinstance(self.timezone, text)
            and isinstance(self.cell_type, text)
            and isinstance(self.written, text)
            and isinstance(self.note, text)
        ):
            raise InvalidInputError(f"what is stored of the column {self.name!r} does not fit together.")

    def like(self, values: np.ndarray) -> RawColumn:
        """A column of these values, all observed, that is otherwise as it was in ``fit``."""
        missing = np.zeros(len(values), dtype=bool)
        same = {name: getattr(self, name) for name in ("name", "dtype", "family", "unit", "timezone", "cell_type")}
        if self.cell_type is None and (self.integer_dtype or self.unit == "D"):
            same["cell_type"] = "int" if self.integer_dtype else "date"
        return RawColumn(values=values, missing=missing, **same)


def infer_column(column: RawColumn, wish: ColumnKind | None = None, *, explicit: bool = False) -> ColumnSchema:
    """What one column is.

    Parameters
    ----------
    column : RawColumn
    wish : ColumnKind or None, default=None
        The kind that the user asks for.
    explicit : bool, default=False
        By its own name; a list of categorical features says less than the dtype does about order and truth values.

    Returns
    -------
    ColumnSchema

    Raises
    ------
    InvalidParameterError
        The observed cells cannot be of that kind.
    """
    basis: dict[str, Any] = {
        "name": column.name,
        "family": column.family,
        "dtype": column.dtype,
        "integer_dtype": column.integer_dtype,
        "unit": column.unit,
        "timezone": column.timezone,
        "cell_type": column.cell_type,
    }
    _check_storable(column, column.name)
    observed = column.values[~column.missing]
    if not len(observed):
        return ColumnSchema(kind="empty", **basis)
    codes, found = pd.factorize(observed)
    if wish is not None and not (column.family == "boolean" and wish == "categorical"):
        _check_wish(column, found, wish)
    if len(found) == 1:
        _check_storable(column, found[0])
        return ColumnSchema(kind="constant", constant=_plain(found[0]), **basis)
    if wish == IDENTIFIER:
        return ColumnSchema(kind=IDENTIFIER, **basis)
    written = None
    if column.family == "number" and wish in (None, "datetime"):
        written = any_written_time(found) if wish else _written(found)
    kind = wish or ("datetime" if written else _natural_kind(column, found))
    counts = np.bincount(codes)
    if wish is None and kind == "integer":
        kind = "boolean" if is_two_valued(found, counts) else "coded" if is_code_list(found, counts) else kind
    if not explicit and wish == "categorical":
        kind = {"boolean": "boolean", "category": _natural_kind(column, found)}.get(column.family, "categorical")
    if kind in ("boolean", "categorical", "ordinal"):
        return ColumnSchema(kind=kind, **_levels(column, codes, found, kind), **basis)
    lower, upper = (int(end) if found.dtype.kind in "iu" else float(end) for end in (found.min(), found.max()))
    if written is not None:
        step = _granularity(WRITTEN[written].ticks(found)[0])
        return ColumnSchema(kind=kind, lower=lower, upper=upper, decimals=0, granularity=step, written=written, **basis)
    if kind in ("datetime", "timedelta"):
        return ColumnSchema(
            kind=kind,
            lower=int(lower),
            upper=int(upper),
            granularity=_granularity(found),
            **basis,
        )
    decimals = _shared_decimals(found, column.dtype) if kind == "decimal" else None if kind == "continuous" else 0
    listed = _levels(column, codes, found, kind) if kind == "coded" else {}
    hinted = wish is None and decimals == 0 and may_be_codes(len(found), len(observed))
    note = _CODES_NOTE.format(len(found)) if hinted else None
    return ColumnSchema(kind=kind, lower=lower, upper=upper, decimals=decimals, note=note, **listed, **basis)


def _written(found: np.ndarray) -> str | None:
    whole = found.dtype.kind == "f" and (found == np.rint(found)).all()
    return find_written_time(found) if whole else None


def _granularity(moments: np.ndarray) -> int:
    return max(1, int(np.gcd.reduce(np.diff(np.sort(moments).view(np.uint64)))))  # further apart than int64 counts


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
    if wish in ("continuous", "integer", "decimal", "coded") and column.family != "number":
        reason = f"its cells are of family {column.family!r}, not numbers"
    elif wish == "boolean" and not (column.family in ("number", "boolean") and len(found) <= 2):
        reason = "its cells are not all true/false, 0/1 or two other numbers"
    elif wish == "datetime" and column.family == "number":
        if any_written_time(found) is None:
            reason = f"its numbers are not all written as times ({', '.join(WRITTEN)}) that exist"
    elif wish in ("datetime", "timedelta") and column.family != wish:
        reason = f"its cells are of family {column.family!r}; convert the column first"
    elif wish in ("integer", "coded") and (found != np.rint(found)).any():
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
    if kind == "boolean" and np.isin(found, (0.0, 1.0)).all():
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
    single = "float32" in dtype.lower() or dtype == "float[pyarrow]"
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
