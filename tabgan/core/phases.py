"""Phases: "five discriminator steps, then one generator step" as data, and the losses that phases minimise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from tabgan.core.adam import FusedAdamW
from tabgan.core.cases import BatchT, BatchT_co, BatchT_contra, Case, Players
from tabgan.core.losses import LossPair
from tabgan.core.muon import Muon
from tabgan.core.penalties import PENALTIES, CasePenalty, Penalty
from tabgan.verdict import Verdict

__all__ = [
    "AdversarialTask",
    "DiscriminatorLoss",
    "GeneratorLoss",
    "Optimizer",
    "OptimizerSpec",
    "PenalizedTask",
    "Phase",
    "PhaseLoss",
    "Task",
    "Term",
    "TermLoss",
    "cosine_schedule",
]

Optimizer = torch.optim.Optimizer | FusedAdamW


class Task(Protocol[BatchT_co]):
    """Where batches come from and what the discriminator is asked about them.

    Hints, masks, mismatched pairs, image pools and class balance live here, so that the trainer needs no special case. Batches are
    of the task's own class; whatever its losses share within a step (see `tabgan.core.cases.Shared`) is a field of it.
    A task with a state of its own (a pool, a sampler position) also has ``state_dict`` and ``load_state_dict``.
    """

    def batch(self, generator: torch.Generator) -> BatchT_co:
        """Draw a batch; called anew for every phase step."""
        ...


class AdversarialTask(Task[BatchT], Protocol[BatchT]):
    """A task with a discriminator."""

    def discriminator_cases(self, players: Players, batch: BatchT) -> Sequence[Case]:
        """What the discriminator is asked in its own phase; generated data carry no gradient."""
        ...

    def generator_cases(self, players: Players, batch: BatchT) -> Sequence[Case]:
        """What the discriminator is asked in the generator's phase; gradients reach the generator."""
        ...


@runtime_checkable
class PenalizedTask(AdversarialTask[BatchT], Protocol[BatchT]):
    """A task whose discriminator can be penalised on its input."""

    def penalty_inputs(self, players: Players, batch: BatchT) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """``(judge, real, fake)`` with the condition bound inside ``judge``."""
        ...


class PhaseLoss(Protocol[BatchT_contra]):
    """What a phase minimises: named scalar terms, summed by the trainer."""

    def __call__(
        self, players: Mapping[str, nn.Module], batch: BatchT_contra, generator: torch.Generator, step: int
    ) -> dict[str, Tensor]:
        """Scalar terms by name, already weighted."""
        ...


@dataclass(frozen=True)
class Term(Generic[BatchT]):
    """One further term of a phase's loss.

    Parameters
    ----------
    name : str
        Its name in the history.
    function : callable
        ``function(players, batch) -> Tensor of shape ()``.
    weight : float, default=1.0
        Its factor.
    """

    name: str
    function: Callable[[Players, BatchT], Tensor]
    weight: float = 1.0


@dataclass
class DiscriminatorLoss(Generic[BatchT]):
    """The discriminator's half of a loss pair, plus penalties.

    Parameters
    ----------
    loss : LossPair
        The pair.
    task : AdversarialTask
        Supplies the cases; a `PenalizedTask` where there are penalties.
    penalties : sequence of Penalty or CasePenalty, default=()
        Added with their weights.
    terms : sequence of Term, default=()
        Further terms (class losses of AC-GAN, for example).
    name : str, default="discriminator"
        Prefix in the history.
    """

    loss: LossPair
    task: AdversarialTask[BatchT]
    penalties: Sequence[Penalty | CasePenalty] = ()
    terms: Sequence[Term[BatchT]] = ()
    name: str = "discriminator"

    def __call__(self, players: Players, batch: BatchT, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """Weighted terms by name."""
        cases = self.task.discriminator_cases(players, batch)
        terms = {self.name: self.loss.discriminator_loss(cases)}
        self.loss.after_phase(self.name, cases)
        for penalty in self.penalties:
            if isinstance(penalty, CasePenalty):
                terms[f"{self.name}/{penalty.name}"] = penalty.weight * penalty(cases)
                continue
            if step % penalty.every:
                continue
            if not isinstance(self.task, PenalizedTask):
                raise TypeError(
                    f"a penalty needs a task with `penalty_inputs`, which {type(self.task).__name__} has not"
                )
            judge, real, fake = self.task.penalty_inputs(players, batch)
            value = PENALTIES[penalty.name](judge, real, fake, generator)
            terms[f"{self.name}/{penalty.name}"] = penalty.weight * penalty.every * value
        return terms | _weighed(self.terms, players, batch)


@dataclass
class GeneratorLoss(Generic[BatchT]):
    """The generator's half of a loss pair, plus further terms such as a reconstruction.

    Parameters
    ----------
    loss : LossPair
        The pair.
    task : AdversarialTask
        Supplies the cases.
    weight : float, default=1.0
        Factor of the adversarial term; 0 leaves it out altogether.
    terms : sequence of Term, default=()
        Further terms.
    name : str, default="generator"
        Prefix in the history.
    """

    loss: LossPair
    task: AdversarialTask[BatchT]
    weight: float = 1.0
    terms: Sequence[Term[BatchT]] = ()
    name: str = "generator"

    def __call__(self, players: Players, batch: BatchT, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """Weighted terms by name."""
        values: dict[str, Tensor] = {}
        if self.weight:
            cases = self.task.generator_cases(players, batch)
            values[self.name] = self.weight * self.loss.generator_loss(cases)
            self.loss.after_phase(self.name, cases)
        return values | _weighed(self.terms, players, batch)


@dataclass
class TermLoss(Generic[BatchT]):
    """A loss without an adversary, for one-player phases: autoencoders, regressions, pre-training.

    Parameters
    ----------
    terms : sequence of Term
        What is summed.
    """

    terms: Sequence[Term[BatchT]]

    def __call__(self, players: Players, batch: BatchT, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """Weighted terms by name."""
        return _weighed(self.terms, players, batch)


def _weighed(terms: Sequence[Term[BatchT]], players: Players, batch: BatchT) -> dict[str, Tensor]:
    return {term.name: term.weight * term.function(players, batch) for term in terms}


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimiser as data, so that recipes and checkpoints can carry it.

    Parameters
    ----------
    name : {"adam", "muon", "rmsprop", "sgd"}, default="adam"
        Adam has decoupled weight decay (AdamW) and runs fused where torch allows: on small networks the optimiser is a
        third of the step otherwise. Muon is for hidden layers of some size (`tabgan.core.muon`).
    learning_rate : float, default=2e-4
        Before the phase's schedule.
    betas : tuple of float, default=(0.5, 0.999)
        Of Adam and Muon; the first is SGD's momentum.
    weight_decay : float, default=0.0
        Adam and Muon: decoupled decay per step, times the learning rate. RMSprop and SGD: added to the gradient, as torch does.
    """

    name: str = "adam"
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0

    def build(self, parameters: Sequence[nn.Parameter]) -> Optimizer:
        """The optimiser over ``parameters``."""
        if self.name == "adam":
            options: dict[str, Any] = {"lr": self.learning_rate, "betas": self.betas, "weight_decay": self.weight_decay}
            if all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters):
                return FusedAdamW(parameters, **options)
            return torch.optim.AdamW(parameters, **options)
        if self.name == "muon":
            return Muon(parameters, lr=self.learning_rate, betas=self.betas, weight_decay=self.weight_decay)
        if self.name == "rmsprop":
            return torch.optim.RMSprop(parameters, lr=self.learning_rate, weight_decay=self.weight_decay)
        if self.name == "sgd":
            return torch.optim.SGD(
                parameters, lr=self.learning_rate, momentum=self.betas[0], weight_decay=self.weight_decay
            )
        raise ValueError(f"optimizer name {self.name!r} is not one of 'adam', 'muon', 'rmsprop', 'sgd'")


@dataclass
class Phase(Generic[BatchT]):
    """Some steps of one player (or of several under one optimiser).

    Parameters
    ----------
    player : str or tuple of str
        Whose parameters move; all other players are frozen meanwhile.
    loss : PhaseLoss
        What is minimised.
    optimizer : OptimizerSpec, default=OptimizerSpec()
        How.
    n_steps : int, default=1
        Updates per trainer step (n_critic of WGAN), each on a fresh batch.
    every : int, default=1
        Run on every k-th trainer step only.
    start, stop : int, default=0 and None
        Trainer steps ``start <= step < stop`` in which the phase runs: pre-training is a phase with a stop.
    schedule : callable, default=None
        Maps the trainer step to a factor on the learning rate.
    max_grad_norm : float, default=None
        Clip the joint gradient norm.
    after_step : sequence of callables, default=()
        Called with the player after each update (`tabgan.core.penalties.WeightClip`).
    """

    player: str | tuple[str, ...]
    loss: PhaseLoss[BatchT]
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    n_steps: int = 1
    every: int = 1
    start: int = 0
    stop: int | None = None
    schedule: Callable[[int], float] | None = None
    max_grad_norm: float | None = None
    after_step: Sequence[Callable[[nn.Module], None]] = ()

    @property
    def players(self) -> tuple[str, ...]:
        """The moving players' names."""
        return (self.player,) if isinstance(self.player, str) else self.player

    def runs_at(self, step: int) -> bool:
        """Whether the phase takes part in trainer step ``step``."""
        return self.start <= step and (self.stop is None or step < self.stop) and step % self.every == 0


def cosine_schedule(n_steps: int, *, warmup: int = 0) -> Callable[[int], float]:
    """Linear warm-up over ``warmup`` steps, then half a cosine from 1 down to 0 at ``n_steps``."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        progress = min((step - warmup) / max(n_steps - warmup, 1), 1.0)
        return 0.5 * (1 + math.cos(math.pi * progress))

    return factor
