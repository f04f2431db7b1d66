"""The fitted chain behind `GAINImputer`: from encoded rows with missing cells to encoded rows without.

It knows stages by their contract (`tabgan.imputation.stages.stage`) and none by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tabgan.core.callbacks import OUT_OF_TIME
from tabgan.core.checkpoint import Stored, plain_value
from tabgan.core.run import Run
from tabgan.core.stage_bar import stage_bar
from tabgan.imputation.learning import Learning, MaskSettings
from tabgan.imputation.predicting import HeldOut, Move, Predictor
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages.stage import FittedStage, Rows, Stage, Trail, drawn_by, settings_of
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Chain", "n_tasks"]

_ROWS_AT_ONCE = 4096
_NUMBERS_AT_ONCE = 4e6


class Chain(Predictor):
    """Fitted stages in order.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    stages : dict of str to FittedStage
        By name, in order, in double precision on the CPU, so that how a call is cut into chunks changes a row's result by
        rounding alone.
    given : mapping of str to object
        Settings by name.
    held_out : HeldOut, default=None
        Held-out cells and their predictions, from before the stages were fitted to these cells too.
    """

    objective = "remask"

    def __init__(
        self,
        spans: Sequence[Span],
        stages: Mapping[str, FittedStage],
        given: Mapping[str, Any],
        held_out: HeldOut | None = None,
    ) -> None:
        trained = [(name, stage.trained) for name, stage in stages.items() if stage.trained is not None]
        first = trained[0][1] if trained else None
        history = [dict(row) for row in first.history] if first else []
        history += [{"stage": name, **row} for name, later in trained[1:] for row in later.history]
        reason = first.stop_reason if first else None if spans else "no column varies: there is nothing to learn"
        super().__init__(spans, history, first.n_steps if first else 0, reason, held_out)
        self.stages = dict(stages)
        self.given = dict(given)

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        training: np.ndarray,
        validation: np.ndarray,
        spans: Sequence[Span],
        stages: Sequence[Stage],
        given: Mapping[str, Any],
        run: Run,
        start: Chain | None = None,
    ) -> Self:
        """Fit the stages on training cells, judge them by held-out ones, then fit what stays on all cells.

        Parameters
        ----------
        values : ndarray of float32 of shape (n, width)
            Encoded rows, hidden slots 0.
        training, validation : ndarray of bool of shape (n, n_columns)
            Disjoint masks of the observed cells: to learn from, and to judge by.
        spans : sequence of Span
            Layout of the slots.
        stages : sequence of Stage
            In order.
        given : mapping of str to object
            Settings by name, of all stages.
        run : Run
            Randomness, device and deadline.
        start : Chain, default=None
            A chain to go on from.
        """
        given = known_settings(stages, given)
        if len({stage.name for stage in stages}) < len(stages):
            raise ValueError("two stages have the same name; name them apart.")
        if not spans:
            return cls(spans, {}, given)
        rows, seen, held_out = torch.from_numpy(values), *(torch.from_numpy(m).float() for m in (training, validation))
        seed = int(torch.randint(2**31 - 1, (), generator=run.generator))
        earlier = () if start is None else tuple(start.stages.values())
        first = Learning(rows, seen, held_out, spans, run, given, seed=seed, earlier=earlier)
        with stage_bar(run.verbose, n_tasks(stages), run.follower) as entering:
            fitted: dict[str, FittedStage] = {}
            for stage in stages:
                if stage.judged and not (stage.waits and run.time_is_up):
                    entering(f"learning: {stage.name}")
                    if (done := stage.fit(first)) is not None:
                        fitted[stage.name] = done
                        first.stages.append(done)
            entering("judging by held-out cells")
            judged = HeldOut.of(first.judged.rows.numbers, first.judged_cells, first.judged.last.completed)
            second = Learning(rows, seen + held_out, torch.zeros_like(held_out), spans, run, given, seed=seed)
            final: dict[str, FittedStage] = {}
            for stage in stages:
                entering(f"all cells: {stage.name}")
                if stage.name in fitted:
                    last = fitted[stage.name].refit(second)
                elif stage.judged or not first.worthwhile or (stage.waits and run.time_is_up):
                    continue
                elif (grown := stage.fit(second)) is not None:
                    last = grown
                else:
                    continue
                final[stage.name] = last.in_dtype(torch.float64)
                second.stages.append(final[stage.name])
        chain = cls(spans, final, given, judged)
        if run.time_is_up and chain.stop_reason is None:
            chain.stop_reason = OUT_OF_TIME  # stages were left out
        return chain

    def predict(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Point estimates; see `Predictor.predict`."""
        result = values.astype(np.float64)
        for rows, trail in self._trails(values, mask):
            result[rows] = trail.last.completed.numpy()
        return result

    def draw(
        self, values: np.ndarray, mask: np.ndarray, noise: RowNoise, moves: Mapping[int, Move] | None = None
    ) -> np.ndarray:
        """Draws; see `Predictor.draw`."""
        result = np.repeat(values.astype(np.float64)[np.newaxis], noise.n_draws, axis=0)
        for rows, trail in self._trails(values, mask, noise.n_draws):
            drawn = drawn_by(trail.stages, trail, noise.take(rows))
            result[:, rows] = (self._following(trail, drawn, noise.take(rows), moves) if moves else drawn).numpy()
        return result

    def _following(self, trail: Trail, drawn: Tensor, noise: RowNoise, moves: Mapping[int, Move]) -> Tensor:
        """Draws in which the other hidden cells of a row are drawn given those that are moved; these come back where they were."""
        visible = trail.rows.visible
        moved, fixed = drawn.clone(), visible.clone()
        for j, move in moves.items():
            hidden, slot = visible[:, j] <= 0, self.spans[j].start
            cells = drawn[:, hidden, slot]
            moved[:, hidden, slot] = torch.from_numpy(move(cells.flatten().numpy())).to(cells).view_as(cells)
            fixed[:, j] = 1
        rows = ((fixed > visible).any(1) & (fixed <= 0).any(1)).nonzero()[:, 0]
        if len(rows):
            part, followed = trail.take(rows), moved[:, rows]
            for stage in trail.stages:
                followed = stage.follow(part, followed, fixed[rows], noise.take(rows.numpy()))
            moved[:, rows] = followed
        still = torch.tensor([span.start for j, span in enumerate(self.spans) if j in moves])
        moved[:, :, still] = drawn[:, :, still]
        return moved

    def intervals(
        self, values: np.ndarray, mask: np.ndarray, coverages: Sequence[float], noise: RowNoise
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Intervals; see `Predictor.intervals`."""
        ends = [(values.astype(np.float64), values.astype(np.float64)) for _ in coverages]
        for rows, trail in self._trails(values, mask):
            found = [stage.intervals(trail, coverages, noise.take(rows)) for stage in trail.stages]
            for (lower, upper), (low, high) in zip(ends, next(f for f in found if f is not None), strict=True):
                lower[rows], upper[rows] = low.numpy(), high.numpy()
        return ends

    def to_state(self) -> dict[str, Any]:
        """Plain data and tensors for a model file."""
        return self.facts_to_state() | {
            "settings": plain_value(self.given),
            "stages": {name: stage.state() for name, stage in self.stages.items()},
        }

    @classmethod
    def from_state(cls, state: Stored, stages: Sequence[Stage]) -> Self:
        """Rebuild what `to_state` described; takes out all that it knows.

        Raises
        ------
        ModelFileError
            It holds a stage or a setting that these stages do not know.
        """
        spans, stored, settings = cls.spans_from_state(state), state.pop("stages"), state.pop("settings")
        stored.refuse(set(stored) - {stage.name for stage in stages})
        settings.refuse(set(settings) - set(known_settings(stages, {})))
        given = known_settings(stages, settings)
        restored = {s.name: s.restore(stored[s.name], spans, given) for s in stages if s.name in stored}
        chain = cls(spans, restored, given)
        chain.facts_from_state(state)
        return chain

    def _trails(self, values: np.ndarray, mask: np.ndarray, n_draws: int = 1) -> Iterator[tuple[np.ndarray, Trail]]:
        """Rows with a hidden cell, some at a time; other rows stay as they are."""
        if not self.spans:
            return
        gappy = np.flatnonzero(~mask.all(axis=1))
        size = int(np.clip(_NUMBERS_AT_ONCE / (n_draws * total_width(self.spans)), 16, _ROWS_AT_ONCE))
        for begin in range(0, len(gappy), size):
            rows = gappy[begin : begin + size]
            given = Rows(torch.from_numpy(values[rows]).double(), torch.from_numpy(mask[rows]).double())
            yield rows, Trail(given, list(self.stages.values()))


def n_tasks(stages: Sequence[Stage]) -> int:
    """How often stages are entered: those that are judged, the judging, and all of them on all cells."""
    return sum(stage.judged for stage in stages) + 1 + len(stages)


def known_settings(stages: Sequence[Stage], given: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of some stages by name, with their defaults where nothing is given; whatever else is given is left out.

    Raises
    ------
    ValueError
        Two stages give one name different defaults: they would share what is meant for one of them.
    """
    found: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for kind in (MaskSettings, *(kind for stage in stages for kind in stage.all_settings)):
        own: Any = settings_of(kind, given)
        plain: Any = kind()
        for one in fields(kind):
            if defaults.setdefault(one.name, getattr(plain, one.name)) != getattr(plain, one.name):
                raise ValueError(
                    f"two stages have a setting {one.name!r} with different defaults; give one another name."
                )
            found[one.name] = getattr(own, one.name)
    return found
