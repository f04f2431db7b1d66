"""The blocks of a matrix at rows' hidden slots, packed and factorised: small where little is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["HiddenBlocks", "hidden_blocks"]

_SIZES = 4
"""Blocks are padded to a multiple of it, so that few batches serve all rows; a row's block does not depend on other rows."""
_MOST_NUMBERS = 2_000_000


@dataclass(frozen=True)
class HiddenBlocks:
    """Of some rows with about as many hidden slots.

    Parameters
    ----------
    rows : LongTensor of shape (n,)
        Numbers of the rows.
    slots : LongTensor of shape (n, size)
        Their hidden slots in order, then some that are not.
    is_hidden : Tensor of shape (n, size)
        1 for the former, 0 for padding.
    factor : Tensor of shape (n, size, size)
        Cholesky factors of the matrix at these slots; the identity at padding.
    """

    rows: Tensor
    slots: Tensor
    is_hidden: Tensor
    factor: Tensor

    def solve(self, wanted: Tensor) -> Tensor:
        """The inverse of each block times a vector; of shape (n, size), as ``wanted``, and 0 at padding."""
        return torch.cholesky_solve((wanted * self.is_hidden).unsqueeze(-1), self.factor).squeeze(-1)

    def unwhitened(self, noise: Tensor) -> Tensor:
        """White noise of shape (n, size, n_draws) turned into noise whose covariance is the inverse of each block."""
        noise = noise * self.is_hidden.unsqueeze(-1)
        return torch.linalg.solve_triangular(self.factor.mT, noise, upper=True)

    def inverse(self) -> Tensor:
        """The inverse of each block, of shape (n, size, size); 0 at padding."""
        return torch.cholesky_inverse(self.factor) * self.is_hidden.unsqueeze(1) * self.is_hidden.unsqueeze(2)


def hidden_blocks(matrix: Tensor, visible: Tensor) -> Iterator[HiddenBlocks]:
    """All rows that have a hidden slot, in batches.

    Parameters
    ----------
    matrix : Tensor of shape (width, width)
        Positive definite.
    visible : Tensor of shape (n, width)
        1 where a slot is visible, else 0.
    """
    counts = (visible <= 0).sum(1)
    sizes = ((counts + _SIZES - 1) // _SIZES * _SIZES).clamp_max(visible.shape[1])
    for size in torch.unique(sizes).tolist():
        if not size:
            continue
        for rows in (sizes == size).nonzero()[:, 0].split(max(_MOST_NUMBERS // size**2, 1)):
            # A stable sort brings hidden slots to the front, in their order.
            slots = (visible[rows] > 0).to(torch.uint8).argsort(dim=1, stable=True)[:, :size]
            is_hidden = (torch.arange(size, device=counts.device) < counts[rows, None]).to(matrix)
            block = matrix[slots.unsqueeze(2), slots.unsqueeze(1)] * is_hidden.unsqueeze(1) * is_hidden.unsqueeze(2)
            block.diagonal(dim1=1, dim2=2).add_(1 - is_hidden)
            yield HiddenBlocks(rows, slots, is_hidden, torch.linalg.cholesky(block))
