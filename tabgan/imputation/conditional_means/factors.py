"""The closed-form base of wide tables: factor analysis of incomplete rows, and its conditional mean."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["FactorConditional", "choose_n_factors", "fit_factors"]

_NUMBERS_OF_FACTORS = (1, 2, 3, 4, 5, 6, 8, 11, 16, 23, 32)
_ROWS_TO_CHOOSE = 1000


class FactorConditional(nn.Module):
    """Conditional mean of hidden slots given visible ones under ``x = mean + loadings z + noise``.

    Parameters
    ----------
    mean : Tensor of shape (width,)
    loadings : Tensor of shape (width, n_factors)
    noise : Tensor of shape (width,)
        Variances, positive.

    Notes
    -----
    With W the loadings, P the diagonal of ``visible / noise``: ``E[z | visible] = (I + W' P W)^-1 W' P (x - mean)``, and hidden
    slots are independent given z. Cost O(width n_factors^2) per row, where `GaussianConditional` costs O(width^3).
    """

    mean: Tensor
    loadings: Tensor
    noise: Tensor

    def __init__(self, mean: Tensor, loadings: Tensor, noise: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("loadings", loadings)
        self.register_buffer("noise", noise)

    def forward(self, values: Tensor, visible: Tensor) -> Tensor:
        """Conditional means of all slots.

        Parameters
        ----------
        values : Tensor of shape (n, width)
            Anything where ``visible`` is 0.
        visible : Tensor of shape (n, width)
            1 where a slot is visible, else 0, in the dtype of ``values``.

        Returns
        -------
        Tensor of shape (n, width)
            Equal to ``values`` on visible slots.
        """
        factors, _ = _posterior(values, visible, self.mean, self.loadings, self.noise)
        return torch.where(visible > 0, values, self.mean + factors @ self.loadings.T)

    def deviations(self, noise: Tensor, visible: Tensor) -> Tensor:
        """Draws of ``x - E[x | visible]``, of shape (n_draws, n, width), as `GaussianConditional.deviations` has them."""
        n_factors = self.loadings.shape[1]
        joint = self.mean + noise[..., :n_factors] @ self.loadings.T + noise[..., n_factors:] * self.noise.sqrt()
        return torch.stack([one - self(one, visible) for one in joint])

    @property
    def d_noise(self) -> int:
        """Width of the noise that `deviations` takes."""
        return self.loadings.shape[0] + self.loadings.shape[1]


@torch.no_grad()
def fit_factors(
    values: Tensor,
    visible: Tensor,
    n_factors: int,
    *,
    n_iterations: int = 40,
    tolerance: float = 1e-3,
    ridge: float = 1e-3,
    max_rows: int = 2000,
    time_is_up: Callable[[], bool] = lambda: False,
) -> FactorConditional:
    """Factor analysis of incomplete rows by expectation maximisation.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Rows in random order: the first ``max_rows`` are used.
    visible : Tensor of shape (n, width)
        1 where a slot is visible, else 0.
    n_factors : int
        Number of factors, below ``width``.
    n_iterations : int, default=40
        At most this many iterations.
    tolerance : float, default=1e-3
        Stop when the mean squared reconstruction of visible slots changes by a smaller share.
    ridge : float, default=1e-3
        Weight of a standard normal prior on the loadings, ``1 + ridge * n`` rows' worth; also the smallest share of a slot's
        variance that is noise.
    max_rows : int, default=2000
        Rows used.
    time_is_up : callable, default=never
        Asked after each iteration whether it was the last one.

    Returns
    -------
    FactorConditional
        In float64.

    References
    ----------
    Rubin and Thayer 1982, "EM algorithms for ML factor analysis"; the factors are whitened after each iteration, which speeds
    it up (parameter expansion: Liu, Rubin, Wu 1998).
    """
    values, visible = values[:max_rows].double(), visible[:max_rows].double()
    values = torch.where(visible > 0, values, 0.0)
    n = len(values)
    seen = visible.sum(0).clamp_min(1)
    mean = values.sum(0) / seen
    variance = ((values - mean) ** 2 * visible).sum(0) / seen + 1e-6
    # Principal components of the mean-filled rows are a good start.
    centred = (values - mean) * visible
    _, singular, directions = torch.linalg.svd(centred, full_matrices=False)
    usable = min(n_factors, len(singular))
    loadings = values.new_zeros(values.shape[1], n_factors)
    loadings[:, :usable] = directions[:usable].T * (singular[:usable] / n**0.5)
    floor = ridge * variance
    noise = (variance - loadings.square().sum(1)).clamp_min(0.05 * variance)
    eye = torch.eye(n_factors, dtype=values.dtype)
    before = float("inf")
    for _ in range(n_iterations):
        factors, covariance = _posterior(values, visible, mean, loadings, noise)
        moments = covariance + factors.unsqueeze(2) * factors.unsqueeze(1)
        # Regress each slot on the factors, over the rows in which it is visible.
        gram = (visible.T @ moments.flatten(1)).reshape(-1, n_factors, n_factors)
        cross = ((values - mean) * visible).T @ factors
        loadings = torch.linalg.solve(gram + (1 + ridge * n) * 0.1 * noise[:, None, None] * eye, cross)
        fitted = factors @ loadings.T
        mean = ((values - fitted) * visible).sum(0) / seen
        residual = ((values - mean - fitted).square() * visible).sum(0)
        spread = torch.einsum(
            "wk,wkl,wl->w", loadings, (visible.T @ covariance.flatten(1)).reshape(gram.shape), loadings
        )
        noise = torch.maximum((residual + spread) / seen, floor)
        root = torch.linalg.cholesky(moments.mean(0))
        loadings = loadings @ root
        now = float((residual / variance).sum() / visible.sum())
        if abs(before - now) < tolerance * now or time_is_up():
            break
        before = now
    return FactorConditional(mean, loadings, noise)


@torch.no_grad()
def choose_n_factors(
    values: Tensor, visible: Tensor, shown: Tensor, time_is_up: Callable[[], bool] = lambda: False
) -> int:
    """How many factors predict hidden cells best: few rows do not bear many.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Rows in random order: the first 1,000 are used.
    visible : Tensor of shape (n, width)
        1 where a slot is visible, else 0.
    shown : Tensor of shape (n, width)
        1 in visible slots from which the others are to be predicted.
    time_is_up : callable, default=never
        Asked after each number whether it was the last one.

    Returns
    -------
    int
        Between 1 and 32, and below the number of rows and of slots. Numbers are tried upwards until two in a row are no better.
    """
    values, visible, shown = (part[:_ROWS_TO_CHOOSE].double() for part in (values, visible, shown))
    hidden = visible - shown
    best, least, in_vain = 1, float("inf"), 0
    for n_factors in _NUMBERS_OF_FACTORS:
        if n_factors >= min(values.shape) or in_vain == 2:
            break
        told = fit_factors(values, shown, n_factors, n_iterations=20)(values * shown, shown)
        error = float(((told - values) * hidden).square().sum())
        if error < least:
            best, least, in_vain = n_factors, error, 0
        else:
            in_vain += 1
        if time_is_up():
            break
    return best


def _posterior(values: Tensor, visible: Tensor, mean: Tensor, loadings: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Posterior mean (n, n_factors) and covariance (n, n_factors, n_factors) of the factors."""
    n_factors = loadings.shape[1]
    precision = visible / noise
    products = (loadings.unsqueeze(2) * loadings.unsqueeze(1)).flatten(1)
    system = (precision @ products).reshape(-1, n_factors, n_factors)
    system.diagonal(dim1=-2, dim2=-1).add_(1.0)
    factor = torch.linalg.cholesky(system)
    centred = torch.where(visible > 0, values - mean, 0.0)
    scores = torch.cholesky_solve(((precision * centred) @ loadings).unsqueeze(-1), factor).squeeze(-1)
    return scores, torch.cholesky_inverse(factor)
