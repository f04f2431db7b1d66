"""Run the cells of a grid: train, draw, measure, picture; one JSON line each."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.images.config import Cell
from benchmarks.images.data import ImageSet, load_images
from benchmarks.images.judge import Judge, judge_of
from benchmarks.processes import commit
from tabgan.images import ImageGAN
from tabgan.images.generators.classwise_gaussian import ClasswiseGaussianMixture
from tabgan.images.grids import grid_of, write_png

__all__ = ["done_keys", "run_cell", "run_grid", "save_row"]


def run_grid(
    cells: list[Cell], results: Path, pictures: Path, only: list[str] | None = None, *, device: str = "cpu"
) -> None:
    """Run what the results file does not hold yet."""
    known = done_keys(results)
    for cell in cells:
        if cell.key not in known and (only is None or cell.recipe in only):
            row = run_cell(cell, pictures, device)
            save_row(results, row)
            shown = {k: round(v, 3) for k, v in row.items() if isinstance(v, float)}
            print(cell.key, shown, flush=True)


def run_cell(cell: Cell, pictures: Path, device: str = "cpu") -> dict[str, Any]:
    """One row: what was run, its metrics, and what it cost."""
    data = _images(cell.data)
    judge = _judge(cell.data)
    started, waited = time.process_time(), time.perf_counter()
    drawn, asked, pictured, facts = _draw(cell, data, device)
    seconds = time.process_time() - started if device == "cpu" else time.perf_counter() - waited
    pictures.mkdir(parents=True, exist_ok=True)
    name = cell.key.replace("/", "-").replace(" ", "-") + ".png"
    write_png(pictures / name, grid_of(torch.from_numpy(pictured)[:, None] * 2 - 1, 10, zoom=2))
    return {
        "key": cell.key,
        **judge.scores(drawn, asked),
        "cpu_seconds" if device == "cpu" else "seconds": seconds,
        "judge_accuracy": judge.accuracy,
        "n": len(drawn),
        "device": device,
        "commit": commit(),
        **facts,
    }


def _draw(cell: Cell, data: ImageSet, device: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, dict[str, Any]]:
    """As many images as the real part has, their labels, a hundred for the picture, and facts of the run."""
    n, column = len(data.real), np.tile(np.arange(10), 10)
    asked = data.real_labels
    if cell.recipe == "real":
        rows = np.resize(np.arange(len(data.images)), n)
        pictured = np.stack([data.images[data.labels == c][i // 10] for i, c in enumerate(column)])
        return data.images[rows], data.labels[rows], pictured, {}
    if cell.recipe == "gaussians":
        generator = torch.Generator().manual_seed(cell.seed)
        rows = torch.from_numpy(data.images)
        model = ClasswiseGaussianMixture(3).fit(rows, torch.from_numpy(data.labels), generator=generator)
        drawn = model.sample(n, generator, labels=torch.from_numpy(asked)).clamp(0, 1).numpy()
        return drawn, asked, model.sample(100, generator, labels=torch.from_numpy(column)).clamp(0, 1).numpy(), {}
    gan = ImageGAN(cell.recipe, random_state=cell.seed, value_range=(0, 1), device=device, **cell.parameters)
    gan.fit(data.images, data.labels if cell.labels else None)
    facts = {"n_steps": gan.n_iter_, "parameters": repr(cell.parameters)}
    if cell.labels:
        return gan.sample(y=asked), asked, gan.sample(y=column), facts
    return gan.sample(n), None, gan.sample(100), facts


def save_row(results: Path, row: dict[str, Any]) -> None:
    """Append one line."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(row) + "\n")


def done_keys(results: Path) -> set[str]:
    """Keys of the lines that are there."""
    if not results.is_file():
        return set()
    return {json.loads(line)["key"] for line in results.read_text().splitlines()}


@cache
def _images(name: str) -> ImageSet:
    return load_images(name)


@cache
def _judge(name: str) -> Judge:
    return judge_of(_images(name))
