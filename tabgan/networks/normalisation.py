"""Layers that keep a GAN's players in bounds: spectral, reference, virtual and conditional batch norm, minibatch features."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import register_parametrization

from tabgan.exceptions import InvalidParameterError
from tabgan.verdict import Verdict

__all__ = [
    "ConditionalBatchNorm",
    "MinibatchDiscrimination",
    "ReferenceBatchNorm",
    "VirtualBatchNorm",
    "WithReference",
    "with_spectral_norm",
]


class _SpectralNorm(nn.Module):
    """Weight over its largest singular value, tracked by power iteration; ours, for torch's reads the global generator."""

    left: Tensor
    right: Tensor

    def __init__(self, weight: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        right = torch.randn(matrix.shape[1], generator=generator).to(matrix)
        self.register_buffer("right", normalize(right, dim=0))
        self.register_buffer("left", normalize(matrix @ self.right, dim=0))
        # Close to converged from the start: an estimate that is too small would let the first steps run away.
        for _ in range(30):
            self._iterate(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        matrix = weight.flatten(1)
        if self.training:
            with torch.no_grad():
                self._iterate(matrix)
        # Copies: two passes before one backward would otherwise change what the first one saved.
        sigma = torch.dot(self.left.clone(), matrix @ self.right.clone())
        return weight / sigma.clamp_min(1e-12)

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> None:
        self.right.copy_(normalize(matrix.T @ self.left, dim=0))
        self.left.copy_(normalize(matrix @ self.right, dim=0))


def with_spectral_norm(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """Divide the weight of every linear and convolution layer in ``module`` by its largest singular value.

    Parameters
    ----------
    module : nn.Module
        Changed in place, and returned. Embeddings and normalisation layers stay as they are.
    generator : torch.Generator
        Source of the power iteration's starting vectors, which then live in buffers and in the checkpoint. One iteration is
        made per forward pass in training mode, none in evaluation mode.

    Returns
    -------
    nn.Module
        ``module``.

    References
    ----------
    Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", algorithm 1. As there, a convolution
    counts as the matrix (channels out, channels in x kernel).
    """
    for layer in list(module.modules()):
        if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            register_parametrization(layer, "weight", _SpectralNorm(layer.weight, generator))
    return module


class MinibatchDiscrimination(nn.Module):
    """Append to each row how close the rest of the batch comes to it: a discriminator then sees collapse.

    Parameters
    ----------
    d_in : int
        Features per row.
    n_kernels : int, default=100
        B, features appended.
    d_kernel : int, default=5
        C, dimensions in which each kernel compares rows.
    bias : float, default=-1.0
        Initial value of a learned bias on the appended features, the authors' value.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    Input: (n, d_in). Output: (n, d_in + n_kernels). Takes O(n^2 B C) memory, and a row's output depends on its batch, in
    evaluation too.

    References
    ----------
    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.2: ``o(i)_b = sum over j != i of exp(-|| M_ib -
    M_jb ||_1)``; weight normalisation (each kernel column has a learned length, initially 1) as in the authors' code.
    """

    def __init__(
        self,
        d_in: int,
        n_kernels: int = 100,
        d_kernel: int = 5,
        *,
        bias: float = -1.0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.direction = nn.Parameter(0.05 * torch.randn(d_in, n_kernels, d_kernel, generator=generator))
        self.log_length = nn.Parameter(torch.zeros(n_kernels, d_kernel))
        self.bias = nn.Parameter(torch.full((n_kernels,), bias))

    def closeness(self, features: Tensor) -> Tensor:
        """o(x_i), shape (n, n_kernels), in [0, n - 1]: n - 1 where all rows are the same, 0 where they are far apart."""
        length = self.direction.square().sum(0, keepdim=True).sqrt().clamp_min(1e-12)
        kernel = self.direction * (self.log_length.exp() / length)
        compared = torch.einsum("nd,dbc->nbc", features, kernel)
        distance = (compared.unsqueeze(0) - compared.unsqueeze(1)).abs().sum(3)
        return (-distance).exp().sum(1) - 1  # a row's closeness to itself is exactly 1

    def forward(self, features: Tensor) -> Tensor:
        """Features and closeness side by side."""
        return torch.cat([features, self.closeness(features) + self.bias], 1)


class ReferenceBatchNorm(nn.Module):
    """Batch norm by the statistics of a fixed reference batch; to be used inside `WithReference`.

    Parameters
    ----------
    n_features : int
        Features, or channels.
    eps : float, default=1e-5
        Added to the variance.

    Shape
    -----
    Input and output: (n, n_features, ...), the reference rows first. How many they are is set by `WithReference`.

    References
    ----------
    Salimans et al. 2016, section 3.5. One of our lectures divides by ``sigma^2 + eps``; the square root belongs there.
    """

    def __init__(self, n_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.eps = eps
        self.n_reference = 0

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalised inputs."""
        if not self.n_reference:
            raise RuntimeError(
                f"{type(self).__name__} works inside WithReference only, which shows it the reference batch"
            )
        reference = inputs[: self.n_reference]
        dims = [0, *range(2, inputs.ndim)]
        mean = reference.mean(dims, keepdim=True)
        variance = reference.var(dims, correction=0, keepdim=True)
        mean, variance = self._mixed(inputs, mean, variance)
        shape = [1, -1] + [1] * (inputs.ndim - 2)
        scaled = (inputs - mean) * (variance + self.eps).rsqrt()
        return scaled * self.gain.reshape(shape) + self.bias.reshape(shape)

    def _mixed(self, inputs: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        return mean, variance


class VirtualBatchNorm(ReferenceBatchNorm):
    """Batch norm by the statistics of the reference batch *and the row itself*, so that no row is an outlier to its own norm.

    Parameters, shapes and source as in `ReferenceBatchNorm`. The row counts as one of ``n_reference + 1``.
    """

    def _mixed(self, inputs: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        dims = list(range(2, inputs.ndim))
        own = inputs.mean(dims, keepdim=True) if dims else inputs
        spread = inputs.var(dims, correction=0, keepdim=True) if dims else torch.zeros_like(inputs)
        share = 1 / (self.n_reference + 1)
        # Law of total variance over the two groups: within plus between.
        return (1 - share) * mean + share * own, (
            (1 - share) * variance + share * spread + share * (1 - share) * (own - mean).square()
        )


class WithReference(nn.Module):
    """Run a network with a fixed reference batch in front of every batch, for its reference or virtual batch norms.

    Parameters
    ----------
    network : nn.Module
        With `ReferenceBatchNorm` or `VirtualBatchNorm` layers; returns a Tensor or a `Verdict`, row by row.
    *reference : Tensor of shape (n_reference, ...)
        One per input of the network: noise and condition, say, or real rows and their condition. Buffers, so they are part of
        the checkpoint.

    Raises
    ------
    InvalidParameterError
        No reference is given, it is empty, or its parts have different lengths.
    """

    def __init__(self, network: nn.Module, *reference: Tensor) -> None:
        super().__init__()
        lengths = {len(part) for part in reference}
        if len(lengths) != 1 or 0 in lengths:
            raise InvalidParameterError(
                f"reference has parts of {[len(part) for part in reference]} rows; give one non-empty tensor per input of "
                "the network, all of one length."
            )
        self.network = network
        self.n_inputs = len(reference)
        for index, part in enumerate(reference):
            self.register_buffer(f"reference_{index}", part.detach().clone())
        self.n_reference = lengths.pop()
        for layer in network.modules():
            if isinstance(layer, ReferenceBatchNorm):
                layer.n_reference = self.n_reference

    def forward(self, *inputs: Tensor | None) -> Any:
        """The network's output for ``inputs`` alone; inputs beyond the reference's are dropped if None."""
        if any(extra is not None for extra in inputs[self.n_inputs :]):
            raise ValueError(f"the reference batch covers {self.n_inputs} inputs, but {len(inputs)} came")
        joined = [
            torch.cat([getattr(self, f"reference_{index}"), part])  # type: ignore[list-item]
            for index, part in enumerate(inputs[: self.n_inputs])
        ]
        output = self.network(*joined)
        if isinstance(output, Verdict):
            parts = {field.name: getattr(output, field.name) for field in dataclasses.fields(Verdict)}
            return Verdict(**{name: None if part is None else part[self.n_reference :] for name, part in parts.items()})
        return output[self.n_reference :]


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and bias are linear functions of the condition; a generator's way to use it in every layer.

    Parameters
    ----------
    n_features : int
        Features, or channels.
    d_condition : int
        Width of the condition. One-hot conditions give every class a gain and bias of its own.
    momentum, eps : float, default=0.1 and 1e-5
        As in ``nn.BatchNorm1d``.

    Shape
    -----
    inputs: (n, n_features, ...), condition: (n, d_condition). Output: as inputs. Initially plain batch norm.

    References
    ----------
    De Vries et al. 2017, "Modulating early visual processing by language"; Miyato and Koyama 2018, section 5.
    """

    def __init__(self, n_features: int, d_condition: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        if d_condition < 1:
            raise InvalidParameterError(f"d_condition={d_condition} must be at least 1.")
        self.norm = nn.BatchNorm1d(n_features, eps=eps, momentum=momentum, affine=False)
        self.gain = nn.Parameter(torch.zeros(n_features, d_condition))
        self.bias = nn.Parameter(torch.zeros(n_features, d_condition))

    def forward(self, inputs: Tensor, condition: Tensor) -> Tensor:
        """Normalised, then scaled and shifted as the condition says."""
        flat = inputs.flatten(2) if inputs.ndim > 2 else inputs
        normed = self.norm(flat).reshape(inputs.shape)
        shape = [*inputs.shape[:2]] + [1] * (inputs.ndim - 2)
        return normed * (1 + condition @ self.gain.T).reshape(shape) + (condition @ self.bias.T).reshape(shape)
