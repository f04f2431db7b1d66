"""Kill a training of images at random moments until it is done, and compare with one that nobody disturbed.

``python -m tests.killed_training 10`` does so ten times, in processes that are killed from outside at a random time.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open

__all__ = ["command", "digest", "prepare"]

STEPS = 40


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


def main() -> None:
    """Kill and compare, so many times as the command line says."""
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    line = [sys.executable, "-m", "tabgan", *command(steps=1500, every=20)]
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place, "whole")
        whole.mkdir()
        prepare(whole)
        start = time.perf_counter()
        subprocess.run(line, cwd=whole, env=environment, check=True)
        lasted = time.perf_counter() - start
        wanted = digest(whole / "m.tabgan")
        for run in range(n_runs):
            folder = Path(place, str(run))
            folder.mkdir()
            prepare(folder)
            n_kills = 0
            while not (folder / "m.tabgan").exists():
                child = subprocess.Popen(line, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
                try:
                    child.wait(random.uniform(0.3, 1.0) * lasted)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
                    n_kills += 1
            same = digest(folder / "m.tabgan") == wanted
            print(f"run {run}: killed {n_kills} times, {'the same bits' if same else 'OTHER BITS'}", flush=True)
            left = [path.name for path in folder.iterdir() if path.name not in ("images.npy", "labels.txt", "m.tabgan")]
            assert same
            assert not left, left


if __name__ == "__main__":
    main()
