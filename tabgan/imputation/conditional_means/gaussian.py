"""The closed-form base of the imputer: a Gaussian fitted to incomplete rows, and its conditional mean."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tabgan.imputation.conditional_means.hidden_blocks import hidden_blocks

__all__ = ["GaussianConditional", "fit_gaussian"]


_ROWS_TO_START = 4000
_OVERHEAD = 10_000
_LEAST_PRIOR = 1e-4
"""So much for single precision to factorise what one-hot slots, which sum to one, leave."""


class GaussianConditional(nn.Module):
    """Conditional mean of hidden slots given visible ones under N(mean, covariance).

    Parameters
    ----------
    mean : Tensor of shape (width,)
    covariance : Tensor of shape (width, width)
        Positive definite.

    Notes
    -----
    With P the inverse covariance and h, v the hidden and visible slots of a row, ``E[x_h | x_v] = mean_h - P_hh^-1 P_hv (x_v -
    mean_v)`` and ``Cov[x_h | x_v] = P_hh^-1``: a factorisation of O(h^3) per row.
    """

    mean: Tensor
    covariance: Tensor

    def __init__(self, mean: Tensor, covariance: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("covariance", covariance)

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
        found = torch.where(visible > 0, values, self.mean)
        precision = _inverse(self.covariance)
        pull = torch.where(visible > 0, values - self.mean, 0.0) @ precision
        for block in hidden_blocks(precision, visible):
            step = block.solve(pull[block.rows].gather(1, block.slots))
            found[block.rows] = found[block.rows].scatter_add(1, block.slots, -step)
        return found

    def approximate(self, values: Tensor, visible: Tensor, n_iterations: int = 20) -> Tensor:
        """Conditional means by conjugate gradients on the hidden block of the inverse covariance: matrix products only.

        Parameters
        ----------
        values, visible : Tensor of shape (n, width)
            As for `forward`.
        n_iterations : int, default=20
            Of Jacobi-preconditioned conjugate gradients, for all rows at once.

        Returns
        -------
        Tensor of shape (n, width)
            Equal to ``values`` on visible slots. O(width^2) per row and iteration, where `forward` takes O(width^3) per row.

        References
        ----------
        Hestenes and Stiefel 1952, "Methods of Conjugate Gradients for Solving Linear Systems".
        """
        precision = _inverse(self.covariance)
        scale, hidden = precision.diagonal(), 1 - visible
        centred = torch.where(visible > 0, values - self.mean, 0.0)
        found = torch.zeros_like(centred)
        left = -(centred @ precision) * hidden
        towards = preconditioned = left / scale
        power = (left * preconditioned).sum(1, keepdim=True)
        tiny = torch.finfo(values.dtype).tiny
        for _ in range(n_iterations):
            image = (towards @ precision) * hidden
            step = power / (towards * image).sum(1, keepdim=True).clamp_min(tiny)
            found = found + step * towards
            left = left - step * image
            preconditioned = left / scale
            before, power = power, (left * preconditioned).sum(1, keepdim=True)
            towards = preconditioned + power / before.clamp_min(tiny) * towards
        return self.mean + torch.where(visible > 0, centred, found)

    def deviations(self, noise: Tensor, visible: Tensor) -> Tensor:
        """Draws of ``x - E[x | visible]``.

        Parameters
        ----------
        noise : Tensor of shape (n_draws, n, `d_noise`)
            Standard normal.
        visible : Tensor of shape (n, width)
            1 where a slot is visible, else 0.

        Returns
        -------
        Tensor of shape (n_draws, n, width)
            0 on visible slots. One factorisation per row serves all draws.
        """
        found = torch.zeros_like(noise)
        for block in hidden_blocks(_inverse(self.covariance), visible):
            slots = block.slots.expand(len(noise), -1, -1)
            drawn = block.unwhitened(noise[:, block.rows].gather(2, slots).permute(1, 2, 0)).permute(2, 0, 1)
            found[:, block.rows] = found[:, block.rows].scatter_add(2, slots, drawn)
        return found

    @property
    def d_noise(self) -> int:
        """Width of the noise that `deviations` takes."""
        return len(self.mean)


@torch.no_grad()
def fit_gaussian(
    values: Tensor,
    visible: Tensor,
    *,
    n_iterations: int = 20,
    tolerance: float = 2e-3,
    prior_rows: float | None = None,
    max_flops: float = 5e8,
    start: GaussianConditional | None = None,
    time_is_up: Callable[[], bool] = lambda: False,
) -> GaussianConditional:
    """Mean and covariance of incomplete rows by expectation maximisation.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Rows in any order that is random with respect to their content: the first ones are used if not all can be.
    visible : Tensor of shape (n, width)
        1 where a slot is visible, else 0.
    n_iterations : int, default=20
        At most this many EM iterations.
    tolerance : float, default=2e-3
        Stop when no covariance entry moves by more, in units of the slots' variance.
    prior_rows : float, default=None
        The weight of a diagonal prior, in rows: shrinks correlations. None takes ``width^2 / n_seen`` for slots that are seen in
        ``n_seen`` rows, so that it weighs as the noise of the correlations does, and a ten-thousandth of the rows.
    max_flops : float, default=5e8
        Use so many rows only that one iteration stays below this.
    start : GaussianConditional, default=None
        Where the iterations begin; None takes the slots' own means and variances.
    time_is_up : callable, default=never
        Asked after each iteration whether it was the last one.

    Returns
    -------
    GaussianConditional
        In float64.

    References
    ----------
    Little and Rubin 2019, "Statistical Analysis with Missing Data", section 11.2; Dempster, Laird and Rubin 1977.
    """
    width = values.shape[1]
    n_rows = max(int(max_flops / _cost(visible[:_ROWS_TO_START])), 4 * width, 500)
    values, visible = values[:n_rows].double(), visible[:n_rows].double()
    if start is None and len(values) > _ROWS_TO_START:
        rows = slice(0, _ROWS_TO_START)  # most iterations are far from the end: a part of the rows will do for them
        settings = {
            "n_iterations": n_iterations,
            "tolerance": tolerance,
            "prior_rows": prior_rows,
            "time_is_up": time_is_up,
        }
        start = fit_gaussian(values[rows], visible[rows], **settings)  # type: ignore[arg-type]
        if time_is_up():
            return start
    values = torch.where(visible > 0, values, 0.0)
    n = len(values)
    seen = visible.sum(0).clamp_min(1)
    mean = (values * visible).sum(0) / seen
    variance = ((values - mean) ** 2 * visible).sum(0) / seen + 1e-6
    if prior_rows is None:
        prior_rows = width**2 / float(seen.mean()) + _LEAST_PRIOR * n
    covariance = torch.diag(variance)
    scale = variance.sqrt()
    if start is not None:
        mean, covariance = start.mean.double(), start.covariance.double()
    for _ in range(n_iterations):
        precision = _inverse(covariance)
        pull = ((values - mean) * visible) @ precision
        moment = torch.zeros_like(covariance).view(-1)
        completed = torch.where(visible > 0, values, mean)
        for block in hidden_blocks(precision, visible):
            slots, spread = block.slots, block.inverse()
            places = slots.unsqueeze(2) * width + slots.unsqueeze(1)
            moment.index_add_(0, places.flatten(), spread.flatten())
            step = torch.einsum("ni,nij->nj", pull[block.rows].gather(1, slots), spread)
            completed[block.rows] = completed[block.rows].scatter_add(1, slots, -step)
        mean = completed.mean(0)
        centred = completed - mean
        updated = (moment.view(width, width) + centred.T @ centred + prior_rows * torch.diag(variance)) / (
            n + prior_rows
        )
        change = ((updated - covariance) / (scale[:, None] * scale[None, :])).abs().max()
        covariance = updated
        if change < tolerance or time_is_up():
            break
    return GaussianConditional(mean, covariance)


def _cost(visible: Tensor) -> float:
    """About, operations of one iteration per row; what small matrices cost whatever their size counts too."""
    hidden = (visible <= 0).sum(1).double()
    return float((2 * hidden**3).mean()) + _OVERHEAD


def _inverse(covariance: Tensor) -> Tensor:
    return torch.cholesky_inverse(torch.linalg.cholesky(covariance))
