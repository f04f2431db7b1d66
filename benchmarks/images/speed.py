"""Steps per CPU second beside a loop written by hand: ``python -m benchmarks.images.speed``.

The loop has the same networks, batch size, optimisers and losses, and nothing else: no logs, averages, guards or progress. Both
take turns, so that what else the machine does falls on both; a ratio of 1.1 means that `ImageGAN` takes a tenth more.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch.nn.functional import softplus

from tabgan.images import ImageGAN, recipes
from tabgan.images.recipes.recipe import Sizes

SHAPE, N_IMAGES = (1, 28, 28), 5000


def by_hand(name: str, images: torch.Tensor, n_steps: int) -> float:
    """CPU seconds of a plain training loop."""
    draw = torch.Generator().manual_seed(0)
    settings = SimpleNamespace(**recipes[name].defaults(SHAPE, {}))
    players = recipes[name].networks(Sizes(SHAPE), settings, draw)
    maker, judge = players["generator"], players["discriminator"]
    optimizers = [
        torch.optim.AdamW(part.parameters(), settings.learning_rate, settings.betas, weight_decay=0, fused=True)
        for part in (judge, maker)
    ]
    n, n_critic = settings.batch_size, getattr(settings, "n_critic", 1)

    def score(batch: torch.Tensor) -> torch.Tensor:
        return judge(batch, None).adversarial

    def slope(batch: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(scores.sum(), batch, create_graph=True)[0].flatten(1)

    def judged(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        if name == "dcgan":
            return softplus(-score(real)).mean() + softplus(score(made)).mean()
        if name == "wgan-gp":
            mix = torch.rand(n, 1, 1, 1, generator=draw)
            between = (mix * real + (1 - mix) * made).requires_grad_()
            penalty = (slope(between, score(between)).norm(dim=1) - 1).square().mean()
            return score(made).mean() - score(real).mean() + settings.penalty_weight * penalty
        real, made = real.requires_grad_(), made.requires_grad_()
        high, low = score(real), score(made)
        flat = slope(real, high).square().sum(1).mean() + slope(made, low).square().sum(1).mean()
        return softplus(low - high).mean() + settings.penalty_weight / 2 * flat

    started = time.process_time()
    for _ in range(n_steps):
        for _ in range(n_critic):
            real = images[torch.randint(len(images), (n,), generator=draw)]
            with torch.no_grad():
                made = maker(torch.randn(n, settings.d_noise, generator=draw), None)
            loss = judged(real, made)
            optimizers[0].zero_grad()
            loss.backward()
            optimizers[0].step()
        judge.requires_grad_(False)
        made = maker(torch.randn(n, settings.d_noise, generator=draw), None)
        if name == "r3gan":
            real = images[torch.randint(len(images), (n,), generator=draw)]
            loss = softplus(score(real) - score(made)).mean()
        else:
            loss = (softplus(-score(made)) if name == "dcgan" else -score(made)).mean()
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()
        judge.requires_grad_(True)
    return time.process_time() - started


def ours(name: str, images: np.ndarray, gan: ImageGAN, n_steps: int) -> float:
    """CPU seconds of as many steps of a model that was fitted before, reading the images included."""
    started = time.process_time()
    gan.partial_fit(images, n_steps=n_steps)
    return time.process_time() - started


def main() -> None:
    """Measure recipes in turn and append rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="*", default=["dcgan", "wgan-gp", "r3gan"])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "speed.jsonl")
    given = parser.parse_args()
    torch.set_num_threads(1)
    pixels = np.random.default_rng(0).integers(0, 256, (N_IMAGES, *SHAPE[1:]), dtype=np.uint8)
    tensor = torch.from_numpy(pixels)[:, None].float() / 127.5 - 1
    for name in given.recipes:
        gan = ImageGAN(name, n_steps=3, random_state=0, device="cpu", settings={"average": None}).fit(pixels)
        by_hand(name, tensor, 3)
        seconds: dict[str, list[float]] = {"by_hand": [], "ours": []}
        for _ in range(given.rounds):
            seconds["by_hand"].append(by_hand(name, tensor, given.steps))
            seconds["ours"].append(ours(name, pixels, gan, given.steps))
        row: dict[str, Any] = {"key": name, "n_steps": given.steps, "n_rounds": given.rounds}
        row |= {f"seconds_{who}": float(np.median(found)) / given.steps for who, found in seconds.items()}
        row["ratio"] = row["seconds_ours"] / row["seconds_by_hand"]
        with given.results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)


if __name__ == "__main__":
    main()
