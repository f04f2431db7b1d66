"""CycleGAN's generator: down, residual blocks at one size, up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tabgan.exceptions import InvalidParameterError
from tabgan.images.networks.layers import initialise
from tabgan.networks.blocks import blank

__all__ = ["ResnetGenerator"]


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            blank(nn.Conv2d, width, width, 3, 1, 1, padding_mode="reflect"),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            blank(nn.Conv2d, width, width, 3, 1, 1, padding_mode="reflect"),
            nn.InstanceNorm2d(width),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.layers(inputs)


class ResnetGenerator(nn.Module):
    """An image of one domain to an image of another, without noise.

    Parameters
    ----------
    channels_in, channels : int
        Of input and output.
    height, width_of_image : int
        Sides; each must be a multiple of ``2^n_down`` and then still be at least 2.
    width : int, default=16
        Feature maps of the first layer; each halving doubles them.
    n_down : int, default=2
        Halvings; 1 suits images of 8 to 16 pixels.
    n_blocks : int, default=3
        Residual blocks (the paper: 6 for 128 pixels, 9 for 256).
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: ignored, image: (n, channels_in, h, w). Output: (n, channels, h, w) in [-1, 1].

    References
    ----------
    Johnson et al. 2016; Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
    appendix 7.2. Departure: the first and last filters have 5 pixels, not 7, for small images.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        height: int,
        width_of_image: int,
        *,
        width: int = 16,
        n_down: int = 2,
        n_blocks: int = 3,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        unit = 2**n_down
        if height % unit or width_of_image % unit or min(height, width_of_image) // unit < 2:
            raise InvalidParameterError(
                f"n_down={n_down} does not fit images of {height} x {width_of_image}: each side must be a multiple of {unit} "
                f"and at least {2 * unit}; lower n_down or pad the images."
            )
        layers: list[nn.Module] = [
            blank(nn.Conv2d, channels_in, width, 5, 1, 2, padding_mode="reflect"),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
        ]
        for _ in range(n_down):
            layers += [blank(nn.Conv2d, width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU()]
            width *= 2
        layers += [_Block(width) for _ in range(n_blocks)]
        for _ in range(n_down):
            layers += [
                blank(nn.ConvTranspose2d, width, width // 2, 4, 2, 1),
                nn.InstanceNorm2d(width // 2),
                nn.ReLU(),
            ]
            width //= 2
        layers.append(blank(nn.Conv2d, width, channels, 5, 1, 2, padding_mode="reflect"))
        self.layers = nn.Sequential(*layers)
        initialise(self, generator)

    def forward(self, noise: Tensor | None, image: Tensor) -> Tensor:
        """The image in the other domain."""
        return torch.tanh(self.layers(image))
