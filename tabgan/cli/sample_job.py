"""The work of `tabgan sample`: read the model, understand what is asked of the rows, draw, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.sparse import issparse

from tabgan._files import written_together
from tabgan.cli.files.column_options import ReadOptions
from tabgan.cli.files.sources import Place, write_bytes
from tabgan.cli.files.table_source import frame_bytes
from tabgan.cli.lookup import labels_by_text
from tabgan.cli.models import load_model
from tabgan.cli.options import check_page
from tabgan.exceptions import InvalidParameterError
from tabgan.wording import suggestion
from tabgan.written.detect import Style

__all__ = ["SampleOptions", "sample_file"]

_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_CLASS_COLUMN = "class"


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """What `tabgan sample` was asked for; see its ``--help``."""

    model: Path
    n: int
    output: Place
    label: str | None
    where: Sequence[str]
    seed: int
    report: Path | None


def sample_file(options: SampleOptions) -> str:
    """Draw rows from a saved sampler and write them.

    Parameters
    ----------
    options : SampleOptions

    Returns
    -------
    str
        One line on what was done.

    Raises
    ------
    TabganError
        Nothing was written then.
    """
    if options.n < 1:
        raise InvalidParameterError(f"-n {options.n} is not valid; it must be an integer of at least 1.")
    check_page(options.report, {"--output": options.output.path}, options.model)
    sampler = load_model(options.model, "sampler")
    chosen = None if options.label is None else _class_of(sampler, options.label)
    conditions = _conditions(sampler, options.where)
    X, y = sampler.sample(options.n, y=chosen, where=conditions, random_state=options.seed)
    rows = _as_written(_joined(X, y), sampler.column_styles_, options.output.format)
    data = frame_bytes(rows, options.output.format, ReadOptions())
    page = None
    if options.report is not None:
        from tabgan.report.rows_page import report_rows

        page = report_rows(sampler, X, y, where=conditions, random_state=options.seed, source=options.model.name)
    with written_together():
        write_bytes(options.output, data)
        if page is not None and options.report is not None:
            page.save(options.report)
    classes = "all classes" if options.label is None else f"class {options.label!r}"
    return f"{str(options.model)!r}: {options.n} rows of {classes} -> {options.output.destination}"


def _class_of(sampler: Any, text: str) -> Any:
    labels = labels_by_text(sampler.classes_.tolist())
    if text not in labels:
        raise InvalidParameterError(
            f"--class {text!r}: the model knows no such class; {suggestion(text, list(labels))}"
        )
    return labels[text]


def _conditions(sampler: Any, texts: Sequence[str]) -> dict[Any, Any] | None:
    """``column=value`` texts as the column's name and a value of its kind."""
    columns = {str(column.name): column for column in sampler.schema_.columns}
    asked: dict[Any, Any] = {}
    for text in texts:
        # Names may hold an equals sign themselves: the longest one that fits is meant.
        found = max((name for name in columns if text.startswith(f"{name}=")), key=len, default=None)
        if found is None:
            name, sign, _ = text.partition("=")
            if not sign:
                raise InvalidParameterError(f"--where {text!r}: give a column and a value, such as region=north.")
            raise InvalidParameterError(
                f"--where {text!r}: the model knows no column {name!r}; {suggestion(name, list(columns))}"
            )
        asked[columns[found].name] = _value(columns[found], text.removeprefix(f"{found}="), text)
    return asked or None


def _value(column: Any, text: str, option: str) -> Any:
    if column.family in ("text", "category"):
        levels = {str(level): level for level in column.levels}
        if levels and text not in levels:
            raise InvalidParameterError(
                f"--where {option!r}: column {column.name!r} never had that value; {suggestion(text, list(levels))}"
            )
        return levels.get(text, text)
    try:
        if column.family == "boolean":
            return _TRUTH[text.lower()]
        if column.family == "number":
            return float(text)
        return pd.Timestamp(text) if column.family == "datetime" else pd.Timedelta(text)
    except (KeyError, ValueError):
        raise InvalidParameterError(
            f"--where {option!r}: column {column.name!r} holds {column.family}s, and {text!r} is none."
        ) from None


def _joined(X: Any, y: Any) -> pd.DataFrame:
    """One frame of synthetic rows, the class last; columns without a name get their number, a class without one ``"class"``."""
    dense = X.toarray() if issparse(X) else X
    frame = dense.copy() if isinstance(dense, pd.DataFrame) else _numbered(pd.DataFrame(dense))
    frame.columns = [str(name) for name in frame.columns]
    labels = y if isinstance(y, pd.DataFrame) else pd.DataFrame(y)
    names = [str(name) for name in labels.columns]
    if not isinstance(y, pd.DataFrame):
        name = getattr(y, "name", None)
        names = [_CLASS_COLUMN if name is None else str(name)]
        names += [f"{names[0]}_{k + 2}" for k in range(labels.shape[1] - 1)]
    for name, (_, values) in zip(names, labels.items(), strict=True):
        while name in frame.columns:
            name += "_"
        frame[name] = values.to_numpy() if values.dtype == object else values.array
    for name in frame.columns:
        frame[name] = _days(frame[name])
    return frame


def _as_written(frame: pd.DataFrame, styles: Mapping[str, Style], kind: str) -> pd.DataFrame:
    """Cells as the file had them that the model was fitted on, in formats of text; JSON has numbers of its own."""
    texts = frame.copy()
    for name, style in styles.items():
        if name in frame.columns and (kind in ("csv", "tsv") or (kind == "jsonl" and style.family != "number")):
            cells = [
                None if missing else style.write(cell)
                for cell, missing in zip(frame[name], frame[name].isna(), strict=True)
            ]
            texts[name] = pd.Series(cells, dtype=object)
    return texts


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([str(k + 1) for k in range(frame.shape[1])], axis=1)


def _days(values: pd.Series) -> pd.Series:
    """Dates without a time of day as dates."""
    known = values.dropna()
    if values.dtype.kind != "M" or not len(known) or getattr(values.dt, "tz", None) is not None:
        return values
    if not (known == known.dt.normalize()).all():
        return values
    return pd.Series([None if moment is pd.NaT else moment.date() for moment in values], dtype=object)
