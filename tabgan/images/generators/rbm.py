"""Restricted Boltzmann machine with binary units: contrastive divergence, persistent or not, and exact likelihood when small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from tabgan.core.phases import OptimizerSpec
from tabgan.core.tasks import GenerationBatch
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.one_player import OnePlayer, checked_data, one_player

__all__ = ["RestrictedBoltzmannMachine", "binary_states", "restricted_boltzmann_machine"]

_LARGEST = 20
_SGD = OptimizerSpec("sgd", 0.1, (0.0, 0.0))


class RestrictedBoltzmannMachine(nn.Module):
    """``p(v) = sum_h exp(v W h + a v + b h) / Z`` over binary vectors.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row or image; its pixels are the visible units.
    n_hidden : int
        Hidden units.
    n_chains : int, default=0
        Persistent Gibbs chains to keep; they are part of the state dict.
    generator : torch.Generator
        Source of the initial weights (normal with standard deviation 0.01, Hinton 2010, section 8) and chains.

    References
    ----------
    Hinton 2002, "Training Products of Experts by Minimizing Contrastive Divergence"; Tieleman 2008, "Training Restricted Boltzmann
    Machines using Approximations to the Likelihood Gradient" (persistent chains).
    """

    chains: Tensor

    def __init__(self, shape: Sequence[int], n_hidden: int, *, n_chains: int = 0, generator: torch.Generator) -> None:
        super().__init__()
        self.shape, n_visible = tuple(shape), math.prod(shape)
        self.weight = nn.Parameter(0.01 * torch.randn(n_visible, n_hidden, generator=generator))
        self.visible_bias = nn.Parameter(torch.zeros(n_visible))
        self.hidden_bias = nn.Parameter(torch.zeros(n_hidden))
        self.register_buffer("chains", (torch.rand(n_chains, n_visible, generator=generator) < 0.5).float())

    def free_energy(self, v: Tensor) -> Tensor:
        """``-log sum_h exp(-E(v, h))``, shape (n,): ``-log p(v)`` up to the constant log Z."""
        return -(v @ self.visible_bias) - softplus(v @ self.weight + self.hidden_bias).sum(-1)

    @torch.no_grad()
    def gibbs(self, v: Tensor, uniforms: Tensor) -> Tensor:
        """Alternate ``h ~ p(h | v)`` and ``v ~ p(v | h)`` once per entry of ``uniforms`` (k, n, n_hidden + n_visible)."""
        n_hidden = len(self.hidden_bias)
        for u in uniforms:
            h = (u[:, :n_hidden] < torch.sigmoid(v @ self.weight + self.hidden_bias)).to(v)
            v = (u[:, n_hidden:] < torch.sigmoid(h @ self.weight.T + self.visible_bias)).to(v)
        return v

    def draw_uniforms(self, k: int, n: int, generator: torch.Generator) -> Tensor:
        """Uniform numbers for k steps of n chains."""
        width = len(self.hidden_bias) + len(self.visible_bias)
        return torch.rand(k, n, width, generator=generator).to(self.weight)

    def log_partition(self) -> Tensor:
        """Exact log Z by enumeration of the smaller layer.

        Raises
        ------
        InvalidInputError
            Both layers have more than 20 units.
        """
        n_visible, n_hidden = self.weight.shape
        if min(n_visible, n_hidden) > _LARGEST:
            raise InvalidInputError(
                f"log_partition enumerates the smaller layer: at most {_LARGEST} units, not {min(n_visible, n_hidden)}."
            )
        if n_visible <= n_hidden:
            return torch.logsumexp(-self.free_energy(binary_states(n_visible).to(self.weight)), 0)
        h = binary_states(n_hidden).to(self.weight)
        # The other layer's sum is the same formula with the roles exchanged.
        return torch.logsumexp(h @ self.hidden_bias + softplus(h @ self.weight.T + self.visible_bias).sum(-1), 0)

    def log_prob(self, v: Tensor) -> Tensor:
        """Exact log-likelihood in nats, shape (n,), for small machines."""
        return -self.free_energy(v.flatten(1)) - self.log_partition()

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator, *, n_gibbs: int = 500) -> Tensor:
        """Draw ``n`` rows of shape (n, *shape) by ``n_gibbs`` Gibbs steps from coin tosses, or from the persistent chains."""
        if len(self.chains):
            v = self.chains[torch.randint(len(self.chains), (n,), generator=generator).to(self.chains.device)]
        else:
            v = (torch.rand(n, len(self.visible_bias), generator=generator) < 0.5).to(self.weight)
        for _ in range(n_gibbs):
            v = self.gibbs(v, self.draw_uniforms(1, n, generator))
        return v.unflatten(1, self.shape)


def binary_states(n: int) -> Tensor:
    """All ``2 ** n`` binary vectors, shape (2 ** n, n)."""
    return ((torch.arange(2**n)[:, None] >> torch.arange(n)) & 1).float()


def restricted_boltzmann_machine(
    data: Tensor,
    n_hidden: int,
    *,
    generator: torch.Generator,
    k: int = 1,
    persistent: bool = False,
    batch_size: int = 64,
    optimizer: OptimizerSpec = _SGD,
    **training: Any,
) -> OnePlayer:
    """A `RestrictedBoltzmannMachine` of binary ``data`` (n, ...), flattened, by k steps of contrastive divergence.

    Parameters
    ----------
    data : Tensor of shape (n, ...)
        Zeros and ones.
    n_hidden : int
        Hidden units.
    generator : torch.Generator
        Source of the initial weights.
    k : int, default=1
        Gibbs steps per update.
    persistent : bool, default=False
        Go on with the chains of the last update instead of starting at the data (PCD).
    batch_size : int, default=64
        Rows, and chains, per update.
    optimizer : OptimizerSpec, default=SGD
        Plain SGD with learning rate 0.1.
    **training
        Goes to `one_player`.

    Notes
    -----
    Written as a loss, ``mean F(data) - mean F(chain)`` with the chain held constant, whose gradient is Hinton's rule (Bengio 2009,
    equation 5.19 ff.). Its value is no likelihood: only `RestrictedBoltzmannMachine.log_prob` tells whether training works.
    """
    if k < 1:
        raise InvalidParameterError(f"k={k!r} must be at least 1.")
    if not ((checked_data(data) == 0) | (data == 1)).all():
        raise InvalidInputError("data must consist of zeros and ones; threshold it first.")
    rows = data.flatten(1)
    model = RestrictedBoltzmannMachine(
        data.shape[1:], n_hidden, n_chains=batch_size if persistent else 0, generator=generator
    ).to(data)

    def loss(model: RestrictedBoltzmannMachine, batch: GenerationBatch) -> Tensor:
        uniforms = batch.noise.transpose(0, 1)
        chain = model.gibbs(model.chains if persistent else batch.real, uniforms)
        if persistent:
            model.chains = chain
        return model.free_energy(batch.real).mean() - model.free_energy(chain).mean()

    def prior(n: int, generator: torch.Generator) -> Tensor:
        return model.draw_uniforms(k, n, generator).transpose(0, 1)

    return one_player(
        model, rows, loss, prior=prior, batch_size=batch_size, optimizer=optimizer, name="energy_gap", **training
    )
