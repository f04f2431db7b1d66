"""Which recipe runs on which images, and how long."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["GRIDS", "Cell"]


@dataclass(frozen=True)
class Cell:
    """One training run.

    Parameters
    ----------
    data : {"digits", "mnist", "fashion"}
    recipe : str
        A recipe's name, or a baseline: ``"real"`` (the training images as if they were samples), ``"gaussians"`` (class-wise
        mixture), or one of `benchmarks.images.others`.
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
        if n_steps is None or "n_steps" not in self.parameters:
            return self
        return replace(self, parameters=self.parameters | {"n_steps": n_steps})


def _cells(data: str, budgets: dict[str, tuple[bool, dict[str, Any]]]) -> list[Cell]:
    baselines = [Cell(data, "real"), Cell(data, "gaussians")]
    return baselines + [Cell(data, name, *budget) for name, budget in budgets.items()]


_DIGITS: dict[str, tuple[bool, dict[str, Any]]] = {
    "wgan-gp": (True, {"n_steps": 2000, "settings": {"average": 0.999}}),
    "cgan": (True, {"n_steps": 4000}),
    "acgan": (True, {"n_steps": 4000}),
    "bagan": (True, {"n_steps": 3000, "settings": {"n_autoencoder_steps": 1000}}),
    "began": (True, {"n_steps": 3000}),
    "dragan": (True, {"n_steps": 2000}),
    "sngan": (True, {"n_steps": 1000}),
    "projection": (True, {"n_steps": 1000}),
    "matching-aware": (True, {"n_steps": 2500}),
    "minimax": (True, {"n_steps": 3000}),
    "non-saturating": (False, {"n_steps": 3000}),
    "lsgan": (True, {"n_steps": 3000}),
    "dcgan": (True, {"n_steps": 1200, "batch_size": 64}),
    "wgan": (True, {"n_steps": 1500, "learning_rate": 5e-4}),
    "feature-matching": (True, {"n_steps": 2500}),
    "minibatch-discrimination": (True, {"n_steps": 2000, "settings": {"n_kernels": 16}}),
    "stackgan": (True, {"n_steps": 3500, "learning_rate": 5e-4, "settings": {"n_first_steps": 2000}}),
    "unrolled": (True, {"n_steps": 1500}),
}

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
    "projection": (True, {"n_steps": 2000, "settings": _CONV}),
    "sngan": (True, {"n_steps": 2000, "settings": _CONV}),
    "cgan": (True, {"n_steps": 4000, "settings": _CONV}),
    "acgan": (True, {"n_steps": 4000, "settings": {**_CONV, "shift": 2}}),
    "bagan": (True, {"n_steps": 4000, "settings": {**_CONV, "n_autoencoder_steps": 1000}}),
    "wgan-gp": (True, {"n_steps": 1000, "settings": {**_CONV, "average": 0.99}}),
    "dragan": (True, {"n_steps": 2500, "settings": _CONV}),
    "dcgan": (True, {"n_steps": 3000, "batch_size": 64, "settings": {"width": 16}}),
    "matching-aware": (True, {"n_steps": 3000, "settings": _CONV}),
    "lsgan": (True, {"n_steps": 4000, "settings": _CONV}),
    "minimax": (True, {"n_steps": 4000, "settings": _CONV}),
    "non-saturating": (False, {"n_steps": 4000, "settings": _CONV}),
    "feature-matching": (True, {"n_steps": 3000, "settings": _CONV}),
    "minibatch-discrimination": (True, {"n_steps": 3000, "settings": {**_CONV, "n_kernels": 16}}),
    "began": (True, {"n_steps": 2500, "settings": _CONV}),
    "wgan": (True, {"n_steps": 1200, "learning_rate": 5e-4, "settings": _CONV}),
    "stackgan": (True, {"n_steps": 800, "learning_rate": 5e-4, "settings": {**_CONV, "n_first_steps": 400}}),
    "unrolled": (True, {"n_steps": 500, "settings": _CONV}),
}
"""28 x 28 pixels, two minutes or so each. AC-GAN's shifts are to keep its discriminator from learning 5,000 images by heart."""

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
    + [Cell("digits", name, False) for name in ("vae", "autoencoder", "gmmn", "rbm", "pixelcnn")],
    "began": [
        Cell("digits", "began", True, {"n_steps": 1500, "settings": settings}, variant=name)
        for name, settings in _BEGAN.items()
    ],
    "mnist": [
        *_cells("mnist", _SMALL),
        Cell("mnist", "acgan", True, {"n_steps": 4000, "settings": _CONV}, variant="without shifts"),
    ],
    "fashion": _cells("fashion", _SMALL),
    "mnist-full": _cells("mnist", _FULL),
    "fashion-full": _cells("fashion", _FULL),
}
"""Grids of recipes; those named ``full`` are for a GPU (``--device cuda``). Single experiments: `benchmarks.images.experiments`."""
