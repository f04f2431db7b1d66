"""How far a filled value may be from the truth: what 90 % intervals promise, and how likely imputed labels are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabgan.plotting.hidden import rows_of
from tabgan.tables.frames import read_table
from tabgan.tables.kinds import ColumnSchema
from tabgan.wording import figures

__all__ = ["COVERAGE", "ColumnCertainty", "FillCertainty", "fill_certainty"]

COVERAGE = 0.9
_MOST_ROWS, _FEWEST = 1000, 20
"""Rows that are asked of in all, and of each column at least."""


@dataclass(frozen=True)
class ColumnCertainty:
    """What is promised of the imputed cells of one column.

    Parameters
    ----------
    half_width : float or None
        Half of the median width of the intervals, in the column's units; None for labels.
    probability : float or None
        Median probability of the imputed label; None for numbers.
    """

    half_width: float | None = None
    probability: float | None = None

    def words(self) -> str:
        """In a table's cell.

        Examples
        --------
        >>> ColumnCertainty(half_width=12.345).words(), ColumnCertainty(probability=0.625).words()
        ('90% within ± 12.3', '62% likely')
        """
        if self.half_width is not None:
            return f"{COVERAGE:.0%} within ± {figures(self.half_width)}"
        return "-" if self.probability is None else f"{self.probability:.0%} likely"


@dataclass(frozen=True)
class FillCertainty:
    """What is promised of imputed cells.

    Parameters
    ----------
    columns : dict of str to ColumnCertainty
        Columns with missing cells of numbers or labels.
    cells : dict of (int, str) to (float, float) or float
        By row and column, both ends of an interval, or the probability of the label.
    """

    columns: Mapping[str, ColumnCertainty]
    cells: Mapping[tuple[int, str], tuple[float, float] | float]


def fill_certainty(imputer: Any, X: Any, missing: np.ndarray, rows: Sequence[int] = ()) -> FillCertainty:
    """Ask an imputer how sure it is of what it fills in, on about 1,000 rows with missing cells.

    Parameters
    ----------
    imputer : GAINImputer
        Fitted; the published objective promises nothing.
    X : table of shape (n_samples, n_features)
    missing : ndarray of bool of shape (n_samples, n_features)
    rows : sequence of int, default=()
        Rows to have among them.
    """
    gappy = np.flatnonzero(missing.any(axis=0))
    if not len(gappy) or imputer.objective != "remask":
        return FillCertainty({}, {})
    each = max(_MOST_ROWS // len(gappy), _FEWEST)
    by_column = [np.flatnonzero(missing[:, j]) for j in gappy]  # a column with few missing cells must not go unseen
    some = [cells[:: -(-len(cells) // each)] for cells in by_column]
    chosen = np.unique(np.concatenate([*some, np.asarray(rows, dtype=int)]))
    part = rows_of(X, chosen)
    names = {name: j for j, name in enumerate(read_table(part).names)}
    columns: dict[str, ColumnCertainty] = {}
    cells: dict[tuple[int, str], tuple[float, float] | float] = {}
    lower, upper = imputer.predict_interval(part, COVERAGE)
    for name in lower.columns:
        gone = missing[chosen, names[name]]
        ends = np.column_stack([lower[name], upper[name]])[gone]
        if not len(ends) or not np.isfinite(ends).all():
            continue
        ends = _as_written(ends, imputer.schema_.columns[imputer.schema_.names.index(name)])
        columns[str(name)] = ColumnCertainty(half_width=float(np.median(ends[:, 1] - ends[:, 0]) / 2))
        cells |= {
            (int(row), str(name)): (low, high) for row, (low, high) in zip(chosen[gone], ends.tolist(), strict=True)
        }
    for name, shares in imputer.category_probabilities(part).items():
        best = shares.to_numpy().max(axis=1)
        columns[str(name)] = ColumnCertainty(probability=float(np.median(best)))
        gone = chosen[missing[chosen, names[name]]]
        cells |= {(int(row), str(name)): share for row, share in zip(gone, best.tolist(), strict=True)}
    return FillCertainty(columns, cells)


def _as_written(ends: np.ndarray, known: ColumnSchema) -> np.ndarray:
    """Ends with the decimals of their column, and at the ends of what was observed without noise of single precision."""
    if known.lower is not None and known.upper is not None:
        near = 1e-5 * (known.upper - known.lower)
        for edge in (known.lower, known.upper):
            ends = np.where(np.abs(ends - edge) <= near, edge, ends)
    return ends if known.decimals is None else np.round(ends, known.decimals) + 0.0
