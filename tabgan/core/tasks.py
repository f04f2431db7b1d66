"""Tasks: which batches are drawn, and what the discriminator is asked about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Batch, Case, Players, weighted_mean
from tabgan.core.masked import hide_cells, hint_code, hint_paper, reconstruction_loss
from tabgan.verdict import Verdict

__all__ = ["Fakes", "GainTask", "GenerationTask", "RemaskTask", "normal_prior"]


def normal_prior(d_noise: int) -> Callable[[int, torch.Generator], Tensor]:
    """Standard normal latent draws of width ``d_noise``."""
    return lambda n, generator: torch.randn(n, d_noise, generator=generator)


@dataclass(frozen=True)
class Fakes:
    """Generated rows and what they were generated for.

    Parameters
    ----------
    rows : Tensor of shape (n, ...)
        What the generator made.
    condition : Tensor of shape (n, ...), default=None
        The condition it was given.
    classes : LongTensor of shape (n,), default=None
        The class it was asked for.
    """

    rows: Tensor
    condition: Tensor | None = None
    classes: Tensor | None = None


class GenerationTask:
    """The plain two-player task: make rows like the data from noise, under a condition or without one.

    Parameters
    ----------
    data : Tensor of shape (n, ...)
        All rows, resident on the device.
    prior : callable
        ``prior(n, generator) -> Tensor``, the latent draw.
    batch_size : int
        Rows per batch, drawn with replacement.
    condition : Tensor of shape (n, ...), default=None
        Seen by both players, row by row.

    Notes
    -----
    The generator is called as ``generator(noise, condition)``, the discriminator as ``discriminator(x, condition)``. Fakes
    that wait in ``batch.extras["fakes"]`` are judged instead of new ones: replay pools and unrolling put them there.
    """

    def __init__(
        self,
        data: Tensor,
        prior: Callable[[int, torch.Generator], Tensor],
        batch_size: int,
        condition: Tensor | None = None,
    ) -> None:
        self.data = data
        self.prior = prior
        self.batch_size = batch_size
        self.condition = condition

    def batch(self, generator: torch.Generator) -> Batch:
        """Draw rows and noise."""
        rows = torch.randint(len(self.data), (self.batch_size,), generator=generator).to(self.data.device)
        noise = self.prior(self.batch_size, generator).to(self.data.device)
        condition = None if self.condition is None else self.condition[rows]
        return Batch(real=self.data[rows], noise=noise, condition=condition)

    def generate(self, players: Players, batch: Batch) -> Tensor:
        """Generated rows for the batch's noise and condition."""
        return players["generator"](batch.noise, batch.condition)

    def fakes(self, players: Players, batch: Batch) -> Fakes:
        """Generated rows with their condition; those that wait in the batch, if there are any."""
        if "fakes" in batch.extras:
            return batch.extras["fakes"]
        return Fakes(self.generate(players, batch), batch.condition)

    def discriminator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Real rows with target 1 and generated rows with target 0, in two separate passes (batch norm wants that)."""
        with torch.no_grad():
            fakes = self.fakes(players, batch)
        judge = players["discriminator"]
        return [
            Case(judge(batch.real, batch.condition), 1.0, data=batch.real),
            Case(judge(fakes.rows, fakes.condition), 0.0, data=fakes.rows),
        ]

    def generator_cases(self, players: Players, batch: Batch) -> list[Case]:
        """Generated rows that ought to pass for real."""
        fakes = self.fakes(players, batch)
        verdict = players["discriminator"](fakes.rows, fakes.condition)
        return [Case(verdict, 1.0, classes=fakes.classes, data=fakes.rows)]

    def penalty_inputs(self, players: Players, batch: Batch) -> tuple[Callable[[Tensor], Verdict], Tensor, Tensor]:
        """The discriminator with the condition bound, and both kinds of rows."""
        with torch.no_grad():
            fake = self.generate(players, batch)
        assert batch.real is not None
        return lambda x: players["discriminator"](x, batch.condition), batch.real, fake


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
        Which hint; see `tabgan.core.masked.hint_paper` and `hint_code`.
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
        See `tabgan.core.masked.hide_cells`.

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
