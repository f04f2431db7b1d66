"""Record linkage: training rows that are nearly the same row (neighbouring hours, the same postcode) lend their cells."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tabgan.imputation.learning import Learning
from tabgan.imputation.stages.blend import weights_of
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows, Stage
from tabgan.networks.heads import span_index
from tabgan.spans import Span

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["STAGE", "NearDuplicates", "Settings", "evidence_of"]

_TEMPERATURES = (0.15, 0.6)
"""Columns are not independent, so that their evidence together is less than its sum: what is left of it, cautiously and boldly."""
_PRIOR = 0.3
"""How far to follow each of the two before held-out cells have spoken."""
_N_NEAREST = 32
_LEAST_DIFFERENCE = 1e-2
"""Of the nearest rows' weights together: less is what rounding leaves between rows that are equally near."""
_ROUNDS = 4
_ASKING = 2000
"""Rows whose nearest say how alike nearest rows are."""
_CELLS_OF_DOUBT = 5
_CLOSEST = 0.03
"""No column of nearest rows is trusted to agree better, in standard deviations."""
_LEAST_GAIN = 0.02
"""Of the held-out cells' squared error, on average over columns: for less the search is not worth its time."""
_NUMBERS_AT_ONCE = 8_000_000
_PRODUCTS_PER_SECOND = 1e10
"""Of one thread, and what comes with them."""


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents it."""

    n_records: int = 0


@dataclass(frozen=True)
class Likeness:
    """How alike a row and its near duplicates are.

    Parameters
    ----------
    spread, variance : Tensor of shape (width,)
        Half the mean squared difference of numbers, in normal scores, between any two rows and between near duplicates; 1 for levels.
    agree : Tensor of shape (width,)
        How often levels agree, the same for all levels of a column; 1 for numbers.
    shares : Tensor of shape (width,)
        Of each level in the table, which is how often a random row agrees with it; 1 for numbers.
    """

    spread: Tensor
    variance: Tensor
    agree: Tensor
    shares: Tensor


class NearDuplicates(FittedStage):
    """Moves completed rows towards stored rows that are probably near duplicates of theirs.

    For two rows and each column that both know, the evidence (Fellegi and Sunter 1969) is the log of how likely their cells are if
    the rows are near duplicates, over how likely they are if the rows are any two: a difference of numbers, in normal scores, is
    Gaussian of a small variance or of the column's own; levels agree often, or as chance has it, so that a rare level says more. How
    alike near duplicates are is learnt from nearest rows, a few rounds of it. The cells of the nearest count as ``exp`` of the
    evidence, scaled in two ways, and that a row has no near duplicate as many times as there are rows; least squares on held-out
    cells say how far to follow each scaling.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    scores, values : Tensor of shape (n_records, width)
        Stored rows in normal scores and as encoded; 0 where not seen.
    seen : Tensor of shape (n_records, n_columns)
        1 where a stored cell was observed.
    likeness : Likeness
    weights : Tensor of shape (2, n_columns)
        How far to follow each scaling of the evidence.

    Attributes
    ----------
    numbers : LongTensor of shape (n_records,) or None
        Which training rows are stored; known until the training table is out of reach.

    Notes
    -----
    The weights fall to 0 at the last of the nearest rows, so that results are continuous and do not hinge on ties. A stored row never
    answers for a cell that it misses itself, hence a training row that comes back with its gaps cannot answer for itself.
    O(n_records * width) per row, in single precision.

    References
    ----------
    Fellegi, Sunter 1969, "A theory for record linkage".
    """

    def __init__(
        self,
        spans: Sequence[Span],
        scores: Tensor,
        values: Tensor,
        seen: Tensor,
        likeness: Likeness,
        weights: Tensor,
        numbers: Tensor | None = None,
    ) -> None:
        self.spans = tuple(spans)
        self.scores, self.values, self.seen = scores.float(), values.float(), seen.float()
        self.likeness = likeness
        self.weights = weights
        self.numbers = numbers
        self._keys: Tensor | None = None

    @torch.no_grad()
    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """Completed rows, moved."""
        assert before is not None
        told = self.told(rows, before)
        step = sum(
            weight[span_index(self.spans)].to(told) * (part - before.completed)
            for weight, part in zip(self.weights, told, strict=True)
        )
        return replace(before, completed=before.completed + step)

    def told(self, rows: Rows, before: Completion) -> Tensor:
        """What near duplicates say of hidden cells, of shape (2, n, width); as completed before where they say nothing."""
        told = before.completed.expand(len(_TEMPERATURES), -1, -1).clone()
        for some in (rows.visible <= 0).any(1).nonzero()[:, 0].split(self._rows_at_once):
            own = None if rows.numbers is None else rows.numbers[some]
            shown = rows.visible[some].float()
            evidence, nearest = self.nearest(before.rank[some].float(), shown, own)
            for j, span in enumerate(self.spans):
                known = (shown[:, j, None] <= 0) & (self.seen[nearest, j] > 0)
                asking = known.any(1).nonzero()[:, 0]
                if not len(asking):
                    continue
                slots = slice(span.start, span.stop)
                # A row that comes back with its gaps is the likeliest of all, and has nothing to say: who knows the cell counts.
                heard = evidence[asking].masked_fill(~known[asking], -torch.inf)
                most, cells = heard.amax(1, keepdim=True), self.values[:, slots][nearest[asking]]
                for part, temperature in zip(told, _TEMPERATURES, strict=True):
                    edge = (temperature * (evidence[asking, -1:] - most)).exp()
                    counted = ((temperature * (heard - most)).exp() - edge).clamp_min(0)
                    total = counted.sum(1, keepdim=True)
                    none = (temperature * (math.log(len(self.scores)) - most)).exp()
                    trust = torch.where(total < _LEAST_DIFFERENCE, 0.0, total / (total + none))
                    mean = (counted.unsqueeze(1) @ cells)[:, 0] / total.clamp_min(1e-12)
                    start = part[some[asking], slots]
                    part[some[asking], slots] = start + trust.to(part) * (mean - start)
        return told

    def nearest(self, scores: Tensor, visible: Tensor, numbers: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Evidence for the stored rows that are most probably near duplicates, falling, and which they are; each (n, k).

        Parameters
        ----------
        scores : Tensor of shape (n, width)
            In normal scores; anything in hidden slots.
        visible : Tensor of shape (n, n_columns)
            1 where a cell is visible.
        numbers : LongTensor of shape (n,), default=None
            The training row that each row is, which is not its own duplicate.
        """
        if self._keys is None:
            self._keys = _keys(self.spans, self.scores, self.seen)
        evidence = evidence_of(self.spans, self.likeness, scores, visible, self._keys)
        if numbers is not None and self.numbers is not None:
            evidence = evidence.masked_fill(self.numbers == numbers.unsqueeze(1), -torch.inf)
        n_records = evidence.shape[1]
        k = min(_N_NEAREST, n_records)
        group = math.isqrt(n_records // k)
        n_groups = n_records // group
        # The nearest rows are in the groups whose own nearest is nearest: two short searches instead of a long one.
        best = evidence[:, : n_groups * group].unflatten(1, (group, n_groups)).amax(1).topk(min(k, n_groups), 1).indices
        places = torch.arange(n_records)
        inside = (best.unsqueeze(1) + n_groups * places[:group, None]).flatten(1)
        candidates = torch.cat([inside, places[n_groups * group :].expand(len(best), -1)], 1)
        found = evidence.gather(1, candidates).topk(k, 1)
        return found.values, candidates.gather(1, found.indices)

    @property
    def _rows_at_once(self) -> int:
        return max(_NUMBERS_AT_ONCE // max(len(self.scores), _N_NEAREST * len(self.spans)), 16)

    def refit(self, learning: Learning) -> Self:
        """The stored rows with all of their cells."""
        assert self.numbers is not None
        closed_form = next(stage for stage in learning.stages if isinstance(stage, ClosedForm))
        records = _records(learning, closed_form, self.numbers)
        return type(self)(self.spans, *records, self.likeness, self.weights, self.numbers)

    def state(self) -> dict[str, Any]:
        """Stored rows and what was learnt of them."""
        return {
            "records": {name: getattr(self, name) for name in ("scores", "values", "seen")},
            "likeness": dict(vars(self.likeness)),
            "weights": self.weights,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        return cls(spans, **state["records"], likeness=Likeness(**state["likeness"]), weights=state["weights"])


def evidence_of(spans: Sequence[Span], likeness: Likeness, scores: Tensor, visible: Tensor, keys: Tensor) -> Tensor:
    """Evidence that rows and stored rows are near duplicates, of shape (n, n_records); ``keys`` are of `_keys`."""
    column, numeric = span_index(spans), _is_numeric(spans)
    shown = visible[:, column]
    scores = scores * shown
    # Numbers: the evidence is ``even - steep * difference ** 2``.
    steep = torch.where(numeric, (1 / likeness.variance - 1 / likeness.spread).clamp_min(0) / 4, 0.0)
    even = torch.where(numeric, 0.5 * (likeness.spread / likeness.variance).log(), 0.0)
    # Levels: ``against`` where they differ, ``against + further`` where they agree.
    chance = torch.zeros(len(spans)).index_add_(0, column, torch.where(numeric, 0.0, likeness.shares.square()))[column]
    against = torch.where(numeric, 0.0, ((1 - likeness.agree) / (1 - chance).clamp_min(1e-6)).clamp(1e-3, 1).log())
    further = torch.where(numeric, 0.0, (likeness.agree / likeness.shares.clamp_min(1e-6)).clamp_min(1).log() - against)
    first = torch.tensor([span.start for span in spans])
    both_known = torch.zeros(len(scores), len(spans)).index_add_(1, column, shown * even - steep * scores.square())
    both_known += visible * against[first]
    parts = [both_known, 2 * steep * scores + further * scores, -steep[numeric] * shown[:, numeric]]
    return torch.cat(parts, 1) @ keys.T


def _keys(spans: Sequence[Span], scores: Tensor, seen: Tensor) -> Tensor:
    """What `evidence_of` multiplies with."""
    return torch.cat([seen, scores, scores[:, _is_numeric(spans)].square()], 1)


def _is_numeric(spans: Sequence[Span]) -> Tensor:
    return torch.tensor([span.kind == "numeric" for span in spans])[span_index(spans)]


def _records(learning: Learning, closed_form: ClosedForm, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Stored rows: normal scores, values, and which cells are seen."""
    seen = learning.visible[numbers]
    shown = seen[:, closed_form.column]
    values = learning.values[numbers] * shown
    return closed_form.in_dtype(torch.float64).scored(values.double()).float() * shown, values, seen


@torch.no_grad()
def fit(learning: Learning) -> NearDuplicates | None:
    """Store rows, learn how alike near duplicates are, and how far to follow them; None where they gain nothing to speak of."""
    n, n_records = len(learning.values), learning.settings(Settings).n_records
    if not n_records or not learning.worthwhile or len(learning.spans) == 1:
        return None
    n_records = min(n_records, n)
    if _takes_too_long(learning, n_records):
        return None
    numbers = torch.randperm(n, generator=learning.generator("near duplicates"))[:n_records]
    spans, trail = learning.spans, learning.judged
    records = _records(learning, trail.stage(ClosedForm), numbers)
    none = torch.zeros(len(_TEMPERATURES), len(spans), dtype=torch.float64)
    stage = NearDuplicates(spans, *records, _start(spans, *records), none, numbers)
    for _ in range(_ROUNDS):
        _learn_likeness(stage)
    rows, before, cells = trail.rows, trail.last, learning.judged_cells > 0
    told = stage.told(rows, before)
    n_columns, n_told = len(spans), len(_TEMPERATURES)
    gram = torch.zeros(n_columns, n_told, n_told, dtype=torch.float64)
    cross = torch.zeros(n_columns, n_told, dtype=torch.float64)
    left = torch.zeros(n_columns, dtype=torch.float64)
    for j, span in enumerate(spans):
        on, slots = cells[:, j], slice(span.start, span.stop)
        start = before.completed[on, slots]
        steps, missed = told[:, on, slots] - start, rows.values[on, slots] - start
        gram[j] = torch.einsum("knw,lnw->kl", steps, steps)
        cross[j] = torch.einsum("knw,nw->k", steps, missed)
        left[j] = missed.square().sum()
    fitted = torch.ones(n_told, n_columns, dtype=torch.bool)
    prior = torch.full((n_told, n_columns), _PRIOR, dtype=torch.float64)
    weights = weights_of(gram, cross, cells.sum(0).double(), fitted, prior, [span.kind for span in spans])
    gain = (2 * (weights.T * cross).sum(1) - torch.einsum("kj,jkl,lj->j", weights, gram, weights)) / left.clamp_min(
        1e-12
    )
    if gain.mean() < _LEAST_GAIN:
        return None
    stage.weights = weights
    return stage


def _takes_too_long(learning: Learning, n_records: int) -> bool:
    """Whether the search for all rows that are completed in `fit` would, about, take more than a quarter of the time that is left."""
    if learning.run.deadline is None:
        return False
    products = 2.0 * (2 * len(learning.sampled.rows) + len(learning.judged.rows)) * n_records
    products *= 2 * learning.values.shape[1] + len(learning.spans)
    return products / _PRODUCTS_PER_SECOND > (learning.run.deadline - time.monotonic()) / 4


def _start(spans: Sequence[Span], scores: Tensor, values: Tensor, seen: Tensor) -> Likeness:
    """Before any near duplicates are known."""
    numeric, n_seen = _is_numeric(spans), seen.sum(0)[span_index(spans)].clamp_min(1)
    one = torch.ones(len(numeric))
    spread = (scores.square().sum(0) / n_seen - (scores.sum(0) / n_seen).square()).clamp_min(1e-6)
    spread, shares = torch.where(numeric, spread, one), torch.where(numeric, one, values.sum(0) / n_seen)
    return Likeness(spread, torch.where(numeric, spread / 2, one), torch.where(numeric, one, 0.6), shares)


def _learn_likeness(stage: NearDuplicates) -> None:
    """How alike stored rows and the nearest other ones are, under the likeness so far."""
    assert stage.numbers is not None
    spans, some = stage.spans, slice(0, _ASKING)
    column, numeric = span_index(spans), _is_numeric(spans)
    scores, seen = stage.scores[some], stage.seen[some]
    nearest = torch.cat(
        [
            stage.nearest(stage.scores[part], stage.seen[part], stage.numbers[part])[1][:, 0]
            for part in torch.arange(len(scores)).split(stage._rows_at_once)
        ]
    )
    both = (seen * stage.seen[nearest])[:, column]
    other, n_both = stage.scores[nearest], both.sum(0)
    apart = 0.5 * ((scores - other).square() * both).sum(0)
    shares, spread = stage.likeness.shares, stage.likeness.spread
    variance = (apart + 0.5 * spread * _CELLS_OF_DOUBT) / (n_both + _CELLS_OF_DOUBT)
    variance = torch.minimum(torch.maximum(variance, _CLOSEST**2 * spread), spread)
    chance = torch.zeros(len(spans)).index_add_(0, column, torch.where(numeric, 0.0, shares.square()))[column]
    met = torch.zeros(len(spans)).index_add_(0, column, (scores * other * both).sum(0))[column]
    agree = (met + chance * _CELLS_OF_DOUBT) / (n_both + _CELLS_OF_DOUBT)
    one = torch.ones(len(numeric))
    stage.likeness = replace(
        stage.likeness,
        variance=torch.where(numeric, variance, one),
        agree=torch.where(numeric, one, torch.maximum(agree, chance).clamp(max=0.99)),
    )


STAGE = Stage("near duplicates", Settings, fit, NearDuplicates.from_state)
