"""The two small networks of the GAIN paper."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tabgan.networks.blocks import init_linear, mlp
from tabgan.verdict import Verdict

__all__ = ["ACTIVATIONS", "CellDiscriminator", "GainGenerator"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class GainGenerator(nn.Module):
    """Three layers from (values, visible) to all slots, in [0, 1].

    Parameters
    ----------
    width : int
        Slots of the table; also the width of both hidden layers, as in the authors' code.
    activation : {"relu", "tanh"}, default="relu"
        The code's choice; the paper says tanh.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    values, visible: (n, width). Output: (n, width).

    References
    ----------
    Yoon, Jordon, van der Schaar 2018, section 5 and github.com/jsyoon0823/GAIN.
    """

    def __init__(self, width: int, *, activation: str = "relu", generator: torch.Generator) -> None:
        super().__init__()
        self.layers = mlp([2 * width, width, width, width], activation=ACTIVATIONS[activation])
        init_linear(self, generator)

    def forward(self, values: Tensor, visible: Tensor) -> Tensor:
        """Filled-in rows."""
        return torch.sigmoid(self.layers(torch.cat([values, visible], 1)))


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
