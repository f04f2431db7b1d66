"""`report_imputation`: what was filled, how well on cells whose values are known, and what to watch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from tabgan.core.callbacks import EarlyStopping
from tabgan.exceptions import InvalidInputError
from tabgan.imputation.scoring import relative_errors
from tabgan.plotting.canvas import figures
from tabgan.plotting.views import check_draws
from tabgan.report.draw_pictures import pictures_of_draws
from tabgan.report.html import HTMLReport, render
from tabgan.report.page import Cell, Head, Notice, Page, Table, number_cell, settings_of, text_cell, versions
from tabgan.report.pictures import NO_MATPLOTLIB, can_draw, has_curves, picture_of
from tabgan.tables.frames import read_table

__all__ = ["imputation_page", "report_imputation", "report_nothing_to_fill"]

_FEW_CELLS = 20
_MOSTLY_MISSING = 0.6
_NEARLY_ALL_WRONG = 0.9
_MOST_NAMED = 6

_HEADS = [
    Head("Column"),
    Head("Kind"),
    Head("Gaps", True, "missing cells"),
    Head("Share", True, "missing cells over all rows"),
    Head("Error", True, "on held-out cells: RMSE of numbers, share of wrong labels"),
    Head("Mean or mode", True, "the same error when the mean or the most frequent label is filled in"),
    Head("Relative", True, "error over that of the mean or mode: below 1 the imputer has learnt something"),
    Head("Cells", True, "held-out cells that the errors rest on"),
]


def report_imputation(
    imputer: Any, X: Any, X_filled: Any = None, *, check: bool = False, n_draws: int = 10, random_state: int = 0
) -> HTMLReport:
    """Write a one-file HTML report on how an imputer fills a table.

    Parameters
    ----------
    imputer : GAINImputer
        Fitted.
    X : DataFrame (pandas, polars, ...), ndarray or list of shape (n_samples, n_features)
        The table with gaps.
    X_filled : table, default=None
        What ``imputer.transform(X)`` returned, if it is at hand; None fills the table here.
    check : bool, default=False
        Also hide a fifth of the known cells, fit a clone without them, and show truth against prediction and whether intervals
        keep their word. Takes as long as `fit`, and for the intervals about that long again.
    n_draws : int, default=10
        Multiple imputations to show; 0 shows none.
    random_state : int, default=0
        Of the draws and the hidden cells.

    Returns
    -------
    HTMLReport
        With ``save(path)``; notebooks show it.

    Raises
    ------
    InvalidInputError
        It is no `GAINImputer`.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    Examples
    --------
    >>> import pandas as pd
    >>> from tabgan import GAINImputer, report_imputation
    >>> table = pd.DataFrame({"size": [1.0, 2.0, None, 4.0] * 10, "colour": ["red", None, "red", "blue"] * 10})
    >>> report = report_imputation(GAINImputer(n_steps=1, draw_steps=0, random_state=0).fit(table), table, n_draws=0)
    >>> report.title
    'Imputation report'
    """
    return render(imputation_page(imputer, X, X_filled, check=check, n_draws=n_draws, random_state=random_state))


def imputation_page(
    imputer: Any, X: Any, X_filled: Any = None, *, check: bool = False, n_draws: int = 10, random_state: int = 0
) -> Page:
    """What `report_imputation` renders, for those who have something to add."""
    check_is_fitted(imputer)
    check_draws(random_state, check)
    if not hasattr(imputer, "validation_scores_") or not hasattr(imputer, "schema_"):
        raise InvalidInputError(
            f"report_imputation takes a fitted GAINImputer, not {type(imputer).__name__}; the displays in tabgan.plotting "
            "take any imputer."
        )
    table = read_table(X, missing_values=imputer.missing_values)
    gaps = pd.Series([int(column.missing.sum()) for column in table.columns])
    filled = imputer.transform(X) if X_filled is None else X_filled
    page = Page("Imputation report", _lead(imputer, gaps, table.n_rows))
    page.facts = _facts(imputer, gaps, table)
    page.tables = [_column_table(imputer, gaps, table)]
    page.notices = _notices(imputer, gaps, table)
    page.details = [
        ("Settings", settings_of(imputer)),
        ("Training", _training(imputer) + imputer.schema_.facts(50)),
        ("Versions", versions()),
    ]
    if can_draw():
        page.pictures = _pictures(imputer, X, filled, gaps, check, n_draws, random_state)
    else:
        page.no_pictures = NO_MATPLOTLIB
    return page


def report_nothing_to_fill(n_rows: int, n_columns: int) -> HTMLReport:
    """Write the report on a table without gaps, for which no imputer was fitted."""
    page = Page("Imputation report", "The table has no gaps: nothing was learnt and nothing filled.")
    page.facts = [("Rows", f"{n_rows:,}"), ("Columns", f"{n_columns:,}"), ("Gaps", "0")]
    page.details = [("Versions", versions())]
    return render(page)


def _lead(imputer: Any, gaps: pd.Series, n_rows: int) -> str:
    if not gaps.sum():
        return "The table has no gaps."
    relative = _relative_of_gappy(imputer, gaps)
    if not len(relative):
        return "How good the fills are is not known: no cell of the columns with gaps was held out in training."
    better = int((relative < 1).sum())
    named = f"{better} of the {len(relative)} columns with gaps are" if len(relative) > 1 else "the column with gaps is"
    return (
        f"On cells that were held out of training, {named}{'' if better or len(relative) > 1 else ' not'} filled better than by "
        f"the mean or the most frequent value; the median error is {relative.median():.0%} of theirs."
    )


def _relative_of_gappy(imputer: Any, gaps: pd.Series) -> pd.Series:
    """Relative errors of the columns that have gaps."""
    gappy = {column.name for column, n in zip(imputer.schema_.columns, gaps, strict=True) if n}
    relative = relative_errors(imputer.validation_scores_)
    return relative[[name in gappy for name in relative.index]]


def _facts(imputer: Any, gaps: pd.Series, table: Any) -> list[tuple[str, str]]:
    cells = table.n_rows * table.n_columns
    complete = int((~np.any([column.missing for column in table.columns], axis=0)).sum())
    facts = [
        ("Rows", f"{table.n_rows:,}"),
        ("Columns", f"{table.n_columns:,}"),
        ("Gaps", f"{gaps.sum():,} ({gaps.sum() / cells:.1%})"),
        ("Columns with gaps", f"{(gaps > 0).sum():,}"),
        ("Complete rows", f"{complete:,}"),
    ]
    relative = _relative_of_gappy(imputer, gaps)
    if len(relative):
        facts.append(("Error, mean or mode 100%", f"{relative.median():.0%}"))
    facts.append(("Seed", repr(imputer.random_state)))
    return facts


def _training(imputer: Any) -> list[tuple[str, str]]:
    return [
        ("objective", str(imputer.objective)),
        ("steps", str(imputer.n_iter_)),
        ("stopped because", str(imputer.stop_reason_ or "all steps were done")),
        ("seed", repr(imputer.random_state)),
    ]


def _column_table(imputer: Any, gaps: pd.Series, table: Any) -> Table:
    scores = imputer.validation_scores_
    by_name = {name: scores.iloc[k] for k, name in enumerate(scores.index)}
    relative = relative_errors(scores)
    by_relative = {name: float(relative.iloc[k]) for k, name in enumerate(relative.index)}
    rows = []
    for j in np.argsort(-gaps.to_numpy(), kind="stable"):
        column = imputer.schema_.columns[j]
        found = by_name.get(column.name)
        ratio = by_relative.get(column.name, float("nan"))
        rows.append(
            [
                text_cell(table.names[j], ""),
                text_cell(column.kind),
                number_cell(float(gaps[j])),
                number_cell(float(gaps[j]) / table.n_rows, ".1%"),
                *_errors(found),
                number_cell(ratio, ".2f", _style(ratio)),
                number_cell(None if found is None else float(found["n_cells"])),
            ]
        )
    note = "Errors are on cells that were hidden from training. Select a heading to sort."
    return Table("Column by column", _HEADS, rows, note)


def _style(ratio: float) -> str:
    """Colour by what is shown: 1.001 is no failure."""
    return "bad" if round(ratio, 2) > 1 else "good" if round(ratio, 2) < 1 else ""


def _errors(found: Any) -> tuple[Cell, Cell]:
    if found is None:
        return number_cell(None), number_cell(None)
    if not np.isnan(found["rmse"]):
        return tuple(  # type: ignore[return-value]
            Cell(figures(float(found[name]), 4), repr(float(found[name]))) for name in ("rmse", "rmse_mean")
        )
    return tuple(  # type: ignore[return-value]
        Cell(f"{found[name]:.1%} wrong", repr(float(found[name]))) for name in ("error_rate", "error_rate_mode")
    )


def _notices(imputer: Any, gaps: pd.Series, table: Any) -> list[Notice]:
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
                "The other columns say little about them. Do not draw conclusions from single fills; a model that takes gaps, or a "
                "missing indicator (add_indicator=True), may serve better.",
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
        for column, n, had in zip(columns, gaps, imputer.had_gaps_, strict=True)
        if n and not had and column.kind != "empty"
    ]
    if new:
        notices.append(
            Notice(
                f"{_named(new)}: gaps here, but none in the table that the imputer was fitted on.",
                "Errors hold if the gaps came at random; else fit again on a table with such gaps.",
            )
        )
    few = [name for name in scores.index if scores["n_cells"][name] < _FEW_CELLS and name in gappy]
    if few:
        notices.append(
            Notice(
                f"{_named(few)}: fewer than {_FEW_CELLS} held-out cells.",
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


def _pictures(
    imputer: Any, X: Any, filled: Any, gaps: pd.Series, check: bool, n_draws: int, random_state: int
) -> list[Any]:
    from tabgan.plotting import (
        CalibrationDisplay,
        ImputationDisplay,
        MissingnessDisplay,
        PredictionDisplay,
        TrainingDisplay,
        hide_and_fill,
    )

    pictures = []
    if gaps.any():
        pictures += [
            picture_of(
                lambda: ImputationDisplay.from_completed(imputer, X, filled),
                "Observed and imputed cells",
                "For each column with gaps, the distribution of its observed and of its imputed cells.",
                "Columns whose imputed cells differ most from the observed ones come first. A difference needs a reason, such as "
                "gaps that depend on the value; point estimates are narrower by nature.",
            ),
            picture_of(
                lambda: MissingnessDisplay.from_estimator(imputer, X),
                "Where the gaps are",
                "Share of gaps per column, and the correlation of gaps between columns.",
                "Columns that miss cells together often come from one source or one skipped question.",
            ),
        ]
    if gaps.any() and n_draws and imputer.objective == "remask":
        pictures += pictures_of_draws(imputer, X, n_draws, random_state)
    if check:
        hidden = hide_and_fill(imputer, X, random_state=random_state)
        pictures.append(
            picture_of(
                lambda: PredictionDisplay.from_check(hidden),
                "Hidden cells: truth against prediction",
                "For each column, known cells that were hidden on purpose against what a clone of the imputer filled in.",
                "A fifth of the known cells was hidden at random before the clone was fitted. Columns that are filled worst come "
                "first.",
            )
        )
        if imputer.objective == "remask":
            pictures.append(
                picture_of(
                    lambda: CalibrationDisplay.from_check(hidden),
                    "Do intervals keep their word?",
                    "Share of hidden numbers inside their intervals against the share promised.",
                    "On the diagonal they do; below it intervals are too narrow, above it too wide.",
                )
            )
    if has_curves(imputer.history_):
        pictures.append(
            picture_of(
                lambda: TrainingDisplay.from_estimator(imputer),
                "Training",
                "Losses and validation error by training step.",
                "The weights of the best validation error are kept.",
            )
        )
    return pictures
