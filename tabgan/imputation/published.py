"""GAIN as published: its two networks, its task, and its training."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from tabgan.core.cases import Case, Players, Shared, weighted_mean
from tabgan.core.checkpoint import Stored, built_from, plain_value
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase, Term
from tabgan.core.run import Run, Trained, train
from tabgan.core.trust import load_weights
from tabgan.exceptions import parameter_error
from tabgan.imputation.cell_discriminator import ACTIVATIONS, CellDiscriminator
from tabgan.imputation.learning import held_out_rows
from tabgan.imputation.masking import hint_code, hint_paper
from tabgan.imputation.predicting import HeldOut, Predictor
from tabgan.imputation.stages.stage import settings_of
from tabgan.networks.blocks import init_linear, mlp
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "GainBatch",
    "GainGenerator",
    "GainSettings",
    "GainTask",
    "PublishedGain",
    "PublishedVariants",
    "published_parameters",
]

NOISE_SCALE = 0.01
"""Hidden cells start as U(0, this)."""
_ROWS_AT_ONCE = 4096


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


@dataclass(frozen=True)
class GainBatch:
    """Rows with noise in their hidden cells, and a hint.

    Parameters
    ----------
    given : Tensor of shape (n, width)
        What the generator gets.
    visible : Tensor of shape (n, n_columns)
        1 where observed.
    hint, open_cells : Tensor of shape (n, n_columns)
        What the discriminator is told, and 1 where it is judged.
    filled : Shared
        The generator's answer, which the adversarial term and the reconstruction share.
    """

    given: Tensor
    visible: Tensor
    hint: Tensor
    open_cells: Tensor
    filled: Shared[Tensor] = field(default_factory=Shared)


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
        noise_scale: float = NOISE_SCALE,
    ) -> None:
        self.values = values
        self.visible = visible
        self.column = column
        self.batch_size = min(batch_size, len(values))
        self.hint = hint
        self.hint_rate = hint_rate
        self.noise_scale = noise_scale

    def batch(self, generator: torch.Generator) -> GainBatch:
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
        return GainBatch(given, mask, hint, open_cells)

    def discriminator_cases(self, players: Players, batch: GainBatch) -> list[Case]:
        """One case: every open cell, with target "was it observed?"."""
        with torch.no_grad():
            completed, _ = self._complete(players, batch)
        return [Case(players["discriminator"](completed, batch.hint), batch.visible, batch.open_cells)]

    def generator_cases(self, players: Players, batch: GainBatch) -> list[Case]:
        """Open cells that were filled in and ought to look observed.

        The code takes the mean over *all* cells of the batch (zeros on observed ones); dividing by the number of filled
        cells instead would raise the term about fivefold at 20 % missing, so the share of filled cells is multiplied in.
        """
        completed, _ = self._complete(players, batch)
        filled = batch.open_cells * (1 - batch.visible)
        share = filled.sum() / batch.open_cells.sum().clamp_min(1)
        return [Case(players["discriminator"](completed, batch.hint), 1.0, filled, scale=share)]

    def reconstruction(self, players: Players, batch: GainBatch) -> Tensor:
        """Mean squared error on *observed* cells: the term that teaches copying, kept because the paper has it."""
        _, raw = self._complete(players, batch)
        return weighted_mean((raw - batch.given) ** 2, batch.visible[:, self.column])

    def _complete(self, players: Players, batch: GainBatch) -> tuple[Tensor, Tensor]:
        slots = batch.visible[:, self.column]
        raw = batch.filled.get(lambda: players["generator"](batch.given, slots))
        return torch.where(slots > 0, batch.given, raw), raw


@dataclass(frozen=True)
class GainSettings:
    """Settings of the published objective; `GAINImputer.paper` documents each."""

    n_steps: int = 10_000
    batch_size: int = 128
    learning_rate: float = 1e-3
    alpha: float = 100.0
    hint: str = "code"
    hint_rate: float = 0.9
    activation: str = "relu"


def published_parameters(variant: str) -> dict[str, Any]:
    """Parameters of `GAINImputer` for GAIN as published: ``variant`` "code" is the authors' ``gain.py``, "paper" the text."""
    both = {"objective": "paper", "n_steps": 10_000, "learning_rate": 1e-3, "validation_fraction": 0.0, "hint": variant}
    if isinstance(variant, str) and variant == "code":
        return both | {"batch_size": 128, "alpha": 100.0, "activation": "relu"}
    if isinstance(variant, str) and variant == "paper":
        return both | {"batch_size": 64, "alpha": 10.0, "activation": "tanh"}
    raise parameter_error("variant", variant, "'code' or 'paper'")


class PublishedGain(Predictor):
    """GAIN as published: all observed cells are seen, the last weights are kept.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    module : GainGenerator or None
        The trained generator, in double precision on the CPU; None for tables without an encoded column.
    settings : GainSettings
    trained : Trained, default=None
        How training went.
    held_out : HeldOut, default=None
        Cells that were never seen, and what was predicted for them.
    """

    objective = "paper"

    def __init__(
        self,
        spans: Sequence[Span],
        module: nn.Module | None,
        settings: GainSettings,
        trained: Trained | None = None,
        held_out: HeldOut | None = None,
    ) -> None:
        reason = trained.stop_reason if trained else None if spans else "no column varies: there is nothing to learn"
        super().__init__(spans, trained.history if trained else [], trained.n_steps if trained else 0, reason, held_out)
        self.module = module
        self.settings = settings

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        training: np.ndarray,
        validation: np.ndarray,
        spans: Sequence[Span],
        given: Mapping[str, Any],
        run: Run,
        start: PublishedGain | None = None,
    ) -> Self:
        """Train on the training cells.

        Parameters
        ----------
        values : ndarray of float32 of shape (n, width)
            Encoded rows in [0, 1], hidden slots 0.
        training, validation : ndarray of bool of shape (n, n_columns)
            Disjoint masks of the observed cells: to learn from, and to report errors on.
        spans : sequence of Span
            Layout of the slots.
        given : mapping of str to object
            Settings by name.
        run : Run
            Randomness, device and deadline.
        start : PublishedGain, default=None
            Whose generator to go on from.
        """
        settings = settings_of(GainSettings, given)
        if not spans:
            return cls(spans, None, settings)
        module = None if start is None else start.module
        trained = _train(torch.from_numpy(values), torch.from_numpy(training).float(), spans, settings, run, module)
        model = cls(spans, trained.players["generator"].double(), settings, replace(trained, players={}))
        held_out = torch.from_numpy(validation)
        rows = held_out_rows(held_out, run.generator).numpy()
        predicted = model.predict(values[rows], training[rows])
        model.held_out = HeldOut(rows, validation[rows], predicted)
        return model

    @torch.no_grad()
    def predict(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Point estimates; see `Predictor.predict`."""
        result = values.astype(np.float64)
        gappy = np.flatnonzero(~mask.all(axis=1))
        if self.module is None or not len(gappy):
            return result
        column = span_index(self.spans)
        for begin in range(0, len(gappy), _ROWS_AT_ONCE):
            rows = gappy[begin : begin + _ROWS_AT_ONCE]
            slots = torch.from_numpy(mask[rows]).double()[:, column]
            # The mean of the noise that training put into hidden cells.
            given = torch.where(slots > 0, torch.from_numpy(result[rows]), NOISE_SCALE / 2)
            result[rows] = self.module(given, slots).numpy()
        return result

    def to_state(self) -> dict[str, Any]:
        """Plain data and tensors for a model file."""
        return self.facts_to_state() | {
            "settings": plain_value(asdict(self.settings)),
            "weights": None if self.module is None else self.module.state_dict(),
        }

    @classmethod
    def from_state(cls, state: Stored) -> Self:
        """Rebuild what `to_state` described; takes out all that it knows.

        Raises
        ------
        ModelFileError
            It holds a setting that is not known.
        """
        spans, settings = cls.spans_from_state(state), built_from(GainSettings, state.pop("settings"))
        weights, module = state.pop("weights"), None
        if spans:
            module = GainGenerator(
                total_width(spans), activation=settings.activation, generator=torch.Generator().manual_seed(0)
            ).double()
            load_weights(module, weights)
            module.eval()
        model = cls(spans, module, settings)
        model.facts_from_state(state)
        return model


def _train(
    values: Tensor,
    visible: Tensor,
    spans: Sequence[Span],
    settings: GainSettings,
    run: Run,
    start: nn.Module | None,
) -> Trained:
    """The two players in turn, from fresh weights or from a trained generator."""
    width = total_width(spans)
    shape: dict[str, Any] = {"activation": settings.activation, "generator": run.generator}
    generator = GainGenerator(width, **shape) if start is None else copy.deepcopy(start).float().requires_grad_(True)
    players = {"generator": generator, "discriminator": CellDiscriminator(width, len(spans), **shape)}
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
    return train(players, phases, task, run, settings.n_steps, description="GAINImputer (paper)", read_every=100)


class PublishedVariants:
    """Mixin of `GAINImputer`: its parameters as they were published."""

    @classmethod
    def paper(cls, variant: Literal["code", "paper"] = "code", **parameters: Any) -> Self:
        """GAIN as published; see `tabgan.imputation.published`.

        Parameters
        ----------
        variant : {"code", "paper"}, default="code"
            ``"code"``: the authors' ``gain.py`` (hint ``b * m``, loss on all cells, alpha 100, ReLU, batch 128). ``"paper"``: the
            text (hint ``b * m + 0.5 (1 - b)``, loss on open cells, alpha 10, tanh, batch 64). Both: 10,000 steps of Adam at
            1e-3, hidden layers as wide as the table, min-max scaling, nothing held out, last weights kept.
        **parameters
            Any parameter of `GAINImputer`, taking precedence.

        Returns
        -------
        GAINImputer
            Of the class that this is asked of.

        Notes
        -----
        Departures: losses on logits; categorical columns are one-hot and decoded by the largest slot (the code rounds integer
        codes); `transform` puts the mean of the noise into hidden cells, not a draw, so that it is repeatable.
        """
        return cls(**(published_parameters(variant) | parameters))
