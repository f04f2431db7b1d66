"""`ImageGAN` to and from plain data for a model file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tabgan._runtime import make_generator
from tabgan.images.conditions import Conditions
from tabgan.images.reading import ImageFormat
from tabgan.images.recipes import recipes
from tabgan.images.recipes.recipe import Sizes

if TYPE_CHECKING:
    from tabgan.images.gan import ImageGAN

__all__ = ["from_state", "to_state"]


def to_state(gan: ImageGAN) -> dict[str, Any]:
    """Parameters, formats, weights and the training state of a fitted model."""
    sizes = gan._sizes
    return {
        "parameters": {name: _plain(value) for name, value in gan.get_params(deep=False).items()},
        "recipe": gan.recipe_.name,
        "settings": _plain(gan.settings_),
        "sizes": [sizes.shape, sizes.d_condition, sizes.n_classes, sizes.source],
        "format": gan._format.to_state(),
        "source_format": None if gan._source_format is None else gan._source_format.to_state(),
        "conditions": None if gan._conditions is None else gan._conditions.to_state(),
        "makers": {name: gan.players_[name].state_dict() for name in gan.recipe_.makers},
        "draws": gan._draws.get_state(),
        "stop_reason": gan.stop_reason_,
        "warnings": gan.warnings_,
        "training": gan._training_state,
    }


def from_state(cls: type[ImageGAN], saved: dict[str, Any]) -> ImageGAN:
    """Rebuild what `to_state` described."""
    gan = cls(**saved["parameters"])
    gan.recipe_ = recipes[saved["recipe"]]
    gan.settings_ = saved["settings"]
    gan._sizes = Sizes(*saved["sizes"])
    gan._format = ImageFormat.from_state(saved["format"])
    gan._source_format = None if saved["source_format"] is None else ImageFormat.from_state(saved["source_format"])
    gan._conditions = None if saved["conditions"] is None else Conditions.from_state(saved["conditions"])
    if gan._conditions is not None and gan._conditions.labels is not None:
        gan.classes_ = np.asarray(gan._conditions.labels)
    gan._draws = torch.Generator()
    gan._draws.set_state(saved["draws"])
    gan._training_state = saved["training"]
    players = gan.recipe_.networks(gan._sizes, SimpleNamespace(**gan.settings_), make_generator(0))
    for name, player in players.items():
        player.load_state_dict(saved["training"]["players"][name])
    for name, weights in saved["makers"].items():
        players[name].load_state_dict(weights)
    gan.players_ = {name: player.eval() for name, player in players.items()}
    gan.n_iter_, gan.stop_reason_ = saved["training"]["step_count"], saved["stop_reason"]
    gan.warnings_ = saved["warnings"]
    gan.history_ = saved["training"]["history"]["rows"]
    return gan


def _plain(value: Any) -> Any:
    """Parameters as a file can hold them: numpy scalars as Python's, paths as text, a RandomState as None."""
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__fspath__"):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return None if isinstance(value, np.random.RandomState) else value
