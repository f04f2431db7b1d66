"""`report_comparison`: which imputer fills the user's own table best, how sure that is, and column by column."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabgan.exceptions import InvalidInputError
from tabgan.report.html import HTMLReport, render
from tabgan.report.page import Cell, Head, Notice, Page, Table, number_cell, text_cell, versions
from tabgan.report.pictures import NO_MATPLOTLIB, can_draw, picture_of

__all__ = ["comparison_page", "report_comparison"]

_MECHANISMS = {"mcar": "at random", "mar": "by other columns (mar)", "mnar": "by the value itself (mnar)"}
_MOST_NAMED = 4
_OTHERS = {
    "mean/mode": "sklearn.impute.SimpleImputer()  # strategy='most_frequent' for labels",
    "kNN": "sklearn.impute.KNNImputer()  # numbers, scaled",
    "MICE": "sklearn.impute.IterativeImputer()  # numbers",
}


def report_comparison(comparison: Any, *, source: str | None = None) -> HTMLReport:
    """Write a one-file HTML report on a comparison of imputers.

    Parameters
    ----------
    comparison : Comparison
        What `tabgan.compare_imputers` returned.
    source : str, default=None
        What the table is called, such as its file's name: stands in the title and the tab.

    Returns
    -------
    HTMLReport
        With ``save(path)``, ``to_html``, ``to_markdown`` and ``to_dict``; notebooks show it.

    Raises
    ------
    InvalidInputError
        It is something else.

    Examples
    --------
    >>> from tabgan import compare_imputers, report_comparison
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> report_comparison(compare_imputers(X, methods=["mean/mode", "kNN"], n_repeats=1)).title
    'Comparison of imputers'
    """
    return render(comparison_page(comparison, source=source))


def comparison_page(comparison: Any, *, source: str | None = None) -> Page:
    """What `report_comparison` renders, for those who have something to add."""
    from tabgan.model_selection.ranking import Comparison

    if not isinstance(comparison, Comparison):
        raise InvalidInputError(
            f"report_comparison takes what compare_imputers returned, not {type(comparison).__name__}."
        )
    known = comparison.settings
    page = Page("Comparison of imputers", comparison.verdict().partition(". ")[2])
    page.source, page.headline = source or "", _headline(comparison)
    page.next_steps = _next_steps(comparison)
    page.facts = [
        (
            "Rows",
            f"{known['rows']:,}"
            + (f" of {known['rows_in_table']:,}" if known["rows"] < known["rows_in_table"] else ""),
        ),
        ("Columns", f"{known['columns']:,}"),
        ("Known cells hidden", f"{known['rate']:.0%}, {_MECHANISMS.get(known['mechanism'], known['mechanism'])}"),
        ("Repeats", f"{known['n_repeats']:,}"),
        ("Seed", repr(known["random_state"])),
    ]
    page.notices = _notices(comparison)
    page.tables = [_ranking(comparison), _columns(comparison)]
    page.details = [("Versions", versions())]
    if can_draw():
        from tabgan.plotting import ComparisonDisplay

        page.pictures = [
            picture_of(
                lambda: ComparisonDisplay.from_comparison(comparison),
                "Errors of the methods",
                "Relative error of each method over all columns with its standard error, and column by column.",
                "Left of the dashed line a method has learnt something that the mean or the most frequent value does not know.",
            )
        ]
    else:
        page.no_pictures = NO_MATPLOTLIB
    return page


def _headline(comparison: Any) -> str:
    """Which method is best, and how sure that is, in one sentence."""
    if comparison.best is None:
        return "Every method failed; their errors say why."
    best, *others = comparison.summary.to_dict("records")
    tied = [row["method"] for row in others if row["tied"]]
    told = f"relative error {best['relative_error']:.3f}, where 1 is the mean or mode"
    chance = "" if comparison.repeated else ". One repeat only: with other cells hidden the order may change"
    if not tied:
        return f"{comparison.best} fills this table best: {told}{chance}."
    more = f" and {len(tied) - _MOST_NAMED} more" if len(tied) > _MOST_NAMED else ""
    return f"{comparison.best} has the lowest error ({told}), but cannot be told from {', '.join(tied[:_MOST_NAMED])}{more}{chance}."


def _next_steps(comparison: Any) -> list[tuple[str, str]]:
    """What to run next in Python."""
    steps = []
    if not comparison.repeated:
        steps.append(("Repeat, to see how far chance goes", "compare_imputers(X, n_repeats=5)"))
    ours = next((row for row in comparison.summary.to_dict("records") if row["method"] == "GAINImputer"), None)
    if ours is not None and ours["error"] is None and (comparison.best == "GAINImputer" or ours["tied"]):
        steps.append(("Impute the table with GAINImputer", "tabgan.GAINImputer(random_state=0).fit_transform(X)"))
    elif comparison.best in _OTHERS:
        steps.append((f"Impute the table with {comparison.best}", _OTHERS[comparison.best]))
    return steps


def _notices(comparison: Any) -> list[Notice]:
    notices = []
    if not comparison.repeated:
        notices.append(
            Notice(
                "One repeat says nothing of chance: with others the order may change.",
                "Use three repeats or more: n_repeats=3 (--repeats 3).",
            )
        )
    notices += [
        Notice(f"{row.method} failed: {row.error}", "It has no rank; the others are compared without it.")
        for row in comparison.summary.itertuples()
        if row.error is not None
    ]
    left = comparison.settings["left_out"]
    if left:
        notices.append(
            Notice("Left out: " + "; ".join(f"{str(name)!r}, {reason}" for name, reason in left.items()) + ".")
        )
    notices += [Notice(f"{note}.") for note in comparison.settings["notes"]]
    if comparison.settings["mechanism"] == "mcar":
        notices.append(
            Notice(
                "Cells were hidden at random; cells that really are missing seldom are.",
                "If other columns or the values themselves decide what is missing, compare again with mechanism='mar' or 'mnar' "
                "(--mechanism).",
            )
        )
    return notices


def _ranking(comparison: Any) -> Table:
    spread = [Head("± standard error", True, "over the repeats")] if comparison.repeated else []
    heads = [
        Head("Method"),
        Head("Rank", True),
        Head("Relative error", True, "1 is the mean or mode; this ranks"),
        *spread,
        Head("Behind the best", True, "difference of relative errors, paired by mask and column"),
        Head("Tied", hint="=: not distinguishable from the best, within two standard errors"),
        Head("RMSE of numbers", True, "in column standard deviations"),
        Head("Wrong labels", True),
        Head("Seconds", True, "per repeat"),
    ]
    scored = bool(comparison.summary["i_score"].notna().any())
    if scored:
        heads.insert(-1, Head("Energy-I-Score", True, "of draws, on the table's own missing values; lower is better"))
    rows = []
    for row in comparison.summary.to_dict("records"):
        failed, best = row["error"] is not None, row["method"] == comparison.best
        rows.append(
            [
                text_cell(row["method"], ""),
                number_cell(float(row["rank"])),
                number_cell(_number(row["relative_error"]), ".3f", "good" if best else ""),
                *([number_cell(_number(row["relative_error_se"]), ".3f")] if spread else []),
                number_cell(None if failed or best else _number(row["difference"]), ".3f"),
                text_cell(
                    "failed" if failed else "best" if best else "= best" if row["tied"] else "",
                    "bad" if failed else "text",
                ),
                number_cell(_number(row["rmse"]), ".3f"),
                number_cell(_number(row["error_rate"]), ".1%"),
                *([number_cell(_number(row["i_score"]), ".4f")] if scored else []),
                number_cell(_number(row["seconds"]), ".2f"),
            ]
        )
    explained = "Errors are on known cells that were hidden on purpose. Select a heading to sort."
    if scored:
        explained += (
            " Go by the energy-I-Score for inference from several imputations, and by the errors for prediction."
        )
    return Table("Ranking", heads, rows, explained)


def _columns(comparison: Any) -> Table:
    cells = comparison.per_column
    methods = [name for name in comparison.summary["method"] if name in set(cells["method"])]
    heads = [Head("Column"), Head("Kind"), Head("Cells", True, "hidden over all repeats"), Head("Best")]
    heads += [Head(name, True, f"relative error of {name}") for name in methods]
    rows = []
    for name, lines in cells.groupby("column", sort=False):
        errors = dict(zip(lines["method"], lines["relative_error"].astype(float), strict=True))
        finite = {method: error for method, error in errors.items() if np.isfinite(error)}
        best = min(finite, key=finite.__getitem__) if finite else None
        first = lines.iloc[0]
        row: list[Cell] = [text_cell(name, ""), text_cell(first["kind"]), number_cell(float(first["n_cells"]))]
        row.append(text_cell("-" if best is None else _best_in_words(finite, best)))
        for method in methods:
            error = errors.get(method, float("nan"))
            row.append(
                number_cell(error, ".3f", "good" if method == best and error < 1 else "bad" if error > 1 else "")
            )
        rows.append(row)
    return Table(
        "Column by column", heads, rows, "Relative errors: below 1 is better than the mean or the most frequent value."
    )


def _best_in_words(errors: dict[str, float], best: str) -> str:
    """The method of the lowest error, or that several share it as far as it is shown."""
    alike = [name for name, error in errors.items() if round(error, 3) == round(errors[best], 3)]
    return best if len(alike) == 1 else "tie"


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
