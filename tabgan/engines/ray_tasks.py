"""Tasks of Ray Data: run in order, watched, and with errors as they were raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tabgan.engines.block_work import RowNames, with_places
from tabgan.engines.watchdog import watched
from tabgan.exceptions import MissingExtraError, TabganError

__all__ = ["blocks_of", "collected", "in_arrow", "mapped", "placed", "ray_library", "run_now"]

_ROWS_ON_GPU = 20_000
"""Ray wants a number of rows for blocks that go to a GPU."""


def ray_library() -> Any:
    """The library, with a cluster."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError(
            "Ray Data is not installed; install it with: pip install 'tabgan-learn[ray]'"
        ) from error
    return ray


def mapped(dataset: Any, work: Callable[[Any], Any], ray_remote_args: dict[str, Any]) -> Any:
    """Tasks, never actors: a task whose worker was lost is run again, as often as it takes."""
    size = _ROWS_ON_GPU if ray_remote_args.get("num_gpus") else None
    return dataset.map_batches(work, batch_format="pyarrow", batch_size=size, **ray_remote_args)


def run_now(dataset: Any, timeout: float | None, what: str) -> Any:
    """The dataset as it is, or with all its blocks made, if that is to be watched."""
    if timeout is None:
        return dataset
    return ray_library().data.from_arrow_refs([ref for ref, _ in blocks_of(dataset, timeout, what)])


def blocks_of(dataset: Any, timeout: float | None, what: str) -> list[tuple[Any, int]]:
    """References to the blocks of a dataset, in its order, and their numbers of rows."""
    found = []
    with _errors_of_ours(), _in_order(dataset):
        for bundle in watched(_bundles(dataset), timeout, what):
            found += [(ref, metadata.num_rows) for ref, metadata in map(_entry, bundle.blocks)]
    return found


def _bundles(dataset: Any) -> Iterator[Any]:
    """Started when it is first read, and not before: Ray waits for the first block."""
    yield from dataset.iter_internal_ref_bundles()


def _entry(entry: Any) -> tuple[Any, Any]:
    """Reference and metadata of a block, which older versions of Ray keep in a tuple."""
    return entry if isinstance(entry, tuple) else (entry.ref, entry.metadata)


def collected(refs: Iterable[Any], timeout: float | None, what: str) -> list[Any]:
    """What references stand for, waited for one by one."""
    with _errors_of_ours():
        return list(watched(map(ray_library().get, refs), timeout, what))


def placed(dataset: Any, names: RowNames, timeout: float | None) -> Any:
    """The dataset, with the place of each row as a column where there are no keys."""
    if names.keys:
        return dataset
    ray = ray_library()
    numbered = ray.remote(max_retries=-1)(with_places)
    refs, start = [], 0
    for ref, n_rows in blocks_of(mapped(dataset, _same, {}), timeout, "number rows"):
        refs.append(numbered.remote(ref, start))
        start += n_rows
    return ray.data.from_arrow_refs(refs)


def _same(block: Any) -> Any:
    return block


def in_arrow(dataset: Any) -> Any:
    """The dataset in Arrow's types, which Ray does not join with pandas' types."""
    import pyarrow as pa

    return dataset if isinstance(dataset.schema().base_schema, pa.Schema) else mapped(dataset, _same, {})


@contextmanager
def _in_order(dataset: Any) -> Iterator[None]:
    """Blocks come in the dataset's order, and errors as they were raised; the dataset's settings are the user's again after that."""
    context = dataset.context
    options = context.execution_options
    before = context.raise_original_map_exception, options.preserve_order
    context.raise_original_map_exception = options.preserve_order = True
    try:
        yield
    finally:
        context.raise_original_map_exception, options.preserve_order = before


@contextmanager
def _errors_of_ours() -> Iterator[None]:
    """Errors that tabgan raised in a task are raised here as what they are."""
    from ray.exceptions import RayTaskError

    try:
        yield
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, TabganError | OSError):
            raise cause from error
        raise
