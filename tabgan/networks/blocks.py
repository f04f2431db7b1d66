"""Layers shared by all networks: piecewise-linear number encoding, residual blocks, a plain MLP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["PiecewiseLinearEncoding", "ResidualBlock", "blank", "blank_linear", "init_linear", "mlp"]


def blank(kind: Callable[..., nn.Module], *arguments: Any, **options: Any) -> Any:
    """A layer of zeros: torch's own constructors would draw weights from the global generator, and move it.

    Parameters
    ----------
    kind : type
        Of layer, such as ``nn.Linear``; it has parameters and no buffers.
    *arguments, **options
        Of its constructor.
    """
    layer = kind(*arguments, **options, device="meta")  # `skip_init`, which does that too, imports torch's compiler
    for name, shaped in list(layer.named_parameters()):
        setattr(layer, name, nn.Parameter(torch.zeros(shaped.shape)))
    return layer


def blank_linear(d_in: int, d_out: int) -> nn.Linear:
    """A linear layer of zeros for `init_linear` to fill."""
    return blank(nn.Linear, d_in, d_out)


class PiecewiseLinearEncoding(nn.Module):
    """Encode each number by how far it fills each of a set of quantile bins.

    Parameters
    ----------
    edges : Tensor of shape (n_features, n_bins + 1)
        Bin edges per feature, non-decreasing; repeated edges (heavy ties) make empty bins that always read 0.

    Shape
    -----
    Input: (n, n_features). Output: (n, n_features * n_bins).

    References
    ----------
    Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning", eq. 1. Departure: values outside
    the outer edges are clipped, so a wild outlier cannot drive the network.

    Examples
    --------
    >>> encode = PiecewiseLinearEncoding(torch.tensor([[0.0, 1.0, 3.0]]))
    >>> encode(torch.tensor([[0.5], [2.0]])).tolist()
    [[0.5, 0.0], [1.0, 0.5]]
    """

    left: Tensor
    inverse_width: Tensor

    def __init__(self, edges: Tensor) -> None:
        super().__init__()
        width = edges[:, 1:] - edges[:, :-1]
        self.register_buffer("left", edges[:, :-1].contiguous())
        self.register_buffer("inverse_width", torch.where(width > 0, 1 / width.clamp_min(1e-12), 0.0))

    @property
    def d_out(self) -> int:
        """Number of output features."""
        return self.left.numel()

    def forward(self, inputs: Tensor) -> Tensor:
        """Fill levels in [0, 1]."""
        filled = (inputs.unsqueeze(-1) - self.left) * self.inverse_width
        return filled.clamp(0, 1).flatten(-2)


class ResidualBlock(nn.Module):
    """Pre-norm residual block ``x + W2 dropout(activation(W1 norm(x)))``.

    Layer norm, not batch norm: a row's output must not depend on the rest of its batch.

    Shape
    -----
    Input and output: (..., width).
    """

    def __init__(
        self, width: int, *, dropout: float = 0.0, activation: Callable[[Tensor], Tensor] = torch.relu
    ) -> None:
        super().__init__()
        self.activation = activation
        self.norm = nn.LayerNorm(width)
        self.inner = blank_linear(width, width)
        self.outer = blank_linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """The block's output."""
        return inputs + self.outer(self.dropout(self.activation(self.inner(self.norm(inputs)))))


def mlp(widths: Sequence[int], *, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers with ``activation`` between them and none after the last; all zero until `init_linear` fills them."""
    layers: list[nn.Module] = []
    for index, (d_in, d_out) in enumerate(itertools.pairwise(widths)):
        if index:
            layers.append(activation())
        layers.append(blank_linear(d_in, d_out))
    return nn.Sequential(*layers)


@torch.no_grad()
def init_linear(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all linear weights of ``module`` from ``generator``, normal with variance ``2 / d_in``; biases become 0.

    torch's own initialisation draws from the global generator, which a fit must neither read nor move.

    Parameters
    ----------
    module : nn.Module
        Changed in place; may live on any device, the draws are made on the CPU.
    generator : torch.Generator
        CPU generator.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            d_out, d_in = layer.weight.shape
            scale = (2 / d_in) ** 0.5
            layer.weight.copy_(torch.randn(d_out, d_in, generator=generator) * scale)
            if layer.bias is not None:
                layer.bias.zero_()
