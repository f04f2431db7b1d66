"""Samplers of smote-variants and ctgan, each in an environment of its own: a subprocess over npz files."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import environment_python

__all__ = ["check", "interpolated", "sampled"]

_WORKER = Path(__file__).with_name("external_worker.py")
_ENVIRONMENT = {"polynom-fit-SMOTE": "smote-variants", "ProWSyn": "smote-variants", "CTGAN": "ctgan", "TVAE": "ctgan"}


def check(method: str) -> None:
    """Raise FileNotFoundError, with what to do, where the method's environment was not made."""
    environment_python(_ENVIRONMENT[method])


def interpolated(method: str, rows: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, dict]:
    """Made rows, their classes and notes of a method for numeric rows; one-vs-rest to the largest class."""
    return _run(method, rows, y, [0] * rows.shape[1], seed)


def sampled(
    method: str, codes: np.ndarray, y: np.ndarray, levels: list[int], seed: int
) -> tuple[np.ndarray, np.ndarray, dict]:
    """Made rows, their classes and notes of a generator of mixed rows, its class column among them."""
    return _run(method, codes, y, levels, seed)


def _run(method: str, rows: np.ndarray, y: np.ndarray, levels: list[int], seed: int) -> tuple[Any, Any, dict]:
    python = environment_python(_ENVIRONMENT[method])
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, rows=rows, y=y, levels=np.array(levels))
        # Isolated mode: modules beside the worker must not shadow the competitor's.
        command = [str(python), "-I", str(_WORKER), method, str(given), str(taken), str(seed)]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            raise RuntimeError(f"{method} failed: {answer.stderr.strip()[-500:]}")
        with np.load(taken) as found:
            made, classes = found["rows"], found["y"]
    return made, classes, json.loads(answer.stdout.strip().splitlines()[-1])
