"""The first stage: two closed-form conditional means, in encoded units and in normal scores."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tabgan.core.trust import load_weights
from tabgan.imputation.conditional_means.factors import FactorConditional, choose_n_factors, fit_factors
from tabgan.imputation.conditional_means.gaussian import GaussianConditional, fit_gaussian
from tabgan.imputation.conditional_means.normal_scores import NormalScores
from tabgan.imputation.learning import Learning
from tabgan.imputation.stages.stage import Completion, FittedStage, NoSettings, Rows, Stage
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["STAGE", "ClosedForm", "fit_closed_form"]

MAX_DENSE_WIDTH = 64
"""Tables with so many slots or fewer get a full covariance, which costs O(width^3) per row."""

MAX_JUDGED_WIDTH = 160
"""Up to so many get one where it predicts hidden cells clearly better than factors do: factors describe levels of labels badly."""

_ROWS_TO_JUDGE = 2000
_WORTH = 0.9
"""A full covariance takes several times as long: its squared error is to be smaller by a tenth."""

_STEPS_FROM_FACTORS = 6

_HIDDEN_TO_CHOOSE = 0.15

MOST_ROWS = 50_000
"""Rows that it is fitted to, drawn at random if there are more."""

MOST_GROUPS = 12
"""`ClosedForm.given_others` leaves out so many groups of columns in turn, not each column alone, where there are more."""

_ROWS_IN_CACHE = 4096
_CHUNK_FLOATS = 1.2e7
"""Rows times width squared at once: the matrices of a chunk stay below about 100 MB."""


class ClosedForm(nn.Module, FittedStage):
    """Conditional means in two geometries, blended slot by slot.

    The first treats the encoded rows as Gaussian: linear relations. The second replaces numbers by the normal scores of their
    ranks (a Gaussian copula): monotone relations, heavy tails and products of skewed columns. On tables such as breast cancer
    or page blocks their mean is far better than either.

    Parameters
    ----------
    linear, rank : GaussianConditional or FactorConditional
        Conditional means of the rows, and of the rows with scores for numbers.
    scores : NormalScores
        Of the numeric slots, in slot order.
    numeric_slots : LongTensor of shape (n_numeric,)
    blend : Tensor of shape (width,)
        Share of the second, in [0, 1].
    column : LongTensor of shape (width,)
        The column of each slot.

    Shape
    -----
    values, visible: (n, width). Output: three tensors of that shape.
    """

    numeric_slots: Tensor
    blend: Tensor
    column: Tensor
    is_own = True
    """Whether it was fitted to this table, so that it may be fitted again on all of its cells."""

    def __init__(
        self,
        linear: nn.Module,
        rank: nn.Module,
        scores: NormalScores,
        numeric_slots: Tensor,
        blend: Tensor,
        column: Tensor,
    ) -> None:
        super().__init__()
        self.linear = linear
        self.rank = rank
        self.scores = scores
        self.register_buffer("numeric_slots", numeric_slots)
        self.register_buffer("blend", blend)
        self.register_buffer("column", column)

    @classmethod
    def blank(cls, spans: Sequence[Span], n_factors: tuple[int, int] = (0, 0)) -> Self:
        """An unfitted one of the right shape, in double precision, to load weights into; 0 factors: a full covariance."""
        width = total_width(spans)
        numeric = torch.tensor([span.start for span in spans if span.kind == "numeric"], dtype=torch.long)

        def conditional(factors: int) -> nn.Module:
            if not factors:
                return GaussianConditional(torch.zeros(width), torch.eye(width))
            return FactorConditional(torch.zeros(width), torch.zeros(width, factors), torch.ones(width))

        scores = NormalScores(torch.zeros(len(numeric), NormalScores.N_KNOTS))
        linear, rank = map(conditional, n_factors)
        return cls(linear, rank, scores, numeric, torch.zeros(width), span_index(spans)).double()

    def scored(self, values: Tensor, within_ties: Tensor | None = None) -> Tensor:
        """Rows with numbers as normal scores."""
        if not len(self.numeric_slots):
            return values
        return values.index_copy(1, self.numeric_slots, self.scores(values[:, self.numeric_slots], within_ties))

    def scored_at_random(self, values: Tensor, generator: torch.Generator) -> Tensor:
        """Rows with numbers as normal scores, tied values at a random place of their range; ``generator`` is on the CPU."""
        return self.scored(values, torch.rand(len(values), len(self.numeric_slots), generator=generator).to(values))

    @torch.no_grad()
    def deviations(self, visible: Tensor, noise: Tensor) -> Tensor:
        """Draws from the copula less its conditional mean.

        Parameters
        ----------
        visible : Tensor of shape (n, n_columns)
        noise : Tensor of shape (n_draws, n, `d_noise`)
            Standard normal, on the CPU.

        Returns
        -------
        Tensor of shape (n_draws, n, width)
            In normal scores; 0 on visible slots.
        """
        rank: Any = self.rank
        return rank.deviations(noise.to(self.blend), visible[:, self.column])

    @property
    def d_noise(self) -> int:
        """Width of the noise that `deviations` takes."""
        rank: Any = self.rank
        return rank.d_noise

    def unscored(self, rows: Tensor) -> Tensor:
        """Rows with normal scores as numbers."""
        if not len(self.numeric_slots):
            return rows
        return rows.index_copy(1, self.numeric_slots, self.scores.inverse(rows[:, self.numeric_slots]))

    def forward(self, values: Tensor, visible: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows completed by the blend, by the first alone, and by the second alone with numbers left in scores."""
        values = torch.where(visible > 0, values, 0.0)
        linear = torch.where(visible > 0, values, self.linear(values, visible))
        scored = self.scored(values)
        rank = torch.where(visible > 0, scored, self.rank(scored, visible))
        blended = torch.where(visible > 0, values, torch.lerp(linear, self.unscored(rank), self.blend))
        return blended, linear, rank

    @torch.no_grad()
    def quick(self, values: Tensor, visible: Tensor) -> Tensor:
        """The blend alone, for whole batches of rows at once: by matrix products only, nearly as `forward` has it.

        Parameters
        ----------
        values, visible : Tensor of shape (n, width)

        Returns
        -------
        Tensor of shape (n, width)
        """

        def mean(part: nn.Module, rows: Tensor) -> Tensor:
            return part.approximate(rows, visible) if isinstance(part, GaussianConditional) else part(rows, visible)

        known = torch.where(visible > 0, values, 0.0)
        linear, rank = mean(self.linear, known), mean(self.rank, self.scored(known))
        return torch.where(visible > 0, known, torch.lerp(linear, self.unscored(rank), self.blend))

    @torch.no_grad()
    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """Rows filled by the conditional means; those without a hidden cell are not computed."""
        values, shown = rows.values, rows.visible[:, self.column]
        known = torch.where(shown > 0, values, 0.0)
        blended, linear, rank = known, known.clone(), self.scored(known)
        blended = blended.clone()
        for some in (
            (rows.visible <= 0).any(1).nonzero()[:, 0].split(max(int(_CHUNK_FLOATS / len(self.column) ** 2), 16))
        ):
            blended[some], linear[some], rank[some] = self(values[some], shown[some])
        return Completion(blended, blended, linear, rank, torch.zeros_like(blended))

    @torch.no_grad()
    def given_others(self, values: Tensor, visible: Tensor) -> Tensor:
        """What it says of each cell given the row's other cells, as if the cell itself, visible or not, were hidden.

        Parameters
        ----------
        values : Tensor of shape (n, width)
        visible : Tensor of shape (n, n_columns)

        Returns
        -------
        Tensor of shape (n, width)
            In single precision, in whatever dtype: trees that learn from it know no better.
        """
        n_groups = min(visible.shape[1], MOST_GROUPS)
        single = self.in_dtype(torch.float32)
        told = torch.zeros_like(values)
        for first in range(0, len(values), _ROWS_IN_CACHE):
            part = slice(first, first + _ROWS_IN_CACHE)
            some, seen = values[part].float(), visible[part].float()
            for group in range(n_groups):
                others = seen.clone()
                others[:, group::n_groups] = 0
                mine = self.column % n_groups == group
                told[part, mine] = single(some, others[:, self.column])[0][:, mine].to(told)
        return told

    def refit(self, learning: Learning) -> Self:
        """Fitted again with all cells, unless it came from an earlier table or the time is up."""
        return _fit(learning, start=self) if self.is_own and not learning.run.time_is_up else self  # type: ignore[return-value]

    def state(self) -> dict[str, Any]:
        """Its buffers."""
        return {"weights": self.state_dict()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        loadings = [state["weights"].get(f"{part}.loadings") for part in ("linear", "rank")]
        n_linear, n_rank = (0 if one is None else one.shape[1] for one in loadings)
        module = cls.blank(spans, (n_linear, n_rank))
        load_weights(module, state["weights"])
        return module


@torch.no_grad()
def fit_closed_form(
    values: Tensor,
    visible: Tensor,
    spans: Sequence[Span],
    generator: torch.Generator,
    start: ClosedForm | None = None,
    time_is_up: Callable[[], bool] = lambda: False,
) -> ClosedForm:
    """Fit both conditional means, and the blend by least squares on cells hidden for that purpose.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows in random order.
    visible : Tensor of shape (n, width)
        1 where a slot is visible, else 0.
    spans : sequence of Span
        Layout of the slots.
    generator : torch.Generator
        Hides the cells for the blend.
    start : ClosedForm, default=None
        One of much the same rows, from which fewer iterations are needed.
    time_is_up : callable, default=never
        Whether the iterations have to end.

    Returns
    -------
    ClosedForm
        In float64.
    """
    values, visible = values.double(), visible.double()
    numeric = torch.tensor([span.start for span in spans if span.kind == "numeric"], dtype=torch.long)
    scores = NormalScores(_quantiles(values[:, numeric], visible[:, numeric]))
    scored = values.index_copy(1, numeric, scores(values[:, numeric])) if len(numeric) else values
    column = span_index(spans)
    shown = visible
    if values.shape[1] > MAX_DENSE_WIDTH and start is None:
        shown = visible * (torch.rand(len(values), len(spans), generator=generator) >= _HIDDEN_TO_CHOOSE)[:, column]
    base = ClosedForm(
        _fit_conditional(values, visible, shown, start and start.linear, time_is_up),
        _fit_conditional(scored, visible, shown, start and start.rank, time_is_up),
        scores,
        numeric,
        torch.zeros(values.shape[1], dtype=torch.float64),
        column,
    )
    if len(spans) == 1:
        return base  # nothing to go by: the mean, and not something between mean and median
    rows = slice(0, 2000)
    kept = (torch.rand(len(values[rows]), len(spans), generator=generator) >= 0.2).double()[:, column]
    shown = visible[rows] * kept
    _, linear, rank = base(values[rows], shown)
    cells = visible[rows] - shown
    step = (base.unscored(rank) - linear) * cells
    ideal = (step * (values[rows] - linear)).sum(0) / step.square().sum(0).clamp_min(1e-12)
    # Drawn towards an even mixture where there are few cells to judge by.
    weight = cells.sum(0) / (cells.sum(0) + 20)
    base.blend.copy_(weight * ideal.clamp(0, 1) + (1 - weight) * 0.5)
    return base


def _fit_conditional(
    values: Tensor, visible: Tensor, shown: Tensor, start: Any, time_is_up: Callable[[], bool]
) -> nn.Module:
    """Fit to the visible cells; what a wide table bears, those not ``shown`` tell, unless ``start`` knows."""
    width = values.shape[1]
    if width <= MAX_DENSE_WIDTH:
        return fit_gaussian(values, visible, start=start, time_is_up=time_is_up)
    if isinstance(start, GaussianConditional):
        return fit_gaussian(values, visible, start=start, n_iterations=_STEPS_FROM_FACTORS, time_is_up=time_is_up)
    n_factors = start.loadings.shape[1] if start else choose_n_factors(values, visible, shown, time_is_up)
    factors = fit_factors(values, visible, n_factors, time_is_up=time_is_up)
    if start or width > MAX_JUDGED_WIDTH or time_is_up():
        return factors
    some, seen, hidden = (part[:_ROWS_TO_JUDGE] for part in (values, shown, visible - shown))
    judged = fit_factors(some, seen, n_factors, time_is_up=time_is_up)
    errors = [
        float(((model(some * seen, seen) - some) * hidden).square().sum())
        for model in (judged, _from_factors(judged, some, seen, time_is_up))
    ]
    return factors if errors[1] > _WORTH * errors[0] else _from_factors(factors, values, visible, time_is_up)


def _from_factors(
    factors: FactorConditional, values: Tensor, visible: Tensor, time_is_up: Callable[[], bool]
) -> GaussianConditional:
    """A full covariance of the rows, looked for from that of the factors."""
    start = GaussianConditional(factors.mean, factors.loadings @ factors.loadings.T + factors.noise.diag())
    return fit_gaussian(values, visible, start=start, n_iterations=_STEPS_FROM_FACTORS, time_is_up=time_is_up)


def _quantiles(values: Tensor, visible: Tensor) -> Tensor:
    levels = torch.special.ndtr(NormalScores.grid())
    columns = [
        torch.quantile(seen[:100_000], levels) if len(seen) else torch.zeros_like(levels)
        for seen in (values[visible[:, j] > 0, j] for j in range(values.shape[1]))
    ]
    return torch.stack(columns) if columns else torch.zeros(0, NormalScores.N_KNOTS, dtype=torch.float64)


def fit(learning: Learning) -> ClosedForm:
    """Fit to the cells that may be seen, or take over an earlier table's."""
    for stage in learning.earlier:
        if isinstance(stage, ClosedForm):
            taken_over = copy.copy(stage)
            taken_over.is_own = False
            return taken_over
    return _fit(learning)


def _fit(learning: Learning, start: ClosedForm | None = None) -> ClosedForm:
    generator = learning.generator("closed form")
    rows = torch.randperm(len(learning.values), generator=generator)[:MOST_ROWS]
    shown = learning.visible[rows][:, span_index(learning.spans)]
    return fit_closed_form(
        learning.values[rows], shown, learning.spans, generator, start, lambda: learning.run.time_is_up
    )


STAGE = Stage("closed form", NoSettings, fit, ClosedForm.from_state, waits=False)
