"""CSV, TSV and JSON-lines files that are read and written some records at a time, each byte of what was observed as it was."""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from tabgan.cli.files.compression import packing_of
from tabgan.cli.files.delimited import header_names, parse_part
from tabgan.cli.files.delimited_table import DelimitedTable, file_layout
from tabgan.cli.files.json_lines import JsonLines, parse_json_lines
from tabgan.cli.files.json_table import JsonTable
from tabgan.cli.files.parted import Part, PartedTable
from tabgan.cli.files.record_starts import Cutting, record_starts
from tabgan.cli.files.sources import decode
from tabgan.cli.files.table_source import TableFile
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["DelimitedParts", "JsonParts"]

_BEGINNING = 1 << 21
_MARKS = 'a,"\r\n \t;|{}:0'
_STATEFUL = ("utf_7", "utf-7", "iso2022", "hz")
_TELL_EVERY = 100_000


class _TextParts(PartedTable):
    counts = "line"

    def _beginning(self, number: int) -> bytes:
        """The first bytes of a file, cut after a line."""
        path, name = self.paths[number], self.inputs.places[number].name
        assert path is not None
        try:
            with path.open("rb") as stream:
                data = stream.read(_BEGINNING)
        except FileNotFoundError:
            raise InvalidInputError(f"there is no file {name}; check the path.") from None
        except PermissionError:
            raise InvalidInputError(f"{name} may not be read; check its permissions.") from None
        if not data:
            raise InvalidInputError(f"{name} is empty; it needs at least one row.")
        stop = data.rfind(self._newline(data)) + 1
        return data[: stop or len(data)] if len(data) == _BEGINNING else data

    @staticmethod
    def _newline(data: bytes) -> bytes:
        return b"\r" if b"\n" not in data and b"\r" in data else b"\n"

    def _encoding_of(self, data: bytes, name: str) -> str:
        """The encoding of a file, in which line ends and quotes are single bytes."""
        if packing_of(data) is not None:
            decode(data, name, self.options.encoding)
        for mark, encoding in ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16")):
            if data.startswith(mark):
                raise InvalidInputError(
                    f"{name} is {encoding}, which is not read some rows at a time; convert it to UTF-8."
                )
        wanted = self.options.encoding
        try:
            known = codecs.lookup(wanted).name
        except LookupError:
            raise InvalidParameterError(
                f"--encoding {wanted!r} is unknown; use for example utf-8 or latin-1."
            ) from None
        if known.startswith(_STATEFUL) or (known != "utf-8-sig" and _MARKS.encode(known) != _MARKS.encode("ascii")):
            raise InvalidParameterError(
                f"--encoding {wanted!r} is not read some rows at a time; convert the file to UTF-8."
            )
        return "utf-8" if known == "utf-8-sig" else known

    def _cut(self, number: int, at: int, line: int, cutting: Cutting, tell: Callable[[int], None]) -> None:
        """Add the parts of a file."""
        path = self.paths[number]
        assert path is not None
        name, before = self.inputs.places[number].name, self.n_rows
        begun: list[tuple[int, int, int]] = []
        n = 0
        with path.open("rb") as stream:
            for start, found in record_starts(stream, at, line, cutting, name):
                if n % self.batch_rows == 0:
                    begun.append((start, found, n))
                n += 1
                if n % _TELL_EVERY == 0:
                    tell(before + n)
        size = path.stat().st_size
        stops = [(start, first) for start, _, first in begun[1:]] + [(size, n)]
        for (start, found, first), (stop, last) in zip(begun, stops, strict=True):
            self.parts.append(Part(len(self.parts), number, start, stop, before + first, last - first, found))

    def _text(self, part: Part, encoding: str) -> str:
        """The text of a part."""
        path = self.paths[part.file]
        assert path is not None
        with path.open("rb") as stream:
            stream.seek(part.start)
            data = stream.read(part.stop - part.start)
        text, _ = decode(data, self.inputs.places[part.file].name, encoding, line=part.line, byte=part.start)
        return text

    def write_part(self, stream: BinaryIO, tables: Iterable[tuple[TableFile, dict[str, pd.Series]]]) -> None:
        """The bytes of the records."""
        for table, fills in tables:
            stream.write(table.dumped(fills, table.place))

    def write_file(self, stream: BinaryIO, number: int, written: Sequence[Path]) -> None:
        """What stands before the first record, and all parts one after another."""
        stream.write(self._head(number))
        for path in written:
            with path.open("rb") as part:
                shutil.copyfileobj(part, stream, 1 << 20)

    def _head(self, number: int) -> bytes:
        path, first = self.paths[number], next(part for part in self.parts if part.file == number)
        assert path is not None
        with path.open("rb") as stream:
            return stream.read(first.start)


@dataclass(frozen=True)
class _File:
    """How a file of delimited text is laid out."""

    encoding: str
    delimiter: str
    newline: bytes
    at: int
    """The first byte after what stands before the header."""
    line: int


class DelimitedParts(_TextParts):
    """CSV and TSV files with the same columns; see `PartedTable`."""

    all_texts = True

    def find_parts(self, tell: Callable[[int], None]) -> None:
        """Read all headers, and find where each part begins."""
        for number, file in enumerate(self._files):
            at, line = self._after_header(number, file)
            self._cut(number, at, line, self._cutting(file), tell)
            if not any(part.file == number for part in self.parts[-1:]):
                raise InvalidInputError(f"{self.inputs.places[number].name} has a header but no rows; leave it out.")

    def open(self) -> None:
        """Read the beginnings of all files: their layout and their columns."""
        self._files: list[_File] = []
        for number, place in enumerate(self.inputs.places):
            data = self._beginning(number)
            encoding = self._encoding_of(data, place.name)
            text, _ = decode(data, place.name, encoding)
            mark = "\ufeff" if text.startswith("\ufeff") else ""
            layout = file_layout(text[len(mark) :], place, self.options)
            if number == 0:
                self.notes += layout.notes
            top = (mark + text[len(mark) : len(mark) + layout.lead]).encode(encoding)
            if len(layout.delimiter.encode(encoding)) > 1:
                raise InvalidParameterError(
                    f"--delimiter {layout.delimiter!r} takes several bytes in {encoding}; such files are not read some rows at a time."
                )
            newline = self._newline(data)
            self._files.append(_File(encoding, layout.delimiter, newline, len(top), 1 + top.count(newline)))
            names = self._header(number)
            if number == 0:
                self.names = names
            elif names != self.names:
                raise InvalidInputError(
                    f"{place.name} has the columns {names}, but {self.inputs.places[0].name} has {self.names}; impute them one by "
                    "one, or write them alike."
                )
        if len(self.names) == 1:
            raise InvalidInputError(
                f"{self.place.name} has the single column {self.names[0]!r}, so that nothing informs a model; such tables are not "
                "read some rows at a time."
            )

    def _cutting(self, file: _File) -> Cutting:
        comment = (self.options.comment or "").encode(file.encoding)
        delimiter = None if file.delimiter == " " else file.delimiter.encode(file.encoding)
        return Cutting(file.newline, delimiter, comment)

    def _first_records(self, number: int, n: int) -> list[tuple[int, int]]:
        file, path = self._files[number], self.paths[number]
        assert path is not None
        name = self.inputs.places[number].name
        with path.open("rb") as stream:
            starts = record_starts(stream, file.at, file.line, self._cutting(file), name)
            return [place for _, place in zip(range(n), starts, strict=False)]

    def _header(self, number: int) -> list[str]:
        name, path = self.inputs.places[number].name, self.paths[number]
        assert path is not None
        found = self._first_records(number, 2)
        if not found:
            raise InvalidInputError(f"{name} is empty; it needs a header and at least one row.")
        start, line = found[0]
        stop = found[1][0] if len(found) > 1 else path.stat().st_size
        part = Part(0, number, start, stop, 0, 1, line)
        file = self._files[number]
        text, comment = self._text(part, file.encoding), self.options.comment
        raw = parse_part(text, name, None, file.delimiter, True, line=line, comment=comment).records[0]
        if self.options.header:
            return header_names(raw, name, file.delimiter)
        return [str(j + 1) for j in range(len(raw))]

    def _after_header(self, number: int, file: _File) -> tuple[int, int]:
        """The byte and line at which records begin."""
        if not self.options.header:
            return file.at, file.line
        found = self._first_records(number, 2)
        if len(found) < 2:
            raise InvalidInputError(
                f"{self.inputs.places[number].name} has a header but no rows; there is nothing to fill."
            )
        return found[1]

    def first_hints(self) -> list[str]:
        """Whether the header looks like a row."""
        first = next(self.tables(self.parts[0]))
        assert isinstance(first, DelimitedTable)
        first.note_layout([])
        return first.hints

    def texts(self) -> list[str]:
        """All columns."""
        return self.names

    def tables(self, part: Part) -> Iterator[TableFile]:
        """The records of a part."""
        file, place = self._files[part.file], self.inputs.places[part.file]
        parsed = parse_part(
            self._text(part, file.encoding),
            place.name,
            self.names,
            file.delimiter,
            self.options.header,
            line=part.line,
            comment=self.options.comment,
        )
        yield DelimitedTable(replace(place, packing=None), parsed, file.encoding, self.options)


class JsonParts(_TextParts):
    """JSON-lines files, whose columns are the keys of all objects; see `PartedTable`."""

    def open(self) -> None:
        """Look at the beginnings of all files."""
        self._encodings = [
            self._encoding_of(self._beginning(k), place.name) for k, place in enumerate(self.inputs.places)
        ]

    def find_parts(self, tell: Callable[[int], None]) -> None:
        """Find where each part begins."""
        cutting = Cutting(b"\n", None, blanks=b" \t\r\xef\xbb\xbf")
        for number, place in enumerate(self.inputs.places):
            before = len(self.parts)
            self._cut(number, 0, 1, cutting, tell)
            if len(self.parts) == before:
                raise InvalidInputError(f"{place.name} is empty; it needs at least one JSON object, one per line.")

    def texts(self) -> None:
        """Only cells tell."""
        return None

    def tables(self, part: Part) -> Iterator[TableFile]:
        """The objects of a part."""
        place, encoding = self.inputs.places[part.file], self._encodings[part.file]
        parsed: JsonLines = parse_json_lines(
            self._text(part, encoding), place.name, line=part.line, names=self.names or None
        )
        yield JsonTable(replace(place, packing=None), parsed, encoding, self.options)
