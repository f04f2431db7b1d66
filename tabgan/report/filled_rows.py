"""Some rows of a table before and after: what stood there, and what was imputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from tabgan.report.fill_certainty import COVERAGE
from tabgan.report.page import Cell, Head, Table, text_cell
from tabgan.wording import figures

__all__ = ["ExampleRows", "example_rows", "filled_rows"]

_MOST_ROWS = 6
_MOST_COLUMNS = 7
_LONGEST = 24


@dataclass(frozen=True)
class ExampleRows:
    """Rows to show, and the columns to show of them.

    Parameters
    ----------
    rows : list of int
    columns : list of int
        Positions in the table.
    """

    rows: list[int]
    columns: list[int]


def example_rows(filled: Any, missing: np.ndarray, names: Sequence[Any], first: Sequence[str]) -> ExampleRows | None:
    """Choose rows with imputed cells, those of the worst column before others.

    Parameters
    ----------
    filled : table of shape (n_samples, n_features)
        Completed.
    missing : ndarray of bool of shape (n_samples, n_features)
        Which cells were not there.
    names : sequence
        Of the columns, as they came.
    first : sequence of str
        Columns to show before others, the worst first.

    Returns
    -------
    ExampleRows or None
        None where nothing was missing, or nobody can tell which columns were left out.
    """
    kept = _places(_as_pandas(filled), names)
    if not missing.any() or kept is None:
        return None
    by_text = {str(names[j]): j for j in kept}
    shown = [by_text[name] for name in first if name in by_text][: _MOST_COLUMNS - 1]
    shown += [j for j in kept if j not in shown][: _MOST_COLUMNS - len(shown)]
    gappy = np.flatnonzero(missing[:, shown].any(axis=1))
    order = sorted(gappy.tolist(), key=lambda row: (not missing[row, shown[0]], row))
    rows = [order[k] for k in range(0, len(order), -(-len(order) // _MOST_ROWS) or 1)][:_MOST_ROWS]
    return ExampleRows(sorted(rows), shown)


def filled_rows(
    examples: ExampleRows,
    filled: Any,
    missing: np.ndarray,
    names: Sequence[Any],
    cells: Mapping[tuple[int, str], tuple[float, float] | float],
) -> Table:
    """Rows before and after, with what is promised of imputed cells.

    Parameters
    ----------
    examples : ExampleRows
    filled, missing, names
        As for `example_rows`.
    cells : mapping
        See `tabgan.report.fill_certainty.FillCertainty`.
    """
    frame = _as_pandas(filled)
    kept = _places(frame, names) or {}
    rows = [
        [
            text_cell(row + 1, ""),
            *(
                _cell(frame.iloc[row, kept[j]], bool(missing[row, j]), cells.get((row, str(names[j]))))
                for j in examples.columns
            ),
        ]
        for row in examples.rows
    ]
    note = "An arrow marks what was imputed; all else is as it came."
    if cells:
        note += f" In brackets: where the true number lies with {COVERAGE:.0%} probability, or how likely the label is."
    return Table("Rows before and after", [Head("Row"), *(Head(str(names[j])) for j in examples.columns)], rows, note)


def _places(frame: pd.DataFrame, names: Sequence[Any]) -> dict[int, int] | None:
    """Where each column of the table stands in the completed one, which may lack some; None where that cannot be told."""
    if frame.shape[1] == len(names):
        return {j: j for j in range(len(names))}
    places = {name: k for k, name in enumerate(frame.columns)}
    found = {j: places[name] for j, name in enumerate(names) if name in places}
    return found if len(found) == frame.shape[1] else None


def _as_pandas(filled: Any) -> pd.DataFrame:
    if isinstance(filled, pd.DataFrame):
        return filled
    if isinstance(filled, np.ndarray | list):
        return pd.DataFrame(np.asarray(filled))
    return nw.from_native(filled, eager_only=True).to_pandas()


def _plain(end: float) -> str:
    """An end of an interval, written as the cells are: without commas between thousands."""
    return figures(end).replace(",", "")


def _cell(value: Any, was_missing: bool, promised: tuple[float, float] | float | None) -> Cell:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return text_cell("missing")
    text = f"{value:.5g}" if isinstance(value, float | np.floating) else str(value).removesuffix(" 00:00:00")
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    if not was_missing:
        return text_cell(text)
    if isinstance(promised, tuple):
        low, high = promised
        if isinstance(value, int | float | np.number):  # what is imputed and what is promised come from two models
            low, high = min(low, float(value)), max(high, float(value))
        text += f" ({_plain(low)} to {_plain(high)})"
    elif promised is not None:
        text += f" ({promised:.0%})"
    return text_cell(f"→ {text}", "text filled")
