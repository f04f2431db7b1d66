"""``tabgan sample``: new rows from a sampler that ``tabgan balance --save`` or ``BAGANOversampler.save`` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tabgan.cli.errors import DebugOption, note
from tabgan.cli.pages import PageOption, check_page
from tabgan.exceptions import InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SAMPLE_EPILOG", "sample"]

SAMPLE_EPILOG = """The class comes as the last column. Data go to OUTPUT alone, everything else to stderr.

Examples:

tabgan sample fraud.tabgan -n 100 -o rows.csv                       (classes as frequent as in training)

tabgan sample fraud.tabgan -n 100 --class fraud --where region=north -o rows.parquet

tabgan sample fraud.tabgan -n 500 -o rows.csv --report rows.html      (beside the training rows)

tabgan sample fraud.tabgan -n 5 -o -

Exit codes: 0 done; 1 failed (disk full, missing package); 2 bad usage or input; 130 interrupted."""

_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_CLASS_COLUMN = "class"


def sample(
    model: Annotated[Path, typer.Argument(help="File that tabgan balance --save wrote.")],
    n: Annotated[int, typer.Option("-n", "--number", metavar="N", help="How many rows.")],
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="Where to: .csv .tsv .jsonl (also .gz), .parquet, .feather; - is stdout."),
    ],
    label: Annotated[
        str | None, typer.Option("--class", "-c", metavar="LABEL", help="Rows of this class only.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=VALUE", help="Rows with this value in this column. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other rows.")] = 0,
    output_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Of OUTPUT, whatever its name; CSV for stdout.")
    ] = None,
    report: PageOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    debug: DebugOption = False,
) -> None:
    """Draw new rows from a saved sampler, without training."""
    from tabgan.cli.files.sources import place_of, write_bytes
    from tabgan.cli.files.table_files import ReadOptions
    from tabgan.cli.files.table_source import frame_bytes
    from tabgan.cli.impute import _check_numbers
    from tabgan.cli.impute_job import _destination

    target = place_of(output, output_format, "--output")
    if n < 1:
        raise InvalidParameterError(f"-n {n} is not valid; it must be an integer of at least 1.")
    _check_numbers(None, None, seed)
    check_page(report, {"--output": target.path}, model)
    if target.path is not None and target.path.resolve() == model.resolve():
        raise InvalidParameterError(f"--output {str(target.path)!r} is the model itself; give another file.")
    sampler = _loaded(model)
    chosen = None if label is None else _class_of(sampler, label)
    conditions = _conditions(sampler, where or ())
    X, y = sampler.sample(n, y=chosen, where=conditions, random_state=seed)
    data = frame_bytes(_joined(X, y), target.format, ReadOptions())
    page = None
    if report is not None:
        from tabgan.report.rows_page import report_rows

        page = report_rows(sampler, X, y, where=conditions, random_state=seed)
    write_bytes(target, data)
    if page is not None:
        page.save(report)  # type: ignore[arg-type]
    if not quiet:
        note(
            f"{str(model)!r}: {n} rows of {'all classes' if label is None else f'class {label!r}'} -> {_destination(target)}"
        )


def _loaded(model: Path) -> Any:
    from tabgan.estimators.saving import load

    sampler = load(model)
    if not hasattr(sampler, "fit_resample"):
        raise InvalidParameterError(
            f"{str(model)!r} holds a {type(sampler).__name__}; tabgan sample needs a sampler, as tabgan balance --save "
            "writes it."
        )
    return sampler


def _class_of(sampler: Any, text: str) -> Any:
    from tabgan.cli.balance_job import _text

    labels = {_text(label): label for label in sampler.classes_.tolist()}
    if text not in labels:
        raise InvalidParameterError(f"--class {text!r}: the model knows no such class; {_advice(text, list(labels))}")
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
                f"--where {text!r}: the model knows no column {name!r}; {_advice(name, list(columns))}"
            )
        asked[columns[found].name] = _value(columns[found], text.removeprefix(f"{found}="), text)
    return asked or None


def _value(column: Any, text: str, option: str) -> Any:
    import pandas as pd

    if column.family in ("text", "category"):
        levels = {str(level): level for level in column.levels}
        if levels and text not in levels:
            raise InvalidParameterError(
                f"--where {option!r}: column {column.name!r} never had that value; {_advice(text, list(levels))}"
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


def _advice(text: str, known: list[str]) -> str:
    from tabgan.cli.impute_job import _listed

    close = get_close_matches(text, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"it has {_listed(known)}."


def _joined(X: Any, y: Any) -> pd.DataFrame:
    """One frame of made rows, the class last; columns without a name get their number, a class without one ``"class"``."""
    import pandas as pd
    from scipy.sparse import issparse

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


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([str(k + 1) for k in range(frame.shape[1])], axis=1)


def _days(values: pd.Series) -> pd.Series:
    """Dates without a time of day as dates."""
    import pandas as pd

    known = values.dropna()
    if values.dtype.kind != "M" or not len(known) or getattr(values.dt, "tz", None) is not None:
        return values
    if not (known == known.dt.normalize()).all():
        return values
    return pd.Series([None if moment is pd.NaT else moment.date() for moment in values], dtype=object)
