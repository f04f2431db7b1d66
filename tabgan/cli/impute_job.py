"""The work of `tabgan impute`: read, learn or reuse, fill, write, in an order that fails before it trains."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabgan._files import written_together
from tabgan.cli.check_job import new_findings
from tabgan.cli.errors import warnings_told
from tabgan.cli.files.sources import Place, write_bytes
from tabgan.cli.files.table_files import ReadOptions, TableFile, open_table
from tabgan.cli.lookup import check_apart, check_new, known_columns, known_kinds
from tabgan.cli.models import is_reused, load_model
from tabgan.cli.next_commands import after_impute
from tabgan.cli.options import check_destinations
from tabgan.cli.status import StatusLine
from tabgan.cli.summaries import ColumnReport, ImputeReport, column_validation
from tabgan.exceptions import InvalidInputError, InvalidParameterError, SchemaMismatchError

__all__ = ["ImputeOptions", "chosen_settings", "fills_of", "impute_file", "model_facts"]


@dataclass(frozen=True, kw_only=True)
class ImputeOptions:
    """What `tabgan impute` was asked for; see its ``--help``."""

    source: Place
    output: Place
    reading: ReadOptions
    leave: Sequence[str]
    only: Sequence[str]
    categorical: Sequence[str]
    kinds: Sequence[str]
    mark: str | None = None
    model: Path | None
    refit: bool
    report: Path | None
    seed: int
    device: str
    max_time: float | None
    steps: int | None
    effort: str
    objective: str
    progress: bool


def impute_file(options: ImputeOptions, say: Callable[[str], None]) -> ImputeReport:
    """Fill the missing cells of one file.

    Parameters
    ----------
    options : ImputeOptions
    say : callable
        Takes one line for the user.

    Returns
    -------
    ImputeReport

    Raises
    ------
    TabganError
        Nothing was written then, neither output nor model nor report.
    """
    started = time.perf_counter()
    status = StatusLine(options.progress)
    targets = {"--output": options.output.path, "--model": options.model, "--report": options.report}
    reused = is_reused(options.model, options.refit)
    check_destinations(targets, options.source.path, in_place="--output", reused="--model" if reused else None)
    fitted = load_model(options.model, "imputer") if options.model is not None and reused else None
    reading = options.reading
    if fitted is not None:
        families = {str(column.name): column.family for column in fitted.schema_.columns}
        reading = replace(reading, families=families, styles=fitted.column_styles_)
    status(f"reading {options.source.name}")
    table = open_table(options.source, reading, options.output)
    left, only, categorical = (
        known_columns(table, wanted, option)
        for wanted, option in (
            (options.leave, "--leave"),
            (options.only, "--only"),
            (options.categorical, "--categorical"),
        )
    )
    check_new(table, options.mark)
    table.options = replace(reading, text_columns=frozenset(categorical))
    kinds_asked = known_kinds(table, options.kinds)
    check_apart(left, {"--only": only, "--categorical": categorical, "--kind": set(kinds_asked)})
    names = [name for name in table.names if name not in left and name not in table.index_names]
    if not names:
        raise InvalidParameterError(f"--leave leaves no column of {table.place.name} to the model; leave fewer alone.")
    frame = table.frame(names)
    table.check_output(options.output)
    report = ImputeReport(options.source.name, options.output.destination, table.n_rows)
    report.warnings += table.first_hints()
    report.notes += table.notes()
    gaps = frame.isna() & ~pd.DataFrame({name: table.unread(name) for name in names}, columns=names)
    fills: dict[str, pd.Series] = {}
    if gaps.to_numpy().any() or options.model is not None:
        status("looking at the columns")
        imputer = fitted if fitted is not None else _fit(frame, categorical, kinds_asked, options, say)
        status("filling in")
        completed = _transformed(imputer, frame, options)
        fills = fills_of(completed, gaps, only)
        report.warnings += _lonely(imputer, fills)
        report.model = model_facts(imputer, options, reused=fitted is not None)
        kinds = {str(column.name): column.kind for column in imputer.schema_.columns}
        scores = imputer.validation_scores_
        report.warnings += [] if fitted is not None else _suspicions(imputer, frame, table)
    else:
        kinds, scores = {}, pd.DataFrame()
        imputer = completed = None
    status(f"writing {options.output.destination}")
    own = list(table.names)
    if options.mark is not None:
        table.add_mark(options.mark, _touched(fills, table.n_rows))
    data = table.dumped(fills, options.output)
    status("drawing the report" if options.report else "")
    page = _page(imputer, frame, completed, options)
    for name in own:
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
    if imputer is not None:
        _promise(report, imputer, frame)
    report.add_warnings()
    report.seconds = round(time.perf_counter() - started, 3)
    status("")
    with written_together():
        if imputer is not None and fitted is None and options.model is not None:
            imputer.column_styles_ = table.styles()
            imputer.save(options.model)
        write_bytes(options.output, data)
        report.write(options.report, page)
    return report


def _promise(report: ImputeReport, imputer: Any, frame: pd.DataFrame) -> None:
    """Tell how near the truth is promised to lie, for each column that was filled."""
    from tabgan.report.fill_certainty import fill_certainty

    promised = fill_certainty(imputer, frame, frame.isna().to_numpy()).columns
    for column in report.columns:
        if column.filled and column.name in promised:
            column.promise = {name: value for name, value in asdict(promised[column.name]).items() if value is not None}


def _lonely(imputer: Any, fills: dict[str, pd.Series]) -> list[str]:
    """What to say where nothing tells one row from another."""
    useful = [str(imputer.schema_.names[j]) for j in imputer.schema_.encoded]
    if len(useful) != 1 or useful[0] not in fills or fills[useful[0]].nunique() != 1:
        return []
    values = fills[useful[0]]
    what = "commonest value" if imputer.schema_.columns[imputer.schema_.encoded[0]].levels else "mean"
    return [
        f"column {useful[0]!r} is the only one that varies: all {len(values)} missing cells get its {what}, {values.iloc[0]}"
    ]


def _page(imputer: Any, frame: pd.DataFrame, completed: pd.DataFrame | None, options: ImputeOptions) -> str | None:
    """The report as HTML, where that is wanted; made before anything is written, so that a failure leaves no file."""
    if options.report is None or options.report.suffix.lower() != ".html":
        return None
    from tabgan.report.html import render
    from tabgan.report.imputation_page import imputation_page, report_nothing_to_fill

    source = options.source.path.name if options.source.path else options.source.name
    if imputer is None:
        return report_nothing_to_fill(frame.shape[0], frame.shape[1], source).html
    # Without --model the command trains no draws, so there are none to show.
    page = imputation_page(imputer, frame, completed, n_draws=0 if options.model is None else 10, source=source)
    page.next_steps = after_impute(options.source, options.output, options.reading, options.leave, page.doubtful)
    return render(page).html


def chosen_settings(
    options: ImputeOptions, names: Sequence[str], categorical: set[str], kinds: dict[str, str], n_rows: int
) -> dict[str, Any]:
    """Parameters of `tabgan.GAINImputer` that the options stand for, with a fit to so many rows."""
    from tabgan.imputation.effort import LARGE_ROWS

    chosen: dict[str, Any] = {
        "random_state": options.seed,
        "device": options.device,
        "max_time": options.max_time,
        "effort": options.effort,
        "categorical_features": [name for name in names if name in categorical] or None,
        "column_kinds": kinds or None,
        "verbose": int(options.progress),
    }
    if options.steps is not None:
        chosen["n_steps"] = options.steps
        if n_rows >= LARGE_ROWS:
            chosen["network_steps"] = options.steps
    if options.model is None:
        chosen["n_donor_trees"] = (
            0  # the command writes point estimates; only a kept model can be asked for draws later
        )
    return chosen


def _fit(
    frame: pd.DataFrame,
    categorical: set[str],
    kinds: dict[str, str],
    options: ImputeOptions,
    say: Callable[[str], None],
) -> Any:
    from tabgan.imputation.gain import GAINImputer

    chosen = chosen_settings(options, list(frame.columns), categorical, kinds, len(frame))
    imputer = GAINImputer.paper(**chosen) if options.objective == "paper" else GAINImputer(**chosen)
    with warnings_told(say):
        imputer.fit(frame)
    imputer.verbose = 0
    return imputer


def _transformed(imputer: Any, frame: pd.DataFrame, options: ImputeOptions) -> pd.DataFrame:
    try:
        return imputer.transform(frame)
    except (SchemaMismatchError, ValueError) as error:
        if options.model is None or not (isinstance(error, SchemaMismatchError) or "feature names" in str(error)):
            raise
        raise InvalidInputError(
            f"{options.source.name} does not fit the model in {str(options.model)!r}. {str(error).rstrip()}\n"
            "Columns that the model does not know can be passed through with --leave; --refit fits a new model."
        ) from error


def fills_of(filled: pd.DataFrame, gaps: pd.DataFrame, only: set[str]) -> dict[str, pd.Series]:
    """Pick the filled cells by column, indexed by row number."""
    fills = {}
    for name in filled.columns:
        rows = gaps[name].to_numpy().nonzero()[0]
        if len(rows) and (not only or name in only):
            values = filled[name].iloc[rows].set_axis(rows).dropna()
            if len(values):
                fills[name] = values
    return fills


def _touched(fills: dict[str, pd.Series], n_rows: int) -> np.ndarray:
    """The rows in which a cell was filled; boolean of shape (n_rows,)."""
    rows = np.zeros(n_rows, dtype=bool)
    for values in fills.values():
        rows[values.index.to_numpy()] = True
    return rows


def _suspicions(imputer: Any, frame: pd.DataFrame, table: TableFile) -> list[str]:
    """What may have been meant otherwise, as far as cells tell; two of a kind."""
    from tabgan.checks.findings import first_of_each
    from tabgan.checks.suspected import find_suspicions
    from tabgan.tables.frames import read_table

    found = new_findings(find_suspicions(read_table(frame), imputer.schema_), table)
    hinted = " ".join(table.hints)
    found = [one for one in found if one.kind != "written" or f"column {str(one.columns[0])!r}" not in hinted]
    shown, left = first_of_each(found)
    more = [f"{left} more of these; `tabgan check` lists them all"] if left else []
    return [finding.text(command_line=True) for finding in shown] + more


def model_facts(imputer: Any, options: ImputeOptions, reused: bool) -> dict[str, Any]:
    """What a report says of the model."""
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
