"""The page of `TableCheck.to_html`: what to look at first, what each column is taken for, and where cells are missing."""

from __future__ import annotations

from typing import Any

from tabgan.report.page import Head, Notice, Page, Table, number_cell, share_cell, text_cell, versions
from tabgan.report.pictures import NO_MATPLOTLIB, can_draw, picture_of

__all__ = ["check_page"]

_HEADS = [
    Head("Column"),
    Head("Taken for"),
    Head("Why", hint="what of its cells says so"),
    Head("Missing", True, "missing cells"),
    Head("Share", True, "missing cells over all rows"),
    Head("What an imputer does"),
]


def check_page(found: Any, source: str | None = None) -> Page:
    """What a `TableCheck` says, as a page.

    Parameters
    ----------
    found : TableCheck
    source : str, default=None
        What the table is called.
    """
    serious = [finding for finding in found.findings if finding.is_suspicion]
    page = Page("Table check", f"{found.headline()}. Nothing was learnt or filled.")
    page.source = source or ""
    page.headline = _headline(serious)
    page.facts = [
        ("Rows", f"{found.n_rows:,}"),
        ("Columns", f"{len(found.columns):,}"),
        ("Missing cells", f"{found.n_missing:,}"),
        ("Complete rows", f"{found.n_complete:,}"),
        ("Findings", f"{len(found.findings):,}"),
    ]
    page.notices = [
        Notice(f"{finding.what[:1].upper()}{finding.what[1:]}.", _sentence(finding.advice))
        for finding in found.findings
    ]
    page.tables = [_columns(found)]
    if found.n_missing:
        rows = [[text_cell(line, "")] for line in found.patterns_text()]
        page.tables.append(Table("Cells that are missing together", [Head("Rows, and what they miss")], rows))
    if found.relations:
        rows = [[text_cell(line, "")] for line in found.relations_text()]
        page.tables.append(Table("Holds in every row", [Head("Relation")], rows))
    page.next_steps = _next_steps(found)
    page.details = [("Versions", versions())]
    if not can_draw():
        page.no_pictures = NO_MATPLOTLIB
    elif found.n_missing:
        page.pictures = [
            picture_of(
                found.plot,
                "Where cells are missing",
                "Share of missing cells per column, and the correlation of missing cells between columns.",
                "Columns that miss cells together often come from one source or one skipped question.",
            )
        ]
    return page


def _headline(serious: list[Any]) -> str:
    if not serious:
        return "Nothing looks other than it is taken for."
    more = f" {len(serious) - 1} more below." if len(serious) > 1 else ""
    return f"Look at this first: {serious[0].what}.{more}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _columns(found: Any) -> Table:
    rows = [
        [
            text_cell(column.name, ""),
            text_cell(column.kind),
            text_cell(column.why),
            number_cell(float(column.n_missing)),
            share_cell(column.n_missing / found.n_rows),
            text_cell(column.plan),
        ]
        for column in found.columns
    ]
    return Table("Column by column", _HEADS, rows, "Select a heading to sort.")


def _next_steps(found: Any) -> list[tuple[str, str]]:
    wanted = found.suggested()
    left, parameters = wanted["leave_out"], wanted["parameters"]
    steps = [("Leave out what only names rows", f"X = X.drop(columns={left!r})")] if left else []
    given = "".join(f"{name}={value!r}, " for name, value in parameters.items())
    if found.n_missing:
        why = "Impute with what the findings suggest" if parameters else "Impute the table"
        steps.append((why, f"tabgan.GAINImputer({given}random_state=0).fit_transform(X)"))
    return steps
