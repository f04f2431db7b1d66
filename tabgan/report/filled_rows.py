"""Some rows of a table before and after: what stood there, and what was imputed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from tabgan.report.page import Cell, Head, Table, text_cell

__all__ = ["filled_rows"]

_MOST_ROWS = 6
_MOST_COLUMNS = 7
_LONGEST = 24


def filled_rows(filled: Any, missing: np.ndarray, names: Sequence[Any], first: Sequence[str]) -> Table | None:
    """Rows with imputed cells, those of the worst column before others.

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
    Table or None
        None where nothing was missing, or nobody can tell which columns were left out.
    """
    frame = _as_pandas(filled)
    kept = _places(frame, names)
    if not missing.any() or kept is None:
        return None
    by_text = {str(names[j]): j for j in kept}
    shown = [by_text[name] for name in first if name in by_text][: _MOST_COLUMNS - 1]
    shown += [j for j in kept if j not in shown][: _MOST_COLUMNS - len(shown)]
    gappy = np.flatnonzero(missing[:, shown].any(axis=1))
    order = sorted(gappy.tolist(), key=lambda row: (not missing[row, shown[0]], row))
    rows = [order[k] for k in range(0, len(order), -(-len(order) // _MOST_ROWS))][:_MOST_ROWS]
    cells = [
        [text_cell(row + 1, ""), *(_cell(frame.iloc[row, kept[j]], bool(missing[row, j])) for j in shown)]
        for row in sorted(rows)
    ]
    return Table(
        "Rows before and after",
        [Head("Row"), *(Head(str(names[j])) for j in shown)],
        cells,
        "An arrow marks what was imputed; all else is as it came.",
    )


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


def _cell(value: Any, was_missing: bool) -> Cell:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return text_cell("missing")
    text = f"{value:.5g}" if isinstance(value, float | np.floating) else str(value).removesuffix(" 00:00:00")
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return text_cell(f"→ {text}", "text filled") if was_missing else text_cell(text)
