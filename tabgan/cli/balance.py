"""``tabgan balance``: the options of the command; the work is in `tabgan.cli.balance_job`."""

from __future__ import annotations

import sys
from enum import Enum
from typing import Annotated

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
    MaxTimeOption,
    MissingOption,
    ModelOption,
    OutputFormatOption,
    OutputOption,
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

__all__ = ["BALANCE_EPILOG", "balance"]

BALANCE_EPILOG = """All rows of INPUT come first, byte for byte in CSV, TSV and JSON-lines, then the synthetic ones, in which
values are missing where the rows that they started from lack them. Data go to OUTPUT alone, everything else to stderr.
The file that --model names holds the rows of INPUT; it makes rows for this very table at any --strategy, and tabgan
sample draws from it.

Examples:

tabgan balance train.csv --target churn -o balanced.csv

tabgan balance train.csv --target y -o more.csv --strategy 0.5 --leave id --mark synthetic

tabgan balance train.csv --target y -o more.csv --gate average_precision    (only rows that help, perhaps none)

tabgan balance train.csv --target y -o more.csv --strategy '{"fraud": 500}' --model fraud.tabgan   (fits and saves it)

tabgan balance train.csv --target y -o most.csv --model fraud.tabgan     (reuses it, without training)

tabgan sample fraud.tabgan -n 100 --class fraud -o fraud.csv      (more rows, without training)

Exit codes: 0 done; 1 failed (training diverged, disk full, missing package); 2 bad usage or input; 130 interrupted. On
failure no file is written and an existing output stays as it was."""


_TRAINING = ("method", "gate", "kind", "steps", "max_time", "seed", "device")


class Method(str, Enum):
    """Which sampler."""

    bagan = "bagan"
    cgan = "cgan"


class Gate(str, Enum):
    """What the gate guards, as `tabgan.sampling.gate.GATES` has it, which takes seconds to import."""

    average_precision = "average_precision"
    roc_auc = "roc_auc"
    f1 = "f1"
    g_mean = "g_mean"
    balanced_accuracy = "balanced_accuracy"


def balance(
    context: typer.Context,
    input: InputArgument,
    target: Annotated[str, typer.Option("--target", "-t", metavar="COL", help="The column with the classes.")],
    output: OutputOption,
    strategy: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="auto (all as large as the largest), minority, 'not minority', a share of the majority such as 0.5 "
            "for two classes, or rows per class such as '{\"a\": 100}'.",
        ),
    ] = "auto",
    method: Annotated[
        Method, typer.Option(case_sensitive=False, help="BAGANOversampler or CGANSampler.")
    ] = Method.bagan,
    gate: Annotated[
        Gate | None,
        typer.Option(
            case_sensitive=False,
            help="Make only as many of the rows as a cross-validation finds worth making for this measure, perhaps none. "
            "Without it exactly the rows asked for are made.",
        ),
    ] = None,
    leave: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL",
            help="Keep from the model, and leave empty in synthetic rows: ids, names. Repeatable, or with commas.",
        ),
    ] = None,
    categorical: CategoricalOption = None,
    kind: KindOption = None,
    mark: Annotated[
        str | None, typer.Option(metavar="COL", help="Add this column: true in synthetic rows, false in the others.")
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
    steps: Annotated[int | None, typer.Option(metavar="N", help="Train at most this long (300).")] = None,
    max_time: MaxTimeOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a summary per class to FILE.json, .txt, or .html with plots; - is stderr, as text.",
        ),
    ] = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Add synthetic rows of the minority classes to a table."""
    from tabgan.cli.balance_job import BalanceOptions, balance_file
    from tabgan.cli.files.sources import place_of
    from tabgan.cli.models import is_reused, say_ignored

    place = place_of(input, format, "INPUT")
    check_numbers(steps=steps, max_time=max_time, seed=seed)
    options = BalanceOptions(
        source=place,
        output=place_of(output, output_format, "--output", format, place),
        reading=reading_options(context.params),
        target=target,
        strategy=strategy,
        method=method.value,
        gate=None if gate is None else gate.value,
        leave=leave or (),
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
        progress=not quiet and sys.stderr.isatty(),
    )
    say = teller(quiet)
    if model is not None and is_reused(model, refit):
        say_ignored(context, model, _TRAINING, say)
    balance_file(options, say).tell(report, quiet)
