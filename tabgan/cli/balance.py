"""``tabgan balance``: the options of the command; the work is in `tabgan.cli.balance_job`."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from tabgan.cli.errors import DebugOption, note
from tabgan.cli.impute import _check_numbers, _delimiter, _report_path, impute

__all__ = ["BALANCE_EPILOG", "balance"]

BALANCE_EPILOG = """All rows of INPUT come first, byte for byte in CSV, TSV and JSON-lines, then the made ones, which have gaps where
the rows that they started from have them. Data go to OUTPUT alone, everything else to stderr.

Examples:

tabgan balance train.csv --target churn -o balanced.csv

tabgan balance train.csv --target y -o more.csv --strategy 0.5 --leave id --mark synthetic

tabgan balance train.csv --target y -o more.csv --gate average_precision    (only rows that help, perhaps none)

tabgan balance train.parquet --target y -o more.parquet --strategy '{"fraud": 500}' --save fraud.tabgan

tabgan sample fraud.tabgan -n 100 --class fraud -o fraud.csv      (more rows, without training)

Exit codes: 0 done; 1 failed (training diverged, disk full, missing package); 2 bad usage or input; 130 interrupted. On
failure no file is written and an existing output stays as it was."""

_IMPUTE = get_type_hints(impute, include_extras=True)


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


def _as_in_impute(name: str) -> Any:
    """The option or argument of `tabgan impute` that goes by this name: one meaning, one help text."""
    return get_args(_IMPUTE[name])[1]


def balance(
    input: Annotated[str, _as_in_impute("input")],
    target: Annotated[str, typer.Option("--target", "-t", metavar="COL", help="The column with the classes.")],
    output: Annotated[str, _as_in_impute("output")],
    strategy: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="auto (all as large as the largest), minority, 'not minority', a share of the majority such as 0.5 "
            "for two classes, or rows per class such as '{\"a\": 100}'.",
        ),
    ] = "auto",
    method: Annotated[Method, typer.Option(help="BAGANOversampler or CGANSampler.")] = Method.bagan,
    gate: Annotated[
        Gate | None,
        typer.Option(
            help="Make only as many of the rows as a cross-validation finds worth making for this measure, perhaps none. "
            "Without it exactly the rows asked for are made."
        ),
    ] = None,
    leave: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL", help="Keep from the model, and leave empty in made rows: ids, names. Repeatable, or commas."
        ),
    ] = None,
    categorical: Annotated[list[str] | None, _as_in_impute("categorical")] = None,
    mark: Annotated[
        str | None, typer.Option(metavar="COL", help="Add this column: true in made rows, false in the others.")
    ] = None,
    missing: Annotated[list[str] | None, _as_in_impute("missing")] = None,
    default_markers: Annotated[bool, _as_in_impute("default_markers")] = True,
    header: Annotated[bool, _as_in_impute("header")] = True,
    delimiter: Annotated[str | None, _as_in_impute("delimiter")] = None,
    encoding: Annotated[str, _as_in_impute("encoding")] = "utf-8",
    format: Annotated[str | None, _as_in_impute("format")] = None,
    output_format: Annotated[str | None, _as_in_impute("output_format")] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also save the fitted sampler, for tabgan sample. It holds the table's rows."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Train at most this many steps.")] = None,
    max_time: Annotated[float | None, _as_in_impute("max_time")] = None,
    seed: Annotated[int, _as_in_impute("seed")] = 0,
    device: Annotated[str, _as_in_impute("device")] = "auto",
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a summary per class to FILE.json, .txt, or .html with plots; - is stderr, as text.",
        ),
    ] = None,
    quiet: Annotated[bool, _as_in_impute("quiet")] = False,
    debug: DebugOption = False,
) -> None:
    """Add made rows of the rarer classes to a table."""
    from tabgan.cli.balance_job import BalanceOptions, balance_file
    from tabgan.cli.files.sources import place_of
    from tabgan.cli.files.table_files import ReadOptions

    place = place_of(input, format, "INPUT")
    options = BalanceOptions(
        source=place,
        output=place_of(output, output_format or (place.format if output == "-" else None), "--output", format),
        reading=ReadOptions(tuple(missing or ()), default_markers, header, _delimiter(delimiter), encoding),
        target=target,
        strategy=strategy,
        method=method.value,
        gate=None if gate is None else gate.value,
        leave=leave or (),
        categorical=categorical or (),
        mark=mark,
        save=save,
        report=_report_path(report),
        seed=seed,
        device=device,
        max_time=max_time,
        steps=steps,
        progress=not quiet and sys.stderr.isatty(),
    )
    _check_numbers(steps, max_time, seed)
    done = balance_file(options, (lambda text: None) if quiet else note)
    if report == "-":
        sys.stderr.write(done.to_text())
    elif not quiet:
        done.show()
