"""Columns that name rows rather than describe them: what looks like one, and new values for further rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from tabgan.tables.columns import EXACT, RawColumn

__all__ = ["is_identifier", "new_identifiers"]

_FEWEST = 20
_MOSTLY = 0.95
_LONG = 7  # digits: shorter numbers that all differ may be amounts
_NUMBERED = re.compile(r"(.*?)(\d{1,18})", re.DOTALL)


def is_identifier(column: RawColumn) -> bool:
    """Whether nearly all cells differ, and are text, or whole numbers that rise, fill their range or have seven digits or more."""
    observed = column.values[~column.missing]
    if len(observed) < _FEWEST or column.family not in ("text", "category", "number"):
        return False
    if column.family == "number" and not (column.integer_dtype and (np.asarray(observed) == np.rint(observed)).all()):
        return False
    distinct = pd.unique(observed)
    if len(distinct) < _MOSTLY * len(observed):
        return False
    if column.family != "number":
        return all(isinstance(label, str) for label in distinct)
    steps = np.diff(observed)
    low, high = float(distinct.min()), float(distinct.max())
    rises = bool((steps > 0).all() or (steps < 0).all())
    return rises or high - low < 2 * len(distinct) or (low > 0 and low >= 10.0 ** (_LONG - 1))


def new_identifiers(column: RawColumn, parents: np.ndarray) -> np.ndarray | None:
    """Values that the column does not have yet, one per new row.

    Parameters
    ----------
    column : RawColumn
        Of the training table.
    parents : ndarray of int of shape (n,)
        The row that each new row starts from.

    Returns
    -------
    ndarray of shape (n,) or None
        Numbers go on above the largest; so does the number at the end of texts, whose beginning is the parent's. None where neither is
        possible: texts without a number at the end, declared categories, and numbers that would leave their dtype.
    """
    if column.family == "number":
        return _further_numbers(column, len(parents))
    if column.family != "text":
        return None
    parts = [None if label is None else _NUMBERED.fullmatch(str(label)) for label in column.values]
    if not all(part is not None for part, gap in zip(parts, column.missing, strict=True) if not gap):
        return None
    known = [part for part in parts if part is not None]
    highest = max((int(part[2]) for part in known), default=0)
    new = np.empty(len(parents), dtype=object)
    for place, parent in enumerate(parents.tolist()):
        part = parts[parent]
        if part is not None:
            new[place] = f"{part[1]}{highest + 1 + place:0{len(part[2])}d}"
    return new


def _further_numbers(column: RawColumn, n: int) -> np.ndarray | None:
    observed = column.values[~column.missing]
    highest, dtype = int(observed.max()), column.dtype.lower()
    bits = re.search(r"int(\d+)", dtype)
    signed: Callable[[int], int] = (lambda b: 2**b) if dtype.startswith("u") else (lambda b: 2 ** (b - 1))
    limit = signed(int(bits[1])) - 1 if bits else 2**63 - 1
    if observed.dtype.kind == "f":
        limit = min(limit, EXACT)
    if highest + n > limit:
        return None
    return np.asarray([highest + 1 + k for k in range(n)], dtype=observed.dtype)
