"""The generator of the default objective: closed form, neighbours and a learned correction, and how that is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tabgan._runtime import make_generator
from tabgan.core.callbacks import Callback, EarlyStopping, NanGuard, WeightAverage
from tabgan.core.history import History
from tabgan.core.phases import (
    OptimizerSpec,
    Phase,
    Term,
    TermLoss,
    cosine_schedule,
)
from tabgan.core.run import Run, run_callbacks
from tabgan.core.trainer import Trainer
from tabgan.imputation.masked_rows import MaskedPool, PoolTask
from tabgan.imputation.masking import reconstruction_loss
from tabgan.imputation.stages.closed_form import ClosedFormBase, blank_base, fit_base
from tabgan.imputation.stages.neighbours import Neighbours, blank_neighbours, fit_neighbours
from tabgan.imputation.stages.stage import Start
from tabgan.networks.blocks import PiecewiseLinearEncoding, ResidualBlock, blank_linear, init_linear
from tabgan.networks.heads import SpanHeads, span_index
from tabgan.spans import Span, total_width

__all__ = ["BasedGenerator", "RemaskSettings", "Trained", "build_remask", "train_remask", "use_all_cells"]


class BasedGenerator(nn.Module):
    """Gaussian conditional mean, a step towards the nearest training rows, and a learned correction by weight-sharing members.

    The correction's last layer starts at zero, so before training the generator *is* its start: with weights
    kept only if they score better on held-out cells, it is never worse than that there.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    base : ClosedFormBase
        The closed-form part; its buffers are not trained.
    edges : Tensor of shape (n_numeric, n_bins + 1)
        Quantile edges of the numeric slots, in slot order.
    width : int, default=128
        Width of the correction network.
    n_blocks : int, default=2
        Residual blocks.
    n_members : int, default=4
        Ensemble members. They share all weights but a scaling and bias after the first layer, and the last layer.
    dropout : float, default=0.0
        Inside the residual blocks.
    neighbours : Neighbours, default=None
        The stored rows; its buffers are not trained with the correction.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    values: (n, width of the table), visible: (n, n_columns), noise: not used. Output of `members`: (n_members, n, width);
    of `forward`: (n, width), probabilities in categorical blocks.

    References
    ----------
    Members: Gorishniy et al. 2025, "TabM", section 3 (TabM-mini).
    """

    numeric_slots: Tensor

    def __init__(
        self,
        spans: Sequence[Span],
        base: ClosedFormBase,
        edges: Tensor,
        *,
        width: int = 128,
        n_blocks: int = 2,
        n_members: int = 4,
        dropout: float = 0.0,
        neighbours: Neighbours | None = None,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        d_table, n_columns = total_width(spans), len(spans)
        self.base = base
        self.neighbours = neighbours
        self.heads = SpanHeads(spans)
        numeric = [span.start for span in spans if span.kind == "numeric"]
        self.register_buffer("numeric_slots", torch.tensor(numeric, dtype=torch.long))
        self.encode = PiecewiseLinearEncoding(edges)
        d_in = 3 * d_table + n_columns + self.encode.d_out
        self.n_members = n_members
        self.scale = nn.Parameter(torch.empty(n_members, 1, width))
        self.input = blank_linear(d_in, width)
        self.input_bias = nn.Parameter(torch.zeros(n_members, 1, width))
        self.blocks = nn.Sequential(*[ResidualBlock(width, dropout=dropout) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.output = nn.Parameter(torch.zeros(n_members, width, d_table))
        self.output_bias = nn.Parameter(torch.zeros(n_members, 1, d_table))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer is zero."""
        init_linear(self, generator)
        signs = torch.randint(0, 2, self.scale.shape, generator=generator) * 2.0 - 1.0
        self.scale.copy_(signs if self.n_members > 1 else torch.ones_like(signs))
        self.output.zero_()
        self.output_bias.zero_()

    @torch.no_grad()
    def start(self, values: Tensor, visible: Tensor, rows: Tensor | None = None) -> Start:
        """What precedes the correction; ``rows`` names the training row that each row is, which must not answer for itself."""
        blended, linear, rank = self.base(values, visible[:, self.heads.column])
        if self.neighbours is None:
            return Start(blended, linear, rank, torch.zeros_like(blended))
        step = self.neighbours(blended, rank, visible, rows)
        return Start(blended + step, linear, rank, step)

    def features(self, start: Start, visible: Tensor) -> Tensor:
        """What the correction sees, of shape (n, d_in)."""
        numbers = start.completed[:, self.numeric_slots]
        seen = visible[:, self.heads.column[self.numeric_slots]]
        bins = self.encode(numbers) * seen.repeat_interleave(self.encode.left.shape[1], 1)
        return torch.cat([start.linear, start.rank, start.step, visible, bins], 1)

    def corrected(self, features: Tensor, completed: Tensor, *, parted: bool = False) -> Tensor:
        """Raw outputs of every member: numbers, and categorical logits.

        Parameters
        ----------
        features, completed : Tensor of shape (n, d_in) and (n, width)
        parted : bool, default=False
            Give each member its own n-th part of the rows, in order, instead of all of them: as good for training, at the cost of
            a single member.

        Returns
        -------
        Tensor of shape (n_members, n, width), or (n_members, n / n_members, width) if parted
        """
        hidden, started = self.input(features), self._start(completed)
        if parted:
            hidden, started = (part.view(self.n_members, -1, part.shape[-1]) for part in (hidden, started))
        # The widest layer is computed once; the members part after it.
        hidden = hidden * self.scale + self.input_bias
        return started + torch.baddbmm(self.output_bias, self.norm(self.blocks(hidden)), self.output)

    def members(self, values: Tensor, visible: Tensor, started: Start | None = None) -> Tensor:
        """Raw outputs of every member, as of `corrected`; ``started`` is `start`'s answer if it is known."""
        started = started or self.start(values, visible)
        return self.corrected(self.features(started, visible), started.completed)

    def forward(self, values: Tensor, visible: Tensor) -> Tensor:
        """Point estimate: mean over members of numbers and of probabilities."""
        return self.heads.values(self.members(values, visible)).mean(0)

    def _start(self, completed: Tensor) -> Tensor:
        if not self.heads.any_categorical:
            return completed
        # A linear fit of one-hot slots may leave [0, 1]; its logarithm must not.
        return torch.where(self.heads.is_categorical, completed.clamp(1e-3, 1.0).log(), completed)


_LEAST_GAIN = 0.02  # of the held-out loss: less is what the base gains from the held-out cells themselves


_WORTH_GOING_ON = 0.005  # of the held-out loss, within `patience` scorings: corrections that are kept gain faster


_ROWS_FOR_HALF = 400


@dataclass(frozen=True)
class RemaskSettings:
    """Settings of the default objective; `GAINImputer` documents each."""

    n_steps: int
    batch_size: int
    learning_rate: float
    width: int
    n_blocks: int
    n_members: int
    n_bins: int
    n_references: int
    n_trees: int
    n_donor_trees: int
    hide_rates: tuple[float, float]
    pattern_fraction: float
    patience: int
    draw_steps: int
    adversarial_weight: float
    hint_rate: float


@dataclass(frozen=True)
class Trained:
    """A trained generator in float64 on the CPU, and how it came about."""

    module: nn.Module
    history: History
    n_steps: int
    stop_reason: str | None
    own_base: bool = False
    """Whether the base was fitted for this table, so that it may be fitted again on all of its cells."""
    pool: MaskedPool | None = None
    """The rows it was trained on."""


def train_remask(
    values: Tensor,
    training: Tensor,
    validation: Tensor,
    spans: Sequence[Span],
    settings: RemaskSettings,
    run: Run,
    start: nn.Module | None = None,
) -> Trained:
    """Train base and correction on cells hidden on purpose.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows, float32, hidden slots 0.
    training, validation : Tensor of shape (n, n_columns)
        Disjoint 0/1 masks of the observed cells: to learn from, and to stop by.
    spans : sequence of Span
        Layout of the slots.
    settings, run
        What and how.
    start : nn.Module, default=None
        A trained generator to go on from.
    """
    column = span_index(spans)
    if start is None:
        rows = torch.randperm(len(values), generator=run.generator)[:50_000]
        base = fit_base(values[rows], training[rows][:, column], spans, run.generator)
        edges = _quantile_edges(values, training[:, column], spans, settings.n_bins)
        module: Any = BasedGenerator(
            spans,
            base,
            edges,
            width=settings.width,
            n_blocks=settings.n_blocks,
            n_members=settings.n_members,
            generator=run.generator,
        ).float()
    else:
        module = start.float().requires_grad_(True)
        module.neighbours = None  # they are rows of the earlier table
    n_validation = int(validation.sum())
    if n_validation < 10 or len(values) < 10:
        # Too little to tell learning from noise: the closed form stands.
        reason = "too few cells to validate on; the closed form is used"
        return Trained(module.double().eval(), History(), 0, reason, own_base=start is None)
    module.neighbours = fit_neighbours(module.base, values, training, spans, settings.n_references, run.generator)
    low, high = settings.hide_rates
    pool = MaskedPool.draw(
        module,
        values,
        training,
        run.generator,
        lowest_rate=low,
        highest_rate=high,
        donors=training + validation if settings.pattern_fraction else None,
        donor_fraction=settings.pattern_fraction,
    )
    score = _validation_loss(module, values, training, validation, run)
    # Only the correction is trained: what comes before it need be neither averaged nor copied in every step.
    before = {name: getattr(module, name) for name in ("base", "neighbours")}
    module.base, module.neighbours = nn.Identity(), None
    module = module.to(run.device)
    # A small table in a large batch is the same rows over and over.
    batch_size = min(settings.batch_size, max(64, len(values) // 2))
    task = PoolTask(pool.to(run.device), module, batch_size)
    average = WeightAverage(module, "generator")
    stopping = EarlyStopping(average.module, score, patience=settings.patience, min_delta=_WORTH_GOING_ON, every=50)
    phase = Phase(
        "generator",
        TermLoss([Term("reconstruction", task.reconstruction)]),
        OptimizerSpec("adam", settings.learning_rate, (0.9, 0.99)),
        schedule=cosine_schedule(settings.n_steps, warmup=20),
        max_grad_norm=1.0,
    )
    callbacks: list[Callback] = [average, stopping, NanGuard(), *run_callbacks(run, "GAINImputer")]
    trainer = Trainer({"generator": module}, [phase], task, generator=run.generator, callbacks=callbacks)
    trainer.fit(settings.n_steps)
    stopping.restore_best()
    keep_what_earns(average.module, score, len(values))
    module = average.module.cpu()
    for name, part in before.items():
        setattr(module, name, part)
    return Trained(module.double(), trainer.history, trainer.step_count, trainer.stop_reason, start is None, pool)


@torch.no_grad()
def keep_what_earns(module: Any, score: Callable[..., float], n_rows: int) -> None:
    """Undo the correction of numbers, or of categories, where it does not clearly improve the held-out loss of *that* kind.

    The joint loss may fall by better level probabilities alone while the numbers get worse, or the other way round. What stays is
    drawn towards none where there are few rows: held-out cells are hidden at random, other gaps are not, and a correction learnt
    from some hundred rows carries over to them by half at most (measured on auto_imports and mpg).
    """
    heads = module.heads
    weight, bias = module.output.clone(), module.output_bias.clone()
    for is_kind in (heads.is_categorical, ~heads.is_categorical):
        columns = (
            torch.zeros(heads.n_columns, device=is_kind.device)
            .index_add_(0, heads.column, is_kind.float())
            .clamp_max(1)
        )
        module.output.copy_(weight)
        module.output_bias.copy_(bias)
        corrected = score(module, columns)
        module.output[..., is_kind] = 0
        module.output_bias[..., is_kind] = 0
        if corrected >= (1 - _LEAST_GAIN) * score(module, columns):
            weight, bias = module.output.clone(), module.output_bias.clone()
    share = n_rows / (n_rows + _ROWS_FOR_HALF)
    module.output.copy_(share * weight)
    module.output_bias.copy_(share * bias)


def use_all_cells(
    module: BasedGenerator, values: Tensor, visible: Tensor, spans: Sequence[Span], *, base: bool
) -> None:
    """Store the neighbours' rows anew with all that is visible, and with ``base`` fit the base anew first."""
    if base:
        generator = make_generator(0)
        rows = torch.randperm(len(values), generator=generator)[:50_000]
        module.base = fit_base(values[rows], visible[rows][:, span_index(spans)], spans, generator, module.base)
    if module.neighbours is not None and module.neighbours.rows is not None:
        rows = module.neighbours.rows
        module.neighbours.restock(module.base, values[rows].double(), visible[rows].double())


def build_remask(spans: Sequence[Span], settings: RemaskSettings, n_keys: int) -> BasedGenerator:
    """An untrained module of the right shape, to load weights into; ``n_keys`` rows are stored."""
    n_numeric = sum(span.kind == "numeric" for span in spans)
    return BasedGenerator(
        spans,
        blank_base(spans),
        torch.zeros(n_numeric, settings.n_bins + 1),
        width=settings.width,
        n_blocks=settings.n_blocks,
        n_members=settings.n_members,
        neighbours=blank_neighbours(spans, n_keys) if n_keys else None,
        generator=torch.Generator().manual_seed(0),
    ).double()


def _validation_loss(module: BasedGenerator, values: Tensor, training: Tensor, validation: Tensor, run: Run) -> Any:
    """The held-out score: reconstruction loss on the validation cells of at most 4,000 rows."""
    rows = validation.sum(1).nonzero()[:, 0]
    rows = rows[torch.randperm(len(rows), generator=run.generator)[:4000]]
    shown, column, is_categorical = training[rows], module.heads.column, module.heads.is_categorical
    with torch.no_grad():
        started = module.start(values[rows], shown, rows)
        features = module.features(started, shown)
    parts = [
        part.to(run.device)
        for part in (features, started.completed, values[rows], validation[rows], column, is_categorical)
    ]

    @torch.no_grad()
    def score(module: Any, columns: Tensor | None = None) -> float:
        features, completed, truth, cells, column, is_categorical = parts
        cells = cells if columns is None else cells * columns
        filled = module.heads.values(module.corrected(features, completed)).mean(0)
        filled = torch.where(is_categorical, filled.clamp_min(1e-7).log(), filled)
        return float(reconstruction_loss(filled, truth, cells, column, is_categorical))

    return score


def _quantile_edges(values: Tensor, visible: Tensor, spans: Sequence[Span], n_bins: int) -> Tensor:
    levels = torch.linspace(0, 1, n_bins + 1, dtype=torch.float64)
    edges = []
    for span in spans:
        if span.kind == "numeric":
            seen = values[visible[:, span.start] > 0, span.start].double()
            seen = seen[:100_000]  # torch.quantile refuses more than 16 million; quantiles need far fewer
            edges.append(torch.quantile(seen, levels) if len(seen) else torch.zeros(n_bins + 1, dtype=torch.float64))
    return torch.stack(edges).to(values) if edges else torch.zeros(0, n_bins + 1)
