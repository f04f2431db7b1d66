"""The work of `tabgan check` and `tabgan impute --dry-run`: read a file, look at it, and say which command to run."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from tabgan.checks.findings import Finding
from tabgan.cli.errors import printable
from tabgan.cli.files.sources import Place, write_bytes
from tabgan.cli.files.table_files import ReadOptions, TableFile, open_table
from tabgan.cli.lookup import check_apart, known_columns, known_kinds
from tabgan.cli.next_commands import reading_flags
from tabgan.cli.summaries import plain_name
from tabgan.exceptions import InvalidParameterError
from tabgan.report.checked_table import TableCheck

__all__ = ["CheckOptions", "FileCheck", "check_file", "new_findings", "spelling_hints"]

_MARKER = re.compile(r"--missing ('(?:[^'\\]|\\.)*')")


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """What `tabgan check` was asked for; see its ``--help``.

    ``output`` and ``further`` are what `tabgan impute --dry-run` was given besides.
    """

    source: Place
    reading: ReadOptions
    format: str | None
    leave: Sequence[str]
    categorical: Sequence[str]
    kinds: Sequence[str]
    output: str | None = None
    further: Sequence[str] = ()


@dataclass(frozen=True)
class FileCheck:
    """What was found in one file.

    Parameters
    ----------
    source : str
    check : TableCheck
        Of the columns that the model would see.
    notes : list of str
        How the file was read, where that may be wrong.
    markers : dict of str to dict of str to int
        By column, how often each text besides the empty one was read as missing.
    left : list of str
        Columns that are left alone.
    command : list of str
        Arguments of the command to run.
    doubted : bool, default=False
        Whether the first line may hold data.
    """

    source: str
    check: TableCheck
    notes: list[str]
    markers: dict[str, Mapping[str, int]]
    left: list[str]
    command: list[str]
    doubted: bool = False

    def to_json(self) -> str:
        """Write what was found for programs."""
        content = {
            "input": plain_name(self.source),
            **self.check.to_dict(),
            "notes": self.notes,
            "markers": {name: dict(counts) for name, counts in self.markers.items()},
            "left_alone": self.left,
            "command": self.command,
        }
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_text(self) -> str:
        """Write what was found for people."""
        parts = [f"{self.source}: {self.check.to_text(command_line=True, notes=self.notes)}"]
        parts += [f"Left alone: {', '.join(self.left)}"] if self.left else []
        return printable("\n\n".join([*parts, f"Next: {shlex.join(self.command)}"])) + "\n"

    def print(self, as_json: bool = False) -> None:
        """Print on stdout."""
        write_bytes(Place(None, "text"), (self.to_json() if as_json else self.to_text()).encode())


def check_file(options: CheckOptions) -> FileCheck:
    """Look at the table in one file.

    Parameters
    ----------
    options : CheckOptions

    Returns
    -------
    FileCheck

    Raises
    ------
    TabganError
        What `tabgan impute` would refuse before training.
    """
    found = _looked_at(options)
    suggested = _suggested_markers(found, options)
    if (
        len(suggested) == len(options.reading.missing)
        or options.source.path is None
        or not options.source.path.is_file()
    ):
        return found
    # What stood between the numbers hid what else does: with the suggested markers, look once more.
    seen = {finding.columns for finding in found.check.findings if finding.kind == "sentinel"}
    again = _looked_at(replace(options, reading=replace(options.reading, missing=suggested)))
    more = [one for one in again.check.findings if one.kind == "sentinel" and one.columns not in seen]
    was = found.check
    check = TableCheck(was.n_rows, was.columns, (*was.findings, *more), was.relations, was.patterns)
    command = _command(options, replace(found, check=check), found.doubted)
    return replace(found, check=check, command=command)


def _looked_at(options: CheckOptions) -> FileCheck:
    table = open_table(options.source, options.reading)
    left = known_columns(table, options.leave, "--leave")
    categorical = known_columns(table, options.categorical, "--categorical")
    table.options = replace(options.reading, text_columns=frozenset(categorical))
    kinds: Mapping[Any, str] = known_kinds(table, options.kinds)
    check_apart(left, {"--categorical": categorical, "--kind": set(kinds)})
    names = [name for name in table.names if name not in left and name not in table.index_names]
    if not names:
        raise InvalidParameterError(f"--leave leaves no column of {table.place.name} to look at; leave fewer alone.")
    frame = table.frame(names)

    from tabgan.report.table_check import check

    listed = [name for name in names if name in categorical]
    found = check(frame, categorical_features=listed or None, column_kinds=kinds or None)
    findings = new_findings(found.findings, table)
    columns = [replace(one, n_missing=one.n_missing - _unread(table, str(one.name))) for one in found.columns]
    columns = [one if one.n_missing else replace(one, plan="") for one in columns]
    found = TableCheck(found.n_rows, tuple(columns), tuple(findings), found.relations, found.patterns)
    notes = _new_notes(findings, table)
    markers: dict[str, Mapping[str, int]] = {name: counts for name in names if (counts := table.marker_counts(name))}
    doubted = _said_of_header(table) or any(finding.kind == "first row" for finding in findings)
    seen = FileCheck(
        source=options.source.name,
        check=found,
        notes=notes,
        markers=markers,
        left=[name for name in table.names if name not in names],
        command=[],
        doubted=doubted,
    )
    return replace(seen, command=_command(options, seen, doubted))


def new_findings(findings: Sequence[Finding], table: TableFile) -> list[Finding]:
    """The findings less those on column names where the file has none, or its reading doubts them already.

    Parameters
    ----------
    findings : sequence of Finding
    table : TableFile
        Its columns are read.
    """
    findings = [_as_written(finding, table) for finding in findings]
    named = table.options.header and table.place.format in ("csv", "tsv", "xlsx", "ods") and not _said_of_header(table)
    return [finding for finding in findings if named or finding.kind != "first row"]


def spelling_hints(frame: pd.DataFrame, classes: pd.Series | None = None, sampled: bool = False) -> list[str]:
    """What to say of labels that look like one label written in several ways; of two columns, and how many more there are.

    Parameters
    ----------
    frame : DataFrame
    classes : Series, default=None
        The target column.
    sampled : bool, default=False
        Cells were counted in some rows only.
    """
    from tabgan.checks.findings import first_of_each
    from tabgan.checks.spellings import find_spellings
    from tabgan.tables.frames import read_table

    counts = None if classes is None else classes.value_counts().to_dict()
    target = "" if classes is None else f"column {str(classes.name)!r} (--target)"
    shown, left = first_of_each(find_spellings(read_table(frame), counts, target))
    where = f"in a sample of {len(frame):,} rows, " if sampled else ""
    more = [f"{left} more of these; `tabgan check` lists them all"] if left else []
    return [where + finding.text(command_line=True) for finding in shown] + more


def _as_written(finding: Finding, table: TableFile) -> Finding:
    """A marker that was found among numbers as the file writes it: ``-999`` or ``-999.0``."""
    if finding.kind != "sentinel":
        return finding
    name = str(finding.columns[0])
    mark = f"{name}={table.written(name, finding.value)}"
    return replace(finding, option=f"if it means missing, add --missing {mark!r}", flags=("--missing", mark))


def _unread(table: TableFile, name: str) -> int:
    """Cells that are kept as they are, though the model does not see them."""
    return int(table.unread(name).sum())


def _new_notes(findings: Sequence[Finding], table: TableFile) -> list[str]:
    """How the file was read, less what the findings say of odd cells."""
    odd = [f"column {str(finding.columns[0])!r}" for finding in findings if finding.kind == "written"]
    hints = [hint for hint in table.hints if not any(hint.startswith(column) for column in odd)]
    return table.notes() + hints


def _hinted_markers(notes: Sequence[str]) -> list[str]:
    """Markers that the reading of the file suggests for cells that are none of their column's kind."""
    texts = [note for note in notes if "means missing, add" in note or "mean missing, add" in note]
    return [str(ast.literal_eval(mark)) for text in texts for mark in _MARKER.findall(text)]


def _said_of_header(table: TableFile) -> bool:
    """Whether the reading of the file doubts that its first line holds names."""
    return any("--no-header" in hint for hint in table.hints)


def _suggested_markers(seen: FileCheck, options: CheckOptions) -> tuple[str, ...]:
    """Markers that the command has, and those that notes and findings suggest; by column only where not for all."""
    found = [mark for finding in seen.check.findings if finding.kind != "id" for mark in finding.flags[1::2]]
    marks = dict.fromkeys([*options.reading.missing, *_hinted_markers(seen.notes), *found])
    everywhere = {mark for mark in marks if "=" not in mark}
    return tuple(mark for mark in marks if "=" not in mark or mark.partition("=")[2] not in everywhere)


def _command(options: CheckOptions, seen: FileCheck, doubted: bool) -> list[str]:
    """Run `tabgan impute` as the file was read, with what the findings suggest."""
    reading, path, left = options.reading, options.source.path, set(seen.left)
    findings = seen.check.findings
    output = options.output or (str(_beside(path)) if path else "-")
    words = ["tabgan", "impute", str(path) if path else "-", "-o", output]
    leave = [*options.leave, *(str(f.columns[0]) for f in findings if f.kind == "id" and f.columns[0] not in left)]
    as_read = replace(reading, missing=_suggested_markers(seen, options), header=reading.header and not doubted)
    form = ["--format", options.format] if options.format else []
    return [*words, *reading_flags(as_read, leave, options.categorical, options.kinds), *form, *options.further]


def _beside(path: Path) -> Path:
    """A new name in the same folder: ``patients.csv.gz`` becomes ``patients_full.csv.gz``."""
    stem, dot, endings = path.name.partition(".")
    return path.with_name(f"{stem}_full{dot}{endings}")
