"""Which recipe runs on which images, and how long."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """

    data: str
    recipe: str
    labels: bool = True
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def key(self) -> str:
        """What identifies the cell in a results file."""
        return f"{self.data}/{self.recipe}/{'labels' if self.labels else 'plain'}/{self.seed}"


def _cells(data: str, budgets: dict[str, tuple[bool, dict[str, Any]]]) -> list[Cell]:
    baselines = [Cell(data, "real"), Cell(data, "gaussians")]
    return baselines + [Cell(data, name, *budget) for name, budget in budgets.items()]


_DIGITS: dict[str, tuple[bool, dict[str, Any]]] = {
    "wgan-gp": (True, {"n_steps": 2000, "settings": {"average": 0.999}}),
    "cgan": (True, {"n_steps": 4000}),
    "acgan": (True, {"n_steps": 4000}),
    "bagan": (True, {"n_steps": 3000}),
    "began": (True, {"n_steps": 2000}),
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
    "stackgan": (True, {"n_steps": 1500}),
    "unrolled": (True, {"n_steps": 500}),
}

_MNIST: dict[str, tuple[bool, dict[str, Any]]] = {
    "cgan": (True, {"n_steps": 2500, "settings": {"network": "mlp"}}),
    "acgan": (True, {"n_steps": 2500, "settings": {"network": "mlp"}}),
    "wgan-gp": (True, {"n_steps": 600, "settings": {"network": "mlp"}}),
    "dcgan": (True, {"n_steps": 300, "batch_size": 64, "settings": {"width": 16}}),
}

GRIDS: dict[str, list[Cell]] = {
    "smoke": [
        Cell("digits", "real"),
        Cell("digits", "gaussians"),
        Cell("digits", "wgan-gp", True, {"n_steps": 3}),
    ],
    "digits": _cells("digits", _DIGITS)
    + [Cell("digits", name, False) for name in ("vae", "autoencoder", "gmmn", "rbm", "pixelcnn")],
    "mnist": _cells("mnist", _MNIST),
    "fashion": _cells("fashion", {name: _MNIST[name] for name in ("cgan", "dcgan")}),
}
"""Grids of recipes; the single experiments are in `benchmarks.images.experiments`."""
