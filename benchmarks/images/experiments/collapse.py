"""The ring of 8 Gaussians: how many modes a generator finds, with and without each remedy against collapse.

Recipes work on images; a point of the plane is an image of one row, two pixels wide, divided by 1.25 to fit into [-1, 1]. All
generators have two hidden layers of 128 units without batch norm and two-dimensional noise; with 16 or 64 noise dimensions (Metz et
al. use 256 and 25,000 steps) none gathers its points on the modes within our budget.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.images.runner import done_keys, save_row
from benchmarks.images.toys import ring_of_gaussians, ring_score
from benchmarks.processes import commit
from tabgan._runtime import make_generator
from tabgan.images import ImageGAN
from tabgan.images.grids import grid_of, write_png

__all__ = ["density_picture", "run_ring"]

_SCALE = 1.25
_STD = 0.05
_LEAST_SHARE = 0.025  # a fifth of a mode's own share, so that a cloud over the whole square hits nothing
_NETS: dict[str, Any] = {"network": "mlp", "width": 128, "depth": 2, "batch_norm": False}
_SLOW_JUDGE: dict[str, Any] = {"discriminator_learning_rate": 1e-4}
_METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain, equal rates": ("non-saturating", {"n_steps": 8000}),
    "minibatch discrimination": (
        "minibatch-discrimination",
        {"n_steps": 6000, "batch_size": 64, "settings": {"n_kernels": 8, "d_kernel": 4}},
    ),
    "wgan-gp": ("wgan-gp", {"n_steps": 4000, "settings": {"penalty_weight": 0.1, "n_critic": 5, "betas": (0.5, 0.9)}}),
    "plain, slow discriminator": ("non-saturating", {"n_steps": 8000, "settings": _SLOW_JUDGE}),
    "unrolled, K = 5": ("unrolled", {"n_steps": 4000, "settings": _SLOW_JUDGE}),
    "feature matching": ("feature-matching", {"n_steps": 8000, "batch_size": 512, "settings": _SLOW_JUDGE}),
}
"""Rates: generator 1e-3 throughout; the slow discriminator's 1e-4 is that of Metz et al.'s demonstration. The penalty's weight and
betas are those of Gulrajani et al.'s toy examples."""


def run_ring(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Three seeds per method; 2,000 points each. The picture shows the last seed: the ring, then the methods in order."""
    known = done_keys(results)
    pictures.mkdir(parents=True, exist_ok=True)
    shown = [density_picture(ring_of_gaussians(2000, make_generator(0), std=_STD)[0])]
    for name, (recipe, parameters) in _METHODS.items():
        for seed in range(3):
            key = f"{name}/{seed}"
            if key in known or (only and recipe not in only):
                continue
            points, _ = ring_of_gaussians(20_000, make_generator(seed), std=_STD)
            settings = _NETS | parameters.get("settings", {})
            options = {"batch_size": 128, "d_noise": 2, "learning_rate": 1e-3} | parameters | {"settings": settings}
            started = time.process_time()
            gan = ImageGAN(recipe, random_state=seed, value_range=(-1, 1), device="cpu", **options)
            gan.fit((points / _SCALE).reshape(-1, 1, 1, 2))
            seconds = time.process_time() - started
            made = gan.sample(2000).reshape(-1, 2) * _SCALE
            score = ring_score(made, std=_STD, least_share=_LEAST_SHARE)
            row = {"key": key, **score._asdict(), "n_steps": gan.n_iter_, "cpu_seconds": seconds, "commit": commit()}
            save_row(results, row)
            print(row, flush=True)
            if seed == 2:
                shown.append(density_picture(made))
    if len(shown) == len(_METHODS) + 1:
        write_png(pictures / "ring.png", grid_of(torch.stack(shown), len(shown), zoom=2))


def density_picture(points: torch.Tensor, size: int = 48) -> torch.Tensor:
    """Where points of the plane lie, (1, size, size) in [-1, 1], brighter with the square root of their number."""
    edges = np.linspace(-_SCALE, _SCALE, size + 1)
    counts, _, _ = np.histogram2d(-points[:, 1].numpy(), points[:, 0].numpy(), bins=(edges, edges))
    root = np.sqrt(counts)
    return torch.from_numpy(2 * root / max(root.max(), 1.0) - 1)[None].float()
