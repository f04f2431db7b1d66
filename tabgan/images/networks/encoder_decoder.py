"""Autoencoders: BEGAN's discriminator, and the encoder that BAGAN starts from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tabgan.images.networks.layers import initialise
from tabgan.networks.blocks import blank
from tabgan.verdict import Verdict

__all__ = ["AutoencoderDiscriminator", "Encoder"]


class AutoencoderDiscriminator(nn.Module):
    """A discriminator that answers with a reconstruction of what it saw.

    Parameters
    ----------
    trunk : nn.Module
        Image to features, with ``d_features``.
    decoder : nn.Module
        ``decoder(code, condition or None) -> image``.
    d_code : int
        Width of the code between them.
    generator : torch.Generator
        Source of the code layer's weights.

    Shape
    -----
    images: (n, channels, height, width). Output: `Verdict` with ``reconstruction`` of that shape and the code as features.

    References
    ----------
    Berthelot et al. 2017, "BEGAN: Boundary Equilibrium Generative Adversarial Networks", section 3.5.
    """

    def __init__(self, trunk: Any, decoder: nn.Module, d_code: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.trunk = trunk
        self.code = blank(nn.Linear, trunk.d_features, d_code)
        self.decoder = decoder
        initialise(self.code, generator)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Verdict:
        """The reconstruction."""
        code = self.code(self.trunk(images, condition))
        return Verdict(None, features=code, reconstruction=self.decoder(code, condition))


class Encoder(nn.Module):
    """Images to codes.

    Parameters
    ----------
    trunk : nn.Module
        Image to features, with ``d_features``.
    d_code : int
        Width of the code.
    generator : torch.Generator
        Source of the code layer's weights.

    Shape
    -----
    images: (n, channels, height, width). Output: (n, d_code).
    """

    def __init__(self, trunk: Any, d_code: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.trunk = trunk
        self.code = blank(nn.Linear, trunk.d_features, d_code)
        initialise(self.code, generator)
        with torch.no_grad():
            self.code.weight.mul_(0.5**0.5)  # no activation follows

    def forward(self, images: Tensor) -> Tensor:
        """Codes."""
        return self.code(self.trunk(images, None))
