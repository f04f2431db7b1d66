"""Each column given all others: what draws of its missing cells are made of, and Gibbs sweeps over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tabgan.exceptions import ModelFileError
from tabgan.imputation.proper.curvature import Curvature
from tabgan.imputation.proper.donor_trees import Donation, DonorTrees
from tabgan.imputation.proper.level_odds import LevelOdds
from tabgan.imputation.proper.moments import MomentSets
from tabgan.imputation.proper.number_scales import NumberScales
from tabgan.imputation.row_noise import RowNoise
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ColumnModel", "Conditionals", "log_shares", "tilts_of"]

_LEAST_PROBABILITY = 1e-6
N_CANDIDATES = 8
"""Draws of a number among which other columns choose that depend on its squares or products."""


@dataclass(frozen=True)
class ColumnModel:
    """What a column is drawn from; see `Conditionals`."""

    trees: DonorTrees | None = None
    donation: Donation | None = None
    curvature: Curvature | None = None
    odds: LevelOdds | None = None
    lean: float = 0.0

    def mean(self, moments: MomentSets, number: int, slot: int, rows: Tensor) -> Tensor:
        """Of a number given all other columns, on its scale."""
        linear = moments.given_others(number, slot, rows)
        return linear if self.curvature is None else linear + self.curvature(rows, number)

    def state(self) -> dict[str, Any]:
        """Plain data and tensors."""
        return {
            "trees": None if self.trees is None else self.trees.state(),
            "donation": None if self.donation is None else self.donation._asdict(),
            "curvature": None if self.curvature is None else self.curvature.state(),
            "odds": None if self.odds is None else self.odds.state(),
            "lean": self.lean,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], span: Span, width: int, n_sets: int) -> Self:
        """Rebuild what `state` described; ``width`` is that of the table."""
        trees, curvature, odds = state["trees"], state["curvature"], state["odds"]
        return cls(
            None if trees is None else DonorTrees.from_state(trees),
            None
            if state["donation"] is None
            else Donation(bool(state["donation"]["by_value"]), int(state["donation"]["leaf_size"])),
            None if curvature is None else Curvature.from_state(curvature, width, n_sets),
            None if odds is None else LevelOdds.from_state(odds, span.width, width),
            float(state["lean"]),
        )


class Conditionals:
    """The columns given all others, on the scales on which numbers are drawn.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    scales : NumberScales
        On which numbers are drawn.
    moments : MomentSets or None
        Of rows on these scales; None for tables too wide for them.
    columns : sequence of ColumnModel
        In order.
    ends : Tensor of shape (2, width)
        How far draws may lie, in encoded units.
    """

    SWEEPS = 2

    def __init__(
        self,
        spans: Sequence[Span],
        scales: NumberScales,
        moments: MomentSets | None,
        columns: Sequence[ColumnModel],
        ends: Tensor,
    ) -> None:
        self.spans = tuple(spans)
        self.scales = scales
        self.moments = moments
        self.columns = list(columns)
        self.ends = ends

    @property
    def n_sets(self) -> int:
        """Sets of parameters."""
        if self.moments is not None:
            return len(self.moments)
        return max([1, *(len(column.trees) for column in self.columns if column.trees is not None)])

    @property
    def n_picks(self) -> int:
        """Uniform numbers that the sweeps take per row."""
        return self.SWEEPS * len(self.spans) * self._n_per_cell

    @property
    def _n_per_cell(self) -> int:
        judged = any(column.curvature is not None and column.curvature.is_strong for column in self.columns)
        return 1 + N_CANDIDATES if judged else 1

    def begun(self, cells: Tensor, visible: Tensor, number: int, deviation: Tensor | None) -> Tensor:
        """Rows on their scales, with a joint draw of numbers where there are moments.

        Parameters
        ----------
        cells : Tensor of shape (n, width)
            In encoded units, with some draw in hidden slots.
        visible : Tensor of shape (n, n_columns)
        number : int
            Set of parameters, from 1.
        deviation : Tensor of shape (n, width) or None
            From the conditional mean, in this draw; see `deviations`.
        """
        rows = self.scales.forward(cells)
        if self.moments is None or deviation is None:
            return rows
        column = span_index(self.spans)
        mask = visible[:, column]
        # Cells that no sweep draws anew stay what they are given as.
        drawn = torch.tensor([span.kind == "numeric" for span in self.spans])
        if self.columns:
            drawn &= torch.tensor([model.trees is not None for model in self.columns])
        start = self.moments.conditional(number)(rows, mask) + deviation
        return torch.where(drawn[column] & (mask <= 0), start, rows)

    def deviations(self, visible: Tensor, noise: RowNoise, name: str = "start") -> Sequence[Tensor | None]:
        """Deviations from conditional means per draw, of shape (n, width): one factorisation per row serves all draws and sets.

        ``name`` says what the noise is for.
        """
        if self.moments is None:
            return [None] * noise.n_draws
        centre, column = self.moments.conditional(0), span_index(self.spans)
        return list(centre.deviations(noise.normal(name, len(column)).to(visible), visible[:, column]))

    def swept(
        self,
        rows: Tensor,
        cells: Tensor,
        visible: Tensor,
        picks: Tensor,
        order: Sequence[int],
        number: int,
        tilts: Mapping[int, Tensor],
    ) -> Tensor:
        """Draw every hidden cell anew, column by column, ``SWEEPS`` times.

        Parameters
        ----------
        rows : Tensor of shape (n, width)
            On their scales; changed in place.
        cells : Tensor of shape (n, width)
            The same in encoded units.
        visible : Tensor of shape (n, n_columns)
        picks : Tensor of shape (n, `n_picks`)
            Uniform numbers.
        order : sequence of int
            In which columns take turns.
        number : int
            Set of parameters, from 1.
        tilts : mapping of int to Tensor of shape (n, n_levels)
            What is added to the log odds of a column's levels.

        Returns
        -------
        Tensor of shape (n, width)
            The drawn cells in encoded units.
        """
        cells = cells.clone()
        picks = picks.view(len(rows), self.SWEEPS, len(self.spans), self._n_per_cell)
        for sweep in range(self.SWEEPS):
            for j in order:
                hidden = (visible[:, j] <= 0).nonzero()[:, 0]
                column, span = self.columns[j], self.spans[j]
                if not len(hidden):
                    continue
                uniform, given = picks[hidden, sweep, j], rows[hidden]
                if column.odds is not None:
                    odds = column.odds(given, number) + tilts[j][hidden]
                    level = (odds.softmax(1).cumsum(1) <= uniform[:, :1]).sum(1).clamp(max=span.width - 1)
                    chosen = torch.nn.functional.one_hot(level, span.width).to(rows)
                    rows[hidden, span.start : span.stop] = cells[hidden, span.start : span.stop] = chosen
                elif column.trees is not None:
                    value = self._number(j, given, visible[hidden], number, uniform)
                    cells[hidden, span.start] = value
                    rows[hidden, span.start] = self.scales.column(span.start).forward(value[:, None])[:, 0]
        return cells

    def _number(self, j: int, given: Tensor, visible: Tensor, number: int, uniform: Tensor) -> Tensor:
        """Draws of a number in encoded units."""
        column = self.columns[j]
        assert column.trees is not None
        slot, single = self.spans[j].start, column.donation is not None and column.donation.leaf_size == 1
        tree = None if single else (number - 1) % len(column.trees)
        if self.moments is None or column.donation is None or column.donation.by_value:
            return column.trees.drawn(given, tree, uniform[:, 0]).to(given)
        mean, widened = self._mean(j, given, visible, number)
        judges = self.judges(j)
        if judges:
            told = torch.stack([column.trees.drawn(given, tree, u) for u in uniform[:, 1:].T], 1).to(given)
            candidates = mean[:, None] + widened[:, None] * told
            drawn = self._chosen(candidates, slot, given, visible[:, judges], number, judges, uniform[:, 0])
        else:
            drawn = mean + widened * column.trees.drawn(given, tree, uniform[:, 0]).to(given)
        value = self.scales.column(slot).inverse(drawn[:, None])[:, 0]
        return value.clamp(*self.ends[:, slot].tolist())

    def _mean(self, j: int, given: Tensor, visible: Tensor, number: int) -> tuple[Tensor, Tensor]:
        """Mean of a number on its scale, and by what residuals are to be multiplied, both of shape (n,).

        Where a column of its products is missing too and depends on products itself, draws would drive each other away without
        end: there the linear mean speaks, with what that leaves.
        """
        assert self.moments is not None
        curvature, slot = self.columns[j].curvature, self.spans[j].start
        linear = self.moments.given_others(number, slot, given)
        if curvature is None:
            return linear, torch.ones_like(linear)
        free = (visible[:, self._curved_partners(j)] > 0).all(1)
        widest = curvature.residuals[0] / curvature.residuals[1]
        return linear + free * curvature(given, number), torch.where(free, 1.0, widest.to(linear))

    def _curved_partners(self, j: int) -> list[int]:
        """Columns whose products this one depends on, and which depend on products themselves."""
        own = self.columns[j].curvature
        curved = [i for i, column in enumerate(self.columns) if i != j and column.curvature is not None]
        return [i for i in curved if own is not None and self.spans[i].start in own.slots]

    def judges(self, j: int) -> list[int]:
        """Columns that depend much on squares or products of this one."""
        slot = self.spans[j].start
        return [
            i
            for i, column in enumerate(self.columns)
            if i != j and column.curvature is not None and column.curvature.is_strong and slot in column.curvature.slots
        ]

    def _chosen(
        self,
        candidates: Tensor,
        slot: int,
        given: Tensor,
        known: Tensor,
        number: int,
        judges: Sequence[int],
        uniform: Tensor,
    ) -> Tensor:
        """One of the candidates, of shape (n, n_candidates), by what the judging columns' cells say of them.

        A candidate is drawn as if the judges were linear in the column; it is weighed by how much likelier their cells are given
        their squares and products (sampling-importance resampling, Rubin 1987, "Comment on Tanner and Wong"). Only known cells judge,
        where ``known`` of shape (n, n_judges) is 1: draws that judge each other drive each other away without end.
        """
        assert self.moments is not None
        n, n_candidates = candidates.shape
        rows = given.repeat_interleave(n_candidates, 0)
        rows[:, slot] = candidates.flatten()
        weight = torch.zeros(len(rows), dtype=rows.dtype)
        for i, judging in zip(judges, known.repeat_interleave(n_candidates, 0).T, strict=True):
            column, judged = self.columns[i], self.spans[i].start
            assert column.curvature is not None
            linear = rows[:, judged] - self.moments.given_others(number, judged, rows)
            curved = linear - column.curvature(rows, number)
            spread = column.curvature.residuals
            weight += judging * ((linear / spread[0]).square() / 2 - (curved / spread[1]).square() / 2)
        shares = weight.view(n, n_candidates).softmax(1).cumsum(1)
        place = (shares <= uniform[:, None]).sum(1, keepdim=True).clamp(max=n_candidates - 1)
        return candidates.gather(1, place)[:, 0]

    def state(self) -> dict[str, Any]:
        """By column."""
        columns = {j: column.state() for j, column in enumerate(self.columns)}
        moments = None if self.moments is None else self.moments.state()
        return {"scales": self.scales.state(), "moments": moments, "columns": columns, "ends": self.ends}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span]) -> Self:
        """Rebuild what `state` described.

        Raises
        ------
        ModelFileError
            Its parts do not fit the columns, or each other.
        """
        width = total_width(spans)
        moments = None if state["moments"] is None else MomentSets.from_state(state["moments"], width)
        n_sets = 0 if moments is None else len(moments)
        columns = [ColumnModel.from_state(state["columns"][j], span, width, n_sets) for j, span in enumerate(spans)]
        if state["ends"].shape != (2, width):
            raise ModelFileError("its ends of draws are of another shape than they have to be.")
        return cls(spans, NumberScales.from_state(state["scales"], width), moments, columns, state["ends"])


def tilts_of(
    columns: Sequence[ColumnModel], spans: Sequence[Span], completed: Tensor, point: Tensor
) -> dict[int, Tensor]:
    """What the blend adds to the log odds of each category's levels.

    Parameters
    ----------
    columns : sequence of ColumnModel
    spans : sequence of Span
    completed, point : Tensor of shape (n, width)
        The rows with their point estimates: in encoded units, and on their scales.
    """
    return {
        j: column.lean * (log_shares(completed, spans[j]) - column.odds(point, 0))
        for j, column in enumerate(columns)
        if column.odds is not None
    }


def log_shares(completed: Tensor, span: Span) -> Tensor:
    """Log probabilities of the levels of a column, of shape (n, n_levels)."""
    return completed[:, span.start : span.stop].clamp_min(_LEAST_PROBABILITY).log().log_softmax(1)
