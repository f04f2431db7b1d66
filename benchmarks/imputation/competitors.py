"""The imputers compared: one function per method, all from an incomplete `BenchmarkTable` to a filled frame.

The baselines are the package's own (`tabgan.model_selection.baselines`, scikit-learn underneath): methods that only take numbers get
categories one-hot and are decoded by the largest slot; MissForest's chain has a classifier per categorical column.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from benchmarks.data import BenchmarkTable

__all__ = ["COMPETITORS", "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What a competitor gives back.

    Parameters
    ----------
    train, test : pandas.DataFrame
        Filled rows; ``test`` is empty in-sample.
    fit_seconds, transform_seconds : float
        Wall time.
    notes : dict
        What else a row should keep.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    fit_seconds: float
    transform_seconds: float
    notes: dict[str, Any] = field(default_factory=dict)


Competitor = Callable[[BenchmarkTable, pd.DataFrame, int], Outcome]


def _baseline(name: str) -> Competitor:
    """One of the package's baselines, which `tabgan compare` runs too."""

    def run(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
        from tabgan.model_selection.baselines import BASELINES

        return _timed(BASELINES[name](seed).set_params(categorical=table.categorical), table, test)

    return run


def _timed(imputer: object, table: BenchmarkTable, test: pd.DataFrame) -> Outcome:
    started = time.perf_counter()
    train = imputer.fit_transform(table.frame)  # type: ignore[attr-defined]
    fitted = time.perf_counter()
    others = imputer.transform(test) if len(test) else test  # type: ignore[attr-defined]
    return Outcome(train, others, fitted - started, time.perf_counter() - fitted)


def _gain(paper: str | None = None, **settings: object) -> Competitor:
    def run(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
        from tabgan import GAINImputer

        # No competitor rounds its fills to integers; nor does ours here, since rounding costs RMSE.
        shared = {"random_state": seed, "round_like_observed": False, "categorical_features": table.categorical}
        imputer = GAINImputer.paper(paper, **shared, **settings) if paper else GAINImputer(**shared, **settings)
        return _timed(imputer, table, test)

    return run


def _chain(**settings: Any) -> Competitor:
    def run(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
        from tabgan.model_selection.baselines import TreeChain

        return _timed(TreeChain(random_state=seed, categorical=table.categorical, **settings), table, test)

    return run


def _boosting_chain(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
    from benchmarks.imputation.boosting_chain import BoostingChain

    return _timed(BoostingChain(max_rounds=4, random_state=seed, categorical=table.categorical), table, test)


def _autoencoder(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
    from benchmarks.imputation.autoencoder import RemaskingAutoencoder

    return _timed(RemaskingAutoencoder(random_state=seed, categorical=table.categorical), table, test)


def _external(method: str, n_draws: int = 1) -> Competitor:
    """A method of another environment; its own clock counts, not the start of its process."""

    def run(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
        from benchmarks.imputation.external import ExternalImputer

        imputer = ExternalImputer(method, n_draws=n_draws, test=test, random_state=seed, categorical=table.categorical)
        train = imputer.fit_transform(table.frame)
        others = imputer.transform(test) if len(test) else test
        seconds = (imputer.report_.pop(name) for name in ("fit_seconds", "transform_seconds"))
        return Outcome(train, others, *seconds, notes=imputer.report_)

    return run


warnings.filterwarnings("ignore", message=".*Early stopping criterion not reached.*")

COMPETITORS: dict[str, Callable[[], Competitor]] = {
    "mean/mode": lambda: _baseline("mean/mode"),
    "kNN(5)": lambda: _baseline("kNN"),
    "MICE": lambda: _baseline("MICE"),
    "tree chain": lambda: _baseline("tree chain"),
    "tree chain, 2 jobs": lambda: _chain(n_jobs=2),
    "tree chain, 4 rounds": lambda: _chain(n_trees=50, max_rounds=4, n_jobs=1),
    "boosting chain": lambda: _boosting_chain,
    "re-masking autoencoder": lambda: _autoencoder,
    "HyperImpute": lambda: _external("hyperimpute"),
    "HyperImpute's GAIN": lambda: _external("gain"),
    "miceforest": lambda: _external("miceforest", n_draws=5),
    "GAIN (paper)": lambda: _gain("code"),
    "GAIN (paper's hint)": lambda: _gain("paper"),
    "GAINImputer": lambda: _gain(),
    "GAINImputer, fast": lambda: _gain(effort="fast"),
    "GAINImputer, best": lambda: _gain(effort="best"),
    "GAINImputer, 2 jobs": lambda: _gain(n_jobs=2),
    "GAINImputer, no draws": lambda: _gain(draw_steps=0, n_donor_trees=0),
    **{
        f"GAINImputer, {name}": lambda name=name: _gain(draw_steps=0, n_donor_trees=0, numeric_transform=name)  # type: ignore[misc]
        for name in ("robust", "quantile", "power", "minmax")
    },
}
"""Factories by name, so that a method's packages are imported only where it runs."""
