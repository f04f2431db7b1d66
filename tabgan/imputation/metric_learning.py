"""A metric per target column, learnt so that similar rows tell most about the column's hidden cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tabgan.core.adam import FusedAdamW
from tabgan.networks.heads import span_index
from tabgan.spans import Span

__all__ = ["Asking", "Stored", "learn_metric"]

N_ROWS, N_KEYS, N_TARGETS = 128, 512, 8
"""Rows that ask, rows that answer, and columns they are asked about, in each step."""
LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Stored:
    """Rows that answer.

    Parameters
    ----------
    ranks, spreads : Tensor of shape (n_keys, width)
        In normal scores, completed; and the squares of these plus the variance of what is not observed.
    residuals : Tensor of shape (n_keys, width)
        Cells less what the closed form says of them.
    seen : Tensor of shape (n_keys, n_columns)
        1 where a cell was observed.
    numbers : LongTensor of shape (n_keys,)
        Which training row each is.
    """

    ranks: Tensor
    spreads: Tensor
    residuals: Tensor
    seen: Tensor
    numbers: Tensor


@dataclass(frozen=True)
class Asking:
    """Rows that ask, with cells hidden on purpose.

    Parameters
    ----------
    ranks : Tensor of shape (n, width)
        In normal scores, completed.
    missed : Tensor of shape (n, width)
        Hidden cells less what the closed form says of them; 0 elsewhere.
    shown, hidden : Tensor of shape (n, n_columns)
        1 in visible cells, and in those hidden on purpose.
    numbers : LongTensor of shape (n,)
        Which training row each is, so that it does not answer for itself.
    """

    ranks: Tensor
    missed: Tensor
    shown: Tensor
    hidden: Tensor
    numbers: Tensor


def learn_metric(
    asking: Asking, stored: Stored, spans: Sequence[Span], generator: torch.Generator, n_steps: int
) -> tuple[Tensor, Tensor]:
    """Slot weights and shares that let a kernel mean of residuals predict hidden cells best, one set per target column.

    Parameters
    ----------
    asking, stored : Asking, Stored
    spans : sequence of Span
        Layout of the slots.
    generator : torch.Generator
        CPU generator: rows and columns of each step.
    n_steps : int
        Steps of Adam for tables of up to 8 columns; up to 2.5 times as many for wider ones.

    Returns
    -------
    weights : Tensor of shape (n_columns, width)
        Positive.
    shares : Tensor of shape (n_columns,)
        In (0, 1): how much a slot counts that is hidden in the row that asks.

    References
    ----------
    Neighbourhood components analysis with sampled neighbours, for regression: Goldberger et al. 2004; Ye, Yin and Zhan 2025
    ("ModernNCA"), section 4.
    """
    n_columns, column, like = len(spans), span_index(spans).to(stored.ranks.device), stored.ranks
    # A parameter per column: the optimiser leaves columns alone that are no target in a step.
    logs = [nn.Parameter(like.new_zeros(like.shape[1])) for _ in spans]
    openness = [nn.Parameter(like.new_tensor(-1.5)) for _ in spans]
    optimizer = FusedAdamW([*logs, *openness], lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.0)
    n_steps = int(n_steps * min(max(n_columns / N_TARGETS, 1.0), 2.5))
    for step in range(n_steps):
        picked = torch.randint(len(asking.ranks), (N_ROWS,), generator=generator).to(like.device)
        chosen = torch.randperm(len(stored.ranks), generator=generator)[:N_KEYS].to(like.device)
        targets = torch.randperm(n_columns, generator=generator)[:N_TARGETS].tolist()
        ranks, slots = asking.ranks[picked], asking.shown[picked][:, column]
        keys = torch.cat([stored.ranks[chosen], stored.spreads[chosen]], 1).T
        unusable = stored.numbers[chosen] == asking.numbers[picked][:, None]
        unusable = unusable | (stored.seen[chosen][:, targets] <= 0).T.unsqueeze(1)
        shares = torch.sigmoid(torch.stack([openness[j] for j in targets]))[:, None, None]
        weights = torch.stack([logs[j] for j in targets]).exp().unsqueeze(1) * (slots + shares * (1 - slots))
        kernel = -(torch.cat([-2 * weights * ranks, weights], 2) @ keys)
        kernel = kernel.masked_fill(unusable, -1e9).softmax(2)
        loss = kernel.new_zeros(())
        for attention, j in zip(kernel, targets, strict=True):
            part = slice(spans[j].start, spans[j].stop)
            # A visible cell has missed 0; its kernel mean must not count.
            left = (asking.missed[picked, part] - attention @ stored.residuals[chosen, part]).square()
            loss = loss + (left * asking.hidden[picked, j][:, None]).sum()
        loss = loss / asking.hidden[picked][:, targets].sum().clamp_min(1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / n_steps)
        optimizer.step()
    return torch.stack([one.detach() for one in logs]).exp(), torch.sigmoid(torch.stack([o.detach() for o in openness]))
