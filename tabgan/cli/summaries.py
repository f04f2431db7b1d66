"""What `tabgan impute` and `tabgan balance` did: for people on stderr, for programs as JSON, for both in a file."""

from __future__ import annotations

import abc
import ast
import json
import math
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tabgan.cli.errors import printable, shortened
from tabgan.cli.files.sources import Place, write_bytes
from tabgan.cli.words import in_options
from tabgan.wording import figures

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BalanceReport", "ColumnReport", "ImputeReport", "PrintedReport", "column_validation", "plain_name"]

_MOST_NAMED = 5


@dataclass
class ColumnReport:
    """One column.

    Parameters
    ----------
    name, kind : str
        Kind as the model has it, "left alone" for a column it never saw.
    missing, filled : int
        Missing cells, and how many of these were filled.
    validation : dict or None
        ``n_cells`` and either ``rmse``, ``rmse_mean``, ``nrmse``, ``nrmse_mean`` or ``error_rate``,
        ``error_rate_mode``, ``log_loss``.
    promise : dict or None
        What is promised of the filled cells: ``half_width`` of the 90 % interval, or ``probability`` of the label, both the median.
    """

    name: str
    kind: str
    missing: int
    filled: int = 0
    validation: dict[str, float] | None = None
    promise: dict[str, float] | None = None

    @property
    def no_better_than_baseline(self) -> bool:
        """Whether the validation error, as it is shown, is not below that of the mean or mode; where both are 0 there is no better."""
        found = self.validation or {}
        if "nrmse" in found:
            return round(found["nrmse"], 2) >= round(found["nrmse_mean"], 2)
        shown = [round(found.get(name, 0.0), 3) for name in ("error_rate", "error_rate_mode")]
        return "error_rate" in found and shown[0] >= shown[1] and shown[0] > 0

    def errors(self) -> tuple[str, str]:
        """Tell the validation error and that of the mean or mode, in words."""
        found = self.validation or {}
        if "nrmse" in found:
            return f"{found['nrmse']:.2f} sd", f"{found['nrmse_mean']:.2f} sd"
        if "error_rate" in found:
            return f"{found['error_rate']:.1%} wrong", f"{found['error_rate_mode']:.1%} wrong"
        return "-", "-"

    def promised(self) -> str:
        """How near the truth is promised to lie, in words."""
        found = self.promise or {}
        if "half_width" in found:
            return f"90% within ± {figures(found['half_width'])}"
        return f"{found['probability']:.0%} likely" if "probability" in found else "-"


class PrintedReport(abc.ABC):
    """What a command says on stderr when it is done: a line, a table, warnings.

    Attributes
    ----------
    heading : tuple of str
        Of the table.
    legend : str
        What its headings mean, where they do not say it themselves.
    n_texts : int
        So many columns of the table hold text, the others numbers.
    notes, warnings : list of str
    """

    heading: ClassVar[tuple[str, ...]]
    legend: ClassVar[str] = ""
    n_texts: ClassVar[int] = 2
    notes: list[str]
    warnings: list[str]

    @abc.abstractmethod
    def summary(self) -> str:
        """One line."""

    @abc.abstractmethod
    def rows(self) -> list[tuple[str, ...]]:
        """The table without its heading."""

    @abc.abstractmethod
    def to_json(self) -> str:
        """Write the report for programs."""

    def _shown(self) -> list[tuple[str, ...]]:
        """The table as it is printed: names come from files, and may hold anything at any length; JSON has them whole."""
        return [tuple(map(shortened, row)) for row in self.rows()]

    def to_text(self) -> str:
        """Write the report for people, in plain text."""
        lines = [self.summary()]
        if rows := self._shown():
            table = [self.heading, *rows]
            widths = [max(len(row[k]) for row in table) for k in range(len(self.heading))]
            lines += [
                "  ".join(
                    cell.rjust(width) if k >= self.n_texts else cell.ljust(width)
                    for k, (cell, width) in enumerate(zip(row, widths, strict=True))
                )
                for row in table
            ]
            lines += [self.legend] if self.legend and any(cell != "-" for row in rows for cell in row[-3:]) else []
        lines += [f"note: {text}" for text in self.notes]
        lines += [f"warning: {in_options(text)}" for text in self.warnings]
        return printable("\n".join(lines)) + "\n"

    def write(self, path: Path | None, page: str | None = None) -> None:
        """Write the file that ``--report`` names: ``page`` where there is one, else JSON or text by the name's ending."""
        if path is None:
            return
        text = page or (self.to_json() if path.suffix.lower() == ".json" else self.to_text())
        write_bytes(Place(path, "text"), text.encode())

    def tell(self, report: str | None, quiet: bool) -> None:
        """Say on stderr what was done, as ``--report -`` and ``--quiet`` want it."""
        if report == "-":
            sys.stderr.write(self.to_text())
        elif not quiet:
            self.show()

    def show(self) -> None:
        """Print on stderr: a rich table on a terminal, plain text elsewhere."""
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        console = Console(stderr=True)
        if not console.is_terminal:
            console.file.write(self.to_text())
            return
        console.print(escape(printable(self.summary())), highlight=False)
        if rows := self._shown():
            table = Table(*self.heading)
            for column in table.columns[self.n_texts :]:
                column.justify = "right"
            for row in rows:
                table.add_row(*map(escape, row))
            console.print(table)
        for text in self.notes:
            console.print(f"note: {escape(printable(text))}", highlight=False)
        for text in self.warnings:
            console.print(f"[yellow]warning:[/yellow] {escape(printable(in_options(text)))}", highlight=False)


@dataclass
class ImputeReport(PrintedReport):
    """One run of `tabgan impute`.

    Parameters
    ----------
    input, output : str
    n_rows : int
    columns : list of ColumnReport
    model : dict
        Objective, steps, why training stopped, seed, and whether the model was reused.
    seconds : float
    notes, warnings : list of str
    """

    heading: ClassVar[tuple[str, ...]] = (
        "column",
        "kind",
        "missing",
        "filled",
        "validation error",
        "mean or mode",
        "on cells",
        "how sure",
    )

    input: str
    output: str
    n_rows: int
    columns: list[ColumnReport] = field(default_factory=list)
    model: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add_warnings(self) -> None:
        """Say which columns stayed empty and which were filled no better than by their mean or mode on validation."""
        empty = [column.name for column in self.columns if column.missing == self.n_rows and not column.filled]
        if empty:
            self.warnings.append(f"left empty, as they hold no value to learn from: {', '.join(map(repr, empty))}")
        doubtful = [column for column in self.columns if column.filled and column.no_better_than_baseline]
        told = [
            f"{column.name!r} ({model} against {baseline} on {column.validation['n_cells']} cells)"  # type: ignore[index]
            for column in doubtful
            for model, baseline in [column.errors()]
        ]
        if told:
            more = f" and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
            self.warnings.append(
                f"filled no better than by the mean or mode: {', '.join(told[:_MOST_NAMED])}{more}; do not rely on these values"
            )

    def to_json(self) -> str:
        """Write the report for programs."""
        content = asdict(self) | {"input": plain_name(self.input), "output": plain_name(self.output)}
        content["missing"] = sum(column.missing for column in self.columns)
        content["filled"] = sum(column.filled for column in self.columns)
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def summary(self) -> str:
        """One line."""
        missing, filled = (sum(getattr(column, what) for column in self.columns) for what in ("missing", "filled"))
        how = "no missing cell, nothing to learn" if not self.model else self._how()
        done = f"{self.n_rows} rows, {filled} of {missing} missing cells filled in {self.seconds:.1f} s ({how})"
        return f"{self.input}: {done} -> {self.output}"

    def _how(self) -> str:
        if self.model["reused"]:
            return f"model reused from {self.model['file']}"
        name = "GAINImputer" if self.model["objective"] == "remask" else "published GAIN"
        steps = f", {self.model['steps']:,} steps" if self.model["steps"] else ""
        return f"{name}{steps}, seed {self.model['seed']}"

    def rows(self) -> list[tuple[str, ...]]:
        """Table of the columns with missing cells, without its heading."""
        return [
            (
                column.name,
                column.kind,
                str(column.missing),
                str(column.filled),
                *column.errors(),
                str((column.validation or {}).get("n_cells", "-")),
                column.promised(),
            )
            for column in self.columns
            if column.missing
        ]


@dataclass
class BalanceReport(PrintedReport):
    """One run of `tabgan balance`.

    Parameters
    ----------
    input, output, target : str
    n_rows, n_synthetic : int
        Rows of the input, and rows added.
    classes : list of dict
        One per class: ``class``, ``n_real``, ``n_synthetic``, and for classes that grew what `SamplingReport` says of them.
    model : dict
        File, whether the model in it was reused, method, steps, why training stopped, seed, and what the gate chose and why
        (None without one); empty when nothing was learned.
    seconds : float
    notes, warnings : list of str
    """

    heading: ClassVar[tuple[str, ...]] = (
        "class",
        "method",
        "rows",
        "synthetic",
        "like its class",
        "real rows",
        "nearest",
        "copies",
    )
    legend: ClassVar[str] = (
        "like its class: share that a classifier of real rows puts into the class; real rows: the same of real rows it did not see; "
        "nearest: distance to the nearest real row, 1 as between real rows; copies: share that equals a real row"
    )

    input: str
    output: str
    target: str
    n_rows: int
    n_synthetic: int = 0
    classes: list[dict[str, Any]] = field(default_factory=list)
    model: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """Write the report for programs."""
        content = asdict(self) | {"input": plain_name(self.input), "output": plain_name(self.output)}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def summary(self) -> str:
        """One line."""
        how = "nothing to learn"
        if self.model.get("reused"):
            how = f"model reused from {self.model['file']}"
        elif self.model:
            steps = f", {self.model['steps']:,} steps" if self.model["steps"] else ""
            how = f"{self.model['method']}{steps}, seed {self.model['seed']}"
        done = f"{self.n_rows} rows, {self.n_synthetic} synthetic rows made in {self.seconds:.1f} s ({how})"
        return f"{self.input}: {done} -> {self.output}"

    def rows(self) -> list[tuple[str, ...]]:
        """Table of the classes, without its heading."""
        return [
            (
                str(line["class"]),
                (line.get("method") or "-").partition(",")[0],
                str(line["n_real"]),
                str(line["n_synthetic"]),
                _shown(line.get("consistency"), "{:.0%}"),
                _shown(line.get("consistency_real"), "{:.0%}"),
                _shown(line.get("nearest"), "{:.2f}"),
                _shown(line.get("copies"), "{:.0%}"),
            )
            for line in self.classes
        ]


def plain_name(name: str) -> str:
    """A file's name as messages have it, without its quotes.

    Examples
    --------
    >>> plain_name("'a b.csv'"), plain_name("standard input")
    ('a b.csv', 'standard input')
    """
    return str(ast.literal_eval(name)) if name[:1] in ("'", '"') else name


def _shown(value: float | None, style: str) -> str:
    return "-" if value is None else style.format(value)


def column_validation(scores: pd.DataFrame, name: str) -> dict[str, float] | None:
    """One column's entries of `GAINImputer.validation_scores_` that apply; None when nothing of it was held out."""
    if name not in scores.index:
        return None
    row: dict[str, Any] = scores.loc[name].to_dict()
    kept = ("rmse", "rmse_mean", "nrmse", "error_rate", "error_rate_mode", "log_loss")
    found = {key: float(row[key]) for key in kept if key in row and math.isfinite(row[key])}
    if "nrmse" in found and "rmse_mean" in found:
        found["nrmse_mean"] = found["nrmse"] * found["rmse_mean"] / found["rmse"] if found["rmse"] else math.nan
        if not math.isfinite(found["nrmse_mean"]):
            found["nrmse_mean"] = 1.0
    return {"n_cells": int(row["n_cells"])} | found
