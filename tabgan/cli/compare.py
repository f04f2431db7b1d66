"""``tabgan compare``: rank imputers on the user's own table by hiding cells whose values are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabgan.cli.errors import FAILED
from tabgan.cli.options import (
    CategoricalOption,
    CommentOption,
    DateFormatOption,
    DebugOption,
    DecimalOption,
    DefaultMarkersOption,
    DelimiterOption,
    EncodingOption,
    FormatOption,
    HeaderOption,
    InputArgument,
    MissingOption,
    PageOption,
    QuietOption,
    SeedOption,
    SheetOption,
    SkipLinesOption,
    ThousandsOption,
    check_numbers,
    reading_options,
)

__all__ = ["COMPARE_EPILOG", "compare"]

COMPARE_EPILOG = """Cells that are missing in INPUT are never scored, as nobody knows their values; INPUT is not changed. The
ranking goes to stdout, everything else to stderr.

Examples:

tabgan compare survey.csv --leave id,name

tabgan compare survey.csv --missing '?' --mechanism mar --rate 0.3 -o ranking.md

tabgan compare big.parquet --methods kNN,MICE,GAINImputer --max-rows 2000 --repeats 5 -o ranking.json

tabgan compare survey.csv --report ranking.html

tabgan compare survey.csv --draws 20

Exit codes: 0 done; 1 every method failed, or the disk is full; 2 bad usage or input; 130 interrupted."""


def compare(
    context: typer.Context,
    input: InputArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write the ranking to FILE.json, FILE.md or FILE.csv; - is stdout, where it goes in any case.",
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
    draws: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Also score N draws per method on the table's own missing values, by the energy-I-Score: for inference.",
        ),
    ] = 0,
    leave: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Leave out these columns. Repeatable, or with commas.")
    ] = None,
    categorical: CategoricalOption = None,
    missing: MissingOption = None,
    default_markers: DefaultMarkersOption = True,
    decimal: DecimalOption = None,
    thousands: ThousandsOption = None,
    date_format: DateFormatOption = None,
    header: HeaderOption = True,
    delimiter: DelimiterOption = None,
    comment: CommentOption = None,
    skip_lines: SkipLinesOption = 0,
    sheet: SheetOption = None,
    encoding: EncodingOption = "utf-8",
    format: FormatOption = None,
    max_time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Per method and repeat. Only GAINImputer can stop early; others are noted."
        ),
    ] = None,
    seed: SeedOption = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the ranking for programs.")] = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Hide known cells of your own table and rank the imputers by how well they impute them."""
    from tabgan.cli.compare_job import CompareOptions, compare_file, show
    from tabgan.cli.files.sources import place_of

    check_numbers(max_time=max_time, seed=seed)
    options = CompareOptions(
        source=place_of(input, format, "INPUT"),
        reading=reading_options(context.params),
        output=None if output == Path("-") else output,
        report=report,
        methods=methods or (),
        rate=rate,
        mechanism=mechanism.lower(),
        repeats=repeats,
        max_rows=max_rows,
        draws=draws,
        leave=leave or (),
        categorical=categorical or (),
        max_time=max_time,
        seed=seed,
        quiet=quiet,
    )
    result = compare_file(options)
    show(result, as_json=json)
    if result.best is None:
        raise typer.Exit(FAILED)
