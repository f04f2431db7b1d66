"""`TableCheck`: what `tabgan.check` found, to read, to print, to store."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tabgan._html import facts_html, table_html
from tabgan.checks.findings import Finding, names_listed
from tabgan.checks.missing_patterns import MissingPattern
from tabgan.report.check_page import check_page
from tabgan.report.html import HTMLReport, render
from tabgan.wording import share_text

__all__ = ["CheckedColumn", "TableCheck"]

_MOST_PATTERNS = 8
_MOST_RELATIONS = 12
_HEADING = ("column", "taken for", "why", "missing", "what an imputer does")


@dataclass(frozen=True)
class CheckedColumn:
    """One column.

    Parameters
    ----------
    name : Hashable
    kind : str
        How it would be modelled; see `tabgan.tables.schema.ColumnSchema`.
    why : str
        What of it says so.
    n_missing : int
    plan : str
        What is done with its missing cells; ``""`` where there are none.
    """

    name: Hashable
    kind: str
    why: str
    n_missing: int
    plan: str


class TableCheck:
    """What a table holds and what to look at before it is filled; made by `tabgan.check`.

    Parameters
    ----------
    n_rows : int
    columns : tuple of CheckedColumn
    findings : tuple of Finding
        What to look at, the most serious first.
    relations : tuple of str
        What holds in every row: one-hot groups, orders, sums, columns that decide others.
    patterns : tuple of MissingPattern
        Which columns miss cells in the same rows, the commonest first.
    table : object
        What `plot` draws: the table in ``X``, and its ``missing_values``.

    Examples
    --------
    >>> import numpy as np, tabgan
    >>> print(tabgan.check([[1.0, np.nan], [2.0, 0.5], [4.0, 0.25]]))
    3 rows, 2 columns; 1 of 6 cells is missing (16.7%), in 1 column; 2 rows are complete
    <BLANKLINE>
    column  taken for  why                                             missing  what an imputer does
    0       integer    whole numbers from 1 to 4                             0
    1       decimal    numbers of at most 2 decimals from 0.25 to 0.5  1 (33%)  imputed from 1 other column
    <BLANKLINE>
    Cells that are missing together:
    - 1 row: '1'
    """

    def __init__(
        self,
        n_rows: int,
        columns: tuple[CheckedColumn, ...],
        findings: tuple[Finding, ...],
        relations: tuple[str, ...],
        patterns: tuple[MissingPattern, ...],
        table: Any = None,
    ) -> None:
        self.n_rows = n_rows
        self.columns = columns
        self.findings = findings
        self.relations = relations
        self.patterns = patterns
        self._table = table

    @property
    def n_missing(self) -> int:
        """Missing cells of the table."""
        return sum(column.n_missing for column in self.columns)

    @property
    def n_complete(self) -> int:
        """Rows without a missing cell."""
        return sum(pattern.n_rows for pattern in self.patterns if not pattern.columns)

    def suggested(self) -> dict[str, Any]:
        """Parameters of `tabgan.GAINImputer` that the findings suggest, and the columns to leave out.

        Returns
        -------
        dict
            ``parameters`` (dict) and ``leave_out`` (list of names).
        """
        parameters: dict[str, Any] = {}
        for finding in self.findings:
            for name, value in finding.parameters.items():
                known = parameters.setdefault(name, [])
                known += [one for one in value if one not in known]
        leave = [finding.columns[0] for finding in self.findings if finding.kind == "id"]
        return {"parameters": parameters, "leave_out": leave}

    def headline(self) -> str:
        """Size and missing cells, in one sentence."""
        n_columns, cells = len(self.columns), self.n_rows * len(self.columns)
        size = f"{_counted(self.n_rows, 'row')}, {_counted(n_columns, 'column')}"
        if not self.n_missing:
            return f"{size}; no cell is missing"
        gappy = sum(column.n_missing > 0 for column in self.columns)
        is_are = "is" if self.n_missing == 1 else "are"
        complete = f"{_counted(self.n_complete, 'row')} {'is' if self.n_complete == 1 else 'are'} complete"
        return (
            f"{size}; {self.n_missing:,} of {cells:,} cells {is_are} missing ({share_text(self.n_missing / cells)}), in "
            f"{_counted(gappy, 'column')}; {complete}"
        )

    def findings_text(self, command_line: bool = False) -> list[str]:
        """Findings as sentences, in parameters or in options of the command line."""
        return [finding.text(command_line) for finding in self.findings]

    def patterns_text(self) -> list[str]:
        """The commonest patterns of missing cells, one a line."""
        gappy = [pattern for pattern in self.patterns if pattern.columns]
        lines = [
            f"{_counted(pattern.n_rows, 'row')}: {names_listed(pattern.columns)}" for pattern in gappy[:_MOST_PATTERNS]
        ]
        more = gappy[_MOST_PATTERNS:]
        return lines + ([f"{sum(p.n_rows for p in more):,} rows: {len(more)} further patterns"] if more else [])

    def relations_text(self) -> list[str]:
        """What holds in every row, a dozen of them."""
        more = len(self.relations) - _MOST_RELATIONS
        return [*self.relations[:_MOST_RELATIONS], *([f"and {more} more"] if more > 0 else [])]

    def rows(self) -> list[tuple[str, ...]]:
        """The table of columns as text, its heading first."""
        return [
            _HEADING,
            *((str(one.name), one.kind, one.why, self._share(one.n_missing), one.plan) for one in self.columns),
        ]

    def _share(self, n: int) -> str:
        return f"{n:,} ({n / self.n_rows:.0%})" if n else "0"

    def _sections(self, command_line: bool = False, notes: Sequence[str] = ()) -> list[tuple[str, list[str]]]:
        found = [
            ("Look at this first", [*notes, *self.findings_text(command_line)]),
            ("Cells that are missing together", self.patterns_text() if self.n_missing else []),
            ("Holds in every row", self.relations_text()),
        ]
        return [(title, lines) for title, lines in found if lines]

    def to_text(self, command_line: bool = False, notes: Sequence[str] = ()) -> str:
        """Everything as plain text.

        Parameters
        ----------
        command_line : bool, default=False
            Advice in options of the command line instead of parameters.
        notes : sequence of str, default=()
            What else to look at, before the findings.
        """
        rows = [(name, kind, _cut(why, 48), missing, plan) for name, kind, why, missing, plan in self.rows()]
        rows = [(_cut(row[0], 30), *row[1:]) for row in rows]
        widths = [max(len(row[k]) for row in rows) for k in range(len(_HEADING))]
        table = [
            "  ".join(
                cell.rjust(width) if k == 3 else cell.ljust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        blocks = [
            "\n".join([f"{title}:", *(f"- {line}" for line in lines)])
            for title, lines in self._sections(command_line, notes)
        ]
        first = blocks[:1] if self.findings or notes else []
        return "\n\n".join([self.headline(), *first, "\n".join(table), *blocks[len(first) :]])

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<TableCheck: {self.headline()}; {_counted(len(self.findings), 'finding')}>"

    def to_markdown(self) -> str:
        """Everything as Markdown."""
        heading, *rows = [[_escaped(cell) for cell in row] for row in self.rows()]
        lines = ["| " + " | ".join(row) + " |" for row in (heading, ["---"] * len(heading), *rows)]
        blocks = [
            f"## {title}\n\n" + "\n".join(f"- {_escaped(line)}" for line in lines_)
            for title, lines_ in self._sections()
        ]
        first = blocks[:1] if self.findings else []
        return (
            "\n\n".join([f"{self.headline()}.", *first, "\n".join(["## Columns", "", *lines]), *blocks[len(first) :]])
            + "\n"
        )

    def to_html(self, *, source: str | None = None) -> HTMLReport:
        """Everything as a page, with a picture of where cells are missing.

        Parameters
        ----------
        source : str, default=None
            What the table is called, such as its file's name: stands in the title and the tab.

        Returns
        -------
        HTMLReport
            With ``save(path)``; notebooks show it.
        """
        return render(check_page(self, source))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold."""
        return {
            "n_rows": self.n_rows,
            "n_columns": len(self.columns),
            "n_missing": self.n_missing,
            "n_complete_rows": self.n_complete,
            "columns": [
                {
                    "name": str(column.name),
                    "kind": column.kind,
                    "why": column.why,
                    "n_missing": column.n_missing,
                    "plan": column.plan,
                }
                for column in self.columns
            ],
            "findings": [
                {
                    "kind": finding.kind,
                    "columns": [str(name) for name in finding.columns],
                    "what": finding.what,
                    "advice": finding.advice,
                    "option": finding.option,
                    "flags": list(finding.flags),
                    "is_suspicion": finding.is_suspicion,
                }
                for finding in self.findings
            ],
            "relations": list(self.relations),
            "patterns": [
                {"columns": [str(name) for name in pattern.columns], "n_rows": pattern.n_rows}
                for pattern in self.patterns
            ],
        }

    def frame(self) -> pd.DataFrame:
        """The columns as a DataFrame: kind, why, n_missing, share_missing, plan, by name."""
        return pd.DataFrame(
            {
                "kind": [column.kind for column in self.columns],
                "why": [column.why for column in self.columns],
                "n_missing": [column.n_missing for column in self.columns],
                "share_missing": [column.n_missing / self.n_rows for column in self.columns],
                "plan": [column.plan for column in self.columns],
            },
            index=[column.name for column in self.columns],
        )

    def _repr_html_(self) -> str:
        """What notebooks show."""
        parts = [facts_html([("", self.headline())])]
        sections = [
            f"<details open><summary>{title}</summary>{table_html([('',), *((line,) for line in lines)])}</details>"
            for title, lines in self._sections()
        ]
        first = sections[:1] if self.findings else []
        return "<div>" + "".join([*parts, *first, table_html(self.rows()), *sections[len(first) :]]) + "</div>"

    def plot(self, fig: Any = None) -> Any:
        """Draw where cells are missing, and which are missing together.

        Parameters
        ----------
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        MissingnessDisplay
        """
        from tabgan.plotting.missingness import MissingnessDisplay

        return MissingnessDisplay.from_predictions(self._table.X, missing_values=self._table.missing_values, fig=fig)


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _escaped(text: str) -> str:
    return "".join("\\" + mark if mark in "|<>" else " " if mark in "\n\r" else mark for mark in text)
