"""Estimates and squared standard errors of one analysis, from statsmodels, scikit-learn or plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from tabgan._warnings import warn_caller
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = [
    "Analyses",
    "Analysis",
    "check_m",
    "completed_tables",
    "floats_of",
    "listed",
    "read_all",
    "read_analysis",
    "rows_left_out",
]


class Analysis(NamedTuple):
    """What is read of one fitted model; the covariance matrix where it is known, and the residual degrees of freedom."""

    names: list[Hashable]
    estimates: np.ndarray
    variances: np.ndarray
    df: float
    covariance: np.ndarray | None = None


class Analyses(NamedTuple):
    """The same parameters of m analyses: arrays of shape (m, p).

    ``df`` is the smallest of their residual degrees of freedom, ``covariance`` the mean covariance matrix, where all have one.
    """

    names: list[Hashable]
    estimates: np.ndarray
    variances: np.ndarray
    df: float
    covariance: np.ndarray | None


def read_all(
    fit: Callable[[Any], Any] | Sequence[Any],
    tables: Sequence[Any] | None,
    parameters: Sequence[Hashable] | None = None,
    variance: Callable[[Any, Any], Any] | None = None,
) -> Analyses:
    """Analyse each completed table, or take the results; parameters and errors are those of `tabgan.pool`."""
    if callable(fit):
        if tables is None:
            raise InvalidParameterError("tables=None, but fit is a callable; pass the completed tables to fit it on.")
        completed = completed_tables(tables)
        results = [fit(table) for table in completed]
    else:
        if tables is not None:
            raise InvalidParameterError("tables goes with a callable fit; results are pooled as they are.")
        try:
            results = list(fit)
        except TypeError as error:
            raise InvalidParameterError(
                f"fit={fit!r} is neither a function of a table nor a list of results."
            ) from error
        completed = [None] * len(results)
    check_m(len(results))
    read = [read_analysis(result, table, variance) for result, table in zip(results, completed, strict=True)]
    left_out = {k: n for k, result in enumerate(results) if (n := rows_left_out(result))}
    if left_out:
        k, n = next(iter(left_out.items()))
        warn_caller(
            f"{len(left_out)} of {len(results)} analyses leave out rows in which cells are missing, that of table {k} {n} rows: what "
            "is pooled is about the other rows. Impute all columns that the analysis uses, and look for values such as log(-1)."
        )
    names = read[0].names
    for k, analysis in enumerate(read):
        if analysis.names != names:
            raise InvalidInputError(
                f"Table {k} has parameters {analysis.names}, table 0 {names}; make the analyses alike, "
                "for example by fixing the categories before encoding."
            )
    for k, analysis in enumerate(read):
        bad = ~(np.isfinite(analysis.estimates) & np.isfinite(analysis.variances) & (analysis.variances > 0))
        if parameters is None and bad.any():
            at = int(np.argmax(bad))
            raise InvalidInputError(
                f"Table {k} has estimate {analysis.estimates[at]:.4g} and variance {analysis.variances[at]:.4g} of {names[at]!r}; "
                "both must be finite, and variances above 0. Look for a failed fit, or name the others in parameters."
            )
    chosen = names if parameters is None else listed("parameters", parameters)
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise InvalidParameterError(f"parameters names {unknown}; the analyses have {names}.")
    positions = [names.index(name) for name in chosen]
    matrices = [analysis.covariance for analysis in read if analysis.covariance is not None]
    return Analyses(
        chosen,
        np.array([analysis.estimates[positions] for analysis in read]),
        np.array([analysis.variances[positions] for analysis in read]),
        min(analysis.df for analysis in read),
        np.mean(matrices, axis=0)[np.ix_(positions, positions)] if len(matrices) == len(read) else None,
    )


def completed_tables(tables: Any) -> list[Any]:
    """The completed tables as a list; one table is none, nor are tables by name."""
    alone = isinstance(tables, str | Mapping) or hasattr(tables, "columns") or getattr(tables, "ndim", 3) == 2
    if alone:
        raise InvalidParameterError(
            f"tables is a {type(tables).__name__}, not a list of completed tables, as GAINImputer.sample returns it."
        )
    return listed("tables", tables)


def rows_left_out(result: Any) -> int:
    """How many rows statsmodels left out of an analysis, as cells of them are missing."""
    rows = getattr(getattr(getattr(result, "model", None), "data", None), "missing_row_idx", None)
    return 0 if rows is None else len(rows)


def check_m(m: int) -> None:
    """Refuse fewer than two imputations."""
    if m < 2:
        raise InvalidInputError(
            f"m={m} is too few for Rubin's rules: a single imputation is unfit for inference, as its standard errors take imputed "
            "values for observed ones. Draw at least 2 completed tables, better 20, by GAINImputer.sample."
        )


def read_analysis(result: Any, table: Any, variance: Callable[[Any, Any], Any] | None) -> Analysis:
    """Find out what kind of result this is and read it."""
    if hasattr(result, "params") and hasattr(result, "bse"):
        return _read_statsmodels(result)
    if hasattr(result, "pvalue"):  # scipy's are pairs too, of a statistic and a p-value
        raise InvalidInputError(
            f"A {type(result).__name__} is a test, and p-values cannot be averaged: return (estimate, squared standard error), such "
            "as those of a difference or of Fisher's z, or pool chi-square statistics by pool_chi2."
        )
    if isinstance(result, tuple) and len(result) == 3:
        return _read_linear(*result)
    if isinstance(result, tuple) and len(result) == 2:
        return _analysis(result[0], result[1], np.inf)
    if isinstance(result, BaseEstimator):
        return _read_estimator(result, table, variance)
    raise InvalidInputError(
        f"{_why_not(result)} return a fitted statsmodels model, (model, X, y), or (estimates, variances)."
    )


def _why_not(result: Any) -> str:
    """The first half of a message on what cannot be pooled."""
    kind = type(result).__name__
    if result is None:
        return "fit returned None, perhaps for want of a return;"
    if hasattr(result, "endog") and hasattr(result, "fit"):
        return f"{kind} is a model that was not fitted; call its fit(), and"
    if isinstance(result, (int, float, np.number, np.ndarray, pd.Series, pd.DataFrame)):
        return f"A result of type {kind} has estimates without standard errors, which Rubin's rules need;"
    return f"A result of type {kind} cannot be pooled;"


def _read_estimator(result: Any, table: Any, variance: Callable[[Any, Any], Any] | None) -> Analysis:
    """Coefficients of a fitted scikit-learn model, and standard errors from the caller."""
    if hasattr(result, "best_estimator_"):
        raise InvalidInputError(
            f"{type(result).__name__} chooses by the data, which standard errors do not know; choose once, and fit that model alone."
        )
    if variance is None:
        raise InvalidInputError(
            f"{type(result).__name__} has no standard errors, which Rubin's rules need: let fit return (model, X, y) for a "
            "linear or unpenalised logistic regression, pass variance=, use statsmodels, or pool_predictions for predictions."
        )
    last = result[-1] if isinstance(result, Pipeline) else result
    _check_fitted(last)
    if not hasattr(last, "coef_"):
        raise InvalidInputError(
            f"{type(last).__name__} has no coefficients; pool its predictions with pool_predictions."
        )
    coefficients = np.ravel(last.coef_)
    named = list(getattr(last, "feature_names_in_", [f"x{j}" for j in range(len(coefficients))]))
    has_intercept = getattr(last, "fit_intercept", True)
    values = np.append(np.ravel(last.intercept_), coefficients) if has_intercept else coefficients
    names = ["intercept", *named] if has_intercept else named
    if len(values) != len(names):
        raise InvalidInputError(f"{type(last).__name__} has several outputs; pool each with (estimates, variances).")
    return _analysis(pd.Series(values, index=names), variance(result, table), np.inf)


def _check_fitted(model: Any) -> None:
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise InvalidInputError(f"{type(model).__name__} is not fitted; let fit return model.fit(X, y).") from None


def _read_statsmodels(result: Any) -> Analysis:
    params, errors = result.params, np.asarray(result.bse, dtype=float)
    clusters = getattr(result, "df_resid_inference", None)  # of standard errors by clusters: one less than these
    df = float(getattr(result, "df_resid", np.inf) if clusters is None else clusters)
    covariance = _covariance(result, errors)
    if isinstance(params, pd.DataFrame):  # multinomial: one column per outcome
        names = [f"{row}[{column}]" for row in params.index for column in params.columns]
        return _analysis(pd.Series(np.ravel(params), index=names), np.ravel(errors) ** 2, df, covariance)
    if not isinstance(params, pd.Series):
        names = [*(getattr(getattr(result, "model", None), "exog_names", None) or range(np.size(params)))]
        params = pd.Series(np.ravel(params), index=names if len(names) == np.size(params) else range(np.size(params)))
    return _analysis(params, np.ravel(errors) ** 2, df, covariance)


def _covariance(result: Any, errors: np.ndarray) -> np.ndarray | None:
    """Covariance matrix in the order of the raveled parameters; None where there is none that fits the standard errors."""
    try:
        matrix = np.asarray(result.cov_params(), dtype=float)
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return None
    if matrix.shape != (errors.size, errors.size):
        return None
    order = (
        np.arange(errors.size).reshape(errors.shape, order="F").ravel()
    )  # several outcomes stand below each other there
    matrix = matrix[np.ix_(order, order)]
    return matrix if np.allclose(np.diag(matrix), np.ravel(errors) ** 2, equal_nan=True) else None


def _analysis(estimates: Any, variances: Any, df: float, covariance: np.ndarray | None = None) -> Analysis:
    named = isinstance(estimates, pd.Series)
    values, squares = np.ravel(floats_of("estimates", estimates)), floats_of("variances", variances)
    if squares.shape == (len(values), len(values)):
        covariance, squares = squares, np.diag(squares)
    squares = np.ravel(squares)
    if len(values) != len(squares):
        raise InvalidInputError(
            f"A result has {len(values)} estimates and {len(squares)} variances; they must be as many."
        )
    if named and isinstance(variances, pd.Series | pd.DataFrame) and not estimates.index.equals(variances.index):
        raise InvalidInputError("A result's estimates and variances have different names; put them in the same order.")
    return Analysis(list(estimates.index) if named else list(range(len(values))), values, squares, df, covariance)


def _read_linear(model: Any, X: Any, y: Any) -> Analysis:
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
    _check_fitted(model)
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
    return _analysis(pd.Series(values, index=names), covariance, df)


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


def floats_of(name: str, given: Any) -> np.ndarray:
    """An argument as an array of numbers; it is named where it is none."""
    try:
        return np.asarray(given, dtype=float)
    except Exception as error:  # of whatever it is
        raise InvalidInputError(f"{name}={given!r:.200} is no array of numbers.") from error


def listed(name: str, given: Any) -> list[Any]:
    """An argument as a list; it is named where it is none. A text is one name, not its letters."""
    if isinstance(given, str):
        return [given]
    try:
        return list(given)
    except TypeError as error:
        raise InvalidParameterError(f"{name}={given!r:.200} is not valid; it must be a list.") from error
