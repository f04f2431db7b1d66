"""Divergences between distributions and between samples: KL, Jensen-Shannon, Wasserstein, Sinkhorn, maximum mean discrepancy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp, rel_entr
from sklearn.exceptions import ConvergenceWarning

from tabgan._warnings import warn_caller
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.rows import checked_rows, distance_blocks

__all__ = [
    "earth_movers_distance",
    "js_divergence",
    "kl_divergence",
    "mmd_squared",
    "shared_histograms",
    "sinkhorn_distance",
    "sliced_wasserstein",
]


def kl_divergence(p: Any, q: Any) -> float:
    """Kullback-Leibler divergence of two discrete distributions, in nats.

    Parameters
    ----------
    p, q : array of float of one shape
        Probabilities or counts; each is divided by its sum.

    Returns
    -------
    float in [0, inf]
        ``sum p log(p / q)``; inf where ``q`` is 0 and ``p`` is not, as on disjoint supports.

    Raises
    ------
    InvalidInputError
        Different shapes, negative or non-finite entries, or a sum of 0.

    Examples
    --------
    >>> kl_divergence([1, 0], [0, 1])
    inf
    """
    p, q = _probabilities(p, q)
    return float(rel_entr(p, q).sum())


def js_divergence(p: Any, q: Any) -> float:
    """Jensen-Shannon divergence of two discrete distributions, in nats.

    Parameters
    ----------
    p, q : array of float of one shape
        As for `kl_divergence`.

    Returns
    -------
    float in [0, log 2]
        log 2 on disjoint supports, however far apart they are: why a perfect discriminator teaches a generator nothing.

    Raises
    ------
    InvalidInputError
        As for `kl_divergence`.

    Examples
    --------
    >>> round(js_divergence([1, 0], [0, 1]), 4)
    0.6931
    """
    p, q = _probabilities(p, q)
    middle = (p + q) / 2
    return float((rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2)


def shared_histograms(a: Any, b: Any, *, bins: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Counts of two samples in one grid over the range of both, for `kl_divergence` and `js_divergence`.

    Parameters
    ----------
    a, b : array of float of shape (n,) or (n, d)
        Samples; d is at most 3, for ``bins ** d`` cells must fill up.
    bins : int, default=30
        Cells per axis.

    Returns
    -------
    tuple of two arrays of float of shape (bins,) * d
        Counts.

    Raises
    ------
    InvalidInputError
        As for `kl_divergence`'s samples: NaN, different widths, fewer than two rows, or more than three columns.
    InvalidParameterError
        ``bins`` below 1.
    """
    if bins < 1:
        raise InvalidParameterError(f"bins={bins!r} must be at least 1.")
    first, second = checked_rows(a=_columns(a), b=_columns(b))
    if first.shape[1] > 3:
        raise InvalidInputError(f"a has {first.shape[1]} columns; histograms are for 3 at most. Use mmd_squared.")
    both = np.concatenate([first, second])
    limits = [
        (low, high if high > low else low + 1) for low, high in zip(both.min(axis=0), both.max(axis=0), strict=True)
    ]
    counts = [np.histogramdd(x, bins=bins, range=limits)[0] for x in (first, second)]
    return counts[0], counts[1]


def earth_movers_distance(a: Any, b: Any, *, order: float = 1.0) -> float:
    """Exact Wasserstein distance between two one-dimensional samples, by sorting.

    Parameters
    ----------
    a, b : array of float of shape (n,) and (m,)
        Samples.
    order : float, default=1.0
        At least 1; the distance is ``(inf E|x - y|^order)^(1 / order)`` over all couplings.

    Returns
    -------
    float in [0, inf)
        ``|t|`` for a sample and its shift by t. `tabgan.metrics.wasserstein` is the same for the hidden cells of tables.

    Raises
    ------
    InvalidInputError
        Not one-dimensional, NaN, or fewer than two values.
    InvalidParameterError
        ``order`` below 1.

    Examples
    --------
    >>> earth_movers_distance([0.0, 1.0, 5.0], [3.0, 4.0, 8.0])
    3.0
    """
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise InvalidInputError("earth_movers_distance takes two vectors; use sliced_wasserstein for rows.")
    first, second = checked_rows(a=_columns(a), b=_columns(b))
    return float(_sorted_costs(first, second, order)[0] ** (1 / order))


def sliced_wasserstein(
    a: Any, b: Any, *, n_projections: int = 128, order: float = 2.0, random_state: int | None = 0
) -> float:
    """Sliced Wasserstein distance: `earth_movers_distance` averaged over random directions.

    Parameters
    ----------
    a, b : array of float of shape (n, d) and (m, d)
        Samples.
    n_projections : int, default=128
        Random directions, uniform on the sphere.
    order : float, default=2.0
        As for `earth_movers_distance`.
    random_state : int, default=0
        Seed of the directions; None draws fresh ones.

    Returns
    -------
    float in [0, inf)
        ``(mean over directions of W^order)^(1 / order)``. For a shift t and order 2 about ``|t| / sqrt(d)``.

    Raises
    ------
    InvalidInputError
        Not two-dimensional, different widths, NaN, or fewer than two rows.
    InvalidParameterError
        ``order`` or ``n_projections`` below 1.

    References
    ----------
    Rabin et al. 2011, "Wasserstein Barycenter and Its Application to Texture Mixing", equation 8.
    """
    if n_projections < 1:
        raise InvalidParameterError(f"n_projections={n_projections!r} must be at least 1.")
    first, second = checked_rows(a=a, b=b)
    directions = np.random.default_rng(random_state).normal(size=(first.shape[1], n_projections))
    directions /= np.linalg.norm(directions, axis=0)
    return float(_sorted_costs(first @ directions, second @ directions, order).mean() ** (1 / order))


def sinkhorn_distance(
    a: Any,
    b: Any,
    *,
    order: float = 1.0,
    epsilon: float = 0.01,
    debiased: bool = False,
    max_iter: int = 2000,
    tolerance: float = 1e-4,
) -> float:
    """Wasserstein distance between samples of rows by entropic optimal transport, in the log domain.

    Parameters
    ----------
    a, b : array of float of shape (n, d) and (m, d)
        Samples; time and memory grow with n m, so keep them to some thousands of rows.
    order : float, default=1.0
        The cost of moving a row is its Euclidean distance to this power; at least 1.
    epsilon : float, default=0.01
        Entropic regularisation as a share of the mean cost: smaller is nearer to the truth and slower.
    debiased : bool, default=False
        Subtract half the costs of ``a`` to itself and of ``b`` to itself, so that identical samples are at distance 0 exactly.
    max_iter : int, default=2000
        Iterations at the last epsilon; a `ConvergenceWarning` says when they did not do.
    tolerance : float, default=1e-4
        Largest total error of the plan's row sums.

    Returns
    -------
    float in [0, inf)
        ``<P, C>^(1 / order)``. The plan P is rounded to exact marginals, so without ``debiased`` this is never below the Wasserstein
        distance.

    Raises
    ------
    InvalidInputError
        As for `sliced_wasserstein`.
    InvalidParameterError
        ``order`` below 1, or ``epsilon`` or ``max_iter`` not positive.

    References
    ----------
    Cuturi 2013, "Sinkhorn Distances", algorithm 1; Genevay, Peyre, Cuturi 2018, "Learning Generative Models with Sinkhorn
    Divergences", definition 1 (debiased, in the form that compares ``<P, C>``); Altschuler, Weed, Rigollet 2017, algorithm 2.
    """
    if order < 1:
        raise InvalidParameterError(f"order={order!r} must be at least 1.")
    if not epsilon > 0 or max_iter < 1:
        raise InvalidParameterError(f"epsilon={epsilon!r} and max_iter={max_iter!r} must be positive.")
    first, second = checked_rows(a=a, b=b)
    cost = cdist(first, second) ** order
    # One temperature for all three plans: otherwise the debiased distance of a sample to itself would not be 0.
    temperature = epsilon * (float(cost.mean()) or 1.0)
    value = _transport_cost(cost, temperature, max_iter, tolerance)
    if debiased:
        own = (_transport_cost(cdist(x, x) ** order, temperature, max_iter, tolerance) for x in (first, second))
        value = max(value - sum(own) / 2, 0.0)
    return float(value ** (1 / order))


def mmd_squared(a: Any, b: Any, *, bandwidths: Sequence[float] | None = None) -> float:
    """Unbiased squared maximum mean discrepancy under a mixture of Gaussian kernels.

    Parameters
    ----------
    a, b : array of float of shape (n, d) and (m, d)
        Samples.
    bandwidths : sequence of float, default=None
        Standard deviations s of the kernels ``exp(-|x - y|^2 / (2 s^2))``, which are averaged; None takes 1/4, 1/2, 1, 2 and 4 times
        the median distance between rows of ``a`` and ``b``.

    Returns
    -------
    float in (-2, 2)
        Mean 0 for two samples of one distribution, so it may be negative.

    Raises
    ------
    InvalidInputError
        As for `sliced_wasserstein`.
    InvalidParameterError
        A bandwidth that is not positive.

    References
    ----------
    Gretton et al. 2012, "A Kernel Two-Sample Test", equation 3.
    """
    first, second = checked_rows(a=a, b=b)
    if bandwidths is None:
        # The median over all pairs is that of a subset to within a few percent, and scales need no more.
        median = float(np.median(cdist(first[:: len(first) // 1000 + 1], second[:: len(second) // 1000 + 1])))
        bandwidths = [(median or 1.0) * factor for factor in (0.25, 0.5, 1.0, 2.0, 4.0)]
    if not len(bandwidths) or min(bandwidths) <= 0:
        raise InvalidParameterError(f"bandwidths={list(bandwidths)!r} must be positive numbers, one at least.")
    n, m = len(first), len(second)
    within = (_rbf_sum(first, first, bandwidths) - n) / (n * (n - 1))
    within += (_rbf_sum(second, second, bandwidths) - m) / (m * (m - 1))
    return float(within - 2 * _rbf_sum(first, second, bandwidths) / (n * m))


def _probabilities(p: Any, q: Any) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
    if first.shape != second.shape:
        raise InvalidInputError(f"p has shape {first.shape} and q {second.shape}; count both in the same cells.")
    for name, given in (("p", first), ("q", second)):
        if not np.isfinite(given).all() or (given < 0).any() or not given.sum() > 0:
            raise InvalidInputError(f"{name} must hold finite numbers of at least 0 with a positive sum.")
    return first / first.sum(), second / second.sum()


def _columns(sample: Any) -> np.ndarray:
    values = np.asarray(sample, dtype=float)
    return values[:, None] if values.ndim == 1 else values


def _sorted_costs(a: np.ndarray, b: np.ndarray, order: float) -> np.ndarray:
    """Cost of the monotone coupling, optimal in one dimension, column by column."""
    if order < 1:
        raise InvalidParameterError(f"order={order!r} must be at least 1.")
    n, m = len(a), len(b)
    # Where one of the two quantile functions jumps, in units of 1 / (n m): integers, so no rounding splits a jump in two.
    jumps = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    weight = np.diff(jumps, prepend=0) / (n * m)
    i, j = (jumps - 1) // m, (jumps - 1) // n
    return weight @ np.abs(np.sort(a, axis=0)[i] - np.sort(b, axis=0)[j]) ** order


def _transport_cost(cost: np.ndarray, temperature: float, max_iter: int, tolerance: float) -> float:
    n, m = cost.shape
    log_p, log_q = -np.log(n), -np.log(m)
    f, g, error = np.zeros(n), np.zeros(m), np.inf
    hot = max(float(cost.max()), temperature)
    # Cooling from the largest cost: at the final temperature alone, potentials move by about that temperature per iteration.
    steps = max(int(np.ceil(np.log2(hot / temperature))), 0)
    for t in [*(hot / 2**k for k in range(steps)), temperature]:
        for iteration in range(max_iter if t == temperature else 5):
            f = t * (log_p - logsumexp((g - cost) / t, axis=1))
            g = t * (log_q - logsumexp((f[:, None] - cost) / t, axis=0))
            if iteration % 10 == 9 or iteration + 1 == max_iter:
                error = np.abs(np.exp(logsumexp((f[:, None] + g - cost) / t, axis=1)) - 1 / n).sum()
                if error < tolerance:
                    break
    if error > tolerance:
        warn_caller(
            f"Sinkhorn stopped after max_iter={max_iter} iterations with marginal error {error:.1e}; raise epsilon.",
            ConvergenceWarning,
        )
    plan = np.exp((f[:, None] + g - cost) / temperature)
    plan *= np.minimum(1 / (n * plan.sum(axis=1)), 1.0)[:, None]
    plan *= np.minimum(1 / (m * plan.sum(axis=0)), 1.0)
    short_rows, short_columns = 1 / n - plan.sum(axis=1), 1 / m - plan.sum(axis=0)
    if short_rows.sum() > 0:
        plan += np.outer(short_rows, short_columns) / short_rows.sum()
    return float((plan * cost).sum())


def _rbf_sum(a: np.ndarray, b: np.ndarray, bandwidths: Sequence[float]) -> float:
    total = 0.0
    for _, block in distance_blocks(a, b):
        squares = block**2
        total += sum(float(np.exp(-squares / (2 * s * s)).sum()) for s in bandwidths)
    return total / len(bandwidths)
