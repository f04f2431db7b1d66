"""The work of `tabgan impute`: read, learn or reuse, fill, write, in an order that fails before it trains."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from tabgan.cli.files.sources import Place, check_writable, write_bytes
from tabgan.cli.files.table_files import ReadOptions, TableFile, open_table
from tabgan.cli.summaries import ColumnReport, Report, column_validation
from tabgan.exceptions import InvalidInputError, InvalidParameterError, SchemaMismatchError

__all__ = ["FillOptions", "check_destinations", "fill_file"]


@dataclass(frozen=True)
class FillOptions:
    """What `tabgan impute` was asked for; see its ``--help``."""

    source: Place
    output: Place
    reading: ReadOptions
    leave: Sequence[str] = ()
    only: Sequence[str] = ()
    categorical: Sequence[str] = ()
    model: Path | None = None
    refit: bool = False
    report: Path | None = None
    seed: int = 0
    device: str = "auto"
    max_time: float | None = None
    steps: int | None = None
    objective: str = "remask"
    progress: bool = False


def fill_file(options: FillOptions, say: Callable[[str], None]) -> Report:
    """Fill the gaps of one file.

    Parameters
    ----------
    options : FillOptions
    say : callable
        Takes one line for the user.

    Returns
    -------
    Report

    Raises
    ------
    TabganError
        Nothing was written then, neither output nor model nor report.
    """
    started = time.perf_counter()
    targets = {"--output": options.output.path, "--model": options.model, "--report": options.report}
    check_destinations(targets, options.source.path)
    if options.refit and options.model is None:
        raise InvalidParameterError("--refit needs --model FILE, whose content it replaces.")
    fitted = _fitted(options)
    reading = options.reading
    if fitted is not None:
        families = {str(column.name): column.family for column in fitted.schema_.columns}
        reading = ReadOptions(**{**vars(reading), "families": families})
    table = open_table(options.source, reading)
    left, only, categorical = (
        _known_columns(table, wanted, option)
        for wanted, option in (
            (options.leave, "--leave"),
            (options.only, "--only"),
            (options.categorical, "--categorical"),
        )
    )
    table.options = ReadOptions(**{**vars(reading), "text_columns": frozenset(categorical)})
    if both := sorted(left & (only | categorical)):
        raise InvalidParameterError(f"column {both[0]!r} is in --leave and in --only or --categorical; choose one.")
    names = [name for name in table.names if name not in left and name not in table.index_names]
    if not names:
        raise InvalidParameterError(f"--leave leaves no column of {table.place.name} to the model; leave fewer alone.")
    frame = table.frame(names)
    report = Report(options.source.name, _destination(options.output), table.n_rows)
    report.warnings += _shortened(table.hints)
    gaps = frame.isna()
    fills: dict[str, pd.Series] = {}
    if gaps.to_numpy().any() or options.model is not None:
        imputer = fitted if fitted is not None else _fit(frame, categorical, options, say)
        completed = _transformed(imputer, frame, options)
        fills = _fills(completed, gaps, only)
        report.model = _model_facts(imputer, options, reused=fitted is not None)
        kinds = {str(column.name): column.kind for column in imputer.schema_.columns}
        scores = imputer.validation_scores_
    else:
        kinds, scores = {}, pd.DataFrame()
        imputer = completed = None
    data = table.dumped(fills, options.output)
    page = _page(imputer, frame, completed, options)
    for name in table.names:
        seen = name in frame.columns
        n_gaps = (
            int(gaps[name].sum()) if seen else int(table.column(name).isna().sum()) if _readable(table, name) else 0
        )
        kind = kinds.get(name, "left alone" if not seen else "not learned")
        report.columns.append(
            ColumnReport(
                name, kind, n_gaps, len(fills.get(name, ())), column_validation(scores, name) if seen else None
            )
        )
    report.add_warnings()
    if imputer is not None and fitted is None and options.model is not None:
        imputer.save(options.model)
    write_bytes(options.output, data)
    report.seconds = round(time.perf_counter() - started, 3)
    if options.report is not None:
        text = page or (report.to_json() if options.report.suffix.lower() == ".json" else report.to_text())
        write_bytes(Place(options.report, "text"), text.encode())
    return report


def _page(imputer: Any, frame: pd.DataFrame, completed: pd.DataFrame | None, options: FillOptions) -> str | None:
    """The report as HTML, where that is wanted; made before anything is written, so that a failure leaves no file."""
    if options.report is None or options.report.suffix.lower() != ".html":
        return None
    from tabgan.report.imputation_page import report_imputation, report_nothing_to_fill

    if imputer is None:
        return report_nothing_to_fill(*frame.shape).html
    # Without --model the command trains no draws, so there are none to show.
    return report_imputation(imputer, frame, completed, n_draws=0 if options.model is None else 10).html


def check_destinations(targets: Mapping[str, Path | None], source: Path | None) -> None:
    """Everything about paths that can be wrong, before any work.

    Parameters
    ----------
    targets : mapping of str to Path or None
        What will be written, by option; ``--output`` alone may be the source itself.
    source : Path or None
        What will be read.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        A path cannot be written, two are the same, or one is the source.
    """
    seen: dict[Path, str] = {}
    for option, path in targets.items():
        if path is None:
            continue
        check_writable(path, option)
        if (other := seen.get(path.resolve())) and path.is_file() | (not path.exists()):
            raise InvalidParameterError(f"{other} and {option} name the same file {str(path)!r}; give two.")
        seen[path.resolve()] = option
    if source is not None and seen.get(source.resolve(), "--output") != "--output":
        raise InvalidParameterError(f"{seen[source.resolve()]} {str(source)!r} is the input itself; give another file.")


def _fitted(options: FillOptions) -> Any:
    """Load the model to reuse, or None when one has to be fitted."""
    if options.model is None or options.refit or not options.model.exists():
        return None
    from tabgan.estimators.saving import load

    return load(options.model)


def _known_columns(table: TableFile, wanted: Sequence[str], option: str) -> set[str]:
    """Columns named by an option: whole values first, then comma-separated ones."""
    found: set[str] = set()
    for value in wanted:
        for name in [value] if value in table.names else [part.strip() for part in value.split(",")]:
            if name not in table.names:
                close = get_close_matches(name, table.names, n=1)
                advice = f"did you mean {close[0]!r}?" if close else f"it has {_listed(table.names)}."
                raise InvalidParameterError(f"{option} {name!r}: {table.place.name} has no such column; {advice}")
            found.add(name)
    return found


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:12]))
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _shortened(hints: list[str]) -> list[str]:
    return hints[:3] + ([f"{len(hints) - 3} more columns like these"] if len(hints) > 3 else [])


def _destination(output: Place) -> str:
    return repr(str(output.path)) if output.path else "standard output"


def _fit(frame: pd.DataFrame, categorical: set[str], options: FillOptions, say: Callable[[str], None]) -> Any:
    from tabgan.imputation.gain import GAINImputer

    chosen: dict[str, Any] = {
        "random_state": options.seed,
        "device": options.device,
        "max_time": options.max_time,
        "categorical_features": [name for name in frame.columns if name in categorical] or None,
        "verbose": int(options.progress),
    }
    if options.steps is not None:
        chosen |= {"n_steps": options.steps, "draw_steps": options.steps}
    if options.model is None:
        chosen["draw_steps"] = (
            0  # this command fills in point estimates; only a kept model can be asked for draws later
        )
    imputer = GAINImputer.paper(**chosen) if options.objective == "paper" else GAINImputer(**chosen)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        imputer.fit(frame)
    for text in dict.fromkeys(str(warning.message) for warning in caught if warning.category is UserWarning):
        say(f"warning: {text}")
    imputer.verbose = 0
    return imputer


def _transformed(imputer: Any, frame: pd.DataFrame, options: FillOptions) -> pd.DataFrame:
    try:
        return imputer.transform(frame)
    except (SchemaMismatchError, ValueError) as error:
        if options.model is None or not (isinstance(error, SchemaMismatchError) or "feature names" in str(error)):
            raise
        raise InvalidInputError(
            f"{options.source.name} does not fit the model in {str(options.model)!r}. {str(error).rstrip()}\n"
            "Columns that the model does not know can be passed through with --leave; --refit fits a new model."
        ) from error


def _fills(filled: pd.DataFrame, gaps: pd.DataFrame, only: set[str]) -> dict[str, pd.Series]:
    """Pick the filled cells by column, indexed by row number."""
    fills = {}
    for name in filled.columns:
        rows = gaps[name].to_numpy().nonzero()[0]
        if len(rows) and (not only or name in only):
            values = filled[name].iloc[rows].set_axis(rows).dropna()
            if len(values):
                fills[name] = values
    return fills


def _model_facts(imputer: Any, options: FillOptions, reused: bool) -> dict[str, Any]:
    return {
        "file": None if options.model is None else str(options.model),
        "reused": reused,
        "objective": imputer.objective,
        "seed": imputer.random_state,
        "steps": imputer.n_iter_,
        "stop_reason": imputer.stop_reason_,
    }


def _readable(table: TableFile, name: str) -> bool:
    """Whether a column that was left alone can be counted at all."""
    try:
        table.column(name)
    except InvalidInputError:
        return False
    return True
