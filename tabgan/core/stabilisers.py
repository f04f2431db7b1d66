"""Tricks that keep two players from running away, as wrappers around a task; they compose, and are off unless used.

A wrapper is a task. Hand the outermost one to the trainer *and* to the phase losses. Randomness is drawn with the batch, so
asking twice about one batch gives one answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Case, Players
from tabgan.core.tasks import Fakes
from tabgan.exceptions import InvalidParameterError
from tabgan.verdict import Verdict

__all__ = ["FlippedLabels", "InstanceNoise", "Lens", "ReplayPool", "SmoothedLabels", "TaskWrapper"]


class TaskWrapper:
    """Base class: everything is passed on to the task inside.

    Parameters
    ----------
    task : AdversarialTask
        The task inside, possibly a wrapper itself.
    """

    def __init__(self, task: Any) -> None:
        self.task = task

    def __getattr__(self, name: str) -> Any:
        """Whatever else the task inside can do (``fakes``, ``reconstruction``, ...)."""
        if name == "task":  # while a copy is being made there is nothing inside yet
            raise AttributeError(name)
        return getattr(self.task, name)

    def batch(self, generator: torch.Generator) -> Batch:
        """The inner task's batch, and a seed for what this wrapper draws."""
        batch = self.task.batch(generator)
        batch.extras[self._key] = int(torch.randint(2**62, (1,), generator=generator))
        return batch

    def discriminator_cases(self, players: Players, batch: Batch) -> Sequence[Case]:
        """The inner task's."""
        return self.task.discriminator_cases(players, batch)

    def generator_cases(self, players: Players, batch: Batch) -> Sequence[Case]:
        """The inner task's."""
        return self.task.generator_cases(players, batch)

    def penalty_inputs(self, players: Players, batch: Batch) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The inner task's."""
        return self.task.penalty_inputs(players, batch)

    def state_dict(self) -> dict[str, Any]:
        """Own state and the inner task's, for a checkpoint."""
        inner = self.task.state_dict() if hasattr(self.task, "state_dict") else {}
        return {"own": self._own_state(), "task": inner}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._load_own_state(state["own"])
        if state["task"]:
            self.task.load_state_dict(state["task"])

    @property
    def _key(self) -> str:
        # By depth, not by id: a copy of the wrapper must find what the original drew.
        inner = self.task._key.count("/") + 1 if isinstance(self.task, TaskWrapper) else 0
        return f"{type(self).__name__}{'/' * inner}"

    def _draw(self, batch: Batch) -> torch.Generator:
        """The wrapper's own random numbers for the batch, the same at every call."""
        return torch.Generator().manual_seed(batch.extras[self._key])

    def _own_state(self) -> dict[str, Any]:
        return {}

    def _load_own_state(self, state: dict[str, Any]) -> None:
        pass


class SmoothedLabels(TaskWrapper):
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

    def __init__(self, task: Any, real_target: float = 0.9) -> None:
        super().__init__(task)
        if not 0 < real_target <= 1:
            raise InvalidParameterError(f"real_target={real_target} must lie in (0, 1].")
        self.real_target = real_target

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """The inner cases with targets multiplied by ``real_target``."""
        cases = self.task.discriminator_cases(players, batch)
        return [dataclasses.replace(case, target=case.target * self.real_target) for case in cases]


class FlippedLabels(TaskWrapper):
    """Swap "real" and "generated" for a random share of the rows that the discriminator learns from.

    Parameters
    ----------
    task : AdversarialTask
        The task inside.
    probability : float in [0, 0.5), default=0.05
        Of a flip, drawn per row and case. The best discriminator becomes ``((1 - p) p_data + p p_g) / (p_data + p_g)``.
    """

    def __init__(self, task: Any, probability: float = 0.05) -> None:
        super().__init__(task)
        if not 0 <= probability < 0.5:
            raise InvalidParameterError(f"probability={probability} must lie in [0, 0.5): from 0.5 on, labels lie.")
        self.probability = probability

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """The inner cases, some rows' targets t replaced by 1 - t."""
        draw = self._draw(batch)
        return [self._flipped(case, draw) for case in self.task.discriminator_cases(players, batch)]

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


class Lens(TaskWrapper):
    """Base class: the discriminator sees everything, real or not, in every phase, through a random change.

    Subclasses have ``seen(rows, batch, draw) -> rows``, through which gradients pass. The task inside must ask the player named
    ``"discriminator"``.
    """

    def seen(self, rows: Tensor, batch: Batch, draw: torch.Generator) -> Tensor:
        """What the discriminator gets to see of these rows."""
        raise NotImplementedError

    def discriminator_cases(self, players: Players, batch: Batch) -> Sequence[Case]:
        """The inner cases, seen through the lens."""
        return self.task.discriminator_cases(self._behind(players, batch, 0), batch)

    def generator_cases(self, players: Players, batch: Batch) -> Sequence[Case]:
        """The inner cases, seen through the lens."""
        return self.task.generator_cases(self._behind(players, batch, 1), batch)

    def penalty_inputs(self, players: Players, batch: Batch) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The inner inputs; the judge looks through the lens."""
        return self.task.penalty_inputs(self._behind(players, batch, 2), batch)

    def _behind(self, players: Players, batch: Batch, stream: int) -> Players:
        draw = torch.Generator().manual_seed(batch.extras[self._key] + stream)
        judge = players["discriminator"]

        def looking(rows: Tensor, *others: Any) -> Verdict:
            return judge(self.seen(rows, batch, draw), *others)

        return {**players, "discriminator": looking}  # type: ignore[dict-item]


class InstanceNoise(Lens):
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

    def __init__(self, task: Any, scale: float = 0.1, n_batches: int = 10_000) -> None:
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

    def batch(self, generator: torch.Generator) -> Batch:
        """The inner batch; the noise's scale is fixed with it."""
        batch = super().batch(generator)
        batch.extras[f"{self._key}/scale"] = self.current_scale
        self._drawn += 1
        return batch

    def seen(self, rows: Tensor, batch: Batch, draw: torch.Generator) -> Tensor:
        """With noise added."""
        scale = batch.extras[f"{self._key}/scale"]
        return rows + scale * torch.randn(rows.shape, generator=draw).to(rows) if scale else rows

    def _own_state(self) -> dict[str, Any]:
        return {"drawn": self._drawn}

    def _load_own_state(self, state: dict[str, Any]) -> None:
        self._drawn = state["drawn"]


class ReplayPool(TaskWrapper):
    """Show the discriminator older fakes beside new ones, so that it does not forget what the generator did before.

    Parameters
    ----------
    task : AdversarialTask
        The task inside; it must have ``fakes(players, batch)`` and judge those that wait in ``batch.extras["fakes"]``.
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

    def __init__(self, task: Any, capacity: int = 50, share: float = 0.5) -> None:
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

    def discriminator_cases(self, players: Players, batch: Batch) -> Sequence[Case]:
        """The inner cases, some fakes being old ones."""
        if "fakes" not in batch.extras:
            with torch.no_grad():
                fakes = self._exchanged(self.task.fakes(players, batch), self._draw(batch))
            batch = dataclasses.replace(batch, extras=batch.extras | {"fakes": fakes})
        return self.task.discriminator_cases(players, batch)

    def _exchanged(self, fakes: Fakes, draw: torch.Generator) -> Fakes:
        new = {field.name: getattr(fakes, field.name) for field in dataclasses.fields(Fakes)}
        new = {name: part.clone() for name, part in new.items() if part is not None}
        self._pool = {name: part.to(new[name]) for name, part in self._pool.items()}  # a checkpoint is read on the CPU
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
