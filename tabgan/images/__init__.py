"""Image GANs over the same trainer as the tables: ``from tabgan.images import ImageGAN, recipes``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# At once, not on first use: a lazy name would lose against the subpackage of the same name.
from tabgan.images.recipes import recipes

if TYPE_CHECKING:
    from tabgan.images.gan import ImageGAN

__all__ = ["ImageGAN", "recipes"]


def __getattr__(name: str) -> Any:
    if name == "ImageGAN":
        from tabgan.images.gan import ImageGAN

        return ImageGAN
    raise AttributeError(f"module 'tabgan.images' has no attribute {name!r}")
