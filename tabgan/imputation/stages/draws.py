"""Draws from the distribution of hidden cells: a copula draw in normal scores, bent by a learned correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback, NanGuard, WeightAverage
from tabgan.core.history import History
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase, Term, cosine_schedule
from tabgan.core.run import Run, run_callbacks
from tabgan.core.trainer import Trainer
from tabgan.imputation.cell_discriminator import CellDiscriminator
from tabgan.imputation.draw_task import PooledDrawTask
from tabgan.imputation.masked_rows import MaskedPool
from tabgan.imputation.stages.correction import BasedGenerator, RemaskSettings
from tabgan.imputation.stages.forests import ForestStep
from tabgan.imputation.stages.stage import Start
from tabgan.networks.blocks import ResidualBlock, blank_linear, init_linear
from tabgan.networks.heads import span_index
from tabgan.spans import Span, total_width

__all__ = ["Drawer", "Noise", "draw_scores", "train_drawer"]

LARGEST_TIE = 0.2


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

    def __getitem__(self, k: int) -> Noise:
        """That of draw ``k``, without the first dimension."""
        return Noise(self.deviation[k], self.latent[k], self.levels[k])

    def flat(self) -> Noise:
        """Draws below each other, as rows."""
        return Noise(self.deviation.flatten(0, 1), self.latent.flatten(0, 1), self.levels.flatten(0, 1))


class Drawer(nn.Module):
    """Draws of hidden cells given the visible ones.

    Numbers are drawn as normal scores: a centre and a deviation with the copula's conditional covariance (by conditioning an
    unconditional draw, Matheron's rule), scaled and shifted by a network that sees the point estimate and latent noise. The
    centre lies between the copula's conditional mean and the point estimate, where least squares puts it column by column
    (`fit_centre`). Decoded through the columns' quantiles, draws keep zeros, bounds and tails of a column by construction. Before
    training they *are* the copula's draws. Categories are drawn from the point estimate's probabilities, tilted by the same
    network.

    Parameters
    ----------
    point : BasedGenerator
        The trained point estimate; its weights stay as they are.
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

    Shape
    -----
    values: (n, width of the table), visible: (n, n_columns). Output: (n, width of the table): scores, and one-hot blocks.
    """

    lean: Tensor
    spread: Tensor

    def __init__(
        self,
        point: BasedGenerator,
        *,
        width: int = 128,
        n_blocks: int = 2,
        d_latent: int = 16,
        temperature: float = 0.5,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.point = point.requires_grad_(False)
        d_table = len(point.heads.column)
        self.d_latent = d_latent
        self.temperature = temperature
        self.input = blank_linear(3 * d_table + point.heads.n_columns + d_latent, width)
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

    def noise(
        self, visible: Tensor, n_draws: int, generator: torch.Generator, deviation: Tensor | None = None
    ) -> Noise:
        """Noise for rows with these visible cells, from a CPU generator; ``deviation`` spares its computation."""
        like, n = self.output.weight, len(visible)
        if deviation is None:
            deviation = self.deviations(visible, n_draws, generator)
        latent = torch.randn(n_draws, n, self.d_latent, generator=generator).to(like)
        uniform = torch.rand(n_draws, n, len(self.point.heads.column), generator=generator).clamp(1e-6, 1 - 1e-6)
        return Noise(deviation, latent, -(-uniform.log()).log().to(like))

    @torch.no_grad()
    def deviations(self, visible: Tensor, n_draws: int, generator: torch.Generator) -> Tensor:
        """Draws from the copula less its conditional mean, of shape (n_draws, n, width)."""
        rank: Any = self.point.base.rank
        noise = torch.randn(n_draws, len(visible), rank.d_noise, generator=generator).to(self.output.weight)
        return rank.deviations(noise, visible[:, self.point.heads.column])

    @torch.no_grad()
    def context(self, values: Tensor, visible: Tensor, started: Start | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """What all draws of a row share: copula means in scores, raw point estimates, and the scored point estimates."""
        heads, base = self.point.heads, self.point.base
        shown = visible[:, heads.column]
        values = torch.where(shown > 0, values, 0.0)
        started = started or self.point.start(values, visible)
        means = started.rank
        raw = heads.log_probabilities(self.point.members(values, visible, started))
        raw = torch.where(heads.is_categorical, raw.logsumexp(0) - _log(len(raw)), raw.mean(0))
        return means, raw, base.scored(torch.where(heads.is_categorical, raw, torch.where(shown > 0, values, raw)))

    @torch.no_grad()
    def fit_centre(self, context: tuple[Tensor, Tensor, Tensor], truth: Tensor, hidden: Tensor, noise: Noise) -> None:
        """Put draws between the copula's mean and the point estimate, and scale them to what is left, by least squares.

        Columns in which one value makes up a fifth of the cells keep the copula's draws: scores jump where a tie ends.

        Parameters
        ----------
        context : tuple of Tensor
            From `context`.
        truth : Tensor of shape (n, width)
            The rows in normal scores.
        hidden : Tensor of shape (n, width)
            1 where a slot was hidden on purpose.
        noise : Noise
            Of one draw.
        """
        means, _, scored_point = context
        step, wanted = (scored_point - means) * hidden, (truth - means) * hidden
        few = 20 / (hidden.sum(0) + 20)
        lean = (step * wanted).sum(0) / step.square().sum(0).clamp_min(1e-9)
        usable = torch.ones_like(lean)
        base = self.point.base
        usable[base.numeric_slots] = (base.scores.largest_ties() < LARGEST_TIE).to(lean)
        self.lean.copy_(usable * (1 - few) * lean.clamp(0, 1))
        deviation = noise.deviation * hidden
        left = (wanted - self.lean * step).square().sum(0) / deviation.square().sum(0).clamp_min(1e-9)
        self.spread.copy_(torch.where(usable > 0, (few + (1 - few) * left).sqrt().clamp(0.1, 2.0), 1.0))

    def forward(
        self, context: tuple[Tensor, Tensor, Tensor], visible: Tensor, noise: Noise, *, relaxed: bool = False
    ) -> Tensor:
        """One draw per row: scores and one-hot blocks; ``relaxed`` lets gradients through the choice of levels."""
        means, raw, scored_point = context
        heads, deviation = self.point.heads, noise.deviation
        hidden = self.input(torch.cat([means, scored_point, deviation, visible, noise.latent], 1))
        shift, log_scale = self.output(self.norm(self.blocks(hidden))).chunk(2, 1)
        centre = torch.lerp(means, scored_point, self.lean)
        numbers = centre + deviation * self.spread * log_scale.clamp(-4, 2).exp() + shift
        if not heads.any_categorical:
            return numbers
        tilted = raw + shift + noise.levels
        blank = torch.where(heads.is_categorical, tilted / self.temperature, 0.0)
        soft = heads.log_probabilities(blank)
        soft = torch.where(heads.is_categorical, soft, 0.0).exp()
        hard = heads.largest(torch.where(heads.is_categorical, tilted, 0.0))
        levels = hard + soft - soft.detach() if relaxed else hard
        return torch.where(heads.is_categorical, levels, numbers)


def _log(n: int) -> float:
    return float(torch.tensor(float(n)).log())


def train_drawer(
    point: BasedGenerator,
    pool: MaskedPool | None,
    spans: Sequence[Span],
    settings: RemaskSettings,
    run: Run,
) -> tuple[Drawer, History]:
    """Train draws of hidden cells: energy score, plus a hint-driven discriminator per cell.

    Parameters
    ----------
    point : BasedGenerator
        The trained point estimate, not changed.
    pool : MaskedPool or None
        The rows that the point estimate learnt from; without any, the copula's draws stand.
    spans, settings, run
        Layout, what, how.

    Returns
    -------
    drawer : Drawer
        Averaged weights, float64, on the CPU.
    history : History
    """
    # Pool and point estimate are given: the stored rows need be neither averaged nor copied in every step.
    neighbours, point.neighbours = point.neighbours, None
    module: Any = Drawer(point, width=settings.width, generator=run.generator).float().to(run.device)
    history = History()
    if pool is not None:
        _fit_centre(module, pool.to(run.device), run)
    if settings.draw_steps and pool is not None:
        task = PooledDrawTask(
            pool.to(run.device),
            module,
            span_index(spans).to(run.device),
            run.generator,
            batch_size=min(settings.batch_size, 128),
            hint_rate=settings.hint_rate,
        )
        loss = ADVERSARIAL_LOSSES["non-saturating"]
        weight = settings.adversarial_weight
        players: dict[str, nn.Module] = {"drawer": module}
        phases = []
        if weight:
            players["discriminator"] = CellDiscriminator(
                total_width(spans), len(spans), hidden=settings.width, generator=run.generator
            ).to(run.device)
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
        average = WeightAverage(module, "drawer", 0.99)
        callbacks: list[Callback] = [average, NanGuard(), *run_callbacks(run, "GAINImputer (draws)")]
        trainer = Trainer(players, phases, task, generator=run.generator, callbacks=callbacks)
        history = trainer.fit(settings.draw_steps)
        module = average.module
    module.point.neighbours = neighbours
    return module.cpu().double().eval(), history


def _fit_centre(module: Drawer, pool: MaskedPool, run: Run) -> None:
    """Where draws begin, from at most 4,000 of the pool's rows."""
    rows = torch.randperm(len(pool.values), generator=run.generator)[:4000].to(pool.values.device)
    values, shown = pool.values[rows], pool.shown[rows]
    base, column = module.point.base, module.point.heads.column
    within = torch.rand(len(rows), len(base.numeric_slots), generator=run.generator).to(values)
    context = module.context(values, shown, Start(*(part[rows] for part in pool.started)))
    hidden = (pool.observed[rows] - shown)[:, column]
    module.fit_centre(context, base.scored(values, within), hidden, module.noise(shown, 1, run.generator)[0])


@torch.no_grad()
def draw_scores(
    drawer: Drawer,
    values: Tensor,
    shown: Tensor,
    n_draws: int,
    generator: torch.Generator,
    forests: ForestStep | None = None,
) -> Tensor:
    """Draws in normal scores and one-hot blocks, of shape (n_draws, n, width).

    Levels are drawn from the probabilities that ``forests`` leave. Numbers are not moved: at ties a small step of a point estimate is
    a large one in scores, which made draws worse on tables with zeros (measured on ecoli and pima).
    """
    means, raw, scored_point = drawer.context(values, shown)
    heads = drawer.point.heads
    if forests is not None and heads.any_categorical:
        hidden = shown[:, heads.column] <= 0
        moved = forests(torch.where(hidden, heads.values(raw), values), shown)
        raw = torch.where(heads.is_categorical & hidden, moved.clamp_min(1e-6).log(), raw)
    context = means, raw, scored_point
    noise = drawer.noise(shown, n_draws, generator)
    return torch.stack([drawer(context, shown, noise[k]) for k in range(n_draws)])
