"""What is estimated from a completed table, with its true value, and how estimates are pooled: by `tabgan.pool`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import gaussian_kde
from scipy.stats import t as student

from tabgan import pool

__all__ = ["Estimand", "Estimate", "estimate_from", "logistic", "mean", "quantile", "slope"]


@dataclass(frozen=True)
class Estimand:
    """One number of a population.

    Parameters
    ----------
    name : str
    fit : callable
        ``fit(table)`` gives the estimate from a table without missing values, and its squared standard error.
    n_parameters : int
        Estimated along with it, itself included: what the residual degrees of freedom lack of the number of rows.
    truth : float
        Its value in the population, not 0.
    """

    name: str
    fit: Callable[[pd.DataFrame], tuple[float, float]]
    n_parameters: int
    truth: float


@dataclass(frozen=True)
class Estimate:
    """What a method says of an estimand."""

    estimate: float
    error: float
    df: float
    fmi: float = 0.0

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """From the t distribution with ``df`` degrees of freedom."""
        reach = float(student.ppf((1 + confidence) / 2, self.df)) * self.error
        return self.estimate - reach, self.estimate + reach


def estimate_from(estimand: Estimand, tables: Sequence[pd.DataFrame]) -> Estimate:
    """Pooled by Rubin's rules over several tables; from a single one as if nothing had been missing."""
    df = float(len(tables[0]) - estimand.n_parameters)
    analyses = [estimand.fit(table) for table in tables]
    if len(tables) == 1:
        estimate, variance = analyses[0]
        return Estimate(estimate, float(np.sqrt(variance)), df)
    pooled = pool(analyses, n_complete_df=df)
    return Estimate(*(float(getattr(pooled, part)[0]) for part in ("estimate", "standard_error", "df", "fmi")))


def mean(column: str, truth: float) -> Estimand:
    """The mean of a column."""

    def fit(table: pd.DataFrame) -> tuple[float, float]:
        values = table[column].to_numpy()
        return float(values.mean()), float(values.var(ddof=1)) / len(values)

    return Estimand(f"mean {column}", fit, 1, truth)


def quantile(column: str, level: float, truth: float) -> Estimand:
    """A quantile of a column; its variance is ``level (1 - level) / (n f^2)`` with a kernel estimate f of the density there."""

    def fit(table: pd.DataFrame) -> tuple[float, float]:
        values = table[column].to_numpy()
        value = float(np.quantile(values, level))
        density = float(gaussian_kde(values)(value)[0])
        return value, level * (1 - level) / (len(values) * density**2)

    return Estimand(f"quantile {level:g} {column}", fit, 1, truth)


def slope(outcome: str, columns: Sequence[str], of: str, truth: float) -> Estimand:
    """A coefficient of a linear regression; ``"x:z"`` is a product, and ``region`` stands as indicators of its codes but 0."""
    names = _terms(columns)

    def fit(table: pd.DataFrame) -> tuple[float, float]:
        X, y = _design(table, names), table[outcome].to_numpy()
        inverse = np.linalg.inv(X.T @ X)
        coefficients = inverse @ (X.T @ y)
        k, rest = 1 + names.index(of), y - X @ coefficients
        return float(coefficients[k]), float(rest @ rest / (len(y) - X.shape[1]) * inverse[k, k])

    return Estimand(f"slope {of}", fit, 1 + len(names), truth)


def logistic(outcome: str, columns: Sequence[str], of: str, truth: float) -> Estimand:
    """A coefficient of a logistic regression; an outcome that a method filled with other numbers than 0 and 1 is cut at .5."""
    names = _terms(columns)

    def fit(table: pd.DataFrame) -> tuple[float, float]:
        X, positive = _design(table, names), (table[outcome] > 0.5).to_numpy(float)
        coefficients = np.zeros(X.shape[1])
        for _ in range(50):  # Newton's method
            p = expit(X @ coefficients)
            inverse = np.linalg.inv((X * (p * (1 - p))[:, None]).T @ X)
            step = inverse @ (X.T @ (positive - p))
            coefficients += step
            if np.abs(step).max() < 1e-10:
                k = 1 + names.index(of)
                return float(coefficients[k]), float(inverse[k, k])
        raise ValueError(f"the logistic regression of {outcome} does not converge")

    return Estimand(f"logit {of}", fit, 1 + len(names), truth)


def _terms(columns: Sequence[str]) -> list[str]:
    return [term for name in columns for term in (("region=1", "region=2") if name == "region" else (name,))]


def _design(table: pd.DataFrame, terms: Sequence[str]) -> np.ndarray:
    """A column of ones, then the terms."""
    columns = [np.ones(len(table))]
    for term in terms:
        name, _, code = term.partition("=")
        first, _, second = name.partition(":")
        values = table[first].to_numpy()
        columns.append(
            (values == float(code)).astype(float) if code else values * table[second].to_numpy() if second else values
        )
    return np.column_stack(columns)
