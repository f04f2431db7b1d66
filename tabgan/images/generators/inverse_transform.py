"""Sampling by the inverse of the distribution function: Bernoulli, categorical, empirical quantiles."""

from __future__ import annotations

import torch
from torch import Tensor

from tabgan.exceptions import InvalidInputError
from tabgan.images.generators.one_player import checked_data

__all__ = ["EmpiricalMarginals", "inverse_bernoulli", "inverse_categorical", "inverse_empirical"]


def inverse_bernoulli(u: Tensor, theta: Tensor | float) -> Tensor:
    """1 where ``u < theta``, else 0.

    Parameters
    ----------
    u : Tensor
        Uniform on [0, 1).
    theta : Tensor or float
        Probability of a 1, in [0, 1], broadcast against ``u``.

    Returns
    -------
    LongTensor of the broadcast shape
        ``u < theta``, not ``<=``: with theta 0 the draw u = 0 must give 0.

    Examples
    --------
    >>> inverse_bernoulli(torch.tensor([0.0, 0.3, 0.9]), 0.3).tolist()
    [1, 0, 0]
    """
    theta = torch.as_tensor(theta, dtype=u.dtype, device=u.device)
    if not ((theta >= 0) & (theta <= 1)).all():
        raise InvalidInputError("theta must lie in [0, 1].")
    return (u < theta).long()


def inverse_categorical(u: Tensor, probabilities: Tensor) -> Tensor:
    """The class j with ``p_1 + ... + p_(j-1) <= u < p_1 + ... + p_j``, counted from 0.

    Parameters
    ----------
    u : Tensor of shape (...)
        Uniform on [0, 1).
    probabilities : Tensor of shape (..., n_classes) or (n_classes,)
        Non-negative weights; each row is divided by its sum.

    Returns
    -------
    LongTensor of shape (...)
        Never a class of probability 0.

    Examples
    --------
    >>> inverse_categorical(torch.tensor([0.0, 0.2, 0.99]), torch.tensor([0.2, 0.0, 0.8])).tolist()
    [0, 2, 2]
    """
    if not (probabilities.isfinite() & (probabilities >= 0)).all() or not (probabilities.sum(-1) > 0).all():
        raise InvalidInputError("probabilities must be finite, at least 0, and sum to more than 0.")
    weights = probabilities.double()
    cumulative = weights.cumsum(-1) / weights.sum(-1, keepdim=True)
    found = (u.double().unsqueeze(-1) >= cumulative).sum(-1)
    # Rounding can leave the last sum below a u near 1: then take the last class that has any probability.
    last = weights.shape[-1] - 1 - (weights > 0).flip(-1).long().argmax(-1)
    return torch.minimum(found, last)


def inverse_empirical(u: Tensor, values: Tensor, *, interpolate: bool = True) -> Tensor:
    """Quantiles of a sample.

    Parameters
    ----------
    u : Tensor of shape (n,)
        Uniform on [0, 1).
    values : Tensor of shape (m,)
        The sample.
    interpolate : bool, default=True
        Linear between order statistics (`numpy.quantile`'s default); False gives only values that occur (a bootstrap draw).

    Returns
    -------
    Tensor of shape (n,)

    Examples
    --------
    >>> inverse_empirical(torch.tensor([0.0, 0.25, 0.5]), torch.tensor([4.0, 0.0, 2.0])).tolist()
    [0.0, 1.0, 2.0]
    """
    if values.dim() != 1 or not len(values):
        raise InvalidInputError(f"values has shape {tuple(values.shape)}; pass one column with at least one value.")
    ordered = values.sort().values
    if not interpolate:
        return ordered[(u * len(ordered)).long().clamp(0, len(ordered) - 1)]
    place = u.to(ordered) * (len(ordered) - 1)
    below = place.floor().long().clamp(0, len(ordered) - 1)
    above = (below + 1).clamp_max(len(ordered) - 1)
    return torch.lerp(ordered[below], ordered[above], place - below)


class EmpiricalMarginals:
    """The weakest baseline for tables: every column right, and no dependence between them.

    Parameters
    ----------
    interpolate : bool, default=True
        As for `inverse_empirical`.
    """

    def __init__(self, *, interpolate: bool = True) -> None:
        self.interpolate = interpolate

    def fit(self, data: Tensor) -> EmpiricalMarginals:
        """Remember the columns of ``data`` (n, ...)."""
        self._shape = data.shape[1:]
        self._columns = checked_data(data).flatten(1)
        return self

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` rows of shape (n, ...), each pixel or column on its own."""
        u = torch.rand(self._columns.shape[1], n, generator=generator).to(self._columns)
        drawn = [
            inverse_empirical(row, column, interpolate=self.interpolate)
            for row, column in zip(u, self._columns.T, strict=True)
        ]
        return torch.stack(drawn, 1).unflatten(1, self._shape)
