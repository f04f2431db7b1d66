"""Generation under a class or a condition vector: class balance, and pairs of a real row and a wrong condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tabgan.core.cases import Case, Players
from tabgan.core.tasks import Fakes, Generating, GenerationBatch, Rows
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["ClassIndex", "ConditionalBatch", "ConditionalTask", "Mismatch"]

Mismatch = Callable[[Tensor, torch.Generator], Tensor]
"""``mismatch(rows, generator) -> rows``: for each given row, one whose condition does not belong to it."""


class ClassIndex:
    """Which rows belong to which class, and draws of classes and rows from that.

    Parameters
    ----------
    classes : LongTensor of shape (n,)
        The class of each row, in ``0 .. n_classes - 1``.
    n_classes : int
        Number of classes. A class without rows is never drawn.

    Raises
    ------
    InvalidInputError
        ``classes`` is not a vector of that range, or empty.
    """

    def __init__(self, classes: Tensor, n_classes: int) -> None:
        if n_classes < 1:
            raise InvalidParameterError(f"n_classes={n_classes} must be at least 1.")
        if classes.ndim != 1 or classes.is_floating_point() or not len(classes):
            raise InvalidInputError(
                f"classes must be a non-empty vector of whole numbers, but has shape {tuple(classes.shape)} and dtype "
                f"{classes.dtype}."
            )
        self.classes = classes.cpu().long()
        if int(self.classes.min()) < 0 or int(self.classes.max()) >= n_classes:
            raise InvalidInputError(
                f"classes run from {int(self.classes.min())} to {int(self.classes.max())}, but n_classes={n_classes} "
                f"allows 0 to {n_classes - 1}."
            )
        self.counts = torch.bincount(self.classes, minlength=n_classes)
        self.order = torch.argsort(self.classes, stable=True)
        self.start = self.counts.cumsum(0) - self.counts
        self.present = self.counts.nonzero()[:, 0]

    def uniform(self, n: int, generator: torch.Generator) -> Tensor:
        """Classes drawn independently, each with the same probability; LongTensor of shape (n,)."""
        return self.present[torch.randint(len(self.present), (n,), generator=generator)]

    def balanced(self, n: int, generator: torch.Generator) -> Tensor:
        """Classes in random order, each as often as any other, give or take one; LongTensor of shape (n,)."""
        first = torch.randperm(len(self.present), generator=generator)
        return self.present[first[torch.arange(n) % len(first)][torch.randperm(n, generator=generator)]]

    def rows_of(self, classes: Tensor, generator: torch.Generator) -> Tensor:
        """A random row of each given class, with replacement; LongTensor of the same shape."""
        within = (torch.rand(len(classes), generator=generator, dtype=torch.float64) * self.counts[classes]).long()
        return self.order[self.start[classes] + within]

    def rows_of_others(self, classes: Tensor, generator: torch.Generator) -> Tensor:
        """A random row of any class *but* the given one, each such row alike; LongTensor of the same shape."""
        others = len(self.classes) - self.counts[classes]
        place = (torch.rand(len(classes), generator=generator, dtype=torch.float64) * others).long()
        # Skip the block of rows that have the class itself: exact, where redrawing would only be likely to end.
        return self.order[torch.where(place >= self.start[classes], place + self.counts[classes], place)]


@dataclass(kw_only=True)
class ConditionalBatch(GenerationBatch):
    """Rows of the data with their classes, and what the fakes are asked for.

    Parameters
    ----------
    real, noise, condition, fake_condition, fakes, made
        See `tabgan.core.tasks.GenerationBatch`.
    classes, fake_classes : LongTensor of shape (n,)
        The class of each real row, and of each fake.
    wrong_condition : Tensor of shape (n, d_condition), default=None
        A condition that does not belong to each real row, for a matching-aware discriminator.
    """

    condition: Tensor
    fake_condition: Tensor
    classes: Tensor
    fake_classes: Tensor
    wrong_condition: Tensor | None = None


class ConditionalTask(Generating[ConditionalBatch]):
    """Two players that both see a condition: concatenated, projected, auxiliary-class and matching-aware discriminators.

    Parameters
    ----------
    data : Tensor of shape (n, ...), or other Rows
        All rows.
    classes : LongTensor of shape (n,)
        The class of each row, in ``0 .. n_classes - 1``.
    prior : callable
        ``prior(n, generator) -> Tensor``, the latent draw.
    batch_size : int
        Real rows, and generated rows, per batch.
    n_classes : int
        Number of classes. Classes without a row are never drawn.
    condition : Tensor of shape (n, d_condition), default=None
        What the players see of a row; a row's condition belongs to its class. None makes it the one-hot class.
    fake_classes : {"balanced", "data", "rows", "uniform"}, default="balanced"
        Classes asked of the generator: each as often as any other in every batch, as frequent as in the data, those of the real rows
        one by one, or drawn independently with equal probabilities. A fake takes the condition of a random real row of its class, or
        with ``"rows"`` that of its real row.
    real_classes : {"data", "balanced"}, default="data"
        Real rows: each row alike, or first a class, each alike, and then a row of it.
    wrong_weight : float in [0, 1), default=0.0
        Weight w of real rows shown under a wrong condition, which the discriminator is to reject; the fakes then weigh
        ``1 - w``.
    mismatch : callable, default=None
        ``mismatch(rows, generator) -> rows``: whose condition to show with each real row. None takes a random row of any
        other class. Pairs whose conditions happen to be equal get weight 0, for they are no mismatch.
    paired : bool, default=False
        See `tabgan.core.tasks.Generating.paired`.

    Raises
    ------
    InvalidParameterError, InvalidInputError
        A parameter is out of range, lengths differ, or ``wrong_weight`` is used with a single class.

    Notes
    -----
    Players are called as ``generator(noise, condition)`` and ``discriminator(x, condition)``. Penalties compare real and generated
    rows under the *same* condition, the real rows'.

    References
    ----------
    Mirza and Osindero 2014. Wrong conditions: Reed et al. 2016, "Generative Adversarial Text to Image Synthesis", algorithm 1,
    whose two kinds of negatives share one unit of weight as in the authors' code. Departure: there, a wrong caption may
    describe the same class; here it never does.
    """

    def __init__(
        self,
        data: Rows,
        classes: Tensor,
        prior: Callable[[int, torch.Generator], Tensor],
        batch_size: int,
        *,
        n_classes: int,
        condition: Tensor | None = None,
        fake_classes: str = "balanced",
        real_classes: str = "data",
        wrong_weight: float = 0.0,
        mismatch: Mismatch | None = None,
        paired: bool = False,
    ) -> None:
        _one_of("fake_classes", fake_classes, ("balanced", "data", "rows", "uniform"))
        _one_of("real_classes", real_classes, ("data", "balanced"))
        if not 0 <= wrong_weight < 1:
            raise InvalidParameterError(f"wrong_weight={wrong_weight} must lie in [0, 1): the fakes weigh the rest.")
        if batch_size < 1:
            raise InvalidParameterError(f"batch_size={batch_size} must be at least 1.")
        self.index = ClassIndex(classes, n_classes)
        if condition is None:
            condition = one_hot(self.index.classes, n_classes).to(data[:1])
        for name, part in (("classes", classes), ("condition", condition)):
            if len(part) != len(data):
                raise InvalidInputError(f"{name} has {len(part)} rows, but data has {len(data)}; they belong together.")
        if wrong_weight and mismatch is None and len(self.index.present) < 2:
            raise InvalidParameterError(
                f"wrong_weight={wrong_weight} needs rows of at least two classes, but all are of class "
                f"{int(self.index.present[0])}; set it to 0."
            )
        self.data = data
        self.prior = prior
        self.batch_size = batch_size
        self.condition = condition
        self.fake_classes = fake_classes
        self.real_classes = real_classes
        self.wrong_weight = wrong_weight
        self.mismatch = mismatch
        self.paired = paired

    def batch(self, generator: torch.Generator) -> ConditionalBatch:
        """Draw real rows, noise, and the conditions of the fakes and of the mismatched pairs."""
        device, n = self.data.device, self.batch_size
        if self.real_classes == "balanced":
            rows = self.index.rows_of(self.index.uniform(n, generator), generator)
        else:
            rows = torch.randint(len(self.data), (n,), generator=generator)
        if self.fake_classes == "rows":
            fake_rows = rows
        elif self.fake_classes == "data":
            fake_rows = torch.randint(len(self.data), (n,), generator=generator)
        else:
            draw = self.index.balanced if self.fake_classes == "balanced" else self.index.uniform
            fake_rows = self.index.rows_of(draw(n, generator), generator)
        wrong_condition = None
        if self.wrong_weight:
            if self.mismatch is None:
                wrong = self.index.rows_of_others(self.index.classes[rows], generator)
            else:
                wrong = self.mismatch(rows, generator)
            wrong_condition = self.condition[wrong.to(device)]
        noise = self.prior(n, generator).to(device)
        return ConditionalBatch(
            real=self.data[rows.to(device)],
            noise=noise,
            condition=self.condition[rows.to(device)],
            fake_condition=self.condition[fake_rows.to(device)],
            classes=self.index.classes[rows].to(device),
            fake_classes=self.index.classes[fake_rows].to(device),
            wrong_condition=wrong_condition,
        )

    def fakes(self, players: Players, batch: ConditionalBatch) -> Fakes:
        """Generated rows with the conditions and classes asked for, shared by the terms of one step."""

        def make() -> Fakes:
            rows = players["generator"](batch.noise, batch.fake_condition)
            return Fakes(rows, batch.fake_condition, batch.fake_classes)

        return batch.fakes or batch.made.get(make)

    def discriminator_cases(self, players: Players, batch: ConditionalBatch) -> list[Case]:
        """Real rows (target 1), generated rows (target 0) and, if asked for, real rows under a wrong condition (target 0)."""
        with torch.no_grad():
            fakes = self.fakes(players, batch)
        judge = players["discriminator"]
        real, made = self._judged(batch.real), self._judged(fakes.rows)
        cases = [
            Case(judge(real, batch.condition), 1.0, classes=batch.classes, data=real),
            Case(
                judge(made, fakes.condition),
                0.0,
                classes=fakes.classes,
                data=made,
                scale=1 - self.wrong_weight,
            ),
        ]
        wrong = batch.wrong_condition
        if wrong is not None:
            verdict = judge(batch.real, wrong)
            differs = (wrong != batch.condition).flatten(1).any(1).to(wrong)
            weight = None
            if verdict.adversarial is not None:
                shape = verdict.adversarial.shape
                weight = differs.reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
            cases.append(Case(verdict, 0.0, weight, data=batch.real, scale=self.wrong_weight))
        return cases


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidParameterError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}.")
