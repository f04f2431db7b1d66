"""Options that several commands share, one meaning and one help text each, and the checks of what was given for them."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tabgan.cli.errors import remember_debug
from tabgan.cli.files.sources import check_writable
from tabgan.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from tabgan.cli.files.column_options import ReadOptions

__all__ = [
    "CategoricalOption",
    "CommentOption",
    "DateFormatOption",
    "DebugOption",
    "DecimalOption",
    "DefaultMarkersOption",
    "DelimiterOption",
    "DeviceOption",
    "EncodingOption",
    "FormatOption",
    "HeaderOption",
    "InputArgument",
    "KindOption",
    "LeaveOption",
    "MaxTimeOption",
    "MissingOption",
    "ModelOption",
    "OutputFormatOption",
    "OutputOption",
    "PageOption",
    "QuietOption",
    "RefitOption",
    "SeedOption",
    "SheetOption",
    "SkipLinesOption",
    "ThousandsOption",
    "check_destinations",
    "check_numbers",
    "check_page",
    "reading_options",
    "summary_path",
]

# The table and its format.
InputArgument = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="Table: .csv .tsv .txt .dat .jsonl .ndjson (also .gz .bz2 .xz .zip .zst), .parquet .feather .xlsx .ods; - for stdin.",
    ),
]
OutputOption = Annotated[str, typer.Option("--output", "-o", help="Where to write; - is stdout. May be INPUT itself.")]
LeaveOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="Keep from the model and write back unchanged. Repeatable, or with commas."),
]
CategoricalOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COL", help="Treat as categories, even if numbers. Repeatable, or with commas."),
]
KindOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COL=KIND", help="Take a column for integer, coded, datetime, ... Repeatable."),
]
MissingOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MARK",
        help="A further marker of a missing cell, such as '?' or -999. COL=MARK for one column; COL= for empty cells alone.",
    ),
]
DefaultMarkersOption = Annotated[
    bool,
    typer.Option(
        help="In CSV and TSV, let NA NaN nan NULL null None N/A n/a #N/A count as missing, not only empty cells."
    ),
]
DecimalOption = Annotated[
    list[str] | None,
    typer.Option(metavar="MARK", help="Before decimals: ',' or '.'; found where it can be. COL=MARK for one column."),
]
ThousandsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="MARK", help="Between thousands, such as ',' '.' or ' '. COL=MARK for one column."),
]
DateFormatOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COL=FORMAT", help="Of the dates of a column, such as when=%d/%m/%Y. Repeatable."),
]
HeaderOption = Annotated[
    bool, typer.Option(help="The first line of CSV and TSV holds names; without, columns are named 1, 2, ...")
]
DelimiterOption = Annotated[
    str | None,
    typer.Option(metavar="CHAR", help="Between cells of text, such as ';' '\\t' or ' '; found where it can be."),
]
CommentOption = Annotated[
    str | None, typer.Option(metavar="MARK", help="Lines of text that begin so are no rows, such as '#'.")
]
SkipLinesOption = Annotated[
    int, typer.Option(metavar="N", help="So many lines at the top, or rows of a sheet, are none of the table.")
]
SheetOption = Annotated[str | None, typer.Option(metavar="NAME", help="Of a workbook; without, the first one.")]
EncodingOption = Annotated[str, typer.Option(help="Of text formats.")]
FormatOption = Annotated[
    str | None,
    typer.Option(metavar="FORMAT", help="Of INPUT, whatever its name: csv, tsv, jsonl, parquet, feather, xlsx, ods."),
]
OutputFormatOption = Annotated[
    str | None, typer.Option(metavar="FORMAT", help="Of OUTPUT; by its extension, and INPUT's format for stdout.")
]

# The model and its training.
ModelOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="If FILE exists, use the model in it; else fit one and save it there."),
]
RefitOption = Annotated[bool, typer.Option("--refit", help="Fit again and replace the model file.")]
MaxTimeOption = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Stop training after this time, with the best weights so far."),
]
SeedOption = Annotated[int, typer.Option(help="Same seed, same result (on one CPU).")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]

# What is said, and where.
PageOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write a report to look at in a browser to FILE.html."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")]
DebugOption = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error (or set TABGAN_DEBUG=1).", callback=remember_debug),
]


def check_numbers(*, steps: int | None = None, max_time: float | None = None, seed: int = 0) -> None:
    """Refuse numbers that no training takes.

    Raises
    ------
    InvalidParameterError
        ``--steps`` is below 1, ``--max-time`` not above 0, or ``--seed`` no unsigned integer of 32 bits.
    """
    if steps is not None and steps < 1:
        raise InvalidParameterError(f"--steps {steps} is not valid; it must be an integer of at least 1.")
    if max_time is not None and not max_time > 0:
        raise InvalidParameterError(f"--max-time {max_time} is not valid; it must be a number of seconds above 0.")
    if not 0 <= seed < 2**32:
        raise InvalidParameterError(f"--seed {seed} is not valid; it must be an integer from 0 to 2**32 - 1.")


def reading_options(given: Mapping[str, Any]) -> ReadOptions:
    """How to read INPUT.

    Parameters
    ----------
    given : mapping of str to object
        The parameters of a command that has all options about reading, by name.

    Returns
    -------
    ReadOptions

    Raises
    ------
    InvalidParameterError
        ``--delimiter`` is no single character, ``--comment`` is empty, or ``--skip-lines`` below 0.
    """
    from tabgan.cli.files.column_options import ReadOptions

    if given["comment"] == "":
        raise InvalidParameterError("--comment is empty; give what comment lines begin with, such as '#'.")
    if given["skip_lines"] < 0:
        raise InvalidParameterError(f"--skip-lines {given['skip_lines']} is not valid; it must be 0 or more.")
    same = ("default_markers", "header", "encoding", "comment", "skip_lines", "sheet")
    return ReadOptions(
        missing=tuple(given["missing"] or ()),
        delimiter=_delimiter(given["delimiter"]),
        decimal=tuple(given["decimal"] or ()),
        thousands=tuple(given["thousands"] or ()),
        date_formats=tuple(given["date_format"] or ()),
        **{name: given[name] for name in same},
    )


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    mark = "\t" if text.lower() == "tab" else codecs.decode(text, "unicode_escape") if text.startswith("\\") else text
    if len(mark) != 1 or mark in '"\r\n':
        raise InvalidParameterError(
            f"--delimiter {text!r} is not valid; give one character such as ',' ';' '|' or '\\t'."
        )
    return mark


def summary_path(report: str | None) -> Path | None:
    """Where ``--report`` of `tabgan impute` and `tabgan balance` writes a file; None without one and for stderr.

    Raises
    ------
    InvalidParameterError
        The name ends in none of .json, .txt and .html.
    """
    if report is None or report == "-":
        return None
    path = Path(report)
    if path.suffix.lower() not in (".json", ".txt", ".html"):
        raise InvalidParameterError(
            f"--report {report!r}: its name must end in .json, .txt or .html, or be - for stderr."
        )
    return path


def check_page(report: Path | None, targets: Mapping[str, Path | None], *sources: Path | None) -> None:
    """Refuse a ``--report`` that cannot become a page, and other targets that cannot be written, before any work.

    Parameters
    ----------
    report : Path or None
        Where the page goes; None checks the other targets alone.
    targets : mapping of str to Path or None
        What else will be written, by option.
    *sources : Path or None
        What will be read.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        The name does not end in .html, a path cannot be written, two are the same, or one is a source.
    """
    if report is not None and report.suffix.lower() != ".html":
        raise InvalidParameterError(f"--report {str(report)!r}: its name must end in .html.")
    check_destinations({**targets, "--report": report}, *sources)


def check_destinations(
    targets: Mapping[str, Path | None],
    *sources: Path | None,
    in_place: str | None = None,
    reused: str | None = None,
) -> None:
    """Everything about paths that can be wrong, before any work.

    Parameters
    ----------
    targets : mapping of str to Path or None
        What will be written, by option.
    *sources : Path or None
        What will be read.
    in_place : str, default=None
        The option that may name a source, which it then replaces.
    reused : str, default=None
        The option whose file is there already and will only be read.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        A path cannot be written, two are the same, or one is a source.
    """
    read = {source.resolve() for source in sources if source is not None}
    seen: dict[Path, str] = {}
    for option, path in targets.items():
        if path is None:
            continue
        if option != reused:
            check_writable(path, option)
        place = path.resolve()
        if (other := seen.get(place)) and path.is_file() | (not path.exists()):
            raise InvalidParameterError(f"{other} and {option} name the same file {str(path)!r}; give two.")
        if place in read and option != in_place:
            raise InvalidParameterError(f"{option} {str(path)!r} is the input itself; give another file.")
        seen[place] = option
