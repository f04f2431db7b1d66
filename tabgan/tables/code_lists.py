"""Columns of whole numbers that hold codes from a list, not amounts: known by the numbers between them that never occur."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

__all__ = ["is_code_list", "is_two_valued", "may_be_codes"]

_FEWEST_ROWS = 20
_MOST_CODES = 30
_CELLS_PER_CODE = 5
_EXPECTED_BETWEEN = 10.0
"""Cells that would lie between the values if these were amounts; that none does has a chance of e**-10 or less."""
_WIDEST_GAP = 3
_MOST_HINTED = 10


def is_two_valued(found: np.ndarray, counts: np.ndarray) -> bool:
    """Whether a column of whole numbers says yes or no: 0 and 1, 1 and 2.

    Parameters
    ----------
    found : ndarray of shape (n,)
        The distinct values.
    counts : ndarray of int of shape (n,)
        Their cells.

    Returns
    -------
    bool
        There are two in ten cells or more, and no other whole number lies between them, or 20 cells and either value twice.
    """
    if len(found) != 2 or counts.sum() < _FEWEST_ROWS // 2:
        return False
    apart = abs(int(found[1]) - int(found[0]))
    return apart == 1 or bool(counts.sum() >= _FEWEST_ROWS and counts.min() >= 2)


def is_code_list(found: np.ndarray, counts: np.ndarray) -> bool:
    """Whether a column of whole numbers takes its values from a list with gaps, such as 10, 20, 30 and 99.

    Parameters
    ----------
    found : ndarray of shape (n,)
        The distinct values.
    counts : ndarray of int of shape (n,)
        Their cells.

    Returns
    -------
    bool
        There are 3 to 30 values in 20 cells and five times as many cells as values, and ten cells or more would lie between the
        values if each number there were as frequent as the rarer of its two neighbours. Of a wide gap three numbers count, so that
        a far outlier proves nothing.
    """
    if not 3 <= len(found) <= _MOST_CODES or counts.sum() < max(_FEWEST_ROWS, _CELLS_PER_CODE * len(found)):
        return False
    order = np.argsort(found)
    values, cells = [int(found[k]) for k in order], counts[order]
    between = np.array([min(high - low - 1, _WIDEST_GAP) for low, high in pairwise(values)])
    return bool((between * np.minimum(cells[1:], cells[:-1])).sum() >= _EXPECTED_BETWEEN)


def may_be_codes(n_distinct: int, n_cells: int) -> bool:
    """Whether so few different whole numbers in so many cells may be codes, which only the user knows."""
    return 3 <= n_distinct <= _MOST_HINTED and n_cells >= max(_FEWEST_ROWS, _CELLS_PER_CODE * n_distinct)
