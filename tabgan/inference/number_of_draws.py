"""Whether there are enough imputations: how far a pooled result would move with others, and how many hold it still."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from tabgan.exceptions import parameter_error
from tabgan.inference.analyses import read_all
from tabgan.inference.pooling import PooledEstimates, pool_scalars

__all__ = ["monte_carlo_error", "n_draws_needed", "pool_by_number_of_draws"]


def monte_carlo_error(pooled: PooledEstimates) -> np.ndarray:
    """Standard deviation that pooled estimates would have over other sets of m imputations of the same table.

    Parameters
    ----------
    pooled : PooledEstimates
        Of m imputations.

    Returns
    -------
    ndarray of shape (p,)
        ``sqrt(between / m)``. White, Royston and Wood want it to be at most a tenth of the standard error.

    References
    ----------
    White, Royston and Wood 2011, "Multiple imputation using chained equations: Issues and guidance for practice".

    Examples
    --------
    >>> from tabgan.inference.pooling import pool_scalars
    >>> monte_carlo_error(pool_scalars([1.0, 2.0, 3.0, 2.0], [1.0] * 4)).round(3)
    array([0.408])
    """
    return np.sqrt(pooled.between / pooled.m)


def n_draws_needed(pooled: PooledEstimates, *, precision: float = 0.05, confidence: float = 0.95) -> np.ndarray:
    """How many imputations it takes for standard errors that would hardly differ if the table were imputed again.

    The second stage of von Hippel's two: a pilot of some imputations (20, say) tells the fraction of missing information, and that how
    many are needed. Estimates themselves need fewer.

    Parameters
    ----------
    pooled : PooledEstimates
        Of the pilot.
    precision : float, default=0.05
        Coefficient of variation that standard errors may have over repeated imputations.
    confidence : float in (0, 1), default=0.95
        How sure one wants to be that the fraction of missing information is not underestimated by the pilot; two-sided.

    Returns
    -------
    ndarray of int of shape (p,)
        ``1 + (f / precision)^2 / 2``, rounded up, where f is the upper end of the pilot's interval for the fraction: ``logit(fmi) +- z
        sqrt(2 / m)``; at least 2. The largest of them serves all parameters.

    Raises
    ------
    InvalidParameterError
        ``precision`` is not above 0, or ``confidence`` outside (0, 1).

    References
    ----------
    von Hippel 2020, "How many imputations do you need? A two-stage calculation using a quadratic rule"; R's
    howManyImputations gives the same.

    Examples
    --------
    >>> from tabgan.inference.pooling import pool_scalars
    >>> n_draws_needed(pool_scalars([1.0, 2.0, 3.0, 2.0] * 5, [1.0] * 20))
    array([55])
    """
    if not precision > 0:
        raise parameter_error("precision", precision, "a number above 0")
    if not 0 < confidence < 1:
        raise parameter_error("confidence", confidence, "a number between 0 and 1, both excluded")
    fraction = np.clip(pooled.fmi, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        upper = expit(logit(fraction) + norm.ppf((1 + confidence) / 2) * np.sqrt(2 / pooled.m))
    return np.maximum(np.ceil(1 + (upper / precision) ** 2 / 2), 2).astype(int)


def pool_by_number_of_draws(
    fit: Callable[[Any], Any] | Sequence[Any],
    tables: Sequence[Any] | None = None,
    *,
    parameters: Sequence[Hashable] | None = None,
    variance: Callable[[Any, Any], Any] | None = None,
    n_complete_df: float | None = None,
    confidence: float = 0.95,
) -> list[PooledEstimates]:
    """Pool the first two imputations, the first three, and so on: what `tabgan.pool` gives, by the number of draws.

    Parameters
    ----------
    fit, tables, parameters, variance, n_complete_df, confidence
        See `tabgan.pool`.

    Returns
    -------
    list of PooledEstimates
        Of 2, 3, ..., m imputations.

    Examples
    --------
    >>> [round(float(one.estimate[0]), 2) for one in pool_by_number_of_draws([(1.0, 1.0), (2.0, 1.0), (6.0, 1.0)])]
    [1.5, 3.0]
    """
    read = read_all(fit, tables, parameters, variance)
    df = read.df if n_complete_df is None else n_complete_df
    return [
        pool_scalars(read.estimates[:k], read.variances[:k], n_complete_df=df, confidence=confidence, names=read.names)
        for k in range(2, len(read.estimates) + 1)
    ]
