"""PatchGAN: one verdict per patch of the image, all of equal weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tabgan.exceptions import InvalidParameterError
from tabgan.images.networks.convolutions import tiled
from tabgan.images.networks.layers import initialise, leaky
from tabgan.networks.blocks import blank
from tabgan.verdict import Verdict

__all__ = ["PatchDiscriminator", "n_patch_layers"]


class PatchDiscriminator(nn.Module):
    """A fully convolutional discriminator whose logits see patches.

    Parameters
    ----------
    channels : int
        Of the image, condition included.
    width : int, default=32
        Feature maps of the first layer; each further layer doubles them, at most eightfold.
    n_layers : int, default=2
        Strided layers. The patch is 16 pixels wide for 1, 34 for 2, 70 for 3 (the paper's).
    instance_norm : bool, default=False
        Normalise over each image (CycleGAN) instead of over the batch (pix2pix).
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    image, condition: (n, c, height, width), at least ``3 * 2^n_layers`` pixels on a side. Output: `Verdict` with adversarial
    logits (n, 1, h', w').

    References
    ----------
    Isola et al. 2017, section 3.2.2 and appendix 6.1.2; departure: padding keeps borders.

    Examples
    --------
    >>> net = PatchDiscriminator(2, generator=torch.Generator().manual_seed(0))
    >>> net.patch
    34
    >>> net(torch.zeros(3, 1, 16, 16), torch.zeros(3, 1, 16, 16)).adversarial.shape
    torch.Size([3, 1, 2, 2])
    """

    def __init__(
        self,
        channels: int,
        *,
        width: int = 32,
        n_layers: int = 2,
        instance_norm: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        maps = channels
        for level in range(n_layers + 1):
            wider = width * min(2**level, 8)
            stride = 2 if level < n_layers else 1
            layers.append(blank(nn.Conv2d, maps, wider, 4, stride, 1))
            if level:
                layers.append(nn.InstanceNorm2d(wider) if instance_norm else nn.BatchNorm2d(wider))
            layers.append(leaky())
            maps = wider
        layers.append(blank(nn.Conv2d, maps, 1, 4, 1, 1))
        self.layers = nn.Sequential(*layers)
        self.patch = 1
        for stride in [1, 1] + [2] * n_layers:
            self.patch = (self.patch - 1) * stride + 4
        initialise(self, generator)

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Verdict:
        """One logit per patch."""
        return Verdict(self.layers(tiled(image, condition)))


def n_patch_layers(wanted: int | None, height: int, width: int) -> int:
    """Strided layers for images of a size: ``wanted`` if it fits, and for None as many as leave 4 pixels, at most 3.

    Raises
    ------
    InvalidParameterError
        The images are too small for ``wanted`` layers.
    """
    side = min(height, width)
    if wanted is None:
        return max([n for n in (1, 2, 3) if side >> n >= 4], default=1 if side >= 6 else 0)
    if side >> wanted < 3:
        raise InvalidParameterError(
            f"n_patch_layers={wanted} needs images of at least {3 * 2**wanted} pixels on a side, not {height} x {width}."
        )
    return wanted
