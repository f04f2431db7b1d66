"""Retrieval: fills a hidden cell from the training rows that are most alike, in a metric learnt for its column."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tabgan.imputation.masking import hide_cells
from tabgan.imputation.stages.closed_form import ClosedFormBase
from tabgan.networks.heads import span_index
from tabgan.spans import Span

__all__ = ["FEWEST_ROWS", "N_CANDIDATES", "Neighbours", "blank_neighbours", "fit_blend", "fit_neighbours"]

SIZES = ((8, 2.0), (32, 1.0))
"""How many neighbours are averaged, and the power of the inverse distance in their weights."""


N_CANDIDATES = 4 * len(SIZES)


class Neighbours(nn.Module):
    """What similar training rows say about hidden cells, as a step away from the closed-form base.

    Rows are compared in normal scores, completed by the base: visible slots of the query count in full, its hidden ones by a share,
    and a key's hidden slots add the base's error variance, so that distances are expected ones. For each target column there are
    two metrics, a plain one and a learnt one. Under each, nearest rows give four answers: the mean of their cells and, as in
    kriging, the base's answer plus the mean of their residuals from it, over few and over more rows. A linear
    combination per slot, fitted by ridge regression on cells hidden on purpose, weighs the eight.

    Parameters
    ----------
    ranks : Tensor of shape (n_keys, width)
        Stored rows, completed by the base, numbers in normal scores.
    values, residuals : Tensor of shape (n_keys, width)
        Their cells, and the cells' differences from what the base says given the row's other cells; 0 where not seen.
    seen : Tensor of shape (n_keys, n_columns)
        1 where a stored cell was observed.
    noise : Tensor of shape (width,)
        The base's error variance per slot, in normal scores.
    metrics : Tensor of shape (2, n_columns, width)
        Weight of each slot in the distances for each target column, plain and learnt; mean 1.
    shares : Tensor of shape (2, n_columns)
        Weight of slots hidden in the query.
    blend : Tensor of shape (N_CANDIDATES, width)
        Weights of the answers.
    spans : sequence of Span
        Layout of the slots.

    Notes
    -----
    The weight of the i-th of k neighbours is ``(d_(k+1) / d_i) ** power - 1``: it falls to 0 at the edge, so that results are
    continuous and do not hinge on ties. A stored row never answers for a cell that it misses itself, hence a training row that
    comes back with its gaps cannot answer for itself. O(n_keys * width) per hidden cell.
    """

    FLOOR = 1e-2
    MOST_GROUPS = 12
    """Residuals of wide tables are taken for so many groups of columns, not for each column alone."""
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

    def __init__(
        self,
        ranks: Tensor,
        values: Tensor,
        residuals: Tensor,
        seen: Tensor,
        noise: Tensor,
        metrics: Tensor,
        shares: Tensor,
        blend: Tensor,
        spans: Sequence[Span],
    ) -> None:
        super().__init__()
        self.spans = tuple(spans)
        for name, tensor in (
            ("ranks", ranks),
            ("values", values),
            ("residuals", residuals),
            ("seen", seen),
            ("noise", noise),
            ("metrics", metrics),
            ("shares", shares),
            ("blend", blend),
        ):
            self.register_buffer(name, tensor)
        self.rows: Tensor | None = None
        """Which training rows are stored; known until the training table is out of reach."""

    def forward(self, blended: Tensor, ranks: Tensor, visible: Tensor, rows: Tensor | None = None) -> Tensor:
        """Steps away from the base.

        Parameters
        ----------
        blended, ranks : Tensor of shape (n, width)
            The base's completion, and the one in normal scores.
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
        """The eight answers less the base's, of shape (n, width, N_CANDIDATES); 0 in visible cells."""
        found = blended.new_zeros(*blended.shape, N_CANDIDATES)
        column = torch.tensor([j for j, span in enumerate(self.spans) for _ in range(span.width)], device=ranks.device)
        shown = visible[:, column]
        spreads = self.ranks.square() + (1 - self.seen[:, column]) * self.noise
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
        mean = (weights.unsqueeze(1) @ told[:, :size]).squeeze(1) / total.clamp_min(1e-12)
        return total / (total + 1e-3), mean

    @torch.no_grad()
    def restock(self, base: ClosedFormBase, values: Tensor, visible: Tensor) -> None:
        """Store other rows, or more cells of the same ones, under the metrics and weights as they are.

        Parameters
        ----------
        base : ClosedFormBase
        values : Tensor of shape (n_keys, width)
        visible : Tensor of shape (n_keys, n_columns)
        """
        column = torch.tensor([j for j, span in enumerate(self.spans) for _ in range(span.width)], device=values.device)
        shown = visible[:, column]
        values = torch.where(shown > 0, values, 0.0)
        residuals = torch.zeros_like(values)
        n_groups = min(len(self.spans), self.MOST_GROUPS)
        for group in range(n_groups):
            # What the base says of these columns given the row's other cells.
            others = visible.clone()
            others[:, group::n_groups] = 0
            told = base(values, others[:, column])[0]
            residuals = torch.where(column % n_groups == group, values - told, residuals)
        self.ranks, self.values = base(values, shown)[2], values
        self.residuals, self.seen = residuals * shown, visible


def blank_neighbours(spans: Sequence[Span], n_keys: int) -> Neighbours:
    """A module of the right shape, to load buffers into."""
    width, n_columns = spans[-1].stop, len(spans)
    rows = torch.zeros(n_keys, width)
    return Neighbours(
        rows,
        rows.clone(),
        rows.clone(),
        torch.zeros(n_keys, n_columns),
        torch.ones(width),
        torch.ones(2, n_columns, width),
        torch.zeros(2, n_columns),
        torch.zeros(N_CANDIDATES, width),
        spans,
    )


FEWEST_ROWS = 40
"""Smaller tables have no neighbours worth asking."""


@torch.no_grad()
def fit_neighbours(
    base: ClosedFormBase,
    values: Tensor,
    visible: Tensor,
    spans: Sequence[Span],
    n_keys: int,
    generator: torch.Generator,
    *,
    n_steps: int = 120,
) -> Neighbours | None:
    """Store rows and learn the metrics.

    Parameters
    ----------
    base : ClosedFormBase
        In the dtype of ``values``.
    values : Tensor of shape (n, width)
        Encoded training rows.
    visible : Tensor of shape (n, n_columns)
        1 where training may look.
    spans : sequence of Span
        Layout of the slots.
    n_keys : int
        Store at most this many rows, drawn at random.
    generator : torch.Generator
        Source of that choice, and of the masks.
    n_steps : int, default=120
        Steps of Adam for tables of up to 8 columns; up to 2.5 times as many for wider ones.

    Returns
    -------
    Neighbours or None
        None for tables that are too small. The blend is 0: see `fit_blend`.
    """
    if min(n_keys, len(values)) < FEWEST_ROWS:
        return None
    module = blank_neighbours(spans, 0).to(values)
    module.rows = torch.randperm(len(values), generator=generator)[:n_keys].to(values.device)
    module.restock(base, values[module.rows], visible[module.rows])
    column = span_index(spans).to(values.device)
    kept = hide_cells(visible[module.rows], generator, lowest_rate=0.25, highest_rate=0.25)
    cells = (visible[module.rows] - kept)[:, column]
    errors = base(module.values, kept[:, column])[2] - base.scored(module.values)
    module.noise = ((errors.square() * cells).sum(0) / cells.sum(0).clamp_min(1)).clamp_min(1e-3)
    with torch.enable_grad():
        metric, share = _learn_metric(module, base, values, visible, column, generator, n_steps)
    module.metrics[1] = metric / metric.mean(1, keepdim=True)
    module.shares[1] = share
    return module


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
        The true values less the base's.
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


def _learn_metric(
    module: Neighbours,
    base: ClosedFormBase,
    values: Tensor,
    visible: Tensor,
    column: Tensor,
    generator: torch.Generator,
    n_steps: int,
) -> tuple[Tensor, Tensor]:
    """Slot weights and shares that let a kernel mean of residuals predict hidden cells best, one set per target column.

    Neighbourhood components analysis with sampled neighbours, for regression: Goldberger et al. 2004; Ye, Yin and Zhan 2025
    ("ModernNCA"), section 4.
    """
    n_rows, n_keys, n_targets, rate, n_masked = 128, 512, 8, 0.1, 4096
    spans, n_columns = module.spans, len(module.spans)
    logs = torch.zeros_like(module.metrics[1]).requires_grad_()
    openness = torch.full_like(module.shares[1], -1.5).requires_grad_()
    moments = [torch.zeros_like(p) for p in (logs, openness) for _ in range(2)]
    n_steps = int(n_steps * min(max(n_columns / n_targets, 1.0), 2.5))
    counts = torch.zeros(n_columns, 1, device=values.device)
    spreads = module.ranks.square() + (1 - module.seen[:, column]) * module.noise
    assert module.rows is not None
    # What the base says of masked rows is computed once: every one of them is seen some four times.
    of_row = torch.randint(len(values), (n_masked,), generator=generator).to(values.device)
    masked = hide_cells(
        visible[of_row], generator, lowest_rate=0.05, highest_rate=0.5, donors=visible, donor_fraction=0.5
    )
    all_blended, _, all_ranks = base(values[of_row], masked[:, column])
    all_missed = (values[of_row] - all_blended) * (visible[of_row] - masked)[:, column]
    for step in range(n_steps):
        picked = torch.randint(n_masked, (n_rows,), generator=generator).to(values.device)
        rows, shown, ranks, missed = of_row[picked], masked[picked], all_ranks[picked], all_missed[picked]
        chosen = torch.randperm(len(module.rows), generator=generator)[:n_keys].to(values.device)
        targets = torch.randperm(n_columns, generator=generator)[:n_targets].tolist()
        with torch.no_grad():
            slots = shown[:, column]
            keys = torch.cat([module.ranks[chosen], spreads[chosen]], 1).T
            unusable = module.rows[chosen] == rows[:, None]
            unusable = unusable | (module.seen[chosen][:, targets] <= 0).T.unsqueeze(1)
        shares = torch.sigmoid(openness[targets])[:, None, None]
        weights = logs[targets].exp().unsqueeze(1) * (slots + shares * (1 - slots))
        kernel = -(torch.cat([-2 * weights * ranks, weights], 2) @ keys)
        kernel = kernel.masked_fill(unusable, -1e9).softmax(2)
        loss = kernel.new_zeros(())
        for attention, j in zip(kernel, targets, strict=True):
            part = slice(spans[j].start, spans[j].stop)
            # A visible cell has missed 0; its kernel mean must not count.
            hidden = (visible[rows, j] - shown[:, j])[:, None]
            loss = loss + ((missed[:, part] - attention @ module.residuals[chosen, part]).square() * hidden).sum()
        loss = loss / (visible[rows] - shown)[:, targets].sum().clamp_min(1)
        gradients = torch.autograd.grad(loss, (logs, openness))
        with torch.no_grad():
            # Adam by hand: columns that were no target in this step stay as they are.
            counts[targets] += 1
            for place, (parameter, gradient) in enumerate(zip((logs, openness), gradients, strict=True)):
                first, second = moments[2 * place], moments[2 * place + 1]
                first[targets] = torch.lerp(first[targets], gradient[targets], 0.1)
                second[targets] = torch.lerp(second[targets], gradient[targets].square(), 0.05)
                age = counts[targets] if parameter.dim() == 2 else counts[targets, 0]
                move = (first[targets] / (1 - 0.9**age)) / ((second[targets] / (1 - 0.95**age)).sqrt() + 1e-8)
                parameter[targets] -= rate * (1 - step / n_steps) * move
    return logs.detach().exp(), torch.sigmoid(openness.detach())
