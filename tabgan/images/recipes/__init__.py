"""The recipes: every image GAN of the package, by name, as data for the one trainer."""

from __future__ import annotations

from tabgan.images.recipes.began import BEGAN
from tabgan.images.recipes.class_conditional import CONDITIONAL
from tabgan.images.recipes.classic import CLASSIC
from tabgan.images.recipes.cyclegan import CYCLEGAN
from tabgan.images.recipes.dcgan import DCGAN
from tabgan.images.recipes.dragan import DRAGAN
from tabgan.images.recipes.hinge import HINGE
from tabgan.images.recipes.image_bagan import BAGAN
from tabgan.images.recipes.one_network import ONE_NETWORK
from tabgan.images.recipes.r3gan import R3GAN
from tabgan.images.recipes.recipe import Recipe
from tabgan.images.recipes.stabilised import STABILISED
from tabgan.images.recipes.stackgan import STACKGAN
from tabgan.images.recipes.translation import TRANSLATION
from tabgan.images.recipes.wasserstein import WASSERSTEIN

__all__ = ["recipes"]

recipes: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in [
        *CLASSIC,
        DCGAN,
        *WASSERSTEIN,
        DRAGAN,
        BEGAN,
        *HINGE,
        R3GAN,
        *STABILISED,
        *CONDITIONAL,
        BAGAN,
        STACKGAN,
        *ONE_NETWORK,
        *TRANSLATION,
        CYCLEGAN,
    ]
}
"""Recipes by name; see `tabgan.images.recipes.recipe.Recipe`."""
