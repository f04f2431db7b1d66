"""Noise of draws that belongs to a row, not to its place in a batch."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["RowNoise", "keys_of_rows"]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_HIDDEN = np.uint64(2**32 + 1)
"""In the place of a cell's bits, which have 32, where it is hidden."""


class RowNoise:
    """Random numbers per draw and row, each a hash of the seed, the draw's number, the row's key, and what it is for.

    So a row gets the same draws alone, in chunks and in the whole table, and rows of different keys get independent ones.

    Parameters
    ----------
    keys : ndarray of uint64 of shape (n,)
        Of the rows; see `keys_of_rows`.
    seed : int
    n_draws : int
        More draws begin with the same ones.

    References
    ----------
    Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (counters instead of states), with the mixing
    function of Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", variant 13.
    """

    def __init__(self, keys: np.ndarray, seed: int, n_draws: int) -> None:
        self.keys = keys
        self.seed = seed
        self.n_draws = n_draws

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, chosen: Any) -> Self:
        """That of some of the rows."""
        return type(self)(self.keys[chosen], self.seed, self.n_draws)

    def uniform(self, name: str, size: int) -> Tensor:
        """Uniform numbers within (0, 1), of shape (n_draws, n, size), float64.

        Parameters
        ----------
        name : str
            What they are for: each name has numbers of its own.
        size : int
            How many per draw and row.
        """
        words = np.random.SeedSequence([self.seed, zlib.crc32(name.encode())]).generate_state(self.n_draws, np.uint64)
        streams = _mixed(self.keys ^ words[:, None])
        counted = streams[:, :, None] + _STEP * np.arange(1, size + 1, dtype=np.uint64)
        return torch.from_numpy(((_mixed(counted) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)

    def normal(self, name: str, size: int) -> Tensor:
        """Standard normal numbers of shape (n_draws, n, size), float64."""
        return torch.special.ndtri(self.uniform(name, size))

    def orders(self, name: str, n: int) -> list[list[int]]:
        """An order of ``n`` things per draw, the same for all rows."""
        seeds = np.random.SeedSequence([self.seed, zlib.crc32(name.encode())])
        words = seeds.generate_state(self.n_draws, np.uint64)
        return [np.random.default_rng(word).permutation(n).tolist() for word in words]


def keys_of_rows(values: np.ndarray, mask: np.ndarray, given: Any = None) -> np.ndarray:
    """A key per row: its visible cells, how many equal rows stand before it, and what the caller gives.

    Parameters
    ----------
    values : ndarray of float32 of shape (n, width)
        Encoded rows.
    mask : ndarray of bool of shape (n, width)
        True where a slot is visible.
    given : array-like of shape (n,), default=None
        Keys of the caller's, of any type that pandas can hash; None adds nothing.

    Returns
    -------
    ndarray of uint64 of shape (n,)
    """
    bits = (np.ascontiguousarray(values, dtype=np.float32) + np.float32(0.0)).view(np.uint32)  # -0.0 is 0.0
    keys = np.zeros(len(values), dtype=np.uint64)
    for cells, seen in zip(bits.T, mask.T, strict=True):
        keys = _mixed(keys + _STEP ^ np.where(seen, cells, _HIDDEN))
    if given is not None:
        keys = _mixed(keys + _STEP ^ pd.util.hash_pandas_object(pd.Series(given), index=False).to_numpy())
    before = pd.Series(keys).groupby(keys).cumcount().to_numpy().astype(np.uint64)
    return _mixed(keys + _STEP ^ before)


def _mixed(words: np.ndarray) -> np.ndarray:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
