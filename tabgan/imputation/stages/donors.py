"""Draws for estimates: parameters drawn from bootstrap samples, and what they leave open drawn from training cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tabgan._runtime import own_torch
from tabgan.core.stage_bar import stage_bar
from tabgan.imputation.learning import FEWEST, Learning
from tabgan.imputation.proper.conditionals import ColumnModel, Conditionals, log_shares, tilts_of
from tabgan.imputation.proper.growing import TrainingRows, grow_conditionals
from tabgan.imputation.proper.number_scales import NumberScales
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages.stage import FittedStage, Stage, Trail
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["STAGE", "Donors", "Settings"]

_SHARES = torch.linspace(0, 1, 5, dtype=torch.float64)


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents it."""

    n_donor_trees: int = 20


@dataclass(frozen=True)
class Later:
    """What conditionals are grown from once they are needed."""

    rows: TrainingRows
    n_sets: int

    def grown(self, chosen: Conditionals) -> Conditionals:
        """The conditionals, in as much time as `fit` had; ``chosen`` has the shares of the blend."""
        run = self.rows.run.again()
        with own_torch(None), stage_bar(run.verbose, 1) as entering:
            entering("first draws: learning what they are made of")
            leans = [column.lean for column in chosen.columns]
            return grow_conditionals(replace(self.rows, run=run), self.n_sets, leans)


class Donors(FittedStage):
    """Draws of hidden cells, with the uncertainty of what they are drawn from.

    Columns take turns in random order, and see the draws of the others: two sweeps of a Gibbs sampler that begins at a joint draw.

    - A number is the conditional mean given all other columns, on the column's scale, and the residual of a training row that a tree
      takes for alike; where one value makes up a tenth of the cells, or there are few values, it is that row's value. The mean is
      linear, and follows squares and products where they foretell cells that were left out.
    - A level is drawn by the blend's probability, corrected by a logistic regression for what the draws of the row's other
      cells are, and for what the parameters are.

    Means, trees and regressions belong to bootstrap samples of the training rows, and each draw takes another sample: so several
    draws differ as estimates from other tables would (proper imputation, Rubin 1987, chapter 4).

    Most imputers are never asked for draws, and to learn these takes as long as half of all else: it is done when they are first
    asked for, or the imputer is stored.

    Parameters
    ----------
    conditionals : Conditionals
        The columns given all others.
    later : Later, default=None
        From what the conditionals are grown when they are first needed; those given say then how far levels follow the blend.

    References
    ----------
    van Buuren 2018, "Flexible Imputation of Missing Data", sections 3.2 (bootstrap), 3.5 (trees) and 4.5 (conditional models); Doove,
    van Buuren, Dusseldorp 2014 for trees; Bartlett, Seaman, White, Carpenter 2015 for columns that depend on products of a column
    with missing cells. Departures: trees tell residuals of a mean, so that draws reach beyond the cells of the leaf; the size of
    leaves is chosen; all draws share one start.
    """

    def __init__(self, conditionals: Conditionals, later: Later | None = None) -> None:
        self._conditionals = conditionals
        self._later = later

    @property
    def conditionals(self) -> Conditionals:
        """The columns given all others, grown now if they are not yet."""
        later = self._later
        if later is not None:
            self._conditionals = later.grown(self._conditionals)
            self._later = None
        return self._conditionals

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled and copied: never training rows."""
        return {"_conditionals": self.conditionals, "_later": None}

    @torch.no_grad()
    def draw(self, trail: Trail, drawn: Tensor | None, noise: RowNoise) -> Tensor:
        """The draws with every hidden cell drawn anew."""
        assert drawn is not None
        return self._drawn_anew(trail, drawn, trail.rows.visible, noise, ("start", "donors", "order of columns"))

    @torch.no_grad()
    def follow(self, trail: Trail, drawn: Tensor, fixed: Tensor, noise: RowNoise) -> Tensor:
        """Every hidden cell that is not fixed, drawn given those that are."""
        names = ("start after a move", "donors after a move", "order after a move")
        return self._drawn_anew(trail, drawn, fixed, noise, names)

    def _drawn_anew(
        self, trail: Trail, drawn: Tensor, visible: Tensor, noise: RowNoise, names: tuple[str, str, str]
    ) -> Tensor:
        """Draws of the cells that ``visible`` has as 0; ``names`` say what noise is for."""
        own, completed = self.conditionals, trail.last.completed
        if not any(column.trees or column.odds for column in own.columns):
            return drawn
        tilts = tilts_of(own.columns, own.spans, completed, own.scales.forward(completed))
        deviations = own.deviations(visible, noise, names[0])
        picks, orders = noise.uniform(names[1], own.n_picks), noise.orders(names[2], len(own.spans))
        turns = np.random.default_rng([noise.seed, 1]).permutation(own.n_sets)
        result = []
        for k, one in enumerate(drawn):
            number = 1 + int(turns[k % own.n_sets])
            rows = own.begun(one, visible, number, deviations[k])
            result.append(own.swept(rows, one, visible, picks[k], orders[k], number, tilts))
        return torch.where(visible[:, span_index(own.spans)] > 0, drawn, torch.stack(result))

    def refit(self, learning: Learning) -> Self:
        """To be grown from all cells, with the shares that held-out cells chose."""
        rows = TrainingRows.of(learning).for_later()
        return type(self)(self._conditionals, Later(rows, learning.settings(Settings).n_donor_trees))

    def state(self) -> dict[str, Any]:
        """By column."""
        return self.conditionals.state()

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        return cls(Conditionals.from_state(state, spans))


def fit(learning: Learning) -> Donors | None:
    """Choose how far draws of levels follow the blend; all else is fitted once, on all cells."""
    if not learning.settings(Settings).n_donor_trees or len(learning.values) < FEWEST:
        return None
    spans, width = learning.spans, total_width(learning.spans)
    blank = NumberScales.as_is(width)
    columns = [ColumnModel() for _ in spans]
    if learning.worthwhile and not learning.run.time_is_up:
        learn, judged = TrainingRows.of(learning), learning.judged
        told = learn.scales.forward(judged.last.completed)
        for j, span in enumerate(spans):
            cells = (learning.judged_cells[:, j] > 0).nonzero()[:, 0]
            odds = (
                learn.odds(j, []) if span.kind == "categorical" and len(cells) and not learning.run.time_is_up else None
            )
            if odds is not None:
                truth = judged.rows.values[cells, span.start : span.stop]
                lean = _best_share(log_shares(judged.last.completed[cells], span), odds(told[cells], 0), truth)
                columns[j] = ColumnModel(lean=lean)
    return Donors(Conditionals(spans, blank, None, columns, torch.zeros(2, width, dtype=torch.float64)))


def _best_share(blend: Tensor, linear: Tensor, truth: Tensor) -> float:
    """The share of the blend in the log odds: the smallest that is within a standard error of the best."""
    mixed = torch.lerp(linear, blend, _SHARES[:, None, None]).log_softmax(2)
    losses = -(mixed * truth).sum(2)
    best = losses.mean(1).argmin()
    worse = losses - losses[best]
    error = worse.std(1, correction=0) / len(truth) ** 0.5
    return float(_SHARES[(worse.mean(1) <= error).nonzero()[0, 0]])


STAGE = Stage("donors", Settings, fit, Donors.from_state)
