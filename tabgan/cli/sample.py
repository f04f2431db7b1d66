"""``tabgan sample``: new rows from a sampler that ``tabgan balance --model`` or ``BAGANOversampler.save`` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabgan.cli.errors import teller
from tabgan.cli.options import DebugOption, PageOption, QuietOption, check_numbers

__all__ = ["SAMPLE_EPILOG", "sample"]

SAMPLE_EPILOG = """The class comes as the last column. Data go to OUTPUT alone, everything else to stderr.

Examples:

tabgan sample fraud.tabgan -n 100 -o rows.csv                       (classes as frequent as in training)

tabgan sample fraud.tabgan -n 100 --class fraud --where region=north -o rows.parquet

tabgan sample fraud.tabgan -n 500 -o rows.csv --report rows.html      (beside the training rows)

tabgan sample fraud.tabgan -n 5 -o -

Exit codes: 0 done; 1 failed (disk full, missing package); 2 bad usage or input; 130 interrupted."""


def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File that tabgan balance --model wrote.")],
    n: Annotated[int, typer.Option("-n", "--number", metavar="N", help="How many rows.")],
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="Where to: .csv .tsv .jsonl (also .gz), .parquet, .feather; - is stdout."),
    ],
    label: Annotated[
        str | None, typer.Option("--class", "-c", metavar="LABEL", help="Rows of this class only.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=VALUE", help="Rows with this value in this column. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other rows.")] = 0,
    output_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Of OUTPUT, whatever its name; CSV for stdout.")
    ] = None,
    report: PageOption = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Draw new rows from a saved sampler, without training."""
    from tabgan.cli.files.sources import place_of
    from tabgan.cli.sample_job import SampleOptions, sample_file

    check_numbers(seed=seed)
    options = SampleOptions(
        model=model,
        n=n,
        output=place_of(output, output_format, "--output"),
        label=label,
        where=where or (),
        seed=seed,
        report=report,
    )
    teller(quiet)(sample_file(options))
