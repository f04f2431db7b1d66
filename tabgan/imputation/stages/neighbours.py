"""Retrieval: fills a hidden cell from the training rows that are most alike, in a metric learnt for its column."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tabgan.core.trust import load_weights
from tabgan.imputation.learning import Learning
from tabgan.imputation.masking import hide_cells
from tabgan.imputation.metric_learning import Asking, Stored, learn_metric
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows, Stage
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["N_CANDIDATES", "STAGE", "Neighbours", "Settings", "fit_blend"]

FEWEST_ROWS = 40
"""Smaller tables have no neighbours worth asking."""

SIZES = ((8, 2.0), (32, 1.0))
"""How many neighbours are averaged, and the power of the inverse distance in their weights."""


N_CANDIDATES = 4 * len(SIZES)

_LEAST_DIFFERENCE = 1e-2
"""Of the neighbours' weights together: less is what rounding leaves between keys that are equally far."""

METRIC_STEPS = 120
_PRODUCTS_PER_SECOND = 5e9
"""Of one thread, and what comes with them."""
MOST_ASKING = 4096
"""Masked rows from which metrics are learnt."""


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents it."""

    n_references: int = 8192


class Neighbours(nn.Module, FittedStage):
    """What similar training rows say about hidden cells, as a step away from the closed-form base.

    Rows are compared in normal scores, completed by the closed form: visible slots of the query count in full, its hidden ones by a
    share, and a key's hidden slots add the closed form's error variance, so that distances are expected ones. For each target
    column there are two metrics, a plain one and a learnt one. Under each, nearest rows give four answers: the mean of their cells
    and, as in kriging, the closed form's answer plus the mean of their residuals from it, over few and over more rows. A linear
    combination per slot, fitted by ridge regression on cells hidden on purpose, weighs the eight.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    n_keys : int
        Stored rows; `restock` fills them in.

    Attributes
    ----------
    ranks : Tensor of shape (n_keys, width)
        Stored rows, completed by the closed form, numbers in normal scores.
    values, residuals : Tensor of shape (n_keys, width)
        Their cells, and the cells' differences from what the closed form says given the row's other cells; 0 where not seen.
    seen : Tensor of shape (n_keys, n_columns)
        1 where a stored cell was observed.
    noise : Tensor of shape (width,)
        The closed form's error variance per slot, in normal scores.
    metrics : Tensor of shape (2, n_columns, width)
        Weight of each slot in the distances for each target column, plain and learnt; mean 1.
    shares : Tensor of shape (2, n_columns)
        Weight of slots hidden in the query.
    blend : Tensor of shape (N_CANDIDATES, width)
        Weights of the answers.

    Notes
    -----
    The weight of the i-th of k neighbours is ``(d_(k+1) / d_i) ** power - 1``: it falls to 0 at the edge, so that results are
    continuous and do not hinge on ties. A stored row never answers for a cell that it misses itself, hence a training row that
    comes back with its gaps cannot answer for itself. O(n_keys * width) per hidden cell.
    """

    FLOOR = 1e-2
    CHUNK = 1024
    GROUP = 8

    ranks: Tensor
    values: Tensor
    residuals: Tensor
    seen: Tensor
    noise: Tensor
    metrics: Tensor
    shares: Tensor
    blend: Tensor

    def __init__(self, spans: Sequence[Span], n_keys: int) -> None:
        super().__init__()
        self.spans = tuple(spans)
        width, n_columns = total_width(spans), len(spans)
        rows = torch.zeros(n_keys, width)
        for name, tensor in (
            ("ranks", rows),
            ("values", rows.clone()),
            ("residuals", rows.clone()),
            ("seen", torch.zeros(n_keys, n_columns)),
            ("noise", torch.ones(width)),
            ("metrics", torch.ones(2, n_columns, width)),
            ("shares", torch.zeros(2, n_columns)),
            ("blend", torch.zeros(N_CANDIDATES, width)),
        ):
            self.register_buffer(name, tensor)
        self.rows: Tensor | None = None
        """Which training rows are stored; known until the training table is out of reach."""

    def forward(self, blended: Tensor, ranks: Tensor, visible: Tensor, rows: Tensor | None = None) -> Tensor:
        """Steps away from the closed form.

        Parameters
        ----------
        blended, ranks : Tensor of shape (n, width)
            The closed form's completion, and the one in normal scores.
        visible : Tensor of shape (n, n_columns)
            1 where a cell is visible.
        rows : LongTensor of shape (n,), default=None
            The training row that each row is, which must not answer for itself.

        Returns
        -------
        Tensor of shape (n, width)
            0 in visible cells.
        """
        answers = self.answers(blended, ranks, visible, rows)
        return torch.einsum("nwk,kw->nw", answers, self.blend)

    @torch.no_grad()
    def answers(self, blended: Tensor, ranks: Tensor, visible: Tensor, rows: Tensor | None = None) -> Tensor:
        """The eight answers less the closed form's, of shape (n, width, N_CANDIDATES); 0 in visible cells."""
        found = blended.new_zeros(*blended.shape, N_CANDIDATES)
        shown, spreads = visible[:, span_index(self.spans).to(visible.device)], self.spreads
        for j, span in enumerate(self.spans):
            asking = (visible[:, j] <= 0).nonzero()[:, 0]
            usable = (self.seen[:, j] > 0).nonzero()[:, 0]
            if not len(asking) or len(usable) < 3:
                continue
            slots = slice(span.start, span.stop)
            keys = torch.cat([self.ranks[usable], spreads[usable]], 1).T
            told = torch.cat([self.values[usable, slots], self.residuals[usable, slots]], 1)
            own = None if rows is None or self.rows is None else self.rows[usable]
            for part in asking.split(self.CHUNK):
                mine = None if own is None or rows is None else own == rows[part, None]
                answers: list[Tensor] = []
                given = blended[part, slots]
                for metric, share in zip(self.metrics[:, j], self.shares[:, j], strict=True):
                    weights = metric * torch.lerp(
                        share.expand_as(shown[part]), torch.ones_like(shown[part]), shown[part]
                    )
                    distances, nearest = self._nearest(ranks[part], weights, keys, mine)
                    for size, power in SIZES:
                        trust, mean = self._mean(distances, told[nearest], size, power)
                        cells, residuals = mean.tensor_split(2, 1)
                        answers += [trust * (cells - given), trust * residuals]
                found[part, slots] = torch.stack(answers, -1)
        return found

    def _nearest(self, ranks: Tensor, weights: Tensor, keys: Tensor, mine: Tensor | None) -> tuple[Tensor, Tensor]:
        """Sorted expected squared distances to the nearest keys, and which they are."""
        distances = torch.cat([-2 * weights * ranks, weights], 1) @ keys
        if mine is not None:
            distances = distances.masked_fill(mine, torch.inf)
        n_nearest = min(max(size for size, _ in SIZES) + 1, keys.shape[1] - 1)
        n_groups = distances.shape[1] // self.GROUP
        if n_groups > 2 * n_nearest:
            # The nearest keys are in the groups whose own nearest is nearest: two short searches instead of a long one.
            heads = distances[:, : n_groups * self.GROUP].unflatten(1, (self.GROUP, n_groups)).amin(1)
            best = heads.topk(n_nearest, 1, largest=False, sorted=False).indices
            places = torch.arange(distances.shape[1], device=distances.device)
            left = places[n_groups * self.GROUP :].expand(len(best), -1)
            inside = (best.unsqueeze(1) + n_groups * places[: self.GROUP, None]).flatten(1)
            candidates = torch.cat([inside, left], 1)
            distances, found = distances.gather(1, candidates).topk(n_nearest, 1, largest=False, sorted=True)
            nearest = candidates.gather(1, found)
        else:
            distances, nearest = distances.topk(n_nearest, 1, largest=False, sorted=True)
        offset = (weights * ranks.square()).sum(1, keepdim=True)
        return (distances + offset).clamp_min(0) + self.FLOOR, nearest

    @staticmethod
    def _mean(distances: Tensor, told: Tensor, size: int, power: float) -> tuple[Tensor, Tensor]:
        """Weighted mean of the nearest, and how far to trust it: 0 where all are equally far, so that the choice is arbitrary."""
        size = min(size, distances.shape[1] - 1)
        weights = (distances[:, size : size + 1] / distances[:, :size]) ** power - 1
        total = weights.sum(1, keepdim=True)
        # Distances come from a product in single precision; equally far ones differ in their last bits.
        total = torch.where(total < _LEAST_DIFFERENCE, 0.0, total)
        mean = (weights.unsqueeze(1) @ told[:, :size]).squeeze(1) / total.clamp_min(1e-12)
        return total / (total + 1e-3), mean

    @property
    def spreads(self) -> Tensor:
        """Squares of the stored rows' scores, plus the variance of those that were not observed; (n_keys, width)."""
        return self.ranks.square() + (1 - self.seen[:, span_index(self.spans).to(self.seen.device)]) * self.noise

    @torch.no_grad()
    def restock(self, closed_form: ClosedForm, values: Tensor, visible: Tensor) -> None:
        """Store other rows, or more cells of the same ones, under the metrics and weights as they are.

        Parameters
        ----------
        closed_form : ClosedForm
        values : Tensor of shape (n_keys, width)
        visible : Tensor of shape (n_keys, n_columns)
        """
        shown = visible[:, closed_form.column]
        values = torch.where(shown > 0, values, 0.0)
        self.ranks, self.values = closed_form.complete(Rows(values, visible), None).rank, values
        self.residuals, self.seen = (values - closed_form.given_others(values, visible)) * shown, visible

    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """A step from the closed form's completion."""
        assert before is not None
        step = self(before.completed, before.rank, rows.visible, rows.numbers)
        return replace(before, completed=before.completed + step, step=step)

    def refit(self, learning: Learning) -> Self:
        """The stored rows with all of their cells."""
        assert self.rows is not None
        closed_form = next(stage for stage in learning.stages if isinstance(stage, ClosedForm))
        self.restock(closed_form, learning.values[self.rows].double(), learning.visible[self.rows].double())
        return self.double()

    def state(self) -> dict[str, Any]:
        """Its buffers."""
        return {"weights": self.state_dict()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        module = cls(spans, len(state["weights"]["ranks"])).double()
        load_weights(module, state["weights"])
        return module


@torch.no_grad()
def fit(learning: Learning) -> Neighbours | None:
    """Store rows, learn the metrics, and weigh the answers by cells hidden on purpose; None for tables that are too small."""
    n, n_keys = len(learning.values), learning.settings(Settings).n_references
    if not learning.worthwhile or min(n_keys, n) < FEWEST_ROWS or _takes_too_long(learning, min(n_keys, n)):
        return None
    generator, trail = learning.generator("neighbours"), learning.masked.trail
    rows, given = trail.rows, trail.after(ClosedForm)
    module = Neighbours(learning.spans, 0).to(rows.values)
    module.rows = torch.randperm(n, generator=generator)[:n_keys]
    _stock(module, learning, trail.stage(ClosedForm), generator)
    column, hidden = span_index(learning.spans), learning.masked.hidden
    missed = (rows.values - given.completed) * hidden[:, column]
    asking = Asking(given.rank, missed, rows.visible, hidden, _numbers(rows))
    stored = Stored(module.ranks, module.spreads, module.residuals, module.seen, module.rows)
    some = Asking(*(part[:MOST_ASKING] for part in vars(asking).values()))
    with torch.enable_grad():
        metric, share = learn_metric(some, stored, learning.spans, generator, METRIC_STEPS)
    module.metrics[1] = metric / metric.mean(1, keepdim=True)
    module.shares[1] = share
    answers = module.answers(given.completed, given.rank, rows.visible, rows.numbers)
    fit_blend(module, answers, missed, hidden[:, column])
    # The answers are the costly part: what follows from them is noted, not asked for again.
    step = torch.einsum("nwk,kw->nw", answers, module.blend)
    trail.record(replace(given, completed=given.completed + step, step=step))
    return module


def _takes_too_long(learning: Learning, n_keys: int) -> bool:
    """Whether asking for masked and held-out cells would, about, take more than half of the time that is left."""
    if learning.run.deadline is None:
        return False
    cells = float(learning.masked.hidden.sum() + (1 - learning.judged.rows.visible).sum())
    products = cells * n_keys * 4 * learning.values.shape[1]
    return products / _PRODUCTS_PER_SECOND > (learning.run.deadline - time.monotonic()) / 2


def _stock(module: Neighbours, learning: Learning, closed_form: ClosedForm, generator: torch.Generator) -> None:
    """Fill in the stored rows, and how far the closed form is from a quarter of their cells."""
    assert module.rows is not None
    visible = learning.visible[module.rows]
    module.restock(closed_form, learning.values[module.rows], visible)
    kept = hide_cells(visible, generator, lowest_rate=0.25, highest_rate=0.25)
    cells = (visible - kept)[:, closed_form.column]
    errors = closed_form.complete(Rows(module.values, kept), None).rank - closed_form.scored(module.values)
    module.noise = ((errors.square() * cells).sum(0) / cells.sum(0).clamp_min(1)).clamp_min(1e-3)


def _numbers(rows: Rows) -> Tensor:
    assert rows.numbers is not None
    return rows.numbers


@torch.no_grad()
def fit_blend(module: Neighbours, answers: Tensor, truth: Tensor, cells: Tensor, ridge: float = 0.05) -> None:
    """Weigh the answers, slot by slot, by ridge regression.

    Parameters
    ----------
    module : Neighbours
        Changed in place.
    answers : Tensor of shape (n, width, N_CANDIDATES)
        From `Neighbours.answers`.
    truth : Tensor of shape (n, width)
        The true values less the closed form's; 0 where a slot does not count.
    cells : Tensor of shape (n, width)
        1 where a slot counts.
    ridge : float, default=0.05
        Relative to each answer's variance.
    """
    for slot in range(truth.shape[1]):
        on = cells[:, slot] > 0
        if int(on.sum()) < 2 * N_CANDIDATES:
            continue
        given, wanted = answers[on, slot].double(), truth[on, slot].double()
        gram = given.T @ given
        scale = gram.diagonal()
        # Few cells, more caution: twenty cells' worth of wanting no step at all.
        system = gram + (ridge + 20 / len(given)) * torch.diag(scale)
        system.diagonal().add_(1e-4 * scale.mean() + 1e-9)
        module.blend[:, slot] = torch.linalg.solve(system, given.T @ wanted).to(module.blend)


STAGE = Stage("neighbours", Settings, fit, Neighbours.from_state, waits=False)
