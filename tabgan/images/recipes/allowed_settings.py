"""Whether a recipe can do what its settings ask for, said before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabgan._warnings import warn_caller
from tabgan.core.augmentation import AUGMENTATIONS
from tabgan.estimators.parameter_checks import BOOLEAN, Rule, integer, number, one_of, optional, pair_of
from tabgan.exceptions import InvalidParameterError, parameter_error
from tabgan.images.networks.layers import n_halvings, network_of
from tabgan.images.recipes.given_parameters import no_use
from tabgan.images.recipes.recipe import Recipe, Sizes

__all__ = ["check_settings", "check_settings_for_data"]

_MAY_BE_NONE = {"average"}
_WHOLE_OR_NONE = {"width", "n_first_steps", "n_autoencoder_steps"}
_MAY_BE_ZERO = {"pull_weight", "n_dropout", "n_unroll", "n_blocks", "n_down"}
_PARTS_OF_STEPS = {
    "n_first_steps": "the second stage",
    "n_autoencoder_steps": "the game of generator and discriminator",
}


def _between(low: float, high: float, words: str, *, low_too: bool, high_too: bool) -> Rule:
    holds, _ = number(low, high)
    return lambda v: holds(v) and (low_too or v > low) and (high_too or v < high), words


_BELOW_ONE = _between(0, 1, "a number >= 0 and < 1", low_too=True, high_too=False)
_RULES: dict[str, Rule] = {
    "average": optional(_BELOW_ONE),
    "betas": pair_of(_BELOW_ONE),
    "real_target": _between(0, 1, "a number > 0 and <= 1", low_too=False, high_too=True),
    "flip_probability": _between(
        0, 0.5, "a number >= 0 and < 0.5: from 0.5 on, labels lie", low_too=True, high_too=False
    ),
    "augment_target": optional(_between(0, 1, "a number > 0 and < 1", low_too=False, high_too=False)),
    "clip": number(0, open_low=True),
    "balance": _between(0, 1, "a number > 0 and <= 1", low_too=False, high_too=True),
}
"""What some settings may be, whatever their default says."""
_CHOICES: dict[str, tuple[str, ...]] = {
    "network": ("auto", "mlp", "dcgan", "residual"),
    "statistics": ("batch", "reference", "virtual"),
    "penalty_noise": ("uniform", "gaussian"),
}
"""Names that settings choose among, where a recipe's own default is one of them."""


def check_settings(recipe: Recipe, given: Mapping[str, Any]) -> None:
    """Check settings one by one and together, before anything is read.

    Parameters
    ----------
    recipe : Recipe
    given : mapping
        Those that the user gave.

    Raises
    ------
    InvalidParameterError
        An unknown setting, a value of another kind than the default or out of range, or settings that the recipe cannot do, alone
        or together; names it.
    """
    unknown = set(given) - set(recipe.settings)
    if unknown:
        raise InvalidParameterError(
            f"settings={sorted(map(str, unknown))!r} are not settings of recipe {recipe.name!r}, which has {sorted(recipe.settings)}."
        )
    for name, value in given.items():
        holds, words = _rule_of(name, recipe.settings[name])
        if not holds(value):
            raise parameter_error(f"settings[{name!r}]", value, words)
    _check_together(recipe, {**recipe.settings, **given}, given)


def check_settings_for_data(
    recipe: Recipe, given: Mapping[str, Any], settings: Mapping[str, Any], sizes: Sizes
) -> None:
    """Check what depends on the images and their labels, before anything is trained.

    Parameters
    ----------
    recipe : Recipe
    given : mapping
        Those that the user gave.
    settings : mapping
        All of them, with the defaults for these images.
    sizes : Sizes
        Of the images and conditions.

    Raises
    ------
    InvalidParameterError
        Classes are to be balanced, and there are none; images to be moved by more than their size; layers that networks for such
        images do not have.

    Warns
    -----
    UserWarning
        A first part of training takes up all steps, which is right only for those who go on with `ImageGAN.partial_fit`.
    """
    if given.get("balanced") and not sizes.d_condition:
        raise InvalidParameterError(
            "settings['balanced']=True balances classes, but there are no labels; give y, or leave it out."
        )
    height, width = sizes.shape[1:]
    if settings.get("shift", 0) >= min(height, width):
        raise InvalidParameterError(
            f"settings['shift']={settings['shift']} moves images of {height} x {width} pixels out of sight; lower it."
        )
    _check_layers(recipe, given, settings, sizes)
    for name, rest in _PARTS_OF_STEPS.items():
        part, n_steps = given.get(name), settings["n_steps"]
        if part is not None and part >= n_steps:
            warn_caller(
                f"settings[{name!r}]={part} leaves none of n_steps={n_steps} for {rest} of recipe {recipe.name!r}, which stays "
                "untrained until partial_fit goes on; lower it, or raise n_steps."
            )


def _check_layers(recipe: Recipe, given: Mapping[str, Any], settings: Mapping[str, Any], sizes: Sizes) -> None:
    """Refuse settings of layers that networks for images of this size lack."""
    height, width = sizes.shape[1:]
    network, smallest = settings.get("network"), (height // 2, width // 2) if recipe.halves else (height, width)
    if "depth" in given and network is not None and network_of(network, *smallest) != "mlp":
        raise InvalidParameterError(
            f"settings['depth']={given['depth']} counts the hidden layers of network='mlp'; images of {height} x {width} pixels get "
            f"{network_of(network, *smallest)!r}, whose depth follows from their size. Leave it out, or give network='mlp'."
        )
    if "n_dropout" not in given:
        return
    most = n_halvings(height, width, smallest=2) - 1
    if given["n_dropout"] > most:
        raise InvalidParameterError(
            f"settings['n_dropout']={given['n_dropout']}: the U-Net for images of {height} x {width} pixels has {most} layers that "
            "can have it; lower it."
        )


def _rule_of(name: str, default: Any) -> Rule:
    """What a setting may be: by its name where that says more than the kind of its default."""
    if name in _RULES:
        return _RULES[name]
    if name in _CHOICES and default in _CHOICES[name]:
        return one_of(*_CHOICES[name])
    if name == "augment" and isinstance(default, str):
        return _are_augmentations, f"'' or some of {', '.join(AUGMENTATIONS)}, with commas between them"
    rule = number(0)
    if isinstance(default, bool):
        rule = BOOLEAN
    elif name in _WHOLE_OR_NONE:
        rule = integer(1)
    elif isinstance(default, int):
        rule = integer(0 if default == 0 or name in _MAY_BE_ZERO else 1)
    elif isinstance(default, (str, tuple)):
        return lambda v: True, "anything"  # of a recipe of one's own, which checks it itself
    return optional(rule) if default is None or name in _MAY_BE_NONE else rule


def _are_augmentations(value: Any) -> bool:
    return isinstance(value, str) and (not value or all(kind in AUGMENTATIONS for kind in value.split(",")))


def _check_together(recipe: Recipe, settings: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse what the recipe has no use for, and settings that undo each other."""
    for name in recipe.unused:
        if name in given:
            raise InvalidParameterError(f"settings[{name!r}]: {no_use(recipe, name)}")
    if settings.get("augment_target") is not None:
        what = f"settings['augment_target']={settings['augment_target']}"
        if not recipe.scores:
            raise InvalidParameterError(
                f"{what} goes by scores of single images, which the discriminator of recipe {recipe.name!r} does not give; leave it "
                "out: settings['augment'] alone works."
            )
        if not settings["augment"]:
            raise InvalidParameterError(
                f"{what} says how often images are changed, but not how; give settings['augment'] as well, for example "
                "'colour,translation,cut-out'."
            )
    if settings.get("feature_weight") == 0 and settings.get("adversarial_weight") == 0:
        raise InvalidParameterError(
            "settings['feature_weight']=0 and settings['adversarial_weight']=0 leave the generator nothing to learn from; raise one."
        )
    if settings.get("batch_norm") is False and (
        settings.get("conditional_norm") or settings.get("network") == "residual"
    ):
        other = "conditional_norm=True" if settings.get("conditional_norm") else "network='residual'"
        raise InvalidParameterError(
            f"settings['batch_norm']=False does not go with {other}, whose generator needs it; drop one."
        )
