"""CSV and TSV text cut into cells without losing a byte, so that only gaps need to change."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tabgan.cli.files.line_ends import absorb_empty_rows, absorb_last_delimiters
from tabgan.exceptions import InvalidInputError

__all__ = [
    "DelimitedText",
    "cell_value",
    "dropped_blanks",
    "header_names",
    "parse_delimited",
    "parse_part",
    "write_delimited",
]


@dataclass
class DelimitedText:
    """A delimited text and where its cells are.

    Joining ``head`` and, for each record, its raw cells with the delimiter and its ``end``, gives the very text back. Where blanks are
    the delimiter, raw cells hold those before them, and are joined by nothing.

    Parameters
    ----------
    names : list of str
        Column names; "1", "2", ... without a header.
    head : str
        Everything before the first record: byte order mark, header, blank lines.
    records : list of list of str
        Raw cells, with quotes and surrounding blanks.
    ends : list of str
        What follows each record: its line end and blank lines.
    lines : list of int
        Number of the line each record begins in, from 1.
    delimiter : str
    n_empty : int, default=0
        Rows without any cell at the end, which are in the last of ``ends``.
    """

    names: list[str]
    head: str
    records: list[list[str]]
    ends: list[str]
    lines: list[int]
    delimiter: str
    n_empty: int = 0

    @property
    def _joint(self) -> str:
        return "" if self.delimiter == " " else self.delimiter

    def replace(self, row: int, column: int, value: str, quoted: bool = False) -> None:
        """Put a value into one cell, keeping the blanks before it and quoting where needed or wanted."""
        raw = self.records[row][column]
        blanks = raw[: len(raw) - len(raw.lstrip())]
        made = _quoted(value, self.delimiter, quoted or raw.lstrip().startswith('"'))
        if "\t" not in blanks and (self.delimiter == " " or not raw.strip()):
            # What stands straight goes on doing so.
            blanks = " " * max(len(raw) - len(made), int(raw.startswith(" ")))
        self.records[row][column] = blanks + made

    def append(self, records: Sequence[list[str]]) -> None:
        """Add records of raw cells at the end, each on a line of its own that ends as the others do."""
        found = re.search(r"\r?\n|\r", self.head + "".join(self.ends))
        line_end = found.group() if found else "\n"
        if records and not self.ends[-1].endswith(("\r", "\n")):
            self.ends[-1] += line_end
        self.records += records
        self.ends += [line_end] * len(records)
        self.lines += [self.lines[-1] + k + 1 for k in range(len(records))]

    def add_column(self, name: str | None, cells: Sequence[str]) -> None:
        """Add a column at the right; without a name where the text has no header."""
        if name is not None:
            stop = len(self.head.rstrip(" \r\n"))
            self.head = self.head[:stop] + self.delimiter + _quoted(name, self.delimiter, False) + self.head[stop:]
        for record, cell in zip(self.records, cells, strict=True):
            record.append(self.delimiter[len(self._joint) :] + _quoted(cell, self.delimiter, False))

    def text(self) -> str:
        """Join the whole text with its replaced cells."""
        pieces = [self.head]
        for record, end in zip(self.records, self.ends, strict=True):
            pieces.append(self._joint.join(record))
            pieces.append(end)
        return "".join(pieces)


def parse_delimited(
    text: str, source: str, delimiter: str, header: bool = True, *, lead: int = 0, comment: str | None = None
) -> DelimitedText:
    """Cut a text into records and raw cells.

    Parameters
    ----------
    text : str
        The whole file.
    source : str
        Its name, for messages.
    delimiter : str
        One character; a blank stands for any number of blanks.
    header : bool, default=True
        Whether the first record holds the column names.
    lead : int, default=0
        So many characters at the top, without a byte order mark, are none of the table.
    comment : str, default=None
        Lines that begin so are none of the table.

    Returns
    -------
    DelimitedText

    Raises
    ------
    InvalidInputError
        The text is empty or has no rows, a quote never ends, a row has too few or too many cells, or names repeat.

    Notes
    -----
    Blank lines are skipped, except between the rows of a table with a single column, where they are empty cells.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    if not text[len(mark) + lead :].strip():
        raise InvalidInputError(f"{source} is empty; it needs a header and at least one row.")
    top = text[len(mark) : len(mark) + lead]
    records, ends, lines, blank = _cut(text[len(mark) + lead :], source, delimiter, comment, _n_lines(top))
    if not records:
        raise InvalidInputError(f"{source} holds nothing but comments; it needs a header and at least one row.")
    first = records[0]
    head = mark + top + blank
    names = [str(j + 1) for j in range(len(first))]
    if header:
        names = header_names(first, source, delimiter)
        head += ("" if delimiter == " " else delimiter).join(first) + ends[0]
        records, ends, lines = records[1:], ends[1:], lines[1:]
    if len(names) == 1:
        _keep_blank_cells(records, ends, lines, comment)
    if not records:
        raise InvalidInputError(f"{source} has a header but no rows; there is nothing to learn from or to fill.")
    parsed = DelimitedText(names, head, records, ends, lines, delimiter)
    _check_lengths(parsed, source, header)
    parsed.n_empty = absorb_empty_rows(parsed.records, parsed.ends, delimiter)
    del parsed.lines[len(parsed.records) :]
    return parsed


def parse_part(
    text: str,
    source: str,
    names: Sequence[str] | None,
    delimiter: str,
    header: bool,
    *,
    line: int,
    comment: str | None = None,
) -> DelimitedText:
    """Cut some records of a text, without its header, as `parse_delimited` cuts the whole; the first begins in the given line.

    Without names any number of cells will do.

    Raises
    ------
    InvalidInputError
        A quote never ends, or a row has too few or too many cells.
    """
    records, ends, lines, lead = _cut(text, source, delimiter, comment, line - 1)
    parsed = DelimitedText(list(names or []), lead, records, ends, lines, delimiter)
    if names is not None:
        _check_lengths(parsed, source, header)
    return parsed


def header_names(raw: Sequence[str], source: str, delimiter: str) -> list[str]:
    """Names of columns by the cells of a header.

    Raises
    ------
    InvalidInputError
        One appears twice, or there is a single one that looks like several.
    """
    names = [cell_value(cell) or f"Unnamed: {j}" for j, cell in enumerate(raw)]
    _check_names(names, source, delimiter)
    return names


def _check_lengths(parsed: DelimitedText, source: str, header: bool) -> None:
    width = len(parsed.names)
    absorb_last_delimiters(width, parsed.records, parsed.ends, parsed.delimiter)
    if header and parsed.records and all(len(record) == width + 1 for record in parsed.records):
        raise InvalidInputError(
            f"{source}: the header has {width} names and every row {width + 1} cells; name the first of them, or the last, "
            "in the header."
        )
    for record, line in zip(parsed.records, parsed.lines, strict=True):
        if len(record) != len(parsed.names):
            what = "the header" if header else "the first line"
            raise InvalidInputError(
                f"{source}, line {line}: {len(record)} cells where {what} has {len(parsed.names)}; quote cells that contain "
                f"{parsed.delimiter!r}, or give the right --delimiter, or --comment or --skip-lines if such lines are no rows."
            )


def _n_lines(text: str) -> int:
    return len(re.findall(r"\r?\n|\r", text))


def _cut(
    text: str, source: str, delimiter: str, comment: str | None, n_before: int
) -> tuple[list[list[str]], list[str], list[int], str]:
    """Cut into records, what follows each, their line numbers, and blank lines and comments before the first."""
    line_end = re.compile(r"\r?\n" if "\n" in text else r"\r")
    # A cell: blanks, a quoted part in which quotes are doubled, and whatever stands before the delimiter or line end.
    cell = re.compile(rf' *"(?:[^"]|"")*"[^{re.escape(delimiter)}\r\n]*|(?! *")[^{re.escape(delimiter)}\r\n]*')
    of_blanks = re.compile(r'[ \t]*(?:"(?:[^"]|"")*"|[^ \t\r\n]+)')
    records: list[list[str]] = []
    ends: list[str] = []
    lines: list[int] = []
    lead, position, line = "", 0, n_before + 1
    while position < len(text):
        found = line_end.search(text, position)
        stop, after = (found.start(), found.end()) if found else (len(text), len(text))
        plain = text[position:stop]
        started = line
        if not plain.strip(" ") or (comment and plain.lstrip(" ").startswith(comment)):
            if records:
                ends[-1] += text[position:after]
            else:
                lead += text[position:after]
            position, line = after, line + 1
            continue
        if delimiter == " ":
            record = of_blanks.findall(plain)
            stop = position + sum(map(len, record))
        elif '"' not in plain:
            record = plain.split(delimiter)
        else:
            record, stop = _quoted_record(text, position, source, delimiter, cell, line)
            found = line_end.match(text, stop)
            after = found.end() if found else len(text)
            line += len(line_end.findall(text, position, stop))
        records.append(record)
        ends.append(text[stop:after])
        lines.append(started)
        position, line = after, line + 1
    return records, ends, lines, lead


def _quoted_record(
    text: str, position: int, source: str, delimiter: str, cell: re.Pattern[str], line: int
) -> tuple[list[str], int]:
    record: list[str] = []
    while True:
        found = cell.match(text, position)
        if found is None:
            raise InvalidInputError(
                f"{source}, line {line}, cell {len(record) + 1}: a quote opens here and never closes; close "
                'it, or double the quotes inside of a quoted cell ("").'
            )
        record.append(found.group())
        position = found.end()
        if not text.startswith(delimiter, position):
            return record, position
        position += 1


def _check_names(names: list[str], source: str, delimiter: str) -> None:
    seen: dict[str, int] = {}
    for j, name in enumerate(names):
        if name in seen:
            raise InvalidInputError(
                f"{source}: column name {name!r} appears twice (columns {seen[name] + 1} and {j + 1}); rename one, or "
                "give --no-header if the first line holds data."
            )
        seen[name] = j
    other = [mark for mark in (";", "\t", "|", ",") if mark != delimiter and mark in names[0]]
    if len(names) == 1 and other:
        raise InvalidInputError(
            f"{source} has the single column {names[0]!r} when cut at {delimiter!r}; give --delimiter {other[0]!r}."
        )


def _keep_blank_cells(records: list[list[str]], ends: list[str], lines: list[int], comment: str | None) -> None:
    """In a table with one column, a blank line between two rows is an empty cell."""
    row = 0
    while row < len(records) - 1:
        own, *rest = re.findall(r"[^\r\n]*(?:\r?\n|\r)", ends[row])
        blank: list[str] = []
        for piece in rest:
            if comment and piece.lstrip(" ").startswith(comment):  # goes with what stands before it
                blank, own = ([*blank[:-1], blank[-1] + piece], own) if blank else ([], own + piece)
            else:
                blank.append(piece)
        if blank:
            ends[row : row + 1] = [own, *(re.sub(r"^[^\r\n]*", "", end, count=1) for end in blank)]
            records[row + 1 : row + 1] = [[re.split(r"[\r\n]", end)[0]] for end in blank]
            lines[row + 1 : row + 1] = [lines[row] + k + 1 for k in range(len(blank))]
        row += 1 + len(blank)


def cell_value(raw: str) -> str:
    """Read a raw cell: without surrounding blanks, outer quotes and the doubling of inner ones."""
    text = raw.strip()
    if not text.startswith('"'):
        return text
    body, _, rest = text[1:].rpartition('"')
    return body.replace('""', '"') + rest


def dropped_blanks(cells: Iterable[str]) -> tuple[int, str] | None:
    """Raw cells that stand between blanks where other cells of the same value do not, or between others: how many, and the commonest.

    Blanks that all cells of a value have are layout; those that some have are more often a slip.
    """
    written: dict[str, dict[str, int]] = {}
    for raw, n in Counter(cells).items():
        value = raw.strip()
        if value and value[0] != '"':
            written.setdefault(value, {})[raw] = n
    several = [forms for forms in written.values() if len(forms) > 1]
    blanked = {raw: n for forms in several for raw, n in forms.items() if raw != raw.strip()}
    return (sum(blanked.values()), max(blanked, key=blanked.__getitem__)) if blanked else None


def _quoted(value: str, delimiter: str, wanted: bool) -> str:
    needed = delimiter in value or '"' in value or "\n" in value or "\r" in value or value != value.strip()
    return '"' + value.replace('"', '""') + '"' if needed or wanted else value


def write_delimited(names: Sequence[str] | None, rows: Iterable[Sequence[str]], delimiter: str) -> str:
    """Delimited text from scratch, quoted only where needed.

    Parameters
    ----------
    names : sequence of str or None
        Header; None writes none.
    rows : iterable of sequence of str
    delimiter : str

    Returns
    -------
    str
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    if names is not None:
        writer.writerow(names)
    writer.writerows(rows)
    return buffer.getvalue()
