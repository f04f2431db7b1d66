"""Fit, transform and draw where a table does not fit into memory: one pass to fit, and batch by batch after that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from tabgan.engines.alike import Alike
from tabgan.engines.batches import batches_of, keys_of, with_keys, without_keys
from tabgan.engines.mergeable_samples import checked_seed
from tabgan.engines.row_sample import RowSample
from tabgan.exceptions import InvalidInputError, parameter_error

__all__ = ["fit_batches", "fit_to_sample", "sample_batches", "transform_batches"]


def fit_batches(
    estimator: Any,
    batches: Any,
    *,
    n_rows: int = 100_000,
    keys: Any = None,
    random_state: int = 0,
    verbose: bool = False,
) -> Any:
    """Fit an estimator to a table that comes in batches, in one pass and constant memory.

    Parameters
    ----------
    estimator : estimator with ``fit(X)``
        A `GAINImputer`, or any that takes the frames that come.
    batches : iterable of frames or arrays, pyarrow Dataset or Table, or polars LazyFrame
        All with the same columns. Iterated once.
    n_rows : int, default=100000
        Rows of the sample that the estimator is fitted to. Beside these, rows are kept for every level (of columns of up to 200), for
        the ends of numbers and times, for the decimals that numbers have, and for known and missing cells of every column.
    keys : str or list of str, default=None
        Columns that name a row, such as an id. They are left out of the fit. With keys the sample depends on the rows
        alone, not on their order nor on how they are cut into batches; without, on the place of each row in the table. No two rows may
        have the same keys.
    random_state : int, default=0
        Of the sample.
    verbose : bool, default=False
        Show how many rows were read.

    Returns
    -------
    estimator
        Fitted. ``n_rows_seen_`` is the number of rows in all batches.

    Raises
    ------
    InvalidInputError
        There is no row; columns, or what they hold, differ between batches; a batch is no table, has a cell that cannot be learnt from
        such as an infinity, or a row without a key. The batch is named.
    InvalidParameterError
        ``n_rows`` is no count; ``keys`` names no column.

    Notes
    -----
    Ranges and levels are those of all rows, what depends on shares and relations that of the sample: rows with rare values are in it
    a little more often than in the table. Memory: the sample twice, and a batch.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from tabgan import GAINImputer, fit_batches, transform_batches
    >>> rng = np.random.default_rng(0)
    >>> def batches():
    ...     for _ in range(3):
    ...         x = rng.normal(size=200)
    ...         yield pd.DataFrame({"x": x, "y": np.where(rng.random(200) < 0.2, np.nan, 2 * x)})
    >>> imputer = fit_batches(GAINImputer(n_trees=0, random_state=0), batches(), n_rows=300)
    >>> imputer.n_rows_seen_
    600
    >>> sum(int(filled["y"].isna().sum()) for filled in transform_batches(imputer, batches()))
    0
    """
    if isinstance(n_rows, bool) or not isinstance(n_rows, int | np.integer) or n_rows < 1:
        raise parameter_error("n_rows", n_rows, "an integer >= 1")
    seed, missing_values = checked_seed(random_state), getattr(estimator, "missing_values", np.nan)
    sample, alike = RowSample(int(n_rows), seed, missing_values), Alike()
    with tqdm(unit="row", unit_scale=True, desc="fit_batches", disable=not verbose, leave=False) as progress:
        for number, batch in batches_of(batches, keys):
            content = without_keys(batch, keys)
            alike.check(content, number)
            sample.add(content, keys_of(batch, keys, sample.n_seen), f"batch {number}")
            progress.update(len(batch))
    if not sample.n_seen:
        raise InvalidInputError("batches holds no rows (an iterator can be read once only; give a fresh one).")
    return fit_to_sample(estimator, sample)


def fit_to_sample(estimator: Any, sample: RowSample) -> Any:
    """Fit an estimator to the sample of all rows, and let it know how many these were."""
    estimator.fit(sample.table())
    estimator.n_rows_seen_ = sample.n_seen
    return estimator


def transform_batches(estimator: Any, batches: Any, *, keys: Any = None) -> Iterator[Any]:
    """Transform a table batch by batch; rows get what they would get in the whole table.

    Parameters
    ----------
    estimator : fitted estimator with ``transform(X)``
    batches : iterable of frames or arrays, pyarrow Dataset or Table, or polars LazyFrame
        With the columns seen in `fit_batches`.
    keys : str or list of str, default=None
        Columns that name a row: they come back as they were.

    Yields
    ------
    frame or array
        One per batch that has rows, of its kind. Arrow's tables and datasets, and lazy frames, are cut into batches of at most
        100,000 rows.

    Raises
    ------
    InvalidInputError
        A batch does not fit the estimator; it is named.
    NotFittedError
        The estimator is not fitted.
    """
    check_is_fitted(estimator)
    return _transformed(estimator, batches, keys)


def _transformed(estimator: Any, batches: Any, keys: Any) -> Iterator[Any]:
    for number, batch in batches_of(batches, keys):
        try:
            filled = estimator.transform(without_keys(batch, keys))
        except InvalidInputError as error:
            raise type(error)(f"batch {number}: {error}") from error
        yield with_keys(filled, batch, keys)


def sample_batches(
    imputer: Any, batches: Any, n_draws: int = 5, *, keys: Any = None, random_state: int | None = None
) -> Iterator[list[Any]]:
    """Multiple imputation of a table batch by batch; see `GAINImputer.sample`.

    Parameters
    ----------
    imputer : fitted GAINImputer
    batches : iterable of frames or arrays, pyarrow Dataset or Table, or polars LazyFrame
    n_draws : int, default=5
    keys : str or list of str, default=None
        Columns that name a row. A row's draws depend on its keys; without them on its place in the table. So they do not depend on
        how the table is cut into batches.
    random_state : int, default=None
        Seed of the draws; None takes the imputer's.

    Yields
    ------
    list of frame or array
        ``n_draws`` completed batches: the k-th ones make up the k-th completed table.
    """
    check_is_fitted(imputer)
    return _drawn(imputer, batches, n_draws, keys, random_state)


def _drawn(imputer: Any, batches: Any, n_draws: int, keys: Any, random_state: int | None) -> Iterator[list[Any]]:
    start = 0
    for number, batch in batches_of(batches, keys):
        numbers = keys_of(batch, keys, start)
        start += len(batch)
        try:
            draws = imputer.sample(without_keys(batch, keys), n_draws, random_state=random_state, row_keys=numbers)
        except InvalidInputError as error:
            raise type(error)(f"batch {number}: {error}") from error
        yield [with_keys(draw, batch, keys) for draw in draws]
