"""What is done of a run over many parts, on the disk: one that was killed goes on from there, with the same input and settings."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from tabgan.exceptions import InvalidInputError, InvalidParameterError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Journal", "fingerprint", "write_hashed"]

_ENDS = 1 << 16


def fingerprint(path: Path) -> dict[str, Any]:
    """What tells a file from another one without reading all of it: size, time of change, and a hash of its ends.

    Raises
    ------
    OSError
        It cannot be read.
    """
    stat = path.stat()
    with path.open("rb") as stream:
        digest = hashlib.blake2b(stream.read(_ENDS), digest_size=16)
        stream.seek(max(0, stat.st_size - _ENDS))
        digest.update(stream.read(_ENDS))
    return {"size": stat.st_size, "changed": stat.st_mtime_ns, "ends": digest.hexdigest()}


def write_hashed(path: Path, write: Callable[[BinaryIO], Any]) -> dict[str, Any]:
    """Write a file under a name for now, then give it its own: it is whole, and several may write it at a time.

    Parameters
    ----------
    path : Path
    write : callable
        Writes to a binary stream that can only be written to.

    Returns
    -------
    dict
        Its ``size`` and ``hash``.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with part.open("wb") as stream:
            hashed = _Hashed(stream)
            write(hashed)  # type: ignore[arg-type]
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise
    return {"size": hashed.size, "hash": hashed.digest.hexdigest()}


class _Hashed:
    """A stream that hashes what is written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.size, self.digest, self.closed = stream, 0, hashlib.blake2b(digest_size=16), False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._stream.write(view)
        self.digest.update(view)
        self.size += view.nbytes
        return view.nbytes

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self.size


class Journal:
    """The parts of a run that are done.

    Parameters
    ----------
    folder : Path
        Where it is kept.
    settings : dict
        What the result depends on, as JSON can hold it.
    inputs : dict of str to dict
        `fingerprint` of each file by name.
    resume : bool
        Go on with what is there; else begin anew.

    Attributes
    ----------
    parts : Path
        The folder for what is done; one of a run that was given up never is that of a later one.

    Raises
    ------
    InvalidParameterError
        There is nothing to resume, or it had other settings; they are named.
    InvalidInputError
        It had another input; the file is named. Or another run is at work there.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]], resume: bool
    ) -> None:
        self._folder, self._lock = folder, -1
        manifest = folder / "run.json"
        wanted = json.loads(json.dumps({"settings": settings, "inputs": inputs}))
        known = _read_json(manifest)
        if resume:
            if known is None:
                raise InvalidParameterError(
                    f"--resume: there is no unfinished run that wrote to {str(folder)!r}; leave --resume out to begin one."
                )
            self._take()
            try:
                _compare(known, wanted)
            except BaseException:
                self.close(keep=True)
                raise
            self.run = str(known["run"])
        else:
            folder.mkdir(exist_ok=True)
            self._take()
            self._clear()
            self.run = secrets.token_hex(8)
            write_hashed(manifest, lambda stream: stream.write(json.dumps({**wanted, "run": self.run}).encode()))
        self.parts = folder / self.run
        self.parts.mkdir(exist_ok=True)

    def _take(self) -> None:
        """Keep others out."""
        if fcntl is None:
            return
        self._lock = os.open(self._folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise InvalidInputError(
                f"another run is at work in {str(self._folder)!r}; wait for its end, or end it first."
            ) from None

    def _clear(self) -> None:
        for entry in self._folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != "lock":
                entry.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Where something of this run is kept."""
        return self.parts / name

    def record(self, number: int, facts: Mapping[str, Any]) -> None:
        """A part is done; ``facts`` hold its `write_hashed` under ``file``, as JSON can hold them."""
        with (self.parts / "done.jsonl").open("a") as stream:
            stream.write(json.dumps({"part": number, **facts}) + "\n")

    def done(self) -> dict[int, dict[str, Any]]:
        """Parts that are done, with their facts: those whose file is there, whole and unchanged."""
        found: dict[int, dict[str, Any]] = {}
        try:
            lines = (self.parts / "done.jsonl").read_text().split("\n")
        except FileNotFoundError:
            return {}
        for line in lines:
            try:
                facts = json.loads(line)
            except ValueError:
                continue  # a kill met this line
            number = facts.pop("part")
            if _is_whole(self.path(f"{number}.part"), facts["file"]):
                found[number] = facts
        # A line that has no end would swallow the next one.
        write_hashed(
            self.parts / "done.jsonl",
            lambda stream: stream.write(
                "".join(json.dumps({"part": number, **facts}) + "\n" for number, facts in found.items()).encode()
            ),
        )
        return found

    def close(self, keep: bool) -> None:
        """Leave the journal: as it is for a later run, or without a trace."""
        if not keep:
            self._clear()
            (self._folder / "lock").unlink(missing_ok=True)
            with suppress(OSError):
                self._folder.rmdir()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _compare(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse to go on with other settings or another input."""
    for name in sorted({*known["settings"], *wanted["settings"]}):
        before, now = known["settings"].get(name), wanted["settings"].get(name)
        if before != now:
            raise InvalidParameterError(
                f"--resume: {name} is {now!r} now and was {before!r} in the run that is to go on; give the same, or leave --resume "
                "out to begin anew."
            )
    for name in sorted({*known["inputs"], *wanted["inputs"]}):
        before, now = known["inputs"].get(name), wanted["inputs"].get(name)
        if before != now:
            how = "is new" if before is None else "is gone" if now is None else "has changed"
            raise InvalidInputError(
                f"--resume: {name!r} {how} since the run that is to go on began; leave --resume out to begin anew."
            )


def _is_whole(path: Path, facts: Mapping[str, Any]) -> bool:
    try:
        if path.stat().st_size != facts["size"]:
            return False
        digest = hashlib.blake2b(digest_size=16)
        with path.open("rb") as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == facts["hash"]
