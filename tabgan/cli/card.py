"""``tabgan card``: what a model file holds, for the people who are to rely on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabgan.cli.options import DebugOption

__all__ = ["CARD_EPILOG", "card"]

CARD_EPILOG = """What not to rely on, what it was trained on, errors on held-out cells, limits, settings, versions; and questions that
only people can answer, left open.

Examples:

tabgan card shop.tabgan

tabgan card fraud.tabgan -o fraud.md --title "Rare frauds, 2025"

Exit codes: 0 done; 1 failed (disk full); 2 bad usage or input; 130 interrupted."""


def card(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File of an imputer, a sampler or an image model.")],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to, as Markdown; - is stdout.")
    ] = "-",
    title: Annotated[str | None, typer.Option(help="Heading of the card; else the kind of model.")] = None,
    debug: DebugOption = False,
) -> None:
    """Write a model card (Markdown) of a saved model."""
    from tabgan.cli.files.sources import Place, check_writable, write_bytes
    from tabgan.estimators.saving import load
    from tabgan.report.model_card import model_card

    path = None if output == "-" else Path(output)
    if path is not None:
        check_writable(path, "--output")
    write_bytes(Place(path, "text"), model_card(load(model), title).encode())
