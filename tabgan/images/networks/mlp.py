"""Fully connected generator and discriminator trunk: the smallest networks that draw 8 x 8 digits well."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tabgan.images.networks.layers import Layers, Shape, initialise, joined, leaky
from tabgan.networks.blocks import blank
from tabgan.networks.normalisation import ConditionalBatchNorm

__all__ = ["MLPGenerator", "MLPTrunk"]


class MLPGenerator(nn.Module):
    """Noise (and condition) to an image through fully connected layers.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the images.
    d_noise : int
        Width of the noise.
    d_condition : int, default=0
        Width of the condition; 0 takes none.
    width, depth : int, default=256 and 2
        Of the hidden layers.
    batch_norm : bool, default=True
        Normalise hidden layers over the batch.
    conditional_norm : bool, default=False
        Let the condition in by conditional batch norm in every layer instead of beside the noise (Miyato and Koyama 2018, section 5).
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: (n, d_noise), condition: (n, d_condition). Output: (n, channels, height, width) in [-1, 1].
    """

    def __init__(
        self,
        shape: Shape,
        d_noise: int,
        d_condition: int = 0,
        *,
        width: int = 256,
        depth: int = 2,
        batch_norm: bool = True,
        conditional_norm: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.shape = shape
        layers: list[nn.Module] = []
        self.conditional_norm = conditional_norm
        d_in = d_noise if conditional_norm else d_noise + d_condition
        for _ in range(depth):
            layers.append(blank(nn.Linear, d_in, width, bias=not (batch_norm or conditional_norm)))
            if conditional_norm:
                layers.append(ConditionalBatchNorm(width, d_condition))
            elif batch_norm:
                layers.append(nn.BatchNorm1d(width))
            layers.append(nn.ReLU())
            d_in = width
        layers.append(blank(nn.Linear, d_in, math.prod(shape)))
        self.layers = Layers(*layers)
        initialise(self, generator)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Images."""
        start = noise if self.conditional_norm else joined(noise, condition)
        return torch.tanh(self.layers(start, condition)).reshape(-1, *self.shape)


class MLPTrunk(nn.Module):
    """An image (and condition) to features through fully connected layers with leaky ReLU.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the images.
    d_condition : int, default=0
        Width of a condition that is concatenated to the pixels.
    width, depth : int, default=256 and 2
        Of the layers.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    images: (n, channels, height, width). Output: (n, width); ``d_features`` says it, too.
    """

    def __init__(
        self, shape: Shape, d_condition: int = 0, *, width: int = 256, depth: int = 2, generator: torch.Generator
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        d_in = math.prod(shape) + d_condition
        for _ in range(depth):
            layers += [blank(nn.Linear, d_in, width), leaky()]
            d_in = width
        self.layers = nn.Sequential(*layers)
        self.d_features = width
        initialise(self, generator)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Features."""
        return self.layers(joined(images.flatten(1), condition))
