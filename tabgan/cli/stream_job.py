"""The work of `tabgan impute --batch-rows`: tables larger than memory, part by part, in one process or several; killed runs go on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from tabgan._files import write_whole, written_together
from tabgan.checks.suspicions import unread_cells
from tabgan.cli.check_job import spelling_hints
from tabgan.cli.errors import warnings_told
from tabgan.cli.files.compression import packing_stream, unpack_file
from tabgan.cli.files.parted import Looked, Part, PartedTable
from tabgan.cli.files.parted_files import open_parted
from tabgan.cli.files.sources import member_name
from tabgan.cli.files.table_source import blank_lines, first_hints, marker_lines
from tabgan.cli.impute_job import ImputeOptions, chosen_settings, model_facts
from tabgan.cli.lookup import check_apart, known_columns, known_kinds
from tabgan.cli.models import is_reused, load_model
from tabgan.cli.status import Progress, StatusLine
from tabgan.cli.stream_places import PartOptions, check_places, open_journal, output_folder
from tabgan.cli.stream_work import Filling, Looking, Sampling
from tabgan.cli.summaries import ColumnReport, ImputeReport, column_validation
from tabgan.engines.journal import Journal, write_hashed
from tabgan.engines.workers import run_parts
from tabgan.exceptions import InvalidParameterError, TabganError

__all__ = ["impute_parts"]

_SAMPLED_AT_ONCE = 5
"""Times the rows of a sample that are read before it is handed on."""


@dataclass
class _Columns:
    """What the options say of columns."""

    names: list[str]
    left: set[str]
    only: set[str]
    categorical: set[str]
    kinds: dict[str, str]


def impute_parts(options: ImputeOptions, parts: PartOptions, say: Callable[[str], None]) -> ImputeReport:
    """Fill tables part by part.

    Parameters
    ----------
    options : ImputeOptions
    parts : PartOptions
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
    output = options.output.path
    assert output is not None
    check_places(parts.inputs, output, options)
    journal = open_journal(options, parts, output)
    keep = True
    try:
        report = _Run(options, parts, journal, say).report()
        keep = False
    except TabganError:
        keep = parts.resume  # another try would end alike
        raise
    except BaseException:
        if journal.done():
            say(
                f"note: finished parts are kept beside {str(output)!r}; the same command with --resume goes on from there"
            )
        raise
    finally:
        journal.close(keep)
    return report


class _Run:
    """One run, from the files to the report."""

    def __init__(
        self, options: ImputeOptions, parts: PartOptions, journal: Journal, say: Callable[[str], None]
    ) -> None:
        self._options, self._parts, self._journal, self._say = options, parts, journal, say
        self._status = StatusLine(options.progress)
        self._warnings: list[str] = []
        self._notes: list[str] = []

    def report(self) -> ImputeReport:
        """Do all of it."""
        started = time.perf_counter()
        options, output = self._options, self._options.output.path
        assert output is not None
        reused = is_reused(options.model, options.refit)
        fitted = load_model(options.model, "imputer") if options.model is not None and reused else None
        table, columns = self._read_table(fitted)
        model = self._journal.path("model.tabgan")
        if not model.exists():
            (self._fitted(table, columns) if fitted is None else fitted).save(model)
        imputer = load_model(model, "imputer")
        facts = self._filled(table, columns, model)
        report = self._counted(table, columns, imputer, facts)
        report.model = model_facts(imputer, options, reused=reused)
        with output_folder(output, self._parts.inputs.is_several), written_together():
            if options.model is not None and not reused:
                write_whole(options.model, model.read_bytes())
            self._write_files(table, output)
            self._status("")
            report.add_warnings()
            report.seconds = round(time.perf_counter() - started, 3)
            report.write(options.report)
        return report

    def _read_table(self, fitted: Any) -> tuple[PartedTable, _Columns]:
        """Cut the files into parts, and settle how their columns are read."""
        reading = self._options.reading
        if fitted is not None:
            families = {str(column.name): column.family for column in fitted.schema_.columns}
            reading = replace(reading, families=families, styles=dict(fitted.column_styles_))
        table = open_parted(self._parts.inputs, reading, self._parts.batch_rows, self._unpacked())
        table.check_names()
        columns = self._columns(table) if table.names else None
        self._status(f"looking for rows in {table.place.name}")
        table.find_parts(lambda n: self._status(f"looking for rows in {table.place.name}: {n:,} so far"))
        if columns is not None:
            table.options = replace(table.options, text_columns=frozenset(columns.categorical))
        looked = self._looked(table) if table.texts() != [] else Looked()
        if columns is None:
            table.names = looked.names
            table.check_names()
            columns = self._columns(table)
            table.options = replace(table.options, text_columns=frozenset(columns.categorical))
        table.refuse_nested(looked, columns.names)
        self._warnings += first_hints([*table.first_hints(), *table.settle(looked, columns.names)])
        self._notes += table.notes
        return table, columns

    def _unpacked(self) -> list[Path | None]:
        """Where the bytes of each file are, packed ones unpacked."""
        paths = []
        for number, place in enumerate(self._parts.inputs.places):
            path = place.path
            if place.packing is not None and path is not None:
                self._status(f"unpacking {place.name}")
                target, packed, how = self._journal.path(f"{number}.unpacked"), path, place.packing
                if not target.exists():
                    write_hashed(target, partial(unpack_file, packed, how))
                path = target
            paths.append(path)
        return paths

    def _columns(self, table: PartedTable) -> _Columns:
        options = self._options
        left, only, categorical = (
            known_columns(table, wanted, option)
            for wanted, option in (
                (options.leave, "--leave"),
                (options.only, "--only"),
                (options.categorical, "--categorical"),
            )
        )
        kinds = known_kinds(table, options.kinds)
        check_apart(left, {"--only": only, "--categorical": categorical, "--kind": set(kinds)})
        names = [name for name in table.names if name not in left and name not in table.index_names]
        if not names:
            raise InvalidParameterError(
                f"--leave leaves no column of {table.place.name} to the model; leave fewer alone."
            )
        return _Columns(names, left, only, categorical, kinds)

    def _looked(self, table: PartedTable) -> Looked:
        looked = Looked()
        for _, found in self._through(Looking(table), table.parts, table, "looking at the columns"):
            looked.merge(found)
        return looked

    def _through(
        self, work: Callable[[Any], Any], parts: Sequence[Any], table: PartedTable, what: str, n_before: int = 0
    ) -> Iterator[tuple[Any, Any]]:
        """Results of work on parts, or on groups of them, as they come, with progress."""
        progress = Progress(self._status, what, table.n_rows, n_before)
        progress.add(0)

        def name_of(group: Part | Sequence[Part]) -> str:
            return table.where(group if isinstance(group, Part) else group[0])

        for group, found in run_parts(work, parts, n_workers=self._parts.workers, name_of=name_of):
            progress.add(sum(part.n_rows for part in ([group] if isinstance(group, Part) else group)))
            yield group, found

    def _fitted(self, table: PartedTable, columns: _Columns) -> Any:
        from tabgan.engines.row_sample import RowSample
        from tabgan.engines.streaming import fit_to_sample
        from tabgan.imputation.gain import GAINImputer

        options, n_rows = self._options, self._parts.sample_rows
        sample = RowSample(n_rows, options.seed)
        groups = list(_groups(table.parts, _SAMPLED_AT_ONCE * n_rows))
        work = Sampling(table, columns.names, n_rows, options.seed)
        for _, found in self._through(work, groups, table, "sampling rows"):
            sample.merge(found)
        self._status("")
        settings = chosen_settings(
            options, columns.names, columns.categorical, columns.kinds, min(table.n_rows, n_rows)
        )
        imputer = GAINImputer.paper(**settings) if options.objective == "paper" else GAINImputer(**settings)
        with warnings_told(self._say):
            fit_to_sample(imputer, sample)
        self._warnings += spelling_hints(sample.table(), sampled=sample.n_seen > n_rows)
        imputer.verbose = 0
        settled = table.options.settled
        imputer.column_styles_ = {name: found.style for name, found in settled.items() if found.style is not None}
        return imputer

    def _filled(self, table: PartedTable, columns: _Columns, model: Path) -> dict[int, dict[str, Any]]:
        """Fill the parts that are not done yet; what was found in each."""
        facts = self._journal.done()
        left = [part for part in table.parts if part.number not in facts]
        if facts:
            self._say(f"note: {len(facts)} of {len(table.parts)} parts were done before; {len(left)} are left")
        work = Filling(table, columns.names, columns.only, model, self._journal.parts)
        n_before = sum(part.n_rows for part in table.parts if part.number in facts)
        for part, found in self._through(work, left, table, "filling", n_before):
            self._journal.record(part.number, found)
            facts[part.number] = found
        return facts

    def _counted(
        self, table: PartedTable, columns: _Columns, imputer: Any, facts: Mapping[int, Mapping[str, Any]]
    ) -> ImputeReport:
        options, inputs = self._options, self._parts.inputs
        report = ImputeReport(inputs.name, options.output.destination, table.n_rows)
        gaps, fills = Counter[str](), Counter[str]()
        markers: dict[str, Counter[str]] = {}
        unread: dict[str, list[Any]] = {}
        blanked: dict[str, tuple[int, str]] = {}
        for number in sorted(facts):
            found = facts[number]
            gaps.update(found["gaps"])
            fills.update(found["fills"])
            for marker, counts in found["markers"].items():
                markers.setdefault(marker, Counter()).update(counts)
            for name, (n, odd, place) in found["unread"].items():
                before = unread.setdefault(name, [0, odd, place])
                before[0] += n
            for name, (n, example) in found["blanked"].items():
                n_before, first = blanked.get(name, (0, example))
                blanked[name] = n_before + n, first
        styles = {name: settled.style for name, settled in table.options.settled.items()}
        odd_cells = [
            unread_cells(name, odd, n, style.describe(), place)
            for name, (n, odd, place) in unread.items()
            if (style := styles[name]) is not None
        ]
        report.warnings += [*self._warnings, *first_hints(odd_cells)]
        report.notes += [*self._notes, *marker_lines(markers), *blank_lines(blanked)]
        kinds = {str(column.name): column.kind for column in imputer.schema_.columns}
        for name in table.names:
            seen = name in columns.names
            scores = column_validation(imputer.validation_scores_, name) if seen else None
            kind = kinds.get(name, "left alone")
            report.columns.append(ColumnReport(name, kind, gaps[name], fills[name], scores))
        return report

    def _write_files(self, table: PartedTable, output: Path) -> None:
        for number, place in enumerate(self._parts.inputs.places):
            target = self._parts.inputs.target_of(number, output)
            self._status(f"writing {str(target)!r}")
            written = [self._journal.path(f"{part.number}.part") for part in table.parts if part.file == number]
            packing = place.packing if self._parts.inputs.is_several else self._options.output.packing

            def write(
                stream: BinaryIO,
                number: int = number,
                written: Sequence[Path] = written,
                packing: str | None = packing,
                member: str = member_name(target, place.format),
            ) -> None:
                with packing_stream(stream, packing, member) as packed:
                    table.write_file(packed, number, written)

            write_whole(target, write)


def _groups(parts: Sequence[Part], n_rows: int) -> Iterator[list[Part]]:
    """Parts that follow each other, with so many rows together, or a few more."""
    group: list[Part] = []
    for part in parts:
        group.append(part)
        if sum(one.n_rows for one in group) >= n_rows:
            yield group
            group = []
    if group:
        yield group
