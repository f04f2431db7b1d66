"""Learning to fill by hiding cells anew in every batch, for the plain autoencoder beside the others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Players
from tabgan.imputation.masking import hide_cells, reconstruction_loss

__all__ = ["RemaskTask"]


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

    Notes
    -----
    In a batch ``real`` holds the values, ``condition`` what the generator may see, ``target`` all observed cells and
    ``weight`` the cells hidden on purpose, on which the loss counts.
    """

    def __init__(self, values: Tensor, visible: Tensor, *, batch_size: int, **mask_settings: Any) -> None:
        self.values = values
        self.visible = visible
        self.batch_size = batch_size
        self.mask_settings = mask_settings

    def batch(self, generator: torch.Generator) -> Batch:
        """Draw rows and hide cells."""
        rows = torch.randint(len(self.values), (self.batch_size,), generator=generator).to(self.values.device)
        observed = self.visible[rows]
        shown = hide_cells(observed, generator, **self.mask_settings)
        return Batch(real=self.values[rows], condition=shown, target=observed, weight=observed - shown)

    def reconstruction(self, players: Players, batch: Batch) -> Tensor:
        """Squared error and cross-entropy on the cells hidden on purpose, averaged over ensemble members."""
        generator: Any = players["generator"]
        raw = generator.heads.log_probabilities(generator.members(batch.real, batch.condition))
        assert batch.real is not None
        assert batch.weight is not None
        return reconstruction_loss(
            raw, batch.real, batch.weight, generator.heads.column, generator.heads.is_categorical
        )
