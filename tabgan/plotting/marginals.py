"""One column in two samples: how far the two differ, and a picture that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabgan.plotting.canvas import GREY, MAIN, OTHER, in_percent, label

__all__ = ["ColumnPair", "disagreement", "draw_pair", "most_different", "of_few_values"]

_ROOM_FOR_TICKS = 2.0
"""Inches of a panel, the names of its levels among them."""
_FEW_VALUES = 8
_SPIKE = 0.15
_MOST_FOR_DENSITY = 5000
_LEAST_FOR_DENSITY = 8


@dataclass(frozen=True)
class ColumnPair:
    """A column in two samples.

    Parameters
    ----------
    name : str
        Of the column.
    is_number : bool
        Whether its cells are numbers (times count as days) or labels.
    first, second : ndarray of shape (n_first,), (n_second,)
        The known cells, float or text.
    disagreement : float
        See `disagreement`.
    weights : ndarray of float of shape (n_first,), default=None
        How much each cell of the first sample counts; None counts all alike.
    levels : tuple, default=()
        All levels, in the order in which they are to be shown; of none the most frequent come first.
    parts : tuple of ndarray, default=()
        Draws that the second sample consists of, to be drawn one by one beside it.
    """

    name: str
    is_number: bool
    first: np.ndarray
    second: np.ndarray
    disagreement: float
    weights: np.ndarray | None = None
    levels: tuple = ()
    parts: tuple = ()


def disagreement(first: np.ndarray, second: np.ndarray, is_number: bool, weights: np.ndarray | None = None) -> float:
    """How far two samples of a column differ, beyond what chance alone does to samples of these sizes.

    Parameters
    ----------
    first, second : ndarray
        Known cells.
    is_number : bool
        Whether they are numbers.
    weights : ndarray of shape (n_first,), default=None
        Of the first sample's cells.

    Returns
    -------
    float in [0, 1]
        For numbers the Kolmogorov-Smirnov distance, for labels the total variation distance, less its rough expectation for two
        samples of one distribution (``0.87 / sqrt(m)``, and ``sum(sqrt(p (1 - p) / m)) / sqrt(2 pi)``, with
        ``m = n_first n_second / (n_first + n_second)``), floored at 0; 0 if a sample is empty. Weighted cells count as so many as
        would be as uncertain (Kish's effective size).

    Examples
    --------
    >>> disagreement(np.zeros(1000), np.ones(1000), True) > 0.9
    True
    >>> disagreement(np.arange(100.0), np.arange(100.0), True)
    0.0
    """
    if not len(first) or not len(second):
        return 0.0
    counts = np.ones(len(first)) if weights is None else weights
    n_first = counts.sum() ** 2 / np.square(counts).sum()
    size = n_first * len(second) / (n_first + len(second))
    codes, levels = pd.factorize(np.concatenate([first, second]), sort=is_number)
    p = np.bincount(codes[: len(first)], counts, len(levels)) / counts.sum()
    q = np.bincount(codes[len(first) :], minlength=len(levels)) / len(second)
    if is_number:
        return float(max(np.abs(np.cumsum(p - q)).max() - 0.87 / np.sqrt(size), 0.0))
    pooled = (n_first * p + len(second) * q) / (n_first + len(second))
    chance = np.sqrt((pooled * (1 - pooled)).clip(min=0) / size).sum() / np.sqrt(2 * np.pi)
    return float(max(np.abs(p - q).sum() / 2 - chance, 0.0))


def most_different(pairs: list[ColumnPair], most: int) -> list[ColumnPair]:
    """The ``most`` pairs that differ most, the most different first; ties in the table's order."""
    return sorted(pairs, key=lambda pair: -pair.disagreement)[:most]


def of_few_values(*samples: np.ndarray) -> bool:
    """Whether numbers are so few different ones that a bar for each says more than a density."""
    return len(np.unique(np.concatenate(samples))) <= _FEW_VALUES


def draw_pair(axes: Any, pair: ColumnPair, names: tuple[str, str], *, few: bool | None = None) -> None:
    """Draw both samples: bars for labels and numbers of few values, densities or histograms for the others.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Gets the picture.
    pair : ColumnPair
        Both samples hold at least one cell.
    names : tuple of str
        What to call them in a legend.
    few : bool, default=None
        Whether numbers are drawn as bars; None where they have few values.
    """
    axes.set_title(label(pair.name), fontsize=9)
    values = np.concatenate([pair.first, pair.second])
    if not pair.is_number or (of_few_values(values) if few is None else few):
        _bars(axes, pair, names)
        return
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    low, high = np.quantile(values, [0.005, 0.995])
    if not low < high:
        low, high = values.min(), values.max()
    if not low < high:
        low, high = low - 0.5, high + 0.5
    spiky = max(np.unique(part, return_counts=True)[1].max() / len(part) for part in (pair.first, pair.second))
    if spiky > _SPIKE and len(pair.second) >= _LEAST_FOR_DENSITY:
        bins = np.linspace(low, high, 25)
        for part, weights, colour, name, style in (
            (pair.first, _shares(pair), MAIN, names[0], {"histtype": "stepfilled", "alpha": 0.45}),
            (pair.second, None, OTHER, names[1], {"histtype": "step", "linewidth": 1.6}),
        ):
            inside = np.clip(part, low, high)
            each = np.full(len(part), 1 / len(part)) if weights is None else weights
            axes.hist(inside, bins, weights=each, color=colour, label=name, **style)
    else:
        _densities(axes, pair, names, low, high)
    axes.set_xlim(low, high)
    axes.locator_params(axis="x", nbins=4)


def _shares(pair: ColumnPair) -> np.ndarray | None:
    """Weights of the first sample that sum to 1."""
    return None if pair.weights is None else pair.weights / pair.weights.sum()


def _densities(axes: Any, pair: ColumnPair, names: tuple[str, str], low: float, high: float) -> None:
    grid = np.linspace(low, high, 160)
    first = _density(pair.first, grid, _shares(pair))
    axes.fill_between(grid, first, color=MAIN, alpha=0.35, linewidth=0, label=names[0])
    axes.plot(grid, first, color=MAIN, linewidth=1)
    for part in pair.parts if len(pair.parts) > 1 else ():
        if len(part) >= _LEAST_FOR_DENSITY:
            axes.plot(grid, _density(part, grid), color=OTHER, linewidth=0.6, alpha=0.45)
    if len(pair.second) >= _LEAST_FOR_DENSITY and np.ptp(pair.second) > 0:
        axes.plot(grid, _density(pair.second, grid), color=OTHER, linewidth=1.8, label=names[1])
    else:  # too few for a shape: each cell is a line
        axes.vlines(pair.second, 0, 0.5 * max(first.max(), 1e-300), color=OTHER, linewidth=1.4, label=names[1])
    axes.set_ylim(bottom=0)


def _density(values: np.ndarray, grid: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Gaussian kernel density; a constant sample has none."""
    from scipy.stats import gaussian_kde

    if len(values) > _MOST_FOR_DENSITY:
        some = slice(None, None, -(-len(values) // _MOST_FOR_DENSITY))
        values, weights = values[some], None if weights is None else weights[some]
    if len(values) < 2 or np.ptp(values) <= 1e-12 * max(np.abs(values).max(), 1e-300):
        return np.zeros(len(grid))
    return gaussian_kde((values - grid[0]) / (grid[-1] - grid[0]), weights=weights)(np.linspace(0, 1, len(grid)))


def _bars(axes: Any, pair: ColumnPair, names: tuple[str, str]) -> None:
    """Shares of the most frequent levels, lying bars so that their names can be read."""
    counts = pd.Series(np.concatenate([pair.first, pair.second])).value_counts()
    if pair.levels:
        counts = counts.reindex([level for level in pair.levels if level in counts.index])
    levels = list(counts.index[:_FEW_VALUES]) if len(counts) <= _FEW_VALUES else list(counts.index[: _FEW_VALUES - 1])
    if pair.is_number:
        levels = sorted(levels)
    texts = [label(f"{level:g}" if pair.is_number else level, 16) for level in levels]
    rest = len(counts) - len(levels)
    places = np.arange(len(levels) + (rest > 0))
    for part, weights, colour, name, shift in (
        (pair.first, _shares(pair), MAIN, names[0], -0.2),
        (pair.second, None, OTHER, names[1], 0.2),
    ):
        shares = [float(np.average(part == level, weights=weights)) for level in levels]
        shares += [1 - sum(shares)] if rest else []
        axes.barh(places + shift, shares, height=0.38, color=colour, label=name, alpha=0.85)
    axes.set_yticks(places, texts + ([f"{rest} others"] if rest else []), fontsize=7)
    if rest:
        axes.get_yticklabels()[-1].set_color(GREY)
    axes.invert_yaxis()
    in_percent(axes.xaxis)
    inches = axes.figure.bbox.width / axes.figure.dpi  # of a figure or a part of one
    beside = inches / axes.get_subplotspec().get_gridspec().ncols
    axes.locator_params(axis="x", nbins=4 if beside >= _ROOM_FOR_TICKS else 2)
