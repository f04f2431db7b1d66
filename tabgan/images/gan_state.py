"""`ImageGAN` to and from plain data for a model file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tabgan._runtime import make_generator
from tabgan.core.checkpoint import Stored, built_from, plain_value
from tabgan.core.trust import load_weights
from tabgan.estimators.saving import Savable
from tabgan.exceptions import ModelFileError
from tabgan.images.conditions import Conditions
from tabgan.images.image_format import ImageFormat
from tabgan.images.recipes import recipes
from tabgan.images.recipes.recipe import Recipe, Sizes

__all__ = ["SavableImageGAN"]


class SavableImageGAN(Savable):
    """The part of `ImageGAN` that becomes a file and comes from one."""

    if TYPE_CHECKING:
        recipe_: Recipe
        settings_: dict[str, Any]
        players_: dict[str, Any]
        stop_reason_: str | None
        n_steps_left_: int
        warnings_: list[str]
        _sizes: Sizes
        _format: ImageFormat
        _source_format: ImageFormat | None
        _conditions: Conditions | None
        _draws: torch.Generator
        _training_state: dict[str, Any] | None
        get_params: Callable[..., dict[str, Any]]

    def __getstate__(self) -> dict[str, Any]:
        """With the recipe by name, as its functions are code, and the generator's state, which every torch can pickle."""
        inherited: Any = super()
        state: dict[str, Any] = dict(inherited.__getstate__())
        if "recipe_" in state:
            state["recipe_"] = state["recipe_"].name
        if "_draws" in state:
            state["_draws"] = state["_draws"].get_state()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave."""
        state = dict(state)
        if "recipe_" in state:
            state["recipe_"] = _recipe_of(state["recipe_"])
        if "_draws" in state:
            generator = make_generator(0)
            generator.set_state(state["_draws"])
            state["_draws"] = generator
        super().__setstate__(state)  # type: ignore[misc]

    def _to_state(self) -> dict[str, Any]:
        return {
            "parameters": plain_value(self.get_params(deep=False)),
            "recipe": self.recipe_.name,
            "settings": plain_value(self.settings_),
            "sizes": asdict(self._sizes),
            "format": self._format.to_state(),
            "source_format": None if self._source_format is None else self._source_format.to_state(),
            "conditions": None if self._conditions is None else self._conditions.to_state(),
            "makers": {name: self.players_[name].state_dict() for name in self.recipe_.makers},
            "draws": self._draws.get_state(),
            "stop_reason": self.stop_reason_,
            "n_steps_left": self.n_steps_left_,
            "warnings": self.warnings_,
            "training": self._training_state,
        }

    @classmethod
    def _from_state(cls, state: Stored) -> Any:
        gan: Any = built_from(cls, state.pop("parameters"))
        name = state.pop("recipe")
        gan.recipe_ = _recipe_of(name)
        settings = state.pop("settings")
        settings.refuse(set(settings) - set(gan.recipe_.settings))
        gan.settings_ = dict(gan.recipe_.settings) | settings
        gan._sizes = built_from(Sizes, state.pop("sizes"))
        form, source_form, conditions = state.pop("format"), state.pop("source_format"), state.pop("conditions")
        gan._format = ImageFormat.from_state(form)
        gan._source_format = None if source_form is None else ImageFormat.from_state(source_form)
        gan._conditions = None if conditions is None else Conditions.from_state(conditions)
        if gan._conditions is not None and gan._conditions.labels is not None:
            gan.classes_ = np.asarray(gan._conditions.labels)
        gan._draws = torch.Generator()
        gan._draws.set_state(state.pop("draws"))
        training = gan._training_state = state.pop("training")
        players = gan.recipe_.networks(gan._sizes, SimpleNamespace(**gan.settings_), make_generator(0))
        for name, player in players.items():
            load_weights(player, training["players"][name])
        for name, weights in state.pop("makers").items():
            load_weights(players[name], weights)
        gan.players_ = {name: player.eval() for name, player in players.items()}
        gan.n_iter_, gan.stop_reason_ = training["step_count"], state.pop("stop_reason")
        gan.n_steps_left_ = state.pop("n_steps_left", 0)
        gan.warnings_ = state.pop("warnings")
        gan.history_ = training["history"]["rows"]
        return gan


def _recipe_of(name: str) -> Recipe:
    if name not in recipes:
        raise ModelFileError(
            f"its recipe {name!r} is unknown to this tabgan; upgrade tabgan-learn, or enter your own in tabgan.images.recipes first."
        )
    return recipes[name]
