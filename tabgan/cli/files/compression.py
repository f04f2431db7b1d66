"""Files packed by gzip, bzip2, xz, zip or zstandard: known by their name's ending, or by their first bytes."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tabgan.exceptions import InvalidInputError, MissingExtraError

__all__ = ["PACKINGS", "packed", "packing_of", "packing_stream", "unpack_file", "unpacked", "zip_member"]

PACKINGS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zip": "zip", ".zst": "zstd"}
_FIRST_BYTES = re.compile(
    rb"(?P<gzip>\x1f\x8b)|(?P<bzip2>BZh[1-9]1AY&SY)|(?P<xz>\xfd7zXZ\x00)|(?P<zip>PK\x03\x04)|(?P<zstd>\x28\xb5\x2f\xfd)"
)
_DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
_PIECE = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


def packing_of(data: bytes) -> str | None:
    """How bytes are packed, by the first of them."""
    found = _FIRST_BYTES.match(data)
    return found.lastgroup if found else None


def _zstd() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError(
            'files packed by zstandard need pyarrow; install it with: pip install "tabgan-learn[parquet]"'
        ) from error
    return pyarrow


def unpacked(data: bytes, how: str, source: str) -> bytes:
    """The bytes of a packed file.

    Parameters
    ----------
    data : bytes
    how : str
        A value of ``PACKINGS``.
    source : str
        What the file is called, for messages.

    Returns
    -------
    bytes

    Raises
    ------
    InvalidInputError
        It is damaged or packed otherwise, or a zip file does not hold a single file.
    MissingExtraError
        pyarrow, which reads zstandard, is not installed.
    """
    try:
        if how == "zip":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return archive.read(_only_member(archive, source))
        if how == "zstd":
            pa = _zstd()
            return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
        return {"gzip": gzip.decompress, "bzip2": bz2.decompress, "xz": lzma.decompress}[how](data)
    except _DAMAGED as error:
        raise InvalidInputError(f"{source} is not a complete {how} file: {error}") from error


def packed(data: bytes, how: str, member: str) -> bytes:
    """Bytes as a packed file, the same for the same bytes; ``member`` names the file within a zip file."""
    if how == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(member, _EPOCH), data, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()
    if how == "zstd":
        pa = _zstd()
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(data)
        return sink.getvalue().to_pybytes()
    if how == "gzip":
        return gzip.compress(data, mtime=0)
    return bz2.compress(data) if how == "bzip2" else lzma.compress(data)


def unpack_file(path: Path, how: str, target: BinaryIO) -> None:
    """Write the bytes of a packed file to a stream, in constant memory; see `unpacked` for what is raised."""
    with ExitStack() as stack:
        try:
            if how == "zip":
                archive = stack.enter_context(zipfile.ZipFile(path))
                source: Any = stack.enter_context(archive.open(_only_member(archive, repr(str(path)))))
            elif how == "zstd":
                pa = _zstd()
                source = stack.enter_context(pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd"))
            else:
                opened = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[how]
                source = stack.enter_context(opened(path, "rb"))  # type: ignore[operator]
            while piece := source.read(_PIECE):
                target.write(piece)
        except (FileNotFoundError, PermissionError):
            raise
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            raise InvalidInputError(f"{str(path)!r} is not a complete {how} file: {error}") from error


@contextmanager
def packing_stream(stream: BinaryIO, how: str | None, member: str) -> Iterator[BinaryIO]:
    """A stream that packs what is written to it into another one, as `packed` does; None packs nothing."""
    with ExitStack() as stack:
        if how is None:
            yield stream
        elif how == "zip":
            archive = stack.enter_context(zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED))
            entry = zipfile.ZipInfo(member, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            yield stack.enter_context(archive.open(entry, "w", force_zip64=True))  # type: ignore[misc]
        elif how == "zstd":
            yield stack.enter_context(_zstd().CompressedOutputStream(stream, "zstd"))
        elif how == "gzip":
            yield stack.enter_context(gzip.GzipFile("", "wb", fileobj=stream, mtime=0))  # type: ignore[misc]
        else:
            yield stack.enter_context((bz2.BZ2File if how == "bzip2" else lzma.LZMAFile)(stream, "wb"))  # type: ignore[misc]


def zip_member(data: bytes, source: str) -> str:
    """The name of the only file in a zip file.

    Raises
    ------
    InvalidInputError
        It is no zip file, or holds none or several.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _only_member(archive, source)
    except _DAMAGED as error:
        raise InvalidInputError(f"{source} is not a complete zip file: {error}") from error


def _only_member(archive: zipfile.ZipFile, source: str) -> str:
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".")
    ]
    if len(names) != 1:
        held = "no file" if not names else f"{len(names)} files: {', '.join(map(repr, names[:5]))}"
        raise InvalidInputError(f"{source} holds {held}; unpack it, and give the one file that holds the table.")
    return names[0]
