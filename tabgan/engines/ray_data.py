"""Ray Data: fit, fill, draw and rebalance tables that are spread over the machines of a cluster; see `tabgan.ray`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from tabgan.engines.block_work import (
    DRAW,
    RowNames,
    drawn_pieces,
    filled_pieces,
    kinds_in,
    odd_among,
    summaries_of,
)
from tabgan.engines.class_rows import (
    asked_blocks,
    class_counts,
    fit_to_sample,
    strata_of,
    summed_counts,
    synthetic_rows,
    wanted_rows,
)
from tabgan.engines.mergeable_samples import SampleSettings, Strata, check_sample_size, checked_seed, merged
from tabgan.engines.model_files import loaded, stored
from tabgan.engines.ray_tasks import blocks_of, collected, in_arrow, mapped, placed, ray_library, run_now
from tabgan.engines.watchdog import check_timeout, watched
from tabgan.exceptions import InvalidInputError, InvalidParameterError, parameter_error
from tabgan.imputation.parameters import is_count

__all__ = ["fit", "fit_resample", "sample", "sample_rows", "transform"]

_FAN_IN = 8
"""Summaries that are merged by one task."""
_PATIENCE = 1800.0


def fit(
    estimator: Any,
    dataset: Any,
    *,
    n_rows: int = 100_000,
    keys: Any = None,
    random_state: int = 0,
    timeout: float | None = _PATIENCE,
    **ray_remote_args: Any,
) -> Any:
    """Fit an estimator to a Ray Dataset in one pass.

    Each block gives a sample of its rows; samples are merged by tasks, eight at a time, and the estimator is fitted to the last one in
    this process. The sample is that of `tabgan.fit_batches`, whatever the blocks and the number of workers.

    Parameters
    ----------
    estimator : GAINImputer
        Or another estimator with ``fit(X)`` that takes Arrow tables.
    dataset : ray.data.Dataset
    n_rows : int, default=100000
        Rows of the sample; see `tabgan.fit_batches`.
    keys : str or list of str, default=None
        Columns that name a row, such as an id; see `tabgan.fit_batches`. Give them for large tables: without keys the place of a row
        counts, and blocks are read and numbered first, in the object store.
    random_state : int, default=0
        Of the sample.
    timeout : float, default=1800.0
        Seconds without a further block after which waiting ends in an error; None waits for ever.
    **ray_remote_args
        Of the tasks that read blocks: ``num_cpus``, ``num_gpus``, ``memory``, ``resources`` and so on; see
        `ray.data.Dataset.map_batches`.

    Returns
    -------
    estimator
        Fitted; ``n_rows_seen_`` is the number of rows of the dataset.

    Raises
    ------
    InvalidInputError
        There is no row, or one without a key.
    InvalidParameterError
        ``n_rows`` is no count; ``keys`` names no column.
    MissingExtraError
        Ray is not installed.
    StalledError
        Nothing came for ``timeout`` seconds.
    """
    missing_values = getattr(estimator, "missing_values", np.nan)
    rows, n_seen = _sampled(dataset, n_rows, keys, random_state, missing_values, timeout, ray_remote_args)
    estimator.fit(rows)
    estimator.n_rows_seen_ = n_seen
    return estimator


def sample_rows(
    dataset: Any,
    *,
    n_rows: int = 100_000,
    keys: Any = None,
    random_state: int = 0,
    missing_values: Any = np.nan,
    timeout: float | None = _PATIENCE,
    **ray_remote_args: Any,
) -> Any:
    """The rows that `fit` learns from, for what else asks about a table: `tabgan.check`, `tabgan.compare_imputers`, a plot.

    Parameters
    ----------
    dataset : ray.data.Dataset
    n_rows : int, default=100000
        Rows of the sample; strata add some hundred per column at most.
    keys : str or list of str, default=None
        Columns that name a row.
    random_state : int, default=0
        Of the sample.
    missing_values : scalar or list of scalars, default=np.nan
        Further markers of a missing cell.
    timeout : float, default=1800.0
        See `fit`.
    **ray_remote_args
        See `fit`.

    Returns
    -------
    pyarrow.Table
        Without the keys.
    """
    return _sampled(dataset, n_rows, keys, random_state, missing_values, timeout, ray_remote_args)[0]


def transform(
    imputer: Any, dataset: Any, *, keys: Any = None, timeout: float | None = None, **ray_remote_args: Any
) -> Any:
    """Fill the missing values of a Ray Dataset; rows get what they get on one machine.

    Parameters
    ----------
    imputer : fitted GAINImputer or path-like
        A model file has to be where every machine reads it. An imputer is saved to a folder of this machine, which serves
        clusters of one machine.
    dataset : ray.data.Dataset
        With the columns seen in `fit`.
    keys : str or list of str, default=None
        Columns that name a row: they come back as they were, and errors name rows by them.
    timeout : float, default=None
        None gives a lazy dataset, as Ray's own functions do. A number runs it now: seconds without a further block after which waiting
        ends in an error.
    **ray_remote_args
        Of the tasks: ``num_cpus``, ``num_gpus``, ``memory``, ``resources`` and so on; see `ray.data.Dataset.map_batches`.

    Returns
    -------
    ray.data.Dataset
        Blocks in Arrow's types, those of the dataset. With ``timeout`` in the order of the dataset; else in the order that Ray gives.

    Raises
    ------
    InvalidInputError
        Rows do not fit the imputer; names the first of them. Ray wraps it where the dataset is lazy.
    InvalidParameterError
        ``imputer`` is neither; it is an object, but there are several machines; ``keys`` names no column.
    MissingExtraError
        Ray is not installed.
    StalledError
        Nothing came for ``timeout`` seconds.
    """
    names = _names_of(dataset, keys, timeout)
    work = partial(filled_pieces, path=_model_path(imputer, "imputer"), names=names)
    return run_now(mapped(dataset, work, ray_remote_args), timeout, "transform")


def sample(
    imputer: Any,
    dataset: Any,
    n_draws: int = 5,
    *,
    keys: Any = None,
    random_state: int | None = None,
    timeout: float | None = None,
    **ray_remote_args: Any,
) -> Any:
    """Multiple imputation of a Ray Dataset; see `tabgan.GAINImputer.sample`.

    Parameters
    ----------
    imputer : fitted GAINImputer or path-like
        See `transform`.
    dataset : ray.data.Dataset
    n_draws : int, default=5
    keys : str or list of str, default=None
        Columns that name a row. Draws depend on the seed and the row's key, so that a task that is run again gives the same ones.
        Without keys the place of a row counts, and blocks are numbered first; see `fit`.
    random_state : int, default=None
        Seed of the draws; None takes the imputer's.
    timeout : float, default=None
        See `transform`.
    **ray_remote_args
        See `transform`.

    Returns
    -------
    ray.data.Dataset
        ``n_draws`` times as many rows; a last column ``draw`` counts from 0. ``filter(expr=ray.data.expressions.col("draw") == 0)`` is
        the first completed table.

    Raises
    ------
    InvalidInputError
        The dataset has a column ``draw``; and see `transform`.
    """
    names = _names_of(dataset, keys, timeout)
    if not is_count(n_draws):
        raise parameter_error("n_draws", n_draws, "an integer >= 1")
    if DRAW in dataset.columns():
        raise InvalidInputError(
            f"the dataset has a column {DRAW!r}, which the number of the draw is to have; rename it."
        )
    path = _model_path(imputer, "imputer")
    seed = checked_seed(loaded(path).random_state if random_state is None else random_state)
    work = partial(drawn_pieces, path=path, names=names, n_draws=int(n_draws), seed=seed)
    return run_now(mapped(placed(dataset, names, timeout), work, ray_remote_args), timeout, "sample")


def fit_resample(
    sampler: Any,
    dataset: Any,
    *,
    label: str,
    keys: Any = None,
    n_rows: int = 100_000,
    random_state: int = 0,
    timeout: float | None = _PATIENCE,
    **ray_remote_args: Any,
) -> Any:
    """Rebalance a Ray Dataset: its rows as they are, and synthetic rows of the small classes as further blocks.

    Classes are counted in all rows, and ``sampling_strategy`` asks for rows by these counts. The sampler learns from a sample in
    which classes have equal parts, as far as they have the rows: small classes are in it as a whole.

    Parameters
    ----------
    sampler : BAGANOversampler or CGANSampler
        Fitted in place. ``sampling_strategy`` may be a text, a number or a dict.
    dataset : ray.data.Dataset
    label : str
        Column of the classes.
    keys : str or list of str, default=None
        Columns that name a row; null in synthetic rows, as are other columns that the sampler takes for identifiers. See `fit`.
    n_rows : int, default=100000
        Rows of the sample.
    random_state : int, default=0
        Of the sample, and of the synthetic rows.
    timeout : float, default=1800.0
        See `fit`.
    **ray_remote_args
        Of the tasks; see `transform`.

    Returns
    -------
    ray.data.Dataset
        The dataset, then the synthetic rows, of which there are exactly as many as asked for, or the share of them that
        the sampler's gate chose. Reading the dataset again, and making rows, wait until it is used.

    Raises
    ------
    InvalidInputError
        Labels are missing, or there is one class only.
    InvalidParameterError
        ``label`` or ``keys`` name no column; ``sampling_strategy`` does not fit the counts.
    """
    names = _names_of(dataset, keys, timeout)
    if label not in dataset.columns() or label in names.keys:
        raise InvalidParameterError(f"label={label!r} is no column beside the keys; there are {dataset.columns()}.")
    check_sample_size(n_rows)
    random_state = checked_seed(random_state)
    columns = dataset.select_columns([label, *names.keys])
    counting = mapped(columns, partial(class_counts, label=label, names=names), ray_remote_args)
    counted = blocks_of(counting, timeout, "count classes")
    counts = summed_counts(collected([ref for ref, _ in counted], timeout, "count classes"), label)
    wanted_rows(sampler.sampling_strategy, counts)  # refused before the next pass
    strata = strata_of(counts, label, n_rows, random_state, getattr(sampler, "missing_values", np.nan))
    rows, _ = _merged(placed(dataset, names, timeout), names, strata, timeout, ray_remote_args)
    wanted = fit_to_sample(sampler, rows, label, counts)
    plan = asked_blocks(wanted, random_state)
    if not plan:
        return dataset
    own = in_arrow(dataset)
    return own.union(_made(_model_path(sampler, "sampler"), plan, label, own.schema().base_schema, ray_remote_args))


def _made(path: str, plan: list[Any], label: str, schema: Any, ray_remote_args: dict[str, Any]) -> Any:
    """A lazy dataset of synthetic rows, a task per block."""
    ray = ray_library()
    numbers = ray.data.range(len(plan), override_num_blocks=len(plan))

    def make(block: Any) -> Iterator[Any]:
        for number in block["id"].to_pylist():
            asked, seed = plan[number]
            yield synthetic_rows(path, asked, seed, label, schema)

    return mapped(numbers, make, ray_remote_args)


def _sampled(
    dataset: Any,
    n_rows: int,
    keys: Any,
    random_state: int,
    missing_values: Any,
    timeout: float | None,
    ray_remote_args: dict[str, Any],
) -> tuple[Any, int]:
    names = _names_of(dataset, keys, timeout)
    check_sample_size(n_rows)
    strata = Strata((SampleSettings(int(n_rows), checked_seed(random_state), missing_values),))
    return _merged(placed(dataset, names, timeout), names, strata, timeout, ray_remote_args)


def _merged(
    dataset: Any, names: RowNames, strata: Strata, timeout: float | None, ray_remote_args: dict[str, Any]
) -> tuple[Any, int]:
    """Sampled rows and the number of all, over a tree of tasks."""
    ray = ray_library()
    summaries = mapped(dataset, partial(_summaries, names=names, strata=strata), ray_remote_args)
    merge = ray.remote(max_retries=-1)(merged)
    refs: list[Any] = [ref for ref, _ in blocks_of(summaries, timeout, "sample rows")]
    while len(refs) > _FAN_IN:
        refs = [merge.remote(strata, *refs[k : k + _FAN_IN]) for k in range(0, len(refs), _FAN_IN)]
    try:
        return strata.rows(*collected(refs, timeout, "merge samples"))
    except InvalidInputError as error:
        kinds = blocks_of(
            mapped(dataset, partial(kinds_in, names=names), ray_remote_args), timeout, "look for its cause"
        )
        odd = odd_among(collected([ref for ref, _ in kinds], timeout, "look for its cause"))
        raise type(error)(f"{odd}{error}") from error


def _names_of(dataset: Any, keys: Any, timeout: float | None) -> RowNames:
    check_timeout(timeout)
    from pyarrow.lib import ArrowException

    ray = ray_library()
    if not isinstance(dataset, ray.data.Dataset):
        raise InvalidInputError(
            f"dataset is {type(dataset).__name__}; give a ray.data.Dataset, as from ray.data.read_parquet or from_pandas."
        )
    try:
        (columns,) = watched(map(ray.data.Dataset.columns, [dataset]), timeout, "read the names of columns")
    except ArrowException as error:
        raise InvalidInputError(f"the blocks of dataset are no one table: {error}; read them as one type.") from error
    return RowNames.of(keys, columns or [])


def _model_path(estimator: Any, name: str) -> str:
    machines = sum(node["Alive"] for node in ray_library().nodes())
    if machines > 1 and hasattr(estimator, "save"):
        raise InvalidParameterError(
            f"{name} is an object, and the cluster has {machines} machines; save it where all read it ({name}.save('/shared/...')) "
            "and give that path."
        )
    return stored(estimator, name)


def _summaries(block: Any, names: RowNames, strata: Strata) -> Any:
    return summaries_of([block], names, strata)
