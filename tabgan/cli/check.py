"""``tabgan check``: the options of the command; the work is in `tabgan.cli.check_job`."""

from __future__ import annotations

from typing import Annotated

import typer

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
    KindOption,
    LeaveOption,
    MissingOption,
    SheetOption,
    SkipLinesOption,
    ThousandsOption,
    reading_options,
)

__all__ = ["CHECK_EPILOG", "check"]

CHECK_EPILOG = """Nothing is trained and nothing is written but what is printed: what each column is taken for and why, which
cells are missing, what looks like a code, an id or a marker of missing cells, what holds in every row, and the command
to run next.

Examples:

tabgan check patients.csv

tabgan check survey.csv.gz --missing '?' --leave id

tabgan check patients.csv --json > patients.json

Exit codes: 0 done, whatever was found; 2 bad usage or input; 130 interrupted."""


def check(
    context: typer.Context,
    input: InputArgument,
    leave: LeaveOption = None,
    categorical: CategoricalOption = None,
    kind: KindOption = None,
    missing: MissingOption = None,
    default_markers: DefaultMarkersOption = True,
    decimal: DecimalOption = None,
    thousands: ThousandsOption = None,
    date_format: DateFormatOption = None,
    comment: CommentOption = None,
    skip_lines: SkipLinesOption = 0,
    sheet: SheetOption = None,
    header: HeaderOption = True,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = "utf-8",
    format: FormatOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
    debug: DebugOption = False,
) -> None:
    """Say what a table holds, what to look at before it is imputed, and which command to run. Takes seconds."""
    from tabgan.cli.check_job import CheckOptions, check_file
    from tabgan.cli.files.sources import place_of

    options = CheckOptions(
        source=place_of(input, format, "INPUT"),
        reading=reading_options(context.params),
        format=format,
        leave=leave or (),
        categorical=categorical or (),
        kinds=kind or (),
    )
    check_file(options).print(as_json=json)
