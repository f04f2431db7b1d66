"""A discriminator's answer: what networks give and losses take. Lowest layer, so that both may use it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Verdict"]


@dataclass(frozen=True)
class Verdict:
    """A discriminator's answer. Which fields are filled depends on the discriminator.

    Parameters
    ----------
    adversarial : Tensor of shape (n,), (n, n_cells), (n, 1, height, width) or None
        Logits (unbounded scores for Wasserstein critics): larger means "more real". One per row, per cell or per patch.
    classes : Tensor of shape (n, n_classes), default=None
        Class logits (AC-GAN; BAGAN with its extra class "fake").
    features : Tensor of shape (n, d_features), default=None
        An inner layer, for feature matching and projections.
    reconstruction : Tensor of the input's shape, default=None
        For discriminators that are autoencoders (BEGAN, EBGAN).
    """

    adversarial: Tensor | None
    classes: Tensor | None = None
    features: Tensor | None = None
    reconstruction: Tensor | None = None
