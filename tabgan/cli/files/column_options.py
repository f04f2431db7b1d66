"""What the user said of how cells are written, for all columns or each: markers, marks of numbers, formats of dates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tabgan.cli.files.settled import Settled
from tabgan.cli.files.text_columns import Writing
from tabgan.exceptions import InvalidParameterError
from tabgan.wording import suggestion
from tabgan.written.dates import date_style
from tabgan.written.detect import Style
from tabgan.written.numbers import BLANKS

__all__ = ["DEFAULT_MARKERS", "ColumnOptions", "ReadOptions", "check_options"]

DEFAULT_MARKERS = ("", "NA", "NaN", "nan", "NULL", "null", "None", "N/A", "n/a", "#N/A")
_THOUSANDS = (",", ".", "'", "\u2019", *BLANKS)
_TEXT_FAMILIES = {
    "number": "number",
    "boolean": "boolean",
    "datetime": "datetime",
    "timedelta": "timedelta",
    "text": "text",
    "category": "text",
}


_DELIMITED, _WORKBOOKS = ("csv", "tsv"), ("xlsx", "ods")


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file.

    Parameters
    ----------
    missing : sequence of str, default=()
        Markers of a missing cell besides the format's own; ``COL=MARK`` for one column, and ``COL=`` lets only empty cells of that
        column count.
    default_markers : bool, default=True
        Let ``DEFAULT_MARKERS`` count in CSV and TSV; without, only empty cells and ``missing`` do.
    header : bool, default=True
        The first line of CSV and TSV holds names.
    delimiter : str, default=None
        Of CSV and TSV; None finds it.
    encoding : str, default="utf-8"
        Of text formats, where no byte order mark says another.
    text_columns : collection of str, default=()
        Columns of CSV and TSV to read as text whatever they look like.
    families : mapping of str to str, default={}
        What a fitted model expects of columns of text formats.
    styles : mapping of str to Style, default={}
        How they were written in the file that it was fitted on.
    decimal, thousands : sequence of str, default=()
        Marks of numbers in texts, as ``MARK`` or ``COL=MARK``.
    date_formats : sequence of str, default=()
        Formats of dates in texts, as ``COL=FORMAT``.
    comment : str, default=None
        Lines of CSV and TSV that begin so are no rows.
    skip_lines : int, default=0
        Lines at the top of CSV and TSV, or rows of a workbook, that are none of the table.
    sheet : str, default=None
        Of a workbook; None is the first one.
    settled : mapping of str to Settled, default={}
        How columns of texts are read, whatever their cells are.
    """

    missing: Sequence[str] = ()
    default_markers: bool = True
    header: bool = True
    delimiter: str | None = None
    encoding: str = "utf-8"
    text_columns: Collection[str] = ()
    families: Mapping[str, str] | None = None
    styles: Mapping[str, Style] | None = None
    decimal: Sequence[str] = ()
    thousands: Sequence[str] = ()
    date_formats: Sequence[str] = ()
    comment: str | None = None
    skip_lines: int = 0
    sheet: str | None = None
    settled: Mapping[str, Settled] = field(default_factory=dict)

    def family(self, name: str) -> Any:
        """Tell what a text column must be read as, None where its cells decide."""
        return "text" if name in self.text_columns else _TEXT_FAMILIES.get((self.families or {}).get(name, ""))


def check_options(options: ReadOptions, name: str, kind: str, written: str | None = None) -> None:
    """Refuse an option that says nothing of a file's format.

    Parameters
    ----------
    options : ReadOptions
    name : str
        What the file is called.
    kind : str
        Its format.
    written : str, default=None
        The format of the table to write, if another: how texts are written, the options say as well.

    Raises
    ------
    InvalidParameterError
        Names the option and the formats that it is for.
    """
    read, either = {kind}, {kind, written}
    for option, given, formats, of in (
        ("--sheet", options.sheet is not None, _WORKBOOKS, read),
        ("--delimiter", options.delimiter is not None, _DELIMITED, either),
        ("--comment", options.comment is not None, _DELIMITED, read),
        ("--skip-lines", options.skip_lines > 0, (*_DELIMITED, *_WORKBOOKS), read),
        ("--no-header", not options.header, (*_DELIMITED, *_WORKBOOKS), either),
        (
            "--encoding",
            options.encoding.lower().replace("_", "-") not in ("utf-8", "utf8"),
            (*_DELIMITED, "jsonl"),
            either,
        ),
        ("--no-default-markers", not options.default_markers, (*_DELIMITED, *_WORKBOOKS), read),
    ):
        if given and not of & set(formats):
            listed = f"{', '.join(formats[:-1])} and {formats[-1]}"
            raise InvalidParameterError(f"{option} is for {listed}, and {name} is {kind}; drop it.")


class ColumnOptions:
    """The options of a file by column.

    Parameters
    ----------
    options : ReadOptions
    names : sequence of str
        All columns.
    source : str
        What the file is called, for messages.

    Raises
    ------
    InvalidParameterError
        An option names a column that is not there, or what it says of one is no mark or format.
    """

    def __init__(self, options: ReadOptions, names: Sequence[str], source: str) -> None:
        self._all: dict[str, list[str]] = {}
        self._own: dict[str, dict[str, list[str]]] = {}
        self._default_markers = options.default_markers
        self._styles = options.styles or {}
        for option, given in (
            ("--missing", options.missing),
            ("--decimal", options.decimal),
            ("--thousands", options.thousands),
            ("--date-format", options.date_formats),
        ):
            self._all[option], self._own[option] = _by_column(given, names, option, source)
        if self._all["--date-format"]:
            raise InvalidParameterError(
                f"--date-format {self._all['--date-format'][0]!r}: give COLUMN=FORMAT, such as 'when=%d/%m/%Y'."
            )
        for option, known in (("--decimal", (".", ",")), ("--thousands", _THOUSANDS)):
            for mark in [*self._all[option], *(mark for marks in self._own[option].values() for mark in marks)]:
                if mark not in known:
                    raise InvalidParameterError(
                        f"{option} {mark!r} is not valid; give one of {' '.join(map(repr, known[:3]))}"
                        + (" or a blank." if len(known) > 2 else ".")
                    )
        for name, formats in self._own["--date-format"].items():
            try:
                date_style(formats[-1], ())
            except ValueError as error:
                raise InvalidParameterError(
                    f"--date-format {name + '=' + formats[-1]!r}: {error}; for example %d/%m/%Y."
                ) from None

    def named_markers(self, name: str) -> list[str]:
        """Markers that the user gave for a column, by its name or for all."""
        own = self._own["--missing"].get(name, [])
        return [mark for mark in own if mark] + ([] if "" in own else self._all["--missing"])

    def default_markers(self, name: str) -> tuple[str, ...]:
        """Markers that count in a column of delimited text though nobody named them; empty cells are not among them."""
        if not self._default_markers or "" in self._own["--missing"].get(name, []):
            return ()
        named = set(self.named_markers(name))
        return tuple(mark for mark in DEFAULT_MARKERS if mark and mark not in named)

    def writing(self, name: str, likely_decimal: str | None = None) -> Writing:
        """How the user said that numbers and dates of a column are written."""
        decimal, thousands, date_format = (
            given[-1] if (given := self._own[option].get(name) or self._all[option]) else None
            for option in ("--decimal", "--thousands", "--date-format")
        )
        return Writing(decimal, thousands, date_format, likely_decimal, self._styles.get(name))


def _by_column(
    given: Sequence[str], names: Sequence[str], option: str, source: str
) -> tuple[list[str], dict[str, list[str]]]:
    """What was said of all columns, and of each; names may hold an equals sign themselves: the longest one that fits is meant."""
    every: list[str] = []
    own: dict[str, list[str]] = {}
    for text in given:
        found = max((name for name in names if name and text.startswith(f"{name}=")), key=len, default=None)
        if found is not None:
            own.setdefault(found, []).append(text.removeprefix(f"{found}="))
        elif "=" in text[1:]:
            name = text.partition("=")[0]
            raise InvalidParameterError(
                f"{option} {text!r}: {source} has no column {name!r}; {suggestion(name, names)}"
            )
        else:
            every.append(text)
    return every, own
