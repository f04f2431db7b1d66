"""Kill a training of images at random moments until it is done, and compare with one that nobody disturbed.

``python -m tests.killed_training 10`` does so ten times, each killed up to three times from outside at random. Needs ``fork``.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open
from typer.testing import CliRunner

from tabgan import load
from tabgan.cli.main import app

__all__ = ["command", "digest", "prepare"]

STEPS, MOST_KILLS = 40, 3


def prepare(folder: Path) -> None:
    """Write images and labels to train on."""
    rng = np.random.default_rng(0)
    np.save(folder / "images.npy", rng.integers(0, 256, (40, 8, 8), dtype=np.uint8))
    (folder / "labels.txt").write_text("cat\ndog\n" * 20)


def command(steps: int = STEPS, every: int = 7) -> list[str]:
    """The words after ``tabgan``: a recipe with averaged weights, an encoder that hands over, a pool and fading noise."""
    settings = '{"width": 8, "n_autoencoder_steps": 12, "replay": 8, "instance_noise": 0.1, "average": 0.9}'
    words = f"images train images.npy --labels labels.txt -o m.tabgan --recipe bagan --steps {steps} --seed 3 --device cpu --quiet"
    return [*words.split(), "--settings", settings, "--resume", "--checkpoint-every", str(every)]


def digest(path: Path) -> str:
    """Of all that a model file holds; its header may list names in any order."""
    with safe_open(str(path), framework="pt") as opened:
        return opened.metadata()["sha256"]


def begun(folder: Path, words: list[str]) -> int:
    """The process of its own in which ``tabgan`` runs these words there."""
    child = os.fork()
    if child:
        return child
    try:
        os.chdir(folder)
        os._exit(CliRunner().invoke(app, words).exit_code)
    finally:
        os._exit(1)


def main() -> None:
    """Kill and compare, so many times as the command line says."""
    n_runs, words = int(sys.argv[1]) if len(sys.argv) > 1 else 10, command(steps=600, every=20)
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place, str(run)) for run in range(n_runs + 1)]
        for folder in folders:
            folder.mkdir()
            prepare(folder)
        start = time.perf_counter()
        assert os.waitpid(begun(folders[0], words), 0)[1] == 0
        lasted = time.perf_counter() - start
        for folder in folders[1:]:
            steps = []
            while len(steps) < MOST_KILLS:
                child = begun(folder, words)
                time.sleep(random.uniform(0.05, 0.8) * lasted)
                os.kill(child, signal.SIGKILL)
                if os.WIFEXITED(os.waitpid(child, 0)[1]):
                    break
                kept = folder / "m.tabgan.checkpoint"
                steps.append(load(kept).n_iter_ if kept.exists() else 0)
            assert os.waitpid(begun(folder, words), 0)[1] == 0
            left = sorted(path.name for path in folder.iterdir())
            same = digest(folder / "m.tabgan") == digest(folders[0] / "m.tabgan")
            print(
                f"killed {len(steps)} times, last checkpoints {steps}: {'the same bits' if same else 'OTHER BITS'}",
                flush=True,
            )
            assert same
            assert left == ["images.npy", "labels.txt", "m.tabgan"], left


if __name__ == "__main__":
    main()
