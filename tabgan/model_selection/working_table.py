"""The user's table as all compared imputers get it, and the truth under its hidden cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.tables.amputation import Mechanism, ampute
from tabgan.tables.columns import RawColumn
from tabgan.tables.frames import read_table
from tabgan.tables.schema import ColumnSchema, infer_schema
from tabgan.wording import counted

__all__ = ["Truth", "WorkingTable", "as_completed", "filled_by", "working_table"]


_HELD_OUT = 0.2
_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


@dataclass
class WorkingTable:
    """Numbers as float64 with NaN, labels as text with NaN; only columns that can be scored."""

    frame: pd.DataFrame
    left_out: dict[str, str]
    n_rows: int
    groups: np.ndarray | None = None

    def keep_rows(self, max_rows: int | None, seed: int) -> None:
        """Draw rows if there are too many, then drop the columns that nothing can be learnt about."""
        if max_rows is not None and len(self.frame) > max_rows:
            rows = np.random.default_rng(seed).choice(len(self.frame), max_rows, replace=False)
            self.frame = self.frame.iloc[np.sort(rows)].reset_index(drop=True)
            self.groups = None if self.groups is None else self.groups[np.sort(rows)]
        for name in list(self.frame.columns):
            values = self.frame[name].dropna()
            distinct, reason = values.nunique(), None
            if distinct < 2:
                reason = "no known value" if not len(values) else "constant"
            elif values.dtype == object and 2 * distinct > max(len(values), 8):
                reason = f"nearly every value is different ({distinct} in {len(values)} cells)"
            elif values.dtype == float and not 0 < _spread(values) < np.inf:
                reason = "too large or too close together for floating-point numbers"
            if reason:
                self.left_out[name] = reason
                del self.frame[name]
        if self.frame.shape[1] < 2:
            left = "".join(f"; {name!r} is left out: {reason}" for name, reason in list(self.left_out.items())[:5])
            raise InvalidInputError(
                f"X has {counted(self.frame.shape[1], 'column')} to compare imputers on, and needs at least 2, as cells are "
                f"predicted from the other columns{left}."
            )

    def held_out_rows(self, seed: int) -> np.ndarray | None:
        """Mask of the rows of a fifth of the groups; None without groups."""
        if self.groups is None:
            return None
        names = np.unique(self.groups)
        if len(names) < 2:
            raise InvalidInputError(f"groups: the {len(self.frame)} rows in use are of one group; use more rows.")
        n = max(1, round(_HELD_OUT * len(names)))
        return np.isin(self.groups, np.random.default_rng(seed).choice(names, n, replace=False))

    def hidden_cells(self, mechanism: Mechanism, rate: float, seed: int, rows: np.ndarray | None = None) -> np.ndarray:
        """Choose known cells to hide, of these rows; every column keeps some."""
        codes = np.column_stack(
            [
                values if values.dtype == float else pd.Series(pd.factorize(values, sort=True)[0]).replace(-1, np.nan)
                for _, values in self.frame.items()
            ]
        ).astype(float)
        known = self.frame.notna().to_numpy()
        hidden = ampute(codes, rate, mechanism=mechanism, random_state=seed, observed=known)
        if rows is not None:
            hidden &= rows[:, None]
            hidden[:, ~known[~rows].any(axis=0)] = False
        hidden[:, ~(known & ~hidden).any(axis=0)] = False
        if not hidden.any():
            raise InvalidInputError(
                f"there is nothing to hide: rate={rate} of the {int(known.sum())} known cells of X, one kept in each row and "
                "column, is none; use a higher rate or a larger table."
            )
        return hidden


class Truth:
    """The known cells, and how far fills are from them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.is_number = np.array([frame[name].dtype == float for name in frame.columns])
        self._spreads = [
            _spread(frame[name]) if number else 1.0 for name, number in zip(frame, self.is_number, strict=True)
        ]

    def errors(self, filled: pd.DataFrame, hidden: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """RMSE in standard deviations or error rate per column; NaN where nothing was hidden. ``filled`` holds these rows."""
        frame = self.frame if rows is None else self.frame[rows]
        hidden = hidden if rows is None else hidden[rows]
        found = np.full(len(self.is_number), np.nan)
        for j, name in enumerate(self.frame.columns):
            cells = hidden[:, j]
            if not cells.any():
                continue
            true, guess = frame[name].to_numpy()[cells], filled.iloc[:, j].to_numpy()[cells]
            empty = int(pd.isna(guess).sum())
            if empty:
                raise ValueError(f"{empty} of {len(guess)} hidden cells of column {name!r} were left empty")
            if self.is_number[j]:
                found[j] = np.sqrt(np.mean(((guess.astype(float) - true) / self._spreads[j]) ** 2))
            else:
                found[j] = np.mean(guess.astype(object) != true)
        if np.isinf(found).any():
            raise ValueError(
                f"column {self.frame.columns[np.isinf(found).argmax()]!r} was filled with infinite numbers"
            )
        return found


def filled_by(estimator: Any, gappy: pd.DataFrame, rows: np.ndarray | None = None) -> pd.DataFrame:
    """A table filled by an imputer that is fitted on it; with ``rows`` (a mask) these rows, by one fitted on the others."""
    if rows is None:
        return as_completed(estimator.fit_transform(gappy.copy()), gappy)
    others, held_out = (gappy[mask].reset_index(drop=True) for mask in (~rows, rows))
    return as_completed(estimator.fit(others).transform(held_out), held_out)


def as_completed(filled: Any, gappy: pd.DataFrame) -> pd.DataFrame:
    """What an imputer made of a table, as a frame with its columns in their order."""
    if isinstance(filled, pd.DataFrame) and set(gappy.columns) == set(filled.columns):
        filled = filled[list(gappy.columns)]
    values = filled.to_numpy() if hasattr(filled, "to_numpy") else np.asarray(filled)
    if values.shape != gappy.shape:
        raise ValueError(f"it made a table of shape {values.shape} of one of shape {gappy.shape}")
    return filled if isinstance(filled, pd.DataFrame) else pd.DataFrame(values, columns=gappy.columns)


def _spread(values: pd.Series) -> float:
    with np.errstate(over="ignore"):
        return float(np.nanstd(values.to_numpy()))


def working_table(X: Any, categorical_features: Any, missing_values: Any) -> WorkingTable:
    """Read a user's table into the form that all compared imputers take.

    Parameters
    ----------
    X : table
    categorical_features : None, list of names or positions, or boolean mask
        Columns that hold labels whatever their dtype. Columns of two whole numbers do too, unless a mask says otherwise.
    missing_values : scalar or list of scalars
        Further markers of a missing cell.
    """
    table = read_table(X, missing_values=missing_values)
    schema = infer_schema(table, categorical_features=categorical_features)
    numbers = _numbers_by_mask(categorical_features)
    texts = [str(name) for name in table.names]
    names = texts if len(set(texts)) == len(texts) else [f"{j}: {text}" for j, text in enumerate(texts)]
    columns = {
        name: _working_column(column, known, numbers)
        for name, column, known in zip(names, table.columns, schema.columns, strict=True)
    }
    return WorkingTable(pd.DataFrame(columns), {}, table.n_rows)


def _numbers_by_mask(categorical_features: Any) -> bool:
    """Whether it is a mask, which says of every column whether it holds labels."""
    listed = list(categorical_features) if hasattr(categorical_features, "__iter__") else []
    return bool(listed) and all(isinstance(item, bool | np.bool_) for item in listed)


def _working_column(column: RawColumn, known: ColumnSchema, by_mask: bool) -> pd.Series:
    by_values = known.kind == "boolean" and column.family == "number"
    is_label = known.kind in ("boolean", "categorical", "ordinal") or column.family in ("text", "category")
    if is_label and not (by_values and by_mask):
        levels = list(pd.unique(column.values[~column.missing]))
        texts = [str(level) for level in levels]
        if len(set(texts)) < len(texts):
            texts = [f"{level} ({type(level).__name__})" for level in levels]
        names = dict(zip(levels, texts, strict=True))
        cells = [np.nan if gap else names[v] for v, gap in zip(column.values, column.missing, strict=True)]
        return pd.Series(cells, dtype=object)
    numbers = np.where(column.missing, np.nan, column.values.astype(float))
    if column.unit is not None and not column.all_missing:
        first = int(column.values[~column.missing].min()) if column.family == "datetime" else 0
        numbers = np.where(column.missing, np.nan, (column.values - first) / _DAY[column.unit])
    return pd.Series(numbers, dtype=float)
