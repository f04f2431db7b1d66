"""BAGAN's experiment: one class of MNIST loses 97.5 % of its images, and generators are asked for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.images.data import load_images
from benchmarks.images.judge import ConvJudge, Judge
from benchmarks.images.runner import done_keys, save_row
from benchmarks.processes import commit
from tabgan.images import ImageGAN
from tabgan.images.grids import grid_of, write_png
from tabgan.metrics.generative import pair_distance_ratio

__all__ = ["run_rare", "structural_similarity"]

_RARE = 8
_NETS: dict[str, Any] = {"network": "dcgan", "width": 16}
_METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "BAGAN": (
        "bagan",
        {
            "n_steps": 2500,
            "d_noise": 64,
            "learning_rate": 2e-4,
            "settings": {**_NETS, "n_autoencoder_steps": 1000, "balanced": True, "average": 0.99},
        },
    ),
    "AC-GAN": ("acgan", {"n_steps": 1200, "settings": _NETS}),
    "GAN, rare class only": ("non-saturating", {"n_steps": 800, "settings": _NETS}),
}


def run_rare(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Class 8 keeps 2.5 % of its images; fidelity by a judge that saw all classes, diversity by pairs."""
    data = load_images("mnist", n_train=38_000, n_judge=20_000, n_real=2000)
    judge = ConvJudge(data)
    rng = np.random.default_rng(0)
    rare = np.flatnonzero(data.labels == _RARE)
    kept = rng.choice(rare, max(len(rare) // 40, 2), replace=False)
    rows = np.sort(np.concatenate([np.flatnonzero(data.labels != _RARE), kept]))
    images, labels = data.images[rows], data.labels[rows]
    real = data.real[data.real_labels == _RARE]
    known = done_keys(results)
    if "real" not in known:
        facts = {"n_rare": len(kept), "judge_accuracy": judge.accuracy, "commit": commit()}
        save_row(results, _measured("real", real, real[::-1], judge) | facts)
        save_row(results, _measured(f"the {len(kept)} kept", real, data.images[kept], judge) | {"commit": commit()})
    pictures.mkdir(parents=True, exist_ok=True)
    shown = data.images[kept][:10]
    write_png(pictures / "rare-kept.png", grid_of(torch.from_numpy(shown)[:, None] * 2 - 1, 10, zoom=2))
    for name, (recipe, parameters) in _METHODS.items():
        if name in known or (only and recipe not in only):
            continue
        started = time.process_time()
        gan = ImageGAN(recipe, random_state=0, value_range=(0, 1), device="cpu", **parameters)
        if recipe == "non-saturating":
            gan.fit(data.images[kept])
            made = gan.sample(500)
        else:
            gan.fit(images, labels)
            made = gan.sample(500, y=_RARE)
        cost = {"n_steps": gan.n_iter_, "cpu_seconds": time.process_time() - started}
        row = _measured(name, real, made, judge) | cost | {"parameters": repr(parameters), "commit": commit()}
        save_row(results, row)
        print(row, flush=True)
        write_png(pictures / f"rare-{recipe}.png", grid_of(torch.from_numpy(made[:40])[:, None] * 2 - 1, 10, zoom=2))


def _measured(name: str, real: np.ndarray, made: np.ndarray, judge: Judge) -> dict[str, Any]:
    return {
        "key": name,
        "fidelity": float((judge.predict(made) == _RARE).mean()),
        "pair_similarity": structural_similarity(made),
        "pair_similarity_of_real": structural_similarity(real),
        "pair_distance_ratio": pair_distance_ratio(judge.features(real), judge.features(made)),
    }


def structural_similarity(images: np.ndarray, n_pairs: int = 500) -> float:
    """Mean SSIM of random pairs, with a window of 7 pixels: 1 where all images are alike (Mariani et al. 2018, section 4.2)."""
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(images), (2, 2 * n_pairs))
    differ = first != second
    x, y = (
        torch.from_numpy(np.ascontiguousarray(images[i[differ][:n_pairs]]))[:, None].double() for i in (first, second)
    )

    def mean(values: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(values, 7, 1)

    mx, my = mean(x), mean(y)
    # Unbiased (co)variances, as in scikit-image.
    factor = 49 / 48
    vx, vy, cov = (factor * (mean(a * b) - mean(a) * mean(b)) for a, b in ((x, x), (y, y), (x, y)))
    c1, c2 = 0.01**2, 0.03**2
    return float((((2 * mx * my + c1) * (2 * cov + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())
