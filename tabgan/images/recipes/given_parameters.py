"""Settings that `ImageGAN` also has as parameters: given once, of use to the recipe, and the same when training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabgan.exceptions import InvalidParameterError
from tabgan.images.recipes.recipe import Recipe

__all__ = ["PARAMETERS", "check_unchanged", "no_use", "with_parameters"]

PARAMETERS = ("n_steps", "batch_size", "d_noise", "learning_rate")
"""Settings that are parameters of their own."""


def no_use(recipe: Recipe, name: str) -> str:
    """Why a recipe does not take a setting that most recipes have."""
    why = " (its networks say how many numbers they draw)" if name == "d_noise" and recipe.needs != "domains" else ""
    return f"recipe {recipe.name!r} has no use for it{why}; leave it out."


def with_parameters(recipe: Recipe, settings: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """All settings that the user gave, as settings or as parameters.

    Parameters
    ----------
    recipe : Recipe
    settings : mapping
        As given.
    parameters : mapping
        Those of `PARAMETERS`; None where not given.

    Raises
    ------
    InvalidParameterError
        The recipe has no use for one, or it is given twice with different values; names it.
    """
    given = dict(settings)
    for name, value in parameters.items():
        if value is not None and name in recipe.unused:
            raise InvalidParameterError(f"{name}={value!r}: {no_use(recipe, name)}")
        if value is not None and given.setdefault(name, value) != value:
            raise InvalidParameterError(f"{name}={value!r}, but settings[{name!r}]={given[name]!r}; give it once.")
    return given


def check_unchanged(asked: tuple[Recipe, Mapping[str, Any]], trained: tuple[Recipe, Mapping[str, Any]]) -> None:
    """Refuse another recipe or other settings than those that training goes on with; ``n_steps`` may change.

    Parameters
    ----------
    asked : (Recipe, mapping)
        As given now.
    trained : (Recipe, mapping)
        Those of `ImageGAN.fit`; all settings.

    Raises
    ------
    InvalidParameterError
        Names what has changed.
    """
    changed = [
        (name, value, trained[1].get(name))
        for name, value in asked[1].items()
        if name != "n_steps" and _plain(value) != _plain(trained[1].get(name))
    ]
    if asked[0].name != trained[0].name:
        changed = [("recipe", asked[0].name, trained[0].name)]
    if changed:
        name, now, was = changed[0]
        raise InvalidParameterError(
            f"{name}={now!r}, but the model was trained with {was!r}, and partial_fit goes on with that; set it back, or call fit to "
            "train anew."
        )


def _plain(value: Any) -> Any:
    """Pairs come back from files as lists."""
    return list(value) if isinstance(value, tuple) else value
