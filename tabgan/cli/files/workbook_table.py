"""Workbooks as tables: one sheet is read, and written back into the same workbook, in which all else stays as it was."""

from __future__ import annotations

import datetime
import io
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from tabgan.checks.stray_rows import stray_rows
from tabgan.checks.suspicions import suspected_value
from tabgan.cli.files.column_options import ReadOptions
from tabgan.cli.files.sheet_xml import SheetText, number_xml, text_xml, truth_xml
from tabgan.cli.files.sources import Place
from tabgan.cli.files.table_source import TableFile, cells_of, longer
from tabgan.cli.files.text_columns import TextColumn, amounts_column
from tabgan.cli.files.typed_cells import typed_cells, without_markers
from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError
from tabgan.wording import counted, listed, suggestion
from tabgan.written.clocks import ClockStyle
from tabgan.written.dates import DateStyle
from tabgan.written.detect import ENOUGH, Style

__all__ = ["WorkbookTable"]

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_FIRST_DAYS = (datetime.datetime(1899, 12, 30), datetime.datetime(1904, 1, 1))
_DAY = datetime.timedelta(days=1)


class WorkbookTable(TableFile):
    """A sheet of an ``.xlsx`` or ``.ods`` file; its first row that is not empty holds the names.

    Parameters
    ----------
    place : Place
    data : bytes
    options : ReadOptions

    Raises
    ------
    InvalidInputError
        The file is damaged, the sheet has no rows, or a name appears twice.
    InvalidParameterError
        It has no sheet of the name.
    MissingExtraError
        python-calamine is not installed.
    """

    def __init__(self, place: Place, data: bytes, options: ReadOptions) -> None:
        self._data = data
        rows, notes = self._read_sheet(place, data, options)
        numbers = [k for k, row in enumerate(rows) if k >= options.skip_lines and any(map(_is_given, row))]
        if len(numbers) <= options.header:
            raise InvalidInputError(
                f"{place.name}, sheet {self._sheet!r}: there is no row of a table; give --sheet or --skip-lines."
            )
        head = rows[numbers[0]] if options.header else []
        self._head_row = numbers[0]
        self._numbers = numbers[1:] if options.header else numbers
        self._xml = self._sheet_xml(place.name) if place.format == "xlsx" else None
        self._of_range: set[tuple[int, int]] = set()
        self._covered: set[tuple[int, int]] = set()
        self._spread_merged(rows)
        kept = [row for k in self._numbers if (row := rows[k])]
        width = max(len(row) for row in rows)
        self._columns = [
            j for j in range(width) if (j < len(head) and _is_given(head[j])) or any(_is_given(row[j]) for row in kept)
        ]
        names = [str(k + 1) for k in range(len(self._columns))]
        if options.header:
            names = [str(head[j]) if _is_given(head[j]) else f"Unnamed: {j}" for j in self._columns]
        repeated = [name for name, n in Counter(names).items() if n > 1]
        if repeated:
            raise InvalidInputError(
                f"{place.name}: column names {listed(repeated)} appear more than once; rename them."
            )
        self._cells = {
            name: [row[j] if _is_given(row[j]) else None for row in kept]
            for name, j in zip(names, self._columns, strict=True)
        }
        self._read: dict[str, pd.Series] = {}
        self._render: dict[str, Callable[[Any], Any]] = {}
        self._styled: dict[str, TextColumn] = {}
        self._unread: dict[str, np.ndarray] = {}
        self._parents: list[int] = []
        self._blank: set[str] = set()
        self._marks: tuple[str, np.ndarray] | None = None
        super().__init__(place, names, len(kept), options)
        self._notes += notes
        if options.header:
            shown = [["" if cell is None else str(cell).strip() for cell in cells] for cells in self._cells.values()]
            self.hints += stray_rows(
                names,
                len(kept),
                lambda row: [cells[row] for cells in shown],
                range(len(kept)),
                lambda row: f"{self.row_place(row)} of the sheet",
                lambda row: "remove it",
            )
        skipped = sorted(set(range(self._numbers[0], self._numbers[-1])) - set(self._numbers))
        if skipped:
            self.hints.append(
                f"row {skipped[0] + 1} of the sheet is blank, and those below are taken for rows of the table; remove what is none, "
                "such as sums"
            )

    def _spread_merged(self, rows: list[list[Any]]) -> None:
        """Let the value of merged cells count in all rows that they reach over; what they cover otherwise is nobody's to fill."""
        for top, left, bottom, right in [] if self._xml is None else self._xml.merged():
            inside = [k for k in self._numbers if top <= k <= bottom]
            if not inside or top < self._numbers[0]:
                continue  # a title, or names in several rows
            value = rows[top][left]
            for k, j in product(inside, range(left, min(right + 1, len(rows[top])))):
                if _is_given(value) and j == left:
                    rows[k][j] = value
                    self._of_range |= {(k, j)} if k > top else set()
                else:
                    self._covered.add((k, j))

    def _read_sheet(self, place: Place, data: bytes, options: ReadOptions) -> tuple[list[list[Any]], list[str]]:
        try:
            from python_calamine import CalamineWorkbook
        except ImportError as error:
            raise MissingExtraError(
                'workbooks need python-calamine; install it with: pip install "tabgan-learn[excel]"'
            ) from error
        try:
            book = CalamineWorkbook.from_filelike(io.BytesIO(data))
            names = book.sheet_names
            if options.sheet is not None and options.sheet not in names:
                raise InvalidParameterError(
                    f"--sheet {options.sheet!r}: {place.name} has no such sheet; {suggestion(options.sheet, names)}"
                )
            self._sheet = options.sheet or names[0]
            rows = book.get_sheet_by_name(self._sheet).to_python(skip_empty_area=False)
        except InvalidParameterError:
            raise
        except Exception as error:
            raise InvalidInputError(f"{place.name} is not a readable workbook: {error}") from error
        others = [name for name in names if name != self._sheet]
        if options.sheet is None and others:
            return rows, [
                f"sheet {self._sheet!r} is read, of {len(names)}; --sheet names another, such as {others[0]!r}"
            ]
        return rows, []

    def column(self, name: str) -> pd.Series:
        """One column as the model wants it."""
        if name not in self._read:
            self._read[name], self._render[name] = self._typed(name)
            missing = self._read[name].isna().to_numpy()
            formulas = np.zeros(self.n_rows, dtype=bool)
            if self._xml is not None:
                j = self._columns[self.names.index(name)]
                for row in np.flatnonzero(missing).tolist():
                    formulas[row] = self._xml.has_formula(self._numbers[row], j)
            covered = self._note_merged(name)
            if formulas.any():
                where = self.row_place(int(np.flatnonzero(formulas)[0]))
                self.hints.append(
                    f"column {name!r} has {counted(int(formulas.sum()), 'formula')} without a value ({where}), left as written"
                )
            self._unread[name] = self._unread.get(name, False) | formulas | (covered & missing)
        return self._read[name]

    def _note_merged(self, name: str) -> np.ndarray:
        """Say which cells of a column have the value of a merged one; where merged ones cover it is returned."""
        j = self._columns[self.names.index(name)]
        of_range = [row for row, k in enumerate(self._numbers) if (k, j) in self._of_range]
        covered = np.array([(k, j) in self._covered for k in self._numbers])
        if of_range:
            self._notes.append(f"column {name!r} has merged cells; their value counts in all rows that they reach over")
        if covered.any():
            where = self.row_place(int(np.flatnonzero(covered)[0]))
            self.hints.append(
                f"column {name!r} has {counted(int(covered.sum()), 'cell')} that merged ones cover ({where}), left as written; undo "
                "the merging to fill them"
            )
        return covered

    def _typed(self, name: str) -> tuple[pd.Series, Callable[[Any], Any]]:
        unsaid = self.said.default_markers(name)
        cells, counts = without_markers(self._cells[name], {*self.said.named_markers(name), *unsaid})
        kinds = {type(cell) for cell in cells if cell is not None}
        observed = {cell for cell in cells if cell is not None}
        for marker, n in counts.items():
            texts = ["" if cell is None else str(cell) for cell in self._cells[name]]
            asked = suspected_value(name, marker, n, texts, observed) if kinds == {str} and marker in unsaid else None
            self._count_marker(marker, name, n, asked)
        if kinds == {str}:
            gaps = np.array([cell is None for cell in cells])
            typed = amounts_column(
                name,
                [cell or "" for cell in cells],
                gaps,
                self.options.family(name),
                self.row_place,
                self.said.writing(name),
            )
            self.hints += [typed.hint] if typed.hint else []
            if not typed.is_text:
                self._styled[name] = typed
                self._unread[name] = typed.unread
                return typed.values, typed.render
        odd = np.array([isinstance(cell, str) for cell in cells])
        if {str} < kinds <= {str, int, float} and odd.sum() <= (1 - ENOUGH) * sum(cell is not None for cell in cells):
            example = next(cell for cell in cells if isinstance(cell, str))
            self.hints.append(
                f"column {name!r} holds numbers; not read: {counted(int(odd.sum()), 'cell')} such as {example!r} "
                f"({self.row_place(int(np.flatnonzero(odd)[0]))}), left as written. If that means missing, add "
                f"--missing {f'{name}={example}'!r}"
            )
            self._unread[name] = odd
            cells = [None if isinstance(cell, str) else cell for cell in cells]
        if all(isinstance(cell, float) and cell.is_integer() for cell in cells if cell is not None):
            cells = [None if cell is None else int(cell) for cell in cells]  # a workbook knows no whole numbers
        return typed_cells(cells)

    def styles(self) -> dict[str, Style]:
        """How numbers, dates and times are written in the columns of texts that were read."""
        return {name: typed.style for name, typed in self._styled.items() if typed.style is not None}

    def unread(self, name: str) -> np.ndarray:
        """Observed cells that are not written as the others of the column are, and formulas without a value."""
        unread = self._unread.get(name, np.zeros(0, dtype=bool))
        return np.pad(unread, (0, self.n_rows - len(unread)))

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        if name in self._styled:
            return self._styled[name].render
        values = self._read[name]
        if values.dtype.kind == "m":
            return ClockStyle(seconds=True, of_day=False).write
        if values.dtype.kind != "M":
            return None
        known = values.dropna()
        return DateStyle("%Y-%m-%d" if (known == known.dt.normalize()).all() else "%Y-%m-%d %H:%M:%S").write

    def _raw(self, name: str) -> list[Any] | None:
        return self._cells[name] if name in self._styled else None

    def row_place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"row {self._numbers[row] + 1}"

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        self._parents, self._blank = parents.tolist(), set(blank)
        last = self._numbers[-1]
        self._numbers = [*self._numbers, *range(last + 1, last + 1 + len(parents))]
        for name, cells in self._cells.items():
            self._cells[name] = cells + [None if name in blank else cells[row] for row in self._parents]
        self._read = {name: longer(values, parents, name in blank) for name, values in self._read.items()}

    def _add_mark(self, name: str, marked: np.ndarray) -> None:
        self._marks = name, marked
        self._cells[name], self._read[name] = marked.tolist(), pd.Series(marked, dtype="boolean")
        self._render[name] = bool
        self._columns = [*self._columns, max(self._columns) + 1]

    def _sheet_xml(self, name: str) -> SheetText:
        try:
            with zipfile.ZipFile(io.BytesIO(self._data)) as archive:
                self._part = _part_of(archive, self._sheet)
                workbook = archive.read("xl/workbook.xml").decode()
                self._first_day = _FIRST_DAYS[bool(re.search(r'\bdate1904="(1|true)"', workbook))]
                return SheetText(archive.read(self._part).decode())
        except (zipfile.BadZipFile, KeyError, ValueError, ElementTree.ParseError) as error:
            raise InvalidInputError(f"{name} is not a readable workbook: {error}") from error

    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        xml = self._xml
        assert xml is not None  # other workbooks are not written
        at = dict(zip(self.names, self._columns, strict=True))
        own = self.n_rows - len(self._parents)
        for k, parent in enumerate(self._parents):
            place, copied = self._numbers[parent], self._numbers[own + k]
            xml.copy_row(place, copied, {at[name] for name in self._blank})
            for name, j in at.items():
                if (place, j) in self._of_range and name not in self._blank:
                    xml.put(copied, j, self._content(name, self.column(name).iloc[parent]), xml.style(place, j))
        for name, values in fills.items():
            shown = self._shown_style(name, own)
            for row, value in cells_of(values):
                style = xml.style(self._numbers[row], at[name])
                xml.put(self._numbers[row], at[name], self._content(name, value), shown if shown is not None else style)
        if self._marks is not None:
            name, marked = self._marks
            if self.options.header:
                xml.put(self._head_row, at[name], text_xml(xml.prefix, name), None)
            for row, cell in enumerate(marked.tolist()):
                xml.put(self._numbers[row], at[name], truth_xml(xml.prefix, cell), None)
        return _with_part(self._data, self._part, xml.text(max(self._columns) + 1))

    def _shown_style(self, name: str, own: int) -> str | None:
        """The style in which the column's dates and times are shown; None where its cells are neither."""
        assert self._xml is not None
        if self._read[name].dtype.kind not in "mM" or name in self._styled:
            return None
        j = self._columns[self.names.index(name)]
        known = next(row for row in range(own) if self._cells[name][row] is not None)
        return self._xml.style(self._numbers[known], j)

    def _content(self, name: str, value: Any) -> tuple[str, str]:
        assert self._xml is not None
        cell, prefix = self._render[name](value), self._xml.prefix
        if isinstance(cell, bool | np.bool_):
            return truth_xml(prefix, bool(cell))
        if isinstance(cell, pd.Timestamp):
            return number_xml(prefix, (cell.to_pydatetime() - self._first_day) / _DAY)
        if isinstance(cell, pd.Timedelta):
            return number_xml(prefix, cell.to_pytimedelta() / _DAY)
        return number_xml(prefix, cell) if isinstance(cell, int | float) else text_xml(prefix, str(cell))


def _is_given(cell: Any) -> bool:
    return cell is not None and cell != ""


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The part of a workbook that holds a sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relation = next(
        element.get(_RELATION)
        for element in book.iter()
        if element.tag.endswith("}sheet") and element.get("name") == sheet
    )
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    target = next(element.get("Target", "") for element in relations.iter() if element.get("Id") == relation)
    return posixpath.normpath(posixpath.join("xl", target)).lstrip("/")


def _with_part(data: bytes, part: str, xml: str) -> bytes:
    """A workbook with another text for one of its parts; formulas are computed anew when it is opened."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == part:
                content = xml.encode()
            elif info.filename == "xl/workbook.xml":
                content = re.sub(
                    rb"(<(?:\w+:)?calcPr\b)(?![^>]*fullCalcOnLoad)", rb'\1 fullCalcOnLoad="1"', content, count=1
                )
            new.writestr(info, content, info.compress_type)
    return buffer.getvalue()
