"""Image GANs over the same trainer as the tables: ``from tabgan.images import ImageGAN, recipes``."""

from __future__ import annotations

from tabgan._lazy import lazy_names

# At once, not on first use: a lazy name would lose against the subpackage of the same name.
from tabgan.images.recipes import recipes

__all__ = ["BAGANImageOversampler", "ImageGAN", "Warp", "image_scores", "recipe_table", "recipes"]

__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "BAGANImageOversampler": ".oversampler",
        "ImageGAN": ".gan",
        "Warp": ".warping",
        "image_scores": ".image_scoring",
        "recipe_table": ".recipe_rows",
    },
)
