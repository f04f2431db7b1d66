"""Tasks of image-to-image and staged systems: pairs, cycles, and players that take turns under other names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

import torch
from torch import Tensor

from tabgan.core.cases import BatchT, Case, Players, Shared
from tabgan.core.stabilisers import ReplayPool, WrappedBatch
from tabgan.core.tasks import Fakes, Generating, GeneratingTask, GenerationBatch, GenerationTask, Rows, normal_prior

__all__ = ["CycleTask", "PairTask", "StageTask"]


@dataclass(kw_only=True)
class PairBatch(GenerationBatch):
    """Targets, and their sources as the condition; translations are made once for all terms.

    Parameters
    ----------
    real, noise, condition, fake_condition, fakes
        See `tabgan.core.tasks.GenerationBatch`.
    translated : Shared of Tensor
        The generator's forward pass.
    """

    translated: Shared[Tensor] = field(default_factory=Shared)


class PairTask(Generating[PairBatch]):
    """Translate sources into their targets; the source is the condition of both players.

    Parameters
    ----------
    targets, sources : Tensor of shape (n, c, h, w) and (n, c', h, w)
        Row by row.
    batch_size : int
        Rows per batch, drawn with replacement.
    d_noise : int
        Width of the noise.

    Notes
    -----
    The discriminator's cases weigh one half, which slows it down relative to the generator (Isola et al. 2017, section 3.3).
    """

    def __init__(self, targets: Rows, sources: Rows, batch_size: int, d_noise: int) -> None:
        self.pairs = GenerationTask(targets, normal_prior(d_noise), batch_size, sources)

    def batch(self, generator: torch.Generator) -> PairBatch:
        """Draw pairs, and noise."""
        return PairBatch(**vars(self.pairs.batch(generator)))

    def generate(self, players: Players, batch: PairBatch) -> Tensor:
        """Translations, made once per batch."""
        return batch.translated.get(lambda: super(PairTask, self).generate(players, batch))

    def discriminator_cases(self, players: Players, batch: PairBatch) -> list[Case]:
        """The two usual cases at half weight."""
        return [dataclasses.replace(case, scale=0.5) for case in super().discriminator_cases(players, batch)]

    def absolute_error(self, players: Players, batch: PairBatch) -> Tensor:
        """Mean absolute error of the translations."""
        return (self.generate(players, batch) - batch.real).abs().mean()

    def squared_error(self, players: Players, batch: PairBatch) -> Tensor:
        """Mean squared error of the translations."""
        return (self.generate(players, batch) - batch.real).square().mean()


@dataclass
class CycleBatch:
    """One batch per direction, whose noise is the images to translate; translations are made once for all terms.

    Parameters
    ----------
    there, back : WrappedBatch of GenerationBatch
        From the first domain to the second, and the other way.
    translated : Shared of two Fakes
        The generators' forward passes.
    """

    there: WrappedBatch[GenerationBatch]
    back: WrappedBatch[GenerationBatch]
    translated: Shared[tuple[Fakes, Fakes]] = field(default_factory=Shared)


class CycleTask:
    """Two domains without pairs, translated both ways.

    Parameters
    ----------
    first, second : Tensor of shape (n, c, h, w) and (m, c', h, w)
        The domains; ``generator`` goes from the first to the second, ``generator_back`` the other way, and ``discriminator``
        and ``discriminator_back`` judge what they make.
    batch_size : int
        Rows of either domain per batch, drawn with replacement.
    capacity : int, default=50
        Translations that each image pool keeps for the discriminators; half of those shown are old ones.

    References
    ----------
    Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", eq. 1-3; pools as in
    section 4, identity term as in section 5.2.
    """

    def __init__(self, first: Rows, second: Rows, batch_size: int, *, capacity: int = 50) -> None:
        self.there = ReplayPool(GenerationTask(second, _rows_of(first), batch_size), capacity)
        self.back = ReplayPool(GenerationTask(first, _rows_of(second), batch_size), capacity)

    def batch(self, generator: torch.Generator) -> CycleBatch:
        """One batch per direction: the images to translate, and real ones to compare with."""
        return CycleBatch(self.there.batch(generator), self.back.batch(generator))

    def discriminator_cases(self, players: Players, batch: CycleBatch) -> list[Case]:
        """Both discriminators' real and pooled images, at half weight."""
        cases = [
            *self.there.discriminator_cases(_there(players), batch.there),
            *self.back.discriminator_cases(_back(players), batch.back),
        ]
        return [dataclasses.replace(case, scale=0.5) for case in cases]

    def generator_cases(self, players: Players, batch: CycleBatch) -> list[Case]:
        """Translations both ways that ought to pass for real."""
        there, back = self._translated(players, batch)
        first, second = self.there.task, self.back.task
        return [
            *first.generator_cases(_there(players), first.showing(batch.there.inner, fakes=there)),
            *second.generator_cases(_back(players), second.showing(batch.back.inner, fakes=back)),
        ]

    def cycle(self, players: Players, batch: CycleBatch) -> Tensor:
        """``mean |G_back(G(a)) - a| + mean |G(G_back(b)) - b|``."""
        there, back = self._translated(players, batch)
        again = players["generator_back"](None, there.rows) - batch.there.inner.noise
        once_more = players["generator"](None, back.rows) - batch.back.inner.noise
        return again.abs().mean() + once_more.abs().mean()

    def identity(self, players: Players, batch: CycleBatch) -> Tensor:
        """``mean |G(b) - b| + mean |G_back(a) - a|``: what already belongs to the domain should stay."""
        first, second = batch.there.inner.noise, batch.back.inner.noise
        kept = (players["generator"](None, second) - second).abs().mean()
        return kept + (players["generator_back"](None, first) - first).abs().mean()

    def state_dict(self) -> dict[str, Any]:
        """Both pools."""
        return {"there": self.there.state_dict(), "back": self.back.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.there.load_state_dict(state["there"])
        self.back.load_state_dict(state["back"])

    def _translated(self, players: Players, batch: CycleBatch) -> tuple[Fakes, Fakes]:
        """Both translations."""
        return batch.translated.get(
            lambda: (
                self.there.fakes(_there(players), batch.there),
                self.back.fakes(_back(players), batch.back),
            )
        )


class StageTask(Generic[BatchT]):
    """One stage of a chain of generators: another task's batches with players of its own and smaller real images.

    Parameters
    ----------
    task : GeneratingTask
        The whole chain's, under a condition; it also draws the batches.
    make : callable
        ``make(players, noise, condition) -> images`` of this stage.
    judge : str
        The stage's discriminator.
    reduce : callable
        Real images to this stage's size.
    """

    def __init__(
        self,
        task: GeneratingTask[BatchT],
        make: Callable[[Players, Tensor, Tensor | None], Tensor],
        judge: str,
        reduce: Callable[[Tensor], Tensor],
    ) -> None:
        self.task = task
        self.make = make
        self.judge = judge
        self.reduce = reduce

    def batch(self, generator: torch.Generator) -> BatchT:
        """A batch of the task inside."""
        return self.task.batch(generator)

    def discriminator_cases(self, players: Players, batch: BatchT) -> Sequence[Case]:
        """The inner task's cases at this stage's size."""
        reduced = self.task.showing(batch, real=self.reduce(self.task.drawn(batch).real))
        return self.task.discriminator_cases(self._named(players), reduced)

    def generator_cases(self, players: Players, batch: BatchT) -> Sequence[Case]:
        """The stage's images, which ought to pass for real."""
        return self.task.generator_cases(self._named(players), batch)

    def _named(self, players: Players) -> Players:
        return {
            "generator": lambda noise, condition: self.make(players, noise, condition),
            "discriminator": players[self.judge],
        }


def _rows_of(images: Rows) -> Callable[[int, torch.Generator], Tensor]:
    """A "prior" that draws images: what a translator gets in the place of noise."""
    return lambda n, generator: images[torch.randint(len(images), (n,), generator=generator).to(images.device)]


def _there(players: Players) -> Players:
    return {
        "generator": lambda image, condition: players["generator"](None, image),
        "discriminator": players["discriminator"],
    }


def _back(players: Players) -> Players:
    return {
        "generator": lambda image, condition: players["generator_back"](None, image),
        "discriminator": players["discriminator_back"],
    }
