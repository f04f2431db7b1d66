"""The work of `tabgan balance`: read, learn, make rows, write, in an order that fails before it trains."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabgan._files import written_together
from tabgan.cli.check_job import spelling_hints
from tabgan.cli.errors import warnings_told
from tabgan.cli.files.sources import Place, write_bytes
from tabgan.cli.files.table_files import ReadOptions, TableFile, open_table
from tabgan.cli.lookup import check_apart, check_new, known_columns, known_kinds, labels_by_text
from tabgan.cli.models import is_reused, load_model
from tabgan.cli.next_commands import after_balance
from tabgan.cli.options import check_destinations
from tabgan.cli.status import StatusLine
from tabgan.cli.summaries import BalanceReport
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.wording import listed

__all__ = ["BalanceOptions", "balance_file", "parsed_strategy"]

_STRATEGIES = ("auto", "minority", "not minority", "not majority", "all")
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class BalanceOptions:
    """What `tabgan balance` was asked for; see its ``--help``."""

    source: Place
    output: Place
    reading: ReadOptions
    target: str
    strategy: str
    method: str
    gate: str | None
    leave: Sequence[str]
    categorical: Sequence[str]
    kinds: Sequence[str]
    mark: str | None
    model: Path | None
    refit: bool
    report: Path | None
    seed: int
    device: str
    max_time: float | None
    steps: int | None
    progress: bool


def balance_file(options: BalanceOptions, say: Callable[[str], None]) -> BalanceReport:
    """Add synthetic rows to the table in one file.

    Parameters
    ----------
    options : BalanceOptions
    say : callable
        Takes one line for the user.

    Returns
    -------
    BalanceReport

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
    sampler = load_model(options.model, "sampler") if options.model is not None and reused else None
    strategy = parsed_strategy(options.strategy)
    status(f"reading {options.source.name}")
    table = open_table(options.source, options.reading, options.output)
    names, left, categorical = _columns(table, options)
    table.options = replace(options.reading, text_columns=frozenset(categorical))
    y = _labels(table, options.target)
    counts = y.value_counts(sort=False).sort_index()
    if len(counts) < 2:
        raise InvalidInputError(
            f"column {options.target!r} (--target) holds the single class {counts.index[0]!r}; it takes at least two."
        )
    singles = int((counts == 1).sum())
    if singles == len(counts) and len(counts) > 2 and options.target not in categorical:
        raise InvalidInputError(
            f"column {options.target!r} (--target) holds {len(counts)} classes of one row each: these are names of rows, or numbers, "
            "not classes. Name the column with the classes, or say --categorical "
            f"{options.target!r} if each row is a class of its own."
        )
    strategy = _for_labels(strategy, counts, options)
    wanted = _wanted(strategy, y, options)
    frame = table.frame([name for name in names if name != options.target])
    table.check_output(options.output)
    report = BalanceReport(options.source.name, options.output.destination, options.target, table.n_rows)
    report.warnings += table.first_hints() + spelling_hints(frame, y)
    report.notes += table.notes()
    if singles > max(1, len(counts) // 4):
        report.warnings.append(
            f"{singles} of the {len(counts)} classes of column {options.target!r} have a single row: rows made for them are copies or "
            "blends with other classes; join classes that are alike"
        )
    parents, fills, lines = np.zeros(0, dtype=np.int64), {}, {}
    if sampler is not None:
        _check_own(sampler, frame, y, options)
        made, _ = sampler.resample(strategy)
    elif sum(wanted.values()) or options.model is not None:
        listed_as_categories = [name for name in frame.columns if name in categorical]
        sampler = _sampler(strategy, listed_as_categories, known_kinds(table, options.kinds), options)
        status("learning from the rows" + _gate_in_words(options.gate))
        with warnings_told(say):
            made, _ = sampler.fit_resample(frame, y)
    if sampler is not None:
        parents = sampler.parents_
        fills = _changes(frame, made, parents)
        judged = sampler.report_.to_dict()
        lines = {line["class"]: line for line in judged["classes"]}
        report.warnings += judged["warnings"] + judged["training"]
        report.model = {
            "file": None if options.model is None else str(options.model),
            "reused": reused,
            "method": type(sampler).__name__,
            "steps": sampler.n_iter_,
            "stop_reason": sampler.stop_reason_,
            "seed": sampler.random_state,
            "gate": judged["gate"],
        }
        if judged["gate"] is not None:
            say(judged["gate"])
            if sampler.gate_.share == 0:
                say("note: without --gate, all rows that balance asks for are made.")
    report.n_synthetic = len(parents)
    report.classes = [
        {"class": label, "n_real": int(n), "n_synthetic": 0} | lines.get(label, {}) for label, n in counts.items()
    ]
    table.extend(parents, blank=left, mark=options.mark)
    status(f"writing {options.output.destination}")
    data = table.dumped(fills, options.output)
    status("drawing the report" if options.report else "")
    page = _page(sampler, counts, options)
    report.seconds = round(time.perf_counter() - started, 3)
    status("")
    with written_together():
        if sampler is not None and options.model is not None and not reused:
            sampler.column_styles_ = table.styles()
            sampler.set_params(verbose=0).save(options.model)
        write_bytes(options.output, data)
        report.write(options.report, page)
    return report


def _page(sampler: Any, counts: pd.Series, options: BalanceOptions) -> str | None:
    """The report as HTML, where that is wanted; made before anything is written, so that a failure leaves no file."""
    if options.report is None or options.report.suffix.lower() != ".html":
        return None
    from tabgan.report.html import render
    from tabgan.report.resampling_page import report_nothing_to_make, resampling_page

    source = options.source.path.name if options.source.path else options.source.name
    if sampler is None:
        return report_nothing_to_make(counts, source).html
    page = resampling_page(sampler, check=True, source=source)
    model = None if options.model is None else str(options.model)
    page.next_steps = after_balance(model, options.source, options.output, options.target)
    return render(page).html


def _columns(table: TableFile, options: BalanceOptions) -> tuple[list[str], set[str], set[str]]:
    """Columns to read (the target among them), those to leave empty, and those to treat as categories."""
    if options.target not in table.names:
        known_columns(table, [options.target], "--target")
        raise InvalidParameterError(f"--target {options.target!r} names more than one column; a table has one target.")
    left = known_columns(table, options.leave, "--leave") | (table.index_names - {options.target})
    categorical = known_columns(table, options.categorical, "--categorical")
    if options.target in left:
        raise InvalidParameterError(f"column {options.target!r} is in --target and in --leave; choose one.")
    check_apart(left, {"--categorical": categorical, "--kind": set(known_kinds(table, options.kinds))})
    check_new(table, options.mark)
    names = [name for name in table.names if name not in left]
    if len(names) < 2:
        raise InvalidParameterError(
            f"no column of {table.place.name} is left to learn from beside the target; leave fewer out with --leave."
        )
    return names, left, categorical


def _labels(table: TableFile, target: str) -> pd.Series:
    """The target as plain integers, truth values or texts."""
    column = table.column(target)
    gaps = np.flatnonzero(column.isna().to_numpy())
    if len(gaps):
        places = [table.row_place(int(row)) for row in gaps[:_MOST_NAMED]]
        more = f" and {len(gaps) - _MOST_NAMED} more" if len(gaps) > _MOST_NAMED else ""
        marked = " and ".join(map(repr, table.markers_in(target)))
        kept = f"; cells {marked} count as missing, and as classes with --missing {f'{target}='!r}" if marked else ""
        raise InvalidInputError(
            f"column {target!r} (--target) has no class in {', '.join(places)}{more}{kept}; fill it in or drop such rows: a class "
            "cannot be guessed."
        )
    labels = pd.Series(column.tolist(), name=target)
    if labels.dtype.kind == "f" and (labels == labels.round()).all():
        return labels.astype(np.int64)
    if labels.dtype.kind in "fmM":
        raise InvalidInputError(
            f"column {target!r} (--target) holds {'fractions' if labels.dtype.kind == 'f' else 'times'} such as "
            f"{column.iloc[0]!s}, not classes; if each is a class of its own, say so with --categorical {target!r}."
        )
    return labels if labels.dtype.kind in "bi" else labels.astype(str)


def parsed_strategy(text: str) -> Any:
    """A name, a number, or a dict from the text of a label to a number of rows.

    Raises
    ------
    InvalidParameterError
        ``--strategy`` is none of them.
    """
    if text in _STRATEGIES:
        return text
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        bad = [label for label, n in parsed.items() if isinstance(n, bool) or not isinstance(n, int) or n < 0]
        if bad:
            raise InvalidParameterError(
                f"--strategy: class {bad[0]!r} is to have {parsed[bad[0]]!r} rows; give a whole number of rows."
            )
        return parsed
    if isinstance(parsed, (int, float)) and not isinstance(parsed, bool):
        if not 0 < parsed <= 1:
            raise InvalidParameterError(
                f"--strategy {text}: a number is the minority's size as a share of the majority's, above 0 and at most 1."
            )
        return float(parsed)
    raise InvalidParameterError(
        f"--strategy {text!r} is not known; use {', '.join(map(repr, _STRATEGIES))}, a share such as 0.5, or rows per "
        "class such as '{\"a\": 100}'."
    )


def _for_labels(strategy: Any, counts: pd.Series, options: BalanceOptions) -> Any:
    """A dict strategy by the labels themselves instead of their texts."""
    if not isinstance(strategy, Mapping):
        return strategy
    labels = labels_by_text(counts.index)
    for text, n in strategy.items():
        if text not in labels:
            raise InvalidParameterError(
                f"--strategy: column {options.target!r} has no class {text!r}; it has {listed(list(labels))}."
            )
        if n < counts[labels[text]]:
            raise InvalidParameterError(
                f"--strategy: class {text!r} has {counts[labels[text]]} rows already, {n} are fewer; no row is ever "
                "removed. Give the number that it should have in the end."
            )
    return {labels[text]: n for text, n in strategy.items()}


def _wanted(strategy: Any, y: pd.Series, options: BalanceOptions) -> dict[Any, int]:
    """Rows to make per class, by imbalanced-learn's rules and with its objections."""
    from imblearn.utils import check_sampling_strategy

    try:
        return check_sampling_strategy(strategy, y.to_numpy(), "over-sampling")
    except ValueError as error:
        raise InvalidParameterError(f"--strategy {options.strategy}: {error}") from error


def _sampler(strategy: Any, categorical: list[str], kinds: dict[str, str], options: BalanceOptions) -> Any:
    from tabgan.sampling.bagan import BAGANOversampler
    from tabgan.sampling.cgan import CGANSampler

    chosen: dict[str, Any] = {
        "sampling_strategy": strategy,
        "categorical_features": categorical or None,
        "column_kinds": kinds or None,
        "gate": options.gate,
        "random_state": options.seed,
        "device": options.device,
        "max_time": options.max_time,
        "verbose": int(options.progress),
    }
    if options.steps is not None:
        chosen["n_steps"] = options.steps
    return (CGANSampler if options.method == "cgan" else BAGANOversampler)(**chosen)


def _gate_in_words(gate: str | None) -> str:
    """What a gate will cost, before it does."""
    if gate is None:
        return ""
    from tabgan.sampling.gate import most_fits

    return f"; --gate {gate} then fits up to {most_fits(gate)} classifiers by cross-validation (--max-time ends it earlier)"


def _check_own(sampler: Any, frame: pd.DataFrame, y: pd.Series, options: BalanceOptions) -> None:
    """Refuse a table that a reused sampler was not fitted on: the rows that it makes belong to its own."""
    own, labels = sampler.resample({})
    same = isinstance(own, pd.DataFrame) and own.shape == frame.shape and list(own.columns) == list(frame.columns)
    same = same and all(_equal_cells(own[name], frame[name]).all() for name in frame.columns)
    if not (same and list(labels) == y.tolist()):
        raise InvalidInputError(
            f"{options.source.name} is not the table that the model in {str(options.model)!r} was fitted on, read with "
            "the same --leave, --categorical and --missing; --refit fits a new model, and tabgan sample draws rows for "
            "any table."
        )


def _changes(frame: pd.DataFrame, made: pd.DataFrame, parents: np.ndarray) -> dict[str, pd.Series]:
    """Cells in which synthetic rows differ from those they started as, by column, indexed by row number."""
    n_own = len(frame)
    changes = {}
    for name in frame.columns:
        new, old = made[name].iloc[n_own:], frame[name].iloc[parents]
        rows = np.flatnonzero(~_equal_cells(new, old))
        if len(rows):
            changes[name] = new.iloc[rows].set_axis(n_own + rows)
    return changes


def _equal_cells(left: pd.Series, right: pd.Series) -> np.ndarray:
    """Where two columns of one length hold the same value, or both none."""
    left, right = left.reset_index(drop=True), right.reset_index(drop=True)
    same = (left.astype(object) == right.astype(object)).fillna(False).astype(bool)
    return ((left.isna() & right.isna()) | same).to_numpy()
