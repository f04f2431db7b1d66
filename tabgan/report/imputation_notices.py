"""What to watch in an imputed table, and what to do about it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tabgan.core.callbacks import EarlyStopping
from tabgan.imputation.scoring import relative_errors
from tabgan.report.imputed_columns import FEW_CELLS
from tabgan.report.page import Notice
from tabgan.tables.columns import Table

__all__ = ["imputation_notices"]

_MOSTLY_MISSING = 0.6
_NEARLY_ALL_WRONG = 0.9
_MOSTLY_WRONG = 0.5
_MOST_NAMED = 6


def imputation_notices(imputer: Any, gaps: pd.Series, table: Table) -> list[Notice]:
    """Warnings about a fitted imputer and a table with missing cells, in plain words.

    Parameters
    ----------
    imputer : GAINImputer
    gaps : pandas.Series of int
        Missing cells by position of the column.
    table : Table
    """
    scores, columns = imputer.validation_scores_, imputer.schema_.columns
    gappy = {column.name for column, n in zip(columns, gaps, strict=True) if n}
    notices = []
    empty = [column.name for column in columns if column.kind == "empty"]
    if empty:
        notices.append(
            Notice(
                f"{_named(empty)}: no value to learn from.",
                "Nothing can be filled in; drop such columns, or get values.",
            )
        )
    relative = relative_errors(scores)
    worse = [name for name, ratio in zip(relative.index, relative, strict=True) if ratio >= 1 and name in gappy]
    if worse:
        notices.append(
            Notice(
                f"{_named(worse)}: filled no better than by the mean or the most frequent value.",
                "The other columns say little about them. Do not draw conclusions from single fills; a model that takes missing "
                "values, or a missing indicator (add_indicator=True), may serve better.",
            )
        )
    wrong = [name for name in scores.index if scores["error_rate"].get(name, 0) >= _NEARLY_ALL_WRONG and name in gappy]
    if wrong:
        notices.append(
            Notice(
                f"{_named(wrong)}: nearly every held-out label was filled wrongly.",
                "Names, numbers of tickets and the like cannot be guessed from other columns: leave such columns out.",
            )
        )
    poorly = [
        name
        for name in scores.index
        if _MOSTLY_WRONG <= scores["error_rate"].get(name, 0) < _NEARLY_ALL_WRONG
        and name in gappy
        and name not in worse
    ]
    if poorly:
        notices.append(
            Notice(
                f"{_named(poorly)}: most held-out labels were filled wrongly, though fewer than the most frequent value would be.",
                "Do not rely on single fills; draws (sample) carry how unsure each label is.",
            )
        )
    mostly = [column.name for column, n in zip(columns, gaps, strict=True) if _MOSTLY_MISSING <= n / table.n_rows < 1]
    if mostly:
        notices.append(
            Notice(
                f"{_named(mostly)}: more than {_MOSTLY_MISSING:.0%} of the cells are missing.",
                "What is filled in is mostly model; see whether results hold without these columns.",
            )
        )
    new = [
        column.name
        for column, n, had in zip(columns, gaps, imputer.had_missing_, strict=True)
        if n and not had and column.kind != "empty"
    ]
    if new:
        notices.append(
            Notice(
                f"{_named(new)}: cells are missing here, but none was in the table that the imputer was fitted on.",
                "Errors hold if cells are missing at random; else fit again on a table in which such cells are missing.",
            )
        )
    few = [name for name in scores.index if scores["n_cells"][name] < FEW_CELLS and name in gappy]
    if few:
        notices.append(
            Notice(
                f"{_named(few)}: fewer than {FEW_CELLS} held-out cells.",
                "Their errors are rough; compare_imputers(X) hides cells several times and says more.",
            )
        )
    if not len(scores):
        notices.append(
            Notice(
                "No cell was held out in training.",
                "Set validation_fraction to 0.1, or run compare_imputers(X), to learn how good fills are.",
            )
        )
    if imputer.stop_reason_ and not imputer.stop_reason_.startswith(EarlyStopping.SETTLED):
        advice = "Raise max_time for better fills." if "time" in imputer.stop_reason_ else ""
        notices.append(Notice(f"Training ended early: {imputer.stop_reason_}.", advice))
    if gappy and not imputer.sample_posterior:
        notices.append(
            Notice(
                "Fills are best guesses, and narrower than real values are.",
                "For standard errors and tests use sample(X, n_draws) and tabgan.pool, which carry on the uncertainty.",
            )
        )
    return notices


def _named(names: list[Any]) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:_MOST_NAMED])
    return shown + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
