"""Vector conditions in the place of text: combinations of attributes that training never showed."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.images.data import load_images
from benchmarks.images.judge import Judge
from benchmarks.images.runner import done_keys, save_row
from benchmarks.processes import commit
from tabgan.images import ImageGAN
from tabgan.images.grids import grid_of, write_png

__all__ = ["attributes", "run_unseen"]

_HELD_OUT = [(1, 3), (2, 6), (3, 4), (0, 0)]


def attributes(images: np.ndarray) -> np.ndarray:
    """Two attributes from the pixels, 0 or 1 each: more ink, and more slant, than the median digit has."""
    ink = images.mean((1, 2))
    height, width = images.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    mass = images.sum((1, 2)) + 1e-9
    centre_row, centre_column = ((images * axis).sum((1, 2)) / mass for axis in (rows, columns))
    off_row = rows[None] - centre_row[:, None, None]
    off_column = columns[None] - centre_column[:, None, None]
    slant = (images * off_row * off_column).sum((1, 2)) / (images * off_row**2).sum((1, 2)).clip(1e-9)
    return np.stack([ink > 0.31, slant < 0.035], 1).astype(float)


def run_unseen(results: Path, pictures: Path, only: list[str] | None = None) -> None:
    """Hold out four combinations of (style, digit), train on the rest, ask for both kinds."""
    if "unseen" in done_keys(results):
        return
    data = load_images("digits")
    judge = Judge(data)
    style = attributes(data.images)
    kind = (2 * style[:, 0] + style[:, 1]).astype(int)
    hidden = np.array([(k, digit) in _HELD_OUT for k, digit in zip(kind, data.labels, strict=True)])
    vectors = np.concatenate([np.eye(10)[data.labels], style], 1)
    started = time.process_time()
    gan = ImageGAN("vector-conditions", n_steps=1200, random_state=0, value_range=(0, 1), device="cpu")
    gan.fit(data.images[~hidden], vectors[~hidden])
    seconds = time.process_time() - started
    pictures.mkdir(parents=True, exist_ok=True)
    shown = []
    for name, combinations in (("unseen", _HELD_OUT), ("seen", _seen(kind[~hidden], data.labels[~hidden]))):
        asked = np.array([[*np.eye(10)[digit], k // 2, k % 2] for k, digit in combinations for _ in range(100)])
        made = gan.sample(y=asked, random_state=0)
        found = attributes(made)
        row = {
            "key": name,
            "n_combinations": len(combinations),
            "digit_right": float((judge.predict(made) == asked[:, :10].argmax(1)).mean()),
            "bold_right": float((found[:, 0] == asked[:, 10]).mean()),
            "slant_right": float((found[:, 1] == asked[:, 11]).mean()),
            "n_images_held_out": int(hidden.sum()),
            "cpu_seconds": seconds,
            "commit": commit(),
        }
        save_row(results, row)
        print(row, flush=True)
        shown.append(made.reshape(-1, 100, 8, 8)[:4, :10].reshape(-1, 8, 8))
    write_png(pictures / "vectors.png", grid_of(torch.from_numpy(np.concatenate(shown))[:, None] * 2 - 1, zoom=3))


def _seen(kind: np.ndarray, labels: np.ndarray) -> list[tuple[int, int]]:
    pairs, counts = np.unique(np.stack([kind, labels], 1), axis=0, return_counts=True)
    return [tuple(pair) for pair, count in zip(pairs.tolist(), counts, strict=True) if count >= 10]
