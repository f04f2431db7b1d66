"""Tasks of image-to-image and staged systems: pairs, cycles, and players that take turns under other names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Case, Players
from tabgan.core.stabilisers import ReplayPool, TaskWrapper
from tabgan.core.tasks import Fakes, GenerationTask, normal_prior
from tabgan.verdict import Verdict

__all__ = ["CycleTask", "PairTask", "StageTask"]


class PairTask(GenerationTask):
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

    def __init__(self, targets: Tensor, sources: Tensor, batch_size: int, d_noise: int) -> None:
        super().__init__(targets, normal_prior(d_noise), batch_size, sources)

    def generate(self, players: Players, batch: Batch) -> Tensor:
        """Translations, made once per batch for all terms that need their gradient."""
        if not torch.is_grad_enabled():
            return super().generate(players, batch)
        if "translated" not in batch.extras:
            batch.extras["translated"] = super().generate(players, batch)
        return batch.extras["translated"]

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """The two usual cases at half weight."""
        return [dataclasses.replace(case, scale=0.5) for case in super().discriminator_cases(players, batch)]

    def absolute_error(self, players: Players, batch: Batch) -> Tensor:
        """Mean absolute error of the translations."""
        assert batch.real is not None
        return (self.generate(players, batch) - batch.real).abs().mean()

    def squared_error(self, players: Players, batch: Batch) -> Tensor:
        """Mean squared error of the translations."""
        assert batch.real is not None
        return (self.generate(players, batch) - batch.real).square().mean()


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

    def __init__(self, first: Tensor, second: Tensor, batch_size: int, *, capacity: int = 50) -> None:
        self.there = ReplayPool(GenerationTask(second, _rows_of(first), batch_size), capacity)
        self.back = ReplayPool(GenerationTask(first, _rows_of(second), batch_size), capacity)

    def batch(self, generator: torch.Generator) -> Batch:
        """One batch per direction: the images to translate, and real ones to compare with."""
        return Batch(extras={"there": self.there.batch(generator), "back": self.back.batch(generator)})

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Both discriminators' real and pooled images, at half weight."""
        cases = [
            *self.there.discriminator_cases(_there(players), batch.extras["there"]),
            *self.back.discriminator_cases(_back(players), batch.extras["back"]),
        ]
        return [dataclasses.replace(case, scale=0.5) for case in cases]

    def generator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Translations both ways that ought to pass for real."""
        self._translated(players, batch)
        return [
            *self.there.task.generator_cases(_there(players), batch.extras["there"]),
            *self.back.task.generator_cases(_back(players), batch.extras["back"]),
        ]

    def cycle(self, players: Players, batch: Batch) -> Tensor:
        """``mean |G_back(G(a)) - a| + mean |G(G_back(b)) - b|``."""
        there, back = self._translated(players, batch)
        again = players["generator_back"](None, there) - batch.extras["there"].noise
        once_more = players["generator"](None, back) - batch.extras["back"].noise
        return again.abs().mean() + once_more.abs().mean()

    def identity(self, players: Players, batch: Batch) -> Tensor:
        """``mean |G(b) - b| + mean |G_back(a) - a|``: what already belongs to the domain should stay."""
        first, second = batch.extras["there"].noise, batch.extras["back"].noise
        kept = (players["generator"](None, second) - second).abs().mean()
        return kept + (players["generator_back"](None, first) - first).abs().mean()

    def state_dict(self) -> dict[str, Any]:
        """Both pools."""
        return {"there": self.there.state_dict(), "back": self.back.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.there.load_state_dict(state["there"])
        self.back.load_state_dict(state["back"])

    def _translated(self, players: Players, batch: Batch) -> tuple[Tensor, Tensor]:
        """Both translations with gradient, made once per batch."""
        rows = []
        for name, named, task in (("there", _there, self.there.task), ("back", _back, self.back.task)):
            inner = batch.extras[name]
            if "fakes" not in inner.extras:
                inner.extras["fakes"] = task.fakes(named(players), inner)
            rows.append(inner.extras["fakes"].rows)
        return rows[0], rows[1]


class StageTask(TaskWrapper):
    """One stage of a chain of generators: the inner task with players of its own and smaller real images.

    Parameters
    ----------
    task : ConditionalTask
        The task inside, which also draws the batches.
    make : callable
        ``make(players, noise, condition) -> images`` of this stage.
    judge : str
        The stage's discriminator.
    reduce : callable
        Real images to this stage's size.
    """

    def __init__(
        self,
        task: Any,
        make: Callable[[Players, Tensor, Tensor | None], Tensor],
        judge: str,
        reduce: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__(task)
        self.make = make
        self.judge = judge
        self.reduce = reduce

    def fakes(self, players: Players, batch: Batch) -> Fakes:
        """The stage's images."""
        return self.task.fakes(self._named(players), batch)

    def discriminator_cases(self, players: Players, batch: Batch) -> Sequence[Case]:
        """The inner task's cases at this stage's size."""
        return self.task.discriminator_cases(self._named(players), self._reduced(batch))

    def generator_cases(self, players: Players, batch: Batch) -> Sequence[Case]:
        """The stage's images, which ought to pass for real."""
        return self.task.generator_cases(self._named(players), batch)

    def penalty_inputs(self, players: Players, batch: Batch) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The stage's judge and images."""
        return self.task.penalty_inputs(self._named(players), self._reduced(batch))

    def _named(self, players: Players) -> Players:
        made: Any = lambda noise, condition: self.make(players, noise, condition)  # noqa: E731
        return {"generator": made, "discriminator": players[self.judge]}

    def _reduced(self, batch: Batch) -> Batch:
        assert batch.real is not None
        return dataclasses.replace(batch, real=self.reduce(batch.real))


def _rows_of(images: Tensor) -> Callable[[int, torch.Generator], Tensor]:
    """A "prior" that draws images: what a translator gets in the place of noise."""
    return lambda n, generator: images[torch.randint(len(images), (n,), generator=generator).to(images.device)]


def _there(players: Players) -> Players:
    translate: Any = lambda image, condition: players["generator"](None, image)  # noqa: E731
    return {"generator": translate, "discriminator": players["discriminator"]}


def _back(players: Players) -> Players:
    translate: Any = lambda image, condition: players["generator_back"](None, image)  # noqa: E731
    return {"generator": translate, "discriminator": players["discriminator_back"]}
