"""A candidate: gradient-boosted trees that read rows with their missing cells, and learn what the closed form leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from joblib import effective_n_jobs
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits
from torch import Tensor

from tabgan.imputation.learning import Learning
from tabgan.imputation.stages.stage import Candidate, Seen
from tabgan.imputation.trees import Tree, Trees
from tabgan.networks.heads import span_index

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CANDIDATE", "Boosted", "Settings", "flat_boosted_tree"]

FEWEST_ROWS = 200
"""Known cells of a column with fewer are left to the other candidates."""


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents it."""

    n_boosts: int = 0


@dataclass(frozen=True)
class Boosted:
    """The boosted trees of one numeric column.

    Parameters
    ----------
    trees : Trees
        They see all slots, NaN where hidden, and the closed form's prediction behind them; not the column itself.
    baseline : float
        What they are added to, beside the prediction.
    slot : int
        The column's slot.
    column : LongTensor of shape (width,)
        The column of each slot.
    """

    trees: Trees
    baseline: float
    slot: int
    column: Tensor

    def __call__(self, seen: Seen) -> Tensor:
        """The prediction, moved by the sum of the trees."""
        assert seen.prediction is not None
        own = slice(self.slot, self.slot + 1)
        told = self.trees.mean(_inputs(seen, self.slot, self.column)) * len(self.trees) + self.baseline
        return seen.prediction[:, own] + told.to(seen.prediction)

    def state(self) -> dict[str, Any]:
        """Its trees and numbers."""
        return {"trees": self.trees.state(), "baseline": self.baseline, "slot": self.slot, "column": self.column}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        return cls(Trees.from_state(state["trees"]), *(state[name] for name in ("baseline", "slot", "column")))


def fit(seen: Seen, truth: Tensor, j: int, learning: Learning, *, judging: bool) -> Boosted | None:
    """Boost trees for column ``j`` on what the closed form leaves of it.

    Parameters
    ----------
    seen : Seen
        Rows in which the column is known, with their gaps, and the closed form's prediction of the column from their other cells.
    truth : Tensor of shape (n, 1)
    j : int
        The column.
    learning : Learning
        Spans, settings and randomness.
    judging : bool
        Makes no difference: fewer trees would be judged worse than they are.

    Returns
    -------
    Boosted or None
        None for categories, without other columns, or with too few rows.
    """
    span, n_boosts = learning.spans[j], learning.settings(Settings).n_boosts
    if span.kind != "numeric" or len(truth) < FEWEST_ROWS:
        return None
    assert seen.prediction is not None
    column = span_index(learning.spans)
    given = _inputs(seen, span.start, column).numpy()
    others = np.delete(np.arange(given.shape[1]), span.start)
    left = (truth - seen.prediction[:, span.start : span.start + 1])[:, 0].numpy()
    seed = int(learning.rng(f"boosting {j}").integers(2**31))
    model = HistGradientBoostingRegressor(max_iter=n_boosts, early_stopping=False, random_state=seed)
    with threadpool_limits(effective_n_jobs(None), user_api="openmp"):  # it would take every core
        model.fit(given[:, others], left)
    trees = Trees([flat_boosted_tree(stage[0].nodes, others) for stage in model._predictors])
    return Boosted(trees, float(np.ravel(model._baseline_prediction)[0]), span.start, column)


def applies(learning: Learning) -> bool:
    """Whether boosting is wanted, and some column might have rows enough."""
    return bool(learning.settings(Settings).n_boosts) and len(learning.many) >= FEWEST_ROWS and len(learning.spans) > 1


def flat_boosted_tree(nodes: np.ndarray, slots: np.ndarray) -> Tree:
    """scikit-learn's boosted tree as tensors; its left child follows its parent."""
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        torch.from_numpy(np.where(leaf, -1, slots[np.where(leaf, 0, nodes["feature_idx"])])),
        torch.from_numpy(nodes["num_threshold"].copy()),
        torch.from_numpy(nodes["right"].astype(np.int64)),
        torch.from_numpy(nodes["value"].copy()).unsqueeze(1),
        torch.from_numpy(nodes["missing_go_to_left"].astype(bool)),
    )


def _inputs(seen: Seen, slot: int, column: Tensor) -> Tensor:
    """Rows with NaN in hidden slots, and the prediction behind them; (n, width + 1), single precision."""
    assert seen.gaps is not None
    assert seen.prediction is not None
    values = torch.where(seen.gaps.visible[:, column] > 0, seen.gaps.values, torch.nan)
    return torch.cat([values, seen.prediction[:, slot : slot + 1]], 1).float()


CANDIDATE = Candidate(
    "boosting",
    Settings,
    frozenset({"gaps", "prediction"}),
    fit,
    Boosted.from_state,
    prior={"numeric": 0.8, "categorical": 0.0},
    applies=applies,
)
