"""Tables whose estimands are known, and what is missing in them; each is a pure function of a size and a generator.

Every table is drawn anew for every repetition. What is observed is never enough to make a cell's absence depend on the cell
itself (MAR), but for ``mnar``, which is there as a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from benchmarks.imputation.inference.estimands import Estimand, logistic, mean, quantile, slope

__all__ = ["SCENARIOS", "Case", "Scenario"]

Kind = Literal["binary", "ordered", "nominal"]


@dataclass(frozen=True)
class Case:
    """One repetition: the whole table, and which of its cells are hidden."""

    truth: pd.DataFrame
    hidden: pd.DataFrame

    @property
    def given(self) -> pd.DataFrame:
        """What a method sees."""
        return self.truth.mask(self.hidden)


@dataclass(frozen=True)
class Scenario:
    """How to draw a table and hide cells, and which estimands to look at.

    Parameters
    ----------
    about : str
        One line for the page.
    draw : callable
        ``draw(n, generator)`` returns a frame of n rows, all numbers (labels as codes from 0), and ``{column: probability that a
        cell is missing, per row}``.
    estimands : tuple of Estimand
    kinds : dict, default={}
        Columns that are not plain numbers.
    """

    about: str
    draw: Callable[[int, np.random.Generator], tuple[pd.DataFrame, Mapping[str, np.ndarray]]]
    estimands: tuple[Estimand, ...]
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def case(self, n: int, seed: int) -> Case:
        """The same for every method: it depends on scenario, size and seed only."""
        generator = np.random.default_rng([seed, n, crc32(self.about.encode())])
        truth, chances = self.draw(n, generator)
        hidden = pd.DataFrame(False, index=truth.index, columns=truth.columns)
        for name, chance in chances.items():
            hidden[name] = generator.random(n) < chance
        return Case(truth, hidden)


def _linear(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, other, e = rng.normal(size=(3, n))
    z = 0.5 * x + np.sqrt(0.75) * other
    y = 2 + x + 0.5 * z + e
    return pd.DataFrame({"x": x, "z": z, "y": y}), {"z": expit(x - 1), "y": expit(x - 0.5)}


def _strong_mar(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, e = rng.normal(size=(2, n))
    return pd.DataFrame({"x": x, "y": x + e}), {"y": expit(3 * x)}


def _covariate(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, e = rng.normal(size=(2, n))
    y = x + e
    return pd.DataFrame({"x": x, "y": y}), {"x": expit(y - 0.5)}


def _interaction(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, z, e = rng.normal(size=(3, n))
    y = x + z + 0.7 * x * z + e
    return pd.DataFrame({"x": x, "z": z, "y": y}), {"z": expit(0.5 * y - 0.8)}


def _skewed(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, e = rng.normal(size=(2, n))
    return pd.DataFrame({"x": x, "y": np.exp(0.6 * (x + e))}), {"y": expit(x - 0.5)}


def _binary(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, e = rng.normal(size=(2, n))
    b = (rng.random(n) < expit(0.8 * x)).astype(float)
    y = b + 0.5 * x + e
    return pd.DataFrame({"x": x, "b": b, "y": y}), {"b": expit(y - 1)}


_CUTS = (-1.2, -0.4, 0.4, 1.2)


def _ordered(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, other, e = rng.normal(size=(3, n))
    grade = np.searchsorted(_CUTS, 0.5 * x + np.sqrt(0.75) * other).astype(float)
    y = 0.5 * grade + 0.5 * x + e
    return pd.DataFrame({"x": x, "grade": grade, "y": y}), {"grade": expit(y - 1.5)}


_SCHOOL_CUTS = (-0.8, 0.2, 1.0)


def _mixed(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    age, a, b, c, e = rng.normal(size=(5, n))
    school = np.searchsorted(_SCHOOL_CUTS, a).astype(float)
    region = rng.choice(3, size=n, p=[0.5, 0.3, 0.2]).astype(float)
    income = np.exp(0.3 * age + 0.2 * school + 0.4 * b)
    smoker = (rng.random(n) < expit(-0.5 - 0.7 * age)).astype(float)
    children = rng.poisson(np.exp(0.2 + 0.3 * age)).astype(float)
    score = 0.4 * age + 0.3 * school - 0.4 * smoker + c
    y = 0.5 * score + 0.6 * smoker + 0.4 * income + 0.3 * school + 0.2 * children + 0.5 * (region == 1) + e
    table = {"age": age, "school": school, "region": region, "income": income, "smoker": smoker}
    pull = 0.5 * age + 0.5 * (y - 1.6) - 1.6
    gapped = ("school", "region", "income", "smoker", "children", "score")
    return pd.DataFrame({**table, "children": children, "score": score, "y": y}), {name: expit(pull) for name in gapped}


def _mnar(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Mapping[str, np.ndarray]]:
    x, e = rng.normal(size=(2, n))
    y = 1 + x + e
    return pd.DataFrame({"x": x, "y": y}), {"y": expit(y - 1.5)}


def _mean_income() -> float:
    """Of the mixed table: a lognormal within each level of school."""
    levels = np.diff(norm.cdf([-np.inf, *_SCHOOL_CUTS, np.inf]))
    return float(np.exp((0.3**2 + 0.4**2) / 2) * (levels * np.exp(0.2 * np.arange(len(levels)))).sum())


_ALL = ("score", "smoker", "income", "school", "children", "region")

SCENARIOS: dict[str, Scenario] = {
    "linear": Scenario(
        "y = 2 + x + .5 z + e; z and y missing given x",
        _linear,
        (
            mean("y", 2.0),
            slope("y", ("x", "z"), "x", 1.0),
            quantile("y", 0.75, 2 + float(norm.ppf(0.75)) * np.sqrt(2.75)),
        ),
    ),
    "strong_mar": Scenario(
        "y = x + e; y missing with probability logistic(3 x)",
        _strong_mar,
        (slope("y", ("x",), "x", 1.0),),
    ),
    "covariate": Scenario(
        "y = x + e; the predictor x missing given the outcome y",
        _covariate,
        (slope("y", ("x",), "x", 1.0),),
    ),
    "interaction": Scenario(
        "y = x + z + .7 x z + e; z missing given y",
        _interaction,
        (slope("y", ("x", "z", "x:z"), "x:z", 0.7),),
    ),
    "skewed": Scenario(
        "log y = .6 (x + e); y missing given x",
        _skewed,
        (mean("y", float(np.exp(0.36))), quantile("y", 0.75, float(np.exp(0.6 * np.sqrt(2) * norm.ppf(0.75))))),
    ),
    "binary": Scenario(
        "logit P(b) = .8 x, y = b + .5 x + e; b missing given y",
        _binary,
        (slope("y", ("b", "x"), "b", 1.0), logistic("b", ("x",), "x", 0.8)),
        {"b": "binary"},
    ),
    "ordered": Scenario(
        "y = .5 grade + .5 x + e, five grades; grade missing given y",
        _ordered,
        (slope("y", ("grade", "x"), "grade", 0.5), mean("grade", 2.0)),
        {"grade": "ordered"},
    ),
    "mixed": Scenario(
        "eight columns, six of them with missing values given age and y",
        _mixed,
        (
            slope("y", _ALL, "score", 0.5),
            slope("y", _ALL, "smoker", 0.6),
            slope("y", _ALL, "income", 0.4),
            mean("income", _mean_income()),
            logistic("smoker", ("age",), "age", -0.7),
        ),
        {"school": "ordered", "region": "nominal", "smoker": "binary"},
    ),
    "mnar": Scenario(
        "y = 1 + x + e; y missing given y itself: no method can know",
        _mnar,
        (mean("y", 1.0), slope("y", ("x",), "x", 1.0)),
    ),
}
"""Scenarios by name."""
