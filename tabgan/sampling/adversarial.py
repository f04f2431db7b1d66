"""Assembling core parts into the ways of training a sampler; no maths here, only which part goes where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import AVERAGE_DECAY
from tabgan.core.cases import Players
from tabgan.core.class_gaussians import fit_class_gaussians
from tabgan.core.class_losses import AuxiliaryClassLoss, FakeClassLoss
from tabgan.core.health import HealthWatch
from tabgan.core.losses import ADVERSARIAL_LOSSES, LossPair
from tabgan.core.penalties import Penalty
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase, Term, TermLoss, cosine_schedule
from tabgan.core.run import Run, Stopping, Trained, train
from tabgan.networks.blocks import blank_linear
from tabgan.networks.conditioning import ConditionalMLPDiscriminator
from tabgan.networks.row_generators import RowCorrector, RowMaker
from tabgan.sampling.class_prior import ClassPriorTask
from tabgan.sampling.maker import ClassMaker
from tabgan.spans import Span, total_width

__all__ = ["CONDITIONS", "SamplerSettings", "build_network", "train_maker"]

CONDITIONS = ("projection", "concat", "classes")
"""Ways of `CGANSampler`'s discriminator to use the condition."""

_LEAST_GAIN = 0.1  # of the held-out energy distance: smaller gains did not show in classifiers (docs/rebalancing.md)


@dataclass(frozen=True)
class SamplerSettings:
    """What is trained; `BAGANOversampler` and `CGANSampler` document each.

    The defaults are those of `CGANSampler`. A model file that lacks a setting takes its default, so a new setting's default leaves
    things as they were without it.
    """

    start: str = "kernel"
    focus: float = 0.0
    loss: str = "hinge"
    conditioning: str = "projection"
    n_steps: int = 300
    autoencoder_steps: int = 0
    batch_size: int = 128
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.9)
    n_critic: int = 1
    d_noise: int = 16
    width: int = 128
    n_blocks: int = 2
    adversarial_weight: float = 0.1
    energy_weight: float = 1.0
    gradient_penalty: float = 1.0
    wrong_weight: float = 0.0
    fake_classes: str = "balanced"
    real_classes: str = "balanced"
    average_weights: bool = True
    patience: int = 4
    redraws: int = 2


def train_maker(
    maker: ClassMaker,
    condition: Tensor,
    settings: SamplerSettings,
    run: Run,
    score: Callable[[ClassMaker], float] | None,
) -> tuple[ClassMaker, Trained]:
    """Train a maker against a discriminator, and keep its weights where a held-out score was best.

    Parameters
    ----------
    maker : ClassMaker
        Untrained.
    condition : Tensor of shape (n, d_condition)
        The condition of each of the maker's rows.
    settings, run
        What and how.
    score : callable or None
        Lower is better; None keeps the last weights.

    Returns
    -------
    maker : ClassMaker
        With the trained network, on the CPU, in evaluation mode.
    trained : Trained
        How training went; ``best_step`` is 0 where the score did not become clearly better than at the start.
    """
    seeds, n_classes, network = maker.seeds, maker.seeds.n_classes, maker.network
    assert network is not None
    discriminator = ConditionalMLPDiscriminator(
        total_width(maker.spans),
        condition.shape[1],
        settings.width,
        max(settings.n_blocks, 1),
        settings.conditioning,
        n_classes=n_classes,
        dropout=0.0,
        generator=run.generator,
    )
    if settings.start == "autoencoder":
        _pretrain(maker, discriminator, settings, run)
    maker.to(run.device)
    task = ClassPriorTask(
        seeds.rows,
        seeds.classes.cpu(),
        lambda rows, generator: maker.noise(rows, generator),
        min(settings.batch_size, max(32, len(seeds.rows))),
        neighbours=seeds.near,
        n_classes=n_classes,
        condition=condition.to(run.device),
        fake_classes=settings.fake_classes,
        real_classes=settings.real_classes,
        wrong_weight=settings.wrong_weight,
    )
    loss = _loss(settings, n_classes)
    schedule = cosine_schedule(settings.n_steps, warmup=20) if score is not None else None
    optimizer = OptimizerSpec("adam", settings.learning_rate, settings.betas)
    penalties = [Penalty("gradient", settings.gradient_penalty)] if settings.gradient_penalty else []
    energy = [Term("energy", task.energy, settings.energy_weight)] if settings.energy_weight else []
    phases = [
        Phase(
            "discriminator", DiscriminatorLoss(loss, task, penalties), optimizer, settings.n_critic, schedule=schedule
        ),
        Phase(
            "generator", GeneratorLoss(loss, task, settings.adversarial_weight, energy), optimizer, schedule=schedule
        ),
    ]
    if not settings.adversarial_weight:
        phases = [Phase("generator", TermLoss(energy), optimizer, schedule=schedule)]
    stopping = None
    if score is not None:
        stopping = Stopping("generator", lambda module: score(maker.using(module)), settings.patience)
    trained = train(
        {"generator": network, "discriminator": discriminator},
        phases,
        task,
        run,
        settings.n_steps,
        description="sampler",
        averages={"generator": AVERAGE_DECAY} if settings.average_weights else None,
        stopping=stopping,
        watch=HealthWatch(),
    )
    if trained.best_step is not None:
        trained = replace(trained, best_step=_earned_step(trained))
    return maker.using(trained.players["generator"]).cpu().eval(), trained


def _earned_step(trained: Trained) -> int:
    """The best step, or 0 where it is not better than the start by more than the score's own noise."""
    scores = {row["step"]: row["validation"] for row in trained.history if "validation" in row}
    best = trained.best_step or 0
    return best if scores[best] < (1 - _LEAST_GAIN) * scores[0] else 0


def _pretrain(
    maker: ClassMaker, discriminator: ConditionalMLPDiscriminator, settings: SamplerSettings, run: Run
) -> None:
    """BAGAN's first two steps: an autoencoder of all classes, then Gaussians of each class's codes.

    The decoder is the generator, the encoder the discriminator's trunk with a linear layer to the code, so both players start
    from it.
    """
    seeds, decoder = maker.seeds, maker.network
    assert decoder is not None
    to_code = blank_linear(settings.width, settings.d_noise)
    encoder = nn.Sequential(discriminator.phi, to_code)
    with torch.no_grad():
        weight = to_code.weight
        weight.copy_(torch.randn(weight.shape, generator=run.generator) * (1 / settings.width) ** 0.5)
    rows, visible = seeds.rows.to(run.device), seeds.visible[:, seeds.column].to(run.device)

    def reconstruction(players: Players, batch: _RowBatch) -> Tensor:
        noise = torch.cat([players["encoder"](batch.real), torch.zeros_like(batch.real), visible[batch.rows]], 1)
        return (players["decoder"](noise, None) - batch.real).square().mean()

    task = _RowTask(rows, min(settings.batch_size, len(rows)))
    optimizer = OptimizerSpec("adam", 1e-3, (0.9, 0.999))
    phase = Phase(("encoder", "decoder"), TermLoss([Term("reconstruction", reconstruction)]), optimizer)
    train(
        {"encoder": encoder, "decoder": decoder},
        [phase],
        task,
        run,
        settings.autoencoder_steps,
        description="autoencoder",
    )
    with torch.no_grad():
        codes = encoder(rows.cpu())
    maker.set_gaussians(*fit_class_gaussians(codes, seeds.classes, seeds.n_classes))


@dataclass
class _RowBatch:
    real: Tensor
    rows: Tensor


class _RowTask:
    """Batches of rows, with their numbers."""

    def __init__(self, rows: Tensor, batch_size: int) -> None:
        self.rows, self.batch_size = rows, batch_size

    def batch(self, generator: torch.Generator) -> _RowBatch:
        chosen = torch.randint(len(self.rows), (self.batch_size,), generator=generator).to(self.rows.device)
        return _RowBatch(self.rows[chosen], chosen)


def _loss(settings: SamplerSettings, n_classes: int) -> LossPair:
    if settings.loss == "fake-class":
        return FakeClassLoss(n_classes)
    base = ADVERSARIAL_LOSSES[settings.loss]
    return AuxiliaryClassLoss(base) if settings.conditioning == "classes" else base


def build_network(
    spans: Sequence[Span], settings: SamplerSettings, d_condition: int, generator: torch.Generator
) -> RowCorrector | RowMaker:
    """The generator that a start needs, with fresh weights."""
    shape: dict[str, Any] = {"width": settings.width, "n_blocks": settings.n_blocks, "generator": generator}
    if settings.start == "noise":
        return RowMaker(spans, settings.d_noise, d_condition, **shape)
    if settings.start == "autoencoder":
        return RowMaker(spans, settings.d_noise, 0, **shape)
    return RowCorrector(spans, settings.d_noise, d_condition, **shape)
