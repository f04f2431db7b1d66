"""Moments of rows with the uncertainty that they have: one set per draw, each from a bootstrap sample of the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.conditional_means.gaussian import GaussianConditional, fit_gaussian

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MOST_DRAWN", "MomentSets", "fit_moments"]

_ITERATIONS, _TOLERANCE = 25, 1e-3
"""Of EM from the moments of all rows. Where much is missing steps are short: too few would hide how uncertain the moments are."""
MOST_DRAWN = 1024
"""Rows of a bootstrap sample; what fewer rows differ by more is scaled down."""


class MomentSets:
    """Means and covariances of rows on their scales: of all rows, and of bootstrap samples.

    Parameters
    ----------
    mean : Tensor of shape (1 + n_sets, width)
        The first is that of all rows.
    covariance : Tensor of shape (1 + n_sets, width, width)
    """

    def __init__(self, mean: Tensor, covariance: Tensor) -> None:
        self.mean = mean
        self.covariance = covariance
        # Weights of all other slots in the conditional mean of each one.
        precision = torch.linalg.inv(covariance)
        pull = -precision / precision.diagonal(dim1=1, dim2=2)[:, :, None]
        pull.diagonal(dim1=1, dim2=2).zero_()
        self.pull = pull
        # How far each slot lies from that mean: a set's share of what is usual among the sets.
        spread = precision.diagonal(dim1=1, dim2=2).rsqrt()
        self.relative_spread = spread / spread[1:].square().mean(0).sqrt()

    def __len__(self) -> int:
        return len(self.mean) - 1

    def conditional(self, number: int) -> GaussianConditional:
        """Of the set of this number; 0 is that of all rows."""
        return GaussianConditional(self.mean[number], self.covariance[number])

    def given_others(self, number: int, slot: int, rows: Tensor) -> Tensor:
        """The conditional mean of a slot given all other slots of completed rows, of shape (n,)."""
        mean = self.mean[number]
        return mean[slot] + (rows - mean) @ self.pull[number, slot]

    def state(self) -> dict[str, Any]:
        """Plain tensors for a model file."""
        return {"mean": self.mean, "covariance": self.covariance}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], width: int) -> Self:
        """Rebuild what `state` described; ModelFileError if it is not of this width."""
        mean, covariance = state["mean"], state["covariance"]
        if mean.dim() != 2 or covariance.shape != (len(mean), width, width) or mean.shape[1] != width or len(mean) < 2:
            raise ModelFileError("its moments are of another shape than they have to be.")
        return cls(mean, covariance)


def fit_moments(
    rows: Tensor,
    visible: Tensor,
    samples: list[np.ndarray],
    n_rows: int,
    time_is_up: Callable[[], bool] = lambda: False,
) -> MomentSets:
    """Moments of incomplete rows, and of bootstrap samples of them, by expectation maximisation.

    Parameters
    ----------
    rows : Tensor of shape (n, width)
        On their scales, anything in hidden slots.
    visible : Tensor of shape (n, width)
        1 where a slot is visible, else 0.
    samples : list of ndarray of int of shape (n,)
        Numbers of the rows in each bootstrap sample.
    n_rows : int
        Of the whole table: where samples hold fewer, what they differ by is scaled down to its size (m out of n bootstrap).
    time_is_up : callable, default=never
        Whether to go on without further samples.

    References
    ----------
    Honaker and King 2010, "What to do about missing values in time-series cross-section data", section 3 (EM on bootstrap samples in
    the place of draws from a posterior).
    """
    prior_rows = 1 + len(rows) / 1000  # sets that hang by less magnify what processors round differently
    found = [fit_gaussian(rows, visible, prior_rows=prior_rows, time_is_up=time_is_up)]
    size = min(len(rows), MOST_DRAWN)
    share = math.sqrt(min(size / n_rows, 1.0))
    for sample in samples:
        if time_is_up():
            break
        chosen = sample[:size]
        one = fit_gaussian(
            rows[chosen],
            visible[chosen],
            prior_rows=prior_rows,
            start=found[0],
            n_iterations=_ITERATIONS,
            tolerance=_TOLERANCE,
        )
        mean, covariance = (
            torch.lerp(a, b, share) for a, b in ((found[0].mean, one.mean), (found[0].covariance, one.covariance))
        )
        found.append(GaussianConditional(mean, covariance))
    return MomentSets(torch.stack([one.mean for one in found]), torch.stack([one.covariance for one in found]))
