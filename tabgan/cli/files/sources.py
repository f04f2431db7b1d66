"""Where tables come from and go to: paths, ``-``, pipes, formats by extension, writing."""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from tabgan._files import check_place, write_last, write_whole
from tabgan.cli.errors import BROKEN_PIPE
from tabgan.cli.files.compression import PACKINGS, packed, packing_of, unpacked, zip_member
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["FORMATS", "Place", "check_writable", "decode", "member_name", "place_of", "read_bytes", "write_bytes"]

FORMATS = ("csv", "tsv", "jsonl", "parquet", "feather", "xlsx", "ods")
_EXTENSIONS = {
    ".csv": "csv",
    ".txt": "csv",
    ".dat": "csv",
    ".data": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".xlsx": "xlsx",
    ".ods": "ods",
}
_DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr|fd/\d+)")
_TEXT_FORMATS = ("csv", "tsv", "jsonl")
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before the one of UTF-16, which it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(frozen=True)
class Place:
    """A file or standard stream, and how it is written.

    Parameters
    ----------
    path : Path or None
        None is stdin or stdout.
    format : str
        One of ``FORMATS``.
    packing : str, default=None
        One of `tabgan.cli.files.compression.PACKINGS`.
    """

    path: Path | None
    format: str
    packing: str | None = None

    @property
    def name(self) -> str:
        """For messages, of what is read."""
        return repr(str(self.path)) if self.path else "standard input"

    @property
    def destination(self) -> str:
        """For messages, of what is written."""
        return repr(str(self.path)) if self.path else "standard output"


def place_of(
    text: str, chosen_format: str | None, option: str, fallback: str | None = None, like: Place | None = None
) -> Place:
    """Understand a path given on the command line.

    Parameters
    ----------
    text : str
        A path, or ``-``.
    chosen_format : str or None
        Overrules the extension; a stream without it is CSV.
    option : str
        Name of the option or argument, for messages.
    fallback : str, default=None
        Format of a file whose extension says nothing.
    like : Place, default=None
        Where the table came from, whose format goes to streams and into zip files.

    Returns
    -------
    Place

    Raises
    ------
    InvalidParameterError
        The extension or format is unknown or is only read, or packing is asked of a format that is packed in itself.
    InvalidInputError
        A zip file that is to be read holds no or several files.
    """
    if chosen_format is not None and chosen_format not in FORMATS:
        raise InvalidParameterError(
            f"format {chosen_format!r} for {option} is unknown; use one of {', '.join(FORMATS)}."
        )
    if not text:
        raise InvalidParameterError(f"{option} is an empty path; give a file, or - for a standard stream.")
    path = None if text == "-" else Path(text)
    packing = None if path is None else PACKINGS.get(path.suffix.lower())
    kind = chosen_format or _format_of(path, packing, option, like) or fallback
    if kind is None:
        raise InvalidParameterError(_unknown_extension(text, option, packing))
    if kind == "ods" and option != "INPUT":
        raise InvalidParameterError(
            f"{option} {text!r}: files of the format ods are read, not written; write .xlsx, .csv or another."
        )
    if packing and kind not in _TEXT_FORMATS:
        raise InvalidParameterError(f"{option} {text!r}: {kind} is compressed in itself; drop the {path.suffix}.")  # type: ignore[union-attr]
    return Place(path, kind, packing)


def _format_of(path: Path | None, packing: str | None, option: str, like: Place | None) -> str | None:
    """Format by what a path says, None where it says nothing."""
    usual = like.format if like is not None else "csv"
    if path is None:
        return usual
    known = _EXTENSIONS.get((Path(path.stem) if packing else path).suffix.lower())
    if known is None and packing == "zip":
        if option != "INPUT":
            return usual
        name = zip_member(_file_bytes(path), repr(str(path)))
        return _EXTENSIONS.get(Path(name).suffix.lower())
    return usual if known is None and _is_stream(path) else known


def _is_stream(path: Path) -> bool:
    """Whether a path is a pipe, a terminal or the like, such as ``/dev/stdout`` or what ``<(command)`` stands for."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or bool(_DESCRIPTOR.fullmatch(str(path)))


def _unknown_extension(text: str, option: str, packing: str | None) -> str:
    path = Path(text)
    extension = (Path(path.stem) if packing else path).suffix.lower()
    what = f"extension {extension!r}" if extension else "file without an extension"
    return (
        f"{option} {text!r}: {what} is not known; use one of {', '.join(_EXTENSIONS)} ({' '.join(PACKINGS)} may follow a text "
        "format), or name the format with --format or --output-format."
    )


def read_bytes(place: Place) -> bytes:
    """Everything in a file or on stdin, unpacked."""
    if place.path is None:
        data = sys.stdin.buffer.read()
        packing = packing_of(data) if place.format in _TEXT_FORMATS else None
    else:
        data, packing = _file_bytes(place.path), place.packing
    return unpacked(data, packing, place.name) if packing else data


def _file_bytes(path: Path) -> bytes:
    name = repr(str(path))
    if path.is_dir():
        raise InvalidInputError(f"{name} is a folder; give one file in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidInputError(f"there is no file {name}; check the path (from {os.getcwd()}).") from None
    except PermissionError:
        raise InvalidInputError(f"{name} may not be read; check its permissions.") from None


_OTHERS = (
    ((b"PK", b"xl/workbook.xml"), "let it end in .xlsx", "a workbook"),
    ((b"PK", b"opendocument.spreadsheet"), "let it end in .ods", "a workbook"),
    ((b"\xd0\xcf\x11\xe0", b""), "save it as .xlsx", "a workbook of old Excel"),
    ((b"PAR1", b"\0"), "let it end in .parquet", "a Parquet file"),
)
"""Files that are no text: how they begin and what else is in them, what to do, what they are."""


def decode(data: bytes, source: str, encoding: str, *, line: int = 1, byte: int = 0) -> tuple[str, str]:
    """Text of a file and the encoding that writes it; an error names the byte at which it stops being text.

    ``line`` and ``byte`` are where the data begin in the file.

    A byte order mark of UTF-16 or UTF-32 overrules ``encoding``, and stays in the text.
    """
    for sign, ending, what in _OTHERS:
        if data.startswith(sign[0]) and sign[1] in data:
            raise InvalidInputError(f"{source} is {what}, whatever its name says; {ending}.")
    if (packing := packing_of(data)) is not None:
        ending = next(ending for ending, how in PACKINGS.items() if how == packing)
        raise InvalidInputError(f"{source} is compressed with {packing}; let its name end in {ending}.")
    encoding = next((known for mark, known in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), encoding)
    try:
        text = data.decode(encoding)
    except LookupError:
        raise InvalidParameterError(f"--encoding {encoding!r} is unknown; use for example utf-8 or latin-1.") from None
    except UnicodeDecodeError as error:
        line += data[: error.start].count(b"\n")
        raise InvalidInputError(
            f"{source} is not {encoding} text (line {line}, byte {byte + error.start}); give the right --encoding such as "
            f"{_likely_encoding(data)}, or the right --format if it is no text at all."
        ) from None
    if "\0" in text:
        line += text[: text.index("\0")].count("\n")
        raise InvalidInputError(f"{source} holds a NUL character in line {line}: it is binary, or --encoding is wrong.")
    return text, encoding


def _likely_encoding(data: bytes) -> str:
    """What text that is no UTF-8 is in most often: what Windows writes, or what takes any byte."""
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def check_writable(path: Path, option: str) -> None:
    """Refuse a path that could not be written, before any work is done.

    Raises
    ------
    InvalidInputError
        It is a folder, its folder does not exist, or it may not be written.
    OSError
        The disk is full or fails.
    """
    if path.is_dir():
        raise InvalidInputError(f"{option} {str(path)!r} is a folder; give a file name in it.")
    folder = path.parent
    if not folder.is_dir():
        raise InvalidInputError(f"{option} {str(path)!r}: folder {str(folder)!r} does not exist; create it first.")
    try:
        check_place(path)
    except PermissionError as error:
        raise InvalidInputError(f"{option} {str(path)!r} may not be written: {error.strerror}.") from error


def write_bytes(place: Place, data: bytes) -> None:
    """Write a file whole or not at all, or everything to stdout."""
    if place.packing and place.path is not None:
        data = packed(data, place.packing, member_name(place.path, place.format))
    if place.path is None:
        write_last(lambda: _write_stdout(data))
    else:
        write_whole(place.path, data)


def member_name(path: Path, kind: str) -> str:
    """What the file within a zip file is called."""
    return path.stem if Path(path.stem).suffix else f"{path.stem}.{kind}"


def _write_stdout(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has seen enough; keep Python from complaining when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(BROKEN_PIPE) from None
