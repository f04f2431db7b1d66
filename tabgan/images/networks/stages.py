"""StackGAN's parts: conditioning augmentation, and a second stage that refines a small picture."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from tabgan.images.networks.layers import initialise
from tabgan.networks.blocks import blank

__all__ = ["AugmentedGenerator", "ConditioningAugmentation", "Refiner"]


class ConditioningAugmentation(nn.Module):
    """Draw a code near the condition: ``mu(c) + sigma(c) * noise``.

    Parameters
    ----------
    d_condition, d_code : int
        Width of the condition and of the code.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: (n, d_code), condition: (n, d_condition). Output: (n, d_code).

    References
    ----------
    Zhang et al. 2017, "StackGAN: Text to Photo-realistic Image Synthesis with Stacked GANs", section 3.2.
    """

    def __init__(self, d_condition: int, d_code: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.layer = blank(nn.Linear, d_condition, 2 * d_code)
        initialise(self, generator)
        with torch.no_grad():
            self.layer.bias[d_code:] = -2.0  # wider, and the noise would drown the condition before it is learnt

    def forward(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Codes."""
        mean, log_variance = self.layer(condition.to(noise)).chunk(2, 1)
        return mean + (0.5 * log_variance).exp() * noise

    def divergence(self, condition: Tensor) -> Tensor:
        """``KL(N(mu, sigma^2) || N(0, 1))``, mean over rows (Zhang et al., eq. 2)."""
        mean, log_variance = self.layer(condition).chunk(2, 1)
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


class AugmentedGenerator(nn.Module):
    """A first stage: any generator, given an augmented condition.

    Parameters
    ----------
    inner : nn.Module
        ``inner(noise, code) -> image``.
    augmentation : ConditioningAugmentation
        Its noise is the tail of the noise.
    d_code : int
        Width of that tail.
    """

    def __init__(self, inner: nn.Module, augmentation: ConditioningAugmentation, d_code: int) -> None:
        super().__init__()
        self.inner = inner
        self.augmentation = augmentation
        self.d_code = d_code

    def forward(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Images."""
        code = self.augmentation(noise[:, -self.d_code :], condition)
        return self.inner(noise[:, : -self.d_code], code)


class Refiner(nn.Module):
    """A second stage: a picture of half the size and an augmented condition to the full size.

    Parameters
    ----------
    channels : int
        Of the picture.
    d_code : int
        Width of the augmented condition.
    augmentation : ConditioningAugmentation
        The stage's own.
    width : int, default=32
        Feature maps.
    n_blocks : int, default=2
        Residual blocks.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: (n, d_code), condition: (n, d_condition), small: (n, channels, h, w). Output: (n, channels, 2 h, 2 w) in [-1, 1].

    References
    ----------
    Zhang et al. 2017, section 3.4; departure: residual blocks at full size, for small pictures.
    """

    def __init__(
        self,
        channels: int,
        d_code: int,
        augmentation: ConditioningAugmentation,
        *,
        width: int = 32,
        n_blocks: int = 2,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.augmentation = augmentation
        self.entry = blank(nn.Conv2d, channels + d_code, width, 3, 1, 1)
        blocks: list[Any] = [
            nn.Sequential(
                nn.BatchNorm2d(width),
                nn.ReLU(),
                blank(nn.Conv2d, width, width, 3, 1, 1),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                blank(nn.Conv2d, width, width, 3, 1, 1),
            )
            for _ in range(n_blocks)
        ]
        self.blocks = nn.ModuleList(blocks)
        self.last = blank(nn.Conv2d, width, channels, 3, 1, 1)
        for part in (self.entry, self.blocks, self.last):
            initialise(part, generator)

    def forward(self, noise: Tensor, condition: Tensor, small: Tensor) -> Tensor:
        """The refined picture."""
        larger = interpolate(small, scale_factor=2)
        code = self.augmentation(noise, condition)[:, :, None, None].expand(-1, -1, *larger.shape[2:])
        inner = self.entry(torch.cat([larger, code], 1))
        for block in self.blocks:
            inner = inner + block(inner)
        return torch.tanh(self.last(torch.relu(inner)))
