"""Which recipe runs on which images, and how long."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tabgan.images import recipes

__all__ = ["GRIDS", "Cell"]


@dataclass(frozen=True)
class Cell:
    """One training run.

    Parameters
    ----------
    data : {"digits", "mnist", "fashion"}
    recipe : str
        A recipe's name, or a baseline: ``"real"`` (the training images as if they were samples), ``"gaussians"`` (class-wise
        mixture).
    labels : bool
        Train under labels.
    parameters : dict
        Of `ImageGAN`.
    seed : int
    variant : str
        Tells cells of one recipe apart.
    """

    data: str
    recipe: str
    labels: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    variant: str = ""

    @property
    def key(self) -> str:
        """What identifies the cell in a results file."""
        end = f"/{self.variant}" if self.variant else ""
        return f"{self.data}/{self.recipe}/{'labels' if self.labels else 'plain'}/{self.seed}{end}"

    def shortened(self, n_steps: int | None) -> Cell:
        """The cell with another number of steps; None leaves it alone, and so do baselines."""
        if n_steps is None or self.recipe not in recipes:
            return self
        return replace(self, parameters=self.parameters | {"n_steps": n_steps})


def _cells(data: str, budgets: dict[str, tuple[bool, dict[str, Any]]]) -> list[Cell]:
    baselines = [Cell(data, "real"), Cell(data, "gaussians")]
    return baselines + [Cell(data, name, *budget) for name, budget in budgets.items()]


_NAMES = (
    "wgan-gp cgan acgan bagan began dragan sngan projection matching-aware minimax lsgan dcgan wgan feature-matching "
    "minibatch-discrimination stackgan unrolled r3gan"
).split()
_DIGITS: dict[str, tuple[bool, dict[str, Any]]] = {
    **{name: (True, {}) for name in _NAMES},
    "non-saturating": (False, {}),
}
"""Recipes at their defaults, which are the settings that earlier rows were made with."""

_WITHOUT_ADVERSARY = ("vae", "autoencoder", "gmmn", "rbm", "pixelcnn")
"""The last draws 1,000 images of 28 x 28 for ten minutes, and is left out there."""

_BEGAN: dict[str, dict[str, Any]] = {
    "as published": {"balance": 0.5, "balance_rate": 0.001, "d_code": 32, "batch_norm": False, "pull_weight": 0.0},
    "faster control": {"balance": 0.5, "d_code": 32, "batch_norm": False, "pull_weight": 0.0},
    "narrow code": {"balance": 0.5, "batch_norm": False, "pull_weight": 0.0},
    "balance 1": {"batch_norm": False, "pull_weight": 0.0},
    "batch norm": {"pull_weight": 0.0},
    "pulling away": {},
    "pulling away more": {"pull_weight": 0.1},
}
"""From the paper's BEGAN to the recipe's defaults, one change at a time, and one beyond."""

_CONV: dict[str, Any] = {"network": "dcgan", "width": 16}
_SMALL: dict[str, tuple[bool, dict[str, Any]]] = {
    **_DIGITS,
    # Its defaults are those of the experiment with a rare class, four times as long.
    "bagan": (True, {"n_steps": 4000, "settings": {**_CONV, "n_autoencoder_steps": 1000}}),
}
"""28 x 28 pixels, two minutes or so each, at their defaults for larger images."""

_FULL: dict[str, tuple[bool, dict[str, Any]]] = {
    "dcgan": (True, {"n_steps": 20_000, "batch_size": 128, "settings": {"width": 64}}),
    "cgan": (True, {"n_steps": 20_000, "batch_size": 128, "settings": {"network": "dcgan", "width": 64}}),
    "acgan": (True, {"n_steps": 20_000, "batch_size": 128, "settings": {"network": "dcgan", "width": 64}}),
    "wgan-gp": (
        True,
        {"n_steps": 20_000, "batch_size": 128, "settings": {"network": "residual", "width": 64, "average": 0.999}},
    ),
    "projection": (
        True,
        {"n_steps": 20_000, "batch_size": 128, "settings": {"network": "residual", "width": 128, "average": 0.999}},
    ),
    "sngan": (
        True,
        {"n_steps": 20_000, "batch_size": 128, "settings": {"network": "residual", "width": 128, "average": 0.999}},
    ),
    "bagan": (
        True,
        {"n_steps": 20_000, "batch_size": 128, "d_noise": 100, "settings": {"network": "dcgan", "width": 64}},
    ),
    "stackgan": (True, {"n_steps": 20_000, "batch_size": 128, "settings": {"network": "dcgan", "width": 64}}),
}

GRIDS: dict[str, list[Cell]] = {
    "smoke": [
        Cell("digits", "real"),
        Cell("digits", "gaussians"),
        Cell("digits", "wgan-gp", True, {"n_steps": 3}),
    ],
    "digits": _cells("digits", _DIGITS)
    + [
        Cell(
            "digits",
            "projection",
            True,
            {"n_steps": 1000, "settings": {"conditional_norm": True}},
            variant="conditional batch norm",
        )
    ]
    + [Cell("digits", name, False) for name in _WITHOUT_ADVERSARY],
    "began": [
        Cell("digits", "began", True, {"n_steps": 1500, "settings": settings}, variant=name)
        for name, settings in _BEGAN.items()
    ],
    "mnist": [
        *_cells("mnist", _SMALL),
        *[Cell("mnist", name, False) for name in _WITHOUT_ADVERSARY if name != "pixelcnn"],
        Cell(
            "mnist",
            "acgan",
            True,
            {
                "n_steps": 4000,
                "learning_rate": 2e-4,
                "settings": {"average": None, "class_weight": 1.0, "classify_fakes": True},
            },
            variant="as published",
        ),
    ],
    "fashion": _cells("fashion", _SMALL),
    "mnist-full": _cells("mnist", _FULL),
    "fashion-full": _cells("fashion", _FULL),
}
"""Grids of recipes; those named ``full`` are for a GPU (``--device cuda``). Single experiments: `benchmarks.images.experiments`."""
