"""Files that appear whole or not at all, several of them together, with the mode and owner of those that they replace.

What is to be written goes into a folder ``.tabgan-<16 hexadecimal digits>.part`` beside its destination, and is moved to its name
once everything is there. That folder goes when the write ends, well, badly or by a signal; one that a killed process left behind
goes at the next write beside it.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["check_place", "write_last", "write_whole", "written_together"]

_PART = re.compile(r"\.tabgan-[0-9a-f]{16}\.part")
_DESCRIPTOR = re.compile(r"/dev/fd/\d+|/proc/[^/]+/(task/[^/]+/)?fd/\d+")
_MOST_LINKS = 40
_ABANDONED_AFTER = 24 * 3600.0
"""Seconds after which a folder of parts is nobody's any more, where files cannot be locked."""


Content = bytes | Callable[[BinaryIO], Any]
"""All bytes of a file, or what writes them to a stream."""


def write_whole(path: str | os.PathLike[str], data: Content) -> None:
    """Write a file: it appears whole or not at all.

    A file of that name is replaced; its mode, owner, group and access list stay. Symbolic links are followed. Other hard links to
    it keep the old content. What is no regular file, such as a pipe, a terminal or ``/dev/stdout``, is written to as it is.

    Parameters
    ----------
    path : path-like
        The destination.
    data : bytes or callable
        All of its content, or what writes it to a binary stream.

    Raises
    ------
    OSError
        With the destination as ``filename``: its folder is absent or full, it is a folder, a disk or may not be written, or its
        owner could not be kept.
    """
    with written_together():
        _batch().add(path, data)


@contextmanager
def written_together() -> Iterator[None]:
    """Let all that `write_whole` writes within the block appear at its end, or none of it if the block raises.

    Whatever fails while files are moved is undone. Blocks within a block are part of it.

    Raises
    ------
    OSError
        See `write_whole`.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with written_together():
    ...     write_whole(folder / "a", b"first")
    ...     write_whole(folder / "b", b"second")
    ...     (folder / "a").exists()
    False
    >>> sorted(path.name for path in folder.iterdir())
    ['a', 'b']
    """
    if _current.get() is not None:
        yield
        return
    batch = _Batch()
    token = _current.set(batch)
    try:
        with _signals_raise():
            try:
                yield
                batch.finish()
            finally:
                try:
                    batch.clear()
                except BaseException:  # Ctrl-C just then
                    batch.clear()
                    raise
    finally:
        _current.reset(token)


def write_last(write: Callable[[], Any]) -> None:
    """Call ``write``, which writes to a stream, when all files of the block are there but for their names; at once outside of one."""
    batch = _current.get()
    if batch is None:
        write()
    else:
        batch.streams.append(write)


def check_place(path: str | os.PathLike[str]) -> None:
    """Try whether `write_whole` could write there now, and leave no trace.

    Raises
    ------
    OSError
        See `write_whole`.
    """
    batch = _Batch()
    try:
        batch.add(path, b"")
    finally:
        batch.clear()


@dataclass
class _File:
    """One file of a batch: what the user called it, where it is to stand, its content for now, and what it replaces."""

    path: str
    place: Path
    part: Path
    old: os.stat_result | None


@dataclass
class _Batch:
    """Files on their way.

    Parameters
    ----------
    parts : dict of Path to (Path, int or None)
        By folder of destinations, the folder of their parts and the handle that locks it.
    files : list of _File
    streams : list of callable
        What is written to as it is, before any file is moved.
    """

    parts: dict[Path, tuple[Path, int | None]] = field(default_factory=dict)
    files: list[_File] = field(default_factory=list)
    streams: list[Callable[[], Any]] = field(default_factory=list)

    def add(self, path: str | os.PathLike[str], data: Content) -> None:
        name = os.fsdecode(path)
        with _errors_name(name):
            place, old = _destination(name)
            if place is None:
                self.streams.append(lambda: _write_to(name, data))
                return
            if old is not None and not os.access(place, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
            file = _File(name, place, self._parts_of(place.parent) / str(len(self.files)), old)
            _write_part(file, file.part, data)
            self.files.append(file)

    def finish(self) -> None:
        """Write to streams, then move all files; an error on the way puts back what was there."""
        for write in self.streams:
            write()
        begun: list[_File] = []
        try:
            for file in self.files:
                with _errors_name(file.path):
                    if file.old is not None and len(self.files) > 1:
                        _keep_old(file)
                    begun.append(file)
                    os.replace(file.part, file.place)
        except BaseException:
            for file in reversed(begun):
                if not file.part.exists():  # it was moved
                    with suppress(OSError):
                        _put_back(file)
            raise

    def clear(self) -> None:
        """Remove what is left of the parts."""
        for folder, (parts, lock) in list(self.parts.items()):
            _remove(parts, lock)
            del self.parts[folder]
            if lock is not None:
                os.close(lock)

    def _parts_of(self, folder: Path) -> Path:
        if folder not in self.parts:
            _sweep(folder)
            lock, own = None, False
            while not own:  # another process may take the folder for an abandoned one before it is locked
                parts = folder / f".tabgan-{secrets.token_hex(8)}.part"
                self.parts[folder] = parts, None
                parts.mkdir(0o700)
                lock, free = _locked(parts)
                own = free and parts.exists()
                if not own and lock is not None:
                    os.close(lock)
            self.parts[folder] = parts, lock
        return self.parts[folder][0]


_current: ContextVar[_Batch | None] = ContextVar("tabgan_files", default=None)


def _batch() -> _Batch:
    batch = _current.get()
    assert batch is not None
    return batch


def _destination(name: str) -> tuple[Path | None, os.stat_result | None]:
    """The place behind all symbolic links, None if it is to be written to as it is; and what stands there."""
    if not name:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    if os.path.isdir(name):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    place = Path(name)
    for _ in range(_MOST_LINKS):
        place = Path(os.path.realpath(place.parent)) / place.name
        if _DESCRIPTOR.fullmatch(str(place)):
            return None, None
        if not place.is_symlink():
            break
        place = place.parent / os.readlink(place)
    else:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
    try:
        old = os.stat(place)
    except FileNotFoundError:
        return place, None
    if stat.S_ISBLK(old.st_mode):
        raise PermissionError(errno.EPERM, "Is a disk, which a file would overwrite", name)
    return (place, old) if stat.S_ISREG(old.st_mode) else (None, old)


def _put(data: Content, stream: BinaryIO) -> None:
    stream.write(data) if isinstance(data, bytes) else data(stream)


def _write_to(name: str, data: Content) -> None:
    """Write to a pipe, terminal or open file, at its end."""
    with _errors_name(name), os.fdopen(os.open(name, os.O_WRONLY | os.O_APPEND), "wb") as stream:
        _put(data, stream)


def _write_part(file: _File, part: Path, data: Content) -> None:
    """Write content to the disk under a name for now, with the mode and owner that it is to have."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # A new file follows the user's umask like any other.
    handle = os.open(part, flags, 0o666 if file.old is None else 0o600)
    with os.fdopen(handle, "wb") as written:
        _put(data, written)
        written.flush()
        os.fsync(handle)  # a power cut must not leave a name without its bytes
    if file.old is not None:
        _take_over(file, part, file.old)


def _take_over(file: _File, part: Path, old: os.stat_result) -> None:
    """Give a part the owner, group, access list and mode of the file that it is to replace."""
    now = part.stat()
    if (now.st_uid, now.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.chown(part, old.st_uid, old.st_gid)
        except OSError as error:
            raise PermissionError(
                errno.EPERM,
                "Belongs to another user or group, who would lose it; delete it or give another name",
                file.path,
            ) from error
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(file.place):
                with suppress(OSError):
                    os.setxattr(part, name, os.getxattr(file.place, name))
    if stat.S_IMODE(part.stat().st_mode) != stat.S_IMODE(old.st_mode):
        part.chmod(stat.S_IMODE(old.st_mode))


def _kept(file: _File) -> Path:
    return file.part.with_suffix(".old")


def _keep_old(file: _File) -> None:
    """Keep the file that is to be replaced: it comes back if a later one of the batch cannot be moved."""
    try:
        os.link(file.place, _kept(file))
    except FileNotFoundError:
        file.old = None  # somebody else removed it meanwhile
    except (OSError, NotImplementedError):  # not every file system has hard links
        _write_part(file, _kept(file), file.place.read_bytes())


def _put_back(file: _File) -> None:
    if file.old is None:
        file.place.unlink()
    elif _kept(file).exists():
        os.replace(_kept(file), file.place)


def _locked(parts: Path) -> tuple[int | None, bool]:
    """A handle that locks a folder of parts, None where that cannot be; and whether no other process has it."""
    if fcntl is None:
        return None, True
    try:
        handle = os.open(parts, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    except FileNotFoundError:  # somebody has just swept it
        return None, False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        return None, not isinstance(error, BlockingIOError)
    return handle, True


def _sweep(folder: Path) -> None:
    """Remove the parts that killed processes left in a folder: those that nobody has locked."""
    with suppress(OSError):
        with os.scandir(folder) as entries:
            found = [
                Path(entry.path)
                for entry in entries
                if _PART.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
        for parts in found:
            with suppress(OSError):
                lock, free = _locked(parts)
                if lock is not None:
                    _remove(parts, lock)
                    os.close(lock)
                elif free and time.time() - parts.stat().st_mtime > _ABANDONED_AFTER:
                    _remove(parts, None)


def _remove(parts: Path, lock: int | None) -> None:
    with suppress(OSError):
        for part in os.listdir(parts if lock is None else lock):
            os.unlink(parts / part if lock is None else part, dir_fd=lock)
        parts.rmdir()


@contextmanager
def _errors_name(name: str) -> Iterator[None]:
    """Let an error of the disk name the destination, not a part that the user never saw."""
    try:
        yield
    except OSError as error:
        if error.filename == name and error.filename2 is None:
            raise
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), name) from error


class _Ended(BaseException):
    """A signal that would have ended the process."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let signals that end the process unwind the block first. Handlers that somebody has set stay; other threads get no signals."""
    numbers: list[Any] = []
    if threading.current_thread() is threading.main_thread():
        known = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))
        numbers = [number for number in known if number is not None and signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: Any) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise _Ended(number)

    ended = None
    try:
        for number in numbers:
            signal.signal(number, end)
        yield
    except _Ended as error:
        ended = error.number
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
    if ended is not None:
        os.kill(os.getpid(), ended)
