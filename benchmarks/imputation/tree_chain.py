"""MissForest's chain (Stekhoven and Buehlmann 2012) with extremely randomised trees, for mixed tables and new rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

__all__ = ["TreeChain"]


class TreeChain:
    """Impute column by column, most complete first, until the filled cells change more than in the round before.

    scikit-learn's IterativeImputer cannot mix a regressor for numbers with a classifier for categories; otherwise this is its
    algorithm with MissForest's stopping rule, ten rounds at most.
    """

    def __init__(
        self, categorical: list[str], *, n_trees: int = 100, max_rounds: int = 10, random_state: int = 0
    ) -> None:
        self.categorical = categorical
        self.n_trees = n_trees
        self.max_rounds = max_rounds
        self.random_state = random_state

    def fit_transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        self.columns = list(frame.columns)
        self.levels = {c: sorted(frame[c].dropna().unique()) for c in self.categorical}
        codes = self._codes(frame)
        gaps = np.isnan(codes)
        self.start = np.array(
            [
                pd.Series(codes[:, j]).mode().iloc[0] if c in self.levels else np.nanmean(codes[:, j])
                for j, c in enumerate(self.columns)
            ]
        )
        spread = np.nanvar(codes, axis=0) + 1e-12
        filled = np.where(gaps, self.start, codes)
        self.order = [j for j in np.argsort(gaps.sum(axis=0), kind="stable") if gaps[:, j].any()]
        self.rounds: list[list] = []
        before = np.inf
        for _ in range(self.max_rounds):
            last = filled.copy()
            models = []
            for j in self.order:
                others = np.delete(filled, j, axis=1)
                seen = ~gaps[:, j]
                model = self._model(j).fit(others[seen], codes[seen, j])
                filled[gaps[:, j], j] = model.predict(others[gaps[:, j]])
                models.append(model)
            change = self._change(filled, last, gaps, spread)
            if change > before:
                filled = last
                break
            self.rounds.append(models)
            before = change
        return self._decoded(filled, frame)

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        codes = self._codes(frame)
        gaps = np.isnan(codes)
        filled = np.where(gaps, self.start, codes)
        for models in self.rounds:
            for j, model in zip(self.order, models, strict=True):
                if gaps[:, j].any():
                    filled[gaps[:, j], j] = model.predict(np.delete(filled, j, axis=1)[gaps[:, j]])
        return self._decoded(filled, frame)

    def _model(self, j: int) -> ExtraTreesClassifier | ExtraTreesRegressor:
        if self.columns[j] in self.levels:
            return ExtraTreesClassifier(self.n_trees, n_jobs=2, random_state=self.random_state)
        return ExtraTreesRegressor(self.n_trees, max_features=1 / 3, n_jobs=2, random_state=self.random_state)

    def _change(self, filled: np.ndarray, last: np.ndarray, gaps: np.ndarray, spread: np.ndarray) -> float:
        changes = []
        for j in self.order:
            cells = gaps[:, j]
            if self.columns[j] in self.levels:
                changes.append(np.mean(filled[cells, j] != last[cells, j]))
            else:
                changes.append(np.mean((filled[cells, j] - last[cells, j]) ** 2) / spread[j])
        return float(np.mean(changes)) if changes else 0.0

    def _codes(self, frame: pd.DataFrame) -> np.ndarray:
        codes = np.empty(frame.shape)
        for j, column in enumerate(self.columns):
            if column in self.levels:
                found = pd.Index(self.levels[column]).get_indexer(frame[column]).astype(float)
                codes[:, j] = np.where(found < 0, np.nan, found)
            else:
                codes[:, j] = frame[column]
        return codes

    def _decoded(self, filled: np.ndarray, frame: pd.DataFrame) -> pd.DataFrame:
        result = frame.copy()
        for j, column in enumerate(self.columns):
            gaps = frame[column].isna().to_numpy()
            values = filled[gaps, j]
            if column in self.levels:
                values = np.asarray(self.levels[column], dtype=object)[values.astype(int)]
            result.loc[gaps, column] = values
        return result
