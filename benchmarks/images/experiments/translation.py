"""Image to image: heat fields, hidden pairs, overlapping digits, low to high resolution."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.images.data import load_images
from benchmarks.images.heat import heat_fields
from benchmarks.images.runner import done_keys, save_row
from benchmarks.processes import commit
from tabgan._runtime import make_generator
from tabgan.images import ImageGAN
from tabgan.images.grids import grid_of, write_png

__all__ = ["high_frequency_energy", "run_cycle", "run_deblending", "run_heat", "run_resolution"]

_METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "L1": ("supervised-l1", {}),
    "L2": ("supervised-l2", {}),
    "GAN": ("pix2pix", {"l1_weight": 0.0}),
    "GAN + L1": ("pix2pix", {"l1_weight": 100.0}),
}


def high_frequency_energy(images: Tensor) -> float:
    """Mean squared five-point Laplacian of inner pixels: 0 for a steady heat field, large for noise, small for blur."""
    around = images[..., :-2, 1:-1] + images[..., 2:, 1:-1] + images[..., 1:-1, :-2] + images[..., 1:-1, 2:]
    return float((around - 4 * images[..., 1:-1, 1:-1]).square().mean())


def run_heat(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Boundary temperatures to the steady field, 16 x 16, beside the exact solution."""
    sources, targets = heat_fields(2300, 16, generator=make_generator(0))
    _compare(results, pictures, "heat", sources, targets, n_steps=2000, width=12)


def run_resolution(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Digits at 14 x 14, enlarged again to 28 x 28, back to full resolution: L1 blurs, the adversary sharpens."""
    data = load_images("mnist")
    targets = torch.from_numpy(np.concatenate([data.images[:2000], data.real[:300]]))[:, None] * 2 - 1
    small = torch.nn.functional.avg_pool2d(targets, 4)
    sources = torch.nn.functional.interpolate(small, scale_factor=4)
    _compare(results, pictures, "resolution", sources, targets, n_steps=300, width=12)


def run_deblending(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Two overlapping 8 x 8 digits, the brighter pixel shown, apart again: one output channel each, the smaller label first."""
    data = load_images("digits")
    rng = np.random.default_rng(0)
    everything = np.concatenate([data.images, data.judge_images]), np.concatenate([data.labels, data.judge_labels])
    training = _overlapped(*everything, 4000, rng)
    held_out = _overlapped(data.real, data.real_labels, 300, rng)
    sources, targets = (torch.cat(parts) for parts in zip(training, held_out, strict=True))
    _compare(results, pictures, "deblending", sources, targets, n_steps=1500, width=16)


def run_cycle(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Digits and their negatives, no image in both domains; the hidden pairing gives the true translation error."""
    data = load_images("digits")
    images = torch.from_numpy(np.concatenate([data.images, data.judge_images]))[:, None] * 2 - 1
    first, second = images[: len(images) // 2], -images[len(images) // 2 :]
    held_out = torch.from_numpy(data.real)[:, None] * 2 - 1
    known = done_keys(results)
    pictures.mkdir(parents=True, exist_ok=True)
    for seed in range(1):
        for weight in (10.0, 0.0):
            key = f"cycle weight {weight:g}/{seed}"
            if key in known:
                continue
            started = time.process_time()
            # The identity term pulls towards "change nothing", which is the wrong answer for negatives.
            settings = {"identity_weight": 0.0, "cycle_weight": weight, "width": 12, "n_down": 0, "n_blocks": 2}
            gan = ImageGAN(
                "cyclegan",
                n_steps=1500,
                learning_rate=1e-3,
                random_state=seed,
                value_range=(-1, 1),
                device="cpu",
                settings=settings,
            )
            gan.fit(first, targets=second)
            there = gan.transform(held_out)
            again = gan.transform(there.clamp(-1, 1), reverse=True)
            row = {
                "key": key,
                "error": float((there + held_out).abs().mean()),
                "error_of_no_change": float((held_out + held_out).abs().mean()),
                "error_of_mean_image": float((second.mean(0) + held_out).abs().mean()),
                "cycle_error": float((again - held_out).abs().mean()),
                "cpu_seconds": time.process_time() - started,
                "commit": commit(),
            }
            save_row(results, row)
            print(row, flush=True)
            shown = torch.cat([held_out[:10], there[:10], -held_out[:10], again[:10]])
            write_png(pictures / f"cyclegan-{weight:g}-{seed}.png", grid_of(shown, zoom=3))


def _compare(
    results: Path, pictures: Path, name: str, sources: Tensor, targets: Tensor, *, n_steps: int, width: int
) -> None:
    """The lectures' comparison on one task; the last 300 pairs are held out."""
    pictures.mkdir(parents=True, exist_ok=True)
    test_in, test_out = sources[-300:], targets[-300:]
    known = done_keys(results)
    if "truth" not in known:
        save_row(results, {"key": "truth", "l1": 0.0, "l2": 0.0, "high_frequency": high_frequency_energy(test_out)})
    shown: list[Tensor] = [test_in[:8], test_out[:8, :1]]
    for label, (recipe, settings) in _METHODS.items():
        started = time.process_time()
        gan = ImageGAN(
            recipe,
            n_steps=n_steps,
            learning_rate=1e-3,
            random_state=0,
            value_range=(-1, 1),
            device="cpu",
            settings={"width": width, **settings},
        )
        if label in known:
            continue
        gan.fit(sources[:-300], targets=targets[:-300])
        made = gan.transform(test_in, draw=recipe == "pix2pix")
        row = {
            "key": label,
            "l1": float((made - test_out).abs().mean()),
            "l2": float((made - test_out).square().mean()),
            "high_frequency": high_frequency_energy(made),
            "n_steps": n_steps,
            "cpu_seconds": time.process_time() - started,
            "commit": commit(),
        }
        save_row(results, row)
        print(name, row, flush=True)
        shown.append(made[:8, :1])
    if len(shown) > 2:
        write_png(pictures / f"{name}.png", grid_of(torch.cat(shown), 8, zoom=3))


def _overlapped(images: np.ndarray, labels: np.ndarray, n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    first, second = rng.integers(0, len(images), (2, 2 * n))
    apart = labels[first] < labels[second]
    first, second = first[apart][:n], second[apart][:n]
    both = torch.from_numpy(np.stack([images[first], images[second]], 1)) * 2 - 1
    return both.amax(1, keepdim=True), both
