"""Competitors that live in an environment of their own: HyperImpute, its GAIN, and miceforest, run as a subprocess over npz files."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.environments import environment_python
from tabgan.model_selection.baselines import MixedImputer

__all__ = ["ExternalImputer"]

_WORKER = Path(__file__).with_name("external_worker.py")
_ENVIRONMENT = {"hyperimpute": "hyperimpute", "gain": "hyperimpute", "miceforest": "miceforest"}


class ExternalImputer(MixedImputer):
    """A method of another environment, for mixed tables: numbers as they are, labels as codes, decoded again.

    Parameters
    ----------
    method : {"hyperimpute", "gain", "miceforest"}
        ``gain`` is HyperImpute's.
    n_draws : int, default=1
        Completed tables of miceforest. Fills are their mean, or the most frequent label; HyperImpute has one only.
    test : pandas.DataFrame, default=None
        Further rows for `transform`. They are handed over with the training rows, as no model is kept between calls; only
        miceforest can fill them without learning from them.
    random_state : int, default=0
    categorical : sequence of names, default=None
        See `MixedImputer`.

    Attributes
    ----------
    draws_ : ndarray of shape (n_draws, n, n_columns)
        Completed training rows as numbers and codes.
    report_ : dict
        ``fit_seconds`` and ``transform_seconds`` inside the subprocess, imports left out, and ``package``.
    """

    def __init__(
        self,
        method: str,
        *,
        n_draws: int = 1,
        test: pd.DataFrame | None = None,
        random_state: int = 0,
        categorical: Sequence[Hashable] | None = None,
    ) -> None:
        self.method = method
        self.n_draws = n_draws
        self.test = test
        self.random_state = random_state
        self.categorical = categorical

    def _learn(self, codes: np.ndarray) -> np.ndarray:
        has_test = self.test is not None and len(self.test) > 0
        if has_test and self.method != "miceforest":
            raise ValueError(
                "HyperImpute learns anew from the rows that transform is given, so it has no out-of-sample use"
            )
        python = environment_python(_ENVIRONMENT[self.method])
        levels = [0 if column.is_number else len(column.labels) for column in self.columns_.values()]
        test = self._encoded(self.test) if has_test and self.test is not None else np.empty((0, codes.shape[1]))
        with tempfile.TemporaryDirectory() as folder:
            given, taken = Path(folder) / "in.npz", Path(folder) / "out.npz"
            np.savez(given, train=codes, test=test, levels=np.array(levels))
            # Isolated mode: modules beside the worker must not shadow the competitor's.
            command = [str(python), "-I", str(_WORKER), self.method, str(given), str(taken)]
            command += [str(self.random_state), str(self.n_draws)]
            environment = os.environ | {"N_JOBS": os.environ.get("OMP_NUM_THREADS", "")}
            answer = subprocess.run(command, capture_output=True, text=True, env=environment)
            if answer.returncode:
                raise RuntimeError(f"{self.method} failed: {answer.stderr.strip()[-500:]}")
            with np.load(taken) as found:
                self.draws_, self._test_draws = found["train"], found["test"]
        self.report_: dict[str, Any] = json.loads(answer.stdout.strip().splitlines()[-1])
        return self._pooled(self.draws_)

    def _fill(self, codes: np.ndarray) -> np.ndarray:
        return self._pooled(self._test_draws)

    def _pooled(self, draws: np.ndarray) -> np.ndarray:
        """Mean of numbers, most frequent code of labels; codes that came back as numbers are rounded."""
        filled = draws.mean(axis=0)
        for j, column in enumerate(self.columns_.values()):
            if not column.is_number:
                codes = np.clip(np.rint(draws[:, :, j]), 0, len(column.labels) - 1).astype(int)
                filled[:, j] = (codes[:, :, None] == np.arange(len(column.labels))).sum(axis=0).argmax(axis=1)
        return filled
