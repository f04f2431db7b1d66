"""What all image networks share: layers that draw nothing when built, their initialisation, and where a condition enters."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tabgan.exceptions import InvalidParameterError
from tabgan.networks.normalisation import ConditionalBatchNorm

__all__ = [
    "SMALL",
    "Layers",
    "Shape",
    "initialise",
    "initialise_normal",
    "joined",
    "leaky",
    "n_halvings",
    "network_of",
    "padded_size",
]

Shape = tuple[int, int, int]
"""Channels, height and width of one image."""

SMALL = 256
"""Pixels up to which images are made by fully connected networks, unless others are asked for."""


class Layers(nn.Sequential):
    """Layers in order; a `ConditionalBatchNorm` among them is given the condition."""

    def forward(self, inputs: Tensor, condition: Tensor | None = None) -> Tensor:
        """What the last layer makes of it."""
        for layer in self:
            inputs = layer(inputs, condition) if isinstance(layer, ConditionalBatchNorm) else layer(inputs)
        return inputs


def leaky() -> nn.Module:
    """The discriminators' activation in Radford et al. 2016: leaky ReLU of slope 0.2."""
    return nn.LeakyReLU(0.2)


def joined(noise: Tensor, condition: Tensor | None) -> Tensor:
    """Noise and condition side by side; just the noise without a condition."""
    return noise if condition is None else torch.cat([noise, condition.to(noise)], 1)


def padded_size(height: int, width: int, *, network: str | None, n_down: int = 0) -> tuple[int, int]:
    """To which size images are padded so that convolutional networks can halve them down to maps of 4 to 7 pixels.

    Parameters
    ----------
    height, width : int
        Of the images.
    network : str or None
        The setting of that name; None for recipes that translate.
    n_down : int, default=0
        Halvings that a translator's setting asks for.

    Returns
    -------
    height, width : int
        The size itself for fully connected networks.

    Examples
    --------
    >>> [padded_size(side, side, network="dcgan")[0] for side in (8, 25, 28, 50, 63, 64, 100)]
    [8, 28, 28, 56, 64, 64, 112]
    >>> padded_size(9, 9, network="auto")
    (9, 9)
    """
    if network is not None and network_of(network, height, width) == "mlp":
        return height, width
    smallest = min(height, width)
    count = max(int(math.log2(smallest / 4)), 1) if smallest >= 4 else 1
    unit = 2 ** max(count, n_down)
    least = 8 if network is not None else 4
    return tuple(max(-(-side // unit) * unit, least) for side in (height, width))  # type: ignore[return-value]


def network_of(network: str, height: int, width: int) -> str:
    """The kind of network that the setting ``network`` means for images of a size."""
    if network == "auto":
        return "mlp" if height * width <= SMALL else "dcgan"
    return network


def n_halvings(height: int, width: int, *, smallest: int = 4) -> int:
    """How often both sides can be halved without a rest and without falling below ``smallest``.

    Raises
    ------
    InvalidParameterError
        Not even once.

    Examples
    --------
    >>> n_halvings(28, 28), n_halvings(64, 32), n_halvings(8, 8)
    (2, 3, 1)
    """
    count = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= smallest:
        height, width, count = height // 2, width // 2, count + 1
    if count == 0:
        raise InvalidParameterError(
            f"images of {height} x {width} pixels cannot be halved for a convolutional network; use an even size of at "
            f"least {2 * smallest}, pad the images, or take settings={{'network': 'mlp'}}."
        )
    return count


@torch.no_grad()
def initialise_normal(module: nn.Module, generator: torch.Generator, *, scale: float = 0.02) -> None:
    """N(0, ``scale``) weights, N(1, ``scale``) gains, zero biases.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    generator : torch.Generator
        CPU generator.
    scale : float, default=0.02
        Standard deviation.

    References
    ----------
    Radford, Metz, Chintala 2016, section 4; the gains follow the authors' code.
    """
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            layer.weight.copy_(scale * torch.randn(layer.weight.shape, generator=generator))
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)) and layer.affine:
            layer.weight.copy_(1 + scale * torch.randn(layer.weight.shape, generator=generator))


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Weights of variance ``2 / fan_in`` (He et al. 2015, eq. 10), zero biases: for networks without batch norm.

    A transposed convolution's fan-in is what reaches one output pixel: ``in_channels * kernel^2 / stride^2``.
    """
    for layer in module.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            fan_in = (
                layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1] / (layer.stride[0] * layer.stride[1])
            )
        elif isinstance(layer, (nn.Linear, nn.Conv2d)):
            fan_in = layer.weight[0].numel()
        else:
            continue
        layer.weight.copy_((2 / fan_in) ** 0.5 * torch.randn(layer.weight.shape, generator=generator))
