"""Peak memory of training on many images: ``python -m benchmarks.images.memory``.

20,000 images of 64 x 64 x 3 bytes as an array and as a folder, and a folder of 100,000 that is read batch by batch, each in a process
of its own; what Python and torch take before is told apart. ``process`` is one streamed training in a process that does nothing else,
told whole: imports, networks and all. ``MALLOC_MMAP_THRESHOLD_=1048576`` before it lets glibc give large blocks back at once.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tabgan.images import ImageGAN

SHAPE = (64, 64, 3)


def folder_of(n: int, folder: Path, n_different: int = 500) -> Path:
    """Pictures in a folder, many of them under several names."""
    rng = np.random.default_rng(0)
    for index in range(n):
        if index < n_different:
            Image.fromarray(rng.integers(0, 256, SHAPE, dtype=np.uint8)).save(folder / f"{index:06}.jpg")
        else:
            os.link(folder / f"{index % n_different:06}.jpg", folder / f"{index:06}.jpg")
    return folder


def peak() -> float:
    """Largest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(kind: str, n: int, path: str) -> None:
    """Train a few steps and print what it took."""
    imported = peak()
    gan = ImageGAN("dcgan", n_steps=20, settings={"width": 16}, random_state=0, stream=kind in ("stream", "process"))
    if kind == "process":
        gan.fit(path)
        print(f"{kind}: {n:,} images; {imported:.0f} MB after imports, peak of the whole process {peak():.0f} MB")
        return
    small = np.random.default_rng(0).integers(0, 256, (64, *SHAPE), dtype=np.uint8)
    gan.fit(small)  # networks, optimisers and torch's own buffers
    images: object = path
    before = peak()
    if kind == "array":
        images = np.random.default_rng(0).integers(0, 256, (n, *SHAPE), dtype=np.uint8)
    start = time.perf_counter()
    gan.fit(images)
    n_bytes, most = n * np.prod(SHAPE) / 2**20, peak()
    print(
        f"{kind}: {n:,} images of {n_bytes:.0f} MB; before {before:.0f} MB, peak {most:.0f} MB: {(most - before) / n_bytes:.2f} of "
        f"the bytes; {time.perf_counter() - start:.0f} s"
    )


def main() -> None:
    """Measure all, each in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", nargs="?", choices=["array", "folder", "stream", "process"])
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--path", default="")
    given = parser.parse_args()
    if given.kind:
        return measure(given.kind, given.n, given.path)
    with tempfile.TemporaryDirectory() as place:
        for kind, n in (("array", 20_000), ("folder", 20_000), ("stream", 100_000), ("process", 100_000)):
            folder = Path(place, kind)
            folder.mkdir()
            if kind != "array":
                folder_of(n, folder)
            command = [sys.executable, "-m", "benchmarks.images.memory", kind, "--n", str(n), "--path", str(folder)]
            subprocess.run(command, check=True)
    return None


if __name__ == "__main__":
    main()
