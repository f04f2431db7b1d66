"""The work of `tabgan impute --batch-rows`: tables larger than memory, in one pass to learn and one to fill."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from tabgan._files import write_whole, written_together
from tabgan.cli.errors import warnings_told
from tabgan.cli.files.parquet_parts import ParquetParts
from tabgan.cli.files.sources import check_writable
from tabgan.cli.impute_job import ImputeOptions, chosen_settings, model_facts
from tabgan.cli.lookup import check_apart, known_columns, known_kinds
from tabgan.cli.models import is_reused, load_model
from tabgan.cli.status import StatusLine
from tabgan.cli.summaries import ColumnReport, ImputeReport, column_validation
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["impute_parts"]


def impute_parts(options: ImputeOptions, batch_rows: int, sample_rows: int, say: Callable[[str], None]) -> ImputeReport:
    """Fill Parquet files some rows at a time.

    Parameters
    ----------
    options : ImputeOptions
    batch_rows : int
        Rows in memory at a time.
    sample_rows : int
        Rows that the imputer is fitted to; see `tabgan.fit_batches`.
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
    source, output = options.source.path, options.output.path
    assert source is not None
    assert output is not None
    parts = ParquetParts(source, batch_rows)
    _check_places(parts, source, output, options)
    reused = is_reused(options.model, options.refit)
    left = known_columns(parts, options.leave, "--leave")
    only = known_columns(parts, options.only, "--only")
    categorical = known_columns(parts, options.categorical, "--categorical")
    kinds = known_kinds(parts, options.kinds)
    check_apart(left, {"--only": only, "--categorical": categorical, "--kind": set(kinds)})
    names = [name for name in parts.names if name not in left and name not in parts.index_names]
    if not names:
        raise InvalidParameterError(f"--leave leaves no column of {parts.place.name} to the model; leave fewer alone.")
    if reused and options.model is not None:
        imputer = load_model(options.model, "imputer")
    else:
        status(f"reading {parts.n_rows:,} rows of {parts.place.name}")
        imputer = _fitted(parts, names, categorical, kinds, sample_rows, options, say)
    report = ImputeReport(options.source.name, options.output.destination, parts.n_rows)
    report.model = model_facts(imputer, options, reused=reused)
    gaps, fills = Counter[str](), Counter[str]()
    wanted = only or set(names)
    with _folder(output, parts.is_folder), written_together():
        if options.model is not None and not reused:
            imputer.save(options.model)
        for file in parts.files:
            target = parts.target_of(file, output)
            status(f"filling {target}")
            filled = _filled(parts, file, names, wanted, imputer, gaps, fills)
            write_whole(target, _writing(parts, filled))
        status("")
        scores = imputer.validation_scores_
        kind_of = {str(column.name): column.kind for column in imputer.schema_.columns}
        for name in parts.names:
            kind = kind_of.get(name, "left alone")
            report.columns.append(
                ColumnReport(
                    name, kind, gaps[name], fills[name], column_validation(scores, name) if name in names else None
                )
            )
        report.add_warnings()
        report.seconds = round(time.perf_counter() - started, 3)
        report.write(options.report)
    return report


def _check_places(parts: ParquetParts, source: Path, output: Path, options: ImputeOptions) -> None:
    if parts.is_folder:
        if output.exists() and not output.is_dir():
            raise InvalidInputError(f"--output {str(output)!r} is a file, but the input is a folder; give a folder.")
        if output.resolve() == source.resolve():
            raise InvalidInputError(f"--output {str(output)!r} is the input folder itself; give another folder.")
        if not output.parent.is_dir():
            raise InvalidInputError(f"--output {str(output)!r}: its folder does not exist; create it first.")
    targets = [] if parts.is_folder and not output.exists() else [parts.target_of(file, output) for file in parts.files]
    for target in targets:
        check_writable(target, "--output")
    if options.model is not None:
        if options.model.resolve() in {place.resolve() for place in [*targets, *parts.files]}:
            raise InvalidParameterError(f"--model {str(options.model)!r} is one of the tables; give another file.")
        if not is_reused(options.model, options.refit):
            check_writable(options.model, "--model")
    if options.report is not None:
        check_writable(options.report, "--report")


def _fitted(
    parts: ParquetParts,
    names: list[str],
    categorical: set[str],
    kinds: dict[str, str],
    sample_rows: int,
    options: ImputeOptions,
    say: Callable[[str], None],
) -> Any:
    from tabgan.engines.streaming import fit_batches
    from tabgan.imputation.gain import GAINImputer

    settings = chosen_settings(options, names, categorical, kinds, min(parts.n_rows, sample_rows))
    imputer = GAINImputer.paper(**settings) if options.objective == "paper" else GAINImputer(**settings)
    with warnings_told(say):
        fit_batches(
            imputer, parts.frames(names), n_rows=sample_rows, random_state=options.seed, verbose=options.progress
        )
    imputer.verbose = 0
    return imputer


def _filled(
    parts: ParquetParts,
    file: Path,
    names: list[str],
    wanted: set[str],
    imputer: Any,
    gaps: Counter[str],
    fills: Counter[str],
) -> Iterator[Any]:
    """Filled tables of a file; counts missing cells and filled ones."""
    start = 0
    for table, frame in parts.tables(file, names):
        missing = frame.isna()
        gaps.update({name: int(missing[name].sum()) for name in names})
        try:
            completed = imputer.transform(frame) if missing.to_numpy().any() else frame
        except (InvalidInputError, ValueError) as error:
            raise InvalidInputError(f"{str(file)!r}, rows {start} to {start + len(frame) - 1}: {error}") from error
        start += len(frame)
        rows = {
            name: missing[name].to_numpy()
            for name in names
            if name in wanted and name in completed.columns and missing[name].any()
        }
        values = {name: completed[name][where] for name, where in rows.items()}
        fills.update({name: int(found.notna().sum()) for name, found in values.items()})
        yield parts.with_fills(table, rows, values)


def _writing(parts: ParquetParts, filled: Iterator[pd.DataFrame]) -> Callable[[BinaryIO], None]:
    return lambda stream: parts.write(stream, filled)


@contextmanager
def _folder(output: Path, wanted: bool) -> Iterator[None]:
    """A folder for the filled files; one that was made for them goes if they do not come."""
    made = wanted and not output.exists()
    if made:
        output.mkdir()
    try:
        yield
    except BaseException:
        if made:
            output.rmdir()
        raise
