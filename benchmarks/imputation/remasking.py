"""Learning to fill by hiding cells anew in every batch, for the plain autoencoder beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Players
from tabgan.imputation.masking import hide_cells, reconstruction_loss

__all__ = ["RemaskBatch", "RemaskTask"]


@dataclass(frozen=True)
class RemaskBatch:
    """Rows with cells hidden on purpose.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows.
    observed, shown : Tensor of shape (n, n_columns)
        1 where training may look, and in what of that the generator sees.
    """

    values: Tensor
    observed: Tensor
    shown: Tensor

    @property
    def hidden(self) -> Tensor:
        """1 in the cells hidden on purpose, on which the loss counts."""
        return self.observed - self.shown


class RemaskTask:
    """Learn to fill by hiding observed cells on purpose and predicting them.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows.
    visible : Tensor of shape (n, n_columns)
        1 where training may look: observed and not set aside for validation.
    batch_size : int
        Rows per batch, drawn with replacement.
    lowest_rate, highest_rate, donors, donor_fraction
        See `tabgan.imputation.masking.hide_cells`.
    """

    def __init__(self, values: Tensor, visible: Tensor, *, batch_size: int, **mask_settings: Any) -> None:
        self.values = values
        self.visible = visible
        self.batch_size = batch_size
        self.mask_settings = mask_settings

    def batch(self, generator: torch.Generator) -> RemaskBatch:
        """Draw rows and hide cells."""
        rows = torch.randint(len(self.values), (self.batch_size,), generator=generator).to(self.values.device)
        observed = self.visible[rows]
        return RemaskBatch(self.values[rows], observed, hide_cells(observed, generator, **self.mask_settings))

    def reconstruction(self, players: Players, batch: RemaskBatch) -> Tensor:
        """Squared error and cross-entropy on the cells hidden on purpose, averaged over ensemble members."""
        generator: Any = players["generator"]
        heads = generator.heads
        raw = heads.log_probabilities(generator.members(batch.values, batch.shown))
        return reconstruction_loss(raw, batch.values, batch.hidden, heads.column, heads.is_categorical)
