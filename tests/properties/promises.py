"""What is promised of a filled table and of synthetic rows, as functions that fail where it is broken."""

from __future__ import annotations

import math
import re
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import tabgan
from tabgan.exceptions import TabganError
from tabgan.tables.frames import RawColumn, read_table
from tabgan.tables.schema import TableSchema

__all__ = [
    "by_rule",
    "can_hold",
    "columns_of",
    "missing_in",
    "outcome",
    "same_cells",
    "same_container",
    "same_table",
    "shown",
    "through_a_file",
]

OURS = str(Path(tabgan.__file__).parent)
CONTRACTS = (OURS, "sklearn", "imblearn")
"""Where an error may come from: us, or the checks that every scikit-learn estimator has."""

LARGEST = np.finfo(np.float64).max
SINGLE = 1e-6
SINGLES = ("float32", "Float32", "float[pyarrow]")
"""Single precision, relative, and the dtypes that have it."""

NAMED = re.compile(
    r"column|[Ff]eature|sample\(s\)|missing_values|\by\b|names|dim|dtype|[Ss]parse|[Cc]omplex|class|[a-z]+_[a-z_]+=",
    re.DOTALL,
)
"""An error says what it is about: a column, a parameter, the shape, the labels."""


def outcome(call: Callable[[], Any], refusal: str) -> Any:
    """The result of a call that must give one, or None where it must refuse, with an error of ours and no foreign warning."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            result, error = call(), None
        except (TabganError, ValueError, TypeError) as raised:
            result, error = None, raised
    if error is not None:
        told = f"{type(error).__name__}: {error}"
        if not isinstance(error, TabganError) and not raised_by_contract(error):
            raise AssertionError(f"a raw {told}") from error
        if not refusal:
            raise AssertionError(f"a sound table was refused: {told}") from error
        assert NAMED.search(str(error)), f"the error names neither column nor parameter: {told}"
        return None
    for warning in heard:
        ours = warning.category.__module__.startswith(("tabgan", "sklearn"))
        assert ours or issubclass(warning.category, UserWarning), f"a foreign warning: {warning}"
    assert not refusal, f"accepted, though {refusal}"
    return result


def raised_by_contract(error: BaseException) -> bool:
    """Whether an error was raised on purpose: by us, or by scikit-learn's checks."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return any(place in last.filename for place in CONTRACTS) and (last.line or "").startswith(
        ("raise", "_assert", ")")
    )


def columns_of(native: Any) -> list:
    """The columns of a table in its own types: series, Arrow arrays, or one-dimensional arrays."""
    if isinstance(native, nw.DataFrame):
        native = native.to_native()
    if isinstance(native, pd.DataFrame):
        return [native.iloc[:, j] for j in range(native.shape[1])]
    if isinstance(native, pl.DataFrame):
        return native.get_columns()
    if isinstance(native, pa.Table):
        return native.columns
    if isinstance(native, list):
        return [[row[j] for row in native] for j in range(len(native[0]))]
    return [native[:, j] for j in range(native.shape[1])]


def missing_in(column: Any) -> np.ndarray:
    """Where a native column has no value."""
    if isinstance(column, pl.Series):
        blank = column.is_null()
        return (blank | column.is_nan().fill_null(False) if column.dtype.is_float() else blank).to_numpy()
    if isinstance(column, pa.ChunkedArray):
        return np.array(column.is_null(nan_is_null=True).to_pylist(), dtype=bool)
    if isinstance(column, np.ma.MaskedArray) and np.ma.getmaskarray(column).any():
        return np.ma.getmaskarray(column)
    if isinstance(column, np.ndarray) and column.dtype.kind == "T":
        return np.zeros(len(column), dtype=bool)
    cells = np.ma.getdata(column) if isinstance(column, np.ma.MaskedArray) else column
    return np.asarray(pd.isna(pd.Series(cells, dtype=object) if isinstance(cells, list) else cells), dtype=bool)


def same_container(before: Any, after: Any, names: Sequence | None = None) -> None:
    """Same kind of container, the columns named, and, in pandas, the same index."""
    wanted = np.ndarray if isinstance(before, list) else type(before)
    assert type(after) is wanted
    if isinstance(before, pd.DataFrame):
        pd.testing.assert_index_equal(after.index, before.index, exact=True)
    if names is not None and not isinstance(before, list | np.ndarray):
        found = after.column_names if isinstance(after, pa.Table) else after.columns
        assert list(found) == list(names)


def same_cells(before: Any, after: Any, rows: np.ndarray, *, dtype: bool = True) -> None:
    """Cells at ``rows`` are the very same in both native columns, and so is the dtype."""
    if isinstance(before, list):
        cells: Any = np.empty(len(before), dtype=object)
        cells[:] = before
        for row in np.flatnonzero(rows):
            assert same_value(cells[row], after[row]), f"row {row}: {cells[row]!r} became {after[row]!r}"
        return
    if isinstance(before, pa.ChunkedArray):
        assert not dtype or after.type == before.type, f"{before.type} became {after.type}"
        mask = pa.array(rows)
        one, other = before.filter(mask), after.filter(mask)
        assert one.cast(other.type).to_pylist() == other.to_pylist() if one.type != other.type else one.equals(other)
        return
    assert not dtype or str(after.dtype) == str(before.dtype) or after.dtype == before.dtype, (
        f"{before.dtype} became {after.dtype}"
    )
    if isinstance(before, pl.Series):
        one, other = before.filter(pl.Series(rows)), after.filter(pl.Series(rows))
        assert one.to_list() == other.to_list() if one.dtype == pl.Object else one.cast(other.dtype).equals(other)
    elif isinstance(before, pd.Series):
        for row in np.flatnonzero(rows):
            assert same_value(before.iloc[row], after.iloc[row]), (
                f"row {row}: {before.iloc[row]!r} became {after.iloc[row]!r}"
            )
    else:
        one, other = np.ma.getdata(before)[rows], np.ma.getdata(after)[rows]
        if one.dtype.kind == "O" or one.dtype.kind != other.dtype.kind:
            assert all(map(same_value, one, other)), f"{one} became {other}"
        else:
            np.testing.assert_array_equal(one, other.astype(one.dtype))


def same_value(one: Any, other: Any) -> bool:
    """Of the same type and equal; nan equals nan."""
    if type(one) is not type(other) and not isinstance(one, np.generic) and not isinstance(other, np.generic):
        return False
    if isinstance(one, pd.Interval | tuple | str | bytes):
        return bool(one == other)
    blanks = bool(pd.isna(one)), bool(pd.isna(other))
    return blanks == (True, True) if any(blanks) else bool(one == other)


def same_table(one: Any, other: Any) -> None:
    """Two tables are the same to the bit, dtypes included."""
    same_container(
        np.asarray(one) if isinstance(one, list) else one, np.asarray(other) if isinstance(other, list) else other
    )
    everywhere = None
    for first, second in zip(columns_of(one), columns_of(other), strict=True):
        gaps = missing_in(first)
        np.testing.assert_array_equal(gaps, missing_in(second))
        everywhere = ~gaps
        same_cells(first, second, everywhere)


def shown(native: Any) -> list[RawColumn]:
    """A table's columns in plain form, to compare numbers by size and labels by what they are."""
    return read_table(native).columns


def by_rule(schema: TableSchema) -> set[int]:
    """Columns whose cells follow from others by an exact rule, which leads over the range of what was observed."""
    return (
        set()
        if schema.rules is None
        else {j for rule in (*schema.rules.lines, *schema.rules.sums) for j in rule.columns}
    )


def can_hold(
    known: RawColumn, made: np.ndarray, *, rounded: bool = True, beyond: bool = False, like: str = "fill"
) -> None:
    """Cells that were made are such as the column's observed cells allow: levels seen, within the range, whole, to the decimal.

    Parameters
    ----------
    known : RawColumn
        The column as it came.
    made : ndarray
        Cells in the same representation.
    rounded : bool, default=True
        Whether numbers must look like the observed ones; those of integer dtype are whole in any case.
    beyond : bool, default=False
        Whether numbers that are not whole may leave the observed range, but not their sign, nor [0, 1] where all are in it.
    like : str, default="fill"
        What they are called where they are wrong.
    """
    observed = known.values[~known.missing]
    told = f"{like} of column {known.name!r} ({known.dtype})"
    if known.family in ("text", "category"):
        alone = made.dtype != object  # a few rows of a mixed column that are numbers only were read as numbers
        seen = {(alone or type(label), label) for label in observed}
        for label in made:
            assert (alone or type(label), label) in seen, f"{told}: {label!r} was never seen"
        return
    if known.family == "boolean":
        assert np.isin(made, [0.0, 1.0]).all(), f"{told}: {made}"
        return
    assert not np.isnan(made.astype(np.float64)).any(), f"{told}: no number"
    low, high = observed.min(), observed.max()
    whole = observed.dtype.kind in "iu" or bool((observed == np.rint(observed)).all())
    if beyond and known.family == "number" and not whole:
        low, high = 0.0 if low >= 0 else -LARGEST, 0.0 if high <= 0 else 1.0 if low >= 0 and high <= 1 else LARGEST
    outside = (made < low) | (made > high)
    assert not outside.any(), f"{told}: {made[outside][0]} is outside {low} to {high}"
    if made.dtype.kind == "f" and (known.integer_dtype or (rounded and whole)):
        assert (made == np.rint(made)).all(), f"{told}: {made[made != np.rint(made)][0]} is not whole"
    if known.family in ("datetime", "timedelta") and rounded:
        step = math.gcd(*(int(moment) - int(low) for moment in observed))
        beyond = [int(moment) - int(low) for moment in made]
        assert all(k % step == 0 if step else k == 0 for k in beyond), f"{told}: off the steps of {step}"
    if known.family == "number" and made.dtype.kind == "f" and rounded and "16" not in known.dtype:
        for digits in range(1, 4):
            if np.abs(observed).max() < 1e6 and (np.round(observed, digits) == observed).all():
                close = np.isclose(
                    np.round(made, digits), made, rtol=SINGLE if known.dtype in SINGLES else 0.0, atol=0.0
                )
                assert close.all(), f"{told}: more than {digits} decimals"


def through_a_file(estimator: Any) -> Any:
    """Saved and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        estimator.save(Path(folder) / "model.tabgan")
        return tabgan.load(Path(folder) / "model.tabgan")
