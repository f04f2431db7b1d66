"""Draws for estimates: parameters drawn from bootstrap samples, and what they leave open drawn from training cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.learning import Learning
from tabgan.imputation.proper.curvature import MOST_FEATURES, Curvature, fit_curvature
from tabgan.imputation.proper.donor_trees import DonorTrees, Sample, choose_leaf_size, grow_donor_trees
from tabgan.imputation.proper.level_odds import LevelOdds, fit_level_odds
from tabgan.imputation.proper.moments import MomentSets, fit_moments
from tabgan.imputation.proper.number_scales import NumberScales, fit_scales
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages.closed_form import MAX_DENSE_WIDTH, ClosedForm
from tabgan.imputation.stages.stage import FittedStage, Stage, Trail, drawn_by
from tabgan.imputation.trees import FEWEST_ROWS
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["STAGE", "Donors", "Settings"]

MOST_ROWS = 4096
"""Rows that draws are learnt from, drawn at random if there are more."""

LARGEST_TIE = 0.1
FEWEST_VALUES = 20
"""Columns with a larger tie, or fewer values, are drawn as values of training rows, others as a mean and a training row's residual."""

_SHARES = torch.linspace(0, 1, 5, dtype=torch.float64)
_N_TO_CHOOSE = 3
"""Bootstrap samples by which the size of leaves is chosen."""
_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents it."""

    n_donor_trees: int = 20


@dataclass(frozen=True)
class _Column:
    """What a column is drawn from; see `Donors`."""

    trees: DonorTrees | None = None
    by_value: bool = False
    curvature: Curvature | None = None
    odds: LevelOdds | None = None
    lean: float = 0.0

    def mean(self, moments: MomentSets, number: int, slot: int, rows: Tensor) -> Tensor:
        """Of a number given all other columns, on its scale."""
        linear = moments.given_others(number, slot, rows)
        return linear if self.curvature is None else linear + self.curvature(rows, number)

    def state(self) -> dict[str, Any]:
        """Plain data and tensors."""
        return {
            "trees": None if self.trees is None else self.trees.state(),
            "by_value": self.by_value,
            "curvature": None if self.curvature is None else self.curvature.state(),
            "odds": None if self.odds is None else self.odds.state(),
            "lean": self.lean,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], span: Span, width: int, n_sets: int) -> Self:
        """Rebuild what `state` described; ``width`` is that of the table."""
        trees, curvature, odds = state["trees"], state["curvature"], state["odds"]
        return cls(
            None if trees is None else DonorTrees.from_state(trees),
            bool(state["by_value"]),
            None if curvature is None else Curvature.from_state(curvature, width, n_sets),
            None if odds is None else LevelOdds.from_state(odds, span.width, width),
            float(state["lean"]),
        )


class Donors(FittedStage):
    """Draws of hidden cells, with the uncertainty of what they are drawn from.

    Columns take turns in random order, and see the draws of the others: two sweeps of a Gibbs sampler that begins at a joint draw.

    - A number is the conditional mean given all other columns, on the column's scale, and the residual of a training row that a tree
      takes for alike; where one value makes up a tenth of the cells, or there are few values, it is that row's value.
    - A level is drawn by the blend's probability, corrected by a logistic regression for what the draws of the row's other
      cells are, and for what the parameters are.

    Means, trees and regressions belong to bootstrap samples of the training rows, and each draw takes another sample: so several
    draws differ as estimates from other tables would (proper imputation, Rubin 1987, chapter 4).

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    scales : NumberScales
        On which numbers are drawn.
    moments : MomentSets or None
        Of rows on these scales; None for tables too wide for them.
    columns : sequence of _Column
        In order.
    ends : Tensor of shape (2, width)
        How far draws may lie, in encoded units.

    References
    ----------
    van Buuren 2018, "Flexible Imputation of Missing Data", sections 3.2 (bootstrap), 3.5 (trees) and 4.5 (conditional models); Doove,
    van Buuren, Dusseldorp 2014 for trees. Departures: trees tell residuals of a linear mean, so that draws reach beyond
    the cells of the leaf; the size of leaves is chosen; all draws share one start.
    """

    SWEEPS = 2

    def __init__(
        self,
        spans: Sequence[Span],
        scales: NumberScales,
        moments: MomentSets | None,
        columns: Sequence[_Column],
        ends: Tensor,
    ) -> None:
        self.spans = tuple(spans)
        self.scales = scales
        self.moments = moments
        self.columns = list(columns)
        self.ends = ends

    @torch.no_grad()
    def draw(self, trail: Trail, drawn: Tensor | None, noise: RowNoise) -> Tensor:
        """The draws with every hidden cell drawn anew."""
        assert drawn is not None
        if not any(column.trees or column.odds for column in self.columns):
            return drawn
        visible, shown = trail.rows.visible, trail.rows.visible[:, span_index(self.spans)] > 0
        completed = trail.last.completed
        point = self.scales.forward(completed)
        tilts = {
            j: column.lean * (_logs(completed, self.spans[j]) - column.odds(point, 0))
            for j, column in enumerate(self.columns)
            if column.odds is not None
        }
        starts = self._starts(point, shown, noise)
        picks = noise.uniform("donors", self.SWEEPS * len(self.spans))
        orders = noise.orders("order of columns", len(self.spans))
        sets = self._sets(noise)
        result = []
        for k, one in enumerate(drawn):
            rows = self.scales.forward(one)
            if starts is not None:
                rows = torch.where(self._numeric & ~shown, starts(k, sets[k], rows), rows)
            cells = one.clone()
            for sweep in range(self.SWEEPS):
                for j in orders[k]:
                    hidden = (visible[:, j] <= 0).nonzero()[:, 0]
                    if len(hidden):
                        uniform = picks[k, hidden, sweep * len(self.spans) + j]
                        self._redraw(j, hidden, rows, cells, uniform, sets[k], tilts.get(j))
            result.append(torch.where(shown, one, cells))
        return torch.stack(result)

    def _redraw(
        self,
        j: int,
        hidden: Tensor,
        rows: Tensor,
        cells: Tensor,
        uniform: Tensor,
        number: int,
        tilt: Tensor | None,
    ) -> None:
        """Draw a column's hidden cells given the others, in place: on their scales, and in encoded units."""
        column, span = self.columns[j], self.spans[j]
        given = rows[hidden]
        if column.odds is not None and tilt is not None:
            odds = (column.odds(given, number) + tilt[hidden]).softmax(1)
            level = (odds.cumsum(1) <= uniform[:, None]).sum(1).clamp(max=span.width - 1)
            chosen = torch.nn.functional.one_hot(level, span.width).to(rows)
            rows[hidden, span.start : span.stop] = cells[hidden, span.start : span.stop] = chosen
        elif column.trees is not None:
            slot, scale = span.start, self.scales.column(span.start)
            told = column.trees.drawn(given, (number - 1) % len(column.trees), uniform).to(rows)
            if column.by_value or self.moments is None:
                value = told
            else:
                mean = column.mean(self.moments, number, slot, given)
                value = scale.inverse((mean + told)[:, None])[:, 0].clamp(*self.ends[:, slot].tolist())
            cells[hidden, slot] = value
            rows[hidden, slot] = scale.forward(value[:, None])[:, 0]

    def _starts(self, point: Tensor, shown: Tensor, noise: RowNoise) -> Any:
        """Joint draws of numbers on their scales, by draw and set of parameters."""
        if self.moments is None:
            return None
        moments, mask = self.moments, shown.to(point)
        centre = moments.conditional(0)
        deviation = centre.deviations(noise.normal("start", centre.d_noise).to(point), mask)

        def start(k: int, number: int, rows: Tensor) -> Tensor:
            return moments.conditional(number).approximate(rows, mask) + deviation[k]

        return start

    def _sets(self, noise: RowNoise) -> list[int]:
        """The set of parameters of each draw, from 1."""
        n_sets = self._n_sets
        order = np.random.default_rng([noise.seed, 1]).permutation(n_sets)
        return [1 + int(order[k % n_sets]) for k in range(noise.n_draws)]

    @property
    def _n_sets(self) -> int:
        if self.moments is not None:
            return len(self.moments)
        return max([1, *(len(column.trees) for column in self.columns if column.trees is not None)])

    @property
    def _numeric(self) -> Tensor:
        is_numeric = torch.tensor([span.kind == "numeric" for span in self.spans])
        return is_numeric[span_index(self.spans)]

    def refit(self, learning: Learning) -> Self:
        """Grown from all cells, with the shares that held-out cells chose."""
        if learning.run.time_is_up:
            return self
        return type(self)(*_grown(learning, [column.lean for column in self.columns]))

    def state(self) -> dict[str, Any]:
        """By column."""
        columns = {j: column.state() for j, column in enumerate(self.columns)}
        moments = None if self.moments is None else self.moments.state()
        return {"scales": self.scales.state(), "moments": moments, "columns": columns, "ends": self.ends}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described.

        Raises
        ------
        ModelFileError
            Its parts do not fit the columns, or each other.
        """
        width = total_width(spans)
        moments = None if state["moments"] is None else MomentSets.from_state(state["moments"], width)
        n_sets = 0 if moments is None else len(moments)
        columns = [_Column.from_state(state["columns"][j], span, width, n_sets) for j, span in enumerate(spans)]
        if state["ends"].shape != (2, width):
            raise ModelFileError("its ends of draws are of another shape than it has to be.")
        return cls(spans, NumberScales.from_state(state["scales"], width), moments, columns, state["ends"])


def fit(learning: Learning) -> Donors | None:
    """Choose how far draws of levels follow the blend; all else is fitted once, on all cells."""
    if not learning.settings(Settings).n_donor_trees or not learning.worthwhile:
        return None
    spans, width = learning.spans, total_width(learning.spans)
    blank = NumberScales.as_is(width)
    columns = [_Column() for _ in spans]
    if not learning.run.time_is_up:
        learn, judged = _Rows.of(learning), learning.judged
        told = learn.scales.forward(judged.last.completed)
        for j, span in enumerate(spans):
            cells = (learning.judged_cells[:, j] > 0).nonzero()[:, 0]
            odds = learn.odds(j, []) if span.kind == "categorical" and len(cells) else None
            if odds is not None:
                truth = judged.rows.values[cells, span.start : span.stop]
                lean = _best_share(_logs(judged.last.completed[cells], span), odds(told[cells], 0), truth)
                columns[j] = _Column(lean=lean)
    return Donors(spans, blank, None, columns, torch.zeros(2, width, dtype=torch.float64))


def _best_share(blend: Tensor, linear: Tensor, truth: Tensor) -> float:
    """The share of the blend in the log odds: the smallest that is within a standard error of the best."""
    mixed = torch.lerp(linear, blend, _SHARES[:, None, None]).log_softmax(2)
    losses = -(mixed * truth).sum(2)
    best = losses.mean(1).argmin()
    worse = losses - losses[best]
    error = worse.std(1, correction=0) / len(truth) ** 0.5
    return float(_SHARES[(worse.mean(1) <= error).nonzero()[0, 0]])


def _logs(completed: Tensor, span: Span) -> Tensor:
    """Log probabilities of the levels of a column."""
    return completed[:, span.start : span.stop].clamp_min(_LEAST_PROBABILITY).log().log_softmax(1)


@dataclass(frozen=True)
class _Rows:
    """Training rows on their scales, completed by their point estimates."""

    learning: Learning
    trail: Trail
    scales: NumberScales
    point: Tensor

    @classmethod
    def of(cls, learning: Learning) -> Self:
        trail = learning.sampled.take(slice(0, MOST_ROWS))
        values, completed = trail.rows.values, trail.last.completed
        known = trail.rows.visible[:, span_index(learning.spans)] > 0
        closed_form = trail.stage(ClosedForm)
        quantiles = dict(zip(closed_form.numeric_slots.tolist(), closed_form.scores.quantiles, strict=True))
        slots = [slot for slot in quantiles if not by_value(values[known[:, slot], slot])]
        scales = NumberScales.as_is(values.shape[1])
        if values.shape[1] <= MAX_DENSE_WIDTH:
            scales = fit_scales(values, known, completed, slots, quantiles)
        return cls(learning, trail, scales, scales.forward(completed))

    def known(self, j: int) -> np.ndarray:
        """Numbers of the rows in which column ``j`` is known."""
        return np.flatnonzero(self.trail.rows.visible[:, j].numpy() > 0)

    def outside(self, j: int) -> np.ndarray:
        """The slots of all other columns."""
        span = self.learning.spans[j]
        return np.delete(np.arange(self.point.shape[1]), slice(span.start, span.stop))

    def samples(self, j: int, rows: Sequence[Tensor], cells: Tensor, samples: Sequence[np.ndarray]) -> list[Sample]:
        """Bootstrap samples of the rows in which column ``j`` is known; ``cells`` are of these rows."""
        known = self.known(j)
        place = np.full(len(self.point), -1)
        place[known] = np.arange(len(known))
        found = [place[chosen] for chosen in samples]
        return [(one[known].numpy(), cells.numpy(), p[p >= 0]) for one, p in zip(rows, found, strict=True)]

    def odds(self, j: int, samples: Sequence[Sample]) -> LevelOdds | None:
        """Logistic regressions for a categorical column, where there are cells enough and another column."""
        known, slots, span = self.known(j), self.outside(j), self.learning.spans[j]
        if len(known) < FEWEST_ROWS or not len(slots):
            return None
        n_known = int(self.learning.visible[:, j].sum())
        return fit_level_odds(
            (self.point[known].numpy(), self.levels(j).numpy(), np.arange(len(known))),
            samples,
            slots,
            span.width,
            n_known,
        )

    def levels(self, j: int) -> Tensor:
        """Numbers of the known levels of a categorical column."""
        span = self.learning.spans[j]
        return self.trail.rows.values[self.known(j), span.start : span.stop].argmax(1)


def by_value(cells: Tensor) -> bool:
    """Whether a number is drawn as a training row's value."""
    _, counts = torch.unique(cells, return_counts=True)
    return len(counts) <= FEWEST_VALUES or float(counts.max()) > LARGEST_TIE * len(cells)


def _grown(learning: Learning, leans: Sequence[float]) -> tuple[Any, ...]:
    """What `Donors` takes."""
    spans, n_sets, rng = learning.spans, learning.settings(Settings).n_donor_trees, learning.rng("donors")
    learn = _Rows.of(learning)
    trail, scales = learn.trail, learn.scales
    values, n = trail.rows.values, len(trail.rows)
    mask = trail.rows.visible[:, span_index(spans)]
    noise = RowNoise(np.arange(n, dtype=np.uint64), int(rng.integers(2**31)), n_sets)
    drawn = drawn_by(learning.stages, trail, noise)
    samples = [rng.integers(n, size=n) for _ in range(n_sets)]
    moments = None
    if values.shape[1] <= MAX_DENSE_WIDTH:
        moments = fit_moments(
            scales.forward(values), mask, samples, len(learning.values), lambda: learning.run.time_is_up
        )
        samples = samples[: max(len(moments), 1)]
        if not len(moments):
            moments = None
    begun = Donors(spans, scales, moments, [], torch.empty(0))
    starts = begun._starts(learn.point, mask > 0, noise)
    rows = [scales.forward(one) for one in drawn[: len(samples)]]
    if starts is not None:
        numeric = begun._numeric
        rows = [torch.where(numeric & (mask <= 0), starts(k, k + 1, one), one) for k, one in enumerate(rows)]
    columns, ends = [], torch.zeros(2, values.shape[1], dtype=torch.float64)
    for j, span in enumerate(spans):
        known, slots = learn.known(j), learn.outside(j)
        if learning.run.time_is_up or len(known) < FEWEST_ROWS or not len(slots):
            columns.append(_Column())
        elif span.kind == "categorical":
            odds = learn.odds(j, learn.samples(j, rows, learn.levels(j), samples))
            columns.append(_Column(odds=odds, lean=leans[j]))
        else:
            seen = values[known, span.start]
            ends[:, span.start] = _ends(seen)
            columns.append(_donors_of(learn, j, rows, samples, moments, rng))
    return spans, scales, moments, columns, ends


def _ends(cells: Tensor) -> Tensor:
    """How far draws may lie: as far again as the cells reach, but not past an end that several cells share."""
    least, most = cells.min(), cells.max()
    low = least if int((cells == least).sum()) > 1 else 2 * least - most
    high = most if int((cells == most).sum()) > 1 else 2 * most - least
    return torch.stack([low, high])


def _donors_of(
    learn: _Rows,
    j: int,
    rows: Sequence[Tensor],
    samples: Sequence[np.ndarray],
    moments: MomentSets | None,
    rng: np.random.Generator,
) -> _Column:
    """Trees of a number's values, or of its residuals."""
    known, slots, slot = learn.known(j), learn.outside(j), learn.learning.spans[j].start
    seen, column = learn.trail.rows.values[known, slot], _Column()
    valued = moments is None or by_value(seen)
    if valued or moments is None:
        parts = [learn.samples(j, [one], seen, [chosen])[0] for one, chosen in zip(rows, samples, strict=True)]
    else:
        truth = learn.scales.column(slot).forward(seen[:, None])[:, 0]
        column = _Column(curvature=_curvature_of(learn, j, truth, rows, samples, moments))
        n_weights = len(slots) + (0 if column.curvature is None else column.curvature.weights.shape[1])
        lost = (len(known) / max(len(known) - n_weights - 1, len(known) / 2)) ** 0.5  # degrees of freedom
        parts = []
        for one, chosen in zip(rows, samples, strict=True):
            residual = lost * (truth - column.mean(moments, 0, slot, one[known]))
            parts += learn.samples(j, [one], residual, [chosen])
    leaf_size = choose_leaf_size(parts[:_N_TO_CHOOSE], slots, rng)
    return replace(column, trees=grow_donor_trees(parts, slots, leaf_size, rng), by_value=valued)


def _curvature_of(
    learn: _Rows,
    j: int,
    truth: Tensor,
    rows: Sequence[Tensor],
    samples: Sequence[np.ndarray],
    moments: MomentSets,
) -> Curvature | None:
    """Of the slots that say most of a number."""
    known, slots, slot = learn.known(j), learn.outside(j), learn.learning.spans[j].start
    says = (moments.pull[0, slot] * moments.covariance[0].diagonal().sqrt()).abs()[slots]
    chosen = slots[np.sort(says.argsort(descending=True)[:MOST_FEATURES].numpy())]
    left = [truth - moments.given_others(k + 1, slot, one[known]) for k, one in enumerate(rows)]
    parts = [learn.samples(j, [one], cells, [s])[0] for one, cells, s in zip(rows, left, samples, strict=True)]
    # Others' cells that are missing are draws here: point estimates lie too near the middle for their squares.
    whole = rows[0][known].numpy(), (truth - moments.given_others(0, slot, rows[0][known])).numpy()
    return fit_curvature((*whole, np.arange(len(known))), parts, chosen, int(learn.learning.visible[:, j].sum()))


STAGE = Stage("donors", Settings, fit, Donors.from_state)
