"""Draws from the distribution of hidden cells: a copula draw in normal scores, bent by a learned correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase, Term, cosine_schedule
from tabgan.core.run import train
from tabgan.core.trust import load_weights
from tabgan.imputation.cell_discriminator import CellDiscriminator
from tabgan.imputation.draw_task import DrawTask, MaskedTruth
from tabgan.imputation.learning import Learning, MaskedRows
from tabgan.imputation.row_noise import RowNoise
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.correction import Correction
from tabgan.imputation.stages.stage import Completion, FittedStage, Stage, Trail, settings_of
from tabgan.networks.blocks import ResidualBlock, blank_linear, init_linear
from tabgan.networks.heads import SpanHeads
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["STAGE", "Draws", "Noise", "Settings", "Told"]

LARGEST_TIE = 0.2
MOST_CENTRED = 4000
"""Masked rows by which `Draws.fit_centre` goes."""
_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents each."""

    batch_size: int = 256
    width: int = 128
    draw_steps: int = 0
    adversarial_weight: float = 0.1
    hint_rate: float = 0.9


@dataclass(frozen=True)
class Noise:
    """All the randomness of draws, so that a draw is a function of its inputs.

    Parameters
    ----------
    deviation : Tensor of shape (n_draws, n, width)
        From the copula's conditional mean, in normal scores; 0 on visible slots.
    latent : Tensor of shape (n_draws, n, d_latent)
        Standard normal, for the correction.
    levels : Tensor of shape (n_draws, n, width)
        Standard Gumbel, for the choice among the levels of a category.
    """

    deviation: Tensor
    latent: Tensor
    levels: Tensor

    def flat(self) -> Noise:
        """Draws below each other, as rows."""
        return Noise(self.deviation.flatten(0, 1), self.latent.flatten(0, 1), self.levels.flatten(0, 1))


class Told(NamedTuple):
    """What all draws of a row share; each of shape (n, width)."""

    means: Tensor
    """The copula's conditional means, in normal scores."""
    raw: Tensor
    """Point estimates: numbers, and logarithms of probabilities."""
    point: Tensor
    """The same with numbers in normal scores."""


class Draws(nn.Module, FittedStage):
    """Draws of hidden cells given the visible ones.

    Numbers are drawn as normal scores: a centre and a deviation with the copula's conditional covariance (by conditioning an
    unconditional draw, Matheron's rule), scaled and shifted by a network that sees the point estimate and latent noise. The
    centre lies between the copula's conditional mean and the point estimate, where least squares puts it column by column
    (`fit_centre`). Decoded through the columns' quantiles, draws keep zeros, bounds and tails of a column by construction. Before
    training they *are* the copula's draws. Categories are drawn from the point estimate's probabilities, tilted by the same
    network.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    width : int, default=128
        Width of the network.
    n_blocks : int, default=2
        Residual blocks.
    d_latent : int, default=16
        Latent noise per row.
    temperature : float, default=0.5
        Of the relaxed choice of levels in training (Gumbel-softmax, Jang et al. 2017).
    generator : torch.Generator
        Source of the initial weights.
    """

    lean: Tensor
    spread: Tensor

    def __init__(
        self,
        spans: Sequence[Span],
        *,
        width: int = 128,
        n_blocks: int = 2,
        d_latent: int = 16,
        temperature: float = 0.5,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.heads = SpanHeads(spans)
        d_table = total_width(spans)
        self.d_latent = d_latent
        self.temperature = temperature
        self.input = blank_linear(3 * d_table + len(spans) + d_latent, width)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.output = blank_linear(width, 2 * d_table)
        self.register_buffer("lean", torch.zeros(d_table))
        self.register_buffer("spread", torch.ones(d_table))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer is zero."""
        for part in (self.input, self.blocks):
            init_linear(part, generator)
        self.output.weight.zero_()
        self.output.bias.zero_()

    def noise(self, deviation: Tensor, generator: torch.Generator) -> Noise:
        """Noise around given deviations of shape (n_draws, n, width), from a CPU generator."""
        n_draws, n, width = deviation.shape
        latent = torch.randn(n_draws, n, self.d_latent, generator=generator).to(deviation)
        uniform = torch.rand(n_draws, n, width, generator=generator).clamp(1e-6, 1 - 1e-6)
        return Noise(deviation, latent, -(-uniform.log()).log().to(deviation))

    @torch.no_grad()
    def told(self, closed_form: ClosedForm, completion: Completion) -> Told:
        """What a completion says for draws."""
        completed, is_categorical = completion.completed, self.heads.is_categorical
        logs = torch.where(is_categorical, completed, 1.0).clamp_min(_LEAST_PROBABILITY).log()
        raw = torch.where(is_categorical, logs, completed)
        return Told(completion.rank, raw, closed_form.scored(raw))

    @torch.no_grad()
    def fit_centre(self, told: Told, truth: Tensor, hidden: Tensor, deviation: Tensor, largest_ties: Tensor) -> None:
        """Put draws between the copula's mean and the point estimate, and scale them to what is left, by least squares.

        Columns in which one value makes up a fifth of the cells keep the copula's draws: scores jump where a tie ends.

        Parameters
        ----------
        told : Told
        truth : Tensor of shape (n, width)
            The rows in normal scores.
        hidden : Tensor of shape (n, width)
            1 where a slot was hidden on purpose.
        deviation : Tensor of shape (n, width)
            Of one draw.
        largest_ties : Tensor of shape (n_numeric,)
            See `NormalScores.largest_ties`.
        """
        step, wanted = (told.point - told.means) * hidden, (truth - told.means) * hidden
        few = 20 / (hidden.sum(0) + 20)
        lean = (step * wanted).sum(0) / step.square().sum(0).clamp_min(1e-9)
        usable = torch.ones_like(lean)
        usable[~self.heads.is_categorical] = (largest_ties < LARGEST_TIE).to(lean)
        self.lean.copy_(usable * (1 - few) * lean.clamp(0, 1))
        deviation = deviation * hidden
        left = (wanted - self.lean * step).square().sum(0) / deviation.square().sum(0).clamp_min(1e-9)
        self.spread.copy_(torch.where(usable > 0, (few + (1 - few) * left).sqrt().clamp(0.1, 2.0), 1.0))

    def forward(self, told: Told, visible: Tensor, noise: Noise, *, relaxed: bool = False) -> Tensor:
        """One draw per row: scores and one-hot blocks; ``relaxed`` lets gradients through the choice of levels."""
        heads, deviation = self.heads, noise.deviation
        if self.training or self.output.weight.any() or self.output.bias.any():
            hidden = self.input(torch.cat([told.means, told.point, deviation, visible, noise.latent], 1))
            shift, log_scale = self.output(self.norm(self.blocks(hidden))).chunk(2, 1)
        else:  # it was not trained, and says nothing
            shift = log_scale = deviation.new_zeros(())
        centre = torch.lerp(told.means, told.point, self.lean)
        numbers = centre + deviation * self.spread * log_scale.clamp(-4, 2).exp() + shift
        if not heads.any_categorical:
            return numbers
        tilted = told.raw + shift + noise.levels
        blank = torch.where(heads.is_categorical, tilted / self.temperature, 0.0)
        soft = heads.log_probabilities(blank)
        soft = torch.where(heads.is_categorical, soft, 0.0).exp()
        hard = heads.largest(torch.where(heads.is_categorical, tilted, 0.0))
        levels = hard + soft - soft.detach() if relaxed else hard
        return torch.where(heads.is_categorical, levels, numbers)

    @torch.no_grad()
    def scores(self, trail: Trail, noise: RowNoise) -> Tensor:
        """Draws in normal scores and one-hot blocks, of shape (n_draws, n, width).

        Levels are drawn from the probabilities that the whole chain leaves. Numbers start from the correction's completion: at ties
        a small step of a point estimate is a large one in scores, so that moving them made draws worse on tables with zeros
        (measured on ecoli and pima).
        """
        closed_form = trail.stage(ClosedForm)
        told = self.told(closed_form, trail.after(Correction))
        if self.heads.any_categorical:
            told = told._replace(raw=self.told(closed_form, trail.last).raw)
        visible = trail.rows.visible
        deviation = closed_form.deviations(visible, noise.normal("copula", closed_form.d_noise))
        latent = noise.normal("latent", self.d_latent).to(deviation)
        levels = -(-noise.uniform("levels", deviation.shape[2]).log()).log().to(deviation)
        return torch.stack(
            [self(told, visible, Noise(*parts)) for parts in zip(deviation, latent, levels, strict=True)]
        )

    def draw(self, trail: Trail, drawn: Tensor | None, noise: RowNoise) -> Tensor:
        """The draws with numbers in encoded units; visible slots as they are."""
        closed_form, module = trail.stage(ClosedForm), self.in_dtype(trail.rows.values.dtype)
        shown = trail.rows.visible[:, self.heads.column] > 0
        scores = module.scores(trail, noise)
        return torch.stack([torch.where(shown, trail.rows.values, closed_form.unscored(one)) for one in scores])

    def state(self) -> dict[str, Any]:
        """Its weights."""
        return {"weights": self.state_dict()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        settings = settings_of(Settings, given)
        module = cls(spans, width=settings.width, generator=torch.Generator().manual_seed(0)).double()
        load_weights(module, state["weights"])
        return module.eval()


def fit(learning: Learning) -> Draws:
    """Train draws of hidden cells: energy score, plus a hint-driven discriminator per cell; without masked rows the copula's stand."""
    settings, generator = learning.settings(Settings), learning.generator("draws")
    module = Draws(learning.spans, width=settings.width, generator=generator)
    if not learning.worthwhile or learning.run.time_is_up:
        return module.double().eval()
    masked, closed_form = learning.masked, learning.masked.trail.stage(ClosedForm)
    told = module.told(closed_form, masked.trail.after(Correction))
    _centre(module, closed_form, told, masked, generator)
    if not settings.draw_steps:
        return module.double().eval()
    device, shown = learning.run.device, masked.rows.visible
    truth = MaskedTruth(
        masked.rows.values.to(device),
        masked.observed.to(device),
        shown.to(device),
        Told(*(part.to(device) for part in told)),
        _deviations(closed_form, shown, 2, generator).to(device),
    )
    task = DrawTask(
        truth,
        closed_form.to(device).scored_at_random,
        closed_form.column.to(device),
        batch_size=min(settings.batch_size, 128),
        hint_rate=settings.hint_rate,
    )
    loss, weight = ADVERSARIAL_LOSSES["non-saturating"], settings.adversarial_weight
    players: dict[str, nn.Module] = {"drawer": module}
    phases = []
    if weight:
        players["discriminator"] = CellDiscriminator(
            total_width(learning.spans), len(learning.spans), hidden=settings.width, generator=generator
        )
        optimizer = OptimizerSpec("adam", 1e-3, (0.5, 0.99))
        phases.append(Phase("discriminator", DiscriminatorLoss(loss, task), optimizer, every=2))
    phases.append(
        Phase(
            "drawer",
            GeneratorLoss(loss, task, weight=weight, terms=[Term("energy", task.energy)]),
            OptimizerSpec("adam", 1e-3, (0.9, 0.99)),
            schedule=cosine_schedule(settings.draw_steps),
            max_grad_norm=1.0,
        )
    )
    trained = train(
        players,
        phases,
        task,
        replace(learning.run, generator=generator),
        settings.draw_steps,
        description="GAINImputer (draws)",
        averages={"drawer": 0.99},
    )
    drawer: Any = trained.players["drawer"].double()
    drawer.trained = replace(trained, players={})
    return drawer


@torch.no_grad()
def _centre(module: Draws, closed_form: ClosedForm, told: Told, masked: MaskedRows, generator: torch.Generator) -> None:
    """Where draws begin, from some of the masked rows, which are in random order."""
    some = slice(0, MOST_CENTRED)
    rows, hidden = masked.rows.take(some), masked.hidden[some][:, closed_form.column]
    deviation = _deviations(closed_form, rows.visible, 1, generator)[0]
    scores = closed_form.scored_at_random(rows.values, generator)
    module.fit_centre(
        Told(*(part[some] for part in told)), scores, hidden, deviation, closed_form.scores.largest_ties()
    )


def _deviations(closed_form: ClosedForm, visible: Tensor, n_draws: int, generator: torch.Generator) -> Tensor:
    return closed_form.deviations(visible, torch.randn(n_draws, len(visible), closed_form.d_noise, generator=generator))


STAGE = Stage("draws", Settings, fit, Draws.from_state, waits=False)
