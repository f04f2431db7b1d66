"""The discriminator of GAIN: one verdict per cell of a completed row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tabgan.networks.blocks import init_linear, mlp
from tabgan.verdict import Verdict

__all__ = ["ACTIVATIONS", "CellDiscriminator"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class CellDiscriminator(nn.Module):
    """Judge every cell of a completed row: was it observed, or filled in.

    Parameters
    ----------
    width : int
        Slots of the table.
    n_columns : int
        Columns of the table: as many verdicts, and hints.
    hidden : int, default=None
        Width of the two hidden layers; None takes ``width``, as in the authors' code.
    activation : {"relu", "tanh"}, default="relu"
        Between the layers.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    completed: (n, width), hint: (n, n_columns). Output: `Verdict` with logits (n, n_columns).

    References
    ----------
    Yoon, Jordon, van der Schaar 2018, section 4.2. Departure: logits instead of probabilities, whose logarithm needs no
    epsilon.
    """

    def __init__(
        self,
        width: int,
        n_columns: int,
        *,
        hidden: int | None = None,
        activation: str = "relu",
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        hidden = hidden or width
        self.layers = mlp([width + n_columns, hidden, hidden, n_columns], activation=ACTIVATIONS[activation])
        init_linear(self, generator)

    def forward(self, completed: Tensor, hint: Tensor) -> Verdict:
        """One logit per cell."""
        return Verdict(self.layers(torch.cat([completed, hint], 1)))
