"""Plots that several benchmarks share; matplotlib comes with the extra ``bench``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.stats import studentized_range

__all__ = ["critical_difference", "critical_difference_plot"]


def critical_difference(n_methods: int, n_blocks: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks (Demsar 2006, section 3.2.2).

    Parameters
    ----------
    n_methods : int
        At least 2.
    n_blocks : int
        Independent data sets ranked.
    alpha : float, default=0.05
        Level over all pairs.
    """
    q = studentized_range.ppf(1 - alpha, n_methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_methods * (n_methods + 1) / (6 * n_blocks)))


def critical_difference_plot(
    mean_ranks: Mapping[str, float], n_blocks: int, path: str | Path, *, title: str = "", alpha: float = 0.05
) -> float:
    """Mean ranks on a line, best left; bars join methods closer than the critical difference, which is returned.

    Parameters
    ----------
    mean_ranks : mapping of str to float
        Mean rank of each method, 1 the best.
    n_blocks : int
        Independent data sets that were ranked.
    path : path-like
        Written to; the ending says the format.
    title : str, default=""
    alpha : float, default=0.05
    """
    from matplotlib.figure import Figure

    names = sorted(mean_ranks, key=lambda name: mean_ranks[name])
    ranks = np.array([mean_ranks[name] for name in names])
    difference = critical_difference(len(names), n_blocks, alpha)
    groups = _groups(ranks, difference)
    half = (len(names) + 1) // 2
    bars = 0.28 * len(groups)
    height = 1.3 + bars + 0.3 * half
    figure = Figure(figsize=(8.5, 0.55 * height + 0.6), layout="constrained")
    axes = figure.add_subplot()
    low, high = float(np.floor(ranks.min())), float(np.ceil(ranks.max()))
    low, high = (low - 0.5, high + 0.5) if high - low < 1.5 else (low, high)
    margin = 0.62 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(-height + 0.6, 0.9)
    axes.axis("off")
    axes.plot([low, high], [0, 0], color="black", lw=1)
    for tick in np.arange(np.ceil(low), high + 0.01):
        axes.plot([tick, tick], [0, 0.12], color="black", lw=1)
        axes.text(tick, 0.17, f"{tick:g}", ha="center", va="bottom", fontsize=9)
    shown = min(difference, high - low)
    axes.plot([low, low + shown], [0.62, 0.62], color="black", lw=1.5)
    axes.text(low + shown + 0.02 * (high - low), 0.62, f"critical difference {difference:.2f}", va="center", fontsize=9)
    for k, (name, rank) in enumerate(zip(names, ranks, strict=True)):
        left = k < half
        y = -0.5 - bars - 0.3 * (k if left else len(names) - 1 - k)
        end = low - 0.04 * (high - low) if left else high + 0.04 * (high - low)
        axes.plot([rank, rank, end], [0, y, y], color="0.35", lw=0.8)
        text = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
        axes.text(end, y, f"{text} " if left else f" {text}", ha="right" if left else "left", va="center", fontsize=9)
    for k, (first, last) in enumerate(groups):
        y = -0.22 - 0.28 * k
        edge = 0.01 * (high - low)
        axes.plot([ranks[first] - edge, ranks[last] + edge], [y, y], color="tab:blue", lw=3, solid_capstyle="butt")
    if title:
        axes.set_title(title, fontsize=10)
    figure.savefig(path, dpi=150)
    return difference


def _groups(ranks: np.ndarray, difference: float) -> list[tuple[int, int]]:
    """First and last of each longest run of sorted ranks within the difference; a method alone is none."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = int(np.searchsorted(ranks, ranks[first] + difference, side="right")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found
