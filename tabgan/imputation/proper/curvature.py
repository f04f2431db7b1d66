"""What squares and products of the other columns add to a column's linear mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.proper.donor_trees import Sample

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FEW", "MOST_FEATURES", "Curvature", "fit_curvature"]

MOST_FEATURES = 10
"""Slots whose squares and products are looked at."""
_PENALTIES = (1.0, 10.0, 100.0)
"""Of standardised products, to choose among."""

_ERRORS, _LEAST_GAIN = 1.0, 0.01
"""Standard errors, and share of the squared errors, that squares and products have to gain."""
_STRONG, _STRONG_OF_FEW = 0.92, 0.98
"""What is left, in standard deviations of what the linear mean leaves, from which on a column judges draws of others.

First draws know of no products and hide them: where noise hides them too, weak ones have to judge lest they never come to light."""
FEW = 1000
"""Rows of small tables, on which judging is cheap."""


class Curvature:
    """A ridge regression of what a linear mean leaves on squares and products of other slots, one per bootstrap sample.

    Parameters
    ----------
    slots : LongTensor of shape (n_features,)
    low, high : Tensor of shape (n_features,)
        Values further out are taken for these: products run away where no cell was seen.
    centre, spread : Tensor of shape (n_features,)
    weights : Tensor of shape (1 + n_sets, 1 + n_products)
        The first set is that of all rows.
    residuals : Tensor of shape (2,)
        Standard deviations of what the linear mean leaves, and of what is left with squares and products.
    strong : float, default=0.92
        Share of the former from which on the latter tells which draws of other columns are likely.
    """

    def __init__(
        self,
        slots: Tensor,
        low: Tensor,
        high: Tensor,
        centre: Tensor,
        spread: Tensor,
        weights: Tensor,
        residuals: Tensor,
        strong: float = _STRONG,
    ) -> None:
        self.slots = slots
        self.low = low
        self.high = high
        self.centre = centre
        self.spread = spread
        self.weights = weights
        self.residuals = residuals
        self.strong = strong

    def __call__(self, rows: Tensor, number: int) -> Tensor:
        """What is added to the mean of completed rows, of shape (n,); set 0 is that of all rows."""
        given, weights = self._given(rows), self.weights[number].to(rows)
        first, second = torch.triu_indices(len(self.slots), len(self.slots))
        form = torch.zeros(len(self.slots), len(self.slots)).to(rows)
        form[first, second] = weights[1:]
        # A matrix product: products one by one take longer than the trees.
        return weights[0] + ((given @ form) * given).sum(1)

    @property
    def is_strong(self) -> bool:
        """Whether little enough is left for its cells to tell which draws of other columns are likely."""
        return float(self.residuals[1]) < self.strong * float(self.residuals[0])

    def products(self, rows: Tensor) -> Tensor:
        """A constant, and all squares and products, of shape (n, 1 + n_products)."""
        given = self._given(rows)
        first, second = torch.triu_indices(len(self.slots), len(self.slots))
        return torch.cat([torch.ones(len(rows), 1).to(rows), given[:, first] * given[:, second]], 1)

    def _given(self, rows: Tensor) -> Tensor:
        """The slots in standard deviations, within the ends that were seen."""
        given = rows[:, self.slots].clamp(self.low.to(rows), self.high.to(rows))
        return (given - self.centre.to(rows)) / self.spread.to(rows)

    _STORED = ("slots", "low", "high", "centre", "spread", "weights", "residuals")

    def state(self) -> dict[str, Any]:
        """Plain tensors for a model file."""
        return {name: getattr(self, name) for name in self._STORED} | {"strong": self.strong}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], width: int, n_sets: int) -> Self:
        """Rebuild what `state` described; ModelFileError if it is of other slots or sets."""
        slots, n = state["slots"], len(state["slots"])
        shapes = [state[name].shape for name in cls._STORED]
        if (
            shapes != [(n,)] * 5 + [(1 + n_sets, 1 + n * (n + 1) // 2), (2,)]
            or not (state["residuals"] > 0).all()
            or slots.dtype != torch.int64
            or not ((slots >= 0) & (slots < width)).all()
        ):
            raise ModelFileError("its squares and products do not fit its columns.")
        curvature = cls(*(state[name] for name in cls._STORED))
        curvature.strong = float(state.get("strong", _STRONG))
        return curvature


def fit_curvature(whole: Sample, samples: Sequence[Sample], slots: np.ndarray, n_rows: int) -> Curvature | None:
    """Fit to what linear means leave, or None where that does not foretell cells that were left out.

    Parameters
    ----------
    whole, samples : Sample
        Cells are what the linear mean leaves: of all rows, and of the bootstrap samples.
    slots : ndarray of int
        At most `MOST_FEATURES`.
    n_rows : int
        Of the whole table with a known cell; see `tabgan.imputation.proper.moments.fit_moments`.

    Notes
    -----
    The penalty is chosen by the errors of leaving one cell out (Allen 1974, PRESS), and must gain more than their standard error.
    """
    rows, cells, _ = whole
    given = torch.from_numpy(rows[:, slots])
    spread = given.std(0)
    kept = spread > 1e-9
    given, spread, chosen = given[:, kept], spread[kept], torch.from_numpy(slots)[kept]
    if not len(chosen) or len(cells) < 2 * len(chosen) + 20:
        return None
    low, high = given.amin(0), given.amax(0)
    curvature = Curvature(chosen, low, high, given.mean(0), spread, torch.empty(0), torch.empty(0))
    curvature.strong = _STRONG_OF_FEW if n_rows <= FEW else _STRONG
    products, truth = curvature.products(torch.from_numpy(rows)).numpy(), cells
    scale = products.std(0)
    scale[0] = 1.0
    scale[scale < 1e-9] = np.inf
    products = products / scale
    plain = (truth - truth.mean()) ** 2
    best, penalty = plain, None
    for one in _PENALTIES:
        left = _left_out(products, truth, one)
        if left.mean() < best.mean():
            best, penalty = left, one
    gain = plain - best
    if penalty is None or gain.mean() < max(_LEAST_GAIN * plain.mean(), _ERRORS * gain.std() / math.sqrt(len(gain))):
        return None
    weights = [_solved(products, truth, penalty)]
    share = math.sqrt(min(len(cells) / n_rows, 1.0))
    for seen, left_over, numbers in samples:
        own = curvature.products(torch.from_numpy(seen[numbers])).numpy() / scale
        weights.append(weights[0] + share * (_solved(own, left_over[numbers], penalty) - weights[0]))
    curvature.weights = torch.from_numpy(np.stack(weights) / scale)
    curvature.residuals = torch.from_numpy(np.sqrt([plain.mean(), best.mean()])).clamp_min(1e-6)
    return curvature


def _penalised(products: np.ndarray, penalty: float) -> np.ndarray:
    return products.T @ products + np.diag([1e-9] + [penalty] * (products.shape[1] - 1))


def _solved(products: np.ndarray, truth: np.ndarray, penalty: float) -> np.ndarray:
    return np.linalg.solve(_penalised(products, penalty), products.T @ truth)


def _left_out(products: np.ndarray, truth: np.ndarray, penalty: float) -> np.ndarray:
    """Squared errors of each cell when it is left out."""
    inverse = np.linalg.inv(_penalised(products, penalty))
    leverage = ((products @ inverse) * products).sum(1)
    fitted = products @ (inverse @ (products.T @ truth))
    return ((truth - fitted) / (1 - leverage).clip(1e-3)) ** 2
