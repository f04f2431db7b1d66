"""The imputers compared: one function per method, all from an incomplete `BenchmarkTable` to a filled frame.

Methods that only take numbers get categories one-hot, all slots of a missing cell missing, and are decoded by the largest
slot; MissForest's chain gets ordinal codes and a classifier per categorical column, as in the original.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
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
    """

    train: pd.DataFrame
    test: pd.DataFrame
    fit_seconds: float
    transform_seconds: float


Competitor = Callable[[BenchmarkTable, pd.DataFrame, int], Outcome]


class OneHot:
    """Numbers standardised, categories one-hot, NaN for every slot of a missing cell.

    ``drop_last`` leaves out each column's last slot: with all of them, linear chained equations predict a slot from the other
    slots of the same gap, perfectly, and return the mode.
    """

    def __init__(self, table: BenchmarkTable, *, drop_last: bool = False) -> None:
        self.drop_last = drop_last
        frame = table.frame
        self.numeric, self.categorical = table.numeric, table.categorical
        self.columns = list(frame.columns)
        self.mean = frame[self.numeric].mean()
        self.scale = frame[self.numeric].std(ddof=0).replace(0.0, 1.0)
        self.levels = {column: sorted(frame[column].dropna().unique()) for column in self.categorical}

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        blocks = [((frame[self.numeric] - self.mean) / self.scale).to_numpy(float)]
        for column, levels in self.levels.items():
            codes = pd.Index(levels).get_indexer(frame[column])
            block = np.eye(len(levels))[codes]
            block[codes < 0] = np.nan
            blocks.append(block[:, :-1] if self.drop_last else block)
        return np.hstack(blocks)

    def decode(self, values: np.ndarray, frame: pd.DataFrame) -> pd.DataFrame:
        filled = frame.copy()
        n = len(self.numeric)
        numbers = values[:, :n] * self.scale.to_numpy() + self.mean.to_numpy()
        for k, column in enumerate(self.numeric):
            gaps = frame[column].isna().to_numpy()
            filled.loc[gaps, column] = numbers[gaps, k]
        start = n
        for column, levels in self.levels.items():
            gaps = frame[column].isna().to_numpy()
            width = len(levels) - self.drop_last
            slots = values[gaps, start : start + width]
            if self.drop_last:
                slots = np.column_stack([slots, 1 - slots.sum(axis=1)])
            filled.loc[gaps, column] = np.asarray(levels, dtype=object)[slots.argmax(axis=1)]
            start += width
        return filled


def _one_hot(make: Callable[[int], object], *, drop_last: bool = False) -> Competitor:
    def run(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
        coder = OneHot(table, drop_last=drop_last)
        imputer = make(seed)
        started = time.perf_counter()
        train = imputer.fit_transform(coder.encode(table.frame))  # type: ignore[attr-defined]
        fitted = time.perf_counter()
        others = imputer.transform(coder.encode(test)) if len(test) else np.empty((0, train.shape[1]))  # type: ignore[attr-defined]
        ended = time.perf_counter()
        return Outcome(coder.decode(train, table.frame), coder.decode(others, test), fitted - started, ended - fitted)

    return run


def _mean_mode(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
    started = time.perf_counter()
    fills = {c: table.frame[c].mean() for c in table.numeric} | {
        c: table.frame[c].mode().iloc[0] for c in table.categorical
    }
    train, others = table.frame.fillna(fills), test.fillna(fills)
    return Outcome(train, others, time.perf_counter() - started, 0.0)


def _knn(n_neighbors: int) -> Competitor:
    from sklearn.impute import KNNImputer

    return _one_hot(lambda seed: KNNImputer(n_neighbors=n_neighbors))


def _mice(**settings: object) -> Competitor:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    return _one_hot(lambda seed: IterativeImputer(random_state=seed, **settings), drop_last=True)


def _tree_chain(n_trees: int = 100) -> Competitor:
    """MissForest's chain with extremely randomised trees: numbers by regression, categories by classification."""

    def run(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
        from benchmarks.imputation.tree_chain import TreeChain

        chain = TreeChain(table.categorical, n_trees=n_trees, random_state=seed)
        started = time.perf_counter()
        train = chain.fit_transform(table.frame)
        fitted = time.perf_counter()
        others = chain.transform(test) if len(test) else test
        return Outcome(train, others, fitted - started, time.perf_counter() - fitted)

    return run


def _gain(paper: str | None = None, **settings: object) -> Competitor:
    def run(table: BenchmarkTable, test: pd.DataFrame, seed: int) -> Outcome:
        from tabgan import GAINImputer

        # No competitor rounds its fills to integers; nor does ours here, since rounding costs RMSE.
        shared = {"random_state": seed, "round_like_observed": False, "categorical_features": table.categorical}
        imputer = GAINImputer.paper(paper, **shared, **settings) if paper else GAINImputer(**shared, **settings)
        started = time.perf_counter()
        imputer.fit(table.frame)
        train = imputer.transform(table.frame)
        fitted = time.perf_counter()
        others = imputer.transform(test) if len(test) else test
        return Outcome(train, others, fitted - started, time.perf_counter() - fitted)

    return run


warnings.filterwarnings("ignore", message=".*Early stopping criterion not reached.*")

COMPETITORS: dict[str, Callable[[], Competitor]] = {
    "mean/mode": lambda: _mean_mode,
    "kNN(5)": lambda: _knn(5),
    "MICE": lambda: _mice(),
    "tree chain": lambda: _tree_chain(),
    "GAIN (paper)": lambda: _gain("code"),
    "GAIN (paper's hint)": lambda: _gain("paper"),
    "GAINImputer": lambda: _gain(),
}
"""Factories by name, so that a method's packages are imported only where it runs."""
