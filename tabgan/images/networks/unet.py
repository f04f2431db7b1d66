"""U-Net: an image to an image of the same size, with skip connections, and dropout that is steered by the noise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tabgan.images.networks.layers import Shape, initialise, leaky, n_halvings
from tabgan.networks.blocks import blank

__all__ = ["UNet"]


class UNet(nn.Module):
    """Translate an image; noise enters only as dropout in the innermost decoder layers.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the output; input and output have the same sides, both even, at least 8.
    channels_in : int
        Channels of the input.
    width : int, default=32
        Feature maps of the first layer; they double per level up to four times as many.
    n_dropout : int, default=2
        Decoder layers with dropout, from the innermost.
    generator : torch.Generator
        Source of the initial weights.

    Attributes
    ----------
    d_noise : int
        Width of the noise: one number per unit that can be dropped.

    Notes
    -----
    pix2pix draws its dropout from the framework's hidden state. Here a unit is dropped where its noise is negative (half of the
    time under a standard normal prior), so that the same noise gives the same picture, on every device. Noise None drops nothing,
    which is the mean network. Batch norm with running statistics: over one image, as the paper's batch of one amounts to, it would
    forget how bright the picture is.

    Shape
    -----
    noise: (n, d_noise) or None, image: (n, channels_in, height, width). Output: (n, channels, height, width) in [-1, 1].

    References
    ----------
    Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3.2.1 and appendix 6.1.1.
    """

    def __init__(
        self,
        shape: Shape,
        channels_in: int,
        *,
        width: int = 32,
        n_dropout: int = 2,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        channels, height, breadth = shape
        depth = n_halvings(height, breadth, smallest=2)
        widths = [min(width * 2**level, 4 * width) for level in range(depth)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.dropped: list[Shape] = []
        maps = channels_in
        for level, wider in enumerate(widths):
            layers: list[Any] = [] if level == 0 else [leaky()]
            layers.append(blank(nn.Conv2d, maps, wider, 4, 2, 1))
            if 0 < level < depth - 1:
                layers.append(nn.BatchNorm2d(wider))
            self.down.append(nn.Sequential(*layers))
            maps = wider
        for level in reversed(range(depth)):
            narrower = widths[level - 1] if level else channels
            layers = [nn.ReLU(), blank(nn.ConvTranspose2d, maps, narrower, 4, 2, 1)]
            if level:
                layers.append(nn.BatchNorm2d(narrower))
                if len(self.dropped) < n_dropout:
                    self.dropped.append((narrower, height >> level, breadth >> level))
            self.up.append(nn.Sequential(*layers))
            maps = 2 * narrower
        self.d_noise = sum(c * h * w for c, h, w in self.dropped)
        initialise(self, generator)

    def forward(self, noise: Tensor | None, image: Tensor) -> Tensor:
        """The translated image."""
        skips = []
        inner = image
        for block in self.down:
            inner = block(inner)
            skips.append(inner)
        units = (
            [] if noise is None or not self.dropped else list(noise.split([c * h * w for c, h, w in self.dropped], 1))
        )
        for position, block in enumerate(self.up):
            inner = block(inner)
            if position < len(units):
                inner = inner * (2 * (units[position] >= 0)).reshape(inner.shape)
            if position < len(self.up) - 1:
                inner = torch.cat([inner, skips[-2 - position]], 1)
        return torch.tanh(inner)
