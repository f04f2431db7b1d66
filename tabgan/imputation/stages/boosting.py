"""Two candidates: gradient-boosted trees that read rows with their missing cells, all at once or column after column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
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
_TO_STAY: dict[str, Any] = {"max_leaf_nodes": 63, "learning_rate": 0.1}
_TO_JUDGE: dict[str, Any] = {"max_leaf_nodes": 31, "learning_rate": 0.2}
"""Two thirds of the time, and nearly as good."""


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
        They see all slots, NaN where open, and the closed form's prediction behind them; not the column itself.
    baseline : float
        What they are added to, beside the prediction.
    slot : int
        The column's slot.
    column : LongTensor of shape (width,)
        The column of each slot.
    in_turn : bool, default=False
        They see the fills of columns that had their turn before this one, and predict the column itself; otherwise they see only
        cells that were never hidden, and predict what the closed form leaves.
    """

    trees: Trees
    baseline: float
    slot: int
    column: Tensor
    in_turn: bool = False

    def __call__(self, seen: Seen) -> Tensor:
        """The sum of the trees, or the prediction moved by it."""
        assert seen.prediction is not None
        given = _inputs(seen, self.slot, None if self.in_turn else self.column)
        told = (self.trees.mean(given) * len(self.trees) + self.baseline).to(seen.prediction)
        return told if self.in_turn else seen.prediction[:, self.slot : self.slot + 1] + told

    def state(self) -> dict[str, Any]:
        """Its trees and numbers."""
        plain = {name: getattr(self, name) for name in ("baseline", "slot", "column", "in_turn")}
        return {"trees": self.trees.state(), **plain}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        plain = {name: state[name] for name in ("baseline", "slot", "column")}
        return cls(Trees.from_state(state["trees"]), **plain, in_turn=state.get("in_turn", False))


def fit(
    seen: Seen, truth: Tensor, j: int, learning: Learning, *, judged: Boosted | None, in_turn: bool = False
) -> Boosted | None:
    """Boost trees for column ``j``, or for what the closed form leaves of it.

    Parameters
    ----------
    seen : Seen
        Rows in which the column is known, with their gaps, and the closed form's prediction of the column from their other cells.
    truth : Tensor of shape (n, 1)
    j : int
        The column.
    learning : Learning
        Spans, settings and randomness.
    judged : Boosted or None
        None: smaller trees that learn faster, to be judged.
    in_turn : bool, default=False
        As `Boosted` has it.

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
    given = _inputs(seen, span.start, None if in_turn else column).numpy()
    others = np.delete(np.arange(given.shape[1]), span.start)
    left = truth if in_turn else truth - seen.prediction[:, span.start : span.start + 1]
    seed = int(learning.rng(f"boosting {j}").integers(2**31))
    size = _TO_JUDGE if judged is None else _TO_STAY
    model = HistGradientBoostingRegressor(max_iter=n_boosts, early_stopping=False, random_state=seed, **size)
    with threadpool_limits(effective_n_jobs(None), user_api="openmp"):  # it would take every core
        model.fit(given[:, others], left[:, 0].numpy())
    trees = Trees([flat_boosted_tree(stage[0].nodes, others) for stage in model._predictors])
    return Boosted(trees, float(np.ravel(model._baseline_prediction)[0]), span.start, column, in_turn)


def applies(learning: Learning) -> bool:
    """Whether boosting is wanted, and some column might have rows enough."""
    return (
        bool(learning.settings(Settings).n_boosts) and learning.n_predicted >= FEWEST_ROWS and len(learning.spans) > 1
    )


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


def _inputs(seen: Seen, slot: int, hidden_column: Tensor | None = None) -> Tensor:
    """Rows with NaN in open slots (in all that are hidden, given the column of each), and the prediction behind them."""
    assert seen.gaps is not None
    assert seen.prediction is not None
    values = seen.gaps.values
    if hidden_column is not None:
        values = torch.where(seen.gaps.visible[:, hidden_column] > 0, values, torch.nan)
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
"""At once: no fill can mislead it."""

CANDIDATE_IN_TURN = replace(
    CANDIDATE, name="boosting in turn", fit=partial(fit, in_turn=True), prior={"numeric": 1.0, "categorical": 0.0}
)
"""As in MissForest's chain; where values are missing because of what they are, it reaches further than the other, and where the closed
form extrapolates wildly, it stays within what was seen."""
