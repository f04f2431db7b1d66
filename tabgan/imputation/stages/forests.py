"""A candidate: extremely randomised trees on completed rows, a forest per column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from torch import Tensor

from tabgan.imputation.learning import Learning
from tabgan.imputation.stages.stage import Candidate, Seen
from tabgan.imputation.trees import FEWEST_ROWS, MOST_SLOTS, Trees, flat_tree
from tabgan.spans import total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["CANDIDATE", "CANDIDATE_AGAIN", "Forest", "Settings"]

MOST_GROWN = 20_000
"""Rows that a tree is grown on: of more, every tree draws its own."""
_TREES_TO_JUDGE = 15
_ENOUGH_TO_STAY = 4000
"""Known cells: with so many, the held-out ones make no tree much better."""
_FEWEST_PER_LEAF = 2
_MOST_LEAVES = 5000
"""About; forests of large tables get larger leaves rather than larger files."""


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents each."""

    n_trees: int = 30
    n_rounds: int = 1


@dataclass(frozen=True)
class Forest:
    """The trees of one column, which see the completed slots of all *other* columns."""

    trees: Trees

    def __call__(self, seen: Seen) -> Tensor:
        """The mean of the trees."""
        assert seen.completed is not None
        return self.trees.mean(seen.completed)

    def state(self) -> dict[str, Any]:
        """Its trees."""
        return self.trees.state()

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        return cls(Trees.from_state(state))


def fit(seen: Seen, truth: Tensor, j: int, learning: Learning, *, judged: Forest | None) -> Forest | None:
    """Grow a forest for column ``j``.

    Parameters
    ----------
    seen : Seen
        Completed rows in which the column is known.
    truth : Tensor of shape (n, width of the column)
    j : int
        The column.
    learning : Learning
        Spans, settings and randomness.
    judged : Forest or None
        None: grow some of the trees only, to judge what all would be worth. Otherwise the forest that was judged; on large tables its
        trees stay, and the rest is grown.

    Returns
    -------
    Forest or None
        None without other columns, or with too few rows.

    Notes
    -----
    As in MissForest the inputs of a training row were completed in sight of the very cell to predict; hiding it first (a completion
    per column) was no better and as many times slower.

    References
    ----------
    Geurts, Ernst, Wehenkel 2006, "Extremely randomized trees". Stekhoven and Buehlmann 2012 (MissForest), with one round of it.
    """
    n_trees = learning.settings(Settings).n_trees
    if judged is None:
        n_trees = min(-(-n_trees // 2), _TREES_TO_JUDGE)
    elif len(truth) < _ENOUGH_TO_STAY:
        judged = None
    else:
        n_trees -= len(judged.trees)
    if not n_trees:
        return judged
    if len(truth) < FEWEST_ROWS or len(learning.spans) == 1:
        return None
    assert seen.completed is not None
    span = learning.spans[j]
    outside = np.setdiff1d(np.arange(total_width(learning.spans)), np.arange(span.start, span.stop))
    model = ExtraTreesRegressor(
        n_estimators=n_trees,
        min_samples_leaf=max(_FEWEST_PER_LEAF, min(len(truth), MOST_GROWN) // _MOST_LEAVES),
        max_features=min(len(outside), MOST_SLOTS),
        bootstrap=len(truth) > MOST_GROWN,
        max_samples=MOST_GROWN if len(truth) > MOST_GROWN else None,
        random_state=int(learning.rng(f"forest {j}" if judged is None else f"rest of forest {j}").integers(2**31)),
    )
    known = truth.numpy()
    model.fit(seen.completed.numpy()[:, outside], known if span.width > 1 else known[:, 0])
    trees = Trees([flat_tree(tree.tree_, outside) for tree in model.estimators_])
    return Forest(trees if judged is None else Trees.joined(judged.trees, trees))


def goes_again(learning: Learning) -> bool:
    """Whether forests have a second round, on rows that the first one completed."""
    return learning.settings(Settings).n_rounds > 1


CANDIDATE = Candidate(
    "forests",
    Settings,
    frozenset({"completed"}),
    fit,
    Forest.from_state,
    # A forest's votes tell the most likely level better than how likely it is.
    prior={"numeric": 0.4, "categorical": 0.8},
)

CANDIDATE_AGAIN = replace(CANDIDATE, applies=goes_again)
