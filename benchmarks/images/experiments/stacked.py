"""Stacked MNIST: three digits as the channels of one picture, 1,000 kinds of them; how many a generator finds without labels."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.images.data import load_images
from benchmarks.images.judge import ConvJudge
from benchmarks.images.runner import save_row
from benchmarks.processes import commit
from tabgan.images import ImageGAN
from tabgan.images.grids import grid_of, write_png

__all__ = ["kinds_found", "run_stacked", "stacked_digits"]

_N_IMAGES, _N_MADE = 50_000, 26_000
"""Pictures to learn from, and drawn to be counted: as many as Metz et al. 2017 and Lin et al. 2018 draw."""
_EVERY, _BUDGET = 500, 400.0
"""Steps between two countings at first, and CPU seconds of a method."""
_CONV: dict[str, Any] = {"network": "dcgan", "width": 16}
_METHODS: dict[str, dict[str, Any]] = {
    "r3gan": {},
    "dcgan": {"batch_size": 64, "settings": {"width": 16}},
    "wgan-gp": {"settings": {**_CONV, "average": 0.99}},
    "sngan": {"settings": _CONV},
    "unrolled": {"settings": _CONV},
}


def stacked_digits(images: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """``n`` pictures (n, h, w, 3) of three digits each, drawn with replacement from images (m, h, w) in [0, 1]; bytes."""
    chosen = np.random.default_rng(seed).integers(0, len(images), (n, 3))
    return np.rint(np.moveaxis(images[chosen], 1, 3) * 255).astype(np.uint8)


def kinds_found(digits: np.ndarray) -> tuple[int, float]:
    """How many of the 1,000 kinds there are, and the divergence KL(those found, all alike) in nats.

    Parameters
    ----------
    digits : ndarray of shape (n, 3)
        Digits of each picture, as a classifier reads them.
    """
    counts = np.bincount(digits @ [100, 10, 1], minlength=1000)
    share = counts[counts > 0] / counts.sum()
    return int((counts > 0).sum()), float((share * np.log(share * 1000)).sum())


def run_stacked(results: Path, pictures: Path, only: list[str] | None = None, n_steps: int | None = None) -> None:
    """Train each method until its CPU seconds are used up, and count at ever longer distances; ``n_steps`` is for a quick look."""
    pictures.mkdir(parents=True, exist_ok=True)
    n_images, n_made, n_judge = (_N_IMAGES, _N_MADE, 10_000) if n_steps is None else (500, 300, 500)
    data = load_images("mnist", n_train=38_000, n_judge=n_judge, n_real=2000)
    judge = ConvJudge(data)
    known = _methods_done(results)

    def counted(made: np.ndarray) -> dict[str, Any]:
        channels = np.moveaxis(made, 3, 1).reshape(-1, *made.shape[1:3]) / np.float32(255)
        digits = np.concatenate([judge.predict(part) for part in np.array_split(channels, 20)])
        n_kinds, divergence = kinds_found(digits.reshape(-1, 3))
        return {"modes": n_kinds, "kl": divergence}

    @cache
    def stacks() -> np.ndarray:
        return stacked_digits(data.images, n_images)

    if "real" not in known:
        fresh = stacked_digits(data.real, n_made, seed=1)
        facts = {"judge_accuracy": judge.accuracy, "commit": commit()}
        save_row(results, {"key": "real", **counted(fresh), **facts})
    for name, parameters in _METHODS.items():
        if name in known or (only is not None and name not in only):
            continue
        gan, seconds, chunk = ImageGAN(name, random_state=0, device="cpu", **parameters), 0.0, n_steps or _EVERY
        while seconds < _BUDGET:
            started = time.process_time()
            gan.set_params(n_steps=chunk)
            gan.partial_fit(stacks(), False, n_steps=chunk if hasattr(gan, "players_") else None)
            seconds += time.process_time() - started
            made = gan.sample(n_made, random_state=0)
            cost = {"n_steps": gan.n_iter_, "cpu_seconds": seconds, "warnings": gan.warnings_}
            row = {"key": f"{name}/{gan.n_iter_}", **counted(made), **cost, "commit": commit()}
            save_row(results, row)
            print(row, flush=True)
            shown = torch.from_numpy(made[:40]).permute(0, 3, 1, 2) / 127.5 - 1
            write_png(pictures / f"stacked-{name}.png", grid_of(shown, 10, zoom=2))
            if n_steps is not None:
                break
            chunk = max(_EVERY, gan.n_iter_ // 2)


def _methods_done(results: Path) -> set[str]:
    """Methods of the lines that are there, finished or not: a curve is not gone on with."""
    lines = results.read_text().splitlines() if results.is_file() else []
    return {json.loads(line)["key"].split("/")[0] for line in lines}
