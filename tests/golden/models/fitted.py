"""Small fitted estimators of every kind, and what they give; through public names only, so that older versions can run this too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tabgan.core.checkpoint import FORMAT_VERSION
from tabgan.images import ImageGAN
from tabgan.images.recipes import recipes
from tests.conftest import make_mixed
from tests.golden.outputs import plain

__all__ = ["CURRENT", "FITS", "FOLDER", "LAYOUT", "RECIPES", "fit_recipe", "given", "read", "write"]

FOLDER = Path(__file__).parent
CURRENT = FOLDER / f"version{FORMAT_VERSION}"
LAYOUT = CURRENT / "layout.json"
NO_LONGER_READ = [("version1", "gain"), ("version1", "gain_published")]

SMALL = {"width": 8, "n_blocks": 1, "random_state": 0}
DIGITS = load_digits()
IMAGES, LABELS = DIGITS.images[:40] / 16, np.where(DIGITS.target[:40] < 5, "low", "high")
COLUMNS = ["number", "price", "count", "flag", "colour", "size", "day", "wait", "same", "complete"]


def _table(n: int, seed: int = 0) -> pd.DataFrame:
    return make_mixed(n, seed).loc[:, COLUMNS]


def _classes(n: int) -> pd.Series:
    return pd.Series(np.where(np.arange(n) % 4 == 0, "rare", "common"), name="kind")


def _gain() -> GAINImputer:
    few = {"n_steps": 30, "n_members": 1, "n_references": 20, "n_trees": 1, "n_donor_trees": 1, "draw_steps": 5}
    return GAINImputer(**SMALL | few | {"width": 4}).fit(_table(50))


def _gain_large() -> GAINImputer:
    """With the stages of large tables."""
    network = {"n_steps": 0, "network_steps": 3, "network_width": 4, "n_references": 0}
    trees = {"n_boosts": 1, "n_trees": 1, "n_rounds": 2, "n_donor_trees": 0}
    table = _table(330)[["number", "price", "count", "colour"]]
    return GAINImputer(**SMALL | network | trees | {"width": 4, "n_bins": 2, "draw_steps": 0}).fit(table)


def _gain_published() -> GAINImputer:
    return GAINImputer.paper(n_steps=30, random_state=0).fit(_table(60)[["number", "price", "colour"]].to_numpy())


def _bagan() -> BAGANOversampler:
    few = {"start": "autoencoder", "autoencoder_steps": 10, "n_steps": 10, "patience": 0, "d_noise": 4, "gate": "f1"}
    return BAGANOversampler(**SMALL, **few).fit(_table(40), _classes(40))


def _cgan() -> CGANSampler:
    few = {
        "n_steps": 10,
        "patience": 0,
        "d_noise": 4,
        "condition_columns": ["colour"],
        "sampling_strategy": {"rare": 25},
    }
    return CGANSampler(**SMALL, **few).fit(_table(40), _classes(40))


def _cgan_without_network() -> CGANSampler:
    """Arrays and lists."""
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(30, 3)), 2)
    return CGANSampler(**SMALL, n_steps=0, focus=0.5).fit(X, [0] * 20 + [1] * 10)


def _image_classes() -> ImageGAN:
    few = {"n_steps": 4, "batch_size": 8, "d_noise": 4, "random_state": 0}
    return ImageGAN("acgan", settings={"width": 8, "average": 0.9, "replay": 2}, **few).fit(IMAGES, LABELS)


def _image_translation() -> ImageGAN:
    few = {"n_steps": 2, "batch_size": 4, "random_state": 0}
    return ImageGAN("cyclegan", settings={"width": 2, "n_blocks": 1}, **few).fit(IMAGES, targets=1 - IMAGES)


FITS: dict[str, Callable[[], Any]] = {
    "gain": _gain,
    "gain_large": _gain_large,
    "gain_published": _gain_published,
    "bagan": _bagan,
    "cgan": _cgan,
    "cgan_without_network": _cgan_without_network,
    "image_classes": _image_classes,
    "image_translation": _image_translation,
}
"""By the stem of its files: what fits the model."""


RECIPES = [*recipes, "non-saturating dcgan", "projection residual"]
"""Image models of which the layout alone is stored: by recipe, and by the network where that is not the recipe's first choice."""


def fit_recipe(name: str) -> ImageGAN:
    """One step of a recipe in `RECIPES`."""
    recipe = recipes[name.split()[0]]
    few = {"width": 2, "n_first_steps": 1, "n_autoencoder_steps": 1, "average": 0.5}
    settings = {key: value for key, value in few.items() if key in recipe.settings}
    if name != recipe.name:
        settings["network"] = name.split()[1]
    gan = ImageGAN(recipe.name, n_steps=2, batch_size=4, settings=settings, random_state=0)
    if recipe.needs in ("pairs", "domains"):
        return gan.fit(IMAGES, targets=1 - IMAGES)
    if not recipe.takes_labels:
        return gan.fit(IMAGES)
    return gan.fit(IMAGES, np.stack([LABELS == "low", LABELS == "high"], 1) if name == "vector-conditions" else LABELS)


def given(name: str, model: Any) -> dict[str, np.ndarray]:
    """What a model of that name gives, fitted or loaded: numbers as float64, everything else as text."""
    found: dict[str, Any] = {}
    if name in ("gain", "gain_large"):
        table = _table(16, seed=5)[list(model.feature_names_in_)]
        found = {"filled": model.transform(table), "drawn": next(iter(model.sample(table, 1)))}
        found["lower"], found["upper"] = model.predict_interval(table)
        found["scores"] = model.validation_scores_.drop(columns="kind")
    elif name == "gain_published":
        found = {"filled": model.transform(_table(16, seed=5)[["number", "price", "colour"]].to_numpy())}
    elif name == "image_translation":
        found = {"there": model.transform(IMAGES[:3]), "back": model.transform(1 - IMAGES[:3], reverse=True)}
        # The state of training has to be there too.
        found["later"] = model.partial_fit(IMAGES, targets=1 - IMAGES, n_steps=1).transform(IMAGES[:3])
    elif name == "image_classes":
        found = {"drawn": model.sample(y=["low", "high"], random_state=0), "next": model.sample(2)}
        found["later"] = model.partial_fit(IMAGES, LABELS, n_steps=2).sample(y=["low", "high"], random_state=0)
    else:
        found["drawn"], found["drawn labels"] = model.sample(12, random_state=0)
        found["next"], _ = model.sample(4)
        found["all"], found["all labels"] = model.resample()
        if name == "cgan":
            found["red"], _ = model.sample(4, y="rare", where={"colour": "red"}, random_state=0)
    arrays: dict[str, np.ndarray] = {}
    for part, values in found.items():
        if isinstance(values, pd.DataFrame):
            arrays |= {f"{part}/{column}": plain(cells) for column, cells in values.items()}
        else:
            arrays[part] = plain(np.asarray(values))
    return arrays


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Store what a model gave."""
    np.savez_compressed(path, **arrays)


def read(path: Path) -> dict[str, np.ndarray]:
    """What `write` stored."""
    with np.load(path) as file:
        return dict(file)
