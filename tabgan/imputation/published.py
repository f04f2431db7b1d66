"""GAIN as published: its two networks, its task, and its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback, NanGuard
from tabgan.core.cases import Batch, Case, Players, weighted_mean
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import (
    DiscriminatorLoss,
    GeneratorLoss,
    OptimizerSpec,
    Phase,
    Term,
)
from tabgan.core.run import Run, run_callbacks
from tabgan.core.trainer import Trainer
from tabgan.imputation.cell_discriminator import ACTIVATIONS, CellDiscriminator
from tabgan.imputation.masking import hint_code, hint_paper
from tabgan.imputation.stages.correction import Trained
from tabgan.networks.blocks import init_linear, mlp
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

__all__ = ["GainGenerator", "GainSettings", "GainTask", "build_gain", "train_gain"]


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


class GainTask:
    """GAIN as published: the discriminator guesses, cell by cell, what was observed.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows; hidden slots hold anything.
    visible : Tensor of shape (n, n_columns)
        1 where observed.
    column : LongTensor of shape (width,)
        The column of each slot.
    batch_size : int
        Rows per batch.
    hint : {"paper", "code"}
        Which hint; see `tabgan.imputation.masking.hint_paper` and `hint_code`.
    hint_rate : float
        For ``hint="code"``.
    noise_scale : float, default=0.01
        Hidden cells start as U(0, noise_scale).

    Notes
    -----
    The generator is called as ``generator(values_with_noise, visible_slots)`` and returns all slots; the discriminator as
    ``discriminator(completed, hint)`` and
    returns one logit per column.

    References
    ----------
    Yoon, Jordon, van der Schaar 2018, "GAIN: Missing Data Imputation using Generative Adversarial Nets".
    """

    def __init__(
        self,
        values: Tensor,
        visible: Tensor,
        column: Tensor,
        *,
        batch_size: int,
        hint: str,
        hint_rate: float = 0.9,
        noise_scale: float = 0.01,
    ) -> None:
        self.values = values
        self.visible = visible
        self.column = column
        self.batch_size = min(batch_size, len(values))
        self.hint = hint
        self.hint_rate = hint_rate
        self.noise_scale = noise_scale

    def batch(self, generator: torch.Generator) -> Batch:
        """Rows without replacement, fresh noise in their hidden cells, and a hint."""
        rows = torch.randperm(len(self.values), generator=generator)[: self.batch_size].to(self.values.device)
        mask = self.visible[rows]
        slots = mask[:, self.column]
        noise = (self.noise_scale * torch.rand(slots.shape, generator=generator)).to(slots)
        given = torch.where(slots > 0, self.values[rows], noise)
        if self.hint == "paper":
            hint, open_cells = hint_paper(mask, generator)
        else:
            hint, open_cells = hint_code(mask, generator, self.hint_rate)
        return Batch(real=given, condition=hint, target=mask, weight=open_cells)

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """One case: every open cell, with target "was it observed?"."""
        with torch.no_grad():
            completed, _ = self._complete(players, batch)
        verdict = players["discriminator"](completed, batch.condition)
        assert batch.target is not None
        return [Case(verdict, batch.target, batch.weight)]

    def generator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Open cells that were filled in and ought to look observed.

        The code takes the mean over *all* cells of the batch (zeros on observed ones); dividing by the number of filled
        cells instead would raise the term about fivefold at 20 % missing, so the share of filled cells is multiplied in.
        """
        completed, _ = self._complete(players, batch)
        verdict = players["discriminator"](completed, batch.condition)
        assert batch.target is not None
        assert batch.weight is not None
        filled = batch.weight * (1 - batch.target)
        share = filled.sum() / batch.weight.sum().clamp_min(1)
        return [Case(verdict, 1.0, filled, scale=share)]

    def reconstruction(self, players: Players, batch: Batch) -> Tensor:
        """Mean squared error on *observed* cells: the term that teaches copying, kept because the paper has it."""
        _, raw = self._complete(players, batch)
        assert batch.real is not None
        assert batch.target is not None
        return weighted_mean((raw - batch.real) ** 2, batch.target[:, self.column])

    def _complete(self, players: Players, batch: Batch) -> tuple[Tensor, Tensor]:
        assert batch.real is not None
        assert batch.target is not None
        slots = batch.target[:, self.column]
        # The adversarial term and the reconstruction share one forward pass, but not one made without gradients.
        key = "raw" if torch.is_grad_enabled() else "raw without gradients"
        if key not in batch.extras:
            batch.extras[key] = players["generator"](batch.real, slots)
        raw = batch.extras[key]
        return torch.where(slots > 0, batch.real, raw), raw


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


def build_gain(spans: Sequence[Span], settings: GainSettings, generator: torch.Generator) -> nn.Module:
    """The paper's generator with fresh weights."""
    return GainGenerator(total_width(spans), activation=settings.activation, generator=generator)
