"""Odds of a category's levels given all other columns: one logistic regression per bootstrap sample."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.proper.donor_trees import Sample
from tabgan.imputation.proper.moments import MOST_DRAWN

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["LevelOdds", "fit_level_odds"]

MOST_ROWS = 2000
_INVERSE_PENALTY = 10.0
_STRONGER = (1.0, 0.1, 0.01)
_ROWS_PER_SLOT = 100
"""With fewer rows, held-out ones say whether odds need a stronger penalty: else they may be those of single rows, and draws of rare
levels, which stand far out, lead to others."""
_CLEARLY = 2.0
"""Standard errors: penalties weaken slopes, so that one has to predict clearly better."""
_FOLDS = 3
_FURTHEST = 1.5
"""How far log odds of a bootstrap sample's fit lie above those of all rows: where a level hardly occurs, one says a millionth and the
other a hundredth, and what the draws follow besides knows such levels no better than by a small share."""
_ABSENT = -12.0
"""Log odds of a level that a bootstrap sample does not hold."""
_MOST_ENTRIES = 4e8
"""Rows times slots times levels times fits, about: columns of many levels get fewer fits."""
_FEWEST_FITS = 4


class LevelOdds:
    """Log odds of one column's levels, up to a constant per row, linear in the other columns' slots.

    Parameters
    ----------
    weights : Tensor of shape (1 + n_fits, n_levels, width)
        0 for the column's own slots. The first fit is that of all rows.
    intercepts : Tensor of shape (1 + n_fits, n_levels)
    """

    def __init__(self, weights: Tensor, intercepts: Tensor) -> None:
        self.weights = weights
        self.intercepts = intercepts

    def __call__(self, rows: Tensor, number: int) -> Tensor:
        """Log probabilities of shape (n, n_levels); fit 0 is that of all rows, further ones take turns."""
        fit = 0 if number == 0 else 1 + (number - 1) % max(len(self.weights) - 1, 1)
        fit = min(fit, len(self.weights) - 1)
        of_all = self._of(rows, 0)
        moved = (self._of(rows, fit) - of_all).clamp(max=_FURTHEST) if fit else 0.0
        return (of_all + moved).log_softmax(1)

    def _of(self, rows: Tensor, fit: int) -> Tensor:
        return (rows @ self.weights[fit].T + self.intercepts[fit]).log_softmax(1)

    def state(self) -> dict[str, Any]:
        """Plain tensors for a model file."""
        return {"weights": self.weights, "intercepts": self.intercepts}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], n_levels: int, width: int) -> Self:
        """Rebuild what `state` described; ModelFileError if it is of other levels or another width."""
        weights, intercepts = state["weights"], state["intercepts"]
        if weights.shape != (len(weights), n_levels, width) or intercepts.shape != (len(weights), n_levels):
            raise ModelFileError("its odds of levels are of another shape than they have to be.")
        if not len(weights):
            raise ModelFileError("its odds of levels are none.")
        return cls(weights, intercepts)


def fit_level_odds(
    whole: Sample, samples: Sequence[Sample], slots: np.ndarray, n_levels: int, n_rows: int
) -> LevelOdds:
    """A fit to all rows, and one to each bootstrap sample.

    Parameters
    ----------
    whole, samples : Sample
        Cells are numbers of levels.
    slots : ndarray of int
        The slots to look at.
    n_levels : int
    n_rows : int
        Of the whole table with a known cell: where samples hold fewer, what the fits differ by is scaled down to its size.
    """
    cost = min(len(whole[0]), MOST_ROWS) * len(slots) * n_levels * 20
    most = max(int(_MOST_ENTRIES / cost), _FEWEST_FITS)
    seen = whole[0][:, slots]
    centre, spread = seen.mean(0), seen.std(0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    fits = []
    some = whole[2][:MOST_ROWS]
    penalty = _inverse_penalty((whole[0][some][:, slots] - centre) / spread, whole[1][some].astype(int), n_levels)
    for number, (rows, cells, chosen) in enumerate((whole, *samples[:most])):
        chosen = chosen[: MOST_DRAWN if number else MOST_ROWS]
        fits.append(_fit((rows[chosen][:, slots] - centre) / spread, cells[chosen].astype(int), n_levels, penalty))
    share = math.sqrt(min(min(len(whole[0]), MOST_DRAWN) / n_rows, 1.0))
    weights = torch.zeros(len(fits), n_levels, whole[0].shape[1], dtype=torch.float64)
    intercepts = torch.zeros(len(fits), n_levels, dtype=torch.float64)
    for number, (coefficients, constants) in enumerate(fits):
        coefficients = fits[0][0] + (coefficients - fits[0][0]) * (share if number else 1.0)
        constants = fits[0][1] + (constants - fits[0][1]) * (share if number else 1.0)
        weights[number][:, torch.from_numpy(slots)] = torch.from_numpy(coefficients / spread)
        intercepts[number] = torch.from_numpy(constants - coefficients @ (centre / spread))
    return LevelOdds(weights, intercepts)


def _inverse_penalty(seen: np.ndarray, cells: np.ndarray, n_levels: int) -> float:
    """The weakest penalty, unless stronger ones, one after the other, predict held-out rows clearly better."""
    n = len(seen)
    if n >= _ROWS_PER_SLOT * seen.shape[1] or n < 2 * _FOLDS:
        return _INVERSE_PENALTY
    order = np.argsort(np.random.default_rng(0).random(n))

    def losses(penalty: float) -> np.ndarray:
        found = np.empty(n)
        for fold in range(_FOLDS):
            test, train = order[fold::_FOLDS], np.setdiff1d(order, order[fold::_FOLDS])
            coefficients, constants = _fit(seen[train], cells[train], n_levels, penalty)
            odds = seen[test] @ coefficients.T + constants
            odds -= odds.max(1, keepdims=True)
            found[test] = np.log(np.exp(odds).sum(1)) - odds[np.arange(len(test)), cells[test]]
        return found

    best, least = _INVERSE_PENALTY, losses(_INVERSE_PENALTY)
    for penalty in _STRONGER:
        now = losses(penalty)
        gain = least - now
        if gain.mean() <= _CLEARLY * gain.std(ddof=1) / math.sqrt(n):
            break
        best, least = penalty, now
    return best


def _fit(
    seen: np.ndarray, cells: np.ndarray, n_levels: int, penalty: float = _INVERSE_PENALTY
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of shape (n_levels, n_slots) and constants of shape (n_levels,)."""
    coefficients, constants = np.zeros((n_levels, seen.shape[1])), np.full(n_levels, _ABSENT)
    present = np.unique(cells)
    if len(present) < 2:
        constants[present] = 0.0
        return coefficients, constants
    solver = "newton-cholesky" if seen.shape[1] * len(present) <= 200 else "lbfgs"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=penalty, solver=solver, max_iter=60).fit(seen, cells)
    if len(present) == 2:
        half = model.coef_[0] / 2
        coefficients[present], constants[present] = np.stack([-half, half]), model.intercept_[0] / 2 * np.array([-1, 1])
    else:
        coefficients[present], constants[present] = model.coef_, model.intercept_
    return coefficients, constants
