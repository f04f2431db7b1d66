"""What added images of a rare class do for classifiers: copies, SMOTE on pixels, shifts, affine changes, GANs, and our default."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from imblearn.over_sampling import SMOTE
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score
from torch import nn

from benchmarks.images.data import ImageSet, load_images
from benchmarks.images.experiments.rare import structural_similarity
from benchmarks.images.runner import done_keys, save_row
from benchmarks.processes import commit
from tabgan.core.augmentation import shifted
from tabgan.images import BAGANImageOversampler, ImageGAN
from tabgan.metrics.distribution import classifier_two_sample_auc

__all__ = ["ALL_METHODS", "METHODS", "run_balancing"]

_DATA = ("digits", "mnist", "fashion")
_KEPT = (0.025, 0.05, 0.1)
_RARE = (8, 3, 5)
_PAPER: dict[str, Any] = {"class_weight": 1.0, "classify_fakes": True, "average": None}
"""AC-GAN's weights as published, and its last weights."""
_GAN_SETTINGS: dict[str, dict[str, Any]] = {
    "digits": {"acgan": {"n_steps": 4000, "settings": {"balanced": True}}, "bagan": {"n_steps": 3000}},
    "mnist": {
        "acgan": {
            "n_steps": 1500,
            "learning_rate": 2e-4,
            "settings": {"network": "dcgan", "width": 16, "balanced": True, "shift": 2, **_PAPER},
        },
        "bagan": {"n_steps": 1500, "settings": {"network": "dcgan", "width": 16}},
    },
}
_GAN_SETTINGS["fashion"] = _GAN_SETTINGS["mnist"]


@dataclass(frozen=True)
class _Cell:
    """Training images of which one class is rare, and what is wanted of it."""

    data: ImageSet
    images: np.ndarray
    labels: np.ndarray
    rare: int
    n_wanted: int
    seed: int
    quick: int | None

    @property
    def own(self) -> np.ndarray:
        return self.images[self.labels == self.rare]

    @property
    def reach(self) -> int:
        """Pixels of the largest shift."""
        return max(self.images.shape[1] // 14, 1)

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


def _nothing(cell: _Cell) -> np.ndarray:
    return cell.own[:0]


def _copies(cell: _Cell) -> np.ndarray:
    return cell.own[cell.rng().integers(0, len(cell.own), cell.n_wanted)]


def _smote(cell: _Cell) -> np.ndarray:
    kept = np.flatnonzero(cell.labels != cell.rare)[: cell.n_wanted + len(cell.own)]
    flat = np.concatenate([cell.own, cell.images[kept]]).reshape(len(cell.own) + len(kept), -1)
    smote = SMOTE(k_neighbors=min(5, len(cell.own) - 1), random_state=cell.seed)
    both, _ = smote.fit_resample(flat, np.repeat([1, 0], [len(cell.own), len(kept)]))
    return both[len(flat) :].reshape(-1, *cell.images.shape[1:])


def _moved(images: np.ndarray, reach: int, rng: np.random.Generator) -> np.ndarray:
    down, across = (torch.from_numpy(rng.integers(-reach, reach + 1, len(images))) for _ in range(2))
    return shifted(torch.from_numpy(images)[:, None], down, across)[:, 0].numpy()


def _shifts(cell: _Cell) -> np.ndarray:
    return _moved(_copies(cell), cell.reach, cell.rng())


def _affine(cell: _Cell) -> np.ndarray:
    """Copies turned by up to 10 degrees, slanted and scaled by up to a tenth, and moved as `_shifts` does."""
    rng, images = cell.rng(), torch.from_numpy(_copies(cell))[:, None]
    n, side = len(images), images.shape[2]
    turn, slant = np.deg2rad(rng.uniform(-10, 10, n)), rng.uniform(-0.1, 0.1, n)
    scale, move = rng.uniform(0.9, 1.1, (n, 2, 1)), rng.uniform(-2, 2, (n, 2, 1)) * cell.reach / side
    rotation = np.stack([np.cos(turn), -np.sin(turn) + slant, np.sin(turn), np.cos(turn)], 1).reshape(n, 2, 2)
    theta = torch.from_numpy(np.concatenate([rotation / scale, move], 2)).float()
    grid = nn.functional.affine_grid(theta, list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, align_corners=False)[:, 0].numpy()


def _made_by(recipe: str) -> Callable[[_Cell], np.ndarray]:
    def made(cell: _Cell) -> np.ndarray:
        parameters = dict(_GAN_SETTINGS[cell.data.name][recipe])
        if cell.quick is not None:
            parameters["n_steps"] = cell.quick
        gan = ImageGAN(recipe, random_state=cell.seed, value_range=(0, 1), device="cpu", **parameters)
        gan.fit(cell.images, cell.labels)
        return gan.sample(cell.n_wanted, y=cell.rare, random_state=cell.seed)

    return made


def _ours(cell: _Cell) -> np.ndarray:
    """The sampler at its defaults."""
    sampler = BAGANImageOversampler(
        sampling_strategy={cell.rare: len(cell.own) + cell.n_wanted}, value_range=(0, 1), random_state=cell.seed
    )
    return sampler.fit_resample(cell.images, cell.labels)[0][len(cell.images) :]


METHODS: dict[str, Callable[[_Cell], np.ndarray]] = {
    "nothing": _nothing,
    "copies": _copies,
    "SMOTE": _smote,
    "shifts": _shifts,
    "affine": _affine,
    "our default": _ours,
    "AC-GAN": _made_by("acgan"),
    "BAGAN": _made_by("bagan"),
}
"""Images to add, by method."""

ALL_METHODS = (*METHODS, "BAGAN + shifts", "real images")
"""The last two are put together: half BAGAN's and half shifted copies; all images that were kept back."""


def run_balancing(results: Path, pictures: Path, only: list[str] | None = None, n_steps: int | None = None) -> None:
    """Three rare classes, three shares kept, two seeds; ``n_steps`` is for a quick look.

    ``only`` names data sets or single cells by the beginnings of their keys, ``digits`` or ``digits/8/0.05/0``, and methods.
    """
    methods = [name for name in ALL_METHODS if only is None or name in only] or list(ALL_METHODS)
    starts = [start for start in only or [] if start not in ALL_METHODS] or list(_DATA)
    cells = [(seed, name, share, rare) for seed in range(2) for name in _DATA for share in _KEPT for rare in _RARE]
    if n_steps is not None:
        cells = [(0, name, _KEPT[-1], _RARE[0]) for name in _DATA]
    for seed, name, share, rare in cells:
        key = f"{name}/{rare}/{share:g}/{seed}"
        if any(key.startswith(start) for start in starts):
            _run(_images(name), rare, share, seed, results, methods, n_steps)


@cache
def _images(name: str) -> ImageSet:
    return _two_parts(load_images(name) if name == "digits" else load_images(name, 2000, 1000, 2000))


def _two_parts(data: ImageSet) -> ImageSet:
    """The judge's images are trained on, too: no judge is needed here."""
    images = np.concatenate([data.judge_images, data.images])
    labels = np.concatenate([data.judge_labels, data.labels])
    return ImageSet(data.name, images[:0], labels[:0], images, labels, data.real, data.real_labels)


def _run(
    data: ImageSet, rare: int, share: float, seed: int, results: Path, names: list[str], quick: int | None
) -> None:
    prefix = f"{data.name}/{rare}/{share:g}/{seed}"
    known = done_keys(results)
    if all(f"{prefix}/{name}" in known for name in names):
        return
    own = np.flatnonzero(data.labels == rare)
    kept = np.random.default_rng(seed).permutation(own)[: max(round(share * len(own)), 3)]
    rows = np.sort(np.concatenate([np.flatnonzero(data.labels != rare), kept]))
    cell = _Cell(data, data.images[rows], data.labels[rows], rare, len(own) - len(kept), seed, quick)
    made: dict[str, np.ndarray] = {}
    for name in names:
        if f"{prefix}/{name}" in known:
            continue
        started = time.process_time()
        if name == "BAGAN + shifts":
            parts = [made[part] if part in made else METHODS[part](cell) for part in ("BAGAN", "shifts")]
            added = np.concatenate([parts[0][::2], parts[1][1::2]])
        elif name == "real images":
            added = data.images[np.setdiff1d(own, kept)]
        else:
            added = made[name] = METHODS[name](cell)
        row = {"key": f"{prefix}/{name}", "n_kept": len(kept), "seconds_to_make": time.process_time() - started}
        save_row(results, row | _measured(cell, added, quick) | {"commit": commit()})
        print(row, flush=True)


def _measured(cell: _Cell, added: np.ndarray, quick: int | None) -> dict[str, Any]:
    """Scores of the three classifiers on real test images; how alike the added images are, and how far from real ones."""
    images = np.concatenate([cell.images, added]).astype(np.float32)
    labels = np.concatenate([cell.labels, np.full(len(added), cell.rare)])
    row: dict[str, Any] = {}
    for name, classify in _CLASSIFIERS.items():
        found = classify(images, labels, cell.data.real, cell.seed)
        truth = cell.data.real_labels
        row[f"recall_{name}"] = recall_score(truth == cell.rare, found == cell.rare)
        row[f"balanced_{name}"] = balanced_accuracy_score(truth, found)
        row[f"f1_{name}"] = f1_score(truth, found, average="macro")
    real = cell.data.real[cell.data.real_labels == cell.rare]
    if len(added):
        row["pair_similarity"] = structural_similarity(added.astype(np.float32), 2000)
        row["pair_similarity_of_real"] = structural_similarity(real, 2000)
        n = min(len(real), len(added))
        row["c2st_auc"] = classifier_two_sample_auc(real[:n].reshape(n, -1), added[:n].reshape(n, -1))
    return row


def _linear(images: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=1.0, max_iter=100).fit(images.reshape(len(images), -1), labels)
    return model.predict(test.reshape(len(test), -1))


def _forest(images: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    model = RandomForestClassifier(100, random_state=seed).fit(images.reshape(len(images), -1), labels)
    return model.predict(test.reshape(len(test), -1))


def _network(images: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Two convolutions, 300 steps of 64 images."""
    draw = torch.Generator().manual_seed(seed)
    stride = 2 if images.shape[1] > 16 else 1
    size = images.shape[1] // stride // 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * size * size, 64), nn.ReLU(), nn.Linear(64, 10),
        )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    pixels, classes = torch.from_numpy(images)[:, None], torch.from_numpy(labels)
    for _ in range(300):
        chosen = torch.randint(len(pixels), (64,), generator=draw)
        loss = nn.functional.cross_entropy(model(pixels[chosen]), classes[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return model(torch.from_numpy(test.astype(np.float32))[:, None]).argmax(1).numpy()


_CLASSIFIERS = {"linear": _linear, "forest": _forest, "network": _network}
