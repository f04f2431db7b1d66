"""Forests that have the last word on a point estimate, as far as held-out cells say, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tabgan.spans import Span

if TYPE_CHECKING:
    pass
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from tabgan.imputation.trees import Forests, Tree, flat_tree, turns
from tabgan.spans import total_width

__all__ = ["ForestStep", "fit_forests", "fit_shares", "grow_forests"]


class ForestStep(Forests):
    """Moves completed rows towards the mean of what a forest per column says of their hidden cells.

    Columns take turns, numbers first, then categories, and later ones see earlier ones already moved. A column without trees stays
    as it is.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    forests : sequence of list of Tree
        Per column; an empty list for none.
    share : Tensor of shape (n_columns,), default=None
        How far to go, in [0, 1]: 0 leaves the completion, 1 takes the forest's answer. None goes nowhere.

    Shape
    -----
    completed: (n, width), visible: (n, n_columns). Output: (n, width), visible cells as they came.
    """

    CELLS = 4_000_000
    """Rows times trees that fall at once."""

    share: Tensor

    def __init__(self, spans: Sequence[Span], forests: Sequence[Sequence[Tree]], share: Tensor | None = None) -> None:
        super().__init__(spans, forests)
        self.register_buffer("share", torch.zeros(len(spans), dtype=torch.float64) if share is None else share)

    @torch.no_grad()
    def forward(self, completed: Tensor, visible: Tensor) -> Tensor:
        """Completed rows, moved."""
        moved = completed.clone()
        for j in turns(self.spans):
            self.move(moved, visible[:, j] <= 0, j)
        return moved

    def move(self, completed: Tensor, asking: Tensor, j: int) -> None:
        """Move column ``j`` of the rows where ``asking`` is true, in place."""
        rows = asking.nonzero()[:, 0]
        if len(rows) and self.share[j] > 0 and self.n_trees(j):
            slots = slice(self.spans[j].start, self.spans[j].stop)
            told = self.answers(completed[rows], j)
            completed[rows, slots] = torch.lerp(completed[rows, slots], told, self.share[j].to(told))

    def answers(self, completed: Tensor, j: int) -> Tensor:
        """What column ``j``'s forest says of completed rows, of shape (n, width of the column)."""
        trees = torch.arange(self.n_trees(j), device=completed.device)
        parts = completed.split(max(self.CELLS // len(trees), 1))
        return torch.cat([self.told(part, j, trees.expand(len(part), -1)).mean(1) for part in parts])


Complete = Callable[[np.ndarray, np.ndarray], np.ndarray]


MOST_ROWS = 8192
"""Rows that a forest grows from, drawn at random if there are more."""


FEWEST_ROWS = 30


_TREES_TO_JUDGE = 15


_ROWS_TO_JUDGE = 4000


MOST_SLOTS = 32
"""Slots that a split may choose from: wide tables look at a part of theirs, so that their forests take no longer."""


_FEWEST_PER_LEAF = 2


_MOST_LEAVES = 1500
"""About; forests of large tables get larger leaves rather than larger files."""


_PRIOR = {"numeric": 0.4, "categorical": 0.8}
"""Shares to begin with: a forest's votes tell the most likely level better than how likely it is."""


_PRIOR_CELLS = 60


def fit_forests(
    values: np.ndarray,
    training: np.ndarray,
    validation: np.ndarray,
    complete: Complete,
    spans: Sequence[Span],
    n_trees: int,
    seed: int,
) -> ForestStep:
    """Grow forests from the training cells, and learn from the held-out ones how far to follow them.

    Parameters
    ----------
    values : ndarray of shape (n, width)
        Encoded rows.
    training, validation : ndarray of shape (n, n_columns)
        Disjoint masks of the observed cells.
    complete, spans, n_trees, seed
        As in `grow_forests`.
    """
    prior = torch.tensor([_PRIOR[span.kind] for span in spans], dtype=torch.float64)
    step = grow_forests(values, training, complete, spans, prior, n_trees=min(n_trees, _TREES_TO_JUDGE), seed=seed)
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(validation.any(axis=1)))[:_ROWS_TO_JUDGE]
    completed = torch.from_numpy(complete(values[rows], training[rows]))
    truth = torch.from_numpy(values[rows]).double()
    step.share = fit_shares(step, completed, truth, *(torch.from_numpy(m[rows]) for m in (validation, training)))
    return step


def grow_forests(
    values: np.ndarray,
    mask: np.ndarray,
    complete: Complete,
    spans: Sequence[Span],
    share: Tensor,
    *,
    n_trees: int,
    seed: int,
) -> ForestStep:
    """Grow extremely randomised trees for every column, from its observed cells and the completed cells of the others.

    Parameters
    ----------
    values : ndarray of shape (n, width)
        Encoded rows.
    mask : ndarray of shape (n, n_columns)
        True where observed.
    complete : callable
        From rows and mask to the rows filled, without forests.
    spans : sequence of Span
        Layout of the slots.
    share : Tensor of shape (n_columns,)
        How far to follow each column's forest; columns with 0 get none.
    n_trees : int
        Per column.
    seed : int

    Notes
    -----
    As in MissForest the inputs of a training row were completed in sight of the very cell to predict; hiding it first (a completion
    per column) was no better and as many times slower.

    References
    ----------
    Geurts, Ernst, Wehenkel 2006, "Extremely randomized trees". Stekhoven and Buehlmann 2012 (MissForest), with one round of it.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(values))[:MOST_ROWS]
    values, mask = values[rows], mask[rows]
    completed = torch.from_numpy(complete(values, mask))
    forests: list[list[Tree]] = [[] for _ in spans]
    for j in turns(spans):
        known, span = mask[:, j], spans[j]
        if share[j] <= 0 or known.sum() < FEWEST_ROWS or len(spans) == 1:
            continue
        inside = np.arange(span.start, span.stop)
        outside = np.setdiff1d(np.arange(total_width(spans)), inside)
        model = ExtraTreesRegressor(
            n_estimators=n_trees,
            min_samples_leaf=max(_FEWEST_PER_LEAF, int(known.sum()) // _MOST_LEAVES),
            max_features=min(len(outside), MOST_SLOTS),
            random_state=int(rng.integers(2**31)),
        )
        truth = values[np.ix_(known, inside)]
        model.fit(completed.numpy()[np.ix_(known, outside)], truth if span.width > 1 else truth[:, 0])
        forests[j] = [flat_tree(tree.tree_, outside) for tree in model.estimators_]
        alone = ForestStep(spans, [forests[i] if i == j else [] for i in range(len(spans))], share)
        alone.move(completed, torch.from_numpy(~known), j)
    return ForestStep(spans, forests, share)


def fit_shares(step: ForestStep, completed: Tensor, truth: Tensor, cells: Tensor, visible: Tensor) -> Tensor:
    """How far to follow each column's forest, by least squares on cells that it has not seen.

    Parameters
    ----------
    step : ForestStep
    completed, truth : Tensor of shape (n, width)
        Rows filled by what comes before, and as they are.
    cells, visible : BoolTensor of shape (n, n_columns)
        Which cells were held out, and which were visible to what comes before.

    Returns
    -------
    Tensor of shape (n_columns,)
        In [0, 1]: a column's own best share, drawn towards that of all columns of its kind, drawn towards a fixed one.
    """
    spans, n_cells, current = step.spans, cells.sum(0).double(), completed.clone()
    power, cross = torch.zeros(2, len(spans), dtype=torch.float64)
    for j in turns(spans):
        on, slots = cells[:, j], slice(spans[j].start, spans[j].stop)
        if on.any() and step.n_trees(j):
            told = step.answers(current[on], j) - completed[on, slots]
            power[j] = told.square().sum()
            cross[j] = (told * (truth[on, slots] - completed[on, slots])).sum()
        step.move(current, ~visible[:, j], j)
    share = torch.zeros(len(spans), dtype=torch.float64)
    for kind, prior in _PRIOR.items():
        of_kind = torch.tensor([span.kind == kind and step.n_trees(j) > 0 for j, span in enumerate(spans)])
        if not of_kind.any():
            continue
        mean_power = power[of_kind].sum() / n_cells[of_kind].sum().clamp_min(1)
        extra = _PRIOR_CELLS * mean_power.clamp_min(1e-12)
        pooled = (cross[of_kind].sum() + extra * prior) / (power[of_kind].sum() + extra)
        own = (cross[of_kind] + extra * pooled) / (power[of_kind] + extra)
        share[of_kind] = own.clamp(0, 1)
    share[share < 0.05] = 0  # not worth its trees
    return share
