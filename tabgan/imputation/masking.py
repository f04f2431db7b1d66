"""Losses and masks of learning from hidden cells: re-masking, hints, and the per-cell reconstruction loss."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["hide_cells", "hint_code", "hint_paper", "hint_rates", "reconstruction_loss"]


def hide_cells(
    visible: Tensor,
    generator: torch.Generator,
    *,
    lowest_rate: float = 0.05,
    highest_rate: float = 0.6,
    donors: Tensor | None = None,
    donor_fraction: float = 0.0,
) -> Tensor:
    """Hide visible cells on purpose; training predicts them from the rest.

    Parameters
    ----------
    visible : Tensor of shape (n, n_columns)
        1 where a cell may be seen.
    generator : torch.Generator
        Source of the mask.
    lowest_rate, highest_rate : float, default=0.05 and 0.6
        Each row hides each cell with its own rate, uniform in this range.
    donors : Tensor of shape (m, n_columns), default=None
        Visible-masks of real rows. A donated pattern hides what its row really missed (copy-masking, CACTI 2025), which
        matters when gaps are not missing completely at random.
    donor_fraction : float, default=0.0
        Probability that a row also takes a donor's pattern.

    Returns
    -------
    Tensor of shape (n, n_columns)
        The new visible-mask, nowhere larger than ``visible``.
    """
    n, n_columns = visible.shape
    rates = lowest_rate + (highest_rate - lowest_rate) * torch.rand(n, 1, generator=generator)
    kept = (torch.rand(n, n_columns, generator=generator) >= rates).to(visible)
    if donors is not None and donor_fraction > 0:
        chosen = donors[torch.randint(len(donors), (n,), generator=generator)]
        takes = (torch.rand(n, 1, generator=generator) < donor_fraction).to(visible)
        kept = kept * (1 - takes * (1 - chosen))
    return visible * kept


def hint_paper(mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The hint of the GAIN paper: all cells but one random cell per row are revealed.

    Parameters
    ----------
    mask : Tensor of shape (n, n_columns)
        1 where observed.
    generator : torch.Generator
        Picks the hidden cell of each row.

    Returns
    -------
    hint : Tensor of shape (n, n_columns)
        ``h = b * m + 0.5 * (1 - b)``: 0.5 says "not told".
    open_cells : Tensor of shape (n, n_columns)
        ``1 - b``: where the discriminator has to judge, and its loss counts.

    References
    ----------
    Yoon, Jordon, van der Schaar 2018, "GAIN", eq. 12 and algorithm 1.
    """
    n, n_columns = mask.shape
    hidden = torch.randint(n_columns, (n,), generator=generator).to(mask.device)
    open_cells = torch.nn.functional.one_hot(hidden, n_columns).to(mask)
    return (1 - open_cells) * mask + 0.5 * open_cells, open_cells


def hint_code(mask: Tensor, generator: torch.Generator, hint_rate: float = 0.9) -> tuple[Tensor, Tensor]:
    """The hint of the authors' code: ``h = b * m`` with b ~ Bernoulli(hint_rate) per cell, every cell judged.

    Parameters
    ----------
    mask : Tensor of shape (n, n_columns)
        1 where observed.
    generator : torch.Generator
        Source of b.
    hint_rate : float, default=0.9
        Share of observed cells that are revealed; 0 in the hint means "missing or not told".

    Returns
    -------
    hint, open_cells : Tensor of shape (n, n_columns)
        The hint, and ones everywhere.

    References
    ----------
    github.com/jsyoon0823/GAIN, ``gain.py``; departs from the paper's eq. 12.
    """
    told = (torch.rand(mask.shape, generator=generator) < hint_rate).to(mask)
    return told * mask, torch.ones_like(mask)


def hint_rates(mask: Tensor, generator: torch.Generator, hint_rate: float = 0.9) -> tuple[Tensor, Tensor]:
    """The paper's hint with a rate: each cell is revealed with probability ``hint_rate``, the others are judged.

    Parameters
    ----------
    mask : Tensor of shape (n, n_columns)
        1 where observed.
    generator : torch.Generator
        Source of b.
    hint_rate : float, default=0.9
        Probability that b = 1.

    Returns
    -------
    hint, open_cells : Tensor of shape (n, n_columns)
        ``h = b * m + 0.5 * (1 - b)`` and ``1 - b``. Departure from the paper: it leaves exactly one cell per row open.
    """
    told = (torch.rand(mask.shape, generator=generator) < hint_rate).to(mask)
    return told * mask + 0.5 * (1 - told), 1 - told


def reconstruction_loss(
    predicted: Tensor, truth: Tensor, cells: Tensor, column: Tensor, is_categorical: Tensor
) -> Tensor:
    """Mean loss over the chosen cells: squared error for numbers, cross-entropy for categories.

    Parameters
    ----------
    predicted : Tensor of shape (..., n, width)
        Numbers, and log-probabilities in categorical blocks.
    truth : Tensor of shape (n, width)
        Numbers and one-hot blocks.
    cells : Tensor of shape (n, n_columns)
        Weight per cell.
    column : LongTensor of shape (width,)
        The column of each slot.
    is_categorical : BoolTensor of shape (width,)
        Whether the slot is part of a one-hot block.

    Returns
    -------
    Tensor of shape ()
        ``sum(cells * loss) / sum(cells)``, averaged over leading dimensions of ``predicted``.
    """
    weight = cells[:, column]
    # Hidden categorical slots of the truth are 0, so a block contributes -log p of its one true level.
    element = torch.where(is_categorical, -truth * predicted, (predicted - truth) ** 2)
    members = element.shape[:-2].numel()
    total = cells.sum().to(element.dtype).clamp_min(torch.finfo(element.dtype).tiny)
    return (element * weight).sum() / (members * total)
