"""The ``tabgan`` command: its options, its subcommands, and where every error ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from tabgan.cli.balance import BALANCE_EPILOG, balance
from tabgan.cli.card import CARD_EPILOG, card
from tabgan.cli.check import CHECK_EPILOG, check
from tabgan.cli.compare import COMPARE_EPILOG, compare
from tabgan.cli.demo import demo
from tabgan.cli.errors import report_error, warnings_in_words
from tabgan.cli.images import images
from tabgan.cli.impute import IMPUTE_EPILOG, impute
from tabgan.cli.options import DebugOption
from tabgan.cli.sample import SAMPLE_EPILOG, sample

__all__ = ["app", "main"]

_EPILOG = """Examples:

tabgan check patients.csv

tabgan impute patients.csv -o full.csv

tabgan impute train.csv -o full.csv --missing '?' --leave id --model shop.tabgan

tabgan impute new.parquet -o new_full.parquet --model shop.tabgan

cat patients.csv | tabgan impute - -o - --quiet > full.csv

tabgan compare patients.csv --leave id

tabgan balance train.csv --target y -o balanced.csv --model y.tabgan

tabgan sample y.tabgan -n 100 --class rare -o rare.csv

tabgan card shop.tabgan -o card.md

tabgan demo

Exit codes: 0 done; 1 failed (training diverged, disk full, missing package); 2 bad usage or input; 130 interrupted."""


class _Group(TyperGroup):
    """Group whose errors all end as one line on stderr, whoever calls it."""

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        if not standalone_mode:
            return super().main(args=args, prog_name=prog_name, standalone_mode=False, **extra)
        from tabgan.core.interrupts import ctrl_c_aborts

        try:
            with ctrl_c_aborts(), warnings_in_words():
                code = super().main(args=args, prog_name=prog_name, standalone_mode=False, **extra)
        except (Exception, KeyboardInterrupt) as error:
            code = report_error(error)
        else:
            if code == 130:
                code = report_error(KeyboardInterrupt())
        sys.exit(code if isinstance(code, int) else 0)


app = typer.Typer(
    name="tabgan",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from tabgan import __version__

        typer.echo(f"tabgan {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Impute missing values, rebalance classes and draw images with GANs that are measured against the baselines."""


app.command(epilog=CHECK_EPILOG)(check)
app.command(epilog=IMPUTE_EPILOG)(impute)
app.command(epilog=COMPARE_EPILOG)(compare)
app.command(epilog=BALANCE_EPILOG)(balance)
app.command(epilog=SAMPLE_EPILOG)(sample)
app.command(epilog=CARD_EPILOG)(card)
app.command()(demo)
app.add_typer(images, name="images")


def main() -> None:
    """Entry point of the ``tabgan`` script."""
    get_command(app)(prog_name="tabgan")  # calling the app itself would leave an excepthook of its own behind


if __name__ == "__main__":
    main()
