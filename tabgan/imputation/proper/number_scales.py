"""The scale on which a column of numbers is drawn: as it is, as a logarithm from one of its ends, or as normal scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import skew
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.conditional_means.normal_scores import NormalScores

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["NumberScales", "fit_scales"]

_AS_IS, _LOGARITHM, _SCORES = 0, 1, 2

_OFFSETS = (0.02, 0.1, 0.5)
"""Of logarithms, from the column's end, in distances of its median from there."""
_FEWEST = 40
"""Known cells; with fewer, numbers are drawn as they are."""
_MOST = 2000
_LEAST_GAIN, _LEAST_GAIN_OF_SCORES = 0.03, 0.1
"""Of the score, relative: another scale has to be better by this and by two standard errors."""
_RIDGE = 1.0
_MOST_SKEWED = 1.5
_N_RESIDUALS = 32


class NumberScales:
    """Numeric slots in the scales that their columns are drawn on, and back; other slots stay as they are.

    Parameters
    ----------
    kinds : LongTensor of shape (width,)
        0 as it is, 1 logarithm, 2 normal scores.
    origin, sign : Tensor of shape (width,)
        A logarithm is ``sign * log(sign * (value - origin))``.
    scores : NormalScores
        Of the slots that are drawn as scores, in slot order.
    """

    def __init__(self, kinds: Tensor, origin: Tensor, sign: Tensor, scores: NormalScores) -> None:
        self.kinds = kinds
        self.origin = origin
        self.sign = sign
        self.scores = scores
        self._logarithms = (kinds == _LOGARITHM).nonzero()[:, 0]
        self._scores = (kinds == _SCORES).nonzero()[:, 0]

    @classmethod
    def as_is(cls, width: int) -> Self:
        """Every slot as it is."""
        none = NormalScores(torch.zeros(0, NormalScores.N_KNOTS, dtype=torch.float64))
        zero = torch.zeros(width, dtype=torch.float64)
        return cls(torch.zeros(width, dtype=torch.long), zero, zero + 1, none)

    def forward(self, values: Tensor) -> Tensor:
        """Encoded rows of shape (n, width) on their scales."""
        found = values.clone()
        if len(slots := self._logarithms):
            sign = self.sign[slots]
            found[:, slots] = sign * (sign * (values[:, slots] - self.origin[slots])).clamp_min(1e-9).log()
        if len(slots := self._scores):
            found[:, slots] = self.scores(values[:, slots])
        return found

    def inverse(self, drawn: Tensor) -> Tensor:
        """Back to encoded units."""
        found = drawn.clone()
        if len(slots := self._logarithms):
            sign = self.sign[slots]
            found[:, slots] = self.origin[slots] + sign * (sign * drawn[:, slots]).clamp(max=30.0).exp()
        if len(slots := self._scores):
            found[:, slots] = self.scores.inverse(drawn[:, slots])
        return found

    def column(self, slot: int) -> NumberScales:
        """The scale of one slot, for rows of that slot alone."""
        own = NormalScores(self.scores.quantiles[self._scores == slot])
        return NumberScales(self.kinds[slot : slot + 1], self.origin[slot : slot + 1], self.sign[slot : slot + 1], own)

    def state(self) -> dict[str, Any]:
        """Plain tensors for a model file."""
        return {
            "kinds": self.kinds,
            "origin": self.origin,
            "sign": self.sign,
            "quantiles": self.scores.quantiles,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], width: int) -> Self:
        """Rebuild what `state` described; ModelFileError if it is not of this width."""
        n_scores = int((state["kinds"] == _SCORES).sum())
        shapes = [state[name].shape for name in ("kinds", "origin", "sign")]
        if shapes != [(width,)] * 3 or state["quantiles"].shape != (n_scores, NormalScores.N_KNOTS):
            raise ModelFileError("its scales of numbers are of another shape than they have to be.")
        return cls(state["kinds"], state["origin"], state["sign"], NormalScores(state["quantiles"]))


def fit_scales(
    values: Tensor, known: Tensor, completed: Tensor, slots: Sequence[int], scores: Mapping[int, Tensor]
) -> NumberScales:
    """Choose the scale on which a linear model of the other columns predicts a column's distribution best.

    What counts is how a column is distributed *given the others*: its own distribution is another one where cells are missing
    not completely at random. Half of the known cells is predicted from the other half, and scored by the continuous ranked probability
    score in encoded units.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows.
    known : BoolTensor of shape (n, width)
        Where a slot is observed.
    completed : Tensor of shape (n, width)
        The rows completed, to predict from.
    slots : sequence of int
        Numeric slots to choose for.
    scores : mapping of int to Tensor of shape (n_knots,)
        Quantiles of these slots; see `NormalScores`.

    References
    ----------
    Box and Cox 1964, "An analysis of transformations", section 3 (the scale on which the model of the *conditional* distribution
    fits); Gneiting and Raftery 2007 for the score.
    """
    width = values.shape[1]
    kinds, origin, sign = torch.zeros(width, dtype=torch.long), torch.zeros(width).double(), torch.ones(width).double()
    quantiles = []
    for slot in slots:
        rows = known[:, slot].nonzero()[:_MOST, 0]
        if len(rows) < _FEWEST:
            continue
        x = values[rows, slot].numpy()
        if known[:, slot].all():
            chosen = _less_skewed(x, scores[slot])
            kinds[slot], origin[slot], sign[slot] = chosen.kinds[0], chosen.origin[0], chosen.sign[0]
            continue
        others = np.delete(completed[rows].numpy(), slot, axis=1)
        as_is, *logarithms, normal = _candidates(x, scores[slot])
        chosen, errors = as_is, _crps(x, others, as_is)
        if logarithms:
            best = min(((_crps(x, others, one), one) for one in logarithms), key=lambda pair: pair[0].mean())
            chosen, errors = _better(errors, chosen, *best, _LEAST_GAIN)
        # Scores come last: they know nothing of what lies beyond the observed cells.
        chosen, _ = _better(errors, chosen, _crps(x, others, normal), normal, _LEAST_GAIN_OF_SCORES)
        kinds[slot], origin[slot], sign[slot] = chosen.kinds[0], chosen.origin[0], chosen.sign[0]
        if chosen.kinds[0] == _SCORES:
            quantiles.append(scores[slot])
    stacked = torch.stack(quantiles) if quantiles else torch.zeros(0, NormalScores.N_KNOTS, dtype=torch.float64)
    return NumberScales(kinds, origin, sign, NormalScores(stacked))


def _candidates(x: np.ndarray, quantiles: Tensor) -> list[NumberScales]:
    """As it is, logarithms, and scores."""
    found = [NumberScales.as_is(1)]
    none = found[0].scores
    middle = float(np.median(x))
    for sign, end in ((1.0, float(x.min())), (-1.0, float(x.max()))):
        reach = sign * (middle - end)
        if reach <= 0:
            continue
        for offset in _OFFSETS:
            origin = torch.tensor([end - sign * offset * reach], dtype=torch.float64)
            found.append(NumberScales(torch.tensor([_LOGARITHM]), origin, torch.tensor([sign]).double(), none))
    as_is = found[0]
    found.append(
        NumberScales(torch.tensor([_SCORES]), as_is.origin, as_is.sign, NormalScores(quantiles[None].double()))
    )
    return found


def _better(
    errors: np.ndarray, chosen: NumberScales, others: np.ndarray, other: NumberScales, least: float
) -> tuple[NumberScales, np.ndarray]:
    """The other one where it is better by more than may be chance."""
    gain = errors - others
    if gain.mean() > max(least * errors.mean(), 2 * gain.std() / np.sqrt(len(gain))):
        return other, others
    return chosen, errors


def _less_skewed(x: np.ndarray, quantiles: Tensor) -> NumberScales:
    """Of a column without missing cells, which is only predicted from: a logarithm where its distribution is very skewed.

    How it is distributed given the others would mislead, since cells of the others are missing depending on it.
    """
    as_is, *logarithms, _ = _candidates(x, quantiles)
    if abs(skew(x)) <= _MOST_SKEWED:
        return as_is
    return min([as_is, *logarithms], key=lambda one: abs(skew(one.forward(torch.from_numpy(x)[:, None]).numpy()[:, 0])))


def _crps(x: np.ndarray, others: np.ndarray, scale: NumberScales) -> np.ndarray:
    """Of each cell, predicted by a ridge regression on the scale and the residuals of its training half."""
    drawn = scale.forward(torch.from_numpy(x)[:, None]).numpy()[:, 0]
    halves = np.arange(len(x)) % 2 == 0
    errors = np.empty(len(x))
    for half in (halves, ~halves):
        centre, spread = others[half].mean(0), others[half].std(0) + 1e-9
        scaled = np.column_stack([np.ones(len(x)), (others - centre) / spread])
        penalty = np.diag([1e-9] + [_RIDGE] * others.shape[1])
        seen = scaled[half]
        beta = np.linalg.solve(seen.T @ seen + penalty, seen.T @ drawn[half])
        residuals = drawn[half] - seen @ beta
        levels = np.quantile(residuals, (np.arange(_N_RESIDUALS) + 0.5) / _N_RESIDUALS)
        draws = (scaled[~half] @ beta)[:, None] + levels
        draws = scale.inverse(torch.from_numpy(draws.reshape(-1, 1))).numpy().reshape(draws.shape)
        draws = np.clip(draws, *_reach(x))
        apart = np.abs(draws - x[~half, None]).mean(1)
        ranks = 2 * np.arange(1, _N_RESIDUALS + 1) - _N_RESIDUALS - 1
        errors[~half] = apart - np.sort(draws, axis=1) @ ranks / _N_RESIDUALS**2
    return errors


def _reach(x: np.ndarray) -> tuple[float, float]:
    return float(2 * x.min() - x.max()), float(2 * x.max() - x.min())
