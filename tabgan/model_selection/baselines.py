"""The imputers to compete with, for mixed tables: mean or mode, nearest neighbours, chained regressions, chained trees.

All take a pandas table with gaps and give it back filled: numbers as float, categories as their labels. A column is numeric if
its dtype is and ``categorical`` does not name it. Columns without a single value stay as they are.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from tabgan.estimators.doc_links import DocLinked
from tabgan.tables.labels import sorted_labels

__all__ = ["BASELINES", "MeanModeImputer", "MixedImputer", "OneHotImputer", "TreeChain", "knn", "mice"]

_MOST_LEVELS = 32


class MixedImputer(DocLinked, TransformerMixin, BaseEstimator):
    """What the imputers here have in common; a subclass fills in how columns are learnt and gaps are filled.

    Parameters
    ----------
    categorical : sequence of names, default=None
        Columns to treat as categorical although their dtype is numeric; columns of other dtypes always are.
    """

    categorical: Sequence[Hashable] | None

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> pd.DataFrame:
        """Learn from a table and fill its gaps.

        Parameters
        ----------
        X : DataFrame
        y : ignored

        Returns
        -------
        DataFrame
            Known cells as they were (numbers as float).
        """
        wanted = set(self.categorical or ())
        seen = [name for name in X.columns if X[name].notna().any()]
        self.columns_ = {name: _Column(X[name], name in wanted) for name in seen}
        self._names = list(X.columns)
        return self._decoded(self._learn(self._encoded(X)), X)

    def fit(self, X: pd.DataFrame, y: Any = None) -> MixedImputer:
        """Learn from a table."""
        self.fit_transform(X)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Fill the gaps of further rows; labels that `fit` never saw tell nothing, and stay.

        Parameters
        ----------
        X : DataFrame
            With the columns of `fit`.

        Returns
        -------
        DataFrame
        """
        return self._decoded(self._fill(self._encoded(X)), X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns, which are those of `fit`; ``input_features`` is ignored."""
        check_is_fitted(self, "columns_")
        return np.array([str(name) for name in self._names], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Say that gaps, strings and categories are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    @abstractmethod
    def _learn(self, codes: np.ndarray) -> np.ndarray:
        """Learn from a matrix of numbers and level codes with NaN for gaps, and fill it."""

    @abstractmethod
    def _fill(self, codes: np.ndarray) -> np.ndarray:
        """Fill a matrix by what was learnt."""

    def _encoded(self, X: pd.DataFrame) -> np.ndarray:
        return np.column_stack([np.empty((len(X), 0)), *(column.encode(X[n]) for n, column in self.columns_.items())])

    def _decoded(self, codes: np.ndarray, X: pd.DataFrame) -> pd.DataFrame:
        filled = {name: X[name] for name in X.columns}
        for j, (name, column) in enumerate(self.columns_.items()):
            filled[name] = column.filled(X[name], codes[:, j])
        return pd.DataFrame(filled, index=X.index, columns=X.columns)


class _Column:
    """A column as one float per cell: the number, or the code of the level.

    At most 32 levels have a code of their own, the most frequent ones; the others share the last, which decodes to the most
    frequent among them (`GAINImputer` does alike). A near-unique text so costs no method thousands of slots or classes.
    """

    def __init__(self, values: pd.Series, categorical: bool) -> None:
        dtype = values.dtype
        self.is_number = pd.api.types.is_numeric_dtype(dtype) and not (categorical or pd.api.types.is_bool_dtype(dtype))
        if self.is_number:
            numbers = self.encode(values)
            self.start = float(np.nanmean(numbers))
            self.spread = float(np.nanstd(numbers)) or 1.0
            return
        counts = values.dropna().astype(object).value_counts()
        frequent = list(counts.index) if len(counts) <= _MOST_LEVELS else list(counts.index[: _MOST_LEVELS - 1])
        rare = list(counts.index[len(frequent) :])
        labels = sorted_labels(frequent) + rare[:1]
        self.codes = {label: code for code, label in enumerate(labels)} | dict.fromkeys(rare, len(labels) - 1)
        self.labels = np.empty(len(labels), dtype=object)
        self.labels[:] = labels
        most = counts.max()
        self.start = float(min(self.codes[label] for label in frequent if counts[label] == most))

    def encode(self, values: pd.Series) -> np.ndarray:
        if self.is_number:
            return values.astype("float64").to_numpy()
        cells = zip(values, values.isna(), strict=True)
        return np.array([np.nan if gap else self.codes.get(value, np.nan) for value, gap in cells], dtype=float)

    def filled(self, values: pd.Series, codes: np.ndarray) -> pd.Series:
        gaps = values.isna().to_numpy()
        filled = values.astype("float64" if self.is_number else object).to_numpy(copy=True)
        gaps = gaps & ~np.isnan(codes)  # what an imputer left empty stays empty
        filled[gaps] = codes[gaps] if self.is_number else self.labels[codes[gaps].astype(int)]
        return pd.Series(filled, index=values.index, dtype=filled.dtype)


class MeanModeImputer(MixedImputer):
    """Numbers by the column mean, labels by the most frequent one.

    Parameters
    ----------
    categorical : sequence of names, default=None
        See `MixedImputer`.

    Examples
    --------
    >>> table = pd.DataFrame({"size": [1.0, None, 3.0], "colour": ["red", "red", None]})
    >>> MeanModeImputer().fit_transform(table)
       size colour
    0   1.0    red
    1   2.0    red
    2   3.0    red
    """

    def __init__(self, *, categorical: Sequence[Hashable] | None = None) -> None:
        self.categorical = categorical

    def _learn(self, codes: np.ndarray) -> np.ndarray:
        return self._fill(codes)

    def _fill(self, codes: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(codes), [column.start for column in self.columns_.values()], codes)


class OneHotImputer(MixedImputer):
    """Any imputer of numbers, made to fill mixed tables: standardised numbers, one-hot labels, the largest slot wins.

    Parameters
    ----------
    estimator : scikit-learn imputer
        Sees a matrix of floats; all slots of a missing label are NaN.
    drop_last : bool, default=False
        Leave out the last slot of each column, which gets what the others leave of 1. Linear chained equations need that: with
        all slots, each is one minus the others, which are missing in the same cells, so every gap would keep its mode.
    categorical : sequence of names, default=None
        See `MixedImputer`.
    """

    def __init__(
        self, estimator: Any, *, drop_last: bool = False, categorical: Sequence[Hashable] | None = None
    ) -> None:
        self.estimator = estimator
        self.drop_last = drop_last
        self.categorical = categorical

    def _learn(self, codes: np.ndarray) -> np.ndarray:
        self.estimator_ = clone(self.estimator) if hasattr(self.estimator, "get_params") else self.estimator
        return self._through(codes, self.estimator_.fit_transform)

    def _fill(self, codes: np.ndarray) -> np.ndarray:
        return self._through(codes, self.estimator_.transform)

    def _through(self, codes: np.ndarray, impute: Callable[[np.ndarray], Any]) -> np.ndarray:
        blocks = []
        for values, column in zip(codes.T, self.columns_.values(), strict=True):
            if column.is_number:
                blocks.append(((values - column.start) / column.spread)[:, None])
            else:
                slots = (values[:, None] == np.arange(len(column.labels) - self.drop_last)).astype(float)
                slots[np.isnan(values)] = np.nan
                blocks.append(slots)
        matrix = np.hstack(blocks)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            filled = np.asarray(impute(matrix), dtype=float) if matrix.shape[1] else matrix
        if filled.shape != matrix.shape:
            raise ValueError(f"{type(self.estimator).__name__} made {filled.shape} of a matrix of {matrix.shape}")
        result, start = np.empty(codes.shape), 0
        for j, (column, block) in enumerate(zip(self.columns_.values(), blocks, strict=True)):
            slots = filled[:, start : start + block.shape[1]]
            start += block.shape[1]
            if column.is_number:
                result[:, j] = slots[:, 0] * column.spread + column.start
                continue
            if self.drop_last:
                slots = np.hstack([slots, 1.0 - slots.sum(axis=1, keepdims=True)])
            result[:, j] = np.where(np.isnan(slots).any(axis=1), np.nan, slots.argmax(axis=1))
        return result


class TreeChain(MixedImputer):
    """MissForest's chain with extremely randomised trees: numbers by regression, labels by classification.

    Column by column, most complete first, until the filled cells change more than in the round before. scikit-learn's
    IterativeImputer cannot mix regressors and classifiers; otherwise this is its algorithm with MissForest's stopping rule.

    Parameters
    ----------
    n_trees : int, default=100
        Per column and round.
    max_rounds : int, default=10
        At most this many.
    n_jobs : int, default=-1
        Cores, as in scikit-learn; -1 takes all. Results depend on it by rounding alone.
    random_state : int, default=0
        Of the trees.
    categorical : sequence of names, default=None
        See `MixedImputer`.

    References
    ----------
    Stekhoven and Buehlmann 2012, "MissForest: non-parametric missing value imputation for mixed-type data".
    """

    def __init__(
        self,
        *,
        n_trees: int = 100,
        max_rounds: int = 10,
        n_jobs: int | None = -1,
        random_state: int | None = 0,
        categorical: Sequence[Hashable] | None = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_rounds = max_rounds
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.categorical = categorical

    def _learn(self, codes: np.ndarray) -> np.ndarray:
        gaps = np.isnan(codes)
        filled = self._started(codes)
        order = [int(j) for j in np.argsort(gaps.sum(axis=0), kind="stable") if gaps[:, j].any()]
        self.rounds_: list[list[tuple[int, Any]]] = []
        before = np.inf
        for _ in range(self.max_rounds if codes.shape[1] > 1 else 0):
            last = filled.copy()
            models = []
            for j in order:
                others, seen = np.delete(filled, j, axis=1), ~gaps[:, j]
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message="The number of unique classes")
                    model = self._model(j).fit(others[seen], codes[seen, j])
                filled[gaps[:, j], j] = model.predict(others[gaps[:, j]])
                models.append((j, model))
            change = self._change(filled, last, gaps, order)
            if change > before:
                return last
            self.rounds_.append(models)
            before = change
        return filled

    def _fill(self, codes: np.ndarray) -> np.ndarray:
        gaps, filled = np.isnan(codes), self._started(codes)
        for j, model in (step for models in self.rounds_ for step in models):
            if gaps[:, j].any():
                filled[gaps[:, j], j] = model.predict(np.delete(filled, j, axis=1)[gaps[:, j]])
        return filled

    def _started(self, codes: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(codes), [column.start for column in self.columns_.values()], codes)

    def _model(self, j: int) -> Any:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        shared: dict[str, Any] = {"n_jobs": self.n_jobs, "random_state": self.random_state}
        if list(self.columns_.values())[j].is_number:
            return ExtraTreesRegressor(self.n_trees, max_features=1 / 3, **shared)
        return ExtraTreesClassifier(self.n_trees, **shared)

    def _change(self, filled: np.ndarray, last: np.ndarray, gaps: np.ndarray, order: list[int]) -> float:
        changes = []
        for j in order:
            column, now, then = list(self.columns_.values())[j], filled[gaps[:, j], j], last[gaps[:, j], j]
            changes.append(
                np.mean((now - then) ** 2) / (column.spread**2 + 1e-12) if column.is_number else np.mean(now != then)
            )
        return float(np.mean(changes)) if changes else 0.0


def knn(n_neighbors: int = 5) -> OneHotImputer:
    """Nearest neighbours, as an imputer for mixed tables.

    Parameters
    ----------
    n_neighbors : int, default=5

    Returns
    -------
    OneHotImputer
    """
    from sklearn.impute import KNNImputer

    return OneHotImputer(KNNImputer(n_neighbors=n_neighbors))


def mice(random_state: int | None = 0, **settings: Any) -> OneHotImputer:
    """Chained Bayesian ridge regressions (scikit-learn's IterativeImputer), as an imputer for mixed tables.

    Parameters
    ----------
    random_state : int, default=0
    **settings
        Of IterativeImputer.

    Returns
    -------
    OneHotImputer
    """
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    return OneHotImputer(IterativeImputer(random_state=random_state, **settings), drop_last=True)


BASELINES: dict[str, Callable[[int], MixedImputer]] = {
    "mean/mode": lambda seed: MeanModeImputer(),
    "kNN": lambda seed: knn(),
    "MICE": lambda seed: mice(seed),
    "tree chain": lambda seed: TreeChain(random_state=seed),
}
"""Imputers by name, made from a seed."""
