"""Spark: fit, fill, draw and rebalance data frames of a cluster, as Arrow tables; see `tabgan.spark`."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tabgan.engines.block_work import DRAW, RowNames, drawn_pieces, filled_pieces, summaries_of
from tabgan.engines.class_rows import asked_blocks, fit_to_sample, strata_of, summed_counts, synthetic_rows, wanted_rows
from tabgan.engines.mergeable_samples import SampleSettings, Strata, check_sample_size, checked_seed
from tabgan.engines.model_files import loaded, stored
from tabgan.engines.spark_jobs import collected, column, copied_schema, in_arrow, mapped_frame, placed_frame, tables_of
from tabgan.engines.watchdog import check_timeout
from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError, parameter_error
from tabgan.imputation.parameters import is_count

__all__ = ["fit", "fit_resample", "sample", "sample_rows", "transform"]

_FAN_IN = 8
"""Summaries that are merged by one task."""
_SUMMARY = "part long, summary binary"


def fit(
    estimator: Any,
    frame: Any,
    *,
    n_rows: int = 100_000,
    keys: Any = None,
    random_state: int = 0,
    timeout: float | None = None,
) -> Any:
    """Fit an estimator to a Spark DataFrame in one pass.

    Each partition gives a sample of its rows; samples are merged by tasks, eight at a time, and the estimator is fitted to the last
    one in this process. The sample is that of `tabgan.fit_batches`, whatever the partitions and the number of executors.

    Parameters
    ----------
    estimator : GAINImputer
        Or another estimator with ``fit(X)`` that takes Arrow tables.
    frame : pyspark.sql.DataFrame
    n_rows : int, default=100000
        Rows of the sample; see `tabgan.fit_batches`.
    keys : str or list of str, default=None
        Columns that name a row, such as an id; see `tabgan.fit_batches`. Without keys the place of a row counts: partitions are
        counted first, and have to hold the same rows when they are computed again, as those of files do.
    random_state : int, default=0
        Of the sample.
    timeout : float, default=None
        Seconds that one pass over the table may take; None waits for ever.

    Returns
    -------
    estimator
        Fitted; ``n_rows_seen_`` is the number of rows of the frame.

    Raises
    ------
    InvalidInputError
        There is no row.
    InvalidParameterError
        ``n_rows`` is no count; ``keys`` names no column.
    MissingExtraError
        Spark is not installed.
    StalledError
        A pass took more than ``timeout`` seconds; it is cancelled.
    """
    rows, n_seen = _sampled(frame, n_rows, keys, random_state, getattr(estimator, "missing_values", np.nan), timeout)
    estimator.fit(rows)
    estimator.n_rows_seen_ = n_seen
    return estimator


def sample_rows(
    frame: Any,
    *,
    n_rows: int = 100_000,
    keys: Any = None,
    random_state: int = 0,
    missing_values: Any = np.nan,
    timeout: float | None = None,
) -> Any:
    """The rows that `fit` learns from, for what else asks about a table: `tabgan.check`, `tabgan.compare_imputers`, a plot.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
    n_rows : int, default=100000
        Rows of the sample; strata add some hundred per column at most.
    keys : str or list of str, default=None
        Columns that name a row.
    random_state : int, default=0
        Of the sample.
    missing_values : scalar or list of scalars, default=np.nan
        Further markers of a missing cell.
    timeout : float, default=None
        See `fit`.

    Returns
    -------
    pyarrow.Table
        Without the keys.
    """
    return _sampled(frame, n_rows, keys, random_state, missing_values, timeout)[0]


def transform(imputer: Any, frame: Any, *, keys: Any = None) -> Any:
    """Fill the missing values of a Spark DataFrame; rows get what they get on one machine.

    Parameters
    ----------
    imputer : fitted GAINImputer or path-like
        A model file has to be where every executor reads it; an imputer is sent to the executors as a file.
    frame : pyspark.sql.DataFrame
        With the columns seen in `fit`.
    keys : str or list of str, default=None
        Columns that name a row: they come back as they were, and errors name rows by them.

    Returns
    -------
    pyspark.sql.DataFrame
        Lazy, of the frame's schema: decimals, dates and whole numbers with nulls keep their types. Columns without a single value in
        the fit are left out, and columns of ``add_indicator`` come last.

    Raises
    ------
    InvalidParameterError
        ``imputer`` is neither; ``keys`` names no column.
    MissingExtraError
        Spark is not installed.

    Notes
    -----
    Rows that do not fit the imputer are found when Spark computes the frame: its error shows ours, which names the first of them.
    """
    names = _names_of(frame, keys)
    place = _sent(imputer, frame, "imputer")
    schema = _returned(frame, loaded(place()), names, indicators=True)

    def fill(block: Any) -> Iterator[Any]:
        return filled_pieces(block, place(), names)

    return mapped_frame(frame, fill, schema)


def sample(imputer: Any, frame: Any, n_draws: int = 5, *, keys: Any = None, random_state: int | None = None) -> Any:
    """Multiple imputation of a Spark DataFrame; see `tabgan.GAINImputer.sample`.

    Parameters
    ----------
    imputer : fitted GAINImputer or path-like
        See `transform`.
    frame : pyspark.sql.DataFrame
    n_draws : int, default=5
    keys : str or list of str, default=None
        Columns that name a row. Draws depend on the seed and the row's key, so that a task that is run again gives the same ones.
        Without keys the place of a row counts; see `fit`.
    random_state : int, default=None
        Seed of the draws; None takes the imputer's.

    Returns
    -------
    pyspark.sql.DataFrame
        Lazy. ``n_draws`` times as many rows; a last column ``draw`` counts from 0. ``where("draw = 0")`` is the first completed
        table.

    Raises
    ------
    InvalidInputError
        The frame has a column ``draw``.
    InvalidParameterError
        See `transform`; ``n_draws`` is no count.
    """
    names = _names_of(frame, keys)
    if not is_count(n_draws):
        raise parameter_error("n_draws", n_draws, "an integer >= 1")
    if DRAW in frame.columns:
        raise InvalidInputError(f"the frame has a column {DRAW!r}, which the number of the draw is to have; rename it.")
    place = _sent(imputer, frame, "imputer")
    fitted = loaded(place())
    schema = _returned(frame, fitted, names, indicators=False).add(DRAW, "long")
    seed = checked_seed(fitted.random_state if random_state is None else random_state)

    def draw(block: Any) -> Iterator[Any]:
        return drawn_pieces(block, place(), names, n_draws, seed)

    return mapped_frame(placed_frame(frame, names, None), draw, schema)


def fit_resample(
    sampler: Any,
    frame: Any,
    *,
    label: str,
    keys: Any = None,
    n_rows: int = 100_000,
    random_state: int = 0,
    timeout: float | None = None,
) -> Any:
    """Rebalance a Spark DataFrame: its rows as they are, and synthetic rows of the small classes in further partitions.

    Classes are counted in all rows, and ``sampling_strategy`` asks for rows by these counts. The sampler learns from a sample in
    which classes have equal parts, as far as they have the rows: small classes are in it as a whole.

    Parameters
    ----------
    sampler : BAGANOversampler or CGANSampler
        Fitted in place. ``sampling_strategy`` may be a text, a number or a dict.
    frame : pyspark.sql.DataFrame
    label : str
        Column of the classes.
    keys : str or list of str, default=None
        Columns that name a row; null in synthetic rows, as are other columns that the sampler takes for identifiers. See `fit`.
    n_rows : int, default=100000
        Rows of the sample.
    random_state : int, default=0
        Of the sample, and of the synthetic rows.
    timeout : float, default=None
        See `fit`.

    Returns
    -------
    pyspark.sql.DataFrame
        Lazy. The frame, then the synthetic rows, of which there are exactly as many as asked for, or the share of them that the
        sampler's gate chose.

    Raises
    ------
    InvalidInputError
        Labels are missing, or there is one class only.
    InvalidParameterError
        ``label`` or ``keys`` name no column; ``sampling_strategy`` does not fit the counts.
    """
    names = _names_of(frame, keys)
    if label not in frame.columns or label in names.keys:
        raise InvalidParameterError(f"label={label!r} is no column beside the keys; there are {frame.columns}.")
    check_sample_size(n_rows)
    random_state = checked_seed(random_state)
    check_timeout(timeout)
    counts = _class_counts(frame, label, timeout)
    wanted_rows(sampler.sampling_strategy, counts)  # refused before the next pass
    strata = strata_of(counts, label, n_rows, random_state, getattr(sampler, "missing_values", np.nan))
    rows, _ = _merged(placed_frame(frame, names, timeout), names, strata, timeout)
    plan = asked_blocks(fit_to_sample(sampler, rows, label, counts), random_state)
    if not plan:
        return frame
    place, schema = _sent(sampler, frame, "sampler"), frame.limit(0).toArrow().schema

    def make(block: Any) -> Iterator[Any]:
        for number in block["id"].to_pylist():
            asked, seed = plan[number]
            yield synthetic_rows(place(), asked, seed, label, schema)

    numbers = frame.sparkSession.range(0, len(plan), numPartitions=len(plan))
    return frame.union(mapped_frame(numbers, make, copied_schema(frame.schema, nullable=True)))


def _class_counts(frame: Any, label: str, timeout: float | None) -> dict[Any, int]:
    """Rows per class, by label in ascending order."""
    from pyspark.sql.functions import count, lit

    grouped = frame.groupBy(column(label).alias("label")).agg(count(lit(1)).alias("n"))
    return summed_counts([collected(grouped, timeout, "count classes", "toArrow")], label)


def _sampled(
    frame: Any, n_rows: int, keys: Any, random_state: int, missing_values: Any, timeout: float | None
) -> tuple[Any, int]:
    names = _names_of(frame, keys)
    check_sample_size(n_rows)
    check_timeout(timeout)
    strata = Strata((SampleSettings(int(n_rows), checked_seed(random_state), missing_values),))
    return _merged(placed_frame(frame, names, timeout), names, strata, timeout)


def _merged(frame: Any, names: RowNames, strata: Strata, timeout: float | None) -> tuple[Any, int]:
    """Sampled rows and the number of all, over a tree of tasks."""

    def summarise(batches: Iterable[Any]) -> Iterator[Any]:
        yield from summaries_of(tables_of(batches), names, strata).to_batches()

    def merge(batches: Iterable[Any]) -> Iterator[Any]:
        yield from strata.merged(*tables_of(batches)).to_batches()

    summaries, n = in_arrow(frame, summarise, _SUMMARY), frame.rdd.getNumPartitions()
    while n > _FAN_IN:
        n = -(-n // _FAN_IN)
        summaries = summaries.repartition(n).mapInArrow(merge, _SUMMARY)
    found = collected(summaries, timeout, "sample rows")
    return strata.rows_of((row[0], bytes(row[1])) for row in found)


def _returned(frame: Any, estimator: Any, names: RowNames, indicators: bool) -> Any:
    """The frame's schema without columns that had no value in the fit, and with those that say which cells were missing."""
    from pyspark.sql.types import StructType

    names.check_columns(frame.columns, estimator, "the frame")
    if not hasattr(estimator, "get_feature_names_out"):
        return copied_schema(frame.schema)
    returned = [*names.keys, *map(str, estimator.get_feature_names_out())]
    schema = StructType([field for field in frame.schema if field.name in returned])
    for name in returned:
        if indicators and name not in frame.columns:
            schema.add(name, "boolean")
    return schema


def _names_of(frame: Any, keys: Any) -> RowNames:
    try:
        from pyspark.sql import DataFrame
    except ImportError as error:
        raise MissingExtraError(
            "Spark is not installed; install it with: pip install 'tabgan-learn[spark]' (it needs Java 17 or later)"
        ) from error
    if not isinstance(frame, DataFrame):
        raise InvalidInputError(
            f"frame is {type(frame).__name__}; give a pyspark.sql.DataFrame, as from spark.read.parquet."
        )
    if ".connect." in type(frame).__module__:
        raise InvalidInputError(
            "frame is of Spark Connect, which can neither send a model to executors nor count partitions; run this on the "
            "cluster itself, with a session as SparkSession.builder.master(...) gives."
        )
    return RowNames.of(keys, frame.columns)


def _sent(estimator: Any, frame: Any, name: str) -> Callable[[], str]:
    """What gives, here and in an executor, the path of a model file; an estimator is sent to all executors."""
    path = stored(estimator, name)
    if isinstance(estimator, str | os.PathLike):
        return partial(str, path)
    unique = f"tabgan-{uuid.uuid4().hex}.tabgan"
    sent = str(Path(path).with_name(unique))
    shutil.move(path, sent)
    frame.sparkSession.sparkContext.addFile(sent)
    return partial(_received, unique)


def _received(name: str) -> str:
    from pyspark import SparkFiles

    return SparkFiles.get(name)
