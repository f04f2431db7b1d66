"""The contract of a stage: what it is given, what it gives back, and what stages hand to each other.

A stage is one way of filling, whole in one file: its settings, how it is fitted, and the fitted part that completes rows, draws,
is fitted again on all cells, and becomes plain data for a model file. `tabgan.imputation.objectives.STAGES` lists the stages in
order; to add one, write its file and add its entry there. A way of predicting a single column is a `Candidate` instead, weighed
against the others per column by `tabgan.imputation.stages.blend`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import torch
from torch import Tensor, nn

from tabgan.core.run import Trained
from tabgan.imputation.row_noise import RowNoise
from tabgan.spans import Span

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "Candidate",
    "Completion",
    "FittedColumn",
    "FittedStage",
    "NoSettings",
    "Rows",
    "Seen",
    "Stage",
    "Trail",
    "drawn_by",
    "proposed_by",
    "settings_of",
]


@dataclass(frozen=True)
class Rows:
    """Encoded rows with hidden cells.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Anything in hidden slots.
    visible : Tensor of shape (n, n_columns)
        1 where a cell may be seen, else 0; in the dtype of ``values``.
    numbers : LongTensor of shape (n,), default=None
        Which training row each is, so that it does not answer for itself; None for rows that are not of the training table.
    """

    values: Tensor
    visible: Tensor
    numbers: Tensor | None = None

    def __len__(self) -> int:
        return len(self.values)

    def blanked(self, column: Tensor) -> Rows:
        """The same with NaN in hidden slots, for those who must not see under them; ``column`` is the column of each slot."""
        return Rows(torch.where(self.visible[:, column] > 0, self.values, torch.nan), self.visible, self.numbers)

    def take(self, chosen: Tensor | slice) -> Rows:
        """Some of the rows."""
        return Rows(*(None if part is None else part[chosen] for part in (self.values, self.visible, self.numbers)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Completion:
    """What the stages so far make of rows; each of shape (n, width). Visible slots hold the rows' values, their scores, or 0."""

    completed: Tensor
    """The point estimate: numbers, and probabilities of levels."""
    closed: Tensor
    """The closed form's own, which the next two are blended to."""
    linear: Tensor
    """Its conditional mean in encoded units."""
    rank: Tensor
    """Its conditional mean in normal scores, numbers left in scores."""
    step: Tensor
    """What similar training rows added to the closed form."""
    proposals: Mapping[str, Tensor] = field(default_factory=dict)
    """Completions that a stage proposes, by its name, without moving ``completed``: the blend weighs them (`proposed_by`)."""

    def changed(self, change: Callable[[Tensor], Tensor]) -> Completion:
        """The same with every tensor changed in the same way: some rows, another dtype."""
        names = ("completed", "closed", "linear", "rank", "step")
        own = {name: change(getattr(self, name)) for name in names}
        return Completion(**own, proposals={name: change(part) for name, part in self.proposals.items()})


class FittedStage:
    """A fitted stage. What it does not do, it leaves as it came."""

    trained: Trained | None = None
    """How its training went, if it was trained step by step."""

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """Completed rows, given what the stages before made of them; the first stage is given None."""
        assert before is not None
        return before

    def draw(self, trail: Trail, drawn: Tensor | None, noise: RowNoise) -> Tensor | None:
        """Draws of all slots, given the draws of the stages before, if there are any yet.

        Parameters
        ----------
        trail : Trail
            The rows, and what each stage completes them to.
        drawn : Tensor of shape (n_draws, n, width) or None
        noise : RowNoise
            Of the rows, for as many draws; all randomness of a draw comes from it.
        """
        return drawn

    def follow(self, trail: Trail, drawn: Tensor, fixed: Tensor, noise: RowNoise) -> Tensor:
        """Draws of all slots, once some of the drawn cells hold other values.

        Parameters
        ----------
        trail : Trail
        drawn : Tensor of shape (n_draws, n, width)
            With these values.
        fixed : Tensor of shape (n, n_columns)
            1 where a cell is visible or holds such a value; what is hidden beside these may be drawn anew.
        noise : RowNoise
            As in `draw`, to be used for other purposes than there.
        """
        return drawn

    def intervals(
        self, trail: Trail, coverages: Sequence[float], noise: RowNoise
    ) -> list[tuple[Tensor, Tensor]] | None:
        """Lower and upper ends of numeric slots per coverage, each of shape (n, width); None if this stage has none."""
        return None

    def refit(self, learning: Any) -> Self:
        """The same stage once all cells are visible; `tabgan.imputation.learning.Learning`."""
        return self

    def in_dtype(self, dtype: torch.dtype) -> Self:
        """Itself, or a copy, that takes and gives rows of this dtype."""
        if not isinstance(self, nn.Module) or all(
            tensor.dtype == dtype for tensor in self.state_dict().values() if tensor.is_floating_point()
        ):
            return self
        return copy.deepcopy(self).to(dtype)

    def state(self) -> dict[str, Any]:
        """Plain data and tensors for a model file."""
        raise NotImplementedError


Fitted = TypeVar("Fitted", bound=FittedStage)
S = TypeVar("S")


@dataclass(frozen=True)
class Stage:
    """An entry of the chain.

    Parameters
    ----------
    name : str
        In model files and histories.
    settings : type
        A dataclass whose fields all have defaults; parameters of `GAINImputer` of the same names override them.
    fit : callable
        ``fit(learning) -> FittedStage``, or None where the table is too small for this stage; see
        `tabgan.imputation.learning.Learning`.
    restore : callable
        ``restore(state, spans, given) -> FittedStage``, from what `FittedStage.state` gave; ``given`` are settings by name.
    judged : bool, default=True
        Fitted on the training cells first, so that held-out cells can judge it and what follows, then `FittedStage.refit`. False:
        fitted once, when all cells are visible.
    waits : bool, default=True
        Whether the stage is left out once the time is up; those that everything else stands on are not.
    parts : tuple of type, default=()
        Settings of what the stage is made of (the candidates of a blend).
    """

    name: str
    settings: type
    fit: Callable[[Any], FittedStage | None]
    restore: Callable[[Mapping[str, Any], Sequence[Span], Mapping[str, Any]], FittedStage]
    judged: bool = True
    waits: bool = True
    parts: tuple[type, ...] = ()

    @property
    def all_settings(self) -> tuple[type, ...]:
        """Its settings, and those of its parts."""
        return (self.settings, *self.parts)


class Trail:
    """Rows on their way through the fitted stages; each completion is computed once, when it is first asked for.

    Parameters
    ----------
    rows : Rows
    stages : list of FittedStage
        In order. The list may grow: a trail of training rows is asked again after every stage that is fitted.
    """

    def __init__(self, rows: Rows, stages: list[FittedStage]) -> None:
        self.rows = rows
        self.stages = stages
        self._completions: list[Completion] = []

    def after(self, kind: type[FittedStage]) -> Completion:
        """The completion by all stages up to the one of this kind."""
        place = next(i for i, stage in enumerate(self.stages) if isinstance(stage, kind))
        return self._up_to(place + 1)

    @property
    def last(self) -> Completion:
        """The completion by all stages that there are."""
        return self._up_to(len(self.stages))

    def stage(self, kind: type[Fitted]) -> Fitted:
        """The stage of this kind, in the dtype of the rows."""
        return next(stage for stage in self.stages if isinstance(stage, kind)).in_dtype(self.rows.values.dtype)

    def take(self, chosen: Tensor | slice) -> Trail:
        """The trail of some of the rows through the stages that there are by now, with what is known of them."""
        part = Trail(self.rows.take(chosen), list(self.stages))
        part._completions = [completion.changed(lambda part: part[chosen]) for completion in self._completions]
        return part

    def record(self, completion: Completion) -> None:
        """Take note of the next stage's completion, where its own fit has computed that already."""
        self._up_to(len(self.stages))
        self._completions.append(completion)

    def _up_to(self, n_stages: int) -> Completion:
        with torch.no_grad():
            for stage in self.stages[len(self._completions) : n_stages]:
                before = self._completions[-1] if self._completions else None
                self._completions.append(stage.in_dtype(self.rows.values.dtype).complete(self.rows, before))
        return self._completions[n_stages - 1]


def drawn_by(stages: Sequence[FittedStage], trail: Trail, noise: RowNoise) -> Tensor:
    """Draws by all stages that draw, one after another, of shape (n_draws, n, width)."""
    drawn: Tensor | None = None
    for stage in stages:
        drawn = stage.draw(trail, drawn, noise)
    assert drawn is not None
    return drawn


@dataclass(frozen=True)
class Seen:
    """What a candidate may read of rows; None unless it says so in ``Candidate.reads``.

    Parameters
    ----------
    gaps : Rows, default=None
        The rows with NaN in their hidden slots, filled in columns that had their turn in this blend; for methods that know what to
        do with NaN. Its ``visible`` tells which slots were hidden.
    completed : Tensor of shape (n, width), default=None
        The rows filled by everything before, and by this blend in columns that had their turn.
    prediction : Tensor of shape (n, width), default=None
        What the closed form says of each cell: in fitting given the row's *other* cells, to learn what is left; in use that of hidden
        cells. A candidate reads its own column of it, which is hidden in use.
    proposals : mapping of str to Tensor of shape (n, width), default=None
        What stages proposed for the rows.
    """

    gaps: Rows | None = None
    completed: Tensor | None = None
    prediction: Tensor | None = None
    proposals: Mapping[str, Tensor] | None = None

    READABLE: ClassVar = frozenset({"gaps", "completed", "prediction", "proposals"})

    def only(self, reads: frozenset[str]) -> Seen:
        """What is named, and nothing else."""
        return Seen(**{name: getattr(self, name) for name in reads})

    def take(self, chosen: Tensor | slice) -> Seen:
        """That of some of the rows."""
        gaps = None if self.gaps is None else self.gaps.take(chosen)
        completed, prediction = (None if part is None else part[chosen] for part in (self.completed, self.prediction))
        proposals = self.proposals and {name: part[chosen] for name, part in self.proposals.items()}
        return Seen(gaps, completed, prediction, proposals)


class FittedColumn(Protocol):
    """A candidate, fitted for one column."""

    def __call__(self, seen: Seen) -> Tensor:
        """What it says of the column, of shape (n, width of the column)."""
        ...

    def state(self) -> dict[str, Any]:
        """Plain data and tensors for a model file."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One way of predicting a single column, weighed per column against the others; it and what it fits can be pickled.

    Parameters
    ----------
    name : str
        In model files.
    settings : type
        As in `Stage`.
    reads : frozenset of str
        Of `Seen.READABLE`.
    fit : callable
        ``fit(seen, truth, j, learning, judged=...) -> FittedColumn`` from rows in which column ``j`` is known, or None
        where it does not apply. ``judged`` is None while weights are sought: then a part of the effort does. Afterwards it is what
        was fitted then, without the held-out cells.
    from_state : callable
        ``from_state(state) -> FittedColumn``.
    prior : dict of str to float
        How far to follow it, by kind of span, before any held-out cell has spoken.
    applies : callable, default=None
        ``applies(learning) -> bool``: whether it can have anything to say, asked before anything is prepared for it; None: always.
    """

    name: str
    settings: type
    reads: frozenset[str]
    fit: Callable[..., FittedColumn | None]
    from_state: Callable[[Mapping[str, Any]], FittedColumn]
    prior: Mapping[str, float] = field(default_factory=lambda: {"numeric": 0.4, "categorical": 0.4})
    applies: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class _Proposed:
    """A column of what a stage proposed."""

    name: str
    first: int
    last: int

    def __call__(self, seen: Seen) -> Tensor:
        assert seen.proposals is not None
        return seen.proposals[self.name][:, self.first : self.last]

    def state(self) -> dict[str, Any]:
        return {"name": self.name, "first": self.first, "last": self.last}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        return cls(**state)


@dataclass(frozen=True)
class NoSettings:
    """Of stages and candidates that have none."""


def proposed_by(name: str, prior: Mapping[str, float]) -> Candidate:
    """The candidate that stands for a stage of this name, which proposes completions of whole rows.

    So a joint model (a network over all columns) is weighed per column like any other candidate.
    """
    fit = partial(_fit_proposed, name=name)
    return Candidate(name, NoSettings, frozenset({"proposals"}), fit, _Proposed.from_state, prior)


def _fit_proposed(
    seen: Seen, truth: Tensor, j: int, learning: Any, *, judged: FittedColumn | None, name: str
) -> FittedColumn | None:
    span = learning.spans[j]
    proposed = seen.proposals is not None and name in seen.proposals
    return _Proposed(name, span.start, span.stop) if proposed else None


def settings_of(kind: type[S], given: Mapping[str, Any]) -> S:
    """An instance of a settings class from those of the given values that it has fields for."""
    return kind(**{one.name: given[one.name] for one in fields(kind) if one.name in given})  # type: ignore[arg-type]
