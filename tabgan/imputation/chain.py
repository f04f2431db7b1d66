"""The trained model behind `GAINImputer`: from encoded rows with gaps to encoded rows without."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from tabgan._runtime import make_generator
from tabgan.core.run import Run
from tabgan.exceptions import InvalidInputError
from tabgan.imputation.published import GainSettings, build_gain, train_gain
from tabgan.imputation.stages.correction import (
    BasedGenerator,
    RemaskSettings,
    build_remask,
    train_remask,
    use_all_cells,
)
from tabgan.imputation.stages.donors import DonorStep, grow_donors
from tabgan.imputation.stages.draws import Drawer, draw_scores, train_drawer
from tabgan.imputation.stages.forests import ForestStep, fit_forests, grow_forests
from tabgan.imputation.stages.intervals import Calibration
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

__all__ = ["ImputationModel"]


class ImputationModel:
    """A trained generator with the settings that built it, and what draws from it.

    Parameters
    ----------
    module : nn.Module or None
        The point estimate, in float64 on the CPU, so that a row's result does not depend on how a call is cut into chunks; None
        for tables without an encoded column.
    spans : sequence of Span
        Layout of the slots.
    settings : RemaskSettings or GainSettings
        Which objective, and its numbers.
    history : list of dict
        Losses and validation scores by step.
    n_steps : int
    stop_reason : str or None
    drawer : Drawer, default=None
        Draws of hidden cells, around ``module``; the default objective has one.
    calibration : Calibration, default=None
        Of the drawer's intervals.
    forests : ForestStep, default=None
        What follows ``module`` in point estimates.
    donors : DonorStep, default=None
        What follows ``drawer`` in draws.
    """

    def __init__(
        self,
        module: nn.Module | None,
        spans: Sequence[Span],
        settings: RemaskSettings | GainSettings,
        history: list[dict[str, Any]],
        n_steps: int,
        stop_reason: str | None,
        drawer: Drawer | None = None,
        calibration: Calibration | None = None,
        forests: ForestStep | None = None,
        donors: DonorStep | None = None,
    ) -> None:
        self.module = module
        self.spans = tuple(spans)
        self.settings = settings
        self.history = history
        self.n_steps = n_steps
        self.stop_reason = stop_reason
        self.drawer = drawer
        self.calibration = calibration
        self.forests = forests
        self.donors = donors

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
            return cls(trained.module, spans, settings, trained.history.rows, trained.n_steps, trained.stop_reason)
        trained = train_remask(rows, seen, held_out, spans, settings, run, module)
        point: Any = trained.module
        seed = int(torch.randint(2**31 - 1, (1,), generator=run.generator))
        drawer, drawing = train_drawer(point.float(), trained.pool, spans, settings, run)
        history = trained.history.rows + [{"stage": "draws", **row} for row in drawing.rows]
        model = cls(drawer.point, spans, settings, history, trained.n_steps, trained.stop_reason, drawer)
        model.calibration = Calibration.measure(drawer, rows, seen, held_out, spans, seed=0)
        model._own_base, model._seed = trained.own_base, seed
        model._may_grow = trained.pool is not None and not run.time_is_up
        if settings.n_trees and model._may_grow:
            model.forests = fit_forests(values, training, validation, model.predict, spans, settings.n_trees, seed)
        return model

    _own_base = False
    _may_grow = False
    _seed = 0

    def finish(self, values: np.ndarray, mask: np.ndarray) -> None:
        """Use the held-out cells too, once they have done their service, where that is safe."""
        if isinstance(self.module, BasedGenerator):
            shown = torch.from_numpy(mask).float()
            use_all_cells(self.module, torch.from_numpy(values), shown, self.spans, base=self._own_base)
        if not isinstance(self.settings, RemaskSettings):
            return
        if self.forests is not None:
            share, self.forests = self.forests.share, None
            self.forests = grow_forests(
                values, mask, self.predict, self.spans, share, n_trees=self.settings.n_trees, seed=self._seed
            )
        if self._may_grow and self.settings.n_donor_trees:
            self.donors = grow_donors(
                values,
                mask,
                partial(self.draw, seed=self._seed),
                self.spans,
                n_trees=self.settings.n_donor_trees,
                seed=self._seed,
            )

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
        for rows in self._chunks(mask):
            shown = torch.from_numpy(mask[rows]).double()
            filled = self._forward(torch.from_numpy(result[rows]), shown)
            result[rows] = (filled if self.forests is None else self.forests(filled, shown)).numpy()
        return result

    @torch.no_grad()
    def draw(self, values: np.ndarray, mask: np.ndarray, n_draws: int, seed: int) -> np.ndarray:
        """Draws of all slots, of shape (n_draws, n, width): numbers, and one-hot blocks."""
        result = np.repeat(values.astype(np.float64)[np.newaxis], n_draws, axis=0)
        if not self.spans:
            return result
        drawer = self._drawer()
        generator = make_generator(seed)
        for rows in self._chunks(mask):
            shown = torch.from_numpy(mask[rows]).double()
            given = torch.from_numpy(values[rows]).double()
            for k, scores in enumerate(draw_scores(drawer, given, shown, n_draws, generator, self.forests)):
                drawn = drawer.point.base.unscored(scores)
                result[k, rows] = (drawn if self.donors is None else self.donors(drawn, shown, generator)).numpy()
        return result

    @torch.no_grad()
    def intervals(
        self, values: np.ndarray, mask: np.ndarray, coverages: Sequence[float], seed: int
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Lower and upper ends per coverage for numeric slots, of shape (n, width) each; elsewhere the encoded values."""
        ends = [(values.astype(np.float64), values.astype(np.float64)) for _ in coverages]
        if not self.spans:
            return ends
        drawer = self._drawer()
        assert self.calibration is not None
        factors = torch.zeros(len(coverages), total_width(self.spans), dtype=torch.float64)
        for j, span in enumerate(self.spans):
            if span.kind == "numeric":
                factors[:, span.start] = torch.tensor([self.calibration.factor(j, coverage) for coverage in coverages])
        generator = make_generator(seed)
        base = drawer.point.base
        for rows in self._chunks(mask):
            shown = torch.from_numpy(mask[rows]).double()
            given = torch.from_numpy(values[rows]).double()
            scores = draw_scores(drawer, given, shown, Calibration.N_DRAWS, generator)
            mean, spread = scores.mean(0), scores.std(0)
            for (lower, upper), factor in zip(ends, factors, strict=True):
                low, high = (base.unscored(mean + sign * factor * spread).numpy() for sign in (-1, 1))
                # Slots are single precision: without a hair's breadth an end that falls on a tied value would miss it.
                lower[rows], upper[rows] = low - 1e-6 * (1 + np.abs(low)), high + 1e-6 * (1 + np.abs(high))
        return ends

    def to_state(self) -> dict[str, Any]:
        """Plain data and tensors for a model file."""
        trained = self.drawer if self.drawer is not None else self.module
        return {
            "objective": self.objective,
            "settings": {name: getattr(self.settings, name) for name in self.settings.__dataclass_fields__},
            "spans": [[span.kind, span.start, span.stop] for span in self.spans],
            "weights": None if trained is None else trained.state_dict(),
            "n_keys": self._n_keys(),
            "forests": None if self.forests is None else self.forests.state_dict(),
            "donors": None if self.donors is None else self.donors.state_dict(),
            "calibration": None if self.calibration is None else self.calibration.residuals,
            "history": self.history,
            "n_steps": self.n_steps,
            "stop_reason": self.stop_reason,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ImputationModel:
        """Rebuild what `to_state` described."""
        spans = [Span(*span) for span in state["spans"]]
        rest = state["history"], state["n_steps"], state["stop_reason"]
        settings: RemaskSettings | GainSettings
        if state["objective"] == "paper":
            settings = GainSettings(**state["settings"])
            if not spans:
                return cls(None, spans, settings, *rest)
            module = build_gain(spans, settings, make_generator(0)).double()
            module.load_state_dict(state["weights"])
            return cls(module.eval(), spans, settings, *rest)
        settings = RemaskSettings(**state["settings"])
        if not spans:
            return cls(None, spans, settings, *rest)
        drawer = Drawer(
            build_remask(spans, settings, state["n_keys"]), width=settings.width, generator=make_generator(0)
        ).double()
        drawer.load_state_dict(state["weights"])
        drawer.eval()
        forests = None if state["forests"] is None else ForestStep.stored(spans, state["forests"])
        donors = None if state["donors"] is None else DonorStep.stored(spans, state["donors"])
        return cls(drawer.point, spans, settings, *rest, drawer, Calibration(state["calibration"]), forests, donors)

    def _n_keys(self) -> int:
        neighbours = getattr(self.module, "neighbours", None)
        return 0 if neighbours is None else len(neighbours.values)

    def _drawer(self) -> Drawer:
        if self.drawer is None:
            raise InvalidInputError(
                "objective='paper' gives one point estimate per cell and no draws (its noise has almost no effect); use the "
                "default objective for sample, predict_interval and sample_posterior=True."
            )
        return self.drawer

    def _forward(self, values: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        assert self.module is not None
        if isinstance(self.settings, RemaskSettings):
            return self.module(values, shown)
        slots = shown[:, span_index(self.spans)]
        # The mean of the noise that training put into hidden cells.
        return self.module(torch.where(slots > 0, values, 0.005), slots)

    def _chunks(self, mask: np.ndarray) -> list[np.ndarray]:
        """Rows with a gap, cut so that the base's (rows, width, width) matrices stay below about 100 MB."""
        gappy = np.flatnonzero(~mask.all(axis=1))
        size = int(np.clip(1.2e7 / total_width(self.spans) ** 2, 16, 4096))
        return [gappy[start : start + size] for start in range(0, len(gappy), size)]
