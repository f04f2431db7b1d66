"""The trained model behind `GAINImputer`: from encoded rows with gaps to encoded rows without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from tabgan._runtime import make_generator
from tabgan.imputation.training import (
    GainSettings,
    RemaskSettings,
    Run,
    build_gain,
    build_remask,
    train_gain,
    train_remask,
)
from tabgan.networks.tabular import span_index
from tabgan.spans import Span, total_width

__all__ = ["ImputationModel"]


class ImputationModel:
    """A trained generator with the settings that built it.

    Parameters
    ----------
    module : nn.Module or None
        In float64 on the CPU, so that a row's result does not depend on how a call is cut into chunks; None for tables
        without an encoded column.
    spans : sequence of Span
        Layout of the slots.
    settings : RemaskSettings or GainSettings
        Which objective, and its numbers.
    history : list of dict
    n_steps : int
    stop_reason : str or None
    """

    def __init__(
        self,
        module: nn.Module | None,
        spans: Sequence[Span],
        settings: RemaskSettings | GainSettings,
        history: list[dict[str, Any]],
        n_steps: int,
        stop_reason: str | None,
    ) -> None:
        self.module = module
        self.spans = tuple(spans)
        self.settings = settings
        self.history = history
        self.n_steps = n_steps
        self.stop_reason = stop_reason

    @classmethod
    def train(
        cls,
        values: np.ndarray,
        training: np.ndarray,
        validation: np.ndarray,
        spans: Sequence[Span],
        settings: RemaskSettings | GainSettings,
        run: Run,
        start: ImputationModel | None = None,
    ) -> ImputationModel:
        """Train on encoded rows; ``start`` is a model to go on from."""
        if not spans:
            return cls(None, spans, settings, [], 0, "no column varies: there is nothing to learn")
        rows, seen, held_out = torch.from_numpy(values), *(torch.from_numpy(m).float() for m in (training, validation))
        module = None if start is None else start.module
        if isinstance(settings, GainSettings):
            trained = train_gain(rows, seen, spans, settings, run, module)
        else:
            trained = train_remask(rows, seen, held_out, spans, settings, run, module)
        return cls(trained.module, spans, settings, trained.history.rows, trained.n_steps, trained.stop_reason)

    @property
    def objective(self) -> str:
        """The name of the objective that trained it."""
        return "paper" if isinstance(self.settings, GainSettings) else "remask"

    @torch.no_grad()
    def predict(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Point estimates for all slots.

        Parameters
        ----------
        values : ndarray of shape (n, width)
            Encoded rows.
        mask : ndarray of shape (n, n_columns)
            True where visible.

        Returns
        -------
        ndarray of shape (n, width)
            Numbers and level probabilities, float64. Rows without a gap are not computed and come back as they were.
        """
        result = values.astype(np.float64)
        if self.module is None:
            return result
        gappy = np.flatnonzero(~mask.all(axis=1))
        for rows in np.array_split(gappy, max(len(gappy) // self._chunk(), 1)) if len(gappy) else ():
            shown = torch.from_numpy(mask[rows]).double()
            result[rows] = self._forward(torch.from_numpy(result[rows]), shown).numpy()
        return result

    def to_state(self) -> dict[str, Any]:
        """Plain data and tensors for a model file."""
        return {
            "objective": self.objective,
            "settings": {name: getattr(self.settings, name) for name in self.settings.__dataclass_fields__},
            "spans": [[span.kind, span.start, span.stop] for span in self.spans],
            "weights": None if self.module is None else self.module.state_dict(),
            "history": self.history,
            "n_steps": self.n_steps,
            "stop_reason": self.stop_reason,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ImputationModel:
        """Rebuild what `to_state` described."""
        spans = [Span(*span) for span in state["spans"]]
        settings: RemaskSettings | GainSettings
        module: nn.Module | None
        if state["objective"] == "paper":
            settings = GainSettings(**state["settings"])
            module = build_gain(spans, settings, make_generator(0)).double() if spans else None
        else:
            settings = RemaskSettings(**state["settings"])
            module = build_remask(spans, settings) if spans else None
        if module is not None:
            module.load_state_dict(state["weights"])
            module.eval()
        return cls(module, spans, settings, state["history"], state["n_steps"], state["stop_reason"])

    def _forward(self, values: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        assert self.module is not None
        if isinstance(self.settings, RemaskSettings):
            return self.module(values, shown)
        slots = shown[:, span_index(self.spans)]
        # The mean of the noise that training put into hidden cells.
        return self.module(torch.where(slots > 0, values, 0.005), slots)

    def _chunk(self) -> int:
        """Rows per forward pass, so that the base's (rows, width, width) matrices stay below about 100 MB."""
        return int(np.clip(1.2e7 / total_width(self.spans) ** 2, 16, 4096))
