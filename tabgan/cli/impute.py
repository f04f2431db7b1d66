"""``tabgan impute``: the options of the command; the work is in `tabgan.cli.impute_job`."""

from __future__ import annotations

import glob
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabgan.cli.errors import teller
from tabgan.cli.options import (
    CategoricalOption,
    CommentOption,
    DateFormatOption,
    DebugOption,
    DecimalOption,
    DefaultMarkersOption,
    DelimiterOption,
    DeviceOption,
    EncodingOption,
    FormatOption,
    HeaderOption,
    InputArgument,
    KindOption,
    LeaveOption,
    MaxTimeOption,
    MissingOption,
    ModelOption,
    OutputFormatOption,
    QuietOption,
    RefitOption,
    SeedOption,
    SheetOption,
    SkipLinesOption,
    ThousandsOption,
    check_numbers,
    reading_options,
    summary_path,
)

if TYPE_CHECKING:
    from tabgan.cli.files.sources import Place
    from tabgan.cli.files.table_source import ReadOptions

__all__ = ["IMPUTE_EPILOG", "impute"]

IMPUTE_EPILOG = """Observed cells come back byte for byte from CSV, TSV and JSON-lines, and with types and metadata from
Parquet and Feather. Columns without a single value stay empty. Data go to OUTPUT alone, everything else to stderr.

Examples:

tabgan impute patients.csv -o full.csv

tabgan impute survey.csv.gz -o survey_full.parquet --missing '?' --missing -999 --leave id,name

tabgan impute train.csv -o train_full.csv --model shop.tabgan      (fits and saves the model)

tabgan impute new.csv -o new_full.csv --model shop.tabgan          (reuses it, without training)

tabgan impute year/ -o year_full/ --workers 4                       (a folder, larger than memory)

cat patients.tsv | tabgan impute - -o - --format tsv > full.tsv

Exit codes: 0 done; 1 failed (training diverged, disk full, missing package); 2 bad usage or input; 130 interrupted. On
failure no file is written and an existing output stays as it was."""


_TRAINING = ("categorical", "kind", "effort", "objective", "steps", "max_time", "seed", "device")


_WHOLE_FILES = ("sheet", "dry_run", "mark")
_BATCH_ROWS = 50_000


class Effort(str, Enum):
    """How much is done."""

    fast = "fast"
    balanced = "balanced"
    best = "best"


class Objective(str, Enum):
    """What is trained."""

    remask = "remask"
    paper = "paper"


def impute(
    context: typer.Context,
    input: InputArgument,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="Where to write; - is stdout. May be INPUT itself. Needed but for --dry-run."
        ),
    ] = None,
    leave: LeaveOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL",
            help="Impute these columns only; the others still inform the model. Repeatable, or with commas.",
        ),
    ] = None,
    categorical: CategoricalOption = None,
    kind: KindOption = None,
    mark: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="Add this column: true in rows in which a cell was imputed, false in the others."
        ),
    ] = None,
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
    output_format: OutputFormatOption = None,
    model: ModelOption = None,
    refit: RefitOption = False,
    effort: Annotated[
        Effort,
        typer.Option(
            case_sensitive=False,
            help="fast trains nothing step by step; best does everything, and takes several times as long.",
        ),
    ] = Effort.balanced,
    objective: Annotated[
        Objective, typer.Option(case_sensitive=False, help="remask is better; paper is GAIN as published.")
    ] = (Objective.remask),
    steps: Annotated[int | None, typer.Option(metavar="N", help="Train at most so many steps (paper: 10000).")] = None,
    max_time: MaxTimeOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    batch_rows: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Read, fill and write N rows at a time, for tables larger than memory. Folders and patterns of files always are.",
        ),
    ] = None,
    sample_rows: Annotated[
        int, typer.Option(metavar="N", min=1, help="With --batch-rows: learn from a sample of N rows.")
    ] = 100_000,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Fill in N processes, some rows at a time; the same result.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run of the same command that was killed or ran out of disk.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, as tabgan check does; nothing is written.")
    ] = False,
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a summary per column to FILE.json, .txt, or .html with plots; - is stderr, as text.",
        ),
    ] = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Impute the missing values of a table with a GAINImputer, fitted on it or kept in a model file."""
    from tabgan.cli.files.parted import found_inputs
    from tabgan.cli.files.sources import Place, place_of
    from tabgan.cli.impute_job import ImputeOptions, impute_file
    from tabgan.cli.models import is_reused, say_ignored

    in_parts = batch_rows is not None or workers is not None or resume or _is_several(input)
    if in_parts:
        _check_parts(context, output)
        inputs = found_inputs(input, format)
    place = inputs.places[0] if in_parts else place_of(input, format, "INPUT")
    if output is None and not dry_run:
        raise typer.BadParameter("is missing; give a file, or - for stdout.", param_hint="--output (-o)")
    reading = reading_options(context.params)
    if output is None or dry_run:
        _look(context, place, reading)
        return
    if in_parts and inputs.is_several:
        target = Place(Path(output), place.format)
    else:
        target = place_of(output, output_format, "--output", format, place)
    if in_parts and target.format != place.format:
        raise typer.BadParameter(
            f"{output!r} is {target.format}, but {inputs.name} is {place.format}; some rows at a time it is written as it came.",
            param_hint="--output",
        )
    check_numbers(steps=steps, max_time=max_time, seed=seed)
    options = ImputeOptions(
        source=place,
        output=target,
        reading=reading,
        leave=leave or (),
        only=only or (),
        categorical=categorical or (),
        kinds=kind or (),
        mark=mark,
        model=model,
        refit=refit,
        report=summary_path(report),
        seed=seed,
        device=device,
        max_time=max_time,
        steps=steps,
        effort=effort.value,
        objective=objective.value,
        progress=not quiet and sys.stderr.isatty(),
    )
    say = teller(quiet)
    if model is not None and is_reused(model, refit):
        say_ignored(context, model, _TRAINING, say)
    if not in_parts:
        impute_file(options, say).tell(report, quiet)
    else:
        from tabgan.cli.stream_job import impute_parts
        from tabgan.cli.stream_places import PartOptions

        parts = PartOptions(inputs, batch_rows or _BATCH_ROWS, sample_rows, workers or 1, resume)
        impute_parts(options, parts, say).tell(report, quiet)


def _is_several(text: str) -> bool:
    """Whether an input names a folder, or files by a pattern."""
    path = Path(text)
    return path.is_dir() or (glob.has_magic(text) and not path.exists())


def _check_parts(context: typer.Context, output: str | None) -> None:
    """Refuse what tables that are read some rows at a time cannot have."""
    for name in _WHOLE_FILES:
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise typer.BadParameter(
                f"is not there where a table is read some rows at a time; drop {option}.", param_hint=option
            )
    if str(context.params["report"] or "").lower().endswith(".html"):
        raise typer.BadParameter(
            "is no page where a table is read some rows at a time; give a .json or .txt file.", param_hint="--report"
        )
    if output == "-":
        raise typer.BadParameter(
            "'-' is no file; a table that is read some rows at a time is written to one.", param_hint="--output"
        )


def _look(context: typer.Context, place: Place, reading: ReadOptions) -> None:
    """Say what would be done, and print the command without ``--dry-run``."""
    from tabgan.cli.check_job import CheckOptions, check_file

    given = context.params
    further: list[str] = []
    for name in ("only", "mark", "output_format", "model", "refit", *_TRAINING[2:], "report", "quiet"):
        value = given[name]
        if getattr(context.get_parameter_source(name), "name", "") != "COMMANDLINE" or value is False:
            continue
        option = "--" + name.replace("_", "-")
        for one in value if isinstance(value, list | tuple) else [value]:
            further += [option] if one is True else [option, str(getattr(one, "value", one))]
    options = CheckOptions(
        source=place,
        reading=reading,
        format=given["format"],
        leave=given["leave"] or (),
        categorical=given["categorical"] or (),
        kinds=given["kind"] or (),
        output=given["output"],
        further=further,
    )
    check_file(options).print()
