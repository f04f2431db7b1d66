"""Tests of several parameters at once, over m completed tables: D1 (Wald), D2 (chi-square statistics), D3 (likelihood ratios)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2
from scipy.stats import f as fisher

from tabgan._results import ReportsItself
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.inference.analyses import completed_tables

__all__ = ["PooledTest", "joint_wald", "pool_chi2", "pool_likelihood_ratio", "positions_of"]


@dataclass(frozen=True)
class PooledTest(ReportsItself):
    """A test pooled over m imputations.

    Attributes
    ----------
    method : {"D1", "D2", "D3"}
        Which rule pooled it.
    statistic : float
        Compared with an F distribution.
    df1, df2 : float
        Its degrees of freedom: the number of parameters tested, and what the imputations leave; inf where nothing was missing.
    p_value : float
        Of the hypothesis.
    riv : float
        Average relative increase in variance due to the missing values.
    m : int
        Number of imputations.
    """

    method: str
    statistic: float
    df1: float
    df2: float
    p_value: float
    riv: float
    m: int


def _test(method: str, statistic: float, k: float, df2: float, riv: float, m: int) -> PooledTest:
    p = chi2.sf(k * statistic, k) if np.isinf(df2) else fisher.sf(statistic, k, df2)
    return PooledTest(method, float(statistic), float(k), float(df2), float(p), float(riv), m)


def joint_wald(
    difference: np.ndarray, within: np.ndarray, between: np.ndarray, m: int, n_complete_df: float, df_of_one: float
) -> PooledTest:
    """D1: whether k pooled estimates differ from a hypothesis; see `PooledEstimates.wald_test`.

    Parameters
    ----------
    difference : ndarray of shape (k,)
        Pooled estimates less the hypothesis.
    within, between : ndarray of shape (k, k)
        Mean covariance matrix within tables, and covariance of the estimates between them.
    m : int
    n_complete_df : float
    df_of_one : float
        Barnard and Rubin's degrees of freedom, for k = 1.
    """
    k = len(difference)
    try:
        inverse = np.linalg.inv(within)
    except np.linalg.LinAlgError:
        raise InvalidInputError("The tested parameters are linearly dependent; test fewer of them.") from None
    riv = (1 + 1 / m) * float(np.trace(between @ inverse)) / k
    statistic = float(difference @ inverse @ difference) / (k * (1 + riv))
    if k == 1:
        return _test("D1", statistic, k, df_of_one, riv, m)
    t = k * (m - 1)
    if np.isinf(n_complete_df) or t <= 4:
        return _test("D1", statistic, k, _df_of_large_samples(t, k, riv), riv, m)
    return _test("D1", statistic, k, _df_of_small_samples(t, riv, n_complete_df), riv, m)


def _df_of_large_samples(t: float, k: float, riv: float) -> float:
    """Li, Raghunathan and Rubin 1991; inf where nothing was missing."""
    if riv <= 0:
        return np.inf
    return 4 + (t - 4) * (1 + (1 - 2 / t) / riv) ** 2 if t > 4 else t * (1 + 1 / k) * (1 + 1 / riv) ** 2 / 2


def _df_of_small_samples(t: float, riv: float, complete: float) -> float:
    """Reiter 2007, equation 2.8."""
    a = riv * t / (t - 2)
    v = (complete + 1) / (complete + 3) * complete
    c0, c1, c2 = 1 / (t - 4), v - 2 * (1 + a), v - 4 * (1 + a)
    z = 1 / c2 + c0 * (
        a**2 * c1 / ((1 + a) ** 2 * c2)
        + 8 * a**2 * c1 / ((1 + a) * c2**2)
        + 4 * a**2 / ((1 + a) * c2)
        + 4 * a**2 / (c2 * c1)
        + 16 * a**2 * c1 / c2**3
        + 8 * a**2 / c2**2
    )
    return 4 + 1 / z


def pool_chi2(statistics: Sequence[float], k: int) -> PooledTest:
    """Pool m chi-square statistics, where nothing else of the m tests is known (D2).

    The result is rough; use `PooledEstimates.wald_test` or `pool_likelihood_ratio` where they can be had.

    Parameters
    ----------
    statistics : sequence of m >= 2 floats
        Wald or likelihood-ratio statistics of one hypothesis on each completed table, at least 0.
    k : int
        Degrees of freedom of each.

    Returns
    -------
    PooledTest

    Raises
    ------
    InvalidInputError
        Fewer than two statistics, negative ones, or ones that are not finite.
    InvalidParameterError
        ``k`` below 1.

    References
    ----------
    Li, Meng, Raghunathan and Rubin 1991, "Significance levels from repeated p-values with multiply-imputed data", equations 1.17
    to 1.19.

    Examples
    --------
    >>> test = pool_chi2([5.1, 7.3, 2.2, 9.9], 3)
    >>> round(test.statistic, 4), round(test.df2, 4)
    (0.6103, 8.8332)
    """
    d = np.asarray(statistics, dtype=float)
    if d.ndim != 1 or len(d) < 2 or not (np.isfinite(d) & (d >= 0)).all():
        raise InvalidInputError("statistics must be at least 2 finite numbers, none below 0: one per completed table.")
    if k < 1:
        raise InvalidParameterError(f"k={k!r} must be at least 1, the degrees of freedom of each statistic.")
    m = len(d)
    riv = (1 + 1 / m) * float(np.var(np.sqrt(d), ddof=1))
    statistic = (d.mean() / k - (m + 1) / (m - 1) * riv) / (1 + riv)
    df2 = k ** (-3 / m) * (m - 1) * (1 + 1 / riv) ** 2 if riv > 0 else np.inf
    return _test("D2", max(statistic, 0.0), k, df2, riv, m)


def pool_likelihood_ratio(
    full: Callable[[Any], Any] | Sequence[Any],
    null: Callable[[Any], Any] | Sequence[Any],
    tables: Sequence[Any] | None = None,
) -> PooledTest:
    """Test a model against one nested in it by m likelihood ratios (D3).

    Parameters
    ----------
    full, null : callable or sequence of results
        ``full(table)`` and ``null(table)`` return fitted statsmodels models of one completed table, the second nested in the
        first; or the m results of each, with ``tables=None``. The likelihood is evaluated anew at the pooled parameters, which
        needs one of `OLS`, `Logit`, `Probit`, `MNLogit`, `Poisson` and other discrete models, `GLM` of a binomial or Poisson
        family, or a generic likelihood model such as `OrderedModel`.
    tables : sequence of m >= 2 tables, default=None
        The completed tables.

    Returns
    -------
    PooledTest

    Raises
    ------
    InvalidInputError
        Other models, models that are not nested, or different numbers of results.
    InvalidParameterError
        ``tables`` with results, or missing without.

    References
    ----------
    Meng and Rubin 1992, "Performing likelihood ratio tests with multiply-imputed data sets". The variance of `OLS` is pooled as
    the mean of the maximum-likelihood estimates, as in R's mitml.

    Examples
    --------
    >>> import pandas as pd
    >>> import statsmodels.formula.api as smf  # doctest: +SKIP
    >>> pool_likelihood_ratio(
    ...     lambda table: smf.ols("y ~ x + z", table).fit(), lambda table: smf.ols("y ~ x", table).fit(), tables
    ... )  # doctest: +SKIP
    """
    results = [_fitted(fit, tables, name) for fit, name in ((full, "full"), (null, "null"))]
    m = len(results[0])
    if m != len(results[1]) or m < 2:
        raise InvalidInputError(
            f"full has {m} and null {len(results[1])} results; both must have one per completed table, at least 2."
        )
    for k, (larger, smaller) in enumerate(zip(*results, strict=True)):
        rows = [len(getattr(getattr(each, "model", None), "endog", ())) for each in (larger, smaller)]
        if rows[0] != rows[1]:
            raise InvalidInputError(
                f"of table {k}, full is fitted on {rows[0]} rows and null on {rows[1]}, whose likelihoods do not compare: cells are "
                "still missing; impute all columns of full."
            )
    own, pooled, sizes = [], [], []
    for fitted in results:
        likelihoods = [_Likelihood(result) for result in fitted]
        size = {(each.parameters.size, each.scale is None) for each in likelihoods}
        if len(size) > 1:
            raise InvalidInputError(
                "The models differ between tables; make them alike, for example by fixing categories."
            )
        sizes.append(likelihoods[0].parameters.size)
        mean = np.mean([each.parameters for each in likelihoods], axis=0)
        scale = None if likelihoods[0].scale is None else float(np.mean([each.scale for each in likelihoods]))  # type: ignore[misc]
        own.append(np.array([each.at(each.parameters, each.scale) for each in likelihoods]))
        pooled.append(np.array([each.at(mean, scale) for each in likelihoods]))
    k = sizes[0] - sizes[1]
    if k < 1 or (own[0] < own[1] - 1e-6 * np.abs(own[1])).any():
        raise InvalidInputError(
            f"null has {sizes[1]} parameters and full {sizes[0]}, and must be nested in it: give full the columns of null and more."
        )
    at_own, at_pooled = 2 * float(np.mean(own[0] - own[1])), 2 * float(np.mean(pooled[0] - pooled[1]))
    riv = max((m + 1) / (k * (m - 1)) * (at_own - at_pooled), 0.0)
    statistic = max(at_pooled, 0.0) / (k * (1 + riv))
    return _test("D3", statistic, k, _df_of_large_samples(k * (m - 1), k, riv), riv, m)


def _fitted(fit: Callable[[Any], Any] | Sequence[Any], tables: Sequence[Any] | None, name: str) -> list[Any]:
    if callable(fit):
        if tables is None:
            raise InvalidParameterError(
                f"tables=None, but {name} is a callable; pass the completed tables to fit it on."
            )
        return [fit(table) for table in completed_tables(tables)]
    if tables is not None:
        raise InvalidParameterError(f"tables goes with callables; the results of {name} are pooled as they are.")
    return list(fit)


class _Likelihood:
    """The log-likelihood of one fitted statsmodels model, as a function of its parameters and, for OLS, its variance."""

    def __init__(self, result: Any) -> None:
        self.model = getattr(result, "model", None)
        kinds = {cls.__name__ for cls in type(self.model).__mro__}
        self.linear = type(self.model).__name__ == "OLS"
        family = type(getattr(self.model, "family", None)).__name__
        fixed = "GLM" in kinds and family in ("Binomial", "Poisson")
        if not (self.linear or fixed or kinds & {"DiscreteModel", "GenericLikelihoodModel"}):
            name = type(self.model).__name__ if self.model is not None else type(result).__name__
            raise InvalidInputError(
                f"The likelihood of {name} cannot be evaluated at pooled parameters; fit OLS, a discrete model, or a GLM of a "
                "binomial or Poisson family by statsmodels, or use wald_test of pool's result."
            )
        self.parameters = np.ravel(np.asarray(result.params, dtype=float), order="F")
        self.scale = float(np.mean(np.asarray(result.resid) ** 2)) if self.linear else None

    def at(self, parameters: np.ndarray, scale: float | None) -> float:
        if self.linear and scale is not None and self.model is not None:
            rest = float(((self.model.endog - self.model.exog @ parameters) ** 2).sum())
            return -len(self.model.endog) / 2 * np.log(2 * np.pi * scale) - rest / (2 * scale)
        assert self.model is not None
        return float(self.model.loglike(parameters))


def positions_of(parameters: Sequence[Hashable] | None, names: Sequence[Hashable]) -> list[int]:
    """Where the named parameters stand; None takes all but an intercept."""
    parameters = [parameters] if isinstance(parameters, str) else parameters
    if parameters is None:
        return [k for k, name in enumerate(names) if str(name).lower() not in ("intercept", "const", "(intercept)")]
    unknown = [name for name in parameters if name not in names]
    if unknown or not parameters:
        raise InvalidParameterError(f"parameters={list(parameters)} must be some of {list(names)}.")
    return [list(names).index(name) for name in parameters]
