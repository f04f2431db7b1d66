"""How far the values imputed in each column can be relied on, the worst column first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabgan.wording import column_text, error_figures

__all__ = ["FEW_CELLS", "ImputedColumn", "imputed_columns", "worst_in_words"]

_MOST_NAMED = 4
FEW_CELLS = 20
"""Held-out cells: errors on fewer are not praised."""
_FEW_SHARE = 0.02
"""Of the most missing cells of a column: one with fewer is not the one to name."""
_MOSTLY_WRONG = 0.5
_LITTLE = 0.5
"""Of what the mean or mode leaves open: with less, no column is doubtful."""


@dataclass(frozen=True)
class ImputedColumn:
    """One column with missing cells.

    Parameters
    ----------
    name : str
    n_missing, n_rows : int
    error, baseline : float
        On held-out cells: RMSE, or share of wrong labels; that of the mean or mode. nan where none was held out.
    is_label : bool
    n_cells : int
        Held-out cells.
    kind : str, default=""
        How the column is modelled; says the unit of errors of dates and durations.
    """

    name: str
    n_missing: int
    n_rows: int
    error: float
    baseline: float
    is_label: bool
    n_cells: int
    kind: str = ""

    def _figures(self, error: float) -> str:
        return error_figures(error, self.kind)

    @property
    def is_empty(self) -> bool:
        """Whether it has no value at all, so that nothing is imputed."""
        return self.n_missing == self.n_rows

    @property
    def judged(self) -> bool:
        """Whether cells were held out."""
        return not np.isnan(self.error)

    @property
    def left_open(self) -> float:
        """Share of wrong labels, or of the variance of numbers that is not explained; nan where not judged."""
        if self.is_label or not self.judged:
            return self.error
        return float((self.error / self.baseline) ** 2) if self.baseline else float(self.error > 0)

    @property
    def doubtful(self) -> bool:
        """Whether fills are no better than the mean or mode, as far as it is shown, or mostly wrong."""
        if not self.judged:
            return False
        if self.is_label:
            return self.error > 0 and (round(self.error, 3) >= round(self.baseline, 3) or self.error >= _MOSTLY_WRONG)
        return self.error > 0 and round(self.error / self.baseline, 2) >= 1 if self.baseline else self.error > 0

    def words(self) -> str:
        """Errors in a few words."""
        told = f"{self.n_missing:,} of {self.n_rows:,} values {'is' if self.n_missing == 1 else 'are'} imputed"
        if not self.judged:
            return f"{told}, and how well is not known, as no cell was held out"
        few = "only " if self.n_cells < FEW_CELLS else ""
        on = f"on {few}{self.n_cells:,} held-out cell{'' if self.n_cells == 1 else 's'}"
        if self.is_label:
            return f"{told}, {self.error:.0%} wrong {on} (the commonest value: {self.baseline:.0%})"
        return f"{told}, off by {self._figures(self.error)} {on} (the mean: {self._figures(self.baseline)})"


def imputed_columns(scores: Any, names: Sequence[Any], n_missing: Sequence[int], n_rows: int) -> list[ImputedColumn]:
    """Columns with missing cells, the worst first; then those with next to none, and those that were not judged.

    Parameters
    ----------
    scores : pandas.DataFrame
        `GAINImputer.validation_scores_`.
    names : sequence
        Of all columns.
    n_missing : sequence of int
        Of each.
    n_rows : int
    """
    by_name = {name: scores.iloc[k] for k, name in enumerate(scores.index)}
    found = []
    for name, n in zip(names, n_missing, strict=True):
        if not n:
            continue
        row = by_name.get(name)
        is_label = row is not None and np.isnan(row["rmse"])
        keys = ("error_rate", "error_rate_mode") if is_label else ("rmse", "rmse_mean")
        error, baseline = (np.nan, np.nan) if row is None else (float(row[key]) for key in keys)
        found.append(
            ImputedColumn(
                str(name),
                int(n),
                n_rows,
                error,
                baseline,
                is_label,
                0 if row is None else int(row["n_cells"]),
                "" if row is None else str(row.get("kind", "")),
            )
        )
    few = _FEW_SHARE * max((one.n_missing for one in found), default=0)
    return sorted(
        found, key=lambda one: (not one.judged, one.n_missing < few, -np.nan_to_num(one.left_open), -one.n_missing)
    )


def worst_in_words(columns: Sequence[ImputedColumn]) -> str:
    """What not to rely on, in one sentence; the least sure column where nothing is doubtful.

    Parameters
    ----------
    columns : sequence of ImputedColumn
        As `imputed_columns` gives them.

    Examples
    --------
    >>> cabin = ImputedColumn("Cabin", 687, 891, 0.76, 0.8, True, 17)
    >>> worst_in_words([cabin])
    'Do not rely on Cabin: 687 of 891 values are imputed, 76% wrong on only 17 held-out cells (the commonest value: 80%).'
    """
    if not columns:
        return ""
    empty = [column.name for column in columns if column.is_empty]
    columns = [column for column in columns if not column.is_empty]
    bare = f"{_named(empty)} {'has' if len(empty) == 1 else 'have'} no value to learn from and stay{'s' * (len(empty) == 1)} empty."
    ending = f" {bare}" if empty else ""
    if not columns:
        return bare
    doubtful = [column for column in columns if column.doubtful]
    if not doubtful:
        worst = columns[0]
        if not worst.judged:
            return f"How far to rely on {column_text(worst.name)} is not known: {worst.words()}.{ending}"
        judged = [column for column in columns if column.judged]
        if max(column.n_cells for column in judged) < FEW_CELLS:
            sure = "Too few cells were held out to tell how good fills are; least"
        else:
            sure = "Fills are close to the truth on held-out cells; least" if worst.left_open < _LITTLE else "Least"
        dark = [column.name for column in columns if not column.judged]
        unknown = f" Of {_named(dark)} no cell was held out." if dark else ""
        return f"{sure} sure is {column_text(worst.name)}: {worst.words()}.{unknown}{ending}"
    others = [column.name for column in doubtful[1:]]
    also = f" Nor on {_named(others)}." if others else ""
    return f"Do not rely on {column_text(doubtful[0].name)}: {doubtful[0].words()}.{also}{ending}"


def _named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(map(column_text, names[:_MOST_NAMED])) + more
