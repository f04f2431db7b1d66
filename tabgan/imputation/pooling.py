"""Rubin's rules: one analysis out of the analyses of m completed tables."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["PooledEstimates", "PooledPredictions", "pool", "pool_predictions", "pool_scalars"]


@dataclass(frozen=True, repr=False)
class PooledEstimates:
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

    def to_frame(self) -> pd.DataFrame:
        """All arrays as columns (``lambda_`` as ``"lambda"``), one row per parameter."""
        arrays = {f.name.rstrip("_"): getattr(self, f.name) for f in fields(self) if f.type == "np.ndarray"}
        return pd.DataFrame(arrays, index=pd.Index(self.names, name="parameter"))

    def __repr__(self) -> str:
        shown = ["estimate", "standard_error", "statistic", "df", "p_value", "lower", "upper", "riv", "fmi"]
        complete = "inf" if np.isinf(self.n_complete_df) else f"{self.n_complete_df:g}"
        head = f"PooledEstimates: m={self.m}, confidence={self.confidence:g}, complete-data df={complete}"
        return f"{head}\n{self.to_frame()[shown].to_string(float_format=lambda v: f'{v:.4g}')}"


class PooledPredictions(NamedTuple):
    """What `pool_predictions` returns.

    Attributes
    ----------
    mean : ndarray
        Pooled prediction, in the shape of one array of predictions.
    between : ndarray
        Variance between the m predictions (``ddof=1``): what the missing values add to the uncertainty.
    """

    mean: np.ndarray
    between: np.ndarray


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
    if not 0 < confidence < 1:
        raise InvalidParameterError(f"confidence={confidence!r} must lie between 0 and 1, both excluded.")
    complete = np.inf if n_complete_df is None else float(n_complete_df)
    if not complete > 0:
        raise InvalidParameterError(f"n_complete_df={n_complete_df!r} must be above 0; None means a large sample.")
    q, u = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if q.shape != u.shape or q.ndim not in (1, 2):
        raise InvalidInputError(f"estimates have shape {q.shape} and variances {u.shape}; both must be (m, p) or (m,).")
    q, u = (q[:, None], u[:, None]) if q.ndim == 1 else (q, u)
    m, p = q.shape
    _check_m(m)
    if not (np.isfinite(q).all() and np.isfinite(u).all() and (u > 0).all()):
        raise InvalidInputError("estimates and variances must be finite, and variances above 0; look for a failed fit.")
    labels: list[Hashable] = list(range(p) if names is None else names)
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

    Parameters
    ----------
    fit : callable or sequence of results
        ``fit(table)`` analyses one completed table; or the m results themselves, with ``tables=None``. A result is one of

        - a fitted statsmodels model: ``params``, ``bse`` and ``df_resid`` are read;
        - ``(model, X, y)`` with a fitted `LinearRegression`, `Ridge` or unpenalised binary `LogisticRegression`, or a pipeline
          that ends in one: standard errors are computed here, from X and y as they were fitted, without sample weights;
        - any fitted scikit-learn model with ``coef_``, together with ``variance``;
        - ``(estimates, variances)``, numbers, arrays, or Series whose index names the parameters.
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

    Notes
    -----
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
    if callable(fit):
        if tables is None:
            raise InvalidParameterError("tables=None, but fit is a callable; pass the completed tables to fit it on.")
        completed = list(tables)
        results = [fit(table) for table in completed]
    else:
        if tables is not None:
            raise InvalidParameterError("tables goes with a callable fit; results are pooled as they are.")
        results = list(fit)
        completed = [None] * len(results)
    _check_m(len(results))
    read = [_read(result, table, variance) for result, table in zip(results, completed, strict=True)]
    names = read[0].names
    for k, analysis in enumerate(read):
        if analysis.names != names:
            raise InvalidInputError(
                f"Table {k} has parameters {analysis.names}, table 0 {names}; make the analyses alike, "
                "for example by fixing the categories before encoding."
            )
    chosen = names if parameters is None else list(parameters)
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise InvalidParameterError(f"parameters names {unknown}; the analyses have {names}.")
    positions = [names.index(name) for name in chosen]
    return pool_scalars(
        np.array([analysis.estimates[positions] for analysis in read]),
        np.array([analysis.variances[positions] for analysis in read]),
        n_complete_df=min(analysis.df for analysis in read) if n_complete_df is None else n_complete_df,
        confidence=confidence,
        names=chosen,
    )


def pool_predictions(predictions: Sequence[Any]) -> PooledPredictions:
    """Average predictions of models that were fitted on, or applied to, m completed tables.

    Parameters
    ----------
    predictions : sequence of m >= 2 arrays of float of one shape
        Numbers or probabilities; average probabilities rather than labels.

    Returns
    -------
    PooledPredictions
        ``mean`` and ``between``.

    Raises
    ------
    InvalidInputError
        Fewer than two arrays, different shapes, or labels.

    References
    ----------
    Rubin 1987, equations 3.1.2 and 3.1.4.

    Examples
    --------
    >>> pool_predictions([[1.0, 2.0], [3.0, 2.0]])
    PooledPredictions(mean=array([2., 2.]), between=array([2., 0.]))
    """
    _check_m(len(predictions))
    arrays = [np.asarray(array) for array in predictions]
    if len({array.shape for array in arrays}) > 1:
        raise InvalidInputError(f"predictions have shapes {[a.shape for a in arrays]}; they must be equal.")
    if not all(np.issubdtype(array.dtype, np.number) for array in arrays):
        raise InvalidInputError(
            "predictions hold labels; pool the probabilities of predict_proba and take their argmax."
        )
    stacked = np.stack(arrays).astype(float)
    return PooledPredictions(stacked.mean(axis=0), stacked.var(axis=0, ddof=1))


class _Analysis(NamedTuple):
    """Parameters of one fitted model, their squared standard errors, and the residual degrees of freedom."""

    names: list[Hashable]
    estimates: np.ndarray
    variances: np.ndarray
    df: float


def _read(result: Any, table: Any, variance: Callable[[Any, Any], Any] | None) -> _Analysis:
    """Find out what kind of result this is and read it."""
    if hasattr(result, "params") and hasattr(result, "bse"):
        return _read_statsmodels(result)
    if isinstance(result, tuple) and len(result) == 3:
        return _read_linear(*result)
    if isinstance(result, tuple) and len(result) == 2:
        return _analysis(result[0], result[1], np.inf)
    if isinstance(result, BaseEstimator):
        if variance is None:
            raise InvalidInputError(
                f"{type(result).__name__} has no standard errors, which Rubin's rules need: let fit return (model, X, y) for a "
                "linear or unpenalised logistic regression, pass variance=, use statsmodels, or pool_predictions for predictions."
            )
        last = result[-1] if isinstance(result, Pipeline) else result
        if not hasattr(last, "coef_"):
            raise InvalidInputError(
                f"{type(last).__name__} has no coefficients; pool its predictions with pool_predictions."
            )
        coefficients = np.ravel(last.coef_)
        named = list(getattr(last, "feature_names_in_", [f"x{j}" for j in range(len(coefficients))]))
        values = np.append(np.ravel(last.intercept_), coefficients)
        if len(values) != len(named) + 1:
            raise InvalidInputError(
                f"{type(last).__name__} has several outputs; pool each with (estimates, variances)."
            )
        return _analysis(pd.Series(values, index=["intercept", *named]), variance(result, table), np.inf)
    raise InvalidInputError(
        f"A result of type {type(result).__name__} cannot be pooled; return a fitted statsmodels model, (model, X, y), "
        "or (estimates, variances)."
    )


def _read_statsmodels(result: Any) -> _Analysis:
    params, errors = result.params, np.asarray(result.bse, dtype=float)
    df = float(getattr(result, "df_resid", np.inf))
    if isinstance(params, pd.DataFrame):  # multinomial: one column per outcome
        names = [f"{row}[{column}]" for row in params.index for column in params.columns]
        return _analysis(pd.Series(np.ravel(params), index=names), np.ravel(errors) ** 2, df)
    if not isinstance(params, pd.Series):
        names = [*(getattr(getattr(result, "model", None), "exog_names", None) or range(np.size(params)))]
        params = pd.Series(np.ravel(params), index=names if len(names) == np.size(params) else range(np.size(params)))
    return _analysis(params, np.ravel(errors) ** 2, df)


def _analysis(estimates: Any, variances: Any, df: float) -> _Analysis:
    named = isinstance(estimates, pd.Series)
    values, squares = np.ravel(np.asarray(estimates, dtype=float)), np.ravel(np.asarray(variances, dtype=float))
    if len(values) != len(squares):
        raise InvalidInputError(
            f"A result has {len(values)} estimates and {len(squares)} variances; they must be as many."
        )
    if named and isinstance(variances, pd.Series) and not estimates.index.equals(variances.index):
        raise InvalidInputError("A result's estimates and variances have different names; put them in the same order.")
    return _Analysis(list(estimates.index) if named else list(range(len(values))), values, squares, df)


def _read_linear(model: Any, X: Any, y: Any) -> _Analysis:
    """Covariance of a fitted linear or logistic regression from its own design matrix."""
    if isinstance(model, Pipeline):
        steps, model = model[:-1], model[-1]
        if len(steps):
            X = steps.transform(X)
    if not isinstance(model, LinearRegression | Ridge | LogisticRegression):
        raise InvalidInputError(
            f"No standard errors are known for {type(model).__name__}; use LinearRegression, Ridge, LogisticRegression, "
            "or return the model alone and pass variance=."
        )
    if getattr(model, "positive", False) or getattr(model, "class_weight", None) is not None:
        raise InvalidInputError(
            "positive=True and class_weight change the standard errors; pass variance= for such a model."
        )
    features = np.asarray(X, dtype=float)
    design = np.column_stack([np.ones(len(features)), features]) if model.fit_intercept else features
    if np.ndim(y) != 1:
        raise InvalidInputError(f"y has {np.ndim(y)} dimensions; fit one output at a time and pass y as a vector.")
    if isinstance(model, LogisticRegression):
        covariance, df = _logistic_covariance(model, X, design)
    else:
        covariance, df = _ridge_covariance(model, X, design, np.asarray(y, dtype=float))
    default = list(X.columns) if isinstance(X, pd.DataFrame) else [f"x{j}" for j in range(features.shape[1])]
    names = [*(["intercept"] if model.fit_intercept else []), *getattr(model, "feature_names_in_", default)]
    values = (
        np.append(np.ravel(model.intercept_), np.ravel(model.coef_)) if model.fit_intercept else np.ravel(model.coef_)
    )
    return _analysis(pd.Series(values, index=names), np.diag(covariance), df)


def _ridge_covariance(model: Any, X: Any, design: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Sampling covariance of (ridge) least squares; the intercept is not shrunk."""
    n, p = design.shape
    penalty = np.zeros(p)
    penalty[int(model.fit_intercept) :] = getattr(model, "alpha", 0.0)
    gram = design.T @ design
    inverse = _inverse(gram + np.diag(penalty))
    df = n - float(np.trace(inverse @ gram))
    if df <= 0:
        raise InvalidInputError(
            f"{n} rows leave no degrees of freedom for {p} parameters; use more rows or fewer columns."
        )
    noise = float(((y - model.predict(X)) ** 2).sum()) / df
    return noise * inverse @ gram @ inverse, df


def _logistic_covariance(model: Any, X: Any, design: np.ndarray) -> tuple[np.ndarray, float]:
    """Wald covariance, the inverse Fisher information at the estimate."""
    if model.penalty is not None and not np.isinf(model.C):
        raise InvalidInputError(
            f"LogisticRegression with C={model.C!r} is penalised, so its Wald standard errors do not hold; set C=np.inf."
        )
    if len(model.classes_) != 2:
        raise InvalidInputError(
            f"{len(model.classes_)} classes; standard errors are computed for two, use statsmodels' MNLogit."
        )
    probability = model.predict_proba(X)[:, 1]
    information = (design * (probability * (1 - probability))[:, None]).T @ design
    return _inverse(information), float(design.shape[0] - design.shape[1])


def _inverse(matrix: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0).all() or np.linalg.cond(matrix / np.outer(scale, scale)) > 1e12:
        raise InvalidInputError(
            "The columns of X are linearly dependent (or classes are separated), so there are no standard "
            "errors; drop a column of each constant or duplicate group."
        )
    return np.linalg.inv(matrix)


def _check_m(m: int) -> None:
    if m < 2:
        raise InvalidInputError(f"m={m} is too few for Rubin's rules; draw at least 2 completed tables, better 20.")
