"""``python -m benchmarks.soak [N]``: N fits (default 200) in one process; memory, open files and threads must stay flat.

Imputers of both objectives, both samplers and an image model take turns, each fitted, used, saved, loaded and thrown away. Every tenth
part prints a line of JSON. The last line has the slope of memory in MB per fit over the last half, when caches are full.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

import tabgan
from tabgan.images import ImageGAN
from tests.conftest import make_mixed

__all__ = ["fit_and_use", "soak", "standing"]


def fit_and_use(number: int, folder: Path) -> None:
    """The fit of a turn, on a table of its own."""
    few: dict[str, Any] = {"n_steps": 20, "random_state": number, "width": 32}
    table = make_mixed(150 + 10 * (number % 7), seed=number)
    y = np.where(np.arange(len(table)) % 5 == 0, "rare", "common")
    path = folder / "model.tabgan"
    if number % 5 == 4:
        images = np.random.default_rng(number).random((24, 8, 8))
        gan = ImageGAN("dcgan", n_steps=5, batch_size=8, random_state=number).fit(images)
        gan.save(path)
        tabgan.load(path).sample(8)
    elif number % 5 in (1, 2):
        kind = tabgan.CGANSampler if number % 5 == 1 else tabgan.BAGANOversampler
        kind(**few).fit(table, y).save(path)
        tabgan.load(path).resample()
    else:
        if number % 5 == 0:
            imputer = tabgan.GAINImputer(**few, draw_steps=10, n_members=2, n_trees=4)
        else:
            imputer = tabgan.GAINImputer.paper(n_steps=50, random_state=number)
        imputer.fit(table).save(path)
        loaded = tabgan.load(path)
        loaded.transform(table)
        if number % 5 == 0:
            list(loaded.sample(table, 2))


def standing() -> dict[str, float]:
    """What the process holds now: resident MB, open files, threads of Python and of the system."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "mb": int(status["VmRSS"].split()[0]) / 1024,
        "files": len(os.listdir("/proc/self/fd")),
        "threads": int(status["Threads"]),
        "python_threads": threading.active_count(),
        "objects": len(gc.get_objects()),
    }


def soak(n_fits: int) -> dict[str, Any]:
    """Fit so often, print what the process holds now and then, and return what became of it."""
    started, rows = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(n_fits):
            fit_and_use(number, Path(folder))
            if (number + 1) % max(n_fits // 10, 1) == 0:
                rows.append({"fits": number + 1, **standing()})
                print(json.dumps(rows[-1]), flush=True)
    later = rows[len(rows) // 2 :]
    slope = np.polyfit([row["fits"] for row in later], [row["mb"] for row in later], 1)[0] if len(later) > 1 else 0.0
    grown = {name: rows[-1][name] - rows[0][name] for name in ("mb", "files", "threads", "python_threads", "objects")}
    return {"fits": n_fits, "mb_per_fit": float(slope), "grown": grown, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=200)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(json.dumps(soak(parser.parse_args().n)))
