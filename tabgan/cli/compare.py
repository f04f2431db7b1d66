"""``tabgan compare``: rank imputers on the user's own table by hiding cells whose values are known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from tabgan.cli.errors import FAILED, DebugOption, note
from tabgan.cli.impute import _check_numbers, _delimiter, impute
from tabgan.cli.pages import PageOption, check_page
from tabgan.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from tabgan.model_selection.compare_imputers import Comparison

__all__ = ["COMPARE_EPILOG", "compare"]

COMPARE_EPILOG = """Real gaps are never scored, as nobody knows their values; INPUT is not changed. The ranking goes to stdout,
everything else to stderr.

Examples:

tabgan compare survey.csv --leave id,name

tabgan compare survey.csv --missing '?' --mechanism mar --rate 0.3 -o ranking.md

tabgan compare big.parquet --methods kNN,MICE,GAINImputer --max-rows 2000 --repeats 5 -o ranking.json

tabgan compare survey.csv --report ranking.html

Exit codes: 0 done; 1 every method failed, or the disk is full; 2 bad usage or input; 130 interrupted."""

_IMPUTE = get_type_hints(impute, include_extras=True)
_SUFFIXES = (".json", ".md", ".csv")


def _as_in_impute(name: str) -> Any:
    """The option or argument of `tabgan impute` that goes by this name: one meaning, one help text."""
    return get_args(_IMPUTE[name])[1]


def compare(
    input: Annotated[str, _as_in_impute("input")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Also write the ranking to FILE.json, FILE.md or FILE.csv."
        ),
    ] = None,
    report: PageOption = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Run these only: mean/mode, kNN, MICE, 'tree chain', GAINImputer. Repeatable, or with commas.",
        ),
    ] = None,
    rate: Annotated[float, typer.Option(help="Share of the known cells to hide.")] = 0.2,
    mechanism: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="How to choose them: mcar (at random), mar, mnar, mnar-quantile, block, copy."
        ),
    ] = "mcar",
    repeats: Annotated[int, typer.Option(metavar="N", help="Average over this many masks.")] = 3,
    max_rows: Annotated[
        int, typer.Option(metavar="N", help="Draw this many rows at random from a larger table.")
    ] = 5000,
    leave: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Leave out these columns. Repeatable, or with commas.")
    ] = None,
    categorical: Annotated[list[str] | None, _as_in_impute("categorical")] = None,
    missing: Annotated[list[str] | None, _as_in_impute("missing")] = None,
    default_markers: Annotated[bool, _as_in_impute("default_markers")] = True,
    header: Annotated[bool, _as_in_impute("header")] = True,
    delimiter: Annotated[str | None, _as_in_impute("delimiter")] = None,
    encoding: Annotated[str, _as_in_impute("encoding")] = "utf-8",
    format: Annotated[str | None, _as_in_impute("format")] = None,
    max_time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Per method and repeat. Only GAINImputer can stop early; others are noted."
        ),
    ] = None,
    seed: Annotated[int, _as_in_impute("seed")] = 0,
    quiet: Annotated[bool, _as_in_impute("quiet")] = False,
    debug: DebugOption = False,
) -> None:
    """Hide known cells of your own table and rank the imputers by how well they fill them."""
    from tabgan.cli.files.sources import Place, check_writable, place_of, write_bytes
    from tabgan.cli.files.table_files import ReadOptions, open_table
    from tabgan.cli.impute_job import _known_columns, _shortened

    place = place_of(input, format, "INPUT")
    _check_numbers(None, max_time, seed)
    _check_sizes(rate, repeats, max_rows)
    if output is not None:
        _check_output(output)
        check_writable(output, "--output")
        if place.path is not None and output.resolve() == place.path.resolve():
            raise InvalidParameterError(f"--output {str(output)!r} is the input itself; give another file.")
    check_page(report, {"--output": output}, place.path)
    say = (lambda text: None) if quiet else note
    reading = ReadOptions(tuple(missing or ()), default_markers, header, _delimiter(delimiter), encoding)
    table = open_table(place, reading)
    left = _known_columns(table, leave or (), "--leave")
    labels = _known_columns(table, categorical or (), "--categorical")
    if both := sorted(left & labels):
        raise InvalidParameterError(f"column {both[0]!r} is in --leave and in --categorical; choose one.")
    table.options = ReadOptions(**{**vars(reading), "text_columns": frozenset(labels)})
    names = [name for name in table.names if name not in left and name not in table.index_names]
    if not names:
        raise InvalidParameterError(f"--leave leaves no column of {place.name} to compare on; leave fewer out.")
    frame = table.frame(names)
    for hint in _shortened(table.hints):
        say(f"note: {hint}")

    from tabgan.model_selection.compare_imputers import METHODS, compare_imputers

    result = compare_imputers(
        frame,
        methods=_split(methods) or METHODS,
        mechanism=mechanism,  # type: ignore[arg-type]
        rate=rate,
        n_repeats=repeats,
        max_rows=max_rows,
        categorical_features=[name for name in names if name in labels] or None,
        random_state=seed,
        max_time=max_time,
        progress=None if quiet else _progress(),
    )
    page = None
    if report is not None:
        from tabgan.report.comparison_page import report_comparison

        page = report_comparison(result)
    if output is not None:
        write_bytes(Place(output, "text"), _written(result, output).encode())
    if page is not None:
        page.save(report)  # type: ignore[arg-type]
    _show(result)
    if result.best is None:
        raise typer.Exit(FAILED)


def _split(methods: list[str] | None) -> list[str]:
    return [part.strip() for value in methods or [] for part in value.split(",") if part.strip()]


def _check_sizes(rate: float, repeats: int, max_rows: int) -> None:
    if not 0 < rate < 1:
        raise InvalidParameterError(f"--rate {rate} is not valid; it must be a number between 0 and 1, both excluded.")
    if repeats < 1:
        raise InvalidParameterError(f"--repeats {repeats} is not valid; it must be an integer of at least 1.")
    if max_rows < 2:
        raise InvalidParameterError(f"--max-rows {max_rows} is not valid; it must be an integer of at least 2.")


def _check_output(output: Path) -> None:
    if output.suffix.lower() not in _SUFFIXES:
        raise InvalidParameterError(f"--output {str(output)!r}: its name must end in .json, .md or .csv.")


def _progress() -> Any:
    """One line that is overwritten on a terminal; one line per run elsewhere."""
    terminal = sys.stderr.isatty()

    def tell(done: int, total: int, what: str) -> None:
        text = "" if done == total else f"[{done + 1}/{total}] {what} ..."
        if terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif text:
            note(text)

    return tell


def _written(result: Comparison, output: Path) -> str:
    suffix = output.suffix.lower()
    if suffix == ".json":
        return result.to_json()
    return result.to_markdown() if suffix == ".md" else result.summary.to_csv(index=False)


def _show(result: Comparison) -> None:
    from tabgan.cli.files.sources import Place, write_bytes

    if not sys.stdout.isatty():
        write_bytes(Place(None, "text"), result.to_text().encode())
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
        shown.add_row(*map(escape, row), style="bold green" if row[1] == result.best else None)
    console.print(shown)
    for k, remark in enumerate(result.remarks()):
        console.print(escape(remark), style="bold" if k == 0 else None)
