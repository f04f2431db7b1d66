"""Growing what draws are made of from training rows: bootstrap samples, and in turns with draws of their missing cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from tabgan.core.run import Run
from tabgan.imputation.learning import Learning
from tabgan.imputation.proper.conditionals import ColumnModel, Conditionals, tilts_of
from tabgan.imputation.proper.curvature import FEW, MOST_FEATURES, Curvature, fit_curvature
from tabgan.imputation.proper.donor_trees import Sample, choose_donors, grow_donor_trees
from tabgan.imputation.proper.level_odds import LevelOdds, fit_level_odds
from tabgan.imputation.proper.moments import MomentSets, fit_moments
from tabgan.imputation.proper.number_scales import NumberScales, fit_scales
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages.closed_form import MAX_DENSE_WIDTH, ClosedForm
from tabgan.imputation.stages.stage import Trail, drawn_by
from tabgan.imputation.trees import FEWEST_ROWS
from tabgan.networks.heads import span_index
from tabgan.spans import Span

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TrainingRows", "grow_conditionals"]

MOST_ROWS = 4096
"""Rows that draws are learnt from, drawn at random if there are more."""

LARGEST_TIE = 0.1
FEWEST_VALUES = 20
"""Columns with a larger tie, or fewer values, are drawn as values of training rows, others as a mean and a training row's residual."""

TURNS, TURNS_OF_FEW = 3, 5
"""Of fitting and drawing where a column depends on squares or products of one with missing cells: draws of that one
begin as if there were none."""
FEWEST_COMPLETE = 20
"""Rows, per other column, in which these are known."""
_N_TO_CHOOSE = 4
MOST_JUDGED = 1000
"""Bootstrap samples, and rows of each, by which is chosen what leaves hold."""


@dataclass(frozen=True)
class TrainingRows:
    """Training rows on their scales, completed by their point estimates: all that draws are learnt from.

    Parameters
    ----------
    spans : tuple of Span
        Layout of the slots.
    trail : Trail
        The rows, and the stages before.
    n_rows : int
        Of the whole table.
    n_known : LongTensor of shape (n_columns,)
        Known cells of each column of the whole table.
    seed : numpy.random.SeedSequence
        Where all randomness begins.
    run : Run
    """

    spans: tuple[Span, ...]
    trail: Trail
    n_rows: int
    n_known: Tensor
    seed: np.random.SeedSequence
    run: Run

    @classmethod
    def of(cls, learning: Learning) -> Self:
        """Of a pass of fitting."""
        trail = learning.sampled.take(torch.arange(min(MOST_ROWS, len(learning.sampled.rows))))
        n_known = learning.visible.sum(0, dtype=torch.int64)
        return cls(learning.spans, trail, len(learning.values), n_known, learning.seed_of("donors"), learning.run)

    def for_later(self) -> Self:
        """The same without completions, which take far more memory than the rows, and are soon computed again."""
        return replace(self, trail=Trail(self.trail.rows, self.trail.stages), run=replace(self.run, follower=None))

    @cached_property
    def scales(self) -> NumberScales:
        """Of the numbers that are drawn around a mean."""
        values, completed = self.trail.rows.values, self.trail.last.completed
        known = self.trail.rows.visible[:, span_index(self.spans)] > 0
        closed_form = self.trail.stage(ClosedForm)
        quantiles = dict(zip(closed_form.numeric_slots.tolist(), closed_form.scores.quantiles, strict=True))
        slots = [slot for slot in quantiles if not is_drawn_by_value(values[known[:, slot], slot])]
        if values.shape[1] > MAX_DENSE_WIDTH:
            return NumberScales.as_is(values.shape[1])
        return fit_scales(values, known, completed, slots, quantiles)

    @cached_property
    def point(self) -> Tensor:
        """The completed rows on their scales."""
        return self.scales.forward(self.trail.last.completed)

    def ends(self) -> Tensor:
        """How far draws of each slot may lie, in encoded units."""
        ends = torch.zeros(2, self.point.shape[1], dtype=torch.float64)
        for j, span in enumerate(self.spans):
            if span.kind == "numeric" and len(known := self.known(j)):
                ends[:, span.start] = _ends(self.trail.rows.values[known, span.start])
        return ends

    def tilts(self, columns: Sequence[ColumnModel]) -> dict[int, Tensor]:
        """See `tilts_of`."""
        return tilts_of(columns, self.spans, self.trail.last.completed, self.point)

    def known(self, j: int) -> np.ndarray:
        """Numbers of the rows in which column ``j`` is known."""
        return np.flatnonzero(self.trail.rows.visible[:, j].numpy() > 0)

    def outside(self, j: int) -> np.ndarray:
        """The slots of all other columns."""
        span = self.spans[j]
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
        known, slots, span = self.known(j), self.outside(j), self.spans[j]
        if len(known) < FEWEST_ROWS or not len(slots):
            return None
        n_known = int(self.n_known[j])
        return fit_level_odds(
            (self.point[known].numpy(), self.levels(j).numpy(), np.arange(len(known))),
            samples,
            slots,
            span.width,
            n_known,
        )

    def levels(self, j: int) -> Tensor:
        """Numbers of the known levels of a categorical column."""
        span = self.spans[j]
        return self.trail.rows.values[self.known(j), span.start : span.stop].argmax(1)


def grow_conditionals(learn: TrainingRows, n_sets: int, leans: Sequence[float]) -> Conditionals:
    """From all cells of a table.

    Parameters
    ----------
    learn : TrainingRows
    n_sets : int
        Bootstrap samples.
    leans : sequence of float
        Per column, how far draws of levels follow the blend; see `ColumnModel`.
    """
    # A seed remembers how often it was asked for others; older numpy's generators forget theirs when they are copied.
    rng, run = np.random.default_rng(np.random.SeedSequence(learn.seed.entropy)), learn.run
    visible, n = learn.trail.rows.visible, len(learn.trail.rows)
    mask = visible[:, span_index(learn.spans)]
    noise = RowNoise(np.arange(n, dtype=np.uint64), int(rng.integers(2**31)), n_sets)
    drawn = drawn_by(learn.trail.stages, learn.trail, noise)
    samples = [rng.integers(n, size=n) for _ in range(n_sets)]
    moments: MomentSets | None = None
    if mask.shape[1] <= MAX_DENSE_WIDTH:
        values = learn.scales.forward(learn.trail.rows.values)
        moments = fit_moments(values, mask, samples, learn.n_rows, lambda: run.time_is_up)
        samples = samples[: max(len(moments), 1)]
        moments = moments if len(moments) else None
    grown = Conditionals(learn.spans, learn.scales, moments, [], learn.ends())
    deviations = grown.deviations(visible, noise)
    rows = [grown.begun(drawn[k], visible, k + 1, deviations[k]) for k in range(len(samples))]
    turns = TURNS_OF_FEW if n <= FEW else TURNS
    for turn in range(turns):
        grown.columns = [
            _column(learn, j, rows, samples, moments, lean, rng, grown.columns[j] if turn else None)
            for j, lean in enumerate(leans)
        ]
        if not _curved_in_missing(grown, visible) or run.time_is_up or turn + 1 == turns:
            break
        picks, tilts = noise.uniform(f"turn {turn}", grown.n_picks), learn.tilts(grown.columns)
        for k, order in enumerate(noise.orders(f"turn {turn}", len(learn.spans))[: len(rows)]):
            grown.swept(rows[k], drawn[k], visible, picks[k], order, k + 1, tilts)
    return grown


def _curved_in_missing(grown: Conditionals, visible: Tensor) -> bool:
    """Whether a column depends on squares or products of a number with missing cells."""
    gaps = [bool((visible[:, j] <= 0).any()) and span.kind == "numeric" for j, span in enumerate(grown.spans)]
    return any(gap and grown.judges(j) for j, gap in enumerate(gaps))


def _column(
    learn: TrainingRows,
    j: int,
    rows: Sequence[Tensor],
    samples: Sequence[np.ndarray],
    moments: MomentSets | None,
    lean: float,
    rng: np.random.Generator,
    before: ColumnModel | None,
) -> ColumnModel:
    if learn.run.time_is_up or len(learn.known(j)) < FEWEST_ROWS or not len(learn.outside(j)):
        return ColumnModel()
    if learn.spans[j].kind == "categorical":
        if before is not None:  # turns are for numbers that products depend on; odds take long to fit
            return before
        return ColumnModel(odds=learn.odds(j, learn.samples(j, rows, learn.levels(j), samples)), lean=lean)
    return _number(learn, j, rows, samples, moments, rng, before)


def is_drawn_by_value(cells: Tensor) -> bool:
    """Whether a number is drawn as a training row's value."""
    _, counts = torch.unique(cells, return_counts=True)
    return len(counts) <= FEWEST_VALUES or float(counts.max()) > LARGEST_TIE * len(cells)


def _ends(cells: Tensor) -> Tensor:
    """How far draws may lie: as far again as the cells reach, but not past an end that several cells share."""
    least, most = cells.min(), cells.max()
    low = least if int((cells == least).sum()) > 1 else 2 * least - most
    high = most if int((cells == most).sum()) > 1 else 2 * most - least
    return torch.stack([low, high])


def _number(
    learn: TrainingRows,
    j: int,
    rows: Sequence[Tensor],
    samples: Sequence[np.ndarray],
    moments: MomentSets | None,
    rng: np.random.Generator,
    before: ColumnModel | None,
) -> ColumnModel:
    """Trees of a number's values, or of what its mean leaves."""
    known, slots, slot = learn.known(j), learn.outside(j), learn.spans[j].start
    seen, column = learn.trail.rows.values[known, slot], ColumnModel()
    values = [learn.samples(j, [one], seen, [chosen])[0] for one, chosen in zip(rows, samples, strict=True)]
    residuals = None
    if moments is not None and not is_drawn_by_value(seen):
        truth = learn.scales.column(slot).forward(seen[:, None])[:, 0]
        column = ColumnModel(curvature=_curvature_of(learn, j, truth, rows, samples, moments, first=before is None))
        n_weights = len(slots) + (0 if column.curvature is None else column.curvature.weights.shape[1])
        lost = (len(known) / max(len(known) - n_weights - 1, len(known) / 2)) ** 0.5  # degrees of freedom
        residuals = []
        for number, (one, chosen) in enumerate(zip(rows, samples, strict=True), 1):
            # How wide residuals are is as uncertain as where their mean lies.
            scale = lost * float(moments.relative_spread[number, slot])
            residual = scale * (truth - column.mean(moments, 0, slot, one[known]))
            residuals += learn.samples(j, [one], residual, [chosen])
    if before is not None and before.donation is not None:
        donation = before.donation
    else:
        scaled = values if residuals is None else [(one, truth.numpy(), chosen) for one, _, chosen in values]
        donation = choose_donors(residuals and _some(residuals), _some(scaled), slots, rng)
    lent = values if donation.by_value or residuals is None else residuals
    return replace(column, trees=grow_donor_trees(lent, slots, donation, rng), donation=donation)


def _some(samples: Sequence[Sample]) -> list[Sample]:
    """Enough to choose by."""
    return [(rows, cells, chosen[:MOST_JUDGED]) for rows, cells, chosen in samples[:_N_TO_CHOOSE]]


def _curvature_of(
    learn: TrainingRows,
    j: int,
    truth: Tensor,
    rows: Sequence[Tensor],
    samples: Sequence[np.ndarray],
    moments: MomentSets,
    *,
    first: bool,
) -> Curvature | None:
    """Of the slots that say most of a number.

    The first draws of others' missing cells know of no products and hide them: then rows tell where these cells are known.
    """
    known, slots, slot = learn.known(j), learn.outside(j), learn.spans[j].start
    says = (moments.pull[0, slot] * moments.covariance[0].diagonal().sqrt()).abs()[slots]
    chosen = slots[np.sort(says.argsort(descending=True)[:MOST_FEATURES].numpy())]
    left = [truth - moments.given_others(k + 1, slot, one[known]) for k, one in enumerate(rows)]
    parts = [learn.samples(j, [one], cells, [s])[0] for one, cells, s in zip(rows, left, samples, strict=True)]
    # Others' cells that are missing are draws here: point estimates lie too near the middle for their squares.
    whole = rows[0][known].numpy(), (truth - moments.given_others(0, slot, rows[0][known])).numpy()
    n_known = int(learn.n_known[j])
    if first:
        visible = learn.trail.rows.visible[known][:, span_index(learn.spans)[torch.from_numpy(chosen)]] > 0
        complete = visible.all(1).numpy()
        if complete.sum() >= FEWEST_COMPLETE * (1 + len(chosen)):
            place = np.cumsum(complete) - 1
            parts = [(r[complete], c[complete], place[s[complete[s]]]) for r, c, s in parts]
            whole = whole[0][complete], whole[1][complete]
            n_known = n_known * len(whole[0]) // len(known)
    return fit_curvature((*whole, np.arange(len(whole[0]))), parts, chosen, n_known)
