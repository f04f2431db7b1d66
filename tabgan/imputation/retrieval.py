"""Fitting the generator's retrieval: which rows are stored, the metrics they are compared in, and how their answers are weighed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tabgan.core.masked import hide_cells
from tabgan.networks.bases import ClosedFormBase
from tabgan.networks.neighbours import N_CANDIDATES, Neighbours, blank_neighbours
from tabgan.networks.tabular import span_index
from tabgan.spans import Span

__all__ = ["FEWEST_ROWS", "fit_blend", "fit_neighbours"]

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
