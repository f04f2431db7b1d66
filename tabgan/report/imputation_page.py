"""`report_imputation`: what was filled, how well on cells whose values are known, and what to watch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from tabgan.exceptions import InvalidInputError
from tabgan.imputation.scoring import relative_errors
from tabgan.plotting.views import check_draws, label_columns, view
from tabgan.report.draw_pictures import by_another_column, pictures_of_draws
from tabgan.report.fill_certainty import ColumnCertainty, FillCertainty, fill_certainty
from tabgan.report.filled_rows import example_rows, filled_rows
from tabgan.report.html import HTMLReport, render
from tabgan.report.imputation_notices import imputation_notices
from tabgan.report.imputed_columns import FEW_CELLS, ImputedColumn, imputed_columns, worst_in_words
from tabgan.report.missing_table import missing_table, missing_where
from tabgan.report.page import Cell, Head, Page, Table, number_cell, settings_of, share_cell, text_cell, versions
from tabgan.report.pictures import NO_MATPLOTLIB, can_draw, has_curves, picture_of, pictures_if
from tabgan.tables.frames import read_table
from tabgan.wording import error_figures, share_text

__all__ = ["imputation_page", "report_imputation", "report_nothing_to_fill"]

_HEADS = [
    Head("Column"),
    Head("Kind"),
    Head("Missing", True, "missing cells"),
    Head("Share", True, "missing cells over all rows"),
    Head("Error", True, "on held-out cells: RMSE of numbers, share of wrong labels"),
    Head("Mean or mode", True, "the same error when the mean or the most frequent label is filled in"),
    Head("Relative", True, "error over that of the mean or mode: below 1 the imputer has learnt something"),
    Head("Cells", True, "held-out cells that the errors rest on"),
    Head(
        "How sure",
        True,
        "90% of the true numbers are promised to lie so near to the imputed one (half of the median interval's width), if cells are "
        "missing like those hidden in training; of labels the median probability of the imputed one",
    ),
]


def report_imputation(
    imputer: Any,
    X: Any,
    X_filled: Any = None,
    *,
    check: bool = False,
    n_draws: int = 10,
    random_state: int = 0,
    source: str | None = None,
) -> HTMLReport:
    """Write a one-file HTML report on how an imputer fills a table.

    Parameters
    ----------
    imputer : GAINImputer
        Fitted.
    X : DataFrame (pandas, polars, ...), ndarray or list of shape (n_samples, n_features)
        The table with missing values.
    X_filled : table, default=None
        What ``imputer.transform(X)`` returned, if it is at hand; None fills the table here.
    check : bool, default=False
        Also hide a fifth of the known cells, fit a clone without them, and show truth against prediction and whether intervals
        keep their word. Takes as long as `fit`, and for the intervals about that long again.
    n_draws : int, default=10
        Multiple imputations to show; 0 shows none.
    random_state : int, default=0
        Of the draws and the hidden cells.
    source : str, default=None
        What the table is called, such as its file's name: stands in the title and the tab.

    Returns
    -------
    HTMLReport
        With ``save(path)``, ``to_html``, ``to_markdown`` and ``to_dict``; notebooks show it.

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
    page = imputation_page(imputer, X, X_filled, check=check, n_draws=n_draws, random_state=random_state, source=source)
    return render(page)


def imputation_page(
    imputer: Any,
    X: Any,
    X_filled: Any = None,
    *,
    check: bool = False,
    n_draws: int = 10,
    random_state: int = 0,
    source: str | None = None,
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
    worst = imputed_columns(imputer.validation_scores_, table.names, gaps.tolist(), table.n_rows)
    page = Page("Imputation report", _lead(imputer, gaps))
    page.source, page.headline = source or "", worst_in_words(worst)
    page.facts = _facts(imputer, gaps, table)
    missing = np.column_stack([column.missing for column in table.columns])
    examples = example_rows(filled, missing, table.names, [column.name for column in worst])
    sure = fill_certainty(imputer, X, missing, examples.rows if examples else ())
    page.tables = [_column_table(imputer, gaps, table, worst, sure)]
    page.tables += [filled_rows(examples, filled, missing, table.names, sure.cells)] if examples else []
    known = view(X, label_columns(imputer.schema_), imputer.missing_values)
    where = missing_table(missing_where(known, [column.name for column in worst]))
    page.tables += [where] if where else []
    page.notices = imputation_notices(imputer, gaps, table)
    page.doubtful = [column.name for column in worst if column.doubtful]
    page.next_steps = _next_steps(page.doubtful, bool(worst))
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


def report_nothing_to_fill(n_rows: int, n_columns: int, source: str | None = None) -> HTMLReport:
    """Write the report on a table without missing values, for which no imputer was fitted."""
    page = Page("Imputation report", "The table has no missing values: nothing was learnt and nothing imputed.")
    page.source = source or ""
    page.facts = [("Rows", f"{n_rows:,}"), ("Columns", f"{n_columns:,}"), ("Missing cells", "0")]
    page.details = [("Versions", versions())]
    return render(page)


def _lead(imputer: Any, gaps: pd.Series) -> str:
    if not gaps.sum():
        return "The table has no missing values."
    relative, few = _relative_of_gappy(imputer, gaps)
    if not len(relative) and few:
        return f"How good the imputed values are cannot be told: fewer than {FEW_CELLS} cells of a column were held out of training."
    if not len(relative):
        return "How good the imputed values are is not known: no cell of these columns was held out of training."
    better = int((relative.round(2) < 1).sum())
    which = "columns with missing cells" + (" that can be judged" if len(relative) < int((gaps > 0).sum()) else "")
    named = (
        f"{'all' if better == len(relative) else f'{better} of the'} {len(relative)} {which} are"
        if len(relative) > 1
        else f"the {which.replace('columns', 'column')} is"
    )
    return (
        f"On cells that were held out of training, {named}{'' if better or len(relative) > 1 else ' not'} imputed better than by "
        f"the mean or the most frequent value; the median error is {relative.median():.0%} of theirs."
    )


def _relative_of_gappy(imputer: Any, gaps: pd.Series) -> tuple[pd.Series, int]:
    """Relative errors of the columns that have missing cells, and the number of those that rest on too few cells to be among them."""
    gappy = {column.name for column, n in zip(imputer.schema_.columns, gaps, strict=True) if n}
    scores = imputer.validation_scores_
    relative = relative_errors(scores)
    relative = relative[[name in gappy for name in relative.index]]
    n_cells = dict(zip(scores.index, scores["n_cells"], strict=True))
    enough = np.array([n_cells[name] >= FEW_CELLS for name in relative.index], dtype=bool)
    return relative[enough], int((~enough).sum())


def _facts(imputer: Any, gaps: pd.Series, table: Any) -> list[tuple[str, str]]:
    cells = table.n_rows * table.n_columns
    complete = int((~np.any([column.missing for column in table.columns], axis=0)).sum())
    facts = [
        ("Rows", f"{table.n_rows:,}"),
        ("Columns", f"{table.n_columns:,}"),
        ("Missing cells", f"{gaps.sum():,} ({share_text(gaps.sum() / cells)})"),
        ("Columns with missing cells", f"{(gaps > 0).sum():,}"),
        ("Complete rows", f"{complete:,}"),
    ]
    relative, _ = _relative_of_gappy(imputer, gaps)
    if len(relative):
        facts.append(("Median error (mean or mode: 100%)", f"{relative.median():.0%}"))
    facts.append(("Seed", repr(imputer.random_state)))
    return facts


def _training(imputer: Any) -> list[tuple[str, str]]:
    return [
        ("objective", str(imputer.objective)),
        ("steps", str(imputer.n_iter_)),
        ("stopped because", str(imputer.stop_reason_ or "all steps were done")),
        ("seed", repr(imputer.random_state)),
    ]


def _next_steps(doubtful: list[str], anything: bool) -> list[tuple[str, str]]:
    """What to run next in Python."""
    steps = (
        [("Leave out what cannot be guessed, and keep the rest", f"X = X.drop(columns={doubtful!r})")]
        if doubtful
        else []
    )
    if anything:
        steps += [
            (
                "See whether another imputer does better on this table",
                "tabgan.report_comparison(tabgan.compare_imputers(X)).save('ranking.html')",
            ),
            (
                "Standard errors and tests that know what was imputed",
                "tabgan.pool([analysis(table) for table in imputer.sample(X, n_draws=20)])",
            ),
        ]
    return steps


def _column_table(imputer: Any, gaps: pd.Series, table: Any, worst: list[ImputedColumn], sure: FillCertainty) -> Table:
    scores = imputer.validation_scores_
    by_name = {name: scores.iloc[k] for k, name in enumerate(scores.index)}
    relative = relative_errors(scores)
    by_relative = {name: float(relative.iloc[k]) for k, name in enumerate(relative.index)}
    rows = []
    place = {column.name: k for k, column in enumerate(worst)}
    doubtful = {column.name for column in worst if column.doubtful}
    for j in sorted(range(table.n_columns), key=lambda j: place.get(str(table.names[j]), len(place))):
        column = imputer.schema_.columns[j]
        found = by_name.get(column.name)
        ratio = by_relative.get(column.name, float("nan"))
        rows.append(
            [
                text_cell(table.names[j], ""),
                text_cell(column.kind),
                number_cell(float(gaps[j])),
                share_cell(float(gaps[j]) / table.n_rows),
                *_errors(found),
                number_cell(ratio, ".2f", "bad" if str(table.names[j]) in doubtful else _style(ratio, found)),
                number_cell(None if found is None else float(found["n_cells"])),
                _sureness(sure.columns.get(str(table.names[j]))),
            ]
        )
    note = "The least sure column comes first. Errors are on cells that were hidden from training. Select a heading to sort."
    return Table("Column by column", _HEADS, rows, note)


def _sureness(found: ColumnCertainty | None) -> Cell:
    if found is None:
        return number_cell(None)
    known = found.half_width if found.probability is None else found.probability
    return Cell(found.words(), repr(known))


def _style(ratio: float, found: Any) -> str:
    """Colour by what is shown: 1.001 is no failure, and a few cells are no success."""
    if found is None or float(found["n_cells"]) < FEW_CELLS:
        return ""
    return "bad" if round(ratio, 2) > 1 else "good" if round(ratio, 2) < 1 else ""


def _errors(found: Any) -> tuple[Cell, Cell]:
    if found is None:
        return number_cell(None), number_cell(None)
    if not np.isnan(found["rmse"]):
        return tuple(  # type: ignore[return-value]
            Cell(error_figures(float(found[name]), str(found["kind"]), 4), repr(float(found[name])))
            for name in ("rmse", "rmse_mean")
        )
    return tuple(  # type: ignore[return-value]
        Cell(f"{found[name]:.1%} wrong", repr(float(found[name]))) for name in ("error_rate", "error_rate_mode")
    )


def _pictures(
    imputer: Any, X: Any, filled: Any, gaps: pd.Series, check: bool, n_draws: int, random_state: int
) -> list[Any]:
    from tabgan.plotting import (
        CalibrationDisplay,
        ImputationDisplay,
        MissingnessDisplay,
        MissingPatternsDisplay,
        PredictionDisplay,
        PropensityDisplay,
        TrainingDisplay,
        hide_and_fill,
    )

    pictures = []
    if gaps.any():
        pictures += [
            picture_of(
                lambda: ImputationDisplay.from_completed(imputer, X, filled),
                "Observed and imputed cells",
                "For each column with missing cells, the distribution of its observed and of its imputed cells.",
                "Columns whose imputed cells differ most from the observed ones come first. A difference needs a reason, such as "
                "cells that are missing because of their value; point estimates are narrower by nature.",
            ),
            picture_of(
                lambda: MissingnessDisplay.from_estimator(imputer, X),
                "Where cells are missing",
                "Share of missing cells per column, and how often cells of two columns are missing together.",
                "Columns that miss cells together often come from one source or one skipped question.",
            ),
        ]
    if (gaps > 0).sum() > 1:
        patterns = MissingPatternsDisplay.from_predictions(X, missing_values=imputer.missing_values)
        pictures += pictures_if(
            patterns,
            any(pattern.n_rows > 1 for pattern in patterns.patterns),  # else a bar of one row for each pattern
            "Which cells are missing together",
            "For each pattern of missing columns, the number of rows that have it.",
            "A column of dots is a pattern: what these rows miss. Of a row that misses many cells, most is imputed.",
        )
    if gaps.any() and n_draws and imputer.objective == "remask":
        pictures += pictures_of_draws(imputer, X, n_draws, random_state)
    elif gaps.any():
        propensity = PropensityDisplay.from_completed(imputer, X, [filled])
        pictures += pictures_if(
            propensity,
            bool(propensity.columns),
            "What the other columns tell of missing cells",
            "For each column with missing cells, its observed and imputed cells against the probability that they are missing.",
            "AUC .5: the other columns do not tell where cells are missing; 1: they tell it exactly, and nothing can "
            "be compared. At the same probability imputed and observed cells should be alike.",
        )
        pictures += by_another_column(imputer, X, [filled])
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
