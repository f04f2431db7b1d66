"""Assembling core parts into the two ways of training an imputer; no maths here, only which part goes where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tabgan._runtime import make_generator
from tabgan.core.callbacks import Callback, EarlyStopping, NanGuard, WeightAverage
from tabgan.core.history import History
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.masked import reconstruction_loss
from tabgan.core.phases import (
    DiscriminatorLoss,
    GeneratorLoss,
    OptimizerSpec,
    Phase,
    Term,
    TermLoss,
    cosine_schedule,
)
from tabgan.core.run import Run, run_callbacks
from tabgan.core.tasks import GainTask
from tabgan.core.trainer import Trainer
from tabgan.imputation.pool import MaskedPool, PoolTask
from tabgan.imputation.retrieval import fit_neighbours
from tabgan.networks.bases import blank_base, fit_base
from tabgan.networks.gain import CellDiscriminator, GainGenerator
from tabgan.networks.neighbours import blank_neighbours
from tabgan.networks.tabular import BasedGenerator, span_index
from tabgan.spans import Span, total_width

__all__ = [
    "GainSettings",
    "RemaskSettings",
    "Trained",
    "build_gain",
    "build_remask",
    "train_gain",
    "train_remask",
    "use_all_cells",
]

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
class GainSettings:
    """Settings of the published objective; `GAINImputer` documents each."""

    n_steps: int
    batch_size: int
    learning_rate: float
    alpha: float
    hint: str
    hint_rate: float
    activation: str


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


def train_gain(
    values: Tensor,
    visible: Tensor,
    spans: Sequence[Span],
    settings: GainSettings,
    run: Run,
    start: nn.Module | None = None,
) -> Trained:
    """Train GAIN as published: all observed cells are seen, nothing is held out, the last weights are kept.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows in [0, 1], float32, hidden slots 0.
    visible : Tensor of shape (n, n_columns)
        1 where observed.
    spans : sequence of Span
        Layout of the slots.
    settings, run
        What and how.
    start : nn.Module, default=None
        A trained generator to go on from.
    """
    width = total_width(spans)
    generator = build_gain(spans, settings, run.generator) if start is None else start.float().requires_grad_(True)
    players = {
        "generator": generator.to(run.device),
        "discriminator": CellDiscriminator(
            width, len(spans), activation=settings.activation, generator=run.generator
        ).to(run.device),
    }
    task = GainTask(
        values.to(run.device),
        visible.to(run.device),
        span_index(spans).to(run.device),
        batch_size=settings.batch_size,
        hint=settings.hint,
        hint_rate=settings.hint_rate,
    )
    loss = ADVERSARIAL_LOSSES["non-saturating"]
    optimizer = OptimizerSpec("adam", settings.learning_rate, (0.9, 0.999))
    terms = [Term("reconstruction", task.reconstruction, settings.alpha)]
    phases = [
        Phase("discriminator", DiscriminatorLoss(loss, task), optimizer),
        Phase("generator", GeneratorLoss(loss, task, terms=terms), optimizer),
    ]
    callbacks: list[Callback] = [NanGuard(), *run_callbacks(run, "GAINImputer (paper)")]
    trainer = Trainer(players, phases, task, generator=run.generator, callbacks=callbacks, read_every=100)
    trainer.fit(settings.n_steps)
    return Trained(generator.cpu().double().eval(), trainer.history, trainer.step_count, trainer.stop_reason)


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


def build_gain(spans: Sequence[Span], settings: GainSettings, generator: torch.Generator) -> nn.Module:
    """The paper's generator with fresh weights."""
    return GainGenerator(total_width(spans), activation=settings.activation, generator=generator)


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
