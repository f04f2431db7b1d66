"""The ring of 8 Gaussians: how many modes a generator finds, with and without each remedy against collapse.

Recipes work on images; a point of the plane is an image of one row, two pixels wide, divided by 1.25 to fit into [-1, 1].
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.images.runner import done_keys, save_row
from benchmarks.processes import commit
from tabgan._runtime import make_generator
from tabgan.core.toys import ring_of_gaussians, ring_score
from tabgan.images import ImageGAN

__all__ = ["run_ring"]

_SCALE = 1.25
_NETS: dict[str, Any] = {"network": "mlp", "width": 128, "depth": 2}
_METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("non-saturating", {"n_steps": 3000, "learning_rate": 1e-3}),
    "feature matching": ("feature-matching", {"n_steps": 3000, "learning_rate": 1e-3}),
    "minibatch discrimination": (
        "minibatch-discrimination",
        {"n_steps": 1500, "learning_rate": 1e-3, "settings": {"n_kernels": 8}},
    ),
    "unrolled, K = 5": ("unrolled", {"n_steps": 1000}),
    "wgan-gp": ("wgan-gp", {"n_steps": 1200, "learning_rate": 1e-3}),
}


def run_ring(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Three seeds per method; 2,000 points each."""
    known = done_keys(results)
    for name, (recipe, parameters) in _METHODS.items():
        for seed in range(3):
            key = f"{name}/{seed}"
            if key in known or (only and recipe not in only):
                continue
            points, _ = ring_of_gaussians(20_000, make_generator(seed), std=0.02)
            images = (points / _SCALE).reshape(-1, 1, 1, 2)
            started = time.process_time()
            gan = ImageGAN(
                recipe,
                batch_size=128,
                d_noise=64,
                random_state=seed,
                value_range=(-1, 1),
                device="cpu",
                **(parameters | {"settings": _NETS | parameters.get("settings", {})}),
            )
            gan.fit(images)
            seconds = time.process_time() - started
            score = ring_score(gan.sample(2000).reshape(-1, 2) * _SCALE, std=0.02)
            row = {"key": key, **score._asdict(), "n_steps": gan.n_iter_, "cpu_seconds": seconds, "commit": commit()}
            save_row(results, row)
            print(row, flush=True)
