"""Rubin's rules: one analysis out of the analyses of m completed tables."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from tabgan._results import ReportsItself
from tabgan._warnings import warn_caller
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.inference.analyses import check_m, floats_of, listed, read_all
from tabgan.inference.combined_tests import PooledTest, joint_wald, positions_of

__all__ = ["PooledEstimates", "pool", "pool_scalars"]


@dataclass(frozen=True, repr=False)
class PooledEstimates(ReportsItself):
    """Estimates pooled over m imputations; arrays of shape (p,), in the order of ``names``.

    Attributes
    ----------
    names : list
        Parameter names.
    estimate : ndarray
        Mean of the m estimates.
    within, between, total : ndarray
        Mean of the m squared standard errors; variance of the m estimates; ``within + (1 + 1/m) between``.
    standard_error : ndarray
        Root of ``total``.
    df : ndarray
        Degrees of freedom of the reference t distribution.
    statistic, p_value : ndarray
        ``estimate / standard_error``, and its two-sided p-value for the hypothesis that the parameter is 0.
    lower, upper : ndarray
        Confidence interval at level ``confidence``.
    riv : ndarray
        Relative increase in variance due to the missing values.
    lambda_ : ndarray
        Share of the total variance that is due to them.
    fmi : ndarray
        Fraction of missing information.
    m : int
        Number of imputations.
    n_complete_df : float
        Degrees of freedom that the complete data would have had; inf for a large sample.
    confidence : float
        Level of the interval.
    within_covariance, between_covariance : ndarray of shape (p, p), or None
        Mean covariance matrix of the m analyses, where all have one, and covariance of their estimates: what `wald_test` needs.
    """

    names: list[Hashable]
    estimate: np.ndarray
    within: np.ndarray
    between: np.ndarray
    total: np.ndarray
    standard_error: np.ndarray
    df: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    riv: np.ndarray
    lambda_: np.ndarray
    fmi: np.ndarray
    m: int
    n_complete_df: float
    confidence: float
    within_covariance: np.ndarray | None = None
    between_covariance: np.ndarray | None = None

    def wald_test(self, parameters: Sequence[Hashable] | None = None, *, null: Any = 0.0) -> PooledTest:
        """Test several parameters at once (D1).

        Parameters
        ----------
        parameters : sequence of names, default=None
            None takes all but an intercept.
        null : float or array of floats, default=0.0
            Their values under the hypothesis.

        Returns
        -------
        PooledTest

        Raises
        ------
        InvalidInputError
            The analyses have no covariance matrices.
        InvalidParameterError
            Unknown ``parameters``.

        Notes
        -----
        The fraction of missing information is taken to be the same for all the parameters. Degrees of freedom: Barnard and
        Rubin's for one parameter; Reiter's where ``n_complete_df`` is finite and ``k (m - 1) > 4``; else Li, Raghunathan and
        Rubin's.

        References
        ----------
        Li, Raghunathan and Rubin 1991, "Large-sample significance levels from multiply imputed data using moment-based
        statistics and an F reference distribution". Reiter 2007, "Small-sample degrees of freedom for multi-component
        significance tests with multiple imputation for missing data".

        Examples
        --------
        >>> table = pd.DataFrame({"x": [1.0, 2.0, 4.0, 7.0], "z": [1.0, 0.0, 1.0, 0.5]})
        >>> tables = [table, table + 0.1, table * 1.1]
        >>> pooled = pool(lambda t: (t.mean(), t.cov() / len(t)), tables, n_complete_df=3)
        >>> round(pooled.wald_test(["x", "z"]).statistic, 3)
        7.53
        """
        if self.within_covariance is None or self.between_covariance is None:
            raise InvalidInputError(
                "The analyses have no covariance matrices, which a joint test needs: pool statsmodels results, (model, X, y), or "
                "(estimates, covariance matrix)."
            )
        at = positions_of(parameters, self.names)
        block = np.ix_(at, at)
        return joint_wald(
            self.estimate[at] - np.asarray(null, dtype=float),
            self.within_covariance[block],
            self.between_covariance[block],
            self.m,
            self.n_complete_df,
            float(self.df[at[0]]) if at else np.inf,
        )

    def to_frame(self) -> pd.DataFrame:
        """All arrays as columns (``lambda_`` as ``"lambda"``), one row per parameter."""
        arrays = {f.name.rstrip("_"): getattr(self, f.name) for f in fields(self) if f.type == "np.ndarray"}
        return pd.DataFrame(arrays, index=pd.Index(self.names, name="parameter"))

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._shown().to_string(float_format=lambda v: f'{v:.4g}')}"

    def _repr_html_(self) -> str:
        table = self._shown().to_html(float_format=lambda v: f"{v:.4g}", escape=True, border=0)
        return f"<p>{self._head()}</p>{table}"

    def _head(self) -> str:
        complete = "inf" if np.isinf(self.n_complete_df) else f"{self.n_complete_df:g}"
        return f"PooledEstimates: m={self.m}, confidence={self.confidence:g}, complete-data df={complete}"

    def _shown(self) -> pd.DataFrame:
        return self.to_frame()[
            ["estimate", "standard_error", "statistic", "df", "p_value", "lower", "upper", "riv", "fmi"]
        ]


def pool_scalars(
    estimates: Any,
    variances: Any,
    *,
    n_complete_df: float | None = None,
    confidence: float = 0.95,
    names: Sequence[Hashable] | None = None,
) -> PooledEstimates:
    """Pool estimates and their squared standard errors by Rubin's rules.

    Parameters
    ----------
    estimates : array of float of shape (m, p) or (m,)
        Estimates of p parameters on each of m >= 2 completed tables.
    variances : array of float of the same shape
        Their squared standard errors, above 0.
    n_complete_df : float, default=None
        Residual degrees of freedom of the analysis had nothing been missing, such as n - p. None or inf: a large sample.
    confidence : float in (0, 1), default=0.95
        Level of the intervals.
    names : sequence of p names, default=None
        None numbers the parameters from 0.

    Returns
    -------
    PooledEstimates
        With Barnard and Rubin's degrees of freedom, or Rubin's of 1987 for a large sample.

    Raises
    ------
    InvalidInputError
        Fewer than two imputations, shapes that do not fit, values that are not finite, or variances not above 0.
    InvalidParameterError
        ``confidence`` outside (0, 1) or ``n_complete_df`` not above 0.

    References
    ----------
    Rubin 1987, "Multiple Imputation for Nonresponse in Surveys", equations 3.1.2 to 3.1.10: with mean Q and variance B of the
    estimates and mean U of their variances, ``T = U + (1 + 1/m) B``, ``riv = (1 + 1/m) B / U``, ``lambda = (1 + 1/m) B / T``,
    ``df_old = (m - 1) / lambda^2`` and ``fmi = (riv + 2 / (df + 3)) / (riv + 1)``.
    Barnard and Rubin 1999, "Small-sample degrees of freedom with multiple imputation", equation 3:
    ``1/df = 1/df_old + 1/df_obs``, ``df_obs = (c + 1) / (c + 3) c (1 - lambda)`` for c complete-data degrees of freedom.

    Examples
    --------
    >>> pooled = pool_scalars([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], names=["slope"])
    >>> pooled.to_frame()[["estimate", "total", "riv", "df"]].round(3)
               estimate  total    riv     df
    parameter
    slope           2.0  2.333  1.333  6.125
    """
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence={confidence!r:.200} must lie between 0 and 1, both excluded.")
    complete = np.inf if n_complete_df is None else float(n_complete_df) if isinstance(n_complete_df, Real) else -1.0
    if not complete > 0:
        raise InvalidParameterError(f"n_complete_df={n_complete_df!r} must be above 0; None means a large sample.")
    q, u = floats_of("estimates", estimates), floats_of("variances", variances)
    if q.shape != u.shape or q.ndim not in (1, 2):
        raise InvalidInputError(f"estimates have shape {q.shape} and variances {u.shape}; both must be (m, p) or (m,).")
    q, u = (q[:, None], u[:, None]) if q.ndim == 1 else (q, u)
    m, p = q.shape
    check_m(m)
    if not (np.isfinite(q).all() and np.isfinite(u).all() and (u > 0).all()):
        raise InvalidInputError("estimates and variances must be finite, and variances above 0; look for a failed fit.")
    labels: list[Hashable] = list(range(p)) if names is None else listed("names", names)
    if len(labels) != p:
        raise InvalidInputError(f"names has {len(labels)} entries for {p} parameters.")
    estimate, within, between = q.mean(axis=0), u.mean(axis=0), q.var(axis=0, ddof=1)
    extra = (1 + 1 / m) * between
    total = within + extra
    riv, lambda_ = extra / within, extra / total
    inverse_df = lambda_**2 / (m - 1)
    if np.isfinite(complete):
        inverse_df = inverse_df + 1 / ((complete + 1) / (complete + 3) * complete * (1 - lambda_))
    with np.errstate(divide="ignore"):
        df = 1 / inverse_df
    error = np.sqrt(total)
    statistic = estimate / error
    reach = student.ppf((1 + confidence) / 2, df) * error
    return PooledEstimates(
        names=labels,
        estimate=estimate,
        within=within,
        between=between,
        total=total,
        standard_error=error,
        df=df,
        statistic=statistic,
        p_value=2 * student.sf(np.abs(statistic), df),
        lower=estimate - reach,
        upper=estimate + reach,
        riv=riv,
        lambda_=lambda_,
        fmi=(riv + 2 / (df + 3)) / (riv + 1),
        m=m,
        n_complete_df=complete,
        confidence=confidence,
    )


def pool(
    fit: Callable[[Any], Any] | Sequence[Any],
    tables: Sequence[Any] | None = None,
    *,
    parameters: Sequence[Hashable] | None = None,
    variance: Callable[[Any, Any], Any] | None = None,
    n_complete_df: float | None = None,
    confidence: float = 0.95,
) -> PooledEstimates:
    """Fit a model on each completed table and pool its parameters by Rubin's rules.

    **A single imputation is unfit for inference**, however good it is: one completed table (`GAINImputer.transform`) pretends that
    its imputed values were observed, so its standard errors are too small, its p-values too low and its relations too strong. Pool
    several draws (`GAINImputer.sample`).

    Parameters
    ----------
    fit : callable or sequence of results
        ``fit(table)`` analyses one completed table; or the m results themselves, with ``tables=None``. A result is one of

        - a fitted statsmodels model: ``params``, ``bse`` and ``df_resid`` are read;
        - ``(model, X, y)`` with a fitted `LinearRegression`, `Ridge` or unpenalised binary `LogisticRegression`, or a pipeline
          that ends in one: standard errors are computed here, from X and y as they were fitted, without sample weights;
        - any fitted scikit-learn model with ``coef_``, together with ``variance``;
        - ``(estimates, variances)``, numbers, arrays, or Series whose index names the parameters; instead of p variances also
          their covariance matrix of shape (p, p), for joint tests.
    tables : sequence of tables, default=None
        The m >= 2 completed tables, as `GAINImputer.sample` returns them.
    parameters : sequence of names, default=None
        Which parameters to report, in this order; None takes all.
    variance : callable, default=None
        ``variance(model, table)`` returns the squared standard errors of a scikit-learn model's intercept and coefficients.
    n_complete_df : float, default=None
        Residual degrees of freedom had nothing been missing; None takes the smallest of the results', or a large sample where
        they state none.
    confidence : float in (0, 1), default=0.95
        Level of the intervals.

    Returns
    -------
    PooledEstimates
        See `pool_scalars`.

    Raises
    ------
    InvalidInputError
        Fewer than two tables, results that cannot be read, or parameters that differ between tables.
    InvalidParameterError
        Unknown ``parameters``, ``tables`` with results or missing without, ``confidence`` outside (0, 1).

    Warns
    -----
    UserWarning
        All analyses are the same, as those of one imputation repeated would be.

    Notes
    -----
    Predictions with their standard errors are estimates like others: return ``(predicted_mean, se_mean**2)`` of statsmodels'
    ``get_prediction(new_rows)``, or ``se_obs**2`` for intervals that hold new values.

    Linear regression, shrunken by P or not: ``s^2 A D'D A`` with ``A = (D'D + P)^-1`` and ``n - tr(A D'D)`` degrees of freedom.
    For Ridge it is the variance around the shrunken mean; the interval does not cover the bias.
    Logistic regression: the Wald covariance ``(D' W D)^-1``. D is X with a column of ones where the model has an intercept.

    References
    ----------
    See `pool_scalars`. The default of ``n_complete_df`` follows R mice's ``pool`` (``df.residual`` of the fit).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tables = [pd.DataFrame({"x": rng.normal(size=50)}) for _ in range(5)]
    >>> pooled = pool(lambda table: (table.mean(), table.var() / len(table)), tables, n_complete_df=49)
    >>> pooled.names, pooled.m
    (['x'], 5)
    """
    read = read_all(fit, tables, parameters, variance)
    if (read.estimates == read.estimates[0]).all():
        warn_caller(
            f"All {len(read.estimates)} analyses are the same: either nothing that they use was missing, or this is one imputation "
            "repeated. A single imputation is unfit for inference, as its standard errors take imputed values for observed ones; pool "
            "the draws of GAINImputer.sample."
        )
    pooled = pool_scalars(
        read.estimates,
        read.variances,
        n_complete_df=read.df if n_complete_df is None else n_complete_df,
        confidence=confidence,
        names=read.names,
    )
    if read.covariance is None:
        return pooled
    between = np.atleast_2d(np.cov(read.estimates, rowvar=False))
    return replace(pooled, within_covariance=read.covariance, between_covariance=between)
