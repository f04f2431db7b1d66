"""Candidates weighed column by column on held-out cells; columns take turns, and later ones see earlier ones already moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.learning import Learning
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.stage import (
    Candidate,
    Completion,
    FittedColumn,
    FittedStage,
    NoSettings,
    Rows,
    Seen,
    Stage,
)
from tabgan.networks.heads import span_index
from tabgan.spans import Span

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Blend", "stage_of", "turns", "weights_of"]

_PRIOR_CELLS = 60
"""Held-out cells' worth of trust in what all columns of a kind, and before them the candidate's prior, say."""
_TRUST_IN_ALL = 1.0
"""What the cells of all columns of a kind say counts so many times as much as a column's own: held-out cells are few, and may lie
elsewhere than the missing ones do."""
_TRUST_IN_PRIOR = 0.3
"""How much the prior counts beside what all columns say."""
_LEAST_WEIGHT = 0.05
"""Less is not worth the candidate's time and its place in the model file."""


def turns(spans: Sequence[Span], n_missing: Tensor | None = None) -> list[int]:
    """The order of the columns' turns: numbers first, then categories, and those that miss least first (MissForest)."""
    missing = [0] * len(spans) if n_missing is None else n_missing.tolist()
    return sorted(range(len(spans)), key=lambda j: (spans[j].kind == "categorical", missing[j]))


class Blend(FittedStage):
    """Moves completed rows towards what the candidates say of their hidden cells, column by column.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    candidates : sequence of Candidate
    fitted : list of list of FittedColumn or None
        Per candidate and column.
    weights : Tensor of shape (n_candidates, n_columns)
        How far to follow each, in [0, 1]; at most 1 in sum per column. 0 everywhere leaves a column's completion as it is.
    order : sequence of int, default=None
        The columns' turns; None: as `turns` has them where all miss as many.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        candidates: Sequence[Candidate],
        fitted: list[list[FittedColumn | None]],
        weights: Tensor,
        order: Sequence[int] | None = None,
    ) -> None:
        self.order = turns(spans) if order is None else list(order)
        self.spans = tuple(spans)
        self.candidates = tuple(candidates)
        self.fitted = fitted
        self.weights = weights

    def used(self, j: int) -> list[int]:
        """Numbers of the candidates that column ``j`` follows."""
        return [k for k, fitted in enumerate(self.fitted) if fitted[j] is not None and self.weights[k, j] > 0]

    @torch.no_grad()
    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """Completed rows, moved."""
        assert before is not None
        moved = before.completed.clone()
        seen = Seen(rows.blanked(span_index(self.spans)), moved, before.closed, before.proposals)
        for j in self.order:
            self.move(seen, rows.visible[:, j] <= 0, j)
        return replace(before, completed=moved)

    def move(self, seen: Seen, asking: Tensor, j: int) -> None:
        """Move column ``j`` of the rows where ``asking`` is true, in place in ``seen``; its gaps are filled from now on."""
        assert seen.completed is not None
        assert seen.gaps is not None
        chosen = asking.nonzero()[:, 0]
        if not len(chosen):
            return
        slots = slice(self.spans[j].start, self.spans[j].stop)
        start = seen.completed[chosen, slots]
        step = torch.zeros_like(start)
        for k in self.used(j):
            step += self.weights[k, j].to(start) * (self.told(seen.take(chosen), k, j) - start)
        seen.completed[chosen, slots] = start + step
        seen.gaps.values[chosen, slots] = start + step

    def told(self, seen: Seen, k: int, j: int) -> Tensor:
        """What candidate ``k`` says of column ``j``."""
        column = self.fitted[k][j]
        assert column is not None
        return column(seen.only(self.candidates[k].reads))

    def refit(self, learning: Learning) -> Self:
        """The candidates that a column follows, fitted again with all cells; as they are from where the time is up."""
        return self if learning.run.time_is_up else _grown(learning, self, judging=False)  # type: ignore[return-value]

    def state(self) -> dict[str, Any]:
        """Weights, and the fitted columns that have some."""
        columns = {
            candidate.name: {j: fitted[j].state() for j in range(len(self.spans)) if k in self.used(j)}  # type: ignore[union-attr]
            for k, (candidate, fitted) in enumerate(zip(self.candidates, self.fitted, strict=True))
        }
        weights = {c.name: self.weights[k] for k, c in enumerate(self.candidates)}
        return {"weights": weights, "columns": columns, "order": self.order}


def fit(learning: Learning, candidates: Sequence[Candidate]) -> Blend | None:
    """Fit the candidates to the training cells, and learn from the held-out ones how far to follow each.

    Parameters
    ----------
    learning : Learning
    candidates : sequence of Candidate

    Returns
    -------
    Blend or None
        None where there is nothing to judge by, or no candidate applies to any column.
    """
    if not learning.worthwhile:
        return None
    spans = learning.spans
    candidates = [candidate for candidate in candidates if candidate.applies is None or candidate.applies(learning)]
    if not candidates:
        return None
    prior = torch.tensor([[c.prior[span.kind] for span in spans] for c in candidates], dtype=torch.float64)
    order = turns(spans, (1 - learning.patterns).sum(0))
    blank = Blend(spans, candidates, [[None] * len(spans) for _ in candidates], prior, order)
    blend = _grown(learning, blank, judging=True)
    if not any(column is not None for fitted in blend.fitted for column in fitted):
        return None
    blend.weights = _judged(learning, blend)
    for k, fitted in enumerate(blend.fitted):
        blend.fitted[k] = [column if blend.weights[k, j] > 0 else None for j, column in enumerate(fitted)]
    return blend


def _grown(learning: Learning, blend: Blend, *, judging: bool) -> Blend:
    """Candidates fitted column by column; training rows move as rows to complete will."""
    rows, before = learning.sampled.rows, learning.sampled.last
    blank = rows.blanked(span_index(learning.spans))
    asked = Seen(blank, before.completed.clone(), before.closed, before.proposals)
    fitted = [list(columns) for columns in blend.fitted]
    grown = Blend(blend.spans, blend.candidates, fitted, blend.weights.clone(), blend.order)
    predicted = _predicted(learning, rows, asked) if any("prediction" in c.reads for c in blend.candidates) else None
    sources = [predicted if predicted and "prediction" in c.reads else (rows, asked) for c in blend.candidates]
    for j in blend.order:
        if learning.run.time_is_up:
            break
        slots = slice(blend.spans[j].start, blend.spans[j].stop)
        for k, (candidate, (given, source)) in enumerate(zip(blend.candidates, sources, strict=True)):
            if judging or k in blend.used(j):
                known = given.visible[:, j] > 0
                part, truth = source.take(known).only(candidate.reads), given.values[known, slots]
                grown.fitted[k][j] = candidate.fit(part, truth, j, learning, judged=blend.fitted[k][j])
        if judging:  # the prior is shared by those that have something to say
            grown.weights[:, j] /= max(sum(fitted[j] is not None for fitted in grown.fitted), 1)
        grown.move(asked, rows.visible[:, j] <= 0, j)
    return grown


def _predicted(learning: Learning, rows: Rows, asked: Seen) -> tuple[Rows, Seen]:
    """The first of the rows, with what the closed form says of each cell, visible ones too, given the others."""
    first = slice(0, learning.n_predicted)
    part = rows.take(first)
    told = learning.sampled.stage(ClosedForm).given_others(part.values, part.visible)
    return part, replace(asked.take(first), prediction=told)  # views: they are moved with the others


def _judged(learning: Learning, blend: Blend) -> Tensor:
    """Weights from held-out cells, which the candidates have not seen."""
    trail, cells = learning.judged, learning.judged_cells > 0
    rows, before = trail.rows, trail.last
    blank = rows.blanked(span_index(blend.spans))
    seen = Seen(blank, before.completed.clone(), before.closed, before.proposals)
    n, n_columns = len(blend.candidates), len(blend.spans)
    gram = torch.zeros(n_columns, n, n, dtype=torch.float64)
    cross = torch.zeros(n_columns, n, dtype=torch.float64)
    for j in blend.order:
        on, slots = cells[:, j], slice(blend.spans[j].start, blend.spans[j].stop)
        start = before.completed[on, slots]
        steps = torch.zeros(n, *start.shape, dtype=torch.float64)
        for k in range(n):
            if on.any() and blend.fitted[k][j] is not None:
                steps[k] = blend.told(seen.take(on), k, j) - start
        gram[j] = torch.einsum("knw,lnw->kl", steps, steps)
        cross[j] = torch.einsum("knw,nw->k", steps, rows.values[on, slots] - start)
        blend.move(seen, rows.visible[:, j] <= 0, j)
    fitted = torch.tensor([[column is not None for column in columns] for columns in blend.fitted])
    kinds = [span.kind for span in blend.spans]
    return weights_of(gram, cross, cells.sum(0).double(), fitted, blend.weights, kinds)


def weights_of(
    gram: Tensor, cross: Tensor, n_cells: Tensor, fitted: Tensor, prior: Tensor, kinds: Sequence[str]
) -> Tensor:
    """How far to follow each candidate in each column, by least squares on held-out cells.

    Parameters
    ----------
    gram : Tensor of shape (n_columns, n_candidates, n_candidates)
        Products of the candidates' steps from the completion, summed over held-out cells.
    cross : Tensor of shape (n_columns, n_candidates)
        Products of their steps and the steps to the truth.
    n_cells : Tensor of shape (n_columns,)
        Held-out cells.
    fitted : BoolTensor of shape (n_candidates, n_columns)
        Which candidates have something to say.
    prior : Tensor of shape (n_candidates, n_columns)
        Weights to begin with.
    kinds : sequence of str
        The kind of each column.

    Returns
    -------
    Tensor of shape (n_candidates, n_columns)
        At least 0, at most 1 in sum per column: a column's own best weights, drawn towards those of all columns of its kind, drawn
        towards the prior.
    """
    weights = torch.zeros_like(prior)
    for kind in dict.fromkeys(kinds):
        mine = [j for j, other in enumerate(kinds) if other == kind and fitted[:, j].any()]
        if not mine:
            continue
        # A candidate that says nothing of a column takes no step there, and so pulls nothing either way.
        power = gram[mine].diagonal(dim1=1, dim2=2).sum(0) / n_cells[mine].sum().clamp_min(1)
        n, power = n_cells[mine], torch.diag(power.clamp_min(1e-12))
        extra = (_PRIOR_CELLS + _TRUST_IN_PRIOR * n.sum()) * power
        pooled = torch.linalg.solve(gram[mine].sum(0) + extra, cross[mine].sum(0) + extra @ prior[:, mine].mean(1))
        extra = (_PRIOR_CELLS + _TRUST_IN_ALL * n.mean()) * power
        for j in mine:
            own = _nonnegative(gram[j] + extra, cross[j] + extra @ pooled) * fitted[:, j]
            weights[:, j] = own / own.sum().clamp_min(1.0)
    weights[weights < _LEAST_WEIGHT] = 0
    return weights


def _nonnegative(system: Tensor, wanted: Tensor) -> Tensor:
    """The w >= 0 that minimises ``w' system w / 2 - wanted' w``; the system is positive definite."""
    root = torch.linalg.cholesky(system).T
    target = torch.linalg.solve_triangular(root.T, wanted.unsqueeze(1), upper=False)[:, 0]
    return torch.from_numpy(nnls(root.numpy().astype(np.float64), target.numpy())[0])


def _restored(
    state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any], candidates: Sequence[Candidate]
) -> Blend:
    if unknown := set(state["weights"]) - {candidate.name for candidate in candidates}:
        raise ModelFileError(f"the model has candidates that this tabgan does not know: {sorted(unknown)}.")
    known = [candidate for candidate in candidates if candidate.name in state["weights"]]
    fitted: list[list[FittedColumn | None]] = []
    for candidate in known:
        stored = state["columns"][candidate.name]
        fitted.append([candidate.from_state(stored[j]) if j in stored else None for j in range(len(spans))])
    weights = torch.stack([state["weights"][candidate.name] for candidate in known])
    if weights.shape != (len(known), len(spans)):
        raise ModelFileError("the model's weights of candidates are not one per column.")
    return Blend(spans, known, fitted, weights, state.get("order"))


def stage_of(name: str, candidates: Sequence[Candidate]) -> Stage:
    """The stage of this name that weighs these candidates."""
    restore = partial(_restored, candidates=candidates)
    parts = tuple(candidate.settings for candidate in candidates)
    return Stage(name, NoSettings, partial(fit, candidates=candidates), restore, parts=parts)
