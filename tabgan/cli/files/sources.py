"""Where tables come from and go to: paths, ``-``, formats by extension, compression, writing."""

from __future__ import annotations

import codecs
import gzip
import os
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import typer

from tabgan._files import check_place, write_last, write_whole
from tabgan.cli.errors import BROKEN_PIPE
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["FORMATS", "Place", "check_writable", "decode", "place_of", "read_bytes", "write_bytes"]

FORMATS = ("csv", "tsv", "jsonl", "parquet", "feather")
_EXTENSIONS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".feather": "feather",
}
_TEXT_FORMATS = ("csv", "tsv", "jsonl")


@dataclass(frozen=True)
class Place:
    """A file or standard stream, and how it is written.

    Parameters
    ----------
    path : Path or None
        None is stdin or stdout.
    format : str
        One of ``FORMATS``.
    compressed : bool
        Through gzip.
    """

    path: Path | None
    format: str
    compressed: bool = False

    @property
    def name(self) -> str:
        """For messages, of what is read."""
        return repr(str(self.path)) if self.path else "standard input"

    @property
    def destination(self) -> str:
        """For messages, of what is written."""
        return repr(str(self.path)) if self.path else "standard output"


def place_of(text: str, chosen_format: str | None, option: str, fallback: str | None = None) -> Place:
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

    Returns
    -------
    Place

    Raises
    ------
    InvalidParameterError
        The extension or format is unknown, or gzip is asked for a format that is compressed in itself.
    """
    if chosen_format is not None and chosen_format not in FORMATS:
        raise InvalidParameterError(
            f"format {chosen_format!r} for {option} is unknown; use one of {', '.join(FORMATS)}."
        )
    if text == "-":
        return Place(None, chosen_format or "csv")
    if not text:
        raise InvalidParameterError(f"{option} is an empty path; give a file, or - for a standard stream.")
    path = Path(text)
    compressed = path.suffix.lower() == ".gz"
    extension = (Path(path.stem) if compressed else path).suffix.lower()
    kind = chosen_format or _EXTENSIONS.get(extension, fallback)
    if kind is None:
        what = f"extension {extension!r}" if extension else "file without an extension"
        raise InvalidParameterError(
            f"{option} {text!r}: {what} is not known; use one of {', '.join(_EXTENSIONS)} (.gz may follow a text "
            "format), or name the format with --format or --output-format."
        )
    if compressed and kind not in _TEXT_FORMATS:
        raise InvalidParameterError(f"{option} {text!r}: {kind} is compressed in itself; drop the .gz.")
    return Place(path, kind, compressed)


def read_bytes(place: Place) -> bytes:
    """Everything in a file or on stdin, decompressed."""
    if place.path is None:
        return sys.stdin.buffer.read()
    if place.path.is_dir():
        raise InvalidInputError(f"{place.name} is a folder; give one file in it.")
    try:
        data = place.path.read_bytes()
    except FileNotFoundError:
        raise InvalidInputError(f"there is no file {place.name}; check the path (from {os.getcwd()}).") from None
    except PermissionError:
        raise InvalidInputError(f"{place.name} may not be read; check its permissions.") from None
    if not place.compressed:
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"{place.name} is not a complete gzip file: {error}") from error


def decode(data: bytes, source: str, encoding: str) -> str:
    """Text of a file; an error names the byte at which it stops being text."""
    if data.startswith(b"\x1f\x8b"):
        raise InvalidInputError(f"{source} is compressed with gzip; let its name end in .gz.")
    try:
        text = data.decode(encoding)
    except LookupError:
        raise InvalidParameterError(f"--encoding {encoding!r} is unknown; use for example utf-8 or latin-1.") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInputError(
            f"{source} is not {encoding} text (line {line}, byte {error.start}); give the right --encoding such as "
            f"{_likely_encoding(data)}, or the right --format if it is no text at all."
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InvalidInputError(f"{source} holds a NUL character in line {line}: it is binary, or --encoding is wrong.")
    return text


def _likely_encoding(data: bytes) -> str:
    """What text that is no UTF-8 is in most often: by its byte order mark, or what Windows writes, or what takes any byte."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
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
    if place.compressed:
        data = gzip.compress(data, mtime=0)
    if place.path is None:
        write_last(lambda: _write_stdout(data))
    else:
        write_whole(place.path, data)


def _write_stdout(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has seen enough; keep Python from complaining when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(BROKEN_PIPE) from None
