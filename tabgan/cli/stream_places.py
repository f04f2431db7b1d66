"""Where a run over the parts of a table reads and writes, and what its result depends on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabgan.cli.files.parted import Inputs
from tabgan.cli.files.sources import check_writable
from tabgan.cli.impute_job import ImputeOptions
from tabgan.cli.models import is_reused
from tabgan.engines.journal import Journal, fingerprint
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["PartOptions", "check_places", "open_journal", "output_folder"]


@dataclass(frozen=True)
class PartOptions:
    """How a table is taken apart.

    Parameters
    ----------
    inputs : Inputs
    batch_rows : int
        Rows in memory at a time.
    sample_rows : int
        Rows that the imputer is fitted to; see `tabgan.fit_batches`.
    workers : int
        Processes.
    resume : bool
        Go on with a run that was killed.
    """

    inputs: Inputs
    batch_rows: int
    sample_rows: int
    workers: int
    resume: bool


def open_journal(options: ImputeOptions, parts: PartOptions, output: Path) -> Journal:
    """Where finished parts are kept, and what they depend on."""
    from tabgan import __version__

    reading = {
        name: value for name, value in vars(options.reading).items() if name not in ("families", "styles", "settled")
    }
    settings = {
        "the version of tabgan": __version__,
        "--batch-rows": parts.batch_rows,
        "--sample-rows": parts.sample_rows,
        **{
            f"--{name}": getattr(options, name)
            for name in ("leave", "only", "categorical", "seed", "device", "steps", "effort", "objective")
        },
        "--kind": options.kinds,
        "--max-time": options.max_time,
        "--model": None if options.model is None else str(options.model),
        **{f"--{name.replace('_', '-')}": value for name, value in reading.items()},
    }
    settings = {
        name: sorted(value) if isinstance(value, set | frozenset) else value for name, value in settings.items()
    }
    files = [place.path for place in parts.inputs.places if place.path is not None]
    if options.model is not None and is_reused(options.model, options.refit):
        files.append(options.model)
    inputs = {str(path): _fingerprint(path) for path in files}
    return Journal(output.parent / f".{output.name}.resume", settings, inputs, parts.resume)


def _fingerprint(path: Path) -> dict[str, Any]:
    try:
        return fingerprint(path)
    except FileNotFoundError:
        raise InvalidInputError(f"there is no file {str(path)!r}; check the path.") from None
    except PermissionError:
        raise InvalidInputError(f"{str(path)!r} may not be read; check its permissions.") from None


def check_places(inputs: Inputs, output: Path, options: ImputeOptions) -> None:
    """Refuse places that cannot be written, or are read, before any work."""
    sources = [place.path.resolve() for place in inputs.places if place.path is not None]
    if inputs.is_several:
        if output.exists() and not output.is_dir():
            raise InvalidInputError(
                f"--output {str(output)!r} is a file, but the input is a folder or pattern; give a folder."
            )
        if output.resolve() in {source.parent for source in sources}:
            raise InvalidInputError(f"--output {str(output)!r} is the input folder itself; give another folder.")
        if not output.parent.is_dir():
            raise InvalidInputError(f"--output {str(output)!r}: its folder does not exist; create it first.")
    exists = output.exists() or not inputs.is_several
    targets = [inputs.target_of(number, output) for number in range(len(sources))] if exists else []
    for target in targets:
        check_writable(target, "--output")
    if options.model is not None:
        if options.model.resolve() in {*sources, *(target.resolve() for target in targets)}:
            raise InvalidParameterError(f"--model {str(options.model)!r} is one of the tables; give another file.")
        if not is_reused(options.model, options.refit):
            check_writable(options.model, "--model")
    if options.report is not None:
        check_writable(options.report, "--report")


@contextmanager
def output_folder(output: Path, wanted: bool) -> Iterator[None]:
    """A folder for the filled files; one that was made for them goes if they do not come."""
    made = wanted and not output.exists()
    if made:
        output.mkdir()
    try:
        yield
    except BaseException:
        if made:
            output.rmdir()
        raise
