"""What is estimated from a completed table, in a form that `tabgan.pool` takes, with its true value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import gaussian_kde
from scipy.stats import t as student
from sklearn.linear_model import LinearRegression, LogisticRegression

from tabgan import pool
from tabgan.inference.analyses import read_analysis

__all__ = ["Estimand", "Estimate", "estimate_from", "logistic", "mean", "quantile", "slope"]


@dataclass(frozen=True)
class Estimand:
    """One number of a population.

    Parameters
    ----------
    name : str
    fit : callable
        ``fit(table)`` analyses a table without missing values; the result is one that `tabgan.pool` takes.
    parameter : hashable
        Which of its parameters it is.
    truth : float
        Its value in the population, not 0.
    """

    name: str
    fit: Callable[[pd.DataFrame], Any]
    parameter: Any
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
    first = read_analysis(estimand.fit(tables[0]), tables[0], None)
    df = first.df if np.isfinite(first.df) else len(tables[0]) - 1.0
    if len(tables) == 1:
        k = first.names.index(estimand.parameter)
        return Estimate(float(first.estimates[k]), float(np.sqrt(first.variances[k])), df)
    pooled = pool(estimand.fit, tables, parameters=[estimand.parameter], n_complete_df=df)
    return Estimate(*(float(getattr(pooled, part)[0]) for part in ("estimate", "standard_error", "df", "fmi")))


def mean(column: str, truth: float) -> Estimand:
    """The mean of a column."""

    def fit(table: pd.DataFrame) -> Any:
        values = table[column].to_numpy()
        return [values.mean()], [values.var(ddof=1) / len(values)]

    return Estimand(f"mean {column}", fit, 0, truth)


def quantile(column: str, level: float, truth: float) -> Estimand:
    """A quantile of a column; its variance is ``level (1 - level) / (n f^2)`` with a kernel estimate f of the density there."""

    def fit(table: pd.DataFrame) -> Any:
        values = table[column].to_numpy()
        value = np.quantile(values, level)
        density = float(gaussian_kde(values)(value)[0])
        return [value], [level * (1 - level) / (len(values) * density**2)]

    return Estimand(f"quantile {level:g} {column}", fit, 0, truth)


def slope(outcome: str, columns: Sequence[str], of: str, truth: float) -> Estimand:
    """A coefficient of a linear regression; ``"x:z"`` is a product, and ``region`` stands as indicators of its codes but 0."""

    def fit(table: pd.DataFrame) -> Any:
        X = _design(table, columns)
        return LinearRegression().fit(X, table[outcome]), X, table[outcome]

    return Estimand(f"slope {of}", fit, of, truth)


def logistic(outcome: str, columns: Sequence[str], of: str, truth: float) -> Estimand:
    """A coefficient of a logistic regression; an outcome that a method filled with other numbers than 0 and 1 is cut at .5."""

    def fit(table: pd.DataFrame) -> Any:
        X, positive = _design(table, columns), table[outcome] > 0.5
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8, max_iter=1000)
        return model.fit(X, positive), X, positive

    return Estimand(f"logit {of}", fit, of, truth)


def _design(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    parts: dict[str, np.ndarray] = {}
    for name in columns:
        if name == "region":
            parts |= {f"region {code}": (table[name] == code).to_numpy(float) for code in (1, 2)}
        elif ":" in name:
            first, second = name.split(":")
            parts[name] = (table[first] * table[second]).to_numpy()
        else:
            parts[name] = table[name].to_numpy()
    return pd.DataFrame(parts, index=table.index)
