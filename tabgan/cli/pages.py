"""``--report FILE.html`` of commands whose report is a page to look at, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from tabgan.exceptions import InvalidParameterError

__all__ = ["PageOption", "check_page"]

PageOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write a report to look at in a browser to FILE.html."),
]


def check_page(report: Path | None, targets: Mapping[str, Path | None], *sources: Path | None) -> None:
    """Refuse what cannot become a report, before any work.

    Parameters
    ----------
    report : Path or None
        Where it goes; None checks the other targets alone.
    targets : mapping of str to Path or None
        What else will be written, by option.
    *sources : Path or None
        What will be read.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        The name does not end in .html, a path cannot be written, two are the same, or the report is a source.
    """
    from tabgan.cli.impute_job import check_destinations

    if report is not None and report.suffix.lower() != ".html":
        raise InvalidParameterError(f"--report {str(report)!r}: its name must end in .html.")
    check_destinations({**targets, "--report": report}, None)
    for source in sources:
        if report is not None and source is not None and report.resolve() == source.resolve():
            raise InvalidParameterError(f"--report {str(report)!r} is the input itself; give another file.")
