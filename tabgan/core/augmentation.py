"""Augmentation that the generator does not learn to copy: the discriminator sees real and generated images changed alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from tabgan.core.cases import BatchT
from tabgan.core.stabilisers import Lens, WrappedBatch
from tabgan.core.tasks import GeneratingTask
from tabgan.exceptions import InvalidParameterError

__all__ = ["RandomShifts", "shifted"]


class RandomShifts(Lens[BatchT]):
    """Show the discriminator every image moved by a few pixels, so that it cannot learn a small class by heart.

    Parameters
    ----------
    task : GeneratingTask
        The task inside, of images.
    n_pixels : int, default=2
        Each image is moved by up to so many pixels down or up and across, every whole distance alike.

    Notes
    -----
    Real images alone must not be changed, or the generator would learn the change; both are, in both phases, and gradients pass
    through.

    References
    ----------
    Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", eq. 4-6, its translation. Departure: pixels
    from beyond the border repeat the border instead of being 0, which is grey here.
    """

    def __init__(self, task: GeneratingTask[BatchT], n_pixels: int = 2) -> None:
        super().__init__(task)
        if n_pixels < 0:
            raise InvalidParameterError(f"n_pixels={n_pixels} must not be negative.")
        self.n_pixels = n_pixels

    def seen(self, rows: Tensor, batch: WrappedBatch[BatchT], draw: torch.Generator) -> Tensor:
        """Each image moved."""
        down, across = torch.randint(2 * self.n_pixels + 1, (2, len(rows)), generator=draw) - self.n_pixels
        return shifted(rows, down, across)


def shifted(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Each image moved by its own whole number of pixels; its border is repeated where nothing is known.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Gradients pass through.
    down, across : LongTensor of shape (n,)
        Pixels; negative values move up and to the left.
    """
    n, channels, height, width = images.shape
    reach = int(torch.cat([down, across]).abs().max()) if n else 0
    if not reach:
        return images
    larger = pad(images, (reach, reach, reach, reach), mode="replicate")
    rows = (reach - down.to(images.device))[:, None] + torch.arange(height, device=images.device)
    columns = (reach - across.to(images.device))[:, None] + torch.arange(width, device=images.device)
    larger = larger.gather(2, rows[:, None, :, None].expand(n, channels, height, larger.shape[3]))
    return larger.gather(3, columns[:, None, None, :].expand(n, channels, height, width))
