"""Cells of rows of large classes drawn again, given the rest of the row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from tabgan.networks.heads import span_index
from tabgan.sampling.cell_trees import MOST_ROWS, CellTrees, Redrawing, slots_asked
from tabgan.sampling.row_copies import RealRows
from tabgan.spans import Span

__all__ = ["FEWEST_ROWS_TO_REDRAW", "Redrawer"]

FEWEST_ROWS_TO_REDRAW = 1000
"""Classes with fewer rows keep their start; docs/rebalancing.md says what was measured."""

_FEWEST_COLUMNS, _MOST_COLUMNS = 3, 200
_ENOUGH_ROWS = 2000  # to grow trees from
_WORK = 4_000_000  # for the trees of all classes: rows times columns times slots that a split chooses from
_SECONDS = 2.2e-6  # per unit of it, generously
_COPY_TRIES = 8


class Redrawer:
    """Draws the cells of rows of large classes again; trees are grown when a class is first asked for.

    Parameters
    ----------
    rows : Tensor of shape (n, width)
        Encoded rows; hidden slots are 0.
    visible : Tensor of shape (n, n_columns)
        1 where a cell is observed.
    classes : LongTensor of shape (n,)
        The class of each row.
    spans : sequence of Span
        Layout of the slots.
    how : Redrawing
        How often each cell is drawn, and what is known of the columns.

    Notes
    -----
    A sweep is a step of Gibbs sampling that begins at a real row, where such a chain would end. So rows are close to new rows of the
    class from the first sweep on; with further ones they get less like the rows that they began as, and what trees get wrong adds up.
    A row that comes out as the copy of a real row, of which there is only that one, is drawn again, up to eight times.
    """

    def __init__(
        self,
        rows: Tensor,
        visible: Tensor,
        classes: Tensor,
        spans: Sequence[Span],
        how: Redrawing,
    ) -> None:
        self._rows, self._visible, self._classes = rows.numpy(), visible.numpy() > 0, classes.numpy()
        self._spans, self._how = tuple(spans), how
        fits = bool(how.n_sweeps) and _FEWEST_COLUMNS <= len(self._spans) <= _MOST_COLUMNS
        self._is_large = (np.bincount(self._classes) >= FEWEST_ROWS_TO_REDRAW) & fits
        self._of_class: dict[int, CellTrees] = {}

    def suits(self, classes: Tensor) -> Tensor:
        """Which of the classes asked for are large enough, in a table that is neither too narrow nor too wide."""
        return torch.from_numpy(self._is_large)[classes]

    def seconds(self, classes: Tensor) -> float:
        """About how long growing the trees will take that these classes need and that are not there yet."""
        new = set(np.unique(classes.numpy()).tolist()) - set(self._of_class)
        return len(new) * self._most_rows * self._work_per_row * _SECONDS

    @property
    def _work_per_row(self) -> int:
        return max(1, len(self._spans)) * slots_asked(self._rows.shape[1] + 1)

    @property
    def _most_rows(self) -> int:
        """To grow the trees of a class from: fewer in wide tables, and where there are many classes."""
        affordable = _WORK // (self._work_per_row * max(1, int(self._is_large.sum()) - 1))
        return min(MOST_ROWS, max(_ENOUGH_ROWS, affordable))

    def drawn(
        self,
        rows: Tensor,
        parents: Tensor,
        generator: torch.Generator,
        fixed: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Tensor:
        """Rows with every cell drawn again, as often as `Redrawing` says.

        Parameters
        ----------
        rows : Tensor of shape (n, width)
            Where each begins.
        parents : LongTensor of shape (n,)
            Rows of the table, whose classes and missing cells they have.
        generator : torch.Generator
            CPU generator.
        fixed : tuple of (ndarray of int, ndarray of float32), default=None
            Slots of whole columns, and what they hold in every row.

        Returns
        -------
        Tensor of shape (n, width)
        """
        found, held = rows.numpy().copy(), np.zeros(len(self._spans), dtype=bool)
        if fixed is not None:
            found[:, fixed[0]] = fixed[1]
            held[span_index(self._spans).numpy()[fixed[0]]] = True
        classes = self._classes[parents.numpy()]
        for index in np.unique(classes).tolist():
            trees = self._trees(index)
            mine = np.flatnonzero(classes == index)
            seen = self._visible[parents.numpy()[mine]] | held
            for sweep in range(self._how.n_sweeps + _COPY_TRIES):
                asking = np.arange(len(mine))
                if sweep >= self._how.n_sweeps:
                    asking = np.flatnonzero(self.real_rows.copied_by(found[mine]))
                if not len(asking):
                    break
                found[mine[asking]] = trees.swept(found[mine[asking]], seen[asking], held, generator)
        return torch.from_numpy(found)

    def _trees(self, index: int) -> CellTrees:
        if index not in self._of_class:
            self._of_class[index] = CellTrees(
                self._rows,
                self._visible,
                self._classes == index,
                self._spans,
                self._how,
                most_rows=self._most_rows,
                seed=index,
            )
        return self._of_class[index]

    @cached_property
    def real_rows(self) -> RealRows:
        """What tells copies of rows of the table, of any class."""
        return RealRows(self._rows)
