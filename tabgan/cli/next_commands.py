"""Which command to run next, written as one would type it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from tabgan.cli.files.sources import Place
from tabgan.cli.files.table_files import ReadOptions

__all__ = ["after_balance", "after_compare", "after_impute", "reading_flags"]


def reading_flags(
    reading: ReadOptions, leave: Iterable[str] = (), categorical: Iterable[str] = (), kinds: Iterable[str] = ()
) -> list[str]:
    """Options that read a file as it was read.

    Parameters
    ----------
    reading : ReadOptions
    leave, categorical, kinds : iterable of str, default=()
        Of the options of these names.

    Returns
    -------
    list of str
        Options and values in turn; each pair once. Switches come last.
    """
    pairs = [("--leave", name) for name in leave] + [("--missing", mark) for mark in reading.missing]
    pairs += [("--categorical", name) for name in categorical] + [("--kind", text) for text in kinds]
    pairs += [("--delimiter", reading.delimiter)] if reading.delimiter else []
    pairs += [("--encoding", reading.encoding)] if reading.encoding != "utf-8" else []
    pairs += [("--decimal", mark) for mark in reading.decimal] + [("--thousands", mark) for mark in reading.thousands]
    pairs += [("--date-format", text) for text in reading.date_formats]
    pairs += [("--comment", reading.comment)] if reading.comment else []
    pairs += [("--skip-lines", str(reading.skip_lines))] if reading.skip_lines else []
    pairs += [("--sheet", reading.sheet)] if reading.sheet else []
    switches = [] if reading.default_markers else ["--no-default-markers"]
    return (
        [part for pair in dict.fromkeys(pairs) for part in pair]
        + switches
        + ([] if reading.header else ["--no-header"])
    )


def _typed(command: str, source: Place, *rest: str) -> str:
    return shlex.join(["tabgan", command, str(source.path) if source.path else "-", *rest])


def after_impute(
    source: Place, output: Place, reading: ReadOptions, leave: Sequence[str], doubtful: Sequence[str]
) -> list[tuple[str, str]]:
    """What to run after `tabgan impute`: why, and the command.

    Parameters
    ----------
    source, output : Place
    reading : ReadOptions
    leave : sequence of str
        What was left alone.
    doubtful : sequence of str
        Columns whose fills are not to be relied on.
    """
    target = str(output.path) if output.path else "-"
    steps = []
    if doubtful:
        why = "Leave alone what cannot be guessed, and impute the rest"
        steps.append((why, _typed("impute", source, "-o", target, *reading_flags(reading, [*leave, *doubtful]))))
    flags = reading_flags(reading, leave)
    steps.append(
        (
            "See whether another imputer does better on this table",
            _typed("compare", source, "--report", "ranking.html", *flags),
        )
    )
    steps.append(
        (
            "Keep the model: for new rows, and for draws that carry the uncertainty",
            _typed("impute", source, "-o", target, "--model", "model.tabgan", *flags),
        )
    )
    return steps


def after_compare(
    source: Place, reading: ReadOptions, leave: Sequence[str], ours_is_best: bool, repeated: bool
) -> list[tuple[str, str]]:
    """What to run after `tabgan compare`: why, and the command."""
    flags = reading_flags(reading, leave)
    steps = (
        []
        if repeated
        else [("Repeat, to see how far chance goes", _typed("compare", source, "--repeats", "5", *flags))]
    )
    if ours_is_best:
        steps.append(("Impute the table with GAINImputer", _typed("impute", source, "-o", "full.csv", *flags)))
    return steps


def after_balance(model: str | None, source: Place, output: Place, target: str) -> list[tuple[str, str]]:
    """What to run after `tabgan balance`: why, and the command or code."""
    steps = [
        (
            "In Python: see by cross-validation whether synthetic rows help, or a moved threshold does as much",
            "tabgan.should_rebalance(X, y)",
        )
    ]
    place = str(output.path) if output.path else "-"
    if model is None:
        more = _typed("balance", source, "--target", target, "-o", place, "--model", "model.tabgan")
        steps.append(("Keep the model, for more rows without training", more))
    else:
        steps.append(
            ("Draw more rows without training", shlex.join(["tabgan", "sample", model, "-n", "100", "-o", "rows.csv"]))
        )
    return steps
