"""The work of `tabgan compare`: read, hide and fill cells by every method, rank, in an order that fails before it trains."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tabgan._files import written_together
from tabgan.cli.check_job import spelling_hints
from tabgan.cli.errors import note, printable, teller
from tabgan.cli.files.sources import Place, write_bytes
from tabgan.cli.files.table_files import ReadOptions, TableFile, open_table
from tabgan.cli.lookup import check_apart, known_columns
from tabgan.cli.next_commands import after_compare
from tabgan.cli.options import check_page
from tabgan.cli.status import StatusLine
from tabgan.cli.words import in_options
from tabgan.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from tabgan.model_selection.compare_imputers import Comparison
    from tabgan.report.html import HTMLReport

__all__ = ["CompareOptions", "compare_file", "show"]

_SUFFIXES = (".json", ".md", ".csv")


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What `tabgan compare` was asked for; see its ``--help``."""

    source: Place
    reading: ReadOptions
    output: Path | None
    report: Path | None
    methods: Sequence[str]
    rate: float
    mechanism: str
    repeats: int
    max_rows: int
    draws: int
    leave: Sequence[str]
    categorical: Sequence[str]
    max_time: float | None
    seed: int
    quiet: bool


def compare_file(options: CompareOptions) -> Comparison:
    """Rank imputers on the table in one file, and write the ranking where it is wanted.

    Parameters
    ----------
    options : CompareOptions

    Returns
    -------
    Comparison

    Raises
    ------
    TabganError
        Nothing was written then.
    """
    _check_sizes(options)
    if options.output is not None and options.output.suffix.lower() not in _SUFFIXES:
        raise InvalidParameterError(f"--output {str(options.output)!r}: its name must end in .json, .md or .csv.")
    check_page(options.report, {"--output": options.output}, options.source.path)
    status = StatusLine(not options.quiet and sys.stderr.isatty())
    status(f"reading {options.source.name}")
    table = open_table(options.source, options.reading)
    status("")
    frame, categorical = _columns(table, options)
    say = teller(options.quiet)
    for hint in table.first_hints() + table.notes() + spelling_hints(frame):
        say(f"note: {hint}")

    from tabgan.model_selection.compare_imputers import METHODS, compare_imputers

    by_name = {name.lower(): name for name in METHODS}
    result = compare_imputers(
        frame,
        methods=[by_name.get(name.lower(), name) for name in _split(options.methods)] or METHODS,
        mechanism=options.mechanism,  # type: ignore[arg-type]
        rate=options.rate,
        n_repeats=options.repeats,
        max_rows=options.max_rows,
        categorical_features=categorical or None,
        random_state=options.seed,
        max_time=options.max_time,
        n_draws=options.draws,
        progress=None if options.quiet else _progress(status),
    )
    page = None
    if options.report is not None:
        status("drawing the report")
        page = _page(result, options)
        status("")
    with written_together():
        if options.output is not None:
            write_bytes(Place(options.output, "text"), _written(result, options.output).encode())
        if page is not None and options.report is not None:
            page.save(options.report)
    return result


def _page(result: Comparison, options: CompareOptions) -> HTMLReport:
    from tabgan.report.comparison_page import comparison_page
    from tabgan.report.html import render

    source = options.source.path.name if options.source.path else options.source.name
    page = comparison_page(result, source=source)
    tied = result.summary.set_index("method")["tied"]
    ours = result.best == "GAINImputer" or bool(tied.get("GAINImputer", False))
    page.next_steps = (
        after_compare(options.source, options.reading, options.leave, ours, result.repeated) or page.next_steps
    )
    return render(page)


def _columns(table: TableFile, options: CompareOptions) -> tuple[pd.DataFrame, list[str]]:
    """The columns to compare on, and which of them hold categories."""
    left = known_columns(table, options.leave, "--leave")
    categorical = known_columns(table, options.categorical, "--categorical")
    check_apart(left, {"--categorical": categorical})
    table.options = replace(options.reading, text_columns=frozenset(categorical))
    names = [name for name in table.names if name not in left and name not in table.index_names]
    if not names:
        raise InvalidParameterError(f"--leave leaves no column of {table.place.name} to compare on; leave fewer out.")
    return table.frame(names), [name for name in names if name in categorical]


def _split(methods: Sequence[str]) -> list[str]:
    return [part.strip() for value in methods for part in value.split(",") if part.strip()]


def _check_sizes(options: CompareOptions) -> None:
    if not 0 < options.rate < 1:
        raise InvalidParameterError(
            f"--rate {options.rate} is not valid; it must be a number between 0 and 1, both excluded."
        )
    if options.repeats < 1:
        raise InvalidParameterError(f"--repeats {options.repeats} is not valid; it must be an integer of at least 1.")
    if options.draws < 0 or options.draws == 1:
        raise InvalidParameterError(f"--draws {options.draws} is not valid; it must be 0 or an integer of at least 2.")
    if options.max_rows < 2:
        raise InvalidParameterError(f"--max-rows {options.max_rows} is not valid; it must be an integer of at least 2.")


def _progress(status: StatusLine) -> Callable[[int, int, str], None]:
    """One line that is overwritten on a terminal; one line per run elsewhere."""

    def tell(done: int, total: int, what: str) -> None:
        text = "" if done == total else f"[{done + 1}/{total}] {what} ..."
        if status.shown:
            status(text)
        elif text:
            note(text)

    return tell


def _written(result: Comparison, output: Path) -> str:
    suffix = output.suffix.lower()
    if suffix == ".json":
        return result.to_json()
    return result.to_markdown() if suffix == ".md" else result.summary.to_csv(index=False)


def show(result: Comparison, as_json: bool = False) -> None:
    """Print a ranking on stdout: a rich table on a terminal, plain text elsewhere, or JSON."""
    if as_json:
        write_bytes(Place(None, "text"), result.to_json().encode())
        return
    if not sys.stdout.isatty():
        write_bytes(Place(None, "text"), printable(in_options(result.to_text())).encode())
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    heading, *rows = result.table()
    shown = Table(*heading, title="Error on hidden cells, lower is better", title_justify="left")
    for column in shown.columns:
        column.justify = "left" if column.header == "method" else "right"
    for row in rows:
        shown.add_row(*(escape(printable(cell)) for cell in row), style="bold green" if row[1] == result.best else None)
    console.print(shown)
    for k, remark in enumerate(result.remarks()):
        console.print(escape(printable(in_options(remark))), style="bold" if k == 0 else None)
