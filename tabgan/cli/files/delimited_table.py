"""CSV and TSV files as tables: typed by their texts, written back with every observed cell as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import compress, islice
from typing import Any

import numpy as np
import pandas as pd

from tabgan.checks.stray_rows import stray_rows
from tabgan.checks.suspicions import is_number, suspected_header, suspected_value
from tabgan.cli.files.column_options import DEFAULT_MARKERS, ReadOptions
from tabgan.cli.files.delimited import DelimitedText, cell_value, dropped_blanks, parse_delimited, write_delimited
from tabgan.cli.files.evidence import Evidence
from tabgan.cli.files.settled import settled_column
from tabgan.cli.files.sniffing import Layout, layout_of, suggested_flags
from tabgan.cli.files.sources import Place, decode
from tabgan.cli.files.table_source import TableFile, cells_of, delimiter_of, longer
from tabgan.cli.files.text_columns import TextColumn, typed_column
from tabgan.exceptions import InvalidInputError
from tabgan.written.detect import Style, decimal_mark

__all__ = ["DelimitedTable", "file_layout"]

_ROWS_OF_MARKS = 200


class DelimitedTable(TableFile):
    """A file of cells between delimiters.

    Parameters
    ----------
    place : Place
    parsed : DelimitedText
        Its text, or some rows of it.
    encoding : str
    options : ReadOptions
    """

    def __init__(self, place: Place, parsed: DelimitedText, encoding: str, options: ReadOptions) -> None:
        self._parsed, self._encoding = parsed, encoding
        self._typed: dict[str, TextColumn] = {}
        super().__init__(place, parsed.names, len(parsed.records), options)

    @classmethod
    def read(cls, place: Place, data: bytes, options: ReadOptions) -> DelimitedTable:
        """Read a whole file.

        Raises
        ------
        InvalidInputError
            See `tabgan.cli.files.sources.decode` and `tabgan.cli.files.delimited.parse_delimited`.
        """
        text, encoding = decode(data, place.name, options.encoding)
        layout = file_layout(text.removeprefix("\ufeff"), place, options)
        flags = ""
        try:
            parsed = parse_delimited(
                text, place.name, layout.delimiter, options.header, lead=layout.lead, comment=options.comment
            )
        except InvalidInputError as error:
            flags, why = suggested_flags(text.removeprefix("\ufeff"), layout.delimiter, layout.lead, options.comment)
            if not flags:
                raise
            raise InvalidInputError(f"{str(error).partition('; ')[0]}; {why}: add {flags}.") from error
        if len(parsed.names) == 1 and options.delimiter is None and place.format == "csv":
            flags, why = suggested_flags(text.removeprefix("\ufeff"), layout.delimiter, layout.lead, options.comment)
        if "--delimiter" in flags:
            raise InvalidInputError(
                f"{place.name} has the single column {parsed.names[0]!r} as it is; {why}: add {flags}."
            )
        table = cls(place, parsed, encoding, options)
        n = parsed.n_empty
        what = "1 line at the end holds" if n == 1 else f"{n:,} lines at the end hold"
        empty = [f"{what} nothing but delimiters, no row of the table"] if n else []
        table.note_layout([*layout.notes, *empty])
        table.hints += [] if options.delimiter else _between_blanks(parsed)
        return table

    def note_layout(self, notes: Sequence[str]) -> None:
        """Take up what was found of the layout, and look whether the header is one."""
        self._notes += notes
        header = suspected_header(self.names, self._parsed.records) if self.options.header else None
        self.hints += [header] if header else []
        if self.options.header:
            records = self._parsed.records
            self.hints += stray_rows(
                self.names,
                len(records),
                lambda row: [cell_value(raw) for raw in records[row]],
                (row for row, record in enumerate(records) if self.names[0] in record[0]),
                self.row_place,
                lambda row: f"add --comment {self._beginning(row)!r}",
            )

    def _beginning(self, row: int) -> str:
        """With what one line begins, and no other."""
        joint = self._parsed.delimiter.strip(" ")
        mine = joint.join(self._parsed.records[row]).lstrip(" ")
        others = [self._parsed.head.removeprefix("\ufeff"), *(joint.join(r) for r in self._parsed.records)]
        del others[row + 1]
        size = len(self._parsed.records[row][0].strip(" ")) or 1
        while size < len(mine) and any(other.lstrip(" ").startswith(mine[:size]) for other in others):
            size += 1
        return mine[:size]

    def _texts(self, name: str, rows: int | None = None) -> tuple[list[str], np.ndarray]:
        """Cells of a column, and which of them are missing."""
        texts = [text.strip() for text in self._cells(name, rows)]
        markers = {"", *self.said.named_markers(name), *self.said.default_markers(name)}
        return texts, np.fromiter(map(markers.__contains__, texts), dtype=bool, count=len(texts))

    def _cells(self, name: str, rows: int | None = None) -> list[str]:
        """Cells of a column without what quotes them."""
        j = self.names.index(name)
        raw = [record[j] for record in islice(self._parsed.records, rows)]
        together = "".join(raw)
        plain = '"' not in together and len(together.split()) < 2  # so that there is nothing to take away
        return raw if plain and together == together.strip() else [cell_value(cell) for cell in raw]

    @cached_property
    def _likely_decimal(self) -> str | None:
        """The decimal mark of all columns of numbers that have one for certain."""
        marks = set()
        for name in self.names:
            texts, gaps = self._texts(name, _ROWS_OF_MARKS)
            marks.add(decimal_mark(text for text, gap in zip(texts, gaps, strict=True) if not gap))
        marks.discard(None)
        return marks.pop() if len(marks) == 1 else None

    def column(self, name: str) -> pd.Series:
        """One column as the model wants it."""
        if name not in self._typed:
            texts, gaps = self._texts(name)
            if (settled := self.options.settled.get(name)) is not None:
                typed = settled_column(name, texts, gaps, settled, self.row_place)
                self._typed[name] = self._with_blanks(name, texts, typed)
                self._note_markers(name, texts, gaps, False)
                self._note_blanks(name, typed)
                return self._typed[name].values
            writing = self.said.writing(name, self._likely_decimal)
            typed = typed_column(name, texts, gaps, self.options.family(name), self.row_place, writing)
            self._typed[name] = self._with_blanks(name, texts, typed)
            self.hints += [typed.hint] if typed.hint else []
            self._note_markers(name, texts, gaps, typed.is_text)
            self._note_blanks(name, typed)
        return self._typed[name].values

    def _note_blanks(self, name: str, typed: TextColumn) -> None:
        """Labels that stand between blanks in some rows, and in others not."""
        if typed.is_text:
            j = self.names.index(name)
            raw = (record[j] for record in compress(self._parsed.records, ~typed.values.isna().to_numpy()))
            found = dropped_blanks(raw)
            self.blanked |= {} if found is None else {name: found}

    def _with_blanks(self, name: str, texts: list[str], typed: TextColumn) -> TextColumn:
        """Labels with the blanks that stand within their quotes."""
        whole = self._cells(name) if typed.is_text else texts
        if whole == texts:
            return typed
        cells = [None if gap else text for text, gap in zip(whole, typed.values.isna(), strict=True)]
        return replace(typed, values=pd.Series(cells, dtype="str"))

    def _note_markers(self, name: str, texts: list[str], gaps: np.ndarray, is_text: bool) -> None:
        counts = Counter(filter(None, compress(texts, gaps)))
        observed = set(compress(texts, ~gaps)) if counts and is_text else set()
        unsaid = self.said.default_markers(name)
        for marker, n in counts.items():
            asked = suspected_value(name, marker, n, texts, observed) if is_text and marker in unsaid else None
            self._count_marker(marker, name, n, asked)

    def styles(self) -> dict[str, Style]:
        """How numbers, dates and times are written in the columns of texts that were read."""
        return {name: typed.style for name, typed in self._typed.items() if typed.style is not None}

    def unread(self, name: str) -> np.ndarray:
        """Observed cells that are not written as the others of the column are."""
        unread = self._typed[name].unread if name in self._typed else np.zeros(0, dtype=bool)
        return np.pad(unread, (0, self.n_rows - len(unread)))

    def _style(self, name: str) -> Callable[[Any], Any] | None:
        return self._typed[name].render

    def row_place(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"line {self._parsed.lines[row]}"

    def _append(self, parents: np.ndarray, blank: set[str]) -> None:
        for name, typed in self._typed.items():
            self._typed[name] = replace(typed, values=longer(typed.values, parents, name in blank))
        empty = [name in blank for name in self.names]
        records = self._parsed.records
        self._parsed.append(
            [["" if gone else raw for raw, gone in zip(records[row], empty, strict=True)] for row in parents.tolist()]
        )

    def _add_mark(self, name: str, marked: np.ndarray) -> None:
        self._typed[name] = TextColumn(pd.Series(marked, dtype="boolean"), _truth)
        self._parsed.add_column(name if self.options.header else None, [_truth(cell) for cell in marked])

    def _dump(self, fills: dict[str, pd.Series]) -> bytes:
        for name, values in fills.items():
            j, render = self.names.index(name), self._typed[name].render
            gaps = self._typed[name].values.isna().to_numpy()
            settled = self.options.settled.get(name)
            always_quoted = self._all_quoted(j, gaps) if settled is None else settled.quoted
            for row, value in cells_of(values):
                self._parsed.replace(row, j, render(value), always_quoted)
        return self._parsed.text().encode(self._encoding)

    def _all_quoted(self, j: int, gaps: np.ndarray) -> bool:
        """Whether all observed cells of a column stand between quotes."""
        raw = (record[j] for record in compress(self._parsed.records, ~gaps))
        return not gaps.all() and all(cell.lstrip(" ").startswith('"') for cell in raw)

    def cell_text(self, name: str, row: int) -> str:
        """An observed cell as the file writes it, for messages."""
        return cell_value(self._parsed.records[row][self.names.index(name)]).strip()

    def look(self, name: str, evidence: Evidence, file: int) -> None:
        """Add the observed cells of a column to what is known of it."""
        texts, gaps = self._texts(name)
        quoted = self._all_quoted(self.names.index(name), gaps)
        evidence.add(list(compress(texts, ~gaps)), list(compress(self._parsed.lines, ~gaps)), file, quoted)

    def _check_column(self, name: str, kind: str) -> None:
        if kind in ("parquet", "feather") and self.unread(name).any():
            raise TypeError("texts among numbers")
        super()._check_column(name, kind)

    def _converted_column(self, name: str, fills: pd.Series | None, kind: str) -> pd.Series:
        values = super()._converted_column(name, fills, kind)
        rows = np.flatnonzero(self.unread(name))
        if len(rows):
            texts, _ = self._texts(name)
            values = values.astype(object)
            values.iloc[rows] = [texts[row] for row in rows]
        return values

    def _converted(self, fills: dict[str, pd.Series], kind: str) -> bytes:
        if kind not in ("csv", "tsv"):
            return super()._converted(fills, kind)
        # From one delimiter to another: the very texts, quoted anew.
        rows = [[cell_value(raw) for raw in record] for record in self._parsed.records]
        for name, values in fills.items():
            j, render = self.names.index(name), self._typed[name].render
            for row, value in cells_of(values):
                rows[row][j] = render(value)
        names = self.names if self.options.header else None
        return write_delimited(names, rows, delimiter_of(kind, ReadOptions())).encode(self._encoding)


def _between_blanks(parsed: DelimitedText) -> list[str]:
    """A hint where the cells of a single column look like several between blanks, numbers among them."""
    rows = [record[0].split() for record in parsed.records[:_ROWS_OF_MARKS]]
    n = len(parsed.names[0].split())
    if len(parsed.names) > 1 or n < 2 or any(len(row) != n for row in rows):
        return []
    numbers = any(all(is_number(row[j]) or row[j] in DEFAULT_MARKERS for row in rows) for j in range(n))
    what = f"there is the single column {parsed.names[0]!r}, and every line has {n} parts between blanks"
    return [f"{what}; if these are cells, add --delimiter ' '"] if numbers else []


def file_layout(text: str, place: Place, options: ReadOptions) -> Layout:
    """How a file of cells between delimiters is laid out, by the beginning of its text."""
    return layout_of(
        text,
        delimiter_of(place.format, replace(options, delimiter=None)),
        given=options.delimiter,
        comment=options.comment,
        skip=options.skip_lines,
        blanks=place.path is not None and not {".csv", ".tsv"} & set(place.path.suffixes),
    )


def _truth(cell: Any) -> str:
    return str(bool(cell)).lower()
