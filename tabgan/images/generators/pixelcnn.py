"""PixelCNN: an exact likelihood of discrete images, one pixel given those before it, by masked convolutions."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from tabgan.core.tasks import GenerationBatch, normal_prior
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.one_player import OnePlayer, checked_data, one_player
from tabgan.images.networks.layers import initialise
from tabgan.networks.blocks import blank

__all__ = ["MaskedConv2d", "PixelCNN", "pixelcnn"]


class MaskedConv2d(nn.Module):
    """A convolution that sees only pixels before its own in reading order, or also its own; padding keeps the size.

    Parameters
    ----------
    d_in, d_out : int
        Channels.
    kernel : int
        Odd side of the kernel.
    see_centre : bool
        False for the first layer (mask A of the paper), True for those after it (mask B).

    Shape
    -----
    Input: (n, d_in, height, width). Output: (n, d_out, height, width).
    """

    mask: Tensor

    def __init__(self, d_in: int, d_out: int, kernel: int, *, see_centre: bool) -> None:
        super().__init__()
        self.convolution = blank(nn.Conv2d, d_in, d_out, kernel, padding=kernel // 2)
        mask = torch.zeros(kernel, kernel)
        mask[: kernel // 2] = 1
        mask[kernel // 2, : kernel // 2 + see_centre] = 1
        # Not saved: it follows from the arguments.
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The masked convolution."""
        layer = self.convolution
        return conv2d(x, layer.weight * self.mask, layer.bias, padding=layer.padding)


class PixelCNN(nn.Module):
    """``p(x) = prod_i p(x_i | x_1 ... x_(i-1))`` over the pixels of a grey image with a few levels.

    Parameters
    ----------
    height, width : int
        Image size.
    levels : int, default=2
        Pixel values are ``0, 1/(levels-1), ..., 1``.
    channels : int, default=32
        Feature maps.
    n_blocks : int, default=3
        Residual blocks of a 3 x 3 and a 1 x 1 masked convolution after the first 5 x 5 one.
    generator : torch.Generator
        Source of the initial weights.

    Notes
    -----
    Training takes one pass for all pixels; a sample takes one pass per pixel. One stack of masks leaves a blind spot to the upper
    right (van den Oord et al. 2016b, figure 1): less context for the likelihood, which stays exact.

    References
    ----------
    van den Oord, Kalchbrenner, Kavukcuoglu 2016, "Pixel Recurrent Neural Networks", sections 3.4-3.5 (masks A and B, softmax output).
    Departures: a first kernel of 5 instead of 7, two convolutions per block instead of three, one colour channel.
    """

    def __init__(
        self,
        height: int,
        width: int,
        levels: int = 2,
        *,
        channels: int = 32,
        n_blocks: int = 3,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if levels < 2:
            raise InvalidParameterError(f"levels={levels!r} must be at least 2.")
        self.height, self.width, self.levels = height, width, levels
        self.first = MaskedConv2d(1, channels, 5, see_centre=False)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                MaskedConv2d(channels, channels, 3, see_centre=True),
                nn.ReLU(),
                MaskedConv2d(channels, channels, 1, see_centre=True),
            )
            for _ in range(n_blocks)
        )
        output = MaskedConv2d(channels, levels, 1, see_centre=True)
        self.last = nn.Sequential(nn.ReLU(), output)
        initialise(self, generator)
        with torch.no_grad():
            output.convolution.weight.mul_(0.1)  # near-uniform pixels to begin with

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (n, levels, height, width) for images of shape (n, 1, height, width) in [0, 1]."""
        x = self.first(2 * images - 1)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)

    def log_prob(self, images: Tensor) -> Tensor:
        """Exact log-likelihood in nats, shape (n,)."""
        level = (images * (self.levels - 1)).round().long()
        return torch.log_softmax(self(images), 1).gather(1, level).sum((1, 2, 3))

    def bits_per_dim(self, images: Tensor) -> float:
        """Mean negative log-likelihood in bits per pixel; log2(levels) for uniform pixels."""
        with torch.no_grad():
            return float(-self.log_prob(images).mean() / (math.log(2) * self.height * self.width))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` images of shape (n, 1, height, width), pixel by pixel."""
        n_pixels = self.height * self.width
        uniforms = [torch.rand(n, 1, generator=generator, dtype=torch.float64) for _ in range(n_pixels)]
        return self.drawn(torch.cat(uniforms, 1))

    @torch.no_grad()
    def drawn(self, uniforms: Tensor) -> Tensor:
        """Images whose pixels, in reading order, are the quantiles ``uniforms`` of shape (n, height * width) of what may come next."""
        weight = self.first.convolution.weight
        images = torch.zeros(len(uniforms), 1, self.height, self.width, device=weight.device, dtype=weight.dtype)
        uniforms = uniforms.double()
        for row in range(self.height):
            for column in range(self.width):
                # Rows below do not matter, so they are left out: half the work.
                logits = self(images[:, :, : row + 1])[:, :, row, column]
                cumulative = logits.double().softmax(1).cumsum(1)
                place = row * self.width + column
                u = uniforms[:, place : place + 1].to(cumulative.device)
                level = (u >= cumulative).sum(1).clamp_max(self.levels - 1)
                images[:, 0, row, column] = level.to(images) / (self.levels - 1)
        return images


def pixelcnn(
    data: Tensor,
    *,
    generator: torch.Generator,
    levels: int = 2,
    channels: int = 32,
    n_blocks: int = 3,
    batch_size: int = 64,
    **training: Any,
) -> OnePlayer:
    """A `PixelCNN` of grey images (n, 1, height, width) whose values are multiples of ``1 / (levels - 1)`` in [0, 1].

    ``training`` goes to `one_player`. The history holds nats per image under ``"negative_log_likelihood"``.
    """
    checked_data(data, low=0.0, high=1.0)
    if data.dim() != 4 or data.shape[1] != 1:
        raise InvalidInputError(f"data has shape {tuple(data.shape)}; pass grey images of shape (n, 1, height, width).")
    steps = data * (levels - 1)
    if (steps - steps.round()).abs().max() > 1e-3:
        raise InvalidInputError(
            f"data is not rounded to levels={levels}; pass (x * {levels - 1}).round() / {levels - 1}."
        )
    height, width = data.shape[2:]
    model = PixelCNN(height, width, levels, channels=channels, n_blocks=n_blocks, generator=generator).to(data)

    def loss(model: PixelCNN, batch: GenerationBatch) -> Tensor:
        return -model.log_prob(batch.real).mean()

    return one_player(
        model, data, loss, prior=normal_prior(0), batch_size=batch_size, name="negative_log_likelihood", **training
    )
