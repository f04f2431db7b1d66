"""Residual generator and trunk (Gulrajani et al. 2017; Miyato et al. 2018), sized by the image."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from tabgan.images.networks.convolutions import Meeting
from tabgan.images.networks.layers import Layers, Shape, initialise, joined, n_halvings
from tabgan.networks.blocks import blank
from tabgan.networks.normalisation import ConditionalBatchNorm

__all__ = ["ResidualGenerator", "ResidualTrunk"]


def _norm(width: int, d_condition: int) -> Layers:
    return Layers(ConditionalBatchNorm(width, d_condition) if d_condition else nn.BatchNorm2d(width))


class _UpBlock(nn.Module):
    """Twice the size: norm, ReLU, upsample, convolve, norm, ReLU, convolve; plus the upsampled input."""

    def __init__(self, width: int, d_condition: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = _norm(width, d_condition), _norm(width, d_condition)
        self.first = blank(nn.Conv2d, width, width, 3, 1, 1)
        self.second = blank(nn.Conv2d, width, width, 3, 1, 1)

    def forward(self, inputs: Tensor, condition: Tensor | None) -> Tensor:
        larger = interpolate(torch.relu(self.first_norm(inputs, condition)), scale_factor=2)
        inner = self.second(torch.relu(self.second_norm(self.first(larger), condition)))
        return inner + interpolate(inputs, scale_factor=2)


class _DownBlock(nn.Module):
    """Half the size: ReLU, convolve, ReLU, convolve, average; plus the averaged, linearly mapped input. No norm."""

    def __init__(self, maps: int, width: int, *, first: bool) -> None:
        super().__init__()
        self.is_first = first
        self.first = blank(nn.Conv2d, maps, width, 3, 1, 1)
        self.second = blank(nn.Conv2d, width, width, 3, 1, 1)
        self.shortcut = blank(nn.Conv2d, maps, width, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        # ReLU before the first block would throw away the dark half of the picture.
        start = inputs if self.is_first else torch.relu(inputs)
        inner = self.second(torch.relu(self.first(start)))
        return avg_pool2d(inner, 2) + self.shortcut(avg_pool2d(inputs, 2))


class ResidualGenerator(nn.Module):
    """Noise (and condition) to an image by residual blocks that double the size.

    Parameters
    ----------
    shape : (channels, height, width)
        Both sides even, at least 8.
    d_noise : int
        Width of the noise.
    d_condition : int, default=0
        Width of a condition, concatenated to the noise.
    width : int, default=32
        Feature maps of all layers.
    conditional_norm : bool, default=False
        Let the condition in by conditional batch norm in every layer instead of beside the noise (Miyato and Koyama 2018, section 5).
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: (n, d_noise), condition: (n, d_condition). Output: (n, channels, height, width) in [-1, 1].

    References
    ----------
    Gulrajani et al. 2017, appendix F; departures: one width for all sizes, nearest-neighbour upsampling.
    """

    def __init__(
        self,
        shape: Shape,
        d_noise: int,
        d_condition: int = 0,
        *,
        width: int = 32,
        conditional_norm: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        channels, height, breadth = shape
        depth = n_halvings(height, breadth)
        self.start = (width, height >> depth, breadth >> depth)
        self.conditional_norm = conditional_norm
        self.entry = blank(nn.Linear, d_noise if conditional_norm else d_noise + d_condition, math.prod(self.start))
        d_norm = d_condition if conditional_norm else 0
        self.blocks = nn.ModuleList([_UpBlock(width, d_norm) for _ in range(depth)])
        self.last_norm = _norm(width, d_norm)
        self.last = blank(nn.Conv2d, width, channels, 3, 1, 1)
        initialise(self, generator)

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Images."""
        start = noise if self.conditional_norm else joined(noise, condition)
        inner = self.entry(start).reshape(-1, *self.start)
        for block in self.blocks:
            inner = block(inner, condition)
        return torch.tanh(self.last(torch.relu(self.last_norm(inner, condition))))


class ResidualTrunk(nn.Module):
    """An image (and condition) to features by residual blocks that halve the size, then a sum over what is left.

    Parameters
    ----------
    shape : (channels, height, width)
        As in `ResidualGenerator`.
    d_condition : int, default=0
        Width of a condition that joins the last feature maps.
    width : int, default=32
        Feature maps of all layers.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    images: (n, channels, height, width). Output: (n, width).

    References
    ----------
    Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", appendix B.4, table 4; departure: the mean
    over the last feature maps instead of their sum, so that the scale does not depend on the size.
    """

    def __init__(self, shape: Shape, d_condition: int = 0, *, width: int = 32, generator: torch.Generator) -> None:
        super().__init__()
        channels, height, breadth = shape
        blocks = [
            _DownBlock(channels if level == 0 else width, width, first=level == 0)
            for level in range(n_halvings(height, breadth))
        ]
        self.blocks = nn.Sequential(*blocks)
        self.meeting = Meeting(width, d_condition) if d_condition else None
        self.d_features = width
        initialise(self, generator)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Features."""
        features = torch.relu(self.blocks(images))
        return (features if self.meeting is None else self.meeting(features, condition)).mean((2, 3))
