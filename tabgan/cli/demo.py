"""``tabgan demo``: the options of the command; the work is in `tabgan.cli.demo_job`."""

from __future__ import annotations

from typing import Annotated

import typer

from tabgan.cli.options import DebugOption, PageOption, check_numbers, check_page

__all__ = ["demo"]


def demo(
    steps: Annotated[int, typer.Option(metavar="N", help="Train each of the two models at most this long.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of the training and of the choice of hidden cells.")] = 0,
    report: PageOption = None,
    debug: DebugOption = False,
) -> None:
    """Impute the 19 missing values of the Palmer penguins, and compare with mean/mode, kNN and MICE on hidden cells."""
    check_numbers(steps=steps, seed=seed)
    check_page(report, {})
    from tabgan.cli.demo_job import run_demo

    run_demo(steps, seed, report)
