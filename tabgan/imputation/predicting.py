"""What a trained imputation model of any objective gives: predictions, how it was trained, and what it said of held-out cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from torch import Tensor

from tabgan.core.checkpoint import Stored
from tabgan.exceptions import InvalidInputError
from tabgan.imputation.row_noise import RowNoise
from tabgan.spans import Span

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["HeldOut", "Move", "Predictor"]

Move = Callable[[np.ndarray], np.ndarray]
"""From slots of a column, of shape (n,), to where they are moved."""


@dataclass(frozen=True)
class HeldOut:
    """Cells that were set aside, and what was predicted for them before they were learnt from.

    Parameters
    ----------
    rows : ndarray of int of shape (n,)
        Numbers of training rows.
    cells : ndarray of bool of shape (n, n_columns)
        True where set aside.
    predicted : ndarray of float of shape (n, width)
        The rows as completed with these cells hidden.
    """

    rows: np.ndarray
    cells: np.ndarray
    predicted: np.ndarray

    @classmethod
    def of(cls, rows: Tensor | None, cells: Tensor, predicted: Tensor) -> Self:
        """From tensors."""
        assert rows is not None
        return cls(rows.numpy(), cells.numpy() > 0, predicted.numpy())


class Predictor(ABC):
    """A trained model.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots; none for a table without a column that varies.
    history : list of dict
        Losses and validation scores by step.
    n_steps : int
    stop_reason : str or None
    held_out : HeldOut, default=None
        Known right after training; not stored.
    """

    objective: ClassVar[str]
    """As `GAINImputer` has it."""

    def __init__(
        self,
        spans: Sequence[Span],
        history: list[dict[str, Any]],
        n_steps: int,
        stop_reason: str | None,
        held_out: HeldOut | None = None,
    ) -> None:
        self.spans = tuple(spans)
        self.history = history
        self.n_steps = n_steps
        self.stop_reason = stop_reason
        self.held_out = held_out

    @abstractmethod
    def predict(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Point estimates for all slots.

        Parameters
        ----------
        values : ndarray of shape (n, width)
            Encoded rows.
        mask : ndarray of bool of shape (n, n_columns)
            True where visible.

        Returns
        -------
        ndarray of shape (n, width)
            Numbers and level probabilities, float64. Rows without a missing cell are not computed and come back as they were.
        """

    @abstractmethod
    def to_state(self) -> dict[str, Any]:
        """Plain data and tensors for a model file."""

    def draw(
        self, values: np.ndarray, mask: np.ndarray, noise: RowNoise, moves: Mapping[int, Move] | None = None
    ) -> np.ndarray:
        """Draws of all slots.

        Parameters
        ----------
        values, mask : as in `predict`
        noise : RowNoise
            Of the rows, for as many draws as wanted.
        moves : mapping of int to callable, default=None
            By column of numbers: what the slots of its hidden cells become once they are drawn, before what else the row hides is
            drawn again.

        Returns
        -------
        ndarray of shape (n_draws, n, width)
            Numbers, and one-hot blocks; cells of columns with a move as they were before it.
        """
        raise self._without_draws()

    def intervals(
        self, values: np.ndarray, mask: np.ndarray, coverages: Sequence[float], noise: RowNoise
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Lower and upper ends per coverage for numeric slots, of shape (n, width) each; elsewhere anything."""
        raise self._without_draws()

    def facts_to_state(self) -> dict[str, Any]:
        """What every model stores."""
        return {
            "spans": [[span.kind, span.start, span.stop] for span in self.spans],
            "history": self.history,
            "n_steps": self.n_steps,
            "stop_reason": self.stop_reason,
        }

    @staticmethod
    def spans_from_state(state: Stored) -> list[Span]:
        """The stored layout."""
        return [Span(*span) for span in state.pop("spans")]

    def facts_from_state(self, state: Stored) -> None:
        """Take over what `facts_to_state` gave."""
        self.history, self.n_steps, self.stop_reason = (state.pop(n) for n in ("history", "n_steps", "stop_reason"))

    @staticmethod
    def _without_draws() -> InvalidInputError:
        return InvalidInputError(
            "objective='paper' gives one point estimate per cell and no draws (its noise has almost no effect); use the "
            "default objective for sample, predict_interval and sample_posterior=True."
        )
