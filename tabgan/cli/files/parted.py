"""Tables of one or many files that are read some rows at a time: which files, which parts, and what all formats of them share."""

from __future__ import annotations

import abc
import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from tabgan.cli.files.column_options import ColumnOptions, ReadOptions
from tabgan.cli.files.evidence import Evidence
from tabgan.cli.files.settled import Settled
from tabgan.cli.files.sources import Place, place_of
from tabgan.cli.files.table_source import TableFile
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["PARTED_FORMATS", "Inputs", "Looked", "Part", "PartedTable", "found_inputs"]

PARTED_FORMATS = ("csv", "tsv", "jsonl", "parquet", "feather")


@dataclass(frozen=True)
class Part:
    """Some rows of a file.

    Parameters
    ----------
    number : int
        Among the parts of all files.
    file : int
        Number of the file.
    start, stop : int
        Where it is, as the format counts: bytes of texts, row groups or batches of others.
    first : int
        Rows of all files before it.
    n_rows : int
    line : int, default=1
        In which line of the file it begins, or in which row.
    """

    number: int
    file: int
    start: int
    stop: int
    first: int
    n_rows: int
    line: int = 1


@dataclass(frozen=True)
class Inputs:
    """The files that an input names.

    Parameters
    ----------
    name : str
        For messages.
    places : tuple of Place
    is_several : bool
        A folder or a pattern, so that the output is a folder.
    """

    name: str
    places: tuple[Place, ...]
    is_several: bool

    @property
    def format(self) -> str:
        """Of all files."""
        return self.places[0].format

    def target_of(self, number: int, output: Path) -> Path:
        """Where the filled twin of a file goes."""
        path = self.places[number].path
        assert path is not None
        return output / path.name if self.is_several else output


def found_inputs(text: str, chosen_format: str | None) -> Inputs:
    """The files behind a path, a folder, or a pattern such as ``year/*.csv``.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        There is none; they are of several formats, or of one that is not read in parts; two have the same name.
    """
    path = Path(text)
    if text == "-":
        raise InvalidParameterError("INPUT '-' cannot be read some rows at a time, as it is read twice; give a file.")
    if path.is_dir():
        found, what = sorted(entry for entry in path.iterdir() if entry.is_file() and entry.name[0] != "."), "a folder"
    elif glob.has_magic(text) and not path.exists():
        found, what = sorted(map(Path, glob.glob(text, recursive=True))), "a pattern"
        found = [entry for entry in found if entry.is_file()]
    else:
        return Inputs(repr(text), (_place(path, chosen_format),), False)
    places = []
    for entry in found:
        try:
            places.append(_place(entry, chosen_format))
        except InvalidParameterError:
            if what == "a pattern":
                raise
    if not places:
        raise InvalidInputError(
            f"{text!r} is {what} without a file that is read in parts; these are {', '.join(PARTED_FORMATS)}, by their endings."
        )
    formats = {place.format: place.name for place in places}
    if len(formats) > 1:
        told = " and ".join(f"{kind} ({name})" for kind, name in formats.items())
        raise InvalidInputError(
            f"{text!r} holds files of several formats, {told}; name those of one, as in '{text}/*.csv'."
        )
    seen: dict[str, Path] = {}
    for place in places:
        assert place.path is not None
        if (other := seen.get(place.path.name)) is not None:
            raise InvalidInputError(
                f"{text!r}: {str(other)!r} and {str(place.path)!r} have one name; their outputs would too."
            )
        seen[place.path.name] = place.path
    return Inputs(repr(text), tuple(places), True)


def _place(path: Path, chosen_format: str | None) -> Place:
    place = place_of(str(path), chosen_format, "INPUT")
    if place.format not in PARTED_FORMATS:
        raise InvalidParameterError(
            f"INPUT {str(path)!r}: {place.format} is not read some rows at a time, but {', '.join(PARTED_FORMATS)} are; drop "
            "--batch-rows, --workers and --resume."
        )
    return place


@dataclass
class Looked:
    """What was seen of the columns in some parts; merged in any order it says the same.

    Parameters
    ----------
    order : dict of str to tuple of int
        Part, and place in it, in which a name appeared first.
    evidence : dict of str to Evidence
    nested : dict of str to (file, line, kind)
        Columns with an object or list among their cells.
    """

    order: dict[str, tuple[int, int]] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    nested: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def merge(self, other: Looked) -> None:
        """What was seen in other parts."""
        for name, place in other.order.items():
            self.order[name] = min(place, self.order.get(name, place))
        for name, evidence in other.evidence.items():
            self.evidence.setdefault(name, Evidence()).merge(evidence)
        for name, where in other.nested.items():
            self.nested[name] = min(where, self.nested.get(name, where))

    @property
    def names(self) -> list[str]:
        """All names, in the order of their first appearance."""
        return sorted(self.order, key=self.order.__getitem__)


class PartedTable(abc.ABC):
    """Files of one format with the same columns, cut into parts.

    Parameters
    ----------
    inputs : Inputs
    options : ReadOptions
    batch_rows : int
        Rows in memory at a time.

    Attributes
    ----------
    names : list of str
        The columns; empty until `look` has gone through, where only that finds them.
    parts : list of Part
        Empty until `find_parts`.
    """

    counts = "row"
    """What messages count."""

    def __init__(self, inputs: Inputs, options: ReadOptions, batch_rows: int) -> None:
        self.inputs, self.options, self.batch_rows = inputs, options, batch_rows
        self.place = inputs.places[0] if not inputs.is_several else _Named(None, inputs.format, None, inputs.name)
        self.names: list[str] = []
        self.index_names: set[str] = set()
        self.parts: list[Part] = []
        self.notes: list[str] = []
        self.paths = [place.path for place in inputs.places]

    @property
    def n_rows(self) -> int:
        """Of all files."""
        return self.parts[-1].first + self.parts[-1].n_rows if self.parts else 0

    @abc.abstractmethod
    def find_parts(self, tell: Callable[[int], None]) -> None:
        """Cut the files into parts; ``tell`` hears how many rows were found so far.

        Raises
        ------
        InvalidInputError
            There is no row, or files differ in their columns.
        """

    @abc.abstractmethod
    def texts(self) -> list[str] | None:
        """Columns that hold texts, which may be numbers or dates; None where only cells tell."""

    @abc.abstractmethod
    def tables(self, part: Part) -> Iterator[TableFile]:
        """The rows of a part, as many at a time as may be in memory."""

    @abc.abstractmethod
    def write_part(self, stream: BinaryIO, tables: Iterable[tuple[TableFile, dict[str, pd.Series]]]) -> None:
        """Write the tables of a part with cells replaced (values by row number), as `write_file` reads them."""

    @abc.abstractmethod
    def write_file(self, stream: BinaryIO, number: int, written: Sequence[Path]) -> None:
        """Write a whole file of its parts."""

    def look(self, part: Part) -> Looked:
        """What the cells of a part say of their columns."""
        found = Looked()
        for table in self.tables(part):
            wanted = self.texts()
            nested = table.nested()
            for k, name in enumerate(table.names):
                found.order.setdefault(name, (part.number, k))
                if name in nested:
                    kind, line = nested[name]
                    where = (part.file, line, kind)
                    found.nested[name] = min(where, found.nested.get(name, where))
                elif wanted is None or name in wanted:
                    table.look(name, found.evidence.setdefault(name, Evidence()), part.file)
        return found

    def settle(self, looked: Looked, names: Sequence[str]) -> list[str]:
        """Settle how the texts of columns are read; gives hints about that."""
        said = ColumnOptions(self.options, self.names, self.place.name)
        files = [place.name for place in self.inputs.places]
        known = [looked.evidence[name] for name in names if name in looked.evidence]
        marks = {evidence.likely_decimal() for evidence in known} - {None} if self.all_texts else set()
        likely = marks.pop() if len(marks) == 1 else None
        settled: dict[str, Settled] = {}
        hints = []
        for name in names:
            if name in looked.evidence:
                settled[name], hint = looked.evidence[name].settled(
                    name,
                    self.options.family(name),
                    said.writing(name, likely),
                    files,
                    of_texts=self.all_texts,
                    word=self.counts,
                )
                hints += [hint] if hint else []
        self.options = replace(self.options, settled=settled)
        return hints

    all_texts = False
    """Whether the format has nothing but texts."""

    def refuse_nested(self, looked: Looked, names: Sequence[str]) -> None:
        """Refuse columns with objects or lists among their cells."""
        nested = {name: looked.nested[name] for name in names if name in looked.nested}
        if nested:
            told = ", ".join(
                f"{name!r} ({kind}, {self.inputs.places[file].name}, line {line})"
                for name, (file, line, kind) in nested.items()
            )
            options = " ".join(f"--leave {name!r}" for name in nested)
            raise InvalidInputError(
                f"{'column' if len(nested) == 1 else 'columns'} {told}: no model takes nested cells; leave alone with {options}, or "
                "flatten into columns of their own."
            )

    @abc.abstractmethod
    def open(self) -> None:
        """Read what files say of their columns before any row.

        Raises
        ------
        InvalidInputError
            A file is absent or damaged, or has other columns than the first one.
        """

    def first_hints(self) -> list[str]:
        """What looks as if a file were read otherwise than it was meant, by its first rows."""
        return []

    def check_names(self) -> None:
        """Refuse what readers of files say of no column."""
        if self.names:
            ColumnOptions(self.options, self.names, self.place.name)

    def where(self, part: Part) -> str:
        """A part, for messages."""
        last = part.line + part.n_rows - 1
        rows = f"from line {part.line}" if self.counts == "line" else f"rows {part.line} to {last}"
        return f"{self.inputs.places[part.file].name}, {rows}"


@dataclass(frozen=True)
class _Named(Place):
    """Several files under one name."""

    said: str = ""

    @property
    def name(self) -> str:
        """For messages."""
        return self.said
