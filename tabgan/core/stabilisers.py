"""Tricks that keep two players from running away, as wrappers around a task; they compose, and are off unless used.

A wrapper is a task, and its batches are the inner task's in a `WrappedBatch`. Hand the outermost one to the trainer *and* to the phase
losses. Randomness is drawn with the batch, so asking twice about one batch gives one answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import torch
from torch import Tensor

from tabgan.core.cases import BatchT, Case, Players
from tabgan.core.tasks import Fakes, GeneratingTask, GenerationBatch
from tabgan.exceptions import InvalidParameterError
from tabgan.verdict import Verdict

__all__ = ["FlippedLabels", "InstanceNoise", "Lens", "ReplayPool", "SmoothedLabels", "TaskWrapper", "WrappedBatch"]


@dataclass
class WrappedBatch(Generic[BatchT]):
    """The batch of the task inside, and what the wrapper around it draws on.

    Parameters
    ----------
    inner : batch
        Of the task inside.
    seed : int
        Of the wrapper's own random numbers for this batch.
    strength : float, default=1.0
        How strongly a wrapper that fades out acts on this batch.
    """

    inner: BatchT
    seed: int
    strength: float = 1.0

    def draw(self, stream: int = 0) -> torch.Generator:
        """The wrapper's own random numbers, the same at every call; another ``stream`` gives others."""
        return torch.Generator().manual_seed(self.seed + stream)


class TaskWrapper(Generic[BatchT]):
    """Base class: everything is passed on to the task inside.

    Parameters
    ----------
    task : GeneratingTask
        The task inside, possibly a wrapper itself. What is not asked of the wrapper (``fakes``, ``penalty_inputs``) it need not have.
    """

    def __init__(self, task: GeneratingTask[BatchT]) -> None:
        self.task = task

    def batch(self, generator: torch.Generator) -> WrappedBatch[BatchT]:
        """The inner task's batch, and a seed for what this wrapper draws."""
        inner = self.task.batch(generator)
        return WrappedBatch(inner, int(torch.randint(2**62, (1,), generator=generator)))

    def discriminator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> Sequence[Case]:
        """The inner task's."""
        return self.task.discriminator_cases(players, batch.inner)

    def generator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> Sequence[Case]:
        """The inner task's."""
        return self.task.generator_cases(players, batch.inner)

    def penalty_inputs(
        self, players: Players, batch: WrappedBatch[BatchT]
    ) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The inner task's."""
        return self.task.penalty_inputs(players, batch.inner)

    def fakes(self, players: Players, batch: WrappedBatch[BatchT]) -> Fakes:
        """The inner task's."""
        return self.task.fakes(players, batch.inner)

    def showing(
        self, batch: WrappedBatch[BatchT], *, real: Tensor | None = None, fakes: Fakes | None = None
    ) -> WrappedBatch[BatchT]:
        """The same batch, the inner one with other rows."""
        return dataclasses.replace(batch, inner=self.task.showing(batch.inner, real=real, fakes=fakes))

    def drawn(self, batch: WrappedBatch[BatchT]) -> GenerationBatch:
        """The innermost batch."""
        return self.task.drawn(batch.inner)

    def state_dict(self) -> dict[str, Any]:
        """Own state and the inner task's, for a checkpoint."""
        task: Any = self.task
        inner = task.state_dict() if hasattr(task, "state_dict") else {}
        return {"own": self._own_state(), "task": inner}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._load_own_state(state["own"])
        if state["task"]:
            task: Any = self.task
            task.load_state_dict(state["task"])

    def _own_state(self) -> dict[str, Any]:
        return {}

    def _load_own_state(self, state: dict[str, Any]) -> None:
        pass


class SmoothedLabels(TaskWrapper[BatchT]):
    """One-sided label smoothing: the discriminator is to be only ``real_target`` sure of real elements.

    Parameters
    ----------
    task : AdversarialTask
        The task inside.
    real_target : float in (0, 1], default=0.9
        What a target of 1 becomes. A target of 0 stays 0: smoothing that side too would reward the discriminator for calling
        fakes real wherever there are no data.

    References
    ----------
    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.4: the best discriminator becomes
    ``real_target p / (p + q)``.
    """

    def __init__(self, task: GeneratingTask[BatchT], real_target: float = 0.9) -> None:
        super().__init__(task)
        if not 0 < real_target <= 1:
            raise InvalidParameterError(f"real_target={real_target} must lie in (0, 1].")
        self.real_target = real_target

    def discriminator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> list[Case]:
        """The inner cases with targets multiplied by ``real_target``."""
        cases = self.task.discriminator_cases(players, batch.inner)
        return [dataclasses.replace(case, target=case.target * self.real_target) for case in cases]


class FlippedLabels(TaskWrapper[BatchT]):
    """Swap "real" and "generated" for a random share of the rows that the discriminator learns from.

    Parameters
    ----------
    task : AdversarialTask
        The task inside.
    probability : float in [0, 0.5), default=0.05
        Of a flip, drawn per row and case. The best discriminator becomes ``((1 - p) p_data + p p_g) / (p_data + p_g)``.
    """

    def __init__(self, task: GeneratingTask[BatchT], probability: float = 0.05) -> None:
        super().__init__(task)
        if not 0 <= probability < 0.5:
            raise InvalidParameterError(f"probability={probability} must lie in [0, 0.5): from 0.5 on, labels lie.")
        self.probability = probability

    def discriminator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> list[Case]:
        """The inner cases, some rows' targets t replaced by 1 - t."""
        draw = batch.draw()
        return [self._flipped(case, draw) for case in self.task.discriminator_cases(players, batch.inner)]

    def _flipped(self, case: Case, draw: torch.Generator) -> Case:
        logits = next(
            part
            for part in (case.verdict.adversarial, case.verdict.classes, case.verdict.reconstruction)
            if part is not None
        )
        # One flip per row, broadcast over the row's cells or patches; class heads and autoencoders have one target per row.
        n_dimensions = 1 if case.verdict.adversarial is None else logits.ndim
        flip = torch.rand(len(logits), generator=draw).to(logits.device) < self.probability
        flip = flip.reshape(-1, *[1] * (n_dimensions - 1))
        target = torch.as_tensor(case.target, dtype=logits.dtype, device=logits.device)
        return dataclasses.replace(case, target=torch.where(flip, 1 - target, target))


class Lens(TaskWrapper[BatchT]):
    """Base class: the discriminator sees everything, real or not, in every phase, through a random change.

    Subclasses have ``seen(rows, batch, draw) -> rows``, through which gradients pass. The task inside must ask the player named
    ``"discriminator"``.
    """

    def seen(self, rows: Tensor, batch: WrappedBatch[BatchT], draw: torch.Generator) -> Tensor:
        """What the discriminator gets to see of these rows."""
        raise NotImplementedError

    def discriminator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> Sequence[Case]:
        """The inner cases, seen through the lens."""
        return self.task.discriminator_cases(self._behind(players, batch, 0), batch.inner)

    def generator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> Sequence[Case]:
        """The inner cases, seen through the lens."""
        return self.task.generator_cases(self._behind(players, batch, 1), batch.inner)

    def penalty_inputs(
        self, players: Players, batch: WrappedBatch[BatchT]
    ) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The inner inputs; the judge looks through the lens."""
        return self.task.penalty_inputs(self._behind(players, batch, 2), batch.inner)

    def _behind(self, players: Players, batch: WrappedBatch[BatchT], stream: int) -> Players:
        draw = batch.draw(stream)
        judge = players["discriminator"]

        def looking(rows: Tensor, *others: Any) -> Verdict:
            return judge(self.seen(rows, batch, draw), *others)

        return {**players, "discriminator": looking}


class InstanceNoise(Lens[BatchT]):
    """Normal noise on everything that the discriminator looks at, in both phases, fading out.

    Parameters
    ----------
    task : AdversarialTask
        The task inside.
    scale : float, default=0.1
        Standard deviation at the start, in units of the data.
    n_batches : int, default=10000
        After so many batches the noise is gone; it falls linearly. A trainer step draws one batch per phase step, so with one
        step of either player 10000 batches are 5000 trainer steps.

    References
    ----------
    Sønderby et al. 2017, "Amortised MAP Inference for Image Super-Resolution", section 3.2; Arjovsky and Bottou 2017.
    """

    def __init__(self, task: GeneratingTask[BatchT], scale: float = 0.1, n_batches: int = 10_000) -> None:
        super().__init__(task)
        if not scale >= 0:
            raise InvalidParameterError(f"scale={scale} must not be negative.")
        if n_batches < 1:
            raise InvalidParameterError(f"n_batches={n_batches} must be at least 1.")
        self.scale = scale
        self.n_batches = n_batches
        self._drawn = 0

    @property
    def current_scale(self) -> float:
        """Standard deviation of the next batch's noise."""
        return self.scale * max(0.0, 1 - self._drawn / self.n_batches)

    def batch(self, generator: torch.Generator) -> WrappedBatch[BatchT]:
        """The inner batch; the noise's scale is fixed with it."""
        batch = dataclasses.replace(super().batch(generator), strength=self.current_scale)
        self._drawn += 1
        return batch

    def seen(self, rows: Tensor, batch: WrappedBatch[BatchT], draw: torch.Generator) -> Tensor:
        """With noise added."""
        if not batch.strength:
            return rows
        return rows + batch.strength * torch.randn(rows.shape, generator=draw).to(rows)

    def _own_state(self) -> dict[str, Any]:
        return {"drawn": self._drawn}

    def _load_own_state(self, state: dict[str, Any]) -> None:
        self._drawn = state["drawn"]


class ReplayPool(TaskWrapper[BatchT]):
    """Show the discriminator older fakes beside new ones, so that it does not forget what the generator did before.

    Parameters
    ----------
    task : GeneratingTask
        The task inside.
    capacity : int, default=50
        Fakes kept, each with its condition and class.
    share : float in [0, 1], default=0.5
        Probability with which a new fake changes places with a random one of the full pool.

    Notes
    -----
    The generator's own phase and penalties see new fakes only. Of a batch at most ``capacity`` rows are exchanged.

    References
    ----------
    Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial Training", section 2.3; the
    exchange as in the CycleGAN authors' code.
    """

    def __init__(self, task: GeneratingTask[BatchT], capacity: int = 50, share: float = 0.5) -> None:
        super().__init__(task)
        if capacity < 1:
            raise InvalidParameterError(f"capacity={capacity} must be at least 1.")
        if not 0 <= share <= 1:
            raise InvalidParameterError(f"share={share} must lie in [0, 1].")
        self.capacity = capacity
        self.share = share
        self._pool: dict[str, Tensor] = {}

    def __len__(self) -> int:
        """Fakes in the pool."""
        return len(self._pool["rows"]) if self._pool else 0

    def discriminator_cases(self, players: Players, batch: WrappedBatch[BatchT]) -> Sequence[Case]:
        """The inner cases, some fakes being old ones; those that were given to the batch are shown as they are."""
        inner = batch.inner
        if self.task.drawn(inner).fakes is None:
            with torch.no_grad():
                fakes = self._exchanged(self.task.fakes(players, inner), batch.draw())
            inner = self.task.showing(inner, fakes=fakes)
        return self.task.discriminator_cases(players, inner)

    def _exchanged(self, fakes: Fakes, draw: torch.Generator) -> Fakes:
        new = {field.name: getattr(fakes, field.name) for field in dataclasses.fields(Fakes)}
        new = {name: part.clone() for name, part in new.items() if part is not None}
        self._pool = {name: part.to(new[name]) for name, part in self._pool.items()}  # a checkpoint is read on the CPU
        if self._pool and self._pool["rows"].shape[1:] != new["rows"].shape[1:]:
            self._pool = {}  # of an earlier stage, which made smaller images
        n, kept = len(fakes.rows), len(self)
        room = min(self.capacity - kept, n)
        swapped = torch.rand(n, generator=draw) < self.share
        swapped[:room] = False  # these fill the pool and are shown themselves, so nobody may fetch them now
        leaving = swapped.nonzero()[:kept, 0].to(fakes.rows.device)
        slots = torch.randperm(kept, generator=draw)[: len(leaving)].to(fakes.rows.device)
        for name, part in new.items():
            if room:
                self._pool[name] = torch.cat([self._pool[name], part[:room]]) if kept else part[:room].clone()
            stored = self._pool[name][slots]
            self._pool[name][slots] = part[leaving]
            part[leaving] = stored
        return Fakes(**new)

    def _own_state(self) -> dict[str, Any]:
        return {"pool": {name: part.clone() for name, part in self._pool.items()}}

    def _load_own_state(self, state: dict[str, Any]) -> None:
        self._pool = {name: part.clone() for name, part in state["pool"].items()}
