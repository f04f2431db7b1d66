"""``tabgan impute``: the options of the command; the work is in `tabgan.cli.impute_job`."""

from __future__ import annotations

import codecs
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from tabgan.cli.errors import DebugOption, note
from tabgan.exceptions import InvalidParameterError

__all__ = ["IMPUTE_EPILOG", "impute"]

IMPUTE_EPILOG = """Observed cells come back byte for byte from CSV, TSV and JSON-lines, and with types and metadata from
Parquet and Feather. Columns without a single value stay empty. Data go to OUTPUT alone, everything else to stderr.

Examples:

tabgan impute gaps.csv -o full.csv

tabgan impute survey.csv.gz -o survey_full.parquet --missing '?' --missing -999 --leave id,name

tabgan impute train.csv -o train_full.csv --model shop.tabgan      (fits and saves the model)

tabgan impute new.csv -o new_full.csv --model shop.tabgan          (reuses it, without training)

cat gaps.tsv | tabgan impute - -o - --format tsv > full.tsv

Exit codes: 0 done; 1 failed (training diverged, disk full, missing package); 2 bad usage or input; 130 interrupted. On
failure no file is written and an existing output stays as it was."""


class Objective(str, Enum):
    """What is trained."""

    remask = "remask"
    paper = "paper"


_READING, _LEARNING, _OUTPUT = "Reading", "Learning", "Output"


def impute(
    context: typer.Context,
    input: Annotated[
        str,
        typer.Argument(help="Table: .csv .tsv .jsonl .ndjson (also .gz), .parquet, .feather; - is stdin."),
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="Where to write; - is stdout. May be INPUT itself.")],
    leave: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Keep from the model and write back unchanged. Repeatable, or with commas."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Fill these columns only; the others still inform the model. Repeatable."),
    ] = None,
    categorical: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Treat as categories, even if numbers. Repeatable.")
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(metavar="MARK", help="A further marker of a missing cell, such as '?' or -999. Repeatable."),
    ] = None,
    default_markers: Annotated[
        bool,
        typer.Option(
            help="In CSV and TSV, let NA NaN nan NULL null None N/A n/a #N/A count as missing, not only empty cells."
        ),
    ] = True,
    header: Annotated[
        bool, typer.Option(help="The first line of CSV and TSV holds names; without, columns are named 1, 2, ...")
    ] = True,
    delimiter: Annotated[str | None, typer.Option(metavar="CHAR", help="Of CSV and TSV, such as ';' or '\\t'.")] = None,
    encoding: Annotated[str, typer.Option(help="Of text formats.")] = "utf-8",
    format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="Of INPUT, whatever its name: csv, tsv, jsonl, parquet, feather."),
    ] = None,
    output_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Of OUTPUT; by its extension, and INPUT's format for stdout.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="If FILE exists, fill with the model in it; else fit one and save it there."),
    ] = None,
    refit: Annotated[bool, typer.Option("--refit", help="Fit again and replace the model file.")] = False,
    objective: Annotated[Objective, typer.Option(help="remask is the better one; paper is GAIN as published.")] = (
        Objective.remask
    ),
    steps: Annotated[int | None, typer.Option(metavar="N", help="Train at most this long (600; paper: 10000).")] = None,
    max_time: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Stop training after this time, with the best weights so far."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same result (on a CPU).")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a summary per column to FILE.json, .txt, or .html with plots; - is stderr, as text.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    debug: DebugOption = False,
) -> None:
    """Fill the gaps of a table with a trained generative adversarial imputation network."""
    from tabgan.cli.files.sources import place_of
    from tabgan.cli.files.table_files import ReadOptions
    from tabgan.cli.impute_job import FillOptions, fill_file

    place = place_of(input, format, "INPUT")
    target = place_of(output, output_format or (place.format if output == "-" else None), "--output", format)
    _check_numbers(steps, max_time, seed)
    options = FillOptions(
        source=place,
        output=target,
        reading=ReadOptions(tuple(missing or ()), default_markers, header, _delimiter(delimiter), encoding),
        leave=leave or (),
        only=only or (),
        categorical=categorical or (),
        model=model,
        refit=refit,
        report=_report_path(report),
        seed=seed,
        device=device,
        max_time=max_time,
        steps=steps,
        objective=objective.value,
        progress=not quiet and sys.stderr.isatty(),
    )
    say = (lambda text: None) if quiet else note
    if model is not None and model.exists() and not refit:
        _say_ignored(context, model, say)
    done = fill_file(options, say)
    if report == "-":
        sys.stderr.write(done.to_text())
    elif not quiet:
        done.show()


def _check_numbers(steps: int | None, max_time: float | None, seed: int) -> None:
    if steps is not None and steps < 1:
        raise InvalidParameterError(f"--steps {steps} is not valid; it must be an integer of at least 1.")
    if max_time is not None and not max_time > 0:
        raise InvalidParameterError(f"--max-time {max_time} is not valid; it must be a number of seconds above 0.")
    if not 0 <= seed < 2**32:
        raise InvalidParameterError(f"--seed {seed} is not valid; it must be an integer from 0 to 2**32 - 1.")


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    mark = "\t" if text.lower() == "tab" else codecs.decode(text, "unicode_escape") if text.startswith("\\") else text
    if len(mark) != 1 or mark in '"\r\n ':
        raise InvalidParameterError(
            f"--delimiter {text!r} is not valid; give one character such as ',' ';' '|' or '\\t'."
        )
    return mark


def _report_path(report: str | None) -> Path | None:
    if report in (None, "-"):
        return None
    path = Path(report)  # type: ignore[arg-type]
    if path.suffix.lower() not in (".json", ".txt", ".html"):
        raise InvalidParameterError(
            f"--report {report!r}: its name must end in .json, .txt or .html, or be - for stderr."
        )
    return path


def _say_ignored(context: typer.Context, model: Path, say: Any) -> None:
    """Say which options have no effect on a model that was trained already."""
    training = ("categorical", "objective", "steps", "max_time", "seed", "device")
    given = [
        "--" + name.replace("_", "-")
        for name in training
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if given:
        say(f"note: the model in {str(model)!r} is reused, so {', '.join(given)} has no effect; --refit fits anew.")
