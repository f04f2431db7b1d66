"""What every score of two samples of rows needs: checks, distances block by block, nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from tabgan.exceptions import InvalidInputError

__all__ = ["BLOCK", "checked_rows", "distance_blocks", "nearest_distances", "total_distance"]

BLOCK = 500  # rows of one distance matrix at a time: 500 x 3,000 doubles are 12 MB


def checked_rows(**samples: Any) -> list[np.ndarray]:
    """The samples as float64 matrices of one width.

    Parameters
    ----------
    **samples : array of float of shape (n, d)
        Rows by the name that an error should use.

    Returns
    -------
    list of array of float64 of shape (n, d)
        In the order given.

    Raises
    ------
    InvalidInputError
        Not two-dimensional, fewer than two rows, NaN or infinite values, or different widths.
    """
    checked: dict[str, np.ndarray] = {}
    for name, sample in samples.items():
        rows = np.asarray(sample, dtype=float)
        if rows.ndim != 2:
            raise InvalidInputError(
                f"{name} has {rows.ndim} dimensions; pass a matrix of rows, X[:, None] for a column."
            )
        if len(rows) < 2:
            raise InvalidInputError(f"{name} has {len(rows)} rows; at least 2 are needed.")
        if not np.isfinite(rows).all():
            raise InvalidInputError(f"{name} contains NaN or infinite values; encode and fill the table first.")
        checked[name] = rows
    first, *others = checked
    for name in others:
        if checked[first].shape[1] != checked[name].shape[1]:
            raise InvalidInputError(
                f"{first} has {checked[first].shape[1]} columns and {name} {checked[name].shape[1]}; encode both alike."
            )
    return list(checked.values())


def distance_blocks(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Euclidean distances of `BLOCK` rows of ``a`` at a time to all rows of ``b``, with the rows they belong to."""
    for start in range(0, len(a), BLOCK):
        rows = slice(start, min(start + BLOCK, len(a)))
        yield rows, cdist(a[rows], b)


def total_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of the distances of all rows of ``a`` to all rows of ``b``."""
    return float(sum(block.sum() for _, block in distance_blocks(a, b)))


def nearest_distances(a: np.ndarray, b: np.ndarray | None = None, *, k: int = 1) -> np.ndarray:
    """Distance of each row of ``a`` to its k-th nearest row of ``b``.

    Parameters
    ----------
    a : array of float of shape (n, d)
        Whose neighbours are looked for.
    b : array of float of shape (m, d), default=None
        Where; None looks in ``a`` itself, and a row is not its own neighbour (its duplicate in another row is).
    k : int, default=1
        At most m, or n - 1 within ``a``.

    Returns
    -------
    array of float of shape (n,)
    """
    found = np.empty(len(a))
    for rows, block in distance_blocks(a, a if b is None else b):
        if b is None:
            block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf
        found[rows] = np.partition(block, k - 1, axis=1)[:, k - 1]
    return found
